"""Diagnoses: what works on this machine, what is slower than it could be, missing or broken, and how to mend it."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

State = Literal["ok", "slower", "absent", "missing", "broken"]
"""State of a part: it works, works by a slower way, is optional and not installed, needed and not there, or fails."""


class Diagnosis(Struct, frozen=True, kw_only=True):
    """One line of ``tonearm doctor``, as the hook ``tonearm_diagnoses`` returns them.

    Parameters
    ----------
    group
        Heading below which it stands, in lower case: ``engines``, ``formats``, ``caches``.
    subject
        What is examined: kinds of work, a plugin, a program.
    state
        State of it.
    found
        What does the work, or the version that is installed.
    use
        What it is for.
    reason
        Why it is not ``ok``.
    hint
        How to mend it, such as a pip command.
    """

    group: str
    subject: str
    state: State = "ok"
    found: str = ""
    use: str = ""
    reason: str = ""
    hint: str = ""

    @property
    def is_fault(self) -> bool:
        """Whether something is broken or missing that tonearm promises to have."""
        return self.state in ("missing", "broken")
