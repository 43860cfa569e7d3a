"""The kind of arrays that tell their kind: complex arrays are spectrograms, and those of one long axis waveforms."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tonearm.arrays.extent import finite_extent_of
from tonearm.arrays.folded_axes import COMPLEX, POLAR
from tonearm.arrays.values import is_real
from tonearm.errors import Advice, ChooseOption, GiveOption, ItemError, OptionError, Remedy, RemoveOption, SetOption
from tonearm.kinds.grid_options import missing_rate
from tonearm.kinds.spectrograms import ComplexKind, SpectrogramOptions, folded_remedy
from tonearm.kinds.waveform import WaveformKind, WaveformOptions
from tonearm.plugins.context import Context
from tonearm.plugins.kind import Kind, repeated_axes
from tonearm.plugins.ports import Spec
from tonearm.signals import ComplexSpectrogram, Waveform
from tonearm.signals.window_files import given_window

if TYPE_CHECKING:
    from tonearm.typing import Array


MOST_CHANNELS = 8
"""Number of channels up to which a short axis beside a very long one is that of channels."""

MOST_BINS = 8193
"""Number of bins, or of frames, that an axis of samples exceeds."""


@dataclass(frozen=True, kw_only=True)
class InferredOptions(SpectrogramOptions, WaveformOptions):
    """Options of waveforms and of complex spectrograms."""


class InferredKind(Kind[Waveform | ComplexSpectrogram, InferredOptions]):
    """Arrays that tell their kind: complex values are a spectrogram, real ones of one long axis a waveform."""

    axes = ()

    def spec(self) -> Spec:
        """Return the sample rate and the length, which both kinds have."""
        options = self.options
        return super().spec().replace(sample_rate=options.sample_rate, length=options.length)

    def with_axes(self, axes: Sequence[str] | None) -> Kind[Any, Any]:
        """Return the kind that axes imply: time is that of waveforms, complex that of real and imaginary parts."""
        if axes and COMPLEX in axes:
            return self._complex
        return self._waveform if axes and "time" in axes else self

    def problems(self, axes: Sequence[str] | None) -> Iterator[OptionError]:
        """Yield the problems that both kinds have in common, or those of the kind that the axes imply."""
        implied = self.with_axes(axes)
        if implied is not self:
            if implied is self._waveform:
                yield from (_unused(name, "an array with a time axis is a waveform") for name in self._of_grids)
            yield from implied.problems(axes)
            return
        if self.options.sample_rate is None:
            yield missing_rate()
        yield from self.options.padding_problems()
        try:
            given_window(self.options.window or "hann")
        except OptionError as error:
            yield error
        if axes is None:
            return
        possible = (*self._waveform.possible_axes, *self._complex.possible_axes)
        yield from repeated_axes(axes)
        if "mel" in axes:
            remedy = GiveOption("dialect", "the model family, such as hifigan")
            message = "an array with a mel axis is a mel spectrogram, which needs its recipe"
            yield OptionError(message, option="axes", remedies=(remedy,), code="missing-option")
            return
        for name in axes:
            if name not in possible:
                message = f"neither a waveform nor a complex array has a {name} axis"
                hint = f"axes are named {', '.join(dict.fromkeys(possible))}"
                yield OptionError(message, option="axes", hint=hint)

    def of(self, array: Array) -> Kind[Any, Any]:
        """Return the kind of an array, if it is certain.

        Raises
        ------
        ItemError
            If the array does not tell its kind, or options are given that its kind does not have.
        """
        if array.dtype.kind == "c":
            if array.size == max(array.shape) and not self._is_frame(array):
                raise _complex_row(array)
            return self._complex
        if array.ndim == 1 or (array.shape[-1] > 1 and array.size == array.shape[-1]):
            for name in self._of_grids:
                unused = _unused(name, f"a real array of shape {array.shape} is a waveform")
                others = (ChooseOption("kind", ("magnitude", "power", "db"), "if it is a spectrogram"),)
                remedies = (*unused.remedies, *(others if array.ndim > 1 else ()))
                raise ItemError(unused.message, code=unused.code, remedies=remedies)
            return self._waveform
        message = f"cannot tell what a real array of shape {array.shape} holds"
        folded = self._folded(array)
        found = folded or self._two_sides(array)
        kinds = () if found else self._possible_kinds(array)
        remedies = (found,) if found else (ChooseOption("kind", kinds),) if kinds else (self._no_kind(array),)
        raise ItemError(message, code="unknown-kind", remedies=remedies)

    def told_by(self, array: Array, context: Context) -> Kind[Any, Any]:
        """Return the kind of an array, unless its whole numbers may be codec tokens, which the user is asked about."""
        from tonearm.kinds.token_doubts import token_remedies  # not at the top: `check` reads no array

        rate = self.options.sample_rate
        try:
            found = self.of(array)
        except ItemError as error:
            if error.code == "unknown-kind" and (remedies := token_remedies(array, rate, context)):
                raise ItemError(error.message, code=error.code, remedies=(*remedies, *error.remedies)) from None
            raise
        is_asked = found is self._waveform and self.options.full_scale is None
        if is_asked and (remedies := token_remedies(array, rate, context)):
            message = f"whole numbers from {array.min()} to {array.max()} may be codec tokens, or samples"
            samples = SetOption("kind", "waveform", "if these are samples")
            raise ItemError(message, code="unknown-kind", remedies=(*remedies, samples))
        return found

    def read(self, values: Array, context: Context) -> Waveform | ComplexSpectrogram:
        """Return the signal of the kind that the values have."""
        found: Waveform | ComplexSpectrogram = self.of(values[0]).read(values, context)
        return found

    def _is_frame(self, array: Array) -> bool:
        """Return whether a complex array with one long axis is a single frame: it has the bins of the given n_fft."""
        if array.ndim == 1 or self.options.n_fft is None or self.options.hop_length is None:
            return False
        return bool(array.size == self._complex.sizes().get("bin"))

    def _possible_kinds(self, array: Array) -> tuple[str, ...]:
        """Return the kinds that a real array may be of; figures of a grid leave the waveform out.

        Magnitudes and powers are not negative, unless they are logarithms, for which the kind has a recipe.
        """
        from tonearm.findings.layout import USUAL_N_MELS  # not at the top: only this error needs it

        sizes = [size for size in array.shape if size > 1] or [1]
        if len(sizes) <= 2 and (len(sizes) == 1 or min(sizes) <= MOST_CHANNELS) and max(sizes) > MOST_BINS:
            return ("waveform",)  # whose channels are the short axis
        waveform = () if self._of_grids else ("waveform",)
        mel = () if USUAL_N_MELS.isdisjoint(sizes) else ("mel",)
        n_fft = self.options.n_fft
        # Both sides have n_fft bins, and one without a bin at an end has n_fft / 2.
        bins = n_fft is not None and not {n_fft // 2 + 1, n_fft, n_fft // 2}.isdisjoint(sizes)
        if n_fft is not None and not bins:
            return mel
        if array.dtype.kind not in "iuf" or not array.size or finite_extent_of(array).low >= 0:
            return (*waveform, "magnitude", "power", "db", *mel)
        if array.ndim > 2 and 2 in array.shape:
            from tonearm.findings.layout import layout_along

            if any(size == 2 and layout_along(array, axis) == POLAR for axis, size in enumerate(array.shape)):
                return ("magnitude",)  # with phases
            return ("complex",) if bins else ("complex", *waveform, "db", *mel)
        return ("magnitude", "db", *mel) if bins else (*waveform, "db", *mel)

    def _no_kind(self, array: Array) -> Advice:
        """Return the advice for an array that is of no kind: no axis has the bins of the given n_fft."""
        from tonearm.findings.layout import USUAL_N_FFTS

        n_fft = self.options.n_fft or 0
        other = next((size for size in array.shape if 2 * (size - 1) in USUAL_N_FFTS), None)
        if other:
            words = f"no axis has the {n_fft // 2 + 1} bins of n_fft {n_fft}, but {other} are those of n_fft"
            return Advice(f"{words} {2 * (other - 1)}")
        return Advice(f"no axis has the {n_fft // 2 + 1} bins of n_fft {n_fft}; MFCCs, chroma and latents are no sound")

    def _two_sides(self, array: Array) -> Remedy | None:
        """Return the options of real and imaginary parts of both sides, which have n_fft bins; None for others."""
        n_fft = self.options.n_fft
        is_pair = array.ndim > 2 and 2 in array.shape and array.dtype.kind == "f"
        if n_fft is None or not is_pair or self.options.sides is not None:
            return None
        if n_fft not in array.shape or n_fft // 2 + 1 in array.shape:
            return None
        from tonearm.findings.layout import layout_along

        sides = layout_along(array, array.shape.index(n_fft))
        when = f"as {n_fft} is n_fft: both sides"
        return SetOption("kind", "complex", when, also={"sides": sides}) if sides else None

    def _folded(self, array: Array) -> Remedy | None:
        """Return the axes of an array whose bins hold both parts of complex values; None if it has none.

        Such an axis has twice the bins of the given n_fft, or shows both parts by its values.
        """
        if array.ndim != 2 or array.dtype.kind != "f":
            return None
        from tonearm.findings.layout import layout_along

        n_fft = self.options.n_fft
        for axis, count in enumerate(array.shape):
            if n_fft and count != 2 * (n_fft // 2 + 1):
                continue
            if n_fft or layout_along(array, axis) in ("complex-bin", "bin-complex"):
                return folded_remedy(array, axis, COMPLEX)
        return None

    @functools.cached_property
    def _of_grids(self) -> tuple[str, ...]:
        """Names of the options that are given and that waveforms do not have."""
        return tuple(
            field.name
            for field in dataclasses.fields(InferredOptions)
            if field.name not in WaveformOptions.__dataclass_fields__
            and getattr(self.options, field.name) != field.default
        )

    @functools.cached_property
    def _waveform(self) -> WaveformKind:
        return WaveformKind(self.options)

    @functools.cached_property
    def _complex(self) -> ComplexKind:
        return ComplexKind(self.options)


def _unused(name: str, reason: str) -> OptionError:
    """Return the error for an option of spectrograms where the array is a waveform."""
    message = f"{reason}, which has no option {name!r}"
    return OptionError(message, option=name, code="unknown-option", remedies=(RemoveOption(name),))


def _complex_row(array: Array) -> ItemError:
    """Return the error for a complex array of one axis, which is no spectrogram."""
    message = f"a complex array of shape {array.shape} is no spectrogram"
    if is_real(array):
        message = f"{message}, and has no imaginary part to speak of"
        remedies: tuple[Remedy, ...] = (SetOption("kind", "waveform", when="which takes the real part"),)
    else:
        remedies = (Advice("a waveform is real: save its real part, or the spectrogram before the inverse transform"),)
    return ItemError(message, code="unknown-kind", remedies=remedies)
