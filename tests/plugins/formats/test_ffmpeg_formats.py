"""Formats that ffmpeg reads: each is told by its content, and none leads to other files."""

from __future__ import annotations

import pytest

from tonearm.api import file_types
from tonearm_plugins.formats import ffmpeg_formats

ADTS = bytes.fromhex("fff15080") + bytes([100 >> 3, (100 & 7) << 5 | 0x1F, 0xFC]) + bytes(93)
AC3 = bytes.fromhex("0b77000014400000") + bytes(760)  # 192 kbit/s at 48 kHz
EAC3 = bytes.fromhex("0b77003f00800000") + bytes(120)


@pytest.mark.parametrize(
    ("head", "name", "demuxer"),
    [
        (b"\0\0\0\x20ftypM4A \0\0\2\0", "a", "mov"),
        (b"\x1a\x45\xdf\xa3\xa3\x42\x86\x81", "a", "matroska"),
        (b"RIFF\0\0\0\0WAVEfmt ", "a", "wav"),
        (b"RIFF\0\0\0\0AVI LIST", "a", "avi"),
        (b"wvpk" + bytes(28), "a", "wv"),
        (b"#!AMR-WB\n", "a", "amr"),
        (5 * ADTS, "a", "aac"),
        (3 * AC3, "a", "ac3"),
        (3 * EAC3, "a", "eac3"),
        (3 * (b"\x56\xe0\x20" + bytes(32)), "a", "loas"),
        (bytes.fromhex("c04affd8f8726fba") + bytes(90), "a", "truehd"),
        (bytes.fromhex("c04affd8f8726fbb") + bytes(90), "a", "mlp"),
        (5 * (b"\x47" + bytes(187)), "a", "mpegts"),
        (5 * (bytes(4) + b"\x47" + bytes(187)), "a", "mpegts"),
        (b"EA3\3" + bytes(90), "a", "oma"),
        (b"MMMD" + bytes(90), "a", "mmf"),
        (b"\x06\x0e\x2b\x34\x02\x05\x01\x01\x0d\x01\x02" + bytes(90), "a", "mxf"),
        (bytes.fromhex("b7d800203749da11") + bytes(90), "a", "wtv"),
        (b"RIFF\0\0\0\0XWMAfmt ", "a", "xwma"),
        (b"\x80\0" * 9, "a.adx", "adx"),
        (b"\x9c" * 9, "a.sbc", "sbc"),
        (b"\xfa\x5b" * 9, "a/b.G722", "g722"),
        (b"\xd8\xe4" * 9, "b.gsm", "gsm"),
    ],
)
def test_a_format_is_told_by_its_content(head: bytes, name: str, demuxer: str) -> None:
    found = ffmpeg_formats.demuxer_of(head, name)
    assert found is not None
    assert found[0] == demuxer
    assert found[1].startswith(("a ", "an "))


@pytest.mark.parametrize(
    "head",
    [
        b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
        b"v=0\no=- 0 0 IN IP4 127.0.0.1\nm=audio 5004 RTP/AVP 96\n",
        b'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011">',
        b"[playlist]\nFile1=http://127.0.0.1/\n",
        b"RTSPtext\nrtsp://127.0.0.1/",
        b'<ASX version="3.0"><Entry><Ref href="http://127.0.0.1/"/></Entry></ASX>',
        b";FFMETADATA1\ntitle=a\n",
        b"DKIF\0\0\x20\0VP80",
        b"\x89PNG\r\n\x1a\n",
        b"",
        ADTS[:50],
        ADTS + bytes(900),
        AC3 + bytes(900),
        bytes(4096),
        b"\x47" + bytes(187) + b"\x47" + bytes(1000),
    ],
)
def test_playlists_pictures_and_chance_are_no_sound(head: bytes) -> None:
    for name in ("a", "a.m3u8", "http://127.0.0.1/a.m4a", "concat:/etc/passwd|a.mp3"):
        found = ffmpeg_formats.demuxer_of(head, name)
        # The start of one frame may be all of a short file.
        assert found is None or (head == ADTS[:50] and found[0] == "aac")


def test_demuxers_read_one_file_each() -> None:
    leading = {
        "hls",
        "concat",
        "dash",
        "sdp",
        "rtsp",
        "rtp",
        "image2",
        "lavfi",
        "applehttp",
        "tty",
        "webm_dash_manifest",
    }
    assert not leading & set(ffmpeg_formats.DEMUXERS.values())
    others = [demuxer for _, _, demuxer, _ in ffmpeg_formats._RARE] + list(ffmpeg_formats._BY_SUFFIX.values())
    assert not leading & set(others)
    for demuxer in (*ffmpeg_formats.DEMUXERS.values(), *others):
        assert demuxer in ffmpeg_formats.whitelist(demuxer).split(",")


def test_names_are_those_of_types_of_sound() -> None:
    types = [
        file_types.MP4,
        file_types.AVI,
        file_types.AIFF,
        file_types.AAC,
        *(found for _, found in file_types._BY_START),
    ]
    sounds = {found.name for found in types if found.reader == "audio-reader"}
    assert ffmpeg_formats.DEMUXERS.keys() <= sounds
    assert sounds - ffmpeg_formats.DEMUXERS.keys() == {
        *("an MP3 file", "an AAC file", "a W64 file", "an AVR file", "a PARIS file", "a NIST SPHERE file"),
        "an IRCAM file",
    }  # read otherwise
