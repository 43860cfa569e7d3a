"""Further sound files by other programs: rare codecs in common containers, odd headers, and many channels."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import other_decoders
from foreign_files import (
    ADPCM,
    ERRORS,
    FLOATS,
    ID3V1,
    SOURCES,
    File,
    call,
    changed,
    ffmpeg,
    id3,
    rows,
    source,
    sox,
)
from other_decoders import by_sox

SOURCES.update(
    three=(3, 48000, 0.5, "PCM_16"),
    four=(4, 48000, 0.5, "PCM_16"),
    five=(5, 48000, 0.5, "PCM_16"),
    seven=(7, 48000, 0.5, "PCM_16"),
    fine=(2, 192000, 0.3, "PCM_24"),
    whole=(2, 48000, 0.5, "PCM_32"),
    uneven=(1, 44101, 0.7, "PCM_16"),
)

_GUID = bytes.fromhex("000000001000800000aa00389b71")
_NUMBERS = np.random.default_rng(1).integers(-(2**30), 2**30, 4000).astype("<i4")
_SHORT = (_NUMBERS >> 16).astype("<i2").tobytes()


def wav(
    tag: int,
    channels: int,
    bits: int,
    data: bytes,
    more: bytes = b"",
    *,
    rate: int = 44100,
    before: bytes = b"",
    behind: bytes = b"",
) -> bytes:
    """Return a WAV file with a header of one's own."""
    block = channels * (-(-bits // 8))
    form = struct.pack("<HHIIHH", tag, channels, rate, rate * block, block, bits) + more
    body = b"WAVE" + before + b"fmt " + struct.pack("<I", len(form)) + form
    body += b"data" + struct.pack("<I", len(data)) + data + bytes(len(data) % 2) + behind
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _extension(bits: int, mask: int, tag: int) -> bytes:
    return struct.pack("<HHIH", 22, bits, mask, tag) + _GUID


HEADERS: dict[str, bytes] = {
    "mask-0": wav(0xFFFE, 2, 16, _SHORT, _extension(16, 0, 1)),
    "mask-of-six": wav(0xFFFE, 2, 16, _SHORT, _extension(16, 0x3F, 1)),
    "mask-of-sides": wav(0xFFFE, 4, 16, _SHORT, _extension(16, 0x603, 1)),
    "20-in-24": wav(0xFFFE, 1, 24, _SHORT[:6000], _extension(20, 4, 1)),
    "20": wav(1, 1, 20, _SHORT[:6000]),
    "12": wav(1, 1, 12, _SHORT),
    "alaw": wav(0xFFFE, 1, 8, _SHORT, _extension(8, 4, 6)),
    "doubles": wav(0xFFFE, 2, 64, (_NUMBERS / 2**31).astype("<f8").tobytes(), _extension(64, 3, 3)),
    "integers-of-64-bits": wav(1, 1, 64, (_NUMBERS.astype("<i8") << 32).tobytes()),
    "half-a-frame": wav(1, 2, 16, _SHORT + b"\1\2"),
    "odd-byte": wav(1, 1, 16, _SHORT + b"\1"),
    "padding": wav(1, 2, 16, _SHORT, before=b"JUNK\x1c\0\0\0" + bytes(28)),
    "broadcast": wav(1, 2, 16, _SHORT, before=b"bext" + struct.pack("<I", 602) + bytes(602)),
    "odd-list": wav(1, 2, 16, _SHORT, before=b"LIST\x05\0\0\0INFOx\0"),
    "data-in-a-note": wav(1, 2, 16, _SHORT, before=b"note\x10\0\0\0data\x10\0\0\0abcdefgh"),
    "cue": wav(1, 2, 16, _SHORT, behind=b"cue \x04\0\0\0\0\0\0\0"),
    "id3-chunk": wav(1, 2, 16, _SHORT, behind=b"id3 \x0a\0\0\0ID3\4\0\0\0\0\0\0"),
    "id3-before": id3(300) + wav(1, 2, 16, _SHORT),
    "id3-behind": wav(1, 2, 16, _SHORT) + ID3V1,
    "zeros-behind": wav(1, 2, 16, _SHORT) + bytes(5000),
    "two-data": wav(1, 2, 16, _SHORT, behind=b"data" + struct.pack("<I", len(_SHORT)) + _SHORT),
    "no-size": wav(1, 2, 16, _SHORT).replace(b"data\x40\x1f\0\0", b"data\0\0\0\0"),
}
"""WAV files by the oddity of each."""


def _spdif(path: Path) -> None:
    """Write AC-3 as the samples of a WAV file, as it goes to a receiver."""
    stream = path.with_suffix(".spdif")
    ffmpeg("studio", "-c:a ac3 -f spdif")(stream)
    path.write_bytes(wav(1, 2, 16, stream.read_bytes(), rate=48000))


def _dts(path: Path) -> None:
    """Write DTS as the samples of a WAV file, as on a CD."""
    stream = path.with_suffix(".dts")
    ffmpeg("cd", "-c:a dca -strict -2 -b:a 1411200 -f dts")(stream)
    words = np.frombuffer(stream.read_bytes()[: 1 << 17], ">i2").astype("<i2")
    path.write_bytes(wav(1, 2, 16, words.tobytes()))


def _wavpack(given: str, *options: str) -> File:
    name = f"{given}{''.join(options)}.wv"
    return File(name, lambda path: call("wavpack", "-q", "-y", *options, source(given, path.parent), "-o", path))


def more_files() -> Iterator[File]:
    for name, data in HEADERS.items():
        yield File(f"{name}.wav", lambda path, data=data: path.write_bytes(data))  # type: ignore[misc]
    yield File("big-endian.wav", sox("cd", "-B"), by_sox)
    yield File("spdif.wav", _spdif, error=FLOATS)
    yield File("dts-cd.wav", _dts, error=FLOATS)
    yield File("ima.avi", ffmpeg("cd", "-c:a adpcm_ima_wav"), other_decoders.by_another_ffmpeg)
    for channels in ("three", "four", "five", "seven", "eight"):
        yield File(f"{channels}.opus", ffmpeg(channels, "-c:a libopus -mapping_family 255"), error=FLOATS)
        yield File(f"{channels}.flac", ffmpeg(channels))
    for options in (("-b4",), ("-x3",), ("-f",)):
        yield _wavpack("fine", *options)
    yield _wavpack("eight")
    yield File("bw64.wav", changed(ffmpeg("cd", "-rf64 always -f wav"), lambda data: b"BW64" + data[4:]))
    for name, given, options, error in rows("""
        ieee.aif | studio | -c:a pcm_f64be -f aiff | exact
        u8.aif | studio | -c:a pcm_u8 -f aiff | exact
        opus.caf | studio | -c:a libopus | floats
        ima.caf | studio | -c:a adpcm_ima_qt | exact
        mp3.caf | studio | -c:a libmp3lame | floats
        flac.caf | studio | -c:a flac | exact
        ac3.caf | studio | -c:a ac3 | floats
        ra144.ra | speech | -c:a real_144 -f rm | floats
        ac3.ra | studio | -c:a ac3 -f rm | floats
        six.eac3 | six |  | floats
        six.tta | six |  | exact
        three.m4a | three | -c:a alac | exact
        seven.m4a | seven | -c:a alac | exact
        fine.m4a | fine | -c:a alac | exact
        fine.flac | fine |  | exact
        fine.tta | fine | -sample_fmt s32 | exact
        whole.wv | whole | -sample_fmt s32p | exact
        uneven.flac | uneven |  | exact
        uneven.wv | uneven |  | exact
        alac.mov | cd | -c:a alac | exact
        s32.mov | studio | -c:a pcm_s32le | exact
        f64.mov | float | -c:a pcm_f64be | exact
        mulaw.mov | cd | -c:a pcm_mulaw | exact
        mp2.mp4 | cd | -c:a mp2 | floats
        eac3.mp4 | studio | -c:a eac3 | floats
        dts.mp4 | studio | -c:a dca -strict -2 | floats
        thd.mkv | studio | -c:a truehd -strict -2 | exact
        alac.mka | cd | -c:a alac | exact
        wv.mka | cd | -c:a wavpack | exact
        f32.mka | float | -c:a pcm_f32le | exact
        s24.mka | studio | -c:a pcm_s24le | exact
        ac3.mka | studio | -c:a ac3 | floats
        mp2.mkv | cd | -c:a mp2 | floats
        one.mka | one | -c:a flac | exact
        surround.webm | six | -c:a libopus | floats
        aac.avi | cd | -c:a aac | floats
        flac.avi | cd | -c:a flac | exact
        alaw.avi | cd | -c:a pcm_alaw | exact
        f32.avi | float | -c:a pcm_f32le | exact
        pcm.flv | cd | -c:a pcm_s16le | exact
        adpcm.flv | low | -c:a adpcm_swf | exact
        ac3.ts | studio | -c:a ac3 -f mpegts | floats
        opus.ts | studio | -c:a libopus -f mpegts | floats
        dts.ts | studio | -c:a dca -strict -2 -f mpegts | floats
        s302m.ts | studio | -c:a s302m -strict -2 -f mpegts | exact
        dvd.vob | studio | -c:a pcm_dvd -f vob | exact
        ac3.vob | studio | -c:a ac3 -f vob | floats
        opus.nut | studio | -c:a libopus | floats
        flac.nut | cd | -c:a flac | exact
        a.adx | cd |  | exact
        mono.adx | speech | -ac 1 | exact
        a.sbc | cd |  | exact
        a.aptx | studio |  | exact
        a.mmf | speech | -c:a adpcm_yamaha | exact
        a.wtv | cd | -c:a mp2 | floats
    """):
        yield File(name, ffmpeg(given, options), error=ERRORS[error])
    for name, given, options in rows("""
        piped.caf | cd | -c:a pcm_s16le -f caf
        piped.au | cd | -f au
        piped.mka | cd | -c:a flac -f matroska
        piped.tta | cd | -f tta
        piped.wv | cd | -f wv
    """):
        yield File(name, ffmpeg(given, options, pipe=True))
    yield File("piped.wma", ffmpeg("cd", "-f asf -c:a wmav2", pipe=True), error=FLOATS)
    yield File("swf.wav", ffmpeg("low", "-c:a adpcm_swf -f wav"), error=ADPCM)


MORE_FILES: dict[str, File] = {one.name: one for one in more_files()}
"""Files by their names."""
