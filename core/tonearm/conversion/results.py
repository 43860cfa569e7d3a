"""Results of calls: published files, encoded bytes, or a waveform; with measurements and warnings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Generic, TypeAlias, TypeVar

from msgspec import Struct

from tonearm.conversion.call import Call
from tonearm.conversion.destination import Destination
from tonearm.conversion.saved import Saved
from tonearm.errors import ItemError, UsageError, one_line
from tonearm.pipeline.only_item import only_item
from tonearm.pipeline.outcome import Outcome
from tonearm.plugins.progress import Progress
from tonearm.signals import Waveform

T = TypeVar("T")
OnProgress: TypeAlias = Callable[[Progress], None] | None
Measured: TypeAlias = Mapping[str, float | int | str]


class ItemResult(Struct, Generic[T], frozen=True):
    """Result of a call that converts one item.

    Parameters
    ----------
    value
        Content of its file, or its waveform.
    measured
        Measurements of the item, by name.
    warnings
        Warnings, each once.
    """

    value: T
    measured: Measured
    warnings: tuple[str, ...]


def publish(call: Call, folder: str, *, overwrite: bool, durable: bool, on_progress: OnProgress) -> Saved:
    """Convert the source of a call, and publish the files.

    Parameters
    ----------
    call
        Call.
    folder
        Folder that the names of the files are relative to.
    overwrite
        Whether existing files are replaced.
    durable
        Whether to flush each file to the disk before it gets its name.
    on_progress
        Function that is called with the progress of plugins.
    """
    from tonearm.run.convert_one import convert_one  # not at the top: only files need the room of runs
    from tonearm.run.existing_outputs import refuse_existing

    messages: list[str] = []
    measured: dict[str, Measured] = {}
    converter, source = call.converter(), call.source
    if not overwrite:
        refuse_existing(converter, source, folder)
    convert_one(
        converter,
        source,
        folder,
        force=overwrite,
        fsync=durable,
        is_call=True,
        on_warning=messages.append,
        on_progress=on_progress,
        on_item=measured.__setitem__,
    )
    paths = tuple(Path(folder, file) for file in measured)
    return Saved(paths, tuple(measured.values()), tuple(dict.fromkeys(messages)))


def encode_item(call: Call, destination: Destination, on_progress: OnProgress) -> ItemResult[bytes]:
    """Return the only item of a call as the content of a file.

    Parameters
    ----------
    call
        Call.
    destination
        Destination, with the suffix of the format.
    on_progress
        Function that is called with the progress of plugins.

    Raises
    ------
    ItemError
        If there are several items, or none.
    """
    from tonearm.run.store.memory_sink import MemorySink  # not at the top: only bytes need it

    converter, source = call.converter(), call.source
    (output,) = converter.outputs
    messages: list[str] = []
    converter.preflight()

    def several(*_: Outcome) -> ItemError:
        suffix = destination.suffix or ".wav"
        return ItemError(
            "audio has several items, and bytes are those of one file",
            code="same-output",
            hint=f'convert one at a time, or save(audio, "{{index}}{suffix}", …), which writes a file for each',
        )

    outcome = only_item(converter.items(source, on_warning=messages.append, on_progress=on_progress), several)
    branch = only_item(converter.branch(output, outcome), several)
    assert branch.item is not None
    with MemorySink(destination.suffix) as sink:
        converter.encode(output, branch, sink)
        content = sink.content(output.encoder.name)
    return ItemResult(content, branch.context.measurements, tuple(dict.fromkeys(messages)))


def waveform_of(call: Call, on_progress: OnProgress) -> ItemResult[Waveform]:
    """Return the only waveform of a call.

    Parameters
    ----------
    call
        Call.
    on_progress
        Function that is called with the progress of plugins.

    Raises
    ------
    ItemError
        If there are several items, or none.
    UsageError
        If the last step gives another signal.
    """
    converter, source = call.converter(), call.source
    messages: list[str] = []
    converter.preflight()

    def several(first: Outcome, second: Outcome) -> ItemError:
        keys = [outcome.item.key for outcome in (first, second) if outcome.item]
        is_named = all(keys) and keys[0] != keys[1]
        name = one_line(source.name) if source.path_text or source.file else "audio"
        named = f": {one_line(keys[0], 60)}, {one_line(keys[1], 60)}, …" if is_named else ""
        which = f'key="{one_line(keys[0], 60)}" selects one' if is_named else "give one at a time"
        return ItemError(
            f"{name} has several items{named}",
            code="several-arrays",
            hint=f"{which}; convert() of a pipeline yields all (see load_pipeline)",
        )

    outcome = only_item(converter.items(source, on_warning=messages.append, on_progress=on_progress), several)
    assert outcome.item is not None
    signal = outcome.item.signal
    if not isinstance(signal, Waveform):
        raise UsageError(f"the steps give {signal.port}, not a waveform", code="port-mismatch")
    return ItemResult(signal, outcome.context.measurements, tuple(dict.fromkeys(messages)))
