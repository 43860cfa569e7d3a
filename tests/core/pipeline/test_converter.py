"""Sources are converted, shared by the outputs, and encoded; each output gets what its own steps make of an item."""

import io
import pickle
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from branch_toys import branched, document, levels
from core_toys import RATE, Fog, RawWriter, Same, ToneReader, checked, item, pipeline, registry_of
from toy_stages import SOURCE, failing, made, reader, regroup, step

from tonearm.api import (
    Context,
    Decoder,
    Encoder,
    Item,
    ItemError,
    NoOptions,
    OptionError,
    OutputError,
    Regroup,
    Sink,
    Source,
    Transform,
    Waveform,
)
from tonearm.errors import TonearmError, UsageError
from tonearm.errors.warning import TonearmWarning
from tonearm.pipeline.check import check
from tonearm.pipeline.converter import Converter, as_source
from tonearm.pipeline.document import from_plain
from tonearm.pipeline.outcome import Outcome
from tonearm.pipeline.provenance import fingerprints_of
from tonearm.usable_cores import usable_cores


class TestEncoding:
    @staticmethod
    def encode(function, tmp_path, signal=None):
        class Writer(Encoder[Waveform, NoOptions]):
            def encode(self, item, sink, context):
                function(sink)

        text = "tonearm: 1\ninput: {use: tone-reader}\noutputs: [{use: x, file: a}]"
        found = Converter(checked(text, registry_of(encoders={"x": Writer})))
        one = item(0.1) if signal is None else Item(signal=signal)
        found.encode(found.outputs[0], Outcome(context=Context(), item=one), Sink(tmp_path / "a"))

    @pytest.mark.parametrize(
        ("error", "kind", "code", "message"),
        [
            (ValueError("no"), ItemError, "plugin-failed", "x failed: ValueError: no"),
            (ItemError("no", code="mine"), ItemError, "mine", "x: no"),
            (OSError(28, "No space left on device"), OutputError, "output", "cannot write: No space left on device"),
            (OutputError("no"), OutputError, "output", "no"),
            (OptionError("no"), ItemError, "bad-option", "x: no"),
        ],
    )
    def test_what_it_raises(self, error, kind, code, message, tmp_path):
        with pytest.raises(TonearmError) as caught:
            self.encode(failing(error), tmp_path)
        assert (type(caught.value), caught.value.code, caught.value.message) == (kind, code, message)

    def test_what_it_is_given_is_looked_at_before(self, tmp_path):
        written = []
        with pytest.raises(ItemError, match="x takes waveform, but it was given fog"):
            self.encode(written.append, tmp_path, Fog())
        assert written == []


class TestPreflight:
    def test_it_runs_once_for_every_plugin_and_names_the_one_that_fails(self):
        seen = []

        class Ready(Same):
            def preflight(self):
                seen.append(self)

        class Unready(Same):
            def preflight(self):
                raise ImportError("no libx")

        made(("x", "x"), transforms={"x": Ready}).preflight()
        assert len(seen) == 2
        with pytest.raises(TonearmError, match="y failed: ImportError: no libx"):
            made(("x", "y"), transforms={"x": Ready, "y": Unready}).preflight()

    def test_a_plugin_in_the_options_of_another_prepares_first_and_is_named_with_it(self):
        @dataclass(frozen=True)
        class Options:
            step: Transform[Waveform, Waveform, Any] | None = None

        class Owner(Transform[Waveform, Waveform, Options]):
            def apply(self, signal, context): ...

            def preflight(self):
                raise ItemError("its turn", code="mine")

        class Inner(Same):
            def preflight(self):
                raise ImportError("no libx")

        registry = registry_of(transforms={"owner": Owner, "inner": Inner})
        for inner, message in (("inner", "^owner: inner failed: ImportError"), ("same", "^owner with same: its turn$")):
            text = pipeline(steps=(f"owner, with: {{step: {inner}}}",))
            with pytest.raises(ItemError, match=message):
                Converter(checked(text, registry)).preflight()


