"""Vocoders in ONNX files: which axis of the input is which, and inference over chunks of frames."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tonearm.api import ChooseOption, ItemError, MelDialect, Requirement, SetOption
from tonearm_plugins.dsp.chunking import overlapping_chunks
from tonearm_plugins.formats.onnx_external_data import check_external_data

if TYPE_CHECKING:
    import numpy as np

ONNXRUNTIME = Requirement(name="onnxruntime", hint="pip install 'tonearm[vocoder]'")


@dataclass(frozen=True, kw_only=True)
class InputShape:
    """The shape in which a model takes a mel spectrogram.

    Parameters
    ----------
    name
        Name of the input.
    dtype
        Type of the input: ``float32`` or ``float16``.
    batched
        Whether the first axis is a batch.
    frames_first
        Whether frames come before bands.
    frames
        Number of frames that it takes at once; None for any number.
    """

    name: str
    dtype: str
    batched: bool
    frames_first: bool
    frames: int | None


def open_session(path: Path, providers: list[str], threads: int) -> Any:
    """Return an inference session.

    Raises
    ------
    ItemError
        If the file is no ONNX model or its weights are elsewhere, or a provider is not installed or does not start.
    """
    import onnxruntime

    available = onnxruntime.get_available_providers()
    missing = [provider for provider in providers if provider not in available]
    if missing:
        raise ItemError(
            f"the installed onnxruntime has no {', '.join(missing)}",
            code="no-provider",
            remedies=(ChooseOption("providers", tuple([provider] for provider in available)),),
        )
    check_external_data(path)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=providers)
    except Exception as error:  # its exceptions have no common base
        raise ItemError(f"{path} cannot be loaded: {_reason(error)}", code="bad-model") from error
    # One that is available may still not start, for want of a driver: then onnxruntime silently takes another.
    if idle := [provider for provider in providers if provider not in session.get_providers()]:
        raise ItemError(
            f"onnxruntime could not start {', '.join(idle)}",
            code="no-provider",
            remedies=(SetOption("providers", list(session.get_providers()), when="to do without it"),),
            hint="fix its driver",
        )
    return session


def shape_of(session: Any, recipe: MelDialect) -> InputShape:
    """Return the shape in which a model takes a mel spectrogram of a recipe.

    Raises
    ------
    ItemError
        If its input is no mel spectrogram.
    """
    inputs = session.get_inputs()
    if len(inputs) != 1:
        names = ", ".join(one.name for one in inputs)
        raise ItemError(f"the model takes {len(inputs)} inputs, not one: {names}", code="bad-model")
    (given,) = inputs
    dtype = {"tensor(float)": "float32", "tensor(float16)": "float16"}.get(given.type)
    axes = list(given.shape)[-2:]
    if dtype is None or len(given.shape) not in (2, 3):
        raise ItemError(f"the model takes {given.type} of shape {given.shape}, not a mel spectrogram", code="bad-model")
    sizes = [size if isinstance(size, int) else None for size in axes]
    fitting = [axis for axis, size in enumerate(sizes) if size == recipe.n_mels]
    if not fitting and None not in sizes:
        raise ItemError(
            f"the model takes shape {given.shape}, in which no axis has the {recipe.n_mels} bands of the recipe"
            f" {recipe.label}",
            code="dialect-mismatch",
            hint="give the recipe that the model was trained for",
        )
    # If both axes may have any size, or both fit, the order is that in which the model's family writes files.
    bands = fitting[0] if len(fitting) == 1 else (1 if recipe.layout == "frames-mels" else 0)
    if not fitting and sizes[bands] is not None:
        bands = 1 - bands
    return InputShape(
        name=given.name,
        dtype=dtype,
        batched=len(given.shape) == 3,
        frames_first=bands == 1,
        frames=sizes[1 - bands],
    )


def synthesise(
    session: Any,
    shape: InputShape,
    mel: np.ndarray[Any, Any],
    *,
    hop_length: int,
    size: int,
    overlap: int,
    on_progress: Callable[[float], None] | None = None,
) -> np.ndarray[Any, Any]:
    """Return the waveform of one channel, (samples,) float32.

    Parameters
    ----------
    session, shape
        The model.
    mel
        (mels, frames), in the model's own units.
    hop_length
        Samples of a frame.
    size
        Frames that the model takes at once.
    overlap
        Frames on each side of a chunk whose sound is dropped.
    on_progress
        Function called with the number of frames that are done, after each chunk.

    Raises
    ------
    ItemError
        If the model fails, does not give ``hop_length`` samples a frame, or gives too few to join chunks.
    """
    import numpy as np

    parts = []
    frames = mel.shape[1]
    for chunk in overlapping_chunks(frames, size, overlap):
        given = mel[:, chunk.first : chunk.last]
        if shape.frames is not None and given.shape[1] < shape.frames:
            given = np.pad(given, ((0, 0), (0, shape.frames - given.shape[1])), mode="edge")
        samples = _run(session, shape, given)
        surplus = samples.size - given.shape[1] * hop_length
        if abs(surplus) >= 2 * hop_length:
            raise ItemError(
                f"the model gives {samples.size} samples for {given.shape[1]} frames, but the recipe has"
                f" {hop_length} a frame",
                code="dialect-mismatch",
                hint="give the recipe that the model was trained for",
            )
        begin, end = ((edge - chunk.first) * hop_length for edge in (chunk.keep_from, chunk.keep_to))
        if chunk.keep_to < frames and end > samples.size:
            raise ItemError(
                f"the model gives {samples.size} samples for {given.shape[1]} frames: chunks leave gaps between them",
                code="bad-model",
                remedies=(SetOption("overlap_frames", 2, when="or more"),),
            )
        at_the_end = chunk.keep_to == frames and given.shape[1] == chunk.last - chunk.first
        parts.append(samples[begin:] if at_the_end else samples[begin:end])
        if on_progress:
            on_progress(chunk.keep_to)
    return np.concatenate(parts)


def _run(session: Any, shape: InputShape, mel: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return the waveform of one chunk."""
    import numpy as np

    given = np.ascontiguousarray(mel.T if shape.frames_first else mel, dtype=shape.dtype)
    try:
        (found, *_) = session.run(None, {shape.name: given[None] if shape.batched else given})
    except Exception as error:  # its exceptions have no common base
        raise ItemError(f"the model failed: {_reason(error)}", code="model-failed") from error
    found = np.asarray(found)
    if found.dtype.kind != "f" or found.size != max(found.shape, default=0):
        raise ItemError(f"the model gives {found.dtype} of shape {found.shape}, not one waveform", code="bad-model")
    return found.reshape(-1).astype(np.float32)


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"
