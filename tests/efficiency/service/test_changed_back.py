"""A change of the park file that is taken back before it is computed whole, with a restart between.

The service or somebody who recomputed by hand may have begun to compute by it.
"""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from efficiency.service import park as park_usage
from efficiency.service.basis import Parts
from efficiency.service.basisstore import BasisStore
from store.answers import Row
from store.client import Store
from store.schema import EFFICIENCY, OPERATOR_DATABASE, USAGE, tenant_database
from tests.efficiency.service.test_edits import NOW, begun, compare, lines, raw_park, recompute, written

Edit = Callable[[dict[str, Any]], None]


def dearer(raw: dict[str, Any]) -> None:
    raw["tariffs"]["prices"]["water"][0]["value"] = 12_000.0


def owned_by_another(raw: dict[str, Any]) -> None:
    next(each for each in raw["meters"] if each["id"] == "e-3")["tenant"] = "smith"


def without_a_meter(raw: dict[str, Any]) -> None:
    raw["meters"] = [each for each in raw["meters"] if each["id"] != "g-1"]


def with_another_tenant(raw: dict[str, Any]) -> None:
    raw["tenants"].append({**raw["tenants"][0], "id": "miller"})
    next(each for each in raw["meters"] if each["id"] == "e-4")["tenant"] = "miller"


EDITS: list[tuple[Edit, ...]] = [
    (dearer,),
    (owned_by_another,),
    (without_a_meter,),
    (with_another_tenant,),
    (dearer, owned_by_another, without_a_meter),
]


@pytest.mark.parametrize("edits", EDITS)
async def test_what_a_change_had_begun_is_undone_after_a_restart(
    edits: tuple[Edit, ...], store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, now = tmp_path / "park.yaml", NOW
    raw = raw_park("back-" + "-".join(edit.__name__ for edit in edits))
    await store.write(lines(raw["park"]["id"]), OPERATOR_DATABASE)
    usage = await begun(store, written(file, raw), now)
    await usage.cycle(now)
    changed = copy.deepcopy(raw)
    for edit in edits:
        edit(changed)
        now += 120_000
        await usage.close()
        usage = await begun(store, written(file, changed), now)
        with monkeypatch.context() as patch:
            patch.setattr(park_usage, "MOST_IN_A_CYCLE", 50)
            await usage.cycle(now)
    now += 120_000
    await usage.close()
    usage = await begun(store, written(file, raw), now)
    await usage.cycle(now)
    await compare(store, file, raw, now, "changed and changed back")
    assert await of_miller(store, raw) == [], "the tenant that only the changed file had"
    assert not await left_over(store, raw), "all is computed whole again"


@pytest.mark.parametrize("edits", EDITS)
async def test_what_was_recomputed_by_a_changed_file_is_undone_when_the_service_starts_with_the_old_one(
    edits: tuple[Edit, ...], store: Store, tmp_path: Path
) -> None:
    file, now = tmp_path / "park.yaml", NOW
    raw = raw_park("hand-" + "-".join(edit.__name__ for edit in edits))
    await store.write(lines(raw["park"]["id"]), OPERATOR_DATABASE)
    usage = await begun(store, written(file, raw), now)
    await usage.cycle(now)
    await usage.close()
    await recompute(store, written(file, raw), now + 60_000)
    assert not await left_over(store, raw), "the inputs are those of all that is stored"
    changed = copy.deepcopy(raw)
    for edit in edits:
        edit(changed)
    await recompute(store, written(file, changed), now + 120_000)
    assert await left_over(store, raw)
    now += 180_000
    usage = await begun(store, written(file, raw), now)
    await usage.cycle(now)
    await compare(store, file, raw, now, "recomputed by hand by a changed file")
    assert await of_miller(store, raw) == [], "the tenant that only the changed file had"
    assert not await left_over(store, raw), "all is computed whole again"


async def left_over(store: Store, raw: dict[str, Any]) -> list[Parts]:
    """Inputs by which something stored may be computed besides those of all of it."""
    stored = BasisStore(store, raw["park"]["id"])
    await stored.load()
    return stored.begun()


async def of_miller(store: Store, raw: dict[str, Any]) -> list[Row]:
    """Use and figures in the database of that tenant."""
    database = tenant_database(raw["park"]["id"], "miller")
    there = database in {row["name"] for row in await store.query("SHOW DATABASES", "")}
    measurements = (USAGE, EFFICIENCY) if there else ()
    return [row for each in measurements for row in await store.query(f'SELECT * FROM "{each}"', database)]