class Echo(Decoder[Waveform, NoOptions]):
    """Read 32-bit floats from whatever source there is."""

    def decode(self, source, context):
        if source.array is not None:
            yield Item(signal=Waveform(samples=source.array, sample_rate=RATE))
            return
        with source.open() as file:
            samples = np.frombuffer(file.read(), "<f4")[None]
        yield Item(signal=Waveform(samples=samples, sample_rate=RATE))


class TestSources:
    samples = np.array([[0.25, -0.5, 0.75]], np.float32)

    def convert(self, given):
        (signal,) = made(("same",), use="echo", decoders={"echo": Echo}).convert(given)
        return signal.samples

    def test_an_array_a_path_and_an_open_file_give_the_same(self, tmp_path):
        path = tmp_path / "a.f32"
        path.write_bytes(self.samples.tobytes())
        with path.open("rb") as file:
            sources = [
                self.samples,
                path,
                str(path),
                file,
                io.BytesIO(self.samples.tobytes()),
                Source(name="s", path=path),
            ]
            for given in sources:
                assert np.array_equal(self.convert(given), self.samples)
                assert not getattr(given, "closed", False)

    def test_what_has_an_array(self):
        class Tensor:
            def __array__(self, dtype=None, copy=None):
                return TestSources.samples

        assert np.array_equal(self.convert(Tensor()), self.samples)

    def test_their_names(self, tmp_path):
        path = tmp_path / "a.f32"
        path.touch()
        source = as_source("x/y.npy")
        assert as_source(source) is source
        assert (source.name, source.path) == ("x/y.npy", Path("x/y.npy"))
        assert as_source(np.zeros(3)).name == "<array>"
        assert as_source(io.BytesIO()).name == "<file>"
        with path.open("rb") as file:
            assert as_source(file).name == str(path)

    def test_everything_in_memory(self):
        assert as_source([0.1, 0.2]).array.tolist() == [0.1, 0.2]
        given = as_source({"mel": [0.5], "meta": {"sr": 8000}})
        assert (given.name, list(given.arrays), given.array) == ("<arrays>", ["mel", "meta/sr"], None)
        waveform = Waveform(samples=self.samples, sample_rate=8000)
        assert (as_source(waveform).name, as_source(waveform).signal) == ("<waveform>", waveform)

    @pytest.mark.parametrize("pair", [(8000, samples), (samples, 8000), (np.int64(8000), samples.tolist())])
    def test_a_pair_of_sound_and_rate(self, pair):
        arrays = as_source(pair).arrays
        assert {name: np.asarray(arrays[name]).tolist() for name in arrays} == {
            "audio": self.samples.tolist(),
            "sample_rate": 8000,
        }

    def test_an_array_that_also_reads_is_an_array(self):
        class Frame:
            read = "a column of this name"

            def __array__(self, dtype=None, copy=None):
                return TestSources.samples

        assert as_source(Frame()).array is self.samples

    @pytest.mark.parametrize("given", [None, 3, {0.1}])
    def test_anything_else_is_refused(self, given):
        kind = "None" if given is None else type(given).__name__
        with pytest.raises(UsageError, match=f"{kind} is not an array, a tensor or a list of numbers"):
            as_source(given)

    def test_convert_raises_at_the_first_item_that_fails(self):
        found = made(use="it", decoders={"it": reader(item(0.5), 7)}).convert(SOURCE.name)
        assert next(found).samples[0, 0] == 0.5
        with pytest.raises(ItemError, match="it gives items, but it gave int"):
            next(found)

    def test_a_path_that_is_not_there(self):
        with pytest.raises(ItemError) as caught:
            self.convert("/no/such.f32")
        assert str(caught.value) == "cannot read /no/such.f32: no such file or directory"


