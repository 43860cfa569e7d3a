"""Sources that come through pipes: the decoder that their first bytes tell, and all of them as a file."""

from __future__ import annotations

import os

from tonearm.cli.pipes import InputPipe
from tonearm.conversion.formats import suffixes_of
from tonearm.errors import ChoosePlugin, ItemError, UsageError
from tonearm.pipeline.checked import BoundPlugin
from tonearm.plugins.decoder import Decoder
from tonearm.plugins.registry import Registry
from tonearm.reading import file_types
from tonearm.source import Source, source_changed


def told_by_content(given: InputPipe, registry: Registry, *, otherwise: str = "") -> str:
    """Return the name of the decoder that the first bytes of a pipe tell.

    Parameters
    ----------
    given
        Pipe.
    registry
        Registry of plugins.
    otherwise
        Name of the decoder of bytes that tell none; empty if there is none.

    Raises
    ------
    UsageError
        If they tell none.
    ItemError
        If there are none.
    """
    found = file_types.identify(given.head())
    if found is file_types.EMPTY:
        raise ItemError(
            f"{given.name} holds nothing: it has 0 bytes", code="empty", hint="the program that writes has failed"
        )
    if any(entry.name == found.reader for entry in registry.entries("decoder")):
        return found.reader
    if otherwise:
        return otherwise
    if found not in (file_types.UNKNOWN, file_types.ZEROS, file_types.PICKLE):
        raise UsageError(f"{given.name} looks like {found.name}", code="unknown-suffix", hint=found.hint)
    remedies = (ChoosePlugin("decoder", when="or --encoding and --sample-rate of raw samples, for convert"),)
    raise UsageError(f"{given.name} does not tell its format", code="unknown-suffix", remedies=remedies)


def file_name(given_name: str, decoder: str, registry: Registry) -> str:
    """Return the name of a file that stands for a pipe in a pipeline, such as ``stdin.npy``.

    Parameters
    ----------
    given_name
        Name of the pipe, as the user gave it.
    decoder
        Name of the decoder.
    registry
        Registry of plugins.
    """
    return stem_of(given_name) + next(iter(suffixes_of(decoder, "decoder", registry)), "")


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
