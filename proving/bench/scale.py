"""How much is measured: a full run of about four minutes, a quick one, or one of any size that a test wants."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BenchScale:
    """Sizes of one run: `single`, `batch`, `mix` and `ceiling` in readings, `growth` and `backlog` in messages.

    `single` and `growth_round` stay under what the shipped broker queues for one session, or it would drop some.
    `ingesters` are the numbers of ingesters that share the subscription, rising from one. `offered` are messages of one
    reading a second that are offered to each of these numbers, for `offered_s` seconds, and then as many as go through.
    """

    meters: int = 10_000
    single: int = 200_000
    batch: int = 1_500_000
    mix: int = 200_000
    repetitions: int = 3
    ingesters: tuple[int, ...] = (1, 2, 4)
    ceiling: int = 1_000_000
    rates: tuple[int, ...] = (100, 2_000, 20_000)
    latency_s: float = 10.0
    offered: tuple[int, ...] = (500, 4_000, 12_000)
    offered_s: float = 8.0
    growth: int = 1_000_000
    growth_round: int = 200_000
    gateway_s: float = 15.0
    backlog: int = 1_440


FULL = BenchScale()
QUICK = BenchScale(
    single=40_000,
    batch=200_000,
    mix=20_000,
    repetitions=1,
    ceiling=200_000,
    latency_s=1.5,
    offered_s=2.0,
    growth=40_000,
    growth_round=40_000,
    gateway_s=4.0,
)
