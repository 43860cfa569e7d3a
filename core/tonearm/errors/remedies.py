"""Remedies: what would fix a problem, as data.

A remedy is written once, and reads differently for a pipeline in YAML, the flags of a command, a pipeline in Python,
and a call of a function such as `tonearm.save`::

    SetOption("sample_rate", 22050)   sample_rate: 22050     --sample-rate 22050
                                      "sample_rate": 22050   sample_rate=22050
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from tonearm.errors.assignments import assignment, assignments, flag, step, without
from tonearm.errors.literals import OPEN, all_of, either, flag_value, python_literal, shell_word, yaml_literal
from tonearm.errors.place import Place


class SetOption(Struct, frozen=True, tag=True):
    """Set an option of the stage that has the problem.

    Parameters
    ----------
    option
        Name of the option.
    value
        Value to give it: text, a number, a boolean, or a list or mapping of these.
    when
        Condition under which this is right, as in ``if these are decibels``.
    stage
        Path of another stage that has the option, such as ``input``; empty for the stage that has the problem.
    instead_of
        Name of an option of the stage that is left out; empty if none is.
    also
        Other options of the stage to set with it, by name.
    """

    option: str
    value: Any
    when: str = ""
    stage: str = ""
    instead_of: str = ""
    also: Mapping[str, Any] = {}

    def text(self, place: Place) -> str:
        """Return the assignments, with their condition."""
        if not self.stage:
            text = assignments({self.option: self.value, **self.also}, place)
            return _with(f"{text}{without(self.instead_of, place)}" if self.instead_of else text, self.when)
        there = replace(place, stage=self.stage, use="", put_in=False)
        text = assignment(self.option, (self.value,), there)
        is_whole = place.form == "flags" or (place.form == "call" and self.stage == "input")
        return _with(text if is_whole else f"{text} in the options of {self.stage}", self.when)


class ChooseOption(Struct, frozen=True, tag=True):
    """Set an option of the stage that has the problem to one of several values.

    Parameters
    ----------
    option
        Name of the option.
    values
        Values that fit; only the user knows which is right.
    when
        Condition under which this is right.
    """

    option: str
    values: tuple[Any, ...]
    when: str = ""

    def text(self, place: Place) -> str:
        """Return the assignment with all values, and its condition."""
        return _with(assignment(self.option, self.values, place), self.when)


class GiveOption(Struct, frozen=True, tag=True):
    """Give an option whose value only the user knows to the stage that has the problem.

    Parameters
    ----------
    option
        Name of the option.
    meaning
        Description of the option.
    """

    option: str
    meaning: str = ""

    def text(self, place: Place) -> str:
        """Return the assignment with its value left open, and what the option means."""
        return _meaning(assignment(self.option, (OPEN,), place), self.meaning)


class RemoveOption(Struct, frozen=True, tag=True):
    """Leave out an option of the stage that has the problem.

    Parameters
    ----------
    option
        Name of the option.
    when
        Condition under which this is right.
    """

    option: str
    when: str = ""

    def text(self, place: Place) -> str:
        """Return the advice, with its condition."""
        name = flag(self.option) if place.has_flags else self.option
        return _with(f"leave {name} out", self.when)


class ChoosePlugin(Struct, frozen=True, tag=True):
    """Choose the decoder or the encoder, where the suffix of a file does not tell.

    Parameters
    ----------
    role
        Role of the plugin: ``decoder`` or ``encoder``.
    names
        Names of plugins that fit; only the user knows which is right. Empty if any may.
    when
        Condition under which this is right, or what the plugins are for.
    """

    role: str
    names: tuple[str, ...] = ()
    when: str = ""

    def text(self, place: Place) -> str:
        """Return the argument that names the plugin: a flag, ``use``, or the ``format`` of a call."""
        names = self.names or (OPEN,)
        if place.form == "flags":
            text = assignment(self.role, names, Place(form="flags"))
        elif place.form != "call":
            text = assignment("use", names, place)
        elif self.role == "encoder":
            text = assignment("format", names, Place(form="call"))
        else:  # no argument names a decoder
            text = f'load_pipeline({{"input": {either(python_literal({"use": name}) for name in names)}, …}})'
        return _with(text, self.when) if self.names else _meaning(text, self.when)


class InsertStep(Struct, frozen=True, tag=True):
    """Put a step before the stage that has the problem.

    Parameters
    ----------
    use
        Name of the transform.
    options
        Options of the step.
    when
        Condition under which this is right.
    first
        Names of transforms that come before the step, in their order.
    """

    use: str
    options: Mapping[str, Any] = {}
    when: str = ""
    first: tuple[str, ...] = ()

    def text(self, place: Place) -> str:
        """Return the step, with its condition."""
        if place.form == "flags" and not place.own_steps:
            sets = ";".join(f"{name}={yaml_literal(value)}" for name, value in self.options.items())
            named = f"{self.use}:{sets}" if sets else self.use
            text = " ".join(f"--step {shell_word(name)}" for name in (*self.first, named))
            return _with(f"{text} before it" if place.stage.startswith("steps.") else text, self.when)
        if place.form == "python":
            last = {"use": self.use} | ({"with": self.options} if self.options else {})
            entries = [*({"use": name} for name in self.first), last]
            return _with(f"put {all_of(map(python_literal, entries))} {_where(place)}", self.when)
        if place.form == "call":
            last_step = step(self.use, self.options) if self.options else python_literal(self.use)
            text = f"steps=[{', '.join([*map(python_literal, self.first), last_step])}]"
            is_before = place.stage.startswith("steps.") and not place.put_in
            return _with(f"{text} before it" if is_before else text, self.when)
        options = ", ".join(f"{name}: {yaml_literal(value)}" for name, value in self.options.items())
        text = f"put {all_of((*self.first, self.use))} {_where(place)}"
        return _with(f"{text}, with {options}" if options else text, self.when)


class SetLimit(Struct, frozen=True, tag=True):
    """Set a limit of the pipeline.

    Parameters
    ----------
    limit
        Name of the limit.
    value
        Value to give it.
    when
        Condition under which this is right.
    """

    limit: str
    value: Any
    when: str = ""

    def text(self, place: Place) -> str:
        """Return the flag, which holds for a pipeline in YAML, too, or the argument."""
        if place.form in ("python", "call"):
            return _with(f'limits={{"{self.limit}": {python_literal(self.value)}}}', self.when)
        flag = f"--limit {shell_word(f'{self.limit}={flag_value(self.value)}')}"
        if place.form == "flags":
            return _with(flag, self.when)
        return _with(f"limits: {{{self.limit}: {yaml_literal(self.value)}}} in the pipeline, or {flag}", self.when)


class InstallExtra(Struct, frozen=True, tag=True):
    """Install one of tonearm's extras.

    Parameters
    ----------
    extra
        Name of the extra: ``m4a``.
    """

    extra: str

    def text(self, _: Place) -> str:
        """Return the pip line."""
        return f"pip install 'tonearm[{self.extra}]'"


class RunCommand(Struct, frozen=True, tag=True):
    """Run a command.

    Parameters
    ----------
    argv
        Words of the command.
    when
        What the command is for, or when to run it.
    """

    argv: tuple[str, ...]
    when: str = ""

    def text(self, _: Place) -> str:
        """Return the command, quoted for a shell."""
        return _with(" ".join(map(shell_word, self.argv)), self.when)


class Advice(Struct, frozen=True, tag=True, omit_defaults=True, repr_omit_defaults=True):
    """Advice in prose, for what no option, step or command can fix.

    Parameters
    ----------
    prose
        The advice.
    in_call
        The advice for a call from Python, where it is another; empty if it is the same in every form.
    """

    prose: str
    in_call: str = ""

    def text(self, place: Place) -> str:
        """Return the advice."""
        return self.in_call if self.in_call and place.form == "call" else self.prose


class ShowTraceback(Struct, frozen=True, tag=True):
    """Look at the traceback of a plugin's exception."""

    def text(self, place: Place) -> str:
        """Return how to see the traceback; empty if it is printed anyway."""
        from tonearm.errors import tracebacks  # not at the top: only the text of this remedy needs it

        if place.form in ("python", "call"):
            return "its __cause__ shows where"
        return "" if tracebacks.are_shown() else "--debug shows where"


Remedy: TypeAlias = (
    SetOption
    | ChooseOption
    | GiveOption
    | RemoveOption
    | ChoosePlugin
    | InsertStep
    | SetLimit
    | InstallExtra
    | RunCommand
    | Advice
    | ShowTraceback
)
"""Remedy of an error, as data. It is written as YAML, as flags, as Python, or as the arguments of a call."""


def _with(text: str, when: str) -> str:
    return f"{text}, {when}" if when else text


def _meaning(text: str, meaning: str) -> str:
    return f"{text} ({meaning.rstrip('.')})" if meaning else text


def _where(place: Place) -> str:
    """Return where a step goes that comes before the stage."""
    return "at the end of its own steps" if place.own_steps and place.is_encoder else "before it"
