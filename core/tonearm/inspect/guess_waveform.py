"""Guesses for waveforms."""

from __future__ import annotations

from tonearm.findings.notes import MAX_CHANNELS, MIN_BATCH_SAMPLES, MIN_CORRELATION, UNKNOWN, Notes
from tonearm.kinds.scale import WIDE_PEAK
from tonearm.signals import MAX_AMPLITUDE

MIN_SAMPLES = 1000
"""Least length of an axis that is taken for time."""

FEW_SAMPLES = 256
"""Length below which an axis may be anything, such as an embedding."""


def note_single_axis(notes: Notes) -> None:
    """Note a real array of one axis that is longer than 1."""
    stats = notes.statistics
    what = "a single axis longer than 1"
    doubt = ""
    if not (stats.centred or stats.dtype.startswith("uint")):
        doubt = "the values are not centred on 0: a pitch or an energy curve has one axis too"
    elif stats.dtype in ("int64", "uint64", "uint32", "uint16", "uint8"):
        doubt = f"{stats.dtype} is a type for token numbers rather than for samples"
    elif notes.shape[0] < MIN_BATCH_SAMPLES and notes.correlation(0) < MIN_CORRELATION and not stats.constant:
        doubt = "neighbouring values are hardly correlated: an embedding has one axis too"
    elif notes.shape[0] < FEW_SAMPLES:
        doubt = f"{notes.shape[0]} values are few for a sound: an embedding has one axis too"
    if doubt:
        notes.add("kind", "waveform", "possible", f"{what}; but {doubt}")
    else:
        notes.add("kind", "waveform", "likely", f"{what}, and values around 0")
    notes.add("axes", "[time]", "possible" if doubt else "likely", what)
    if len(stats.shape) > 1:
        notes.options["kind"] = "waveform"
    notes.options["sample_rate"] = UNKNOWN
    _note_scale(notes)


def note_few_waveforms(notes: Notes) -> bool:
    """Note waveforms along one long axis beside channels or a small batch; return whether the array may hold them."""
    longest = max(range(len(notes.shape)), key=lambda axis: notes.shape[axis])
    rest = [axis for axis in range(len(notes.shape)) if axis != longest]
    few = len(rest) <= 2 and all(notes.shape[axis] <= MAX_CHANNELS for axis in rest)
    if not few or notes.shape[longest] < MIN_SAMPLES or not notes.statistics.centred:
        return False
    _note_waveforms(notes, longest, rest)
    return True


def note_batch(notes: Notes) -> bool:
    """Note a batch of waveforms: a long axis beside one of uncorrelated rows; return whether the array may hold one."""
    if len(notes.shape) > 2 or not notes.statistics.centred:
        return False
    longest = max(range(2), key=lambda axis: notes.shape[axis])
    sounds = notes.shape[longest] >= MIN_BATCH_SAMPLES or (
        notes.shape[longest] >= FEW_SAMPLES and notes.correlation(longest) >= MIN_CORRELATION
    )
    if not sounds or notes.correlation(1 - longest) >= MIN_CORRELATION:
        return False
    _note_waveforms(notes, longest, [1 - longest])
    return True


def _note_waveforms(notes: Notes, longest: int, rest: list[int]) -> None:
    """Note waveforms along the longest axis."""
    others = dict(zip(rest, ["batch", "channel"] if len(rest) == 2 else [UNKNOWN], strict=True))
    line = [others.get(axis, "time") for axis in range(len(notes.shape))]
    sizes = " and ".join(str(notes.shape[axis]) for axis in rest)
    reason = f"an axis of {notes.shape[longest]:,} beside {sizes}"
    sure = notes.shape[longest] >= MIN_BATCH_SAMPLES and all(notes.shape[axis] <= MAX_CHANNELS for axis in rest)
    more = "values around 0" if sure else "values around 0, but latents and embeddings look like this too"
    notes.add("kind", "waveform", "likely" if sure else "possible", f"{reason}, and {more}")
    which = "whether batch or channel does not show" if UNKNOWN in line else "in the usual order"
    notes.add("axes", f"[{', '.join(line)}]", "possible", f"{reason}; {which}")
    notes.options |= {"kind": "waveform", "axes": line, "sample_rate": UNKNOWN}
    _note_scale(notes)


def _note_scale(notes: Notes) -> None:
    """Note the value that is full scale."""
    stats = notes.statistics
    narrow = stats.dtype == "int32" and 0 < stats.peak < WIDE_PEAK
    if stats.dtype in ("int8", "int16", "int32") and not narrow:
        bits = int(stats.dtype.removeprefix("int"))
        notes.add("scale", f"±{2 ** (bits - 1)}", "likely", f"{bits}-bit samples use the range of {stats.dtype}")
    elif "int" in stats.dtype:
        reason = f"{stats.dtype} does not show what full scale is"
        if narrow:
            bits = 16 if stats.peak <= 2**15 else 24
            reason = (
                f"a peak of {stats.peak:.9g} is little for int32: {2 ** (bits - 1)} if these are {bits}-bit samples"
            )
        notes.add("scale", UNKNOWN, "unknown", reason)
        notes.options["full_scale"] = UNKNOWN
    elif stats.peak <= MAX_AMPLITUDE:
        beyond = ", beyond full scale" if stats.peak > 1 else ""
        notes.add("scale", "±1", "likely" if stats.peak <= 1.5 else "possible", f"the peak is {stats.peak:.4g}{beyond}")
    elif stats.whole and 256 < stats.peak <= 32768:
        notes.add("scale", "±32768", "likely", f"whole numbers up to {stats.peak:.6g}, as in 16-bit samples")
        notes.options["full_scale"] = 32768.0
    else:
        reason = f"the peak is {stats.peak:.6g}, beyond ±1; 32768 if these are 16-bit samples"
        notes.add("scale", UNKNOWN, "unknown", reason)
        notes.options["full_scale"] = UNKNOWN
