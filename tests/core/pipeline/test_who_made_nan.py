"""NaN: the first of several steps that gave it is blamed, wherever it turns up."""

import numpy as np
import pytest
from core_toys import RATE, Join, RawWriter, ToneReader, checked, hooks, package_of, pipeline
from toy_stages import SOURCE, results, step

from tonearm.api import Item, ItemError, Waveform
from tonearm.pipeline.converter import Converter
from tonearm.plugins.registry import Registry

NAN = np.full((1, 4), np.nan, np.float32)


class Keeps(ToneReader):
    """Give NaN, as a model did."""

    def decode(self, source, context):
        yield Item(signal=Waveform(samples=NAN, sample_rate=RATE))


def blamed(*steps, origin, decoder=ToneReader, policy="error"):
    """Return the errors of a pipeline of steps of one package, named a, b and so on."""
    offered = {name: step(function) for name, function in zip("abc", steps, strict=False)}
    toys = hooks(decoders={"it": decoder}, transforms={**offered, "join": Join}, encoders={"raw-writer": RawWriter})
    registry = Registry([package_of(origin, toys)])
    text = pipeline(reader=f"it, with: {{nan: {policy}}}", steps=tuple(offered))
    return [one if isinstance(one, float) else one[:2] for one in results(Converter(checked(text, registry)))]


def nan(signal):
    return Waveform(samples=signal.samples * np.nan, sample_rate=RATE)


def picky(signal):
    if np.isnan(signal.samples).any():
        raise ValueError("array must not contain infs or NaNs")
    return signal


def plain(signal):
    return signal


FUNCTIONS = {"nan": nan, "picky": picky, "plain": plain}
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
def test_of_one_package(origin, steps, culprit):
    found = blamed(*(FUNCTIONS[name] for name in steps), origin=origin)
    wanted = (GAVE[0], GAVE[1].format(culprit)) if culprit else None
    assert found == ([wanted] * 2 if culprit else [pytest.approx(0.1), pytest.approx(0.2)])


def test_the_place_is_that_of_the_culprit():
    transforms = {"a": step(nan), "b": step(picky)}
    toys = hooks(decoders={"it": ToneReader}, transforms=transforms, encoders={"raw-writer": RawWriter})
    registry = Registry([package_of("builtin", toys)])
    found = Converter(checked(pipeline(reader="it", steps=("a", "b")), registry))
    assert {outcome.error.place.stage for outcome in found.items(SOURCE)} == {"steps.0"}


@pytest.mark.parametrize("origin", ["builtin", "acme"])
def test_what_the_decoder_was_asked_to_keep_is_nobodys_fault(origin):
    found = blamed(plain, plain, origin=origin, decoder=Keeps, policy="keep")
    assert found == [("not-finite", "4 of 4 values of the waveform are NaN or infinite")]
    ((code, message),) = blamed(plain, picky, origin=origin, decoder=Keeps, policy="keep")
    assert (code, message) == ("plugin-failed", "b failed: ValueError: array must not contain infs or NaNs")


@pytest.mark.parametrize("origin", ["builtin", "acme"])
def test_after_a_step_has_repaired_what_the_decoder_kept(origin):
    def repair(signal):
        return Waveform(samples=np.nan_to_num(signal.samples, nan=0.5), sample_rate=RATE)

    found = blamed(repair, nan, plain, origin=origin, decoder=Keeps, policy="keep")
    assert found == [("not-finite", "b gave NaN: 4 of 4 values, first at channel 0, sample 0")]


@pytest.mark.parametrize("origin", ["builtin", "acme"])
@pytest.mark.parametrize(("names", "culprit"), [(("nan",), "a"), (("nan", "plain"), "a"), (("plain", "nan"), "b")])
def test_where_signals_are_converted_without_being_written(origin, names, culprit):
    offered = {name: step(FUNCTIONS[function]) for name, function in zip("ab", names, strict=False)}
    toys = hooks(decoders={"it": ToneReader}, transforms=offered, encoders={"raw-writer": RawWriter})
    found = Converter(checked(pipeline(reader="it", steps=tuple(offered)), Registry([package_of(origin, toys)])))
    with pytest.raises(ItemError) as caught:
        list(found.convert(SOURCE))
    assert (caught.value.code, caught.value.message) == (GAVE[0], GAVE[1].format(culprit))


@pytest.mark.parametrize("origin", ["builtin", "acme"])
def test_before_items_are_joined(origin):
    toys = hooks(
        decoders={"it": ToneReader},
        transforms={"a": step(nan), "join": Join},
        encoders={"raw-writer": RawWriter},
    )
    registry = Registry([package_of(origin, toys)])
    found = Converter(checked(pipeline(reader="it", steps=("a", "join")), registry))
    assert [one[:2] for one in results(found)] == [(GAVE[0], GAVE[1].format("a"))]
