"""The remedies of an item's error are tried on its array: what fails, or cannot be the sound, is not shown."""

import numpy as np
import pytest

import tonearm
from tonearm.errors import ChooseOption, GiveOption, ItemError, OptionError, PipelineError, RemoveOption, SetOption
from tonearm.pipeline.check import bind_decoder
from tonearm.pipeline.document import from_plain
from tonearm.pipeline.item_trials import changed_options, try_on_array
from tonearm.plugins import registry

REGISTRY = registry.default()


def options(**given):
    plain = {"tonearm": 1, "input": {"use": "npy-reader", "files": "*.npy", "with": given}}
    return bind_decoder(from_plain(plain), None, REGISTRY).plugin.options


class TestChangedOptions:
    def test_an_option_of_the_decoder(self):
        changed = changed_options(options(sample_rate=8000), SetOption("nan", "zero"), REGISTRY)
        assert (changed.nan, changed.kind.options.sample_rate) == ("zero", 8000)

    def test_an_option_of_the_kind(self):
        changed = changed_options(options(sample_rate=8000, kind="waveform"), SetOption("full_scale", 2), REGISTRY)
        assert (changed.kind.name, changed.kind.options.full_scale) == ("waveform", 2.0)

    def test_another_kind_takes_the_options_over(self):
        given = options(kind="magnitude", sample_rate=8000, n_fft=64, hop_length=16)
        changed = changed_options(given, SetOption("kind", "db"), REGISTRY)
        assert (changed.kind.name, changed.kind.options.n_fft) == ("db", 64)

    def test_a_dialect_by_name(self):
        given = options(kind="mel", dialect="hifigan")
        assert changed_options(given, SetOption("dialect", "melgan"), REGISTRY).kind.options.dialect.name == "melgan"

    def test_options_left_out(self):
        given = options(kind="waveform", sample_rate=8000, full_scale=3)
        assert changed_options(given, RemoveOption("full_scale"), REGISTRY).kind.options.full_scale is None
        assert changed_options(given, RemoveOption("kind"), REGISTRY).kind.name == "inferred"

    def test_another_kind_leaves_out_what_only_the_kind_before_has(self):
        given = options(kind="magnitude", sample_rate=8000, n_fft=64, hop_length=16)
        changed = changed_options(given, SetOption("kind", "waveform"), REGISTRY)
        assert (changed.kind.name, changed.kind.options.sample_rate) == ("waveform", 8000)
        assert not hasattr(changed.kind.options, "n_fft")

    @pytest.mark.parametrize(
        ("remedy", "error"),
        [
            (SetOption("n_fft", 64), OptionError),
            (SetOption("sample_rate", -1), PipelineError),
            (SetOption("axes", ["bin", "frame"]), OptionError),
            (SetOption("kind", "mel"), OptionError),
        ],
    )
    def test_what_contradicts(self, remedy, error):
        given = options(kind="waveform", sample_rate=8000, full_scale=3)
        with pytest.raises(error):
            changed_options(given, remedy, REGISTRY)


def tried(array, *remedies, **given):
    error = ItemError("it is wrong", code="wrong", remedies=remedies)
    chosen = options(**given)

    def retry(changed):
        from tonearm.arrays.read import read_array
        from tonearm.plugins.context import Context

        return next(read_array(array, changed, Context()))

    error.retry = retry
    try_on_array(error, chosen)
    assert error.retry is None
    return error.remedies


GRID = {"sample_rate": 8000, "n_fft": 64, "hop_length": 16}


class TestRemedies:
    def test_a_value_that_fails_is_left_out(self):
        array = np.random.default_rng(0).standard_normal((2, 500)).astype(np.float32)
        choice = ChooseOption("axes", (["channel", "time"], ["bin", "frame"], ["batch", "time"]))
        kept = tried(array, choice, kind="waveform", sample_rate=8000)
        assert kept == (ChooseOption("axes", (["channel", "time"], ["batch", "time"])),)

    def test_a_kind_that_asks_for_more_is_kept(self):
        array = np.zeros((80, 200), np.float32)
        choice = ChooseOption("kind", ("magnitude", "mel"))
        assert tried(array, choice, kind="waveform", sample_rate=8000) == (choice,)

    def test_a_scale_that_makes_it_silent_is_left_out(self):
        array = np.array([1000, -14443, 500], np.int32)
        assert tried(array, SetOption("full_scale", 2**31), sample_rate=8000, kind="waveform") == ()

    def test_what_only_the_user_knows_is_kept(self):
        remedy = GiveOption("full_scale")
        assert tried(np.zeros(3, np.int64), remedy, kind="waveform", sample_rate=8000) == (remedy,)

    def test_decibels_are_proposed_for_decibels_alone(self):
        rng = np.random.default_rng(1)
        magnitudes = np.abs(rng.standard_normal((33, 50)) * np.geomspace(1e-4, 3, 50)) + 1e-5
        remedy = SetOption("kind", "db", when="if these are decibels")
        kept = tried((20 * np.log10(magnitudes)).astype(np.float32), remedy, kind="magnitude", **GRID)
        assert kept == (remedy,)
        quiet = (np.log(magnitudes) / 3).astype(np.float32)  # spans 5, and no sound spans 5 dB
        assert tried(quiet, remedy, kind="magnitude", **GRID) == ()


def test_a_conversion_shows_only_what_helps(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((513, 20, 2), np.float32) + 0.1)
    loaded = tonearm.load_pipeline({
        "tonearm": 1,
        "input": {"use": "npy-reader", "with": GRID | {"kind": "complex", "n_fft": 1024}},
        "outputs": [{"use": "wav-writer", "file": "{stem}.wav"}],
        "steps": [{"use": "istft"}],
    })  # fmt: skip
    with pytest.raises(ItemError, match="ambiguous") as caught:
        list(loaded.convert(tmp_path / "a.npy"))
    assert caught.value.retry is None
    assert caught.value.hint == '"axes": ["bin", "frame", "complex"]'


def test_one_unused_option_less_is_a_step_further(tmp_path):
    """Each of two options that a waveform does not have is named in its turn, with the line that leaves it out."""
    np.save(tmp_path / "a.npy", np.zeros(100, np.float32))
    given = {"sample_rate": 8000, "n_fft": 64, "hop_length": 16}
    plain = {"tonearm": 1, "input": {"use": "npy-reader", "files": "*.npy", "with": given}}
    plain["outputs"] = [{"use": "wav-writer", "file": "{stem}.wav"}]
    with pytest.raises(ItemError, match="has no option 'n_fft'") as caught:
        list(tonearm.load_pipeline(plain).convert(tmp_path / "a.npy"))
    assert caught.value.remedies == (RemoveOption("n_fft"),)
