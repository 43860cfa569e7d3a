"""Frames of streams without a container: where the last whole one ends, and what follows it."""

from __future__ import annotations

import io

import pytest

from tonearm_plugins.formats import frame_runs

ADTS = bytes.fromhex("fff15080") + bytes([100 >> 3, (100 & 7) << 5 | 0x1F, 0xFC]) + bytes(93)
AC3 = bytes.fromhex("0b77000014400000") + bytes(760)  # 192 kbit/s at 48 kHz
EAC3 = bytes.fromhex("0b77003f00800000") + bytes(120)
DTS = b"\x7f\xfe\x80\x01\xfc\x3c" + (499 << 4).to_bytes(2, "big") + bytes(492)
WAVPACK = b"wvpk" + (92).to_bytes(4, "little") + bytes(92)
FRAMES = {
    "aac": ADTS,
    "ac3": AC3,
    "dts": DTS,
    "eac3": EAC3,
    "gsm": b"\xd3" + bytes(32),
    "loas": b"\x56\xe0\x20" + bytes(32),
    "mlp": b"\xf0\x20" + bytes(62),
    "mpegts": b"\x47" + bytes(187),
    "truehd": b"\x30\x20" + bytes(62),
    "wv": WAVPACK,
}
ID3V1 = b"TAG" + bytes(125)
APE = b"APETAGEX" + (2000).to_bytes(4, "little") + (32).to_bytes(4, "little") + bytes(16)


@pytest.mark.parametrize("demuxer", FRAMES)
def test_the_end_of_the_last_whole_frame(demuxer: str) -> None:
    frame = FRAMES[demuxer]

    def end(data: bytes) -> tuple[int, bool]:
        return frame_runs.end_of_frames(io.BytesIO(data), demuxer, len(data))

    assert end(b"") == (0, False)
    assert end(5 * frame) == (5 * len(frame), False)
    assert end((5 * frame)[:-9]) == (4 * len(frame), True)
    assert end(5 * frame + bytes(500)) == (5 * len(frame), False)
    if demuxer not in ("mlp", "truehd", "gsm"):  # of which frames cannot be found again
        damaged = 3 * frame + bytes(70) + 4 * frame
        assert end(damaged) == (len(damaged), False)


def test_packets_of_192_bytes_and_other_formats() -> None:
    packets = 4 * (bytes(4) + b"\x47" + bytes(187))
    assert frame_runs.end_of_frames(io.BytesIO(packets[:-1]), "mpegts", 767) == (576, True)
    assert frame_runs.end_of_frames(io.BytesIO(AC3[:50]), "mov", 50) == (50, False)


@pytest.mark.parametrize(
    ("behind", "kept", "warning"),
    [
        (b"", 0, ""),
        (bytes(700), 0, "700 bytes behind the last frame are none, and are skipped"),
        (ID3V1, 0, ""),
        (APE, 32, ""),
        (APE + ID3V1, 32, ""),
        (WAVPACK[:-1], 99, "the last frame is not whole: the file may be cut short"),
    ],
)
def test_what_follows_the_frames_is_left_out_but_for_the_tag_of_wavpack(behind: bytes, kept: int, warning: str) -> None:
    data = 3 * WAVPACK + behind
    file, warnings = frame_runs.frames_alone(io.BytesIO(data), "wv", len(data))
    file.seek(0)
    assert file.read() == (3 * WAVPACK + behind[:kept] if kept != 99 else data)
    assert warnings == ([warning] if warning else [])


def test_frames_are_counted_for_some_seconds_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frame_runs, "MOST_FRAMES", 3)
    data = 5 * AC3 + bytes(9)
    assert frame_runs.end_of_frames(io.BytesIO(data), "ac3", len(data)) == (len(data), False)
