"""A decoder for the recordings of ACME's machines, as a third party writes it."""

from collections.abc import Iterator

import numpy as np

from tonearm.api import ArrayDecoder, ArrayOptions, Context, ItemError, Source, hookimpl


class AcmeReader(ArrayDecoder[ArrayOptions]):
    """Read an ACME recording: 'ACME', then 16-bit samples."""

    suffixes = (".acme",)
    reads = "content"

    def arrays(self, source: Source, context: Context) -> Iterator[tuple[str, np.ndarray]]:
        with source.open() as file:
            if file.read(4) != b"ACME":
                raise ItemError("it does not start with ACME", code="not-acme")
            yield "", np.frombuffer(file.read(), dtype="<i2")


@hookimpl
def tonearm_decoders():
    return {"acme-reader": AcmeReader}
