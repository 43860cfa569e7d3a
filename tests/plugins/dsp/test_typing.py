"""Array types have one name, and one module."""

import re
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

import tonearm_plugins
from tonearm_plugins.dsp import typing

ROOT = Path(tonearm_plugins.__file__).parent
ALIAS = re.compile(r"^\w+(?:: TypeAlias)? = (?:npt\.NDArray|np\.ndarray)\[", re.MULTILINE)
NAMES = [name for name in vars(typing) if name.endswith("Array")]


def test_no_other_module_names_an_array_type():
    files = [path for path in ROOT.glob("**/*.py") if path != ROOT / "dsp" / "typing.py"]
    assert len(files) > 40
    assert [str(path) for path in files if ALIAS.search(path.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize("name", [name for name in NAMES if re.search(r"\d", name)])
def test_a_name_says_the_type(name):
    ((dtype,),) = [get_args(one) for one in get_args(getattr(typing, name))[1:]]
    assert np.dtype(dtype).name == name.removesuffix("Array").lower()
