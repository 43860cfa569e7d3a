"""Start-up tricks: everything tonearm does to the process for speed, in one place, each with its reason and figure.

Start-up is a feature: editors and commit hooks call ``tonearm check`` all day. Three habits elsewhere belong to this:
numpy and heavier libraries are imported where they are used; modules on the way to ``--help`` write
``TYPE_CHECKING = False`` instead of importing `typing`, which takes a tenth of the time that Python takes to start; and
``tonearm check FILE`` is not parsed by argparse, which would be a tenth of it. ``tests/benchmarks/startup.py`` measures
the commands.

Signal handlers are here too, because they are installed before anything heavy is imported.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import re
import sys
from importlib import machinery

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from collections.abc import Callable, MutableMapping
    from typing import NoReturn

SIGNALLED = 128
"""Exit status of a process that a signal ended, less the signal's number."""


def collect_garbage_rarely() -> None:
    """Make the garbage collector run rarely: start-up makes no garbage, and arrays of a run are not the collector's."""
    gc.set_threshold(500_000, 20, 100)


def skip_last_collection() -> None:
    """Exempt everything from the collection at exit, which would take a fifth of ``tonearm check``."""
    gc.freeze()


def exit_at_once(status: int) -> NoReturn:
    """End the process without taking the interpreter down, which would take a twentieth of ``tonearm check``.

    Handlers that were registered with `atexit` do not run, so this is only for commands that leave nothing open.
    """
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    flush_c_streams()
    os._exit(status)


def flush_c_streams() -> None:
    """Write what C code has printed, before `os._exit` would lose it or a fork would print it twice.

    `ctypes` takes 1 ms to import, so this does nothing where no one has imported it, as numpy does.
    """
    ctypes = sys.modules.get("ctypes")
    if ctypes is not None:
        with contextlib.suppress(OSError, TypeError, AttributeError):
            ctypes.CDLL(None).fflush(None)


def import_msgspec_alone() -> None:
    """Import msgspec without typing_extensions, which would take a tenth of ``tonearm check``.

    msgspec does without it where it is missing. From Python 3.11 on, `typing` has everything that it takes from there.
    """
    if "typing_extensions" not in sys.modules:
        _import_uuid_alone()
        sys.modules["typing_extensions"] = None  # type: ignore[assignment]
        try:
            importlib.import_module("msgspec")
        finally:
            del sys.modules["typing_extensions"]


def _import_uuid_alone() -> None:
    """Import uuid, which msgspec needs, without platform, which would take a thirtieth of ``tonearm check``.

    Python up to 3.12 imports it to ask for the name of the system. Later versions do without.
    """
    if "uuid" in sys.modules or "platform" in sys.modules or not hasattr(os, "uname"):
        return
    named = type(sys)("platform")
    named.system = lambda: os.uname().sysname  # type: ignore[attr-defined]
    sys.modules["platform"] = named
    try:
        importlib.import_module("uuid")
    finally:
        del sys.modules["platform"]


