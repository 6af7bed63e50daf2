import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metering.meters import Register
from proving.plant.registers import counter, decode, encode, gauge

INTEGERS = ("uint16", "int16", "uint32", "int32", "uint64", "int64")
SCALES = st.sampled_from([1.0, 0.5, 0.1, 0.01, 0.001, 10.0])


@given(st.sampled_from(["uint16", "uint32", "int32", "uint64", "int64"]), SCALES, st.floats(0.0, 6e4))
def test_a_counter_shows_complete_steps_and_survives_the_wire(kind: str, scale: float, total: float) -> None:
    register = Register.model_validate({"address": 0, "type": kind, "scale": scale, "rollover": 6000.0 * scale})
    shown = float(counter(register, np.array([total]))[0])
    assert 0.0 <= shown < 6000.0 * scale
    left = (total - shown) / (6000.0 * scale)
    assert abs(left - round(left)) * 6000.0 <= 1.001
    assert decode(register, encode(register, shown)) == shown


@given(st.sampled_from([*INTEGERS, "float32", "float64"]), SCALES, st.floats(-1e6, 1e6))
def test_a_gauge_shows_the_nearest_value_in_its_range(kind: str, scale: float, value: float) -> None:
    register = Register.model_validate({"address": 0, "type": kind, "scale": scale})
    shown = float(gauge(register, np.array([value]))[0])
    assert decode(register, encode(register, shown)) == pytest.approx(shown, rel=1e-6, abs=1e-30)
    if kind in {"int32", "int64"}:
        assert abs(shown - value) <= 0.5001 * scale
    if kind == "uint16":
        assert 0.0 <= shown <= 65535 * scale * 1.0001


def test_words_are_big_endian_and_the_first_is_the_most_significant() -> None:
    register = Register.model_validate({"address": 0, "type": "uint32", "scale": 0.01})
    assert encode(register, 0x12345 / 100) == [0x1, 0x2345]
    assert register.words == 2


def test_a_register_that_no_modbus_type_describes_has_no_words() -> None:
    register = Register()
    assert register.words == 0
    assert counter(register, np.array([1.23456])).tolist() == [1.234]
    assert gauge(register, np.array([1.2345])).tolist() == [1.234]
    with pytest.raises(ValueError, match="no words"):
        encode(register, 1.0)
    with pytest.raises(ValueError, match="no words"):
        decode(register, [])
