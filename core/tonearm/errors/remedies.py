"""Remedies: what would fix a problem, as data.

A remedy is written once, and reads differently for a pipeline in YAML, a command line, and a call from Python::

    SetOption("sample_rate", 22050)   sample_rate: 22050   --sample-rate 22050   "sample_rate": 22050
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

Form: TypeAlias = Literal["yaml", "flags", "python"]
"""Where the pipeline comes from, and so how a remedy reads."""

_PLAIN = r"[A-Za-z_][\w.*/+-]*"
_NOT_TEXT = frozenset(("true", "false", "null", "yes", "no", "on", "off", "y", "n"))
_WORDS: Mapping[object, str] = {None: "null", True: "true", False: "false"}
_OPEN = "…"
"""Stands for a value that only the user knows."""


class Place(Struct, frozen=True):
    """Place of a problem within a pipeline.

    Parameters
    ----------
    stage
        Path of the stage: ``input``, ``steps.1``, ``outputs.0``; empty for the pipeline as a whole.
    form
        Form that the pipeline was given in.
    own_steps
        Whether a step before the stage belongs to the steps of one output.
    """

    stage: str = ""
    form: Form = "yaml"
    own_steps: bool = False


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
            joint = {"flags": " ", "yaml": " and ", "python": ", "}[place.form]
            given = {self.option: self.value, **self.also}
            text = joint.join(_assignment(option, (value,), place) for option, value in given.items())
            return _with(f"{text}{_without(self.instead_of, place)}" if self.instead_of else text, self.when)
        text = _assignment(self.option, (self.value,), replace(place, stage=self.stage))
        return _with(text if place.form == "flags" else f"{text} in the options of {self.stage}", self.when)


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
        return _with(_assignment(self.option, self.values, place), self.when)


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
        meaning = f" ({self.meaning.rstrip('.')})" if self.meaning else ""
        return f"{_assignment(self.option, (_OPEN,), place)}{meaning}"


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
        name = _flag(self.option) if _is_flag(place) else self.option
        return _with(f"leave {name} out", self.when)


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
            sets = ";".join(f"{name}={_yaml(value)}" for name, value in self.options.items())
            named = f"{self.use}:{sets}" if sets else self.use
            text = " ".join(f"--step {_quoted(name)}" for name in (*self.first, named))
            return _with(f"{text} before it" if place.stage.startswith("steps.") else text, self.when)
        if place.form == "python":
            last = {"use": self.use} | ({"with": self.options} if self.options else {})
            entries = [*({"use": name} for name in self.first), last]
            return _with(f"put {_listed(*map(_python, entries))} {_where(place)}", self.when)
        options = ", ".join(f"{name}: {_yaml(value)}" for name, value in self.options.items())
        text = f"put {_listed(*self.first, self.use)} {_where(place)}"
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
        if place.form == "python":
            return _with(f'limits={{"{self.limit}": {_python(self.value)}}}', self.when)
        flag = f"--limit {_quoted(f'{self.limit}={_inline(self.value)}')}"
        if place.form == "flags":
            return _with(flag, self.when)
        return _with(f"limits: {{{self.limit}: {_yaml(self.value)}}} in the pipeline, or {flag}", self.when)


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
        return _with(" ".join(map(_quoted, self.argv)), self.when)


class Advice(Struct, frozen=True, tag=True):
    """Advice in prose, for what no option, step or command can fix.

    Parameters
    ----------
    prose
        The advice, the same in every form.
    """

    prose: str

    def text(self, _: Place) -> str:
        """Return the advice."""
        return self.prose


class ShowTraceback(Struct, frozen=True, tag=True):
    """Look at the traceback of a plugin's exception."""

    def text(self, place: Place) -> str:
        """Return how to see the traceback; empty if it is printed anyway."""
        from tonearm.errors import tracebacks  # not at the top: only the text of this remedy needs it

        if place.form == "python":
            return "its __cause__ shows where"
        return "" if tracebacks.are_shown() else "--debug shows where"


Remedy: TypeAlias = (
    SetOption
    | ChooseOption
    | GiveOption
    | RemoveOption
    | InsertStep
    | SetLimit
    | InstallExtra
    | RunCommand
    | Advice
    | ShowTraceback
)
"""Remedy of an error, as data. It is written as YAML, as flags, or as Python."""


def _with(text: str, when: str) -> str:
    return f"{text}, {when}" if when else text


def _assignment(option: str, values: tuple[Any, ...], place: Place) -> str:
    """Return ``option`` with a value, or with several to choose from."""
    if place.form == "python":
        return f'"{option}": {_either(map(_python, values))}'
    if place.form == "yaml":
        return f"{option}: {_either(map(_yaml, values))}"
    if place.stage == "executor":
        return f"--executor-option {_either(_quoted(f'{option}={_inline(value)}') for value in values)}"
    if _is_flag(place):
        return f"{_flag(option)} {_either(_quoted(_inline(value)) for value in values)}"
    return f"--set {_either(_quoted(f'{place.stage}.with.{option}={_yaml(value)}') for value in values)}"


def _without(option: str, place: Place) -> str:
    """Return the words after an assignment that takes the place of another option."""
    if place.form == "flags" and not _is_flag(place):
        return f" --set {place.stage}.with.{option}=null"
    return f" in place of {_flag(option) if _is_flag(place) else option}"


def _is_flag(place: Place) -> bool:
    """Return whether options of a stage are flags of their own: those of the decoder are."""
    return place.form == "flags" and place.stage in ("", "input")


def _flag(option: str) -> str:
    return f"--{option.replace('_', '-')}"


def _where(place: Place) -> str:
    """Return where a step goes that comes before the stage."""
    is_encoder = re.fullmatch(r"outputs\.\d+", place.stage)
    return "at the end of its own steps" if place.own_steps and is_encoder else "before it"


def _listed(*texts: str) -> str:
    *others, last = texts
    return f"{', '.join(others)} and {last}" if others else last


def _either(texts: Any) -> str:
    *others, last = texts
    return f"{', '.join(others)} or {last}" if others else str(last)


def _yaml(value: Any) -> str:
    """Return a value as YAML on one line."""
    if isinstance(value, str):
        if value is _OPEN or (re.fullmatch(_PLAIN, value) and value.lower() not in _NOT_TEXT):
            return value
        import json

        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name}: {_yaml(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_yaml, value))}]"
    if isinstance(value, float):  # 1e-08 is text to readers of YAML 1.1
        return re.sub(r"^(-?\d+)e", r"\1.0e", repr(value))
    return _WORDS[value] if value is None or isinstance(value, bool) else str(value)


def _inline(value: Any) -> str:
    """Return a value as a flag takes it: a list needs no brackets, text no quotes."""
    if isinstance(value, str):
        return value
    if isinstance(value, (list, tuple)) and all(isinstance(inner, str) for inner in value):
        return ",".join(value)
    return _yaml(value)


def _python(value: Any) -> str:
    """Return a value as a Python literal."""
    if value is _OPEN:
        return str(value)
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_python(name)}: {_python(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_python, value))}]"
    return repr(value)


def _quoted(word: str) -> str:
    """Return a word quoted for a shell, unless it needs no quotes."""
    if re.fullmatch(r"[\w@%+=:,./…-]+", word):
        return word
    import shlex

    return shlex.quote(word)
