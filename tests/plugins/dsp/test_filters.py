"""Butterworth filters, against their transfer function in closed form and scipy over whole channels."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.signal

from tonearm_plugins.dsp.blocks import BLOCK_LENGTH
from tonearm_plugins.dsp.filters import LEAST_LENGTH, SectionFilter, apply_filter, butterworth


@pytest.mark.parametrize("order", [1, 4, 7])
def test_a_low_pass_has_butterworths_response(order: int) -> None:
    hertz = np.array([100, 1000, 1500, 3000.0])
    _, found = scipy.signal.sosfreqz(butterworth("lowpass", 1000, 16000, order), hertz, fs=16000)
    warped = np.tan(np.pi * hertz / 16000) / np.tan(np.pi * 1000 / 16000)
    np.testing.assert_allclose(np.abs(found), 1 / np.sqrt(1 + warped ** (2 * order)), rtol=1e-9)


def test_blocks_are_filtered_as_one() -> None:
    sections = butterworth("bandpass", [300, 3400], 16000, 4)
    samples = np.random.default_rng(0).standard_normal((2, 2 * BLOCK_LENGTH + 9))
    np.testing.assert_allclose(apply_filter(samples, sections), scipy.signal.sosfilt(sections, samples), atol=1e-12)


@pytest.mark.parametrize("kind", ["f4", "f8"])
@pytest.mark.parametrize("length", [1, 2, 9, 1000, 2 * BLOCK_LENGTH + 9])
def test_both_ways_is_scipys_to_the_bit_however_short(length: int, kind: str) -> None:
    sections = butterworth("bandpass", [300, 3400], 16000, 4)
    samples = np.random.default_rng(length).standard_normal((2, length)).astype(kind)
    padding = min(3 * (2 * len(sections) + 1 - int((sections[:, 2] == 0).sum())), length - 1)
    expected = scipy.signal.sosfiltfilt(sections, samples.astype("f8"), padlen=padding).astype(kind)
    np.testing.assert_array_equal(apply_filter(samples, sections, zero_phase=True), expected)


@pytest.mark.parametrize("zero_phase", [False, True])
def test_nan_stays_and_disturbs_nothing(zero_phase: bool) -> None:
    sections = butterworth("highpass", 80, 16000, 2)
    samples = np.random.default_rng(1).standard_normal((1, 500)).astype("f4")
    zeroed = samples.copy()
    samples[0, 100], zeroed[0, 100] = np.nan, 0
    found = apply_filter(samples, sections, zero_phase=zero_phase)
    expected = apply_filter(zeroed, sections, zero_phase=zero_phase)
    assert (found.dtype, np.isnan(found[0, 100])) == ("f4", True)
    np.testing.assert_array_equal(np.delete(found, 100), np.delete(expected, 100))


@pytest.mark.parametrize("zero_phase", [False, True])
def test_threads_change_no_bit(zero_phase: bool) -> None:
    sections = butterworth("bandpass", [300, 3400], 16000, 4)
    samples = np.random.default_rng(2).standard_normal((3, LEAST_LENGTH + 9)).astype("f4")
    one, several = (apply_filter(samples, sections, zero_phase=zero_phase, threads=threads) for threads in (1, 3))
    np.testing.assert_array_equal(several, one)


def test_a_filter_goes_on_in_the_next_block_in_any_number_of_threads() -> None:
    sections = butterworth("highpass", 100, 16000, 2)
    samples = np.random.default_rng(3).standard_normal((2, 2 * LEAST_LENGTH))
    several = SectionFilter(sections, threads=2)
    found = [several.push(samples[:, :LEAST_LENGTH]), several.push(samples[:, LEAST_LENGTH:], is_last=True)]
    np.testing.assert_array_equal(np.concatenate(found, axis=1), apply_filter(samples, sections))
