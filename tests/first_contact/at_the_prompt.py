"""The command line as people use it: a line in, and its exit status, its messages and the sound out."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from message_lines import MOST as MOST_LINES
from tonearm.cli.main import main

ROOT = Path(__file__).parents[2]
RATE = 22050
SPEECH: Any = np.load(ROOT / "configs/samples/utt00.npy").ravel()
"""61,184 samples of speech at 22,050 Hz, whose peak is 0.441: float32."""

MESSAGE = re.compile(r"(?:^|: )[a-z]+(?:-[a-z0-9]+)*: ")
"""Beginning of a message: a code before a text, behind the place and the name of the source if there are some."""


@dataclass(frozen=True)
class Answer:
    """What a command has said.

    Parameters
    ----------
    status
        Exit status.
    out, err
        Text on stdout and on stderr.
    """

    status: int
    out: str
    err: str

    @property
    def code(self) -> str:
        """Code of the first message, without its place."""
        return self.err.removeprefix("warning: ").split(": ")[0]

    @property
    def hint(self) -> str:
        """Text of the first hint, empty if there is none."""
        found = re.search(r"^ +hint: (.*)$", self.err, re.MULTILINE)
        return found.group(1) if found else ""

    @property
    def proposals(self) -> list[list[str]]:
        """Flags that the first hint proposes, each without the condition behind it."""
        return [_flags(part) for part in re.split(r"; (?=-)", self.hint) if part.startswith("-")]


def _flags(text: str) -> list[str]:
    words: list[str] = []
    for word in shlex.split(text.replace("'s ", "’s ")):
        words.append(word.rstrip(",;"))
        if word.endswith((",", ";")):
            break
    return words


class Prompt:
    """A prompt in the current folder.

    Parameters
    ----------
    capsys
        pytest's capture of what is printed.
    """

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys

    def __call__(self, line: str, *more: str) -> Answer:
        """Run a command line, with further words."""
        self.capsys.readouterr()
        try:
            status = main([*shlex.split(line), *more])
        except SystemExit as end:
            status = int(end.code or 0)
        printed = self.capsys.readouterr()
        assert longest_message(printed.err) <= MOST_LINES, printed.err
        return Answer(status, printed.out, printed.err)

    def convert(self, line: str, *more: str) -> Answer:
        """Convert a file, and replace what an earlier conversion has written."""
        return self(f"convert {line} --force", *more)


def longest_message(text: str) -> int:
    """Return the number of lines of the longest message: a line with a code, and the indented ones that follow."""
    longest, lines = 0, 0
    for line in text.splitlines():
        indented = line.startswith(" ") and lines
        lines = lines + 1 if indented else 1 if MESSAGE.search(line) else 0
        longest = max(longest, lines)
    return longest


def heard(path: str = "o.wav") -> Any:
    """Return the samples of the first channel."""
    return soundfile.read(path, always_2d=True)[0][:, 0]


def rate_of(path: str = "o.wav") -> int:
    """Return the sample rate of a sound file in Hz."""
    return int(soundfile.info(path).samplerate)


def snr(found: Any, wanted: Any = SPEECH, margin: int = 0) -> float:
    """Return the ratio of a sound to the difference of another from it in dB, without a margin at both ends.

    Sounds whose lengths differ by more than a frame are not alike: -inf.
    """
    if abs(len(found) - len(wanted)) > 1024:
        return -np.inf
    inside = slice(margin, min(len(found), len(wanted)) - margin)
    error = np.sum((np.asarray(found[inside], float) - wanted[inside]) ** 2)
    return float(10 * np.log10(np.sum(np.asarray(wanted[inside], float) ** 2) / max(error, 1e-30)))


def level(samples: Any) -> float:
    """Return the root of the mean square in dB of full scale."""
    return float(10 * np.log10(np.mean(np.square(samples, dtype=float)) + 1e-30))
