"""``torch-reader``: tensors in files of `torch.save`."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from tonearm.api import Context, KeyedArrayDecoder, KeyedArrayOptions, LazyArrays, Nearby, Source
from tonearm_plugins.formats.pytorch import TORCH

if TYPE_CHECKING:
    from tonearm_plugins.dsp.typing import Array


class TorchReader(KeyedArrayDecoder[KeyedArrayOptions]):
    """Read a .pt or .pth file of tensors, alone or in dicts and lists; no code in it is run."""

    suffixes = (".pt", ".pth")
    reads = "content"
    requires = (TORCH,)

    @contextlib.contextmanager
    def open_arrays(self, source: Source, context: Context) -> Iterator[Mapping[str, Array]]:
        """Open the file as a mapping; the name of a tensor in dicts is made of their keys, as in state.mel."""
        from tonearm_plugins.decoders.contained import with_sounds
        from tonearm_plugins.formats import pytorch

        with source.open() as file:
            mapped = pytorch.is_mapped(file)
            found = pytorch.read_contents(file, source.name)
            arrays = LazyArrays(
                found.tensors,
                lambda key: pytorch.to_array(found.tensors[key], key, mapped=mapped),
                Nearby(found.numbers),
            )
            yield with_sounds(arrays, source.name, self.options, context)
