"""A checked pipeline: it takes one source and gives its items, decoded and transformed, or what went wrong."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Container, Iterator
from typing import Any, TypeAlias

from msgspec.structs import replace

from tonearm.errors import Place, TonearmError
from tonearm.pipeline.check import Bound, Checked, Output
from tonearm.pipeline.provenance import provenance_of
from tonearm.pipeline.stages import Outcome, blamed, check_class, decoded, look_at, plugin_of, regrouped, transformed
from tonearm.pipeline.templates import Template
from tonearm.plugins import registry
from tonearm.plugins.context import Context, Provenance
from tonearm.plugins.contract import Encoder, Plugin, Transform
from tonearm.plugins.item import Item
from tonearm.plugins.ports import ports_of
from tonearm.plugins.registry import Entry, Offer
from tonearm.plugins.sink import Sink
from tonearm.signals import Signal
from tonearm.source import Source


class Converter:
    """A checked pipeline bound to its plugins.

    Parameters
    ----------
    checked
        What `tonearm.pipeline.check` found to be right.
    """

    def __init__(self, checked: Checked) -> None:
        self.checked = checked

    @property
    def outputs(self) -> tuple[Output, ...]:
        """The encoders, each with its template."""
        return self.checked.outputs

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as plugin classes and options, so that whoever loads it imports these and nothing else."""
        checked = self.checked
        outputs = [(_recipe(output.encoder), output.template) for output in checked.outputs]
        steps = [_recipe(step) for step in checked.steps]
        return _rebuilt, (type(self), checked.file, checked.files, _recipe(checked.decoder), steps, outputs)

    def preflight(self) -> None:
        """Let every plugin prepare, before the first of many files.

        Raises
        ------
        TonearmError
            What a plugin finds to be missing.
        """
        for bound in (self.checked.decoder, *self.checked.steps, *(output.encoder for output in self.outputs)):
            with blamed(bound):
                bound.plugin.preflight()

    def convert(self, source: Any) -> Iterator[Signal]:
        """Yield the signals of a source, decoded and transformed; nothing is written.

        Parameters
        ----------
        source
            A path, an open binary file, or an array.

        Raises
        ------
        ItemError
            At the first item that fails.
        """
        for outcome in self._converted(as_source(source), threads=1, on_warning=None):
            if outcome.error:
                raise outcome.error
            if outcome.item:
                yield outcome.item.signal

    def items(
        self,
        source: Source,
        *,
        threads: int = 1,
        on_warning: Callable[[str], None] | None = None,
        skip: Container[tuple[str, int]] = (),
    ) -> Iterator[Outcome]:
        """Yield what becomes of each item of a source: ready to be written, or an error.

        Each was looked at once: its values are finite, and its duration, peak and DC are measured. Items whose key and
        index are in ``skip`` are left out, and not even transformed where no step regroups items.
        """
        last = (self.checked.decoder, *self.checked.steps)[-1]
        for outcome in self._converted(source, threads=threads, on_warning=on_warning, skip=skip):
            if outcome.error or outcome.item is None:
                yield outcome
                continue
            if _is_in(skip, outcome):
                continue
            try:
                with blamed(last):
                    look_at(outcome.item.signal, outcome.context, outcome.extent)
                yield outcome
            except TonearmError as error:
                yield replace(outcome, error=error)

    def _converted(
        self,
        source: Source,
        *,
        threads: int,
        on_warning: Callable[[str], None] | None,
        skip: Container[tuple[str, int]] = (),
    ) -> Iterator[Outcome]:
        """Yield what becomes of each item of a source after the last transform."""
        made = _Made(lambda: provenance_of(self.checked, source))
        new_context = functools.partial(
            Context, threads=threads, on_warning=on_warning, dialects=self.checked.dialects, provenance=made
        )
        context = new_context()
        stream = decoded(self.checked.decoder, source, context)
        if skip and all(isinstance(step.plugin, Transform) for step in self.checked.steps):
            stream = (outcome for outcome in stream if not _is_in(skip, outcome))
        for step in self.checked.steps:
            if isinstance(step.plugin, Transform):
                stream = transformed(step, stream)
            else:
                stream = regrouped(step, stream, new_context())
        return stream

    def encode(self, output: Output, item: Item[Signal], sink: Sink, context: Context) -> None:
        """Write one item that `items` gave.

        Raises
        ------
        ItemError
            If the signal cannot be written.
        OutputError
            If the disk is full, or the folder cannot be written.
        """
        encoder = output.encoder
        with blamed(encoder, sink):
            check_class(item.signal, encoder.ports.takes, f"{encoder.name} takes", "it was given")
            plugin_of(encoder, Encoder).encode(item, sink, context)


class _Made:
    """Provenance, made when somebody wants it, and once. `functools.cache` would take 20 µs of every file to set up."""

    __slots__ = ("_made", "_make")

    def __init__(self, make: Callable[[], Provenance]) -> None:
        self._make = make
        self._made: Provenance | None = None

    def __call__(self) -> Provenance:
        if self._made is None:
            self._made = self._make()
        return self._made


_Recipe: TypeAlias = tuple[str, str, str, str, str, type[Plugin[Any]], Any, Place]


def _recipe(bound: Bound) -> _Recipe:
    """Return what a bound plugin is made of."""
    entry = bound.entry
    offer = entry.offer
    plugin = type(bound.plugin), bound.plugin.options, bound.place
    return bound.name, entry.name, entry.role, offer.origin, offer.package, *plugin


def _bound(recipe: _Recipe) -> Bound:
    name, own_name, role, origin, package, plugin, options, place = recipe
    offer = Offer(origin=origin, load=lambda: None, package=package)
    return Bound(name, Entry(own_name, role, plugin, offer), plugin(options), ports_of(plugin), place)


def _rebuilt(
    cls: type[Converter],
    file: str | None,
    files: tuple[str, ...],
    decoder: _Recipe,
    steps: list[_Recipe],
    outputs: list[tuple[_Recipe, Template]],
) -> Converter:
    return cls(
        Checked(
            file=file,
            decoder=_bound(decoder),
            files=files,
            steps=tuple(_bound(step) for step in steps),
            outputs=tuple(Output(_bound(encoder), template) for encoder, template in outputs),
            dialects=lambda: registry.default().dialects,
        )
    )


def _is_in(names: Container[tuple[str, int]], outcome: Outcome) -> bool:
    return outcome.item is not None and (outcome.item.key, outcome.item.index) in names


def as_source(given: Any) -> Source:
    """Return a path, an open binary file or an array as a source."""
    from pathlib import Path

    if isinstance(given, Source):
        return given
    if isinstance(given, (str, os.PathLike)):
        return Source(name=os.fspath(given), path=Path(given))
    if hasattr(given, "__array__"):
        import numpy as np

        return Source(name="<array>", array=np.asarray(given))
    if hasattr(given, "read"):
        return Source(name=str(getattr(given, "name", "<file>")), file=given)
    raise TypeError(f"a source is a path, an open binary file or an array, not {type(given).__name__}")
