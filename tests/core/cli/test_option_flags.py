"""The flags of ``tonearm convert`` that options become: descriptions, values, and the stage that gets them."""

import argparse
import dataclasses
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Annotated, Literal

import pytest
from core_toys import registry_of

from tonearm.api import Encoder, Meta, Waveform
from tonearm.cli.option_flags import PREFIX, OptionFlag, add_plugin_flags, enumerated, option_flags, with_option_flags
from tonearm.pipeline.document import from_plain, to_plain

DRAFT = {"input": {"use": "", "with": {}}, "outputs": [{"use": "", "with": {}}]}


@dataclass(frozen=True)
class One:
    x: Annotated[int, Meta(description="What it is.")] = 0


@dataclass(frozen=True)
class Other:
    x: Annotated[int, Meta(description="Something else.")] = 0


@pytest.mark.parametrize(
    ("hint", "values"),
    [
        (Literal["a", "b"], ["a", "b"]),
        (Literal["a"] | None, ["a"]),
        (bool, ["true", "false"]),
        (Literal["paths"] | bool, ["paths", "true", "false"]),
        (Literal["a"] | str, []),
        (str | None, []),
        (int, []),
    ],
)
def test_the_values_of_a_type_that_takes_no_others(hint, values):
    assert sorted(enumerated(hint)) == sorted(values)


class TestDescriptions:
    def test_values_are_listed(self, installed):
        found = option_flags(installed)["precision"].description(installed)
        assert found.endswith("One of single, double.")

    def test_plugins_whose_option_is_the_same_are_named_together(self, installed):
        owners = ("a", One), ("b", Other), ("c", One), ("d", One), ("e", One), ("f", One)
        found = OptionFlag("", "x", owners).description(installed)
        assert found == "a, c, d and 2 others: What it is. b: Something else."
        assert OptionFlag("", "x", owners[:3]).description(installed).startswith("a and c: ")

    @pytest.mark.parametrize(
        ("hint", "metavar"),
        [(int, "N"), (Annotated[float, Meta(ge=0)], "N"), (int | None, "N"), (bool, "VALUE"), (int | str, "VALUE")],
    )
    def test_numbers_are_called_n(self, hint, metavar):
        options = dataclasses.make_dataclass("Options", [("x", hint, None)], frozen=True)
        assert OptionFlag("", "x", (("a", options),)).metavar == metavar


class TestStages:
    @pytest.mark.parametrize(
        ("source", "target", "flags", "expected"),
        [
            ("npy-reader", "wav-writer", {"sample_rate": "8000"}, ({"sample_rate": 8000}, {})),
            ("npy-reader", "wav-writer", {"subtype": "PCM_24"}, ({}, {"subtype": "PCM_24"})),
            ("npy-reader", "wav-writer", {"bitrate": "64"}, ({}, {"bitrate": "64"})),
            ("npy-reader", "wav-writer", {"key": "x"}, ({"key": "x"}, {})),
            ("npz-reader", "safetensors-writer", {"key": "x"}, ({"key": "x"}, {})),
            ("npy-reader", "safetensors-writer", {"key": "x"}, ({}, {"key": "x"})),
            ("npy-reader", "raw-writer", {"encoding": "mulaw"}, ({}, {"encoding": "mulaw"})),
            ("pcm-reader", "raw-writer", {"encoding": "mulaw"}, ({"encoding": "mulaw"}, {})),
            ("npy-reader", "wav-writer", {"axes": "batch, time"}, ({"axes": ["batch", "time"]}, {})),
            ("npy-reader", "wav-writer", {"bands": "[0, 80]"}, ({"bands": [0, 80]}, {})),
            (
                *("npy-reader", "wav-writer", {"kind": "wavform", "sample_rate": "8000"}),
                ({"kind": "wavform", "sample_rate": 8000}, {}),  # a wrong kind makes no other option wrong
            ),
        ],
    )
    def test_the_decoder_comes_first(self, source, target, flags, expected, installed):
        arguments = SimpleNamespace(force=True, **{f"{PREFIX}{name}": value for name, value in flags.items()})
        root = with_option_flags(from_plain(DRAFT), arguments, installed, source, target)
        plain = to_plain(root)
        assert (plain["input"]["with"], plain["outputs"][0]["with"]) == expected


@dataclass(frozen=True)
class Odd:
    color: str = ""
    debug: bool = False
    force: bool = False
    own: int = 1


class OddWriter(Encoder[Waveform, Odd]):
    suffixes = (".odd",)

    def encode(self, items, sink, context): ...


def test_options_that_have_the_name_of_another_flag_have_none():
    parser = argparse.ArgumentParser()
    parser.add_argument("--force")
    add_plugin_flags(parser, registry_of(encoders={"odd-writer": OddWriter}))
    flags = {text for action in parser._actions for text in action.option_strings}
    assert "--own" in flags
    assert not flags & {"--color", "--debug"}
