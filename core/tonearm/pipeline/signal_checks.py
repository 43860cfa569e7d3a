"""Checks of the signals that stages take and give: their class, their arrays, the plugin's declarations, and NaN.

Errors have the place of the stage that is to blame, so that no other stage is blamed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tonearm.arrays.array_decoder import ArrayDecoder, KeyedArrayDecoder
from tonearm.arrays.extent import Extent, extent_of
from tonearm.arrays.not_finite import count_not_finite, not_finite_error
from tonearm.errors import Advice, ItemError
from tonearm.errors.text import counted
from tonearm.findings.blocks import BLOCK, blocks
from tonearm.names import BUILTIN
from tonearm.pipeline.blame import placed
from tonearm.pipeline.checked import BoundPlugin
from tonearm.plugins.culprit import blamed_name
from tonearm.plugins.item import Item
from tonearm.plugins.ports import Spec
from tonearm.signals import Signal, Waveform, describe
from tonearm.signals.spectrograms import FramedSignal

if TYPE_CHECKING:
    from tonearm.typing import Array

_REPORT = Advice("report it to the author of the plugin")

_OF_ARRAYS = (ArrayDecoder.decode, KeyedArrayDecoder.decode)
"""Methods by which the host reads what a decoder of arrays yields."""


def _name(bound: BoundPlugin) -> str:
    return blamed_name(bound.name, bound.plugin, None)


def check_item(item: object, bound: BoundPlugin) -> None:
    """Raise `ItemError` unless a plugin gave an item with a signal as it declared."""
    if not isinstance(item, Item):
        message = f"{_name(bound)} gives items, but it gave {type(item).__name__}"
        raise placed(ItemError(message, code="wrong-type"), bound)
    if not (isinstance(item.key, str) and type(item.index) is int):
        wrong = f"the key {item.key!r}" if not isinstance(item.key, str) else f"the index {item.index!r}"
        message = f"{_name(bound)} gave an item with {wrong}"
        raise placed(ItemError(message, code="wrong-type", remedies=(_REPORT,)), bound)
    check_given(item.signal, bound)


def check_given(signal: Any, bound: BoundPlugin) -> None:
    """Raise `ItemError` unless a signal that a plugin gave is what it declared. This takes 1 µs."""
    spec = bound.spec
    if not isinstance(signal, bound.ports.gives) or (spec is not None and not isinstance(signal, spec.signals)):
        ports = bound.ports.gives if spec is None or not isinstance(signal, bound.ports.gives) else spec.signals
        raise _wrong_class(signal, ports, f"{_name(bound)} gives", "it gave", bound)
    if type(signal) is not Waveform:
        _check_arrays(signal, bound)
    if spec is None:
        return
    _compare(signal, spec, bound)
    if spec.precision == "double" and not signal.is_double:
        _refuse_single(signal, bound)


def check_signal_in_memory(item: Any, bound: BoundPlugin) -> None:
    """Raise `ItemError` unless a signal that a call gives in place of a decoder's agrees with the decoder's options.

    Its class is for the first step to check. What the options say of axes and scale is about arrays, and so is
    ``nan: zero``.
    """
    signal: Signal = item.signal
    _check_arrays(signal, bound)
    if getattr(bound.plugin.options, "nan", "error") != "keep" and not is_finite(signal):
        error = not_finite_error(next(array for array in signal.arrays() if not extent_of(array).finite), signal.port)
        error.remedies = tuple(remedy for remedy in error.remedies if isinstance(remedy, Advice))
        raise placed(error, bound)
    known, rate = bound.spec and bound.spec.sample_rate, getattr(signal, "sample_rate", None)
    if known is not None and rate is not None and known != rate:
        message = f"the {signal.port} has {rate} Hz, but the options of {bound.name} say {known} Hz"
        remedies = (Advice("give its values as an array, or use a pipeline for its rate"),)
        raise placed(ItemError(message, code="rate-mismatch", remedies=remedies), bound)


def check_kept(signal: Signal, before: Signal, bound: BoundPlugin) -> None:
    """Raise `ItemError` if a step that declares no change gave another rate, length or number of channels."""
    if signal is not before:
        _compare(signal, before, bound)


def _compare(signal: Signal, declared: Spec | Signal, bound: BoundPlugin) -> None:
    """Raise `ItemError` unless a signal has the declared rate, length and number of channels, as far as known."""
    for name in ("sample_rate", "channels", "length"):
        value = getattr(declared, name, None)
        if value is not None and getattr(signal, name, value) not in (value, None):
            raise _wrong_signal(bound, _shown(name, value), _shown(name, getattr(signal, name)))


def check_taken(signal: Signal, bound: BoundPlugin) -> None:
    """Raise `ItemError` unless a signal has one of the classes that a plugin takes."""
    if not isinstance(signal, bound.ports.takes):
        raise _wrong_class(signal, bound.ports.takes, f"{bound.name} takes", "it was given", bound)


def _wrong_class(
    signal: object, declared: tuple[type[Signal], ...], promise: str, found: str, bound: BoundPlugin
) -> ItemError:
    """Return the error for a signal of another class than those declared; ``promise`` begins the message."""
    what = describe(signal) if isinstance(signal, Signal) else type(signal).__name__
    ports = " or ".join(cls.port for cls in declared)
    return placed(ItemError(f"{promise} {ports}, but {found} {what}", code="wrong-type"), bound)


def _wrong_signal(bound: BoundPlugin, declared: str, found: str) -> ItemError:
    message = f"{_name(bound)} declares {declared}, but it gave {found}"
    return placed(ItemError(message, code="wrong-signal", remedies=(_REPORT,)), bound)


def _shown(name: str, value: object) -> str:
    """Return the sample rate, number of channels or length of a signal in words."""
    if name == "sample_rate" and isinstance(value, (int, float)):
        return f"a sample rate of {value} Hz"
    if not isinstance(value, int):
        return repr(value)
    return counted(value, "channel" if name == "channels" else "sample")


def _refuse_single(signal: Signal, bound: BoundPlugin) -> None:
    """Raise `ItemError` for a signal in single precision; one of whole numbers, or of no numbers, has none."""
    found = [array.dtype for array in signal.arrays() if array.dtype.kind in "fc"]
    if found:
        raise _wrong_signal(bound, "double precision", str(found[0]))


def gives_finite(bound: BoundPlugin) -> bool:
    """Return whether a decoder's waveforms are finite, because the host reads its arrays by a built-in kind."""
    plugin = bound.plugin
    if bound.entry.origin != BUILTIN or not isinstance(plugin, ArrayDecoder) or type(plugin).decode not in _OF_ARRAYS:
        return False
    return type(plugin.options.kind).__module__.startswith("tonearm.")


