"""The spool against a plain list, at its bounds, on a full disk and on a broken file."""

import resource
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.spool import Spool, SpoolLimits
from metering.errors import OperatorError, UnavailableError
from wire.messages import MAX_BYTES, Message, Reading

if TYPE_CHECKING:
    Make = Callable[..., list[Reading]]


def everything(spool: Spool) -> list[str]:
    return [row.id for row in spool.after(0, before=1 << 60, limit=1 << 30, max_bytes=1 << 60)]


def instants(spool: Spool) -> list[int]:
    rows = spool.after(0, before=1 << 60, limit=1 << 30, max_bytes=1 << 60)
    return [reading.ms for row in rows for reading in Message.model_validate_json(row.payload).readings]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "gw" / "spool.db"


@pytest.fixture
def opened(path: Path) -> Iterator[Callable[..., Spool]]:
    """Opens the spool again and again; the one before is closed first."""
    spools: list[Spool] = []

    def reopen(clock: Callable[[], float] = lambda: 1_000.0, **limits: float) -> Spool:
        for spool in spools:
            spool.close()
        spools.append(Spool(path, clock=clock, limits=SpoolLimits(**limits)))  # type: ignore[arg-type]  # test's own numbers
        return spools[-1]

    yield reopen
    for spool in spools:
        spool.close()


_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.lists(st.integers(1, 3), min_size=1, max_size=3)),
        st.tuples(st.just("forget"), st.lists(st.integers(0, 20), max_size=4)),
        st.tuples(st.just("reopen"), st.just([])),
    ),
    max_size=25,
)


@given(steps=_STEPS)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_it_contains_what_a_plain_list_would_contain(
    steps: list[tuple[str, list[int]]], tmp_path_factory: pytest.TempPathFactory, readings: "Make"
) -> None:
    path = tmp_path_factory.mktemp("model") / "spool.db"
    spool = Spool(path, clock=lambda: 1_000.0)
    model: list[tuple[str, list[int]]] = []
    ever: set[str] = set()
    clock = 0
    for action, numbers in steps:
        if action == "append":
            batches = []
            for count in numbers:
                batches.append(readings(clock, count))
                clock += count
            ids = spool.append(*batches)
            assert not ever & set(ids)
            ever |= set(ids)
            model += [(name, [one.ms for one in batch]) for name, batch in zip(ids, batches, strict=True)]
        elif action == "forget":
            chosen = {model[number][0] for number in numbers if number < len(model)}
            assert spool.forget([*chosen, "unknown", "x-1"]) == sum(len(ms) for name, ms in model if name in chosen)
            model = [entry for entry in model if entry[0] not in chosen]
        else:
            spool.close()
            spool = Spool(path, clock=lambda: 1_000.0)
        assert everything(spool) == [name for name, _ in model]
        assert instants(spool) == [ms for _, batch in model for ms in batch]
        assert spool.depth.messages == len(model)
        assert spool.depth.readings == sum(len(batch) for _, batch in model)
        assert spool.oldest() == min((ms for _, batch in model for ms in batch), default=None)
    spool.close()


def test_an_id_is_never_used_twice_even_when_the_file_is_replaced_or_restored(
    opened: Callable[..., Spool], path: Path, readings: "Make"
) -> None:
    spool = opened()
    ids = spool.append(readings(0))
    spool.close()
    copy = path.read_bytes()
    spool = opened()
    ids += spool.append(readings(1))
    spool.close()
    path.write_bytes(copy)  # as from a backup
    spool = opened()
    ids += spool.append(readings(2))
    spool.close()
    path.unlink()
    ids += opened().append(readings(3))
    assert len(set(ids)) == 4


def test_a_receipt_for_another_message_of_the_same_number_forgets_nothing(
    opened: Callable[..., Spool], readings: "Make"
) -> None:
    spool = opened()
    (name,) = spool.append(readings(0))
    number = name.rpartition("-")[2]
    assert spool.forget([f"0123456789abcdef-{number}", number, "-", "", "-" + "9" * 40, "a-٣"]) == 0
    assert everything(spool) == [name]


def test_large_batches_become_messages_within_the_bounds_of_the_wire(
    opened: Callable[..., Spool], readings: "Make"
) -> None:
    spool = opened()
    spool.append(readings(0, 1_200), readings(5_000, 500, values=60))
    rows = spool.after(0, before=1 << 60, limit=1 << 30, max_bytes=1 << 60)
    assert [row.readings for row in rows[:3]] == [500, 500, 200]
    assert sum(row.readings for row in rows) == 1_700
    assert all(len(row.payload) <= MAX_BYTES for row in rows)
    assert len({row.id for row in rows}) == len(rows)


def test_when_full_it_discards_what_the_broker_has_first_then_the_oldest_and_counts_the_loss(
    opened: Callable[..., Spool], readings: "Make"
) -> None:
    spool = opened()
    size = len(spool.append(readings(0)) and spool.read([1])[0].payload)
    spool = opened(max_bytes=size * 5)
    spool.append(*[readings(number) for number in range(1, 5)])
    assert spool.nearly_full
    spool.append(readings(5), readings(6), expendable=[3])
    assert instants(spool) == [1, 3, 4, 5, 6]
    assert opened(max_bytes=size * 5).depth.discarded == 2


