"""Latents: their rates, the normalisation that is undone, and their axes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tonearm
from tonearm.arrays.options import ArrayOptions
from tonearm.arrays.read import read_array
from tonearm.errors import ItemError, PipelineError
from tonearm.kinds.latent import LatentKind, LatentOptions
from tonearm.plugins.context import Context
from tonearm.plugins.ports import Spec
from tonearm.signals import LatentFormat, Latents

FORMAT = LatentFormat(name="oobleck", sample_rate=44100, samples_per_frame=2048, bands=6)
RATES: dict[str, Any] = {"name": "oobleck", "sample_rate": 44100, "samples_per_frame": 2048}
STORED = np.random.default_rng(1).normal(size=(6, 20)).astype("f4")


def read(array: Any, *, axes: list[str] | None = None, precision: Any = "single", **options: Any) -> list[Any]:
    kind = LatentKind(LatentOptions(**RATES | {"n_bands": 6} | options))
    given = ArrayOptions(kind=kind, axes=axes, precision=precision)
    assert not list(given.problems())
    return list(read_array(array, given, Context()))


def problems(**options: Any) -> list[str]:
    return [problem.message for problem in LatentKind(LatentOptions(**options)).problems(None)]


@pytest.mark.parametrize(
    ("rates", "expected"),
    [
        ({"sample_rate": 44100, "samples_per_frame": 2048}, (44100, 2048)),
        ({"sample_rate": 44100, "frame_rate": 21.533203125}, (44100, 2048)),
        ({"sample_rate": 44100, "frame_rate": 86.13}, (44100, 512)),
        ({"frame_rate": 12.5, "samples_per_frame": 1920}, (24000, 1920)),
        ({"sample_rate": 24000, "frame_rate": 12.5, "samples_per_frame": 1920}, (24000, 1920)),
    ],
)
def test_two_rates_give_the_third(rates: dict[str, Any], expected: tuple[int, int]) -> None:
    assert problems(**rates) == []
    kind = LatentKind(LatentOptions(**rates))
    assert kind.options.rates() == expected
    assert kind.spec().sample_rate == expected[0]
    (found,) = kind.spec().carried.values()
    assert isinstance(found, LatentFormat)
    assert found.samples_per_frame == expected[1]


@pytest.mark.parametrize(
    ("rates", "expected"),
    [
        ({"sample_rate": 44100}, "'samples_per_frame' is missing"),
        ({"samples_per_frame": 2048}, "'sample_rate' is missing"),
        ({"frame_rate": 50.0}, "'sample_rate' is missing"),
        ({"sample_rate": 44100, "frame_rate": 50.0, "samples_per_frame": 2048}, "a frame has 882 samples, not 2048"),
        ({"sample_rate": 44100, "frame_rate": 86.0}, "a frame has 512.790698 samples, no whole number"),
        ({"frame_rate": 12.51, "samples_per_frame": 1010}, "is 12635.1, no whole sample rate"),
    ],
)
def test_rates_that_are_missing_or_contradict_each_other(rates: dict[str, Any], expected: str) -> None:
    (found,) = problems(**rates)
    assert expected in found


@pytest.mark.parametrize("frame_rate", [1e-310, 1e308])
def test_frame_rates_that_nothing_has_are_refused(frame_rate: float) -> None:
    with pytest.raises(PipelineError, match="frame_rate") as caught:
        tonearm.to_waveform(np.zeros((8, 50)), kind="latent", frame_rate=frame_rate, samples_per_frame=10)
    assert [problem.code for problem in caught.value.problems] == ["bad-option"]


def test_the_format_is_known_beforehand() -> None:
    kind = LatentKind(LatentOptions(**RATES, n_bands=6, length=40000))
    expected = Spec(signals=(Latents,), sample_rate=44100, length=40000).carrying(FORMAT)
    assert kind.spec() == expected


def test_scale_and_shift_are_undone_as_diffusers_does() -> None:
    (found,) = read(STORED, scale=0.5, shift=0.25)
    np.testing.assert_allclose(found.values[0], STORED / 0.5 + 0.25, rtol=1e-6)
    assert (found.format, found.values.dtype, found.bands) == (FORMAT, np.float32, 6)
    (found,) = read(STORED, shift=1.0)
    np.testing.assert_allclose(found.values[0], STORED + 1, rtol=1e-6)


def test_mean_and_deviation_are_undone_by_band() -> None:
    mean, std = [float(band) for band in range(6)], [0.5 + band for band in range(6)]
    (found,) = read(STORED, mean=mean, std=std)
    np.testing.assert_allclose(found.values[0], STORED * np.array(std)[:, None] + np.array(mean)[:, None], rtol=1e-5)


def test_double_precision_is_kept() -> None:
    (found,) = read(STORED.astype("f8"), precision="double", scale=3.0)
    assert found.values.dtype == np.float64
    assert (found.values[0] == STORED.astype("f8") / 3.0).all()


def test_the_number_of_bands_tells_the_axes() -> None:
    (found,) = read(STORED.T.copy(), n_bands=6)
    assert (found.values[0] == STORED).all()
    (found,) = read(STORED.T.copy(), n_bands=None, mean=[0.0] * 6)
    assert (found.values[0] == STORED).all()


def test_batches_and_channels() -> None:
    given = np.stack([STORED, STORED * 2])
    one, two = read(given, axes=["batch", "band", "frame"])
    assert (two.values[0] == STORED * 2).all()
    (both,) = read(given, axes=["channel", "band", "frame"], length=123)
    assert (both.values.shape, both.length, one.length) == ((2, 6, 20), 123, None)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"scale": 0.5, "std": 2.0}, "scale and std are two ways"),
        ({"scale": 0.0}, "scale must be other than 0"),
        ({"std": [1.0, -1.0]}, "std must be above 0"),
        ({"mean": [0.0, 1.0], "std": [1.0, 1.0, 1.0]}, "different numbers of bands: mean 2, std 3"),
        ({"shift": [0.0, 1.0], "n_bands": 4}, "different numbers of bands: shift 2, n_bands 4"),
    ],
)
def test_contradictions_of_the_normalisation(options: dict[str, Any], expected: str) -> None:
    (found,) = problems(**RATES | options)
    assert expected in found


def test_values_for_other_bands_are_refused() -> None:
    with pytest.raises(ItemError) as caught:
        read(STORED, n_bands=None, mean=[0.0] * 20, axes=["band", "frame"])
    assert caught.value.code == "bins-mismatch"
