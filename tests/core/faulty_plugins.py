# ruff: noqa: E501 - a table: a row is a line
"""Fifty faulty plugins, and more: a table of what is wrong with each, and of what must be said.

Each row is a package named ``acme`` that offers one plugin ``acme-x``, or nothing that can be used. Here are faults
that are found before anything is converted; `faulty_work` has the others, and the whole table.
"""

from __future__ import annotations

import socket
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Annotated, Any

import numpy as np
from core_toys import hooks, package_of

from tonearm.api import (
    Context,
    Decoder,
    Encoder,
    Item,
    ItemError,
    MagnitudeSpectrogram,
    Meta,
    NoOptions,
    Regroup,
    Spec,
    Transform,
    Waveform,
)
from tonearm.plugins.discovery import Package

DISABLED = "broken-plugin: tonearm_acme 1.2 is disabled: "
X_DISABLED = "broken-plugin: acme-x is disabled: "
FAILED = "plugin-failed: acme-x failed: "


@dataclass(frozen=True)
class Fault:
    """A faulty plugin, and what must be said of it.

    Parameters
    ----------
    name
        What is wrong.
    package
        Package that has the fault.
    role
        Hook of the plugin that is used; empty if the package offers none.
    says
        Start of the error when the plugin is used: the code and the message.
    warns
        Starts of the warnings when the package is loaded.
    at
        When the error comes: at ``check``, or at ``convert``.
    own
        Whether the plugin is one of an output's own steps.
    """

    name: str
    package: Package
    role: str = ""
    says: str = ""
    warns: tuple[str, ...] = ()
    at: str = "check"
    own: bool = False


def loading(name: str, code: str, *warns: str) -> Fault:
    """Return a package whose module has this code."""

    def load() -> object:
        module = types.ModuleType("tonearm_acme")
        exec(compile(code, "tonearm_acme.py", "exec", dont_inherit=True), vars(module))
        return module

    return Fault(name, package_of("acme", load=load), warns=warns)


def hook(name: str, found: Any, *warns: str, role: str = "transforms") -> Fault:
    """Return a package whose hook gives something, or does something if it is a function."""
    return Fault(name, package_of("acme", hooks(**{role: found})), warns=warns)


def offering(name: str, role: str, target: Any, says: str, *, at: str = "check", warns: tuple[str, ...] = ()) -> Fault:
    """Return a package that offers one plugin."""
    return Fault(name, package_of("acme", hooks(**{role: {"acme-x": target}})), role, says, warns, at)


def own(fault: Fault) -> Fault:
    """Return a fault of a plugin among the steps of one output."""
    return replace(fault, own=True)


class MuteError(Exception):
    """An exception that cannot be printed."""

    def __str__(self) -> str:
        raise ZeroDivisionError

    __repr__ = __str__


class LibraryExit(BaseException):
    """An exception of a library that is no Exception."""


class CarelessError(ItemError):
    """An error that has forgotten its base class."""

    def __init__(self) -> None:
        self.text = "no"


def raises(error: BaseException) -> Callable[..., Any]:
    """Return a function that raises an error."""

    def function(self: object = None, *_: object) -> Any:
        raise error

    return function


def recurses(*arguments: Any) -> Any:
    return recurses(*arguments)


# --- Packages that cannot be loaded

PREAMBLE = "from tonearm.api import *\n"

