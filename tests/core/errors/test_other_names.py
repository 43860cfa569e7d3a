"""Other names for options, flags, keys and plugins lead to the names that tonearm has."""

import pytest

from tonearm.cli.commands import COMMANDS
from tonearm.cli.parser import command_parser
from tonearm.errors import did_you_mean
from tonearm.errors.other_names import OTHER_NAMES
from tonearm.errors.text import nearest
from tonearm.plugins.options import declared_options
from tonearm.plugins.ports import ports_of
from tonearm.plugins.registry import PluginError, default
from tonearm.signals.conventions import CONVENTIONS
from tonearm.signals.windows import WINDOWS


@pytest.mark.parametrize(
    ("word", "known", "meant"),
    [
        ("sr", ["kind", "sample_rate"], "sample_rate"),
        ("Sampling-Rate", ["bitrate", "sample-rate"], "sample-rate"),
        ("rate", ["bitrate", "sample_rate"], "sample_rate"),
        ("rate", ["bitrate"], "bitrate"),
        ("wrkers", ["jobs", "force"], "jobs"),
        ("num-worker", ["jobs", "force"], "jobs"),
        ("output_dir", ["out", "force"], "out"),
        ("nperseg", ["n_fft", "win_length"], "win_length"),
        ("frame_length", ["n_fft", "win_length"], "win_length"),
        ("noverlap", ["hop_length", "n_fft"], None),  # the rest of a window, not a hop
        ("hp", ["hop_length"], None),
        ("wav-reader", ["raw-reader", "audio-reader"], "audio-reader"),
        ("high-pass", ["hpss", "filter"], "filter"),
        ("griffinlim", ["griffin-lim"], "griffin-lim"),
        ("jobz", ["jobs", "cores"], "jobs"),
        ("hanning", ["hamming", "hann"], "hann"),  # whose nearest word is another window
        ("pytorch", ["librosa", "torch"], "torch"),
        ("spectrogram", ["magnitude", "waveform"], "magnitude"),
    ],
)
def test_the_name_that_is_meant(word, known, meant):
    assert nearest(word, known) == meant
    assert did_you_mean(word, known) == (f"did you mean {meant!r}?" if meant else "")


def test_a_word_may_be_the_first_part_of_a_name():
    plugins = ["npy-reader", "npy-writer", "griffin-lim", "raw-reader"]
    assert nearest("griffin", plugins) == "griffin-lim"
    assert nearest("Griffin", plugins) == "griffin-lim"
    assert did_you_mean("npy", plugins) == "did you mean 'npy-reader' or 'npy-writer'?"
    assert nearest("zoo", plugins) is None


def test_the_names_exist():
    """A name that an option loses must not stay in the table."""
    known = {"overwrite", "outputs", "input", "steps", "files", "file", "with", "use", *WINDOWS, *CONVENTIONS}
    for command in COMMANDS:
        known |= {flag[2:].replace("-", "_") for flag in command_parser(command)._option_string_actions}
    for entry in default().entries():
        known.add(entry.name.replace("-", "_"))
        try:
            known |= set(declared_options(ports_of(entry.resolve()).options))
        except (PluginError, TypeError):
            continue
    assert set(OTHER_NAMES) - known == set()


def test_names_are_plain():
    names = [*OTHER_NAMES, *(other for others in OTHER_NAMES.values() for other in others)]
    assert [name for name in names if not name.replace("_", "").isalnum() or name != name.lower()] == []


def test_no_plugin_has_another_name_for_one_of_its_role():
    """A suggestion must not lead away from what exists."""
    for role in ("decoder", "transform", "encoder"):
        names = [entry.name.replace("-", "_") for entry in default().entries(role)]
        others = {other for name in names for other in OTHER_NAMES.get(name, ())}
        assert others.isdisjoint(names)
