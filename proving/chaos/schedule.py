"""What is done to which part and when, derived from a seed."""

import random
from dataclasses import dataclass
from typing import Literal

GATEWAYS = 4
INGESTERS = 2

Part = Literal["gateway", "broker", "ingest", "database"]
Deed = Literal["kill", "pause"]

_PARTS: tuple[Part, ...] = ("gateway", "broker", "ingest", "database")
_COUNT: dict[Part, int] = {"gateway": GATEWAYS, "broker": 1, "ingest": INGESTERS, "database": 1}


@dataclass(frozen=True, slots=True)
class Blow:
    """One action on one part: it begins `at` seconds and is undone `lasting` seconds later."""

    at: float
    deed: Deed
    part: Part
    number: int
    lasting: float


def schedule(seconds: float, seed: int) -> list[Blow]:
    """Blows over a run of `seconds`, ordered by time; every part is killed at least once in a run of 20 s.

    Three in ten come with others at the same instant; three in ten are pauses. The last tenth of the run is quiet.
    """
    chance = random.Random(seed)
    blows: list[Blow] = []
    free: dict[tuple[Part, int], float] = {}
    turn: list[Part] = []
    at = 2.0
    while at < 0.9 * seconds:
        for _ in range(chance.choice((1, 1, 1, 1, 1, 1, 1, 2, 2, 3))):
            if not turn:
                turn = [*_PARTS, "ingest"]
                chance.shuffle(turn)
            part = turn.pop()
            number = chance.randrange(_COUNT[part])
            if free.get((part, number), 0.0) > at:
                continue
            deed: Deed = "pause" if chance.random() < 0.3 else "kill"  # noqa: PLR2004 (three in ten)
            lasting = chance.uniform(0.1, 3.0)
            blows.append(Blow(at, deed, part, number, lasting))
            free[part, number] = at + lasting + 0.5
        at += chance.uniform(0.8, 2.5)
    return blows
