"""The progress of parts: shares of the whole that follow one another."""

from __future__ import annotations

from tonearm_plugins.dsp.progress import frames_of, share_of


def test_parts_follow_one_another_up_to_the_whole() -> None:
    reported: list[tuple[float, float]] = []
    for part in range(3):
        report = share_of(lambda *amounts: reported.append(amounts), part, 3)
        assert report is not None
        report(50, 100)
        report(7, 7)
    assert reported == [(0.5, 3), (1, 3), (1.5, 3), (2, 3), (2.5, 3), (3, 3)]


def test_parts_have_parts() -> None:
    reported: list[tuple[float, float]] = []
    second_half = share_of(lambda *amounts: reported.append(amounts), 1, 2)
    first_quarter = share_of(second_half, 0, 4)
    assert first_quarter is not None
    first_quarter(1, 1)
    assert reported == [(1.25, 2)]


def test_where_nobody_asks_no_part_reports() -> None:
    assert share_of(None, 0, 2) is None
    assert frames_of(None, 0, (2, 513, 9)) is None


def test_frames_are_counted_over_all_channels() -> None:
    reported: list[tuple[float, float]] = []
    second = frames_of(lambda *amounts: reported.append(amounts), 1, (2, 513, 100))
    assert second is not None
    second(30)
    assert reported == [(130, 200)]
