"""MP3 by both engines: exact in length, right in sound, with tags that others read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mutagen.id3
import mutagen.mp3
import numpy as np
import pytest
import soundfile
from encoder_material import by_ffmpeg, encoded, error_db, mapping, noise, run, tone

import tonearm
from tonearm.api import ItemError
from tonearm_plugins.encoders.mp3_writer import Mp3Options, Mp3Writer
from tonearm_plugins.formats import ffmpeg

RATES = [8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000]
ENGINES = ["soundfile", "pydub"]


def written(folder: Path, samples: Any, rate: int, **options: Any) -> Path:
    path, _ = encoded(Mp3Writer(Mp3Options(**options)), folder, samples, rate)
    assert isinstance(path, Path)
    return path


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("channels", [1, 2])
def test_the_length_is_exact_and_the_sound_right(tmp_path: Path, engine: str, rate: int, channels: int) -> None:
    samples = tone(rate, rate + 17, channels)
    path = written(tmp_path, samples, rate, engine=engine)
    got, found = soundfile.read(path, always_2d=True)
    assert (found, got.shape) == (rate, samples.T.shape)
    assert error_db(got, samples.T) < -25
    best = 320 if rate >= 32000 else 160 if rate >= 16000 else 64
    assert mutagen.mp3.MP3(path).info.bitrate == pytest.approx(min(192, best) * 1000, abs=100)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("options", [{"bitrate": 64}, {"vbr_quality": 0}, {"vbr_quality": 9}])
@pytest.mark.parametrize("length", [1, 2, 575, 576, 1151, 1152, 1153, 30_000])
def test_every_length_is_exact(tmp_path: Path, rate: int, options: dict[str, int], length: int) -> None:
    path = written(tmp_path, noise(1, length), rate, **options)
    assert soundfile.info(path).frames == length == len(soundfile.read(path)[0])


@pytest.mark.parametrize("options", [{"bitrate": 24}, {"bitrate": 320}, {"vbr_quality": 4}])
@pytest.mark.parametrize("length", [47, 1152, 30_000])  # of fewer ffmpeg makes 47
def test_every_length_is_exact_by_pydub(tmp_path: Path, options: dict[str, int], length: int) -> None:
    path = written(tmp_path, noise(2, length), 22050, engine="pydub", **options)
    assert soundfile.info(path).frames == length == len(soundfile.read(path)[0])


def test_another_decoder_reads_the_same_sound(tmp_path: Path) -> None:
    samples = tone(44100, 44100)
    path = written(tmp_path, samples, 44100, bitrate=320)
    got = by_ffmpeg(path)
    assert len(got) == 44100  # ffmpeg reads LAME's delay too
    assert error_db(got, samples[0]) < -60


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("rate", RATES)
def test_a_bit_rate_is_as_asked_or_refused(tmp_path: Path, rate: int, channels: int) -> None:
    rates = [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320]
    if rate < 32000:
        rates = [
            bitrate
            for bitrate in (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
            if rate >= 16000 or bitrate <= 64
        ]
    refused = 0
    for bitrate in rates:
        try:
            path = written(tmp_path, noise(channels, 5000), rate, bitrate=bitrate)
        except ItemError:
            refused += bitrate < 64
            continue
        assert mutagen.mp3.MP3(path).info.bitrate == pytest.approx(bitrate * 1000, abs=600)
        assert soundfile.info(path).frames == 5000
    assert 0 < refused < 8


@pytest.mark.parametrize(
    ("rate", "wanted", "found"), [(22050, 320, 160), (44100, 8, 32), (44100, 144, 160), (8000, 192, 64)]
)
def test_the_nearest_bit_rate_is_taken_and_measured(tmp_path: Path, rate: int, wanted: int, found: int) -> None:
    plugin = Mp3Writer(Mp3Options(bitrate=wanted, engine="pydub"))  # type: ignore[arg-type]
    path, context = encoded(plugin, tmp_path, noise(1, 20000), rate)
    assert context.measurements == {"bitrate": found}
    assert mutagen.mp3.MP3(path).info.bitrate == pytest.approx(found * 1000, rel=0.02)


@pytest.mark.parametrize("engine", ENGINES)
def test_better_vbr_is_larger(tmp_path: Path, engine: str) -> None:
    sizes = [written(tmp_path, noise(1, 44100), 44100, engine=engine, vbr_quality=q).stat().st_size for q in (0, 4, 9)]
    assert sizes == sorted(sizes, reverse=True)
    assert len(set(sizes)) == 3
    assert mutagen.mp3.MP3(tmp_path / "one.part").info.bitrate_mode == mutagen.mp3.BitrateMode.VBR


@pytest.mark.parametrize("engine", ENGINES)
def test_full_scale_and_clipping(tmp_path: Path, engine: str) -> None:
    samples = np.tile(np.array([1.0] * 50 + [-1.0] * 50, "f4"), 100)[None]
    path, context = encoded(Mp3Writer(Mp3Options(engine=engine)), tmp_path, samples, 44100)  # type: ignore[arg-type]
    assert "clipped" not in context.measurements
    got = soundfile.read(path)[0]
    assert error_db(got[1000:-1000], samples[0, 1000:-1000]) < -20  # wrapped, it would be +3 dB
    path, context = encoded(Mp3Writer(Mp3Options(engine=engine)), tmp_path, samples * 2, 44100)  # type: ignore[arg-type]
    assert context.measurements["clipped"] == 10_000
    assert context.warnings == ["10000 samples were beyond full scale and clipped"]


@pytest.mark.parametrize("engine", ENGINES)
def test_tags_are_id3_and_leave_the_length_alone(tmp_path: Path, engine: str) -> None:
    tags = {"title": "Grüße", "date": 2024, "comment": "hello", "mood": "calm", "genre": "", "tracknumber": "3/9"}
    plugin = Mp3Writer(Mp3Options(engine=engine, tags=tags))  # type: ignore[arg-type]
    found = {"title": "old", "artist": "A\0B", "genre": "Speech"}
    path, _ = encoded(plugin, tmp_path, noise(1, 5000), 22050, found)
    frames = mutagen.id3.ID3(path)
    assert sorted(frames) == ["COMM::XXX", "TDRC", "TIT2", "TPE1", "TRCK", "TXXX:mood"]
    assert [str(frames[name]) for name in sorted(frames)] == ["hello", "2024", "Grüße", "A B", "3/9", "calm"]
    with soundfile.SoundFile(path) as file:
        assert file.frames == len(file.read()) == 5000
        assert file.copy_metadata()["title"] == "Grüße"


@pytest.mark.parametrize("engine", ENGINES)
def test_without_tags_the_first_byte_is_the_first_frame(tmp_path: Path, engine: str) -> None:
    assert written(tmp_path, noise(1, 100), 22050, engine=engine).read_bytes()[0] == 0xFF


def test_odd_dates_do_not_stop_it(tmp_path: Path) -> None:
    path = written(tmp_path, noise(1, 100), 22050, tags={"date": "last summer"})
    assert soundfile.info(path).frames == 100
    assert str(mutagen.id3.ID3(path)["TXXX:date"]) == "last summer"


@pytest.mark.parametrize("engine", ENGINES)
def test_both_engines_run_from_one_pipeline_by_one_word(tmp_path: Path, engine: str) -> None:
    soundfile.write(tmp_path / "in.wav", tone(22050, 12345)[0], 22050, subtype="PCM_16")
    pipeline = tonearm.load(
        {
            "tonearm": 1,
            "input": {"use": "audio-reader"},
            "steps": [],
            "outputs": [{"use": "mp3-writer", "file": "{stem}.mp3", "with": {"engine": engine}}],
        }
    )
    report = pipeline.run([tmp_path / "in.wav"], out=tmp_path / "out")
    assert report.ok
    got, rate = soundfile.read(tmp_path / "out" / "in.mp3")
    assert (len(got), rate) == (12345, 22050)
    assert error_db(got, tone(22050, 12345)[0]) < -25


@pytest.mark.parametrize(
    ("rate", "options", "code", "hint"),
    [
        (96_000, {}, "unsupported-rate", "put resample before it, with sample_rate: 48000"),
        (23_000, {}, "unsupported-rate", "put resample before it, with sample_rate: 24000"),
        (44_100, {"bitrate": 32}, "bitrate-too-low", "bitrate: 56, or engine: pydub"),
        (44_100, {"bitrate": 128, "vbr_quality": 2}, "bad-option", "leave one out"),
        (44_100, {"bitrate": 100}, "bad-option", "one of 8, 16"),
        (44_100, {"vbr_quality": 10}, "bad-option", ""),
        (44_100, {"engine": "lame"}, "bad-option", "one of soundfile, pydub"),
    ],
)
def test_what_mp3_cannot_do_is_refused_beforehand(rate: int, options: dict[str, Any], code: str, hint: str) -> None:
    with pytest.raises(tonearm.PipelineError) as caught:
        tonearm.load(mapping("mp3-writer", ".mp3", rate, **options))
    (problem,) = caught.value.problems
    assert problem.code == code
    assert hint in problem.hint


def test_too_many_channels_fail_the_item(tmp_path: Path) -> None:
    _, report = run(tmp_path, noise(6, 100), mapping("mp3-writer", ".mp3"))
    (error,) = report.errors
    assert (error.code, error.message) == ("too-many-channels", "MP3 cannot have 6 channels, only up to 2")


def test_without_ffmpeg_pydub_is_refused_with_two_ways_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    tonearm.load(mapping("mp3-writer", ".mp3", engine="pydub"))  # imageio-ffmpeg will do
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(tonearm.PipelineError) as caught:
        tonearm.load(mapping("mp3-writer", ".mp3", engine="pydub"))
    (problem,) = caught.value.problems
    assert problem.code == "missing-requirement"
    assert problem.message == "mp3-writer needs the program 'ffmpeg', which is not here"
    assert problem.hint == ffmpeg.HINT
    assert "apt install ffmpeg" in problem.hint
    assert "pip install 'tonearm[ffmpeg]'" in problem.hint
    tonearm.load(mapping("mp3-writer", ".mp3"))  # soundfile needs none


def test_a_full_disk_is_the_output_sides(tmp_path: Path) -> None:
    import subprocess
    import sys

    script = f"""
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))
import numpy as np
from pathlib import Path
from tonearm.api import Context, Item, OutputError, Sink, Waveform
from tonearm_plugins.encoders.mp3_writer import Mp3Options, Mp3Writer
from tonearm_plugins.encoders.flac_writer import FlacOptions, FlacWriter
item = Item(signal=Waveform(samples=np.random.default_rng(0).standard_normal((1, 200_000)) * 0.1, sample_rate=44100))
for plugin in (Mp3Writer(Mp3Options()), FlacWriter(FlacOptions())):
    try:
        plugin.encode(item, Sink(Path({str(tmp_path / "x.part")!r})), Context())
    except OutputError as error:
        print(error.code, error.message)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["output cannot write: libsndfile's system call failed"] * 2
