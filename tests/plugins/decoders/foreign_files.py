"""Sound files by other programs: how each is made, and whose decoder says what is in it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

sys.path.append(str(Path(__file__).parents[1] / "encoders"))

import other_decoders
from other_decoders import by_ffmpeg, by_flac, by_mpg123, by_oggdec, by_opusdec, by_sox, program

EXACT = 2.0**-31
"""Error of samples of up to 24 bits, or of floats, in the 32-bit integers of the other decoder."""

FLOATS = 4e-6
"""Error between decoders of one lossy format that compute in float32."""

ROUNDED = 2.0**-15  # of a decoder that gives 16 bits
ADPCM = 0.02
"""Error between decoders of ADPCM, which round differently and carry that on."""


ERRORS = {"exact": EXACT, "floats": FLOATS}


@dataclass(frozen=True)
class File:
    """A file of another program.

    Parameters
    ----------
    name
        Name of the file.
    make
        Function that makes the file at a path.
    by
        Decoder that says what is in it.
    error
        Largest difference of a sample; of those of the decoder there may be no fewer and no more.
    """

    name: str
    make: Callable[[Path], object]
    by: Callable[[Path, Path], None] = by_ffmpeg
    error: float = EXACT


def sound(channels: int, rate: int, seconds: float) -> Any:
    """Return a sweep with noise, another in each channel: (samples, channels), within ±0.6."""
    at = np.arange(int(rate * seconds)) / rate
    noise = np.random.default_rng(channels).uniform(-0.1, 0.1, (len(at), channels))
    sweeps = [0.4 * np.sin(2 * np.pi * (200 + 60 * channel) * at * (1 + at / seconds)) for channel in range(channels)]
    return np.stack(sweeps, axis=1) + noise


SOURCES: dict[str, tuple[int, int, float, str]] = {
    "cd": (2, 44100, 1.7, "PCM_16"),
    "mono": (1, 44100, 4.1, "PCM_16"),
    "speech": (1, 8000, 2.3, "PCM_16"),
    "wide": (1, 16000, 2.3, "PCM_16"),
    "low": (2, 22050, 2.1, "PCM_16"),
    "studio": (2, 48000, 1.5, "PCM_24"),
    "six": (6, 48000, 1.2, "PCM_16"),
    "eight": (8, 48000, 1.2, "PCM_16"),
    "float": (2, 48000, 1.0, "FLOAT"),
    "one": (1, 44100, 1 / 44100, "PCM_16"),
}
"""Channels, sample rate, seconds and subtype of the WAV files of which all others are made."""


def source(name: str, folder: Path) -> Path:
    """Return the path of a source, which is made once."""
    path = folder / f"{name}.source.wav"
    if not path.exists():
        channels, rate, seconds, subtype = SOURCES[name]
        form = "WAVEX" if channels > 2 else "WAV"
        soundfile.write(path, sound(channels, rate, seconds), rate, subtype=subtype, format=form)
    return path


def call(*command: Any, output: Path | None = None) -> None:
    """Run a program; its standard output may be a file."""
    done = subprocess.run(
        [program(command[0]), *map(str, command[1:])], stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    assert done.returncode == 0, f"{command}: {done.stderr.decode(errors='replace')[-500:]}"
    if output is not None:
        output.write_bytes(done.stdout)


def ffmpeg(given: str, options: str = "", *, pipe: bool = False) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        command = ["ffmpeg", "-nostdin", "-v", "error", "-y", "-i", source(given, path.parent), *options.split()]
        if pipe:
            call(*command, "-", output=path)
        else:
            call(*command, path)

    return make


def sox(given: str, options: str = "") -> Callable[[Path], None]:
    """Return a function that calls sox; effects stand after ``trim``."""
    plain, _, effect = options.partition("trim")
    effects = ["trim", *effect.split()] if effect else []
    return lambda path: call("sox", "-D", source(given, path.parent), *plain.split(), path, *effects)


def lame(given: str, options: str = "") -> Callable[[Path], None]:
    return lambda path: call("lame", "--quiet", *options.split(), source(given, path.parent), path)


def flac(given: str, options: str = "") -> Callable[[Path], None]:
    return lambda path: call("flac", "--totally-silent", "-f", *options.split(), "-o", path, source(given, path.parent))


def oggenc(given: str, options: str = "") -> Callable[[Path], None]:
    return lambda path: call("oggenc", "-Q", *options.split(), "-o", path, source(given, path.parent))


def opusenc(given: str, options: str = "") -> Callable[[Path], None]:
    return lambda path: call("opusenc", "--quiet", *options.split(), source(given, path.parent), path)


def changed(make: Callable[[Path], object], change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    """Return a function that makes a file, and then changes its bytes."""

    def made(path: Path) -> None:
        make(path)
        path.write_bytes(change(path.read_bytes()))

    return made


def id3(size: int) -> bytes:
    """Return an ID3v2 tag of a size without frames."""
    return b"ID3\4\0\0" + bytes(size >> shift & 127 for shift in (21, 14, 7, 0)) + bytes(size)


VIDEO = "-f lavfi -i color=s=32x32:d=1"
"""Options for a stream of pictures beside the sound."""

JUNK = np.random.default_rng(5).integers(0, 255, 3000, "u1").tobytes()
"""Bytes without any 255, so that nothing in them looks like a frame of MPEG audio."""

ID3V1 = b"TAG" + bytes(124) + b"\x0c"
APE = b"APETAGEX" + (2000).to_bytes(4, "little") + (32).to_bytes(4, "little") + bytes(16)


def with_wrong_sample_count(data: bytes) -> bytes:
    """Return RF64 whose number of samples is wrong, and whose size of the data is right."""
    at = data.index(b"ds64") + 24
    return data[:at] + (777_777).to_bytes(8, "little") + data[at + 8 :]


def rows(text: str) -> list[list[str]]:
    """Return the rows of a table, whose columns are separated by bars."""
    return [[cell.strip() for cell in line.split("|")] for line in text.replace("VIDEO", VIDEO).strip().splitlines()]


def of_wav(bits: str) -> str:
    return f"-c:a {bits} -f wav"


def wav_files() -> Iterator[File]:
    for codec in ("pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le", "pcm_f64le", "pcm_alaw", "pcm_mulaw"):
        yield File(f"{codec}.wav", ffmpeg("studio", of_wav(codec)))
    for codec in ("adpcm_ms", "adpcm_ima_wav", "adpcm_swf", "adpcm_yamaha"):
        yield File(f"{codec}.wav", ffmpeg("low", of_wav(codec)), error=ADPCM)
    yield File("gsm_ms.wav", ffmpeg("speech", of_wav("libgsm_ms")), error=ROUNDED)
    yield File("g726.wav", ffmpeg("speech", of_wav("g726")), error=ADPCM)
    yield File("mp3.wav", ffmpeg("mono", of_wav("libmp3lame")), error=FLOATS)
    yield File("mp2.wav", ffmpeg("cd", of_wav("mp2")), error=1e-4)
    yield File("ac3.wav", ffmpeg("studio", of_wav("ac3")), error=FLOATS)
    yield File("piped.wav", ffmpeg("cd", "-f wav", pipe=True))
    yield File("rf64.wav", ffmpeg("cd", "-rf64 always -f wav"))
    yield File("rf64-floats.wav", ffmpeg("float", "-rf64 always -c:a pcm_f32le -f wav"))
    yield File("six-floats.wav", ffmpeg("six", of_wav("pcm_f32le")))
    yield File("rf64-count.wav", changed(ffmpeg("cd", "-rf64 always -f wav"), with_wrong_sample_count))
    yield File("surround.wav", ffmpeg("six", of_wav("pcm_s24le")))
    yield File("one-sample.wav", ffmpeg("one"))
    yield File("sox-24.wav", sox("studio", "-b 24"), by_sox)
    yield File("sox-ima.wav", sox("cd", "-e ima-adpcm"), error=ADPCM)
    yield File("sox-gsm.wav", sox("speech", "-e gsm-full-rate"), error=ROUNDED)
    yield File("a.w64", ffmpeg("cd", "-c:a pcm_s24le"))
    yield File("float.w64", ffmpeg("float", "-c:a pcm_f32le"))


def other_pcm_files() -> Iterator[File]:
    for codec in ("pcm_s8", "pcm_s16be", "pcm_s24be", "pcm_s32be", "pcm_f32be", "pcm_f64be", "pcm_mulaw", "pcm_alaw"):
        if codec != "pcm_s8":
            yield File(f"{codec}.aifc", ffmpeg("studio", f"-c:a {codec} -f aiff"))
        yield File(f"{codec}.au", ffmpeg("studio", f"-c:a {codec}"))
        yield File(f"{codec}.caf", ffmpeg("studio", f"-c:a {codec}"))
    for suffix in ("avr", "sf", "sph", "8svx"):
        yield File(f"sox.{suffix}", sox("speech"), by_sox)
    yield File("odd.aiff", sox("mono", "-b 8 trim 0 1001s"), by_sox)
    yield File("odd-bytes.wav", sox("mono", "-b 8 trim 0 1001s"), by_sox)
    yield File("odd.aifc", ffmpeg("one", "-c:a pcm_mulaw -f aiff"))
    for name, codec in rows("""
        six.aiff | pcm_s24be
        six.caf | pcm_s16le
        six.w64 | pcm_s24le
        six-floats.w64 | pcm_f64le
    """):
        yield File(name, ffmpeg("six", f"-c:a {codec}"))
    yield File("sowt.aifc", ffmpeg("cd", "-c:a pcm_s16le -f aiff"))
    yield File("ima4.aifc", ffmpeg("cd", "-c:a adpcm_ima_qt -f aiff"), error=ADPCM)
    yield File("sox.aiff", sox("studio"), by_sox)
    yield File("alac.caf", ffmpeg("cd", "-c:a alac"))
    yield File("ffmpeg.voc", ffmpeg("cd"))
    yield File("sox.voc", sox("speech"), by_sox)
    yield File("sox.sox", sox("studio"), by_sox)
    yield File("ffmpeg.sox", ffmpeg("cd"))
    yield File("a.ircam", ffmpeg("cd"))
    yield File("a.g722", ffmpeg("wide"))
    yield File("a.gsm", ffmpeg("speech", "-c:a libgsm"), error=ROUNDED)


def flac_files() -> Iterator[File]:
    for level in (0, 2, 5, 8):
        yield File(f"level-{level}.flac", flac("cd", f"-{level}"), by_flac)
    yield File("24.flac", flac("studio"), by_flac)
    yield File("20.flac", ffmpeg("studio", "-af aformat=s32 -bits_per_raw_sample 20 -strict -2"))
    yield File("blocks.flac", flac("cd", "--lax -b 32768"), by_flac)
    yield File("short-blocks.flac", flac("cd", "--lax -b 17"), by_flac)
    yield File("surround.flac", flac("six", "-8"), by_flac)
    yield File("padding.flac", flac("cd", "-P 100000"), by_flac)
    yield File("piped.flac", ffmpeg("mono", "-f flac", pipe=True))
    yield File("id3.flac", changed(flac("cd"), lambda data: id3(1000) + data))
    yield File("flac.oga", flac("cd", "--ogg"))
    yield File("flac24.oga", flac("studio", "--ogg"))
    yield File("flac.ogg", ffmpeg("mono", "-c:a flac -f ogg"))


def mpeg_files() -> Iterator[File]:
    for given, options in rows("""
        mono | -V2
        cd | -V6 -q 7
        speech | -b 8
        low | -b 64 -m s
        studio | -b 320
        wide | -V9
    """):
        yield File(f"{given}.mp3", lame(given, options), by_mpg123, FLOATS)
    for name, options in rows("""
        abr | --abr 97
        crc | -p -b 128
        dual | -m d -b 192
        forced | -m f -b 128
        no-reservoir | --nores
        free | --freeformat -b 200
        untagged | -t -b 128
        untagged-vbr | -t -V5
        tagged | --tt Title --add-id3v2
        tagged-1 | --tt Title --id3v1-only
        copyright | -c -o -e n
    """):
        yield File(f"{name}.mp3", lame("mono" if "vbr" in name else "cd", options), by_mpg123, FLOATS)
    yield File("piped.mp3", ffmpeg("mono", "-c:a libmp3lame -q:a 4 -f mp3", pipe=True), by_mpg123, FLOATS)
    yield File("no-xing.mp3", ffmpeg("mono", "-c:a libmp3lame -b:a 64k -write_xing 0"), by_mpg123, FLOATS)
    plain = lame("cd", "-b 128")
    for name, change in {
        "zeros": lambda data: bytes(5000) + data,
        "junk": lambda data: JUNK + data,
        "junk-behind": lambda data: data + JUNK,
        "zeros-behind": lambda data: data + bytes(5000),
        "id3-twice": lambda data: id3(500) + id3(70_000) + data,
        "id3-and-zeros": lambda data: id3(100) + bytes(300) + data,
        "tags-behind": lambda data: data + bytes(1968) + APE + ID3V1,
    }.items():
        yield File(f"{name}.mp3", changed(plain, change), by_mpg123, FLOATS)
    bare = lame("cd", "-t -b 128")
    yield File("twice.mp3", changed(bare, lambda data: data + data), by_mpg123, FLOATS)
    yield File("twice-tagged.mp3", changed(bare, lambda data: data + ID3V1 + id3(200) + data), by_mpg123, FLOATS)
    for rate, given in ((44100, "cd"), (22050, "low"), (16000, "wide")):
        yield File(f"{rate}.mp2", ffmpeg(given, "-c:a mp2"), by_mpg123, FLOATS)
    yield File("vbr-like.mp2", changed(ffmpeg("cd", "-c:a mp2"), lambda data: data[1253:] + ID3V1), by_mpg123, FLOATS)


def ogg_files() -> Iterator[File]:
    for name, given, options in rows("""
        q-1 | cd | -q -1
        q10 | studio | -q 10
        managed | cd | -b 96 --managed
        mono | mono | -q 3
        speech | speech | -q 5
        low | low | -q 2
        surround | six | -q 5
        one | one | -q 5
    """):
        yield File(f"{name}.ogg", oggenc(given, options), by_oggdec, ROUNDED)
    yield File("ffmpeg.ogg", ffmpeg("cd", "-c:a libvorbis"), by_oggdec, ROUNDED)
    yield File("native.ogg", ffmpeg("cd", "-c:a vorbis -strict -2"), by_oggdec, ROUNDED)
    yield File("video.ogv", ffmpeg("cd", f"{VIDEO} -c:v libtheora -c:a libvorbis -f ogg"), error=FLOATS)
    yield File("speex.spx", ffmpeg("wide", "-c:a libspeex"), error=FLOATS)
    yield File("flac-twice.oga", changed(flac("cd", "--ogg"), lambda data: data + data))
    for name, given, options in rows("""
        cd | cd |
        mono | mono | --bitrate 24
        cbr | studio | --hard-cbr
        tiny-frames | studio | --framesize 2.5
        long-frames | studio | --framesize 60
        music | cd | --music
        discard | cd | --bitrate 6
    """):
        yield File(f"{name}.opus", opusenc(given, options), by_opusdec, 1e-3)
    yield File("surround.opus", opusenc("six"), other_decoders.by_ffmpeg_with_libopus, 1e-3)


def mp4_files() -> Iterator[File]:
    for name, given, options, error in rows("""
        aac.m4a | cd |  | floats
        aac-mono.m4a | mono | -b:a 32k | floats
        aac-low.m4a | low |  | floats
        aac-surround.m4a | six |  | floats
        alac.m4a | cd | -c:a alac | exact
        alac-24.m4a | studio | -c:a alac -sample_fmt s32p | exact
        alac-surround.m4a | six | -c:a alac | exact
        alac-eight.m4a | eight | -ac 8 -c:a alac | exact
        fast.m4a | cd | -movflags +faststart | floats
        fragments.mp4 | cd | -movflags +frag_keyframe+empty_moov | floats
        mp3.mp4 | cd | -c:a libmp3lame | floats
        opus.mp4 | studio | -c:a libopus | floats
        flac.mp4 | cd | -c:a flac -strict -2 | exact
        ac3.mp4 | studio | -c:a ac3 | floats
        s16le.mov | cd | -c:a pcm_s16le | exact
        s24be.mov | studio | -c:a pcm_s24be | exact
        f32.mov | float | -c:a pcm_f32le | exact
        u8.mov | cd | -c:a pcm_u8 | exact
        ima.mov | cd | -c:a adpcm_ima_qt | exact
        alaw.mov | cd | -c:a pcm_alaw | exact
        aac.3gp | cd | -c:a aac | floats
        book.m4b | mono | -f ipod | floats
        late.m4a | cd | -ss 0.4 | floats
        video.mp4 | cd | VIDEO -c:v mpeg4 -shortest | floats
    """):
        # Only the newer ffmpeg leaves out the padding of the last frame of AAC.
        by = by_ffmpeg if name in ("mp3.mp4", "ac3.mp4") else other_decoders.by_another_ffmpeg
        yield File(name, ffmpeg(given, options), by, ERRORS[error])


def container_files() -> Iterator[File]:
    for name, given, options, error in rows("""
        a.wv | cd |  | exact
        24.wv | studio | -c:a wavpack | exact
        a.tta | cd |  | exact
        24.tta | studio | -sample_fmt s32 | exact
        a.wma | cd |  | floats
        v1.wma | cd | -c:a wmav1 | floats
        flac.mka | cd | -c:a flac | exact
        pcm.mka | cd | -c:a pcm_s16le | exact
        aac.mka | cd | -c:a aac | floats
        vorbis.mka | cd | -c:a libvorbis | floats
        opus.mka | studio | -c:a libopus | floats
        tta.mka | cd | -c:a tta | exact
        mp3.mkv | cd | VIDEO -c:v mpeg4 -c:a libmp3lame | floats
        opus.webm | studio |  | floats
        vorbis.webm | cd | -c:a libvorbis | floats
        piped.webm | cd | -live 1 -c:a libvorbis | floats
        mp3.avi | cd |  | floats
        pcm.avi | cd | -c:a pcm_s16le | exact
        ac3.avi | studio | -c:a ac3 | floats
        adpcm.avi | cd | -c:a adpcm_ms | exact
        wma.avi | cd | -c:a wmav2 | floats
        mp3.flv | cd |  | floats
        aac.flv | cd | -c:a aac | floats
        mp2.ts | cd | -f mpegts | floats
        aac.ts | cd | -f mpegts -c:a aac | floats
        mp2.mpg | cd |  | floats
        a.nut | cd | -c:a pcm_s16le | exact
        a.ac3 | studio |  | floats
        44.ac3 | cd |  | floats
        surround.ac3 | six |  | floats
        a.eac3 | studio |  | floats
        a.dts | studio | -strict -2 | floats
        a.aac | cd |  | floats
        surround.aac | six |  | floats
        a.latm | cd | -c:a aac | floats
        a.thd | studio | -strict -2 | exact
        a.mlp | studio | -strict -2 | exact
        a.rm | mono | -c:a ac3 | floats
    """):
        yield File(name, ffmpeg(given, options), error=ERRORS[error])
    yield File("id3.aac", changed(ffmpeg("cd"), lambda data: id3(300) + data), error=FLOATS)
    yield File("wavpack.wv", lambda path: call("wavpack", "-q", "-hh", source("studio", path.parent), "-o", path))
    yield File("float.wv", lambda path: call("wavpack", "-q", source("float", path.parent), "-o", path))


FILES: dict[str, File] = {
    one.name: one
    for files in (wav_files, other_pcm_files, flac_files, mpeg_files, ogg_files, mp4_files, container_files)
    for one in files()
}
"""Files by their names."""
