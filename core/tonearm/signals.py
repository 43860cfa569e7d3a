"""What flows between plugins: typed values that check themselves when they are made.

Arrays are channel first, float32 or complex64 (float64 and complex128 where ``precision: double`` or the file asks for
it), and immutable by convention: nobody writes into an array that came from elsewhere. numpy is needed only for typing.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_args

from tonearm.errors import OptionError, SignalError, did_you_mean
from tonearm.windows import WINDOWS, is_invertible

if TYPE_CHECKING:
    import numpy as np

Padding = Literal["center", "half-overlap", "snip", "end", "none"]
PadMode = Literal["constant", "reflect", "edge"]

MAX_SAMPLE_RATE = 10_000_000
"""In Hz. Above every audio interface and most hydrophones; a rate beyond it is a slip."""

MAX_N_FFT = 1 << 20
"""In samples: five seconds and more of any sound. More is a slip, and judging its window would take long."""


def check_sample_rate(sample_rate: object) -> None:
    """Raise `OptionError` unless this is a whole number of Hz that a signal can have."""
    if type(sample_rate) is not int or not 1 <= sample_rate <= MAX_SAMPLE_RATE:
        raise OptionError(
            f"sample_rate is {sample_rate!r}, not a whole number of Hz from 1 to {MAX_SAMPLE_RATE}",
            option="sample_rate",
        )


@dataclass(frozen=True, kw_only=True)
class StftGrid:
    """Where the frames and bins of a short-time Fourier transform lie.

    Parameters
    ----------
    sample_rate
        Of the signal that was analysed, in Hz.
    n_fft
        Length of the Fourier transform in samples; there are ``n_fft // 2 + 1`` bins.
    hop_length
        Samples from one frame to the next, at most ``win_length``.
    win_length
        Samples of the window itself, centred within ``n_fft``.
    window
        Name of the window, one of `tonearm.windows.WINDOWS`.
    padding
        What the analysis put at each end: ``center`` n_fft // 2 samples, ``half-overlap`` (n_fft - hop_length) // 2,
        ``none`` nothing. ``snip`` (Kaldi's snip_edges) puts nothing there either, but its frames are the windows
        themselves, ``win_length`` samples long. ``end`` (TensorFlow's pad_end) fills up the last frames with zeros.
    pad_mode
        With which values it did: ``constant`` (zeros), ``reflect`` or ``edge``.

    Raises
    ------
    OptionError
        If the figures do not fit one another, or the window cannot be inverted at this hop (NOLA).
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
                raise OptionError(f"{option} is {value!r}, not a whole number of samples from 1", option=option)
        if self.n_fft < 2:
            raise OptionError("n_fft is 1, which leaves nothing to transform", option="n_fft")
        if self.n_fft > MAX_N_FFT:
            raise OptionError(f"n_fft is {self.n_fft}, more than {MAX_N_FFT}", option="n_fft")
        if self.win_length > self.n_fft:
            raise OptionError(
                f"win_length {self.win_length} is greater than n_fft {self.n_fft}",
                option="win_length",
                hint="a window fits within n_fft",
            )
        if self.window not in WINDOWS:
            raise OptionError(
                f"no window is called {self.window!r}",
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
        """Samples that the analysis put at each end: zeros for ``snip``, where the window is zero as well."""
        return {
            "center": self.n_fft // 2,
            "half-overlap": (self.n_fft - self.hop_length) // 2,
            "snip": (self.n_fft - self.win_length) // 2,
        }.get(self.padding, 0)

    def samples(self, frames: int) -> int:
        """Return how many samples a number of frames stand for, where nothing else is known."""
        beyond = self.n_fft - self.hop_length if self.padding == "end" else 0
        return max(self.n_fft + self.hop_length * (frames - 1) - 2 * self.pad - beyond, 1)

    def pads(self, samples: int) -> tuple[int, int]:
        """Return how many samples the analysis of a number of samples put before and after them."""
        if self.padding != "end":
            return self.pad, self.pad
        return 0, max(self.hop_length * (self.frames(samples) - 1) + self.n_fft - samples, 0)

    def frames(self, samples: int) -> int:
        """Return how many frames the analysis of a number of samples gives; 0 if they are too few."""
        if self.padding == "end":
            return -(-samples // self.hop_length)
        return max(1 + (samples + 2 * self.pad - self.n_fft) // self.hop_length, 0)

    def window_values(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Return the window, float64 (n_fft,), centred with zeros around it."""
        import numpy as np

        from tonearm.windows import window_values

        return np.array(window_values(self.window, self.win_length, self.n_fft))


class Signal:
    """The base of all signals. A third party may define its own, with a ``port`` that says what it is.

    Attributes
    ----------
    port
        The word for it in messages and tables: ``waveform``.
    """

    port: ClassVar[str] = "signal"

    def arrays(self) -> tuple[np.ndarray[Any, Any], ...]:
        """Return the arrays whose values the host looks at (are they finite?)."""
        return ()

    def __repr__(self) -> str:
        return f"<{describe(self)}>"


def check_array(port: str, array: Any, *, rank: int, kinds: str, shape: str) -> None:
    """Raise `SignalError` unless this is an array of this rank and kind of dtype (``f``, ``c``), with no empty axis."""
    if not (hasattr(array, "ndim") and hasattr(array, "dtype")):
        raise SignalError(f"a {port} holds an array, not {type(array).__name__}")
    if array.ndim != rank:
        raise SignalError(f"a {port} is {shape}, not an array of shape {tuple(array.shape)}")
    if array.dtype.kind not in kinds:
        raise SignalError(f"a {port} holds {'complex' if kinds == 'c' else 'float'} values, not {array.dtype}")
    if 0 in array.shape:
        raise SignalError(f"the {port} is empty: its shape is {tuple(array.shape)}", code="empty")


def check_length(length: object) -> None:
    """Raise `SignalError` unless this is None or a number of samples."""
    if length is not None and (type(length) is not int or length < 1):
        raise SignalError(f"length is {length!r}, not a number of samples from 1")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Waveform(Signal):
    """Sound: samples over time, full scale is ±1.0.

    Parameters
    ----------
    samples
        (channels, samples), float32; float64 where float32 would lose what the file has.
    sample_rate
        In Hz.
    """

    port: ClassVar[str] = "waveform"
    samples: np.ndarray[Any, Any]
    sample_rate: int

    def __post_init__(self) -> None:
        check_sample_rate(self.sample_rate)
        check_array(self.port, self.samples, rank=2, kinds="f", shape="(channels, samples)")

    def arrays(self) -> tuple[np.ndarray[Any, Any], ...]:
        """Return the samples."""
        return (self.samples,)

    @property
    def channels(self) -> int:
        """Number of channels."""
        return int(self.samples.shape[0])

    @property
    def length(self) -> int:
        """Number of samples in each channel."""
        return int(self.samples.shape[1])

    @property
    def duration(self) -> float:
        """Seconds."""
        return self.length / self.sample_rate

    def _repr_html_(self) -> str:
        """Return a player for notebooks: the sound as it is, not normalised, with its verdict."""
        from tonearm.notebook import player

        return player(self.samples, self.sample_rate)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Spectrogram(Signal):
    """What complex and magnitude spectrograms share; never made itself.

    Parameters
    ----------
    values
        (channels, bins, frames).
    grid
        Where the frames and bins lie.
    length
        Samples of the waveform that it stands for, if known.
    """

    values: np.ndarray[Any, Any]
    grid: StftGrid
    length: int | None = None
    value_kinds: ClassVar[str] = "f"

    def __post_init__(self) -> None:
        check_array(self.port, self.values, rank=3, kinds=self.value_kinds, shape="(channels, bins, frames)")
        if self.values.shape[1] != self.grid.bins:
            raise SignalError(
                f"the {self.port} has {self.values.shape[1]} bins, but n_fft {self.grid.n_fft} has {self.grid.bins}",
                code="bins-mismatch",
            )
        check_length(self.length)

    def arrays(self) -> tuple[np.ndarray[Any, Any], ...]:
        """Return the values."""
        return (self.values,)

    @property
    def channels(self) -> int:
        """Number of channels."""
        return int(self.values.shape[0])

    @property
    def frames(self) -> int:
        """Number of frames."""
        return int(self.values.shape[2])

    @property
    def sample_rate(self) -> int:
        """Of the waveform that it stands for, in Hz."""
        return self.grid.sample_rate

    @property
    def samples_expected(self) -> int:
        """Samples that an inversion gives: ``length`` if known, else what the frames stand for."""
        return self.length if self.length is not None else self.grid.samples(self.frames)


class ComplexSpectrogram(Spectrogram):
    """A complex short-time Fourier transform: complex64 (channels, bins, frames)."""

    port: ClassVar[str] = "complex"
    value_kinds: ClassVar[str] = "c"


class MagnitudeSpectrogram(Spectrogram):
    """Linear magnitudes, ≥ 0, of a short-time Fourier transform: float32 (channels, bins, frames)."""

    port: ClassVar[str] = "magnitude"


def describe(signal: Signal) -> str:
    """Return a signal in a few words: its port, shape and sample rate."""
    shapes = " and ".join("×".join(map(str, array.shape)) for array in signal.arrays())
    rate = getattr(signal, "sample_rate", None)
    return " ".join(part for part in (signal.port, shapes, f"at {rate} Hz" if rate else "") if part)


GRID_FIELDS = tuple(field.name for field in fields(StftGrid))
"""Names of what makes a grid, in order."""
