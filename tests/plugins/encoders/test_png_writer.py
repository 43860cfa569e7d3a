"""Pictures: what is seen is where the axes say, in the colours of the colour bar."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from encoder_helpers import encoded, mapping, noise, run, yaml_hint
from PIL import Image

import tonearm
from tonearm.api import Context, Item, MelDialect, MelSpectrogram, Sink, Waveform
from tonearm_plugins.dsp import display
from tonearm_plugins.encoders.png_writer import PngOptions, PngWriter
from tonearm_plugins.formats import figure

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
    return image[figure.TOP : height - figure.BOTTOM, figure.LEFT : width - figure.RIGHT].sum(axis=2, dtype=int)


@pytest.mark.one_in(3)
@pytest.mark.parametrize("scale", ["linear", "mel", "log"])
@pytest.mark.parametrize("hertz", [150, 1000, 3000, 7500])
def test_a_tone_lies_at_its_frequency(tmp_path: Path, scale: Any, hertz: float) -> None:
    seen = inside(drawn(tmp_path, sine(hertz), show="spectrogram", scale=scale, n_fft=2048, width=500))
    row = int(seen[:, seen.shape[1] // 2].argmax())
    low, high = display.to_scale([0, RATE / 2], scale)
    place = (display.to_scale(hertz, scale) - low) / (high - low)
    assert row == pytest.approx((1 - place) * seen.shape[0], abs=4)


def test_frequencies_and_times_are_marked_where_they_lie(tmp_path: Path) -> None:
    image = drawn(tmp_path, sine(2000, 2.0), show="spectrogram")
    rows = image.shape[0] - figure.TOP - figure.BOTTOM
    dark = image.sum(axis=2) < 300
    marks = np.flatnonzero(dark[figure.TOP - 1 : figure.TOP + rows + 1, figure.LEFT - 4]) - 1
    np.testing.assert_allclose(marks, [f / 16 * rows for f in range(17)], atol=1)
    columns = image.shape[1] - figure.LEFT - figure.RIGHT
    marks = np.flatnonzero(dark[figure.TOP + rows + 4, figure.LEFT - 1 : figure.LEFT + columns + 1]) - 1
    np.testing.assert_allclose(marks, [t / 2 * columns for t in np.arange(0, 2.01, 0.2)], atol=1)
    # The tone of 2 kHz lies on its mark.
    assert inside(image)[:, 500].argmax() == pytest.approx((1 - 2 / 8) * rows, abs=2)


def test_a_click_lies_at_its_time(tmp_path: Path) -> None:
    samples = np.zeros((1, RATE), "f4")
    samples[0, RATE * 3 // 4] = 1.0
    seen = inside(drawn(tmp_path, samples, show="spectrogram"))
    assert seen.sum(axis=0).argmax() == pytest.approx(seen.shape[1] * 3 / 4, abs=12)  # the window's top is round
    wave = inside(drawn(tmp_path, samples, show="waveform"))
    assert wave[20, 2:-2].argmin() + 2 == pytest.approx(wave.shape[1] * 3 / 4, abs=1)  # within the frame


@pytest.mark.slow
def test_levels_have_the_colours_of_the_scale(tmp_path: Path) -> None:
    image = drawn(tmp_path, sine(1000, level=0.1), show="spectrogram", top_db=0, width=500)
    panel = image[figure.TOP : -figure.BOTTOM, figure.LEFT : -figure.RIGHT].astype(int)
    found = panel[:, panel.shape[1] // 2][panel.sum(axis=2)[:, panel.shape[1] // 2].argmax()]
    bar = image[figure.TOP : -figure.BOTTOM, -figure.RIGHT + 24].astype(int)
    row = int(np.abs(bar - found).sum(axis=1).argmin())
    assert -80 * row / (len(bar) - 1) == pytest.approx(-20, abs=2)
    louder = drawn(tmp_path, sine(1000, level=0.2), show="spectrogram", top_db=0, width=500)
    assert louder.sum(dtype=int) > image.sum(dtype=int)  # with top_db pictures can be compared
    same = [drawn(tmp_path, sine(1000, level=level), show="spectrogram", width=500) for level in (0.1, 0.2)]
    difference = np.abs(np.diff(np.array([inside(one) for one in same]), axis=0))
    assert difference.mean() < 1


def test_a_mel_spectrogram_is_marked_band_by_band(tmp_path: Path) -> None:
    pipeline = tonearm.load_pipeline(
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
    spectra = plugin._spectra(signal, 500, 500)
    (levels,) = spectra.levels
    row = levels[:, 40].argmax()
    assert np.interp(2000, *zip(*spectra.marks, strict=True)) == pytest.approx((row + 0.5) / 80, abs=1 / 80)
    assert levels[row, 40] == pytest.approx(-6, abs=2)  # a sine between two bands has less in either
    sink = Sink(tmp_path / "x.png", ".png")
    plugin.encode(Item(signal=signal), sink, Context())
    assert pixels(sink.path).shape == (600, 1200, 3)


def test_values_that_cannot_be_undone_are_shown_as_they_are(tmp_path: Path) -> None:
    from tonearm.plugins.registry import default

    dialect = default().catalogue(MelDialect).find("hifigan").replace(statistics="utterance")
    values = np.linspace(-2, 3, 80 * 9, dtype="f4").reshape(1, 80, 9)
    plugin = PngWriter(PngOptions())
    spectra = plugin._spectra(MelSpectrogram(values=values, dialect=dialect), 500, 500)
    assert (spectra.unit, *plugin._range(spectra)) == ("value", -2, 3)
    np.testing.assert_allclose(spectra.levels[0], values[0])


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


def test_a_spectrogram_in_a_librarys_convention_looks_like_a_plain_one(tmp_path: Path) -> None:
    import scipy.signal

    from tonearm.api import ComplexSpectrogram, StftGrid
    from tonearm_plugins.encoders.png_writer import PngOptions, PngWriter

    samples = sine(1000)
    window = scipy.signal.get_window("hann", 512)
    values = scipy.signal.stft(samples, RATE, window, 512, 384, return_onesided=False)[2]
    grid = StftGrid(
        sample_rate=RATE, n_fft=512, hop_length=128, win_length=512, tail="pad", scaling="spectrum", sides="two"
    )
    signal = ComplexSpectrogram(values=values.astype("c8"), grid=grid)
    plugin = PngWriter(PngOptions())
    expected = plugin._spectra(signal.plain(), 500, 500)
    found = plugin._spectra(signal, 500, 500)
    np.testing.assert_array_equal(found.levels, expected.levels)
    assert max(level.max() for level in found.levels) == pytest.approx(0, abs=0.1)


@pytest.mark.one_in(2)
@pytest.mark.parametrize(("length", "channels"), [(1, 1), (1, 2), (2, 1), (100, 1), (5000, 4)])
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
        top = np.asarray(image)[figure.TOP : figure.TOP + 20, figure.LEFT : figure.LEFT + 100]
    assert {name: str(texts[name]) for name in ("Title", "Author", "mood")} == {
        "Title": "Grüße 你好",
        "Author": "Piper",
        "mood": "calm",
    }
    assert "tonearm_version" in texts
    assert top.min() < 100 < top.mean()  # letters on white


def test_a_title_without_letters_for_it_is_still_drawn(tmp_path: Path) -> None:
    missing, marks = (
        pixels(encoded(PngWriter(PngOptions()), tmp_path, noise(1, 500), RATE, {"title": title})[0])
        for title in ("Grüße, 你好", "Grüße, ??")
    )
    np.testing.assert_array_equal(missing, marks)


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
def test_the_style_of_the_calling_program_changes_nothing(tmp_path: Path) -> None:
    import matplotlib.style

    plain = drawn(tmp_path, sine(1000))
    with matplotlib.style.context(["dark_background", "ggplot", "fivethirtyeight"]):
        settings = dict(matplotlib.rcParams)
        styled = drawn(tmp_path, sine(1000))
        assert dict(matplotlib.rcParams) == settings
    np.testing.assert_array_equal(styled, plain)


@pytest.mark.slow
def test_a_title_that_is_too_long_is_cut(tmp_path: Path) -> None:
    path, _ = encoded(PngWriter(PngOptions()), tmp_path, noise(1, 500), RATE, {"title": "long " * 100})
    margin = pixels(path)[figure.TOP : figure.TOP + 17, -figure.RIGHT + 4 :]
    assert margin.min() == 255


@pytest.mark.parametrize(
    ("kind", "options", "message", "hint"),
    [
        (
            "magnitude",
            {"show": "waveform"},
            "a spectrogram has no waveform to show",
            "put griffin-lim before it",
        ),
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
        tonearm.load_pipeline(pipeline)
    (problem,) = caught.value.problems
    assert message in problem.message
    assert hint in yaml_hint(problem)


@pytest.mark.parametrize(
    ("channels", "height", "message", "hint"),
    [
        (
            9,
            2000,
            "a picture has room for 8 channels, but there are 9",
            'put {"use": "mix", "with": {"to": "mono"}} before it',
        ),
        (6, 600, "6 channels do not fit into 600 pixels", '"height": 840'),
    ],
)
def test_too_many_channels(tmp_path: Path, channels: int, height: int, message: str, hint: str) -> None:
    _, report = run(tmp_path, noise(channels, 100), mapping("png-writer", ".png", height=height))
    (error,) = report.errors
    assert (error.code, error.message) == ("too-many-channels", message)
    assert error.hint == hint


def test_memory_does_not_grow_with_the_length(tmp_path: Path) -> None:
    import tracemalloc

    signal = Waveform(samples=np.broadcast_to(noise(1, 1), (1, 12_000_000)), sample_rate=44100)
    plugin = PngWriter(PngOptions(show="spectrogram"))
    tracemalloc.start()
    plugin.encode(Item(signal=signal), Sink(tmp_path / "x.png", ".png"), Context())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 90 << 20  # the whole spectrogram takes 190 MB


def test_without_matplotlib_the_pip_line_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib import util

    find = util.find_spec
    monkeypatch.setattr(util, "find_spec", lambda name, *rest: None if name == "matplotlib" else find(name, *rest))
    with pytest.raises(tonearm.PipelineError) as caught:
        tonearm.load_pipeline(mapping("png-writer", ".png"))
    (problem,) = caught.value.problems
    assert problem.message == "png-writer needs the package 'matplotlib' 3.9 or newer, which is not installed"
    assert problem.hint == "pip install 'tonearm[image]'"
