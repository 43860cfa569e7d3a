"""The grid of a short-time Fourier transform: where its frames and bins lie."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Literal, get_args

from tonearm.errors import OptionError, did_you_mean
from tonearm.signals.windows import WINDOWS, is_invertible

if TYPE_CHECKING:
    from tonearm.typing import Float64Array

Padding = Literal["center", "half-overlap", "snip", "end", "none"]
PadMode = Literal["constant", "reflect", "edge"]

MAX_SAMPLE_RATE = 10_000_000
"""Largest sample rate in Hz. It is above all audio interfaces and most hydrophones; a higher rate is a mistake."""

MAX_N_FFT = 1 << 20
"""Largest FFT in samples. It covers at least five seconds of sound; checking a larger window would take long."""


def check_sample_rate(sample_rate: object) -> None:
    """Raise `OptionError` unless the sample rate is a whole number of Hz in the allowed range."""
    if type(sample_rate) is not int or not 1 <= sample_rate <= MAX_SAMPLE_RATE:
        raise OptionError(
            f"sample_rate is {sample_rate!r}, not a whole number of Hz from 1 to {MAX_SAMPLE_RATE}",
            option="sample_rate",
        )


@dataclass(frozen=True, kw_only=True)
class StftGrid:
    """Grid of a short-time Fourier transform: the positions of its frames and bins.

    Parameters
    ----------
    sample_rate
        Sample rate of the analysed waveform in Hz.
    n_fft
        Length of the Fourier transform in samples, which gives ``n_fft // 2 + 1`` bins.
    hop_length
        Samples from one frame to the next, at most ``win_length``.
    win_length
        Length of the window in samples, centred within ``n_fft``.
    window
        Name of the window, one of `tonearm.signals.windows.WINDOWS`.
    padding
        Padding that the analysis added at each end: ``center`` adds n_fft // 2 samples, ``half-overlap`` adds
        (n_fft - hop_length) // 2, ``none`` adds nothing. ``snip`` (Kaldi's snip_edges) adds nothing either, but its
        frames are as long as the window, ``win_length`` samples. ``end`` (TensorFlow's pad_end) completes the last
        frames with zeros.
    pad_mode
        Values of the padding: ``constant`` (zeros), ``reflect`` or ``edge``.

    Raises
    ------
    OptionError
        If a value is invalid, if values contradict each other, or if the window cannot be inverted at this hop (NOLA).
    """

    sample_rate: int
    n_fft: int
    hop_length: int
    win_length: int
    window: str = "hann"
    padding: Padding = "center"
    pad_mode: PadMode = "constant"

    def __post_init__(self) -> None:
        check_sample_rate(self.sample_rate)
        for option in ("n_fft", "hop_length", "win_length"):
            value = getattr(self, option)
            if type(value) is not int or value < 1:
                raise OptionError(f"{option} is {value!r}, not a whole number of at least 1", option=option)
        if self.n_fft < 2:
            raise OptionError("n_fft is 1, but a Fourier transform needs at least 2 samples", option="n_fft")
        if self.n_fft > MAX_N_FFT:
            raise OptionError(f"n_fft is {self.n_fft}, more than {MAX_N_FFT}", option="n_fft")
        if self.win_length > self.n_fft:
            raise OptionError(
                f"win_length {self.win_length} is greater than n_fft {self.n_fft}",
                option="win_length",
                hint="use a win_length of at most n_fft",
            )
        if self.window not in WINDOWS:
            raise OptionError(
                f"there is no window {self.window!r}",
                option="window",
                hint=did_you_mean(self.window, WINDOWS) or f"one of {', '.join(WINDOWS)}",
            )
        for option, known in (("padding", get_args(Padding)), ("pad_mode", get_args(PadMode))):
            if getattr(self, option) not in known:
                raise OptionError(
                    f"{option} is {getattr(self, option)!r}", option=option, hint=f"one of {', '.join(known)}"
                )
        if not is_invertible(self.window, self.win_length, self.n_fft, self.hop_length):
            raise OptionError(
                f"a {self.window} window of {self.win_length} cannot be inverted at hop_length {self.hop_length}:"
                " some samples have no weight in any frame",
                option="hop_length",
                code="not-invertible",
                hint="check hop_length and win_length against the model's own settings",
            )

    @property
    def bins(self) -> int:
        """Number of frequency bins, ``n_fft // 2 + 1``."""
        return self.n_fft // 2 + 1

    @property
    def pad(self) -> int:
        """Samples of padding at each end. For ``snip`` they are zeros, where the window is zero as well."""
        return {
            "center": self.n_fft // 2,
            "half-overlap": (self.n_fft - self.hop_length) // 2,
            "snip": (self.n_fft - self.win_length) // 2,
        }.get(self.padding, 0)

    def samples(self, frames: int) -> int:
        """Return the number of samples that a number of frames cover, if the true length is unknown."""
        beyond = self.n_fft - self.hop_length if self.padding == "end" else 0
        return max(self.n_fft + self.hop_length * (frames - 1) - 2 * self.pad - beyond, 1)

    def pads(self, samples: int) -> tuple[int, int]:
        """Return how many samples of padding the analysis of a number of samples adds before and after them."""
        if self.padding != "end":
            return self.pad, self.pad
        return 0, max(self.hop_length * (self.frames(samples) - 1) + self.n_fft - samples, 0)

    def frames(self, samples: int) -> int:
        """Return how many frames the analysis of a number of samples gives; 0 if there are too few samples."""
        if self.padding == "end":
            return -(-samples // self.hop_length)
        return max(1 + (samples + 2 * self.pad - self.n_fft) // self.hop_length, 0)

    def window_values(self) -> Float64Array:
        """Return the window, float64 (n_fft,), centred and padded with zeros."""
        import numpy as np

        from tonearm.signals.windows import window_values

        return np.array(window_values(self.window, self.win_length, self.n_fft))


GRID_FIELDS = tuple(field.name for field in fields(StftGrid))
"""Names of the fields of a grid, in order."""
