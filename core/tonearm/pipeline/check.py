"""Validation of a pipeline before any data is read: plugins, options, ports, limits of encoders, names of outputs."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Container, Iterable, Sequence
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from tonearm.errors import Form, InsertStep, OptionError, PipelineError, Place, Problem, SetOption, one_line
from tonearm.pipeline.answers import add_missing_requirements, as_grouping, as_spec, promised
from tonearm.pipeline.checked import BoundPlugin, CheckedPipeline, Output
from tonearm.pipeline.environment import Masks, add_refused, with_hidden_tags
from tonearm.pipeline.given_limits import limits_of
from tonearm.pipeline.inference import find_conversion, matching_signals, plugins_by_suffix
from tonearm.pipeline.networks import no_decoder_error, refused_layout_error, takes_any_model
from tonearm.pipeline.options import read_options
from tonearm.pipeline.output_templates import read_templates
from tonearm.pipeline.problems import Problems
from tonearm.pipeline.structure import Stage, Structure, read_structure, without_options
from tonearm.pipeline.yaml.nodes import Mark, Node, ScalarNode
from tonearm.plugins.culprit import has_foreign_code
from tonearm.plugins.decoder import Decoder
from tonearm.plugins.encoder import Encoder
from tonearm.plugins.ports import Ports, Spec, ports_of
from tonearm.plugins.registry import PluginError, Registry, as_plugin_error
from tonearm.plugins.transform import Regroup, Transform
from tonearm.signals import Signal

T = TypeVar("T")


def check(
    root: Node,
    file: str | None,
    registry: Registry,
    *,
    form: Form | None = None,
    env: Iterable[str] = (),
    needs_outputs: bool = True,
    put_in: Container[str] = (),
    one_source: bool = False,
    signal: BoundPlugin | None = None,
) -> CheckedPipeline:
    """Return the pipeline with its plugins bound to their options.

    Parameters
    ----------
    root
        Root node of the pipeline.
    file
        Name of the pipeline's file in messages; None for a mapping given from Python.
    registry
        Registry of plugins.
    form
        Form in which remedies are written; YAML for a file and Python for a mapping, if None.
    env
        Names of the environment variables that may stand anywhere in the pipeline.
    needs_outputs
        Whether the pipeline must have outputs, because something is written.
    put_in
        Paths of the steps that the user has not asked for; they were put in between two ports.
    one_source
        Whether it converts one source that is at hand, whose batch may have one element.
    signal
        Decoder that gives a signal in memory, in place of the one that the pipeline names.

    Raises
    ------
    PipelineError
        If the pipeline has problems; it contains all of them, each with its place.
    """
    allowed = frozenset(env)

    def ask(root: Node) -> tuple[list[Problem], CheckedPipeline | None]:
        problems = Problems(file, form, put_in)
        return _checked(root, problems, _Binder(registry, problems, allowed, one_source), needs_outputs, signal)

    problems, checked = ask(root)
    if checked is None:
        from tonearm.pipeline.check_trials import try_on_pipeline

        raise PipelineError(try_on_pipeline(root, problems, lambda changed: ask(changed)[0]))
    return checked


def _checked(
    root: Node, problems: Problems, binder: _Binder, needs_outputs: bool, signal: BoundPlugin | None
) -> tuple[list[Problem], CheckedPipeline | None]:
    """Return the problems of a pipeline, or else none and the pipeline with its plugins. See `check`."""
    structure = read_structure(root, problems, needs_outputs=needs_outputs)
    decoder = (
        binder.bind(structure.decoder, "decoder", "input")
        if signal is None
        else _Found(signal.name, None, replace(problems.place, stage="input"), signal.ports, signal)
    )
    steps = binder.bind_steps(structure.steps, "steps")
    branches = [binder.bind_branch(stage, index, structure) for index, stage in enumerate(structure.outputs)]
    several = [bool(spec and spec.several) for spec in binder.check_ports(decoder, steps, branches)]
    outputs = zip(structure.outputs, several, strict=True)
    joiner = next((step.name for step in steps if _joins(step)), "")
    templates = list(read_templates(outputs, problems, binder.env, structure.files, joiner))
    limits = limits_of(structure.limits, problems, binder.registry)
    add_refused(without_options(root), binder.env, problems)
    if problems.found:
        problems.mask(Masks.of(root))
        return problems.found, None
    (first,) = _bound([decoder])
    encoders = _bound(branch.encoder for branch in branches)
    own_steps = (_bound(branch.steps) for branch in branches)
    return [], CheckedPipeline(
        file=problems.file,
        decoder=first,
        files=structure.files,
        masks=structure.masks,
        steps=_bound(steps),
        outputs=tuple(map(Output, encoders, templates, own_steps)),
        catalogue=binder.registry.catalogue,
        limits=limits,
        warnings=tuple(problems.warnings),
    )


def bind_decoder(
    root: Node, file: str | None, registry: Registry, *, form: Form | None = None, env: Iterable[str] = ()
) -> BoundPlugin:
    """Return the decoder of a pipeline that may still lack steps and outputs. The parameters are those of `check`.

    Raises
    ------
    PipelineError
        If the input has problems; it contains all of them.
    """
    problems = Problems(file, form)
    structure = read_structure(root, problems, needs_outputs=False)
    start = len(problems.found)
    binder = _Binder(registry, problems, frozenset(env))
    found = binder.bind(structure.decoder, "decoder", "input")
    if found.bound is None or len(problems.found) > start:
        problems.mask(Masks.of(root))
        raise PipelineError(problems.found)
    return found.bound


class _Found(Struct):
    """One stage with its plugin, as far as it has no problems."""

    name: str
    mark: Mark | None
    place: Place
    ports: Ports | None = None
    bound: BoundPlugin | None = None
    spec: Spec | None = None


class _Branch(Struct):
    """The stages of one output."""

    steps: list[_Found]
    encoder: _Found
    suffix: str | None
    file: ScalarNode | None = None


def _bound(stages: Iterable[_Found]) -> tuple[BoundPlugin, ...]:
    return tuple(replace(stage.bound, spec=promised(stage.spec)) for stage in stages if stage.bound)


class _Binder:
    """Binds the plugins of a pipeline, and checks the signals between them."""

    def __init__(
        self, registry: Registry, problems: Problems, env: frozenset[str] = frozenset(), one_source: bool = False
    ) -> None:
        self.registry = registry
        self._one_source = one_source
        self.problems = problems
        self.env = env

    def bind_steps(self, stages: Iterable[Stage], path: str, *, own: bool = False) -> list[_Found]:
        """Return the stages of a list of steps."""
        return [self.bind(stage, "transform", f"{path}.{index}", own_steps=own) for index, stage in enumerate(stages)]

    def bind_branch(self, output: Stage, index: int, structure: Structure) -> _Branch:
        """Return the stages of an output."""
        path = f"outputs.{index}"
        own_steps = len(structure.outputs) > 1 or bool(output.steps)
        steps = self.bind_steps(output.steps, f"{path}.steps", own=True)
        return _Branch(steps, self.bind(output, "encoder", path, own_steps=own_steps), _suffix(output), output.file)

    def bind(self, stage: Stage | None, role: str, path: str, *, own_steps: bool = False) -> _Found:
        """Return a stage with its plugin and options, as far as they are valid.

        Parameters
        ----------
        stage
            Stage as the pipeline has it; None if it is missing.
        role
            Role of the plugin.
        path
            Path of the stage in the pipeline.
        own_steps
            Whether a step before the stage belongs to the steps of one output.
        """
        use = stage.use or "" if stage else ""
        put_in = path in self.problems.put_in
        place = replace(self.problems.place, stage=path, own_steps=own_steps, use=use, put_in=put_in)
        self.problems.place = place
        if stage is None or stage.use is None or not self.env.issuperset(stage.variables):
            return _Found("", stage.mark if stage else None, place)
        found = _Found(stage.use, stage.mark, place)
        try:
            entry = self.registry.find(role, stage.use)
            cls = entry.resolve()
            found.ports = ports_of(cls)
            with as_plugin_error(stage.use):
                node, start = with_hidden_tags(stage.options), len(self.problems.found)
                options = read_options(found.ports.options, node, stage.mark, stage.use, self.problems, self.registry)
                masks = Masks.of(node)
                self.problems.mask(masks, start)
                add_refused(stage.options, self.env, self.problems)
                if options is not None:
                    plugin = entry.bind(options, stage.use)
                    before = len(self.problems.found)
                    add_missing_requirements(self.problems, stage.mark, plugin, stage.use)
                    if len(self.problems.found) == before:
                        found.bound = BoundPlugin(
                            *(stage.use, entry, plugin, found.ports, place),
                            masks=masks,
                            is_guarded=has_foreign_code(plugin),
                        )
        except PluginError as error:
            self.problems.add_error(stage.mark, error)
        return found

    def check_ports(self, decoder: _Found, steps: Iterable[_Found], branches: Sequence[_Branch]) -> list[Spec | None]:
        """Check the ports of all stages, from the decoder along each branch to its encoder.

        Returns
        -------
        list of Spec or None
            Specification of the signals that each encoder gets; None if unknown.
        """
        shared = self._follow(self._spec(decoder, None), decoder, steps)
        found, start = self.problems.found, len(self.problems.found)
        specs, failed = [], set()
        for index, branch in enumerate(branches):
            before = len(found)
            for step in branch.steps:
                self._check_grouping(step)
            spec, giver = self._follow(*shared, branch.steps)
            encoder = branch.encoder
            self._check_fit(spec, giver, encoder)
            if spec and encoder.bound and isinstance(encoder.bound.plugin, Encoder):
                self._ask(encoder, functools.partial(encoder.bound.plugin.accepts, spec.replace(suffix=branch.suffix)))
            self._check_suffix(branch)
            specs.append(spec)
            if len(found) > before:
                failed.add(index)
        if len(failed) == len(branches) and not any(branch.steps for branch in branches):
            # What every output lacks, a shared step gives to all of them.
            found[start:] = [replace(one, place=replace(one.place, own_steps=False)) for one in found[start:]]
        return specs

    def _follow(self, spec: Spec | None, giver: _Found, steps: Iterable[_Found]) -> tuple[Spec | None, _Found]:
        """Check the ports of steps; return the specification of what the last one gives, and that stage."""
        for step in steps:
            self._check_fit(spec, giver, step)
            spec, giver = self._spec(step, spec), step
        return spec, giver

    def _check_grouping(self, step: _Found) -> None:
        """Add a problem if one of an output's own steps needs more than one item at a time."""
        plugin = step.bound.plugin if step.bound else None
        if isinstance(plugin, Regroup) and self._ask(step, lambda: as_grouping(plugin.grouping())) not in (
            "item",
            None,
        ):
            self.problems.add(
                step.mark,
                "needs-all-items",
                f"{step.name} joins the items of a source, but the steps of an output get one item at a time",
                "put it into the steps of the pipeline",
            )

    def _spec(self, found: _Found, before: Spec | None) -> Spec | None:
        """Return the specification of the signals after a stage; None if unknown."""
        ports = found.ports
        if ports is None:
            return None
        plugin = found.bound.plugin if found.bound else None
        spec = None
        if isinstance(plugin, Decoder):
            spec = self._ask(found, lambda: as_spec(plugin.produces(), ports))
            if spec and self._one_source:  # its batch may have one element
                spec = spec.replace(several=None)
        elif isinstance(plugin, (Transform, Regroup)) and before:
            narrowed = before.replace(signals=matching_signals(before.signals, ports.takes) or ports.takes)
            spec = self._ask(found, lambda: as_spec(plugin.produces(narrowed), ports))
            if spec and isinstance(plugin, Transform):
                for warning in self._ask(found, lambda: tuple(plugin.warnings(narrowed))) or ():
                    self.problems.add_warning(found.mark, warning, whose=found.name)
            if spec and before.precision == "double":
                spec = self._check_precision(found, plugin.keeps_double, spec)
        found.spec = spec or Spec(signals=ports.gives)
        return found.spec

    def _check_decoding(self, giver: _Found, taker: _Found) -> None:
        """Add a problem if a network is to decode tokens in a layout whose codes alone give no sound."""
        plugin = giver.bound.plugin if giver.bound else None
        if plugin is None or taker.ports is None or not takes_any_model(taker.ports):
            return
        if error := refused_layout_error(plugin, taker.place):
            self.problems.place = taker.place
            self.problems.add(taker.mark, error.code, error.message, remedies=error.remedies)

    def _check_precision(self, found: _Found, keeps_double: bool, spec: Spec) -> Spec:
        """Add a problem if a step loses double precision; return the specification with the precision that it has."""
        if spec.precision == "single":
            return spec
        if not keeps_double:
            self.problems.place = found.place
            self.problems.add(
                found.mark,
                "loses-precision",
                f"{found.name} computes in single precision, but the input has precision: double",
                remedies=(SetOption("precision", "single", stage="input"),),
            )
        return spec.replace(precision="double")

    def _ask(self, found: _Found, question: Callable[[], T]) -> T | None:
        """Return the answer of a plugin to a question about specifications; None if it raises an error."""
        self.problems.place = found.place
        try:
            with as_plugin_error(found.name, found.bound.plugin if found.bound else None):
                try:
                    return question()
                except OptionError as error:
                    self.problems.add_error(found.mark, error, whose=found.name)
        except PluginError as error:
            self.problems.add_error(found.mark, error)
        return None

    def _check_suffix(self, branch: _Branch) -> None:
        """Add a problem if the name of an output has the suffix of another encoder's files."""
        encoder = branch.encoder.bound.plugin if branch.encoder.bound else None
        if branch.suffix is None or branch.file is None or not isinstance(encoder, Encoder) or not encoder.suffixes:
            return
        if str(branch.file.value).lower().endswith((*encoder.suffixes, *encoder.other_suffixes)):
            return  # all other encoders need not be imported
        others = plugins_by_suffix(self.registry, "encoder", f"x{branch.suffix}")
        if others:
            self.problems.place = branch.encoder.place
            self.problems.add(
                branch.file.mark,
                "wrong-suffix",
                f"{branch.encoder.name} writes {encoder.suffixes[0]} files, and {one_line(branch.suffix)} is the suffix"
                " of another format",
                f"write {encoder.suffixes[0]}, or use {self.registry.short_name(others[0])}",
            )

    def _check_fit(self, spec: Spec | None, giver: _Found, taker: _Found) -> None:
        if spec is None or taker.ports is None:
            return
        if matching_signals(spec.signals, taker.ports.takes):
            self._check_decoding(giver, taker)
            return
        way = find_conversion(self.registry, spec.signals, taker.ports.takes)
        self.problems.place = taker.place
        plugin = giver.bound.plugin if giver.bound else None
        if not way and (error := no_decoder_error(spec.signals, plugin, taker.place)):
            self.problems.add(taker.mark, error.code, error.message, remedies=error.remedies)
            return
        self.problems.add(
            taker.mark,
            "port-mismatch",
            f"{taker.name} takes {_ports(taker.ports.takes)}, but {giver.name} gives {_ports(spec.signals)}",
            "" if way else "no installed transform leads from one to the other",
            remedies=(InsertStep(way[-1], first=way[:-1]),) if way else (),
        )


def _joins(step: _Found) -> bool:
    """Return whether a step makes one item of a source's items."""
    is_regroup = step.bound is not None and isinstance(step.bound.plugin, Regroup)
    return is_regroup and step.spec is not None and step.spec.several is False


def _ports(signals: Iterable[type[Signal]]) -> str:
    return " or ".join(signal.port for signal in signals)


def _suffix(output: Stage) -> str | None:
    """Return the suffix of an output, if its template determines it."""
    suffix = os.path.splitext(str(output.file.value))[1] if output.file else ""  # noqa: PTH122 - pathlib takes 6 ms
    return suffix if suffix and not set(suffix) & set("{}") else None
