"""The two ends of ``tonearm convert``: which decoder reads the source, which encoder writes the target, and how."""

from __future__ import annotations

import os
import re
from types import SimpleNamespace

from msgspec import Struct

from tonearm.addresses import is_stream
from tonearm.cli.pipe_sources import told_by_content
from tonearm.cli.pipes import InputPipe
from tonearm.conversion.destination import destination_of
from tonearm.conversion.formats import Format, format_of
from tonearm.errors import UsageError, one_line
from tonearm.pipeline.inference import decoder_of_layouts, name_by_suffix, plugins_by_suffix
from tonearm.plugins.encoder import refuses_pipes
from tonearm.plugins.registry import Registry
from tonearm.reading.file_types import TEXTS, identify

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
    has_layout = getattr(arguments, "with_layout", None) is not None
    is_text = given is not None and has_layout and identify(given.head()) in TEXTS
    if has_layout and (found := decoder_of_layouts(registry, "a.txt" if is_text else arguments.source)):
        return found
    is_raw = arguments.with_encoding is not None
    by_suffix = plugins_by_suffix(registry, "decoder", arguments.source)
    if given is None and (by_suffix or not is_raw):
        return name_by_suffix(registry, "decoder", arguments.source)
    if given is None:
        return RAW_READER
    if len(by_suffix) == 1:
        return registry.short_name(by_suffix[0])
    return (
        RAW_READER
        if is_raw and arguments.yaml
        else told_by_content(given, registry, otherwise=RAW_READER if is_raw else "")
    )


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
