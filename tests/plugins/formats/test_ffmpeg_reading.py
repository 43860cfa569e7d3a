"""Sound that ffmpeg reads, by PyAV and by the program: the same samples, within bounds, and no other file."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from tonearm.api import ItemError, limited_memory
from tonearm_plugins.formats import ffmpeg_reading

WHOLE = np.random.default_rng(0).integers(-9000, 9000, (2, 30_000), "i2")


def made(
    container: str, codec: str, layout: str = "s16p", samples: Any = WHOLE, rate: int = 44100, title: str = ""
) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format=container) as output:
        output.metadata["title"] = title
        stream: Any = output.add_stream(codec, rate=rate, layout="stereo")
        stream.codec_context.format = layout
        step = 4096 if not codec.startswith("aac") else 1024
        for at in range(0, samples.shape[1], step):
            block = np.ascontiguousarray(samples[:, at : at + step])
            if not layout.endswith("p"):
                block = np.ascontiguousarray(block.T.reshape(1, -1))
            frame = av.AudioFrame.from_ndarray(block, format=layout, layout="stereo")
            frame.sample_rate, frame.pts = rate, at
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return file.getvalue()


@pytest.fixture(params=["PyAV", "program"])
def backend(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "program":
        monkeypatch.setattr(ffmpeg_reading, "_has_pyav", lambda: False)
    return str(request.param)


def read(data: bytes, demuxer: str) -> ffmpeg_reading.Foreign:
    return ffmpeg_reading.read_foreign(io.BytesIO(data), "a", demuxer, "a file of some format")


@pytest.mark.parametrize(
    ("container", "codec", "layout", "demuxer", "scale"),
    [
        ("ipod", "alac", "s16p", "mov", "PCM"),
        ("matroska", "flac", "s16", "matroska", "PCM"),
        ("tta", "tta", "s16", "tta", "PCM"),
        ("wv", "wavpack", "s16p", "wv", "PCM"),
        ("mov", "pcm_s16le", "s16", "mov", "PCM"),
    ],
)
def test_every_digit(backend: str, container: str, codec: str, layout: str, demuxer: str, scale: str) -> None:
    found = read(made(container, codec, layout), demuxer)
    np.testing.assert_array_equal(found.samples, WHOLE / np.float32(32768))
    assert (found.samples.dtype, found.sample_rate, found.scale) == ("f4", 44100, scale)


def test_bytes_of_tags_that_are_not_utf8_are_replaced() -> None:
    data = made("matroska", "flac", "s16", title="ABCDEFG")
    found = read(data.replace(b"ABCDEFG", b"AB\xff\xfeEFG"), "matroska")
    assert found.tags["title"] == "AB\ufffd\ufffdEFG"


@pytest.mark.parametrize(("bits", "dtype"), [(24, "f4"), (32, "f8")])
def test_more_digits_than_float32_has_are_kept(backend: str, bits: int, dtype: str) -> None:
    whole = np.random.default_rng(0).integers(-(1 << 31), 1 << 31, (2, 5000), "i8").astype("i4") & -(1 << (32 - bits))
    found = read(made("mov", f"pcm_s{bits}le", "s32", whole), "mov")
    np.testing.assert_array_equal(found.samples, whole / 2.0**31)
    assert found.samples.dtype == dtype


def test_floats_of_pcm_are_told_from_those_of_codecs(backend: str) -> None:
    floats = (WHOLE / 3000).astype("f4")
    found = read(made("mov", "pcm_f32le", "flt", floats), "mov")
    assert found.scale == "FLOAT"
    np.testing.assert_array_equal(found.samples, floats)
    assert read(made("ipod", "aac", "fltp", floats / 10), "mov").scale == "CODED"


def test_memory_is_bounded_while_samples_come(backend: str) -> None:
    data = made("tta", "tta", "s16")
    with limited_memory(2 * WHOLE.size * 4):
        read(data, "tta")
    with limited_memory(2 * WHOLE.size * 4 - 20_000), pytest.raises(ItemError) as caught:
        read(data, "tta")
    assert caught.value.code == "too-large"


def test_time_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter(range(0, 10**6, 20))
    monkeypatch.setattr(ffmpeg_reading.time, "process_time", lambda: next(now))
    with pytest.raises(ItemError, match="far longer than its size explains") as caught:
        read(made("tta", "tta", "s16"), "tta")
    assert caught.value.code == "too-long"


@pytest.mark.parametrize("text", ["#EXTM3U\n#EXTINF:1,\n{}\n", "ffconcat version 1.0\nfile {}\n"])
@pytest.mark.parametrize("demuxer", ["mov", "wav", "matroska", "mpeg"])
def test_a_playlist_is_refused_and_opens_nothing(backend: str, text: str, demuxer: str, tmp_path: Path) -> None:
    secret = tmp_path / "secret.wav"
    secret.write_bytes(made("wav", "pcm_s16le", "s16"))
    with pytest.raises(ItemError) as caught:
        read(text.format(secret).encode(), demuxer)
    assert caught.value.code in ("bad-audio", "truncated")
    assert "secret" not in caught.value.message


def test_a_reference_to_another_file_is_not_followed(backend: str, tmp_path: Path) -> None:
    """QuickTime can name the file that has the samples."""
    secret = tmp_path / "secret.mov"
    secret.write_bytes(made("mov", "pcm_s16le", "s16"))
    data = secret.read_bytes()
    at = data.index(b"dref") + 12
    assert data[at + 4 : at + 12] == b"url \0\0\0\1", "the samples are in the same file"
    data = data[: at + 4] + b"alis" + bytes(4) + data[at + 12 :]
    with_other_samples = data.replace(data[-4000:], bytes(4000))
    try:
        found = read(with_other_samples, "mov")
    except ItemError as error:
        assert error.code in ("bad-audio", "empty", "truncated")  # noqa: PT017 - either will do
    else:
        assert not np.array_equal(found.samples, WHOLE / np.float32(32768))


@pytest.mark.parametrize("demuxer", ["mov", "matroska", "tta"])
def test_a_file_cut_short_is_refused(backend: str, demuxer: str) -> None:
    container, codec, layout = {"mov": ("ipod", "alac", "s16p"), "matroska": ("matroska", "flac", "s16")}.get(
        demuxer, ("tta", "tta", "s16")
    )
    data = made(container, codec, layout)
    for size in (len(data) - 900, len(data) // 2):
        with pytest.raises(ItemError) as caught:
            read(data[:size], demuxer)
        assert caught.value.code in ("truncated", "bad-audio")


def test_headers_alone_say_rate_and_channels(backend: str) -> None:
    found = ffmpeg_reading.look_at_foreign(io.BytesIO(made("ipod", "alac")), "a", "mov", "an MP4 file")
    assert found[:2] == (44100, 2)


def test_nothing_installed_is_said_with_the_line_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from tonearm.api import UsageError
    from tonearm_plugins.formats import ffmpeg

    def missing() -> str:
        raise UsageError("ffmpeg is not installed", code="missing-requirement")

    monkeypatch.setattr(ffmpeg_reading, "_has_pyav", lambda: False)
    monkeypatch.setattr(ffmpeg, "find", missing)
    with pytest.raises(ItemError) as caught:
        ffmpeg_reading.read_foreign(io.BytesIO(made("ipod", "alac")), "a", "mov", "an MP4 file, such as M4A")
    assert caught.value.code == "missing-requirement"
    assert (
        caught.value.message == "it is an MP4 file, such as M4A, which PyAV and ffmpeg read, and neither is installed"
    )
    assert caught.value.hint == "pip install 'tonearm[m4a]'"
