"""Conventions are what the libraries do by default, and give grids."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import librosa
import numpy as np
import pytest
import scipy.signal

from tonearm.errors import OptionError
from tonearm.signals import CONVENTION_FIELDS, StftGrid
from tonearm.signals.conventions import (
    CONVENTIONS,
    ConventionName,
    ConventionOptions,
    convention_fields,
    grid_from_options,
)

SIZES: dict[str, Any] = {"sample_rate": 8000, "n_fft": 64, "hop_length": 16}


def defaults(function: Any) -> dict[str, Any]:
    return {name: value.default for name, value in inspect.signature(function).parameters.items()}


@dataclass(frozen=True, kw_only=True)
class Options(ConventionOptions):
    """Options of a plugin."""

    n_fft: int = 64


def test_every_convention_gives_a_grid_and_is_an_option() -> None:
    assert tuple(CONVENTIONS) == get_args(ConventionName)
    assert {grid_from_options(SIZES, convention=name) for name in CONVENTIONS} >= {StftGrid(**SIZES, win_length=64)}
    assert {name for made in CONVENTIONS.values() for name in made.fields} <= {
        "padding",
        "pad_mode",
        "window",
        *CONVENTION_FIELDS,
    }


def test_librosas_defaults_are_those_of_a_grid() -> None:
    found = defaults(librosa.stft)
    assert (found["center"], found["pad_mode"], found["window"]) == (True, "constant", "hann")
    assert not convention_fields("librosa")


def test_scipys_fields_are_its_defaults() -> None:
    found = defaults(scipy.signal.stft)
    assert found["window"] in ("hann", "hann_periodic")
    assert (found["boundary"], found["padded"], found["scaling"]) == ("zeros", True, "spectrum")
    assert found["return_onesided"] is True
    made = grid_from_options(SIZES, convention="scipy")
    assert (made.padding, made.pad_mode, made.tail, made.scaling) == ("center", "constant", "pad", "spectrum")
    assert (made.sides, made.window_position, made.phase_origin) == ("one", "start", "frame-start")


def test_the_fields_of_scipys_class_are_its_defaults() -> None:
    found = defaults(scipy.signal.ShortTimeFFT.__init__)
    assert (found["fft_mode"], found["scale_to"], found["phase_shift"]) == ("onesided", None, 0)
    assert defaults(scipy.signal.ShortTimeFFT.stft)["padding"] == "zeros"
    made = grid_from_options(SIZES, convention="scipy-short-time-fft")
    assert (made.padding, made.scaling, made.sides, made.phase_origin) == ("full", "none", "one", "window-center")


def test_what_is_given_counts_over_the_convention() -> None:
    made = grid_from_options({**SIZES, "sides": "one", "padding": None, "win_length": 48}, convention="matlab")
    assert (made.sides, made.padding, made.win_length, made.window_position) == ("one", "none", 48, "start")


def test_a_window_from_a_file_gives_the_length_of_the_window(tmp_path: Path) -> None:
    np.save(tmp_path / "w.npy", np.hamming(40))
    made = grid_from_options({**SIZES, "window": str(tmp_path / "w.npy")})
    assert made.win_length == 40
    assert made.window == tuple(np.hamming(40).tolist())
    with pytest.raises(OptionError, match="the window has 40 values, but win_length is 64"):
        grid_from_options({**SIZES, "window": str(tmp_path / "w.npy"), "win_length": 64})


def test_an_unknown_convention_suggests_the_nearest() -> None:
    with pytest.raises(OptionError, match="there is no convention 'tensorflo'") as caught:
        grid_from_options(SIZES, convention="tensorflo")
    assert (caught.value.option, caught.value.hint) == ("convention", "did you mean 'tensorflow'?")


def test_options_have_every_field_of_a_convention() -> None:
    assert tuple(ConventionOptions.__dataclass_fields__) == ("convention", *CONVENTION_FIELDS)
    options = Options(convention="scipy", scaling="psd")
    assert options == Options(convention="scipy", scaling="psd") != Options(convention="scipy")
    assert options.stft_grid(**SIZES, padding=None) == grid_from_options(
        {**SIZES, "scaling": "psd"}, convention="scipy"
    )


def test_notes_name_fields_that_exist() -> None:
    for made in CONVENTIONS.values():
        for name, value in re.findall(r"`(\w+): ([\w-]+)`", made.notes):
            if name == "kind":
                assert value in ("magnitude", "power", "complex", "db")
                continue
            assert getattr(grid_from_options({**SIZES, name: value}), name) == value
