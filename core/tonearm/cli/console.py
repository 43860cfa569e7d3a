"""Messages on stderr, the log file, exit statuses, and errors as messages in place of tracebacks."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Callable, Iterable, Iterator

from tonearm.startup import READER_LEFT, SIGNALLED, Terminated, ignore_stop_signals

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TextIO

    from tonearm.errors import Problem
    from tonearm.plugins.registry import Registry

DONE, BUG, USAGE, SOME_FAILED, OUTPUT, LOCKED = 0, 1, 2, 3, 4, 11
"""Exit statuses."""

_STATUSES = {"locked": LOCKED, "bug": BUG, "broken-worker": OUTPUT, "other-versions": OUTPUT, "unseen-folder": OUTPUT}
"""Exit statuses of error codes that do not take the status of their class."""

_USED_UP = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN)
"""Errors of a process that gets no more descriptors, memory or processes."""

_WRITE_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def prepare_streams() -> None:
    """Make stdout and stderr safe to print to: escape what they cannot encode, and replace them if they are closed."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115 - until the end
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


_data: TextIO | None = None

stdout_is_closed = False
"""Whether the process was started without a stdout, in whose place is the null device."""


def claim_stdout() -> None:
    """Keep stdout for the command's own output: whatever else is printed in this process goes to stderr from here on.

    A plugin and the libraries below it may print, in Python or in C, and would spoil JSON and what is piped. So
    descriptor 1 becomes stderr, and the command's output goes to a private descriptor. This takes 30 µs.
    """
    global _data, stdout_is_closed
    _open_missing_streams()
    stream: Any = sys.stdout
    if stream is None:
        stdout_is_closed = True
        os.dup2(2, 1)
        return
    _data = _open_stream(os.dup(1), stream, buffering=1 if stream.line_buffering else -1)
    os.dup2(2, 1)
    sys.stdout = _open_stream(1, stream, buffering=1)


def _open_stream(descriptor: int, like: Any, *, buffering: int) -> TextIO:
    """Return a stream to a descriptor, which stays open, with the encoding of another stream."""
    stream = open(  # noqa: SIM115 - until the end
        descriptor, "w", encoding=like.encoding, errors="backslashreplace", buffering=buffering, closefd=False
    )
    stream.reconfigure(write_through=like.write_through)
    return stream


def _open_missing_streams() -> None:
    """Open the null device in place of standard streams that are closed, before another file gets their numbers."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:  # noqa: TID251 - no output
        pass
    os.close(descriptor)


def data() -> TextIO:
    """Return the stream for the command's own output: stdout, as the process was given it."""
    return sys.stdout if _data is None else _data


def print_data(text: object, *, end: str = "\n", flush: bool = False) -> None:
    """Print some of the command's own output on stdout."""
    print(text, end=end, file=data(), flush=flush)


_log: TextIO | None = None


@contextlib.contextmanager
def log_to(name: str | None) -> Iterator[None]:
    """Append all messages to a log file as well; None for no log file."""
    global _log
    if name is None:
        yield
        return
    from tonearm.errors import OutputError, one_line

    try:
        file = open(name, "a", encoding="utf-8", errors="backslashreplace", buffering=1)  # noqa: PTH123, SIM115
    except OSError as error:
        raise OutputError(f"cannot write {one_line(name)}: {(error.strerror or str(error)).lower()}") from error
    _log = file
    try:
        yield
    finally:
        _log = None
        with contextlib.suppress(OSError):  # on a full disk, the last line fails again
            file.close()


def log(text: object) -> None:
    """Write to the log file, if there is one, with the time; errors are ignored, so a full disk stops no run."""
    if _log is not None:
        import time

        stamp = time.strftime("%Y-%m-%dT%H:%M:%S%z")
        with contextlib.suppress(OSError, ValueError):
            _log.writelines(f"{stamp} {line}\n" for line in str(text).splitlines())


def print_message(text: object) -> None:
    """Print a message on stderr and to the log file; a stderr that nobody reads is no error.

    A terminal shows a problem with the line of the file that it is about.
    """
    log(text)
    _print(_rendered(text))


def print_warnings(problems: Iterable[Problem]) -> None:
    """Print problems as warnings."""
    for problem in problems:
        log(f"warning: {problem}")
        _print(_rendered(problem, "warning: "))


def _print(text: str) -> None:
    try:
        print(text, file=sys.stderr, flush=True)
    except (OSError, ValueError):
        discard_stream(sys.stderr)


def _rendered(text: object, label: str = "") -> str:
    """Return a message as stderr shows it: in colour, and with excerpts of files, where stderr is a terminal."""
    from tonearm.cli import styles

    color = styles.has_color(sys.stderr)
    if color or sys.stderr.isatty():
        problems: tuple[Any, ...] = getattr(text, "problems", ()) or ((text,) if hasattr(text, "remedies") else ())
        if problems:
            from tonearm.cli.excerpts import render_problem

            width = styles.terminal_width(sys.stderr) or 80
            return "\n".join(render_problem(one, label, color=color, width=width) for one in problems)
    return styles.paint_labels(f"{label}{text}") if color else f"{label}{text}"


