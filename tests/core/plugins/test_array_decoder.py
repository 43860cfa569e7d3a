import contextlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import pytest

from tonearm.api import (
    ArrayDecoder,
    ArrayOptions,
    ComplexSpectrogram,
    Context,
    Decoder,
    Encoder,
    Item,
    ItemError,
    KeyedArrayDecoder,
    KeyedArrayOptions,
    MagnitudeSpectrogram,
    Meta,
    NoOptions,
    Regroup,
    Requirement,
    Signal,
    Sink,
    Source,
    Spec,
    Transform,
    Waveform,
)
from tonearm.pipeline.options import declared_options, read_options
from tonearm.pipeline.problems import Problems


class TestRequirement:
    @pytest.mark.parametrize(
        ("name", "program", "there"),
        [
            ("numpy", False, True),
            ("numpy.fft", False, True),
            ("no_such_module", False, False),
            ("no_such_module.part", False, False),
            ("sh", True, True),
            ("no-such-program", True, False),
            ("numpy", True, False),
            ("sh", False, False),
        ],
    )
    def test_it_is_looked_for(self, name, program, there):
        assert Requirement(name=name, program=program, hint="").is_met() is there

    def test_nothing_is_imported(self, tmp_path, monkeypatch):
        package = tmp_path / "toy_package"
        package.mkdir()
        (package / "__init__.py").write_text("raise SystemExit")
        monkeypatch.syspath_prepend(tmp_path)
        assert Requirement(name="toy_package.inner", hint="").is_met()
        assert "toy_package" not in sys.modules


class TestContext:
    def test_measurements_and_warnings(self):
        heard = []
        context = Context(threads=3, on_warning=heard.append)
        context.measure(gain_db=-1.5, clipped=0)
        context.measure(clipped=2)
        context.warn("one")
        context.warn("two\nlines")
        context.warn("one")
        assert context.measurements == {"gain_db": -1.5, "clipped": 2}
        assert context.warnings == heard == ["one", r"two\nlines"]
        assert context.threads == 3

    def test_a_number_of_numpys_becomes_pythons_own(self):
        context = Context()
        context.measure(peak=np.float32(0.5), clipped=np.int64(3), engine=np.str_("native"), quiet=np.True_)
        assert context.measurements == {"peak": 0.5, "clipped": 3, "engine": "native", "quiet": 1}
        assert [type(value) for value in context.measurements.values()] == [float, int, str, int]

    @pytest.mark.parametrize("value", [None, [1.0], np.zeros(3), b"text"])
    def test_what_is_neither_a_number_nor_a_text_cannot_be_measured(self, value):
        with pytest.raises(TypeError, match=f"level is measured as {type(value).__name__}, not as a number or a text"):
            Context().measure(level=value)

    def test_what_was_noted_belongs_to_one_item(self):
        heard = []
        context = Context(threads=2, on_warning=heard.append)
        context.measure(level=1)
        context.warn("one")
        first = context.drain()
        assert (context.measurements, context.warnings) == ({}, [])
        first.warn("two")
        context.warn("one")
        assert (first.measurements, first.warnings, first.threads) == ({"level": 1}, ["one", "two"], 2)
        assert heard == ["one", "two", "one"]

    def test_the_generator_depends_on_the_seed_alone(self):
        first, second = Context(), Context()
        first.rng(3).random(5)
        assert np.array_equal(first.rng(3).random(5), second.rng(3).random(5))
        assert not np.array_equal(first.rng(3).random(5), first.rng(4).random(5))
        assert np.array_equal(first.rng().random(5), np.random.default_rng(0).random(5))


class TestSink:
    def test_a_sidecar_lies_beside_and_is_the_same_each_time(self):
        sink = Sink(Path("/out/.tonearm-0123.part"))
        found = sink.sidecar(".json")
        assert found == Path("/out/.tonearm-0123.json.part")
        assert sink.sidecar(".json") == found
        assert sink.sidecar(".txt") != found
        assert list(sink.sidecars) == [".json", ".txt"]

    @pytest.mark.parametrize("suffix", ["", ".", "json", "/json", ".a/../../b", ".\0"])
    def test_it_cannot_lie_elsewhere(self, suffix):
        with pytest.raises(ValueError, match=r"a sidecar's suffix is a dot and more, like \.json, not "):
            Sink(Path("/out/x.part")).sidecar(suffix)


@dataclass(frozen=True, kw_only=True)
class DesignOptions:
    iterations: Annotated[int | None, Meta(ge=1, description="Iterations; the preset's if not given.")] = None
    level: Annotated[float | None, Meta(gt=0, le=1)] = None
    names: Annotated[list[str] | None, Meta(min_length=2)] = None
    plain: Annotated[int, Meta(ge=1)] = 3
    inside: Annotated[int, Meta(ge=1)] | None = None


