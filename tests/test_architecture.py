"""Rules of this repository that no linter knows: who imports whom, how long a file is, what no file may name."""

import ast
import io
import re
import subprocess
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import TypeGuard

import pytest

ROOT = Path(__file__).parents[1]
PRODUCT = ("metering", "running", "wire", "store", "gateway", "ingest", "efficiency", "dashboards", "ecopark")
ROOMS = (*PRODUCT, "proving")
MAY_IMPORT = {
    "metering": set(),
    "running": {"metering"},
    "wire": {"metering"},
    "store": {"metering", "running"},
    "gateway": {"metering", "running", "wire"},
    "ingest": {"metering", "running", "wire", "store"},
    "efficiency": {"metering", "running", "store"},
    "dashboards": {"metering", "running", "store"},
    "ecopark": set(PRODUCT),
    "proving": set(ROOMS),
}
EFFICIENCY = ("usage", "valuation", "stored", "indicators", "baseline", "symbiosis", "service", "closing", "reports")
"""The order of packages in `efficiency`: a package imports from those before it and from itself."""

DATABASE_CLIENTS = {"aiohttp", "influxdb", "influxdb_client", "influxdb_client_3"}
ADMINISTRATION = ("ecopark", "proving", "dashboards", "store")
LONGEST = 400

WRITE_INFLUXQL = ("store", "dashboards")
INFLUXQL = r"\s*(SELECT|DELETE FROM|DELETE WHERE|SHOW|CREATE DATABASE|DROP|ALTER RETENTION) "
SQLITE = ("gateway/spool.py", "gateway/spoolfile.py")


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True).stdout
    return [file for name in listed.split("\0") if name and (file := ROOT / name).is_file()]


IN_ROOMS = [file for file in tracked() if file.suffix == ".py" and file.relative_to(ROOT).parts[0] in ROOMS]


def name_of(file: Path) -> str:
    return str(file.relative_to(ROOT))


def imports(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: imports are absolute"
            yield node.module or ""


@pytest.mark.parametrize("file", IN_ROOMS, ids=name_of)
def test_imports_only_lead_down(file: Path) -> None:
    room = file.relative_to(ROOT).parts[0]
    rooms = {name.partition(".")[0] for name in imports(file)} & {*ROOMS, "tests"}
    assert rooms <= MAY_IMPORT[room] | {room}


@pytest.mark.parametrize("file", IN_ROOMS, ids=name_of)
def test_within_efficiency_imports_follow_the_order_of_packages(file: Path) -> None:
    room, *inside = file.relative_to(ROOT).parts
    if room == "efficiency" and inside != ["__init__.py"]:
        asked = [name.split(".") for name in imports(file)]
        packages = {".".join(parts[1:2]) for parts in asked if parts[0] == "efficiency"}
        assert packages <= set(EFFICIENCY[: EFFICIENCY.index(inside[0]) + 1])


@pytest.mark.parametrize("file", IN_ROOMS, ids=name_of)
def test_only_the_store_imports_a_database_client(file: Path) -> None:
    if file.relative_to(ROOT).parts[0] not in ADMINISTRATION:
        assert not {name.partition(".")[0] for name in imports(file)} & DATABASE_CLIENTS


@pytest.mark.parametrize("file", IN_ROOMS, ids=name_of)
def test_influxql_is_written_in_the_store_and_for_dashboards_only(file: Path) -> None:
    room, name = file.relative_to(ROOT).parts[0], name_of(file)
    if room not in WRITE_INFLUXQL and name not in SQLITE:
        texts = [node.value for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))) if is_text(node)]
        found = [text for text in texts if re.match(INFLUXQL, str(text))]
        assert not found, found


def is_text(node: ast.AST) -> TypeGuard[ast.Constant]:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


@pytest.mark.parametrize("file", IN_ROOMS, ids=name_of)
def test_a_module_is_short_and_has_a_docstring(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert text.count("\n") <= LONGEST
    assert ast.get_docstring(ast.parse(text)), "the module has no docstring"


def test_every_room_has_rules() -> None:
    packages = {file.parent.name for file in IN_ROOMS if file.name == "__init__.py" and file.parent.parent == ROOT}
    assert packages <= set(MAY_IMPORT)


# The patterns are written so that they do not match themselves.
REGISTRIES = r"(files\.python[h]osted|[p]ypi)\.(org|io)|[i]ndex-url\s*=|[a]rtifactory|[n]exus3"
BUILD_PATHS = r"(?<![\w.$}])/([w]ork|[t]mp|[h]ome|[r]oot|[b]uild)/[\w.]"


@pytest.mark.parametrize("file", tracked(), ids=name_of)
def test_no_file_names_a_registry_or_a_place_on_the_machine_that_made_it(file: Path) -> None:
    text = file.read_bytes().decode(errors="replace")
    for pattern in (REGISTRIES, BUILD_PATHS):
        lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if re.search(pattern, line)]
        assert not lines


