"""Tags: those of source and user are merged, and each format gives back what was written."""

from __future__ import annotations

import base64
import io
import struct
import zlib
from pathlib import Path
from typing import Any

import mutagen.aiff
import mutagen.flac
import mutagen.id3
import mutagen.oggflac
import mutagen.oggopus
import mutagen.oggvorbis
import mutagen.wave
import numpy as np
import pytest
import soundfile

from tonearm.api import Cover
from tonearm_plugins.formats import tags

TAGS = {"title": "Grüße = ; 你好", "artist": "A", "comment": "c", "date": "2024", "mood": "calm", "track": "3/9"}


VENDOR = b"\4\0\0\0libx"
"""The name of a library, as it begins Vorbis comments."""


def comments_of(content: bytes) -> mutagen.flac.VCFLACDict:
    """What mutagen reads, which must be all that is there."""
    file = io.BytesIO(content)
    found = mutagen.flac.VCFLACDict(file, framing=False)
    assert not file.read()
    return found


def test_comments_take_the_place_of_those_of_a_library_and_keep_its_name() -> None:
    content = tags.with_comments(VENDOR + b"\1\0\0\0\7\0\0\0mood=no" + bytes(99), TAGS)
    found = comments_of(content)
    assert found.vendor == "libx"
    names = {"track": "tracknumber"}
    expected = {names.get(name, name): [text] for name, text in TAGS.items()}
    assert {name.lower(): found[name] for name in found.keys()} == expected  # noqa: SIM118


def test_without_tags_the_name_of_the_library_is_all() -> None:
    assert tags.with_comments(VENDOR + bytes(4) + bytes(512), {}) == VENDOR + bytes(4)


def test_id3_comes_back_from_mp3_and_aiff(tmp_path: Path) -> None:
    for suffix, kind, write in (("mp3", "MP3", tags.write_id3), ("aiff", "AIFF", tags.write_aiff)):
        path = tmp_path / f"x.{suffix}"
        soundfile.write(path, np.zeros(4800), 48000)
        write(path, TAGS)
        with path.open("rb") as file:
            assert tags.read_more(file, kind, "") == TAGS
        assert soundfile.info(path).frames >= 4800


def test_a_date_of_another_form_is_kept_as_text() -> None:
    frames = mutagen.id3.ID3(io.BytesIO(tags.id3_bytes({"date": "yesterday", "title": "x"})))
    assert str(frames["TXXX:date"]) == "yesterday"
    assert str(frames["TIT2"]) == "x"


def test_a_full_date_comes_back_beside_a_year(tmp_path: Path) -> None:
    path = tmp_path / "x.flac"
    soundfile.write(path, np.zeros(100), 48000)
    sound = mutagen.flac.FLAC(path)
    sound["date"], sound["year"] = "2024-05-01", "2024"
    sound.save()
    with path.open("rb") as file:
        assert tags.read_more(file, "FLAC", "PCM_16") == {"date": "2024-05-01"}
    path = tmp_path / "x.mp3"
    soundfile.write(path, np.zeros(4800), 48000)
    tags.write_id3(path, {"date": "2024-05-01", "year": "2024"})
    with path.open("rb") as file:
        assert tags.read_more(file, "MP3", "") == {"date": "2024-05-01"}


@pytest.mark.parametrize("write", [tags.write_id3, tags.write_aiff])
def test_without_tags_a_file_stays_as_it_is(tmp_path: Path, write: Any) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"anything")
    write(path, {})
    assert path.read_bytes() == b"anything"


def test_what_belongs_to_the_source_alone_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "x.flac"
    soundfile.write(path, np.zeros(100), 48000)
    made = mutagen.flac.FLAC(path)
    made.update({"encoder": "e", "replaygain_track_gain": "1 dB", "mood": "calm"})
    made.save()
    with path.open("rb") as file:
        assert tags.read_more(file, "FLAC", "PCM_16") == {"mood": "calm"}


def test_a_broken_tag_is_no_tag() -> None:
    assert tags.read_more(io.BytesIO(b"ID3\x04\0\0\xff\xff\xff\xff"), "MP3", "") == {}


COVER = Cover(content=b"picture", mime="image/png", width=3, height=4, depth=24)


def sound(path: Path, kind: str, subtype: str | None = None) -> Path:
    soundfile.write(path, np.zeros(4800), 48000, format=kind, subtype=subtype)
    return path


def read(path: Path, kind: str, subtype: str = "") -> dict[str, str]:
    with path.open("rb") as file:
        file.seek(7)
        return tags.read_more(file, kind, subtype)