def test_what_is_too_old_goes_by_the_time_it_was_appended(opened: Callable[..., Spool], readings: "Make") -> None:
    now = 1_000.0
    spool = opened(lambda: now, max_age_s=60)
    spool.append(readings(0))
    now += 50
    spool.append(readings(1))
    assert instants(spool) == [0, 1]
    now += 20
    spool.append(readings(2))
    assert instants(spool) == [1, 2]
    assert spool.depth.discarded == 1


@contextmanager
def files_cannot_grow_beyond(size: int) -> Iterator[None]:
    """The kernel refuses to write beyond it, as it does on a full disk; needs no root."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_refuses_whole_appends_keeps_the_rest_and_resumes(
    opened: Callable[..., Spool], readings: "Make"
) -> None:
    spool = opened()
    kept: list[str] = []
    with files_cannot_grow_beyond(9_000_000):
        with pytest.raises(UnavailableError, match="disk of the spool"):  # noqa: PT012 - one of many fails
            for number in range(1_000):
                kept += spool.append(readings(number * 500, 500, values=10))
        assert 10 < len(kept) < 1_000
        spool.lose(10)
        assert everything(spool) == kept
        with pytest.raises(UnavailableError):
            spool.append(readings(0, 500, values=10))
        assert spool.depth.discarded == 10
    kept += spool.append(readings(90_000))
    assert everything(spool) == kept
    assert everything(opened()) == kept
    assert opened().depth.discarded == 10


def garble(path: Path) -> None:
    path.write_bytes(b"This is no database. " * 1_000)


def garble_pages(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[4_096:] = b"\xa5" * (len(data) - 4_096)
    path.write_bytes(bytes(data))


@pytest.mark.parametrize("harm", [garble, garble_pages])
def test_a_corrupt_file_is_set_aside_and_a_new_one_started(
    harm: Callable[[Path], None],
    opened: Callable[..., Spool],
    path: Path,
    readings: "Make",
    caplog: pytest.LogCaptureFixture,
) -> None:
    opened().append(readings(0, 100))
    opened().close()
    harm(path)
    spool = opened()
    ids = spool.append(readings(1))
    assert everything(spool) == ids
    (aside,) = [name for name in path.parent.iterdir() if ".corrupt-" in name.name and not name.name.endswith("-wal")]
    assert str(aside) in caplog.text


def test_a_file_that_breaks_while_in_use_is_replaced_and_numbers_go_on(
    opened: Callable[..., Spool], path: Path, readings: "Make"
) -> None:
    spool = opened()
    for number in range(300):
        spool.append(readings(number * 100, 100))
    before = spool.depth.readings
    spool.close()
    spool = opened()
    garble_pages(path)
    rows = spool.after(0, before=1 << 60, limit=1 << 30, max_bytes=1 << 60)
    assert len(rows) < 300
    ids = spool.append(readings(1))
    assert int(ids[0].rpartition("-")[2]) > 300
    assert everything(spool) == [*(row.id for row in rows), *ids]
    assert spool.depth.discarded == before - 100 * len(rows)


def test_a_damaged_page_costs_the_messages_on_it_and_no_other(
    opened: Callable[..., Spool], path: Path, readings: "Make", caplog: pytest.LogCaptureFixture
) -> None:
    spool = opened()
    names = [name for number in range(300) for name in spool.append(readings(number * 100, 100))]
    spool.close()
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        size = db.execute("PRAGMA page_size").fetchone()[0]
        page = db.execute("SELECT pageno FROM dbstat WHERE name = 'message' AND pagetype = 'leaf' LIMIT 1 OFFSET 40")
        damaged = page.fetchone()[0]
    db.close()
    with path.open("r+b") as file:
        file.seek((damaged - 1) * size)
        file.write(b"\xff" * size)
    spool = opened()
    rows = spool.after(0, before=1 << 60, limit=1 << 30, max_bytes=1 << 60)
    assert 0 < 300 - len(rows) <= 8  # a leaf holds a few messages, whose payloads hang on further pages
    assert {row.id for row in rows} <= set(names)
    assert spool.depth.discarded == 100 * (300 - len(rows))
    assert f"{len(rows)} messages of the corrupt spool could be read" in caplog.text
    ids = spool.append(readings(1))
    assert everything(spool)[-1:] == ids


def test_only_its_owner_can_read_a_spool(opened: Callable[..., Spool], path: Path, readings: "Make") -> None:
    spool = opened()
    spool.append(readings(1))
    modes = {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()}
    assert modes.keys() >= {path.name, f"{path.name}-wal", f"{path.name}.reserve"}
    assert set(modes.values()) == {0o600}
    spool.close()
    path.chmod(0o644)
    opened().close()
    assert path.stat().st_mode & 0o777 == 0o600


def test_two_gateways_cannot_share_a_spool(path: Path, opened: Callable[..., Spool]) -> None:
    opened()
    with pytest.raises(OperatorError, match="in use by another process"):
        Spool(path, clock=lambda: 0.0)


def test_a_folder_that_cannot_be_written_is_reported_to_the_operator(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OperatorError, match="cannot be opened"):
        Spool(tmp_path / "file" / "spool.db", clock=lambda: 0.0)


def test_a_spool_of_another_layout_is_left_alone(path: Path, opened: Callable[..., Spool]) -> None:
    opened().close()
    other = sqlite3.connect(path)
    other.execute("PRAGMA user_version = 99")
    other.close()
    with pytest.raises(OperatorError, match="layout 99"):
        opened()
