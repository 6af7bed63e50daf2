"""`ecopark tenants sync` on a real InfluxDB 1.x with authentication: a tenant sees itself, whatever it asks."""

import json
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from ecopark.tenants.keys import Keys
from metering.errors import OperatorError
from metering.instants import DAY_MS
from proving.servers import Influxd
from store.answers import RejectedError
from store.client import Store
from store.schema import OPERATOR_DATABASE, TENANT_SHARD_DAYS
from tests.ecopark.tenants.conftest import BREWERY, PARK, TEXTILE

Sync = Callable[..., subprocess.CompletedProcess[str]]
LINE = "usage,park=demo,tenant={} amount=1"


def account(guarded: Influxd, folder: Path, name: str) -> Store:
    return Store(guarded.url, name, Keys.influx(folder).get(name))


async def fill(administrator: Store) -> None:
    await administrator.write([LINE.format("textile")], TEXTILE)
    await administrator.write([LINE.format("brewery")], BREWERY)
    await administrator.write([LINE.format("all")], OPERATOR_DATABASE)


READS = [
    'SELECT * FROM "{db}".."usage"',
    'SELECT * FROM "{db}"."autogen"."usage"',
    'SELECT sum(amount) FROM (SELECT amount FROM "{db}".."usage")',
    'SELECT * FROM (SELECT * FROM (SELECT * FROM "{db}"."autogen"./.*/))',
    'SELECT * FROM "usage", "{db}".."usage"',
    'SELECT * INTO "{own}".."stolen" FROM "{db}".."usage"',
    'EXPLAIN SELECT * FROM "{db}".."usage"',
    'EXPLAIN ANALYZE SELECT * FROM "{db}".."usage"',
    'SHOW MEASUREMENTS ON "{db}"',
    'SHOW SERIES ON "{db}"',
    'SHOW TAG KEYS ON "{db}"',
    'SHOW TAG VALUES ON "{db}" WITH KEY = "tenant"',
    'SHOW FIELD KEYS ON "{db}"',
    'SHOW RETENTION POLICIES ON "{db}"',
    'SHOW SERIES CARDINALITY ON "{db}"',
    'SHOW MEASUREMENT CARDINALITY ON "{db}"',
    'SHOW TAG KEYS ON "{db}" FROM "usage"',
    'SELECT * FROM "{own}".."usage"; SELECT * FROM "{db}".."usage"',
]
ADMINISTRATION = [
    'SELECT * INTO "copy" FROM "usage"',
    'SELECT * INTO "{db}".."copy" FROM "usage"',
    'DROP MEASUREMENT "usage"',
    'DELETE FROM "usage"',
    'DROP SERIES FROM "usage"',
    "DROP SHARD 1",
    'DROP DATABASE "{own}"',
    'DROP DATABASE "{db}"',
    'CREATE DATABASE "mine"',
    'CREATE RETENTION POLICY "short" ON "{own}" DURATION 1h REPLICATION 1',
    'ALTER RETENTION POLICY "autogen" ON "{own}" DURATION 1h',
    'DROP RETENTION POLICY "autogen" ON "{own}"',
    'DROP CONTINUOUS QUERY "leak" ON "{own}"',
    'CREATE SUBSCRIPTION "leak" ON "{own}"."autogen" DESTINATIONS ALL \'udp://127.0.0.1:9\'',
    'DROP SUBSCRIPTION "leak" ON "{own}"."autogen"',
    "CREATE USER \"more\" WITH PASSWORD 'x'",
    "CREATE USER \"more\" WITH PASSWORD 'x' WITH ALL PRIVILEGES",
    'GRANT ALL PRIVILEGES TO "{own}"',
    'GRANT READ ON "{db}" TO "{own}"',
    'REVOKE ALL PRIVILEGES ON "{own}" FROM "{own}"',
    "SET PASSWORD FOR \"admin\" = 'mine'",
    'DROP USER "admin"',
    "SHOW USERS",
    'SHOW GRANTS FOR "admin"',
    "KILL QUERY 1",
    "SHOW SHARDS",
    "SHOW SHARD GROUPS",
    "SHOW STATS",
    "SHOW DIAGNOSTICS",
    "SHOW SUBSCRIPTIONS",
]


