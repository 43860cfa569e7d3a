"""Pipelines of earlier calls: a loop that saves one sound after another builds and checks its pipeline once.

A pipeline is known by everything that a call says but the values of its arrays, and with the state of each file that
it names. Each thread knows its own, because plugins keep state, such as the session of a vocoder, and need not expect
a second thread. So nothing here needs a lock, which a fork might leave locked for ever.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from tonearm.content_hash import FileState, file_state
from tonearm.conversion.build import Conversion
from tonearm.conversion.started_decoder import StartedDecoder, decoded_signals
from tonearm.errors import TonearmError
from tonearm.pipeline.checked import CheckedPipeline
from tonearm.pipeline.converter import Converter
from tonearm.pipeline.inference import Signals
from tonearm.pipeline.provenance import files_of
from tonearm.pipeline.templates import parse_template
from tonearm.plugins.encoder import Encoder
from tonearm.plugins.registry import Registry
from tonearm.reading.memory import limited_memory
from tonearm.source import Source

if TYPE_CHECKING:
    from tonearm.conversion.call import Call

MAX_KNOWN = 16
"""Largest number of pipelines that a thread knows; the one that was used longest ago is forgotten first."""

SETTLED = 2.0
"""Age in seconds from which the time of a file's change tells whether it has changed again. Some clocks are coarse."""

_VARYING = ("source", "file")
"""Fields that differ from one call of a loop to the next: the key has only their kind."""

_OF_ONE_SIGNAL = ("length", "segments", "scales")
"""Figures that differ from one signal to the next, and that no pipeline depends on."""

_PLAIN = (bool, int, str, bytes, type(None))
"""Types of values that stand in a key as they are."""

_Key: TypeAlias = tuple[Any, ...]


class PreparedConverter(Converter):
    """A converter whose plugins have prepared once and for all, because it serves many calls."""

    def preflight(self) -> None:
        """Do nothing: the plugins are prepared."""


class _KnownPipeline(Struct, frozen=True):
    """A pipeline of an earlier call.

    Parameters
    ----------
    checked
        Pipeline, with its decoder before that was started.
    given
        Class of the signals for which the steps were chosen; None if the options of the decoder tell it.
    files
        Files that the call or the pipeline names, each with its state; None for one that does not exist.
    folder
        Folder that was the current one.
    """

    checked: CheckedPipeline
    given: Signals | None
    files: tuple[tuple[str, FileState | None], ...]
    folder: str

    def is_current(self) -> bool:
        """Return whether all files are as they were."""
        if not self.files:
            return True
        is_same_folder = os.getcwd() == self.folder  # noqa: PTH109 - ten times as fast
        return is_same_folder and all(file_state(path) == known for path, known in self.files)

    def with_source(self, source: Source, file: str, registry: Registry) -> Converter | None:
        """Return the converter for a source and a template; None if either needs another pipeline."""
        checked = self.checked
        for output in checked.outputs:
            plugin = output.encoder.plugin
            suffixes = (*plugin.suffixes, *plugin.other_suffixes) if isinstance(plugin, Encoder) else ()
            if suffixes and not file.lower().endswith(suffixes):
                return None
        decoder = checked.decoder
        if self.given is not None:
            with limited_memory(int(checked.limits.memory)):
                given, started = decoded_signals(decoder, source, registry)
            if given != self.given or started is None:
                return None
            decoder = replace(decoder, plugin=started)
        outputs = tuple(replace(output, template=parse_template(file)) for output in checked.outputs)
        return PreparedConverter(replace(checked, decoder=decoder, outputs=outputs))


_Pipelines: TypeAlias = "OrderedDict[_Key, _KnownPipeline]"
_by_thread: dict[int, _Pipelines] = {}
"""The pipelines of each thread, by its identifier; a thread with the identifier of an ended one takes them over."""
_of_parent: list[dict[int, _Pipelines]] = []
"""Pipelines of the processes that this one was forked from, which are kept so that nothing ends their sessions."""


def forget() -> None:
    """Forget all pipelines."""
    _by_thread.clear()


def _forget_ended_threads() -> None:
    """Forget what threads knew that have ended.

    `sys._current_frames` would know the threads of other libraries as well, but a collection of garbage within it waits
    for ever before Python 3.12.
    """
    known = list(_by_thread)
    alive = {thread.ident for thread in threading.enumerate()}
    for ended in (one for one in known if one not in alive):
        _by_thread.pop(ended, None)


def _leave_to_parent() -> None:
    """Leave the pipelines to the parent: libraries such as ONNX Runtime can neither use nor end sessions of theirs."""
    global _by_thread
    _of_parent.append(_by_thread)
    _by_thread = {}


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_to_parent)


