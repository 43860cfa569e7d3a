"""Started processors: what they are given, and when their progress is that of the whole."""

from __future__ import annotations

from typing import Any

import numpy as np

from tonearm.api import Context
from tonearm_plugins.transforms.started import Started


class Late:
    """A processor that is two samples late."""

    def __init__(self) -> None:
        self.kept = np.zeros((1, 0))
        self.reports: list[Any] = []

    def push(self, samples: Any, *, is_last: bool = False, on_progress: Any = None) -> Any:
        self.reports.append(on_progress)
        given = np.concatenate((self.kept, samples), axis=1)
        end = given.shape[1] if is_last else max(0, given.shape[1] - 2)
        self.kept = given[:, end:]
        return given[:, :end]


def test_all_of_a_stream_comes_out_and_the_end_is_told_once() -> None:
    ended: list[int] = []
    late = Late()
    started = Started(late, Context(), lambda: ended.append(1))
    parts = [started.push(np.full((1, 3), number)) for number in range(3)]
    assert not ended
    rest = started.finish()
    assert rest is not None
    assert np.concatenate([*parts, rest], axis=1).tolist() == [[0, 0, 0, 1, 1, 1, 2, 2, 2]]
    assert ended == [1]
    assert late.reports == [None] * 4


def test_of_nothing_nothing_is_left() -> None:
    ended: list[int] = []
    assert Started(Late(), Context(), lambda: ended.append(1)).finish() is None
    assert not ended


def test_a_whole_signal_reports_its_progress_and_the_end_of_a_stream_does_not() -> None:
    whole, last = Late(), Late()
    context = Context()
    assert Started(whole, context).push_last(np.ones((1, 3))).shape == (1, 3)
    assert whole.reports == [context.progress]
    started = Started(last, context)
    started.push(np.ones((1, 3)))
    assert started.push_last(np.ones((1, 1))).shape == (1, 3)
    assert last.reports == [None, None]
