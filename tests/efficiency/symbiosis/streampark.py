"""A park of two firms, a compressor and an outlet; each test adds its streams."""

from pathlib import Path

from metering.park import Park
from metering.parkfile import load_park

HEAD = """\
park: {id: demo, name: {en: Test park, vi: Khu thử}, timezone: Asia/Ho_Chi_Minh}
tenants:
  - {id: baker, name: {en: Baker, vi: Bánh}, sector: {en: food, vi: thực phẩm}}
  - {id: laundry, name: {en: Laundry, vi: Giặt}, sector: {en: laundry, vi: giặt là}}
gateways: [{id: gw-1, name: {en: One, vi: Một}}]
meters:
  - {id: em-air, name: {en: Compressors, vi: Khí nén}, gateway: gw-1, utility: electricity, interval_s: 900, rated: 900,
     registers: {energy_kwh: {}}}
  - {id: ww-out, name: {en: Outlet, vi: Xả}, gateway: gw-1, utility: wastewater, interval_s: 900, rated: 90,
     registers: {volume_m3: {}, cod_mgl: {}, temperature_c: {}}}
tariffs:
  prices:
    natural_gas: [{from: 2025-01-01, value: 11800.0, source: test}]
    water: [{from: 2025-01-01, value: 14500.0, source: test}]
factors:
  gwp: [{from: 2021-01-01, name: AR5, ch4: 28.0, n2o: 265.0, source: test}]
  scope1:
    natural_gas: [{from: 2021-01-01, gj_per_unit: 0.036, co2_kg_per_gj: 56.1, ch4_kg_per_gj: 0.0, n2o_kg_per_gj: 0.0,
                   standing: default, source: test}]
  toe: {natural_gas: [{from: 2021-01-01, value: 0.0009, source: test}]}
streams:
"""
AIR = """\
  - {id: air, name: {en: Air, vi: Khí}, kind: heat, side: surplus, meter: em-air, per_unit: 0.7, temperature_c: 70.0,
     place_m: {east: 0.0, north: 0.0}, source: test}
"""
WASH = """\
  - {id: wash, name: {en: Wash, vi: Rửa}, kind: heat, side: demand, tenant: laundry, rate: 200.0,
     hours: [{days: daily, start: "08:00", end: "16:00"}], temperature_c: 60.0, cold_c: 25.0,
     place_m: {east: 300.0, north: 400.0}, replaces: {natural_gas: 0.1}, source: test}
"""


def park_of(folder: Path, *streams: str) -> Park:
    """The park with these streams, as `park.yaml` of a folder."""
    file = folder / "park.yaml"
    file.write_text(HEAD + "".join(streams), encoding="utf-8")
    return load_park(file)
