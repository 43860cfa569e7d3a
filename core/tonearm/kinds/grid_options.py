"""The options that kinds inherit: the sample rate, and the sizes and padding of an analysis."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

from tonearm.errors import GiveOption, OptionError, RemoveOption
from tonearm.plugins.option_types import WindowName
from tonearm.signals import MAX_SAMPLE_RATE, Padding, PadMode


@dataclass(frozen=True, kw_only=True, init=False, repr=False, eq=False)  # subclasses generate these methods anyway
class SampledOptions:
    """The option of all kinds: the sample rate."""

    sample_rate: Annotated[
        int | None,
        Meta(
            description="Sample rate in Hz. Required, because an array does not contain it.", ge=1, le=MAX_SAMPLE_RATE
        ),
    ] = None


@dataclass(frozen=True, kw_only=True, init=False, repr=False, eq=False)  # subclasses generate these methods anyway
class GridOptions(SampledOptions):
    """Options of spectrograms and mels: sizes and padding of the analysis, and the length of the waveform behind it."""

    n_fft: Annotated[int | None, Meta(description="Length of the Fourier transform in samples.", ge=2)] = None
    hop_length: Annotated[int | None, Meta(description="Samples from one frame to the next.", ge=1)] = None
    win_length: Annotated[int | None, Meta(description="Length of the window in samples; n_fft by default.", ge=1)] = (
        None
    )
    window: Annotated[
        WindowName | None,
        Meta(description="Name of the analysis window, or a .npy or .txt file with its values; hann by default."),
    ] = None
    padding: Annotated[
        Padding | None,
        Meta(
            description="Padding that the analysis added at each end: center adds n_fft/2 samples (the default),"
            " half-overlap (n_fft - hop_length)/2, none nothing."
        ),
    ] = None
    center: Annotated[
        bool | None, Meta(description="Padding as a truth value: true is padding: center, false is padding: none.")
    ] = None
    pad_mode: Annotated[PadMode | None, Meta(description="Values of the padding; constant (zeros) by default.")] = None
    length: Annotated[
        int | None, Meta(description="Length in samples of the waveform behind a spectrogram, if known.", ge=1)
    ] = None

    bands: Annotated[
        list[int] | None,
        Meta(
            description="Bands or bins to read from an axis that has more, as the first one and the one after the last:"
            " [0, 80] takes the first 80 of Kaldi's 83.",
            min_length=2,
            max_length=2,
        ),
    ] = None

    def axis_parts(self, axis: str) -> Mapping[str, slice]:
        """Return the part of an axis that ``bands`` takes; an empty mapping if it is not given."""
        return {} if self.bands is None else {axis: slice(*self.bands)}

    def padding_problems(self) -> Iterator[OptionError]:
        """Yield a problem if the padding is given twice."""
        if self.center is not None and self.padding is not None:
            yield OptionError(
                "center and padding are the same option", option="center", remedies=(RemoveOption("center"),)
            )


def missing_option(option: str, meaning: str) -> OptionError:
    """Return the problem of a missing option."""
    remedies = (GiveOption(option, meaning),)
    return OptionError(f"'{option}' is missing", option=option, remedies=remedies, code="missing-option")


def missing_rate() -> OptionError:
    """Return the problem of a missing sample rate."""
    return missing_option("sample_rate", "the rate that the model was made for, such as 22050")
