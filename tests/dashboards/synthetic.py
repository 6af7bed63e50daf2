"""Plausible points of every measurement that dashboards read, for a real park file, as the services write them."""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from efficiency.indicators.eip import year_indicators
from efficiency.indicators.figure import figure
from efficiency.indicators.greenhouse import ENTERED_OF
from efficiency.symbiosis.matching import partners
from efficiency.symbiosis.stored import match_tags
from metering.dated import at
from metering.figures import (
    OF_ALL_DATA,
    PARK_FIGURES,
    Period,
    completeness_field,
    estimated_field,
    reasons_field,
)
from metering.meters import Meter, Role
from metering.park import Park
from metering.quantities import UTILITIES, Utility
from metering.tariffs import Band
from store.client import Store
from store.lines import FieldValue, point, series
from store.schema import (
    BALANCE,
    BASELINE,
    CLOSING,
    EDGE,
    EFFICIENCY,
    EVENTS,
    METER_STATUS,
    OPERATOR_DATABASE,
    PARK_EFFICIENCY,
    PARK_INDICATOR,
    SYMBIOSIS,
    USAGE,
    reading_series,
)
from tests.dashboards.ofservices import ns, pipeline, refused

QUARTER = timedelta(minutes=15)
BATCH = 500
LONG_TEXT = {
    "en": " at the edge of its line, between two readings that lie 40 minutes apart: the first reading of the new "
    "instrument was 12 kWh, the last one of the old instrument 1 204 377 kWh; nothing in between is known or guessed.",
    "vi": " ở cuối tuyến, giữa hai lần đọc cách nhau 40 phút: chỉ số đầu của đồng hồ mới là 12 kWh, chỉ số cuối của "
    "đồng hồ cũ là 1 204 377 kWh; khoảng giữa không có số liệu và cũng không được ước tính.",
}
"""As long as the longest sentences of the services: a page must show all of it."""


def role(park: Park, meter: Meter) -> str:
    """The tag `role` of usage."""
    parent = park.meter.get(meter.belongs[-1].parent or "")
    if meter.belongs[-1].role is Role.GENERATION:
        return "generation"
    if meter.belongs[-1].tenant is None:
        return "main" if meter.belongs[-1].role is Role.MAIN else "own"
    return "sub" if parent is not None and parent.belongs[-1].tenant == meter.belongs[-1].tenant else "billing"


