"""Guesses: what an array seems to hold, from its statistics.

Only what was counted is certain. Kind and axes are likely at best, because other things are written as arrays too.
Sample rate, hop length, window and padding never show in the values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from tonearm.findings.claim import Claim
from tonearm.findings.notes import UNKNOWN, Finding, Notes
from tonearm.findings.statistics import ArrayStatistics
from tonearm.inspect import guess_spectrogram, guess_tokens, guess_waveform
from tonearm.names import BUILTIN
from tonearm.plugins.kind import Kind
from tonearm.plugins.registry import PluginError, Registry, RegistryEntry, as_plugin_error
from tonearm.signals import CodecTokens


class Guess(Struct, frozen=True):
    """Guess of what an array holds.

    Parameters
    ----------
    findings
        Findings, each with its reason.
    options
        Options of the decoder that would read the array; ``?`` where the user must decide.
    choices
        Values that may be right for an option, by the option's name, the best one first.
    """

    findings: tuple[Finding, ...]
    options: dict[str, Any]
    choices: Mapping[str, Sequence[str]] = {}

    def value(self, what: str) -> str:
        """Return the first value found for a subject; ``?`` if there is none."""
        return next((finding.value for finding in self.findings if finding.what == what), UNKNOWN)


def guess(
    statistics: ArrayStatistics,
    registry: Registry,
    *,
    rate: tuple[int, str] | None = None,
    declared: Mapping[str, str] | None = None,
) -> Guess:
    """Return a guess of what an array holds.

    Parameters
    ----------
    statistics
        Statistics of the array.
    registry
        Registry of the kinds of array, and of the named structs that describe arrays.
    rate
        Sample rate in Hz and where it comes from, if the file has it beside the array.
    declared
        Values of options that the file declares, such as its kind.
    """
    notes = Notes(statistics, registry.catalogue, rate[0] if rate else None)
    _note_values(notes)
    if declared and "kind" in declared:
        for option, value in declared.items():
            notes.add(option, value, "likely", "the file names it")
        notes.options["kind"] = declared["kind"]
    elif statistics.dtype.startswith("complex"):
        guess_spectrogram.note_complex(notes)
    elif guess_tokens.note_tokens(notes):
        pass
    elif len(notes.shape) == 1:
        guess_waveform.note_single_axis(notes)
    elif not (
        guess_spectrogram.note_parts(notes)
        or guess_waveform.note_few_waveforms(notes)
        or guess_spectrogram.note_real_and_imaginary(notes)
        or _spectrogram(notes, registry)
        or guess_waveform.note_batch(notes)
    ):
        guess_spectrogram.note_unknown(notes)
    if not (declared and "kind" in declared):
        if not notes.has("kind", "tokens"):
            guess_tokens.note_unknown_tokens(notes)
        _note_kinds_without_claims(notes, registry)
    if rate:
        notes.add("sample_rate", str(rate[0]), "likely", rate[1])
        if "sample_rate" in notes.options:
            notes.options["sample_rate"] = rate[0]
    elif all(finding.what != "sample_rate" for finding in notes.findings):
        notes.add("sample_rate", UNKNOWN, "unknown", "an array never shows it; see the model's settings")
    return Guess(tuple(notes.findings), notes.options, notes.choices)


def describe_sound_file(statistics: ArrayStatistics | None, sample_rate: int) -> Guess:
    """Return the guess for a sound file, which needs no options to be read.

    Parameters
    ----------
    statistics
        Statistics of its samples; None if they were not decoded.
    sample_rate
        Sample rate in Hz.
    """
    notes = Notes(statistics) if statistics else None
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


def describe_tokens(tokens: CodecTokens) -> Guess:
    """Return the guess for a file of tokens, which needs no options to be read."""
    parts = f"{tokens.books} {'levels' if tokens.strides else 'books'} of {tokens.frames:,} frames"
    sizes = f", with {' or '.join(map(str, sorted(set(tokens.sizes))))} codes each" if tokens.sizes else ""
    rate = str(tokens.sample_rate or UNKNOWN)
    findings = [
        Finding("kind", "tokens", "certain", "this is a file of codec tokens"),
        Finding("values", parts, "certain", f"counted{sizes}"),
        Finding("sample_rate", rate, "certain" if tokens.sample_rate else "unknown", "that of the codec's sound"),
    ]
    if tokens.length:
        findings.insert(2, Finding("length", f"{tokens.length:,} samples", "certain", "from the file"))
    original = tokens.original
    if original and original.length:
        loudness = "" if original.loudness is None else f", at {original.loudness:.1f} LUFS"
        length = f"{original.length:,} samples at {original.sample_rate} Hz"
        findings.insert(2, Finding("length", length, "certain", f"of the sound that was encoded{loudness}"))
    return Guess(tuple(findings), {})


def _spectrogram(notes: Notes, registry: Registry) -> bool:
    """Note an array that a kind claims, or a linear spectrogram; return whether the array may be one of them."""
    failures: list[tuple[str, str]] = []
    claims = sorted(_claims(notes, registry, failures), key=lambda claim: not claim.strong)
    bins = guess_spectrogram.bin_axis(notes)
    if bins is not None and not (claims and (claims[0].strong or not guess_spectrogram.resembles_magnitudes(notes))):
        guess_spectrogram.note_magnitudes(notes, bins, claims[0].rival if claims else "")
    elif claims:
        claims[0].note(notes, bins)
    for name, reason in failures:
        notes.add("kind", name, "unknown", reason)
    return bins is not None or bool(claims)


def _claims(notes: Notes, registry: Registry, failures: list[tuple[str, str]]) -> Iterator[Claim]:
    """Yield the claims of kinds on an array, and add kinds whose claims fail, each with the reason."""
    for entry in registry.entries("kind"):
        try:
            with as_plugin_error(f"kind {entry.full_name}"):
                found = _kind(entry).claim(notes)
        except PluginError as error:
            failures.append((registry.short_name(entry), error.message))
        else:
            if found is not None:
                yield found


def _note_kinds_without_claims(notes: Notes, registry: Registry) -> None:
    """Note the kinds of other packages that do not tell by which values they are known."""
    names = []
    for entry in registry.entries("kind"):
        try:
            if entry.origin != BUILTIN and not _makes_claims(_kind(entry)):
                names.append(registry.short_name(entry))
        except PluginError:
            continue  # the registry's problems name it
    if names:
        notes.add("kind", ", ".join(names), "unknown", f"values cannot show {'it' if len(names) == 1 else 'them'}")


def _makes_claims(kind: type[Kind[Any, Any]]) -> bool:
    return next(base for base in kind.__mro__ if "claim" in vars(base)) is not Kind


def _kind(entry: RegistryEntry) -> type[Kind[Any, Any]]:
    found = entry.resolve()
    assert issubclass(found, Kind)
    return found


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
