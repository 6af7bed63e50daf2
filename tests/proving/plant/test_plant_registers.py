import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.modbusmap import Map, decode, plan
from metering.meters import Register
from proving.plant.registers import Face, counter, encode, gauge

INTEGERS = ("uint16", "int16", "uint32", "int32", "uint64", "int64")
SCALES = st.sampled_from([1.0, 0.5, 0.1, 0.01, 0.001, 10.0])
ORDERS = st.sampled_from(["ABCD", "CDAB", "BADC", "DCBA"])


def face_of(kind: str, scale: float, order: str = "ABCD", rollover: float | None = None) -> tuple[Face, Map]:
    """One quantity as the plant shows it, and the map by which a gateway reads it."""
    place = {"address": 0, "type": kind, "scale": scale, "unavailable": []}
    chart = Map.model_validate({"addresses_from": 0, "order": order, "registers": {"q": place}})
    return Face(Register(rollover=rollover, resolution=scale), chart.registers["q"][0], chart.order), chart


def received(face: Face, chart: Map, shown: float) -> float | None:
    (request,) = plan({"m": chart})
    return decode(request, encode(face, shown)).values.get("m", {}).get("q")


@given(st.sampled_from(["uint16", "uint32", "int32", "uint64", "int64"]), SCALES, ORDERS, st.floats(0.0, 6e4))
def test_a_counter_shows_complete_steps_and_survives_the_wire(
    kind: str, scale: float, order: str, total: float
) -> None:
    face, chart = face_of(kind, scale, order, 6000.0 * scale)
    shown = float(counter(face, np.array([total]))[0])
    assert 0.0 <= shown < 6000.0 * scale
    left = (total - shown) / (6000.0 * scale)
    assert abs(left - round(left)) * 6000.0 <= 1.001
    assert received(face, chart, shown) == shown


@given(st.sampled_from([*INTEGERS, "float32", "float64"]), SCALES, ORDERS, st.floats(-1e6, 1e6))
def test_a_gauge_shows_the_nearest_value_in_its_range(kind: str, scale: float, order: str, value: float) -> None:
    face, chart = face_of(kind, scale, order)
    shown = float(gauge(face, np.array([value]))[0])
    assert received(face, chart, shown) == pytest.approx(shown, rel=1e-6, abs=1e-30)
    if kind in {"int32", "int64"}:
        assert abs(shown - value) <= 0.5001 * scale
    if kind == "uint16":
        assert 0.0 <= shown <= 65535 * scale * 1.0001


def test_words_come_in_the_order_of_the_map() -> None:
    shown = 0x12345678 / 100
    words = {order: encode(face_of("uint32", 0.01, order)[0], shown) for order in ("ABCD", "CDAB", "BADC", "DCBA")}
    assert words == {
        "ABCD": [0x1234, 0x5678],
        "CDAB": [0x5678, 0x1234],
        "BADC": [0x3412, 0x7856],
        "DCBA": [0x7856, 0x3412],
    }


def test_an_instrument_that_is_not_on_modbus_shows_thousandths() -> None:
    face = Face(Register())
    assert counter(face, np.array([1.23456])).tolist() == [1.234]
    assert gauge(face, np.array([1.2345])).tolist() == [1.234]
