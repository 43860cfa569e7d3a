"""Cover and gain: both are checked before any data is read, and measured on what is written."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import mutagen
import mutagen.aiff
import mutagen.flac
import mutagen.mp4
import mutagen.wave
import numpy as np
import pytest
from encoder_helpers import encoded, mapping, noise, run, yaml_hint
from PIL import Image
from tagged_files import SUFFIXES, plugin_of

import tonearm
from tonearm.api import Context, Waveform

WITH_COVER = ["aiff-writer", "flac-writer", "m4a-writer", "mp3-writer", "ogg-writer", "opus-writer", "wav-writer"]


@pytest.fixture(params=["png", "jpeg"])
def cover(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    path = tmp_path / f"cover.{request.param}"
    Image.new("RGB", (7, 5), "red").save(path, request.param)
    return path


def pictures(path: Path, name: str) -> list[tuple[bytes, str, int]]:
    """Content, type and kind of each picture, as mutagen finds them."""
    if name == "m4a-writer":
        covers = mutagen.mp4.MP4(path)["covr"]
        types = {mutagen.mp4.MP4Cover.FORMAT_PNG: "image/png", mutagen.mp4.MP4Cover.FORMAT_JPEG: "image/jpeg"}
        return [(bytes(one), types[one.imageformat], 3) for one in covers]
    if name in ("flac-writer", "ogg-writer", "opus-writer"):
        opened: Any = mutagen.File(path)
        found = opened.pictures if name == "flac-writer" else _of_comments(opened["METADATA_BLOCK_PICTURE"])
        assert [(one.width, one.height, one.depth) for one in found] == [(7, 5, 24)]
    else:
        opened = {"aiff-writer": mutagen.aiff.AIFF, "wav-writer": mutagen.wave.WAVE}.get(name, mutagen.File)
        found = opened(path).tags.getall("APIC")
    return [(one.data, one.mime, one.type) for one in found]


def _of_comments(comments: list[str]) -> list[Any]:
    return [mutagen.flac.Picture(base64.b64decode(text)) for text in comments]


@pytest.mark.parametrize("name", WITH_COVER)
@pytest.mark.parametrize("tags", [{}, {"title": "x"}])
def test_a_cover_is_the_picture_of_its_file(tmp_path: Path, name: str, cover: Path, tags: dict[str, str]) -> None:
    plugin = plugin_of(name, cover=str(cover), tags=tags)
    path, _ = encoded(plugin, tmp_path, noise(1, 4800), 48000, suffix=SUFFIXES[name])
    assert pictures(path, name) == [(cover.read_bytes(), f"image/{cover.suffix[1:]}", 3)]


@pytest.mark.parametrize("engine", ["lameenc", "soundfile", "pydub"])
def test_every_engine_of_mp3_writes_it(tmp_path: Path, engine: str, cover: Path) -> None:
    plugin = plugin_of("mp3-writer", cover=str(cover), engine=engine)
    path, _ = encoded(plugin, tmp_path, noise(1, 4800), 48000)
    assert pictures(path, "mp3-writer") == [(cover.read_bytes(), f"image/{cover.suffix[1:]}", 3)]


def test_check_looks_at_the_cover(tmp_path: Path) -> None:
    text = tmp_path / "cover.png"
    text.write_text("no picture")
    for cover, code in [(text, "bad-cover"), (tmp_path / "gone.png", "no-such-file")]:
        with pytest.raises(tonearm.PipelineError) as caught:
            tonearm.load_pipeline(mapping("flac-writer", ".flac", cover=str(cover)))
        assert [problem.code for problem in caught.value.problems] == [code]


def test_another_picture_makes_another_file(tmp_path: Path) -> None:
    """The picture counts by its content, so that a run notices a new one under the old name."""
    picture = tmp_path / "cover.png"
    pipeline = mapping("flac-writer", ".flac", cover=str(picture))
    np.save(tmp_path / "sound.npy", noise(1, 100))
    converted = []
    for colour in ("red", "red", "blue"):
        Image.new("RGB", (7, 5), colour).save(picture)
        report = tonearm.load_pipeline(pipeline).run([tmp_path / "sound.npy"], out=tmp_path / "out")
        converted.append(len(report.outputs))
    assert converted == [1, 0, 1]
    assert mutagen.flac.FLAC(tmp_path / "out/sound.flac").pictures[0].data == picture.read_bytes()


@pytest.mark.parametrize(("option", "value"), [("replay_gain", True), ("cover", "cover.png")])
def test_w64_has_a_place_for_neither(tmp_path: Path, option: str, value: Any) -> None:
    if option == "cover":
        value = str(tmp_path / value)
        Image.new("RGB", (7, 5)).save(value)
    for more in ({"format": "W64"}, {}):
        with pytest.raises(tonearm.PipelineError) as caught:
            tonearm.load_pipeline(mapping("wav-writer", ".w64", **more, **{option: value}))
        (problem,) = caught.value.problems
        assert problem.code == "no-tags"
        assert yaml_hint(problem) == f"leave {option} out"


def test_a_gain_needs_a_loudness() -> None:
    with pytest.raises(tonearm.PipelineError) as caught:
        tonearm.load_pipeline(mapping("wav-writer", ".wav", 2000, replay_gain=True))
    (problem,) = caught.value.problems
    assert (problem.code, yaml_hint(problem)) == ("no-loudness", "leave replay_gain out")


def test_only_data_tell_that_there_are_seven_channels(tmp_path: Path) -> None:
    _, report = run(tmp_path, noise(7, 4800), mapping("wav-writer", ".wav", 48000, replay_gain=True))
    assert [error.code for error in report.errors] == ["no-loudness"]


@pytest.mark.parametrize(
    ("name", "options", "clips"),
    [
        ("wav-writer", {}, True),
        ("wav-writer", {"subtype": "FLOAT"}, False),
        ("aiff-writer", {"subtype": "DOUBLE"}, False),
        ("aac-writer", {}, False),
        ("m4a-writer", {}, False),
        ("m4a-writer", {"codec": "alac"}, True),
        ("opus-writer", {}, True),
    ],
)
def test_a_peak_beyond_full_scale_is_that_of_the_file(name: str, options: dict[str, Any], clips: bool) -> None:
    plugin = plugin_of(name, replay_gain=True, **options)
    signal = Waveform(samples=np.full((1, 48000), 1.5, "f4") * np.sign(noise(1, 48000)), sample_rate=48000)
    tags = plugin.measured_tags(signal, Context())
    if name == "opus-writer":
        assert list(tags) == ["r128_track_gain"]
    else:
        assert float(tags["replaygain_track_peak"]) == (1.0 if clips else 1.5)


def test_a_silent_sound_has_no_gain_and_says_so(tmp_path: Path) -> None:
    path, context = encoded(plugin_of("flac-writer", replay_gain=True), tmp_path, np.zeros((1, 48000), "f4"), 48000)
    assert not mutagen.flac.FLAC(path).tags
    assert context.warnings == ["no replay gain is written, since the sound is silent"]


def test_a_pipeline_with_a_cover_can_be_sent_to_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (7, 5)).save("cover.png")
    np.save("sound.npy", noise(1, 4800))
    found = tonearm.load_pipeline(mapping("flac-writer", ".flac", 48000, cover="cover.png"))
    report = found.run(["sound.npy"], out="out", jobs=1)
    assert report.ok, report.errors
    assert mutagen.flac.FLAC(Path("out/sound.flac")).pictures
