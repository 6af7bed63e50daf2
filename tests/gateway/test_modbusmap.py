"""What words mean: round trips against an encoder written for this test alone, and the field cases of register maps."""

import math
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import ryaml
from hypothesis import given
from hypothesis import strategies as st

from gateway.drivers import faults, lines_of
from gateway.modbus import ModbusMeterBlock
from gateway.modbusmap import DecodedWords, Map, decode, plan, wrong_in
from metering.parkfile import load_park

KINDS = Path(__file__).parents[1] / "cases" / "modbus" / "kinds"
STRUCTS = {
    "uint16": "H",
    "int16": "h",
    "uint32": "I",
    "int32": "i",
    "uint64": "Q",
    "int64": "q",
    "float32": "f",
    "float64": "d",
}
ORDERS = ("ABCD", "CDAB", "BADC", "DCBA")


def shuffled(data: bytes, order: str) -> list[int]:
    """Words as a device with that order sends them; `data` has the most significant byte first."""
    places = {"ABCD": (0, 1, 2, 3), "CDAB": (2, 3, 0, 1), "BADC": (1, 0, 3, 2), "DCBA": (3, 2, 1, 0)}[order]
    if len(data) == 4:
        sent = bytes(data[place] for place in places)
    elif order in {"ABCD", "BADC"}:
        sent = b"".join(data[at : at + 2][:: 1 if order == "ABCD" else -1] for at in range(0, len(data), 2))
    else:
        sent = data[::-1] if order == "DCBA" else b"".join(data[at : at + 2] for at in range(len(data) - 2, -1, -2))
    return [sent[at] << 8 | sent[at + 1] for at in range(0, len(sent), 2)]


def read(words: Sequence[int], first: int = 0, **place: Any) -> DecodedWords:
    chart = Map.model_validate({"addresses_from": 0, "registers": {"q": {"address": first, **place}}})
    (request,) = plan({"m": chart})
    return decode(request, words[request.address :][: request.words])


def value(words: Sequence[int], **place: Any) -> float | None:
    return read(words, **place).values.get("m", {}).get("q")


@given(st.sampled_from(sorted(STRUCTS)), st.sampled_from(ORDERS), st.binary(min_size=8, max_size=8))
def test_every_number_comes_through_in_every_order(kind: str, order: str, data: bytes) -> None:
    own = data[: struct.calcsize(STRUCTS[kind])]
    (number,) = struct.unpack(f">{STRUCTS[kind]}", own)
    expected = float(number) if math.isfinite(number) else None
    assert value(shuffled(own, order), type=kind, order=order, unavailable=[]) == expected