class TestBoundsOfOptionsThatMayBeLeftOut:
    @staticmethod
    def read(**given):
        from tonearm.pipeline.document import from_plain

        problems = Problems(None)
        made = read_options(DesignOptions, from_plain(given), None, "x", problems)
        return made if made else [str(problem) for problem in problems.found]

    def test_the_form_that_the_design_shows(self):
        assert declared_options(DesignOptions)["iterations"].description == "Iterations; the preset's if not given."
        assert self.read() == DesignOptions()
        assert self.read(iterations=None, level=None, names=None) == DesignOptions()
        assert self.read(iterations=1, level=0.5, names=["a", "b"]).iterations == 1

    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ({"iterations": 0}, "bad-option: x: 'iterations' is 0; expected a whole number >= 1"
             "\n    hint: Iterations; the preset's if not given."),
            ({"iterations": 1.5}, "bad-option: x: 'iterations' is 1.5; expected a whole number"
             "\n    hint: Iterations; the preset's if not given."),
            ({"iterations": True}, "bad-option: x: 'iterations' is true; expected a whole number"
             "\n    hint: Iterations; the preset's if not given."),
            ({"level": 0}, "bad-option: x: 'level' is 0; expected a number > 0.0"),
            ({"level": 1.5}, "bad-option: x: 'level' is 1.5; expected a number <= 1.0"),
            ({"names": ["a"]}, "bad-option: x: 'names' is a list; expected a list of length >= 2"),
            ({"plain": 0}, "bad-option: x: 'plain' is 0; expected a whole number >= 1"),
            ({"plain": None}, "bad-option: x: 'plain' is null; expected a whole number"),
            ({"inside": 0}, "bad-option: x: 'inside' is 0; expected a whole number >= 1"),
        ],
    )  # fmt: skip
    def test_bounds_hold_where_there_is_a_value(self, given, said):
        assert self.read(**given) == [said]


class Box(KeyedArrayDecoder[KeyedArrayOptions]):
    """Several arrays by name, given by the test."""

    held: dict[str, np.ndarray]
    opened = 0

    @contextlib.contextmanager
    def open_arrays(self, source: Source, context: Context) -> Iterator[dict[str, np.ndarray]]:
        type(self).opened += 1
        yield self.held
        type(self).opened -= 1


def read(held, source=None, **options):
    Box.held = held
    decoder = Box(KeyedArrayOptions(**{"kind": "waveform", "sample_rate": 8000} | options))
    return [
        (item.key, item.index, item.signal.length) for item in decoder.decode(source or Source(name="box"), Context())
    ]


KEYS = "key: NAME takes one, key: '*' takes all"


def wave(length):
    return np.zeros(length, np.float32)


