"""The plan of a network: what each of its inputs and outputs is, as `check` finds it out and the work follows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from msgspec import Struct

from tonearm.api import StftGrid

Axis: TypeAlias = Literal[
    "segment",
    "batch",
    "channel",
    "book",
    "band",
    "bin",
    "complex",
    "complex-bin",
    "frame",
    "sample",
    "one",
    "fixed",
]
"""Name of an axis of a tensor.

``complex`` has both parts of a number, the real one first; ``complex-bin`` has the real parts of all bins, and then the
imaginary ones. ``one`` has size 1 and no meaning. ``fixed`` has the size that the header says, or that of the value
given for it; nothing is cut along it.
"""

SaidRole: TypeAlias = Literal["codes", "values", "length", "scale", "state"]
"""Role of an input that the options may name."""

InputRole: TypeAlias = Literal[SaidRole, "given"]
"""What an input takes.

``codes`` takes tokens, of all books or of one level; ``values`` a mel spectrogram or latents; ``length`` their number
of frames; ``scale`` the factor of a segment; ``given`` what the options say, such as a constant, a file or f0;
``state`` what the output of the same plan gave before.
"""

OutputRole: TypeAlias = Literal[
    "waveform",
    "magnitude",
    "log_magnitude",
    "phase",
    "x",
    "y",
    "real",
    "imag",
    "complex",
    "log_polar",
    "length",
    "state",
    "unused",
]
"""What an output gives.

``x`` and ``y`` are cosine and sine of the phase. ``complex`` has an axis of both parts, and ``log_polar`` one of
log-magnitude and phase, or all of the one before all of the other.
"""

OutputForm: TypeAlias = Literal[
    "waveform", "magnitude-x-y", "real-imag", "magnitude-phase", "log-magnitude-phase", "complex", "log-polar"
]
"""What the outputs are together. All but the waveform are followed by an inverse STFT."""


class TensorInfo(Struct, frozen=True):
    """An input or output of a network, as its header says.

    Parameters
    ----------
    name
        Name.
    dtype
        Type of the values in NumPy's words, such as ``int64``; that of the header if NumPy has none.
    shape
        Size of each axis: a number, a name, or None where nothing is known. None if not even the rank is known.
    """

    name: str
    dtype: str
    shape: tuple[int | str | None, ...] | None


class NetworkHeader(Struct, frozen=True, kw_only=True):
    """The header of a network: all that can be known without its weights.

    Parameters
    ----------
    inputs, outputs
        Inputs that no weight feeds, and outputs.
    operators
        Operators of its nodes, those of loops and branches among them, as ``domain/Name``, or ``Name`` in the standard
        domain, each with the number of nodes.
    opsets
        Version of the operators of each domain.
    ir_version
        Version of the format of the file.
    functions
        Functions that the model itself defines, as nodes call them.
    settings
        Attributes of nodes that decide whether chunks are exact, as ``LSTM.direction=bidirectional``.
    external
        Files of external data, as the header names them.
    metadata
        Texts by name that the exporter has left.
    """

    inputs: tuple[TensorInfo, ...]
    outputs: tuple[TensorInfo, ...]
    operators: Mapping[str, int] = {}
    opsets: Mapping[str, int] = {}
    ir_version: int = 0
    functions: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    external: tuple[str, ...] = ()
    metadata: Mapping[str, str] = {}


class PlannedInput(Struct, frozen=True, kw_only=True):
    """An input with its role.

    Parameters
    ----------
    tensor
        Input.
    role
        What it takes.
    axes
        Names of its axes, in order.
    level
        Level of the tokens that it takes; None if it takes all books.
    given
        Value, file or template that the options give for it, of the role ``given``.
    state
        Name of the output that gives its next value, of the role ``state``.
    """

    tensor: TensorInfo
    role: InputRole
    axes: tuple[Axis, ...] = ()
    level: int | None = None
    given: Any = None
    state: str = ""


class PlannedOutput(Struct, frozen=True, kw_only=True):
    """An output with its role and the names of its axes, in order."""

    tensor: TensorInfo
    role: OutputRole
    axes: tuple[Axis, ...] = ()


class NetworkPlan(Struct, frozen=True, kw_only=True):
    """The plan of a network.

    Parameters
    ----------
    inputs, outputs
        Inputs and outputs with their roles, in the order of the header.
    form
        What the outputs are together.
    static_frames
        Number of frames that it takes at once; None for any number. Of ragged tokens, frames of the coarsest level.
    static_batch
        Size of its batch axis; None for any size.
    grid
        Grid of the inverse STFT that follows; None if the outputs are a waveform.
    sample_rate, samples_per_frame
        Sample rate in Hz of the sound, and samples of a frame of the input; None if unknown.
    inexact
        Reason why chunks of the input cannot give the same sound as the whole, such as an LSTM; empty if they can.
    """

    inputs: tuple[PlannedInput, ...]
    outputs: tuple[PlannedOutput, ...]
    form: OutputForm = "waveform"
    static_frames: int | None = None
    static_batch: int | None = None
    grid: StftGrid | None = None
    sample_rate: int | None = None
    samples_per_frame: int | None = None
    inexact: str = ""

    @property
    def has_state(self) -> bool:
        """Whether a chunk begins with the state in which the chunk before it ended."""
        return any(one.role == "state" for one in self.inputs)
