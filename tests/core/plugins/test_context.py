"""The context of an item: measurements, warnings, random numbers."""

import numpy as np
import pytest

from tonearm.api import (
    Context,
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

    def test_a_number_of_numpys_becomes_pythons_own(self):
        context = Context()
        context.measure(peak=np.float32(0.5), clipped=np.int64(3), engine=np.str_("native"), quiet=np.True_)
        assert context.measurements == {"peak": 0.5, "clipped": 3, "engine": "native", "quiet": 1}
        assert [type(value) for value in context.measurements.values()] == [float, int, str, int]

    @pytest.mark.parametrize("value", [None, [1.0], np.zeros(3), b"text"])
    def test_what_is_neither_a_number_nor_a_text_cannot_be_measured(self, value):
        with pytest.raises(TypeError, match=f"the measurement level is {type(value).__name__}, not a number or text"):
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
