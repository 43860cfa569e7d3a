"""MP4: frames have the size that the codec wants, and tags are where iTunes has them."""

from __future__ import annotations

from pathlib import Path

import mutagen.mp4
import numpy as np
import pytest

from tonearm.api import ItemError, OptionError, OutputError
from tonearm_plugins.formats import mp4


@pytest.mark.parametrize("sizes", [[1], [10], [3, 4, 3], [9, 1, 1, 25], [0, 5], []])
@pytest.mark.parametrize("size", [1, 4, 10])
def test_blocks_are_cut_into_frames(sizes: list[int], size: int) -> None:
    samples = np.arange(2 * sum(sizes)).reshape(-1, 2)
    blocks = np.split(samples, np.cumsum(sizes)[:-1]) if sizes else []
    found = list(mp4._framed(blocks, size))
    assert all(len(frame) == size for frame in found[:-1])
    assert all(0 < len(frame) <= size for frame in found)
    assert sum(map(len, found)) == sum(sizes)
    if found:
        np.testing.assert_array_equal(np.concatenate(found), samples)


@pytest.mark.parametrize(
    ("length", "channels", "fits"), [(4097, 3, False), (4098, 6, False), (4099, 6, True), (4096, 6, True), (1, 2, True)]
)
def test_alac_refuses_a_last_frame_that_is_too_short(length: int, channels: int, fits: bool) -> None:
    if fits:
        mp4.check_alac(length, channels)
        return
    with pytest.raises(OptionError) as caught:
        mp4.check_alac(length, channels)
    assert caught.value.code == "encoder-refused"


def test_tags_are_atoms_of_itunes_and_others_have_their_own_name(tmp_path: Path) -> None:
    path = tmp_path / "x.m4a"
    samples = np.zeros((3000, 1), "f4")
    mp4.write_aac(path, [samples], sample_rate=44100, channels=1, bitrate=64)
    size = path.stat().st_size
    mp4.write_tags(path, {})
    assert path.stat().st_size == size
    mp4.write_tags(path, {"title": "Grüße", "track": "3/9", "mood": "calm", "album_artist": "B"})
    found = mutagen.mp4.MP4(path)
    assert found["\xa9nam"] == ["Grüße"]
    assert found["trkn"] == [(3, 9)]
    assert found["aART"] == ["B"]
    assert bytes(found["----:com.apple.iTunes:mood"][0]) == b"calm"


def test_a_track_that_is_no_number_of_16_bits_is_kept_as_text(tmp_path: Path) -> None:
    path = tmp_path / "x.m4a"
    mp4.write_alac(path, [np.zeros((100, 1), "i2")], sample_rate=44100, channels=1, bits=16)
    mp4.write_tags(path, {"tracknumber": "A3", "track": "70000", "disc": "1/65536"})
    found = mutagen.mp4.MP4(path)
    assert bytes(found["----:com.apple.iTunes:tracknumber"][0]) == b"A3"
    assert bytes(found["----:com.apple.iTunes:TRACK"][0]) == b"70000"
    assert bytes(found["----:com.apple.iTunes:DISC"][0]) == b"1/65536"
    assert "trkn" not in found
    assert "disk" not in found


@pytest.mark.parametrize(("text", "beats"), [("120", [120]), ("99.6", [100]), ("fast", None), ("70000", None)])
def test_beats_per_minute_are_rounded_and_texts_are_kept(tmp_path: Path, text: str, beats: list[int] | None) -> None:
    path = tmp_path / "x.m4a"
    mp4.write_alac(path, [np.zeros((100, 1), "i2")], sample_rate=44100, channels=1, bits=16)
    mp4.write_tags(path, {"bpm": text})
    found = mutagen.mp4.MP4(path)
    assert found.get("tmpo") == beats
    assert ("----:com.apple.iTunes:BPM" in found) == (beats is None)


def test_a_folder_that_is_not_there_is_the_output_sides(tmp_path: Path) -> None:
    with pytest.raises((OutputError, ItemError)):
        mp4.write_aac(tmp_path / "no/x.m4a", [np.zeros((10, 1), "f4")], sample_rate=44100, channels=1, bitrate=64)
