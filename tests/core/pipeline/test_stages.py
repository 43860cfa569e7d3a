"""Stages: what plugins give is checked, and what they raise becomes the error of an item."""

from collections import Counter

import numpy as np
import pytest
from core_toys import RATE, Fog, Same, ToneOptions, hooks, item, package_of
from msgspec import structs
from toy_stages import SOURCE, failing, made, nan, outcome, reader, regroup, replace_samples, results, stages, step

from tonearm.api import (
    ArrayDecoder,
    ArrayOptions,
    Context,
    Decoder,
    Item,
    ItemError,
    NoOptions,
    Signal,
    Spec,
    Waveform,
)
from tonearm.pipeline.check import bind_decoder
from tonearm.pipeline.document import read_document
from tonearm.pipeline.measuring import measure_items
from tonearm.pipeline.outcome import Outcome
from tonearm.pipeline.signal_checks import gives_finite
from tonearm.pipeline.stages import check_result, decode_items, plugin_as, read_only, regroup_items, transform_items
from tonearm.plugins.discovery import installed_packages
from tonearm.plugins.registry import Registry

NAN = np.full((1, 4), np.nan, np.float32)
SHOWS = "--debug shows where"


def read(*given, **more):
    return results(made(use="it", decoders={"it": reader(*given, **more)}))


NOT_FINITE = "nan: zero, to replace them with 0; check the model's output"


class TestDecoding:
    def test_items_flow(self):
        outcomes = list(made(("same",)).items(SOURCE))
        assert [outcome.item.index for outcome in outcomes] == [0, 1]
        assert [outcome.context.measurements["level"] for outcome in outcomes] == [1, 2]
        assert outcomes[0].context.measurements == {"level": 1, "duration": 0.0125, "dc": 0.1, "peak_db": -20.0}
        assert all(outcome.error is None for outcome in outcomes)

    @pytest.mark.parametrize(
        ("given", "error"),
        [
            (7, ("wrong-type", "it gives items, but it gave int", "")),
            (None, ("wrong-type", "it gives items, but it gave NoneType", "")),
            (item(0.1).signal, ("wrong-type", "it gives items, but it gave Waveform", "")),
            (Item(signal=Fog()), ("wrong-type", "it gives waveform, but it gave fog", "")),
            (Item(signal=[1]), ("wrong-type", "it gives waveform, but it gave list", "")),
            (Item(signal=Waveform(samples=NAN, sample_rate=RATE)),
             ("not-finite", "it: 4 of 4 values of the waveform are NaN or infinite", NOT_FINITE)),
        ],
    )  # fmt: skip
    def test_what_is_not_as_declared_fails_alone(self, given, error):
        assert read(item(0.25), given, item(0.5)) == [0.25, error, 0.5]

    def test_nothing_in_it(self):
        assert read() == [("empty", "it found nothing in it", "")]

    def test_the_errors_item_is_known_where_there_was_one(self):
        found = made(use="it", decoders={"it": reader(Item(signal=Fog(), key="k", index=3))})
        (outcome,) = found.items(SOURCE)
        assert (outcome.item.key, outcome.item.index) == ("k", 3)

    def test_a_consumer_may_leave_early(self):
        stream = made(("same",)).items(SOURCE)
        next(stream)
        stream.close()


class TestTransforms:
    def test_what_it_is_given_is_looked_at(self):
        class Wide(Decoder[Signal, NoOptions]):
            def decode(self, source, context):
                yield Item(signal=Fog())

        found = made(("same",), use="wide", decoders={"wide": Wide})
        assert results(found) == [("wrong-type", "same takes waveform, but it was given fog", "")]


def test_what_a_limit_refuses_is_the_signal_that_the_step_gave(monkeypatch):
    """Whoever keeps a copy of what was refused needs the waveform, not what it was made of."""
    louder = Waveform(samples=np.full((1, 4), 9, np.float32), sample_rate=RATE)

    class Louder(Same):
        def apply(self, signal, context):
            return louder

    for code, expected in (("beyond-full-scale", louder), ("other", None)):

        def refuse(*_, code=code):
            raise ItemError("no", code=code)

        monkeypatch.setattr("tonearm.pipeline.stages.check_kept", refuse)
        for refused in made(("louder",), transforms={"louder": Louder}).items(SOURCE):
            assert refused.error.code == code
            assert (refused.item.signal is louder) is (expected is louder)


