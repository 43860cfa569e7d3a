"""Array types have one name, and one module."""

import re
from pathlib import Path

import numpy as np

import tonearm_plugins
from tonearm_plugins.dsp import typing

ROOT = Path(tonearm_plugins.__file__).parent
ALIAS = re.compile(r"^\w+(?:: TypeAlias)? = (?:npt\.NDArray|np\.ndarray)\[", re.MULTILINE)


def test_no_other_module_names_an_array_type():
    files = [path for path in ROOT.glob("**/*.py") if path != ROOT / "dsp" / "typing.py"]
    assert len(files) > 40
    assert [str(path) for path in files if ALIAS.search(path.read_text(encoding="utf-8"))] == []


def test_a_name_says_the_type():
    """NumPy's own alias differs between its versions, so the names are compared with the text of the module."""
    text = Path(typing.__file__).read_text(encoding="utf-8")
    types = dict(re.findall(r"^(\w+\d)Array: TypeAlias = npt\.NDArray\[np\.(\w+)\]$", text, re.MULTILINE))
    assert len(types) > 5
    assert {name: np.dtype(getattr(np, dtype)).name for name, dtype in types.items()} == {
        name: name.lower() for name in types
    }
