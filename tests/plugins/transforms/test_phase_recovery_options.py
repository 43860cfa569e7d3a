"""The options that transforms from spectrograms share are those that signal processing takes."""

from typing import get_args

import pytest

from tonearm.api import Meta
from tonearm_plugins.dsp.engines.choice import ENGINES
from tonearm_plugins.dsp.phase_recovery.settings import MOMENTUM_LIMIT, STARTS
from tonearm_plugins.transforms import phase_recovery_options as options


def constraints(alias):
    (found,) = [one for one in get_args(alias)[1:] if isinstance(one, Meta)]
    return found


def test_engines_and_first_phases_are_those_there_are():
    assert get_args(get_args(options.EngineName)[0]) == ("auto", *ENGINES)
    assert get_args(options.Start) == STARTS


def test_momentum_ends_where_it_diverges():
    assert constraints(options.Momentum).lt == MOMENTUM_LIMIT
    assert constraints(options.Momentum).ge == 0


@pytest.mark.parametrize("name", ["EngineName", "Iterations", "Momentum", "Seed"])
def test_each_has_a_description(name):
    assert constraints(getattr(options, name)).description.endswith(".")
