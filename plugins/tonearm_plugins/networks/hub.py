"""Folders of models: those that a path names, and those in the cache of the Hugging Face hub, by name."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tonearm.api import Advice, InstallExtra, ItemError, OptionError, RunCommand
from tonearm_plugins.networks.failures import as_item_error, failure_reason

CONFIG = "config.json"
"""Name of the file that says what a model is."""

PREPROCESSOR_CONFIG = "preprocessor_config.json"
"""Name of the file that says what sound a model was trained on."""

MAX_CONFIG_BYTES = 16 << 20
"""Largest size in bytes of a file that says what a model is."""

WEIGHTS = ("model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json")
"""Names of files of weights, in the order in which one is chosen: a single one, or the index of several parts."""

_NAME = re.compile(r"(?!.*\.\.)(?P<repository>[\w-][\w.-]*(/[\w-][\w.-]*)?)(@(?P<revision>[\w-][\w./-]*))?")
_CONFIGS = ["*.json"]


def find_folder(model: str) -> Path | None:
    """Return the folder of a model, without any look at the network; None if it is not on this machine.

    Parameters
    ----------
    model
        Path of a folder, or name of a model on the hub: ``owner/name``, or ``owner/name@revision``.
    """
    path = Path(model)
    if path.is_dir():
        return path
    return _cached(model) if _NAME.fullmatch(model) else None


def _cached(name: str) -> Path | None:
    """Return the folder in the hub's cache that holds the config of a model; None if there is none."""
    repository, revision = _split(name)
    folder = cache_folder() / f"models--{repository.replace('/', '--')}"
    revision = revision or "main"
    try:
        commit = (folder / "refs" / revision).read_text(encoding="utf-8").strip()
    except OSError:
        commit = revision  # a commit has no file of its own
    found = folder / "snapshots" / commit
    return found if commit and (found / CONFIG).is_file() else None


def _split(name: str) -> tuple[str, str | None]:
    """Return the repository and the revision that a name names."""
    repository, _, revision = name.partition("@")
    return repository, revision or None


def cache_folder() -> Path:
    """Return the folder of the hub's cache, by the variables that the hub's own library reads."""
    for variable in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        if folder := os.environ.get(variable):
            return Path(folder).expanduser()
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(os.environ.get("HF_HOME") or f"{base}/huggingface").expanduser() / "hub"


def missing_model(model: str) -> OptionError:
    """Return the error for a model that is not on this machine."""
    if not _NAME.fullmatch(model):
        return OptionError(f"there is no folder {model}", option="model", code="no-model")
    repository = _split(model)[0]
    command = RunCommand(
        ("tonearm", "run", "--download", "PIPELINE"), when="or convert --download, or download=True from Python"
    )
    return OptionError(
        f"there is no folder {model}, and the cache of the hub has no model {repository}",
        option="model",
        code="no-model",
        remedies=(command,),
    )


def download(model: str) -> Path:
    """Return the folder of a model; if this machine has not got it, it is downloaded from the hub first.

    Only its configs and its weights are: safetensors, or what PyTorch has saved where there are none.

    Raises
    ------
    ItemError
        If it cannot be downloaded.
    """
    found = find_folder(model)
    if found is not None and (Path(model).is_dir() or any(weight_files(found))):
        return found
    if not _NAME.fullmatch(model):
        raise as_item_error(missing_model(model))
    try:
        from huggingface_hub import snapshot_download
    except ImportError as error:
        raise ItemError(
            "the package huggingface_hub is not installed",
            code="missing-requirement",
            remedies=(InstallExtra("transformers"),),
        ) from error
    repository, revision = _split(model)
    try:
        for weights in ("*.safetensors", "pytorch_model*.bin"):
            folder = Path(snapshot_download(repository, revision=revision, allow_patterns=[*_CONFIGS, weights]))
            if any(weight_files(folder)):
                break
    except Exception as error:
        raise ItemError(
            f"{repository} cannot be downloaded: {failure_reason(error)}",
            code="not-downloaded",
            remedies=(Advice("check the name and the network, or download it elsewhere and name its folder"),),
        ) from error
    return folder


def weight_files(folder: Path) -> Iterator[Path]:
    """Yield the files of a model's weights: one, or an index with its parts; none if one of them is missing."""
    first = next((folder / name for name in WEIGHTS if (folder / name).is_file()), None)
    if first is None:
        return
    parts = [first]
    if first.suffix == ".json":
        names = read_json(first).get("weight_map")
        values = set(names.values()) if isinstance(names, Mapping) else set()
        inside = sorted(name for name in values if isinstance(name, str) and Path(name).name == name)
        parts += [folder / name for name in inside]
        if len(inside) < len(values):
            return  # a part outside the folder is none
    if len(parts) > 1 or first.suffix != ".json":
        yield from parts if all(part.is_file() for part in parts) else ()


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file.

    Raises
    ------
    OptionError
        If the file cannot be read, or holds anything else.
    """
    import json

    if not path.exists():
        raise _bad(
            path.parent, f"there is no {path.name} in it", "name the folder that save_pretrained wrote, or a file .onnx"
        )
    if not path.is_file():
        raise _bad(path, "it is no regular file")  # a pipe would be waited for
    try:
        with path.open("rb") as file:
            content = file.read(MAX_CONFIG_BYTES + 1)
        found = json.loads(content) if len(content) <= MAX_CONFIG_BYTES else None
    except OSError as error:
        raise _bad(path, error.strerror or "it cannot be read") from error
    except (ValueError, RecursionError) as error:
        raise _bad(path, "it is not JSON") from error
    if not isinstance(found, dict):
        raise _bad(path, "it is no JSON object")
    return found


def _bad(path: Path, reason: str, advice: str = "") -> OptionError:
    return OptionError(
        f"{path} is no {'folder' if advice else 'config'} of a model: {reason}",
        option="model",
        code="bad-model",
        remedies=(Advice(advice or "download the model again, or save it by save_pretrained"),),
    )
