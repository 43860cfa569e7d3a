import numpy as np
import pytest
from dsp_material import NARROW, only_native

from tonearm_plugins.dsp.engines.native import true_peak_kernel


@only_native
@pytest.mark.parametrize("machine", [NARROW, None])
@pytest.mark.parametrize(("span", "taps", "phases"), [(64, 32, 3), (32, 8, 1), (96, 5, 4)])
def test_every_place_has_the_largest_of_the_filters(machine, span, taps, phases):
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((7, span + taps - 1)).astype(np.float32)
    filters = rng.standard_normal((phases, taps)).astype(np.float32)
    found = true_peak_kernel.interpolated_peaks(rows, filters, machine)
    expected = np.array([[np.correlate(row, one, "valid") for one in filters] for row in rows.astype(float)])
    np.testing.assert_allclose(found, np.abs(expected).max(axis=1), rtol=1e-4)
