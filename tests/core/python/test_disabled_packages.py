"""Warnings about packages that are disabled."""

import warnings

import pytest
from core_toys import registry_of

from tonearm import TonearmWarning
from tonearm.errors import Problem
from tonearm.python.disabled_packages import warn_of_disabled_packages


def test_each_package_is_told_once():
    broken = registry_of()
    broken.problems.append(Problem(code="broken-plugin", message="told 1.0 is disabled"))
    with pytest.warns(TonearmWarning, match="told 1.0 is disabled"):
        warn_of_disabled_packages(broken)
    broken.problems.append(Problem(code="broken-plugin", message="told 2.0 is disabled"))
    with pytest.warns(TonearmWarning, match="told 2.0 is disabled") as caught:
        warn_of_disabled_packages(broken)
    assert len(caught) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_disabled_packages(broken)
