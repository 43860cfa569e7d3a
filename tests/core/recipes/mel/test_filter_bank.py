"""Mel filter banks, against librosa and torchaudio."""

import librosa
import numpy as np
import pytest
from hifigan import dialect

from tonearm.recipes.mel.filter_bank import max_filter_sum, mel_edges, mel_to_hz


class TestBands:
    @pytest.mark.parametrize("scale", ["slaney", "htk"])
    @pytest.mark.parametrize("norm", ["slaney", "none"])
    @pytest.mark.parametrize(("fmin", "fmax", "n_mels"), [(0.0, None, 80), (80.0, 7600.0, 64), (20.0, 900.0, 12)])
    def test_are_librosas(self, scale, norm, fmin, fmax, n_mels):
        found = dialect(mel_scale=scale, mel_norm=norm, fmin=fmin, fmax=fmax, n_mels=n_mels).mel_basis()
        expected = librosa.filters.mel(
            sr=22050, n_fft=1024, n_mels=n_mels, fmin=fmin, fmax=fmax, htk=scale == "htk",
            norm="slaney" if norm == "slaney" else None, dtype=np.float64,
        )  # fmt: skip
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-13)

    def test_of_another_rate_stretch_over_the_bins(self):
        found = dialect(fmax=None, filterbank_sample_rate=16000, mel_scale="htk", mel_norm="none").mel_basis()
        expected = librosa.filters.mel(sr=16000, n_fft=1024, n_mels=80, htk=True, norm=None, dtype=np.float64)
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-13)

    def test_with_flanks_straight_over_mels(self):
        basis = dialect(triangles="mel", mel_scale="kaldi", mel_norm="none", fmin=20.0).mel_basis()
        mel = 1127 * np.log(1 + np.linspace(0, 11025, 513) / 700)
        edges = np.linspace(1127 * np.log(1 + 20 / 700), 1127 * np.log(1 + 8000 / 700), 82)
        for band in (0, 40, 79):
            expected = np.interp(mel, edges[band : band + 3], [0, 1, 0])
            np.testing.assert_allclose(basis[band], expected, atol=1e-12)

    @pytest.mark.parametrize("norm", ["slaney", "none"])
    @pytest.mark.parametrize("n_mels", [10, 80, 256])
    def test_their_greatest_sum_is_bounded_without_computing_them(self, norm, n_mels):
        found = dialect(n_mels=n_mels, mel_norm=norm)
        hz = [mel_to_hz(edge, "slaney") for edge in mel_edges(n_mels, 0.0, 8000.0, "slaney")]
        bound = max_filter_sum(1024, 22050, hz, norm)
        assert found.mel_basis().sum(axis=1).max() <= bound <= 4 * found.mel_basis().sum(axis=1).max()
