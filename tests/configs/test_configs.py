"""Every pipeline in configs/ is right, and converts its own sources."""

import base64
import hashlib
import io
import json
import re
import subprocess
from pathlib import Path

import imageio_ffmpeg
import librosa
import mutagen.flac
import numpy as np
import onnxruntime
import pytest
import safetensors.numpy
import scipy.signal
import soundfile
import soxr

import tonearm
from tonearm_plugins.dialects import presets

CONFIGS = Path(__file__).parents[2] / "configs"
SAMPLES = CONFIGS / "samples"
SPEECH = CONFIGS.parent / "tests" / "data"


def waveform(name: str) -> np.ndarray:
    """Return what the model wrote, in float64."""
    return np.load(SAMPLES / f"{name}.npy").reshape(-1).astype(np.float64)


MELS = sorted((CONFIGS / "mel").glob("*.yaml"))


HEARD = (".wav", ".flac", ".mp3", ".ogg", ".opus", ".aiff")
"""Suffixes of what libsndfile reads."""


@pytest.fixture(params=sorted(set(CONFIGS.rglob("*.yaml")) - set(MELS)), ids=lambda path: path.stem)
def config(request: pytest.FixtureRequest) -> Path:
    return request.param


@pytest.mark.one_in(2)
def test_it_converts_its_sources_to_files_that_are_not_silent(config: Path, tmp_path: Path) -> None:
    report = tonearm.load_pipeline(config).run(out=tmp_path)
    assert report.ok, report.errors
    assert report.outputs
    for path in report.outputs:
        if path.suffix in HEARD:
            samples, rate = soundfile.read(path)
            assert rate > 0
            assert np.isfinite(samples).all()
            assert np.abs(samples).max() > 0.01
        else:
            assert path.stat().st_size > 1000


VARIANTS = {
    "waveglow": "tacotron2", "bigvgan-22k": "bigvgan-24k", "bigvgan-22k-fmax8k": "bigvgan-24k",
    "bigvgan-44k": "bigvgan-24k", "bigvgan-44k-256": "bigvgan-24k", "vocos-same": "vocos",
    "f5-tts-bigvgan": "f5-tts", "whisper-128": "whisper", "univnet-norm": "tortoise", "clap-fusion": "clap",
    "torchaudio-db": "torchaudio", "librosa": "librosa-db", "librosa-db-ref1": "librosa-db",
    "cosyvoice1": "cosyvoice2",
    "cosyvoice3": "cosyvoice2", "rvc-48k": "rvc-40k",
}  # fmt: skip
"""Dialects of families that have a pipeline for another of their dialects."""

COARSE = {"ddsp": 1.8, "pop2piano": 1.8, "wavernn": 3.5}  # 31 or 22 frames a second; clipped at 0 dB
LEVEL_LOST = {"librosa-db", "audio-diffusion", "riffusion", "wavernn"}


class TestMels:
    """Each pipeline in configs/mel brings back the speech that its mel spectrogram is of."""

    @staticmethod
    def picture(samples: np.ndarray, rate: int) -> np.ndarray:
        """Return 40 bands up to 6.5 kHz in dB, by librosa: (40, frames)."""
        at_16k = soxr.resample(samples, rate, 16000).astype(np.float32)
        powers = librosa.feature.melspectrogram(
            y=at_16k, sr=16000, n_fft=1024, hop_length=256, n_mels=40, fmin=100, fmax=6500
        )
        return librosa.power_to_db(powers, ref=1.0, top_db=50)

    @pytest.mark.one_in(4)
    @pytest.mark.parametrize("config", MELS, ids=lambda path: path.stem)
    def test_the_speech_comes_back(self, config: Path, tmp_path: Path) -> None:
        report = tonearm.load_pipeline(config).run(out=tmp_path)
        assert report.ok, report.errors
        found, rate = soundfile.read(report.outputs[0])
        speech = SPEECH / f"speech_{rate if rate in (16000, 22050) else 24000}.wav"
        wanted, rate_of_speech = soundfile.read(speech)
        wanted = soxr.resample(wanted, rate_of_speech, rate)[: len(found)]
        difference = (self.picture(found, rate) - self.picture(wanted, rate))[:, 2:-4]
        level = difference.mean()
        assert abs(level) < (6 if config.stem in LEVEL_LOST else 0.8)
        assert np.abs(difference - level).mean() < COARSE.get(config.stem, 0.6)

    def test_every_family_has_one(self) -> None:
        there = {path.stem for path in MELS}
        names = {name for name, recipe in presets().items() if set(recipe) != {"base"} and "refused" not in recipe}
        assert names - there == set(VARIANTS)
        assert set(VARIANTS.values()) <= there