def test_the_patterns_find_what_they_are_for() -> None:
    for parts in (("https://py", "pi.org/simple"), ("index-", "url = x"), ("https://files.python", "hosted.org/x")):
        assert re.search(REGISTRIES, "".join(parts))
    for parts in (("cd /wo", "rk/wt"), ('"/tm', 'p/x"'), ("/ho", "me/someone")):
        assert re.search(BUILD_PATHS, "".join(parts))
    assert not re.search(BUILD_PATHS, "{tmp_path}/work.log and network/tmp")


EXCEPTION = r"# (noqa|type: ignore|pragma)\b"
WITH_REASON = r"# noqa: [A-Z0-9, ]+( \(.+\)| - .+)$|# type: ignore\[[\w, -]+\]  # .+$"


@pytest.mark.parametrize("file", [file for file in tracked() if file.suffix == ".py"], ids=name_of)
def test_silenced_linters_have_a_reason(file: Path) -> None:
    for token in tokenize.generate_tokens(io.StringIO(file.read_text(encoding="utf-8")).readline):
        if token.type == tokenize.COMMENT and re.search(EXCEPTION, token.string):
            assert re.search(WITH_REASON, token.string), f"line {token.start[0]}: {token.string}"


PROGRAMS = {
    "ecopark/alive.py": "runs every few seconds, and loading the commands takes twenty times as long",
    "proving/bench/generator.py": "a child of `ecopark bench`: its processor time must not be that of the bench",
    "proving/demo/foreign.py": "a child of `ecopark demo`",
    "proving/demo/gateway.py": "a child of `ecopark demo`",
    "proving/plant/server.py": "a child of `ecopark demo` and `ecopark bench`",
    "wire/contract.py": "`make docs`",
}
"""Whatever else an operator or developer runs is a command of `ecopark` or a target of the Makefile."""


def test_programs_outside_the_command_line_have_a_reason() -> None:
    assert {name_of(file) for file in IN_ROOMS if '\nif __name__ == "__main__":' in file.read_text()} == set(PROGRAMS)


def in_product(file: Path) -> bool:
    return file.relative_to(ROOT).parts[0] in PRODUCT


def test_no_class_name_is_used_twice_nor_an_alias_in_the_product() -> None:
    found: dict[str, list[str]] = {}
    for file in IN_ROOMS:
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef):
                found.setdefault(node.name, []).append(name_of(file))
            elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                name = node.targets[0].id
                if in_product(file) and name[0].isupper() and not name.isupper():
                    found.setdefault(name, []).append(name_of(file))
    assert not {name: files for name, files in found.items() if len(files) > 1}


KEYS = {"ecopark/tenants/plan.py:key", "efficiency/symbiosis/matching.py:rank"}
"""What things are sorted or identified by."""


def test_functions_return_records_and_not_bare_tuples() -> None:
    """Of the product but `ingest`, which hands on pairs for each message."""
    found = {
        f"{name_of(file)}:{node.name}"
        for file in IN_ROOMS
        if in_product(file) and file.relative_to(ROOT).parts[0] != "ingest"
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.returns is not None
        if any(is_bare_tuple(part) for part in ast.walk(node.returns))
    }
    assert found == KEYS


def is_bare_tuple(node: ast.AST) -> bool:
    """Whether an annotation is a tuple of fixed length whose fields have no names."""
    if not isinstance(node, ast.Subscript) or ast.unparse(node.value) != "tuple":
        return False
    return isinstance(node.slice, ast.Tuple) and not ast.unparse(node.slice).endswith("...)")


MOST_BY_PLACE = 5
PER_READING = {"ingest/accept.py", "ingest/connection.py"}
"""Records that are made for each reading: with keywords they cost a twentieth more of its time."""


def test_no_call_has_many_positional_arguments() -> None:
    trees = {name_of(file): ast.parse(file.read_text(encoding="utf-8")) for file in IN_ROOMS}
    many = {each for tree in trees.values() for node in ast.walk(tree) for each in takes_many(node)}
    found = [
        f"{name}:{node.lineno} {ast.unparse(node.func)}"
        for name, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and len(node.args) > MOST_BY_PLACE
        and ast.unparse(node.func).rpartition(".")[2] in many
        and not any(isinstance(argument, ast.Starred) for argument in node.args)
    ]
    assert {each for each in found if each.partition(":")[0] not in PER_READING} == set()
    assert found, "PER_READING names nothing"


def takes_many(node: ast.AST) -> Iterator[str]:
    """The name of a function or a record that takes more than five arguments by place."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and len(node.args.args) > MOST_BY_PLACE:
        yield node.name
    if isinstance(node, ast.ClassDef):
        fields = [each for each in node.body if isinstance(each, ast.AnnAssign)]
        inits = [each for each in node.body if isinstance(each, ast.FunctionDef) and each.name == "__init__"]
        if len(fields) > MOST_BY_PLACE or any(len(each.args.args) > MOST_BY_PLACE + 1 for each in inits):
            yield node.name
