from dataclasses import dataclass
from typing import Generic, Optional, TypeVar, Union

import numpy as np
import pytest

from tonearm.api import (
    ArrayDecoder,
    ArrayOptions,
    ComplexSpectrogram,
    Decoder,
    Encoder,
    KeyedArrayDecoder,
    KeyedArrayOptions,
    MagnitudeSpectrogram,
    NoOptions,
    Regroup,
    Signal,
    Spec,
    StftGrid,
    Transform,
    Waveform,
    spec_of,
)
from tonearm.plugins.ports import Ports, ports_of

T = TypeVar("T", bound=Signal)
O = TypeVar("O")  # noqa: E741


@dataclass(frozen=True, kw_only=True)
class More(ArrayOptions):
    more: int = 1


class Reader(Decoder[Waveform, NoOptions]): ...


class Arrays(ArrayDecoder[More]): ...


class Keyed(KeyedArrayDecoder[KeyedArrayOptions]): ...


class Invert(Transform[ComplexSpectrogram, Waveform, NoOptions]): ...


class Either(Transform[ComplexSpectrogram | MagnitudeSpectrogram, Waveform, NoOptions]): ...


class OldUnion(Transform[Union[ComplexSpectrogram, Waveform], Waveform, NoOptions]): ...  # noqa: UP007


class Split(Regroup[Waveform, Waveform, NoOptions]): ...


class Writer(Encoder[Waveform, More]): ...


class Inherits(Invert): ...


class Half(Transform[Waveform, Waveform, O], Generic[O]): ...


class Whole(Half[More]): ...


class Mixed(dict, Half[NoOptions]): ...


class Swapped(Transform[T, Waveform, O], Generic[O, T]): ...


class Turned(Swapped[More, MagnitudeSpectrogram]): ...


@pytest.mark.parametrize(
    ("cls", "takes", "gives", "options"),
    [
        (Reader, (), (Waveform,), NoOptions),
        (Arrays, (), (Signal,), More),
        (Keyed, (), (Signal,), KeyedArrayOptions),
        (Invert, (ComplexSpectrogram,), (Waveform,), NoOptions),
        (Either, (ComplexSpectrogram, MagnitudeSpectrogram), (Waveform,), NoOptions),
        (OldUnion, (ComplexSpectrogram, Waveform), (Waveform,), NoOptions),
        (Split, (Waveform,), (Waveform,), NoOptions),
        (Writer, (Waveform,), (), More),
        (Inherits, (ComplexSpectrogram,), (Waveform,), NoOptions),
        (Whole, (Waveform,), (Waveform,), More),
        (Mixed, (Waveform,), (Waveform,), NoOptions),
        (Turned, (MagnitudeSpectrogram,), (Waveform,), More),
    ],
)
def test_ports_are_the_generic_arguments(cls, takes, gives, options):
    assert ports_of(cls) == Ports(takes, gives, options)


class NoArguments(Transform): ...


class NotASignal(Transform[Waveform, str, NoOptions]): ...


class Maybe(Transform[Waveform, Optional[Waveform], NoOptions]): ...  # noqa: UP045


class NoDataclass(Encoder[Waveform, int]): ...


class AnInstance(Encoder[Waveform, NoOptions()]): ...


class HalfOpen(Half): ...


@pytest.mark.parametrize(
    ("cls", "message"),
    [
        (dict, "dict is not a Decoder, Transform, Regroup, Encoder, Kind or Executor"),
        (NoArguments, "NoArguments: Transform needs 3 arguments in brackets"),
        (NotASignal, "NotASignal: a port is a Signal class, not <class 'str'>"),
        (Maybe, "Maybe: a port is a Signal class, not <class 'NoneType'>"),
        (NoDataclass, "NoDataclass: the class of its options is a dataclass, not <class 'int'>"),
        (AnInstance, "AnInstance: the class of its options is a dataclass, not NoOptions("),
        (Half, "Half: the class of its options is a dataclass, not ~O"),
        (HalfOpen, "HalfOpen: Half needs 1 arguments in brackets"),
        (Encoder, "Encoder: the class of its options is a dataclass, not ~Opts"),
        (ArrayDecoder, "ArrayDecoder: the class of its options is a dataclass, not ~ArrayOpts"),
    ],
)
def test_what_is_no_plugin_is_said(cls, message):
    with pytest.raises(TypeError) as caught:
        ports_of(cls)
    assert str(caught.value).startswith(message)


def test_a_spec_is_changed_by_copying():
    spec = Spec(signals=(Waveform,), sample_rate=8000)
    assert spec.replace(channels=2) == Spec(signals=(Waveform,), sample_rate=8000, channels=2)
    assert spec.channels is None
    with pytest.raises(AttributeError):
        spec.channels = 3


def test_a_spec_carries_one_value_of_each_class_and_drops_it_by_its_class():
    spec = Spec(signals=(Waveform,)).carrying(1, "one")
    assert spec.carrying(2).carried == {int: 2, str: "one"}
    assert spec.dropping(int, float).carried == {str: "one"}
    assert spec.carried == {int: 1, str: "one"}  # the first is as it was


def test_the_specification_of_a_signal_has_all_that_it_says():
    wave = Waveform(samples=np.zeros((2, 5), "f4"), sample_rate=8000)
    assert spec_of(wave, ".x") == Spec(
        signals=(Waveform,), sample_rate=8000, channels=2, length=5, suffix=".x", precision="single"
    )
    assert spec_of(Waveform(samples=np.zeros((2, 5)), sample_rate=8000)).precision == "double"
    grid = StftGrid(sample_rate=8000, n_fft=64, hop_length=16, win_length=64)
    found = spec_of(MagnitudeSpectrogram(values=np.ones((3, 33, 4), "f4"), grid=grid, length=50))
    assert (found.signals, found.sample_rate, found.channels, found.length) == ((MagnitudeSpectrogram,), 8000, 3, 50)
    assert (found.carried, found.precision) == ({StftGrid: grid}, "single")


def test_a_signal_of_another_package_says_what_it_can():
    class Fog(Signal):
        __slots__ = ()

    assert spec_of(Fog()) == Spec(signals=(Fog,), precision="single")
