"""The option ``kind`` where it is not given: an option that only one kind has implies it."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
import pytest
from core_toys import checked, hooks, package_of

from tonearm.api import ArrayOptions, ItemError, Kind, Meta, Waveform
from tonearm.names import BUILTIN
from tonearm.pipeline.converter import Converter
from tonearm.pipeline.document import read_document
from tonearm.pipeline.options import read_options
from tonearm.pipeline.problems import Problems
from tonearm.plugins.discovery import installed_packages
from tonearm.plugins.registry import Registry


@dataclass(frozen=True, kw_only=True)
class ChordOptions:
    root: Annotated[float, Meta(gt=0, description="Frequency in Hz.")] = 110.0
    n_fft: int | None = None
    voices: int = 1


@dataclass(frozen=True, kw_only=True)
class DroneOptions:
    voices: int = 3


class Chord(Kind[Waveform, ChordOptions]):
    axes = ("time",)

    def read(self, values, context): ...


class Drone(Kind[Waveform, DroneOptions]):
    axes = ("time",)

    def read(self, values, context): ...


@pytest.fixture(scope="module")
def kinds():
    toys = package_of("toys", hooks(kinds={"chord": Chord, "drone": Drone}))
    return Registry([*(package for package in installed_packages() if package.origin == BUILTIN), toys])


def read(text, registry):
    problems = Problems("p.yaml")
    node = read_document(text, "p.yaml", environ={})
    made = read_options(ArrayOptions, node, None, "x", problems, registry)
    return [str(problem) for problem in problems.found] or made


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("{sample_rate: 8000}", "builtin/inferred"),
        ("{sample_rate: 8000, n_fft: 16}", "builtin/inferred"),
        ("{dialect: hifigan}", "builtin/mel"),
        ("{root: 220}", "toys/chord"),
        ("{root: 220, n_fft: 16}", "toys/chord"),
        ("{kind: chord}", "toys/chord"),
    ],
)
def test_it_is_that_of_the_only_one_with_an_option_ours_first(text, kind, kinds):
    assert read(text, kinds).kind.registered.full_name == kind


def test_options_of_two_kinds_contradict_each_other(kinds):
    said = "x has no option 'root' with kind mel\n    hint: leave root out; kind chord has it"
    assert read("{dialect: hifigan, root: 3}", kinds) == [f"p.yaml:1:20: unknown-option: {said}"]


def test_it_is_not_guessed_from_an_option_of_several(kinds):
    said = "x has no option 'voices' with kind inferred\n    hint: leave voices out; kinds chord and drone have it"
    assert read("{sample_rate: 8000, voices: 2}", kinds) == [f"p.yaml:1:21: unknown-option: {said}"]


@pytest.mark.parametrize(
    ("text", "similar"),
    [("{dialcet: hifigan}", "dialect"), ("{recipie: tacotron-keithito}", "recipe"), ("{vioces: 2}", "voices"),
     ("{kind: , dialcet: hifigan}", "dialect")],
)  # fmt: skip
def test_options_that_imply_it_are_suggested(text, similar, kinds):
    (said,) = read(text, kinds)
    assert said.endswith(f"\n    hint: did you mean '{similar}'?")


def test_options_of_others_are_not_suggested_beside_its_name(kinds):
    assert "did you mean" not in "".join(read("{kind: db, dialcet: hifigan}", kinds))


def test_it_leaves_options_to_be_checked_if_its_name_is_wrong(kinds):
    found = read("{kind: cord, root: 0, voice: 1}", kinds)
    assert [line.split(": ")[1] for line in found] == ["unknown-plugin", "bad-option", "unknown-option"]


def test_a_complex_array_without_its_grid_says_what_is_missing(installed):
    text = "tonearm: 1\ninput: {use: npy-reader, with: {sample_rate: 8000}}\nsteps: [{use: istft}]\n"
    text += "outputs: [{use: wav-writer, file: a.wav}]"
    found = Converter(checked(text, installed))
    spectrum = np.zeros((9, 5), np.complex64)
    with pytest.raises(ItemError) as caught:
        list(found.convert(spectrum))
    assert (caught.value.code, caught.value.message) == ("missing-option", "npy-reader: 'n_fft' is missing")
    assert caught.value.hint == "n_fft: … (a spectrogram cannot be read without it)"
