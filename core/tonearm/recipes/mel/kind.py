"""``kind: mel``: arrays of mel spectrograms in a dialect."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from tonearm.arrays.bands import bands_problems
from tonearm.arrays.extent import finite_extent_of, traits_of
from tonearm.errors import Advice, GiveOption, ItemError, OptionError, Remedy, SetOption
from tonearm.findings.layout import USUAL_N_MELS
from tonearm.kinds.grid_options import GridOptions, missing_option
from tonearm.plugins.context import Context
from tonearm.plugins.kind import ArrayTraits, Kind
from tonearm.plugins.ports import Spec
from tonearm.recipes.catalogue import listing_hint
from tonearm.recipes.doubts import doubt_of
from tonearm.recipes.mel import MelDialect, MelSpectrogram
from tonearm.recipes.recipe import matching_remedies
from tonearm.signals import GRID_FIELDS

if TYPE_CHECKING:
    from tonearm.arrays.extent import Extent
    from tonearm.findings.claim import Claim
    from tonearm.findings.notes import Notes
    from tonearm.typing import Array


MAX_OTHER_BANDS = 16
"""Largest number of values beside the mel bands of a frame."""

PITCH_VALUES = 3
"""Number of values of the pitch that Kaldi appends to the mel bands of a frame."""


@dataclass(frozen=True, kw_only=True)
class MelOptions(GridOptions):
    """Options of mel spectrograms; figures of the analysis may repeat those of the dialect."""

    dialect: Annotated[
        MelDialect | None,
        Meta(
            description="Recipe of a mel spectrogram: a name, {base: NAME, sample_rate: 24000} to change a known one,"
            " or all its figures."
        ),
    ] = None


class MelKind(Kind[MelSpectrogram, MelOptions]):
    """Mel spectrograms in a dialect: the recipe of a model family."""

    axes = ("mel", "frame")

    def sizes(self) -> Mapping[str, int]:
        """Return the number of bands."""
        return {"mel": self._dialect.n_mels}

    def axis_parts(self) -> Mapping[str, slice]:
        """Return the mel bands that ``bands`` takes."""
        return self.options.axis_parts("mel")

    def spec(self) -> Spec:
        """Return the dialect, its grid, and the length."""
        known = super().spec().replace(length=self.options.length)
        dialect = self.options.dialect
        return known.replace(sample_rate=dialect.sample_rate).carrying(dialect.grid, dialect) if dialect else known

    def problems(self, axes: Sequence[str] | None) -> Iterator[OptionError]:
        """Yield the problem of a missing dialect, options that contradict it, and contradictions of the axes."""
        dialect, options = self.options.dialect, self.options
        if dialect is None:
            yield missing_option("dialect", f"the model family, such as hifigan; {listing_hint(MelDialect)}")
        else:
            for name in (*GRID_FIELDS, "center"):
                given = getattr(options, name)
                if given != MelOptions.__dataclass_fields__[name].default and given != getattr(dialect, name, None):
                    changed = {"base": dialect.name or "NAME", name: given}
                    remedy: Remedy = SetOption("dialect", changed, when="if the model differs")
                    if not hasattr(dialect, name):
                        remedy = Advice("the dialect has padding")
                    message = f"'{name}' is part of the dialect {dialect.label}"
                    yield OptionError(message, option=name, remedies=(remedy,))
        yield from options.padding_problems()
        yield from bands_problems(options.bands, dialect.n_mels if dialect else None, "mel")
        yield from super().problems(axes)

    @classmethod
    def claim(cls, notes: Notes) -> Claim | None:
        """Return the claim that an array is a mel spectrogram in a known dialect."""
        from tonearm.recipes.mel import inspection

        return inspection.claim(notes)

    def read(self, values: Array, context: Context) -> MelSpectrogram:
        """Return the mel spectrogram, as `read_known` does."""
        return self.read_known(values, traits_of(values), context)

    def read_known(self, values: Array, traits: ArrayTraits, context: Context) -> MelSpectrogram:
        """Return the mel spectrogram without masked frames, after checking its values against the dialect.

        Raises
        ------
        ItemError
            If values contradict the dialect. The error names dialects that fit.
        """
        whole = MelSpectrogram(values=values, dialect=self._dialect, length=self.options.length)
        signal = whole.unmasked()
        if masked := whole.frames - signal.frames:
            context.warn(f"masked frames at the end are left out: {masked}")
        extent = traits if signal is whole else finite_extent_of(signal.values)
        if reason := signal.dialect.contradiction(extent.low, extent.high):
            remedies = matching_remedies(
                *(signal.dialect, context.catalogue(MelDialect), [signal.dialect.n_mels], extent.low, extent.high)
            )
            raise ItemError(reason, code="dialect-mismatch", remedies=remedies)
        if doubt := doubt_of(signal.dialect, signal.values, extent.low, extent.high, context.catalogue):
            context.doubt(doubt.message, code="dialect-doubtful", remedies=doubt.remedies)
        return signal

    def size_error(self, message: str, array: Array, size: int | None, context: Context) -> ItemError:  # noqa: ARG002
        """Return the error, which names dialects that fit the array, or the part of the axis."""
        dialect = self._dialect
        what = f"no axis of shape {array.shape} has {dialect.n_mels} bands, like the dialect {dialect.label}"
        extent = finite_extent_of(array)
        n_mels = dialect.n_mels
        more = next((n for n in (size or 0, *array.shape) if n_mels < n <= n_mels + MAX_OTHER_BANDS), None)
        bands = SetOption("bands", [0, n_mels], f"if the first {n_mels} of {more} are the mel bands")
        others = matching_remedies(dialect, context.catalogue(MelDialect), array.shape, extent.low, extent.high)
        changed = self._with_bands(array, extent)
        # Others may be numbers of frames.
        is_part = more is not None and (more in USUAL_N_MELS or more <= n_mels + PITCH_VALUES or not changed)
        remedies = (bands, *changed) if is_part else (*changed, *others)
        return ItemError(what, code="dialect-mismatch", remedies=remedies)

    def _with_bands(self, array: Array, extent: Extent) -> tuple[Remedy, ...]:
        """Return the dialect with another number of bands, if its values can be those of an array."""
        dialect = self._dialect
        counts = [count for count in array.shape if count in USUAL_N_MELS]
        if not dialect.name or len(counts) != 1 or dialect.contradiction(extent.low, extent.high):
            return ()
        changed = {"base": dialect.name, "n_mels": counts[0]}
        return (SetOption("dialect", changed, f"if the model has {counts[0]} bands but is otherwise the same"),)

    @property
    def _dialect(self) -> MelDialect:
        """Dialect, without which no array can be read."""
        if self.options.dialect is None:
            remedies = (GiveOption("dialect", listing_hint(MelDialect)),)
            raise ItemError(
                "a mel spectrogram cannot be read without its dialect", code="no-dialect", remedies=remedies
            )
        return self.options.dialect
