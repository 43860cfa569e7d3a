"""Files that a call has saved: paths, measurements and warnings; in a notebook, a player."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from msgspec import Struct

from tonearm.errors import UsageError
from tonearm.errors.text import counted
from tonearm.signals.levels import sound_facts

T = TypeVar("T")

MEDIA_TYPES: Mapping[str, str] = {
    ".wav": "audio/wav",
    ".flac": "audio/flac",
    ".mp3": "audio/mpeg",
    ".ogg": "audio/ogg",
    ".oga": "audio/ogg",
    ".opus": "audio/ogg",
    ".m4a": "audio/mp4",
    ".aac": "audio/aac",
    ".png": "image/png",
}
"""Media types of the files that browsers play or show, by suffix."""

MAX_SHOWN = 20
"""Largest number of files that a notebook lists."""


class Saved(Struct, frozen=True):
    """Files that `tonearm.save` has written. It stands for the path of its only file wherever a path is expected.

    Parameters
    ----------
    paths
        Paths of the files in order; empty if they went into an open file.
    measurements
        Measurements, item by item: duration, peak_db, dc, and what steps and encoders measure.
    warnings
        Warnings in order.

    Examples
    --------
    >>> from pathlib import Path
    >>> saved = Saved((Path("speech.wav"),), ({"duration": 2.31, "peak_db": -1.0},))
    >>> saved
    Saved('speech.wav', 2.31 s, peak -1.0 dBFS)
    >>> saved.measured["peak_db"]
    -1.0
    """

    paths: tuple[Path, ...]
    measurements: tuple[Mapping[str, float | int | str], ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def path(self) -> Path:
        """Path of the file.

        Raises
        ------
        UsageError
            If there is no file, or there are several.
        """
        return _only(self.paths, "file", "path", "paths")

    @property
    def measured(self) -> Mapping[str, float | int | str]:
        """Measurements of the item by name.

        Raises
        ------
        UsageError
            If no item was measured, or several were.
        """
        return _only(self.measurements, "item", "measured", "measurements")

    def __fspath__(self) -> str:
        return str(self.path)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(self._facts())})"

    def _repr_html_(self) -> str:
        """Return a player for notebooks with the files, embedded if they are small."""
        from tonearm.notebook.html import figure_html

        parts = [part for path in self.paths[:MAX_SHOWN] for part in _shown(path)]
        caption = [", ".join(self._facts()), *self.warnings]
        if len(self.paths) > MAX_SHOWN:
            caption.append(f"The first {MAX_SHOWN} of {len(self.paths)} files are shown.")
        return figure_html(parts, caption)

    def _facts(self) -> Iterator[str]:
        """Yield the name of the file, or the number of files, and the main measurements."""
        if len(self.paths) == 1:
            yield repr(str(self.path))
        else:
            yield counted(len(self.paths), "file") if self.paths else "an open file"
        if len(self.measurements) > 1:
            yield counted(len(self.measurements), "item")
            durations = [float(one["duration"]) for one in self.measurements if "duration" in one]
            yield from sound_facts({"duration": sum(durations)} if durations else {})
        elif self.measurements:
            yield from sound_facts(self.measured)


def _only(found: Sequence[T], noun: str, name: str, plural: str) -> T:
    """Return the only one of several values.

    Raises
    ------
    UsageError
        If there is none, or there are several.
    """
    if len(found) == 1:
        return found[0]
    if not found and noun == "file":
        raise UsageError("there is no path: an open file was written", hint=f"{plural} is empty then")
    raise UsageError(
        f"{name} is that of one {noun}, but there are {len(found) or 'none'}",
        hint=f"{plural} has one for each {noun}" if found else "",
    )


def _shown(path: Path) -> Iterator[str]:
    """Yield a file as HTML: embedded if browsers show its format and it is small, else a link with the reason."""
    from tonearm.named_file import read_named_file
    from tonearm.notebook.html import MAX_EMBEDDED, audio_html, data_uri, image_html, link_html

    media_type = MEDIA_TYPES.get(path.suffix.lower())
    if media_type is None:
        yield link_html(path, "")
        return
    try:
        content = read_named_file(str(path), MAX_EMBEDDED)
    except OSError as error:
        yield link_html(path, (error.strerror or str(error)).lower())
        return
    if content is None or len(content) > MAX_EMBEDDED:
        yield link_html(path, f"more than {MAX_EMBEDDED // 10**6} MB" if content else "not a regular file")
        return
    show = image_html if media_type.startswith("image/") else audio_html
    yield show(data_uri(content, media_type), path.name)
