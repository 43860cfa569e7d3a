"""Signals cut into blocks: what a transform at work gives for them, and the sizes that tests try."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tonearm.api import Context, ItemError, Spec
from tonearm.plugins.blocks import array_of
from tonearm.plugins.ports import spec_of

SIZES = st.lists(
    st.sampled_from([0, 1, 1, 2, 3, 7, 8, 15, 16, 17, 40, 100, 255, 257, 700, 3000]), min_size=1, max_size=30
)
"""Sizes of blocks; they repeat until the signal ends."""


def cut(values: Any, sizes: Iterable[int]) -> Iterator[Any]:
    """Yield blocks of these sizes, again and again, until all values have come."""
    sizes = [*sizes, 1] if not any(sizes) else [*sizes]
    at, turn = 0, 0
    while at < values.shape[-1]:
        size = sizes[turn % len(sizes)]
        yield values[..., at : at + size]
        at, turn = at + size, turn + 1


def spec_in_a_stream(signal: Any, *, length: int | None = None) -> Spec:
    """Return what is known of a signal while it comes."""
    return spec_of(signal).replace(length=length)


def streamed(
    transform: Any, signal: Any, sizes: Iterable[int], *, length: int | None = None, context: Context | None = None
) -> Any:
    """Return what a transform gives for a signal in blocks, whose memory is used again after each call."""
    context = context or Context()
    transform.check_blocks(spec_in_a_stream(signal))
    started = transform.start(spec_in_a_stream(signal, length=length), context)
    parts = []
    for block in cut(array_of(signal), sizes):
        lent = block.copy(order="K")
        made = started.push(lent)
        parts.append(made.copy())
        lent[:] = np.nan
    if (rest := started.finish()) is not None:
        parts.append(rest)
    return np.concatenate(parts, axis=-1)


def assert_same_bits(found: Any, expected: Any) -> None:
    """Assert that two arrays are the same, down to the sign of zero."""
    assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
    assert found.tobytes() == expected.tobytes()


def assert_blocks_give_the_whole(transform: Any, signal: Any, sizes: Iterable[int]) -> None:
    """Assert that a transform gives for a signal in blocks the bits, or the error, that it gives for the whole."""
    found = _outcome(lambda: streamed(transform, signal, sizes))
    expected = _outcome(lambda: array_of(transform.apply(signal, Context())))
    assert type(found) is type(expected), (found, expected)
    if isinstance(expected, ItemError):
        assert (str(found), found.code, found.remedies) == (str(expected), "too-short", expected.remedies)
    else:
        assert_same_bits(found, expected)


def _outcome(call: Callable[[], Any]) -> Any:
    """Return what a call returns, or the error of the item."""
    try:
        return call()
    except ItemError as error:
        return error


def growth_in_a_long_stream(name: str, options: str, sample_rate: int) -> tuple[int, int]:
    """Return by how many bytes a process grows over 20 minutes of sound, in blocks of a second, and the frames.

    Parameters
    ----------
    name
        Name of a transform of waveforms.
    options
        Its options, as the arguments of a Python call.
    sample_rate
        Sample rate in Hz.
    """
    script = LONG_STREAM.format(name=name, options=options, rate=sample_rate)
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    grown, frames = run.stdout.split()
    return int(grown), int(frames)


LONG_STREAM = """
import numpy as np
from tonearm.api import Context, MelDialect, Spec, Waveform
from tonearm.plugins.ports import ports_of
from tonearm.plugins.registry import default

cls = default().find("transform", "{name}").resolve()
find = default().catalogue(MelDialect).find
transform = cls(ports_of(cls).options({options}))
spec = Spec(signals=(Waveform,), sample_rate={rate}, channels=1, precision="single")
started = transform.start(spec, Context())


def resident():
    with open("/proc/self/status") as status:
        return int(next(line for line in status if line.startswith("VmRSS")).split()[1]) << 10


block = np.random.default_rng(0).uniform(-0.5, 0.5, (1, {rate})).astype("f4")
frames = base = most = 0
for second in range(1200):
    frames += started.push(block).shape[-1]
    if second == 20:
        base = resident()
    most = max(most, resident())
frames += started.finish().shape[-1]
print(most - base, frames)
"""
