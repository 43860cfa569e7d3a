"""The kernel of true peaks, against the filters over whole channels in float64."""

from __future__ import annotations

import numpy as np
import pytest
from dsp_material import NARROW, only_native
from meter_material import noise

from tonearm_plugins.dsp.engines.native import true_peak_kernel
from tonearm_plugins.dsp.engines.native.true_peak_kernel import AHEAD, GROUP, PART_LENGTH, TILE
from tonearm_plugins.dsp.interpolation import HALO, TAPS, interpolation_filters

pytestmark = only_native

LENGTHS = [1, 31, GROUP, GROUP + 1, TILE * GROUP - 1, TILE * GROUP + 1, 3 * TILE * GROUP + 77, PART_LENGTH + 5]


def peaks_of(channel: np.ndarray) -> np.ndarray:
    """Return the true peak at each sample, in float64."""
    padded = np.pad(channel.astype("f8"), (TAPS // 2 - 1, TAPS // 2))
    between = [np.correlate(padded, taps, "valid") for taps in interpolation_filters()]
    return np.max(np.abs([channel, *between]), axis=0)


@pytest.mark.parametrize("machine", [NARROW, None])
@pytest.mark.parametrize("length", LENGTHS)
def test_peaks_are_those_of_the_filters_wherever_groups_and_tiles_end(machine, length) -> None:
    channel = noise(length / 8000, 8000, 1, seed=length)[0]
    wanted = peaks_of(channel)
    for part in (slice(0, length), slice(length // 3, length - length // 5)):
        found = true_peak_kernel.interpolated_envelope(channel, part, 0.0, machine)
        np.testing.assert_allclose(found, wanted[part], rtol=0, atol=1e-6 * wanted.max())
    assert true_peak_kernel.highest_interpolated(channel[None], machine) == pytest.approx(wanted.max(), rel=1e-6)


@pytest.mark.parametrize("machine", [NARROW, None])
def test_there_is_a_group_to_read_where_there_are_no_samples(machine, monkeypatch) -> None:
    read, sizes = true_peak_kernel.float32_part, []

    def noted(channel: np.ndarray, start: int, size: int) -> np.ndarray:
        sizes.append(size)
        return read(channel, start, size)

    monkeypatch.setattr(true_peak_kernel, "float32_part", noted)
    assert true_peak_kernel.highest_interpolated(np.zeros((2, 0), "f4"), machine) == 0
    assert true_peak_kernel.interpolated_envelope(np.ones(99, "f4"), slice(7, 7), 0.5, machine).size == 0
    assert sizes == [HALO + GROUP + AHEAD] * 3


@pytest.mark.parametrize("machine", [NARROW, None])
def test_peaks_between_quiet_samples_are_found_wherever_they_lie(machine) -> None:
    for place in range(3 * GROUP):
        channel = np.full(6 * GROUP, 1e-3, "f4")
        channel[place + GROUP : place + GROUP + 2] = 0.5  # the peak lies between the two
        found = true_peak_kernel.highest_interpolated(channel[None], machine)
        assert found == pytest.approx(peaks_of(channel).max(), rel=1e-6)
        assert found > 0.6


def test_threads_and_views_change_no_bit() -> None:
    samples = noise(30, 8000, 3)
    found = true_peak_kernel.highest_interpolated(samples)
    assert true_peak_kernel.highest_interpolated(samples, threads=3) == found
    assert true_peak_kernel.highest_interpolated(np.asfortranarray(samples)) == found
