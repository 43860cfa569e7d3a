"""Guesses for linear spectrograms: complex, in real and imaginary parts, magnitudes, powers or decibels."""

from __future__ import annotations

from tonearm.findings.notes import UNKNOWN, Confidence, Notes

N_FFTS = frozenset(
    (
        *(1 << power for power in range(7, 14)),
        *(320, 400, 480, 640, 800, 882, 960, 1200, 1280, 1536, 1600, 1920, 2400, 3072),
    )
)
"""Usual values of n_fft: powers of two, and 10 to 50 ms at 16 to 48 kHz."""

MIN_DECIBEL_SPAN = 40.0
"""Least span of values that are taken for decibels; natural logarithms span 12 over 100 dB."""

MIN_CORRELATION = 0.5
"""Least correlation of the spectra of two channels; real and imaginary parts have hardly any."""


def bin_axis(notes: Notes) -> int | None:
    """Return the axis whose length is n_fft / 2 + 1 of a usual n_fft, the smoothest one of several; None if none is."""
    found = [axis for axis, n in enumerate(notes.shape) if 2 * (n - 1) in N_FFTS and not notes.resembles_batch(axis)]
    return notes.smoothest(found) if found else None


def resembles_magnitudes(notes: Notes) -> bool:
    """Return whether the values of an array are magnitudes, powers or decibels rather than another logarithm."""
    stats = notes.statistics
    return not stats.negative or stats.high - stats.low > MIN_DECIBEL_SPAN


def note_complex(notes: Notes) -> None:
    """Note a complex array, which is a complex spectrogram or nothing that can be told."""
    stats = notes.statistics
    notes.add("values", "complex", "certain", f"the type is {stats.dtype}")
    if len(notes.shape) == 1:
        reason = "a complex spectrogram has bins and frames, but there is one axis: a single frame, or no spectrogram"
        notes.add("kind", UNKNOWN, "unknown", reason)
        notes.options |= {"kind": "complex", "sample_rate": UNKNOWN, "n_fft": UNKNOWN, "hop_length": UNKNOWN}
        return
    ends = [axis for axis in range(len(notes.shape)) if notes.real_ends(axis)[0]]
    axis = bin_axis(notes)
    if len(ends) == 1:
        (axis,) = ends
        even = notes.real_ends(axis)[1]
        n_fft = 2 * (notes.shape[axis] - 1) + (not even)
        what = "first and last bins are real" if even else "first bin is real, and the last is not"
        more = "" if even else "; or the highest bin was left out, and must be put back"
        notes.add("kind", "complex", "likely", f"the {what}, as in the transform of real samples")
        reason = f"the {what}, and there are {notes.shape[axis]}: n_fft {n_fft}{more}"
        _note_grid(notes, axis, "complex", reason, n_fft=n_fft)
    elif axis is not None:
        notes.add(
            "kind", "complex", "likely", f"complex values, and {notes.shape[axis]} is n_fft / 2 + 1 of a usual n_fft"
        )
        _note_grid(notes, axis, "complex")
    else:
        notes.add(
            "kind",
            "complex",
            "possible",
            "complex values along several axes; but no length is n_fft / 2 + 1 of a usual n_fft",
        )
        notes.add("axes", UNKNOWN, "unknown", "bins and frames cannot be told apart")
        notes.options |= {"kind": "complex", "sample_rate": UNKNOWN, "n_fft": UNKNOWN, "hop_length": UNKNOWN}


def note_real_and_imaginary(notes: Notes) -> bool:
    """Note real and imaginary parts along an axis of two; return whether the array seems to hold them."""
    pairs = [axis for axis, n in enumerate(notes.shape) if n == 2]
    axis = bin_axis(notes)
    if len(notes.shape) < 3 or len(pairs) != 1 or axis is None or not notes.statistics.centred:
        return False
    if notes.correlation(pairs[0]) >= MIN_CORRELATION:
        return False
    reason = "bins, and an axis of two with uncorrelated values around 0: real and imaginary parts"
    notes.add("kind", "complex", "likely", reason)
    _note_grid(notes, axis, "complex", extra={pairs[0]: "complex"})
    return True