class TestBranch:
    def test_each_output_gets_what_its_own_steps_make_of_the_shared_signal(self):
        found = branched(None, ["gain", "gain"], [{"use": "gain", "with": {"by": 3}}], steps=["gain"])
        outcomes = list(found.items(SOURCE))
        assert [round(float(one.item.signal.samples[0, 0]), 3) for one in outcomes] == [0.2, 0.4]
        assert levels(found, 0, outcomes) == [(0.2, "", 0), (0.4, "", 1)]
        assert levels(found, 1, outcomes) == [(0.8, "", 0), (1.6, "", 1)]
        assert levels(found, 2, outcomes) == [(0.6, "", 0), (1.2, "", 1)]

    def test_contexts_of_branches_are_apart(self):
        found = branched(None, ["gain"], [{"use": "gain", "with": {"by": 3}}])
        outcome = next(iter(found.items(SOURCE)))
        first, second, third = (next(found.branch(output, outcome)).context for output in found.outputs)
        assert [context.warnings for context in (first, second, third)] == [[], ["louder by 2"], ["louder by 3"]]
        assert [context.measurements.get("gain") for context in (first, second, third)] == [None, 2.0, 3.0]
        assert {context.measurements["level"] for context in (first, second, third)} == {1}
        peaks = [context.measurements["peak_db"] for context in (first, second, third)]
        assert peaks == [-20.0, -13.98, -10.46]
        first.measure(more=1)
        assert "more" not in outcome.context.measurements

    def test_the_shared_signal_is_measured_only_for_outputs_without_steps(self):
        assert "peak_db" not in next(iter(branched(["gain"], ["gain"]).items(SOURCE))).context.measurements
        assert "peak_db" in next(iter(branched(["gain"], None).items(SOURCE))).context.measurements

    def test_an_error_in_a_branch_is_that_of_its_output(self):
        found = branched(None, ["fails", "gain"])
        outcomes = list(found.items(SOURCE))
        assert levels(found, 0, outcomes) == [(0.1, "", 0), (0.2, "", 1)]
        assert levels(found, 1, outcomes) == [(0.2, "", 0), "mine"]
        (failed,) = found.branch(found.outputs[1], outcomes[1])
        assert (failed.item.index, failed.error.place.stage) == (1, "outputs.1.steps.0")
        assert failed.context.measurements == {"level": 2}  # those of the shared signal are not this output's

    def test_an_error_before_the_branches_is_that_of_each(self):
        found = branched(None, ["gain"], steps=["fails"])
        outcomes = list(found.items(SOURCE))
        assert levels(found, 0, outcomes) == [(0.1, "", 0), "mine"]
        assert levels(found, 1, outcomes) == [(0.2, "", 0), "mine"]

    def test_values_that_a_branch_made_not_finite_are_refused_under_the_name_of_its_last_step(self):
        found = branched(None, ["gain", "not-finite"])
        (failed, *_) = found.branch(found.outputs[1], next(iter(found.items(SOURCE))))
        assert (failed.error.code, failed.error.place.stage) == ("not-finite", "outputs.1.steps.1")

    def test_a_step_that_would_change_the_shared_signal_fails(self):
        found = branched(["in-place"], None)
        outcomes = list(found.items(SOURCE))
        assert levels(found, 0, outcomes) == ["plugin-failed"] * 2
        assert levels(found, 1, outcomes) == [(0.1, "", 0), (0.2, "", 1)]
        assert all(outcome.item.signal.samples.flags.writeable for outcome in outcomes)

    def test_the_only_output_may_have_steps(self):
        found = branched(["gain"], steps=["gain"])
        assert levels(found, 0, found.items(SOURCE)) == [(0.4, "", 0), (0.8, "", 1)]

    def test_what_a_worker_gets_is_the_same(self):
        found = branched(None, ["gain", "halves"], steps=["gain"])
        again = pickle.loads(pickle.dumps(found))
        for number in range(2):
            assert levels(again, number, again.items(SOURCE)) == levels(found, number, found.items(SOURCE))
        assert again.checked.outputs[1].steps[0].place == found.checked.outputs[1].steps[0].place


