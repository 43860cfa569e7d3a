"""Where a call writes: a file, files whose names come from a template, or an open file; and in which format."""

from __future__ import annotations

import io
import os
import stat
from typing import Any, BinaryIO, TypeGuard

from msgspec import Struct

from tonearm.addresses import refuse_address
from tonearm.conversion.formats import Format, format_of, suffixes_of
from tonearm.errors import OptionError, OutputError, UsageError, one_line
from tonearm.errors.problem import advise
from tonearm.pipeline import RESERVED_PREFIX
from tonearm.pipeline.inference import name_by_suffix
from tonearm.pipeline.templates import parse_template
from tonearm.plugins.registry import Registry
from tonearm.writing.templates import parse_parts


class Destination(Struct, frozen=True):
    """Place and format of what a call writes.

    Parameters
    ----------
    encoder
        Name of the encoder.
    file
        Template of the file's name below the folder.
    folder
        Fixed folder that the template is relative to.
    suffix
        Suffix of the format, with dot.
    opened
        Open binary file to write to in place of a named one; None if there is none.
    """

    encoder: str
    file: str
    folder: str = ""
    suffix: str = ""
    opened: BinaryIO | None = None


def destination_of(target: Any, format: str | None, registry: Registry) -> Destination:  # noqa: A002 - the name that the call has
    """Return where a call writes.

    Parameters
    ----------
    target
        Path, template of paths, or open binary file.
    format
        Suffix without dot, or name of an encoder; None to tell it from the suffix of the target.
    registry
        Registry of plugins.

    Raises
    ------
    UsageError
        If the target cannot be written to, or does not tell the format, or contradicts it.
    """
    if isinstance(target, (str, os.PathLike)):
        return _of_path(os.fsdecode(target), format, registry)
    if not _is_binary_file(target):
        is_swapped = hasattr(target, "__array__") or isinstance(target, (list, tuple))
        hint = "the sound comes first" if is_swapped else "the name of the file has a suffix"
        message = f"a target is a path or an open binary file, not {type(target).__name__}"
        raise UsageError(message, hint=f'{hint}, as in save(audio, "speech.wav")')
    name = getattr(target, "name", None)
    suffix = os.path.splitext(os.fsdecode(name))[1] if isinstance(name, (str, bytes, os.PathLike)) else ""  # noqa: PTH122
    if format is None and not suffix:
        raise UsageError("an open file does not tell its format", hint='name it, as in format="mp3"')
    found = format_of(format or suffix, "encoder", registry)
    return unnamed_destination(found, opened=target, suffix=found.suffix or suffix)


def unnamed_destination(found: Format, *, suffix: str = "", opened: BinaryIO | None = None) -> Destination:
    """Return the destination of content that gets no name: bytes for the caller, or an open file.

    Parameters
    ----------
    found
        Format.
    suffix
        Suffix that the name would have, with dot; that of the format if empty.
    opened
        Open binary file to write them to.
    """
    suffix = suffix or found.suffix
    # The name distinguishes items, so that two of them are no problem of names.
    return Destination(found.plugin, f"{{index}}{suffix or '.bin'}", suffix=suffix, opened=opened)


def split_template(path: str) -> tuple[str, str]:
    """Return the fixed folders at the start of a path, and the rest, which may be a template.

    Parameters
    ----------
    path
        Path, whose folders and name may have fields such as ``{index}``.

    Raises
    ------
    UsageError
        If a field is unknown, or a brace is alone.
    """
    if "{" not in path and "}" not in path:
        folder, name = os.path.split(path)
        return folder, "./-" if name == "-" else name  # a name alone would be that of a stream
    try:
        parse_parts(path)
    except OptionError as error:
        raise UsageError(error.message, code=error.code, remedies=error.remedies) from None
    from pathlib import Path  # not at the top: it takes 6 ms, and most paths have no fields

    names = Path(path).parts
    fixed = 0
    while fixed < len(names) - 1 and all(isinstance(part, str) for part in parse_parts(names[fixed])):
        fixed += 1
    folders = ("".join(map(str, parse_parts(name))) for name in names[:fixed])
    return os.path.join("", *folders), "/".join(names[fixed:])  # noqa: PTH118


