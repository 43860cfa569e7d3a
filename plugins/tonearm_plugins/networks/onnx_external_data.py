"""Files beside an ONNX model in which its weights lie, checked before onnxruntime opens whatever has their names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path


def misplaced(path: str | Path, locations: Sequence[str]) -> Iterator[tuple[str, bool]]:
    """Yield the files of a model's external data that are not in or below the model's folder, or are no regular files.

    Parameters
    ----------
    path
        Path of the model.
    locations
        Files of external data, as the model's header names them.

    Yields
    ------
    tuple
        Name of the file, and whether it would be inside the folder.
    """
    model = Path(path)
    folders = (
        model.parent.resolve(),
        model.resolve().parent,
    )  # caches link a model and its weights from another folder
    for location in locations:
        is_inside = is_file = False
        try:
            target = (model.parent / location).resolve()
            is_inside = any(target.is_relative_to(folder) for folder in folders)
            is_file = is_inside and target.is_file()
        except (OSError, ValueError, RuntimeError):
            pass
        if not is_file:
            yield location, is_inside