class TestOwnRegroup:
    def test_pieces_are_numbered_over_the_whole_source_as_those_of_shared_steps_are(self):
        shared = branched(None, steps=["halves"])
        own = branched(None, ["halves"])
        pieces = [(0.1, "k", 0), (0.1, "k", 1), (0.2, "k", 2), (0.2, "k", 3)]
        assert levels(shared, 0, shared.items(SOURCE)) == pieces
        outcomes = list(own.items(SOURCE))
        assert levels(own, 1, outcomes) == pieces
        assert levels(own, 0, outcomes) == [(0.1, "", 0), (0.2, "", 1)]
        assert levels(own, 1, own.items(SOURCE)) == pieces  # another source begins at 0

    def test_pieces_of_each_output_are_counted_apart(self):
        found = branched(["halves"], ["halves", "halves"])
        outcomes = list(found.items(SOURCE))
        assert [index for _, _, index in levels(found, 0, outcomes)] == [0, 1, 2, 3]
        assert [index for _, _, index in levels(found, 1, outcomes)] == list(range(8))

    def test_nothing_is_left_out_before_pieces_are_counted(self):
        done = {("", 0)}
        plain, split = branched(None, ["gain"]), branched(None, ["halves"])
        assert [outcome.item.index for outcome in plain.items(SOURCE, skip=done)] == [1]
        assert [outcome.item.index for outcome in split.items(SOURCE, skip=done)] == [0, 1]


def nan(signal):
    return Waveform(samples=signal.samples * np.float32("nan"), sample_rate=RATE)


def zero(signal):
    return Waveform(samples=np.nan_to_num(signal.samples * 0), sample_rate=RATE)


class TestWhoMadeNan:
    """Only the last step is searched for NaN by the measurement; all others are searched by name."""

    registry = registry_of(transforms={"nan": step(nan), "zero": step(zero), "nans": regroup(
        lambda items: (Item(signal=nan(one.signal)) for one in items), "item")})  # fmt: skip

    @pytest.mark.parametrize(
        ("steps", "stage"),
        [(["nan"], 0), (["nan", "zero"], 0), (["same", "nan", "zero"], 1), (["nan", "zero", "same"], 0),
         (["same", "nan"], 1), (["nans"], 0), (["nans", "zero"], 0), (["same", "nans", "zero"], 1), (["zero"], None)],
    )  # fmt: skip
    def test_it_is_the_first_step_that_gave_it(self, steps, stage):
        for found, path in (
            (branched(None, steps=steps, registry=self.registry), "steps"),
            (branched(["same"], steps=steps, registry=self.registry), "steps"),
            (branched(steps, registry=self.registry), "outputs.0.steps"),
        ):
            outcomes = [one for first in found.items(SOURCE) for one in found.branch(found.outputs[0], first)]
            stages = [one.error and (one.error.code, one.error.place.stage) for one in outcomes]
            assert set(stages) == {None if stage is None else ("not-finite", f"{path}.{stage}")}

    def test_what_the_decoder_kept_is_refused_after_the_last_step(self):
        class Keeps(ToneReader):
            def decode(self, source, context):
                yield Item(signal=nan(item(0.1).signal))

        registry = registry_of(decoders={"tone-reader": Keeps})
        for shared, own, stage in ((2, None, "steps.1"), (0, None, "input"), (0, 2, "outputs.0.steps.1")):
            plain = document(own and ["same"] * own, steps=["same"] * shared)
            plain["input"]["with"] = {"nan": "keep"}
            found = Converter(check(from_plain(plain), None, registry))
            (outcome,) = found.branch(found.outputs[0], next(found.items(SOURCE)))
            assert (outcome.error.place.stage, outcome.error.code) == (stage, "not-finite")