async def test_a_tenant_reads_itself_and_nothing_of_the_others(
    sync: Sync, guarded: Influxd, administrator: Store, tmp_path: Path
) -> None:
    done = sync()
    assert done.returncode == 0, done.stderr
    await fill(administrator)
    async with account(guarded, tmp_path / "keys", TEXTILE) as store:
        assert [row["tenant"] for row in await store.query('SELECT * FROM "usage"', TEXTILE)] == ["textile"]
        assert [row["name"] for row in await store.query("SHOW DATABASES", "")] == [TEXTILE]
        for other in (BREWERY, OPERATOR_DATABASE, "_internal"):
            for statement in (*READS, 'SELECT * FROM "usage"'):
                # Asked of both databases: neither may give access to the other.
                for asked in (TEXTILE, other) if "{db}" in statement else (other,):
                    with pytest.raises((OperatorError, RejectedError), match=r"not authorized|requires|403"):
                        await store.query(statement.format(db=other, own=TEXTILE), asked)
            with pytest.raises(OperatorError, match=r"403|no database '_internal'"):
                await store.write([LINE.format("textile")], other)
        with pytest.raises(OperatorError, match="403"):
            await store.write([LINE.format("textile")], TEXTILE)
        for statement in ADMINISTRATION:
            with pytest.raises((OperatorError, RejectedError), match=r"not authorized|requires|403"):
                await store.query(statement.format(db=BREWERY, own=TEXTILE), TEXTILE)
    for database, tenant in ((TEXTILE, "textile"), (BREWERY, "brewery"), (OPERATOR_DATABASE, "all")):
        rows = await administrator.query("SELECT * FROM /.*/", database)
        assert [row["tenant"] for row in rows] == [tenant]
    assert [row["user"] for row in await administrator.query("SHOW USERS", "") if row["admin"]] == ["admin"]


async def test_services_can_do_their_work_and_no_more(
    sync: Sync, guarded: Influxd, administrator: Store, tmp_path: Path
) -> None:
    assert sync().returncode == 0
    await fill(administrator)
    everywhere = (OPERATOR_DATABASE, TEXTILE, BREWERY)
    can = {
        "ecopark_ingest": ((OPERATOR_DATABASE,), ()),
        "ecopark_usage": (everywhere, everywhere),
        "ecopark_grafana": ((), (OPERATOR_DATABASE,)),
    }
    for name, (writes, reads) in can.items():
        async with account(guarded, tmp_path / "keys", name) as store:
            for database in everywhere:
                await allowed(store.write([LINE.format("all")], database), database in writes)
                await allowed(store.query('SELECT * FROM "usage"', database), database in reads)
            await allowed(store.query('DROP DATABASE "ecopark"', ""), expected=False)


async def allowed(attempt: object, expected: bool) -> None:
    try:
        await attempt  # type: ignore[misc]  # either of two coroutines, told apart by what they raise
    except (OperatorError, RejectedError):
        assert not expected
    else:
        assert expected


def test_a_dry_run_changes_nothing_and_a_second_run_has_nothing_to_do(sync: Sync, tmp_path: Path) -> None:
    first = sync("--dry-run", "--json")
    planned = json.loads(first.stdout)["steps"]
    assert planned[0] == "make database ecopark"
    assert f"make right {TEXTILE} of {TEXTILE} (read)" in planned
    assert not (tmp_path / "keys").exists()
    done = sync("--json")
    assert json.loads(done.stdout)["steps"] == planned
    kept = {file: file.read_text() for file in (tmp_path / "keys").rglob("*.env")}
    again = sync("--json")
    assert json.loads(again.stdout)["steps"] == []
    assert {file: file.read_text() for file in (tmp_path / "keys").rglob("*.env")} == kept
    assert len(kept) == 5
    assert {stat.S_IMODE(file.stat().st_mode) for file in kept} == {0o600}
    shown = "".join(run.stdout + run.stderr for run in (first, done, again))
    keys = Keys.influx(tmp_path / "keys")
    assert not [file for file in kept if (keys.get(file.stem) or "") in shown]


