"""The context of an item: measurements, warnings, random numbers."""

import math

import numpy as np
import pytest

from tonearm.api import (
    Context,
    SetOption,
    Source,
)


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

    def test_warnings_without_end(self):
        heard = []
        context = Context(on_warning=heard.append)
        for number in range(5000):
            context.warn(f"frame {number}")
        assert len(heard) == len(context.warnings) == 101
        assert context.warnings[-2:] == ["frame 99", "further warnings of this item are left out"]
        context.drain().warn("x")
        context.warn("the next item has its own")
        assert context.warnings == ["the next item has its own"]

    def test_a_number_of_numpys_becomes_pythons_own(self):
        context = Context()
        context.measure(peak=np.float32(0.5), clipped=np.int64(3), engine=np.str_("native"), quiet=np.True_)
        assert context.measurements == {"peak": 0.5, "clipped": 3, "engine": "native", "quiet": 1}
        assert [type(value) for value in context.measurements.values()] == [float, int, str, int]

    @pytest.mark.parametrize("value", [None, [1.0], np.zeros(3), b"text"])
    def test_what_is_neither_a_number_nor_a_text_cannot_be_measured(self, value):
        with pytest.raises(TypeError, match=f"the measurement level is {type(value).__name__}, not a number or text"):
            Context().measure(level=value)

    @pytest.mark.parametrize(
        ("given", "found"),
        [
            ((3, 4), (3.0, 4.0)), ((np.int64(3), np.float32(4)), (3.0, 4.0)), ((3,), (3.0, None)),
            ((5, 4), (4.0, 4.0)), ((-1, 4), (0.0, 4.0)), ((3, 0), (3.0, None)), ((3, -4), (3.0, None)),
            ((math.nan, 4), (0.0, 4.0)), ((3, math.inf), (3.0, None)), ((math.inf, 4), (0.0, 4.0)),
            (("many", 4), (0.0, None)), ((3, object()), (0.0, None)), ((10**400, 4), (0.0, None)),
        ],
    )  # fmt: skip
    def test_progress_is_made_of_numbers_whatever_is_given(self, given, found):
        reported = []
        Context(on_progress=lambda report: reported.append((report.done, report.total))).progress(*given)
        assert reported == [found]

    def test_progress_reaches_the_host_now_and_then_and_from_each_item(self, monkeypatch):
        reported, clock = [], [100.0]
        monkeypatch.setattr("time.monotonic", lambda: clock[0])
        context = Context(on_progress=lambda report: reported.append((report.done, report.total)))
        for block in range(1000):
            clock[0] += 0.01
            context.progress(block, 1000)
            context = context.drain() if block == 500 else context
        assert reported == sorted(reported)
        assert 150 < len(reported) < 250
        assert reported[0] == (0.0, 1000.0)

    def test_what_was_noted_belongs_to_one_item(self):
        heard = []
        source = Source(name="a.npy", path="a.npy")
        context = Context(threads=2, on_warning=heard.append, source=source)
        context.measure(level=1)
        context.warn("one")
        first = context.drain()
        assert (context.measurements, context.warnings) == ({}, [])
        first.warn("two")
        context.warn("one")
        assert (first.measurements, first.warnings, first.threads) == ({"level": 1}, ["one", "two"], 2)
        assert heard == ["one", "two", "one"]
        assert first.source is context.source is source

    def test_doubts_belong_to_one_item_and_are_not_shown_here(self):
        heard = []
        context = Context(on_warning=heard.append)
        context.doubt("odd", code="kind-doubtful", remedies=(SetOption("kind", "db"),))
        first = context.drain()
        assert (context.doubts, heard, first.warnings) == ([], [], [])
        (found,) = first.doubts
        assert (found.message, found.code, found.hint) == ("odd", "kind-doubtful", "kind: db")

    def test_the_generator_depends_on_the_seed_alone(self):
        first, second = Context(), Context()
        first.rng(3).random(5)
        assert np.array_equal(first.rng(3).random(5), second.rng(3).random(5))
        assert not np.array_equal(first.rng(3).random(5), first.rng(4).random(5))
        assert np.array_equal(first.rng().random(5), np.random.default_rng(0).random(5))
