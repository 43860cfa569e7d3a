"""A part of a run's sources, so that several machines can share the work."""

from __future__ import annotations

import os
import zlib
from collections.abc import Mapping
from typing import NoReturn

from msgspec import Struct

from tonearm.errors import UsageError, one_line

COUNT_VARIABLE = "TONEARM_PARTS"
"""Environment variable with the number of parts, for schedulers that do not tell their jobs."""

FORMS = "I/N, slurm, pbs or k8s"
"""Forms of a part in words."""


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
    def parse(cls, text: str, environ: Mapping[str, str] | None = None) -> Part:
        """Return the part that a text like ``2/8`` names, or that a scheduler has given to this process.

        Parameters
        ----------
        text
            Index and count (``2/8``), or the name of a scheduler: ``slurm``, ``pbs`` or ``k8s``, with the number of
            parts behind it (``pbs/8``) where the scheduler does not tell.
        environ
            Environment variables; those of this process if None.

        Raises
        ------
        UsageError
            If the text names no part, or a variable is missing or does not fit.
        """
        first, _, last = text.partition("/")
        if first in _SCHEDULERS:
            if "/" in text and not _is_number(last):
                raise _invalid(text)
            return _Environment(os.environ if environ is None else environ, first, last).part()
        if not (_is_number(first) and _is_number(last)):
            raise _invalid(text)
        part = cls(int(first), int(last))
        part.check()
        return part

    @classmethod
    def of(cls, given: Part | tuple[int, int] | str | None) -> Part | None:
        """Return the part that a caller has given as index and count, or as a text; None for all sources.

        Raises
        ------
        UsageError
            If it is no part.
        """
        if given is None or isinstance(given, Part):
            return given
        if isinstance(given, str):
            return cls.parse(given)
        try:
            part = cls(*given)
            part.check()
        except TypeError:
            raise _invalid(str(given)) from None
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


class _Environment:
    """The environment in which a scheduler has started this process.

    Parameters
    ----------
    variables
        Environment variables.
    scheduler
        Name of the scheduler.
    count
        Number of parts as text; empty if the environment has it.
    """

    def __init__(self, variables: Mapping[str, str], scheduler: str, count: str) -> None:
        self._variables = variables
        self._scheduler = scheduler
        self._count = count

    def part(self) -> Part:
        """Return the part of this process."""
        return _SCHEDULERS[self._scheduler](self)

    def slurm(self) -> Part:
        """Return the part of a task of a Slurm job array."""
        index = self._number("SLURM_ARRAY_TASK_ID")
        if self._count or COUNT_VARIABLE in self._variables:
            return self._counted(index, "SLURM_ARRAY_TASK_ID")
        least, most = self._number("SLURM_ARRAY_TASK_MIN"), self._number("SLURM_ARRAY_TASK_MAX")
        step = self._number("SLURM_ARRAY_TASK_STEP", default=1) or 1
        count = (most - least) // step + 1
        known = self._number("SLURM_ARRAY_TASK_COUNT", default=count)
        if not least <= index <= most or (index - least) % step or known != count:
            self._fail(
                f"the indexes of the job array from {least} to {most} are not evenly spaced",
                "number the array from 1 to N, and use slurm/N",
            )
        # Any indexes in a row give each part once. With 1 to N, the index is the number of the part.
        return Part((index // step - 1) % count + 1, count)

    def pbs(self) -> Part:
        """Return the part of a subjob of PBS (PBS_ARRAY_INDEX) or Torque (PBS_ARRAYID)."""
        name = "PBS_ARRAYID" if "PBS_ARRAYID" in self._variables else "PBS_ARRAY_INDEX"
        return self._counted(self._number(name), name)

    def kubernetes(self) -> Part:
        """Return the part of a pod of an indexed job, whose indexes start at 0."""
        index, count = self._number("JOB_COMPLETION_INDEX"), self._total("Kubernetes")
        if index >= count:
            self._fail(f"JOB_COMPLETION_INDEX is {index}, but there are {count} parts", "use k8s/N with N completions")
        return Part(index + 1, count)

    def _counted(self, index: int, name: str) -> Part:
        """Return the part of an index that counts from 1, or from 0: then index 0 is the last part."""
        count = self._total({"pbs": "PBS"}.get(self._scheduler, "Slurm"))
        if index > count:
            self._fail(f"{name} is {index}, but there are {count} parts", "number the job array from 1 to N, or from 0")
        return Part(index or count, count)

    def _total(self, scheduler: str) -> int:
        """Return the number of parts."""
        if not self._count and COUNT_VARIABLE not in self._variables:
            self._fail(
                f"{scheduler} does not tell how many parts there are",
                f"use {self._scheduler}/N, or set the variable {COUNT_VARIABLE}",
            )
        count = int(self._count) if self._count else self._number(COUNT_VARIABLE)
        if not count:
            raise _invalid(f"{self._scheduler}/{count}")
        return count

    def _number(self, name: str, default: int | None = None) -> int:
        """Return the number in a variable."""
        text = self._variables.get(name)
        if text is None and default is not None:
            return default
        if text is None:
            self._fail(
                f"the variable {name} is not set",
                "run it in a job array (Slurm, PBS) or an indexed job (Kubernetes), or use I/N",
            )
        if not _is_number(text):
            self._fail(f"the variable {name} is {one_line(text, 40)!r}, which is no number", "use I/N")
        return int(text)

    def _fail(self, reason: str, hint: str) -> NoReturn:
        raise UsageError(f"cannot tell which part this is: {reason}", hint=hint)


_SCHEDULERS = {"slurm": _Environment.slurm, "pbs": _Environment.pbs, "k8s": _Environment.kubernetes}


def _is_number(text: str) -> bool:
    return text.isdecimal() and text.isascii() and len(text) < 10


def _invalid(text: str) -> UsageError:
    return UsageError(f"invalid part {one_line(text)!r}: use I/N with 1 <= I <= N", hint=f"forms of a part: {FORMS}")
