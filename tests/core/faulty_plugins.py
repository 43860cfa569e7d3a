# ruff: noqa: E501 - a table: a row is a line
"""Fifty faulty plugins, and more: a table of what is wrong with each, and of what must be said.

Each row is a package named ``acme`` that offers one plugin ``acme-x``, or nothing that can be used.
"""

from __future__ import annotations

import socket
import types
import urllib.request
import warnings
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
    Kind,
    MagnitudeSpectrogram,
    Meta,
    NoOptions,
    Regroup,
    Signal,
    Spec,
    StftGrid,
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
        f"{DISABLED}there is no hook 'tonearm_decoder'\n    hint: did you mean 'tonearm_decoders'?",
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


class HasTwoBases(Same, Decoder[Waveform, NoOptions]):
    def decode(self, source, context): ...


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


# --- Faults while items are converted


def applying(name: str, function: Any, says: str) -> Fault:
    return offering(name, "transforms", step(apply=lambda self, signal, context: function(signal)), says, at="convert")


def decoding(name: str, decode: Any, says: str) -> Fault:
    return offering(name, "decoders", reader(decode=lambda self, source, context: decode(source)), says, at="convert")


def regrouping(name: str, says: str, **members: Any) -> Fault:
    return offering(name, "transforms", type("Group", (Splits,), members), says, at="convert")


def encoding(name: str, encode: Any, says: str) -> Fault:
    members = {"encode": lambda self, item, sink, context: encode(item.signal, sink)}
    return offering(name, "encoders", type("W", (Writes,), members), says, at="convert")


def changed(signal: Waveform, *, value: float | None = None, rate: int = 8000, shape: Any = None) -> Waveform:
    """Return a waveform with another value at sample 17, another rate, or another shape."""
    samples = np.array(signal.samples) if shape is None else np.zeros(shape, np.float32)
    if value is not None:
        samples[0, 17:20] = value
    return Waveform(samples=samples, sample_rate=rate)


def written_into(signal: Waveform) -> Waveform:
    signal.samples[:] *= 2
    return signal


def refused(_: object) -> Any:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return socket.create_connection(listener.getsockname())


def fetched(_: object) -> Any:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return urllib.request.urlopen(f"http://127.0.0.1:{listener.getsockname()[1]}/voice")


def warned(_: object) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return np.float32(1) / np.float32(0)


class Smoke(Signal):
    port = "smoke"


def out_of_a_generator(_: object) -> Iterator[Any]:
    yield Item(signal=TONE)
    next(iter(()))


def second_is_broken(_: object) -> Iterator[Any]:
    yield Item(signal=TONE)
    raise KeyError("samples")


def odd_grid(_: object) -> Any:
    grid = StftGrid(sample_rate=8000, n_fft=16, hop_length=4, win_length=16)
    return MagnitudeSpectrogram(values=np.zeros((1, 7, 3), np.float32), grid=grid)


APPLYING = [
    applying("a key is missing", lambda _: {}["gain"], f"{FAILED}KeyError: 'gain'"),
    applying("a file is missing", lambda _: open("model.onnx"),  # noqa: PTH123, SIM115
             f"{FAILED}cannot open model.onnx: No such file or directory"),
    applying("an error of the system", raises(OSError(5, "Input/output error")), f"{FAILED}OSError: Input/output error"),
    applying("nobody listens", refused, f"{FAILED}ConnectionRefusedError: 127.0.0.1:"),
    applying("no server", fetched, f"{FAILED}URLError: http://127.0.0.1:"),
    applying("it recurses", recurses, f"{FAILED}RecursionError: maximum recursion depth exceeded"),
    applying("memory is short", lambda _: np.empty(1 << 50), f"{FAILED}MemoryError: Unable to allocate"),
    applying("it exits", raises(SystemExit("bye")), f"{FAILED}SystemExit: it calls sys.exit('bye')"),
    applying("StopIteration", lambda _: next(iter(())), f"{FAILED}StopIteration"),
    applying("GeneratorExit", raises(GeneratorExit()), f"{FAILED}GeneratorExit"),
    applying("no Exception", raises(LibraryExit("x")), f"{FAILED}LibraryExit: x"),
    applying("an error without a text", raises(MuteError()), f"{FAILED}MuteError: (ZeroDivisionError in its own __str__)"),
    applying("an error without its base", lambda _: raises(CarelessError())(), f"{FAILED}CarelessError"),
    applying("a warning as an error", warned, f"{FAILED}RuntimeWarning: divide by zero"),
    applying("an error of its own", raises(ItemError("no speech", code="no-speech")), "no-speech: acme-x: no speech"),
    applying("nothing", giving(None), "wrong-type: acme-x gives waveform, but it gave NoneType"),
    applying("an array", lambda signal: signal.samples, "wrong-type: acme-x gives waveform, but it gave ndarray"),
    applying("another signal", lambda _: Smoke(), "wrong-type: acme-x gives waveform, but it gave smoke"),
    applying("one dimension", lambda _: changed(TONE, shape=800), "bad-signal: acme-x: a waveform is (channels, samples)"),
    applying("no samples", lambda _: changed(TONE, shape=(1, 0)), "empty: acme-x: the waveform is empty"),
    applying("too few bins", odd_grid, "bins-mismatch: acme-x: the magnitude has 7 bins, but n_fft 16 has 9"),
    applying("another rate", lambda signal: changed(signal, rate=16000),
             "wrong-signal: acme-x declares a sample rate of 8000 Hz, but it gave a sample rate of 16000 Hz"),
    applying("a rate of 0", lambda signal: changed(signal, rate=0), "bad-option: acme-x: sample_rate is 0, not"),
    applying("NaN", lambda signal: changed(signal, value=np.nan),
             "not-finite: acme-x gave NaN: 3 of 800 values, first at channel 0, sample 17"),
    applying("infinity", lambda signal: changed(signal, value=np.inf),
             "not-finite: acme-x gave infinity: 3 of 800 values, first at channel 0, sample 17"),
    own(applying("it writes into what others get", written_into, f"{FAILED}ValueError: output array is read-only")),
    offering("other channels", "transforms",
             step(produces=lambda self, spec: spec.replace(channels=2), apply=lambda self, signal, context: signal),
             "wrong-signal: acme-x declares 2 channels, but it gave 1 channels", at="convert"),
    offering("another length", "transforms",
             step(produces=lambda self, spec: spec.replace(length=900), apply=lambda self, signal, context: signal),
             "wrong-signal: acme-x declares 900 samples, but it gave 800 samples", at="convert"),
    offering("a measurement that is none", "transforms",
             step(apply=lambda self, signal, context: context.measure(level=[1]) or signal),
             f"{FAILED}TypeError: ", at="convert"),
]  # fmt: skip


