"""Trials of the remedies of a pipeline's problems: each is applied to the pipeline, which is then checked again."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence

from msgspec.structs import replace

from tonearm.errors import InsertStep, Place, Problem, RemoveOption, SetLimit
from tonearm.pipeline.document import assigned, from_plain
from tonearm.pipeline.trials import ASKING, Applicable, Trial
from tonearm.pipeline.yaml.nodes import MappingEntry, MappingNode, Node, SequenceNode
from tonearm.pipeline.yaml.scalars import NodeError

_TOP = ("tonearm", "input", "outputs")
"""Keys that only the top level of a pipeline has, so that a remedy without a stage can set them."""


def try_on_pipeline(
    root: Node, problems: Sequence[Problem], check: Callable[[Node], Sequence[Problem]]
) -> list[Problem]:
    """Return the problems of a pipeline with those remedies that help.

    Parameters
    ----------
    root
        Root node of the pipeline.
    problems
        Problems of the pipeline.
    check
        Function that returns the problems of a changed pipeline.
    """
    before = Counter(map(_identity, problems))
    found, left = [], None
    for problem in problems:

        def helps(remedy: Applicable, problem: Problem = problem) -> bool:
            try:
                changed = applied(root, remedy, problem.place)
            except NodeError:
                return False
            if changed is None:
                return True
            found = check(changed)
            after = Counter(map(_identity, found))
            if after[_identity(problem)] >= before[_identity(problem)]:
                return False
            stage = getattr(remedy, "stage", "") or problem.place.stage
            new = after - before
            # A stage that could not be bound before may have problems of its own now: those are the next ones.
            here = [one for one in found if isinstance(remedy, InsertStep) or one.place.stage == stage]
            return all(one.code in ASKING or _identity(one) not in new for one in here)

        trial = Trial(helps) if left is None else Trial(helps, left)
        found.append(replace(problem, remedies=trial.kept(problem.remedies)))
        left = trial.left
    return found


def applied(root: Node, remedy: Applicable, place: Place) -> Node | None:
    """Return a pipeline after a remedy; None if the remedy does not say where it belongs.

    Parameters
    ----------
    root
        Root node of the pipeline.
    remedy
        Remedy.
    place
        Place of the problem.

    Raises
    ------
    NodeError
        If the pipeline has no such place.
    """
    if isinstance(remedy, SetLimit):
        return assigned(root, ["limits", remedy.limit], from_plain(remedy.value))
    if isinstance(remedy, InsertStep):
        steps: list[dict[str, object]] = [{"use": name} for name in remedy.first]
        steps.append({"use": remedy.use, "with": dict(remedy.options)})
        return _inserted(root, steps, place)
    stage = place.stage if isinstance(remedy, RemoveOption) else remedy.stage or place.stage
    keys = _option_path(stage, remedy.option)
    if keys is None:
        return None
    if isinstance(remedy, RemoveOption):
        return _without(root, keys)
    if remedy.instead_of:
        root = _without(root, [*keys[:-1], remedy.instead_of])
    for option, value in remedy.also.items():
        root = assigned(root, [*keys[:-1], option], from_plain(value))
    return assigned(root, keys, from_plain(remedy.value))


def _option_path(stage: str, option: str) -> list[str] | None:
    """Return the keys that lead to an option of a stage; None if it is unknown."""
    if stage == "limits":
        return ["limits", *option.split(".")]
    if stage in ("", "executor"):
        return [option] if option in _TOP and not stage else None
    return [*stage.split("."), "with", *option.split(".")]


def _inserted(root: Node, steps: list[dict[str, object]], place: Place) -> Node | None:
    """Return a pipeline with steps before a stage."""
    nodes = from_plain(steps)
    path = place.stage.split(".")
    if path[0] == "steps":
        keys, index = ["steps"], int(path[1])
    elif path[0] == "outputs" and len(path) > 3 and path[2] == "steps":
        keys, index = path[:3], int(path[3])
    elif re.fullmatch(r"outputs\.\d+", place.stage):
        keys, index = ([*path, "steps"] if place.own_steps else ["steps"]), None
    else:
        return None
    found: Node | None = root
    for key in keys:
        found = _child(found, key)
    before = list(found.items) if isinstance(found, SequenceNode) else []
    index = len(before) if index is None else index
    items = (*before[:index], *nodes.items, *before[index:]) if isinstance(nodes, SequenceNode) else tuple(before)
    return assigned(root, keys, SequenceNode(items, None))


def _child(node: Node | None, key: str) -> Node | None:
    if isinstance(node, MappingNode):
        return node.entries[key].node if key in node.entries else None
    if isinstance(node, SequenceNode):
        return node.items[int(key)]
    return None


def _without(node: Node, keys: list[str]) -> Node:
    """Return a pipeline without the value at a path; the same one if there is none."""
    key, *rest = keys
    if isinstance(node, MappingNode) and key in node.entries:
        entries = {name: entry for name, entry in node.entries.items() if rest or name != key}
        if rest:
            entries[key] = MappingEntry(node.entries[key].key_mark, _without(node.entries[key].node, rest))
        return replace(node, entries=entries)
    if isinstance(node, SequenceNode) and rest:
        index = int(key)
        changed = _without(node.items[index], rest)
        return replace(node, items=(*node.items[:index], changed, *node.items[index + 1 :]))
    return node


def _identity(problem: Problem) -> tuple[str, str]:
    """Return what tells a problem from others, wherever its stage moves."""
    return problem.code, problem.message
