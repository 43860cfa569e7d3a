"""Options that networks in ONNX files share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from tonearm.api import (
    MAX_SAMPLE_RATE,
    FileOfEach,
    FilePath,
    ItemError,
    OptionError,
    Padding,
    SetOption,
    WindowName,
)
from tonearm_plugins.networks.plan import OutputRole, SaidRole

Device = Literal["auto", "cpu", "cuda", "mps"]
"""Processor that a network runs on; ``auto`` takes the GPU by CUDA or ROCm if onnxruntime has it, and else the CPU.

It never takes Core ML, which stands behind ``mps``: that is slow where the number of frames varies, and rounds more.
"""

PositiveInt = Annotated[int, Meta(ge=1)]


class InputFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file with the value of an input.

    Parameters
    ----------
    file
        Path of a .npy or .txt file, relative to the pipeline's file. It may have the fields ``{stem}``, ``{name}``,
        ``{parent}`` and ``{relative_dir}`` of the source.
    """

    file: Annotated[
        FileOfEach,
        Meta(
            description="Path of a .npy or .txt file; {stem} and other fields stand for the name of the source.",
            examples=["f0/{stem}.npy"],
        ),
    ]


@dataclass(frozen=True, kw_only=True)
class NetworkOptions:
    """Options that networks in ONNX files share."""

    model: Annotated[
        FilePath, Meta(description="ONNX file; `check` opens its header.", examples=["vocoder.onnx", "decoder.onnx"])
    ]
    device: Annotated[
        Device,
        Meta(description="Processor that the network runs on. auto is CUDA where onnxruntime has it, else the CPU."),
    ] = "auto"
    batch: Annotated[
        int,
        Meta(ge=1, description="Signals that the network takes at once; with more than 1, samples may differ by 1e-5."),
    ] = 1
    chunk: Annotated[
        int | None,
        Meta(
            ge=1,
            description="Frames that the network takes at once, its overlap among them; chosen by default. It also cuts"
            " the input of networks whose chunks do not give exactly the sound of the whole.",
            examples=[512],
        ),
    ] = None
    receptive_field: Annotated[
        tuple[Annotated[int, Meta(ge=0)], Annotated[int, Meta(ge=0)]] | None,
        Meta(
            description="Frames before and after a frame that its sound depends on; measured by default.",
            examples=[[12, 12]],
        ),
    ] = None
    inputs: Annotated[
        dict[str, SaidRole | InputFile | int | float | list[float]],
        Meta(
            description="What inputs take, by name: a role (codes, values, length, scale or state) where the header"
            " does not tell it; a number or a list of numbers; or a file, as in {file: 'f0/{stem}.npy'}.",
            examples=[{"speaker": 3, "f0": {"file": "f0/{stem}.npy"}}],
        ),
    ] = field(default_factory=dict)
    outputs: Annotated[
        dict[str, OutputRole],
        Meta(
            description="What outputs are, by name, where the header does not tell it. Of a spectrum, x and y are the"
            " cosine and sine of the phase; complex and log_polar have both parts of a bin.",
            examples=[{"spec": "magnitude", "pha": "phase"}],
        ),
    ] = field(default_factory=dict)
    sample_rate: Annotated[
        int | None,
        Meta(ge=1, le=MAX_SAMPLE_RATE, description="Sample rate in Hz of the sound, where tokens do not tell."),
    ] = None
    samples_per_frame: Annotated[
        PositiveInt | None, Meta(description="Samples of a frame of the input, where tokens do not tell.")
    ] = None
    n_fft: Annotated[
        int | None,
        Meta(ge=2, description="Length of the inverse Fourier transform of a spectrum; that of its bins by default."),
    ] = None
    hop_length: Annotated[
        PositiveInt | None,
        Meta(description="Samples from one frame of a spectrum to the next; the recipe's by default."),
    ] = None
    win_length: Annotated[PositiveInt | None, Meta(description="Length of the window; n_fft by default.")] = None
    window: Annotated[WindowName | None, Meta(description="Window of a spectrum; hann by default.")] = None
    padding: Annotated[
        Padding | None,
        Meta(description="Padding of a spectrum; half-overlap is `same` of Vocos. The recipe's, or center by default."),
    ] = None

    def problems(self) -> Iterator[OptionError]:
        """Yield the problems that show from the options and the header alone."""
        from tonearm_plugins.networks.input_names import name_problem
        from tonearm_plugins.networks.onnx_header import read_header

        if self.chunk is not None and self.receptive_field is not None and self.chunk <= sum(self.receptive_field):
            least = sum(self.receptive_field) + 1
            yield OptionError(
                f"chunks of {self.chunk} frames leave nothing between {self.receptive_field[0]} frames before and"
                f" {self.receptive_field[1]} after",
                option="chunk",
                remedies=(SetOption("chunk", least, when="or more"),),
            )
        try:
            header = read_header(self.model)
        except ItemError as error:
            yield OptionError(error.message, option="model", code=error.code, remedies=error.remedies)
            return
        for option, tensors in (("inputs", header.inputs), ("outputs", header.outputs)):
            names = [one.name for one in tensors]
            for name in getattr(self, option):
                if name not in names:
                    yield OptionError(
                        f"the model has no {option[:-1]} {name!r}",
                        option=option,
                        code="unclear-model",
                        hint=f"its {option} are {', '.join(names[:8])}",
                    )
        for name, given in self.inputs.items():
            message, hint = name_problem(given.file) if isinstance(given, InputFile) else ("", "")
            if message:
                yield OptionError(f"{name}: {message}", option="inputs", code="bad-template", hint=hint)
            if isinstance(given, InputFile) and not given.file.lower().endswith((".npy", ".txt")):
                yield OptionError(
                    f"the input {name} is given by {given.file}, which is neither .npy nor .txt",
                    option="inputs",
                    remedies=(SetOption("inputs", {**_plain(self.inputs), name: {"file": f"{name}/{{stem}}.npy"}}),),
                )


def _plain(inputs: dict[str, Any]) -> dict[str, Any]:
    """Return the values of inputs as a pipeline writes them."""
    return {name: {"file": one.file} if isinstance(one, InputFile) else one for name, one in inputs.items()}
