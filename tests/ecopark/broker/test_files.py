"""`ecopark broker` as operators run it: secrets are made once, kept in private files, and shown to nobody."""

import asyncio
import json
import os
import re
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from ecopark.broker.accounts import wanted
from ecopark.broker.certificates import LIFE, write_certificates
from ecopark.broker.configuration import SHIPPED_CONFIGURATION, Listener, Listeners
from ecopark.broker.files import BrokerPlace, write_accounts
from ecopark.broker.hashing import hashed, matches
from ecopark.secretfiles import generate, read_secrets, write_secrets
from metering.errors import OperatorError
from metering.park import Park
from proving.processes import Child, free_port, program
from wire.address import BrokerAddress

ECOPARK = Path(sys.executable).parent / "ecopark"
NOW = datetime(2026, 11, 23, tzinfo=UTC)


def broker(parks: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "ECOPARK_PARK": str(parks)}
    return subprocess.run([ECOPARK, "broker", *arguments], env=env, capture_output=True, text=True, check=False)


def contents(folder: Path) -> dict[str, str]:
    return {str(file.relative_to(folder)): file.read_text() for file in folder.rglob("*") if file.is_file()}


def passwords(folder: Path) -> list[str]:
    urls = (read_secrets(file)["ECOPARK_MQTT_URL"] for file in (folder / "accounts").glob("*.env"))
    return [BrokerAddress.parse(url).secret or "" for url in urls]


def test_a_second_run_changes_nothing_and_no_secret_is_ever_shown(park_files: Path, tmp_path: Path) -> None:
    folder = tmp_path / "broker"
    first = broker(park_files, "accounts", "--dir", str(folder), "--json")
    assert first.returncode == 0, first.stderr
    made = contents(folder)
    outcome = json.loads(first.stdout.splitlines()[-1])
    assert outcome["added"] == ["ingest", "operator", "demo.gw-1", "demo.gw-2", "other.gw-1", "other.gw-2"]
    second = broker(park_files, "accounts", "--dir", str(folder))
    assert contents(folder) == made
    secrets = passwords(folder)
    assert len(set(secrets)) == 6
    for secret in secrets:
        assert len(secret) >= 32
        assert secret not in first.stdout + first.stderr + second.stdout + second.stderr
        assert secret not in "".join(text for name, text in made.items() if not name.startswith("accounts"))
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.rglob("*") if file.is_file()} == {0o600}


