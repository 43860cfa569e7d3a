"""The options of all decoders of arrays, which describe what an array itself cannot."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from msgspec import Meta

from tonearm.arrays.folded_axes import COMPLEX, POLAR, flat_names
from tonearm.errors import ChooseOption, GiveOption, OptionError, RemoveOption, SetOption
from tonearm.plugins.kind import Kind
from tonearm.plugins.plugin import BESIDE, IF_ABSENT
from tonearm.plugins.ports import Spec

NanPolicy = Literal["error", "zero", "keep"]
"""Treatment of NaN and infinite values."""


Stated = Annotated[
    Literal["use", "ignore"],
    Meta(
        description="Treatment of what the file says about its arrays, such as their sample rate: use takes it and"
        " refuses options that contradict it, ignore is for files that are wrong."
    ),
]
"""Treatment of what a file says about its arrays."""


@dataclass(frozen=True, kw_only=True)
class ArrayOptions:
    """Options of all decoders of arrays; those of the kind, which describe what the model wrote, stand beside them."""

    kind: Annotated[
        Kind[Any, Any],
        Meta(
            description="Kind of the values. Not needed for complex arrays, which are complex spectrograms, and for"
            " real arrays of one axis, which are waveforms.",
            extra={BESIDE: True, IF_ABSENT: "inferred"},
        ),
    ]
    axes: Annotated[
        list[str] | None,
        Meta(
            description="Names of the axes in the array's order, such as [batch, channel, time]. complex is an axis of"
            " size two with real and imaginary parts, polar one with magnitudes and phases. (complex bin) is one axis"
            " with the real parts of all bins before the imaginary parts; (bin complex) has both parts of a bin side by"
            " side.",
            min_length=1,
        ),
    ] = None
    precision: Annotated[
        Literal["single", "double"], Meta(description="Precision of the values; double keeps float64 and complex128.")
    ] = "single"
    nan: Annotated[
        NanPolicy,
        Meta(
            description="Treatment of NaN and infinity: error fails the item, zero replaces them with 0, keep leaves"
            " them to a later step (encoders need finite values)."
        ),
    ] = "error"

    def problems(self) -> Iterator[OptionError]:
        """Yield contradictions between options."""
        axes = None if self.axes is None else flat_names(self.axes)
        yield from self.kind.problems(axes)
        if axes and COMPLEX in axes and POLAR in axes:
            yield OptionError("complex and polar axes exclude each other", option="axes", hint="keep one")

    @property
    def read_kind(self) -> Kind[Any, Any]:
        """Kind by which arrays are read: that of ``kind``, or the one that ``axes`` imply."""
        return self.kind if self.axes is None else self.kind.with_axes(flat_names(self.axes))

    def of_kind(self, name: str) -> Any:
        """Return an option of the kind, such as ``sample_rate``; None if the kind does not have it."""
        return getattr(self.kind.options, name, None)

    def spec(self) -> Spec:
        """Return what is known of the signals before an array is read."""
        known = self.read_kind.spec().replace(precision=self.precision)
        given = self.read_kind.phase_gives if self.axes and POLAR in flat_names(self.axes) else None
        return known.replace(signals=(given,)) if given else known


def misses_rate(problem: OptionError) -> bool:
    """Return whether a problem is the lack of a sample rate, which a file may state itself."""
    return problem.code == "missing-option" and problem.option == "sample_rate"


@dataclass(frozen=True, kw_only=True)
class KeyedArrayOptions(ArrayOptions):
    """Options of decoders for files with several named arrays."""

    key: Annotated[
        str | None,
        Meta(
            description="Name of the array to read, or a pattern with * and ?. Not needed for files with one array, and"
            " of archives that hold many by their nature, such as Kaldi's, all are read without it."
        ),
    ] = None
    lengths: Annotated[
        str | None,
        Meta(
            description="Name of the array with the true lengths of a padded batch; by default one beside it whose name"
            " says so and whose lengths fit the padding."
        ),
    ] = None
    stated: Stated = "use"
    imag: Annotated[
        str | None,
        Meta(
            description="Name of the array with the imaginary parts, if key names the real parts. A * in both stands"
            " for the same text."
        ),
    ] = None
    phase: Annotated[
        str | None,
        Meta(
            description="Name of the array with the phases in radians, if key names magnitudes, powers or decibels."
            " Both become a complex spectrogram."
        ),
    ] = None

    def problems(self) -> Iterator[OptionError]:
        """Yield contradictions between options; the file may say its sample rate itself."""
        yield from (one for one in super().problems() if not misses_rate(one))
        if self.imag is not None and self.phase is not None:
            yield OptionError(
                "imag and phase exclude each other",
                option="phase",
                remedies=(RemoveOption("phase"), RemoveOption("imag")),
            )
        for part, option in ((COMPLEX, "imag"), (POLAR, "phase")):
            if self.axes and part in flat_names(self.axes) and getattr(self, option) is not None:
                message = f"'{option}' names a second array, but axes has both parts in one"
                yield OptionError(message, option=option, remedies=(RemoveOption(option),))
        if self.imag is not None and self.read_kind.dtype != "complex":
            message = "'imag' names imaginary parts, but kind is not complex"
            yield OptionError(message, option="imag", remedies=(SetOption("kind", "complex"),))
        if self.phase is not None and self.kind.phase_gives is None:
            remedies = (ChooseOption("kind", ("magnitude", "power", "db")),)
            yield OptionError("'phase' needs magnitudes, powers or decibels", option="phase", remedies=remedies)
        for option in ("imag", "phase"):
            other = getattr(self, option)
            if other is not None and self.key is None:
                remedies_of_key = (GiveOption("key", f"{option} names one array, key the other"),)
                yield OptionError("'key' is missing", option="key", remedies=remedies_of_key, code="missing-option")
            elif other is not None and self.key is not None and not other.count("*") == self.key.count("*") <= 1:
                hint = "a * in both stands for the same text, as in key: 'a.*.real' and imag: 'a.*.imag'"
                yield OptionError(f"{option} and key must both have one *, or none", option=option, hint=hint)

    def companion(self, option: str, key: str) -> str:
        """Return the name of the array that an option (lengths, imag, phase) assigns to the array of a key.

        A * in the option is replaced by the text that the * in ``key`` matches.
        """
        name: str = getattr(self, option)
        before, star, after = (self.key or "").partition("*")
        return name.replace("*", key[len(before) : len(key) - len(after)], 1) if star and "*" in name else name

    def spec(self) -> Spec:
        """Return what is known of the signals before an array is read."""
        known = super().spec()
        given = None if self.phase is None else self.kind.phase_gives
        return known.replace(signals=(given,)) if given else known
