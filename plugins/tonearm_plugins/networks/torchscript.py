"""Programs of TorchScript: told from files of tensors, loaded, and called with tokens, latents or mel spectrograms."""

from __future__ import annotations

import contextlib
import stat
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from tonearm.api import Advice, CodecTokens, ItemError, Latents, MelSpectrogram, OptionError, SetOption
from tonearm_plugins.networks.failures import failure_reason
from tonearm_plugins.networks.torch_device import DeviceName, choose_device

if TYPE_CHECKING:
    from tonearm_plugins.dsp.typing import Array

ArgumentAxis: TypeAlias = Literal["batch", "book", "band", "frame"]
"""Name of an axis of an argument. ``book`` is that of tokens, ``band`` that of latents and mel spectrograms."""


def check_program(model: str) -> None:
    """Raise `OptionError` if a file is no program of TorchScript. Its program is not looked at."""
    import zipfile

    path = Path(model)
    names: list[str] = []
    reason = "it is no zip archive, as torch.jit.save writes"
    try:
        if stat.S_ISREG(path.stat().st_mode):
            with zipfile.ZipFile(path) as archive:
                names = archive.namelist()
                reason = "it holds tensors or a state_dict, and no program"
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError):
        pass
    if not any("/code/" in name for name in names):
        raise OptionError(
            f"the model {model} is no program of TorchScript: {reason}",
            option="model",
            code="bad-model",
            remedies=(Advice("save it by torch.jit.save, of torch.jit.script or torch.jit.trace"),),
        )


def load_program(model: str, device: DeviceName) -> Any:
    """Return a program on a device. This runs code of whoever wrote the file.

    Raises
    ------
    ItemError
        If PyTorch cannot load it.
    """
    import torch

    target = choose_device(device)
    try:
        with _deprecated():
            program = torch.jit.load(model, map_location=target)
    except Exception as error:
        raise ItemError(
            f"the model {model} cannot be loaded: {failure_reason(error, line=-1)}",
            code="bad-model",
            remedies=(Advice("save it again by the version of PyTorch that is installed"),),
        ) from error
    return program.eval()


@contextlib.contextmanager
def _deprecated() -> Iterator[None]:
    """Let PyTorch give no warning that TorchScript is deprecated: whoever has such a file knows what it is."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r".*torch\.jit", DeprecationWarning)
        yield


@contextlib.contextmanager
def _unoptimized() -> Iterator[None]:
    """Run programs as they are, so that a second call computes what the first one does."""
    import torch.jit as jit

    with jit.optimized_execution(should_optimize=False):  # type: ignore[attr-defined, unused-ignore]
        yield


def arguments_of(
    signal: CodecTokens | Latents | MelSpectrogram,
    channels: slice,
    *,
    levels: Literal["together", "apart", "list"],
    axes: Sequence[ArgumentAxis],
    dtype: str,
    device: Any,
) -> list[Any]:
    """Return the arguments of a program for some channels of a signal, each of which is one element of its batch.

    Parameters
    ----------
    signal
        Signal.
    channels
        Channels.
    levels
        Whether all books are one argument, each book or level is one, or they are one argument that is a list.
    axes
        Axes of the argument, or of each level; there, one of books is none.
    dtype
        Type of the numbers.
    device
        Device of PyTorch.
    """
    import torch

    parts: Sequence[Array]
    order: tuple[str, ...]
    if not isinstance(signal, CodecTokens):
        parts, order = [signal.values[channels]], ("batch", "band", "frame")
    elif levels == "together":
        parts, order = [signal.block_array()[channels]], ("batch", "book", "frame")
    else:
        parts, order = [level[channels] for level in signal.levels], ("batch", "frame")
    made = [_laid(torch.tensor(part, dtype=getattr(torch, dtype), device=device), order, axes) for part in parts]
    return [made] if levels == "list" and isinstance(signal, CodecTokens) else made


def _laid(part: Any, order: Sequence[str], axes: Sequence[ArgumentAxis]) -> Any:
    """Return a tensor with its axes in the program's order; those that the program has not got have size 1."""
    for index, axis in reversed(list(enumerate(order))):
        if axis in axes:
            continue
        if part.shape[index] != 1:
            raise ItemError(
                f"the axes {', '.join(axes)} have no {axis}, but there are {part.shape[index]}",
                code="model-mismatch",
                remedies=(SetOption("axes", list(order)),),
            )
        part = part.squeeze(index)
    left = [axis for axis in order if axis in axes]
    return part.permute([left.index(axis) for axis in axes if axis in left])


def call_program(program: Any, method: str, arguments: Sequence[Any]) -> Array:
    """Return the sound that a program makes: (channels, samples).

    Raises
    ------
    ItemError
        If it has no such method, fails, or gives no sound.
    """
    import torch

    called = getattr(program, method, None)
    if called is None:
        raise ItemError(
            f"the model has no method {method}", code="bad-model", remedies=(Advice("give the name of another method"),)
        )
    try:
        with _unoptimized():  # so that a second call computes what the first one does
            made = called(*arguments)
    except Exception as error:
        shapes = ", ".join(_shape(argument) for argument in arguments)
        raise ItemError(
            f"the model failed on {method}({shapes}): {failure_reason(error, line=-1)}",
            code="model-failed",
            remedies=(Advice("check axes, levels and dtype against what the program takes"),),
        ) from error
    while isinstance(made, (tuple, list)) and made:
        made = made[0]
    if not isinstance(made, torch.Tensor) or not made.dim() or not made.is_floating_point():
        raise ItemError(
            f"the model gives {type(made).__name__} that is no sound",
            code="bad-model",
            remedies=(Advice("give the name of another method, or export the decoder alone"),),
        )
    rows: Array = made.reshape(-1, made.shape[-1]).float().cpu().numpy()
    return rows


def _shape(argument: Any) -> str:
    if isinstance(argument, list):
        return f"[{', '.join(map(_shape, argument))}]"
    return f"{str(argument.dtype).removeprefix('torch.')} {tuple(argument.shape)}"
