"""Latents: their shape, and what they carry."""

import numpy as np
import pytest

from tonearm.api import LatentFormat, Latents
from tonearm.errors import SignalError
from tonearm.plugins.ports import spec_of

FORMAT = LatentFormat(name="acme", sample_rate=22050, samples_per_frame=256)


def test_latents_carry_their_format():
    latents = Latents(values=np.zeros((2, 192, 7), np.float32), format=FORMAT, length=1700)
    assert (latents.channels, latents.bands, latents.frames, latents.sample_rate) == (2, 192, 7, 22050)
    spec = spec_of(latents)
    assert spec.carried == {LatentFormat: FORMAT}
    assert (spec.length, spec.channels, spec.sample_rate) == (1700, 2, 22050)
    described = {"sample_rate": 22050, "samples_per_frame": 256, "name": "acme", "length": 1700}
    assert latents.described() == {"axes": ["channel", "band", "frame"], **described}


def test_the_frame_rate_follows_from_both_others():
    assert LatentFormat(sample_rate=24000, samples_per_frame=480).frame_rate == 50


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.zeros((192, 7), np.float32), "a latent is (channels, bands, frames), not an array of shape (192, 7)"),
        (np.zeros((1, 192, 7), np.int32), "a latent holds float values, not int32"),
        (np.zeros((1, 192, 0), np.float32), "the latent is empty"),
    ],
)
def test_other_arrays_are_refused(values, message):
    with pytest.raises(SignalError) as error:
        Latents(values=values, format=FORMAT)
    assert message in error.value.message


def test_bands_that_the_format_says_are_those_of_the_values():
    known = LatentFormat(sample_rate=24000, samples_per_frame=480, bands=64)
    assert Latents(values=np.zeros((1, 64, 3), np.float32), format=known).bands == 64
    with pytest.raises(SignalError, match="values have 63 bands, but the format says 64"):
        Latents(values=np.zeros((1, 63, 3), np.float32), format=known)
    with pytest.raises(SignalError, match="bands is 0"):
        LatentFormat(sample_rate=24000, samples_per_frame=480, bands=0)


def test_a_frame_has_samples():
    with pytest.raises(SignalError, match="samples_per_frame is 0"):
        LatentFormat(sample_rate=24000, samples_per_frame=0)
