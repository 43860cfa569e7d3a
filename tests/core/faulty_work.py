# ruff: noqa: E501 - a table: a row is a line
"""Faulty plugins that are found out while they work, and the whole table of faults."""

from __future__ import annotations

import socket
import urllib.request
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from core_toys import hooks, package_of
from faulty_plugins import (
    ANSWERS,
    CLASSES,
    FAILED,
    HOOKS,
    LOADING,
    OPTIONS,
    TONE,
    CarelessError,
    Fault,
    LibraryExit,
    MuteError,
    Same,
    Splits,
    Writes,
    giving,
    offering,
    own,
    raises,
    reader,
    recurses,
    step,
)

from tonearm.api import (
    Context,
    Decoder,
    Item,
    ItemError,
    Kind,
    MagnitudeSpectrogram,
    Meta,
    NoOptions,
    Signal,
    Spec,
    StftGrid,
    Waveform,
)

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
             "wrong-signal: acme-x declares 2 channels, but it gave 1 channel", at="convert"),
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
    "unknown-dialect: npy-reader: dialect: there is no dialect 'acme-x'\n    hint: tonearm dialects lists all; "
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


@dataclass(frozen=True)
class TurningOptions:
    turn: complex = 0j


class Turning(Kind[Waveform, TurningOptions]):
    """Kind with an option of a type that is not supported."""

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
    offering("options of a type that there is not", "kinds", Turning,
             "broken-plugin: kind acme/acme-x is disabled: TypeError: option 'turn' of TurningOptions has the type complex"),
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
