"""A park of five meters whose use follows production, with hourly readings written straight to the database."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path

from efficiency.usage.intervals import HOUR_MS
from metering.instants import midnight_ms
from metering.park import Park
from metering.parkfile import load_park
from store.client import Store
from store.schema import NS_PER_MS, OPERATOR_DATABASE, reading_series

FIRST = date(2026, 10, 20)
PARK = """\
park: {id: demo, name: {en: Test park, vi: Khu thử}, timezone: Asia/Ho_Chi_Minh}
tenants:
  - {id: textile, name: {en: Textile, vi: Dệt}, sector: {en: textile, vi: dệt may}}
  - {id: idle, name: {en: Idle, vi: Nghỉ}, sector: {en: none, vi: không}}
gateways:
  - {id: gw-1, name: {en: One, vi: Một}}
meters:
  - {id: em-textile, name: {en: Power, vi: Điện}, tenant: textile, gateway: gw-1, utility: electricity,
     interval_s: 3600, rated: 900, registers: {energy_kwh: {}}}
  - {id: pm-textile, name: {en: Line, vi: Dây chuyền}, tenant: textile, gateway: gw-1, utility: production,
     interval_s: 3600, rated: 90, output_unit: t, registers: {output: {}}}
  - {id: wm-textile, name: {en: Water, vi: Nước}, tenant: textile, gateway: gw-1, utility: water, interval_s: 3600,
     rated: 90, registers: {volume_m3: {}}}
  - {id: em-pump, name: {en: Pump, vi: Bơm}, gateway: gw-1, utility: electricity, interval_s: 3600, rated: 900,
     registers: {energy_kwh: {}}}
  - {id: em-idle, name: {en: Idle, vi: Nghỉ}, tenant: idle, gateway: gw-1, utility: electricity, interval_s: 3600,
     rated: 900, registers: {energy_kwh: {}}}
"""
METERS = ("em-textile", "pm-textile", "wm-textile", "em-pump", "em-idle")


def small_park(folder: Path) -> tuple[Path, Park]:
    """The park file and its content."""
    file = folder / "park.yaml"
    file.write_text(PARK, encoding="utf-8")
    return file, load_park(file)


def made_on(number: int) -> float:
    """Output of a day, t: it goes up and down, and nothing is made on each seventh day."""
    return 0.0 if number % 7 == 6 else 100.0 + 37.0 * (number * 5 % 11)


def used(meter: str, number: int) -> float:
    """What a meter measures on a day: 500 kWh and 3 kWh/t with a ripple, from the 25th day on 4 % more."""
    made, ripple = made_on(number), 1 + 0.01 * (number * 7 % 5 - 2)
    worse = 1.04 if number >= 25 else 1.0
    return {
        "em-textile": (500.0 + 3.0 * made) * ripple * worse,
        "pm-textile": made,
        "wm-textile": (40.0 + 0.2 * made) * ripple,
        "em-pump": (20.0 + 0.5 * (40.0 + 0.2 * made)) * ripple,
        "em-idle": 240.0,
    }[meter]


def day(number: int) -> date:
    """A day of the past; the first is 0."""
    return FIRST + timedelta(days=number)


def at(park: Park, number: int, hours: float = 0.0) -> int:
    """An instant of a day, ms."""
    return midnight_ms(day(number), park.zone) + round(hours * HOUR_MS)


async def write_days(
    store: Store,
    park: Park,
    numbers: Sequence[int],
    meters: Iterable[str] = METERS,
    *,
    more: Mapping[str, float] | None = None,
) -> None:
    """Hourly readings of whole days up to the midnight that ends the last; `more` is added to a meter's registers."""
    lines = []
    for name in meters:
        head, counter = reading_series(park.id, park.meter[name]), park.meter[name].counter
        for number in numbers:
            before = sum(used(name, each) for each in range(number)) + (more or {}).get(name, 0.0)
            for hour in range(25):
                register = before + used(name, number) * hour / 24
                lines.append(f"{head} {counter}={register!r} {at(park, number, hour) * NS_PER_MS}")
    await store.write(lines, OPERATOR_DATABASE)
