"""Channel layouts: one weight a channel, mixes of BS.775, and reasons why a loudness cannot be measured."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tonearm_plugins.dsp.channel_layouts import LOUDNESS_WEIGHTS, STEREO_MIX, loudness_refusal


def test_every_channel_has_a_weight() -> None:
    assert set(LOUDNESS_WEIGHTS) == set(STEREO_MIX) == {1, 2, 3, 4, 5, 6, 8}
    for channels, weights in LOUDNESS_WEIGHTS.items():
        assert len(weights) == channels
        assert [len(row) for row in STEREO_MIX[channels]] == [channels, channels]


def test_left_and_right_mirror_each_other() -> None:
    mirrored = {1: [0], 2: [1, 0], 3: [1, 0, 2], 4: [1, 0, 3, 2], 5: [1, 0, 2, 4, 3], 6: [1, 0, 2, 3, 5, 4]}
    mirrored[8] = [1, 0, 2, 3, 5, 4, 7, 6]
    for channels, (left, right) in STEREO_MIX.items():
        assert [left[i] for i in mirrored[channels]] == list(right)


@pytest.mark.parametrize("channels", [6, 8])
def test_low_frequency_effects_count_in_neither(channels: int) -> None:
    assert LOUDNESS_WEIGHTS[channels][3] == 0
    assert [row[3] for row in STEREO_MIX[channels]] == [0, 0]


def test_only_what_is_known_is_refused() -> None:
    assert loudness_refusal(None, None, None) == ""
    assert loudness_refusal(7, None, [1.0] * 7) == ""
    assert loudness_refusal(7, None, None) == "BS.1770 has no weights for 7 channels, only for 1, 2, 3, 4, 5, 6, 8"
    assert loudness_refusal(2, 48000, [1.0]) == "there are 1 weights for 2 channels"
    assert "at least 4000 Hz, not 3999 Hz" in loudness_refusal(2, 3999, None)


def test_importing_it_imports_no_numpy() -> None:
    code = "import sys, tonearm_plugins.dsp.channel_layouts; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
