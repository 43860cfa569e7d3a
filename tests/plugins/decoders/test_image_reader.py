"""``image-reader``: images as Riffusion makes them, and others in shades of grey."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import decoder_reading
import librosa
import numpy as np
import pytest
from decoder_reading import RNG
from hostile_images import progressive
from PIL import Image

from array_options import array_options
from tonearm.api import MelDialect, limited_memory
from tonearm.cli.main import main
from tonearm.plugins.registry import default
from tonearm_plugins.decoders.image_reader import ImageOptions, ImageReader

SAMPLES = Path(__file__).parents[3] / "configs" / "samples"
RIFFUSION = default().catalogue(MelDialect).find("riffusion")
# The numbers of Riffusion's tags, and what it writes there by default.
TAGS = {11000: 44100, 11005: 0, 11007: 0, 11010: 10, 11020: 100, 11030: 400, 11040: 512, 11050: 0, 11060: 10000}
TAGS |= {11070: 0.25, 11080: 30e6}


def mel_of(samples: Any, rate: int = 44100, bands: int = 512) -> Any:
    """What Riffusion's SpectrogramConverter computes of samples within ±1, by librosa: (channels, bands, frames)."""
    how = {"n_fft": rate * 4 // 10, "win_length": rate // 10, "hop_length": rate // 100, "pad_mode": "reflect"}
    weights = librosa.filters.mel(sr=rate, n_fft=how["n_fft"], n_mels=bands, fmin=0, fmax=10000, htk=True, norm=None)
    return weights @ np.abs(librosa.stft(np.round(samples * 32767), **how))


def image_of(spectrogram: Any, power: float = 0.25, *, triple: bool = False) -> Image.Image:
    """As its image_from_spectrogram does it."""
    data = (255 - np.power(spectrogram / spectrogram.max(), power) * 255).astype("u1")
    if triple:
        data = data.transpose(1, 0, 2).reshape(data.shape[1] // 3, 3, data.shape[2]).transpose(0, 2, 1)
    elif len(data) == 1:
        data = np.repeat(data[0][:, :, None], 3, 2)
    else:
        data = np.stack([np.zeros_like(data[0]), data[0], data[1]], -1)
    return Image.fromarray(data).transpose(Image.Transpose.FLIP_TOP_BOTTOM)


def saved(image: Image.Image, tags: Any = None, kind: str = "PNG", **how: Any) -> bytes:
    file = io.BytesIO()
    exif = Image.Exif()
    exif.update(tags or {})
    image.save(file, kind, **({"exif": exif} if tags else {}) | how)
    return file.getvalue()


def decode(given: Any, **options: Any) -> list[Any]:
    return decoder_reading.decode(ImageReader, given, **options)


def refused(given: Any, **options: Any) -> Any:
    return decoder_reading.refused(ImageReader, given, **options)


def linear(item: Any) -> Any:
    return item.signal.dialect.to_linear(item.signal.values)


SPECTROGRAM = RNG.uniform(0, 1, (2, 512, 9)) ** 4 * 5e5


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "BMP", "TIFF"])
def test_it_reads_what_riffusion_writes(kind: str) -> None:
    mono = SPECTROGRAM[:1]
    how = {"lossless": True} if kind == "WEBP" else {}
    (item,) = decode(saved(image_of(mono), kind=kind, **how), dialect=RIFFUSION)
    # As its spectrogram_from_image does it, with the max_value that it takes for granted.
    data = np.asarray(image_of(mono))[::-1, :, 0].astype("f4")
    expected = np.power((255 - data) / 255, 4) * 30e6
    assert linear(item)[0] * 32768 == pytest.approx(expected, rel=1e-5, abs=1)
    assert item.signal.sample_rate == 44100


@pytest.mark.parametrize("channels", ["mono", "stereo", "triple"])
def test_tags_hold_the_recipe(channels: str) -> None:
    spectrogram = {"mono": SPECTROGRAM[:1], "stereo": SPECTROGRAM, "triple": SPECTROGRAM[:1, :510]}[channels]
    tags = TAGS | {11080: float(spectrogram.max()), 11005: channels == "stereo", 11007: channels == "triple"}
    data = saved(image_of(spectrogram, triple=channels == "triple"), tags | {11040: spectrogram.shape[1]})
    (item,) = decode(data)
    steps = np.power(linear(item) * 32768 / spectrogram.max(), 0.25) - np.power(spectrogram / spectrogram.max(), 0.25)
    assert np.abs(steps).max() <= 1 / 255 + 1e-4  # levels are whole
    assert decode(data, channels=channels)[0].signal.channels == len(spectrogram)


def test_tags_of_another_recipe() -> None:
    tags = TAGS | {11000: 22050, 11030: 200, 11040: 256, 11050: 20, 11070: 0.5, 11080: 1000.0}
    (item,) = decode(saved(image_of(SPECTROGRAM[:1, :256], 0.5), tags))
    dialect = item.signal.dialect
    assert (dialect.sample_rate, dialect.n_fft, dialect.win_length, dialect.hop_length) == (22050, 4410, 2205, 220)
    assert (dialect.n_mels, dialect.fmin, dialect.fmax) == (256, 20, 10000)
    assert linear(item).max() * 32768 == pytest.approx(1000)


