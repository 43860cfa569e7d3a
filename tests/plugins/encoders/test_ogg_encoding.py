"""Vorbis and Opus block by block: the same bytes however a sound is cut, and pipes that others read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import mutagen.oggopus
import mutagen.oggvorbis
import numpy as np
import pytest
import soundfile
from encoder_helpers import encoded, noise
from hypothesis import given, settings
from hypothesis import strategies as st
from lossy_sounds import TAGS, chord
from other_decoders import call
from streamed_files import ffmpeg_hears, piped, spy, started, streamed, through, write_all

from tonearm.api import OutputError, Sink
from tonearm.run.store.pipe_sink import PipeSink
from tonearm_plugins.encoders.ogg_writer import OggOptions, OggWriter
from tonearm_plugins.encoders.opus_writer import OpusOptions, OpusWriter
from tonearm_plugins.formats.ogg_pages import PacketReader
from tonearm_plugins.formats.ogg_stream import links

WRITERS = {"ogg": OggWriter(OggOptions(tags=TAGS)), "opus": OpusWriter(OpusOptions(tags=TAGS))}
LENGTHS = [1, 7, 100, 1152, 2049, 4096, 4097, 22_051]


@pytest.fixture(params=WRITERS)
def writer(request: pytest.FixtureRequest) -> Any:
    return WRITERS[request.param]


@given(
    name=st.sampled_from(list(WRITERS)),
    cuts=st.lists(st.one_of(st.integers(1, 40), st.integers(1, 9000)), max_size=12),
    rate=st.sampled_from([8000, 22050, 44100, 48000]),
    channels=st.sampled_from([1, 2, 6]),
    kind=st.sampled_from(["f4", "f8"]),
)
@settings(max_examples=15)
def test_bytes_do_not_depend_on_cuts(name: str, cuts: list[int], rate: int, channels: int, kind: str) -> None:
    samples = noise(channels, 30_000 if channels < 6 else 9000, 0.2, kind)
    writer = WRITERS[name]
    whole = streamed(writer, samples, rate)
    assert streamed(writer, samples, rate, cuts) == whole
    assert piped(writer, samples, rate, cuts) == whole


@pytest.mark.parametrize("length", LENGTHS)
def test_whole_work_gives_the_same_bytes(writer: Any, tmp_path: Path, length: int) -> None:
    samples = noise(2, length)
    path, _ = encoded(writer, tmp_path, samples, 44100)
    assert path.read_bytes() == streamed(writer, samples, 44100, [1] * 3000)
    assert path.read_bytes() != streamed(writer, samples * 0.9, 44100)


def test_a_long_sound_is_more_than_one_block_of_whole_work(writer: Any, tmp_path: Path) -> None:
    samples = noise(1, 300_000)
    path, _ = encoded(writer, tmp_path, samples, 48000)
    assert path.read_bytes() == streamed(writer, samples, 48000, [131_073, 1, 50_000])


@pytest.mark.one_in(4)
@pytest.mark.parametrize(("channels", "rate"), [(1, 8000), (2, 48000), (6, 48000), (8, 16000)])
def test_others_read_the_exact_length_from_a_pipe(writer: Any, channels: int, rate: int) -> None:
    for length in LENGTHS:
        samples = chord(rate, length, channels)
        content = piped(writer, samples, rate, [100, 3000])
        if isinstance(writer, OggWriter):
            heard = len(through(content, "oggdec", "-Q", "-R", "-o", "-", "-")) // 2 // channels
            assert heard == length
            if length > 1000:  # of shorter ones, oggenc's too, ffmpeg gives whole blocks
                assert ffmpeg_hears(content, channels).shape[1] == length
        else:
            heard = len(through(content, "opusdec", "--quiet", "--rate", "48000", "-", "-")) // 2 // channels
            assert heard == length * 48000 // rate
            if channels < 8:  # ffmpeg's own decoder gets some files of many channels wrong, opusenc's too
                assert ffmpeg_hears(content, channels).shape[1] == length * 48000 // rate


@pytest.mark.one_in(3)
@pytest.mark.parametrize("channels", range(1, 9))
def test_there_are_no_complaints(writer: Any, tmp_path: Path, channels: int) -> None:
    for rate, length in ((8000, 1), (48000, 5000), (44100, 100_000)):
        path = tmp_path / f"x{writer.suffixes[0]}"
        path.write_bytes(streamed(writer, noise(channels, length), rate))
        said = call("ogginfo" if path.suffix == ".ogg" else "opusinfo", path)
        assert "warning" not in said.lower(), said
        assert "buggy" not in said, said
        wanted = length if rate != 44100 or path.suffix == ".ogg" else -(-length * 48000 // 44100)
        assert soundfile.info(path).frames == wanted
        assert soundfile.info(path).channels == channels


def test_tags_and_a_large_cover_stand_before_the_sound(tmp_path: Path) -> None:
    picture = tmp_path / "cover.png"
    head = b"\x89PNG\r\n\x1a\n" + b"\0\0\0\x0dIHDR" + (16).to_bytes(4, "big") * 2 + b"\x08\2\0\0\0"
    picture.write_bytes(head + np.random.default_rng(0).bytes(300_000))
    for plugin, opened in (
        (OggWriter(OggOptions(tags=TAGS, cover=str(picture))), mutagen.oggvorbis.OggVorbis),
        (OpusWriter(OpusOptions(tags=TAGS, cover=str(picture))), mutagen.oggopus.OggOpus),
    ):
        path = tmp_path / f"x{plugin.suffixes[0]}"
        path.write_bytes(piped(plugin, noise(1, 9000), 48000))
        (link,) = links(path.read_bytes())
        assert (link.gaps, link.has_end) == (0, True)
        comments = dict(opened(path).tags)
        assert len(comments.pop("metadata_block_picture")[0]) > 400_000
        assert comments == {name: [text] for name, text in TAGS.items()}
        assert len(soundfile.read(path)[0]) == 9000
        assert "warning" not in call("ogginfo" if path.suffix == ".ogg" else "opusinfo", path).lower()


def test_padding_of_libsndfile_is_left_out(writer: Any) -> None:
    bare = type(writer)(type(writer.options)())
    comments = list(PacketReader().push(streamed(bare, noise(1, 100), 48000)))[1]
    assert len(comments) < 100


@pytest.mark.parametrize("written", [0, 3000, 48_000])
def test_a_stream_that_is_given_up_writes_nothing_more(writer: Any, written: int) -> None:
    pieces: list[bytes] = []
    samples = noise(1, 48_000)
    encoder = started(writer, samples, 48000, spy(pieces, ".x"))
    if written:
        encoder.write(samples[:, :written])
    count = len(pieces)
    encoder.abort()
    encoder.abort()
    assert len(pieces) == count
    assert (count > 0) == (written == 48_000)


def test_files_are_closed(writer: Any, tmp_path: Path) -> None:
    samples = noise(1, 5000)
    before = len(list(Path("/proc/self/fd").iterdir()))
    for ending in ("finish", "abort"):
        encoder = started(writer, samples, 48000, Sink(tmp_path / "x", ".ogg"))
        encoder.write(samples)
        getattr(encoder, ending)()
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_pipe_that_breaks_is_the_outputs(writer: Any) -> None:
    def broken(_: object) -> None:
        raise BrokenPipeError(32, "Broken pipe")

    samples = noise(1, 50_000)
    encoder = started(writer, samples, 48000, PipeSink(broken, ".ogg"))
    with pytest.raises(OutputError, match="cannot write: broken pipe") as caught:
        encoder.write(samples)
    assert isinstance(caught.value.__cause__, BrokenPipeError)
    encoder.abort()


def test_an_empty_stream_is_a_file_without_sound(writer: Any, tmp_path: Path) -> None:
    path = tmp_path / f"x{writer.suffixes[0]}"
    samples = np.zeros((1, 0), "f4")
    path.write_bytes(streamed(writer, samples, 48000))
    (link,) = links(path.read_bytes())
    assert (link.sounds, link.has_end) == (1, True)


def test_clipped_samples_are_counted_once(writer: Any) -> None:
    samples = np.zeros((1, 20_000), "f4")
    samples[0, [7, 19_999]] = 1.5
    context = write_all(writer, samples, 48000, spy([], ".ogg"), [1, 5000, 14_998])
    assert context.measurements["clipped"] == 2
    assert context.warnings == ["2 samples were beyond full scale and clipped"]


def resident() -> int:
    """Memory of this process, in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.slow
def test_memory_stays_the_same_over_ten_minutes() -> None:
    block = noise(1, 800)
    encoder = started(WRITERS["opus"], block, 8000, PipeSink(lambda _: None, ".opus"))
    for _ in range(300):
        encoder.write(block)
    before = resident()
    for _ in range(5700):
        encoder.write(block)
    assert resident() - before < 1 << 20
    encoder.finish()
