"""Warnings name the line from which tonearm was called."""

import subprocess
import sys
import warnings

import pytest

import tonearm
from tonearm.errors.warning import TonearmWarning, warn


def given_from(*names):
    """Give a warning from modules of the given names, the innermost one first; return its file and line."""
    function = warn
    for name in names:
        space = {"__name__": name, "inner": function}
        exec(compile("\n" * len(name) + "def outer(text):\n    inner(text)", f"{name}.py", "exec"), space)
        function = space["outer"]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        function("x.npy: it is quiet")
    (warning,) = caught
    assert (warning.category, str(warning.message)) == (TonearmWarning, "x.npy: it is quiet")
    return warning.filename, warning.lineno


@pytest.mark.parametrize(
    "names", [("tonearm.python", "mine"), ("tonearm.run", "tonearm_plugins", "tonearm", "mine", "theirs"), ("mine",)]
)
def test_the_first_line_that_is_not_tonearms(names):
    assert given_from(*names) == ("mine.py", len("mine") + 2)


def test_it_is_a_public_name_that_filters_can_take():
    assert tonearm.TonearmWarning is TonearmWarning
    assert f"{TonearmWarning.__module__}.{TonearmWarning.__qualname__}" == "tonearm.TonearmWarning"
    assert issubclass(TonearmWarning, UserWarning)


def test_one_line_warns_once_by_default_and_another_line_again(tmp_path):
    (tmp_path / "script.py").write_text("""\
import numpy as np, tonearm
pipeline = tonearm.load_pipeline({
    "tonearm": 1,
    "input": {"use": "npy-reader", "with": {"kind": "waveform", "sample_rate": 8000}},
    "steps": [{"use": "guard", "with": {"silence": "warn", "max_silence": 0.01}}],
    "outputs": [{"use": "wav-writer", "file": "{stem}.wav"}],
})
silence = np.zeros(8000, "f4")
for _ in range(2):
    (signal,) = pipeline.convert(silence)
(signal,) = pipeline.convert(silence)
""")
    done = subprocess.run([sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, check=True)
    lines = done.stderr.splitlines()
    assert [line.partition(": ")[0].rpartition("/")[2] for line in lines[::2]] == ["script.py:10", "script.py:11"]
    assert all("TonearmWarning: <array>: " in line for line in lines[::2])
