"""``onnx-vocoder``: a neural vocoder from a local ONNX file."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from tonearm.api import (
    Advice,
    Context,
    FilePath,
    InsertStep,
    ItemError,
    MelDialect,
    MelSpectrogram,
    Meta,
    OptionError,
    Remedy,
    RemoveOption,
    SetOption,
    Spec,
    StftGrid,
    Transform,
    Waveform,
)
from tonearm_plugins.formats.onnx import ONNXRUNTIME

NAMED = 4
"""Largest number of differences between recipes that an error names."""


@dataclass(frozen=True, kw_only=True)
class OnnxVocoderOptions:
    """Options of ``onnx-vocoder``."""

    model: Annotated[
        FilePath,
        Meta(
            description="ONNX file with a mel spectrogram as its one input and a waveform as its output.",
            examples=["vocoder.onnx"],
        ),
    ]
    dialect: Annotated[
        MelDialect,
        Meta(description="Recipe that the model was trained for; any other is refused.", examples=["hifigan"]),
    ]
    chunk_frames: Annotated[
        int | None,
        Meta(ge=16, description="Frames that the model takes at once; its own number if that is fixed."),
    ] = None
    overlap_frames: Annotated[
        int, Meta(ge=0, description="Frames on each side of a chunk that the model sees, but whose sound is dropped.")
    ] = 32
    providers: Annotated[
        list[str],
        Meta(
            min_length=1,
            description="Execution providers of onnxruntime, in order of preference.",
            examples=[["CUDAExecutionProvider", "CPUExecutionProvider"]],
        ),
    ] = field(default_factory=lambda: ["CPUExecutionProvider"])

    def problems(self) -> Iterator[OptionError]:
        """Yield the problems that show without loading the model."""
        if not Path(self.model).is_file():
            yield OptionError(f"there is no file {self.model}", option="model", code="no-such-file")
        if self.chunk_frames is not None and self.chunk_frames <= 2 * self.overlap_frames:
            yield OptionError(
                f"chunks of {self.chunk_frames} frames leave nothing between {self.overlap_frames} on each side",
                option="chunk_frames",
                remedies=(SetOption("chunk_frames", 2 * self.overlap_frames + 1, when="or more"),),
            )


def _report(context: Context, channel: int, shape: tuple[int, ...], frames: float) -> None:
    """Report that a number of frames of one channel are done, out of (channels, mels, frames)."""
    context.progress(channel * shape[2] + frames, shape[0] * shape[2])


class OnnxVocoder(Transform[MelSpectrogram, Waveform, OnnxVocoderOptions]):
    """Turn a mel spectrogram into sound with a neural vocoder in an ONNX file, in chunks that overlap."""

    instead = "let the model make the sound, or collect the frames and save them"
    requires = (ONNXRUNTIME,)
    _sessions: dict[int, Any]

    def __init__(self, options: OnnxVocoderOptions) -> None:
        super().__init__(options)
        self._sessions = {}  # by number of threads

    def files(self) -> list[str]:
        """Return the files with the model's external data, under the names that exporters give them."""
        names = (f"{self.options.model}{suffix}" for suffix in (".data", "_data"))
        return [name for name in names if Path(name).is_file()]

    def preflight(self) -> None:
        """Load the model once to see what it takes. Workers load it for themselves."""
        from tonearm_plugins.formats.onnx import open_session, shape_of

        session = open_session(Path(self.options.model), self.options.providers, 1)
        self._size(shape_of(session, self.options.dialect).frames)

    def apply(self, signal: MelSpectrogram, context: Context) -> Waveform:
        """Return the waveform."""
        import numpy as np

        from tonearm_plugins.formats.onnx import open_session, shape_of, synthesise

        options, recipe = self.options, signal.dialect
        if reason := self._mismatch(recipe):
            raise ItemError(reason, code="dialect-mismatch", remedies=self._remedies())
        if context.threads not in self._sessions:
            self._sessions[context.threads] = open_session(Path(options.model), options.providers, context.threads)
        session = self._sessions[context.threads]
        shape = shape_of(session, options.dialect)
        channels = [
            synthesise(
                session,
                shape,
                channel,
                hop_length=recipe.hop_length,
                size=self._size(shape.frames),
                overlap=options.overlap_frames,
                on_progress=functools.partial(_report, context, number, signal.values.shape),
            )
            for number, channel in enumerate(signal.values)
        ]
        samples = np.stack(channels)
        if signal.length is not None:
            samples = samples[:, : signal.length]
        return Waveform(samples=samples, sample_rate=recipe.sample_rate)

    def produces(self, spec: Spec) -> Spec:
        """Return a waveform at the recipe's rate, whose length the model decides."""
        given = spec.carried.get(MelDialect)
        if isinstance(given, MelDialect) and (reason := self._mismatch(given)):
            raise OptionError(reason, option="dialect", code="dialect-mismatch", remedies=self._remedies())
        known = spec.replace(signals=(Waveform,), sample_rate=self.options.dialect.sample_rate, length=None)
        return known.dropping(StftGrid, MelDialect)

    def _mismatch(self, given: MelDialect) -> str:
        """Return how a signal's recipe differs from the model's, or an empty text if it does not."""
        wanted = self.options.dialect
        differences = wanted.differences(given)
        if not differences:
            return ""
        more = f" and {len(differences) - NAMED} more" if len(differences) > NAMED else ""
        return (
            f"the vocoder takes the recipe {wanted.label}, but the mel spectrogram is in {given.label}:"
            f" {', '.join(differences[:NAMED])}{more}"
        )

    def _remedies(self) -> tuple[Remedy, ...]:
        """Return the remedies for a mel spectrogram of another recipe."""
        wanted = self.options.dialect
        options = {"dialect": wanted.name} if wanted.name else {}
        return (
            InsertStep("wave-to-mel", options, first=("mel-to-wave",), when="to convert one recipe into the other"),
            Advice("check both recipes"),
        )

    def _size(self, frames: int | None) -> int:
        """Return the number of frames to give at once."""
        options = self.options
        if frames is None:
            return options.chunk_frames or max(1024, 4 * options.overlap_frames)
        if options.chunk_frames not in (None, frames) or frames <= 2 * options.overlap_frames:
            leave_out = () if options.chunk_frames is None else (RemoveOption("chunk_frames"),)
            raise ItemError(
                f"the model takes {frames} frames at once; chunk_frames {options.chunk_frames} with overlap_frames"
                f" {options.overlap_frames} does not fit",
                code="bad-model",
                remedies=(*leave_out, SetOption("overlap_frames", (frames - 1) // 2, when="or less")),
            )
        return frames