async def test_a_tenant_that_left_is_removed_only_by_prune(
    sync: Sync, administrator: Store, park_files: Path, tmp_path: Path
) -> None:
    assert sync().returncode == 0
    await fill(administrator)
    brewery = next(line for line in PARK.splitlines() if "brewery" in line)
    (park_files / "demo.yaml").write_text(PARK.replace(brewery + "\n", ""), encoding="utf-8")
    left = json.loads(sync("--json").stdout)
    # A right that a service no longer needs is removed at once; that hides nothing from anybody.
    assert left["steps"] == [f"remove right {BREWERY} of ecopark_usage (read and write)"]
    assert left["stale"] == [
        f"database {BREWERY}",
        f"account {BREWERY}",
        f"right {BREWERY} of {BREWERY} (read)",
    ]
    assert len(await administrator.query('SELECT * FROM "usage"', BREWERY)) == 1
    pruned = json.loads(sync("--json", "--prune").stdout)
    assert [step.split(" (")[0] for step in pruned["steps"]] == [
        f"remove right {BREWERY} of {BREWERY}",
        f"remove account {BREWERY}",
        f"remove database {BREWERY}",
    ]
    assert BREWERY not in [row["name"] for row in await administrator.query("SHOW DATABASES", "")]
    assert not Keys.influx(tmp_path / "keys").file(BREWERY).exists()
    assert json.loads(sync("--json").stdout)["steps"] == []


async def test_what_somebody_changed_by_hand_is_restored(
    sync: Sync, guarded: Influxd, administrator: Store, tmp_path: Path
) -> None:
    assert sync().returncode == 0
    await fill(administrator)
    await administrator.query(f'GRANT READ ON "{BREWERY}" TO "{TEXTILE}"', "")
    await administrator.query(f'GRANT ALL ON "{TEXTILE}" TO "{TEXTILE}"', "")
    await administrator.query(f'GRANT ALL PRIVILEGES TO "{BREWERY}"', "")
    await administrator.query("SET PASSWORD FOR \"ecopark_grafana\" = 'other'", "")
    Keys.influx(tmp_path / "keys").forget("ecopark_ingest")
    steps = json.loads(sync("--json").stdout)["steps"]
    assert set(steps) == {
        f"remove right {BREWERY} of {TEXTILE} (read)",
        f"change account {BREWERY}",
        "change account ecopark_grafana",
        "change account ecopark_ingest",
        f"change right {TEXTILE} of {TEXTILE} (read)",
    }
    assert json.loads(sync("--json").stdout)["steps"] == []
    async with account(guarded, tmp_path / "keys", TEXTILE) as store:
        with pytest.raises(OperatorError):
            await store.query('SELECT * FROM "usage"', BREWERY)
    async with account(guarded, tmp_path / "keys", "ecopark_ingest") as store:
        await store.write([LINE.format("all")], OPERATOR_DATABASE)


async def test_short_shards_of_a_tenant_become_long_unless_somebody_chose_a_retention(
    sync: Sync, administrator: Store
) -> None:
    assert sync().returncode == 0
    await administrator.query(f'ALTER RETENTION POLICY "autogen" ON "{TEXTILE}" SHARD DURATION 7d', "")
    await administrator.query(f'ALTER RETENTION POLICY "autogen" ON "{BREWERY}" DURATION 52w SHARD DURATION 7d', "")
    assert json.loads(sync("--json").stdout)["steps"] == [f"change database {TEXTILE}"]
    assert json.loads(sync("--json").stdout)["steps"] == []
    days = {
        database: policy.shard_ms / DAY_MS
        for database in (TEXTILE, BREWERY, OPERATOR_DATABASE)
        if (policy := await administrator.policy(database)) is not None
    }
    assert days == {TEXTILE: TENANT_SHARD_DAYS, BREWERY: 7, OPERATOR_DATABASE: 7}


def test_a_wrong_administrator_is_reported_and_nothing_is_saved(
    sync: Sync, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.ecopark.tenants.conftest.ADMINISTRATOR", ("admin", "wr0ng"))
    said = sync()
    assert said.returncode == 2, said.stderr
    assert "refuses the credentials" in said.stderr
    assert "wr0ng" not in said.stderr
    assert not (tmp_path / "keys").exists()
