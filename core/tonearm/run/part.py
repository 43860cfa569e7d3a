"""A part of a run's sources, so that several machines can share the work."""

from __future__ import annotations

import os
import zlib

from msgspec import Struct

from tonearm.errors import UsageError, one_line

WHOLE_RUN_OWNER = "0000"
"""Owner id of a run that does all sources."""


class Part(Struct, frozen=True):
    """A part of a run's sources.

    Which part a source is in follows from its name, so parts can run anywhere without talking to one another.

    Parameters
    ----------
    index
        Number of the part, from 1.
    count
        Number of parts.
    """

    index: int
    count: int

    @classmethod
    def parse(cls, text: str) -> Part:
        """Return the part that a text like ``2/8`` names.

        Raises
        ------
        UsageError
            If the text names no part.
        """
        index, _, count = text.partition("/")
        if not (index.isdecimal() and count.isdecimal()):
            raise _invalid(text)
        part = cls(int(index), int(count))
        part.check()
        return part

    def check(self) -> None:
        """Check that the index is within the count.

        Raises
        ------
        UsageError
            If the index is out of bounds.
        """
        if not 1 <= self.index <= self.count:
            raise _invalid(f"{self.index}/{self.count}")

    def contains(self, source: str) -> bool:
        """Return whether a source is in this part.

        Parameters
        ----------
        source
            Path of the source below the fixed part of the pattern that found it. Where that is mounted does not matter.
        """
        return zlib.crc32(os.fsencode(source)) % self.count == self.index - 1

    @property
    def suffix(self) -> str:
        """Suffix of the names of the part's journal and lock: ``-2-of-8``."""
        return f"-{self.index}-of-{self.count}"

    @property
    def owner_id(self) -> str:
        """Four hex digits that start the names of the part's temporaries.

        Parts that write into one folder have different ids: always if there are at most 361 parts, and beyond that
        if all runs use the same count.
        """
        return f"{self.count * (self.count - 1) // 2 + self.index & 0xFFFF:04x}"


def _invalid(text: str) -> UsageError:
    return UsageError(f"invalid part {one_line(text)!r}: use I/N with 1 <= I <= N")