def test_the_quickstart_gives_the_models_waveform_to_16_bits_and_mp3_of_its_length(tmp_path: Path) -> None:
    report = tonearm.load_pipeline(CONFIGS / "quickstart.yaml").run(out=tmp_path)
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
    tonearm.load_pipeline(CONFIGS / "complex-stft.yaml").run(out=tmp_path)
    expected = waveform("utt08")
    written, _ = soundfile.read(tmp_path / "utt08-stft.wav", dtype="float64")
    assert len(written) == len(expected)
    assert 10 * np.log10((expected**2).sum() / ((written - expected) ** 2).sum()) > 120


def test_magnitudes_and_phases_in_one_axis_give_the_waveform_back(tmp_path: Path) -> None:
    tonearm.load_pipeline(CONFIGS / "folded-stft.yaml").run(out=tmp_path)
    expected = waveform("utt08")
    written, _ = soundfile.read(tmp_path / "utt08-folded.wav", dtype="float64")
    assert len(written) == len(expected)
    assert 10 * np.log10((expected**2).sum() / ((written - expected) ** 2).sum()) > 45  # the array is float16


def test_the_stft_of_scipy_gives_its_waveform_back_with_tags_and_a_cover(tmp_path: Path) -> None:
    tonearm.load_pipeline(CONFIGS / "scipy-stft.yaml").run(out=tmp_path)
    expected = waveform("utt08")
    written, _ = soundfile.read(tmp_path / "utt08-scipy.flac", dtype="float64")
    assert 10 * np.log10((expected**2).sum() / ((written - expected) ** 2).sum()) > 100
    file = mutagen.flac.FLAC(tmp_path / "utt08-scipy.flac")
    assert (file["album"], file["tracknumber"], file["comment"][0][:18]) == (["samples"], ["8/8"], "from utt08-scipy, ")
    assert file.pictures[0].data == (SAMPLES / "utt08-riffusion.png").read_bytes()
    frames = np.lib.stride_tricks.sliding_window_view(expected, 512)[::128]
    spectra = np.fft.rfft(frames * scipy.signal.get_window("hann", 512)).T
    np.testing.assert_allclose(np.load(tmp_path / "utt08-scipy-tensorflow.npy")[0], spectra, atol=1e-4)


def test_the_answer_of_an_api_is_the_sound_file_in_its_chunks(tmp_path: Path) -> None:
    lines = (SAMPLES / "utt08-answer.jsonl").read_text().splitlines()
    data = b"".join(base64.b64decode(json.loads(line)["delta"]) for line in lines)
    expected, rate = soundfile.read(io.BytesIO(data))
    tonearm.load_pipeline(CONFIGS / "api-answer.yaml").run(out=tmp_path)
    written, written_rate = soundfile.read(tmp_path / "utt08-answer.flac")
    assert (written_rate, len(written)) == (rate, len(expected)) == (8000, 10495)
    gain = (written @ expected) / (expected @ expected)
    assert 10 * np.log10((gain * expected) @ (gain * expected) / ((written - gain * expected) ** 2).sum()) > 60


def test_double_precision_is_kept_up_to_the_file(tmp_path: Path) -> None:
    tonearm.load_pipeline(CONFIGS / "double-precision.yaml").run(out=tmp_path)
    given = np.load(SAMPLES / "utt08-stft.npy").astype(np.complex128)
    samples = librosa.istft(given, hop_length=256, length=28928, dtype=np.float64)
    filtered = scipy.signal.sosfilt(scipy.signal.butter(4, 40, "highpass", fs=22050, output="sos"), samples)
    expected = soxr.resample(np.append(filtered, np.zeros(4)), 22050, 24000, "VHQ")
    written, rate = soundfile.read(tmp_path / "utt08-stft.wav", dtype="float64")
    assert rate == 24000
    assert np.array_equal(written, np.load(tmp_path / "utt08-stft.npy")[0])
    assert np.abs(written - expected[: len(written)]).max() < 1e-11


def test_a_linear_spectrogram_by_its_recipe_gives_the_speech_back(tmp_path: Path) -> None:
    """Level and pre-emphasis are undone: a wrong recipe is off by tens of decibels."""
    (path,) = tonearm.load_pipeline(CONFIGS / "tacotron-linear.yaml").run(out=tmp_path).outputs
    found, rate = soundfile.read(path)
    assert rate == 20000
    wanted = soxr.resample(waveform("utt08"), 22050, 20000)[: len(found)]
    difference = (TestMels.picture(found, rate) - TestMels.picture(wanted, rate))[:, 2:-4]
    assert abs(difference.mean()) < 1
    assert np.abs(difference).mean() < 1.5


