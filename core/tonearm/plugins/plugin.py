"""What all plugin classes share: options, requirements, preparation."""

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
    """Options of a plugin that has none."""


class Plugin(ABC, Generic[Opts]):
    """What decoders, transforms and encoders share.

    The first line of a plugin's docstring is its description in tables.

    Attributes
    ----------
    requires
        Packages and programs that it always needs. ``check`` looks for them without importing.
    """

    role: ClassVar[str]
    port_names: ClassVar[tuple[str, ...]]
    requires: ClassVar[tuple[Requirement, ...]] = ()

    def __init__(self, options: Opts) -> None:
        self.options = options

    def needs(self) -> Iterable[Requirement]:
        """Return what it needs with these options; ``requires``, unless a plugin says otherwise."""
        return self.requires

    def preflight(self) -> None:
        """Prepare once, when a run starts; raise what is missing before the first of many files."""
