"""Sets aside what cannot be computed, so that everything else continues.

When the computation of a meter, a tenant's figures or a balance fails, it is left out and named in the log, in `events`
and in `pipeline`. It is tried again when its inputs change, or after a pause that doubles up to six hours. Until it
succeeds it counts as never computed, so nothing that happens meanwhile is missed, not even after a restart.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from efficiency.usage.events import lasted
from metering.errors import OperatorError, UnavailableError
from metering.model import Localized
from metering.park import Park
from store.answers import RejectedError
from store.client import Store
from store.lines import point, series
from store.schema import EVENTS, NOT_COMPUTED, NS_PER_MS, OPERATOR_DATABASE
from store.select import select, where

FIRST_MS = 60_000
LONGEST_MS = 6 * 3_600_000
LONGEST_OF_A_PARK_MS = 600_000
WHOLE_PARK = ".park"
TENANT = ".tenant "
MAIN = ".main "

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Failure:
    """What failed: since when (ms), how often, when to try again, and the inputs it failed with.

    `written`: whether `events` has it.
    """

    since: int
    reason: str
    times: int = 1
    tried: int = 0
    again: int = 0
    inputs: Any = None
    written: bool = False


class SetAside:
    """What is set aside in one park. Things are named like the parts in `efficiency.service.basis`.

    That is a meter's id, `.tenant ` and a tenant's id, `.main ` and a main meter's id, or `.park`.
    """

    def __init__(self, store: Store, park: str) -> None:
        self._store = store
        self._park = park
        self._failures: dict[str, _Failure] = {}
        self._failed: set[str] = set()
        self._over: dict[str, _Failure] = {}
        self._parts: Mapping[str, Any] = {}

    async def load(self) -> None:
        """Read what the last service had set aside; all of it is tried at once."""
        condition = where({"park": self._park, "kind": NOT_COMPUTED})
        statement = select(EVENTS, ("part", "reason", "end"), condition, ("tenant", "meter"), newest=1)
        for row in await self._store.query(statement, OPERATOR_DATABASE):
            if row["end"] is None:
                self._failures[row["part"]] = _Failure(row["time"] // NS_PER_MS, row["reason"], written=True)

    def waiting(self, now_ms: int) -> set[str]:
        """What must not be tried now."""
        return {thing for thing, failure in self._failures.items() if now_ms < failure.again}

    @property
    def things(self) -> dict[str, str]:
        """Everything that is set aside or being tried again, and why."""
        return {thing: failure.reason for thing, failure in self._failures.items()}

    def changed(self, thing: str, now_ms: int) -> None:
        """Try again because an input has changed, but at most once a minute."""
        if (failure := self._failures.get(thing)) is not None:
            self._failures[thing] = replace(failure, again=min(failure.again, max(now_ms, failure.tried + FIRST_MS)))

    def look(self, parts: Mapping[str, Any], now_ms: int) -> None:
        """Try again what the park file has changed; forget what it no longer has."""
        self._parts = parts
        for thing, failure in [*self._failures.items()]:
            if thing not in parts and thing != WHOLE_PARK:
                self._over[thing] = self._failures.pop(thing)
            elif failure.inputs is not None and parts.get(thing) != failure.inputs:
                self._failures[thing] = replace(failure, again=now_ms)

    @contextmanager
    def guard(self, thing: str, now_ms: int) -> Iterator[None]:
        """Set the thing aside if the block fails, unless the database does not answer or refuses access."""
        try:
            yield
        except (UnavailableError, OperatorError):
            raise
        except Exception as error:  # noqa: BLE001 (one of them must not stop the others)
            self._fail(thing, error, now_ms)

    def failed(self, thing: str) -> bool:
        """Whether something has failed in this cycle."""
        return thing in self._failed

    def _fail(self, thing: str, error: Exception, now_ms: int) -> None:
        self._failed.add(thing)
        before = self._failures.get(thing)
        times = before.times + 1 if before is not None else 1
        pause = min(LONGEST_MS if thing != WHOLE_PARK else LONGEST_OF_A_PARK_MS, FIRST_MS << min(times - 1, 16))
        reason = _one_line(f"{type(error).__name__}: {error}")
        found = _Failure(now_ms, reason) if before is None else replace(before, reason=reason)
        inputs = self._parts.get(thing)
        self._failures[thing] = replace(found, times=times, tried=now_ms, again=now_ms + pause, inputs=inputs)
        if before is None or before.reason != reason:
            rejected = isinstance(error, RejectedError)
            log.error(
                "%s: %s is set aside, everything else continues: %s; %sthis is a fault of Ecopark, please report it "
                "with these lines; the next try is in %.0f min, or when its readings or its part of the park file "
                "change",
                self._park,
                "the whole park" if thing == WHOLE_PARK else thing.lstrip("."),
                error.told if isinstance(error, RejectedError) else reason,
                "if it is one of these, " if rejected else "",
                pause / 60_000,
                exc_info=None if rejected else error,
            )

    async def write(self, park: Park, now_ms: int) -> None:
        """End a cycle: what was tried and has not failed is resolved; write what is new to `events`."""
        for thing in [thing for thing, failure in self._failures.items() if now_ms >= failure.again]:
            if thing not in self._failed:
                self._over[thing] = self._failures.pop(thing)
        self._failed.clear()
        lines = [self._line(park, thing, failure, now_ms) for thing, failure in self._over.items()]
        news = {thing: failure for thing, failure in self._failures.items() if not failure.written}
        lines += [self._line(park, thing, failure, None) for thing, failure in news.items()]
        if lines:
            await self._store.write_kept(lines, OPERATOR_DATABASE)
        for thing, failure in self._over.items():
            log.warning(
                "%s: %s is computed again, after %.0f s", self._park, thing.lstrip("."), (now_ms - failure.since) / 1000
            )
        self._over.clear()
        self._failures |= {thing: replace(failure, written=True) for thing, failure in news.items()}

    def _line(self, park: Park, thing: str, failure: _Failure, end: int | None) -> str:
        tags: dict[str, str | None] = {"park": park.id, "kind": NOT_COMPUTED}
        if thing.startswith(TENANT):
            tags["tenant"] = thing.removeprefix(TENANT)
        elif thing != WHOLE_PARK:
            tags["meter"] = thing.removeprefix(MAIN)
        fields: dict[str, str | int] = {"part": thing, "reason": failure.reason}
        said = Localized(
            en=f"Not computed since then: {failure.reason}. Everything else is; see the log of the usage service.",
            vi=f"Từ lúc này không tính được: {failure.reason}. Phần còn lại vẫn được tính; xem nhật ký dịch vụ tính "
            "tiêu thụ.",
        )
        if end is not None:
            took = lasted(end - failure.since)
            said = Localized(
                en=f"Was not computed for {took.en} ({failure.reason}); it is complete now.",
                vi=f"Không tính được trong {took.vi} ({failure.reason}); nay đã được tính bù đầy đủ.",
            )
            fields["end"] = end
        fields |= {"text_en": said.en, "text_vi": said.vi}
        return point(series(EVENTS, tags), fields, failure.since * NS_PER_MS)


_REASON_LENGTH = 150
"""So that the text of an event, with the words around the reason, has at most 256 characters."""


def _one_line(reason: str) -> str:
    """A reason as one short line; placeholders are broken up, since Grafana would fill them in."""
    line = "".join(each if each.isprintable() else " " for each in " ".join(reason.split()))
    return line.replace("{{", "{ {").replace("${", "$ {")[:_REASON_LENGTH]
