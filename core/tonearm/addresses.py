"""Names that are no files on this machine: addresses such as ``s3://bucket/a.npy``, and streams such as ``-``."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Mapping

from tonearm.errors import ItemError, RunCommand, UsageError, one_line

_ADDRESS = r"([A-Za-z][A-Za-z0-9+.-]+):/(/?)(.*)"
_STREAMS = ("/dev/stdin", "/dev/stdout", "/dev/stderr", "/dev/fd/", "/proc/self/fd/")
_WILDCARD = r"[*?[{]"
_SCHEMES = frozenset(("s3", "gs", "http", "https", "file", "az", "abfs", "ftp", "sftp", "hdfs", "hf", "gcs", "memory"))
"""Schemes that are told where `pathlib.Path` has made one slash of two; other names may be those of folders to make."""


_COPIES: Mapping[str, tuple[str, ...]] = {
    "s3": ("aws", "s3", "cp"),
    "gs": ("gcloud", "storage", "cp"),
    "http": ("curl", "-LO"),
    "https": ("curl", "-LO"),
}
"""Commands that copy a file from an address, by the scheme of the address."""


def refuse_address(name: str, *, written: bool = False, streams: bool = False) -> None:
    """Refuse a name that is an address or a stream; otherwise a file of this name would be looked for, or made.

    A file of a name such as ``-`` can be named as ``./-``.

    Parameters
    ----------
    name
        Name of a file, a folder, or a pattern.
    written
        Whether it is to be written.
    streams
        Whether streams are allowed.

    Raises
    ------
    UsageError
        If it is an address, or stands for a stream.
    """
    found = re.fullmatch(_ADDRESS, name, re.DOTALL) if ":/" in name else None
    # `pathlib.Path` makes s3:/bucket of s3://bucket; in a folder that is called s3: it is a file.
    is_collapsed = found and found[1].lower() in _SCHEMES and not _has_mode(f"{found[1]}:", stat.S_ISDIR)
    if found and (found[2] or is_collapsed):
        raise _address_error(f"{found[1]}://{found[3]}", found[1].lower(), found[3], written=written)
    if not streams and _names_stream(name, written=written):
        other = "a file of this name is ./-" if name == "-" else ""
        hint = "give the name of a file" if written else "tonearm convert reads one, or save it to a file first"
        raise UsageError(
            f"{one_line(name)} is a stream, and files are expected here",
            code="stream-refused",
            hint="; ".join(filter(None, (hint, other))),
        )


def is_stream(name: str, *, written: bool = False) -> bool:
    """Return whether a name that stands alone is that of a stream: ``-``, ``/dev/stdin``, or a named pipe.

    Parameters
    ----------
    name
        Name.
    written
        Whether it is to be written. Then devices are streams, too: nothing takes their place. A device that is read,
        such as ``/dev/zero``, may have no end.
    """
    kinds = (stat.S_ISFIFO, stat.S_ISCHR) if written else (stat.S_ISFIFO,)
    return _names_stream(name, written=True) or any(_has_mode(name, kind) for kind in kinds)


def _names_stream(name: str, *, written: bool) -> bool:
    return name == "-" or (name.startswith(_STREAMS) and (written or not _has_mode(name, stat.S_ISREG)))


def _has_mode(path: str, is_kind: Callable[[int], bool]) -> bool:
    """Return whether a path leads to a file of a kind, such as a pipe, or a file that a shell has opened."""
    try:
        return is_kind(os.stat(path).st_mode)  # noqa: PTH116 - pathlib takes 6 ms
    except (OSError, ValueError):
        return False


def refuse_missing(path: str) -> None:
    """Refuse a file that does not exist, with the nearest name in its folder.

    Parameters
    ----------
    path
        Path of a file or a folder.

    Raises
    ------
    ItemError
        If nothing has this name. Any other error is for those who open it.
    """
    try:
        os.stat(path)  # noqa: PTH116 - pathlib takes 6 ms
    except FileNotFoundError as error:
        message = f"cannot read {one_line(path)}: no such file or directory"
        raise ItemError(message, code="unreadable", hint=near_file(path)) from error
    except (OSError, ValueError):
        pass


def near_file(path: str) -> str:
    """Return ``did you mean 'x'?`` for the name in a folder that is nearest to a missing one, or an empty text.

    Names with a letter or two wrong are near, and so is that of another suffix.
    """
    from itertools import islice
    from pathlib import Path

    from tonearm.errors.text import edit_distance

    where = Path(path)
    base = where.name
    try:
        with os.scandir(where.parent) as entries:
            others = sorted(entry.name for entry in islice(entries, _MOST_NAMES))
    except (OSError, ValueError):
        return ""
    limit = min(2, (len(base) + 1) // 4)
    distances = [(edit_distance(base.lower(), other.lower(), limit), other) for other in others]
    near = [other for distance, other in sorted(distances) if distance <= limit]
    near += [other for other in others if where.stem and Path(other).stem == where.stem]
    return f"did you mean {one_line(where.parent / near[0])!r}?" if near else ""


_MOST_NAMES = 10_000


def _address_error(name: str, scheme: str, rest: str, *, written: bool) -> UsageError:
    message = f"{one_line(name)} is an address; tonearm reads and writes files on this machine"
    if scheme == "file":
        path = f"/{rest.partition('/')[2]}"
        return UsageError(message, code="address-refused", hint=f"its path is {one_line(path)}")
    if written:
        return UsageError(
            message, code="address-refused", hint="write to a local folder, and copy the files afterwards"
        )
    copy = _COPIES.get(scheme)
    if copy is None or re.search(_WILDCARD, name):
        return UsageError(message, code="address-refused", hint="copy the files to this machine first")
    command = RunCommand((*copy, name, *(() if copy[0] == "curl" else (".",))), when="to copy it here first")
    return UsageError(message, code="address-refused", remedies=(command,))
