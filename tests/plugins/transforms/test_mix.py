"""mix: the matrices of ITU-R BS.775 written out, means, and a choice of channels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from transform_helpers import apply, problems

from tonearm.api import ItemError
from tonearm_plugins.transforms.mix import Mix


def noise(channels: int, kind: str = "f4") -> Any:
    return np.random.default_rng(channels).uniform(-1, 1, (channels, 100)).astype(kind)


@pytest.mark.parametrize("kind", ["f4", "f8"])
@pytest.mark.parametrize("channels", range(1, 9))
def test_mono(channels: int, kind: str) -> None:
    samples = noise(channels, kind)
    half = 0.5**0.5
    rows = {
        3: [1, 1, 2 * half],
        4: [1, 1, half, half],
        5: [1, 1, 2 * half, half, half],
        6: [1, 1, 2 * half, 0, half, half],
        8: [1, 1, 2 * half, 0, half, half, half, half],
    }
    row = np.array(rows.get(channels, [1] * channels))
    found, _ = apply(Mix, samples, to="mono")
    np.testing.assert_allclose(found, (row @ samples.astype("f8") / row.sum())[None], atol=1e-6)


def test_stereo() -> None:
    half = 0.5**0.5
    samples = noise(6, "f8")
    left, right, center, _, left_surround, right_surround = samples
    wanted = np.stack([left + half * center + half * left_surround, right + half * center + half * right_surround])
    found, _ = apply(Mix, samples, to="stereo")
    np.testing.assert_allclose(found, wanted / (1 + 2 * half), atol=1e-12)
    without_lfe, _ = apply(Mix, samples[[0, 1, 2, 4, 5]], to="stereo")
    np.testing.assert_array_equal(without_lfe, found)
    mono = noise(1)
    np.testing.assert_array_equal(apply(Mix, mono, to="stereo")[0], np.tile(mono, (2, 1)))
    two = noise(2)
    np.testing.assert_array_equal(apply(Mix, two, to="stereo")[0], two)


@pytest.mark.parametrize("to", ["mono", "stereo"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5, 6, 8])
def test_nothing_goes_over_full_scale(channels: int, to: str) -> None:
    assert np.abs(apply(Mix, np.ones((channels, 5), "f4"), to=to)[0]).max() <= 1 + 1e-6


def test_channels_are_picked() -> None:
    samples = noise(3)
    np.testing.assert_array_equal(apply(Mix, samples, pick=[2])[0], samples[[2]])
    np.testing.assert_array_equal(apply(Mix, samples, pick=[1, 0, 1])[0], samples[[1, 0, 1]])


def test_a_channel_left_out_does_not_count() -> None:
    samples = noise(6)
    samples[3] = np.nan  # the LFE
    assert np.isfinite(apply(Mix, samples, to="stereo")[0]).all()
    samples[0, 7] = np.inf
    found, _ = apply(Mix, samples, to="stereo")
    assert np.isinf(found[0, 7])
    assert np.isfinite(found[1]).all()


def test_impossible_mixes_are_refused() -> None:
    with pytest.raises(ItemError, match="there is no stereo mix for 7 channels, whose layout is not known") as caught:
        apply(Mix, noise(7), to="stereo")
    assert (caught.value.code, caught.value.hint) == (
        "unknown-positions",
        "pick: [0, 1] in place of to",
    )
    with pytest.raises(ItemError, match="there is no channel 2 in a waveform of 2 channels") as caught:
        apply(Mix, noise(2), pick=[0, 2])
    assert caught.value.hint == "channels count from 0"


def test_check_knows_the_channels_behind_it() -> None:
    mono, pick = ({"use": "mix", "with": options} for options in ({"to": "mono"}, {"pick": [0, 1]}))
    assert problems(mono, pick).splitlines() == [
        "no-such-channel: mix: there is no channel 1 in a waveform of 1 channel",
        "    hint: channels count from 0",
    ]
    nine = {"use": "mix", "with": {"pick": [0] * 9}}
    assert "FLAC cannot have 9 channels" in problems(nine, encoder="flac-writer")
    assert "channels" not in problems(nine, mono, encoder="flac-writer")


def test_options_that_contradict_each_other_are_refused() -> None:
    assert "mix: neither 'to' nor 'pick' is given" in problems({"use": "mix"})
    assert "mix: give either 'to' or 'pick'" in problems({"use": "mix", "with": {"to": "mono", "pick": [0]}})
    assert "mix: there is no channel -1" in problems({"use": "mix", "with": {"pick": [-1]}})
