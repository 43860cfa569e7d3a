"""Shapes of outputs: those of waveforms, of parts of a spectrum, and of complex spectra."""

from __future__ import annotations

from collections.abc import Iterable

from tonearm_plugins.networks.plan import Axis, PlannedOutput, TensorInfo
from tonearm_plugins.networks.planning.axes import Axes, Orders, Size, axes_of, axis_meant

MAX_CHANNELS = 8
"""Channels of a waveform; an axis of more is one of bins, bands or samples."""

MAX_BATCH = 64
"""Signals of a batch of fixed size; an axis of more is another one."""

_WAVEFORMS: Orders = {
    1: (("sample",),),
    2: (("batch", "sample"), ("channel", "sample"), ("sample", "one")),
    3: (("batch", "channel", "sample"), ("batch", "sample", "channel")),
    4: (
        ("batch", "one", "channel", "sample"),
        ("batch", "channel", "one", "sample"),
        ("batch", "channel", "sample", "one"),
    ),
}
_PARTS: Orders = {
    2: (("bin", "frame"), ("frame", "bin")),
    3: (("batch", "bin", "frame"), ("batch", "frame", "bin")),
    4: (("batch", "one", "bin", "frame"), ("batch", "one", "frame", "bin"), ("batch", "bin", "frame", "one")),
}
_COMPLEX: Orders = {
    2: (("complex-bin", "frame"), ("frame", "complex-bin")),
    3: (
        ("complex", "bin", "frame"),
        ("bin", "frame", "complex"),
        ("frame", "bin", "complex"),
        ("complex", "frame", "bin"),
        ("batch", "complex-bin", "frame"),
        ("batch", "frame", "complex-bin"),
    ),
    4: (
        ("batch", "complex", "bin", "frame"),
        ("batch", "bin", "frame", "complex"),
        ("batch", "frame", "bin", "complex"),
        ("batch", "complex", "frame", "bin"),
        ("batch", "one", "complex-bin", "frame"),
        ("batch", "one", "frame", "complex-bin"),
    ),
}


def waveform_axes(tensor: TensorInfo) -> Axes | None:
    """Return the axes of a waveform, empty if its rank is unknown; None if the shape is that of no waveform.

    >>> waveform_axes(TensorInfo("wav", "float32", ("batch", 1, "samples")))
    ('batch', 'channel', 'sample')
    """
    if tensor.shape is None:
        return ()
    for axes in _WAVEFORMS.get(len(tensor.shape), ()):
        is_last_open = axes[-1] == "channel" and not isinstance(tensor.shape[-1], int)
        sizes = dict(zip(axes, tensor.shape, strict=True))
        is_frame_open = isinstance(sizes["sample"], int) and axis_meant(sizes.get("channel")) == "frame"
        if (
            not is_last_open
            and not is_frame_open
            and all(_fits(size, axis) for size, axis in zip(tensor.shape, axes, strict=True))
        ):
            return axes
    return None


def part_axes(tensor: TensorInfo, bins: int | None) -> Axes | None:
    """Return the axes of a part of a spectrum; None if the shape is that of none.

    Parameters
    ----------
    tensor
        Output.
    bins
        Number of bins; None if unknown.
    """
    return axes_of(tensor, _PARTS, {"bin": bins})


def complex_axes(tensor: TensorInfo, bins: int | None) -> Axes | None:
    """Return the axes of a spectrum with both parts of its numbers in one output; None if the shape is that of none.

    >>> complex_axes(TensorInfo("spec", "float32", ("batch", 1026, "frames")), None)
    ('batch', 'complex-bin', 'frame')
    """
    return axes_of(tensor, _COMPLEX, {"bin": bins, "complex-bin": None if bins is None else 2 * bins})


def can_be_waveform(tensor: TensorInfo) -> bool:
    """Return whether an output may be a waveform by its shape."""
    return waveform_axes(tensor) is not None


def is_surely_waveform(tensor: TensorInfo) -> bool:
    """Return whether an output is a waveform by its shape, whatever it is called."""
    shape = tensor.shape or ()
    return can_be_waveform(tensor) and (len(shape) == 1 or 1 in shape[1:] or "sample" in map(axis_meant, shape))


def is_surely_complex(tensor: TensorInfo, bins: int | None) -> bool:
    """Return whether an output is a complex spectrum by its shape, whatever it is called: it has an axis of both parts.

    Twice the bins in one axis may as well be log-magnitudes before phases, as the head of Vocos gives them.
    """
    return "complex" in (complex_axes(tensor, bins) or ())


def bins_of(outputs: Iterable[PlannedOutput]) -> int | None:
    """Return the number of bins that the header says; None if it does not."""
    for one in outputs:
        for size, axis in zip(one.tensor.shape or (), one.axes, strict=False):
            if isinstance(size, int) and axis in ("bin", "complex-bin"):
                return size if axis == "bin" else size // 2
    return None


def _fits(size: Size, axis: Axis) -> bool:
    """Return whether an axis of a waveform fits a size. A single letter may mean anything."""
    meant = axis_meant(size) if isinstance(size, str) and len(size) > 1 else None
    if axis == "one":
        return size == 1
    if axis == "channel":
        return size <= MAX_CHANNELS if isinstance(size, int) else meant in (None, "band")
    if axis == "sample":
        return size > MAX_CHANNELS if isinstance(size, int) else meant in (None, "sample", "frame")
    return size <= MAX_BATCH if isinstance(size, int) else meant in (None, "batch")