class TestContexts:
    def test_the_last_output_takes_over_the_shared_context_and_no_other(self):
        for outputs in ((None,), (None, None, None), (None, ["same"])):
            found = branched(*outputs)
            outcome = next(found.items(SOURCE))
            contexts = [next(found.branch(output, outcome)).context for output in found.outputs]
            assert [context is outcome.context for context in contexts] == [False] * (len(outputs) - 1) + [True]

    def test_as_many_threads_as_the_process_may_have_unless_a_number_is_given(self, monkeypatch):
        monkeypatch.setenv("OMP_NUM_THREADS", "1")
        threads = []

        class Looks(Same):
            def apply(self, signal, context):
                threads.append(context.threads)
                return signal

        found = made(("x",), transforms={"x": Looks})
        list(found.convert(SOURCE))
        list(found.items(SOURCE))
        list(found.items(SOURCE, threads=3))
        assert threads == [1, 1, 1, 1, 3, 3]
        monkeypatch.delenv("OMP_NUM_THREADS")
        del threads[:]
        list(found.convert(SOURCE))
        list(found.items(SOURCE))
        assert threads == [usable_cores()] * 4

    def test_the_extent_is_kept_for_the_measurement_alone(self):
        assert next(branched(None).items(SOURCE)).extent.peak == np.float32(0.1)
        assert next(branched(["same"]).items(SOURCE)).extent is None
        assert next(branched(None, steps=["same"]).items(SOURCE)).extent is None


class TestSkip:
    @pytest.mark.parametrize(
        ("steps", "skip", "wanted"),
        [
            ([], {("", 0)}, [("", 1)]), ([], {("k", 0)}, [("", 0), ("", 1)]), ([], (), [("", 0), ("", 1)]),
            (["fails"], {("", 0)}, ["mine"]), (["fails"], {("", 1)}, [("", 0)]),
            (["halves"], {("k", 0), ("k", 3)}, [("k", 1), ("k", 2)]),
            (["halves"], {("", 0), ("k", 1)}, [("k", 0), ("k", 2), ("k", 3)]),
            (["halves", "fails"], {("k", 0), ("k", 2)}, [("k", 1), "mine", "mine"]),
        ],
    )  # fmt: skip
    def test_items_that_are_left_out(self, steps, skip, wanted):
        outcomes = branched(None, steps=steps).items(SOURCE, skip=skip)
        assert [one.error.code if one.error else (one.item.key, one.item.index) for one in outcomes] == wanted

    def test_what_failed_without_an_item_is_not_left_out(self):
        found = made(use="it", decoders={"it": reader(ItemError("no", code="mine"), item(0.5))})
        assert [one.error.code for one in found.items(SOURCE, skip={("", 0)})] == ["mine"]

    def test_what_is_left_out_is_not_even_transformed(self):
        seen = []
        found = made(("x",), transforms={"x": step(lambda signal: seen.append(signal) or signal)})
        assert len(list(found.items(SOURCE, skip={("", 0)}))) == len(seen) == 1


def test_the_only_output_may_change_the_signal_in_place():
    found = branched(["in-place"])
    assert levels(found, 0, found.items(SOURCE)) == [(0, "", 0), (0, "", 1)]


@pytest.mark.parametrize("count", [1, 2, 3])
def test_an_encoder_may_change_the_signal_only_if_no_other_output_gets_it(count, tmp_path):
    class Louder(RawWriter):
        def encode(self, item, sink, context):
            item.signal.samples[:] *= 2

    registry = registry_of(encoders={"raw-writer": Louder})
    found = branched(*[None] * count, registry=registry)
    outcome = next(found.items(SOURCE))
    for output in found.outputs[:-1]:
        with pytest.raises(ItemError, match="read-only"):
            found.encode(output, outcome, Sink(tmp_path / "a"))
    found.encode(found.outputs[-1], outcome, Sink(tmp_path / "a"))
    assert outcome.item.signal.samples[0, 0] == np.float32(0.2)


def test_provenance_is_that_of_the_output(tmp_path):
    path = tmp_path / "a.tone"
    path.write_bytes(b"content")
    found = branched(None, ["gain"], steps=["same"])
    outcome = next(iter(found.items(Source(name="a.tone", path=path))))
    first, second = (next(found.branch(output, outcome)).context.provenance() for output in found.outputs)
    assert [stage["use"] for stage in first.stages] == ["tone-reader", "same", "raw-writer"]
    assert [stage["use"] for stage in second.stages] == ["tone-reader", "same", "gain", "raw-writer"]
    assert first.sha256 == second.sha256 != ""
    assert first.pipeline != second.pipeline
    assert (first.pipeline, second.pipeline) == fingerprints_of(found.checked)
    made_once = next(found.branch(found.outputs[1], outcome)).context.provenance
    assert made_once() is made_once()


