"""Transforms and regrouping plugins: their defaults, and their abstract methods."""

import pytest

from tonearm.api import ComplexSpectrogram, NoOptions, Regroup, Signal, Spec, Transform, Waveform


class Invert(Transform[ComplexSpectrogram, Waveform, NoOptions]):
    def apply(self, signal, context): ...


class Split(Regroup[Waveform, Waveform, NoOptions]):
    def regroup(self, items, context): ...


def test_they_give_the_class_of_their_port():
    spec = Spec(signals=(Signal,), sample_rate=8000, channels=2, length=5)
    assert Invert(NoOptions()).produces(spec) == spec.replace(signals=(Waveform,))


def test_regrouping_forgets_the_length():
    spec = Spec(signals=(Signal,), sample_rate=8000, channels=2, length=5)
    assert Split(NoOptions()).produces(spec) == spec.replace(signals=(Waveform,), length=None)


def test_all_items_of_a_source_are_one_group_by_default():
    assert Split(NoOptions()).grouping() == "source"


def test_they_keep_no_double_precision_unless_they_say_so():
    assert not Invert.keeps_double
    assert not Split.keeps_double


@pytest.mark.parametrize("cls", [Transform, Regroup])
def test_they_cannot_be_made_without_their_method(cls):
    with pytest.raises(TypeError, match="abstract"):
        cls(NoOptions())