LOADING = [
    loading(
        "a module is missing", "import no_such_module", f"{DISABLED}ModuleNotFoundError: No module named 'no_such_mo"
    ),
    loading(
        "a name is missing", "from tonearm.api import Nothing", f"{DISABLED}ImportError: cannot import name 'Nothing'"
    ),
    loading("a syntax error", "def (", f"{DISABLED}SyntaxError: invalid syntax (tonearm_acme.py, line 1)"),
    loading("it exits", "raise SystemExit('no licence')", f"{DISABLED}SystemExit: it calls sys.exit('no licence')"),
    loading("it recurses", "def f(): f()\nf()", f"{DISABLED}RecursionError: maximum recursion depth exceeded"),
    loading("memory is short", "raise MemoryError", f"{DISABLED}MemoryError"),
    loading("no Exception", "class Stop(BaseException): ...\nraise Stop('x')", f"{DISABLED}Stop: x"),
    loading(
        "an error without a text",
        "class Mute(Exception):\n    def __str__(self): return 1 / 0\nraise Mute",
        f"{DISABLED}Mute: (ZeroDivisionError in its own __str__)",
    ),
    loading("control characters", "raise ValueError('a\\n\\x1b[31mb')", rf"{DISABLED}ValueError: a\n\x1b[31mb"),
    loading("a warning as an error", "raise DeprecationWarning('old')", f"{DISABLED}DeprecationWarning: old"),
    loading(
        "it changes the folder", "import os; os.chdir('/')", f"{DISABLED}RuntimeError: it changes the current folder"
    ),
    loading("no hook", "x = 1", f"{DISABLED}it implements no hook"),
    loading(
        "a hook in the singular",
        PREAMBLE + "@hookimpl\ndef tonearm_decoder(): return {}",
        "unknown-hook: tonearm_decoder of tonearm_acme 1.2 is ignored: there is no hook 'tonearm_decoder'"
        "\n    hint: did you mean 'tonearm_decoders'?",
        f"{DISABLED}it implements no hook",
    ),
    loading(
        "transposed letters",
        PREAMBLE + "def tonearm_decodres(): return {}",
        "unknown-hook: tonearm_decodres of tonearm_acme 1.2 is ignored: there is no hook 'tonearm_decodres'"
        "\n    hint: did you mean 'tonearm_decoders'?",
        f"{DISABLED}it implements no hook",
    ),
    loading(
        "a hook without @hookimpl",
        PREAMBLE + "@hookimpl\ndef tonearm_encoders(): return {}\ndef tonearm_transforms(): return {}",
        "unknown-hook: tonearm_transforms of tonearm_acme 1.2 is ignored: tonearm_transforms is not marked with @hookimpl",
    ),
    loading(
        "a hook with arguments",
        PREAMBLE + "@hookimpl\ndef tonearm_decoders(config): return {}",
        f"{DISABLED}PluginValidationError: Plugin 'acme' for hook 'tonearm_decoders'",
    ),
    Fault("an entry point of nothing", package_of("acme", None), warns=(f"{DISABLED}it implements no hook",)),
]


class UnreadableMapping(dict[str, Any]):
    def items(self) -> Any:
        raise KeyError("x")


class UnreadableName:
    def __repr__(self) -> str:
        raise ZeroDivisionError


OF_HOOK = "broken-plugin: tonearm_transforms of tonearm_acme 1.2 is disabled: "


class Same(Transform[Waveform, Waveform, NoOptions]):
    """Do nothing, and be the base of what is faulty."""

    def apply(self, signal: Waveform, context: Context) -> Any:
        return signal


HOOKS = [
    hook("its hook raises", raises(ZeroDivisionError("x")), f"{OF_HOOK}ZeroDivisionError: x"),
    hook("its hook exits", raises(SystemExit(3)), f"{OF_HOOK}SystemExit: it calls sys.exit(3)"),
    hook("it returns nothing", None, f"{OF_HOOK}TypeError: it returns NoneType, not a mapping"),
    hook("it returns a list", [Same], f"{OF_HOOK}TypeError: it returns list, not a mapping"),
    hook("it returns a class", lambda: Same, f"{OF_HOOK}TypeError: it returns ABCMeta, not a mapping"),
    hook("its mapping raises", UnreadableMapping(x=Same), f"{OF_HOOK}KeyError: 'x'"),
    hook(
        "an invalid name", {"Acme X": Same},
        "broken-plugin: 'Acme X' in tonearm_transforms of tonearm_acme 1.2 is disabled: ValueError: not a valid plugin",
    ),
    hook(
        "a name that is no text", {UnreadableName(): Same},
        "broken-plugin: <UnreadableName> in tonearm_transforms of tonearm_acme 1.2 is disabled: ValueError: not a valid",
    ),
    hook(
        "an instance", {"acme-x": Same(NoOptions())},
        "broken-plugin: 'acme-x' in tonearm_transforms of tonearm_acme 1.2 is disabled: TypeError: it is Same, neither",
    ),
    Fault(
        "the name of a built-in plugin", package_of("acme", hooks(transforms={"gain": Same})),
        warns=("name-clash: acme/gain of tonearm_acme 1.2 has the name of builtin/gain, which wins"
               "\n    hint: write acme/gain to use it",),
    ),
]  # fmt: skip