class TestWarnings:
    @staticmethod
    def converted(apply, steps=("noisy",)):
        class Noisy(Same):
            def apply(self, signal, context):
                return apply(signal, context)

        found = Converter(checked(pipeline(steps=steps), registry_of(transforms={"noisy": Noisy})))
        given, error = [], None
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                given = list(found.convert(SOURCE))
            except ItemError as raised:
                error = raised
        assert {(one.category, one.filename) for one in caught} == {(TonearmWarning, __file__)}
        return given, error, [str(one.message) for one in caught]

    def test_each_names_the_source_and_the_item(self):
        def apply(signal, context):
            context.warn("it is loud")
            context.warn("it is loud")
            return signal

        given, error, found = self.converted(apply)
        assert (len(given), error, found) == (2, None, ["x.tone: it is loud", "x.tone [1]: it is loud"])

    def test_they_come_before_the_error(self):
        def apply(signal, context):
            context.warn("it is loud")
            raise ItemError("too loud")

        given, error, found = self.converted(apply)
        assert (given, error.message, found) == ([], "noisy: too loud", ["x.tone: it is loud"])

    def test_items_that_are_joined_give_each_once(self):
        def apply(signal, context):
            context.warn("it is loud")
            return signal

        given, error, found = self.converted(apply, steps=("noisy", "join"))
        assert (len(given), error, found) == (1, None, ["x.tone: it is loud"])


class TestProgress:
    """Each report names the stage whose plugin made it, wherever the work of others is waited for."""

    def test_stages_that_pull_items_and_make_them(self, monkeypatch, tmp_path):
        monkeypatch.setattr("tonearm.plugins.progress.PROGRESS_INTERVAL", 0.0)

        class Reader(Decoder[Waveform, NoOptions]):
            def decode(self, source, context):
                for number in range(2):
                    context.progress(number, 2)
                    yield item(0.1, index=number)
                    context.progress(number + 1, 2)

        class Louder(Same):
            def apply(self, signal, context):
                context.progress(1, 1)
                return signal

        class Joined(Regroup[Waveform, Waveform, NoOptions]):
            def regroup(self, items, context):
                context.progress(0, 3)
                first = next(items)
                context.progress(1, 3)
                list(items)
                context.progress(3, 3)
                yield first

        class Writer(Encoder[Waveform, NoOptions]):
            def encode(self, item, sink, context):
                context.progress(1, 1)

        text = "tonearm: 1\ninput: {use: r}\nsteps: [{use: same}, {use: j}, {use: same}]\noutputs: [{use: w, file: a}]"
        offered = {"transforms": {"same": Louder, "j": Joined}, "decoders": {"r": Reader}, "encoders": {"w": Writer}}
        found = Converter(checked(text, registry_of(**offered)))
        told = []
        for outcome in found.items(Source(name="x.r"), on_progress=told.append):
            found.encode(found.outputs[0], outcome, Sink(tmp_path / "a"))
        assert {(report.source, report.stages) for report in told} == {("x.r", 5)}
        assert [(report.index, report.stage, report.done) for report in told] == [
            (3, "j", 0.0),
            (1, "r", 0.0),
            (2, "same", 1.0),
            (3, "j", 1.0),
            (1, "r", 1.0),
            (1, "r", 1.0),
            (2, "same", 1.0),
            (1, "r", 2.0),
            (3, "j", 3.0),
            (4, "same", 1.0),
            (5, "w", 1.0),
        ]

    def test_convert_tells_a_function_and_stops_at_what_that_raises(self):
        class Louder(Same):
            def apply(self, signal, context):
                context.progress(1, 2)
                return signal

        found = made(("x",), transforms={"x": Louder})
        told = []
        assert len(list(found.convert("a.tone", progress=told.append))) == 2
        assert [(report.stage, report.share) for report in told] == [("x", 0.5), ("x", 1.0)]
        stop = KeyboardInterrupt("enough")
        with pytest.raises(KeyboardInterrupt) as caught:
            next(found.convert("a.tone", progress=failing(stop)))
        assert caught.value is stop
