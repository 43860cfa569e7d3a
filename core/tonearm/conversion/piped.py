"""Sound for a pipe: the only item of a source, written where nothing can be patched afterwards."""

from __future__ import annotations

from collections.abc import Callable

from tonearm.errors import ItemError, OptionError, one_line
from tonearm.pipeline.blame import refusal
from tonearm.pipeline.checked import BoundPlugin
from tonearm.pipeline.converter import Converter
from tonearm.pipeline.only_item import only_item
from tonearm.pipeline.outcome import Outcome
from tonearm.pipeline.stages import plugin_as
from tonearm.plugins.encoder import Encoder
from tonearm.plugins.ports import Spec, spec_of
from tonearm.plugins.progress import Progress
from tonearm.plugins.sink import Sink
from tonearm.source import Source


def convert_to_pipe(
    converter: Converter,
    source: Source,
    sink: Sink,
    *,
    on_warning: Callable[[str], None],
    on_progress: Callable[[Progress], None] | None = None,
) -> None:
    """Convert a source, and write its only item into a pipe.

    Parameters
    ----------
    converter
        Pipeline with one output.
    source
        Source.
    sink
        Sink of the pipe.
    on_warning
        Function that is called with each warning.
    on_progress
        Function that is called with the progress of plugins.

    Raises
    ------
    ItemError
        If the item is refused, or there are several.
    OutputError
        If it cannot be written.
    """
    (output,) = converter.outputs

    def several(*_: Outcome) -> ItemError:
        return ItemError(
            f"{one_line(source.name)} has several items, and a pipe takes one",
            code="same-output",
            hint="select one by --key, or write files, as in take-{index}.wav",
        )

    outcome = only_item(converter.items(source, on_warning=on_warning, on_progress=on_progress), several)
    branch = only_item(converter.branch(output, outcome), several)
    if branch.item is None:
        raise TypeError("an outcome without an error has an item")
    check_pipe(output.encoder, spec_of(branch.item.signal, sink.suffix))
    converter.encode(output, branch, sink)


def check_pipe(encoder: BoundPlugin, spec: Spec) -> None:
    """Raise `ItemError` if an encoder cannot write a signal into a pipe.

    Parameters
    ----------
    encoder
        Encoder.
    spec
        Specification of the signal, or what is known of it before the source is read.
    """
    try:
        plugin_as(encoder, Encoder).check_pipe(spec)
    except OptionError as error:
        raise refusal(error, encoder) from error
