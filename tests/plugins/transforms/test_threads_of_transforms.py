"""Transforms of waveforms hand on the threads of their context, and give the same bits with any number of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from transform_helpers import make

from tonearm.api import Context, Waveform
from tonearm.plugins.registry import default
from tonearm_plugins.dsp import shared_work, threads
from tonearm_plugins.dsp.engines.native import loudness_kernel, true_peak_kernel

CASES: list[tuple[str, dict[str, Any]]] = [
    ("filter", {"high_pass_hz": 80.0}),
    ("filter", {"low_pass_hz": 3000.0, "zero_phase": True}),
    ("resample", {"sample_rate": 24000}),
    ("loudness", {"true_peak_db": -3.0}),
]


@pytest.mark.parametrize(("name", "options"), CASES)
def test_threads_are_used_and_change_no_bit(
    name: str, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted_threads = []

    def share_out(work: Any, count: int, number: int, **keywords: Any) -> None:
        wanted_threads.append(number)
        threads.share_out(work, count, number, **keywords)

    for module in (shared_work, loudness_kernel, true_peak_kernel):
        monkeypatch.setattr(module, "share_out", share_out)
    samples = (np.random.default_rng(0).standard_normal((2, 150_000)) * 0.3).astype("f4")
    plugin = default().find("transform", name).resolve()
    found = [
        make(plugin, **options).apply(Waveform(samples=samples, sample_rate=48000), Context(threads=number))
        for number in (1, 3)
    ]
    np.testing.assert_array_equal(found[0].samples, found[1].samples)
    assert 3 in wanted_threads