def is_finite(signal: Signal) -> bool:
    """Return whether no value of a signal is NaN or infinite."""
    import numpy as np

    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        for array in signal.arrays():
            if not _all_finite(array, np):
                return False
    return True


def check_finite(signal: Signal) -> Extent | None:
    """Return the extent of a signal's values, or raise `ItemError` if one is NaN or infinite."""
    arrays = signal.arrays()
    if not arrays:
        return None
    extent = extent_of(*arrays)
    if not extent.finite:
        raise not_finite_error(next(array for array in arrays if not extent_of(array).finite), signal.port)
    return extent


def not_finite_of(bound: BoundPlugin, signal: Signal) -> ItemError:
    """Return the error for a signal that a plugin gave although its own input was finite."""
    import numpy as np

    array = next(array for array in signal.arrays() if not np.isfinite(array).all())
    has_nan, has_infinity = np.isnan(array).any(), np.isinf(array).any()
    what = "NaN and infinity" if has_nan and has_infinity else "NaN" if has_nan else "infinity"
    first = np.unravel_index(int(np.argmin(np.isfinite(array))), array.shape)
    message = (
        f"{_name(bound)} gave {what}: {count_not_finite(array):,} of {array.size:,} values,"
        f" first at {_position(signal, tuple(map(int, first)))}"
    )
    return placed(ItemError(message, code="not-finite"), bound)


def _check_arrays(signal: Signal, bound: BoundPlugin) -> None:
    """Raise `ItemError` unless ``arrays()`` of a signal gives arrays of numbers; our own classes see to that."""
    arrays = signal.arrays()
    if type(arrays) is tuple:
        for array in arrays:
            if not (hasattr(array, "dtype") and array.dtype.kind in "fciub"):
                break
        else:
            return
    message = f"{_name(bound)} gave a {signal.port} whose arrays() is not a tuple of arrays of numbers"
    raise placed(ItemError(message, code="wrong-signal", remedies=(_REPORT,)), bound)


def _all_finite(array: Array, np: Any) -> bool:
    """Return whether no value is NaN or infinite: a sum of squares is finite only if all values are."""
    if array.dtype.kind not in "fc":
        return True
    if array.size <= BLOCK:
        return _block_is_finite(array, np)
    return all(_block_is_finite(block, np) for block in blocks(array))


def _block_is_finite(block: Array, np: Any) -> bool:
    flat = block.reshape(-1, order="A") if block.flags.forc else block.ravel()
    if flat.dtype.kind == "c":
        flat = flat.view(flat.real.dtype)
    if flat.dtype.itemsize in (4, 8):
        total = float(np.dot(flat, flat))
        if total - total == 0:
            return True
    return bool(np.isfinite(flat).all())  # large values overflow, and half precision always would


def _position(signal: Signal, index: tuple[int, ...]) -> str:
    """Return an index into a signal's array in words."""
    names: tuple[str, ...] = ()
    if isinstance(signal, Waveform):
        names = ("channel", "sample")
    elif isinstance(signal, FramedSignal):
        names = ("channel", "band" if signal.port == "mel" else "bin", "frame")
    if len(names) != len(index):
        return f"index {', '.join(map(str, index))}"
    return ", ".join(f"{name} {place:,}" for name, place in zip(names, index, strict=True))
