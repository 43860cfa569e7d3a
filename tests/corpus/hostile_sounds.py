"""Audio files with headers that lie, and those on which libraries print what they like."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from case import ANY, FINE, REFUSED, Case

SOUND = (np.sin(np.arange(20_000) / 7) * 0.5).astype("f4")


def made(container: str, subtype: str, samples: Any = SOUND) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, 48000, format=container, subtype=subtype)
    return file.getvalue()


def alac_with_broken_packets() -> bytes:
    """Return Apple Lossless whose table of packets has no end: libsndfile prints "Ooops!" on C's stdout."""
    data = bytearray(made("CAF", "ALAC_16"))
    at = data.index(b"pakt") + 12 + 24
    data[at : at + 8] = b"\xff" * 8
    return bytes(data)


def mp3_in_wav() -> bytes:
    """Return a WAV file that claims to hold MP3."""
    return b"RIFF\x54\0\0\0WAVEfmt \x12\0\0\0\x55\0" + bytes(12) + b"\1\0\0\0data" + b"\x28\0\0\0" + bytes(40)


def wav(channels: int = 1, rate: int = 8000, bits: int = 16, form: int = 1, size: int = 800) -> bytes:
    """Return a WAV file of 800 bytes of samples, whose header says what is given."""
    align = channels * bits // 8
    head = struct.pack("<HHLLHH", form, channels & 0xFFFF, rate, rate * align & 0xFFFFFFFF, align & 0xFFFF, bits)
    return (
        b"RIFF" + struct.pack("<L", 836) + b"WAVEfmt \x10\0\0\0" + head + b"data" + struct.pack("<L", size) + bytes(800)
    )


def silence(path: Path) -> None:
    """Write a FLAC file that inflates a thousand times."""
    with soundfile.SoundFile(path, "w", 48000, 8, "PCM_16") as file:
        for _ in range(60):
            file.write(np.zeros((65_536, 8), "i2"))


def pieces_of_id3(count: int) -> bytes:
    """Return an ID3 tag of very small frames before a sound."""
    body = b"TXXX\0\0\0\4\0\0\3a\0b" * count
    sizes = bytes(len(body) >> shift & 127 for shift in (21, 14, 7, 0))
    return b"ID3\4\0\0" + sizes + body + made("MP3", "MPEG_LAYER_III")


MP3 = made("MP3", "MPEG_LAYER_III")
OGG = made("OGG", "VORBIS")
FLAC = made("FLAC", "PCM_16")

CONTENTS: dict[str, tuple[str, bytes, str]] = {
    "alac": (".caf", alac_with_broken_packets(), REFUSED),
    "mp3-cut-off": (".mp3", MP3[:2000] + bytes(5000), ANY),
    "mp3-after-zeros": (".mp3", b"\0\0" + MP3, ANY),
    "mp3-with-zeros": (".mp3", MP3[:900] + bytes(200) + MP3[900:] + b"TAG" + bytes(300), ANY),
    "mp3-as-wav": (".wav", MP3, ANY),
    "id3-alone": (".mp3", b"ID3\4" + bytes(5000), REFUSED),
    "id3-of-pieces": (".mp3", pieces_of_id3(3000), FINE),
    "mp3-in-wav": (".wav", mp3_in_wav(), REFUSED),
    "no-channels": (".wav", wav(channels=0), REFUSED),
    "65535-channels": (".wav", wav(channels=65535), REFUSED),
    "rate-0": (".wav", wav(rate=0), REFUSED),
    "rate-4-GHz": (".wav", wav(rate=(1 << 32) - 1), REFUSED),
    "no-bits": (".wav", wav(bits=0), REFUSED),
    "64-bit-integers": (".wav", wav(bits=64), REFUSED),
    "unknown-form": (".wav", wav(form=0x1234), REFUSED),
    "left-open-by-a-pipe": (".wav", wav(size=(1 << 32) - 1), FINE),
    "claims-1-GB": (".wav", wav(size=1 << 30), "truncated"),
    "claims-more": (".wav", wav(size=900), "truncated"),
    "claims-nothing": (".wav", wav(size=0), ANY),
    "riff-alone": (".wav", b"RIFF\xff\xff\xff\xffWAVE", REFUSED),
    "no-data": (".wav", wav()[:36], REFUSED),
    "wav-of-nan": (".wav", made("WAV", "FLOAT", np.full(100, np.nan, "f4")), "not-finite"),
    "wav-beyond-full-scale": (".wav", made("WAV", "FLOAT", np.full(100, 2e4, "f4")), "beyond-full-scale"),
    "flac-cut-off": (".flac", FLAC[:-100], REFUSED),
    "flac-of-the-moon": (".flac", FLAC[:21] + bytes([FLAC[21] | 0x0F]) + FLAC[22:], REFUSED),
    "flac-header-alone": (".flac", FLAC[:42], REFUSED),
    "ogg-cut-off": (".ogg", OGG[:-1000], REFUSED),
    "ogg-twice": (".ogg", OGG + OGG, ANY),
    "ogg-header-alone": (".ogg", OGG[:58], REFUSED),
    "two-wavs": (".wav", wav() + wav(), ANY),
}


def cases() -> Iterator[Case]:
    """Yield audio files."""
    for name, (suffix, content, verdict) in CONTENTS.items():
        yield Case(name, "audio-reader", suffix, content, verdict)
    yield Case("id3-of-many-pieces", "audio-reader", ".mp3", pieces_of_id3(60_000), FINE, is_heavy=True)
    yield Case("silence", "audio-reader", ".flac", silence, "too-large", memory="150MB")
