"""Options of a plugin after a remedy: set, left out, and of another kind."""

import pytest

from tonearm.errors import OptionError, PipelineError, RemoveOption, SetOption
from tonearm.pipeline.changed_options import changed_options
from tonearm.pipeline.check import bind_decoder
from tonearm.pipeline.document import from_plain
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

    def test_several_options_at_once(self):
        given = options(kind="db", sample_rate=8000, n_fft=64, hop_length=16)
        remedy = SetOption("kind", "magnitude", also={"recipe": {"log": "ln"}, "nan": "zero"})
        changed = changed_options(given, remedy, REGISTRY)
        assert (changed.kind.name, changed.kind.options.recipe.log, changed.nan) == ("magnitude", "ln", "zero")

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
