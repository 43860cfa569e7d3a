"""Names that packages register."""

import re
from dataclasses import dataclass

import pytest

from tonearm.names import BUILTIN, check_name, preferred


@dataclass(frozen=True)
class Registered:
    origin: str


BUILT, ACME, ZETA = Registered(BUILTIN), Registered("acme"), Registered("zeta")


@pytest.mark.parametrize("name", ["a", "wav-writer", "x2", "a-1-b"])
def test_valid_names(name):
    assert check_name(name, "plugin") == name


@pytest.mark.parametrize("name", ["", "A", "2x", "a_b", "a--b", "-a", "a-", "a b", "a/b", "é", "a\n", None, 3])
def test_invalid_names(name):
    message = "not a valid dialect name: use lower-case letters, digits, single hyphens"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        check_name(name, "dialect")


@pytest.mark.parametrize(
    ("candidates", "found"),
    [([], None), ([ACME], ACME), ([ACME, BUILT], BUILT), ([BUILT, ZETA], BUILT), ([ACME, ZETA], None)],
)
def test_the_builtin_one_wins_and_others_that_clash_are_ambiguous(candidates, found):
    assert preferred(candidates) is found
