"""Functions that split and concatenate waveforms of a low rate, and make sounds with pauses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from transform_helpers import make

from tonearm.api import Context, Item, Waveform
from tonearm_plugins.transforms.concat import Concat
from tonearm_plugins.transforms.split import Split

RATE = 1000


def regrouped(plugin: type[Any], *arrays: Any, rate: int = RATE, keys: Any = None, **options: Any) -> list[Item[Any]]:
    def items() -> Iterator[Item[Waveform]]:
        for index, samples in enumerate(arrays):
            signal = Waveform(samples=samples, sample_rate=rate)
            yield Item(
                signal=signal, key=keys[index] if keys else "", index=index, tags={"title": f"t{index}", "a": "b"}
            )

    return list(make(plugin, **options).regroup(items(), Context()))


def pieces(*arrays: Any, rate: int = RATE, **options: Any) -> list[Any]:
    return [item.signal.samples for item in regrouped(Split, *arrays, rate=rate, **options)]


def whole(*arrays: Any, **options: Any) -> Any:
    (item,) = regrouped(Concat, *arrays, **options)
    return item.signal.samples


def sounds(*lengths: int, channels: int = 1) -> Any:
    """Return noise and silence in turn, in samples."""
    rng = np.random.default_rng(len(lengths))
    parts = [rng.uniform(0.5, 1, (channels, length)) * (1 - number % 2) for number, length in enumerate(lengths)]
    return np.concatenate(parts, axis=1)