def test_colours() -> None:
    stereo = saved(image_of(SPECTROGRAM))
    error = refused(stereo, dialect=RIFFUSION)
    assert error.code == "in-colour"
    assert error.hint.startswith("channels: stereo")
    assert decode(stereo, dialect=RIFFUSION, channels="stereo")[0].signal.channels == 2
    assert decode(stereo, dialect=RIFFUSION, channels="mono")[0].signal.channels == 1
    # What a diffusion model paints is nearly grey.
    painted = np.clip(np.asarray(image_of(SPECTROGRAM[:1])) + RNG.integers(-8, 9, (512, 9, 3)), 0, 255).astype("u1")
    (item,) = decode(saved(Image.fromarray(painted)), dialect=RIFFUSION)
    assert np.array_equal(item.signal.values[0], painted[:, :, 0])
    grey = image_of(SPECTROGRAM[:1]).convert("L")
    assert decode(saved(grey), dialect=RIFFUSION)[0].signal.channels == 1
    assert refused(saved(grey), dialect=RIFFUSION, channels="stereo").hint == "channels: mono"


def test_decibels_between_black_and_white() -> None:
    decibels = np.linspace(-80, 0, 9 * 5).reshape(9, 5)
    levels = np.round((decibels + 80) / 80 * 255).astype("u1")
    stft = {"sample_rate": 8000, "n_fft": 16, "hop_length": 4, "kind": "db", "black": -80.0, "white": 0.0}
    for low, pixels in (("bottom", levels[::-1]), ("top", levels)):
        (item,) = decode(saved(Image.fromarray(pixels)), low=low, **stft)
        assert 20 * np.log10(item.signal.values[0]) == pytest.approx(decibels, abs=0.16)
    deep = Image.fromarray(np.round((decibels[::-1] + 80) / 80 * 65535).astype("u2"))
    assert 20 * np.log10(decode(saved(deep), **stft)[0].signal.values[0]) == pytest.approx(decibels, abs=0.001)
    assert refused(saved(deep), dialect=RIFFUSION).code == "unknown-scale"


def test_a_mel_of_another_dialect() -> None:
    hifigan = default().catalogue(MelDialect).find("hifigan")
    mel = RNG.uniform(-11, 2, (80, 80)).astype("f4")
    image = Image.fromarray(np.round((mel[::-1] + 11) / 13 * 255).astype("u1"))
    (item,) = decode(saved(image), dialect=hifigan, black=-11.0, white=2.0)
    assert item.signal.values[0] == pytest.approx(mel, abs=0.03)
    # Rows are mels, also where there are as many columns; a turned image needs axes.
    (item,) = decode(saved(image), dialect=hifigan, black=-11.0, white=2.0, axes=["frame", "mel"])
    assert item.signal.values[0] == pytest.approx(mel.T, abs=0.03)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, []),
        ({"dialect": RIFFUSION}, []),
        ({"kind": "db", "sample_rate": 8000, "n_fft": 16, "hop_length": 4}, ["black"]),
        ({"black": 1.0}, ["white"]),
        ({"black": 1.0, "white": 1.0}, ["black"]),
        ({"low": "top"}, ["low"]),
    ],
)
def test_options_that_fit_or_not(given: Any, expected: list[str]) -> None:
    assert [error.option for error in array_options(ImageOptions, **given).problems()] == expected


def test_broken_images_are_read_or_raise_an_item_error() -> None:
    for kind in ("PNG", "JPEG", "WEBP", "BMP", "TIFF"):
        data = saved(image_of(SPECTROGRAM[:1]), TAGS if kind == "PNG" else None, kind)
        how = {} if kind == "PNG" else {"dialect": RIFFUSION}
        for part in decoder_reading.truncations(data, 8):
            decoder_reading.read_or_item_error(ImageReader, part, **how)
        for part in decoder_reading.scrambles(data, 40):
            decoder_reading.read_or_item_error(ImageReader, part, **how)


def test_the_sample_is_riffusions_image_of_the_speech() -> None:
    speech = librosa.resample(np.load(SAMPLES / "utt08.npy").reshape(-1), orig_sr=22050, target_sr=44100)
    wanted = mel_of(speech[None])
    (item,) = decode(SAMPLES / "utt08-riffusion.png")
    steps = np.power(linear(item) * 32768 / wanted.max(), 0.25) - np.power(wanted / wanted.max(), 0.25)
    assert np.abs(steps).max() < 1.5 / 255


def test_an_image_of_riffusions_is_all_that_convert_needs(tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "a.png").write_bytes(saved(image_of(SPECTROGRAM[:1, :256, :5]), TAGS | {11040: 256}))
    assert main(["convert", str(tmp_path / "a.png"), str(tmp_path / "a.wav"), "--yaml"]) == 0
    assert "use: mel-to-wave" in capsys.readouterr().out


def test_pixels_need_memory_and_scans_are_counted() -> None:
    data = progressive(64, 40)
    grey = {"kind": "magnitude", "black": 0.0, "white": 1.0, "axes": ["bin", "frame"], **decoder_reading.STFT}
    grey["n_fft"] = 126
    with limited_memory(64 * 64 * 16):
        assert decode(data, **grey)[0].signal.values.shape == (1, 64, 64)
    with limited_memory(64 * 64 * 16 - 1):
        assert refused(data, **grey).code == "too-large"
    assert "scans" in refused(progressive(64, 70), **grey).message
