"""``safetensors-writer``: the array of any signal with its description, as Hugging Face's safetensors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from tonearm.api import (
    ComplexSpectrogram,
    Context,
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
from tonearm_plugins.encoders.array_options import ArrayWriterOptions, array_of, check_dtype


@dataclass(frozen=True, kw_only=True)
class SafetensorsOptions(ArrayWriterOptions, TagOptions):
    """Options of ``safetensors-writer``."""

    key: Annotated[
        str | None,
        Meta(min_length=1, description="Name of the tensor; by default the kind of the signal, such as waveform."),
    ] = None


class SafetensorsWriter(TaggingEncoder[Signal, SafetensorsOptions]):
    """Write the array of any signal as a .safetensors file; rate, grid or recipe, and tags are in its metadata."""

    suffixes = (".safetensors",)
    requires = (Requirement(name="safetensors", hint="pip install 'tonearm[safetensors]'", at_least="0.7"),)

    def accepts(self, spec: Spec) -> None:
        """Refuse a type that cannot hold the values."""
        check_dtype(self.options, spec.signals)
        double = self.options.dtype is None and spec.precision == "double"
        if self.options.dtype == "complex128" or (double and spec.signals == (ComplexSpectrogram,)):
            raise _no_complex128()

    def clips(self) -> bool:
        """Return whether samples are rounded to integers."""
        return bool(self.options.dtype and self.options.dtype.startswith("int"))

    def write(self, signal: Signal, sink: Sink, tags: Mapping[str, str], context: Context) -> None:
        """Write the array and its description."""
        import json

        import numpy as np
        from safetensors import SafetensorError
        from safetensors.numpy import save_file

        from tonearm.api import described

        array = array_of(signal, self.options, context)
        if array.dtype == np.complex128:
            raise _no_complex128()
        about = {
            name: value if isinstance(value, str) else json.dumps(value) for name, value in described(signal).items()
        }
        try:
            save_file({self.options.key or signal.port: np.ascontiguousarray(array)}, sink.path, {**tags, **about})
        except SafetensorError as error:
            if "os error" not in str(error):
                raise
            raise OutputError(f"cannot write: {error}") from error


def _no_complex128() -> OptionError:
    return OptionError("safetensors has no complex128", option="dtype", remedies=(SetOption("dtype", "complex64"),))