def discard_stream(stream: TextIO) -> None:
    """Send all further output of a stream to the null device, so that Python can flush it at exit."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())  # noqa: TID251 - no output


def run_guarded(command: Callable[[], int], *, debug: bool) -> int:
    """Run a command and return its exit status; an error becomes a message and the exit status of its kind.

    With ``debug``, messages for developers are printed as well, and tracebacks of errors, also of those that a command
    reports before it goes on.
    """
    if debug:
        from tonearm.errors import debug_messages, tracebacks

        with tracebacks.shown(), debug_messages.printed(print_message):
            return _run_guarded(command, debug=True)
    return _run_guarded(command, debug=False)


def _run_guarded(command: Callable[[], int], *, debug: bool) -> int:
    try:
        try:
            return command()
        finally:
            _flush_prints()
            data().flush()
    except KeyboardInterrupt as interrupt:
        return report_interrupt(interrupt)
    except BrokenPipeError:
        # The reader of stdout has finished, as in `tonearm plugins | head`: this is no error.
        discard_stream(data())
        return DONE
    except Exception as error:
        if debug:
            _print_traceback()
        if isinstance(error, ModuleNotFoundError) and error.name == "msgspec":  # which errors are made of
            return _report_missing("msgspec")
        used_up = _used_up(error)
        if used_up:  # what reports other errors may not even be importable
            print_message(f"output: the process cannot go on: {used_up}")
            return OUTPUT
        return _report(error)


def _report_missing(package: str) -> int:
    message = f"missing-requirement: tonearm needs the package {package!r}, which is not installed"
    print_message(f"{message}\n    hint: pip install {package}")
    return USAGE


def _used_up(error: BaseException) -> str:
    """Return what has run out if that is why the command itself fails; an empty text for other errors."""
    if hasattr(error, "problem"):  # it is told in its own words
        return ""
    from tonearm.errors.tracebacks import causes

    for one in causes(error, suppressed=False):
        if isinstance(one, MemoryError):
            return "out of memory"
        if isinstance(one, OSError) and one.errno in _USED_UP:
            return os.strerror(one.errno).lower()
    return ""


def _flush_prints() -> None:
    """Flush what plugins have printed, if that goes to stderr; a stderr that nobody reads is no error."""
    if _data is not None:
        try:
            sys.stdout.flush()
        except (OSError, ValueError):
            discard_stream(sys.stdout)


def report_interrupt(interrupt: KeyboardInterrupt) -> int:
    """Print which signal stopped the command, and return the exit status; further signals are ignored.

    Nothing is printed if the reader of a pipe has left: it has what it wanted.
    """
    ignore_stop_signals()
    if isinstance(interrupt, Terminated) and interrupt.number == READER_LEFT:
        return SIGNALLED + READER_LEFT
    if isinstance(interrupt, Terminated):
        print_message("terminated" if interrupt.number == 15 else "the terminal is gone")
        return SIGNALLED + interrupt.number
    print_message("interrupted")
    return SIGNALLED + 2


def _report(error: Exception) -> int:
    """Print what went wrong, and return the exit status."""
    from tonearm.errors import TonearmError

    if isinstance(error, TonearmError):
        for problem in getattr(error, "problems", (error.problem,)):
            print_message(problem)
        return exit_status_of(error)
    if isinstance(error, OSError) and error.errno in _WRITE_ERRORS:
        discard_stream(data())
        print_message(f"output: cannot write: {str(error.strerror).lower()}")
        return OUTPUT
    if isinstance(error, ModuleNotFoundError):
        from tonearm.health.packages import missing_package

        if package := missing_package(error):
            return _report_missing(package)
    from tonearm.errors import tracebacks

    where = "" if tracebacks.are_shown() else "; --debug shows where"
    print_message(f"bug: {type(error).__name__}: {error}\n    hint: this is a mistake in tonearm{where}")
    return BUG


def _print_traceback() -> None:
    import traceback

    with contextlib.suppress(BrokenPipeError, ValueError):
        traceback.print_exc()


def exit_status_of(error: Exception) -> int:
    """Return the exit status of an error."""
    from tonearm.errors import ItemError, OutputError

    code = getattr(error, "code", "")
    if code in _STATUSES:
        return _STATUSES[code]
    if isinstance(error, OutputError):
        return OUTPUT
    return SOME_FAILED if isinstance(error, ItemError) else USAGE


def load_registry() -> Registry:
    """Return the registry of installed plugins, after a warning for each package that is disabled."""
    from tonearm.plugins import registry

    found = registry.default()
    print_warnings(found.problems)
    found.on_problem = lambda problem: print_warnings([problem])
    return found
