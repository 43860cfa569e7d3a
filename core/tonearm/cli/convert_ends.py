"""The two ends of ``tonearm convert``: which decoder reads the source, which encoder writes the target, and how."""

from __future__ import annotations

import os
import re
from types import SimpleNamespace

from msgspec import Struct

from tonearm.addresses import is_stream
from tonearm.cli.pipes import InputPipe
from tonearm.conversion.destination import destination_of
from tonearm.conversion.formats import Format, format_of, suffixes_of
from tonearm.errors import ChoosePlugin, ItemError, UsageError, one_line
from tonearm.pipeline.checked import BoundPlugin
from tonearm.pipeline.inference import name_by_suffix, plugins_by_suffix
from tonearm.plugins.decoder import Decoder
from tonearm.plugins.encoder import refuses_pipes
from tonearm.plugins.registry import Registry
from tonearm.reading import file_types
from tonearm.source import Source, source_changed

RAW_READER = "pcm-reader"
"""Decoder of raw samples, which ``--encoding`` asks for."""


class TargetFormat(Struct, frozen=True):
    """Format of the target.

    Parameters
    ----------
    encoder
        Name of the encoder.
    suffix
        Suffix of the format, with dot, for a pipe, whose name may have none.
    is_piped
        Whether the target is a pipe.
    """

    encoder: str
    suffix: str = ""
    is_piped: bool = False


def target_format(arguments: SimpleNamespace, registry: Registry) -> TargetFormat:
    """Return the format of the target.

    Parameters
    ----------
    arguments
        Parsed command line.
    registry
        Registry of plugins.

    Raises
    ------
    UsageError
        If nothing tells the format, two flags do, or a pipe cannot take it.
    """
    target, named, encoder = arguments.target, arguments.to, arguments.encoder
    if named and encoder:
        raise UsageError("--to and --encoder exclude each other", hint="leave one out")
    if not is_stream(target, written=True):
        if named:
            return TargetFormat(destination_of(target, named, registry).encoder)
        return TargetFormat(encoder or name_by_suffix(registry, "encoder", target))
    found = _piped_format(target, named or encoder, registry)
    if not getattr(registry.find("encoder", found.plugin).resolve(), "pipes", False):
        error = refuses_pipes(found.plugin)
        raise UsageError(error.message, code=error.code, remedies=error.remedies)
    return TargetFormat(found.plugin, found.suffix, is_piped=True)


def _piped_format(target: str, name: str | None, registry: Registry) -> Format:
    """Return the format of a pipe: the named one, or that of the pipe's suffix."""
    if name:
        return format_of(name, "encoder", registry)
    suffix = os.path.splitext(target)[1]  # noqa: PTH122
    if not suffix:
        raise UsageError(
            f"{one_line(target)} does not tell the format to write", code="unknown-suffix", hint="give it: --to mp3"
        )
    return Format(name_by_suffix(registry, "encoder", target), suffix)


def decoder_name(arguments: SimpleNamespace, registry: Registry, given: InputPipe | None) -> str:
    """Return the name of the decoder: the named one, that of the suffix, or that of a pipe's first bytes.

    Parameters
    ----------
    arguments
        Parsed command line.
    registry
        Registry of plugins.
    given
        Pipe that the source comes from; None for a file.

    Raises
    ------
    UsageError
        If nothing tells it.
    ItemError
        If the source cannot be read, or is empty.
    """
    if arguments.decoder:
        return str(arguments.decoder)
    is_raw = arguments.with_encoding is not None
    by_suffix = plugins_by_suffix(registry, "decoder", arguments.source)
    if given is None and (by_suffix or not is_raw):
        return name_by_suffix(registry, "decoder", arguments.source)
    if given is None:
        return RAW_READER
    if len(by_suffix) == 1:
        return registry.short_name(by_suffix[0])
    return RAW_READER if is_raw and arguments.yaml else _told_by_content(given, registry, is_raw=is_raw)


def _told_by_content(given: InputPipe, registry: Registry, *, is_raw: bool) -> str:
    """Return the name of the decoder that the first bytes of a pipe tell."""
    found = file_types.identify(given.head())
    if found is file_types.EMPTY:
        raise ItemError(
            f"{given.name} holds nothing: it has 0 bytes", code="empty", hint="the program that writes has failed"
        )
    if any(entry.name == found.reader for entry in registry.entries("decoder")):
        return found.reader
    if is_raw:
        return RAW_READER
    if found not in (file_types.UNKNOWN, file_types.ZEROS, file_types.PICKLE):
        raise UsageError(f"{given.name} looks like {found.name}", code="unknown-suffix", hint=found.hint)
    remedies = (ChoosePlugin("decoder", when="or --encoding, --channels and --sample-rate for raw samples"),)
    raise UsageError(f"{given.name} does not tell its format", code="unknown-suffix", remedies=remedies)


def encoding_name(name: str | None) -> str | None:
    """Return an encoding of raw samples as plugins name it; ffmpeg has a shorter name for each, such as s16le.

    Examples
    --------
    >>> encoding_name("s16le"), encoding_name("pcm_mulaw"), encoding_name("alaw")
    ('pcm_s16le', 'mulaw', 'alaw')
    """
    if name is None:
        return None
    if re.fullmatch(r"[suf]\d+(le|be)?", name):
        return f"pcm_{name}"
    return re.sub(r"^pcm_(mulaw|alaw)$", r"\1", name)


def main_suffix(registry: Registry, decoder: str) -> str:
    """Return the first suffix of a decoder's files, with dot; empty if it has none."""
    return next(iter(suffixes_of(decoder, "decoder", registry)), "")


def stem_of(name: str) -> str:
    """Return what stands for the stem of a pipe's name: ``stdin``, or that of a named pipe."""
    stem = os.path.splitext(os.path.basename(name))[0]  # noqa: PTH119, PTH122
    return "stdin" if stem == "-" or stem.isdecimal() else stem


def whole_source(given: InputPipe, name: str, decoder: BoundPlugin) -> Source:
    """Return a pipe as a source, when all of it has come.

    Parameters
    ----------
    given
        Pipe.
    name
        Name as the user gave it.
    decoder
        Decoder.
    """
    return read_source(given.collected(), decoder, name=given.name, key=stem_of(name))


def read_source(path: str, decoder: BoundPlugin, *, name: str = "", key: str = "") -> Source:
    """Return a file as a source, with its content if the decoder takes that.

    Parameters
    ----------
    path
        Path of the file.
    decoder
        Decoder.
    name
        Name for messages; the path if empty.
    key
        Name that stands for the stem.

    Raises
    ------
    ItemError
        If the source changed while it was read.
    """
    from tonearm.content_hash import take_snapshot

    snapshot = take_snapshot(path, read=isinstance(decoder.plugin, Decoder) and decoder.plugin.reads == "content")
    if snapshot.content is not None and not snapshot.is_current(path):
        raise source_changed(name or path)
    return Source(name=name or path, path=path, content=snapshot.content, identity=snapshot.identity, key=key)
