"""The base class of kinds of array, which turn the values of an array into a signal."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Generic, Literal

from msgspec import Struct

from tonearm.errors import ItemError, OptionError, one_line
from tonearm.plugins.context import Context
from tonearm.plugins.plugin import Opts, Out, Plugin
from tonearm.plugins.ports import Spec, ports_of
from tonearm.signals import Signal

if TYPE_CHECKING:
    from tonearm.findings.claim import Claim
    from tonearm.findings.notes import Notes
    from tonearm.typing import Array


class ArrayTraits(Struct, frozen=True):
    """The traits of an array's values that the host has found, and the precision that is asked for.

    Parameters
    ----------
    low, high
        Smallest and largest finite value, over real and imaginary parts; 0 and 0 if there is none.
    double
        Whether the values shall be float64 or complex128.
    """

    low: float
    high: float
    double: bool = False


def repeated_axes(axes: Sequence[str]) -> Iterator[OptionError]:
    """Yield an error for each axis that the user names more than once."""
    for name in sorted({name for name in axes if axes.count(name) > 1}):
        yield OptionError(f"axes names {one_line(name)} twice", option="axes")


class Kind(Plugin[Opts], Generic[Out, Opts]):
    """A kind of array: what an array holds, and the signal that it becomes.

    The host reads the file, finds the axes, checks for NaN and converts the values. The kind names its axes, and makes
    the signal. Its options stand beside those of the decoder.

    Attributes
    ----------
    axes
        Names of the required axes, in the order in which `read` gets them after the channel.
    optional_axes
        Names of axes that an array may have as well. `read` gets them between the channel and ``axes``, with size 1
        where the array has none. An axis ``complex``, of real and imaginary parts, is the host's: `read` gets complex
        values.
    dtype
        Values that `read` gets: ``real`` float32 or float64, ``complex`` complex64 or complex128, ``stored`` real
        values of any type, as the array has them.
    limit
        Largest plausible absolute value; the host refuses an array beyond it.
    phase_gives
        Class of the signal that the kind makes with phases, from a second array or from a ``polar`` axis of magnitudes
        and phases; None if it takes none.
    takes_rows
        Whether the arrays may be rows of any lengths, as of a list of lists: parts of a signal, or elements of a batch.
    """

    role = "kind"
    port_names = ("gives", "options")
    axes: ClassVar[tuple[str, ...]]
    optional_axes: ClassVar[tuple[str, ...]] = ()
    dtype: ClassVar[Literal["real", "complex", "stored"]] = "real"
    limit: ClassVar[float] = 1e32
    phase_gives: ClassVar[type[Signal] | None] = None
    takes_rows: ClassVar[bool] = False

    def __eq__(self, other: object) -> bool:
        """Return whether another kind is of the same class, with equal options."""
        return type(self) is type(other) and self.options == getattr(other, "options", None)

    def __hash__(self) -> int:
        """Return a hash that equal kinds share."""
        return hash(type(self))

    @property
    def name(self) -> str:
        """Name in messages: that of the pipeline, or else the signal's."""
        return self.registered.name or ports_of(type(self)).gives[0].port

    def sizes(self) -> Mapping[str, int]:
        """Return the sizes of axes that the options determine, by which the host tells the axes apart."""
        return {}

    def axis_parts(self) -> Mapping[str, slice]:
        """Return the parts of axes that the options take, by the name of the axis; by default none."""
        return {}

    def axes_of(self, array: Array) -> Sequence[str] | None:  # noqa: ARG002 - for a kind that depends on it
        """Return the names of an array's axes if the options determine them; by default None, to infer them."""
        return None

    def spec(self) -> Spec:
        """Return what is known of the signals before an array is read, by default their classes."""
        return Spec(signals=ports_of(type(self)).gives)

    @classmethod
    def claim(cls, notes: Notes) -> Claim | None:  # noqa: ARG003 - for a kind that values show
        """Return the claim that an array is of this kind, by which the kind takes part in ``tonearm inspect``.

        A kind that makes no claims, because it does not override this, is named as one that values cannot show.

        Parameters
        ----------
        notes
            Notes on the array, with its statistics.

        Returns
        -------
        Claim or None
            Claim; None if the array is hardly of this kind.
        """
        return None

    @property
    def joins_arrays(self) -> bool:
        """Whether all arrays that a source holds make one signal together, as the levels of ragged tokens do."""
        return False

    def read_whole(
        self,
        arrays: Sequence[Array],  # noqa: ARG002 - for a kind that finds its axes itself
        axes: Sequence[str] | None,  # noqa: ARG002
        lengths: Array | None,  # noqa: ARG002
        context: Context,  # noqa: ARG002
    ) -> Iterator[Out | ItemError] | None:
        """Return an iterator over the signals of an array, for a kind that finds the axes itself; None for others.

        The host then looks at nothing but the type of the values: they are numbers, and there is at least one.

        Parameters
        ----------
        arrays
            The array; or several, if `joins_arrays` is true, in the order of their names.
        axes
            Names of the axes as the user gives them; None if they are not given.
        lengths
            True length of each element of a batch; None if it is unknown.
        context
            Context of the item.
        """
        return None

    @abstractmethod
    def read(self, values: Array, context: Context) -> Out:
        """Return the signal of an array.

        Parameters
        ----------
        values
            Values of shape (channels, ``*optional_axes``, ``*axes``), as ``dtype`` says; finite, unless the option
            ``nan`` keeps others. The array may be read-only.
        context
            Context of the item.

        Raises
        ------
        ItemError
            If the values cannot be of this kind.
        """

    def read_known(self, values: Array, traits: ArrayTraits, context: Context) -> Out:  # noqa: ARG002 - for overrides
        """Return the signal of an array as `read` does; override it to use what the host knows of the values."""
        return self.read(values, context)

    def with_phase(self, signal: Out, phase: Array) -> Signal:
        """Return a signal of ``phase_gives``, from one that `read` gave and phases in radians of the same shape."""
        raise NotImplementedError

    def of(self, array: Array) -> Kind[Signal, Opts]:  # noqa: ARG002 - for a kind that depends on it
        """Return the kind that reads an array, by default this one.

        Raises
        ------
        ItemError
            If the array does not tell its kind.
        """
        return self  # type: ignore[return-value]

    def told_by(self, array: Array, context: Context) -> Kind[Signal, Opts]:  # noqa: ARG002 - for a kind that needs it
        """Return the kind that reads an array, as `of` does; override it to use the catalogues of a context."""
        return self.of(array)

    def with_axes(self, axes: Sequence[str] | None) -> Kind[Signal, Opts]:  # noqa: ARG002 - for a kind that depends on it
        """Return the kind that reads arrays whose axes the user names, by default this one."""
        return self  # type: ignore[return-value]

    def problems(self, axes: Sequence[str] | None) -> Iterator[OptionError]:
        """Yield contradictions between options of the kind and the axes that the user names."""
        if axes is None:
            return
        yield from repeated_axes(axes)
        for name in axes:
            if name not in self.possible_axes:
                message = f"a {self.name} array has no {one_line(name)} axis"
                yield OptionError(message, option="axes", hint=self.axes_hint)
        for name in self.axes:
            if name not in axes:
                yield OptionError(f"axes names no {name} axis, which a {self.name} array has", option="axes")

    @property
    def possible_axes(self) -> tuple[str, ...]:
        """Names of all axes that an array can have."""
        polar = ("polar",) if self.phase_gives and "polar" not in self.optional_axes else ()
        return ("batch", "channel", *self.axes, *self.optional_axes, *polar)

    @property
    def axes_hint(self) -> str:
        """Hint about the axes."""
        return f"a {self.name} array has {', '.join(self.axes)}, and may have batch and channel"

    def size_error(self, message: str, array: Array, size: int | None, context: Context) -> ItemError:  # noqa: ARG002
        """Return the error for an array in which no axis has a size of `sizes`.

        Parameters
        ----------
        message
            Message that names the axis and its size.
        array
            Array.
        size
            Size that the axis has, or the most likely one; None if the array has too many axes to tell.
        context
            Context of the item.
        """
        return ItemError(message, code="bins-mismatch")
