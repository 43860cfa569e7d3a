"""The base of signals, and the checks that they share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from tonearm.errors import SignalError
from tonearm.signals import Signal, check_array, check_length, describe


class Fog(Signal):
    port = "fog"


class Pair(Signal):
    port = "pair"

    def arrays(self) -> tuple[Any, ...]:
        return np.zeros((2, 3)), np.zeros(4)


def test_a_description_has_port_shapes_and_rate() -> None:
    assert describe(Fog()) == "fog"
    assert describe(Pair()) == "pair 2×3 and 4"
    rated = Fog()
    rated.sample_rate = 8000  # type: ignore[attr-defined]
    assert repr(rated) == "<fog at 8000 Hz>"


@pytest.mark.parametrize(
    ("arrays", "expected"),
    [
        ((np.zeros(3),), True),
        ((np.zeros(3, ">f8"),), True),
        ((np.zeros(3, "f4"), np.zeros(3, "c16")), True),
        ((np.zeros(3, "f4"),), False),
        ((np.zeros(3, "c8"),), False),
        ((np.zeros(3, int),), False),
        ((), False),
    ],
)
def test_whether_a_signal_is_in_double_precision(arrays: tuple[Any, ...], expected: bool) -> None:
    class Some(Signal):
        def arrays(self) -> tuple[Any, ...]:
            return arrays

    assert Some().is_double is expected


@pytest.mark.parametrize(
    ("array", "code", "message"),
    [
        ([[1.0]], "bad-signal", "a fog holds an array, not list"),
        (np.zeros(3), "bad-signal", "a fog is (a, b), not an array of shape (3,)"),
        (np.zeros((2, 3), int), "bad-signal", "a fog holds float values, not int64"),
        (np.zeros((2, 0)), "empty", "the fog is empty: its shape is (2, 0)"),
    ],
)
def test_an_array_is_checked(array: Any, code: str, message: str) -> None:
    with pytest.raises(SignalError) as caught:
        check_array("fog", array, rank=2, kinds="f", shape="(a, b)")
    assert (caught.value.code, caught.value.message) == (code, message)


@pytest.mark.parametrize("length", [0, -1, 2.0, True, "3"])
def test_a_length_is_a_whole_number(length: object) -> None:
    with pytest.raises(SignalError, match="not a number of samples of at least 1"):
        check_length(length)


def test_a_length_may_be_unknown() -> None:
    check_length(None)
    check_length(1)


def test_a_dataclass_shows_no_arrays_even_if_it_does_not_say_so() -> None:
    @dataclass(frozen=True)
    class Cloud(Signal):
        values: Any
        _drops: int = 3
        port = "cloud"

        def arrays(self) -> tuple[Any, ...]:
            return (self.values,)

    assert repr(Cloud(np.zeros((2, 3)))) == "<cloud 2×3>"


def test_a_signal_with_a_representation_of_its_own_keeps_it_and_hands_it_on() -> None:
    class Own(Signal):
        def __repr__(self) -> str:
            return "own"

    @dataclass
    class Heir(Own):
        count: int = 0

    assert (repr(Own()), repr(Heir())) == ("own", "own")
