"""Trials of the remedies of an item's error: its array, source or signal is read again with what they propose."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable
from typing import Any

from tonearm.errors import InsertStep, ItemError, OptionError, PipelineError, SetLimit, SetOption
from tonearm.pipeline.changed_options import changed_options
from tonearm.pipeline.checked import BoundPlugin
from tonearm.pipeline.document import from_plain
from tonearm.pipeline.options import read_value
from tonearm.pipeline.plausibility import is_plausible
from tonearm.pipeline.trials import ASKING, Applicable, Trial
from tonearm.plugins import registry as registries
from tonearm.plugins.context import Context
from tonearm.plugins.options import declared_options
from tonearm.plugins.plugin import restored_plugin
from tonearm.plugins.ports import ports_of
from tonearm.plugins.transform import Transform
from tonearm.reading.compressed_sources import inflated_source
from tonearm.signals import Signal
from tonearm.source import Source

MAX_SOURCE = 1 << 26
"""Size of a file in bytes above which its remedies are shown untried."""

MAX_ITEMS = 16
"""Number of items of a source that a trial reads."""


def try_on_array(error: ItemError, options: Any) -> None:
    """Leave those remedies of an error that help with the data at hand, and let go of the data.

    Parameters
    ----------
    error
        Error of a decoder's item; one without ``retry`` stays as it is.
    options
        Options of the decoder.
    """
    retry, error.retry = error.retry, None
    if retry is not None and dataclasses.is_dataclass(options):
        _try(error, options, lambda changed: is_plausible(retry(changed)))


def try_on_source(error: ItemError, bound: BoundPlugin, source: Source) -> None:
    """Leave those remedies of a decoder's error that help when it decodes the source again.

    Parameters
    ----------
    error
        Error of a source of which no item could be read.
    bound
        Decoder of tonearm's own; a large source leaves the error as it is.
    source
        Source.
    """
    plugin: Any = bound.plugin
    if not dataclasses.is_dataclass(plugin.options) or not _is_small(source):
        return

    def decoded(options: Any) -> Signal:
        changed: Any = restored_plugin(type(plugin), options, plugin.registered)
        context = Context(source=source, catalogue=registries.default().catalogue)
        items = changed.decode(inflated_source(source, type(plugin).suffixes), context)
        signal: Signal | None = None
        for item in itertools.islice(items, MAX_ITEMS):
            if isinstance(item, ItemError):
                raise item
            signal = item.signal
        if signal is None:
            raise ItemError("there is nothing in it", code="empty")
        return signal

    _try(error, plugin.options, lambda changed: is_plausible(decoded(changed)))


def try_on_signal(error: ItemError, bound: BoundPlugin, signal: Signal) -> None:
    """Leave those remedies of a transform's error that help when it gets the signal again.

    Parameters
    ----------
    error
        Error of an item.
    bound
        Transform of tonearm's own.
    signal
        Signal that the transform could not change.
    """
    _try_on(error, bound, signal, lambda plugin, given, context: plugin.apply(given, context))


def try_on_encoder(error: ItemError, bound: BoundPlugin, signal: Signal, suffix: str) -> None:
    """Leave those remedies of an encoder's error with which its limits allow the signal; nothing is written.

    Parameters
    ----------
    error
        Error of an item.
    bound
        Encoder of tonearm's own.
    signal
        Signal that could not be written.
    suffix
        Suffix of the file, with dot.
    """
    _try_on(error, bound, signal, lambda plugin, given, _: plugin.check_signal(given, suffix))


def _try_on(
    error: ItemError, bound: BoundPlugin, signal: Signal, work: Callable[[Any, Signal, Context], object]
) -> None:
    """Leave those remedies of an error that help when a plugin does its work on a signal again."""
    plugin: Any = bound.plugin
    if not dataclasses.is_dataclass(plugin.options):
        return
    context = Context(catalogue=registries.default().catalogue)

    def changed(options: Any) -> bool:
        work(restored_plugin(type(plugin), options, plugin.registered), signal, context)
        return True

    def inserted(step: InsertStep) -> bool:
        work(plugin, _stepped(step, signal, context), context)
        return True

    _try(error, plugin.options, changed, inserted)


def _try(
    error: ItemError,
    options: Any,
    read: Callable[[Any], bool],
    inserted: Callable[[InsertStep], bool] | None = None,
) -> None:
    """Leave those remedies of an error that help.

    Parameters
    ----------
    error
        Error.
    options
        Options of the plugin.
    read
        Function that does the work again with changed options, and returns whether the result is plausible.
    inserted
        Function that does it after a step before the plugin; None if data before the step cannot tell.
    """
    registry = registries.default()

    def helps(remedy: Applicable) -> bool:
        if isinstance(remedy, SetLimit) or (isinstance(remedy, SetOption) and remedy.stage):
            return True
        try:
            if isinstance(remedy, InsertStep):
                return inserted is None or inserted(remedy)
            return read(changed_options(options, remedy, registry))
        except ItemError as failed:
            if failed.code == error.code:
                # One option less that does not exist, or the next problem of a step, which has its own remedy.
                leads_on = error.code == "unknown-option" or (inserted is not None and bool(failed.remedies))
                return leads_on and failed.message != error.message
            return failed.code in ASKING or (failed.code == "negative-magnitude" and bool(failed.remedies))
        except OptionError as failed:
            return failed.code in ASKING
        except PipelineError:
            return False
        except Exception:  # of a plugin of another package: its remedy cannot be tried
            return True

    kept = Trial(helps).kept(error.remedies)
    if kept != error.remedies:
        error.remedies = kept


def _is_small(source: Source) -> bool:
    """Return whether a source is a file that can be read again, and not a large one."""
    if source.path is None or source.file is not None:
        return False
    try:
        return source.path.is_file() and source.path.stat().st_size <= MAX_SOURCE
    except OSError:
        return False


def _stepped(step: InsertStep, signal: Signal, context: Context) -> Signal:
    """Return a signal after the steps that a remedy inserts."""
    changed = signal
    for name, given in [*((name, {}) for name in step.first), (step.use, step.options)]:
        changed = _step(name, given).apply(changed, context)
    return changed


def _step(name: str, given: Any) -> Transform[Any, Any, Any]:
    """Return a transform with its options."""
    registry = registries.default()
    entry = registry.find("transform", name)
    cls = ports_of(entry.resolve()).options
    declared = declared_options(cls)
    values = {option: read_value(declared[option], from_plain(value), registry) for option, value in given.items()}
    plugin = entry.bind(cls(**values), name)
    if not isinstance(plugin, Transform):
        raise TypeError(f"{name} is not a transform of single items")
    return plugin
