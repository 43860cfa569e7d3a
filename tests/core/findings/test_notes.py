"""Notes: axes of length 1, names of axes, and the smoothest axis."""

from __future__ import annotations

import numpy as np
import pytest
from real_arrays import notes_of

from tonearm.findings.notes import Finding

RNG = np.random.default_rng(3)


@pytest.mark.parametrize(
    ("shape", "kept"), [((1, 5, 1, 7), [5, 7]), ((1, 1), [1]), ((4,), [4]), ((2, 3, 4), [2, 3, 4])]
)
def test_axes_of_length_1_do_not_count(shape: tuple[int, ...], kept: list[int]) -> None:
    assert notes_of(np.ones(shape)).shape == kept


@pytest.mark.parametrize(
    ("shape", "main", "extra", "names"),
    [
        ((80, 300), 0, {}, ["mel", "frame"]),
        ((300, 80), 1, {}, ["frame", "mel"]),
        ((3, 80, 300), 1, {}, ["?", "mel", "frame"]),
        ((80, 300, 3), 0, {}, ["mel", "frame", "?"]),
        ((300, 80, 2), 1, {}, ["frame", "mel", "?"]),  # two is no number of frames
        ((3, 2, 80, 300), 2, {}, ["batch", "channel", "mel", "frame"]),
        ((80, 300, 2), 0, {2: "complex"}, ["mel", "frame", "complex"]),
        ((80, 1), 0, {}, ["mel", "frame"]),  # a single frame
        ((80,), 0, {}, ["mel"]),
    ],
)
def test_frames_are_beside_the_known_axis(
    shape: tuple[int, ...], main: int, extra: dict[int, str], names: list[str]
) -> None:
    assert notes_of(np.ones(shape)).axis_names(main, "mel", extra) == names


def test_the_smoothest_axis_wins_and_of_two_alike_the_last() -> None:
    steps = np.cumsum(RNG.normal(size=(50, 60)), axis=0)  # neighbours along the first axis are close
    assert notes_of(steps).smoothest([0, 1]) == 0
    assert notes_of(steps.T).smoothest([0, 1]) == 1
    assert notes_of(np.ones((50, 60))).smoothest([0, 1]) == 1


def test_axes_are_counted_without_those_of_length_1() -> None:
    steps = np.cumsum(RNG.normal(size=(50, 60)), axis=0)[None, :, None]
    notes = notes_of(steps)
    assert notes.correlation(0) > notes.correlation(1)
    assert notes.roughness(0) < notes.roughness(1)
    assert notes.real_ends(0) == (False, False)


def test_findings_come_in_their_order() -> None:
    notes = notes_of(np.ones(3))
    notes.add("kind", "waveform", "likely", "because")
    notes.add("axes", "[time]", "possible", "")
    assert notes.findings[0] == Finding("kind", "waveform", "likely", "because")
    assert [finding.what for finding in notes.findings] == ["kind", "axes"]


def test_uncorrelated_rows_of_long_waveforms_resemble_a_batch_and_bands_do_not() -> None:
    noise = RNG.normal(size=(80, 5000))
    assert notes_of(noise).resembles_batch(0)
    assert not notes_of(noise).resembles_batch(1)  # the other axis is short
    assert not notes_of(np.cumsum(noise, 0)).resembles_batch(0)  # neighbours are alike, as bands are
    assert not notes_of(noise[:, :3000]).resembles_batch(0)  # too short for waveforms
    assert not notes_of(np.abs(noise)).resembles_batch(0)  # not centred on 0