def ebur128(path: Path) -> tuple[float, float]:
    """Return the integrated loudness and the true peak that ffmpeg measures."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-nostats", "-i", str(path)]
    done = subprocess.run([*command, "-af", "ebur128=peak=true", "-f", "null", "-"], capture_output=True, check=True)
    summary = done.stderr.decode().rpartition("Summary:")[2]
    loudness, peak = (re.search(rf"{name}:\s+(\S+)", summary) for name in ("I", "Peak"))
    assert loudness
    assert peak
    return float(loudness[1]), float(peak[1])


def test_finished_speech_is_as_loud_as_it_should_be(tmp_path: Path) -> None:
    report = tonearm.load_pipeline(CONFIGS / "finish.yaml").run(out=tmp_path)
    assert len(report.outputs) == 6
    for path in report.outputs:
        loudness, peak = ebur128(path)
        exact = path.suffix == ".wav"  # LAME takes some tenths of a dB
        assert loudness == pytest.approx(-16, abs=0.1 if exact else 0.5)
        assert peak <= (-1 if exact else -0.5)


def test_mu_law_classes_give_the_waveform_to_their_8_bits(tmp_path: Path) -> None:
    (path,) = tonearm.load_pipeline(CONFIGS / "mu-law.yaml").run(out=tmp_path).outputs
    expected = waveform("utt08")
    written, _ = soundfile.read(path)
    assert 10 * np.log10((expected**2).sum() / ((written - expected) ** 2).sum()) > 30


def test_branches_begin_at_one_signal(tmp_path: Path) -> None:
    """The master, the telephone file and the mel spectrogram hold the same sound, as far as each can."""
    assert tonearm.load_pipeline(CONFIGS / "branches.yaml").run([SAMPLES / "utt08.npy"], out=tmp_path).ok
    master, rate = soundfile.read(tmp_path / "master/utt08.flac")
    assert (rate, soundfile.info(tmp_path / "master/utt08.flac").subtype) == (48000, "PCM_24")
    phone, rate = soundfile.read(tmp_path / "phone/utt08.wav")
    assert rate == 8000
    assert len(phone) == pytest.approx(len(master) / 6, abs=2)
    whole = waveform("utt08") - waveform("utt08").mean()
    whole *= 10 ** (-3 / 20) / np.abs(whole).max()
    assert np.sqrt((master**2).mean()) == pytest.approx(np.sqrt((whole**2).mean()), rel=1e-3)
    bands = np.abs(np.fft.rfft(phone)) ** 2
    edge = int(200 / 4000 * len(bands))
    assert bands[:edge].sum() < 1e-3 * bands.sum()
    mel = np.load(tmp_path / "mel/utt08.npy")
    assert mel.shape[-2] == 80
    assert mel.shape[-1] == pytest.approx(len(whole) / 256, abs=2)


def test_pieces_make_up_the_recording(tmp_path: Path) -> None:
    names = sorted(path.name for path in tonearm.load_pipeline(CONFIGS / "pieces.yaml").run(out=tmp_path).outputs)
    assert names == [f"utt00-00{n}.flac" for n in range(3)] + [f"utt01-00{n}.flac" for n in range(2)]
    lengths = [soundfile.info(tmp_path / name).frames for name in names if name.startswith("utt00")]
    assert sum(lengths) == len(waveform("utt00"))


@pytest.mark.parametrize("engine", ["soundfile", "pydub"])
def test_one_word_changes_what_encodes_mp3(engine: str, tmp_path: Path) -> None:
    text = (CONFIGS / "wav-to-mp3.yaml").read_text(encoding="utf-8").replace("samples/", f"{SAMPLES}/")
    assert text.count("engine: soundfile") == 1
    file = tmp_path / "wav-to-mp3.yaml"
    file.write_text(text.replace("engine: soundfile", f"engine: {engine}"), encoding="utf-8")
    report = tonearm.load_pipeline(file).run(out=tmp_path)
    assert report.ok, report.errors
    expected, rate = soundfile.read(SAMPLES / "utt08-16k.wav")
    found, found_rate = soundfile.read(tmp_path / "utt08-16k.mp3")
    assert (found_rate, len(found)) == (rate, len(expected))
    assert 10 * np.log10((expected**2).sum() / ((found - expected) ** 2).sum()) > 15


GAINS = {"utt08.flac": {"replaygain_track_gain", "replaygain_track_peak"}, "utt08.opus": {"r128_track_gain"}}


def test_one_sound_in_every_format(tmp_path: Path) -> None:
    report = tonearm.load_pipeline(CONFIGS / "formats.yaml").run(out=tmp_path)
    assert report.ok, report.errors
    names = {path.name for path in report.outputs}
    sounds = {name for name in names if not name.endswith(".json")}
    assert {f"{name}.json" for name in sounds} == names - sounds
    assert len(sounds) == 12
    expected = soxr.resample(waveform("utt08"), 22050, 48000)
    for name in sounds:
        path = tmp_path / name
        made = json.loads(path.with_name(f"{name}.json").read_text(encoding="utf-8"))
        assert made["source"]["sha256"] == hashlib.sha256((SAMPLES / "utt08.npy").read_bytes()).hexdigest()
        assert (made["tags"]["title"], made["tags"]["date"]) == ("utt08", "2024")
        assert {tag for tag in made["tags"] if "gain" in tag} == GAINS.get(name, set())
        assert (b"tonearm_sha256" in path.read_bytes()) == (path.suffix not in (".raw", ".npy"))
        if path.suffix in HEARD:
            found, rate = soundfile.read(path)
            assert (rate, len(found)) == (48000, made["shape"][0][1])
            common = min(len(found), len(expected))
            error = found[:common] - expected[:common]
            least = 80 if path.suffix in (".wav", ".flac", ".aiff") else 10
            assert 10 * np.log10((expected**2).sum() / (error**2).sum()) > (60 if least == 80 else least)


class TestTokens:
    """The pipelines in configs/tokens give the codes that are in their samples."""

    @staticmethod
    def converted(name: str, folder: Path) -> Path:
        report = tonearm.load_pipeline(CONFIGS / "tokens" / f"{name}.yaml").run(out=folder)
        assert report.ok, report.errors
        return report.outputs[0]

    def test_musicgen_and_dia_are_aligned(self, tmp_path: Path) -> None:
        for name, delays, front in (("musicgen", range(4), 1), ("dia", (0, *range(8, 16)), 0)):
            raw = np.load(SAMPLES / f"tokens/{name}.npy")
            rows = raw if name == "musicgen" else raw.T
            wanted = np.stack([row[front + delay :][:100] for row, delay in zip(rows, delays, strict=True)])
            np.testing.assert_array_equal(np.load(self.converted(name, tmp_path)), wanted[None])

    def test_texts_give_the_numbers_of_their_marks(self, tmp_path: Path) -> None:
        numbers = [int(one) for one in re.findall(r"speech_(\d+)", (SAMPLES / "tokens/neutts.txt").read_text())]
        np.testing.assert_array_equal(np.load(self.converted("neutts", tmp_path)), [[numbers]])
        marks = re.findall(r"\d+", (SAMPLES / "tokens/orpheus.txt").read_text())
        frames = np.array(marks, int).reshape(60, 7) - 10 - 4096 * np.arange(7)
        levels = safetensors.numpy.load_file(self.converted("orpheus", tmp_path))
        for (_, level), positions in zip(sorted(levels.items()), ([0], [1, 4], [2, 3, 5, 6]), strict=True):
            np.testing.assert_array_equal(level, frames[:, positions].reshape(1, -1))


class TestNetworks:
    """The pipelines in configs/networks give what onnxruntime makes of the same numbers."""

    MODELS = SAMPLES / "networks"

    def test_the_models_are_those_of_the_test_data(self) -> None:
        for model in self.MODELS.glob("*.onnx"):
            assert model.read_bytes() == (SPEECH / "models" / model.name).read_bytes()

    def test_text_becomes_the_sound_of_its_codec(self, tmp_path: Path) -> None:
        numbers = [int(one) for one in re.findall(r"speech_(\d+)", (SAMPLES / "tokens/neutts.txt").read_text())]
        session = onnxruntime.InferenceSession(str(self.MODELS / "neucodec_tiny.onnx"))
        (wanted,) = session.run(None, {"codes": np.array([[numbers]], np.int32)})
        assert tonearm.load_pipeline(CONFIGS / "networks/neucodec.yaml").run(out=tmp_path).ok
        found, rate = soundfile.read(tmp_path / "neutts.wav")
        assert rate == 24000
        assert np.abs(found - wanted.reshape(-1)).max() < 1 / 32768
        lossy, rate = soundfile.read(tmp_path / "neutts.mp3")
        assert (rate, len(lossy)) == (24000, len(found))

    def test_magnitude_and_phase_become_sound_by_the_inverse_stft(self, tmp_path: Path) -> None:
        mel = np.load(SAMPLES / "mel/vocos.npy").astype(np.float32)
        session = onnxruntime.InferenceSession(str(self.MODELS / "vocos_magxy_tiny.onnx"))
        magnitude, x, y = session.run(None, {"mels": mel.reshape(1, 100, -1)})
        wanted = librosa.istft((magnitude * (x + 1j * y))[0], hop_length=256, n_fft=1024)
        assert tonearm.load_pipeline(CONFIGS / "networks/vocos.yaml").run(out=tmp_path).ok
        found, rate = soundfile.read(tmp_path / "vocos.wav")
        assert rate == 24000
        assert len(found) == len(wanted)
        assert np.abs(found - wanted).max() < 1 / 32768