def _of_path(path: str, format: str | None, registry: Registry) -> Destination:  # noqa: A002
    refuse_address(path, written=True)
    if path.startswith("~"):
        raise UsageError(
            f"{one_line(path)} starts with ~, which only a shell expands",
            hint=f'write pathlib.Path("{one_line(path)}").expanduser()',
        )
    folder, file = split_template(path)
    _check_name(file)
    if format is None or path.endswith("/") or file in ("", ".", "..") or os.path.isdir(path):  # noqa: PTH112
        name = path if file not in ("", ".", "..") or path.endswith("/") else f"{path or '.'}/"
        encoder = name_by_suffix(registry, "encoder", name)
        return Destination(encoder, file, folder)
    found = format_of(format, "encoder", registry)
    suffix = _suffix_of(file, found.plugin, registry)
    if found.is_suffix and suffix != found.suffix and (suffix or not _is_main(found, registry)):
        shown = one_line(file)
        says = f"{shown} has the suffix {suffix}" if suffix else f"{shown} has no suffix"
        stem = one_line(file.removesuffix(suffix))
        raise UsageError(
            f"{says}, but format says {found.suffix[1:]}",
            code="wrong-suffix",
            hint=f"name it {stem}{found.suffix}" + (", or leave format out" if suffix else ""),
        )
    return Destination(found.plugin, file, folder, suffix=found.suffix)


def _check_name(file: str) -> None:
    """Raise `UsageError` for a name that no file can have, before anything is made of the sound."""
    if file in ("", ".", ".."):
        return
    try:
        parse_template(file)
    except OptionError as error:
        own_hint = (
            "shorten it" if error.code == "name-too-long" else "leave out control characters, such as line breaks"
        )
        remedies = error.remedies if "{" in file or file.startswith(RESERVED_PREFIX) else advise(own_hint)
        raise UsageError(error.message, code=error.code, remedies=remedies) from None
    except UnicodeEncodeError:
        message = f"file names of this system cannot have all letters of {one_line(ascii(file), 60)}"
        raise UsageError(message, code="bad-template", hint="run Python with -X utf8") from None


def _suffix_of(file: str, encoder: str, registry: Registry) -> str:
    """Return the suffix of a file's name, if it is one of an encoder's own."""
    suffixes = suffixes_of(encoder, "encoder", registry)
    return max((one for one in suffixes if file.lower().endswith(one)), key=len, default="")


def _is_main(found: Format, registry: Registry) -> bool:
    """Return whether a format is the one that its encoder writes into a file without suffix."""
    return suffixes_of(found.plugin, "encoder", registry)[:1] == (found.suffix,)


def _is_binary_file(target: Any) -> TypeGuard[BinaryIO]:
    """Return whether an object is an open file that takes bytes.

    Raises
    ------
    UsageError
        If it is a file of text, or is closed, or cannot be written to.
    """
    if not callable(getattr(target, "write", None)):
        return False
    mode = getattr(target, "mode", "")
    if isinstance(target, io.TextIOBase) or getattr(target, "encoding", None) is not None:
        hint = "give its buffer, as in sys.stdout.buffer" if hasattr(target, "buffer") else 'open it with "wb"'
        raise UsageError("the target is a file of text; sound is binary", hint=hint)
    if getattr(target, "closed", False):
        raise UsageError("the target is a file that is closed", hint="save before it is closed")
    writable = getattr(target, "writable", None)
    if mode == "rb" or (callable(writable) and not writable()):
        raise UsageError("the target is a file that is open for reading only", hint='open it with "wb"')
    return True


def write_all(target: BinaryIO, content: bytes, *, durable: bool) -> None:
    """Write bytes to an open file.

    Parameters
    ----------
    target
        Open binary file.
    content
        Bytes.
    durable
        Whether to flush them to the disk.

    Raises
    ------
    OutputError
        If they cannot be written.
    """
    at = 0
    try:
        while at < len(content):
            count: object = target.write(memoryview(content)[at:] if at else content)
            if count is None and isinstance(target, io.RawIOBase):
                raise BlockingIOError("it would block")
            at += count if isinstance(count, int) else len(content)  # a pipe may take a part; many return nothing
        if durable:
            _flush_to_disk(target)
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise OutputError(f"cannot write to the open file: {reason}") from error


def _flush_to_disk(target: BinaryIO) -> None:
    """Flush a file to the disk, if it lies on one: a pipe and a file in memory do not."""
    target.flush()
    try:
        handle = target.fileno()
    except OSError:
        return
    if stat.S_ISREG(os.fstat(handle).st_mode):
        os.fsync(handle)