class TestRegroup:
    def test_it_joins_the_items_of_a_source(self):
        (outcome,) = made(("same", "join", "same")).items(SOURCE)
        assert outcome.item.signal.samples.shape == (1, 200)
        assert outcome.context.measurements["level"] == 2

    def test_it_splits(self):
        def halves(items):
            for one in items:
                yield Item(signal=one.signal, index=7)
                yield Item(signal=one.signal)

        found = made(("x",), transforms={"x": regroup(halves)})
        assert [outcome.item.index for outcome in found.items(SOURCE)] == [0, 1, 2, 3]

    @pytest.mark.parametrize(
        ("function", "error"),
        [
            (failing(ValueError("no")), ("plugin-failed", "x failed: ValueError: no", SHOWS)),
            (lambda items: [7], ("wrong-type", "x gives items, but it gave int", "")),
            (lambda items: [Item(signal=Fog())], ("wrong-type", "x gives waveform, but it gave fog", "")),
            (lambda items: None, ("plugin-failed", "x failed: TypeError: 'NoneType' object is not iterable", SHOWS)),
            (lambda items: [], ("empty", "x gave nothing", "")),
        ],
    )
    def test_what_goes_wrong(self, function, error):
        assert results(made(("x",), transforms={"x": regroup(function)})) == [error]

    def test_items_are_numbered_key_by_key(self):
        def keyed(items):
            for one in items:
                yield from (Item(signal=one.signal, key=key) for key in ("a", "b", "a"))

        found = made(("x",), transforms={"x": regroup(keyed)})
        names = [(outcome.item.key, outcome.item.index) for outcome in found.items(SOURCE)]
        assert names == [("a", 0), ("b", 0), ("a", 1), ("a", 2), ("b", 1), ("a", 3)]

    def test_an_item_that_failed_before_fails_all(self):
        found = made(("x", "join"), transforms={"x": step(failing(ItemError("no", code="mine")))})
        assert results(found) == [("mine", "x: no", "")]

    class Mixed(Decoder[Waveform, NoOptions]):
        """Give items of several keys, one of which cannot be read, and one with NaN in it."""

        def decode(self, source, context):
            yield item(0.1, key="a")
            yield item(0.2, key="a", index=1)
            yield ItemError("no", code="mine")
            yield item(0.4, key="b", index=3)
            yield Item(signal=Waveform(samples=NAN, sample_rate=8000), key="c", index=4)
            yield item(0.6, key="c", index=5)
            yield item(0.7, key="d", index=6)

    @pytest.mark.parametrize(
        ("together", "wanted"),
        [
            ("source", ["mine"]),
            ("item", [0.1, 0.2, "mine", 0.4, "not-finite", 0.6, 0.7]),
            ("key", [0.3, "mine", 0.4, "not-finite", 0.7]),
        ],
    )
    def test_those_together_fail_together_and_no_others(self, together, wanted):
        def added(items):
            levels = [one.signal.samples for one in items]
            yield Item(signal=Waveform(samples=sum(levels), sample_rate=8000))

        transforms = {"x": regroup(added, together)}
        found = made(("x",), use="it", decoders={"it": self.Mixed}, transforms=transforms)
        seen = [one[0] if isinstance(one, tuple) else pytest.approx(one) for one in results(found)]
        assert wanted == seen

    def test_what_failed_keeps_its_name(self):
        transforms = {"x": regroup(lambda items: items, "item")}
        found = made(("x",), use="it", decoders={"it": self.Mixed}, transforms=transforms)
        failed = [outcome.item for outcome in found.items(SOURCE) if outcome.error]
        assert [one and (one.key, one.index) for one in failed] == [None, ("c", 4)]

    def test_each_item_has_its_own_measurements_where_it_stands_alone(self):
        transforms = {"x": regroup(lambda items: items, "item")}
        found = made(("x",), transforms=transforms)
        assert [outcome.context.measurements["level"] for outcome in found.items(SOURCE)] == [1, 2]

    def test_a_grouping_that_there_is_not(self):
        (error,) = results(made(("x",), transforms={"x": regroup(lambda items: items, "odd")}))
        assert error[0] == "plugin-failed"


