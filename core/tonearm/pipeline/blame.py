"""Blame: an exception of a plugin becomes an error that names the plugin, and the file or address it is about.

The message of a `TonearmError`, which a plugin raises deliberately, stays as it is for a built-in plugin. For a plugin
of another package, the plugin's name is put in front.
"""

from __future__ import annotations

import errno
import os
from types import TracebackType
from typing import Any, TypeVar

from tonearm.errors import ItemError, OptionError, OutputError, RunCommand, ShowTraceback, SignalError, TonearmError
from tonearm.errors.text import describe_exception, one_line, safe_text
from tonearm.errors.tracebacks import causes
from tonearm.names import BUILTIN
from tonearm.pipeline.checked import BoundPlugin
from tonearm.plugins.context import Context
from tonearm.plugins.culprit import blamed_name, foreign_in
from tonearm.plugins.process_state import ProcessState, current_state, restore
from tonearm.plugins.sink import Sink
from tonearm.plugins.transform import Regroup, Transform
from tonearm.source import Source
from tonearm.startup import is_interrupted

Error = TypeVar("Error", bound=TonearmError)

_NOT_ABOUT_FILES = (BlockingIOError, ChildProcessError, ConnectionError, ProcessLookupError, TimeoutError)
"""Errors of the operating system that concern another process or computer."""

_CANNOT_OPEN = frozenset(
    (errno.ENOENT, errno.EACCES, errno.EPERM, errno.EISDIR, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG)
)

_OF_SOURCES = frozenset(("unreadable", "not-a-file", "source-changed"))
"""Codes of errors about a source as a file."""


class as_item_error:  # noqa: N801 - used as a statement
    """Turn every exception of a plugin into an `ItemError` that names the plugin; Ctrl-C passes through.

    Parameters
    ----------
    bound
        Plugin that runs.
    sink
        Sink of an encoder; errors of the operating system about it become an `OutputError`.
    source
        Source of a decoder; errors of the operating system about it say that it cannot be read.
    context
        Context in which the plugin works, where it is noted; None if it works at no item.
    """

    __slots__ = ("before", "bound", "context", "sink", "source")

    def __init__(
        self,
        bound: BoundPlugin,
        sink: Sink | None = None,
        source: Source | None = None,
        context: Context | None = None,
    ) -> None:
        self.bound = bound
        self.sink = sink
        self.source = source
        self.context = context
        self.before: ProcessState | None = None

    def __enter__(self) -> None:
        if self.context is not None and self.context.stage is not self.bound:
            self.context.stage = self.bound
            if self.context.reporter is not None:
                self.context.reporter.begin(self.bound)
        if self.bound.is_guarded:
            self.before = current_state()

    def __exit__(self, kind: object, error: BaseException | None, trace: TracebackType | None) -> None:
        changed = restore(self.before) if self.before is not None else ""
        reporter = self.context.reporter if self.context is not None else None
        if reporter is not None and reporter.stopped is not None:
            if error is reporter.stopped:
                return
            raise reporter.stopped from None  # a plugin has made another error of it, or has gone on
        if error is not None and (failed := self.translate(error)) is not error:
            raise failed from error
        if changed and error is None:
            raise self._translated(RuntimeError(changed))

    def translate(self, error: BaseException) -> BaseException:
        """Return the exception to raise in place of another: the error of an item, or the same exception."""
        if isinstance(error, KeyboardInterrupt) and is_interrupted():
            return error
        is_own = isinstance(error, OutputError) and self.sink is None  # only an encoder has an output
        if isinstance(error, TonearmError) and not is_own and _is_sound(error):
            if error.code == "not-a-file" and self.source and self.source.holds_arrays:
                return placed(_reads_no_arrays(self.bound), self.bound)
            return attribute(error, self.bound)
        return self._translated(error)

    def _translated(self, error: BaseException) -> TonearmError:
        """Return the error of the item for an exception."""
        if isinstance(error, OSError) and self.sink and _is_of_sink(error, self.sink):
            return OutputError(f"cannot write: {_reason(error)}")
        name = blamed_name(self.bound.name, self.bound.plugin, error)
        failed = ItemError(
            f"{name} failed: {describe_failure(error)}", code="plugin-failed", remedies=(ShowTraceback(),)
        )
        if isinstance(error, OSError) and self.source and _is_of_source(error, self.source):
            failed = ItemError(f"cannot read: {_reason(error)}", code="unreadable")
        elif package := _missing_package(error):
            message = f"{name} needs the package {package!r}, which is not installed"
            remedies = (RunCommand(("pip", "install", package)),)
            failed = ItemError(message, code="missing-requirement", remedies=remedies)
        elif isinstance(error, OptionError) and _is_sound(error):
            # An option that only the data can contradict.
            failed = ItemError(f"{name}: {error.message}", code=error.code, remedies=error.remedies)
        return placed(failed, self.bound)


def _missing_package(error: BaseException) -> str:
    """Return the package that is not installed if that is the exception's reason; an empty text for others."""
    if not isinstance(error, ModuleNotFoundError):
        return ""
    from tonearm.health.packages import missing_package  # not at the top: an installation with all packages never asks

    return missing_package(error)


def _reads_no_arrays(bound: BoundPlugin) -> ItemError:
    """Return the error for an array in memory that was given to a decoder of files."""
    return ItemError(
        f"{bound.name} reads files, not arrays in memory",
        code="not-a-file",
        hint="use a decoder of arrays, such as npy-reader, or give the path of a file",
    )


