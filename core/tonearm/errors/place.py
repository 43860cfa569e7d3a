"""Places of problems within a pipeline, and the forms in which a pipeline is given."""

from __future__ import annotations

import re
from typing import Literal, TypeAlias

from msgspec import Struct

Form: TypeAlias = Literal["yaml", "flags", "python", "call"]
"""Where the pipeline comes from, and so how a remedy reads: a file, flags, a mapping, or the arguments of a call."""


class Place(Struct, frozen=True):
    """Place of a problem within a pipeline.

    Parameters
    ----------
    stage
        Path of the stage: ``input``, ``steps.1``, ``outputs.0``; empty for the pipeline as a whole.
    form
        Form that the pipeline was given in.
    own_steps
        Whether a step before the stage belongs to the steps of one output.
    use
        Name of the stage's plugin; empty for the pipeline as a whole.
    put_in
        Whether the stage is a transform that the user has not asked for: it was put in between two ports.
    """

    stage: str = ""
    form: Form = "yaml"
    own_steps: bool = False
    use: str = ""
    put_in: bool = False

    @property
    def is_encoder(self) -> bool:
        """Whether the stage is an encoder."""
        return re.fullmatch(r"outputs\.\d+", self.stage) is not None

    @property
    def is_nested(self) -> bool:
        """Whether the stage is a plugin in an option of another plugin."""
        return ".with." in self.stage

    @property
    def has_flags(self) -> bool:
        """Whether options of the stage are flags of their own: those of the decoder, and of steps that were put in."""
        return self.form == "flags" and (self.stage in ("", "input") or (self.put_in and not self.is_nested))
