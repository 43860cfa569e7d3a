"""The base class of all plugins: options, requirements, preparation.

The generic arguments of a plugin class are its ports: ``class Istft(Transform[ComplexSpectrogram, Waveform,
IstftOptions])``. mypy checks them, and the host uses them to validate a pipeline before it reads any data.
"""

from __future__ import annotations

from abc import ABC
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

from tonearm.plugins.requirements import Requirement
from tonearm.signals import Signal

In = TypeVar("In", bound=Signal)
Out = TypeVar("Out", bound=Signal)
Opts = TypeVar("Opts")


@dataclass(frozen=True)
class NoOptions:
    """Options of a plugin without options."""


class Plugin(ABC, Generic[Opts]):
    """The base class of decoders, transforms, encoders and executors.

    The first line of a plugin's docstring is its description in tables.

    Attributes
    ----------
    requires
        Packages and programs that the plugin always needs. ``check`` looks for them without importing.
    """

    role: ClassVar[str]
    port_names: ClassVar[tuple[str, ...]]
    requires: ClassVar[tuple[Requirement, ...]] = ()

    def __init__(self, options: Opts) -> None:
        self.options = options

    def needs(self) -> Iterable[Requirement]:
        """Return the requirements of the plugin with its options, by default ``requires``."""
        return self.requires

    def preflight(self) -> None:
        """Prepare once at the start of a run; raise an error if anything is missing."""