def synchsafe(number: int) -> bytes:
    return bytes(number >> shift & 127 for shift in (21, 14, 7, 0))


def frame(name: bytes, body: bytes) -> bytes:
    return name + synchsafe(len(body) + 1) + bytes(2) + body + b"\0"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"title": "yesterday"}, frame(b"TIT2", b"\3yesterday")),
        ({"comment": "c"}, frame(b"COMM", b"\3XXX\0c")),
        ({"lyrics": "l"}, frame(b"USLT", b"\3XXX\0l")),
        ({"mood": "m"}, frame(b"TXXX", b"\3mood\0m")),
        ({"replaygain_track_gain": "1"}, frame(b"TXXX", b"\3REPLAYGAIN_TRACK_GAIN\x001")),
        ({"r128_track_gain": "1"}, frame(b"TXXX", b"\3R128_TRACK_GAIN\x001")),
        ({"my_r128_gain": "1"}, frame(b"TXXX", b"\3my_r128_gain\x001")),
        *(({"date": date}, frame(b"TDRC", b"\3" + date.encode())) for date in ("2024", "2024-05", "2024-05-01")),
        *(({"date": date}, frame(b"TXXX", b"\3date\0" + date.encode())) for date in ("202", "20245", "24-05")),
    ],
)
def test_each_tag_has_its_frame(given: dict[str, str], expected: bytes) -> None:
    assert tags.id3_bytes(given) == b"ID3\4\0\0" + synchsafe(len(expected)) + expected  # and no padding


@pytest.mark.parametrize("given", [{}, {"title": "x"}])
def test_a_cover_is_written_into_each_format(given: dict[str, str], tmp_path: Path) -> None:
    comments = comments_of(tags.with_comments(VENDOR, given, COVER))
    (text,) = comments["METADATA_BLOCK_PICTURE"]
    assert base64.b64decode(text) == tags.flac_picture(COVER)
    assert len(comments) == 1 + len(given)
    picture = mutagen.flac.Picture(tags.flac_picture(COVER))
    assert (picture.type, picture.mime, picture.data) == (3, "image/png", b"picture")
    assert (picture.width, picture.height, picture.depth) == (3, 4, 24)
    for suffix, kind, write in (("mp3", "MP3", tags.write_id3), ("aiff", "AIFF", tags.write_aiff)):
        path = sound(tmp_path / f"x.{suffix}", kind)
        write(path, given, COVER)
        found: Any = mutagen.id3.ID3(path) if kind == "MP3" else mutagen.aiff.AIFF(path).tags
        (picture,) = found.getall("APIC")
        assert (picture.encoding, picture.type, picture.mime, picture.data) == (3, 3, "image/png", b"picture")
        assert read(path, kind) == given
    frames = tags.id3_frames(given, COVER)
    assert len(frames) == 1 + len(given)
    assert len(tags.id3_frames(given)) == len(given)


def test_no_padding_is_written(tmp_path: Path) -> None:
    path = sound(tmp_path / "x.mp3", "MP3")
    before = path.read_bytes()
    tags.write_id3(path, {"title": "x"})
    assert path.read_bytes() == tags.id3_bytes({"title": "x"}) + before
    path = sound(tmp_path / "x.aiff", "AIFF")
    tags.write_aiff(path, {"title": "xy"})
    assert b"ID3 " + struct.pack(">I", len(tags.id3_bytes({"title": "xy"}))) in path.read_bytes()


def test_an_mp3_keeps_its_tags_and_loses_those_at_its_end(tmp_path: Path) -> None:
    path = sound(tmp_path / "x.mp3", "MP3")
    sounds = path.read_bytes()
    tags.write_id3(path, {"title": "x", "artist": "a"})
    path.write_bytes(path.read_bytes() + b"TAG" + b"old".ljust(124, b"\0") + b"\xff")
    tags.write_id3(path, {"title": "y"})
    assert read(path, "MP3") == {"title": "y", "artist": "a"}
    assert path.read_bytes().endswith(sounds[-200:])


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        *(
            (name, False)
            for name in ("cuesheet", "coverart", "coverartmime", "encoder", "itunnorm", "itun", "software")
        ),
        *((name, False) for name in ("metadata_block_picture", "r128_x", "replaygain_x", "waveformatextensible_x")),
        *(
            (name, True)
            for name in ("cuesheet2", "encoder2", "myencoder", "encoder_settings", "softwares", "r128", "empty")
        ),
    ],
)
def test_tags_of_the_source_alone_are_left_out(name: str, kept: bool, tmp_path: Path) -> None:
    path = sound(tmp_path / "x.flac", "FLAC")
    file = mutagen.flac.FLAC(path)
    file[name], file["title"], file["nothing"] = "v", "t", ""
    file.save()
    assert read(path, "FLAC") == ({name: "v"} if kept else {}) | {"title": "t"}