def note_magnitudes(notes: Notes, axis: int, rival: str = "") -> None:
    """Note magnitudes, powers or decibels with bins along an axis.

    Parameters
    ----------
    notes
        Notes that get the findings.
    axis
        Axis of the bins.
    rival
        Something else that the array may be, as part of a sentence; empty if there is nothing.
    """
    stats = notes.statistics
    doubt = f"; but {rival}" if rival else ""
    if stats.negative and stats.high - stats.low > MIN_DECIBEL_SPAN:
        kind = "db"
        reason = f"bins, and values below 0 that span {stats.high - stats.low:.4g}, as decibels do"
        notes.add("kind", kind, "possible" if rival else "likely", reason + doubt)
    elif stats.negative:
        kind = UNKNOWN
        reason = "bins, and values below 0: decibels, or another logarithm that must be undone first"
        notes.add("kind", "db", "possible", reason + doubt)
    else:
        kind = UNKNOWN
        reason = "bins, and no value below 0; the values do not show which of the two they are"
        notes.add("kind", "magnitude or power", "possible", reason + doubt)
    _note_grid(notes, axis, kind, sure=not rival)


def note_unknown(notes: Notes) -> None:
    """Note an array of several axes about which nothing can be told."""
    reason = "no axis has a telling length"
    if "int" in notes.statistics.dtype and not notes.statistics.negative:
        reason = f"{reason}; whole numbers from 0 up may be tokens, which only their codec can decode"
    notes.add("kind", UNKNOWN, "unknown", reason)
    notes.add("axes", UNKNOWN, "unknown", "the axes cannot be told apart")
    notes.options |= {"kind": UNKNOWN, "sample_rate": UNKNOWN, "n_fft": UNKNOWN, "hop_length": UNKNOWN}


def _note_grid(
    notes: Notes,
    axis: int,
    kind: str,
    reason: str = "",
    *,
    n_fft: int = 0,
    extra: dict[int, str] | None = None,
    sure: bool = True,
) -> None:
    """Note the axes and the n_fft of a spectrogram.

    Parameters
    ----------
    notes
        Notes that get the findings.
    axis
        Axis of the bins.
    kind
        Kind of the array, for the options.
    reason
        Reason for the axes, if there is one beside their lengths.
    n_fft
        n_fft in samples; 0 for that of an even one.
    extra
        Names of further axes that are known.
    sure
        Whether the kind is likely, not only possible.
    """
    names = notes.axis_names(axis, "bin", extra)
    count = notes.shape[axis]
    n_fft = n_fft or 2 * (count - 1)
    rivals = [n for other, n in enumerate(notes.shape) if other != axis and 2 * (n - 1) in N_FFTS]
    alone = UNKNOWN not in names and "batch" not in names
    confidence: Confidence = "likely" if sure and alone and (reason or not rivals) else "possible"
    doubt = f"; the smoother of {' and '.join(map(str, (count, *rivals)))}" if rivals and not reason else ""
    notes.add("axes", f"[{', '.join(names)}]", confidence, reason or f"{count} is n_fft / 2 + 1 of {n_fft}{doubt}")
    odd = "; or the highest was left out" if n_fft % 2 else ""
    sure = confidence == "likely" and not odd
    notes.add("n_fft", str(n_fft), "likely" if sure else "possible", f"{count} bins{odd}")
    notes.add("hop_length", UNKNOWN, "unknown", f"frames do not show it; often {max(n_fft // 4, 1)}")
    notes.options |= {"kind": kind, "axes": names, "sample_rate": UNKNOWN, "n_fft": n_fft, "hop_length": UNKNOWN}
