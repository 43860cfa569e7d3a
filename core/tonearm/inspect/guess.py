"""Guesses: what an array seems to hold, from its statistics.

Only what was counted is certain. Kind and axes are likely at best, because other things are written as arrays too.
Sample rate, hop length, window and padding never show in the values.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from tonearm.arrays.notes import UNKNOWN, Finding, Notes
from tonearm.arrays.statistics import ArrayStatistics
from tonearm.inspect import guess_mel, guess_spectrogram, guess_waveform
from tonearm.recipes.catalogue import Catalogue
from tonearm.recipes.mel import MelDialect


class Guess(Struct, frozen=True):
    """Guess of what an array holds.

    Parameters
    ----------
    findings
        Findings, each with its reason.
    options
        Options of the decoder that would read the array; ``?`` where the user must decide.
    dialects
        Names of the dialects that match, the strongest match first.
    """

    findings: tuple[Finding, ...]
    options: dict[str, Any]
    dialects: tuple[str, ...] = ()

    def value(self, what: str) -> str:
        """Return the first value found for a subject; ``?`` if there is none."""
        return next((finding.value for finding in self.findings if finding.what == what), UNKNOWN)


def guess(
    statistics: ArrayStatistics,
    catalogue: Catalogue[MelDialect],
    *,
    rate: tuple[int, str] | None = None,
    recipe: str = "",
) -> Guess:
    """Return a guess of what an array holds.

    Parameters
    ----------
    statistics
        Statistics of the array.
    catalogue
        Catalogue of mel dialects.
    rate
        Sample rate in Hz and where it comes from, if the file has it beside the array.
    recipe
        Name of the dialect, if the file has it.
    """
    notes = Notes(statistics, catalogue, rate[0] if rate else None)
    _note_values(notes)
    if recipe:
        notes.add("kind", "mel", "likely", "the file names the recipe of its image")
        notes.add("dialect", recipe, "likely", "the file names it")
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
        notes.add("sample_rate", UNKNOWN, "unknown", "an array never shows it; see the model's settings")
    return Guess(tuple(notes.findings), notes.options, tuple(notes.dialects))


def describe_sound_file(statistics: ArrayStatistics | None, sample_rate: int) -> Guess:
    """Return the guess for a sound file, which needs no options to be read.

    Parameters
    ----------
    statistics
        Statistics of its samples; None if they were not decoded.
    sample_rate
        Sample rate in Hz.
    """
    notes = Notes(statistics, Catalogue(MelDialect)) if statistics else None
    if notes:
        _note_values(notes)
    counted = notes.findings if notes else [Finding("values", UNKNOWN, "unknown", "too long to be decoded here")]
    return Guess(
        (
            *counted,
            Finding("kind", "waveform", "certain", "this is a sound file"),
            Finding("axes", "[channel, time]", "certain", "the decoder's axes"),
            Finding("sample_rate", str(sample_rate), "certain", "from the file"),
        ),
        {},
    )


def _spectrogram(notes: Notes) -> bool:
    """Note a mel or a linear spectrogram; return whether the array may be one."""
    matches = guess_mel.matching_dialects(notes)
    bins = guess_spectrogram.bin_axis(notes)
    if matches and bins is not None and guess_spectrogram.suggests_bins(notes, matches[0].rank):
        bands = ", ".join(sorted({str(match.bands) for match in matches}, key=int))
        guess_spectrogram.note_magnitudes(notes, bins, f"a mel of {bands} bands would have this shape too")
    elif matches:
        guess_mel.note_mel(notes, matches, rival=bins)
    elif bins is not None:
        guess_spectrogram.note_magnitudes(notes, bins)
    else:
        return False
    return True


def _note_values(notes: Notes) -> None:
    """Note the range of the values, which is certain."""
    stats = notes.statistics
    parts = ", over real and imaginary parts" if stats.dtype.startswith("complex") else ""
    if not stats.finite:
        notes.add("values", "none", "certain", f"all {stats.size:,} values of {stats.dtype} are NaN or infinite")
        return
    reason = f"lowest and highest, to six digits, of {stats.size:,} values of {stats.dtype}{parts}"
    notes.add("values", f"{stats.low:.6g} to {stats.high:.6g}", "certain", reason)
    if stats.not_finite:
        notes.add(
            "values", f"{stats.not_finite:,} NaN or infinite", "certain", "counted; nan: zero replaces them with 0"
        )
    if stats.constant:
        others = " that is finite" if stats.not_finite else ""
        notes.add("values", "constant", "certain", f"every value{others} is the same{parts}")
