"""The choice of the executor of a run, by name or by the number of jobs, and its options and timeout."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, cast

from tonearm.errors import Form, PipelineError, Place, TonearmError, UsageError, did_you_mean, one_line
from tonearm.names import BUILTIN
from tonearm.pipeline.document import MappingEntry, MappingNode, Node, ScalarNode, from_plain, override
from tonearm.pipeline.options import read_options
from tonearm.pipeline.problems import Problems
from tonearm.plugins.executor import Executor
from tonearm.plugins.nested import nested_plugins
from tonearm.plugins.options import declared_options
from tonearm.plugins.plugin import FROM_PYTHON
from tonearm.plugins.ports import ports_of
from tonearm.plugins.registry import PluginError, Registry, RegistryEntry, as_plugin_error
from tonearm.plugins.registry import default as installed_plugins
from tonearm.run.options import RunOptions

DEFAULT_TIMEOUT = 600.0
"""Time in seconds that a chunk may take without a sign of life, where a worker can be killed."""

_OF_THIS_MACHINE = ("in-process", "local")


class ChosenExecutor:
    """The executor of a run.

    Parameters
    ----------
    options
        Options of the run.
    cores
        Number of usable cores.
    registry
        Registry of plugins; all that are installed if None.

    Attributes
    ----------
    plugin
        Executor.
    name
        Name of the executor in messages; empty for one of this room, whose errors are bugs of tonearm.
    slots
        Largest number of chunks in flight, as far as is known before the executor is open.
    follows_capacity
        Whether that number follows the executor's capacity, because the user has given none.
    threads
        Number of threads that a plugin may use.
    jobs
        Number of worker processes or other workers; 0 for none.
    timeout
        Time in seconds that a chunk may take without a sign of life; None for no limit.

    Raises
    ------
    UsageError
        If there is no such executor, or it cannot keep the timeout.
    PipelineError
        If an option of the executor is wrong; ``problems`` lists everything that is.
    """

    def __init__(self, options: RunOptions, cores: int, registry: Registry | None = None) -> None:
        registry = registry or installed_plugins()
        name = options.executor or ("in-process" if options.jobs == 0 else "local")
        entry = _find(registry, name)
        self.plugin = _make(registry, entry, options)
        is_ours = entry.origin == BUILTIN and entry.name in _OF_THIS_MACHINE
        self.name = "" if is_ours else one_line(registry.short_name(entry))
        in_process = is_ours and entry.name == "in-process"
        jobs = options.jobs if is_ours else options.jobs or None  # 0 is this process, or another executor's choice
        self.slots = 1 if in_process else (cores if jobs is None else max(1, jobs))
        self.jobs = 0 if in_process else self.slots
        self.follows_capacity = jobs is None
        self.threads = max(1, cores // self.slots) if is_ours else 1
        self.timeout = options.timeout or None
        if self.plugin.isolates:
            self.timeout = DEFAULT_TIMEOUT if options.timeout is None else self.timeout
        elif self.timeout:
            raise UsageError(
                f"the executor {one_line(name)} cannot keep a timeout, because it cannot stop a source that hangs",
                hint="use the executor local, or no timeout",
            )


def _find(registry: Registry, name: str) -> RegistryEntry:
    try:
        return registry.find("executor", name)
    except PluginError as error:
        if error.code != "unknown-plugin":
            raise
        names = [registry.short_name(entry) for entry in registry.entries("executor")]
        hint = did_you_mean(name, names) or ", ".join(names)
        raise UsageError(f"there is no executor {one_line(name)!r}", code="unknown-executor", hint=hint) from None


def _make(registry: Registry, entry: RegistryEntry, options: RunOptions) -> Executor[Any]:
    """Return the executor with its options, or raise `PipelineError` with all problems of these."""
    problems = Problems(None)
    form: Form = "python" if isinstance(options.executor_options, Mapping) else "flags"
    problems.place = Place(stage="executor", form=form)
    cls = entry.resolve()
    name = registry.short_name(entry)
    with as_plugin_error(entry.full_name):
        declared = ports_of(cls).options
        objects = [name for name, option in declared_options(declared).items() if FROM_PYTHON in option.extra]
    given = _read(options.executor_options, objects)
    with as_plugin_error(entry.full_name):
        found = read_options(declared, given, None, name, problems, registry)
    if problems.found:
        raise PipelineError(problems.found)
    with as_plugin_error(entry.full_name):
        executor = entry.bind(found, name)
        missing = [need for need in executor.needs() if not need.is_met()]
    if missing:
        need = missing[0]
        message = f"{name} needs {need.what}, which is not installed"
        raise UsageError(message, code="missing-requirement", hint=need.hint)
    assert isinstance(executor, Executor)
    try:
        for plugin in (*nested_plugins(executor), executor):
            plugin.preflight()
    except TonearmError:
        raise
    except Exception:
        with as_plugin_error(entry.full_name):
            raise
    return executor


def _read(given: Mapping[str, object] | Sequence[str], objects: Collection[str]) -> Node:
    """Return the options as a node: values by name, or assignments as ``--executor-option`` takes them.

    Options that are objects are taken as they are.
    """
    if isinstance(given, Mapping):
        plain = from_plain({name: value for name, value in given.items() if name not in objects})
        assert isinstance(plain, MappingNode)
        kept = {
            name: MappingEntry(None, ScalarNode(cast("Any", given[name]), name, quoted=True, mark=None))
            for name in objects
            if name in given
        }
        return MappingNode({**plain.entries, **kept}, None)
    node: Node = MappingNode({}, None)
    for assignment in given:
        if "=" not in assignment:
            message = f"--executor-option {one_line(assignment)} is not an assignment"
            raise UsageError(message, hint="write --executor-option NAME=VALUE")
        node = override(node, assignment, option="--executor-option")
    return node
