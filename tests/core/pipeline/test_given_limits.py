"""The limits that a command or a call gives without a pipeline."""

import pytest
from core_toys import registry_of

from tonearm import PipelineError
from tonearm.pipeline.given_limits import read_limits
from tonearm.pipeline.limits import PipelineLimits


def test_those_of_a_command_without_a_pipeline():
    assert read_limits(["memory=3GB"], registry_of()).memory == 3e9
    assert read_limits([], registry_of()) == PipelineLimits()
    for given, message in (
        ("memory=x", "'memory' is 'x'"),
        ("no=1", "has no option 'no'"),
        ("memory", "assignment"),
    ):
        with pytest.raises(PipelineError, match=message):
            read_limits([given], registry_of())
