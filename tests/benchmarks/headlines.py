"""The sentences that docs/benchmarks.md opens with: each is made of figures in a table below it.

A sentence whose tables are not written yet is left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Row = Mapping[str, str]
Rows = Mapping[str, Row]

LANES = (", 16 lanes", ", 8 lanes", ", 8 lanes, arm64", "")
"""Ends of the names of sections, the one that sentences are made of first."""

BEGIN, END = "<!-- headlines -->\n", "<!-- end of headlines -->\n"


@dataclass(frozen=True)
class Headline:
    """A sentence of figures from the tables of some modules.

    Parameters
    ----------
    tables
        Module, start of the title, and first column of each table.
    sentence
        Function that makes the sentence of the rows of these tables, by their first cells.
    """

    tables: tuple[tuple[str, str, str], ...]
    sentence: Callable[..., str]


def _griffin_lim(rows: Rows) -> str:
    ours, librosa = rows["tonearm, `good`"], rows["librosa"]
    better = float(librosa["SC dB"]) - float(ours["SC dB"])
    return (
        f"`griffin-lim` recovers a minute of speech from its magnitudes in {ours['ms']} ms on one core,"
        f" {ours['× librosa']} times as fast as librosa and {ours['× torch']} times as fast as torchaudio's algorithm"
        f" on torch, with a spectral convergence {better:.1f} dB better than librosa's and a PESQ of {ours['PESQ']}"
        f" instead of {librosa['PESQ']}."
    )


def _ffts(rows: Rows) -> str:
    times = {name: float(row["time / FFTW's"]) for name, row in rows.items()}
    ours = times["tonearm, `good`, start and end included"]
    share = rows["tonearm, the iterations alone"]["share of the FMA peak"]
    return (
        f"All of its 32 iterations, start and end included, take {ours:.2f} of the time that FFTW's most patient"
        f" plans need for their FFTs alone, {ours / times['MKL (torch)']:.2f} of MKL's and"
        f" {ours / times['pocketfft (scipy.fft)']:.2f} of pocketfft's; the iterations reach {share} of the"
        " processor's peak."
    )


def _istft(adjacent_frames: Rows, adjacent_bins: Rows) -> str:
    frames, bins = adjacent_frames["tonearm"], adjacent_bins["tonearm"]
    return (
        f"`istft` inverts the STFT of a minute {frames['× librosa']} times as fast as librosa and"
        f" {frames['× torch']} times as fast as torch, and {bins['× librosa']} and {bins['× torch']} times as fast if"
        " the array is in Fortran order, as librosa's own is."
    )


def _mel(rows: Rows) -> str:
    ours, librosa = rows["tonearm, `fast`, 32"], rows["librosa, 32"]
    part = ours["L1 ÷ librosa's"]
    return (
        f"`mel-to-wave` makes a minute of speech from 80 mel bands {ours['× librosa']} times as fast as librosa with"
        f" as many iterations, at {part} of its distance to the mel spectrogram, and a PESQ of {ours['PESQ']} instead"
        f" of {librosa['PESQ']}."
    )


def _measuring(loudness: Rows, true_peak: Rows, mp3: Rows) -> str:
    part = float(mp3["`tonearm.save`"]["× pydub"])
    return (
        f"Loudness is measured {loudness['tonearm']['× pyloudnorm']} times as fast as by pyloudnorm, and the true peak"
        f" {true_peak['tonearm']['× soxr']} times as fast as soxr oversamples; `tonearm.save` writes an MP3 in"
        f" {part:.2g} of the CPU time that pydub takes with ffmpeg."
    )


SPEECH = "speech, 60 s, n_fft 1024, hop_length 256"
HEADLINES = (
    Headline((("griffin_lim", SPEECH, "32 iterations unless a preset says otherwise"),), _griffin_lim),
    Headline((("ffts", "The FFTs of 60 s, n_fft 1024", "32 iterations"),), _ffts),
    Headline((("istft", f"{SPEECH}, frames adjacent", ""), ("istft", f"{SPEECH}, bins adjacent", "")), _istft),
    Headline((("mel", "speech, 60 s, 80 bands at 22,050 Hz, n_fft 1024", "waveform, iterations"),), _mel),
    Headline(
        (
            ("loudness", "speech, 60 s, 1 channel", "integrated loudness"),
            ("loudness", "speech, 60 s, 1 channel", "true peak"),
            ("saving", "MP3 of 128 kbit/s", ""),
        ),
        _measuring,
    ),
)


def with_headlines(document: str) -> str:
    """Return the document with its sentences, made anew of its tables."""
    lines = []
    for headline in HEADLINES:
        tables = [_table(document, *wanted) for wanted in headline.tables]
        if all(tables):
            names = " ".join(dict.fromkeys(name for name, _, _ in headline.tables))
            command = f"`python tests/benchmarks/run.py {names}`"
            lines.append(f"1. {headline.sentence(*tables)}\n   Measure it again: {command}\n")
    block = BEGIN + "".join(lines) + END
    without = re.sub(f"{BEGIN}.*?{END}\n?", "", document, flags=re.DOTALL)
    return without.replace("# Benchmarks\n\n", f"# Benchmarks\n\n{block}\n", 1)


def _table(document: str, module: str, title: str, first: str) -> dict[str, dict[str, str]]:
    """Return the rows of a table by their first cells, each with its cells by column; empty if it is not there."""
    for lanes in LANES:
        name = f"{module}{lanes}"
        found = re.search(f"<!-- {name} -->\n(.*?)<!-- end of {name} -->", document, re.DOTALL)
        for part in found[1].split("\n### ") if found else ():
            lines = [_cells(line) for line in part.splitlines() if line.startswith("|")]
            if part.startswith(title) and lines and lines[0][0] == first:
                columns, _, *rows = lines
                return {row[0]: dict(zip(columns, row, strict=True)) for row in rows}
    return {}


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]
