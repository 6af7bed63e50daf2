"""What a gateway of a simulated country sends each minute, and what it has sent in the minutes before."""

import json
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from proving.bench.parks import country_park, gateway_of, meter_of
from store.schema import NS_PER_MS
from wire.topics import Channel, topic

LINES_AT_ONCE = 5_000
"""Written in one request."""


class CountryGateway(NamedTuple):
    """A gateway of the park with a number; its meters are those from `first` up to `end`."""

    park: int
    first: int
    end: int

    @property
    def topic(self) -> str:
        """Where it publishes its readings."""
        return topic(country_park(self.park), gateway_of(self.first), Channel.READINGS)

    def message(self, minute: int) -> str:
        """The readings of all its meters in a minute, stamped with the time now."""
        now_ms, meters = time.time_ns() // NS_PER_MS, range(self.first, self.end)
        readings = [{"meter": meter_of(n), "ts": now_ms, "values": values_of(n, minute)} for n in meters]
        return json.dumps({"id": f"{self.first}-{now_ms}", "readings": readings}, separators=(",", ":"))

    def past(self, series: Sequence[str], instants_ns: Sequence[int]) -> Iterator[list[str]]:
        """Lines with the counters of its meters in the first minutes, at given instants, some lines at a time."""
        at_once = max(1, LINES_AT_ONCE // (self.end - self.first))
        for begin in range(0, len(instants_ns), at_once):
            minutes = list(enumerate(instants_ns[begin : begin + at_once], begin))
            yield [
                f"{series[number]} {_counters_of(number, minute)} {ns}"
                for number in range(self.first, self.end)
                for minute, ns in minutes
            ]


def _counters_of(number: int, minute: int) -> str:
    values = values_of(number, minute)
    return f"energy_kwh={values['energy_kwh']},energy_export_kwh=0,reactive_kvarh={values['reactive_kvarh']}"


def values_of(number: int, minute: int) -> dict[str, float]:
    """Registers are what the power of all minutes before adds up to."""
    base = 200.0 + number % 97
    sevens, rest = divmod(minute, 7)
    used_kwh = (base * minute + 21 * sevens + rest * (rest - 1) / 2) / 60
    power = base + rest
    return {
        "energy_kwh": round(10_000.0 * number + used_kwh, 3),
        "energy_export_kwh": 0.0,
        "reactive_kvarh": round(1_000.0 * number + used_kwh * 0.3, 3),
        "power_kw": power,
        "power_factor": round(0.9 + number % 8 / 100, 3),
        "voltage_v": 400.0 + minute % 5,
        "current_a": round(power * 1.6, 1),
        "frequency_hz": 50.0,
    }
