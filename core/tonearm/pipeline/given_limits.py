"""The limits that a pipeline, a command or a call gives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tonearm.errors import Form, PipelineError, Place
from tonearm.pipeline.document import with_limits
from tonearm.pipeline.limits import PipelineLimits
from tonearm.pipeline.options import read_options
from tonearm.pipeline.problems import Problems
from tonearm.pipeline.structure import read_structure
from tonearm.pipeline.yaml.nodes import MappingNode
from tonearm.plugins.registry import Registry


def read_limits(
    given: Iterable[str] | Mapping[str, object], registry: Registry, form: Form = "flags"
) -> PipelineLimits:
    """Return the limits of a command or a call that has no pipeline, as `with_limits` takes them.

    Raises
    ------
    PipelineError
        If one does not exist or has a wrong value; its remedies are written in the form.
    """
    problems = Problems(None, form)
    root = with_limits(MappingNode({}, None), given)
    limits = limits_of(read_structure(root, Problems(None)).limits, problems, registry)
    if problems.found:
        raise PipelineError(problems.found)
    return limits


def limits_of(node: MappingNode | None, problems: Problems, registry: Registry) -> PipelineLimits:
    """Return the limits of a pipeline, or the default ones where they have problems."""
    problems.place = Place("limits", problems.place.form)
    mark = node.mark if node else None
    found: PipelineLimits | None = read_options(PipelineLimits, node, mark, "limits", problems, registry)
    return found or PipelineLimits()
