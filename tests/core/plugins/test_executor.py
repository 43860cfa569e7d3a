import pytest
from core_toys import hooks, package_of

from tonearm.api import Died, Executor, NoOptions, Results, Transform, Waveform
from tonearm.plugins.ports import ports_of
from tonearm.plugins.registry import PluginError, Registry


class Moon(Executor[NoOptions]):
    def open(self, work, slots): ...
    def submit(self, chunk): ...
    def wait(self, seconds): ...
    def cancel(self, handle): ...
    def close(self): ...


def find(**executors):
    (entry,) = Registry([package_of("space", hooks(executors=executors))]).entries("executor")
    return entry


def test_its_options_are_its_only_port():
    ports = ports_of(find(moon=Moon).resolve())
    assert (ports.takes, ports.gives, ports.options) == ((), (), NoOptions)


def test_it_isolates_nothing_unless_it_says_so():
    assert not Moon.isolates


@pytest.mark.parametrize("missing", ["open", "submit", "wait", "cancel", "close"])
def test_every_method_is_required(missing):
    methods = {name: lambda *_: None for name in ("open", "submit", "wait", "cancel", "close") if name != missing}
    with pytest.raises(TypeError, match=missing):
        type("Half", (Executor,), methods)(NoOptions())


def test_another_plugin_is_none():
    class Same(Transform[Waveform, Waveform, NoOptions]):
        def apply(self, signal, context):
            return signal

    with pytest.raises(PluginError, match="is not an executor class"):
        find(same=Same).resolve()


def test_a_result_is_the_last_and_a_death_an_items_fault_unless_said_otherwise():
    assert (Results().last, Results().owner) == (True, "")
    assert Died("it fell") == Died("it fell", owner="", taken_away=False, hint="")
