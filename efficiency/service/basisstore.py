"""The inputs that stored usage was computed by, as they are kept in the database: part by part (`USAGE_BASIS`).

`content` is what all of it was computed by, `begun` what some of it may be computed by besides.
"""

import json
from collections.abc import Iterable
from typing import Any

from efficiency.service.basis import Parts
from store.client import Store
from store.lines import point, series
from store.schema import NS_PER_MS, OPERATOR_DATABASE, USAGE_BASIS
from store.select import Of, select, where

_LONGEST = 60_000
"""InfluxDB's text fields end at 64 KB."""


async def load_basis(store: Store, park: str) -> Parts | None:
    """What the stored usage was computed by; None where nothing was."""
    rows = await store.query(
        select(USAGE_BASIS, [Of("last", "content")], where({"park": park}), ["part"]), OPERATOR_DATABASE
    )
    contents = {row["part"]: json.loads(row["content"]) for row in rows if row["content"] is not None}
    return {part: content for part, content in contents.items() if content is not None} or None


async def save_basis(store: Store, park: str, before: Iterable[str], parts: Parts, now_ms: int) -> None:
    """Keep what all of the stored usage is computed by from now on; of a part that is gone, that it is."""
    lines = [
        point(
            series(USAGE_BASIS, {"park": park, "part": part}),
            {"content": json.dumps(content), "begun": json.dumps([])},
            now_ms * NS_PER_MS,
        )
        for part, content in {**dict.fromkeys(before), **parts}.items()
    ]
    await store.write(lines, OPERATOR_DATABASE)


class Begun:
    """Parts by which some of the stored usage may be computed, though not all: a change takes several cycles.

    Whoever continues after a restart computes the difference from each of them too. Otherwise a park file that was
    changed and changed back meanwhile would look as if nothing had happened.
    """

    def __init__(self, store: Store, park: str) -> None:
        self._store = store
        self._park = park
        self.contents: dict[str, list[Any]] = {}
        """Of each part what it was, or None where it was gone."""

    async def load(self) -> None:
        """What an earlier run has begun and not ended."""
        condition = where({"park": self._park})
        rows = await self._store.query(
            select(USAGE_BASIS, [Of("last", "begun")], condition, ["part"]), OPERATOR_DATABASE
        )
        found = {row["part"]: json.loads(row["begun"]) for row in rows if row["begun"] is not None}
        self.contents = {part: contents for part, contents in found.items() if contents}

    def versions(self, saved: Parts) -> list[Parts]:
        """The inputs with each content of each part in one of them."""
        most = max(map(len, self.contents.values()), default=0)
        found = []
        for number in range(most):
            mixed = saved | {part: each[min(number, len(each) - 1)] for part, each in self.contents.items()}
            found.append({part: content for part, content in mixed.items() if content is not None})
        return found

    async def note(self, saved: Parts, parts: Parts, now_ms: int) -> None:
        """Note parts that differ from what is saved, before anything is computed by them."""
        lines = []
        for part in saved.keys() | parts.keys():
            content, known = parts.get(part), self.contents.get(part, [])
            if content == saved.get(part) or content in known:
                continue
            written = json.dumps([*known, content])
            if len(written) > _LONGEST:
                written = json.dumps([None])  # as if it had been gone: computed from the beginning
            self.contents[part] = json.loads(written)
            tags = {"park": self._park, "part": part}
            lines.append(point(series(USAGE_BASIS, tags), {"begun": written}, now_ms * NS_PER_MS))
        if lines:
            await self._store.write(lines, OPERATOR_DATABASE)
