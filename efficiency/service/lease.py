"""Which usage service computes which park: claims in the database, so that no two ever write one park.

Each service announces itself, and claims parks up to its share. A claim lasts a minute and is renewed every ten
seconds; when a service dies, its claims expire and the others take over.

InfluxDB has no locks, so claims work like Lamport's bakery algorithm: check that nobody has the park, write a claim
within a second of checking, wait longer than any write may take, and check again; of several claims the oldest wins. A
service that cannot renew its claims stops writing well before they expire, since a write may take half a minute. The
clocks of the services may differ by `SKEW_MS`.
"""

import asyncio
import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass
from uuid import uuid4

from metering.errors import UnavailableError
from metering.instants import HOUR_MS
from store.client import WRITE_TIMEOUT_S, Store
from store.lines import point, series
from store.schema import NS_PER_MS, OPERATOR_DATABASE, USAGE_LEASE
from store.select import select, where

log = logging.getLogger(__name__)

LASTS_MS = 60_000
RENEW_S = 10.0
SKEW_MS = 5_000
WRITES_FOR_S = LASTS_MS / 1000 - WRITE_TIMEOUT_S - SKEW_MS / 1000
"""How long after a renewal a write may begin, so that it ends before the claim expires."""
_PROMPT_S = 1.0
_SETTLES_S = 2.5
_THERE = "-"
"""In place of a park: announces the service itself. No park can have this id."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A service's claim to a park: from when until when it holds, ms. `life` identifies the process."""

    park: str
    instance: str
    life: str
    since: int
    until: int


class Leases:
    """The claims of one service; `clock_ms` is wall time, `seconds` is monotonic.

    `instance` must be unique among running services: one that finds its own name used by another process waits, and
    logs it.
    """

    def __init__(self, store: Store, instance: str, clock_ms: Callable[[], int], seconds: Callable[[], float]) -> None:
        self._store = store
        self._instance = instance
        self._clock_ms = clock_ms
        self._seconds = seconds
        self._life = uuid4().hex
        self._mine: dict[str, int] = {}
        """Parks that are ours, and since when."""
        self._renewed = seconds()

    @property
    def mine(self) -> frozenset[str]:
        """The parks that this service may write now."""
        return frozenset(self._mine) if self.hold else frozenset()

    @property
    def hold(self) -> bool:
        """Whether our claims are recent enough to begin a write."""
        return self._seconds() - self._renewed < WRITES_FOR_S

    def check(self, park: str) -> None:
        """Raise `UnavailableError` if a write for a park must not begin."""
        if park not in self.mine:
            raise UnavailableError(
                f"{park} may have gone to another usage service; nothing is written until that is clear"
            )

    async def look(self, parks: Collection[str]) -> None:
        """Renew our claims, give up parks beyond our share, and claim free parks up to it."""
        began = self._seconds()
        claims = await self._claims()
        now = self._clock_ms()
        if not self.hold:
            self._mine.clear()  # somebody else may have taken over
        others = {claim.life for claim in claims if claim.park == _THERE and claim.life != self._life}
        if any(claim.instance == self._instance and claim.life != self._life for claim in claims):
            log.warning(
                "another usage service had the name %s within the last minute; if it still runs, give each its "
                "own name in ECOPARK_INSTANCE",
                self._instance,
            )
            self._mine.clear()
            return
        share = -(-len(parks) // (len(others) + 1))
        for park in sorted(self._mine.keys()):
            if park not in parks or len(self._mine) > share or self._older(claims, park, self._mine[park]):
                del self._mine[park]
                await self._write([self._claim_of(park, now, 0)])
        await self._write([self._claim_of(_THERE, 0, now + LASTS_MS), *self._renewals(now)])
        self._renewed = began
        taken = {claim.park for claim in claims if claim.life != self._life}
        wanted = [park for park in sorted(parks) if park not in taken and park not in self._mine]
        await self._claim(wanted[: share - len(self._mine)] if share > len(self._mine) else [], began)

    async def give_up(self) -> None:
        """Release all claims at once, when the service ends."""
        self._mine, gone = {}, [*self._mine, _THERE]
        await self._write([self._claim_of(park, 0, 0) for park in gone])

    async def _claim(self, parks: Collection[str], looked: float) -> None:
        if not parks:
            return
        since = self._clock_ms()
        await self._write([self._claim_of(park, since, since + LASTS_MS) for park in parks])
        prompt = self._seconds() - looked <= _PROMPT_S
        if prompt:
            await asyncio.sleep(_SETTLES_S)
        claims = await self._claims() if prompt else []
        lost = [park for park in parks if not prompt or self._older(claims, park, since)]
        self._mine |= {park: since for park in parks if park not in lost}
        if lost:
            await self._write([self._claim_of(park, 0, 0) for park in lost])

    def _older(self, claims: Collection[Claim], park: str, since: int) -> bool:
        """Whether somebody else has claimed a park before."""
        ours = (since, self._instance)
        return any(
            claim.park == park and claim.life != self._life and (claim.since, claim.instance) < ours for claim in claims
        )

    def _claim_of(self, park: str, since: int, until: int) -> Claim:
        return Claim(park, self._instance, self._life, since, until)

    def _renewals(self, now: int) -> list[Claim]:
        return [self._claim_of(park, since, now + LASTS_MS) for park, since in self._mine.items()]

    async def _claims(self) -> list[Claim]:
        """Claims that have not expired."""
        now = self._clock_ms()
        condition = where({}, now - 2 * HOUR_MS)
        statement = select(USAGE_LEASE, ("since", "until", "life"), condition, ("park", "instance"), newest=1)
        rows = await self._store.query(statement, OPERATOR_DATABASE)
        return [
            Claim(row["park"], row["instance"], row["life"], row["since"], row["until"])
            for row in rows
            if None not in row.values()  # a claim that is being written: InfluxDB shows some of its fields already
            and row["until"] > now - SKEW_MS
        ]

    async def _write(self, claims: Collection[Claim]) -> None:
        # One point an hour, overwritten with each renewal: only the newest claim counts.
        hour = self._clock_ms() // HOUR_MS * HOUR_MS
        lines = [
            point(
                series(USAGE_LEASE, {"park": claim.park, "instance": claim.instance}),
                {"since": claim.since, "until": claim.until, "life": claim.life},
                hour * NS_PER_MS,
            )
            for claim in claims
        ]
        await self._store.write(lines, OPERATOR_DATABASE)
