"""The scripts and the notebook of docs/examples are run as they stand, and what they write sounds as it should."""

from __future__ import annotations

import json
import re
import runpy
from pathlib import Path
from typing import Any

import mutagen
import numpy as np
import pytest
import soundfile

from code_blocks import ROOT, run_cell

EXAMPLES = ROOT / "docs/examples"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, which is empty."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(name: str) -> dict[str, Any]:
    """Run a script in the current folder, and return its names."""
    return runpy.run_path(str(EXAMPLES / name), run_name="__main__")


def heard(path: str | Path) -> tuple[int, float, list[int]]:
    """Return the sample rate of a sound file, its duration in seconds, and the loudest frequency of each channel."""
    samples, rate = soundfile.read(path, always_2d=True)
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))[:, None], axis=0))
    tones = np.fft.rfftfreq(len(samples), 1 / rate)[spectrum.argmax(0)]
    return rate, round(len(samples) / rate, 3), [round(tone / 5) * 5 for tone in tones]


def files(folder: str = ".") -> list[str]:
    """Return the files of a folder and those below, by name."""
    return sorted(str(path) for path in Path(folder).rglob("*") if path.is_file())


@pytest.mark.torch
def test_a_torch_loop_saves_each_sentence_and_a_batch() -> None:
    pytest.importorskip("torch")
    names = run("tts_loop_torch.py")
    assert {str(names["audio"].dtype), str(names["batch"].dtype)} == {"torch.bfloat16"}
    assert names["audio"].requires_grad
    words = [6, 4, 2]
    for number, count in enumerate(words):
        rate, duration, _ = heard(f"sentences/{number:03}.wav")
        assert (rate, duration) == (24000, count / 10)
        assert heard(f"batch/{number:03}.mp3")[:2] == (24000, count / 10), "without the padding of the batch"
        samples, _ = soundfile.read(f"sentences/{number:03}.wav")
        spectra = np.abs(np.fft.rfft(samples.reshape(count, 2400)))
        assert list(spectra.argmax(1) * 10) == [220 * (word + 1) for word in range(count)]
        assert abs(np.abs(samples).max() - 0.3) < 0.01
    assert len(files()) == 6


def test_the_arrays_of_diffusers_keep_their_channels() -> None:
    run("diffusers_array.py")
    assert heard("hammer.wav") == (16000, 2.0, [440])
    assert heard("rain.flac") == (44100, 3.0, [440, 660])
    peaks = [np.abs(soundfile.read(f"rain-{number}.ogg")[0]).max() for number in range(3)]
    assert [heard(f"rain-{number}.ogg") for number in range(3)] == [(44100, 3.0, [440, 660])] * 3
    np.testing.assert_allclose(peaks, [0.4, 0.2, 0.1], rtol=0.1)
    assert len(files()) == 5


def test_what_a_pipeline_of_transformers_says_is_saved(capsys: pytest.CaptureFixture[str]) -> None:
    run("transformers_pipeline.py")
    assert heard("speech.mp3") == (24000, 1.44, [330])
    for name, letters in (("one", 14), ("two", 15)):
        rate, duration, tones = heard(f"{name}.opus")
        assert (rate, duration, tones) == (24000, round(letters * 0.06, 2), [330])
        assert mutagen.File(f"{name}.opus")["title"] == [name]
    assert capsys.readouterr().out == f"{15 * 1440 * 2 + 44} bytes\n"


@pytest.mark.torch
def test_a_mel_model_is_heard_without_a_vocoder(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("torch")
    names = run("mel_model_griffin_lim.py")
    assert (str(names["mel"].dtype), tuple(names["mel"].shape)) == ("torch.bfloat16", (1, 80, 258))
    assert heard("speech.mp3") == (22050, round(258 * 256 / 22050, 3), [500])
    assert abs(names["saved"].measured["loudness_lufs"] + 16) < 0.2
    assert mutagen.File("speech.mp3")["TIT2"] == "A tone"
    assert capsys.readouterr().out.startswith("speech.mp3: -1")


def test_a_separators_stems_are_files_with_tags() -> None:
    run("stem_separator.py")
    for name, tone in {"drums": 110, "bass": 55, "other": 660, "vocals": 440}.items():
        assert heard(f"stems/{name}.flac") == (44100, 2.0, [tone, tone])
        assert soundfile.info(f"stems/{name}.flac").subtype == "PCM_24"
        tags = mutagen.File(f"stems/{name}.flac")
        assert (tags["title"], tags["album"]) == ([name], ["A song in four stems"])
        loud, soft = np.abs(soundfile.read(f"stems/{name}.flac")[0]).max(0)
        assert abs(loud / soft - 2) < 0.05, "the right channel of the song is half as loud"


def test_a_notebook_plays_and_saves() -> None:
    notebook = json.loads((EXAMPLES / "notebook.ipynb").read_text(encoding="utf-8"))
    names: dict[str, object] = {}
    values: list[Any] = []
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            assert cell["outputs"] == []
            shown, value = run_cell("".join(cell["source"]), names)
            assert not re.search("(Error|Warning): ", shown), shown
            values.append(value)
    shape, wave, estimated, louder, saved, (bitrate, duration) = values
    assert shape[0] == 513
    for shown in (wave, estimated, louder, saved):
        assert "<audio" in shown._repr_html_()
    for sound in (wave, estimated, louder):
        spectrum = np.abs(np.fft.rfft(sound.samples[0] * np.hanning(sound.length)))
        strongest = np.fft.rfftfreq(sound.length, 1 / 22050)[spectrum.argsort()[-400:]]
        assert {440, 550} <= {round(tone / 10) * 10 for tone in strongest}
    assert heard("la.mp3")[:2] == (22050, round(wave.duration, 3))
    assert (bitrate, duration) == (128, round(wave.duration, 2))


def test_every_example_has_a_test_and_is_listed() -> None:
    tests = Path(__file__).read_text(encoding="utf-8")
    page = (ROOT / "docs/python.md").read_text(encoding="utf-8")
    for path in EXAMPLES.iterdir():
        if path.stem == "server":  # see test_server.py
            continue
        assert f'"{path.name}"' in tests
        assert f"(examples/{path.name})" in page
        code = path.read_text(encoding="utf-8")
        assert path.suffix == ".ipynb" or len(code.splitlines()) <= 50