@pytest.mark.parametrize(
    "error",
    [
        *(mutagen.MutagenError(), ValueError(), KeyError(), IndexError(), TypeError(), AttributeError()),
        *(EOFError(), struct.error(), OSError()),
    ],
    ids=repr,
)
def test_whatever_mutagen_raises_means_no_tags(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: object) -> None:
        raise error

    monkeypatch.setattr(tags, "_read", failing)
    assert tags.read_more(io.BytesIO(), "MP3", "") == {}


def test_memory_and_interrupts_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(tags, "_read", failing)
    with pytest.raises(MemoryError):
        tags.read_more(io.BytesIO(), "MP3", "")


def test_compressed_frames_inflate_within_a_bound() -> None:
    inflate = tags._BoundedZlib.decompress
    assert tags._BoundedZlib.error is zlib.error
    assert inflate(zlib.compress(b"text")) == b"text"
    full = zlib.compress(bytes(240))
    assert len(full) == 12  # a twentieth
    assert inflate(full) == bytes(240)
    for data in (zlib.compress(bytes(241)), zlib.compress(bytes(1 << 20)), full[:-1], b""):
        with pytest.raises(zlib.error, match=r"^a compressed frame is cut off or too long$"):
            inflate(data)
    body = b"\0" + b"Plenty".ljust(2000, b".")
    packed = zlib.compress(body)
    head = b"TIT2" + synchsafe(len(packed) + 4) + b"\0\x09" + synchsafe(len(body)) + packed
    data = b"ID3\4\0\0" + synchsafe(len(head)) + head
    assert tags.read_more(io.BytesIO(data), "MP3", "") == {}
    short = zlib.compress(b"\0Plenty")
    head = b"TIT2" + synchsafe(len(short) + 4) + b"\0\x09" + synchsafe(7) + short
    data = b"ID3\4\0\0" + synchsafe(len(head)) + head
    assert tags.read_more(io.BytesIO(data), "MP3", "") == {"title": "Plenty"}


def test_wav_and_flac_in_ogg_are_read_and_others_have_no_tags(tmp_path: Path) -> None:
    path = sound(tmp_path / "x.wav", "WAV")
    assert read(path, "WAV") == {}
    file = mutagen.wave.WAVE(path)
    file.add_tags()
    tags.add_id3(file.tags, TAGS)
    file.save()
    assert read(path, "WAV") == read(path, "WAVEX") == TAGS
    assert read(path, "RAW") == read(path, "W64") == {}
    path = sound(tmp_path / "x.mp3", "MP3")
    tags.write_id3(path, TAGS)
    assert read(path, "CAF") == {}
    ogg = flac_in_ogg(tmp_path)
    assert read(ogg, "OGG", "FLAC") == {"title": "x"}
    assert read(ogg, "OGG", "VORBIS") == {}
    assert read(sound(tmp_path / "y.mp3", "MP3"), "MP3") == {}
    assert read(sound(tmp_path / "y.aiff", "AIFF"), "AIFF") == {}


def flac_in_ogg(folder: Path) -> Path:
    """A FLAC stream within Ogg, of headers alone."""
    from mutagen.ogg import OggPage

    path = sound(folder / "z.flac", "FLAC")
    comments = mutagen.flac.VCFLACDict()
    comments["title"] = "x"
    info = path.read_bytes()[8:42]
    packets = [
        b"\x7fFLAC\1\0\0\1fLaC\0\0\0\x22" + info,
        b"\x84" + len(comments.write()).to_bytes(3, "big") + comments.write(),
    ]
    pages = b""
    for number, packet in enumerate(packets):
        page = OggPage()
        page.packets, page.serial, page.sequence, page.first, page.last = [packet], 1, number, not number, bool(number)
        pages += page.write()
    (folder / "z.ogg").write_bytes(pages)
    return folder / "z.ogg"


