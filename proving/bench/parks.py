"""The parks that the bench measures with: one of thousands of meters, one gateway's meters on Modbus, and the example.

Their files are as long as real ones: a meter has a name, a tenant, a parent and a model.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

PARK: Final = "bench"
EDGE_PARK: Final = "bench-edge"
EDGE_GATEWAY: Final = "gw-edge"
EDGE_METERS: Final = 50
PER_GATEWAY: Final = 100
PROBE_GATEWAY: Final = "gw-probe"
PROBE_METER: Final = "em-probe"
TENANTS: Final = 40
EXAMPLE: Final = Path(__file__).parent.parent.parent / "examples" / "song-xanh" / "park.yaml"

_HEAD = """\
park: {{id: {park}, name: {{en: Bench park, vi: Khu đo hiệu năng}}, timezone: Asia/Ho_Chi_Minh}}
meter_models:
  multimeter:
    registers:
      energy_kwh: {{resolution: 0.001}}
      energy_export_kwh: {{resolution: 0.001}}
      reactive_kvarh: {{resolution: 0.001}}
    modbus:
      addresses_from: 0
      registers:
        energy_kwh: {{address: 0, type: int64, scale: 0.001}}
        energy_export_kwh: {{address: 4, type: int64, scale: 0.001}}
        reactive_kvarh: {{address: 8, type: int64, scale: 0.001}}
        power_kw: {{address: 12, type: float32}}
        power_factor: {{address: 14, type: float32}}
        voltage_v: {{address: 16, type: float32}}
        current_a: {{address: 18, type: float32}}
        frequency_hz: {{address: 20, type: float32}}
tenants:
"""
_TENANT = """\
  - id: tenant-{number}
    name: {{en: Tenant {number}, vi: Doanh nghiệp {number}}}
    sector: {{en: electronics assembly, vi: lắp ráp điện tử}}
    floor_area_m2: 12000.0
    shifts: [{{days: mon-sat, start: "06:00", end: "22:00"}}]
"""
_METER = """\
  - id: {id}
    name: {{en: "Line {id}", vi: "Tuyến {id}"}}
    tenant: {tenant}
    utility: electricity
    gateway: {gateway}
    modbus: {{device: {device}}}
    model: multimeter
    interval_s: {interval}
    rated: 1000.0
    accuracy_pct: 0.5
"""


def gateway_of(number: int) -> str:
    """The gateway that carries a meter of the large park, by the meter's number."""
    return f"gw-{number // PER_GATEWAY:03d}"


def meter_of(number: int) -> str:
    """A meter of the large park by its number, from 0."""
    return f"em-{number:05d}"


def tenant_of(number: int) -> str:
    """The tenant to whom a meter belongs, by the meter's number."""
    return f"tenant-{number % TENANTS}"


class PlacedMeter(NamedTuple):
    """A meter at its gateway, with its number on the bus."""

    meter: str
    gateway: str
    device: int


def _placed(number: int) -> PlacedMeter:
    return PlacedMeter(meter_of(number), gateway_of(number), number % PER_GATEWAY + 1)


def write_parks(folder: Path, meters: int) -> None:
    """Write the park files into `folder`: `bench.yaml` with so many meters and the probe's, and the example."""
    folder.mkdir(parents=True, exist_ok=True)
    placed = [_placed(number) for number in range(meters)]
    text = "".join(_park(PARK, [*placed, PlacedMeter(PROBE_METER, PROBE_GATEWAY, 1)], interval=10))
    (folder / "bench.yaml").write_text(text, encoding="utf-8")
    (folder / "song-xanh.yaml").write_text(EXAMPLE.read_text(encoding="utf-8"), encoding="utf-8")
    edge = [PlacedMeter(meter_of(number), EDGE_GATEWAY, number + 1) for number in range(EDGE_METERS)]
    (folder / "edge.yaml").write_text("".join(_park(EDGE_PARK, edge, interval=1)), encoding="utf-8")


def write_country(folder: Path, parks: int, meters: int) -> None:
    """Write the files of so many parks into `folder`, each of so many meters that are read once a minute."""
    folder.mkdir(parents=True, exist_ok=True)
    placed = [_placed(number) for number in range(meters)]
    for number in range(parks):
        park = country_park(number)
        (folder / f"{park}.yaml").write_text("".join(_park(park, placed, interval=60)), encoding="utf-8")


def country_park(number: int) -> str:
    """A park of the country by its number."""
    return f"park-{number:03d}"


def _park(park: str, meters: list[PlacedMeter], interval: int) -> Iterator[str]:
    yield _HEAD.format(park=park)
    for number in range(TENANTS):
        yield _TENANT.format(number=number)
    yield "gateways:\n"
    for gateway in dict.fromkeys(each.gateway for each in meters):
        yield f"  - {{id: {gateway}, name: {{en: Gateway {gateway}, vi: Bộ thu thập {gateway}}}}}\n"
    yield "meters:\n"
    for index, each in enumerate(meters):
        yield _METER.format(
            id=each.meter, tenant=tenant_of(index), gateway=each.gateway, device=each.device, interval=interval
        )