def refusal(error: OptionError, bound: BoundPlugin) -> ItemError:
    """Return the error of an item that the options of a plugin refuse, with the plugin's place.

    Parameters
    ----------
    error
        Error of the options.
    bound
        Plugin.
    """
    return placed(ItemError(error.message, code=error.code, remedies=error.remedies), bound)


def placed(error: Error, bound: BoundPlugin) -> Error:
    """Return an error with the place of a stage, so that it is attributed to no other stage."""
    error.place = bound.place
    if bound.masks:
        error.message = bound.masks.in_text(error.message)
        error.args = (error.message,)
        error.remedies = bound.masks.in_remedies(error.remedies)
    return error


def attribute(error: TonearmError, bound: BoundPlugin) -> TonearmError:
    """Attribute an error to a stage, unless it has a place already, and return it.

    The message names a plugin of another package, and one that made a signal that breaks its own rules, but not if the
    error is about the output or about the source as a file.
    """
    if isinstance(error, ItemError) and error.retry is not None:
        from tonearm.pipeline.item_trials import try_on_array  # not at the top: most runs have no such error

        try_on_array(error, bound.plugin.options)
    if error.place.stage:
        return error
    placed(error, bound)
    if isinstance(error, OutputError) or error.code in _OF_SOURCES:
        return error
    name = blamed_name(bound.name, bound.plugin, error)
    needs_name = (
        bound.entry.origin != BUILTIN
        or bool(foreign_in(bound.plugin))
        or (isinstance(error, SignalError) and isinstance(bound.plugin, (Transform, Regroup)))
    )
    if needs_name and not error.message.startswith(f"{name}:"):
        error.message = f"{name}: {error.message}"
        error.args = (error.message,)
    return error


def describe_failure(error: BaseException) -> str:
    """Return an exception as text on one line, with the file or address that it is about."""
    if not isinstance(error, OSError):
        return describe_exception(error)
    kind, reason = type(error).__name__, _reason(error)
    names = [one_line(name) for name in _file_names(error)]
    if names and error.errno in _CANNOT_OPEN:
        return f"cannot open {names[0]}: {reason}"
    about = names or _addresses(error)
    return f"{kind}: {' to '.join([*about[:1], *names[1:]])}: {reason}" if about else f"{kind}: {reason}"


def _is_sound(error: Any) -> bool:
    """Return whether an error has its fields: a subclass may have forgotten to call its base class."""
    try:
        is_text = isinstance(error.message, str) and isinstance(error.code, str)
        return is_text and isinstance(error.hint, str)
    except Exception:
        return False


def _reason(error: OSError) -> str:
    return one_line(error.strerror) if isinstance(error.strerror, str) else safe_text(error) or "no reason given"


def _file_names(error: OSError) -> list[str]:
    """Return the names of the files that an error is about."""
    names = (error.filename, error.filename2)
    return [os.fsdecode(name) for name in names if isinstance(name, (str, bytes, os.PathLike))]


def _is_of_sink(error: OSError, sink: Sink) -> bool:
    """Return whether an error concerns the output, not another file or another process."""
    if isinstance(error, _NOT_ABOUT_FILES):
        return False
    names = _file_names(error)
    if not names:
        return True
    try:
        folder = os.path.dirname(os.path.abspath(sink.path))  # noqa: PTH100, PTH120
    except ItemError:  # a pipe or an open file, which has no path
        return False
    return any(os.path.dirname(os.path.abspath(name)) == folder for name in names)  # noqa: PTH100, PTH120


def _is_of_source(error: OSError, source: Source) -> bool:
    """Return whether an error concerns the source, not another file or another process."""
    if isinstance(error, _NOT_ABOUT_FILES):
        return False
    names = _file_names(error)
    if not names or not source.absolute_path:
        return not names
    # A source that is a folder has files of its own.
    path = source.absolute_path
    return any(_is_within(os.path.abspath(name), path) for name in names)  # noqa: PTH100


def _is_within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder + os.sep)


def _addresses(error: OSError) -> list[str]:
    """Return the address that an error is about, if it or the calls that led to it know one."""
    for one in causes(error):
        if found := _address_of(one) or _address_on_the_way(one.__traceback__):
            return [one_line(found)]
    return []


def _address_of(error: BaseException) -> str:
    """Return the address that a library notes in its errors: requests, urllib, aiohttp."""
    request = getattr(error, "request", None)
    for url in (getattr(error, "url", None), getattr(request, "url", None)):
        if url:
            return safe_text(url)
    host, port = getattr(error, "host", None), getattr(error, "port", None)
    return f"{safe_text(host)}:{safe_text(port)}" if host and port else ""


def _address_on_the_way(trace: TracebackType | None) -> str:
    """Return the address that a function of the standard library was connecting to."""
    found = ""
    while trace is not None:
        frame, trace = trace.tb_frame, trace.tb_next
        module, known = frame.f_globals.get("__name__"), frame.f_locals
        if module == "urllib.request" and hasattr(known.get("req"), "full_url"):
            return safe_text(known["req"].full_url)
        if module == "socket" and isinstance(known.get("address"), tuple):
            found = ":".join(map(safe_text, known["address"][:2]))
    return found