# --- Classes that are no plugins

OF_X = "broken-plugin: transform 'acme-x' of tonearm_acme 1.2 is disabled: "


class Abstract(Transform[Waveform, Waveform, NoOptions]):
    pass


class Bare(Transform):
    def apply(self, signal, context): ...


class Numbers(Transform[int, Waveform, NoOptions]):
    def apply(self, signal, context): ...


class DictOptions(Transform[Waveform, Waveform, dict]):
    def apply(self, signal, context): ...


CLASSES = [
    offering(
        "no such module", "transforms", "no_such_module:X", f"{OF_X}ModuleNotFoundError: No module named 'no_such_m"
    ),
    offering(
        "no such class", "transforms", "core_toys:Nothing", f"{OF_X}AttributeError: module 'core_toys' has no attr"
    ),
    offering("no class in the text", "transforms", "core_toys", f"{OF_X}ValueError: 'core_toys' is not of the form"),
    offering("another class", "transforms", dict, f"{OF_X}TypeError: <class 'dict'> is not a transform class"),
    offering("another role", "decoders", Same, f"{OF_X.replace('transform', 'decoder')}TypeError: <class"),
    offering("no arguments in brackets", "transforms", Bare, f"{OF_X}TypeError: Bare: Transform needs 3 arguments"),
    offering("a port of numbers", "transforms", Numbers, f"{OF_X}TypeError: Numbers: a port is a Signal class, not"),
    offering("options that are no dataclass", "transforms", DictOptions, f"{OF_X}TypeError: DictOptions: the class of"),
    offering("no method", "transforms", Abstract, f"{X_DISABLED}TypeError: Can't instantiate abstract class Abstract"),
]


# --- Options


@dataclass(frozen=True)
class UnknownName:
    shape: NoSuchName = 0  # noqa: F821


@dataclass(frozen=True)
class Unsupported:
    where: socket.socket | None = None


@dataclass(frozen=True)
class BrokenDefault:
    names: list[str] = field(default_factory=raises(KeyError("default")))


@dataclass(frozen=True)
class BadDefault:
    rate: Annotated[int, Meta(ge=1)] = 0


@dataclass(frozen=True)
class BrokenPost:
    def __post_init__(self) -> None:
        raise ZeroDivisionError("post")


@dataclass(frozen=True)
class BrokenProblems:
    def problems(self) -> Iterator[Any]:
        yield "x"


def with_options(options: type[Any]) -> type[Any]:
    class Step(Transform[Waveform, Waveform, options]):
        def apply(self, signal, context):
            return signal

    return Step


OPTIONS = [
    offering(
        "a type that is not defined", "transforms", with_options(UnknownName), f"{X_DISABLED}NameError: name 'NoSuch"
    ),
    offering(
        "a type that no text can be", "transforms", with_options(Unsupported), f"{X_DISABLED}TypeError: option 'where'"
    ),
    offering("a default that raises", "transforms", with_options(BrokenDefault), f"{X_DISABLED}KeyError: 'default'"),
    offering(
        "a default out of bounds",
        "transforms",
        with_options(BadDefault),
        f"{X_DISABLED}TypeError: option 'rate' of Bad",
    ),
    offering("options that raise", "transforms", with_options(BrokenPost), f"{X_DISABLED}ZeroDivisionError: post"),
    offering(
        "problems that are texts", "transforms", with_options(BrokenProblems), f"{X_DISABLED}AttributeError: 'str'"
    ),
]


