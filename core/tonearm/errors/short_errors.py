"""Short errors: what a public function raises shows the user's own line and the message, and nothing in between.

A `TonearmError` that leaves a function with `short_errors` has lost the frames that it has passed through inside
tonearm. Python puts the frame of the function itself back; pytest, IPython and the printed traceback leave it out.

The environment variable ``TONEARM_DEBUG=1`` keeps everything, and so does ``--debug``.
"""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Callable, Generator
from types import FrameType, GeneratorType, TracebackType
from typing import TYPE_CHECKING, Any, Final, TypeVar

from tonearm.errors.exceptions import OptionError, TonearmError
from tonearm.errors.place import Place
from tonearm.errors.problem import NOWHERE, hint_of
from tonearm.errors.remedies import ShowTraceback
from tonearm.errors.tracebacks import causes, is_own, keeps_own, notebook_lines, trimmed, without_own

if TYPE_CHECKING:
    import threading

_CALL = Place(form="call")

_BY_POSITION: Final = re.compile(r"takes .*positional arguments? but \d+ (was|were) given")
"""What Python says of arguments that have no name, such as the sample rate of a call that torchaudio would take."""

T = TypeVar("T")
R = TypeVar("R")
Public = TypeVar("Public", bound=Callable[..., Any])


def short_errors(public: Public) -> Public:
    """Return a function or method whose errors are short, or make those of a class's constructor short.

    Remedies of an error without a place in a pipeline read as arguments of the call. An error that tonearm itself
    handles stays as it is.

    Parameters
    ----------
    public
        Function, method, or class whose ``__init__`` is written in Python. If a function returns a generator, what that
        raises is short, too.
    """
    if isinstance(public, type):
        public.__init__ = short_errors(public.__init__)  # type: ignore[misc]
        return public

    @functools.wraps(public)
    def call(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        try:
            made = public(*args, **kwargs)
        except (TonearmError, OptionError, TypeError) as error:
            caller = sys._getframe(1)  # noqa: SLF001 - what inspect has for it takes 1 ms
            if is_own(caller) or _is_of_code(error):
                raise
            raise _shortened(error, caller)  # noqa: B904 - it is the same error
        return _iterated(made) if type(made) is GeneratorType else made

    return call  # type: ignore[return-value]


def _iterated(made: Generator[T, Any, R]) -> Generator[T, Any, R]:
    """Yield what a generator yields; its errors are short."""
    __tracebackhide__ = True
    try:
        return (yield from made)
    except (TonearmError, OptionError) as error:
        caller = sys._getframe(1)  # noqa: SLF001 - as above
        if is_own(caller):
            raise
        raise _shortened(error, caller)  # noqa: B904 - it is the same error


def _is_of_code(error: Exception) -> bool:
    """Return whether a TypeError is that of code within the function, not that of arguments that it does not have."""
    trace = error.__traceback__
    return isinstance(error, TypeError) and trace is not None and trace.tb_next is not None


def _shortened(error: TonearmError | OptionError | TypeError, caller: FrameType) -> Exception:
    """Return an error as the user is to see it: without frames, and without the causes that its message tells."""
    if isinstance(error, TonearmError) and getattr(error, "place", None) == NOWHERE:
        error.place = _CALL
    if isinstance(error, OptionError) and error.remedies and not hasattr(error, "__notes__"):
        error.add_note(f"    hint: {hint_of(error.remedies, _CALL)}")
    if keeps_own():
        return error
    outer = _handled_by(caller, error)
    cause = error.__cause__
    if cause is not None and any(isinstance(remedy, ShowTraceback) for remedy in getattr(error, "remedies", ())):
        cause.__traceback__ = trimmed(cause.__traceback__)
    else:
        error.__cause__, error.__suppress_context__ = None, False
    error.__context__ = outer
    if isinstance(error, TypeError):
        if _BY_POSITION.search(str(error)) and not hasattr(error, "__notes__"):
            error.add_note("    hint: give the others by name, as in sample_rate=24000")
        vars(error)["_render_traceback_"] = functools.partial(notebook_lines, error)
    _shorten_printed_tracebacks()
    return error.with_traceback(None)


def _handled_by(caller: FrameType, error: BaseException) -> BaseException | None:
    """Return the exception that a caller was handling when it called tonearm; None if there was none."""
    callers: set[FrameType] = set()
    frame: FrameType | None = caller
    while frame is not None:
        callers.add(frame)
        frame = frame.f_back
    traces = ((one, one.__traceback__) for one in causes(error.__context__))
    return next((one for one, trace in traces if trace is not None and trace.tb_frame in callers), None)


def _shorten_printed_tracebacks() -> None:
    """Print the next traceback without tonearm's own frames, unless the program prints tracebacks in its own way."""
    if sys.excepthook is sys.__excepthook__:
        sys.excepthook = _print_short
    threads: Any = sys.modules.get("threading")
    if threads is not None and threads.excepthook is threads.__excepthook__:
        threads.excepthook = _print_short_in_thread


def _print_short(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print a traceback in place of `sys.excepthook`, once: each short error asks for it again."""
    if sys.excepthook is _print_short:
        sys.excepthook = sys.__excepthook__
    sys.__excepthook__(kind, error, _without_own_everywhere(error, trace))


def _print_short_in_thread(given: threading.ExceptHookArgs, /) -> None:
    """Print the traceback of a thread in place of `threading.excepthook`, once."""
    import threading

    if threading.excepthook is _print_short_in_thread:
        threading.excepthook = threading.__excepthook__
    error = given.exc_value
    trace = given.exc_traceback if error is None else _without_own_everywhere(error, given.exc_traceback)
    threading.__excepthook__(threading.ExceptHookArgs((given.exc_type, error, trace, given.thread)))


def _without_own_everywhere(error: BaseException, trace: TracebackType | None) -> TracebackType | None:
    """Take tonearm's own frames out of an exception and of those that led to it, and return its traceback."""
    for one in causes(error):
        if isinstance(one, (TonearmError, OptionError)) or "_render_traceback_" in vars(one):
            one.__traceback__ = without_own(one.__traceback__)
            trace = one.__traceback__ if one is error else trace
    return trace
