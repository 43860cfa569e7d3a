"""What an array seems to be, from what was counted in it.

Certain is only what was counted. Kind and axes are at best likely, as other things are written as arrays too; sample
rate, hop, window and padding never show.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from tonearm.inspect import guess_mel, guess_spectrogram, guess_waveform
from tonearm.inspect.notes import UNKNOWN, Finding, Notes
from tonearm.inspect.statistics import ArrayStatistics
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


def guess(
    statistics: ArrayStatistics, catalogue: Catalogue, *, rate: tuple[int, str] | None = None, recipe: str = ""
) -> Guess:
    """Return what an array seems to be.

    Parameters
    ----------
    statistics
        What was counted in it.
    catalogue
        The dialects that there are.
    rate
        The sample rate in Hz, where something beside the array says it, and what.
    recipe
        The dialect, where the file says it.
    """
    notes = Notes(statistics, catalogue, rate[0] if rate else None)
    _values(notes)
    if recipe:
        notes.add("kind", "mel", "likely", "the file says the recipe of its picture")
        notes.add("dialect", recipe, "likely", "the file says it")
        notes.options["kind"] = "mel"
    elif statistics.dtype.startswith("complex"):
        guess_spectrogram.note_complex(notes)
    elif len(notes.shape) == 1:
        guess_waveform.note_single_axis(notes)
    elif not (
        guess_waveform.note_few_waveforms(notes)
        or guess_spectrogram.note_real_and_imaginary(notes)
        or _spectrogram(notes)
        or guess_waveform.note_batch(notes)
    ):
        guess_spectrogram.note_unknown(notes)
    if rate:
        notes.add("sample_rate", str(rate[0]), "likely", rate[1])
        if "sample_rate" in notes.options:
            notes.options["sample_rate"] = rate[0]
    elif "dialect" not in notes.options and not recipe:
        notes.add("sample_rate", UNKNOWN, "unknown", "an array never says it; the model's settings do")
    return Guess(tuple(notes.findings), notes.options, tuple(notes.dialects))


def describe_sound_file(statistics: ArrayStatistics | None, sample_rate: int) -> Guess:
    """Return what a file of sound says of itself; no options are needed to read it.

    Parameters
    ----------
    statistics
        What was counted in its samples; None if they were not decoded.
    sample_rate
        In Hz.
    """
    notes = Notes(statistics, Catalogue()) if statistics else None
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
    matches = guess_mel.matching_dialects(notes)
    bins = guess_spectrogram.bin_axis(notes)
    if matches and bins is not None and guess_spectrogram.suggests_bins(notes, matches[0].rank):
        bands = ", ".join(sorted({str(match.bands) for match in matches}, key=int))
        guess_spectrogram.note_magnitudes(notes, bins, f"a mel of {bands} bands would have this shape, too")
    elif matches:
        guess_mel.note_mel(notes, matches, rival=bins)
    elif bins is not None:
        guess_spectrogram.note_magnitudes(notes, bins)
    else:
        return False
    return True


def _values(notes: Notes) -> None:
    """Note what was counted; nothing else is certain."""
    stats = notes.statistics
    parts = ", over real and imaginary parts" if stats.dtype.startswith("complex") else ""
    if not stats.finite:
        notes.add("values", "none", "certain", f"all {stats.size:,} values of {stats.dtype} are NaN or infinite")
        return
    reason = f"least and greatest, to six digits, of {stats.size:,} values of {stats.dtype}{parts}"
    notes.add("values", f"{stats.low:.6g} to {stats.high:.6g}", "certain", reason)
    if stats.not_finite:
        notes.add("values", f"{stats.not_finite:,} NaN or infinite", "certain", "counted; nan: zero puts 0 there")
    if stats.constant:
        others = " that is finite" if stats.not_finite else ""
        notes.add("values", "constant", "certain", f"every value{others} is the same{parts}")
