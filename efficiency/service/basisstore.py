"""Stores the inputs that a park's usage was computed from, part by part (`USAGE_BASIS`).

The field `content` has what all of the stored usage was computed from; `begun` has other inputs that some of it may
already be computed from.
"""

import json
from typing import Any

from efficiency.service.basis import Parts
from store.client import Store
from store.lines import FieldValue, point, series
from store.schema import NS_PER_MS, OPERATOR_DATABASE, USAGE_BASIS
from store.select import Of, select, where

_LONGEST = 60_000
"""InfluxDB's text fields end at 64 KB."""


async def load_basis(store: Store, park: str) -> Parts | None:
    """What the stored usage was computed from; None if nothing was computed."""
    found = await _newest(store, park, "content")
    return {part: content for part, content in found.items() if content is not None} or None


async def _newest(store: Store, park: str, field: str) -> dict[str, Any]:
    """The newest value of a field for each part."""
    statement = select(USAGE_BASIS, [Of("last", field)], where({"park": park}), ["part"])
    rows = await store.query(statement, OPERATOR_DATABASE)
    return {row["part"]: json.loads(row[field]) for row in rows if row[field] is not None}


class BasisStore:
    """The stored inputs of one park's usage.

    Computing a change may take several cycles. After a restart the park file must be compared with what was begun, too:
    otherwise one that was changed and changed back meanwhile would look unchanged.
    """

    def __init__(self, store: Store, park: str) -> None:
        self._store = store
        self._park = park
        self.parts: Parts | None = None
        """The inputs of all stored usage; None if there is none."""
        self._begun: dict[str, list[Any]] = {}
        """By part, other contents that some of it may be computed from; None stands for a missing part."""

    async def load(self) -> None:
        """Read what the last run stored."""
        self.parts = await load_basis(self._store, self._park)
        begun = await _newest(self._store, self._park, "begun")
        self._begun = {part: contents for part, contents in begun.items() if contents}

    def begun(self) -> list[Parts]:
        """Inputs that the last run began to compute from but did not finish.

        Each begun content of each part is in at least one of them.
        """
        most = max(map(len, self._begun.values()), default=0)
        found = []
        for number in range(most):
            mixed = {part: each[min(number, len(each) - 1)] for part, each in self._begun.items()}
            found.append({part: said for part, said in ((self.parts or {}) | mixed).items() if said is not None})
        return found

    async def begin(self, parts: Parts, now_ms: int) -> None:
        """Note parts that differ from the stored ones, before anything is computed by them."""
        stored = self.parts or {}
        new: dict[str, list[Any]] = {}
        for part in stored.keys() | parts.keys():
            content, known = parts.get(part), self._begun.get(part, [])
            if content != stored.get(part) and content not in known:
                # Too long to store: noted as a missing part, so that everything of it is computed again.
                new[part] = [*known, content] if len(json.dumps([*known, content])) <= _LONGEST else [None]
        self._begun |= new
        await self._write({part: {"begun": json.dumps(contents)} for part, contents in new.items()}, now_ms)

    async def end(self, parts: Parts, now_ms: int) -> None:
        """Store the parts that all of the stored usage is computed from now."""
        if parts == self.parts and not self._begun:
            return
        gone = dict.fromkeys((self.parts or {}).keys() | self._begun.keys())
        every = {part: json.dumps(content) for part, content in {**gone, **parts}.items()}
        await self._write({part: {"content": content, "begun": "[]"} for part, content in every.items()}, now_ms)
        self.parts, self._begun = parts, {}

    async def _write(self, fields: dict[str, dict[str, FieldValue]], now_ms: int) -> None:
        heads = {part: series(USAGE_BASIS, {"park": self._park, "part": part}) for part in fields}
        lines = [point(heads[part], said, now_ms * NS_PER_MS) for part, said in fields.items()]
        if lines:
            await self._store.write(lines, OPERATOR_DATABASE)
