"""The option bands takes a part of an axis."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from array_options import array_options
from tonearm.arrays.bands import bands_problems, take_bands
from tonearm.arrays.read import read_array
from tonearm.errors import ChooseOption, ItemError, SetOption
from tonearm.plugins.context import Context
from tonearm.recipes.mel import MelSpectrogram
from tonearm.signals import MagnitudeSpectrogram

STFT: dict[str, Any] = {"sample_rate": 8000, "n_fft": 16, "hop_length": 4}
MEL = np.random.default_rng(3).uniform(-11, 1, (80, 90)).astype("f4")


def features(extra: int = 3) -> np.ndarray:
    """Return frames of 80 bands and more, such as Kaldi's three for the pitch."""
    return np.concatenate([MEL, np.full((extra, 90), 77, "f4")]).T


def dialect() -> Any:
    """Return the dialect hifigan, as a pipeline does."""
    from tonearm.api import MelDialect
    from tonearm.plugins.registry import default

    return default().catalogue(MelDialect).find("hifigan")


@pytest.mark.parametrize(
    ("array", "axes", "bands"),
    [
        (features(), ["frame", "mel"], [0, 80]),
        (features().T, ["mel", "frame"], [0, 80]),
        (features()[None], ["batch", "frame", "mel"], [0, 80]),
        (features()[None], ["frame", "mel"], [0, 80]),
        (np.roll(features(), 3, axis=1), ["frame", "mel"], [3, 83]),
        (features()[:40], None, [0, 80]),  # only one axis is long enough
        (MEL, ["mel", "frame"], [0, 80]),
    ],
)
def test_a_part_of_the_bands_is_read(array: np.ndarray, axes: list[str] | None, bands: list[int]) -> None:
    options = array_options(kind="mel", dialect=dialect(), axes=axes, bands=bands)
    (found,) = read_array(array, options, Context())
    assert isinstance(found, MelSpectrogram)
    np.testing.assert_array_equal(found.values[0], MEL[:, : found.frames])


def test_an_energy_row_beside_the_bins_is_left_out() -> None:
    values = np.abs(np.random.default_rng(4).standard_normal((9, 5))).astype("f4")
    options = array_options(kind="magnitude", bands=[1, 10], axes=["bin", "frame"], **STFT)
    (found,) = read_array(np.concatenate([np.full((1, 5), -9, "f4"), values]), options, Context())
    assert isinstance(found, MagnitudeSpectrogram)
    np.testing.assert_array_equal(found.values[0], values)


@pytest.mark.parametrize(
    ("shape", "orders"),
    [
        ((83, 240), (["mel", "frame"], ["frame", "mel"])),
        ((240, 83), (["frame", "mel"], ["mel", "frame"])),  # as Kaldi's features
    ],
)
def test_two_long_axes_are_ambiguous_and_the_one_with_few_other_bands_comes_first(shape: Any, orders: Any) -> None:
    with pytest.raises(ItemError, match="ambiguous: bands are a part of the mel axis") as caught:
        take_bands(np.zeros(shape), None, ("mel", "frame"), {"mel": slice(0, 80)})
    assert caught.value.remedies == (ChooseOption("axes", orders),)


def test_a_third_axis_needs_names() -> None:
    with pytest.raises(ItemError) as caught:
        take_bands(np.zeros((2, 40, 83)), None, ("mel", "frame"), {"mel": slice(0, 80)})
    assert caught.value.remedies == (ChooseOption("axes", (["batch", "frame", "mel"],)),)


def test_bands_beyond_the_axis_are_an_error() -> None:
    with pytest.raises(ItemError, match=r"bands go up to 84, but the mel axis of shape .* has 83") as caught:
        take_bands(np.zeros((40, 83)), ["frame", "mel"], ("mel", "frame"), {"mel": slice(4, 84)})
    assert caught.value.code == "bins-mismatch"


@pytest.mark.parametrize(
    ("bands", "count", "message"),
    [
        ([0, 80], 80, None),
        (None, 80, None),
        ([3, 83], None, None),
        ([0, 83], 80, r"bands \[0, 83\] takes 83, but the mel axis needs 80"),
        ([80, 0], 80, "no range"),
        ([-3, 80], 80, "no range"),
    ],
)
def test_problems_of_bands(bands: list[int] | None, count: int | None, message: str | None) -> None:
    import re

    found = list(bands_problems(bands, count, "mel"))
    assert len(found) == (message is not None)
    assert all(re.search(str(message), one.message) for one in found)


def test_the_number_of_bands_that_fits_is_advised() -> None:
    (problem,) = bands_problems([2, 83], 80, "mel")
    assert problem.remedies == (SetOption("bands", [2, 82]),)


def test_check_knows_bands() -> None:
    problems = list(array_options(kind="mel", dialect=dialect(), bands=[0, 83]).problems())
    assert [one.option for one in problems] == ["bands"]
    assert not list(array_options(kind="mel", dialect=dialect(), bands=[0, 80]).problems())
    (problem,) = array_options(kind="magnitude", bands=[0, 10], **STFT).problems()
    assert problem.remedies == (SetOption("bands", [0, 9]),)


def test_more_bands_than_the_dialect_has_are_a_part_of_the_axis() -> None:
    with pytest.raises(ItemError) as caught:
        list(read_array(features(), array_options(kind="mel", dialect=dialect(), axes=["frame", "mel"]), Context()))
    assert SetOption("bands", [0, 80], when="if the first 80 of 83 are the mel bands") in caught.value.remedies


@pytest.mark.parametrize("bands", ["0,80", "[0, 80]"])
def test_bands_are_a_flag(bands: str, tmp_path: Any) -> None:
    from tonearm.cli.main import main

    np.save(tmp_path / "a.npy", features())
    given = ["--dialect", "hifigan", "--axes", "frame,mel", "--bands", bands, "--limit", "clipped=1"]
    assert main(["convert", str(tmp_path / "a.npy"), str(tmp_path / "a.wav"), *given]) == 0
