"""``--download``: the options by which the user lets plugins download what they need."""

from __future__ import annotations

from collections.abc import Iterator

from tonearm.errors import UsageError
from tonearm.pipeline.document import override
from tonearm.pipeline.problems import Problems
from tonearm.pipeline.structure import Stage, read_structure
from tonearm.pipeline.yaml.nodes import Node
from tonearm.plugins.options import declared_options
from tonearm.plugins.plugin import BY_USER
from tonearm.plugins.ports import ports_of
from tonearm.plugins.registry import PluginError, Registry

DOWNLOAD = "--download"
"""Flag of the commands, as options name it in their declaration."""


def with_downloads(root: Node, registry: Registry) -> Node:
    """Return a pipeline in which every plugin that may download what it needs does so.

    Parameters
    ----------
    root
        Root node of the pipeline.
    registry
        Registry of plugins.

    Raises
    ------
    UsageError
        If no plugin of the pipeline downloads anything.
    """
    problems = Problems(None)
    structure = read_structure(root, problems, needs_outputs=False)
    if problems.found:
        return root  # the check tells them
    stages = list(_stages(structure.steps, "steps"))
    for index, output in enumerate(structure.outputs):
        stages += [("encoder", f"outputs.{index}", output), *_stages(output.steps, f"outputs.{index}.steps")]
    if structure.decoder is not None:
        stages.append(("decoder", "input", structure.decoder))
    options = [f"{path}.with.{name}" for role, path, stage in stages for name in _options(role, stage, registry)]
    if not options:
        raise UsageError(f"no step of the pipeline downloads anything, so {DOWNLOAD} has no effect",
                         hint=f"leave {DOWNLOAD} out")  # fmt: skip
    for option in options:
        root = override(root, f"{option}=true", option=DOWNLOAD)
    return root


def _stages(steps: tuple[Stage, ...], path: str) -> Iterator[tuple[str, str, Stage]]:
    for index, step in enumerate(steps):
        yield "transform", f"{path}.{index}", step


def _options(role: str, stage: Stage, registry: Registry) -> Iterator[str]:
    """Yield the names of a plugin's options that stand for the flag; none if there is no such plugin."""
    try:
        cls = registry.find(role, stage.use or "").resolve()
        declared = declared_options(ports_of(cls).options)
    except (PluginError, TypeError):
        return  # the check tells why
    yield from (name for name, option in declared.items() if option.extra.get(BY_USER) == DOWNLOAD)