class Wide(Decoder[Signal, NoOptions]):
    def decode(self, source, context):
        yield Item(signal=Smoke())

    def produces(self):
        return Spec(signals=(Waveform,))


DECODING = [
    decoding("nothing at all", giving(None), f"{FAILED}TypeError: 'NoneType' object is not iterable"),
    decoding("no items", giving([]), "empty: acme-x found nothing in it"),
    decoding("signals for items", giving([TONE]), "wrong-type: acme-x gives items, but it gave Waveform"),
    decoding("a key that is a number", giving([Item(signal=TONE, key=3)]), "wrong-type: acme-x gave an item with the key 3"),
    decoding("the second item is broken", second_is_broken, f"{FAILED}KeyError: 'samples'"),
    decoding("a generator that stops oddly", out_of_a_generator, f"{FAILED}RuntimeError: generator raised StopIteration"),
    decoding("another file is missing", raises(OSError(2, "No such file", "vocab.json")),
             f"{FAILED}cannot open vocab.json: No such file"),
    decoding("NaN", lambda _: [Item(signal=changed(TONE, value=np.nan))],
             "not-finite: acme-x: 3 of 800 values of the waveform are NaN or infinite"),
    offering("another rate", "decoders", reader(produces=giving(Spec(signals=(Waveform,), sample_rate=44100))),
             "wrong-signal: acme-x declares a sample rate of 44100 Hz, but it gave a sample rate of 8000 Hz", at="convert"),
    offering("another class", "decoders", Wide, "wrong-type: acme-x gives waveform, but it gave smoke", at="convert"),
]  # fmt: skip


REGROUPING = [
    regrouping("it raises", f"{FAILED}ZeroDivisionError: x", regroup=raises(ZeroDivisionError("x"))),
    regrouping("it gives nothing", "empty: acme-x gave nothing", regroup=giving([])),
    regrouping("it gives signals", "wrong-type: acme-x gives items, but it gave Waveform", regroup=giving([TONE])),
    regrouping("a grouping of its own", f"{FAILED}TypeError: grouping() gives 'items', not 'source'", grouping=giving("items")),
    regrouping("a grouping that raises", f"{FAILED}KeyError: 'by'", grouping=raises(KeyError("by"))),
    regrouping("NaN in a group", "not-finite: acme-x gave NaN: 3 of 800 values, first at channel 0, sample 17",
               regroup=lambda self, items, context: [Item(signal=changed(one.signal, value=np.nan)) for one in items]),
]  # fmt: skip

ENCODING = [
    encoding("it raises", raises(ValueError("bad frame")), f"{FAILED}ValueError: bad frame"),
    encoding("it exits", raises(SystemExit(1)), f"{FAILED}SystemExit: it calls sys.exit(1)"),
    encoding("a file is missing", raises(OSError(2, "No such file", "/opt/acme/tables.bin")),
             f"{FAILED}cannot open /opt/acme/tables.bin: No such file"),
    encoding("a program is missing", raises(ChildProcessError(10, "No child processes")),
             f"{FAILED}ChildProcessError: No child processes"),
    encoding("it writes into what others get", lambda signal, sink: written_into(signal),
             f"{FAILED}ValueError: output array is read-only"),
]  # fmt: skip


# --- Dialects and recipes

