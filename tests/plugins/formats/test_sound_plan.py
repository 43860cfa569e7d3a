"""Plans of how a file is read: as it is, or stream by stream."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile

from tonearm.api import ItemError, limited_memory
from tonearm_plugins.formats import sound_plan
from tonearm_plugins.formats.sndfile_reading import SoundBytes

WHOLE = np.random.default_rng(0).integers(-9000, 9000, 30_000, "i2")


def made(container: str, subtype: str) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, WHOLE, 44100, format=container, subtype=subtype)
    return file.getvalue()


def plan(data: bytes) -> sound_plan.Plan:
    file = SoundBytes(data)
    head = sound_plan.Head(file)
    return sound_plan.plan_of_joined(file, "a", head) or sound_plan.plan_of(file, "a", head)


MP3, OGG = made("MP3", "MPEG_LAYER_III"), made("OGG", "VORBIS")
FLAC, WAV, AIFF = made("FLAC", "PCM_16"), made("WAV", "PCM_16"), made("AIFF", "PCM_16")
ODD = WAV[:4] + (len(WAV) - 8 + 9).to_bytes(4, "little") + WAV[8:] + b"LIST\1\0\0\0 "
PIPED = WAV[:4] + b"\xff" * 4 + WAV[8:40] + b"\xff" * 4 + WAV[44:]
W64, CAF, AU = made("W64", "PCM_16"), made("CAF", "PCM_16"), made("AU", "PCM_16")
TAG = b"ID3\4\0\0\0\0\0\5" + bytes(5)


@pytest.mark.parametrize(
    ("data", "streams"),
    [
        (made("WAV", "PCM_16"), (None,)),
        (made("FLAC", "PCM_16"), (None,)),
        (made("AIFF", "PCM_16"), (None,)),
        (MP3, (None,)),
        (TAG + MP3, (None,)),
        (MP3 + MP3, (MP3, MP3)),
        (OGG, (OGG,)),
        (OGG + OGG, (OGG, OGG)),
        (TAG + made("FLAC", "PCM_16"), (made("FLAC", "PCM_16"),)),
        (FLAC + FLAC, (FLAC, FLAC)),
        (TAG + FLAC + TAG + FLAC, (FLAC + TAG, FLAC)),
        (WAV + WAV + WAV, (WAV, WAV, WAV)),
        (ODD + b"\0" + WAV, (ODD + b"\0", WAV)),
        (AIFF + AIFF, (AIFF, AIFF)),
        (W64 + W64, (W64, W64)),
        (W64 + bytes(5) + W64, (W64 + bytes(5), W64)),
        (CAF + CAF + CAF, (CAF, CAF, CAF)),
        (TAG + AU + AU, (AU, AU)),
        (AU[:8] + b"\xff" * 4 + AU[12:] + AU, (None,)),
        (AU + WAV, (None,)),
        (WAV + b"junk", (None,)),
        (WAV + AIFF, (None,)),
        (PIPED + WAV, (None,)),
    ],
    ids=range(23),
)
def test_streams_are_told_apart(data: bytes, streams: tuple[bytes | None, ...]) -> None:
    found = plan(data)
    assert found.streams == streams
    assert found.lengths == (None,) * len(streams)
    assert found.warnings == ()


def test_a_file_is_found_wherever_the_first_ends() -> None:
    mark = FLAC[:12]
    for size in range(sound_plan._STEP - 12, sound_plan._STEP + 3):
        found = plan(FLAC + bytes(size - len(FLAC)) + mark)
        assert [len(stream or b"") for stream in found.streams] == [size, len(mark)]


def test_flac_of_a_known_length_is_searched_from_where_it_ends() -> None:
    file = SoundBytes(FLAC + FLAC)
    head = sound_plan.Head(file)
    assert sound_plan.plan_of(file, "a", head) == sound_plan.Plan()
    for after, count in ((0, 2), (len(FLAC) - 1, 2), (len(FLAC), 1)):
        found = sound_plan.plan_of_joined(file, "a", head, after)
        assert len(found.streams if found else (None,)) == count
    unknown = FLAC[:21] + bytes([FLAC[21] & 0xF0]) + bytes(4) + FLAC[26:]
    assert len(sound_plan.plan_of(SoundBytes(unknown + FLAC), "a", sound_plan.Head(SoundBytes(unknown))).streams) == 2


def test_junk_is_searched_for_frames_when_nothing_else_reads_the_file() -> None:
    refusal = ItemError("no sound", code="bad-audio")
    found = sound_plan.plan_after_junk(SoundBytes(bytes(5000) + MP3), "a", refusal)
    assert found.streams == (MP3,)
    for data in (b"", bytes(5000), OGG):
        with pytest.raises(ItemError) as caught:
            sound_plan.plan_after_junk(SoundBytes(data), "a", refusal)
        assert caught.value is refusal


def test_streams_are_counted_before_they_are_read() -> None:
    first, second = (b"OggS\0" + bytes([flags]) + bytes(21) for flags in (2, 0))
    assert len(plan(sound_plan.MAX_STREAMS * (first + second)).streams) == sound_plan.MAX_STREAMS
    with pytest.raises(ItemError, match="it joins 4,097 streams, more than 4,096") as caught:
        plan((sound_plan.MAX_STREAMS + 1) * (first + second))
    assert caught.value.code == "too-long"


def test_a_file_that_memory_does_not_hold_is_not_taken_apart() -> None:
    with limited_memory(2 * len(MP3)):
        plan(MP3)
    with limited_memory(2 * len(MP3) - 1), pytest.raises(ItemError) as caught:
        plan(MP3)
    assert caught.value.code == "too-large"


def test_a_head_is_what_follows_tags() -> None:
    head = sound_plan.Head(SoundBytes(TAG + TAG + b"fLaC"))
    assert (head.at, head.start) == (2 * len(TAG), b"fLaC")
    assert sound_plan.Head(SoundBytes(b"")).start == b""
    assert sound_plan.Head(SoundBytes(TAG * 99 + MP3)).at == 16 * len(TAG)


def test_formats_of_others_are_named_at_once_and_those_of_both_at_last() -> None:
    for data, at_once in ((b"\0\0\0\x18ftypM4A ", True), (b"fLaC" + bytes(60), False), (b"OggS" + bytes(60), False)):
        head = sound_plan.Head(SoundBytes(data))
        assert (head.foreign("a") is not None) == at_once
        assert head.foreign("a", last=True) is not None