class TestSearchForNan:
    """Built-in steps are searched when NaN turns up, those of other packages at once; what was kept is not searched."""

    @pytest.mark.parametrize(
        ("origin", "more", "known"),
        [("builtin", {}, 2), ("acme", {}, 0), ("acme", {"measured": False}, 0), ("acme", {"measured": True}, 2),
         ("builtin", {"measured": True}, 2)],
    )  # fmt: skip
    def test_signals_to_search_later(self, origin, more, known):
        _, first, second, *_ = stages(None, None, origin=origin)
        (found,) = transform_items(second, transform_items(first, iter([outcome()]), **more), **more)
        assert found.unchecked == tuple((bound, found.item.signal) for bound in (first, second))[:known]
        assert not found.may_have_nan
        (kept,) = transform_items(first, iter([outcome(np.nan, may_have_nan=True)]), **more)
        assert (kept.error, kept.may_have_nan, kept.unchecked) == (None, True, ())

    def test_a_step_of_another_package_is_searched_at_once_unless_it_is_measured_next(self):
        _, step, *_ = stages(nan, origin="acme")
        (found,) = transform_items(step, iter([outcome()]))
        assert found.error.message.startswith("a gave NaN: 100 of 100 values")
        (found,) = transform_items(step, iter([outcome()]), measured=True)
        assert found.error is None
        assert np.isnan(found.item.signal.samples).all()

    @pytest.mark.parametrize("origin", ["builtin", "acme"])
    def test_what_a_step_repairs_is_known_to_be_finite(self, origin):
        _, step, *_ = stages(lambda signal: replace_samples(signal, 0.5), origin=origin)
        (found,) = transform_items(step, iter([outcome(np.nan, may_have_nan=True)]))
        assert not found.may_have_nan

    def test_of_a_failed_step_and_nan_before_it_the_nan_is_told(self):
        _, first, second, third, *_ = stages(nan, None, failing(ValueError("no")))
        stream = transform_items(second, transform_items(first, iter([outcome()])))
        (found,) = transform_items(third, stream)
        assert found.error.message.startswith("a gave NaN")
        assert found.unchecked == ()
        (found,) = transform_items(third, iter([outcome()]))
        assert found.error.message == "c failed: ValueError: no"

    @pytest.mark.parametrize("measured", [False, True])
    def test_outcomes_without_an_item_pass_as_they_are(self, measured):
        _, step, *_ = stages(failing(ValueError("no")))
        given = [
            outcome(error=ItemError("x")),
            Outcome(context=Context(), error=ItemError("x")),
            Outcome(context=Context()),
        ]
        for stream in (transform_items(step, iter(given), measured=measured), measure_items(iter(given), step)):
            assert all(one is other for one, other in zip(stream, given, strict=True))

    @pytest.mark.parametrize(
        ("levels", "kept"), [((1, np.nan), 1), ((np.nan, 1), 0), ((np.nan, np.nan), 0), ((1, 1), 1)]
    )
    def test_a_group_may_have_nan_if_one_of_its_items_may(self, levels, kept):
        *_, total, _ = stages()
        given = [outcome(level, may_have_nan=number == kept) for number, level in enumerate(levels)]
        (found,) = regroup_items(total, iter(given), Context(), Counter())
        assert found.error is None
        assert found.may_have_nan == bool(np.isnan(levels).any())

    @pytest.mark.parametrize("level", [0.5, np.nan])
    def test_items_of_steps_that_were_not_searched_are_searched_before_they_are_joined(self, level):
        _, step, *_, alone = stages(lambda signal: replace_samples(signal, level))
        stream = transform_items(step, iter([outcome()]))
        (found,) = regroup_items(alone, stream, Context(), Counter())
        assert (found.error and found.error.message[:10]) == (None if level == 0.5 else "a gave NaN")
        (found,) = regroup_items(
            alone, iter([outcome(level, may_have_nan=True, unchecked=((step, None),))]), Context(), Counter()
        )
        assert (found.error, found.may_have_nan) == (None, level != 0.5)
        (found,) = regroup_items(alone, iter([outcome(level)]), Context(), Counter())
        assert (found.error and found.error.message[:14]) == (None if level == 0.5 else "alone gave NaN")
        (found,) = regroup_items(alone, iter([outcome(level)]), Context(), Counter(), measured=True)
        assert found.error is None

    def test_the_result_is_searched_unless_nan_was_kept(self):
        _, first, second, *_ = stages(None, None)
        bad = nan(item(0).signal)
        check_result(Outcome(context=Context()), first)
        check_result(outcome(), first)
        check_result(outcome(np.nan, may_have_nan=True), first)
        for unchecked, culprit in ((((first, bad), (second, bad)), "a"), (((first, item(0).signal),), "b"), ((), "b")):
            with pytest.raises(ItemError, match=f"^{culprit} gave NaN"):
                check_result(outcome(np.nan, unchecked=unchecked), second)
            (found,) = measure_items(iter([outcome(np.nan, unchecked=unchecked)]), second)
            assert found.error.message.startswith(f"{culprit} gave NaN")


