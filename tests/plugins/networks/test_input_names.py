"""Fields in the names of files that options give for inputs."""

from __future__ import annotations

import pytest

from tonearm_plugins.networks.input_names import name_problem


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("f0/{nope}.npy", "a template has no field {nope}"),
        ("f0/{index}.npy", "the name of an input's file has no field {index}"),
        ("f0/{stem.npy", "has a single {"),
        ("f0/{relative_dir}/{parent}/{name}{stem}.npy", ""),
        ("f0/{{a}}.npy", ""),
    ],
)
def test_names_of_files_with_other_fields(file: str, message: str) -> None:
    found, hint = name_problem(file)
    assert message in found
    assert bool(found) == bool(hint) == bool(message)
