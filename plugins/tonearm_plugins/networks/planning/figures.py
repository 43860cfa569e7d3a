"""Figures of the sound: its rate, the samples of a frame, and the grid of an inverse STFT behind the network."""

from __future__ import annotations

from collections.abc import Iterable

from tonearm.api import GiveOption, OptionError, RemoveOption, StftGrid
from tonearm_plugins.networks.options import NetworkOptions
from tonearm_plugins.networks.plan import NetworkHeader, PlannedInput, PlannedOutput
from tonearm_plugins.networks.planning.faults import Faults
from tonearm_plugins.networks.planning.output_shapes import bins_of
from tonearm_plugins.networks.planning.wanted import Wanted


def sample_rate_of(header: NetworkHeader, wanted: Wanted, options: NetworkOptions, faults: Faults) -> int | None:
    """Return the sample rate of the sound, from the signal, the options, or what the exporter left in the file."""
    known = wanted.sample_rate
    if known is not None and options.sample_rate not in (None, known):
        faults.add(
            f"sample_rate is {options.sample_rate}, but the {wanted.noun} {wanted.has} {known} Hz",
            RemoveOption("sample_rate"),
            code="rate-mismatch",
            option="sample_rate",
        )
    found = options.sample_rate or known or _noted(header, "sample_rate")
    if found is None and not wanted.is_told_by_file:
        faults.add(
            "nothing tells the sample rate of the sound",
            GiveOption("sample_rate", "in Hz, as the model gives it"),
            code="unclear-model",
            option="sample_rate",
        )
    return found


def samples_per_frame_of(
    wanted: Wanted,
    options: NetworkOptions,
    static: tuple[int | None, Iterable[PlannedOutput]],
    faults: Faults,
) -> int | None:
    """Return the samples of a frame; None if neither signal nor options nor static sizes tell."""
    known = wanted.samples_per_frame
    if known is not None and options.samples_per_frame not in (None, known):
        faults.add(
            f"samples_per_frame is {options.samples_per_frame}, but the {wanted.noun} {wanted.has} {known}",
            RemoveOption("samples_per_frame"),
            code="rate-mismatch",
            option="samples_per_frame",
        )
    found = options.samples_per_frame or known
    frames, outputs = static
    if found is None and frames:
        for one in outputs:
            sizes = dict(zip(one.axes, one.tensor.shape or (), strict=False))
            samples = sizes.get("sample")
            if one.role == "waveform" and isinstance(samples, int) and samples % frames == 0:
                return samples // frames
    return found


def grid_of(
    wanted: Wanted,
    options: NetworkOptions,
    planned: tuple[Iterable[PlannedInput], Iterable[PlannedOutput]],
    sample_rate: int | None,
    faults: Faults,
) -> StftGrid | None:
    """Return the grid of the inverse STFT; None if figures are missing, which are then faults."""
    inputs, outputs = planned
    bins = bins_of(outputs)
    of_bins = None if bins is None else 2 * (bins - 1)
    base = wanted.grid
    n_fft = options.n_fft or of_bins or (base.n_fft if base else None)
    if n_fft is None:
        faults.add(
            "the header does not tell the number of bins",
            GiveOption("n_fft", "length of the Fourier transform in samples"),
            code="unclear-model",
            option="n_fft",
        )
    if base is not None and n_fft != base.n_fft:
        base = None  # the model's own STFT is another than that of the analysis
    hop_length = options.hop_length or (base.hop_length if base else None)
    if hop_length is None and _same_frames(inputs, outputs):
        hop_length = options.samples_per_frame or wanted.samples_per_frame
    if hop_length is None:
        faults.add(
            f"nothing tells the hop of the inverse STFT that follows{f' with n_fft {n_fft}' if n_fft else ''}",
            GiveOption("hop_length", "samples from one frame of the spectrum to the next"),
            code="unclear-model",
            option="hop_length",
        )
    if n_fft is None or hop_length is None or sample_rate is None:
        return None
    try:
        return StftGrid(
            sample_rate=sample_rate,
            n_fft=n_fft,
            hop_length=hop_length,
            win_length=options.win_length or (base.win_length if base else n_fft),
            window=options.window or (base.window if base else "hann"),
            padding=options.padding or (base.padding if base else "center"),
        )
    except OptionError as error:
        faults.add(str(error.args[0]), *error.remedies, code=error.code, option=error.option or "model")
        return None


def _noted(header: NetworkHeader, name: str) -> int | None:
    """Return a whole number that the exporter left in the file; None if there is none."""
    text = header.metadata.get(name, "").strip()
    return int(text) if text.isascii() and text.isdigit() and 0 < len(text) < 8 else None


def _same_frames(inputs: Iterable[PlannedInput], outputs: Iterable[PlannedOutput]) -> bool:
    """Return whether a frame of the input is one of the spectrum, as their names or sizes say."""
    given = {_frames(one.tensor.shape, one.axes) for one in inputs if one.role in ("codes", "values") and not one.level}
    made = {_frames(one.tensor.shape, one.axes) for one in outputs if "frame" in one.axes}
    return None not in given and given == made


def _frames(shape: tuple[int | str | None, ...] | None, axes: tuple[str, ...]) -> int | str | None:
    return dict(zip(axes, shape or (), strict=False)).get("frame")