class _PatternWhenUsed:
    """A regular expression that is compiled when it is first used."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern

    def __getattr__(self, name: str) -> object:
        return getattr(re.compile(self._pattern), name)


class _PackageWhenUsed(type(sys)):  # type: ignore[misc]
    """A package that is executed when something other than its modules is first asked of it."""

    def __getattr__(self, name: str) -> object:
        self.__class__ = type(sys)  # type: ignore[assignment]
        vars(self)["__spec__"].loader.exec_module(self)
        return getattr(self, name)


def import_yaml_parser_alone() -> None:
    """Import PyYAML's parser without its loaders and dumpers, which would take a twentieth of ``tonearm check``.

    Its reader compiles an expression of all printable characters, another twentieth. It is needed for text beyond
    ASCII alone, so it is compiled when that turns up. Whoever uses `yaml` later gets all of it, with these modules.
    """
    spec = None if "yaml" in sys.modules else machinery.PathFinder.find_spec("yaml")
    if spec is None or spec.submodule_search_locations is None:
        return
    package = _PackageWhenUsed("yaml")
    package.__spec__, package.__loader__, package.__file__ = spec, spec.loader, spec.origin
    package.__package__, package.__path__ = "yaml", list(spec.submodule_search_locations)
    sys.modules["yaml"] = package
    compiled, re.compile = re.compile, _PatternWhenUsed  # type: ignore[assignment]
    try:
        importlib.import_module("yaml.reader")
    finally:
        re.compile = compiled


def let_blas_threads_sleep(environ: MutableMapping[str, str]) -> None:
    """Make OpenBLAS's threads wait for work asleep; a value that the user set stays.

    Call it before numpy is imported.

    By default, each thread spins for 2^26 cycles: on two cores, importing numpy takes 275 ms of CPU instead of 150.
    After 2^16 cycles, some 20 µs, products of matrices are as fast.
    """
    environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "16")


_NO_LIBC = (OSError, AttributeError, TypeError)
"""Errors of `ctypes` where there is no glibc: Windows has no library without a name."""

_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD = -1, -2, -3  # of malloc.h
_M_DEFAULT = 128 << 10
"""Default of glibc for all three."""


def keep_freed_memory() -> None:
    """Make glibc keep freed memory for the next source, which needs as much; elsewhere this does nothing.

    Otherwise every array of some hundred kilobytes is given back to the kernel and asked for again, page by page.
    That is twenty times the page faults, which take as long as the conversion itself.
    """
    import ctypes

    with contextlib.suppress(*_NO_LIBC):
        libc = ctypes.CDLL(None)
        libc.mallopt(_M_MMAP_THRESHOLD, 32 << 20)
        libc.mallopt(_M_TRIM_THRESHOLD, 128 << 20)
        libc.mallopt(_M_TOP_PAD, 4 << 20)


def return_freed_memory() -> None:
    """Make glibc give freed memory back, now and from here on: the end of `keep_freed_memory`, but not of the process.

    Its settings are those of the environment again, as far as glibc can be told; Dask, for one, sets them there.
    """
    import ctypes

    def setting(name: str) -> int:
        value = os.environ.get(name, "")
        return int(value) if value.isdecimal() else _M_DEFAULT

    with contextlib.suppress(*_NO_LIBC):
        libc = ctypes.CDLL(None)
        libc.mallopt(_M_MMAP_THRESHOLD, setting("MALLOC_MMAP_THRESHOLD_"))
        libc.mallopt(_M_TRIM_THRESHOLD, setting("MALLOC_TRIM_THRESHOLD_"))
        libc.mallopt(_M_TOP_PAD, setting("MALLOC_TOP_PAD_"))
        libc.malloc_trim(0)


READER_LEFT = 13
"""Number of SIGPIPE, which Python ignores: nobody reads any longer what is written into a pipe."""


class Terminated(KeyboardInterrupt):
    """SIGTERM or SIGHUP arrived, or the reader of a pipe has left; it passes through plugins as Ctrl-C does."""

    def __init__(self, number: int = 15) -> None:
        super().__init__()
        self.number = number


class StopHandler:
    """Handler of SIGINT, SIGTERM and SIGHUP: the first ends the command in good order, a second one at once.

    Parameters
    ----------
    ends_process
        Whether a second signal ends the process; else it is ignored, because another process will end this one.
    """

    def __init__(self, *, ends_process: bool = True) -> None:
        self.called = False
        self.ends_process = ends_process

    @classmethod
    def install(cls, *, ends_process: bool = True) -> None:
        """Handle the signals from here on; SIGHUP stays ignored where it is (nohup)."""
        import signal

        handler = cls(ends_process=ends_process)
        for number in stop_signals():
            if number in (signal.SIGINT, signal.SIGTERM) or signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, handler)

    def __call__(self, number: int, _: object) -> None:
        """Handle a signal."""
        if self.called:
            if not self.ends_process:
                return
            end_by_signal(number)
        self.called = True
        raise interrupt_of(number)


interrupt_tests: list[Callable[[], bool]] = []
"""Functions that tell whether a signal has interrupted the process; the last one counts. A run adds its own."""


def is_interrupted() -> bool:
    """Return whether a KeyboardInterrupt may come from a signal. If not, a plugin has raised it."""
    return not interrupt_tests or interrupt_tests[-1]()


def interrupt_of(number: int) -> KeyboardInterrupt:
    """Return the exception that stands for a signal."""
    return KeyboardInterrupt() if number == 2 else Terminated(number)


def end_by_signal(number: int) -> NoReturn:
    """End the process at once, because a signal has arrived for the second time."""
    os.write(2, b"\x1b[?25h\n" if sys.stderr.isatty() else b"\n")
    os._exit(SIGNALLED + number)


def stop_signals() -> tuple[signal.Signals, ...]:
    """Return the signals that stop a command. Windows has no SIGHUP."""
    import signal

    return (signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else []))


def ignore_stop_signals() -> None:
    """Ignore further signals: the command is stopping already."""
    import signal

    for number in stop_signals():
        signal.signal(number, signal.SIG_IGN)


_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent ends, however that happens. Works on Linux only.

    This process also becomes the parent of the programs that its own programs leave behind, so that none outlives it.

    Parameters
    ----------
    parent
        Process id of the parent. If it has ended already, this process ends at once.
    """
    if not sys.platform.startswith("linux"):
        return
    import ctypes
    import signal

    with contextlib.suppress(*_NO_LIBC):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)
    if os.getppid() != parent:
        os._exit(1)
