"""Kill -9 and loss of power at any instant: what `append` returned is still there.

Loss of power is simulated: a real appender runs under strace, and its recorded system calls are replayed on a model
of a disk that keeps only what was synced (or that and some of the rest, which a real disk may do too).
"""

import random
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gateway.spool import Spool

APPENDER = Path(__file__).parent / "appender.py"
CALLS = "openat,close,mkdir,pwrite64,write,ftruncate,fdatasync,fsync,rename,unlink"
LINE = re.compile(r"^\d+ +(\w+)\((.*)\)\s+= (-?\d+)")
TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')


def on_disk(path: Path) -> list[str]:
    spool = Spool(path, clock=lambda: 1_000.0)
    rows = spool.after(0, before=1 << 60, limit=1 << 30, max_bytes=1 << 60)
    spool.close()
    return [row.id for row in rows]


def required(told: list[str]) -> set[str]:
    """Ids that must be there: appended, and not being deleted."""
    return {line[1:] for line in told if line[0] == "+"} - {line[1:] for line in told if line[0] == "-"}


def test_kill_9_in_a_loop_loses_nothing_that_append_returned(tmp_path: Path) -> None:
    path = tmp_path / "gw" / "spool.db"
    told: list[str] = []
    chance = random.Random(7)
    for _ in range(6):
        command = [sys.executable, str(APPENDER), str(path), "1000000"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            told += [process.stdout.readline().strip() for _ in range(chance.randint(20, 60))]
            process.kill()
            told += [line.strip() for line in process.stdout if line.endswith("\n")]
    appended = [line for line in told if line[0] == "+"]
    assert len(appended) == len(set(appended)) > 100
    assert required(told) <= set(on_disk(path))


@dataclass
class Disk:
    """One folder. Each file is what was synced and what was written since; names are durable with the folder."""

    folder: str
    synced: dict[int, bytearray] = field(default_factory=dict)
    pending: dict[int, list[tuple[int, bytes | None]]] = field(default_factory=dict)
    names: dict[str, int] = field(default_factory=dict)
    durable_names: dict[str, int] = field(default_factory=dict)
    handles: dict[int, int | str] = field(default_factory=dict)

    def play(self, call: str, arguments: str, result: int) -> None:
        texts = [bytes.fromhex(text.replace("\\x", "")) for text in TEXT.findall(arguments)]
        first = arguments.partition(",")[0]
        if call == "openat":
            self._open(texts[0].decode(), arguments, result)
        elif call in {"rename", "unlink"} and texts[0].decode().startswith(self.folder + "/"):
            inode = self.names.pop(texts[0].decode())
            if call == "rename":
                self.names[texts[1].decode()] = inode
        elif first.isdecimal() and int(first) in self.handles:
            self._on_handle(call, int(first), arguments, texts)

    def _open(self, name: str, arguments: str, handle: int) -> None:
        if name == self.folder:
            self.handles[handle] = name
        elif name.startswith(self.folder + "/"):
            if name not in self.names:
                assert "O_CREAT" in arguments
                self.names[name] = len(self.synced)
                self.synced[self.names[name]] = bytearray()
                self.pending[self.names[name]] = []
            self.handles[handle] = self.names[name]

    def _on_handle(self, call: str, handle: int, arguments: str, texts: list[bytes]) -> None:
        target = self.handles[handle]
        if call == "close":
            del self.handles[handle]
        elif isinstance(target, str):
            assert call in {"fsync", "fdatasync"}
            self.durable_names = dict(self.names)
        elif call in {"fsync", "fdatasync"}:
            for operation in self.pending[target]:
                apply(self.synced[target], operation)
            self.pending[target] = []
        elif call == "ftruncate":
            self.pending[target].append((int(arguments.rpartition(",")[2]), None))
        else:
            assert call == "pwrite64", call
            self.pending[target].append((int(arguments.rpartition(",")[2]), texts[0]))

    def after_power_loss(self, folder: Path, chance: random.Random | None) -> None:
        """Write the files as they are found afterwards; with `chance` some unsynced writes made it, in any order."""
        for name, inode in self.durable_names.items():
            data = bytearray(self.synced[inode])
            for operation in self.pending[inode] if chance else []:
                if chance and chance.random() < 0.5:
                    apply(data, operation)
            (folder / Path(name).name).write_bytes(data)


def apply(data: bytearray, operation: tuple[int, bytes | None]) -> None:
    place, written = operation
    size = place if written is None else place + len(written)
    if written is None:
        del data[size:]
    if len(data) < size:
        data.extend(bytes(size - len(data)))
    if written is not None:
        data[place:size] = written


def record(folder: Path, *synchronous: str) -> Iterator[tuple[str, str, int]]:
    trace = folder.parent / "trace"
    command = ["strace", "-f", "-xx", "-s", "10000000", "-o", str(trace), "-e", f"trace={CALLS}"]
    subprocess.run(
        [*command, sys.executable, str(APPENDER), str(folder / "spool.db"), "200", *synchronous],
        stdout=subprocess.DEVNULL,
        check=True,
    )
    with trace.open(encoding="ascii") as lines:
        for line in lines:
            found = LINE.match(line)
            if found and int(found[3]) >= 0:
                yield found[1], found[2], int(found[3])


@pytest.mark.parametrize(("synchronous", "safe"), [((), True), (("NORMAL",), False), (("OFF",), False)])
def test_power_lost_at_any_instant_loses_nothing_that_append_returned(
    synchronous: tuple[str, ...], safe: bool, tmp_path: Path
) -> None:
    folder = tmp_path / "gw"
    calls = list(record(folder, *synchronous))
    chance = random.Random(str(synchronous))
    name = str(folder).encode().hex()
    first = next(place for place, call in enumerate(calls) if name in call[1].replace("\\x", ""))
    cuts = set(chance.sample(range(first, len(calls)), 60))
    disk = Disk(str(folder))
    told: list[str] = []
    lost: set[str] = set()
    for place, (call, arguments, result) in enumerate(calls):
        if call == "write" and arguments.startswith("1,"):
            told += bytes.fromhex(TEXT.findall(arguments)[0].replace("\\x", "")).decode().split()
        else:
            disk.play(call, arguments, result)
        if place in cuts:
            for some in (None, chance):
                found = tmp_path / f"found-{place}-{some is not None}"
                found.mkdir()
                disk.after_power_loss(found, some)
                lost |= required(told) - set(on_disk(found / "spool.db"))
    assert len(told) == 240
    if safe:
        assert len(disk.synced[disk.names[str(folder / "spool.db")]]) > 1_000_000, "no checkpoint was among it"
        assert not list(tmp_path.glob("found-*/*.corrupt-*"))
    assert (not lost) == safe, f"lost {len(lost)}"