class TestExtents:
    def test_the_extent_of_a_decoded_signal_is_kept_for_the_measurement(self):
        decoder, *_ = stages()
        assert [one.extent.high for one in decode_items(decoder, SOURCE, Context())] == [
            np.float32(0.1),
            np.float32(0.2),
        ]
        assert [one.extent for one in decode_items(decoder, SOURCE, Context(), measured=False)] == [None, None]

    @pytest.mark.parametrize("measured", [False, True])
    def test_decoded_signals_are_searched_in_any_case(self, measured):
        bad, good = (Item(signal=function(item(0.5).signal)) for function in (nan, lambda signal: signal))
        decoder, *_ = stages(decoder=reader(good, bad, good, options=ToneOptions))
        found = [one.error and one.error.code for one in decode_items(decoder, SOURCE, Context(), measured=measured)]
        assert found == [None, "not-finite", None]
        keeping = structs.replace(decoder, plugin=type(decoder.plugin)(ToneOptions(nan="keep")))
        kept = list(decode_items(keeping, SOURCE, Context(), measured=measured))
        assert [(one.error, one.may_have_nan, one.extent) for one in kept] == [
            (None, flag, None) for flag in (False, True, False)
        ]


def test_arrays_are_read_only_within_a_block_and_then_as_they_were():
    fixed, free = np.zeros(3), np.zeros(3)
    fixed.flags.writeable = False
    with read_only(iter((fixed, free))):
        assert (fixed.flags.writeable, free.flags.writeable) == (False, False)
    assert (fixed.flags.writeable, free.flags.writeable) == (False, True)


def test_an_outcome_never_changes_and_its_fields_are_named():
    with pytest.raises(AttributeError, match="immutable"):
        outcome().error = None
    with pytest.raises(TypeError, match="positional"):
        Outcome(Context())
    assert (outcome().may_have_nan, outcome().unchecked, outcome().counts) == (False, (), {})


def test_plugins_have_the_role_that_is_asked_for():
    decoder, step, *_ = stages(None)
    assert plugin_as(decoder, Decoder) is decoder.plugin
    with pytest.raises(TypeError, match=r"^a is not a Decoder$"):
        plugin_as(step, Decoder)


def test_whose_waveforms_are_known_to_be_finite(installed):
    """The host has searched an array that it read itself, so it need not search the waveform made of it."""

    class Copied(ArrayDecoder[ArrayOptions]):
        def arrays(self, source, context): ...

    def trusted(use, kind="waveform", registry=installed):
        text = f"input: {{use: {use}, with: {{kind: {kind}, sample_rate: 8000}}}}"
        return gives_finite(bind_decoder(read_document(text, "p.yaml"), "p.yaml", registry))

    assert [trusted(name) for name in ("npy-reader", "npz-reader")] == [True, True]
    assert not gives_finite(stages()[0])
    other = Registry([*installed_packages(), package_of("toys", hooks(decoders={"copied": Copied}))])
    assert not trusted("copied", registry=other)


def test_a_step_that_declares_what_it_gives_may_change_it():
    def slower(signal):
        return Waveform(samples=signal.samples, sample_rate=100)

    declaring = step(slower)
    declaring.produces = lambda self, spec: Spec(signals=(Waveform,))
    assert [code for code, *_ in results(made(("x",), transforms={"x": step(slower)}))] == ["wrong-signal"] * 2
    assert results(made(("x",), transforms={"x": declaring})) == [pytest.approx(0.1), pytest.approx(0.2)]