def test_new_gateways_get_a_password_and_those_that_are_gone_go_only_when_pruned(
    park_files: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "broker"
    broker(park_files, "accounts", "--dir", str(folder))
    before = contents(folder)
    (park_files / "other.yaml").unlink()
    demo = park_files / "demo.yaml"
    demo.write_text(
        demo.read_text()
        .replace("tenants:", "tenants:", 1)
        .replace("gateways:\n", "gateways:\n  - {id: gw-3, name: {en: Three, vi: Ba}}\n")
    )
    kept = json.loads(broker(park_files, "accounts", "--dir", str(folder), "--json").stdout)
    assert (kept["added"], kept["stale"], kept["removed"]) == (["demo.gw-3"], ["other.gw-1", "other.gw-2"], [])
    after = contents(folder)
    assert {name: text for name, text in after.items() if name.startswith("accounts/") and name in before} == {
        name: text for name, text in before.items() if name.startswith("accounts/")
    }
    assert set(before["passwords"].splitlines()) < set(after["passwords"].splitlines())
    pruned = json.loads(broker(park_files, "accounts", "--dir", str(folder), "--json", "--prune").stdout)
    assert (pruned["stale"], pruned["removed"]) == ([], ["other.gw-1", "other.gw-2"])
    assert "other" not in "".join(contents(folder)) + (folder / "passwords").read_text() + (folder / "acl").read_text()


async def test_the_broker_starts_with_the_configuration_that_was_written(park_files: Path, tmp_path: Path) -> None:
    folder, port, tls_port = tmp_path / "broker", free_port(), free_port()
    ports = ("--port", str(port), "--tls-port", str(tls_port), "--inner-port", str(free_port()))
    places = ("--dir", str(folder), *ports, "--tls-bind", "127.0.0.1")
    made = broker(park_files, "certificates", "--dir", str(folder), "--host", "localhost", "--clients")
    assert made.returncode == 0, made.stderr
    options = (*places, "--data", str(tmp_path), "--client-certificates")
    made = broker(park_files, "accounts", *options)
    assert made.returncode == 0, made.stderr
    file = folder / "mosquitto.conf"
    if os.getuid() == 0:  # it would change to a user who may not read this folder
        file.write_text(f"{file.read_text()}user root\n")
    server = Child("mosquitto", [program("mosquitto", "mosquitto"), "-c", str(file)], tmp_path / "log")
    server.start()
    try:
        certificate = str(folder / "accounts" / "demo.gw-1.pem")
        publish = ["mosquitto_pub", "-h", "localhost", "-p", str(tls_port), "--cafile", str(folder / "tls" / "ca.pem")]
        publish += ["--cert", certificate, "--key", certificate, "-q", "1", "-m", "x", "-V", "mqttv5"]
        deadline = asyncio.get_running_loop().time() + 10
        while True:
            own = await asyncio.to_thread(
                subprocess.run, [*publish, "-t", "ecopark/v1/demo/gw-1/readings"], check=False
            )
            if own.returncode == 0:
                break
            assert server.running, server.last_words()
            assert asyncio.get_running_loop().time() < deadline, server.last_words()
            await asyncio.sleep(0.05)
    finally:
        server.kill()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--tls-port", "8883"), "run ecopark broker certificates first"),
        (("--port", "0"), "give --port or --tls-port"),
        (("--url", "mqtt://someone:secret@broker"), "has a user already"),
        (("--inner-url", "mqtt://someone:secret@broker"), "has a user already"),
    ],
)
def test_impossible_options_are_reported_before_anything_changes(
    park_files: Path, tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    outcome = broker(park_files, "accounts", "--dir", str(tmp_path / "broker"), *arguments)
    assert outcome.returncode == 2
    assert words in outcome.stderr
    assert not (tmp_path / "broker").exists()


def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.env"
    write_secrets(file, {"A": "b"})
    file.chmod(0o644)
    with pytest.raises(OperatorError, match="others may read it"):
        read_secrets(file)


def test_an_account_is_handed_out_to_the_folder_of_its_name_and_no_other(park_files: Path, tmp_path: Path) -> None:
    given = tmp_path / "given"
    for name in ("ingest", "demo.gw-1", "nobody"):
        (given / name).mkdir(parents=True)
    made = broker(park_files, "accounts", "--dir", str(tmp_path / "broker"), "--hand-out", str(given))
    assert made.returncode == 0, made.stderr
    assert {str(file.relative_to(given)) for file in given.rglob("*.env")} == {
        *("ingest/ingest.env", "demo.gw-1/demo.gw-1.env")
    }
    for file in given.rglob("*.env"):
        assert file.read_text() == (tmp_path / "broker" / "accounts" / file.name).read_text()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    missing = broker(park_files, "accounts", "--dir", str(tmp_path / "broker"), "--hand-out", str(tmp_path / "no"))
    assert missing.returncode == 2
    assert "is no folder" in missing.stderr


@given(st.text(st.characters(codec="utf-8"), min_size=1))
def test_a_hash_is_of_its_password_only(password: str) -> None:
    known = hashed(password)
    assert matches(password, known)
    assert not matches(f"{password}x", known)


def test_hashes_are_those_of_mosquitto_itself(tmp_path: Path) -> None:
    file = tmp_path / "passwords"
    file.write_text("gw-1:secret\n")
    subprocess.run(["mosquitto_passwd", "-U", str(file)], check=True)
    assert matches("secret", file.read_text().strip().split(":", 1)[1])
    for broken in ("", "secret", "$7$0$$", "$7$101$?$x", "$6$salt$hash", "$7$x$AA==$AA=="):
        assert not matches("secret", broken)


def test_certificates_stay_until_they_end_or_the_hosts_change(tmp_path: Path) -> None:
    hosts = ["broker.example", "10.0.0.7"]
    first = write_certificates(tmp_path, hosts, ["demo.gw-1"], NOW)
    assert [file.name for file in first] == ["ca.pem", "server.pem", "demo.gw-1.pem"]
    assert write_certificates(tmp_path, hosts, ["demo.gw-1"], NOW + timedelta(days=600)) == []
    again = write_certificates(tmp_path, hosts, ["demo.gw-1"], NOW + LIFE - timedelta(days=20))
    assert [file.name for file in again] == ["server.pem", "demo.gw-1.pem"]
    moved = write_certificates(tmp_path, ["other.example"], ["demo.gw-1"], NOW + LIFE)
    assert [file.name for file in moved] == ["server.pem"]
    certificate = x509.load_pem_x509_certificate((tmp_path / "tls" / "server.pem").read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["other.example"]
    assert stat.S_IMODE((tmp_path / "tls" / "ca.key").stat().st_mode) == 0o600


def revoked(folder: Path) -> set[int]:
    return {entry.serial_number for entry in x509.load_pem_x509_crl((folder / "tls" / "revoked.pem").read_bytes())}


def serial(folder: Path, account: str) -> int:
    return x509.load_pem_x509_certificate((folder / "accounts" / f"{account}.pem").read_bytes()).serial_number


def test_pruning_revokes_every_certificate_that_the_account_ever_got(parks: list[Park], tmp_path: Path) -> None:
    write_certificates(tmp_path, ["broker.example"], wanted(parks), NOW)
    place = BrokerPlace(tmp_path, tmp_path, tmp_path, "mqtts://broker.example", "mqtt://broker.example:1884")
    listeners = Listeners(tls=Listener(8883), identity=True)
    write_accounts(parks, place, listeners, prune=False)
    first = serial(tmp_path, "demo.gw-1"), serial(tmp_path, "demo.gw-2")
    write_certificates(tmp_path, ["broker.example"], wanted(parks), NOW + LIFE - timedelta(days=20))
    renewed = serial(tmp_path, "demo.gw-1"), serial(tmp_path, "demo.gw-2")
    assert set(first).isdisjoint(renewed)
    assert revoked(tmp_path) == set()
    without = [park.model_copy(update={"gateways": park.gateways[1:]}) for park in parks if park.id == "demo"]
    outcome = write_accounts(without, place, listeners, prune=True)
    assert "demo.gw-1" in outcome.removed
    assert {first[0], renewed[0]} <= revoked(tmp_path)
    assert not {first[1], renewed[1]} & revoked(tmp_path)
    assert not list((tmp_path / "accounts").glob("demo.gw-1.*"))
    before = revoked(tmp_path)
    assert not write_accounts(without, place, listeners, prune=True).changed
    assert revoked(tmp_path) == before


def test_a_certificate_that_was_deleted_is_revoked_when_the_new_one_is_made(tmp_path: Path) -> None:
    write_certificates(tmp_path, ["broker.example"], ["demo.gw-1"], NOW)
    stolen = serial(tmp_path, "demo.gw-1")
    (tmp_path / "accounts" / "demo.gw-1.pem").unlink()
    write_certificates(tmp_path, ["broker.example"], ["demo.gw-1"], NOW)
    assert revoked(tmp_path) == {stolen}
    assert serial(tmp_path, "demo.gw-1") != stolen


def test_an_authority_that_ends_too_soon_or_lost_its_key_says_so(tmp_path: Path) -> None:
    write_certificates(tmp_path, ["broker.example"], [], NOW)
    with pytest.raises(OperatorError, match="before what it would sign"):
        write_certificates(tmp_path, ["broker.example"], [], NOW + timedelta(days=3000))
    (tmp_path / "tls" / "ca.key").unlink()
    with pytest.raises(OperatorError, match="no authority that can sign"):
        write_certificates(tmp_path, ["broker.example"], [], NOW)


@pytest.mark.parametrize("host", ["", "http://broker", "broker:8883", "máy-chủ"])
def test_an_invalid_host_is_refused(tmp_path: Path, host: str) -> None:
    with pytest.raises(OperatorError, match="neither a host's name nor an address"):
        write_certificates(tmp_path, [host], [], NOW)


def test_a_name_that_does_not_fit_into_a_certificate_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="use its password"):
        write_certificates(tmp_path, ["broker"], ["p" * 40 + "." + "g" * 40], NOW)


def test_no_number_in_the_shipped_configuration_is_one_that_a_version_misreads() -> None:
    """mosquitto 2.1 refuses a number beyond 31 bits, 2.0 reads it as no bound; a memory limit has 63 bits in both."""
    lines = (line.split() for line in SHIPPED_CONFIGURATION.read_text().splitlines() if line and line[0] != "#")
    numbers = {name: int(value) for name, value in lines if value.isdigit()}
    assert all(0 < number < 2**31 for name, number in numbers.items() if name != "memory_limit")
    assert (
        2 * (numbers["max_queued_bytes"] + 430 * numbers["max_queued_messages"]) < numbers["memory_limit"] < 3 * 2**30
    )


def test_a_secret_has_letters_of_both_kinds_digits_and_a_mark() -> None:
    made = {generate() for _ in range(200)}
    assert len(made) == 200
    for secret in made:
        assert re.fullmatch(r"[A-Za-z0-9_-]{32}", secret)
        for kind in ("[a-z]", "[A-Z]", "[0-9]", "[_-]"):
            assert re.search(kind, secret), secret
