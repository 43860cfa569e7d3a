"""Conversion between linear mels and the values of a recipe, against its formula."""

import numpy as np
import pytest
from hifigan import dialect

from tonearm.errors import ItemError


class TestValues:
    LINEAR = np.geomspace(1e-4, 10, 2 * 80 * 5).reshape(2, 80, 5)

    @pytest.mark.parametrize(
        ("changes", "formula"),
        [
            ({}, lambda m: np.log(np.maximum(m, 1e-5))),
            ({"log": "log10", "floor": 1e-2}, lambda m: np.log10(np.maximum(m, 1e-2))),
            ({"log": "log2", "log_factor": 3.0}, lambda m: 3 * np.log2(np.maximum(m, 1e-5))),
            ({"floor_mode": "add"}, lambda m: np.log(m + 1e-5)),
            ({"floor_mode": "replace"}, np.log),
            ({"log": "none"}, lambda m: m),
            ({"input_scale": 32768.0, "exponent": 2}, lambda m: np.log(np.maximum(m * 2**30, 1e-5))),
            ({"mean": -5.0, "std": 2.0}, lambda m: (np.log(np.maximum(m, 1e-5)) + 5) / 2),
        ],
    )
    def test_are_as_the_formula_says_and_come_back(self, changes, formula):
        found = dialect(**changes)
        native = found.to_native(self.LINEAR)
        np.testing.assert_allclose(native, formula(self.LINEAR), rtol=1e-12)
        back = found.to_linear(native)
        assert back.dtype == np.float32
        floor = 1e-2 if changes.get("floor") else 0
        np.testing.assert_allclose(back, np.maximum(self.LINEAR, floor), rtol=1e-4)

    def test_silence_comes_back_as_less_than_the_floor(self):
        assert dialect(floor_mode="add").to_linear(np.full((1, 80, 2), np.log(1e-5))).max() < 1e-10

    def test_a_guard_is_taken_out_of_silence(self):
        guarded = dialect(magnitude_guard=1e-6)
        silence = guarded.mel_basis().sum(axis=1)[None, :, None] * 1e-3
        assert guarded.to_linear(guarded.to_native(silence)).max() < 1e-6

    def test_an_utterances_statistics_are_computed_but_not_undone(self):
        masked = dialect(statistics="utterance", last_frame="mask").to_native(self.LINEAR)
        np.testing.assert_allclose(masked[..., :-1].mean(axis=-1), 0, atol=1e-9)
        np.testing.assert_allclose(masked[..., :-1].std(axis=-1, ddof=1), 1, atol=1e-3)
        assert not masked[..., -1].any()
        found = dialect(statistics="utterance")
        native = found.to_native(self.LINEAR)
        np.testing.assert_allclose(native.mean(axis=-1), 0, atol=1e-9)
        with pytest.raises(ItemError) as caught:
            found.to_linear(native)
        assert caught.value.code == "not-invertible"
        assert caught.value.message == (
            "values in the dialect mine are standardised by each utterance's own statistics, which are not given"
        )
        assert "mean: […], std: […]" in caught.value.hint

    def test_statistics_of_each_band_are_undone(self):
        mean, std = tuple(np.linspace(-6, -4, 80)), tuple(np.linspace(1, 3, 80))
        found = dialect(statistics="stored", mean=mean, std=std)
        plain = dialect().to_native(self.LINEAR)
        native = (plain - np.array(mean)[:, None]) / np.array(std)[:, None]
        np.testing.assert_allclose(found.to_linear(native), self.LINEAR, rtol=1e-4)

    def test_values_that_no_float_holds_are_refused(self):
        with pytest.raises(ItemError, match=r"values up to 1000 are too great for the dialect mine"):
            dialect().to_linear(np.full((1, 80, 2), 1000.0))

    def test_values_that_are_no_numbers_are_counted(self):
        native = np.full((1, 80, 2), -5.0)
        native[0, 3] = np.nan
        with pytest.raises(ItemError, match=r"2 of 160 values in the dialect mine are NaN or infinite"):
            dialect().to_linear(native)

    def test_negative_values_that_no_float_holds_are_named(self):
        with pytest.raises(ItemError, match=r"values up to -400 are too great for the dialect mine"):
            dialect(log=0.5).to_linear(np.full((1, 80, 2), -400.0))