class TestKeyedArrayDecoder:
    def test_the_only_one_needs_no_key(self):
        assert read({"a": wave(3)}) == [("a", 0, 3)]
        assert Box.opened == 0

    def test_one_by_name(self):
        assert read({"a": wave(3), "b": wave(4)}, key="b") == [("b", 0, 4)]

    def test_several_by_pattern_in_the_order_of_the_file(self):
        held = {"mel/2": wave(2), "other": wave(9), "mel/1": wave(1)}
        assert read(held, key="mel/*") == [("mel/2", 0, 2), ("mel/1", 1, 1)]
        assert read(held, key="*") == [("mel/2", 0, 2), ("other", 1, 9), ("mel/1", 2, 1)]
        assert read(held, key="mel/?") == [("mel/2", 0, 2), ("mel/1", 1, 1)]

    def test_a_name_that_looks_like_a_pattern_is_a_name_first(self):
        assert read({"a[0]": wave(1), "a0": wave(2)}, key="a[0]") == [("a[0]", 0, 1)]
        assert read({"*": wave(1), "a": wave(2)}, key="*") == [("*", 0, 1)]

    def test_case_matters(self):
        assert read({"A": wave(1), "a": wave(2)}, key="[A]") == [("A", 0, 1)]

    @pytest.mark.parametrize(
        ("held", "options", "code", "message", "hint"),
        [
            ({}, {}, "empty", "there is no array", ""),
            ({"a": 1, "b": 2}, {}, "several-arrays", "there are 2 arrays: a, b", KEYS),
            ({"a": 1, "b\n": 2}, {"key": "c"}, "no-such-key", "there is no array 'c'", r"there are a, b\n"),
            ({"a": 1}, {"key": "c*"}, "no-such-key", "there is no array 'c*'", "there are a"),
            ({}, {"key": "*"}, "no-such-key", "there is no array '*'", "there is none at all"),
            ({"a": 1}, {"lengths": "n"}, "no-such-key", "there is no array 'n'", "there are a"),
            ({"n": 1}, {"lengths": "n"}, "empty", "there is no array", ""),
        ],
    )  # fmt: skip
    def test_what_is_not_there(self, held, options, code, message, hint):
        with pytest.raises(ItemError) as caught:
            read({key: wave(1) for key in held}, **options)
        assert (caught.value.code, caught.value.message, caught.value.hint) == (code, message, hint)

    def test_many_names_are_cut(self):
        with pytest.raises(ItemError) as caught:
            read({f"key{index}": wave(1) for index in range(30)})
        assert caught.value.message.endswith("key8, key9 and 20 more")

    def test_lengths_crop_each_element_and_are_no_signal_themselves(self):
        held = {"n": np.array([3, 1]), "a": np.zeros((2, 5), np.float32)}
        axes = {"axes": ["batch", "time"], "lengths": "n"}
        assert read(held, **axes) == [("a", 0, 3), ("a", 1, 1)]
        assert read(held, key="*", **axes) == [("a", 0, 3), ("a", 1, 1)]

    def test_index_counts_over_all_arrays_and_batches(self):
        held = {"a": np.zeros((2, 5), np.float32), "b": np.zeros((2, 4), np.float32)}
        found = read(held, key="*", axes=["batch", "time"])
        assert found == [("a", 0, 5), ("a", 1, 5), ("b", 2, 4), ("b", 3, 4)]

    @pytest.mark.parametrize("options", [{}, {"key": "b"}])
    def test_an_array_in_memory_is_taken_as_it_is(self, options):
        assert read({}, Source(name="<array>", array=wave(7)), **options) == [("", 0, 7)]


class One(ArrayDecoder[ArrayOptions]):
    def arrays(self, source, context):
        yield "", wave(3)


class TestProduces:
    @pytest.mark.parametrize(
        ("options", "signals"),
        [
            ({}, (Waveform, ComplexSpectrogram)),
            ({"kind": "waveform"}, (Waveform,)),
            ({"kind": "db", "n_fft": 16, "hop_length": 4, "length": 9}, (MagnitudeSpectrogram,)),
        ],
    )
    def test_an_array_decoder_says_what_its_options_say(self, options, signals):
        made = ArrayOptions(sample_rate=8000, **options)
        spec = One(made).produces()
        grid = made.grid() if "n_fft" in options else None
        assert spec == Spec(signals=signals, sample_rate=8000, length=options.get("length"), grid=grid)

    def test_transforms_and_regroups(self):
        class Invert(Transform[ComplexSpectrogram, Waveform, NoOptions]):
            def apply(self, signal, context): ...

        class Split(Regroup[Waveform, Waveform, NoOptions]):
            def regroup(self, items, context): ...

        spec = Spec(signals=(Signal,), sample_rate=8000, channels=2, length=5)
        assert Invert(NoOptions()).produces(spec) == spec.but(signals=(Waveform,))
        assert Split(NoOptions()).produces(spec) == spec.but(signals=(Waveform,), length=None)

    def test_defaults_of_a_plugin(self):
        class Reader(Decoder[Waveform, NoOptions]):
            requires = (Requirement(name="numpy", hint=""),)

            def decode(self, source, context): ...

        class Writer(Encoder[Waveform, NoOptions]):
            def encode(self, item, sink, context): ...

        plugin = Reader(NoOptions())
        assert plugin.produces() == Spec(signals=(Waveform,))
        assert (plugin.needs(), plugin.preflight(), plugin.suffixes) == (Reader.requires, None, ())
        assert Writer(NoOptions()).accepts(Spec(signals=(Waveform,))) is None
        assert Writer(NoOptions()).needs() == ()

    @pytest.mark.parametrize("cls", [Decoder, ArrayDecoder, KeyedArrayDecoder, Transform, Regroup, Encoder])
    def test_a_plugin_without_its_method_cannot_be_made(self, cls):
        with pytest.raises(TypeError, match="abstract"):
            cls(NoOptions())


def test_an_item_says_where_it_comes_from():
    signal = Waveform(samples=np.zeros((1, 3), np.float32), sample_rate=8000)
    item = Item(signal=signal)
    assert (item.key, item.index, item.tags) == ("", 0, {})
    assert Item(signal=signal, index=1) != Item(signal=signal, index=1)
    with pytest.raises(AttributeError):
        item.index = 2
