"""Which stage made NaN: the first of several steps that gave it is blamed, wherever it turns up."""

import numpy as np
import pytest
from core_toys import RATE, Join, RawWriter, ToneReader, checked, hooks, package_of, pipeline
from stage_toys import SOURCE, results, step

from tonearm.api import Item, ItemError, Waveform
from tonearm.pipeline.converter import Converter
from tonearm.plugins.registry import Registry

NAN = np.full((1, 4), np.nan, np.float32)


class KeepsNan(ToneReader):
    def decode(self, source, context):
        yield Item(signal=Waveform(samples=NAN, sample_rate=RATE))


class TestWhoMadeNan:
    """The first of several steps that gave NaN is blamed, wherever it turns up."""

    @staticmethod
    def made(*steps, origin, then=(), decoder=ToneReader, nan="error"):
        """Return a pipeline of steps of one package, named a, b and so on, and then others."""
        offered = {name: step(function) for name, function in zip("abc", steps, strict=False)}
        toys = hooks(decoders={"it": decoder}, transforms={**offered, "join": Join}, encoders={"raw-writer": RawWriter})
        text = pipeline(reader=f"it, with: {{nan: {nan}}}", steps=(*offered, *then))
        return Converter(checked(text, Registry([package_of(origin, toys)])))

    def blamed(self, *steps, **given):
        """Return the levels or the errors of such a pipeline."""
        return [one if isinstance(one, float) else one[:2] for one in results(self.made(*steps, **given))]

    @staticmethod
    def nan(signal):
        return Waveform(samples=signal.samples * np.nan, sample_rate=RATE)

    @staticmethod
    def picky(signal):
        if np.isnan(signal.samples).any():
            raise ValueError("array must not contain infs or NaNs")
        return signal

    @staticmethod
    def plain(signal):
        return signal

    GAVE = ("not-finite", "{} gave NaN: 100 of 100 values, first at channel 0, sample 0")

    @pytest.mark.parametrize("origin", ["builtin", "acme"])
    @pytest.mark.parametrize(
        ("steps", "culprit"),
        [
            (("nan",), "a"),
            (("nan", "plain"), "a"),
            (("plain", "nan"), "b"),
            (("plain", "nan", "plain"), "b"),
            (("nan", "picky"), "a"),
            (("plain", "nan", "picky"), "b"),
            (("plain", "plain", "plain"), None),
        ],
    )
    def test_of_one_package(self, origin, steps, culprit):
        found = self.blamed(*(getattr(self, name) for name in steps), origin=origin)
        wanted = (self.GAVE[0], self.GAVE[1].format(culprit)) if culprit else None
        assert found == ([wanted] * 2 if culprit else [pytest.approx(0.1), pytest.approx(0.2)])

    def test_the_place_is_that_of_the_culprit(self):
        found = self.made(self.nan, self.picky, origin="builtin")
        assert {outcome.error.place.stage for outcome in found.items(SOURCE)} == {"steps.0"}

    @pytest.mark.parametrize("origin", ["builtin", "acme"])
    def test_what_the_decoder_was_asked_to_keep_is_nobodys_fault(self, origin):
        found = self.blamed(self.plain, self.plain, origin=origin, decoder=KeepsNan, nan="keep")
        assert found == [("not-finite", "4 of 4 values of the waveform are NaN or infinite")]
        ((code, message),) = self.blamed(self.plain, self.picky, origin=origin, decoder=KeepsNan, nan="keep")
        assert (code, message) == ("plugin-failed", "b failed: ValueError: array must not contain infs or NaNs")

    @pytest.mark.parametrize("origin", ["builtin", "acme"])
    def test_after_a_step_has_repaired_what_the_decoder_kept(self, origin):
        def repair(signal):
            return Waveform(samples=np.nan_to_num(signal.samples, nan=0.5), sample_rate=RATE)

        found = self.blamed(repair, self.nan, self.plain, origin=origin, decoder=KeepsNan, nan="keep")
        assert found == [("not-finite", "b gave NaN: 4 of 4 values, first at channel 0, sample 0")]

    @pytest.mark.parametrize("origin", ["builtin", "acme"])
    @pytest.mark.parametrize(("names", "culprit"), [(("nan",), "a"), (("nan", "plain"), "a"), (("plain", "nan"), "b")])
    def test_where_signals_are_converted_without_being_written(self, origin, names, culprit):
        found = self.made(*(getattr(self, name) for name in names), origin=origin)
        with pytest.raises(ItemError) as caught:
            list(found.convert(SOURCE))
        assert (caught.value.code, caught.value.message) == (self.GAVE[0], self.GAVE[1].format(culprit))

    @pytest.mark.parametrize("origin", ["builtin", "acme"])
    def test_before_items_are_joined(self, origin):
        found = self.blamed(self.nan, origin=origin, then=("join",))
        assert found == [(self.GAVE[0], self.GAVE[1].format("a"))]
