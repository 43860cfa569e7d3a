"""What decoders of sound share: precision, full scale and NaN, the same for each of them."""

from __future__ import annotations

import numpy as np
import pytest

from tonearm.api import Context, ItemError
from tonearm_plugins.decoders.waveforms import waveforms


def read(samples: np.ndarray, **options: object) -> tuple[list[np.ndarray], list[str]]:
    given = {"sample_rate": 8000, "full_scale": None, "nan": "error"} | options
    warnings: list[str] = []
    found = list(
        waveforms(samples, given.pop("axes", ("channel", "time")), context=Context(on_warning=warnings.append), **given)
    )  # type: ignore[arg-type]
    assert all(one.sample_rate == 8000 for one in found)
    return [one.samples for one in found], warnings


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_the_precision_is_that_of_the_samples(dtype: str) -> None:
    samples = np.array([[0.1, -0.1]], dtype)
    ((found,), _) = read(samples)
    assert found.dtype == dtype
    assert np.array_equal(found, samples)


def test_axes_may_be_in_either_order() -> None:
    samples = np.arange(6, dtype="f4").reshape(2, 3) / 8
    assert np.array_equal(read(samples)[0][0], samples)
    assert np.array_equal(read(samples.T, axes=("time", "channel"))[0][0], samples)


def test_full_scale_divides() -> None:
    samples = np.array([[16384.0, -32768.0]], "f4")
    with pytest.raises(ItemError) as caught:
        read(samples)
    assert caught.value.code == "beyond-full-scale"
    assert read(samples, full_scale=32768.0)[0][0].tolist() == [[0.5, -1.0]]


def test_nan_is_refused_replaced_or_kept() -> None:
    samples = np.array([[0.5, np.nan]], "f4")
    with pytest.raises(ItemError) as caught:
        read(samples)
    assert caught.value.code == "not-finite"
    (found,), warnings = read(samples, nan="zero")
    assert found.tolist() == [[0.5, 0]]
    assert len(warnings) == 1
    (found,), warnings = read(samples, nan="keep")
    assert np.isnan(found[0, 1])
    assert warnings == []
