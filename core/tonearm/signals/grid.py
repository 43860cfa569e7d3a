"""The grid of a short-time Fourier transform: positions of its frames and bins, and the convention of its values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Literal, get_args

from tonearm.errors import ChooseOption, OptionError, RemoveOption, SetOption, did_you_mean
from tonearm.errors.short_errors import short_errors
from tonearm.errors.text import short_repr
from tonearm.signals.windows import WINDOWS, Window, WindowPosition, checked_values, is_invertible, window_values

if TYPE_CHECKING:
    from tonearm.typing import Float64Array

Padding = Literal["center", "half-overlap", "snip", "end", "none", "full"]
"""Padding of a sound before it is cut into frames."""

PadMode = Literal["constant", "reflect", "edge"]
"""Values of the padding: zeros, the sound in reverse, or its first and last sample."""

Tail = Literal["drop", "pad"]
PhaseOrigin = Literal["frame-start", "window-center"]
Scaling = Literal[
    "none",
    "spectrum",
    "spectrum-one-sided",
    "amplitude",
    "psd",
    "psd-one-sided",
    "energy",
    "orthonormal",
    "tight-frame",
]
Sides = Literal["one", "two", "centered", "centered-nyquist-last"]
EndBins = Literal["both", "dc", "nyquist", "none"]

MAX_SAMPLE_RATE = 10_000_000
"""Largest sample rate in Hz. It is above all audio interfaces and most hydrophones; a higher rate is a mistake."""

MAX_N_FFT = 1 << 20
"""Largest FFT in samples. It covers at least five seconds of sound; checking a larger window would take long."""

CHOICES: Mapping[str, tuple[str, ...]] = {
    "padding": get_args(Padding),
    "pad_mode": get_args(PadMode),
    "window_position": get_args(WindowPosition),
    "tail": get_args(Tail),
    "phase_origin": get_args(PhaseOrigin),
    "scaling": get_args(Scaling),
    "sides": get_args(Sides),
    "end_bins": get_args(EndBins),
}
"""Possible values of the fields of a grid that are words, by field."""

ONE_SIDED: Mapping[str, str] = {
    "spectrum-one-sided": "spectrum",
    "amplitude": "spectrum",
    "psd-one-sided": "psd",
    "tight-frame": "none",
}
"""Scalings in which the values of one side stand for both, and the scaling of two sides."""

_SIZES = ("n_fft", "hop_length", "win_length")
_PADDINGS, _PAD_MODES, _POSITIONS, _TAILS = (
    CHOICES[field] for field in ("padding", "pad_mode", "window_position", "tail")
)


def check_sample_rate(sample_rate: object) -> None:
    """Raise `OptionError` unless the sample rate is a whole number of Hz in the allowed range."""
    if type(sample_rate) is not int or not 1 <= sample_rate <= MAX_SAMPLE_RATE:
        raise OptionError(
            f"sample_rate is {sample_rate!r}, not a whole number of Hz from 1 to {MAX_SAMPLE_RATE}",
            option="sample_rate",
        )


@short_errors
@dataclass(frozen=True, kw_only=True, repr=False)
class StftGrid:
    """Grid of a short-time Fourier transform: the positions of its frames and bins, and the convention of its values.

    The defaults are those of ``librosa.stft``. `tonearm.signals.conventions` has the fields of other libraries.

    Parameters
    ----------
    sample_rate
        Sample rate of the analysed waveform in Hz.
    n_fft
        Length of the Fourier transform in samples, which has ``n_fft // 2 + 1`` bins from 0 Hz up.
    hop_length
        Samples from one frame to the next, at most ``win_length``.
    win_length
        Length of the window in samples, at most ``n_fft``.
    window
        Name of the window, one of `tonearm.signals.windows.WINDOWS`, or its ``win_length`` values.
    padding
        Padding that the analysis added at each end: ``center`` adds n_fft // 2 samples, ``half-overlap`` adds
        (n_fft - hop_length) // 2, ``none`` adds nothing. ``snip`` (Kaldi's snip_edges) adds nothing either, but its
        frames are as long as the window, ``win_length`` samples. ``end`` (TensorFlow's pad_end) completes the last
        frames with zeros. ``full`` (scipy's ShortTimeFFT) centres a frame on the first sample, and adds zeros for all
        frames whose window touches the signal.
    pad_mode
        Values of the padding: ``constant`` (zeros), ``reflect`` or ``edge``.
    window_position
        Place of a short window in the FFT: ``center`` puts as many zeros before as after it (librosa, torch), and a
        frame takes ``n_fft`` samples. ``start`` puts all zeros after it (scipy, TensorFlow, MATLAB), and a frame takes
        ``win_length`` samples, which stand for n_fft in the lengths of the padding.
    tail
        Treatment of the samples after the last whole frame: ``drop`` leaves them out, ``pad`` completes one more frame
        with zeros (scipy's padded).
    phase_origin
        Sample at which the phase of a bin is that of its sine: ``frame-start``, the first sample of the frame, or
        ``window-center``, the sample ``win_length // 2`` of the window (scipy's ShortTimeFFT).
    scaling
        Factor of the values: ``none``; ``spectrum`` is 1 / sum(window); ``psd`` is
        1 / sqrt(sample_rate * sum(window²)); ``spectrum-one-sided`` and ``psd-one-sided`` are these times
        sqrt(2), except at 0 Hz and the Nyquist frequency; ``energy`` is 1 / sqrt(sum(window²)); ``orthonormal`` is
        1 / sqrt(n_fft); ``tight-frame`` is 2 * sqrt(hop_length / (win_length * n_fft)), over sqrt(2) at 0 Hz and the
        Nyquist frequency; ``amplitude`` is 2 / sum(window), which gives the amplitudes of sines, and half of it at 0 Hz
        and the Nyquist frequency.
    sides
        Frequencies of the bins: ``one`` side from 0 Hz up; ``two`` sides in the order of the FFT; ``centered``, two
        sides with 0 Hz in the middle, in the order of ``numpy.fft.fftshift``; ``centered-nyquist-last``, the same with
        the Nyquist frequency as the last bin (MATLAB).
    end_bins
        Bins at the ends of one side that the values have: ``both``, ``dc`` (0 Hz) alone, ``nyquist`` alone or ``none``.

    Raises
    ------
    OptionError
        If a value is invalid, if values contradict each other, or if the window cannot be inverted at this hop (NOLA).
    """

    sample_rate: int
    n_fft: int
    hop_length: int
    win_length: int
    window: Window = "hann"
    padding: Padding = "center"
    pad_mode: PadMode = "constant"
    window_position: WindowPosition = "center"
    tail: Tail = "drop"
    phase_origin: PhaseOrigin = "frame-start"
    scaling: Scaling = "none"
    sides: Sides = "one"
    end_bins: EndBins = "both"

    def __post_init__(self) -> None:
        check_sample_rate(self.sample_rate)
        sizes = (self.n_fft, self.hop_length, self.win_length)
        for option, value in zip(_SIZES, sizes, strict=True):
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
                remedies=(SetOption("win_length", self.n_fft, when="or less"), SetOption("n_fft", self.win_length)),
            )
        if not isinstance(self.window, str):
            object.__setattr__(self, "window", checked_values(self.window, self.win_length))
        elif self.window not in WINDOWS:
            raise OptionError(
                f"there is no window {self.window!r}",
                option="window",
                hint=did_you_mean(self.window, WINDOWS) or f"one of {', '.join(WINDOWS)}",
            )
        if not (
            self.padding in _PADDINGS
            and self.pad_mode in _PAD_MODES
            and self.window_position in _POSITIONS
            and self.tail in _TAILS
        ):
            self._check_words()
        if not is_invertible(self.window, self.win_length, self.n_fft, self.hop_length):
            name = f"{self.window} window" if isinstance(self.window, str) else "window"
            raise OptionError(
                f"a {name} of {self.win_length} cannot be inverted at hop_length {self.hop_length}:"
                " some samples have no weight in any frame",
                option="hop_length",
                code="not-invertible",
                hint="check hop_length and win_length against the model's own settings",
            )
        if not self.is_plain:
            self._check_convention()

    def _check_words(self) -> None:
        """Raise `OptionError` if the value of a field is not one of its choices."""
        for option, known in CHOICES.items():
            if getattr(self, option) not in known:
                raise OptionError(
                    f"{option} is {getattr(self, option)!r}", option=option, hint=f"one of {', '.join(known)}"
                )

    def _check_convention(self) -> None:
        """Raise `OptionError` if fields of the convention are invalid, or contradict each other."""
        self._check_words()
        if self.end_bins != "both" and self.sides != "one":
            raise OptionError(
                f"end_bins is {self.end_bins!r}, but sides {self.sides!r} has all bins",
                option="end_bins",
                remedies=(SetOption("sides", "one"), RemoveOption("end_bins")),
            )
        if self.end_bins in ("dc", "none") and self.n_fft % 2:
            raise OptionError(
                f"end_bins is {self.end_bins!r}, but an odd n_fft ({self.n_fft}) has no bin at the Nyquist frequency",
                option="end_bins",
                remedies=(ChooseOption("end_bins", ("both", "nyquist")), SetOption("n_fft", self.n_fft - 1)),
            )
        if self.scaling in ONE_SIDED and self.sides != "one":
            raise OptionError(
                f"scaling is {self.scaling!r}, but sides is {self.sides!r}",
                option="scaling",
                remedies=(SetOption("scaling", ONE_SIDED[self.scaling]),),
            )
        if self.scaling in ("spectrum", "spectrum-one-sided", "amplitude"):
            values = window_values(self.window, self.win_length, self.win_length)
            if abs(math.fsum(values)) <= 1e-6 * math.fsum(map(abs, values)):
                raise OptionError(f"scaling is {self.scaling!r}, but the sum of the window is 0", option="scaling")

    def __repr__(self) -> str:
        figures = ", ".join(f"{name}={short_repr(value)}" for name, value in self.described().items())
        return f"{type(self).__name__}({figures})"

    @property
    def bins(self) -> int:
        """Number of frequency bins that the values have: ``n_fft // 2 + 1``, or by ``sides`` and ``end_bins``."""
        if self.sides != "one":
            return self.n_fft
        missing = 0 if self.end_bins == "both" else 2 if self.end_bins == "none" else 1
        return self.n_fft // 2 + 1 - missing

    @property
    def is_plain(self) -> bool:
        """Whether the values are plain: one side with all bins, no scaling, phases from the start of the frame."""
        return (
            self.scaling == "none"
            and self.sides == "one"
            and self.end_bins == "both"
            and self.phase_origin == "frame-start"
        )

    def plain(self) -> StftGrid:
        """Return the grid of the same frames with plain values: this grid if its values are plain already."""
        if self.is_plain:
            return self
        return replace(self, scaling="none", sides="one", end_bins="both", phase_origin="frame-start")

    @property
    def span(self) -> int:
        """Samples that a frame takes from the padded signal."""
        return self.n_fft if self.window_position == "center" else self.win_length

    @property
    def pad(self) -> int:
        """Samples of padding at each end. For ``snip`` they are zeros, where the window is zero as well."""
        if self.padding == "center":
            return self.span // 2
        if self.padding == "half-overlap":
            return (self.span - self.hop_length) // 2
        if self.padding == "snip":
            return (self.span - self.win_length) // 2
        if self.padding == "full":
            return self.span // 2 + self._frames_before * self.hop_length
        return 0

    @property
    def _frames_before(self) -> int:
        """Frames of ``full`` padding before the one that is centred on the first sample."""
        return (self._support[1] - self.span // 2) // self.hop_length

    @property
    def _support(self) -> tuple[int, int]:
        """Positions in a frame of the first and of the last value of the window that are not zero."""
        values = window_values(self.window, self.win_length, self.span, self.window_position)
        inside = [at for at, value in enumerate(values) if value]
        return inside[0], inside[-1]

    @property
    def lowest_frequency(self) -> float:
        """Frequency of the first bin in Hz. It is below 0 if the values of two sides are in order."""
        bins = {
            "one": 1 if self.end_bins in ("nyquist", "none") else 0,
            "two": 0,
            "centered": -(self.n_fft // 2),
            "centered-nyquist-last": -((self.n_fft - 1) // 2),
        }
        return bins[self.sides] * self.sample_rate / self.n_fft

    def seconds(self, frames: int) -> tuple[float, float]:
        """Return the times at which the first frame begins and the last one ends, each as long as the hop.

        A frame is around the middle of its window. Time 0 is that of the first sample.
        """
        first = self.span / 2 - self.pad - self.hop_length / 2
        return first / self.sample_rate, (first + frames * self.hop_length) / self.sample_rate

    def samples(self, frames: int) -> int:
        """Return the number of samples that a number of frames cover, if the true length is unknown."""
        if self.padding == "full":
            covered = (frames - self._frames_before) * self.hop_length - self.span // 2 + self._support[0]
        else:
            beyond = self.span - self.hop_length if self.padding == "end" else 0
            covered = self.span + self.hop_length * (frames - 1) - 2 * self.pad - beyond
        return max(covered, 1)

    def pads(self, samples: int) -> tuple[int, int]:
        """Return how many samples of padding the analysis of a number of samples adds before and after them."""
        pad = self.pad
        if self.tail == "drop" and self.padding not in ("end", "full"):
            return pad, pad
        return pad, max(self.hop_length * (self.frames(samples) - 1) + self.span - samples - pad, 0)

    def frames(self, samples: int) -> int:
        """Return how many frames the analysis of a number of samples gives; 0 if there are too few samples."""
        if self.padding == "end":
            return -(-samples // self.hop_length)
        if self.padding == "full":
            last = (samples - 1 + self.span // 2 - self._support[0]) // self.hop_length
            return self._frames_before + 1 + last
        beyond = samples + 2 * self.pad - self.span
        if self.tail == "pad":
            return max(1 - (-beyond // self.hop_length), 1)
        return max(1 + beyond // self.hop_length, 0)

    def described(self) -> dict[str, Any]:
        """Return the fields of the grid by name, without those of the convention that are at their defaults."""
        found = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in found.items() if name in GRID_FIELDS or value != _DEFAULTS[name]}

    def window_values(self) -> Float64Array:
        """Return the window at its place, padded with zeros: float64 (n_fft,)."""
        import numpy as np

        return np.array(window_values(self.window, self.win_length, self.n_fft, self.window_position))


GRID_FIELDS = ("sample_rate", "n_fft", "hop_length", "win_length", "window", "padding", "pad_mode")
"""Names of the fields of a grid that every analysis has, in order."""

_DEFAULTS = {field.name: field.default for field in fields(StftGrid)}

CONVENTION_FIELDS = tuple(name for name in _DEFAULTS if name not in GRID_FIELDS)
"""Names of the fields of a grid by which libraries differ, in order. The defaults are librosa's."""
