"""The list of commands."""

import importlib
from pathlib import Path

import tonearm.cli
from tonearm.cli.commands import COMMANDS


def test_every_command_is_a_module_with_its_two_functions():
    for name in COMMANDS:
        module = importlib.import_module(f"tonearm.cli.{name}")
        assert callable(module.add_arguments)
        assert callable(module.main)


def test_every_module_with_arguments_is_a_command():
    folder = Path(tonearm.cli.__file__).parent
    declaring = {path.stem for path in folder.glob("*.py") if "\ndef add_arguments(" in path.read_text()}
    assert declaring == set(COMMANDS)


def test_descriptions_are_one_line_in_sentence_case_without_a_stop():
    for text in COMMANDS.values():
        assert text[0].isupper()
        assert not text.endswith(".")
        assert len(text) < 80
