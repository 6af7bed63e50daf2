"""Every kind of alert fires on data that should fire it, and stays quiet next to its threshold and without data."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
import yaml

from dashboards.alerts.evaluate import Labels
from dashboards.alerts.files import all_rules
from dashboards.alerts.rule import AlertRule, Silence
from dashboards.setting import Setting
from dashboards.words import DOUBTFUL_EVENTS, UNIT_EVENT
from metering.park import Park
from metering.parkfile import load_park
from proving.bench.parks import EXAMPLE
from proving.servers import Influxd
from store.client import Store
from store.lines import FieldValue
from store.schema import (
    BALANCE,
    BASELINE,
    EVENTS,
    GATEWAY_CLOCK,
    METER_STATUS,
    OPERATOR_DATABASE,
    REFUSED_COUNT,
    USAGE,
)
from tests.dashboards.alertcases import CASES, DAY, HEARD, INTAKE, MINUTE, NOW, OUTFALL, TODAY, WWTP, Case, line
from tests.dashboards.alerting import fired

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def empty_server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Store]:
    server = Influxd(tmp_path_factory.mktemp("influxd-alerts"))
    await server.start()
    try:
        async with Store(server.url) as store:
            yield store
    finally:
        server.process.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def bare_store(empty_server: Store) -> Store:
    await empty_server.query(f'DROP DATABASE "{OPERATOR_DATABASE}"', "")
    await empty_server.create_database(OPERATOR_DATABASE)
    return empty_server


def rule_of(setting: Setting, kind: str, of: str) -> AlertRule:
    return next(rule for rule in all_rules(setting) if rule.kind == kind and rule.of == of)


async def states(
    store: Store, rule: AlertRule, case: Case, value: float, firing: frozenset[Labels] = frozenset()
) -> dict[Labels, bool]:
    fields: dict[str, FieldValue] = {case.field: float(value), **dict(case.fixed)}
    await store.write([line(case.measurement, case.tags, fields, case.at), *case.also], OPERATOR_DATABASE)
    found = await fired(store, rule.provisioned(), NOW, firing)
    assert found is not None
    return found


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.kind} {case.of}")
async def test_fires_beyond_its_threshold_and_not_before_it(bare_store: Store, setting: Setting, case: Case) -> None:
    rule = rule_of(setting, case.kind, case.of)
    assert not any((await states(bare_store, rule, case, case.quiet)).values())
    assert any((await states(bare_store, rule, case, case.fires)).values())


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.kind} {case.of}")
async def test_goes_on_until_the_recovery_threshold_is_passed(bare_store: Store, setting: Setting, case: Case) -> None:
    rule = rule_of(setting, case.kind, case.of)
    beyond = await states(bare_store, rule, case, case.fires)
    firing = frozenset(labels for labels, on in beyond.items() if on)
    assert any((await states(bare_store, rule, case, case.quiet, firing)).values())
    assert not any((await states(bare_store, rule, case, case.calms, firing)).values())


@pytest.mark.parametrize(("behind_s", "fires"), [((3600, 3605, 3610), True), ((86_400, 40_000, 3600), False)])
async def test_a_backlog_that_comes_less_and_less_late_is_no_wrong_clock(
    bare_store: Store, setting: Setting, behind_s: tuple[int, ...], fires: bool
) -> None:
    lines = [
        line(GATEWAY_CLOCK, {"gateway": "gw-east"}, {"behind_s": float(late)}, NOW - (3 - at) * MINUTE)
        for at, late in enumerate(behind_s)
    ]
    await bare_store.write(lines, OPERATOR_DATABASE)
    found = await fired(bare_store, rule_of(setting, "gateway-clock", "gw-east").provisioned(), NOW)
    assert found is not None
    assert any(found.values()) is fires


@pytest.mark.parametrize(("kwh", "fires"), [(1.0, False), (2.0, False), (3.0, True)])
async def test_one_count_of_a_coarse_counter_is_no_alarm_of_contract_demand(
    bare_store: Store, tmp_path: Path, kwh: float, fires: bool
) -> None:
    """Whole kWh at a load of 3 kW: a half hour shows 1 or 2 kWh, and 2 would be 4 kW against a contract of 3.5."""
    raw = yaml.safe_load(EXAMPLE.read_text())
    meter = next(meter for meter in raw["meters"] if meter["id"] == "em-textile")
    del meter["model"], meter["modbus"]
    meter |= {"multiplier": 1, "registers": {"energy_kwh": {"resolution": 1.0}}}
    tenant = next(tenant for tenant in raw["tenants"] if tenant["id"] == "textile")
    tenant["contract"]["demand_kw"] = 3.5
    file = tmp_path / "park.yaml"
    file.write_text(yaml.safe_dump(raw))
    coarse = Setting((load_park(file),), NOW.date())
    half_hour = NOW - 68 * MINUTE
    await bare_store.write([line(USAGE, INTAKE, {"amount": kwh}, half_hour)], OPERATOR_DATABASE)
    for percent in (80, 90, 100):
        found = await fired(bare_store, rule_of(coarse, f"demand-{percent}", "textile").provisioned(), NOW)
        assert found is not None
        assert any(found.values()) is fires, percent


async def test_without_data_a_rule_is_quiet_or_reports_missing_data(bare_store: Store, setting: Setting) -> None:
    loud = set()
    for rule in all_rules(setting):
        assert await fired(bare_store, rule.provisioned(), NOW) is None, rule.title
        if rule.line.silence is Silence.ALERTING:
            loud.add(rule.kind)
    assert loud == {"status-missing", "ingest-stalled"}


async def test_a_watched_park_does_not_fire_status_missing(bare_store: Store, setting: Setting) -> None:
    await bare_store.write([HEARD], OPERATOR_DATABASE)
    found = await fired(bare_store, rule_of(setting, "status-missing", "").provisioned(), NOW)
    assert found is not None
    assert not any(found.values())


async def test_a_meter_that_was_never_heard_is_named(bare_store: Store, setting: Setting) -> None:
    never = line(METER_STATUS, WWTP, {"heard": False}, NOW - MINUTE)
    not_yet = line(METER_STATUS, {"utility": "electricity", "meter": "em-street"}, {"heard": False}, NOW - 5 * MINUTE)
    await bare_store.write([not_yet, HEARD, never], OPERATOR_DATABASE)
    found = await fired(bare_store, rule_of(setting, "never-heard", "").provisioned(), NOW)
    assert {dict(labels)["meter"] for labels, on in (found or {}).items() if on} == {"em-wwtp"}


async def test_a_silent_gateway_mutes_its_meters(bare_store: Store, setting: Setting, park: Park) -> None:
    def heard(ages: dict[str, float]) -> list[str]:
        return [
            line(
                METER_STATUS,
                {"utility": m.utility.value, "meter": m.id},
                {"seconds_since_last": ages.get(m.id, 5000.0)},
                NOW - MINUTE,
            )
            for m in park.meters_of("gw-substation")
        ]

    meters = rule_of(setting, "silent-meter", "gw-substation, 900 s").provisioned()
    gateway = rule_of(setting, "silent-gateway", "gw-substation").provisioned()
    await bare_store.write(heard({}), OPERATOR_DATABASE)
    assert any((await fired(bare_store, gateway, NOW) or {}).values())
    assert not any((await fired(bare_store, meters, NOW) or {}).values())
    await bare_store.write(heard({"em-street": 20.0}), OPERATOR_DATABASE)
    assert not any((await fired(bare_store, gateway, NOW) or {}).values())
    silent = {dict(labels)["meter"] for labels, on in (await fired(bare_store, meters, NOW) or {}).items() if on}
    assert silent == {m.id for m in park.meters_of("gw-substation")} - {"em-street"}


async def test_a_calibrating_instrument_exceeds_no_limit(bare_store: Store, setting: Setting) -> None:
    rule = rule_of(setting, "effluent-limit", "ww-outfall cod_mgl").provisioned()
    calibrating: dict[str, FieldValue] = {"cod_mgl": 500.0, "state": "calibrating"}
    await bare_store.write(
        [
            line("wastewater", OUTFALL, {"cod_mgl": 40.0}, NOW - 12 * MINUTE),
            line("wastewater", OUTFALL, calibrating, NOW - 2 * MINUTE),
        ],
        OPERATOR_DATABASE,
    )
    assert (await fired(bare_store, rule, NOW) or {}).values()
    assert not any((await fired(bare_store, rule, NOW) or {}).values())
    found = await fired(bare_store, rule_of(setting, "effluent-calibrating", "ww-outfall").provisioned(), NOW)
    assert any((found or {}).values())
    assert await fired(bare_store, rule_of(setting, "effluent-fault", "ww-outfall").provisioned(), NOW) is None


async def test_a_state_that_is_taken_back_counts_for_the_limit_again(bare_store: Store, setting: Setting) -> None:
    rule = rule_of(setting, "effluent-limit", "ww-outfall cod_mgl").provisioned()
    for state, fires in (("calibrating", False), ("measuring", True)):
        fields: dict[str, FieldValue] = {"cod_mgl": 500.0, "state": state}
        await bare_store.write(
            [line("wastewater", OUTFALL, fields, NOW - back * MINUTE) for back in (12, 7, 2)], OPERATOR_DATABASE
        )
        assert any((await fired(bare_store, rule, NOW) or {}).values()) == fires


@pytest.mark.parametrize(
    ("kind", "fires"),
    [*((kind, kind != UNIT_EVENT) for kind in DOUBTFUL_EVENTS), ("swap", False), ("gap", False), ("rollover", False)],
)
async def test_events_that_need_a_look_fire_and_others_do_not(
    bare_store: Store, setting: Setting, kind: str, fires: bool
) -> None:
    tags = {"tenant": "textile", "meter": "em-textile", "kind": kind}
    await bare_store.write([line(EVENTS, tags, {"text_en": "x", "text_vi": "x"}, NOW - 30 * MINUTE)], OPERATOR_DATABASE)
    found = await fired(bare_store, rule_of(setting, "meter-event", "").provisioned(), NOW)
    assert any((found or {}).values()) is fires
    told = await fired(bare_store, rule_of(setting, "meter-rollover", "").provisioned(), NOW)
    assert any((told or {}).values()) is (kind == "rollover")


async def test_a_unit_in_doubt_is_reported_until_its_event_is_answered(bare_store: Store, setting: Setting) -> None:
    tags = {"tenant": "textile", "meter": "em-textile", "kind": UNIT_EVENT}
    rule = rule_of(setting, "meter-unit", "").provisioned()
    await bare_store.write([line(EVENTS, tags, {"text_en": "x", "text_vi": "x"}, NOW - 60 * DAY)], OPERATOR_DATABASE)
    assert any((await fired(bare_store, rule, NOW) or {}).values())
    await bare_store.query(f'DELETE FROM "{EVENTS}"', OPERATOR_DATABASE)
    assert not any((await fired(bare_store, rule, NOW) or {}).values())


async def test_a_loss_is_reported_to_the_owner_of_the_main_meter(bare_store: Store, setting: Setting) -> None:
    fields: dict[str, FieldValue] = {"loss": 30.0, "band": 20.0, "incoming": 1000.0}
    tags = {"utility": "electricity", "main": "em-textile", "period": "day"}
    await bare_store.write([line(BALANCE, tags, fields, TODAY - DAY)], OPERATOR_DATABASE)
    rules = {rule.of: rule.provisioned() for rule in all_rules(setting) if rule.kind == "balance-loss"}
    assert {of for of, rule in rules.items() if await fired(bare_store, rule, NOW)} == {"textile"}
    assert rules["textile"]["labels"]["tenant"] == "textile"
    assert "tenant" not in rules[""]["labels"]


async def test_refusals_fire_by_gateway_and_reason(bare_store: Store, setting: Setting) -> None:
    tags = {"gateway": "gw-east", "reason": "bad_time"}
    rule = rule_of(setting, "refused", "").provisioned()
    await bare_store.write([line(REFUSED_COUNT, tags, {"count": 3}, NOW - 50 * MINUTE)], OPERATOR_DATABASE)
    assert await fired(bare_store, rule, NOW) == {frozenset(tags.items()): True}
    assert await fired(bare_store, rule, NOW + 11 * MINUTE) is None


async def test_a_meter_of_the_parks_own_above_its_baseline_fires(bare_store: Store, setting: Setting) -> None:
    tags = {"meter": "em-wwtp", "utility": "electricity", "baseline": "em-wwtp-electricity"}
    await bare_store.write(
        [line(BASELINE, tags, {"saving": -60.0, "expected": 1000.0}, TODAY - back * DAY) for back in range(1, 9)],
        OPERATOR_DATABASE,
    )
    found = await fired(bare_store, rule_of(setting, "above-baseline", "over 5 %").provisioned(), NOW)
    assert {dict(labels)["baseline"] for labels, on in (found or {}).items() if on} == {"em-wwtp-electricity"}


async def test_the_balance_of_a_month_fires_no_alert(bare_store: Store, setting: Setting) -> None:
    fields: dict[str, FieldValue] = {"loss": 500.0, "band": 20.0, "incoming": 1000.0}
    tags = {"utility": "water", "main": "wm-main", "period": "month"}
    await bare_store.write([line(BALANCE, tags, fields, TODAY - DAY)], OPERATOR_DATABASE)
    assert await fired(bare_store, rule_of(setting, "balance-loss", "").provisioned(), NOW) is None


async def test_every_kind_of_rule_has_a_test(setting: Setting) -> None:
    tested = {case.kind for case in CASES} | {
        "status-missing",
        "never-heard",
        "effluent-fault",
        "effluent-calibrating",
        "meter-event",
        "meter-rollover",
        "meter-unit",
        "refused",
    }
    # the steel works' own warning level is tested by the same code as the others'
    assert {rule.kind for rule in all_rules(setting)} - {"demand-85"} == tested
