"""A change of the park file that is taken back before it is computed whole, with a restart between."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from efficiency.service import park as park_usage
from efficiency.service.basisstore import BasisStore
from store.client import Store
from store.schema import OPERATOR_DATABASE
from tests.efficiency.service.test_edits import NOW, begun, compare, lines, raw_park, written

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


@pytest.mark.parametrize(
    "edits",
    [
        (dearer,),
        (owned_by_another,),
        (without_a_meter,),
        (with_another_tenant,),
        (dearer, owned_by_another, without_a_meter),
    ],
)
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
    left = BasisStore(store, raw["park"]["id"])
    await left.load()
    assert not left.begun(), "all is computed whole again"
