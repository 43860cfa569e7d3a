"""``torch-reader``: tensors as `torch.save` writes them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from tonearm.api import Context, KeyedArrayDecoder, KeyedArrayOptions, Source
from tonearm_plugins.formats.lazy_arrays import LazyArrays
from tonearm_plugins.formats.pytorch import TORCH

if TYPE_CHECKING:
    import numpy as np


class TorchReader(KeyedArrayDecoder[KeyedArrayOptions]):
    """Read a .pt or .pth file of tensors, alone or in dicts and lists; weights only, nothing in it is run."""

    suffixes = (".pt", ".pth")
    requires = (TORCH,)

    @contextlib.contextmanager
    def open_arrays(self, source: Source, context: Context) -> Iterator[Mapping[str, np.ndarray[Any, Any]]]:
        """Open the file; a tensor within dicts and lists is called by the keys that lead to it, as in state.mel."""
        from tonearm_plugins.formats import pytorch

        with source.open() as file:
            found = pytorch.load(file, source.name)
            yield LazyArrays(found, lambda key: pytorch.to_array(found[key], key))
