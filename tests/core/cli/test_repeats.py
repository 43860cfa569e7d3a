"""Messages that repeat are printed a few times, and counted."""

import numpy as np

from tonearm.cli import console
from tonearm.cli import main as cli
from tonearm.cli.repeats import MAX_WARNINGS, RepeatedWarnings, Repeats


def test_each_kind_has_a_limit_of_its_own():
    repeats = Repeats(2)
    assert [repeats.add(kind) for kind in "aabaa"] == [1, 0, 1, -1, -2]
    assert list(repeats.unprinted()) == [("a", 2)]


def test_warnings_that_differ_in_numbers_alone_are_of_one_kind(tmp_path, capsys):
    warnings = RepeatedWarnings()
    with console.log_to(str(tmp_path / "log")):
        for number in range(MAX_WARNINGS + 1200):
            warnings.print(f"{number} samples were clipped")
        warnings.print("the waveform is silent")
        warnings.print_rest()
    assert capsys.readouterr().err.splitlines() == [
        *(f"warning: {number} samples were clipped" for number in range(MAX_WARNINGS)),
        "warning: the waveform is silent",
        "warning: and 1,200 more of this kind: … samples were clipped",
    ]
    assert (tmp_path / "log").read_text().count("warning: ") - 2 == MAX_WARNINGS + 1200


def test_convert_prints_the_warnings_of_many_items_a_few_times(tmp_path, capsys):
    np.savez(tmp_path / "a.npz", **{f"x{number}": np.zeros(10 + number, np.float32) for number in range(30)})
    words = ["convert", str(tmp_path / "a.npz"), str(tmp_path / "{key}.wav"), "--key", "*", "--sample-rate", "8000"]
    assert cli.main(words) == 0
    err = capsys.readouterr().err
    assert err.count("warning: ") == MAX_WARNINGS + 1
    assert f"and {30 - MAX_WARNINGS} more of this kind: " in err
    assert len(list(tmp_path.glob("*.wav"))) == 30