BROKEN_DIALECT = "broken-dialect: npy-reader: dialect: the dialect acme-x of acme is broken: "
NO_DIALECT = (
    "unknown-dialect: npy-reader: dialect: there is no dialect 'acme-x'"
    "\n    hint: tonearm plugins npy-reader --dialects lists all; "
)


def figures(name: str, given: Any, says: str) -> Fault:
    return offering(name, "dialects", given, says)


DIALECTS = [
    figures(
        "a number", 3,
        f"{NO_DIALECT}'acme-x' in tonearm_dialects of tonearm_acme 1.2 is disabled: TypeError: it is int, neither",
    ),
    figures("no figures", {}, f"{BROKEN_DIALECT}Object missing required field"),
    figures("a base that is not there", {"base": "hifgian"}, f"{BROKEN_DIALECT}there is no dialect 'hifgian'\n    hint: did you mean 'hifigan'?"),
    figures("a figure that is not there", {"base": "hifigan", "hop": 300}, f"{BROKEN_DIALECT}it has no figure 'hop'"),
    figures("a figure that is no number", {"base": "hifigan", "sample_rate": "fast"}, f"{BROKEN_DIALECT}Expected `int`"),
    Fault(
        "its hook raises", package_of("acme", hooks(dialects=raises(KeyError("x")))), "dialects",
        f"{NO_DIALECT}tonearm_dialects of tonearm_acme 1.2 is disabled: KeyError: 'x'",
    ),
]  # fmt: skip

# --- Kinds of array


class Plain(Kind[Waveform, NoOptions]):
    """A kind that is right, and the base of what is faulty."""

    axes = ("time",)

    def read(self, values: Any, context: Context) -> Any:
        return Waveform(samples=values, sample_rate=8000)


@dataclass(frozen=True)
class Clashing:
    key: Annotated[str, Meta(description="Key.")] = ""
    nan: Annotated[str, Meta(description="NaN.")] = "error"


class Clash(Kind[Waveform, Clashing]):
    axes = ("time",)

    def read(self, values, context): ...


def kind(name: str, says: str, *, at: str = "check", **members: Any) -> Fault:
    return offering(f"a kind: {name}", "kinds", type("Odd", (Plain,), members), says, at=at)


OF_KIND = "broken-plugin: npy-reader: kind: kind 'acme-x' of tonearm_acme 1.2 is disabled: "
KIND_FAILED = "plugin-failed: npy-reader: acme-x failed: "

KINDS = [
    offering("a kind that is none", "kinds", Same, f"{OF_KIND}TypeError: <class 'faulty_plugins.Same'> is not a kind class"),
    offering("options that the reader has", "kinds", Clash,
             "broken-plugin: kind acme/acme-x and npy-reader both declare the option 'nan'"),
    kind("no axes", f"{OF_KIND}TypeError: axes is None, not a tuple of names like ('time',)", axes=None),
    kind("axes that are a text", f"{OF_KIND}TypeError: axes is 'time', not a tuple of names", axes="time"),
    kind("it cannot start", "broken-plugin: kind acme-x is disabled: KeyError: 'x'", __init__=raises(KeyError("x"))),
    kind("spec raises", "broken-plugin: npy-reader: acme-x is disabled: KeyError: 'x'", spec=raises(KeyError("x"))),
    kind("spec gives nothing", "broken-plugin: npy-reader with acme-x is disabled: AttributeError: ", spec=giving(None)),
    kind("sizes raises", f"{KIND_FAILED}KeyError: 'x'", sizes=raises(KeyError("x")), at="convert"),
    kind("sizes that are texts", "bins-mismatch: npy-reader with acme-x: the time axis of shape (800,) has 800 values, not x",
         sizes=giving({"time": "x"}), at="convert"),
    kind("read raises", f"{KIND_FAILED}KeyError: 'x'", read=raises(KeyError("x")), at="convert"),
    kind("read exits", f"{KIND_FAILED}SystemExit: it calls sys.exit(1)", read=raises(SystemExit(1)), at="convert"),
    kind("an error of its own", "no-pitch: npy-reader: acme-x: no pitch", read=raises(ItemError("no pitch", code="no-pitch")),
         at="convert"),
    kind("read gives an array", "wrong-type: npy-reader with acme-x gives signal, but it gave ndarray",
         read=lambda self, values, context: values, at="convert"),
    kind("another rate", "wrong-signal: npy-reader with acme-x declares a sample rate of 16000 Hz, but it gave",
         spec=giving(Spec(signals=(Waveform,), sample_rate=16000)), at="convert"),
    kind("NaN", "not-finite: npy-reader with acme-x: 3 of 800 values of the waveform are NaN or infinite",
         read=lambda self, values, context: changed(TONE, value=np.nan), at="convert"),
    kind("needs that are texts", "broken-plugin: kind acme-x is disabled: TypeError: needs() gives 'torch'", requires=("torch",)),
]  # fmt: skip

FAULTS = [
    *LOADING, *HOOKS, *CLASSES, *OPTIONS, *ANSWERS, *APPLYING, *DECODING, *REGROUPING, *ENCODING, *DIALECTS, *KINDS,
]  # fmt: skip
