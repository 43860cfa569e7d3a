"""A recipe checks itself, knows its frames and its limits, and goes through its values and back."""

import pytest
from hifigan import dialect

from tonearm.errors import OptionError


def refused(**changes):
    with pytest.raises(OptionError) as caught:
        dialect(**changes)
    return caught.value


class TestItChecksItself:
    @pytest.mark.parametrize(
        ("changes", "option", "message"),
        [
            ({"fmax": 12000.0}, "fmax", "fmax 12000 Hz is above half the rate of 22050 Hz"),
            ({"fmax": None, "filterbank_sample_rate": 16000, "fmin": 8000.0}, "fmin", "fmin 8000 Hz is not below fmax"),
            (
                {"n_mels": 373},
                "n_mels",
                "there are fewer bins than mels: 372 of n_fft 1024 lie between 0 and 8000 Hz, for 373 mels",
            ),
            ({"n_mels": 514, "fmax": None}, "n_mels", "513 of n_fft 1024 lie between 0 and 11025 Hz, for 514 mels"),
            ({"n_mels": 2, "fmin": 100.0, "fmax": 108.0}, "n_mels", "1 of n_fft 1024 lie between 100 and 108 Hz"),
            ({"floor": 0.0}, "floor", "silence has no logarithm without a floor"),
            ({"mean": 1.0}, "std", "statistics are a mean and a std; 'std' is missing"),
            ({"mean": (1.0, 2.0), "std": 1.0}, "mean", "mean has 2 numbers for 80 mels"),
            ({"mean": 1.0, "std": 0.0}, "std", "a std of 0 cannot divide values"),
            ({"hop_length": 2000}, "hop_length", "a hann window of 1024 cannot be inverted at hop_length 2000"),
            ({"window": "han"}, "window", "there is no window 'han'"),
        ],
    )
    def test_what_does_not_fit(self, changes, option, message):
        error = refused(**changes)
        assert error.option == option
        assert message in error.message

    def test_as_many_bands_as_bins_fit(self):
        assert dialect(n_mels=372).mel_basis().shape == (372, 513)
        assert dialect(n_mels=513, fmax=None).mel_basis().shape == (513, 513)

    def test_no_floor_is_needed_without_a_logarithm(self):
        assert dialect(floor=0.0, log="none").range.low == 0


class TestFrames:
    @pytest.mark.parametrize("length", [2000, 2047, 2048, 2049, 2303, 2304])
    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({"padding": "center"}, lambda n: 1 + n // 256),
            ({}, lambda n: n // 256),
            ({"padding": "none"}, lambda n: 1 + (n - 1024) // 256),
            ({"padding": "end"}, lambda n: -(-n // 256)),
            ({"padding": "snip", "win_length": 400}, lambda n: 1 + (n - 400) // 256),
            ({"padding": "center", "last_frame": "drop"}, lambda n: n // 256),
            ({"padding": "center", "last_frame": "mask"}, lambda n: 1 + n // 256),
        ],
        ids=["center", "half-overlap", "none", "end", "snip", "drop", "mask"],
    )
    def test_of_a_number_of_samples(self, changes, expected, length):
        assert dialect(**changes).frames(length) == expected(length)

    @pytest.mark.parametrize("padding", ["center", "half-overlap", "none", "end", "snip"])
    def test_samples_of_frames_have_as_many_frames(self, padding):
        found = dialect(padding=padding, win_length=400)
        for frames in (2, 7, 100):
            samples = found.samples(frames)
            assert found.frames(samples) == frames
            assert found.frames(samples + 255) in (frames, frames + (padding == "end"))

    def test_a_dropped_frame_still_has_sound_before_it(self):
        assert dialect(padding="center", last_frame="drop").samples(10) == 2560

    def test_too_few_samples_have_no_frame(self):
        assert dialect(padding="none").frames(100) == 0


class TestContradictions:
    @pytest.mark.parametrize(
        ("changes", "low", "high", "reason"),
        [
            ({}, -11.6, 1.0, ""),
            ({}, -12.1, 1.0, ""),  # less than 6 dB below: a model's inaccuracy
            ({}, -12.3, 1.0, "the smallest value is -12.3, but in mine none is below -11.5129"),
            ({}, -5.0, 20.0, "the largest value is 20, but in mine none is above 5.70448"),
            ({"log": "log10"}, -5.1, 0.3, ""),
            ({"log": "log10"}, -11.5, 0.3, "the smallest value is -11.5, but in mine none is below -5"),
            ({"log": "none"}, 0.0, 5.0, ""),
            ({"log": "none"}, -1.0, 5.0, "the smallest value is -1, but in mine none is below 0"),
            ({"mean": 0.0, "std": 1.0}, -99.0, 99.0, ""),
            ({"input_scale": 1e300, "exponent": 2}, 0.0, 99.0, ""),  # no float holds the greatest value
        ],
    )
    def test_of_values(self, changes, low, high, reason):
        assert dialect(**changes).contradiction(low, high) == reason

    def test_what_lies_beyond_a_clip(self):
        from tonearm.api import RecipeStep

        clipped = dialect(steps=(RecipeStep(op="clip", min=-4, max=4),))
        assert clipped.contradiction(-4.3, 4.3) == ""
        assert clipped.contradiction(-4.3, 5.0) == "the largest value is 5, but in mine none is above 4"

    def test_a_span_beyond_that_of_an_utterance(self):
        from tonearm.api import RecipeStep

        relative = dialect(log="log10", floor=1e-10, steps=(RecipeStep(op="below-max", below=8.0),))
        assert relative.contradiction(-7.5, 0.5) == ""
        assert relative.contradiction(-9.0, 0.5) == "values span 9.5, but in mine at most 8"


def test_differences_are_named_and_what_changes_no_value_is_none() -> None:
    other = dialect(sample_rate=24000, log="log10", name="x", source="y", layout="frames-mels")
    assert dialect().differences(other) == [
        "sample_rate 24000 for 22050", "filterbank_sample_rate 24000 for 22050", "log log10 for ln",
    ]  # fmt: skip
    assert dialect(fmax=None).differences(dialect(fmax=11025.0, win_length=1024)) == []
