from dataclasses import dataclass

import numpy as np
import pytest
from core_toys import hooks, package_of

from tonearm.api import ArrayTraits, Context, Kind, NoOptions, Signal, Spec, Waveform
from tonearm.plugins.ports import ports_of
from tonearm.plugins.registry import PluginError, Registry


class Cepstrum(Signal):
    port = "cepstrum"


@dataclass(frozen=True)
class CepstraOptions:
    order: int = 3


class Cepstra(Kind[Cepstrum, CepstraOptions]):
    """Cepstra of a voice."""

    axes = ("order", "frame")
    optional_axes = ("voice",)

    def sizes(self):
        return {"order": self.options.order}

    def read(self, values, context):
        context.measure(peak=float(values.max()))
        return Cepstrum()


def find(**kinds):
    (entry,) = Registry([package_of("lab", hooks(kinds=kinds))]).entries("kind")
    return entry


def test_its_signal_and_options_are_its_ports():
    ports = ports_of(find(cepstra=Cepstra).resolve())
    assert (ports.takes, ports.gives, ports.options) == ((), (Cepstrum,), CepstraOptions)


def test_what_is_known_before_reading_is_the_class_of_the_signal():
    kind = Cepstra(CepstraOptions())
    assert kind.spec() == Spec(signals=(Cepstrum,))
    assert kind.of(np.zeros(3)) is kind
    with pytest.raises(NotImplementedError):
        kind.with_phase(Cepstrum(), np.zeros(3))


def test_what_the_host_knows_is_left_out_unless_the_kind_asks():
    context = Context()
    made = Cepstra(CepstraOptions()).read_known(np.ones((1, 3, 2)), ArrayTraits(0.0, 1.0), context)
    assert isinstance(made, Cepstrum)
    assert context.measurements == {"peak": 1.0}


def test_it_is_called_as_the_pipeline_calls_it_or_as_its_signal():
    assert Cepstra(CepstraOptions()).name == "cepstrum"
    assert find(cepstra=Cepstra).bind(CepstraOptions(), "cepstra").name == "cepstra"


@pytest.mark.parametrize(
    ("axes", "messages"),
    [
        (None, []),
        (["order", "frame"], []),
        (["batch", "frame", "voice", "order", "channel"], []),
        (["order", "order", "frame"], ["axes names order twice"]),
        (["order", "frame", "\ufeff"], ["a cepstrum array has no \\ufeff axis"]),
        (
            ["order", "time"],
            ["a cepstrum array has no time axis", "axes names no frame axis, which a cepstrum array has"],
        ),
    ],
)
def test_axes_that_it_does_not_have_are_problems(axes, messages):
    assert [str(problem) for problem in Cepstra(CepstraOptions()).problems(axes)] == messages


def test_another_size_of_an_axis_is_an_error_of_the_array():
    error = Cepstra(CepstraOptions()).size_error("no axis has 3 values", np.zeros(4), 4, Context())
    assert (error.code, str(error)) == ("bins-mismatch", "no axis has 3 values")


def test_kinds_of_one_class_with_equal_options_are_equal():
    one, other = Cepstra(CepstraOptions()), find(cepstra=Cepstra).bind(CepstraOptions(), "cepstra")
    assert one == other
    assert len({one, other}) == 1
    assert one != Cepstra(CepstraOptions(order=4))
    assert one != CepstraOptions()


def test_a_dtype_that_does_not_exist_is_said():
    broken = type("Broken", (Cepstra,), {"dtype": "float32"})
    with pytest.raises(PluginError, match="dtype is 'float32', not one of real, complex, stored"):
        find(broken=broken).resolve()


def test_another_class_is_none():
    class Other(Kind[Waveform, NoOptions]):
        axes = ("time",)

    assert find(other=Other).resolve() is Other
    with pytest.raises(PluginError, match="is not a kind class"):
        find(other=Waveform).resolve()


def test_a_kind_reads_arrays_with_any_axes_itself():
    kind = Cepstra(CepstraOptions())
    assert kind.with_axes(None) is kind.with_axes(["quefrency", "frame"]) is kind
