"""Sessions of onnxruntime: each process loads a model once, however many pipelines and threads work with it."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from tonearm.api import ChooseOption, ItemError, Requirement, SetOption, quoted
from tonearm_plugins.networks.onnx_external_data import misplaced
from tonearm_plugins.networks.onnx_header import read_header
from tonearm_plugins.networks.options import Device

if TYPE_CHECKING:
    from numpy.typing import NDArray

ONNXRUNTIME = Requirement(name="onnxruntime", hint="pip install 'tonearm[onnx]'")

PROVIDERS: Mapping[str, tuple[str, ...]] = {
    "cpu": ("CPUExecutionProvider",),
    "cuda": ("CUDAExecutionProvider", "ROCMExecutionProvider"),
    "mps": ("CoreMLExecutionProvider",),
}
"""Execution providers of onnxruntime that run on a device, the first one that is installed being taken."""

# TensorFloat-32 keeps ten bits of each factor, which is heard.
_SETTINGS: Mapping[str, Mapping[str, str]] = {"CUDAExecutionProvider": {"use_tf32": "0"}}


class OnnxModel:
    """A model that onnxruntime has loaded.

    Parameters
    ----------
    session
        Inference session.

    Attributes
    ----------
    measured
        What has been measured of the model, such as its receptive field, by the question.
    """

    def __init__(self, session: Any) -> None:
        self._session = session
        self.measured: dict[Any, Any] = {}

    def run(self, feeds: Mapping[str, NDArray[Any]], outputs: Sequence[str]) -> list[NDArray[Any]]:
        """Return the outputs of some names for the arrays of all inputs.

        Raises
        ------
        ItemError
            ``model-failed``, with the first line of what onnxruntime says.
        """
        try:
            found: list[NDArray[Any]] = self._session.run(list(outputs), dict(feeds))
        except Exception as error:  # its exceptions have no common base
            raise ItemError(
                f"the model failed: {_reason(error)}",
                code="model-failed",
                hint="check what its inputs are given; very short signals are more than some models can take",
            ) from error
        return found


_loaded: WeakValueDictionary[tuple[Any, ...], OnnxModel] = WeakValueDictionary()
_failures: dict[tuple[Any, ...], ItemError] = {}
# Models of the parent of a forked child. To drop one would wait for threads, which do not survive a fork.
_inherited: list[OnnxModel] = []
_lock = threading.Lock()


def load_model(path: Path, device: Device = "auto", threads: int = 1) -> OnnxModel:
    """Return a model, which is loaded if this process does not have it yet.

    A model stays loaded as long as anyone holds what this returns.

    Parameters
    ----------
    path
        ONNX file.
    device
        Device.
    threads
        Threads of one call of the model.

    Raises
    ------
    ItemError
        If the file is no ONNX model or its weights are elsewhere, or the device is not available.
    """
    try:
        state = path.stat()
    except OSError as error:
        raise ItemError(f"{path} cannot be read: {error.strerror}", code="bad-model") from error
    key = (state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns, str(path.absolute()), device, threads)
    with _lock:
        model = _loaded.get(key)
        if model is None and (failure := _failures.get(key)):
            raise ItemError(failure.message, code=failure.code, remedies=failure.remedies)
        if model is None:
            try:
                model = _loaded[key] = OnnxModel(_session(path, device, threads))
            except ItemError as error:
                _failures[key] = error  # of every item, at once
                raise
    return model


def providers_of(device: Device) -> list[str]:
    """Return the execution providers for a device, the CPU last for what the device cannot do.

    Raises
    ------
    ItemError
        ``no-device``, if the installed onnxruntime cannot use the device.
    """
    import onnxruntime

    available = onnxruntime.get_available_providers()
    found = [name for name in PROVIDERS["cuda" if device == "auto" else device] if name in available][:1]
    if not found and device != "auto":
        usable = tuple(one for one, names in PROVIDERS.items() if set(names) & set(available))
        raise ItemError(
            f"the installed onnxruntime has no {' nor '.join(PROVIDERS[device])}, which device {device} needs",
            code="no-device",
            remedies=(ChooseOption("device", ("auto", *usable)),),
        )
    return list(dict.fromkeys((*found, *PROVIDERS["cpu"])))


def _session(path: Path, device: Device, threads: int) -> Any:
    """Return a new inference session."""
    import onnxruntime

    wanted = providers_of(device)
    for location, _ in misplaced(path, read_header(path).external):  # it may have changed since it was checked
        raise ItemError(
            f"{path} has its weights in {quoted(location)}, which is no regular file in the model's folder",
            code="bad-model",
            hint="put the file of the weights beside the model, or save the model as one file",
        )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    # Threads that wait for the next call would take the time of other work.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    providers = [(name, dict(_SETTINGS[name])) if name in _SETTINGS else name for name in wanted]
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=providers)
    except Exception as error:  # its exceptions have no common base
        raise ItemError(
            f"{path} cannot be loaded: {_reason(error)}",
            code="bad-model",
            hint="export or download the model again, or install a newer onnxruntime",
        ) from error
    # One that is installed may still not start, for want of a driver: then onnxruntime silently takes another.
    if device != "auto" and wanted[0] not in session.get_providers():
        raise ItemError(
            f"onnxruntime could not start {wanted[0]}",
            code="no-device",
            remedies=(SetOption("device", "cpu", when="to do without it"),),
            hint="fix its driver",
        )
    return session


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"


def _leave_to_the_parent() -> None:
    """Forget, in a forked child, what its parent has loaded."""
    global _lock
    _lock = threading.Lock()
    _inherited.extend(_loaded.values())
    _loaded.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_to_the_parent)
