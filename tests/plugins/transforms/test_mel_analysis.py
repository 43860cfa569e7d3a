"""The analysis of a dialect, and what transforms of mel spectrograms share."""

import numpy as np
import pytest
import scipy.signal
from dialect_material import DIALECTS, sounding

from tonearm.api import InsertStep, ItemError, MelSpectrogram, OptionError, Spec, Waveform
from tonearm_plugins.transforms.mel_analysis import analyse, other_rate, require_invertible, without_preemphasis

HIFIGAN = DIALECTS.find("hifigan")


def wave(samples, rate=22050):
    return Waveform(samples=np.atleast_2d(samples), sample_rate=rate)


def test_values_are_linear_and_in_double_precision():
    found = analyse(wave(sounding(22050)), HIFIGAN)
    assert found.dtype == np.float64
    assert found.shape[1] == HIFIGAN.n_mels
    assert (found >= 0).all()
    twice = analyse(wave(2 * sounding(22050)), HIFIGAN)
    assert np.allclose(twice, 2 * found, rtol=1e-3)  # but for the guard under the root


def test_the_last_frame_is_dropped_where_the_dialect_drops_it():
    samples = sounding(22050)
    kept, dropped = (analyse(wave(samples), HIFIGAN.replace(last_frame=last)) for last in ("keep", "drop"))
    assert dropped.shape[2] == kept.shape[2] - 1
    assert np.array_equal(dropped, kept[..., :-1])


def test_another_rate_is_refused_with_the_step_that_mends_it():
    message, remedy = other_rate(8000, HIFIGAN)
    assert message == "the waveform is at 8000 Hz, but the dialect hifigan at 22050 Hz"
    assert remedy == InsertStep("resample", {"sample_rate": 22050})
    with pytest.raises(ItemError) as caught:
        analyse(wave(np.zeros(9000), 8000), HIFIGAN)
    assert (caught.value.code, caught.value.remedies) == ("rate-mismatch", (remedy,))


def test_what_is_known_to_be_lost_is_refused_and_what_is_not_known_is_not():
    require_invertible(Spec(signals=(MelSpectrogram,)))
    require_invertible(Spec(signals=(MelSpectrogram,)).carrying(HIFIGAN))
    with pytest.raises(OptionError) as caught:
        require_invertible(Spec(signals=(MelSpectrogram,)).carrying(DIALECTS.find("nemo-asr")))
    assert caught.value.code == "not-invertible"


@pytest.mark.parametrize("coefficient", [0.0, 0.97])
def test_preemphasis_is_undone_exactly(coefficient):
    dialect = HIFIGAN.replace(preemphasis=coefficient)
    mel = MelSpectrogram(values=np.zeros((1, 80, 9), "f4"), dialect=dialect)
    samples = sounding(22050).astype(np.float32)[None]
    given = scipy.signal.lfilter([1, -coefficient], [1], samples.astype(float)).astype(np.float32)
    found = without_preemphasis(given, mel)
    assert found.sample_rate == 22050
    assert found.samples.dtype == np.float32
    assert np.abs(found.samples - samples).max() < 1e-4
