"""Conventions of libraries that compute short-time Fourier transforms, by name, and the options that choose them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from tonearm.errors import OptionError, did_you_mean
from tonearm.signals.grid import CONVENTION_FIELDS, EndBins, PhaseOrigin, Scaling, Sides, StftGrid, Tail
from tonearm.signals.window_files import given_window
from tonearm.signals.windows import WindowPosition

ConventionName = Literal[
    "librosa",
    "torch",
    "torch-normalized",
    "tensorflow",
    "scipy",
    "scipy-spectrogram",
    "scipy-short-time-fft",
    "matlab",
    "nnaudio",
    "asteroid",
]


class Convention(Struct, frozen=True, kw_only=True):
    """The convention of a library's short-time Fourier transform.

    Parameters
    ----------
    function
        Full name of the function.
    fields
        Fields of `StftGrid` that its defaults amount to, where they differ from those of the grid.
    source
        Address of the documentation.
    notes
        What the fields do not say.
    axes
        Axes of the function's real arrays of real and imaginary parts; empty if its arrays are complex.
    """

    function: str
    fields: Mapping[str, str]
    source: str
    notes: str = ""
    axes: tuple[str, ...] = ()


CONVENTIONS: Mapping[str, Convention] = MappingProxyType(
    {
        "librosa": Convention(
            function="librosa.stft",
            fields={},
            source="https://librosa.org/doc/latest/generated/librosa.stft.html",
        ),
        "torch": Convention(
            function="torch.stft",
            fields={"pad_mode": "reflect"},
            source="https://docs.pytorch.org/docs/stable/generated/torch.stft.html",
            notes="Without a window, torch takes `boxcar`. `normalized=True` is `scaling: orthonormal`;"
            ' torchaudio\'s `normalized="window"` is `scaling: energy`.',
        ),
        "torch-normalized": Convention(
            function="torch.stft",
            fields={"pad_mode": "reflect", "scaling": "orthonormal"},
            source="https://docs.pytorch.org/docs/stable/generated/torch.stft.html",
            notes="The convention of `normalized=True`.",
        ),
        "tensorflow": Convention(
            function="tf.signal.stft",
            fields={"window_position": "start", "padding": "none"},
            source="https://www.tensorflow.org/api_docs/python/tf/signal/stft",
            notes="`pad_end=True` is `padding: end`. At an odd `frame_length` its Hann window is `hann_symmetric`.",
        ),
        "scipy": Convention(
            function="scipy.signal.stft",
            fields={"window_position": "start", "tail": "pad", "scaling": "spectrum"},
            source="https://docs.scipy.org/doc/scipy/reference/generated/scipy.signal.stft.html",
            notes='`boundary=None` is `padding: none`, `padded=False` is `tail: drop`, `scaling="psd"` is'
            " `scaling: psd`, `return_onesided=False` is `sides: two`.",
        ),
        "scipy-spectrogram": Convention(
            function="scipy.signal.spectrogram",
            fields={"window_position": "start", "padding": "none", "scaling": "psd-one-sided"},
            source="https://docs.scipy.org/doc/scipy/reference/generated/scipy.signal.spectrogram.html",
            notes='Densities are `kind: power`. `scaling="spectrum"` is `scaling: spectrum-one-sided`;'
            ' `mode="complex"` and `mode="magnitude"` have `scaling: psd`, or `spectrum` likewise. The window is a'
            " Tukey window by default, which a file can give; `detrend=False` keeps the mean of each frame.",
        ),
        "scipy-short-time-fft": Convention(
            function="scipy.signal.ShortTimeFFT.stft",
            fields={"window_position": "start", "padding": "full", "phase_origin": "window-center"},
            source="https://docs.scipy.org/doc/scipy/reference/generated/scipy.signal.ShortTimeFFT.html",
            notes='It has no window by default. `scale_to="magnitude"` is `scaling: spectrum`, `scale_to="psd"` is'
            ' `scaling: psd`, `fft_mode="centered"` is `sides: centered`, `"onesided2X"` is `scaling: amplitude` or'
            " `psd-one-sided`, `phase_shift=None` is"
            " `phase_origin: frame-start`.",
        ),
        "matlab": Convention(
            function="stft of MATLAB's Signal Processing Toolbox",
            fields={"window_position": "start", "padding": "none", "sides": "centered-nyquist-last"},
            source="https://www.mathworks.com/help/signal/ref/stft.html",
            notes='Its window is `hann(128,"periodic")` by default; `hann(N)` is `hann_symmetric`.'
            ' `FrequencyRange="twosided"` is `sides: two`, `"onesided"` is `sides: one`. The function `spectrogram`'
            " has one side, and a Hamming window.",
        ),
        "nnaudio": Convention(
            function="nnAudio.features.STFT",
            fields={"pad_mode": "reflect"},
            source="https://kinwaicheuk.github.io/nnAudio/",
            notes="`freq_scale` is `no`, which is the default.",
            axes=("batch", "bin", "frame", "complex"),
        ),
        "asteroid": Convention(
            function="asteroid_filterbanks.STFTFB",
            fields={"padding": "snip", "window": "sqrt_hann", "scaling": "tight-frame"},
            source="https://github.com/asteroid-team/asteroid-filterbanks",
            notes="`n_filters` is `n_fft`, `kernel_size` is `win_length`, `stride` is `hop_length`.",
            axes=("batch", "(complex bin)", "frame"),
        ),
    }
)
"""Conventions by name."""


def convention_fields(name: str | None) -> Mapping[str, str]:
    """Return the fields of a grid that the name of a convention stands for; none for None.

    Raises
    ------
    OptionError
        If there is no convention of this name.

    Examples
    --------
    >>> convention_fields("tensorflow")
    {'window_position': 'start', 'padding': 'none'}
    """
    if name is None:
        return {}
    if name not in CONVENTIONS:
        raise OptionError(
            f"there is no convention {name!r}",
            option="convention",
            hint=did_you_mean(name, CONVENTIONS) or f"one of {', '.join(CONVENTIONS)}",
        )
    return CONVENTIONS[name].fields


def grid_from_options(options: Mapping[str, Any], *, convention: str | None = None) -> StftGrid:
    """Return the grid that options describe.

    Parameters
    ----------
    options
        Fields of `StftGrid`. One that is missing or None is the convention's, or else the default; ``win_length`` is
        ``n_fft``, or the number of values in the window's file. ``window`` can be the path of a file.
    convention
        Name of a convention, one of `CONVENTIONS`.

    Raises
    ------
    OptionError
        If a value is invalid, or values contradict each other.

    Examples
    --------
    >>> options = {"sample_rate": 8000, "n_fft": 256, "hop_length": 64, "sides": "one"}
    >>> grid = grid_from_options(options, convention="matlab")
    >>> grid.padding, grid.sides, grid.win_length
    ('none', 'one', 256)
    """
    given = {name: value for name, value in options.items() if value is not None}
    made: dict[str, Any] = {**convention_fields(convention), **given}
    if "window" in made:
        made["window"] = given_window(made["window"])
    if "win_length" not in made:
        made["win_length"] = len(made["window"]) if isinstance(made.get("window"), tuple) else made["n_fft"]
    return StftGrid(**made)


@dataclass(frozen=True, kw_only=True, init=False, repr=False, eq=False)  # subclasses generate these methods anyway
class ConventionOptions:
    """Options that say how a library lays out a short-time Fourier transform; inherited by the options of plugins."""

    convention: Annotated[
        ConventionName | None,
        Meta(
            description="Library whose conventions hold for options that are not given: of padding, window_position,"
            " tail, phase_origin, scaling, sides, and of asteroid also the window. librosa by default."
        ),
    ] = None
    window_position: Annotated[
        WindowPosition | None,
        Meta(description="Place of a window shorter than n_fft: in the centre of the FFT, or at its start."),
    ] = None
    tail: Annotated[
        Tail | None,
        Meta(description="Treatment of samples after the last whole frame: left out, or completed with zeros."),
    ] = None
    phase_origin: Annotated[
        PhaseOrigin | None,
        Meta(description="Sample from which phases count: the first of the frame, or the centre of the window."),
    ] = None
    scaling: Annotated[
        Scaling | None,
        Meta(
            description="Factor of the values: none, spectrum (1/sum of the window), psd (root of a density),"
            " spectrum-one-sided and psd-one-sided (root of the power of both sides), amplitude (of sines), energy"
            " (1/root of the window's energy), orthonormal (1/root of n_fft) or tight-frame (asteroid's)."
        ),
    ] = None
    sides: Annotated[
        Sides | None,
        Meta(description="Frequencies of the bins: one side, two in the FFT's order, or two with 0 Hz in the middle."),
    ] = None
    end_bins: Annotated[
        EndBins | None, Meta(description="Bins that exist of those at 0 Hz and at the Nyquist frequency.")
    ] = None

    def stft_grid(self, **fields: Any) -> StftGrid:
        """Return the grid of the options, with other fields of `StftGrid`; None is a field that is not given."""
        own = {name: getattr(self, name) for name in CONVENTION_FIELDS}
        return grid_from_options(own | fields, convention=self.convention)
