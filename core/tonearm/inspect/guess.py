"""What an array seems to be, from what was counted in it.

Certain is only what was counted. Kind and axes are at best likely, as other things are written as arrays too; sample
rate, hop, window and padding never show.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from tonearm.inspect import mels, spectra, waves
from tonearm.inspect.measure import Measured
from tonearm.inspect.notes import UNKNOWN, Finding, Notes
from tonearm.recipes.mel import Catalogue


class Guess(Struct, frozen=True):
    """What an array seems to be, and the options that would read it so; ``?`` where the user must decide.

    ``dialects`` are those that it may be in, the most telling first.
    """

    findings: tuple[Finding, ...]
    options: dict[str, Any]
    dialects: tuple[str, ...] = ()

    def value(self, what: str) -> str:
        """Return what was found of something, or ``?``."""
        return next((found.value for found in self.findings if found.what == what), UNKNOWN)


def guess(measured: Measured, catalogue: Catalogue, *, rate: tuple[int, str] | None = None, recipe: str = "") -> Guess:
    """Return what an array seems to be.

    Parameters
    ----------
    measured
        What was counted in it.
    catalogue
        The dialects that there are.
    rate
        The sample rate in Hz, where something beside the array says it, and what.
    recipe
        The dialect, where the file says it.
    """
    notes = Notes(measured, catalogue, rate[0] if rate else None)
    _values(notes)
    if recipe:
        notes.add("kind", "mel", "likely", "the file says the recipe of its picture")
        notes.add("dialect", recipe, "likely", "the file says it")
        notes.options["kind"] = "mel"
    elif measured.dtype.startswith("complex"):
        spectra.complex_values(notes)
    elif len(notes.shape) == 1:
        waves.single(notes)
    elif not (waves.several(notes) or spectra.parts(notes) or _spectrogram(notes) or waves.batch(notes)):
        spectra.unknown(notes)
    if rate:
        notes.add("sample_rate", str(rate[0]), "likely", rate[1])
        if "sample_rate" in notes.options:
            notes.options["sample_rate"] = rate[0]
    elif "dialect" not in notes.options and not recipe:
        notes.add("sample_rate", UNKNOWN, "unknown", "an array never says it; the model's settings do")
    return Guess(tuple(notes.findings), notes.options, tuple(notes.dialects))


def as_sound(measured: Measured | None, sample_rate: int) -> Guess:
    """Return what a file of sound says of itself; no options are needed to read it.

    Parameters
    ----------
    measured
        What was counted in its samples; None if they were not decoded.
    sample_rate
        In Hz.
    """
    notes = Notes(measured, Catalogue()) if measured else None
    if notes:
        _values(notes)
    counted = notes.findings if notes else [Finding("values", UNKNOWN, "unknown", "it is long, and was not decoded")]
    return Guess(
        (
            *counted,
            Finding("kind", "waveform", "certain", "it is a file of sound"),
            Finding("axes", "[channel, time]", "certain", "as it is decoded"),
            Finding("sample_rate", str(sample_rate), "certain", "what the file says"),
        ),
        {},
    )


def _spectrogram(notes: Notes) -> bool:
    """Tell mels from bins where both may be; return whether it is either."""
    fits = mels.fitting(notes)
    bins = spectra.bins(notes)
    if fits and bins is not None and spectra.rather_bins(notes, fits[0].rank):
        bands = ", ".join(sorted({str(fit.bands) for fit in fits}, key=int))
        spectra.magnitudes(notes, bins, f"a mel of {bands} bands would have this shape, too")
    elif fits:
        mels.mel(notes, fits, rival=bins)
    elif bins is not None:
        spectra.magnitudes(notes, bins)
    else:
        return False
    return True


def _values(notes: Notes) -> None:
    """Note what was counted; nothing else is certain."""
    seen = notes.seen
    parts = ", over real and imaginary parts" if seen.dtype.startswith("complex") else ""
    if not seen.finite:
        notes.add("values", "none", "certain", f"all {seen.size:,} values of {seen.dtype} are NaN or infinite")
        return
    reason = f"least and greatest, to six digits, of {seen.size:,} values of {seen.dtype}{parts}"
    notes.add("values", f"{seen.low:.6g} to {seen.high:.6g}", "certain", reason)
    if seen.not_finite:
        notes.add("values", f"{seen.not_finite:,} NaN or infinite", "certain", "counted; nan: zero puts 0 there")
    if seen.constant:
        others = " that is finite" if seen.not_finite else ""
        notes.add("values", "constant", "certain", f"every value{others} is the same{parts}")
