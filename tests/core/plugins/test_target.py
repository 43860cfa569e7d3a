"""References to plugins that state what their classes have: they are believed, and checked once a class is imported."""

import subprocess
import sys

import numpy as np
import pytest
from core_toys import registry_of

from tonearm.api import MelSpectrogram, NoOptions, Target, Transform
from tonearm.conversion.option_places import connecting_transforms
from tonearm.pipeline.inference import find_conversion, plugins_by_suffix
from tonearm.plugins import registry
from tonearm.plugins.registry import PluginError
from tonearm.signals import MagnitudeSpectrogram, Waveform

WRITER = "tonearm_plugins.encoders.wav_writer:WavWriter"


@pytest.mark.parametrize("role", ["decoder", "encoder", "transform"])
def test_what_tonearms_own_plugins_state_is_so(role):
    for entry in registry.default().entries(role):
        entry.resolve()
        if role != "transform":
            assert entry.target.suffixes is not None


def test_a_stated_suffix_imports_that_plugin_alone():
    found = registry_of(
        encoders={"a": Target("missing.a:A", suffixes=(".a",)), "b": Target(WRITER, suffixes=(".wav",))}
    )
    assert plugins_by_suffix(found, "encoder", "x.wav") == []  # it has more suffixes than that
    found = registry_of(
        encoders={
            "a": Target("missing.a:A", suffixes=(".a",)),
            "b": Target(WRITER, suffixes=(".wav", ".rf64", ".w64", ".bwf")),
        }
    )
    assert [entry.name for entry in plugins_by_suffix(found, "encoder", "x.wav")] == ["b"]
    assert plugins_by_suffix(found, "encoder", "x.a") == []


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        ({"suffixes": (".mp3",)}, r"it is registered with the suffixes \('.mp3',\), and its class has \('.wav', "),
        ({"same_signal": True}, "it is registered with same_signal, and its class does not give all that it takes"),
    ],
)
def test_a_class_that_contradicts_is_refused(stated, message):
    found = registry_of(encoders={"b": Target(WRITER, **stated)})
    with pytest.raises(PluginError, match=message):
        found.find("encoder", "b").resolve()


def test_a_transform_that_gives_what_it_takes_is_not_imported_to_connect_two_signals(tmp_path, monkeypatch):
    (tmp_path / "toy_imported.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    found = registry_of(
        transforms={
            "a": Target("toy_imported:A", same_signal=True),
            "griffin-lim": "tonearm_plugins.transforms.griffin_lim:GriffinLim",
        }
    )
    assert find_conversion(found, (MagnitudeSpectrogram,), (Waveform,)) == ("griffin-lim",)
    assert list(connecting_transforms(found))
    assert "toy_imported" not in sys.modules


@pytest.mark.parametrize("flags", [(), ("--subtype", "PCM_24")])
def test_a_waveform_is_converted_without_the_import_of_any_other_plugin(tmp_path, flags):
    np.save(tmp_path / "a.npy", np.zeros(100, "f4"))
    code = """if True:
        import sys
        from tonearm.cli.main import main
        assert main(["convert", "a.npy", "a.wav", "--sample-rate", "8000", *sys.argv[1:]]) == 0
        rooms = ("decoders", "encoders", "transforms", "networks")
        names = [name.split(".") for name in sys.modules if name.startswith("tonearm_plugins.")]
        print(*sorted(f"{name[1]}.{name[2]}" for name in names if name[1] in rooms and len(name) > 2))
    """
    command = [sys.executable, "-c", code, *flags]
    done = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True)
    names = set(done.stdout.split())
    expected = {"decoders.npy_reader", "encoders.wav_writer"}
    plugins = {name for name in names if name.endswith(("_reader", "_writer")) or name.startswith(("t", "n"))}
    assert plugins == expected


def test_a_transform_that_takes_more_than_it_gives_may_connect_two_signals():
    """Its `same_signal` would hide it where it is the only way."""

    class Both(Transform[MelSpectrogram | MagnitudeSpectrogram, MelSpectrogram, NoOptions]):
        def apply(self, signal, context):
            return signal

    with pytest.raises(TypeError, match="does not give all that it takes"):
        Target("x:Both", same_signal=True).check(Both)
