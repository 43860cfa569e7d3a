"""The functions for a model's code: from an array or a tensor to a file, to bytes, or to a waveform; and back."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

from tonearm.conversion.call import Call, GivenStep, encoder_for
from tonearm.conversion.saved import Saved
from tonearm.errors import ItemError
from tonearm.pipeline.converter import Converter, as_source
from tonearm.python.pipeline import TonearmWarning
from tonearm.source import Source

if TYPE_CHECKING:
    from tonearm.run.store.memory_sink import MemorySink
    from tonearm.signals import Waveform

T = TypeVar("T")


def save(
    audio: Any,
    target: str | os.PathLike[str] | BinaryIO,
    *,
    format: str | None = None,  # noqa: A002 - the name that every such function has
    sample_rate: int | None = None,
    steps: Sequence[GivenStep] = (),
    encoder: Mapping[str, object] | None = None,
    limits: Mapping[str, object] | None = None,
    overwrite: bool = True,
    durable: bool = False,
    **options: object,
) -> Saved:
    """Write what a model gave to an audio file."""
    if not isinstance(target, (str, os.PathLike)):
        if format is None:
            format = Path(getattr(target, "name", "")).suffix[1:]  # noqa: A001
        _encoded(audio, format, sample_rate, steps, encoder, limits, options, lambda sink: sink.copy_to(target))
        return Saved(paths=())
    from tonearm.run.convert_one import convert_one

    path = os.fsdecode(target)
    root, file = _split_template(path)
    call = _call(audio, encoder_for(path, format), file, sample_rate, steps, encoder, limits, options)
    converter, source = call.converter()
    messages: list[str] = []
    measured: list[Mapping[str, float | int | str]] = []
    paths = convert_one(
        converter,
        source,
        root,
        force=overwrite,
        fsync=durable,
        is_call=True,
        on_warning=messages.append,
        on_item=measured.append,
    )
    _warn(messages)
    return Saved(paths=tuple(paths), measured=measured[0] if len(measured) == 1 else {}, warnings=tuple(messages))


def encode(
    audio: Any,
    format: str,  # noqa: A002 - the name that every such function has
    *,
    sample_rate: int | None = None,
    steps: Sequence[GivenStep] = (),
    encoder: Mapping[str, object] | None = None,
    limits: Mapping[str, object] | None = None,
    **options: object,
) -> bytes:
    """Return what a model gave as the bytes of an audio file."""
    return _encoded(audio, format, sample_rate, steps, encoder, limits, options, lambda sink: sink.content())


def to_waveform(
    audio: Any,
    *,
    sample_rate: int | None = None,
    steps: Sequence[GivenStep] = (),
    limits: Mapping[str, object] | None = None,
    **options: object,
) -> Waveform:
    """Return what a model gave as a waveform."""
    call = _call(audio, "", "", sample_rate, steps, None, limits, options)
    return _only(*call.converter())


def read(
    path: str | os.PathLike[str],
    *,
    sample_rate: int | None = None,
    steps: Sequence[GivenStep] = (),
    limits: Mapping[str, object] | None = None,
    **options: object,
) -> Waveform:
    """Return the sound of a file as a waveform."""
    return to_waveform(path, sample_rate=sample_rate, steps=steps, limits=limits, **options)


def _encoded(
    audio: Any,
    format: str,  # noqa: A002 - the name that every such function has
    sample_rate: int | None,
    steps: Sequence[GivenStep],
    encoder: Mapping[str, object] | None,
    limits: Mapping[str, object] | None,
    options: Mapping[str, object],
    taken: Callable[[MemorySink], T],
) -> T:
    """Encode the only sound, and return what a function takes from its sink."""
    from tonearm.run.store.memory_sink import MemorySink

    name = encoder_for("", format)
    suffix = f".{format}" if name != format else ""
    call = _call(audio, name, f"sound{suffix or '.bin'}", sample_rate, steps, encoder, limits, options)
    converter, source = call.converter()
    (output,) = converter.outputs
    messages: list[str] = []
    converter.preflight()
    for outcome in converter.items(source, on_warning=messages.append):
        for branch in converter.branch(output, outcome):
            if branch.error or branch.item is None:
                raise branch.error or ItemError("there is nothing to write", code="empty")
            with MemorySink(suffix) as sink:
                converter.encode(output, branch.item, sink, branch.context)
                _warn(messages)
                return taken(sink)
    raise ItemError("there is nothing to write", code="empty")


def _only(converter: Converter, source: Source) -> Waveform:
    converter.preflight()
    (signal,) = converter.convert(source)
    return signal  # type: ignore[return-value]


def _call(
    audio: Any,
    encoder: str,
    file: str,
    sample_rate: int | None,
    steps: Sequence[GivenStep],
    encoder_options: Mapping[str, object] | None,
    limits: Mapping[str, object] | None,
    options: Mapping[str, object],
) -> Call:
    if sample_rate is not None:
        options = {"sample_rate": sample_rate, **options}
    return Call(
        source=as_source(audio),
        encoder=encoder,
        file=file,
        options=options,
        steps=tuple(steps),
        encoder_options=encoder_options or {},
        limits=limits or {},
    )


def _split_template(path: str) -> tuple[str, str]:
    """Return the folder of a template that is fixed, and the rest."""
    if "{" not in path:
        return os.path.split(path)
    parts = Path(path).parts
    first = min(next(index for index, part in enumerate(parts) if "{" in part), len(parts) - 1)
    return os.fspath(Path(*parts[:first])), "/".join(parts[first:])


def _warn(messages: list[str]) -> None:
    for message in messages:
        warnings.warn(message, TonearmWarning, stacklevel=3)
