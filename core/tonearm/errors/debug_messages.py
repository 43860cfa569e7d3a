"""Messages for developers: ``--debug`` prints what is logged below ``tonearm``, such as the choice of an engine.

Plugins log as usual: ``logging.getLogger("tonearm.acme").debug("…")``. A program that uses tonearm as a library gets
these messages with its own handlers.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import logging

LOGGER = "tonearm"
"""Name of the logger that all of these belong to."""


@contextlib.contextmanager
def printed(print_message: Callable[[str], object]) -> Iterator[None]:
    """Print the messages while the context is open."""
    import logging

    handler = _handler(print_message)
    logger = logging.getLogger(LOGGER)
    level = logger.level
    logger.setLevel(logging.DEBUG)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


def print_from_here_on() -> None:
    """Print the messages on stderr until this process ends, unless they are printed already, as in a fork."""
    import logging

    logger = logging.getLogger(LOGGER)
    if not logger.handlers:
        logger.setLevel(logging.DEBUG)
        logger.addHandler(_handler(lambda text: print(text, file=sys.stderr, flush=True)))  # noqa: T201


def _handler(print_message: Callable[[str], object]) -> logging.Handler:
    """Return a handler that prints each message as one line."""
    import logging

    from tonearm.errors.text import one_line

    class Printing(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            with contextlib.suppress(OSError, ValueError):  # nobody reads it
                print_message(f"debug: {one_line(record.getMessage(), 500)}")

    return Printing()
