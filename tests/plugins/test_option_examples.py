"""Every example that an option of ours declares is a value that the option takes."""

from dataclasses import make_dataclass
from typing import Annotated

import pytest

from tonearm.api import Meta
from tonearm.pipeline.document import from_plain
from tonearm.pipeline.options import read_options
from tonearm.pipeline.problems import Problems
from tonearm.plugins.options import declared_options
from tonearm.plugins.ports import ports_of
from tonearm.plugins.registry import default


def options_with_examples():
    seen = set()
    for entry in default().entries():
        for option in declared_options(ports_of(entry.resolve()).options).values():
            if option.examples and (key := (option.name, str(option.examples))) not in seen:
                seen.add(key)
                yield pytest.param(option, id=f"{entry.name}-{option.name}")


def problems_of(option):
    """Return what is wrong with each example, except that an example's file need not exist."""
    options = make_dataclass("Options", [(option.name, option.type)], frozen=True)
    for example in option.examples:
        problems = Problems(None)
        read_options(options, from_plain({option.name: example}), None, "x", problems, default())
        yield from (str(problem) for problem in problems.found if problem.code != "no-such-file")


@pytest.mark.parametrize("option", list(options_with_examples()))
def test_examples_are_taken(option):
    assert list(problems_of(option)) == []


def test_a_wrong_example_is_found():
    hint = Annotated[int, Meta(ge=1, examples=[1, 0])]
    (option,) = declared_options(make_dataclass("Options", [("count", hint)])).values()
    assert list(problems_of(option)) == ["bad-option: x: 'count' is 0; expected a whole number >= 1"]
