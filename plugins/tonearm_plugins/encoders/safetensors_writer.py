"""``safetensors-writer``: the array of any signal with its description, as Hugging Face's safetensors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from tonearm.api import (
    ComplexSpectrogram,
    Context,
    Item,
    Meta,
    OptionError,
    OutputError,
    Requirement,
    SetOption,
    Signal,
    Sink,
    Spec,
    TaggingEncoder,
    TagOptions,
)
from tonearm_plugins.encoders.array_options import ArrayWriterOptions, arrays_of, check_arrays, laid_item


@dataclass(frozen=True, kw_only=True)
class SafetensorsOptions(ArrayWriterOptions, TagOptions):
    """Options of ``safetensors-writer``."""

    key: Annotated[
        str | None,
        Meta(
            min_length=1,
            description="Name of the tensor; by default the kind of the signal, such as waveform. Names of levels of"
            " codec tokens end with .0, .1 and so on.",
        ),
    ] = None


class SafetensorsWriter(TaggingEncoder[Signal, SafetensorsOptions]):
    """Write the array of any signal as a .safetensors file; rate, grid or recipe, and tags are in its metadata."""

    suffixes = (".safetensors",)
    requires = (Requirement(name="safetensors", hint="pip install 'tonearm[safetensors]'", at_least="0.7"),)

    def accepts(self, spec: Spec) -> None:
        """Refuse a type or a layout that cannot hold the values."""
        check_arrays(self.options, spec)
        double = self.options.dtype is None and spec.precision == "double"
        if self.options.dtype == "complex128" or (double and spec.signals == (ComplexSpectrogram,)):
            raise _no_complex128()

    def clips(self) -> bool:
        """Return whether samples are rounded to integers."""
        return bool(self.options.dtype and self.options.dtype.startswith("int"))

    def encode(self, item: Item[Signal], sink: Sink, context: Context) -> None:
        """Write the arrays; tokens in the layout that the options name."""
        super().encode(laid_item(item, self.options.layout), sink, context)

    def write(self, signal: Signal, sink: Sink, tags: Mapping[str, str], context: Context) -> None:
        """Write the array, or one for each level of tokens, and the description."""
        import json

        import numpy as np
        from safetensors import SafetensorError
        from safetensors.numpy import save_file

        from tonearm.api import described

        arrays = arrays_of(signal, self.options, context)
        if any(array.dtype == np.complex128 for array in arrays):
            raise _no_complex128()
        key = self.options.key or signal.port
        names = [key] if len(arrays) == 1 else [f"{key}.{level}" for level in range(len(arrays))]
        tensors = {name: np.ascontiguousarray(array) for name, array in zip(names, arrays, strict=True)}
        about = {
            name: value if isinstance(value, str) else json.dumps(value) for name, value in described(signal).items()
        }
        try:
            save_file(tensors, sink.path, {**tags, **about})
        except SafetensorError as error:
            if "os error" not in str(error):
                raise
            raise OutputError(f"cannot write: {error}") from error


def _no_complex128() -> OptionError:
    return OptionError("safetensors has no complex128", option="dtype", remedies=(SetOption("dtype", "complex64"),))
