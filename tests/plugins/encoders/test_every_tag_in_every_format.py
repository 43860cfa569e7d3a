"""The table of tags: each tag through each format, read back by each program and library that reads the format."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import eyed3
import mutagen
import mutagen.aiff
import mutagen.mp4
import mutagen.wave
import pytest
import soundfile
from encoder_helpers import encoded, noise
from other_decoders import call
from tagged_files import SUFFIXES, plugin_of

from tonearm.api import WELL_KNOWN_TAGS, Context, Source
from tonearm_plugins.decoders.audio_reader import AudioOptions, AudioReader
from tonearm_plugins.formats.replay_gain import gain_tags

VALUES: Mapping[str, str] = {
    "title": "Grüße = ; 你好",
    "artist": "Piper",
    "album": "One night's work",
    "album_artist": "The lab",
    "track": "3/9",
    "disc": "1/2",
    "date": "2024-12-31",
    "genre": "Speech",
    "comment": "a synthetic voice",
    "copyright": "2024 The lab",
    "composer": "Nobody",
    "lyrics": "First line\nsecond line",
    "bpm": "120",
    "isrc": "USRC17607839",
    "language": "eng",
    "publisher": "The press",
    "mood": "calm",
}
GAINS = {"replaygain_track_gain", "replaygain_track_peak", "r128_track_gain"}
SOUND = noise(1, 24000)

ID3 = {name: tag.id3 for name, tag in WELL_KNOWN_TAGS.items()}
VORBIS = {name: tag.vorbis for name, tag in WELL_KNOWN_TAGS.items()}


def tonearms(path: Path) -> dict[str, str]:
    (item,) = AudioReader(AudioOptions()).decode(Source(name="x", path=path), Context())
    return dict(item.tags)


def ffprobes(path: Path) -> dict[str, str]:
    said = json.loads(call("ffprobe", "-v", "error", "-show_format", "-show_streams", "-of", "json", path))
    found = said["streams"][0].get("tags", {}) | said["format"].get("tags", {})
    found = {name.lower(): value for name, value in found.items()}
    names = {"tbpm": "bpm", "tmpo": "bpm", "tsrc": "isrc", "lyrics-xxx": "lyrics", "unsyncedlyrics": "lyrics"}
    return {names.get(name, name): value for name, value in found.items()}


def eyed3s(path: Path) -> dict[str, str]:
    tag: Any = eyed3.load(path).tag
    (comment,), (lyrics,) = tag.comments, tag.lyrics
    texts = {frame.description.lower(): frame.text for frame in tag.user_text_frames}
    return texts | {
        "title": tag.title,
        "artist": tag.artist,
        "album": tag.album,
        "album_artist": tag.album_artist,
        "track": "/".join(map(str, tag.track_num)),
        "disc": "/".join(map(str, tag.disc_num)),
        "date": str(tag.recording_date),
        "genre": tag.genre.name,
        "comment": comment.text,
        "copyright": tag.copyright,
        "composer": tag.composer,
        "lyrics": lyrics.text,
        "bpm": str(tag.bpm),
        "isrc": tag.getTextFrame("TSRC"),
        "language": tag.getTextFrame("TLAN"),
        "publisher": tag.publisher,
    }


def mutagens_id3(frames: Any) -> dict[str, str]:
    found = {frame.desc.lower(): frame.text[0] for frame in frames.getall("TXXX")}
    for name, frame in ID3.items():
        for one in frames.getall(frame):
            found[name] = one.text if isinstance(one.text, str) else str(one.text[0])
    return found


def mutagens_comments(path: Path) -> dict[str, str]:
    opened: Any = mutagen.File(path)
    names = {field.lower(): name for name, field in VORBIS.items()}
    found = {name.lower(): "; ".join(values) for name, values in opened.tags.as_dict().items()}
    return {names.get(name, name): value for name, value in found.items()}


def mutagens_mp4(path: Path) -> dict[str, str]:
    tags: Any = mutagen.mp4.MP4(path).tags
    found = {key.rpartition(":")[2].lower(): bytes(value[0]).decode() for key, value in tags.items() if ":" in key}
    for name, tag in WELL_KNOWN_TAGS.items():
        if tag.mp4 in tags:
            value = tags[tag.mp4][0]
            found[name] = "/".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return found


def libsndfiles(path: Path) -> dict[str, str]:
    """The chunks of AIFF that libsndfile reads: it knows nothing of ID3."""
    with soundfile.SoundFile(path) as file:
        return dict(file.copy_metadata())


def chunks_of_info(path: Path) -> dict[str, str]:
    """The INFO list of a WAV file, chunk by chunk."""
    content = path.read_bytes()
    at = content.index(b"LIST") + 12
    end = at - 4 + int.from_bytes(content[at - 8 : at - 4], "little")
    names, found = {tag.info: name for name, tag in WELL_KNOWN_TAGS.items() if tag.info}, {}
    while at < end:
        size = int.from_bytes(content[at + 4 : at + 8], "little")
        found[names[content[at : at + 4].decode()]] = content[at + 8 : at + 8 + size].rstrip(b"\0").decode()
        at += 8 + size + size % 2
    return found


Reader = Callable[[Path], dict[str, str]]
ALL = frozenset(VALUES)
INFO = frozenset(name for name, tag in WELL_KNOWN_TAGS.items() if tag.info)
CHUNKS = frozenset(name for name, tag in WELL_KNOWN_TAGS.items() if tag.aiff)

# Each format and reader, and the tags that this reader finds there; gains come on top where all are found.
TABLE: list[tuple[str, Reader, frozenset[str]]] = [
    ("mp3-writer", tonearms, ALL),
    ("mp3-writer", lambda path: mutagens_id3(mutagen.File(path).tags), ALL),
    ("mp3-writer", eyed3s, ALL),
    ("mp3-writer", ffprobes, ALL),
    ("flac-writer", tonearms, ALL),
    ("flac-writer", mutagens_comments, ALL),
    ("flac-writer", ffprobes, ALL),
    ("ogg-writer", tonearms, ALL),
    ("ogg-writer", mutagens_comments, ALL),
    ("ogg-writer", ffprobes, ALL),
    ("opus-writer", tonearms, ALL),
    ("opus-writer", mutagens_comments, ALL),
    ("opus-writer", ffprobes, ALL),
    ("m4a-writer", mutagens_mp4, ALL),
    ("m4a-writer", ffprobes, ALL - {"bpm"}),  # ffprobe 5 shows no tmpo
    ("aiff-writer", tonearms, ALL),
    ("aiff-writer", lambda path: mutagens_id3(mutagen.aiff.AIFF(path).tags), ALL),
    ("aiff-writer", ffprobes, ALL),
    ("aiff-writer", libsndfiles, CHUNKS),
    ("wav-writer", tonearms, ALL),
    ("wav-writer", lambda path: mutagens_id3(mutagen.wave.WAVE(path).tags), ALL),
    ("wav-writer", ffprobes, INFO),
    ("wav-writer", chunks_of_info, INFO),
]


def row_name(value: object) -> str | None:
    return str(value) if isinstance(value, str) else getattr(value, "__name__", "")


def test_the_table_has_every_well_known_tag() -> None:
    assert {*WELL_KNOWN_TAGS} < ALL


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    made: dict[str, Path] = {}

    def file_of(name: str) -> Path:
        if name not in made:
            folder = tmp_path_factory.mktemp(name)
            plugin = plugin_of(name, tags=VALUES, replay_gain=True)
            path, _ = encoded(plugin, folder, SOUND, 48000, suffix=SUFFIXES[name])
            made[name] = path.rename(path.with_suffix(SUFFIXES[name]))
        return made[name]

    return file_of


@pytest.mark.parametrize(("name", "reader", "names"), TABLE, ids=row_name)
def test_each_reader_finds_each_tag(
    files: Callable[[str], Path], name: str, reader: Reader, names: frozenset[str]
) -> None:
    found = reader(files(name))
    assert {tag: found.get(tag) for tag in names} == {tag: VALUES[tag] for tag in names}
    has_gains = reader is not tonearms and "mood" in names
    gains = {} if not has_gains else gain_tags(SOUND, 48000, r128=name == "opus-writer")
    assert {tag: text for tag, text in found.items() if tag in GAINS} == gains
