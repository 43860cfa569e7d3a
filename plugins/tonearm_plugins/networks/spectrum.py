"""Spectra of networks that stop before the inverse STFT, and the inverse that follows them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tonearm.api import ItemError, SetOption
from tonearm_plugins.networks.plan import OutputForm, OutputRole

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tonearm.api import Context, StftGrid
    from tonearm_plugins.dsp.istft import IstftStream


def complex_columns(form: OutputForm, parts: Mapping[OutputRole, NDArray[Any]]) -> NDArray[np.complex64]:
    """Return the complex spectrum that the outputs of a network stand for, (items, bins, frames).

    Parameters
    ----------
    form
        What the outputs are together.
    parts
        Outputs by role, each (items, bins, frames); ``complex`` and ``log_polar`` have a last axis with both parts.

    Examples
    --------
    >>> import numpy as np
    >>> half = np.full((1, 2, 1), 0.5, np.float32)
    >>> complex_columns("real-imag", {"real": half, "imag": half})[0, 0]
    array([0.5+0.5j], dtype=complex64)
    """
    import numpy as np

    # The exponential of a half overflows at 11, and its products are heard.
    parts = {role: part.astype(np.result_type(part, np.float32), copy=False) for role, part in parts.items()}
    if form == "real-imag":
        real, imag = parts["real"], parts["imag"]
    elif form == "complex":
        real, imag = parts["complex"][..., 0], parts["complex"][..., 1]
    elif form == "magnitude-x-y":
        real, imag = parts["magnitude"] * parts["x"], parts["magnitude"] * parts["y"]
    elif form == "log-polar":
        magnitude, phase = np.exp(parts["log_polar"][..., 0]), parts["log_polar"][..., 1]
        real, imag = magnitude * np.cos(phase), magnitude * np.sin(phase)
    else:
        magnitude = np.exp(parts["log_magnitude"]) if form == "log-magnitude-phase" else parts["magnitude"]
        real, imag = magnitude * np.cos(parts["phase"]), magnitude * np.sin(parts["phase"])
    made = np.empty(real.shape, np.complex64)
    made.real, made.imag = real, imag
    return made


def inversion(grid: StftGrid, length: int | None, context: Context) -> IstftStream:
    """Return the inverse STFT of frames as they come.

    Parameters
    ----------
    grid
        Grid of the network's spectrum.
    length
        Length of the sound, if known.
    context
        Context of the item.
    """
    from tonearm_plugins.dsp.istft import IstftStream

    return IstftStream(
        window=grid.window_values(),
        hop_length=grid.hop_length,
        pad=grid.pad,
        length=length,
        samples_of=grid.samples,
        threads=context.threads,
    )


def check_bins(columns: NDArray[Any], grid: StftGrid) -> None:
    """Raise `ItemError` unless a spectrum has as many bins as the grid.

    Parameters
    ----------
    columns
        (items, bins, frames).
    grid
        Grid.
    """
    if columns.shape[1] != grid.bins:
        raise ItemError(
            f"the model gives {columns.shape[1]} bins, but n_fft {grid.n_fft} has {grid.bins}",
            code="bad-model",
            remedies=(SetOption("n_fft", 2 * (columns.shape[1] - 1)),) if columns.shape[1] > 1 else (),
        )
