"""The remedies of an item's error are tried on its array: what fails, or cannot be the sound, is not shown."""

import numpy as np
import pytest

import tonearm
from tonearm.errors import ChooseOption, GiveOption, InsertStep, ItemError, RemoveOption, SetOption
from tonearm.pipeline.check import bind_decoder
from tonearm.pipeline.document import from_plain
from tonearm.pipeline.item_trials import try_on_array, try_on_encoder, try_on_signal
from tonearm.plugins import registry

REGISTRY = registry.default()


def options(**given):
    plain = {"tonearm": 1, "input": {"use": "npy-reader", "files": "*.npy", "with": given}}
    return bind_decoder(from_plain(plain), None, REGISTRY).plugin.options


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


def of_source(folder, use="npz-reader", steps=(), **given):
    """Return the error of the first item of a source."""
    plain = {"tonearm": 1, "input": {"use": use, "with": given}, "steps": list(steps)}
    plain["outputs"] = [{"use": "wav-writer", "file": "{stem}-{index}.wav"}]
    with pytest.raises(ItemError) as caught:
        list(tonearm.load_pipeline(plain).convert(folder))
    return caught.value


@pytest.mark.parametrize(("shape", "tried"), [((900,), True), ((3, 4, 5, 6, 7), False)])
def test_all_arrays_of_a_file_are_proposed_only_if_all_can_be_read(shape, tried, tmp_path):
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "a.npz", sound=rng.uniform(-0.5, 0.5, 900), other=rng.uniform(-0.5, 0.5, shape))
    error = of_source(tmp_path / "a.npz", kind="waveform", sample_rate=8000)
    assert error.code == "several-arrays"
    every = (SetOption("key", "*", when="for all"),)
    assert error.remedies == (GiveOption("key", "its name"), *(every if tried else ()))


def test_options_of_a_step_are_tried_on_its_signal(tmp_path):
    np.save(tmp_path / "a.npy", np.random.default_rng(0).uniform(-0.5, 0.5, (9, 900)).astype("f4"))
    mix = {"use": "mix", "with": {"to": "stereo"}}
    given = {"kind": "waveform", "sample_rate": 8000, "axes": ["channel", "time"]}
    error = of_source(tmp_path / "a.npy", "npy-reader", [mix], **given)
    assert error.remedies == (SetOption("pick", [0, 1], instead_of="to"),)


class TestSignals:
    def bound(self, use, **given):
        from tonearm.pipeline.check import check

        plain = {"tonearm": 1, "input": {"use": "npy-reader", "files": "*.npy", "with": {"sample_rate": 8000}}}
        plain |= {"steps": [{"use": use, "with": given}], "outputs": [{"use": "wav-writer", "file": "{stem}.wav"}]}
        return check(from_plain(plain), None, REGISTRY).steps[0]

    def kept(self, *remedies, samples):
        from tonearm.plugins.context import Context
        from tonearm.signals import Waveform

        bound, signal = self.bound("guard", clipping="error"), Waveform(samples=samples[None], sample_rate=8000)
        message, code = "it is wrong", "guard-clipping"
        if np.abs(samples).max() == 1:
            with pytest.raises(ItemError) as caught:
                bound.plugin.apply(signal, Context())
            message, code = caught.value.message, caught.value.code
        error = ItemError(message, code=code, remedies=remedies)
        try_on_signal(error, bound, signal)
        return error.remedies

    def test_what_does_not_help_is_left_out(self):
        clipped = np.clip(9 * np.sin(np.arange(900.0) / 5), -1, 1).astype("f4")
        warn, useless = SetOption("clipping", "warn"), SetOption("max_silence", 0.5)
        assert self.kept(warn, useless, samples=clipped) == (warn,)

    def test_steps_before_it_are_tried(self):
        clipped = np.clip(9 * np.sin(np.arange(900.0) / 5), -1, 1).astype("f4")
        wrong, right = InsertStep("gain", {"gain_db": 0.0}), InsertStep("gain", {"gain_db": -3.0})
        assert wrong not in self.kept(wrong, right, samples=clipped)

    def test_options_of_the_source_are_kept(self):
        remedy = SetOption("nan", "zero", stage="input")
        assert self.kept(remedy, samples=np.zeros(900, "f4")) == (remedy,)


def test_what_an_encoder_does_not_allow_either_is_left_out():
    from tonearm.pipeline.check import check
    from tonearm.signals import Waveform

    plain = {"tonearm": 1, "input": {"use": "npy-reader", "files": "*.npy", "with": {"sample_rate": 8000}}}
    plain["outputs"] = [{"use": "mp3-writer", "file": "{stem}.mp3"}]
    bound = check(from_plain(plain), None, REGISTRY).outputs[0].encoder
    signal = Waveform(samples=np.zeros((3, 900), "f4"), sample_rate=8000)
    with pytest.raises(ItemError) as caught:
        bound.plugin.check_signal(signal, ".mp3")
    right, still = InsertStep("mix", {"to": "mono"}), InsertStep("gain", {"gain_db": -3.0})
    error = ItemError(caught.value.message, code=caught.value.code, remedies=(still, right))
    try_on_encoder(error, bound, signal, ".mp3")
    assert error.remedies == (right,)
