"""A park of two tenants over two months: one leaves in the middle of a month, one has its instrument exchanged.

Registers follow a smooth line, so that the right amounts can be computed without the code under test.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from math import sin
from pathlib import Path
from types import MappingProxyType
from zoneinfo import ZoneInfo

from efficiency.closing.file import ClosedMonth, load_closed, write_closed
from efficiency.closing.making import MonthMaker
from efficiency.closing.statement import Statement
from efficiency.service.park import ParkUsage
from efficiency.usage.intervals import HOUR_MS, QUARTER_MS
from metering.instants import midnight_ms, milliseconds
from metering.park import Park
from metering.parkfile import load_park
from store.client import Store
from store.schema import NS_PER_MS, OPERATOR_DATABASE, reading_series

SEPTEMBER, OCTOBER, NOVEMBER = (date(2026, month, 1) for month in (9, 10, 11))
MOVED = milliseconds(datetime.fromisoformat("2026-10-16T14:30:00+07:00"))
EXCHANGED = milliseconds(datetime.fromisoformat("2026-10-10T09:12:00+07:00"))
START, NOW = date(2026, 8, 31), date(2026, 11, 2)
KW = {"em-grid": 900.0, "em-alpha": 400.0, "em-beta": 250.0, "em-office": 200.0, "wm-alpha": 12.0, "wm-grid": 12.6}
KVAR_SHARE = 0.6
_ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
PARK = """\
park: {id: demo, name: {en: Test park, vi: Khu thử}, timezone: Asia/Ho_Chi_Minh}
tenants:
  - {id: alpha, name: {en: Alpha Co., vi: Công ty Alpha}, sector: {en: textile, vi: dệt may}, floor_area_m2: 8000.0,
     contract: {voltage: v22kv, demand_kw: 900.0}}
  - {id: beta, name: {en: Beta Co., vi: Công ty Beta}, sector: {en: food, vi: thực phẩm}, until: 2026-10-17,
     floor_area_m2: 2000.0, contract: {voltage: v22kv, demand_kw: 400.0}}
gateways:
  - {id: gw-1, name: {en: One, vi: Một}}
meters:
  - {id: em-grid, name: {en: Intake, vi: Công tơ tổng}, gateway: gw-1, utility: electricity, role: main,
     interval_s: 900, rated: 3000, accuracy_pct: 0.5, multiplier: 400,
     registers: {energy_kwh: {resolution: 0.001}, reactive_kvarh: {resolution: 0.001}}}
  - id: em-alpha
    name: {en: Alpha, vi: Alpha}
    gateway: gw-1
    utility: electricity
    parent: em-grid
    tenant: alpha
    interval_s: 900
    rated: 2000
    registers: {energy_kwh: {resolution: 0.001}, reactive_kvarh: {resolution: 0.001}}
    instruments:
      - {serial: A-1, multiplier: 40, closing: {energy_kwh: CLOSING, reactive_kvarh: BLIND}}
      - {from: 2026-10-10T09:12:00+07:00, serial: A-2, multiplier: 60, opening: {energy_kwh: 0.0, reactive_kvarh: 0.0}}
  - id: em-beta
    name: {en: Beta, vi: Beta}
    gateway: gw-1
    utility: electricity
    interval_s: 900
    rated: 2000
    registers: {energy_kwh: {resolution: 0.01}}
    parent: em-grid
    belongs:
      - {tenant: beta}
      - {from: 2026-10-16T14:30:00+07:00}
  - {id: em-office, name: {en: Office, vi: Nhà điều hành}, gateway: gw-1, utility: electricity, parent: em-grid,
     interval_s: 900, rated: 1000, registers: {energy_kwh: {resolution: 0.01}}}
  - {id: wm-grid, name: {en: Water intake, vi: Nước vào khu}, gateway: gw-1, utility: water, role: main,
     interval_s: 900, rated: 90, registers: {volume_m3: {resolution: 0.001}}}
  - {id: wm-alpha, name: {en: Water, vi: Nước}, tenant: alpha, gateway: gw-1, utility: water, parent: wm-grid,
     interval_s: 900, rated: 90, registers: {volume_m3: {resolution: 0.001}}}