# --- Answers to the questions of a check


def step(**methods: Any) -> type[Any]:
    """Return a transform with some methods of its own."""
    return type("Step", (Same,), methods)


def giving(value: Any) -> Callable[..., Any]:
    return lambda *_: value


class Splits(Regroup[Waveform, Waveform, NoOptions]):
    def regroup(self, items, context):
        yield from items


class Writes(Encoder[Waveform, NoOptions]):
    def encode(self, item, sink, context):
        sink.path.write_bytes(b"x")


class Reads(Decoder[Waveform, NoOptions]):
    def decode(self, source, context):
        yield Item(signal=TONE)


TONE = Waveform(samples=np.full((1, 800), 0.5, np.float32), sample_rate=8000)


def reader(**members: Any) -> type[Any]:
    return type("Reader", (Reads,), members)


ANSWERS = [
    offering("it cannot start", "transforms", step(__init__=raises(OSError(2, "No such file", "x.onnx"))),
             f"{X_DISABLED}FileNotFoundError: [Errno 2] No such file: 'x.onnx'"),
    offering("it starts without options", "transforms", step(__init__=lambda self: None), f"{X_DISABLED}TypeError: "),
    offering("it exits at its start", "transforms", step(__init__=raises(SystemExit(1))),
             f"{X_DISABLED}SystemExit: it calls sys.exit(1)"),
    offering("needs that are texts", "transforms", step(requires=("torch",)),
             f"{X_DISABLED}TypeError: needs() gives 'torch', not a Requirement"),
    offering("needs that raise", "transforms", step(needs=raises(ZeroDivisionError("x"))),
             f"{X_DISABLED}ZeroDivisionError: x"),
    offering("produces gives nothing", "transforms", step(produces=giving(None)),
             f"{X_DISABLED}TypeError: produces() gives NoneType, not a Spec"),
    offering("produces gives a class alone", "transforms", step(produces=giving(Spec(signals=Waveform))),
             f"{X_DISABLED}TypeError: produces() gives a Spec whose signals are <class"),
    offering("produces gives another signal", "transforms", step(produces=giving(Spec(signals=(MagnitudeSpectrogram,)))),
             f"{X_DISABLED}TypeError: produces() gives a Spec of magnitude, but the plugin gives waveform"),
    offering("produces gives a float", "transforms", step(produces=giving(Spec(signals=(Waveform,), sample_rate=8e3))),
             f"{X_DISABLED}TypeError: produces() gives a Spec with sample_rate=8000.0, not a whole number"),
    offering("produces raises", "transforms", step(produces=raises(KeyError("grid"))), f"{X_DISABLED}KeyError: 'grid'"),
    offering("a reader's produces exits", "decoders", reader(produces=raises(SystemExit())),
             f"{X_DISABLED}SystemExit: it calls sys.exit(None)"),
    offering("accepts raises", "encoders", type("W", (Writes,), {"accepts": raises(MuteError())}),
             f"{X_DISABLED}MuteError: (ZeroDivisionError in its own __str__)"),
    offering("suffixes that are no texts", "encoders", type("W", (Writes,), {"suffixes": 3}), "broken-plugin: encoder"
             " 'acme-x' of tonearm_acme 1.2 is disabled: TypeError: suffixes is 3, not a tuple of texts like '.wav'"),
    offering("a revision that is a text", "transforms", step(revision="two"),
             f"{OF_X}TypeError: revision is 'two', not a whole number"),
    offering("preflight raises", "transforms", step(preflight=raises(OSError(2, "No such file", "x.onnx"))),
             f"{FAILED}cannot open x.onnx: No such file", at="convert"),
    offering("preflight exits", "transforms", step(preflight=raises(SystemExit(1))),
             f"{FAILED}SystemExit: it calls sys.exit(1)", at="convert"),
    offering("files that are numbers", "transforms", step(files=giving([7.5])), f"{FAILED}TypeError: ", at="convert"),
]  # fmt: skip
