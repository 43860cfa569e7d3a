"""Pictures: what is seen stands where the axes say, in the colours that the scale says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from encoder_material import encoded, mapping, noise, run
from PIL import Image

import tonearm
from tonearm.api import Context, Item, MelSpectrogram, Sink, Waveform
from tonearm_plugins.dsp import picturing
from tonearm_plugins.encoders.png_writer import PngOptions, PngWriter
from tonearm_plugins.formats import picture

RATE = 16000


def sine(hertz: float, seconds: float = 1.0, level: float = 1.0) -> Any:
    return (level * np.sin(2 * np.pi * hertz * np.arange(int(seconds * RATE)) / RATE)).astype("f4")[None]


def drawn(folder: Path, samples: Any, rate: int = RATE, **options: Any) -> Any:
    """The picture: uint8 (height, width, 3)."""
    path, _ = encoded(PngWriter(PngOptions(**options)), folder, samples, rate)
    with Image.open(path) as image:
        assert image.format == "PNG"
        assert image.size == (options.get("width", 1200), options.get("height", 600))
        return np.asarray(image.convert("RGB"))


def pixels(path: Path) -> Any:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def inside(image: Any) -> Any:
    """The only panel of a picture: how bright each pixel is."""
    height, width = image.shape[:2]
    return image[picture.TOP : height - picture.BOTTOM, picture.LEFT : width - picture.RIGHT].sum(axis=2, dtype=int)


@pytest.mark.parametrize("scale", ["linear", "mel", "log"])
@pytest.mark.parametrize("hertz", [150, 1000, 3000, 7500])
def test_a_tone_lies_at_its_frequency(tmp_path: Path, scale: Any, hertz: float) -> None:
    seen = inside(drawn(tmp_path, sine(hertz), show="spectrogram", scale=scale, n_fft=2048))
    row = int(seen[:, seen.shape[1] // 2].argmax())
    low, high = picturing.to_scale([0, RATE / 2], scale)
    place = (picturing.to_scale(hertz, scale) - low) / (high - low)
    assert row == pytest.approx((1 - place) * seen.shape[0], abs=4)


def test_frequencies_and_times_are_marked_where_they_lie(tmp_path: Path) -> None:
    image = drawn(tmp_path, sine(2000, 2.0), show="spectrogram")
    rows = image.shape[0] - picture.TOP - picture.BOTTOM
    dark = image.sum(axis=2) < 200
    marks = np.flatnonzero(dark[picture.TOP : picture.TOP + rows, picture.LEFT - 4])
    np.testing.assert_allclose(marks, [f / 16 * (rows - 1) for f in range(17)], atol=1)
    columns = image.shape[1] - picture.LEFT - picture.RIGHT
    marks = np.flatnonzero(dark[picture.TOP + rows + 4, picture.LEFT : picture.LEFT + columns])
    np.testing.assert_allclose(marks, [t / 2 * (columns - 1) for t in np.arange(0, 2.01, 0.2)], atol=1)
    # The tone of 2 kHz lies on its mark.
    assert inside(image)[:, 500].argmax() == pytest.approx((1 - 2 / 8) * (rows - 1), abs=2)


def test_a_click_lies_at_its_time(tmp_path: Path) -> None:
    samples = np.zeros((1, RATE), "f4")
    samples[0, RATE * 3 // 4] = 1.0
    seen = inside(drawn(tmp_path, samples, show="spectrogram"))
    assert seen.sum(axis=0).argmax() == pytest.approx(seen.shape[1] * 3 / 4, abs=12)  # the window's top is round
    wave = inside(drawn(tmp_path, samples, show="waveform"))
    assert wave[20].argmin() == pytest.approx(wave.shape[1] * 3 / 4, abs=1)


@pytest.mark.parametrize("level_db", [0, -20, -60])
def test_a_sine_has_its_level(level_db: float) -> None:
    """Between bins, a Hann window loses 1.42 dB of it at most."""
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(1024) / 1024)
    for hertz, loss in ((1000, 0.0), (1007.8125, 1.43)):
        (block,) = picturing.stft_powers(sine(hertz, level=10 ** (level_db / 20))[0], window, 256)
        found = picturing.decibels(block)[:, 20:40].max(axis=0)
        assert (np.abs(found - level_db) <= loss + 0.01).all()


def test_levels_have_the_colours_of_the_scale(tmp_path: Path) -> None:
    image = drawn(tmp_path, sine(1000, level=0.1), show="spectrogram", top_db=0, range_db=80)
    panel = image[picture.TOP : -picture.BOTTOM, picture.LEFT : -picture.RIGHT].astype(int)
    found = panel[:, panel.shape[1] // 2][panel.sum(axis=2)[:, panel.shape[1] // 2].argmax()]
    bar = image[picture.TOP : -picture.BOTTOM, -picture.RIGHT + 24].astype(int)
    row = int(np.abs(bar - found).sum(axis=1).argmin())
    assert -80 * row / (len(bar) - 1) == pytest.approx(-20, abs=1.5)
    louder = drawn(tmp_path, sine(1000, level=0.2), show="spectrogram", top_db=0, range_db=80)
    assert louder.sum(dtype=int) > image.sum(dtype=int)  # with top_db pictures can be compared
    same = [drawn(tmp_path, sine(1000, level=level), show="spectrogram") for level in (0.1, 0.2)]
    difference = np.abs(np.diff(np.array([inside(one) for one in same]), axis=0))
    assert difference.mean() < 1


def test_frames_are_those_of_scipy_whatever_the_block() -> None:
    from scipy.signal import ShortTimeFFT

    samples = noise(1, 9000)[0]
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(256) / 256)
    before, picturing.BLOCK = picturing.BLOCK, 7
    try:
        found = np.concatenate(list(picturing.stft_powers(samples, window, 64)), axis=1)
    finally:
        picturing.BLOCK = before
    theirs = ShortTimeFFT(window, 64, 1.0, mfft=256, phase_shift=0).stft(samples.astype("f8"), p0=0, p1=found.shape[1])
    np.testing.assert_allclose(found, np.abs(theirs) ** 2 / (window.sum() / 2) ** 2, rtol=2e-3, atol=1e-12)


@pytest.mark.parametrize("frames", [1, 5, 99, 100, 101, 1000])
def test_pooling_is_the_mean_of_neighbours(frames: int) -> None:
    powers = np.random.default_rng(1).random((3, frames))
    blocks = [powers[:, start : start + 17] for start in range(0, frames, 17)]
    found = picturing.pooled(iter(blocks), frames, 100)
    groups = np.array_split(np.arange(frames), min(frames, 100))
    if frames <= 100 or frames % 100 == 0:
        np.testing.assert_allclose(found, np.stack([powers[:, group].mean(axis=1) for group in groups], axis=1))
    assert found.mean() == pytest.approx(powers.mean(), rel=0.02)


@pytest.mark.parametrize("length", [1, 2, 50, 1023, 1024, 5000, 100_001])
def test_an_outline_has_every_peak_and_no_gap(length: int) -> None:
    samples = noise(1, length)[0]
    low, high, rms = picturing.outline(samples, 512)
    assert high.max() == pytest.approx(samples.max())
    assert low.min() == pytest.approx(samples.min())
    assert (low <= high).all()
    assert (low[1:] <= high[:-1]).all()
    assert (high[1:] >= low[:-1]).all()
    assert (rms <= np.maximum(-low, high) + 1e-9).all()


def test_ticks_are_round_and_few() -> None:
    assert picturing.ticks(0, 2.3, 10) == [0, 0.5, 1, 1.5, 2]
    assert picturing.ticks(-80, 0, 8) == [-80, -70, -60, -50, -40, -30, -20, -10, 0][::1]
    assert picturing.ticks(0, 7200, 10) == [0, 1000, 2000, 3000, 4000, 5000, 6000, 7000]
    assert picturing.ticks(1, 1, 5) == []
    for high in (0.003, 1.0, 11025.0, 12345.678):
        for most in (1, 3, 10):
            assert len(picturing.ticks(0, high, most)) <= most + 1


def test_a_mel_spectrogram_is_marked_band_by_band(tmp_path: Path) -> None:
    pipeline = tonearm.load(
        {
            "tonearm": 1,
            "input": {"use": "npy-reader", "with": {"sample_rate": 22050}},
            "steps": [{"use": "wave-to-mel", "with": {"dialect": "hifigan"}}],
            "outputs": [{"use": "png-writer", "file": "x.png"}],
        }
    )
    tone = (0.5 * np.sin(2 * np.pi * 2000 * np.arange(22050) / 22050)).astype("f4")
    (signal,) = pipeline.convert(tone)
    assert isinstance(signal, MelSpectrogram)
    plugin = PngWriter(PngOptions(top_db=0))
    (panel,) = plugin._mels(signal, 1000)
    row = panel.levels[:, 40].argmax()
    assert np.interp(2000, *zip(*panel.marks, strict=True)) == pytest.approx(1 - (row + 0.5) / 80, abs=1 / 80)
    assert panel.levels[row, 40] == pytest.approx(-6, abs=2)  # a sine between two bands has less in either
    sink = Sink(tmp_path / "x.png", ".png")
    plugin.encode(Item(signal=signal), sink, Context())
    assert pixels(sink.path).shape == (600, 1200, 3)


def test_values_that_cannot_be_undone_are_shown_as_they_are(tmp_path: Path) -> None:
    from tonearm.plugins.registry import default

    dialect = default().dialects.find("hifigan").but(statistics="utterance")
    values = np.linspace(-2, 3, 80 * 9, dtype="f4").reshape(1, 80, 9)
    (panel,) = PngWriter(PngOptions())._mels(MelSpectrogram(values=values, dialect=dialect), 1000)
    assert (panel.unit, panel.low, panel.high) == ("value", -2, 3)
    np.testing.assert_allclose(panel.levels, values[0, ::-1])


@pytest.mark.parametrize("kind", ["complex", "magnitude"])
def test_a_spectrogram_is_shown_with_the_levels_of_its_sound(tmp_path: Path, kind: str) -> None:
    samples = sine(1000, level=0.5)
    pipeline = mapping("png-writer", ".png", RATE, top_db=0)
    grid = {"kind": kind, "n_fft": 512, "hop_length": 128}
    pipeline["steps"] = [{"use": "wave-to-spectrogram", "with": grid}]
    path, report = run(tmp_path, samples, pipeline)
    assert report.ok, report.errors
    given = inside(pixels(path))
    made = inside(drawn(tmp_path, samples, show="spectrogram", n_fft=512, top_db=0))
    assert np.abs(given[:, 100:-100] - made[:, 100:-100]).mean() < 4


@pytest.mark.parametrize("length", [1, 2, 100, 5000])
@pytest.mark.parametrize("channels", [1, 2, 4])
def test_any_length_and_several_channels(tmp_path: Path, length: int, channels: int) -> None:
    drawn(tmp_path, noise(channels, length), 22050)
    drawn(tmp_path, noise(channels, length) * 0, 22050)


def test_it_is_the_same_each_time(tmp_path: Path) -> None:
    first, second = (
        encoded(PngWriter(PngOptions()), tmp_path, noise(2, 9000), RATE, {"title": "x"})[0].read_bytes()
        for _ in range(2)
    )
    assert first == second


def test_tags_are_texts_and_the_title_stands_on_top(tmp_path: Path) -> None:
    tags = {"title": "Grüße 你好", "artist": "Piper", "mood": "calm"}
    path, _ = encoded(PngWriter(PngOptions(provenance=True, show="spectrogram")), tmp_path, noise(1, 5000), RATE, tags)
    with Image.open(path) as image:
        assert isinstance(image, Image.Image)
        texts = image.text  # type: ignore[attr-defined]
        top = np.asarray(image)[picture.TOP : picture.TOP + 20, picture.LEFT : picture.LEFT + 100]
    assert {name: str(texts[name]) for name in ("Title", "Author", "mood")} == {
        "Title": "Grüße 你好",
        "Author": "Piper",
        "mood": "calm",
    }
    assert "tonearm_version" in texts
    assert top.min() < 100 < top.mean()  # letters on white


def test_a_title_without_letters_for_it_is_still_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture, "_FONTS", ("no such font",))
    assert picture._font_for("Grüße, 你好")[1] == "Grusse, ??"
    assert picture._font_for("plain")[1] == "plain"


def test_a_title_that_is_too_long_is_cut(tmp_path: Path) -> None:
    path, _ = encoded(PngWriter(PngOptions()), tmp_path, noise(1, 500), RATE, {"title": "long " * 100})
    margin = pixels(path)[picture.TOP : picture.TOP + 22, -picture.RIGHT + 4 :]
    assert margin.min() == 255


@pytest.mark.parametrize(
    ("kind", "options", "message", "hint"),
    [
        ("magnitude", {"show": "waveform"}, "a spectrogram has no waveform to be shown", "griffin-lim before it"),
        ("waveform", {"height": 100}, "'height' is 100", ""),
        ("waveform", {"show": "all"}, "'show' is 'all'", "one of both"),
    ],
)
def test_what_cannot_be_shown_is_refused(kind: str, options: dict[str, Any], message: str, hint: str) -> None:
    pipeline = mapping("png-writer", ".png", RATE, **options)
    if kind == "magnitude":
        reader = {"kind": "magnitude", "sample_rate": RATE, "n_fft": 512, "hop_length": 128}
        pipeline["input"]["with"] = reader
    with pytest.raises(tonearm.PipelineError) as caught:
        tonearm.load(pipeline)
    (problem,) = caught.value.problems
    assert message in problem.message
    assert hint in problem.hint


@pytest.mark.parametrize(
    ("channels", "height", "message", "hint"),
    [
        (9, 2000, "a picture has room for 8 channels, but there are 9", "mix them, or pick some, before it"),
        (6, 600, "6 channels do not fit into 600 pixels", "height: 840"),
    ],
)
def test_too_many_channels(tmp_path: Path, channels: int, height: int, message: str, hint: str) -> None:
    _, report = run(tmp_path, noise(channels, 100), mapping("png-writer", ".png", height=height))
    (error,) = report.errors
    assert (error.code, error.message, error.hint) == ("too-many-channels", message, hint)


def test_memory_does_not_grow_with_the_length(tmp_path: Path) -> None:
    import tracemalloc

    signal = Waveform(samples=np.broadcast_to(noise(1, 1), (1, 20_000_000)), sample_rate=44100)
    plugin = PngWriter(PngOptions(show="spectrogram"))
    tracemalloc.start()
    plugin.encode(Item(signal=signal), Sink(tmp_path / "x.png", ".png"), Context())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 120 << 20  # of 80 MB a second, if it held the spectrogram


def test_without_pillow_the_pip_line_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib import util

    find = util.find_spec
    monkeypatch.setattr(util, "find_spec", lambda name, *rest: None if name == "PIL" else find(name, *rest))
    with pytest.raises(tonearm.PipelineError) as caught:
        tonearm.load(mapping("png-writer", ".png"))
    (problem,) = caught.value.problems
    assert problem.message == "png-writer needs the package 'pillow', which is not here"
    assert problem.hint == "pip install 'tonearm[image]'"