def aiff_with(path: Path, *chunks: tuple[bytes, bytes]) -> Path:
    sound(path, "AIFF")
    data = path.read_bytes()
    for name, content in chunks:
        data += name + struct.pack(">I", len(content)) + content + bytes(len(content) % 2)
    path.write_bytes(data[:4] + struct.pack(">I", len(data) - 8) + data[8:])
    return path


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        ([b"\xc2\xa9 me"], "© me"),
        ([b"\xa9 me"], "© me"),
        ([b"first\0\0\0", b"second"], "first"),
        ([b"x" * 65_536], "x" * 65_536),
        ([b"x" * 65_537], ""),
        ([b"x" * 65_537, b"short"], "short"),
        ([b""], ""),
    ],
)
def test_the_copyright_of_an_aiff_file(chunks: list[bytes], expected: str, tmp_path: Path) -> None:
    path = aiff_with(tmp_path / "x.aiff", (b"ANNO", b"note"), *((b"(c) ", chunk) for chunk in chunks))
    assert read(path, "AIFF") == ({"copyright": expected} if expected else {})


def test_id3_takes_precedence_over_the_copyright_of_an_aiff_file(tmp_path: Path) -> None:
    path = aiff_with(tmp_path / "x.aiff", (b"(c) ", b"chunk!"))
    tags.write_aiff(path, {"title": "x"})
    assert read(path, "AIFF") == {"title": "x", "copyright": "chunk!"}
    file = mutagen.aiff.AIFF(path)
    tags.add_id3(file.tags, {"copyright": "frame"})
    file.save()
    assert read(path, "AIFF") == {"title": "x", "copyright": "frame"}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"TRACKNUMBER": "3", "TRACKTOTAL": "9"}, {"track": "3/9"}),
        ({"TRACKNUMBER": "3", "TOTALTRACKS": "9"}, {"track": "3/9"}),
        ({"TRACKNUMBER": "3", "TOTALTRACKS": "8", "TRACKTOTAL": "9"}, {"track": "3/9"}),
        ({"TRACKNUMBER": "3/7", "TRACKTOTAL": "9"}, {"track": "3/7"}),
        ({"TRACKNUMBER": "3", "TRACKTOTAL": ""}, {"track": "3"}),
        ({"TRACKNUMBER": "3"}, {"track": "3"}),
        ({"TRACKTOTAL": "9"}, {}),
        ({"DISCNUMBER": "1", "TOTALDISCS": "2"}, {"disc": "1/2"}),
        ({"DISCNUMBER": "1", "DISCTOTAL": "2", "TRACKNUMBER": "5"}, {"disc": "1/2", "track": "5"}),
        ({"ARTIST": ["a", "b"], "Mood": ["x", "y"]}, {"artist": "a; b", "mood": "x; y"}),
    ],
)
def test_totals_and_several_values_are_joined(given: dict[str, Any], expected: dict[str, str], tmp_path: Path) -> None:
    path = sound(tmp_path / "x.flac", "FLAC")
    file = mutagen.flac.FLAC(path)
    for name, value in given.items():
        file[name] = value
    file.save()
    assert read(path, "FLAC") == expected


def test_id3_frames_are_read_by_their_names() -> None:
    id3 = mutagen.id3
    frames = id3.ID3()
    for one in (
        id3.TPE1(encoding=3, text=["a", "b"]),
        id3.COMM(encoding=3, lang="eng", desc="iTunNORM", text="no"),
        id3.COMM(encoding=3, lang="eng", desc="", text=["c", "d"]),
        id3.USLT(encoding=3, lang="eng", desc="other", text="no"),
        id3.USLT(encoding=3, lang="eng", desc="", text="la"),
        id3.TXXX(encoding=3, desc="Mood", text=["x", "y"]),
        id3.TXXX(encoding=3, desc="", text="no"),
        id3.TENC(encoding=3, text="no"),
        id3.PRIV(owner="x", data=b"no"),
    ):
        frames.add(one)
    file = io.BytesIO()
    frames.save(file)
    assert tags.read_more(file, "MP3", "") == {"artist": "a; b", "comment": "c; d", "lyrics": "la", "mood": "x; y"}


@pytest.mark.parametrize(
    ("before", "behind", "expected"),
    [
        (b"", b"", {}),
        (b"", b"TAG" + b"Name".ljust(124, b"\0") + b"\xff", {"title": "Name"}),
        (b"ID3\4\0\0\0\0\0\x10TIT2\0\0\0\6\0\0\3Title", b"", {"title": "Title"}),
    ],
)
def test_id3_is_found_at_the_start_and_at_the_end(before: bytes, behind: bytes, expected: dict[str, str]) -> None:
    file = io.BytesIO(before + b"\xff\xfb\x90\0" + bytes(900) + behind)
    assert tags.read_more(file, "MP3", "MPEG_LAYER_III") == expected
