"""``torchscript-codec``: a decoder in a TorchScript program, for users who trust it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from tonearm.api import (
    MAX_SAMPLE_RATE,
    Codebooks,
    CodecTokens,
    Context,
    FilePath,
    ItemError,
    LatentFormat,
    Latents,
    MelDialect,
    MelSpectrogram,
    Meta,
    OptionError,
    SetOption,
    Spec,
    StftGrid,
    Transform,
    Waveform,
)
from tonearm_plugins.formats.pytorch import TORCH
from tonearm_plugins.networks.batches import batch_warnings
from tonearm_plugins.networks.codes import check_block_codes, sizes_of_rows
from tonearm_plugins.networks.failures import as_item_error
from tonearm_plugins.networks.original_sound import is_told_by_file, restored, restored_spec
from tonearm_plugins.networks.signal_checks import agreed_rate
from tonearm_plugins.networks.torch_device import DeviceName, computing
from tonearm_plugins.networks.torchscript import (
    ArgumentAxis,
    arguments_of,
    call_program,
    check_program,
    load_program,
)


@dataclass(frozen=True, kw_only=True)
class TorchscriptCodecOptions:
    """Options of ``torchscript-codec``."""

    model: Annotated[
        FilePath, Meta(description="TorchScript program, as torch.jit.save writes it.", examples=["decoder.pt"])
    ]
    trust: Annotated[
        bool, Meta(description="Whether you trust the program: it can do whatever you can, so it must be true.")
    ] = False
    sample_rate: Annotated[
        int | None,
        Meta(ge=1, le=MAX_SAMPLE_RATE, description="Sample rate of the sound in Hz, if the signal does not say it."),
    ] = None
    method: Annotated[str, Meta(min_length=1, description="Method of the program.", examples=["decode"])] = "forward"
    axes: Annotated[
        tuple[ArgumentAxis, ...] | None,
        Meta(
            description="Axes of the argument: batch, book for tokens or band for latents and mel spectrograms, and"
            " frame, in the program's order. Without batch, it gets one channel at a time.",
            examples=[["book", "batch", "frame"]],
        ),
    ] = None
    levels: Annotated[
        Literal["together", "apart", "list"] | None,
        Meta(
            description="How books become arguments: all in one, each book or level as an argument of its own, or as"
            " one argument that is a list of them. By default, levels of rates of their own are apart."
        ),
    ] = None
    dtype: Annotated[
        Literal["int32", "int64", "float16", "float32", "float64"] | None,
        Meta(description="Type of the numbers that the program takes; int64 for tokens, else float32."),
    ] = None
    device: Annotated[DeviceName, Meta(description="Device to compute on; auto is a GPU if there is one.")] = "auto"
    batch: Annotated[
        int,
        Meta(ge=1, description="Number of channels to compute at once; with more than 1, samples may differ slightly."),
    ] = 1

    def problems(self) -> Iterator[OptionError]:
        """Yield the problems that show without running the program."""
        if not self.trust:
            yield OptionError(
                f"{self.model} is a program, which can do whatever you can, so torchscript-codec does not run it",
                option="model",
                code="needs-trust",
                remedies=(SetOption("trust", value=True, when="if you trust whoever made it"),),
            )
        try:
            check_program(self.model)
        except OptionError as error:
            yield error
        axes = self.axes
        if axes is not None and (len(set(axes)) < len(axes) or "frame" not in axes):
            yield OptionError(
                f"axes are {', '.join(axes)}; each stands once, and frame is one of them",
                option="axes",
                remedies=(SetOption("axes", ["batch", "book", "frame"]),),
            )
        if axes is not None and "batch" not in axes and self.batch > 1:
            yield OptionError(
                f"axes have no batch, so the program cannot get {self.batch} channels at once",
                option="batch",
                remedies=(SetOption("batch", 1),),
            )


class TorchscriptCodec(Transform[CodecTokens | Latents | MelSpectrogram, Waveform, TorchscriptCodecOptions]):
    """Decode tokens, latents or mel spectrograms into sound by a TorchScript program that you trust."""

    instead = "save the tokens or frames, and decode the file"
    requires = (TORCH,)

    def __init__(self, options: TorchscriptCodecOptions) -> None:
        super().__init__(options)
        self._loaded: tuple[int, Any] | None = None

    def apply(self, signal: CodecTokens | Latents | MelSpectrogram, context: Context) -> Waveform:
        """Return the waveform."""
        import numpy as np

        options = self.options
        try:
            rate = self._rate(signal.dialect.sample_rate if isinstance(signal, MelSpectrogram) else signal.sample_rate)
        except OptionError as error:
            raise as_item_error(error) from error
        is_tokens, channels, levels = isinstance(signal, CodecTokens), signal.channels, options.levels or "together"
        if isinstance(signal, CodecTokens):
            counts = signal.codebooks.codes_per_frame
            check_block_codes(signal.block_array(), sizes_of_rows(signal.sizes, counts), counts)
            levels = options.levels or ("apart" if signal.strides else "together")
        axes = options.axes or ("batch", "book" if is_tokens else "band", "frame")
        dtype = options.dtype or ("int64" if is_tokens else "float32")
        made, program = [], self._program()
        with computing(context.threads):
            device = _device_of(program)
            for first in range(0, channels, options.batch):
                part = slice(first, first + options.batch)
                given = arguments_of(signal, part, levels=levels, axes=axes, dtype=dtype, device=device)
                made.append(call_program(program, options.method, given))
                context.progress(min(first + options.batch, channels), channels)
        samples = np.concatenate(made)
        samples = samples if signal.length is None else samples[:, : signal.length]
        return restored(Waveform(samples=samples, sample_rate=rate), signal, context)

    def produces(self, spec: Spec) -> Spec:
        """Return a waveform at the rate of the signal, whose length the program decides."""
        known = (spec.carried.get(cls) for cls in (Codebooks, LatentFormat, MelDialect))
        rates = [getattr(one, "sample_rate", None) for one in known if one is not None]
        is_unsure = not rates and spec.sample_rate is None and (len(spec.signals) > 1 or is_told_by_file(spec))
        rate = None if is_unsure else self._rate(next(iter(rates), spec.sample_rate))
        made = spec.replace(signals=(Waveform,), sample_rate=rate, channels=None, length=None)
        return restored_spec(made.dropping(Codebooks, LatentFormat, MelDialect, StftGrid))

    def warnings(self, spec: Spec) -> Iterator[OptionError]:
        """Yield the warning that bytes depend on the batch."""
        yield from batch_warnings(self.options.batch)

    def _rate(self, told: int | None) -> int:
        """Return the sample rate of the sound in Hz, from what the signal tells and the option."""
        return agreed_rate(self.options.sample_rate, told, teller="the signal says")

    def _program(self) -> Any:
        """Return the program, which is loaded once in each process."""
        if not self.options.trust:  # options made by hand are not checked
            raise ItemError(f"{self.options.model} is a program that is not trusted", code="needs-trust")
        if self._loaded is None or self._loaded[0] != os.getpid():
            self._loaded = os.getpid(), load_program(self.options.model, self.options.device)
        return self._loaded[1]


def _device_of(program: Any) -> Any:
    """Return the device of a program's weights; the CPU if it has none."""
    return next((one.device for one in (*program.parameters(), *program.buffers())), "cpu")
