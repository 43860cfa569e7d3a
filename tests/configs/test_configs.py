"""Every pipeline in configs/ is right, and converts its own sources."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

import tonearm

CONFIGS = Path(__file__).parents[2] / "configs"
SAMPLES = CONFIGS / "samples"


def waveform(name: str) -> np.ndarray:
    """Return what the model wrote, in float64."""
    return np.load(SAMPLES / f"{name}.npy").reshape(-1).astype(np.float64)


@pytest.fixture(params=sorted(CONFIGS.rglob("*.yaml")), ids=lambda path: path.stem)
def config(request: pytest.FixtureRequest) -> Path:
    return request.param


def test_it_converts_its_sources_to_files_that_are_not_silent(config: Path, tmp_path: Path) -> None:
    report = tonearm.load(config).run(out=tmp_path)
    assert report.ok, report.errors
    assert report.outputs
    for path in report.outputs:
        samples, rate = soundfile.read(path)
        assert rate > 0
        assert np.isfinite(samples).all()
        assert np.abs(samples).max() > 0.01


def test_the_quickstart_gives_the_models_waveform_to_16_bits_and_mp3_of_its_length(tmp_path: Path) -> None:
    report = tonearm.load(CONFIGS / "quickstart.yaml").run(out=tmp_path)
    assert sorted(path.name for path in report.outputs) == [
        f"{stem}.{suffix}" for stem in ("utt00", "utt01", "utt08") for suffix in ("mp3", "wav")
    ]
    for stem in ("utt00", "utt01", "utt08"):
        expected = waveform(stem)
        written, rate = soundfile.read(tmp_path / f"{stem}.wav", dtype="int16")
        assert rate == 22050
        assert np.abs(written - np.clip(expected, -1, 1) * 32768).max() <= 1
        lossy, _ = soundfile.read(tmp_path / f"{stem}.mp3")
        assert len(lossy) == len(expected)
        error = lossy - expected
        assert 10 * np.log10((expected**2).sum() / (error**2).sum()) > 15


def test_the_complex_stft_gives_its_waveform_back(tmp_path: Path) -> None:
    tonearm.load(CONFIGS / "complex-stft.yaml").run(out=tmp_path)
    expected = waveform("utt08")
    written, _ = soundfile.read(tmp_path / "utt08-stft.wav", dtype="float64")
    assert len(written) == len(expected)
    assert 10 * np.log10((expected**2).sum() / ((written - expected) ** 2).sum()) > 120


@pytest.mark.parametrize("engine", ["soundfile", "pydub"])
def test_one_word_changes_what_encodes_mp3(engine: str, tmp_path: Path) -> None:
    text = (CONFIGS / "wav-to-mp3.yaml").read_text(encoding="utf-8").replace("samples/", f"{SAMPLES}/")
    assert text.count("engine: soundfile") == 1
    file = tmp_path / "wav-to-mp3.yaml"
    file.write_text(text.replace("engine: soundfile", f"engine: {engine}"), encoding="utf-8")
    report = tonearm.load(file).run(out=tmp_path)
    assert report.ok, report.errors
    expected, rate = soundfile.read(SAMPLES / "utt08-16k.wav")
    found, found_rate = soundfile.read(tmp_path / "utt08-16k.mp3")
    assert (found_rate, len(found)) == (rate, len(expected))
    assert 10 * np.log10((expected**2).sum() / ((found - expected) ** 2).sum()) > 15
