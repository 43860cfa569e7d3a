"""The mel spectrogram as a signal."""

import numpy as np
import pytest
from notebook_page import Page, marks, pictures

from tonearm.errors import SignalError
from tonearm.recipes.mel import MelDialect, MelSpectrogram
from tonearm.recipes.steps import RecipeStep

BASE = {"sample_rate": 22050, "n_fft": 1024, "hop_length": 256, "n_mels": 80}
DIALECT = MelDialect(**BASE, name="mine")
MASKING = MelDialect(**BASE, last_frame="mask")


def mel(values=None, dialect=DIALECT, **more):
    values = np.ones((2, 80, 5), "f4") if values is None else values
    return MelSpectrogram(values=values, dialect=dialect, **more)


def test_it_has_the_measures_of_its_dialect():
    signal = mel()
    assert (signal.channels, signal.frames, signal.sample_rate) == (2, 5, 22050)
    assert signal.grid is DIALECT.grid
    assert signal.arrays()[0] is signal.values
    assert signal.samples_expected == DIALECT.samples(5)
    assert mel(length=999).samples_expected == 999


def test_it_has_the_dialects_bands():
    with pytest.raises(SignalError, match="the mel has 81 bands, but the dialect mine has 80") as caught:
        mel(np.ones((1, 81, 5), "f4"))
    assert caught.value.code == "bins-mismatch"


def test_its_values_are_real_of_three_axes():
    with pytest.raises(SignalError, match="a mel holds float values, not complex64"):
        mel(np.ones((1, 80, 5), "c8"))
    with pytest.raises(SignalError, match=r"a mel is \(channels, mels, frames\), not an array of shape \(80, 5\)"):
        mel(np.ones((80, 5), "f4"))


def test_masked_frames_are_removed_where_the_dialect_masks():
    values = np.ones((1, 80, 5), "f4")
    values[..., 3:] = 0
    values[..., 1] = 0  # silence in the middle is no mask
    assert mel(values, MASKING).unmasked().frames == 3
    assert mel(values).unmasked().frames == 5
    assert mel(np.zeros((1, 80, 4), "f4"), MASKING).unmasked().frames == 1
    whole = mel(dialect=MASKING)
    assert whole.unmasked() is whole


def caption_of(signal):
    return Page(signal._repr_html_()).caption()


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"mel_scale": "htk", "mel_norm": "none"},
        {"mel_scale": "kaldi", "fmin": 100.0},
        {"exponent": 2, "log": "log10"},
        {"log": "none"},
        {"filterbank_sample_rate": 16000, "fmax": 8000.0},
        {"steps": (RecipeStep(op="flip"),)},
    ],
    ids=str,
)
@pytest.mark.parametrize("tone", [300.0, 1000.0, 2000.0, 5000.0])
def test_in_a_notebook_a_tone_is_beside_its_frequency(changes, tone):
    dialect = MelDialect(**{**BASE, "fmax": 8000.0, "name": "mine", **changes})
    bins = np.zeros((513, 40))
    bins[round(tone * 1024 / 22050)] = 1.0
    values = dialect.to_native((dialect.mel_basis() @ bins)[None])
    page = Page(mel(values.astype("f4"), dialect)._repr_html_())
    (picture,) = pictures(page)
    row = np.flatnonzero(picture[:, 20] == picture[:, 20].max()).mean()
    frame = page.all("svg")[1]
    found = float(frame["y"]) + (row + 0.5) * float(frame["height"]) / len(picture)
    places = marks(page, "end")
    assert tone in places or tone == 300
    low = max(hertz for hertz in places if hertz <= tone)
    high = min(hertz for hertz in places if hertz >= tone)
    width = float(frame["height"]) / len(picture)  # of one band
    assert places[high] - 4 - width <= found <= places[low] - 4 + width  # labels stand 4 lower than their marks


def test_in_a_notebook_levels_are_those_of_sound_whatever_the_units_are():
    linear = 10 ** (np.linspace(-3, 0, 80 * 5).reshape(1, 80, 5) - 1)
    shown = []
    for changes in (
        {"log": "none"},
        {"log": "log10"},
        {"exponent": 2},
        {"steps": (RecipeStep(op="affine", scale=0.2),)},
    ):
        dialect = MelDialect(**BASE, floor=1e-12, **changes)
        values = dialect.to_native(linear**dialect.exponent).astype("f4")
        shown.append(pictures(Page(mel(values, dialect)._repr_html_()))[0])
    assert all(np.abs(picture - shown[0]).max() <= 2 for picture in shown)
    assert np.ptp(shown[0]) > 100


def test_in_a_notebook_the_caption_names_the_dialect():
    values = np.zeros((2, 80, 5), "f4")
    assert caption_of(mel(values)) == [
        "mel 2×80×5 at 22050 Hz",
        "dialect: mine, n_mels: 80, n_fft: 1024, hop_length: 256, win_length: 1024, window: hann, padding: center,"
        " pad_mode: constant",
        "Colours span 80 dB below the highest value, 1.",
    ]


def test_in_a_notebook_values_that_the_dialect_refuses_are_shown_as_they_are():
    values = np.linspace(-3, 200, 400, dtype="f4").reshape(1, 80, 5)
    page = Page(mel(values)._repr_html_())
    assert page.caption()[2:] == [
        "dialect-mismatch: values up to 200 are too great for the dialect mine",
        "Colours span the values themselves, from -3 to 200.",
    ]
    (picture,) = pictures(page)
    assert (np.diff(picture[:, 0]) <= 0).all()
    assert np.ptp(picture) > 200
    values = np.zeros((2, 80, 5), "f4")
    values[1, 40, 3] = 200  # one is enough
    assert "values up to 200 are too great" in caption_of(mel(values))[2]
    stored = MelDialect(**BASE, name="stored", statistics="stored")
    assert caption_of(mel(dialect=stored))[2].startswith("not-invertible: ")


def test_in_a_notebook_values_that_are_not_finite_are_counted():
    values = np.zeros((1, 80, 5), "f4")
    values[0, 3, 2], values[0, 5, 1] = np.nan, -np.inf
    assert caption_of(mel(values))[-1].startswith("not-finite: 2 of 400 values")
    assert caption_of(mel(np.full((1, 80, 5), np.nan, "f4")))[-1].startswith("not-finite: 400 of 400 values")


def test_in_a_notebook_masked_frames_are_left_out():
    values = np.full((1, 80, 5), -3, "f4")
    values[..., 3:] = 0
    assert pictures(Page(mel(values, MASKING)._repr_html_()))[0].shape == (80, 3)


def test_its_representation_is_short():
    assert repr(mel()) == "<mel 2×80×5 at 22050 Hz>"
    assert repr(DIALECT) == "MelDialect('mine', sample_rate=22050, n_fft=1024, hop_length=256, n_mels=80)"
    row = (0.0,) * 80
    assert "mean=<80 values>, std=<80 values>" in repr(
        MelDialect(**BASE, statistics="stored", mean=row, std=(1.0,) * 80)
    )