tariffs:
  electricity:
    bands:
      - from: 2026-01-01
        source: "[B] Decision 963/QD-BCT"
        peak: [{days: mon-sat, start: "17:30", end: "22:30"}]
        off_peak: [{days: daily, start: "00:00", end: "06:00"}]
    prices:
      v22kv: [{from: 2026-01-01, off_peak: 1190.0, normal: 1833.0, peak: 3398.0, source: "[C] 22 to under 110 kV"}]
      v22kv-two: [{from: 2026-01-01, demand: 235414.0, off_peak: 860.0, normal: 1275.0, peak: 2190.0,
                   source: "[invented] two components"}]
    compared: {v22kv: v22kv-two}
    reactive:
      - {from: 2026-01-01, min_power_factor: 0.9, percents: [1.12, 2.27, 3.45, 4.65, 5.88], floor_percent: 7.14,
         min_kw: 40.0, source: "[B] Decree 18/2025, down to 0.85"}
  prices:
    water: [{from: 2026-01-01, value: 14500.0, source: "[invented] contract"}]
  purchase:
    electricity: [{from: 2026-01-01, off_peak: 1168.0, normal: 1800.0, peak: 3334.0, source: "[C] wholesale, 22 kV"}]
    compared: [{from: 2026-01-01, demand: 230000.0, off_peak: 840.0, normal: 1250.0, peak: 2150.0,
                source: "[invented] two components"}]
    prices:
      water: [{from: 2026-01-01, value: 11000.0, source: "[invented] water works"}]
  vat:
    electricity: [{from: 2026-01-01, value: 0.08, source: "[C] reduced rate"}]
    water: [{from: 2026-01-01, value: 0.05, source: "[C] clean water"}]
allocation:
  electricity:
    - {from: 2026-01-01, source: "[invented] park rules", losses: {key: use}, common: {key: area, meters: [em-office]}}
"""


def passed(meter: str, ms: int) -> float:
    """What has passed at a point since the start, in its unit."""
    hours = (ms - midnight_ms(START, _ZONE)) / HOUR_MS
    return KW[meter] * (hours + 0.2 * sin(1.7 * hours) + 0.6 * sin(hours / 5))


def register(meter: str, ms: int) -> float:
    """What its counter shows then, by the instrument of the time."""
    if meter == "em-alpha":
        if ms < EXCHANGED:
            return 1000.0 + passed(meter, ms) / 40
        return (passed(meter, ms) - passed(meter, EXCHANGED)) / 60
    return 1000.0 + passed(meter, ms) / (400 if meter == "em-grid" else 1)


def _written() -> str:
    closing = f"{register('em-alpha', EXCHANGED - 1):.3f}"
    blind = f"{KVAR_SHARE * register('em-alpha', EXCHANGED - 1):.3f}"
    return PARK.replace("CLOSING", closing).replace("BLIND", blind)


def month_park(folder: Path, changes: Mapping[str, str] = MappingProxyType({})) -> Park:
    """The park of `park.yaml` in a folder, which is written with texts in it exchanged."""
    file = folder / "park.yaml"
    text = _written()
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    file.write_text(text, encoding="utf-8")
    return load_park(file)


async def write_readings(
    store: Store, park: Park, first: date, until: date, meters: Collection[str] = KW, more: float = 0.0
) -> None:
    """Readings of some meters each quarter hour, up to the midnight that begins `until`; `more` is added to each."""
    lines = []
    for meter in (park.meter[name] for name in meters):
        head = reading_series(park.id, meter)
        for ms in range(midnight_ms(first, park.zone), midnight_ms(until, park.zone) + 1, QUARTER_MS):
            shown = register(meter.id, ms) + more
            fields = f"{meter.counter}={shown:.3f}"
            if "reactive_kvarh" in meter.quantities:
                fields += f",reactive_kvarh={KVAR_SHARE * shown:.3f}"
            lines.append(f"{head} {fields} {ms * NS_PER_MS}")
    await store.write(lines, OPERATOR_DATABASE)


async def computed(store: Store, park: Park, now: date) -> None:
    """Let the usage service compute all that is stored, as of two o'clock."""
    usage = ParkUsage(store, park)
    await usage.begin(two_o_clock(park, now))
    for _ in range(3):
        await usage.cycle(two_o_clock(park, now))


def two_o_clock(park: Park, day: date) -> int:
    """The second hour of a day, ms."""
    return midnight_ms(day, park.zone) + 2 * HOUR_MS


@dataclass(slots=True)
class Desk:
    """Closes months: `edit` changes the park file, `close` closes a month and saves it."""

    store: Store
    folder: Path
    park: Park

    @property
    def file(self) -> Path:
        return self.folder / "park.yaml"

    async def edit(self, **changes: str) -> None:
        self.park = month_park(self.folder, changes)
        await computed(self.store, self.park, NOW)

    async def draft(self, month: date) -> ClosedMonth:
        maker = MonthMaker(self.store, self.park, two_o_clock(self.park, NOW))
        return await maker.draft(month, load_closed(self.file, "demo"))

    async def close(self, month: date) -> ClosedMonth:
        write_closed(self.file, await self.draft(month))
        return load_closed(self.file, "demo")[-1]


def of(closed: ClosedMonth, tenant: str) -> Statement:
    return next(each for each in closed.statements if each.tenant == tenant)
