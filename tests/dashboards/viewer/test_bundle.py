"""The built program is built from the sources, needs no network, and lists whose work is in it."""

import gzip
import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path

from dashboards.viewer.server import BUILT

WEB = BUILT.parent
SOURCES = ("index.html", "package-lock.json", "package.json", "vite.config.mjs")
AT_MOST = 2_000_000


def built(folder: Path) -> dict[str, bytes]:
    """Every file; packed ones unpacked, because packers differ."""
    found = {}
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            content = file.read_bytes()
            found[str(file.relative_to(folder))] = gzip.decompress(content) if file.suffix == ".gz" else content
    return found


def test_the_bundle_is_built_from_these_sources() -> None:
    files = [*SOURCES, *(str(file.relative_to(WEB)) for file in (WEB / "src").rglob("*") if file.is_file())]
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(f"{name}\0".encode() + (WEB / name).read_bytes() + b"\0")
    assert (BUILT / "sources.sha256").read_text().strip() == digest.hexdigest(), "run make bundle"


def test_it_is_small_and_holds_neither_editor_nor_maps() -> None:
    assert sum(file.stat().st_size for file in BUILT.rglob("*") if file.is_file()) < AT_MOST
    licences = (BUILT / "licences.txt").read_text(encoding="utf-8")
    assert not re.search(r"^(monaco-editor|ol) ", licences, re.MULTILINE)


def test_whose_work_is_bundled_is_listed_with_a_licence_that_lets_us() -> None:
    licences = (BUILT / "licences.txt").read_text(encoding="utf-8")
    listed = re.findall(r"^(@?[\w./-]+) (\d[\w.-]*): (.+)$", licences, re.MULTILINE)
    names = {name for name, _, _ in listed}
    assert {"@grafana/ui", "@grafana/data", "@fontsource/inter", "react", "react-dom", "uplot", "moment"} <= names
    free = {"MIT", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "0BSD", "OFL-1.1", "CC0-1.0", "Unlicense"}
    assert not {licence for _, _, licence in listed if not set(re.split(r" OR |[()]", licence)) & free}


def test_packages_are_locked_by_their_content_and_not_by_an_address() -> None:
    lock = (WEB / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in lock
    assert lock.count('"integrity"') > 300


if shutil.which("npm") is not None:

    def test_building_it_again_makes_the_same(tmp_path: Path) -> None:
        web = tmp_path / "web"
        shutil.copytree(WEB, web, ignore=shutil.ignore_patterns("node_modules", "built"))
        if (WEB / "node_modules").is_dir():
            (web / "node_modules").symlink_to(WEB / "node_modules")
        else:
            npm = ["npm", "ci", "--ignore-scripts", "--legacy-peer-deps", "--no-audit", "--no-fund"]
            subprocess.run(npm, cwd=web, check=True, capture_output=True)
        made = subprocess.run(
            ["npm", "run", "build"],
            cwd=web,
            env={**os.environ, "OUT": str(web / "built")},
            capture_output=True,
            text=True,
            check=False,
        )
        assert made.returncode == 0, made.stderr
        assert built(web / "built") == built(BUILT)
