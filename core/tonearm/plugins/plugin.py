"""The base class of all plugins: options, requirements, preparation.

The generic arguments of a plugin class are its ports: ``class Istft(Transform[ComplexSpectrogram, Waveform,
IstftOptions])``. mypy checks them, and the host uses them to validate a pipeline before it reads any data.
"""

from __future__ import annotations

from abc import ABC
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Generic, TypeAlias, TypeVar

from msgspec import Meta, Struct

from tonearm.plugins.requirements import Requirement
from tonearm.signals import Signal

In = TypeVar("In", bound=Signal)
Out = TypeVar("Out", bound=Signal)
Opts = TypeVar("Opts")


NAMES_FILE = "names_file"
"""Key in ``Meta(extra=…)``: true for an option that names a file or folder, whose content then counts for outputs.

A list of suffixes if only a text with one of these names a file, such as ``[".npy", ".txt"]``.
"""

OR_NAME = "or_name"
"""Key in ``Meta(extra=…)`` beside `NAMES_FILE`: true for an option that names a file or folder only if there is one.

Any other text is a name of something else, such as a model on a hub, unless it starts as a path does: ``./model``.
"""

NAMES_EACH = "names_each"
"""Key in ``Meta(extra=…)``: true for a file whose name may have fields of the source, such as ``f0/{stem}.npy``.

With fields it names a file of each source, which is looked for when the source is converted.
"""

CHANGES_OUTPUT = "changes_output"
"""Key in ``Meta(extra=…)``: which values of an option change an output.

False for an option that changes no output: an output stays as it is when the option changes. A list of values if no
others change an output, such as ``["fix"]``. A mapping from the names of other options to lists of their values if it
changes an output beside one of these only, such as ``{"silence": ["fix"]}`` for a threshold.
"""

BY_USER = "by_user"
"""Key in ``Meta(extra=…)``: flag, such as ``--download``, of an option that a pipeline's file may not give.

Only the user gives it, by the flag, ``--set`` or from Python: a pipeline of somebody else may not use the network.
"""

FROM_PYTHON = "from_python"
"""Key in ``Meta(extra=…)``: how Python gives an option whose value is an object, which no text can stand for."""

BESIDE = "beside"
"""Key in ``Meta(extra=…)``: true for an option that names a plugin whose options stand beside it, flat."""

IF_ABSENT = "if_absent"
"""Key in ``Meta(extra=…)``: name of the plugin that an option stands for if it is not given."""

SINCE = "since"
"""Key in ``Meta(extra=…)``: first version of the plugin's package that has the option, as text."""

FilePath: TypeAlias = Annotated[str, Meta(min_length=1, extra={NAMES_FILE: True})]
"""Path of a file or folder, relative to the pipeline's file. ``check`` complains if it does not exist."""

PathOrName: TypeAlias = Annotated[str, Meta(min_length=1, extra={NAMES_FILE: True, OR_NAME: True})]
"""Path of a file or folder, relative to the pipeline's file, or a name of something else if there is no such file."""


FileOfEach: TypeAlias = Annotated[str, Meta(min_length=1, extra={NAMES_FILE: True, NAMES_EACH: True})]
"""Path of a file, or of one for each source by fields such as ``{stem}``, relative to the pipeline's file."""


@dataclass(frozen=True)
class NoOptions:
    """Options of a plugin without options."""


class PluginIdentity(Struct, frozen=True):
    """The identity of a plugin that the host has bound to its options.

    Parameters
    ----------
    name
        Name by which the pipeline names the plugin.
    full_name
        Name with origin: ``acme/raw-reader``.
    package
        Package that registers the plugin, with its version.
    """

    name: str = ""
    full_name: str = ""
    package: str = ""


class Plugin(ABC, Generic[Opts]):
    """The base class of decoders, transforms, encoders, kinds and executors.

    The first line of a plugin's docstring is its description in tables.

    Attributes
    ----------
    requires
        Packages and programs that the plugin always needs. ``check`` looks for them without importing.
    revision
        Revision of what the plugin computes. A run converts again what another revision has made, and keeps outputs
        over updates of the package that do not change it. If it is None, the package's version counts instead.
    holds_interpreter
        Whether the plugin spends most of its time in Python code, which only one thread of a process runs at a time:
        then several processes with one thread each are faster than one process with several. It changes no output.
    registered
        Identity of the plugin: its name and package. The host sets it; it is empty if the plugin is made by hand.
    """

    role: ClassVar[str]
    port_names: ClassVar[tuple[str, ...]]
    requires: ClassVar[tuple[Requirement, ...]] = ()
    revision: ClassVar[int | None] = None
    holds_interpreter: ClassVar[bool] = False
    registered: PluginIdentity = PluginIdentity()

    def __init__(self, options: Opts) -> None:
        self.options = options

    def __repr__(self) -> str:
        return f"<{self.role} {self.registered.name or type(self).__name__}>"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the class, the options and the identity, without anything that the plugin has prepared."""
        return restored_plugin, (type(self), self.options, self.registered)

    def needs(self) -> Iterable[Requirement]:
        """Return the requirements of the plugin with its options, by default ``requires``."""
        return self.requires

    def files(self) -> Iterable[str]:
        """Return the files that the plugin reads beside those that its options name; their content counts as well."""
        return ()

    def preflight(self) -> None:
        """Prepare once at the start of a run, and in each worker; raise an error if anything is missing."""


def restored_plugin(cls: type[Plugin[Any]], options: Any, registered: PluginIdentity) -> Plugin[Any]:
    """Return a plugin from its pickled state."""
    plugin = cls(options)
    plugin.registered = registered
    return plugin