def converter_for(call: Call, decoder: str, registry: Registry, build: Callable[[], Conversion]) -> Converter:
    """Return the pipeline that a call stands for: a known one, or a new one, which is known from then on.

    Parameters
    ----------
    call
        Call, with its source, the template of its output's name, and whatever else the pipeline follows from.
    decoder
        Name of the decoder.
    registry
        Registry of plugins.
    build
        Function that builds the pipeline.

    Raises
    ------
    TonearmError
        If a new pipeline cannot be built, or a plugin cannot prepare.
    """
    texts: set[str] = set()
    key: _Key | None = None
    with contextlib.suppress(_UnknowableError):
        arguments = tuple(
            _frozen(getattr(call, name), texts) for name in call.__struct_fields__ if name not in _VARYING
        )
        key = (registry, decoder, _kind_of(call.source), _kind_of_template(call.file), arguments)
    pipelines = _by_thread.setdefault(threading.get_ident(), OrderedDict())
    if key is not None and (known := pipelines.get(key)) and known.is_current():
        with contextlib.suppress(TonearmError):  # building the pipeline raises it again, in the words for this call
            if found := known.with_source(call.source, call.file, registry):
                pipelines.move_to_end(key)
                return found
    _forget_ended_threads()
    conversion = build()
    converter = PreparedConverter(conversion.check(registry))
    Converter.preflight(converter)
    if key is not None and (made := _known_pipeline(converter.checked, conversion.started, texts)):
        pipelines[key] = made
        pipelines.move_to_end(key)
        while len(pipelines) > MAX_KNOWN:
            pipelines.popitem(last=False)
    return converter


def _known_pipeline(
    checked: CheckedPipeline, started: StartedDecoder | None, texts: Iterable[str]
) -> _KnownPipeline | None:
    """Return what is to be known of a new pipeline; None if one of its files has changed just now."""
    given = None
    if started is not None:
        given = (type(started.signal),)
        checked = replace(checked, decoder=replace(checked.decoder, plugin=started.plugin))
    files = tuple((path, file_state(path)) for path in sorted({*texts, *files_of(checked)}))
    latest = max((known[1] for _, known in files if known), default=0)
    if latest > (time.time() - SETTLED) * 1e9:
        return None
    return _KnownPipeline(checked, given, files, os.getcwd() if files else "")  # noqa: PTH109


class _UnknowableError(Exception):
    """A call has a value that cannot be distinguished from another one without looking into it."""


def _frozen(value: Any, texts: set[str]) -> _Key:
    """Return a value as a part of a key, and add its texts that may name files."""
    kind = type(value)
    if kind is str and _may_name_file(value):
        texts.add(value)
    if kind in _PLAIN:
        return kind, value
    if kind is float:
        return kind, repr(value)  # tells 0.0 from -0.0, and finds NaN again
    if kind in (list, tuple):
        return kind, *[_frozen(inner, texts) for inner in value]
    if kind is dict or isinstance(value, Mapping):
        return Mapping, *[(_frozen(name, texts), _frozen(inner, texts)) for name, inner in value.items()]
    if isinstance(value, os.PathLike):
        return kind, _frozen(os.fspath(value), texts)
    if getattr(value, "shape", None) == () and hasattr(value, "item"):  # a number of numpy's or torch's
        return kind, repr(value.item())
    raise _UnknowableError


def _may_name_file(text: str) -> bool:
    """Return whether a value may name a file, and refuse those that need the environment."""
    if "$" in text:
        raise _UnknowableError
    return "." in text or "/" in text or os.sep in text


def _kind_of(source: Source) -> _Key:
    """Return what a pipeline depends on in its source."""
    if source.array is not None:
        return "array", source.array.dtype, source.array.ndim
    if source.arrays is not None:
        return "arrays", *[_kind_of_named(source.arrays, name) for name in source.arrays]
    if source.signal is not None:
        signal: Any = source.signal
        arrays = [(array.dtype, array.ndim) for array in signal.arrays()]
        described = {name: value for name, value in signal.described().items() if name not in _OF_ONE_SIGNAL}
        return "signal", type(signal), _frozen(described, set()), *arrays
    if source.path_text is None:
        raise _UnknowableError
    return ("path",)


def _kind_of_named(arrays: Mapping[str, Any], name: str) -> _Key:
    """Return what a pipeline depends on in one array of several; the type alone of what is no array."""
    try:
        one = arrays[name]
    except TonearmError as error:
        return name, error.code
    return name, getattr(one, "dtype", type(one)), getattr(one, "ndim", 0)


def _kind_of_template(file: str) -> _Key:
    """Return what a pipeline depends on in the template of its output's name: the suffix and the fields."""
    return os.path.splitext(file)[1], parse_template(file).fields if "{" in file else ()  # noqa: PTH122
