"""The structure of a pipeline: its keys, and the shape of the values under them."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from tonearm.addresses import refuse_address
from tonearm.errors import GiveOption, Problem, SetOption, UsageError, did_you_mean, one_line
from tonearm.pipeline.environment import Masks
from tonearm.pipeline.problems import Problems
from tonearm.pipeline.yaml.nodes import (
    INSPECT,
    MappingEntry,
    MappingNode,
    Mark,
    Node,
    ScalarNode,
    SequenceNode,
    node_type,
)

FORMAT_VERSION = 1
PIPELINE_KEYS = ("tonearm", "input", "steps", "outputs", "limits")
INPUT_KEYS = ("use", "files", "with")
STEP_KEYS = ("use", "with")
OUTPUT_KEYS = ("use", "file", "steps", "with")
INPUT_EXAMPLE = {"use": "npy-reader", "files": "*.npy"}
STEP_EXAMPLE = [{"use": "normalize"}]
LIMITS_EXAMPLE = {"memory": "4GB"}
OUTPUT_EXAMPLE = [{"use": "wav-writer", "file": "{stem}.wav"}]
NO_OUTPUTS = Problem(
    code="missing-key", message="'outputs' is missing", remedies=(SetOption("outputs", OUTPUT_EXAMPLE),)
)
"""Problem of a pipeline that is to write, but has no outputs."""

MAX_SHOWN = 100
"""Largest number of characters of a name that a hint repeats."""


class Stage(Struct, frozen=True):
    """One stage of a pipeline: a plugin by name, with its options.

    Parameters
    ----------
    use
        Name of the plugin; None if it is missing.
    mark
        Place of the name, or of the stage.
    options
        Node under ``with:``.
    file
        Node of an output's template.
    steps
        Steps of an output's own.
    variables
        Names of the environment variables in the name.
    """

    use: str | None
    mark: Mark | None
    options: Node | None
    file: ScalarNode | None = None
    steps: tuple[Stage, ...] = ()
    variables: tuple[str, ...] = ()


class Structure(Struct, frozen=True):
    """The parts of a pipeline; those that are missing or have the wrong shape are None or left out.

    ``masks`` has what is shown in place of the patterns in ``files`` that have variables.
    """

    decoder: Stage | None
    files: tuple[str, ...]
    steps: tuple[Stage, ...]
    outputs: tuple[Stage, ...]
    limits: MappingNode | None = None
    masks: Masks = Masks()


def read_structure(root: Node, problems: Problems, *, needs_outputs: bool = True) -> Structure:
    """Return the parts of a pipeline, and add problems of its structure.

    Parameters
    ----------
    root
        Root node of the pipeline.
    problems
        Collection of problems to add to.
    needs_outputs
        Whether the pipeline must have outputs, because something is written.
    """
    top = _map(root, "a pipeline", PIPELINE_KEYS, problems)
    if top is None:
        return Structure(None, (), (), ())
    _version(top.get("tonearm"), root.mark, problems)
    decoder = None
    if "input" in top:
        decoder = _stage(top["input"].node, "input", INPUT_KEYS, problems)
    else:
        problems.add(root.mark, "missing-key", "'input' is missing", remedies=(SetOption("input", INPUT_EXAMPLE),))
    outputs = _stages(top.get("outputs"), "outputs", OUTPUT_KEYS, problems)
    if "outputs" not in top and needs_outputs:
        problems.add(root.mark, NO_OUTPUTS.code, NO_OUTPUTS.message, remedies=NO_OUTPUTS.remedies)
    return Structure(
        decoder=decoder,
        files=_files(top.get("input"), problems),
        steps=_stages(top.get("steps"), "steps", STEP_KEYS, problems),
        outputs=outputs,
        limits=_limits(top.get("limits"), problems),
        masks=Masks.of(_files_node(top.get("input"))),
    )


def without_options(root: Node) -> Node:
    """Return a pipeline without its sources and the options of its plugins: what is left names and limits."""
    if isinstance(root, SequenceNode):
        return replace(root, items=tuple(map(without_options, root.items)))
    if isinstance(root, MappingNode):
        kept = {name: entry for name, entry in root.entries.items() if name not in ("with", "files")}
        return replace(
            root, entries={name: replace(entry, node=without_options(entry.node)) for name, entry in kept.items()}
        )
    return root


def _limits(entry: MappingEntry | None, problems: Problems) -> MappingNode | None:
    """Return the node of the limits, if there are any."""
    if entry is None or (isinstance(entry.node, ScalarNode) and entry.node.value is None):
        return None
    if isinstance(entry.node, MappingNode):
        return entry.node
    problems.add(
        entry.node.mark,
        "wrong-shape",
        f"limits must be a mapping, but is {node_type(entry.node)}",
        remedies=(SetOption("limits", LIMITS_EXAMPLE),),
    )
    return None


def _map(node: Node, what: str, keys: tuple[str, ...], problems: Problems) -> dict[str, MappingEntry] | None:
    """Return the entries of a mapping, and add problems for unknown keys."""
    if not isinstance(node, MappingNode):
        message = f"{what} must be a mapping with {', '.join(keys)}, but is {node_type(node)}"
        problems.add(node.mark, "wrong-shape", message, _as_mapping(node, keys))
        return None
    for key, entry in node.entries.items():
        if key not in keys:
            hint = did_you_mean(key, keys) or f"it has {', '.join(keys)}"
            problems.add(entry.key_mark, "unknown-key", f"{what} has no key {one_line(key)!r}", hint)
    return node.entries


def _as_mapping(node: Node, keys: tuple[str, ...]) -> str:
    """Return how to write a stage of which there is the name alone, or the names of files in place of the input."""
    if keys is PIPELINE_KEYS:
        return INSPECT
    text = node.value if isinstance(node, ScalarNode) and not node.variables else None
    if not isinstance(text, str) or not text or len(text) > MAX_SHOWN:
        return ""
    import json  # not at the top: only mistakes need it

    example = {
        INPUT_KEYS: {**INPUT_EXAMPLE, **({"files": text} if "." in text or "*" in text else {"use": text})},
        STEP_KEYS: {"use": text},
        OUTPUT_KEYS: {**OUTPUT_EXAMPLE[0], **({"file": text} if "." in text else {"use": text})},
    }[keys]
    return f"write {{{', '.join(f'{name}: {one_line(json.dumps(value))}' for name, value in example.items())}}}"


def _version(entry: MappingEntry | None, mark: Mark | None, problems: Problems) -> None:
    if entry is None:
        problems.add(mark, "missing-key", "'tonearm' is missing", remedies=(SetOption("tonearm", FORMAT_VERSION),))
    elif not (
        isinstance(entry.node, ScalarNode) and type(entry.node.value) is int and entry.node.value == FORMAT_VERSION
    ):
        problems.add(
            entry.node.mark,
            "wrong-version",
            f"this tonearm reads format {FORMAT_VERSION}",
            remedies=(SetOption("tonearm", FORMAT_VERSION),),
        )


def _stage(node: Node, what: str, keys: tuple[str, ...], problems: Problems) -> Stage | None:
    """Return one stage, and add its problems."""
    entries = _map(node, what, keys, problems)
    if entries is None:
        return None
    use = entries.get("use")
    name = None
    if use is None:
        problems.add(
            node.mark, "missing-key", f"{what}: 'use' is missing", remedies=(GiveOption("use", "name of a plugin"),)
        )
    elif isinstance(use.node, ScalarNode) and isinstance(use.node.value, str) and use.node.value:
        name = use.node.value
    else:
        problems.add(use.node.mark, "wrong-shape", f"{what}: 'use' is the name of a plugin, not {_what(use.node)}")
    file = None
    steps: tuple[Stage, ...] = ()
    if keys is OUTPUT_KEYS:
        file = _output_file(entries.get("file"), node, what, problems)
        steps = _stages(entries.get("steps"), f"{what}.steps", STEP_KEYS, problems)
    options = entries["with"].node if "with" in entries else None
    return Stage(
        use=name,
        mark=use.node.mark if use else node.mark,
        options=options,
        file=file,
        steps=steps,
        variables=use.node.variables if use and isinstance(use.node, ScalarNode) else (),
    )


def _output_file(entry: MappingEntry | None, node: Node, what: str, problems: Problems) -> ScalarNode | None:
    if entry is None:
        problems.add(
            node.mark, "missing-key", f"{what}: 'file' is missing", remedies=(SetOption("file", "audio/{stem}.wav"),)
        )
    elif isinstance(entry.node, ScalarNode) and isinstance(entry.node.value, str):
        return entry.node
    else:
        hint = "a name that starts with { is quoted" if isinstance(entry.node, MappingNode) else ""
        problems.add(entry.node.mark, "wrong-shape", f"{what}: 'file' is a name, not {node_type(entry.node)}", hint)
    return None


def _stages(entry: MappingEntry | None, what: str, keys: tuple[str, ...], problems: Problems) -> tuple[Stage, ...]:
    """Return the stages of a list."""
    is_empty = entry is not None and isinstance(entry.node, ScalarNode) and entry.node.value is None
    if entry is None or (is_empty and keys is STEP_KEYS):
        return ()
    node = entry.node
    if not isinstance(node, SequenceNode):
        problems.add(
            node.mark,
            "wrong-shape",
            f"{what} must be a list, but is {node_type(node)}",
            remedies=(
                SetOption("outputs", OUTPUT_EXAMPLE) if keys is OUTPUT_KEYS else SetOption("steps", STEP_EXAMPLE),
            ),
        )
        return ()
    if not node.items and what == "outputs":
        problems.add(node.mark, "wrong-shape", "outputs is empty", remedies=(SetOption("outputs", OUTPUT_EXAMPLE),))
    stages = (_stage(item, f"{what}.{index}", keys, problems) for index, item in enumerate(node.items))
    return tuple(stage for stage in stages if stage)


def _what(node: Node) -> str:
    """Return the type of a node that should be a name, in words."""
    return "empty text" if isinstance(node, ScalarNode) and node.value == "" else node_type(node)


def _files(entry: MappingEntry | None, problems: Problems) -> tuple[str, ...]:
    """Return the patterns of ``input.files``."""
    node = _files_node(entry)
    if node is None:
        return ()
    patterns = []
    for item in node.items if isinstance(node, SequenceNode) else (node,):
        if isinstance(item, ScalarNode) and isinstance(item.value, str) and item.value:
            patterns.append(item.value)
            try:
                refuse_address(item.value)
            except UsageError as error:
                problems.add_error(item.mark, error)
        else:
            problems.add(item.mark, "wrong-shape", f"input: 'files' is a pattern or a list of them, not {_what(item)}")
    return tuple(patterns)


def _files_node(entry: MappingEntry | None) -> Node | None:
    if entry is None or not isinstance(entry.node, MappingNode) or "files" not in entry.node.entries:
        return None
    return entry.node.entries["files"].node
