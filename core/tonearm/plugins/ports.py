"""The ports of a plugin, from its generic arguments, and the specification of a signal before it is read."""

from __future__ import annotations

import functools
import types
import typing
from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct
from msgspec.structs import replace

from tonearm.signals import Signal, Waveform


class Ports(Struct, frozen=True):
    """The signal classes that a plugin class takes and gives, and the class of its options."""

    takes: tuple[type[Signal], ...]
    gives: tuple[type[Signal], ...]
    options: type[Any]


class Spec(Struct, frozen=True, kw_only=True, repr_omit_defaults=True):
    """The specification of a signal: what is known before any data is read.

    Parameters
    ----------
    signals
        Possible classes of the signal.
    sample_rate
        Sample rate in Hz; None if unknown.
    channels
        Number of channels; None if unknown.
    length
        Length in samples; None if unknown.
    several
        Whether one source becomes several items, so that names of outputs must distinguish them; None if unknown.
    suffix
        Suffix of the file to write, with dot; None if the template of its name does not determine it.
    precision
        Precision that the input asks for: every step keeps ``double`` or is refused. None if it asks for neither. For
        a signal that has been read, the precision of its arrays.
    carried
        Values that signals carry beside their arrays, by class: a `StftGrid`, a `MelDialect`, or a class of one's own.
        A class is absent if its value is unknown: ``spec.carried.get(StftGrid)``.
    """

    signals: tuple[type[Signal], ...]
    sample_rate: int | None = None
    channels: int | None = None
    length: int | None = None
    several: bool | None = None
    suffix: str | None = None
    precision: Literal["single", "double"] | None = None
    carried: Mapping[type, object] = {}

    def replace(self, **changes: Any) -> Spec:
        """Return a copy with some fields changed."""
        return replace(self, **changes)

    def carrying(self, *values: object) -> Spec:
        """Return a copy that carries values, each in place of the value of its class."""
        return replace(self, carried={**self.carried, **{type(value): value for value in values}})

    def dropping(self, *classes: type) -> Spec:
        """Return a copy that carries no values of some classes."""
        return replace(self, carried={one: value for one, value in self.carried.items() if one not in classes})


def spec_of(signal: Signal, suffix: str | None = None) -> Spec:
    """Return the specification of a signal that has been read.

    Parameters
    ----------
    signal
        Signal.
    suffix
        Suffix of the file to write, with dot.
    """
    if isinstance(signal, Waveform):
        channels, length = signal.samples.shape
        return Spec(
            signals=(type(signal),),
            sample_rate=signal.sample_rate,
            channels=channels,
            length=length,
            suffix=suffix,
            precision="double" if signal.is_double else "single",
        )
    return Spec(
        signals=(type(signal),),
        sample_rate=getattr(signal, "sample_rate", None),
        channels=getattr(signal, "channels", None),
        length=getattr(signal, "length", None),
        suffix=suffix,
        precision="double" if signal.is_double else "single",
        carried={type(value): value for value in signal.carried()},
    )


@functools.cache
def ports_of(cls: type) -> Ports:
    """Return the ports of a plugin class, from its generic arguments.

    The root class (`Decoder`, `Transform`, …) names its arguments in ``port_names``.

    Raises
    ------
    TypeError
        If the class is not a plugin class, or does not define all arguments.
    """
    found = port_arguments(cls)
    options = found["options"]
    if not (isinstance(options, type) and hasattr(options, "__dataclass_fields__")):
        raise TypeError(f"{cls.__name__}: the class of its options is a dataclass, not {options!r}")
    return Ports(_signal_classes(cls, found.get("takes")), _signal_classes(cls, found.get("gives")), options)


def port_arguments(cls: type, given: tuple[Any, ...] = ()) -> dict[str, Any]:
    """Return the generic arguments of a plugin class by the names of the ports.

    Parameters
    ----------
    cls
        Plugin class.
    given
        Arguments for the parameters of ``cls`` itself, if it is generic.

    Raises
    ------
    TypeError
        If the class is not a plugin class, or does not define all arguments.
    """
    root = next((base for base in cls.__mro__ if "port_names" in vars(base)), None)
    if root is None:
        raise TypeError(f"{cls.__name__} is not a Decoder, Transform, Regroup, Encoder, Kind or Executor")
    names: tuple[str, ...] = vars(root)["port_names"]
    known = dict(zip(getattr(cls, "__parameters__", ()), given, strict=False))
    return {name: known.get(part, part) for name, part in zip(names, _arguments(cls, root), strict=True)}


def _arguments(cls: type, root: type) -> tuple[Any, ...]:
    """Return the generic arguments of ``root`` that ``cls`` defines."""
    if cls is root:
        parameters: tuple[Any, ...] = getattr(cls, "__parameters__", ())
        return parameters
    # __orig_bases__ is inherited, but only that of the class itself describes its own bases.
    for written in vars(cls).get("__orig_bases__", cls.__bases__):
        base = typing.get_origin(written) or written
        if isinstance(base, type) and issubclass(base, root):
            parameters, arguments = getattr(base, "__parameters__", ()), typing.get_args(written)
            if len(arguments) != len(parameters):
                raise TypeError(f"{cls.__name__}: {base.__name__} needs {len(parameters)} arguments in brackets")
            known = dict(zip(parameters, arguments, strict=True))
            return tuple(known.get(argument, argument) for argument in _arguments(base, root))
    raise TypeError(f"{cls.__name__} does not come from {root.__name__}")


def _signal_classes(cls: type, port: Any) -> tuple[type[Signal], ...]:
    """Return the classes of a port: one class, those of a union, or none."""
    if port is None:
        return ()
    classes = typing.get_args(port) if typing.get_origin(port) in (typing.Union, types.UnionType) else (port,)
    for found in classes:
        if not (isinstance(found, type) and issubclass(found, Signal)):
            raise TypeError(f"{cls.__name__}: a port is a Signal class, not {found!r}")
    return classes
