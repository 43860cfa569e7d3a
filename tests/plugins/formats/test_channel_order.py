"""Order of channels: that of Vorbis, by the names of the loudspeakers in both standards."""

from __future__ import annotations

import pytest

from tonearm_plugins.formats.channel_order import vorbis_order

# By name, as the standards have them: Microsoft's multiple-channel note, and Vorbis I, section 4.3.9.
WAV = {
    3: "FL FR FC",
    4: "FL FR BL BR",
    5: "FL FR FC BL BR",
    6: "FL FR FC LFE BL BR",
    7: "FL FR FC LFE BC SL SR",
    8: "FL FR FC LFE BL BR SL SR",
}
VORBIS = {
    3: "FL FC FR",
    4: "FL FR BL BR",
    5: "FL FC FR BL BR",
    6: "FL FC FR BL BR LFE",
    7: "FL FC FR SL SR BC LFE",
    8: "FL FC FR SL SR BL BR LFE",
}


@pytest.mark.parametrize("channels", WAV)
def test_each_loudspeaker_is_in_its_place(channels: int) -> None:
    names = WAV[channels].split()
    assert [names[place] for place in vorbis_order(channels)] == VORBIS[channels].split()


@pytest.mark.parametrize("channels", [1, 2, 9])
def test_others_have_the_order_of_wav(channels: int) -> None:
    assert list(vorbis_order(channels)) == list(range(channels))
