"""What `check` says of networks that compute several channels or items at once."""

from __future__ import annotations

from collections.abc import Iterator

from tonearm.api import OptionError, SetOption


def batch_warnings(batch: int) -> Iterator[OptionError]:
    """Yield the warning of a batch of more than one: libraries sum in another order then."""
    if batch > 1:
        yield OptionError(
            f"with batch: {batch}, the bytes of an output may depend on what else is in its batch",
            option="batch",
            code="batched",
            remedies=(SetOption("batch", 1, when="for the same bytes every time"),),
        )