@given(st.integers(0, 9_999_999_999_999_999), st.sampled_from(ORDERS), st.sampled_from([16, 32, 64]))
def test_decimal_digits_and_words_modulo_10000_come_through(number: int, order: str, bits: int) -> None:
    digits = number % 10 ** (bits // 4)
    packed = bytes.fromhex(f"{digits:0{bits // 4}d}")
    assert value(shuffled(packed, order), type=f"bcd{bits}", order=order) == float(digits)
    if bits > 16:
        words = [digits // 10_000**at % 10_000 for at in range(bits // 16)][::-1]
        sent = shuffled(struct.pack(f">{len(words)}H", *words), order)
        assert value(sent, type=f"mod10k{bits}", order=order) == float(digits)


@given(st.integers(-32_766, 32_767))
def test_sign_and_magnitude_come_through(number: int) -> None:
    word = abs(number) | (0x8000 if number < 0 else 0)
    assert value([word], type="signmag16") == number


@given(st.integers(-32_767, 32_767), st.integers(-10, 10))
def test_a_scale_factor_is_read_with_its_value(number: int, exponent: int) -> None:
    words = [number & 0xFFFF, 0, exponent & 0xFFFF]
    assert value(words, type="int16", exponent=2) == float(f"{number}e{exponent}")


@pytest.mark.parametrize(
    ("place", "words", "expected"),
    [
        ({"type": "float32", "order": "CDAB"}, [0x8000, 0x4366], 230.5),
        ({"type": "uint32", "order": "CDAB"}, [0x2A4E, 0x0006], 404046),
        ({"type": "bcd32"}, [0x0012, 0x3456], 123456),
        ({"type": "int16", "scale": -0.1}, [1234], -123.4),
        ({"type": "uint16", "scale": 0.1, "sign": 1}, [1234, 0xFFFF], -123.4),
        ({"type": "uint16", "scale": 0.1, "sign": 1}, [1234, 0], 123.4),
        ({"type": "uint16", "scale": 0.001, "exponent": 1}, [2300, 0xFFFE], 0.023),
        ({"type": "uint32", "scale": 0.001}, [0x02DF, 0xA2D3], 48210.643),
    ],
)
def test_kinds_of_registers_on_the_market(place: dict[str, Any], words: list[int], expected: float) -> None:
    """Field cases 22 and 23."""
    assert value(words, **place) == expected


def test_all_of_them_are_written_in_a_park_file_and_read_right() -> None:
    """Field case 23: no fault is found in the file, and each meter's requests and values are those of `words.yaml`."""
    park = load_park(KINDS / "park.yaml", [faults])
    told = ryaml.loads((KINDS / "words.yaml").read_text(encoding="utf-8"))
    assert {each["meter"] for each in told} == park.meter.keys()
    for each in told:
        name, words = each["meter"], [int(word, 16) for word in each["words"].split()]
        requests = plan({name: ModbusMeterBlock.model_validate(park.meter[name].modbus)})
        (asked,) = [one for one in requests if (one.function, one.address) == (each["function"], each["address"])]
        assert asked.words == len(words)
        assert decode(asked, words).values == {name: each["values"]}
    assert [len(lines_of(park, gateway, {}, float)) for gateway in park.gateways] == [1, 1]


def test_values_in_several_registers_are_added_up() -> None:
    """Field case 23: MWh in one register and Wh in the next, read in one request."""
    parts = [{"address": 0, "type": "uint16", "scale": 1000}, {"address": 1, "type": "uint32", "scale": 0.001}]
    chart = Map.model_validate({"addresses_from": 0, "registers": {"energy_kwh": parts}})
    (request,) = plan({"m": chart})
    assert decode(request, [48, 0x0003, 0x395A]).values == {"m": {"energy_kwh": 48_211.29}}
    assert decode(request, [48, 0xFFFF, 0xFFFF]).values == {}


def test_a_sleeping_register_is_left_out_and_costs_no_other() -> None:
    """Field case 21."""
    places = {
        "voltage_v": {"address": 0, "type": "uint16", "scale": 0.1},
        "cod_mgl": {"address": 1, "type": "uint16", "scale": 0.1},
        "pressure_bar": {"address": 2, "type": "uint16", "scale": 0.01},
        "power_kw": {"address": 3, "type": "int32", "scale": 0.01},
        "power_factor": {"address": 5, "type": "int16", "scale": 0.001},
        "energy_kwh": {"address": 6, "type": "uint32", "scale": 0.1},
        "energy_64": {"address": 8, "type": "int64", "scale": 0.001},
    }
    (request,) = plan({"m": Map.model_validate({"addresses_from": 0, "registers": places})})
    words = [0xFFFF, 0xFFFF, 0xFFFF, 0x8000, 0x0000, 0x8000, 0x0006, 0x2A4E, 0x8000, 0, 0, 0]
    found = decode(request, words)
    assert found.values == {"m": {"energy_kwh": 40_404.6}}
    assert {one.quantity for one, _ in found.missing} == places.keys() - {"energy_kwh"}
    assert found.missing[0].why == "0xFFFF says that there is no value"


@pytest.mark.parametrize(
    ("place", "words", "why"),
    [
        ({"type": "int16", "unavailable": [0x7FFF]}, [0x7FFF], "0x7FFF says"),
        ({"type": "int16", "unavailable": [-1]}, [0xFFFF], "0xFFFF says"),
        ({"type": "float32"}, [0x7FC0, 0], "0x7FC00000 says"),
        ({"type": "bcd16"}, [0x12A4], "0xa is no digit"),
        ({"type": "mod10k32"}, [0, 10_000], "0x2710 is no digit"),
        ({"type": "uint16", "sign": 1}, [5, 7], "the sign at 1 is 0x0007"),
        ({"type": "uint16", "exponent": 1}, [5, 0x8000], "the scale factor at 1 is -32768"),
    ],
)
def test_a_value_that_is_no_number_has_a_reason(place: dict[str, Any], words: list[int], why: str) -> None:
    ((_, said),) = read(words, **place).missing
    assert said.startswith(why)


def test_a_register_may_have_no_value_that_means_nothing() -> None:
    assert value([0xFFFF], type="uint16", unavailable=[]) == 65_535
    assert value([0x8000], type="int16", unavailable=[0x7FFF]) == -32_768


@pytest.mark.parametrize(
    ("chart", "says"),
    [
        ({"registers": {"q": {"address": 1, "type": "uint16"}}}, "say which address the maker prints"),
        ({"addresses_from": 30001, "registers": {"q": {"address": 5, "type": "uint16"}}}, "between 30001 and 95536"),
        (
            {"addresses_from": 30001, "function": 3, "registers": {"q": {"address": 30005, "type": "uint16"}}},
            "are read with function 4",
        ),
        (
            {
                "addresses_from": 0,
                "max_words": 8,
                "registers": {"q": {"address": 1, "type": "uint16", "exponent": 30}},
            },
            "takes 30 registers at once, and the device gives 8",
        ),
        ({"addresses_from": 0, "registers": {"q": {"address": 65_535, "type": "uint32"}}}, "between 0 and 65535"),
        ({"addresses_from": 1, "sunspec": [103], "registers": {"q": {"address": 2, "type": "uint16"}}}, "leave it out"),
    ],
)
def test_an_invalid_map_is_refused_with_a_reason(chart: dict[str, Any], says: str) -> None:
    found = [right for _, right in wrong_in(Map.model_validate(chart))]
    assert any(says in right for right in found), found


@given(st.data())
def test_requests_keep_to_the_limits_of_the_device(data: st.DataObject) -> None:
    addresses = data.draw(st.lists(st.integers(0, 300), min_size=1, max_size=40, unique=True))
    most, gap = data.draw(st.integers(4, 125)), data.draw(st.integers(0, 20))
    places = {f"q{at}": {"address": at, "type": "uint64", "unavailable": []} for at in addresses}
    chart = {"addresses_from": 0, "max_words": most, "max_gap": gap, "registers": places}
    requests = plan({"m": Map.model_validate(chart)})
    memory = [at * 7 % 65_536 for at in range(310)]
    found: dict[str, float] = {}
    for request in requests:
        assert request.words <= most
        named = {place for one in request.values for place in range(one.start, one.end)}
        run = 0
        for place in range(request.address, request.address + request.words):
            run = 0 if place in named else run + 1
            assert run <= gap
        words = memory[request.address : request.address + request.words]
        found |= decode(request, words).values["m"]
    assert found == {
        f"q{at}": float(struct.unpack(">Q", struct.pack(">4H", *memory[at : at + 4]))[0]) for at in addresses
    }
