"""The planner: its steps lead from whatever was found to what is wanted, and a second run has no steps."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecopark.commands.tenants import GENERATED
from ecopark.tenants.plan import Action, Plan, StepKind, Thing, plan
from ecopark.tenants.sync import LANGUAGES, tenants_dashboards
from ecopark.tenants.wanted import homes
from metering.errors import OperatorError
from metering.park import Park

NAMES = st.sampled_from("abc")
THINGS = st.lists(
    st.builds(Thing, st.sampled_from(StepKind), NAMES, NAMES, st.sampled_from(["", "x", "y"])),
    unique_by=lambda t: t.key,
)


def taken(found: list[Thing], made: Plan) -> set[Thing]:
    state = {thing.key: thing for thing in found}
    for step in made.steps:
        assert (step.thing.key in state) == (step.action is not Action.MAKE)
        if step.action is Action.REMOVE:
            del state[step.thing.key]
        else:
            state[step.thing.key] = step.thing
    return set(state.values())


@pytest.mark.parametrize("language", LANGUAGES)
def test_tenants_have_dashboards_by_default(language: str) -> None:
    assert tenants_dashboards(GENERATED / language)


def test_a_folder_without_dashboards_removes_no_dashboards(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="holds no dashboards"):
        tenants_dashboards(tmp_path)


@given(THINGS, THINGS)
def test_the_steps_lead_to_what_is_wanted(wanted: list[Thing], found: list[Thing]) -> None:
    assert taken(found, plan(wanted, found, prune=True)) == set(wanted)
    kept = plan(wanted, found, prune=False)
    assert taken(found, kept) == {*wanted, *kept.stale}
    again = plan(wanted, taken(found, kept), prune=False)
    assert (again.steps, again.stale) == ((), kept.stale)


@given(THINGS, THINGS)
def test_only_rights_are_removed_without_prune(wanted: list[Thing], found: list[Thing]) -> None:
    for step in plan(wanted, found, prune=False).steps:
        assert step.action is not Action.REMOVE or step.thing.kind is StepKind.RIGHT


def test_prerequisites_are_made_first_and_removed_last() -> None:
    things = [Thing(kind, "", "a") for kind in StepKind]
    assert [step.thing.kind for step in plan(things, [], prune=True).steps] == list(StepKind)
    assert [step.thing.kind for step in plan([], things, prune=True).steps] == list(StepKind)[::-1]


def test_two_tenants_never_share_a_database(parks: list[Park]) -> None:
    with pytest.raises(OperatorError, match="would share ecopark_a_b_c"):
        homes([renamed(parks[0], "a_b", "c"), renamed(parks[0], "a", "b_c")])


def renamed(park: Park, name: str, tenant: str) -> Park:
    return park.model_copy(
        update={
            "park": park.park.model_copy(update={"id": name}),
            "tenants": (park.tenants[0].model_copy(update={"id": tenant}),),
        }
    )
