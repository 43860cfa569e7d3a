import numpy as np
import pytest
import scipy.signal
from dsp_material import NARROW, only_native
from meter_material import noise

from tonearm_plugins.dsp.engines.native import loudness_kernel
from tonearm_plugins.dsp.loudness import k_weighting

pytestmark = only_native


@pytest.mark.parametrize("machine", [NARROW, None])
def test_a_long_channel_is_taken_in_parts(machine):
    channel = noise(40, 8000, 1)[0].astype("f8") + 0.1  # what comes before a part, and an offset, must not be forgotten
    found = loudness_kernel.hop_energies([channel], 800, k_weighting(8000), machine)[0]
    weighted = scipy.signal.sosfilt(k_weighting(8000), channel)
    np.testing.assert_allclose(found, (weighted.reshape(-1, 800) ** 2).sum(axis=1), rtol=1e-6)


@pytest.mark.parametrize("hop", [800, 801, 803, 815, 1105])
@pytest.mark.parametrize("hops", [1, 7, 130])
def test_hops_of_any_size_and_number(hop, hops):
    channel = np.random.default_rng(0).standard_normal(hops * hop + hop // 2).astype(np.float32)
    sections = k_weighting(10 * hop)
    weighted = scipy.signal.sosfilt(sections, channel.astype(float))[: hops * hop]
    found = loudness_kernel.hop_energies([channel], hop, sections)[0]
    np.testing.assert_allclose(found, (weighted.reshape(hops, hop) ** 2).sum(axis=1), rtol=1e-5)


def test_what_is_not_finite_counts_as_zero():
    channel = np.random.default_rng(0).standard_normal(4000).astype(np.float32)
    channel[1000], channel[2000] = np.nan, np.inf
    zeros = np.where(np.isfinite(channel), channel, 0)
    found, expected = (loudness_kernel.hop_energies([one], 800, k_weighting(8000)) for one in (channel, zeros))
    assert np.array_equal(found, expected)