@dataclass(frozen=True)
class Plant:
    """A park whose past ends at `now`: quarter hours for `fine` days, coarser before, `days` in all."""

    park: Park
    now: datetime
    days: int = 396
    fine: int = 9

    async def write(self, store: Store) -> int:
        """Write everything; returns how many points."""
        written, batch = 0, []
        for line in self.lines():
            batch.append(line)
            if len(batch) == BATCH:
                await store.write(batch, OPERATOR_DATABASE)
                written, batch = written + len(batch), []
        await store.write(batch, OPERATOR_DATABASE)
        return written + len(batch)

    def lines(self) -> Iterator[str]:
        """All points."""
        for meter in self.park.meters:
            yield from self._usage(meter)
            yield from self._status(meter)
            yield from self._readings(meter)
        for tenant in self.park.tenants:
            yield from self._efficiency(tenant.id)
            yield from self._year(tenant.id)
        yield from self._balance()
        yield from self._closing()
        yield from self._symbiosis()
        yield from self._of_park()
        yield from self._events()
        yield from pipeline(self.park, self.now)
        yield from refused(self.park, self.now)

    def _local(self, moment: datetime) -> datetime:
        return moment.astimezone(self.park.zone)

    def _midnight(self, back: int) -> datetime:
        local = self._local(self.now)
        return local.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=back)

    def _load(self, meter: Meter, local: datetime) -> float:
        """Use per hour at a local time: a working day's shape at a third of what the meter is rated for."""
        if meter.belongs[-1].role is Role.GENERATION:
            return meter.rated * 0.7 * max(0.0, math.sin((local.hour + local.minute / 60 - 6) / 12 * math.pi))
        hour = local.hour + local.minute / 60
        shape = 0.45 + 0.4 * math.exp(-(((hour - 14) / 5) ** 2)) + 0.05 * math.sin(hour * 2 + len(meter.id))
        return meter.rated * 0.5 * shape * (0.5 if local.weekday() == 6 else 1.0)

    def _steps(self) -> Iterator[tuple[datetime, timedelta]]:
        moment, fine = self._midnight(self.days), self._midnight(self.fine)
        while moment < fine:
            yield moment, timedelta(days=1)
            moment += timedelta(days=1)
        last = self.now - timedelta(minutes=self.now.minute % 15, seconds=self.now.second)
        while moment + QUARTER <= last:
            yield moment, QUARTER
            moment += QUARTER

    def _usage(self, meter: Meter) -> Iterator[str]:
        noise = random.Random(meter.id)
        tags = {
            "park": self.park.id,
            "tenant": meter.belongs[-1].tenant,
            "utility": meter.utility.value,
            "meter": meter.id,
            "role": role(self.park, meter),
        }
        tariff = self.park.tariffs.electricity
        electric = meter.utility is Utility.ELECTRICITY and tariff is not None
        by_band = {band: series(USAGE, {**tags, "band": band.value}) for band in Band}
        price = {Utility.ELECTRICITY: 2100.0, Utility.WATER: 14_500.0, Utility.STEAM: 890_000.0}.get(
            meter.utility, 900.0
        )
        for moment, length in self._steps():
            local = self._local(moment)
            hours = length / timedelta(hours=1)
            middle = local if length == QUARTER else local.replace(hour=11)
            amount = self._load(meter, middle) * hours * noise.uniform(0.92, 1.08)
            hours_of_day = at(tariff.bands, local.date()) if electric and tariff is not None else None
            band = hours_of_day.band(local, self.park.calendar) if hours_of_day else Band.ALL
            estimated = noise.random() < 0.01
            fields: dict[str, FieldValue] = {
                "amount": amount,
                "estimated": 1.0 if estimated else 0.0,
                "completeness": 0.4 if estimated else 1.0,
                "rule": "interpolated" if estimated else "measured",
            }
            if meter.belongs[-1].role is not Role.GENERATION and meter.utility is not Utility.PRODUCTION:
                fields |= {"cost_vnd": amount * price, "co2e_kg": amount * 0.62, "toe": amount * 0.00015}
            yield point(by_band[band], fields, ns(moment))

    def _status(self, meter: Meter) -> Iterator[str]:
        age = {"em-feed": 4000.0, "wm-pharma": 4800.0}.get(meter.id, 20.0 + len(meter.id))
        tenant = meter.belongs[-1].tenant
        allowed = self.park.silent_after_s(meter, tenant, self.now.date())
        tags = {"park": self.park.id, "tenant": tenant, "utility": meter.utility.value, "meter": meter.id}
        for before in (300.0, 0.0):
            silent = age - before if age > before else age
            fields: dict[str, FieldValue] = {
                "silent_after_s": float(allowed),
                "heard": True,
                "seconds_since_last": silent,
            }
            yield point(series(METER_STATUS, tags), fields, ns(self.now - timedelta(seconds=30 + before)))

    def _readings(self, meter: Meter) -> Iterator[str]:
        head = reading_series(self.park.id, meter)
        spec = UTILITIES[meter.utility]
        register = 50_000.0
        usual = {"ph": 7.2, "cod_mgl": 48.0, "tss_mgl": 28.0, "nh4_mgl": 2.1, "temperature_c": 31.0}
        for step in range(288):
            moment = self.now - timedelta(minutes=5 * (288 - step))
            load = self._load(meter, self._local(moment))
            register += load / 12
            fields: dict[str, FieldValue] = {spec.counter: register}
            if spec.rate is not None and spec.rate in meter.quantities:
                fields[spec.rate] = load
            for name, value in usual.items():
                if name in meter.quantities:
                    fields[name] = value * (1 + 0.08 * math.sin(step / 17))
            if meter.limits and 40 <= step < 52:
                fields["state"] = "calibrating" if step < 46 else "measuring"
            yield point(head, fields, ns(moment))

    def _efficiency(self, tenant: str) -> Iterator[str]:
        noise = random.Random(tenant)
        size = noise.uniform(0.4, 2.4)
        has = {meter.utility for meter in self.park.meters if meter.belongs[-1].tenant == tenant}
        solar = any(m.belongs[-1].tenant == tenant and m.belongs[-1].role is Role.GENERATION for m in self.park.meters)
        saved = 0.0
        expecting = {"park": self.park.id, "tenant": tenant, "utility": "electricity", "baseline": f"{tenant}-kwh"}
        starts = [(Period.DAY, self._midnight(back), 1) for back in range(self.days, -1, -1)]
        first = self._midnight(0).replace(day=1)
        for _ in range(13):
            starts.append((Period.MONTH, first, 30))
            first = (first - timedelta(days=1)).replace(day=1)
        for period, start, days in starts:
            swing = noise.uniform(0.94, 1.06)
            kwh = 15_000 * size * days * swing
            output = 40 * size * days * noise.uniform(0.97, 1.03)
            expected = kwh * noise.uniform(0.93, 1.06)
            if period is Period.DAY:
                saved += expected - kwh
                said: dict[str, FieldValue] = {"expected": expected, "actual": kwh, "saving": expected - kwh}
                said |= {"enpi": kwh / expected, "out_of_range": 0.0, "version": 1.0, "drivers": "output,cdd:24"}
                said["cusum"] = saved
                yield point(series(BASELINE, expecting), said, ns(start))
            water, waste = 300 * size * days * swing, 240 * size * days * swing
            fields: dict[str, FieldValue] = {
                "electricity_kwh": kwh,
                "grid_kwh": kwh,
                "mean_demand_kw": kwh / days / 24,
                "water_m3": water,
                "output": output,
                "cost_vnd": kwh * 2100 + water * 14_500,
                "payable_vnd": 1.08 * (kwh * 2100 + water * 14_500),
                "budget_vnd": 16_000 * size * days * 2100,
                "budget_share": (kwh * 2100 + water * 14_500) / (16_000 * size * days * 2100),
                "co2e_scope1_kg": 0.0,
                "co2e_scope2_kg": kwh * 0.62,
                **({"co2e_scope2_market_kg": 0.0} if self.park.tenant[tenant].contract.co2e_kg_per_kwh else {}),
                "toe": kwh * 0.0001543,
                "electricity_per_output": kwh / output,
                "energy_per_output": kwh * 3.6 / output,
                "water_per_output": water / output,
                "electricity_per_m2": kwh / 20_000,
                "electricity_per_employee": kwh / 500,
                "output_per_mwh": output / kwh * 1000,
                "co2e_per_output": kwh * 0.62 / output,
                "peak_demand_kw": 1000 * size * (1.05 if tenant == "furniture" else 1.0),
                "demand_share": 1.05 if tenant == "furniture" else noise.uniform(0.7, 0.99),
                "base_load_kw": 240 * size * swing,
                "load_factor": noise.uniform(0.5, 0.8),
                "peak_share": noise.uniform(0.15, 0.3),
                "power_factor": 0.87 if tenant == "steel" else noise.uniform(0.91, 0.97),
                "reactive_vnd": 12e6 if tenant == "steel" else 0.0,
                "expected_kwh": expected,
                "saving_kwh": expected - kwh,
                "saving_band_kwh": 0.02 * kwh,
                "enpi": kwh / expected,
                "cusum_kwh": saved,
                "night_water_ratio": 0.62 if tenant == "plastics" else noise.uniform(0.1, 0.3),
                "completeness": 0.91 if tenant == "feed" else noise.uniform(0.97, 1.0),
                "estimated": noise.uniform(0.0, 0.03),
            }
            if Utility.WASTEWATER in has:
                fields |= {
                    "wastewater_m3": waste,
                    "wastewater_ratio": waste / water,
                    "wastewater_per_output": waste / output,
                }
            for utility, name in (
                (Utility.STEAM, "steam_t"),
                (Utility.NATURAL_GAS, "gas_nm3"),
                (Utility.COMPRESSED_AIR, "compressed_air_nm3"),
                (Utility.CHILLED_WATER, "chilled_kwh"),
            ):
                if utility in has:
                    fields[name] = 120 * size * days * swing
            if solar:
                fields |= {"solar_kwh": 2500.0 * days, "solar_share": 2500.0 * days / (kwh + 2500 * days)}
            if period is Period.MONTH:
                fields |= {"co2e_entered_kg": 5800.0, "toe_entered": 2.1}
            tags = {"park": self.park.id, "tenant": tenant, "period": period.value}
            for name in [name for name in fields if name not in OF_ALL_DATA]:
                fields |= {completeness_field(name): 0.99, reasons_field(name): "", estimated_field(name): 0.0}
            yield point(series(EFFICIENCY, tags), fields, ns(start))

    def _year(self, tenant: str) -> Iterator[str]:
        """The year's forecast: beyond a threshold for one tenant."""
        size = 1.0 if tenant == "textile" else 0.4
        tags = {"park": self.park.id, "tenant": tenant, "period": Period.YEAR.value}
        ends = {"forecast": 3150.0, "forecast_low": 2900.0, "forecast_high": 3400.0, "entered": 58.0}
        fields: dict[str, FieldValue] = {f"toe_{name}": value * size / 4 for name, value in ends.items()}
        fields |= {f"co2e_{name}_kg": value * size * 1000 for name, value in ends.items()}
        yield point(series(EFFICIENCY, tags), fields, ns(self._midnight(0).replace(month=1, day=1)))

    def _balance(self) -> Iterator[str]:
        mains = [
            meter
            for meter in self.park.meters
            if meter.belongs[-1].role is Role.MAIN and meter.belongs[-1].tenant is None
        ]
        for meter in mains:
            edge = [EDGE] if meter.belongs[-1].parent is None else []
            tags = {"park": self.park.id, "utility": meter.utility.value}
            heads = [series(BALANCE, {**tags, "main": name, "period": "day"}) for name in (meter.id, *edge)]
            months = [series(BALANCE, {**tags, "main": name, "period": "month"}) for name in (meter.id, *edge)]
            for back in range(self.days, -1, -1):
                through = meter.rated * 8.0
                loss = through * (0.015 + 0.02 * math.sin(back / 3 + len(meter.id)))
                fields: dict[str, FieldValue] = {"loss_completeness": 0.99, "loss_reasons": "", "loss_estimated": 0.0}
                if back % 29 == 11:
                    fields |= {"loss_completeness": 0.5, "loss_reasons": "incomplete"}
                else:
                    fields |= {"incoming": through, "submeters": through - loss, "loss": loss, "band": through * 0.02}
                    fields |= {"tenants": 0.9 * (through - loss), "own": 0.1 * (through - loss)}
                    fields["loss_share"] = loss / through
                cost = {"bought_vnd": 1700.0 * through, "bought_with_vat_vnd": 1836.0 * through}
                paid = {**cost, "bought_price_vnd": 1700.0, "loss_vnd": 1700.0 * loss}
                for place, head in enumerate(heads):
                    yield point(head, {**fields, **(paid if place else {})}, ns(self._midnight(back)))
            for place, head in enumerate(months):
                of_month = {name: value * 20 for name, value in {**cost, "loss_vnd": 1700.0 * loss}.items()}
                bought = {**of_month, "bought_price_vnd": 1700.0} if place else {}
                yield point(head, {**fields, **bought}, ns(self._midnight(0).replace(day=1)))

    def _closing(self) -> Iterator[str]:
        """Three closed months, one corrected later and one with a correction waiting; and an open month."""
        month = self._midnight(0).replace(day=1)
        months = []
        for _ in range(4):
            month = (month - timedelta(days=1)).replace(day=1)
            months.append(month)
        for place, start in enumerate(reversed(months)):
            waits, later = (-4.2e6 if place == 2 else 0.0), (1.3e6 if place == 1 else 0.0)
            why = {"why_en": "late or corrected readings", "why_vi": "số đọc đến muộn hoặc được sửa"}
            none = {"why_en": "", "why_vi": ""}
            for tenant in (None, *self.park.tenant):
                head = series(CLOSING, {"park": self.park.id, "tenant": tenant})
                odd = tenant in {None, "textile"}
                fields: dict[str, FieldValue] = {
                    "stated_vnd": 11.4e9 if tenant is None else 1.2e9,
                    "of_earlier_vnd": 1.3e6 if place == 2 and odd else 0.0,
                    "later_vnd": later if odd else 0.0,
                    "waiting_vnd": waits if odd else 0.0,
                    **(why if odd and (waits or later) else none),
                }
                of_park: dict[str, FieldValue] = {"open_days": 0.0, "obstacles": float(place)}
                of_park["closed"] = (start + timedelta(days=34)).timestamp() * 1000
                if place == 3 and tenant is None:
                    yield point(head, {"open_days": 22.0}, ns(start))
                elif place < 3:
                    yield point(head, fields | (of_park if tenant is None else {}), ns(start))

    def _symbiosis(self) -> Iterator[str]:
        """Two matches, and a pair that has no number, of each month."""
        months = {self._midnight(back).replace(day=1) for back in range(self.days)}
        for month in sorted(months):
            for number, (giver, taker) in enumerate(partners(self.park.streams)):
                tags = match_tags(self.park, giver, taker, Period.MONTH)
                fields: dict[str, FieldValue] = {reasons_field("met"): "" if number < 2 else "too_cold"}
                fields |= {completeness_field("met"): 0.99, "distance_m": 350.0}
                if number < 2:
                    amounts = {"met": 800.0, "met_by_day": 950.0, "offered": 4000.0, "asked": 1000.0}
                    fields |= amounts | {"saved_vnd": 9e6, "saved_m3": 0.0, "saved_toe": 0.7, "saved_co2e_kg": 1600.0}
                yield point(series(SYMBIOSIS, tags), fields, ns(month))

    def _of_park(self) -> Iterator[str]:
        """The park's own figures of each month and of the year."""
        days = {self._midnight(back) for back in range(self.days)}
        months = {day.replace(day=1) for day in days}
        years = {month.replace(month=1) for month in months}
        large = {"intake_kwh": 6.4e6, "intake_peak_kw": 13_100.0}
        for period, starts in ((Period.DAY, days), (Period.MONTH, months), (Period.YEAR, years)):
            head = series(PARK_EFFICIENCY, {"park": self.park.id, "period": period.value})
            for start in sorted(starts):
                values = {name: 0.12 if spec.percent else 900.0 for name, spec in PARK_FIGURES.items()} | large
                if period is not Period.DAY:
                    values |= dict.fromkeys(ENTERED_OF.values(), 900.0)
                yield point(head, {**values}, ns(start))
        for year in sorted(years):
            own = {name: figure(0.12, "1") for name in ("solar_share", "reuse_share", "toe", "co2e_kg")}
            for each in year_indicators(self.park, own, {}, year.year, self.now.date()):
                head = series(PARK_INDICATOR, {"park": self.park.id, "indicator": each.indicator.code})
                yield point(head, {**each.fields}, ns(year))

    def _events(self) -> Iterator[str]:
        for hours, kind, tenant, meter in (
            (5, "reset", "textile", "em-textile-dyeing"),
            (30, "gateway_offline", None, None),
            (60, "stuck", "pharma", "wm-pharma"),
            (200, "swap", "textile", "em-textile"),
            (700, "tariff", None, None),
        ):
            tags = {"park": self.park.id, "tenant": tenant, "meter": meter, "kind": kind}
            fields: dict[str, FieldValue] = {
                "text_en": f"{kind} of {meter or 'the park'}" + LONG_TEXT["en"] * (kind == "swap"),
                "text_vi": f"{kind}: {meter or 'khu'}" + LONG_TEXT["vi"] * (kind == "swap"),
            }
            yield point(series(EVENTS, tags), fields, ns(self.now - timedelta(hours=hours)))
