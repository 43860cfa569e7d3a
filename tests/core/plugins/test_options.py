"""The options that a dataclass declares, and the plugins that fit an option."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from core_toys import FogReader, MistToWave, RainToWave, Same, ToneOptions, ToneReader
from msgspec import Struct

from tonearm.api import Decoder, Meta, Regroup, Signal, Transform, Waveform
from tonearm.plugins.options import PluginType, declared_options, plugin_type
from tonearm.plugins.plugin import BESIDE
from tonearm.plugins.ports import ports_of


@dataclass(frozen=True, kw_only=True)
class Options:
    way: Annotated[Transform[Waveform, Waveform, Any] | None, Meta(description="Way.")] = None
    flat: Annotated[Decoder[Any, Any] | None, Meta(extra={BESIDE: True})] = None
    count: int = 1


def test_which_options_take_plugins():
    found = declared_options(Options)
    assert found["way"].plugin == PluginType(Transform, (Waveform,), (Waveform,))
    assert found["way"].description == "Way."
    assert found["flat"].plugin == PluginType(Decoder)
    assert found["count"].plugin is None
    assert [option.is_beside for option in found.values()] == [False, True, False]


def fits(hint, plugin):
    return plugin_type(hint).fits(plugin, ports_of(plugin))


def test_which_plugins_fit():
    assert fits(Transform[Waveform, Waveform, Any], Same)
    assert not fits(Transform[Waveform, Waveform, Any], MistToWave)
    assert fits(Transform[Any, Waveform, Any], MistToWave)
    assert fits(Transform[Any, Signal, Any], RainToWave)
    assert not fits(Regroup[Any, Any, Any], Same)
    assert fits(Decoder[Waveform, ToneOptions], ToneReader)
    assert not fits(Decoder[Waveform, Any], FogReader)
    assert not fits(Decoder[Any, ToneOptions], FogReader)
    assert fits(Decoder, FogReader)


class Figures(Struct):
    count: int
    names: Mapping[str, int] = {}
    width: int = 3


def test_defaults_of_a_struct_are_values():
    found = declared_options(Figures)
    assert [option.required for option in found.values()] == [True, False, False]
    assert (found["names"].default, found["width"].default) == ({}, 3)
