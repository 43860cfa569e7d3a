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


def box(kind: bytes, *bodies: bytes) -> bytes:
    """Return a box of MP4."""
    body = b"".join(bodies)
    return (8 + len(body)).to_bytes(4, "big") + kind + body


def m4a(samples: int = 1, size: int = 0, edits: int = 0) -> bytes:
    """Return an MP4 file whose tables claim so many samples of a size, and so many edits."""

    def numbers(*values: int) -> bytes:
        return b"".join(value.to_bytes(4, "big") for value in values)

    entry = box(b"sowt", bytes(6), b"\0\1", bytes(8), b"\0\1\0\x10", bytes(4), b"\x1f\x40\0\0")
    table = box(
        b"stbl",
        box(b"stsd", numbers(0, 1), entry),
        box(b"stts", numbers(0, 1, samples, 2)),
        box(b"stsc", numbers(0, 1, 1, samples, 1)),
        box(b"stsz", numbers(0, size, samples)),
        box(b"stco", numbers(0, 1, 40)),
    )
    reference = box(b"dinf", box(b"dref", numbers(0, 1), box(b"url ", numbers(1))))
    media = box(
        b"mdia",
        box(b"mdhd", numbers(0, 0, 0, 8000, 2 * samples & 0xFFFFFFFF, 0)),
        box(b"hdlr", numbers(0, 0), b"soun", bytes(13)),
        box(b"minf", box(b"smhd", bytes(8)), reference, table),
    )
    edit = box(b"edts", box(b"elst", numbers(0, edits), numbers(1000, 0, 65536) * min(edits, 50_000)))
    track = box(b"trak", box(b"tkhd", numbers(3, 0, 0, 1), bytes(68)), edit, media)
    header = box(b"mvhd", numbers(0, 0, 0, 8000, 8000), bytes(80))
    return box(b"ftyp", b"M4A \0\0\0\0") + box(b"mdat", bytes(4000)) + box(b"moov", header, track)


def truehd_of_zeros() -> bytes:
    return bytes.fromhex("c04affd8f8726fba") + bytes(5000)


def playlist(start: bytes) -> bytes:
    """Return a list that names the secret beside it."""
    return start + b"\nfile 'secret.txt'\nfile:secret.txt\n"


OGG_PAGE = b"OggS\0\2" + bytes(8) + b"\1\0\0\0" + bytes(8) + b"\1\1\x7f"

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
    "64-bit-integers": (".wav", wav(bits=64), FINE),
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
    "mp3-twice": (".mp3", MP3 + MP3, FINE),
    "mp3-of-headers": (".mp3", b"\xff\xfb\x90\x00" * 100_000, ANY),
    "mp3-of-free-headers": (".mp3", b"\xff\xfb\x00\x00" * 100_000, ANY),
    "mp3-of-sync-words": (".mp3", b"\xff" * 2_000_000, REFUSED),
    "mp3-of-tags": (".mp3", b"ID3\4\0\0\0\0\0\0" * 100_000 + MP3, ANY),
    "mp3-of-many-files": (".mp3", MP3 * 300, ANY),
    "ogg-of-first-pages": (".ogg", OGG_PAGE * 50_000, REFUSED),
    "ogg-of-marks": (".ogg", b"OggS\0" * 400_000, REFUSED),
    "flac-in-ogg-broken": (".oga", OGG_PAGE[:-2] + b"\x0d" + b"\x7fFLAC\1\0\0\1fLaC", REFUSED),
    "m4a": (".m4a", m4a(1000, 2), ANY),
    "m4a-of-billions": (".m4a", m4a((1 << 32) - 1, 1), REFUSED),
    "m4a-of-many": (".m4a", m4a(80_000_000, 0), REFUSED),
    "m4a-of-edits": (".m4a", m4a(2000, 2, 50_000), REFUSED),
    "m4a-cut-off": (".m4a", m4a(1000, 2)[:-200], REFUSED),
    "m4a-of-boxes": (".m4a", box(b"ftyp", b"M4A ") + box(b"moov") * 150_000, REFUSED),
    "m4a-head-alone": (".m4a", box(b"ftyp", b"M4A \0\0\0\0"), REFUSED),
    "truehd-of-zeros": (".thd", truehd_of_zeros(), REFUSED),
    "matroska-head-alone": (".mka", b"\x1a\x45\xdf\xa3" + bytes(3000), REFUSED),
    "matroska-of-the-moon": (".mka", b"\x1a\x45\xdf\xa3\x80\x18\x53\x80\x67\x08" + b"\xff" * 9, REFUSED),
    "ape-of-frames": (
        ".ape",
        b"MAC \x96\x0f\0\0" + struct.pack("<6L", 52, 24, (1 << 32) - 4, 0, 0, 0) + b"\xff" * 60,
        REFUSED,
    ),
    "tta-of-frames": (".tta", b"TTA1\1\0\1\0\x10\0" + struct.pack("<3L", 8000, (1 << 31) - 1, 0) + bytes(99), REFUSED),
    "asf-head-alone": (".wma", bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c") + b"\xff" * 90, REFUSED),
    "flv-head-alone": (".flv", b"FLV\1\5\0\0\0\x09" + bytes(90), REFUSED),
    "avi-of-nothing": (".avi", b"RIFF\xff\0\0\0AVI LIST" + bytes(247), REFUSED),
    "list-as-m4a": (".m4a", playlist(b"ffconcat version 1.0"), REFUSED),
    "list-as-mka": (".mka", playlist(b"#EXTM3U"), REFUSED),
    "list-as-aac": (".aac", playlist(b"[playlist]"), REFUSED),
    "two-wavs": (".wav", wav() + wav(), ANY),
}


def cases() -> Iterator[Case]:
    """Yield audio files."""
    for name, (suffix, content, verdict) in CONTENTS.items():
        yield Case(name, "audio-reader", suffix, content, verdict)
    yield Case("id3-of-many-pieces", "audio-reader", ".mp3", pieces_of_id3(60_000), FINE, is_heavy=True)
    yield Case("silence", "audio-reader", ".flac", silence, "too-large", memory="150MB")
