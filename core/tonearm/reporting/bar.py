"""The bar of a conversion: which stage is at work, and which share of its work is done."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import sys
import threading
import time
from typing import TYPE_CHECKING

from msgspec.structs import replace

from tonearm.errors import one_line
from tonearm.plugins.progress import Progress, share_text

if TYPE_CHECKING:
    from typing import TextIO

    from rich.console import Console

    from tonearm.reporting.worker_rates import WorkerRates

DELAY = 0.5
"""Seconds that pass before the bar is drawn: a short conversion shows none."""

REFRESH_INTERVAL = 0.1
"""Least number of seconds between two drawings of the bar."""

_WHOLE = 10_000  # parts of a stage's work, of which rich counts whole ones

NAME_LENGTH = 40
"""Number of characters of a source's name that are shown."""

SHORT_NAME_LENGTH = 24
"""The same where the stage stands beside it."""

WORKERS_LENGTH = 60
"""Number of characters of the rates of workers that are shown."""


def source_text(name: str, length: int = NAME_LENGTH) -> str:
    """Return the name of a source without its folders, cut to so many characters."""
    return one_line(os.path.basename(name), length)  # noqa: PTH119 - pathlib is slow to import


def can_show() -> bool:
    """Return whether stderr shows bars: it is a terminal, or the output of a notebook."""
    is_terminal = getattr(sys.stderr, "isatty", lambda: False)() and os.environ.get("TERM") != "dumb"
    return is_terminal or "ipykernel" in sys.modules


class Bar:
    """A bar on stderr that is drawn when reports come, on their thread, and erased at the end.

    Rich is imported when the bar is drawn first. What goes wrong with drawing never fails a conversion.

    Parameters
    ----------
    color
        Whether the bar has colours; None to leave that to rich.
    """

    def __init__(self, *, color: bool | None = None) -> None:
        self._color = color
        self._due = time.monotonic() + DELAY
        self._counted = ""
        self._workers: WorkerRates | None = None
        self._shown: _RichBar | _Text | None = None
        self._last: Progress | None = None
        self._lock = threading.Lock()
        self._has_failed = False

    def __call__(self, progress: Progress) -> None:
        """Draw a report, unless the bar was drawn a moment ago and the stage is the same."""
        if self._workers is not None and self._workers.has_names:
            return  # the bar is that of the run: no source stands for all that many workers are at
        last = self._last
        now = time.monotonic()
        goes_on = last is not None and (last.source, last.index) == (progress.source, progress.index)
        if now < self._due and (goes_on or last is None):
            return
        where = self._counted and f"{self._counted}{source_text(progress.source, SHORT_NAME_LENGTH)}: "
        again = not goes_on or last is None or progress.done < last.done
        text = f"{where}{replace(progress, total=None)}"  # the share stands apart
        self._draw(text, progress.share, again=again, last=progress)

    def watch(self, workers: WorkerRates) -> None:
        """Show the workers of a run with their rates as soon as there are any that have names."""
        self._workers = workers

    def count(self, done: int, total: int) -> None:
        """Note how many sources of a run are done; it is shown with the next report, or with the rates of workers."""
        self._counted = f"{done}/{total} sources, "
        if self._workers is None or time.monotonic() < self._due:
            return
        if workers := self._workers.describe(WORKERS_LENGTH):
            share = done / total if total else None
            self._draw(f"{self._counted}{workers}", share, again=self._last is not None)

    def note(self, line: str) -> None:
        """Print a note in place of the bar."""
        self.clear()
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(f"{line}\n")
            sys.stderr.flush()

    def clear(self) -> None:
        """Erase the bar, so that a message can be printed in its place. The next report draws it again."""
        if self._shown is None:
            return
        shown = self._shown
        self._shown = self._last = None
        try:
            shown.stop()
        except Exception:
            self._has_failed = True

    def _draw(self, text: str, share: float | None, *, again: bool, last: Progress | None = None) -> None:
        """Draw a text with a share, unless another thread draws; ``again`` if the share begins anew."""
        if self._has_failed or not self._lock.acquire(blocking=False):
            return
        try:
            if self._shown is None:
                self._shown = self._opened()
            self._shown.draw(text, share, again=again)
            self._last, self._due = last, time.monotonic() + REFRESH_INTERVAL
        except Exception:
            self._has_failed = True
        finally:
            self._lock.release()

    def _opened(self) -> _RichBar | _Text:
        from rich.console import Console

        color = self._color
        console = Console(stderr=True, highlight=False, no_color=None if color is None else not color)
        without_widgets = console.is_jupyter and importlib.util.find_spec("ipywidgets") is None
        return _Text(sys.stderr) if without_widgets else _RichBar(console)


class _RichBar:
    """A bar of rich's, on a terminal or as a widget of a notebook."""

    def __init__(self, console: Console) -> None:
        from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as RichProgress

        self._bar = RichProgress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TaskProgressColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            auto_refresh=False,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def draw(self, text: str, share: float | None, *, again: bool) -> None:
        """Draw a text with a share of the work, None if it is not known; ``again`` if it begins from 0."""
        bar = self._bar
        total, done = (None, 0) if share is None else (_WHOLE, round(share * _WHOLE))
        if not bar.task_ids:
            bar.add_task(text, total=total, completed=done)
            bar.start()
        elif again:
            bar.reset(bar.task_ids[0], total=total, completed=done, description=text)
        else:
            bar.update(bar.task_ids[0], total=total, completed=done, description=text, refresh=True)

    def stop(self) -> None:
        """Erase the bar."""
        self._bar.stop()


class _Text:
    """A line of text that is written again and again: notebooks have no widgets unless ipywidgets is there."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._length = 0

    def draw(self, text: str, share: float | None, *, again: bool) -> None:  # noqa: ARG002 - each stands for itself
        """Write a text with a share in place of the last one."""
        self._write(f"{text}{share_text(share)}")

    def stop(self) -> None:
        """Erase the line."""
        self._write("")
        self._stream.write("\r")

    def _write(self, text: str) -> None:
        self._stream.write(f"\r{text.ljust(self._length)}")
        self._stream.flush()
        self._length = len(text)
