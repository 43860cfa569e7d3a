"""A third party's encoder on the toolkit of tonearm.api, and its decoder: tags, dither, limits, false files."""

import hashlib
import json
import struct
import zlib
from pathlib import Path
from typing import Any

import mutagen
import numpy as np
import pytest
from installed_packages import tonearm

pytestmark = pytest.mark.slow

RATE = 16000
OPTIONS = "{kind: waveform, axes: [channel, time], sample_rate: 16000}"


def pipeline(folder: Path, *options: str) -> Path:
    """Write a pipeline from waveforms of NumPy to tapes, one for each text of options."""
    path = folder / "tapes.yaml"
    outputs = [
        f'- {{use: tape-writer, file: "{{stem}}{number or ""}.tape", with: {text}}}\n'
        for number, text in enumerate(options or ("{}",))
    ]
    reader = f'{{use: npy-reader, files: "*.npy", with: {OPTIONS}}}'
    path.write_text(f"tonearm: 1\ninput: {reader}\noutputs:\n{''.join(outputs)}", encoding="utf-8")
    return path


def unwound(tape: bytes) -> tuple[dict[str, Any], np.ndarray]:
    """Return the header and the samples of a tape, read independently of the package."""
    assert tape[:4] == b"TAPE"
    (size,) = struct.unpack("<I", tape[4:8])
    header, at, raw = json.loads(tape[8 : 8 + size]), 8 + size, b""
    while at < len(tape):
        (length,) = struct.unpack("<I", tape[at : at + 4])
        raw += zlib.decompress(tape[at + 4 : at + 4 + length])
        at += 4 + length
    return header, np.frombuffer(raw, "<i2").reshape(-1, header["channels"]).T


def wound(header: object, *chunks: bytes) -> bytes:
    """Return a tape of any header and chunks."""
    text = json.dumps(header).encode()
    packed = (zlib.compress(chunk) for chunk in chunks)
    body = b"".join(struct.pack("<I", len(chunk)) + chunk for chunk in packed)
    return b"TAPE" + struct.pack("<I", len(text)) + text + body


def journal(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / ".tonearm/journal.jsonl").read_text(encoding="utf-8").splitlines()]


def test_samples_tags_and_provenance_are_written_and_come_back(site: Path, tmp_path: Path) -> None:
    wave = np.round(np.random.default_rng(1).uniform(-32768, 32767, (2, 200_000))).astype("f4") / 32768
    np.save(tmp_path / "song.npy", wave)
    options = '{tags: {title: "a {stem}", artist: me}, provenance: true}'
    done = tonearm(site, "run", pipeline(tmp_path, options), "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    header, samples = unwound((tmp_path / "song.tape").read_bytes())
    np.testing.assert_array_equal(samples, wave * 32768)
    assert (header["sample_rate"], header["length"], header["tags"]["title"]) == (RATE, 200_000, "a song")
    digest = hashlib.sha256((tmp_path / "song.npy").read_bytes()).hexdigest()
    assert header["tags"]["tonearm_sha256"] == digest
    sidecar = json.loads((tmp_path / "song.tape.json").read_text(encoding="utf-8"))
    assert sidecar["source"]["sha256"] == digest
    assert sidecar["tags"] == {"title": "a song", "artist": "me"}
    writer = sidecar["pipeline"]["stages"][-1]
    assert (writer["use"], writer["package"]) == ("tape-writer", "tonearm_tape 1.0")
    done = tonearm(site, "convert", tmp_path / "song.tape", tmp_path / "song.flac")
    assert done.returncode == 0, done.stderr
    assert mutagen.File(tmp_path / "song.flac").tags["title"] == ["a song"]


def test_dither_is_triangular_repeatable_and_leaves_the_mean(site: Path, tmp_path: Path) -> None:
    """At 8 bits, a level of 0.3 steps is lost by rounding, and kept by dither, with a variance of a quarter."""
    level = 0.3 / 128
    np.save(tmp_path / "quiet.npy", np.full((1, 100_000), level, "f4"))
    options = ("{bits: 8}", "{bits: 8, dither: true}", "{bits: 8, dither: true, seed: 0}")
    done = tonearm(site, "run", pipeline(tmp_path, *options), "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    tapes = [(tmp_path / f"quiet{number}.tape").read_bytes() for number in ("", 1, 2)]
    plain, dithered = (unwound(tape)[1][0] / 256 for tape in tapes[:2])
    assert not plain.any()
    assert set(dithered) <= {-1, 0, 1, 2}
    assert abs(dithered.mean() - 0.3) < 0.01
    assert abs(dithered.var() - 0.25) < 0.02
    assert tapes[1] == tapes[2]


def test_what_is_measured_is_in_the_journal(site: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "loud.npy", np.array([[0.5, 1.5, -2.0, 0.0] * 1000], "f4"))
    done = tonearm(site, "run", pipeline(tmp_path), "--out", tmp_path)
    assert (done.returncode, "clipped: 50 % of the samples are beyond ±1.0 (peak 2)" in done.stderr) == (3, True)
    done = tonearm(site, "run", pipeline(tmp_path), "--out", tmp_path, "--limit", "clipped=1")
    assert done.returncode == 0, done.stderr
    assert "2000 samples were beyond full scale and clipped" in done.stderr
    (found,) = (item["measured"] for record in journal(tmp_path) for item in record.get("items", ()))
    assert found["clipped"] == 2000
    assert found["compression"] > 10


@pytest.mark.parametrize(
    ("given", "code", "hint"),
    [
        (
            "sample_rate: 96000",
            "unsupported-rate: tape-writer: a tape cannot have a sample rate of 96000 Hz",
            "sample_rate: 48000",
        ),
        (
            "sample_rate: 16000, channels: 6",
            "too-many-channels: tape-writer: a tape cannot have 6 channels, only up to 2",
            "mix",
        ),
    ],
)
def test_limits_are_checked_before_data_is_read(site: Path, tmp_path: Path, given: str, code: str, hint: str) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(
        f"tonearm: 1\ninput: {{use: pcm-reader, with: {{encoding: pcm_s16le, {given}}}}}\n"
        'outputs: [{use: tape-writer, file: "{stem}.tape"}]\n',
        encoding="utf-8",
    )
    done = tonearm(site, "check", path)
    assert done.returncode == 2
    assert code in done.stderr
    assert hint in done.stderr.partition("hint:")[2]


def test_limits_are_checked_again_for_each_signal(site: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "wide.npy", np.zeros((3, 100), "f4") + 0.1)
    np.save(tmp_path / "good.npy", np.zeros((2, 100), "f4") + 0.1)
    done = tonearm(site, "run", pipeline(tmp_path), "--out", tmp_path)
    assert done.returncode == 3
    (failure,) = (line for line in done.stderr.splitlines() if "too-many-channels:" in line)
    assert "wide.npy" in failure
    assert (tmp_path / "good.tape").exists()


def test_its_inherited_options_are_listed_and_checked(site: Path, tmp_path: Path) -> None:
    listed = tonearm(site, "plugins", "tape-writer").stdout
    assert [name for name in ("bits", "dither", "seed", "tags", "provenance") if f"  {name}: " not in listed] == []
    done = tonearm(site, "check", pipeline(tmp_path, "{tags: {tïtle: x}, bits: 40}"))
    assert done.returncode == 2
    assert "'bits' is 40" in done.stderr
    done = tonearm(site, "check", pipeline(tmp_path, "{tags: {tïtle: x}}"))
    assert "is not a valid tag name" in done.stderr


GOOD = {"sample_rate": RATE, "channels": 1, "length": 4, "tags": {}}
HOSTILE = {
    "empty": (b"", "empty"),
    "other": (b"fLaC and more", "wrong-format"),
    "cut-off": (wound(GOOD, bytes(8))[:-3], "broken-file"),
    "claims-header": (b"TAPE\xff\xff\xff\xff{}", "broken-file"),
    "claims-text": (wound({**GOOD, "length": "many"}, bytes(8)), "broken-file"),
    "claims-nothing": (wound({**GOOD, "length": 0}), "broken-file"),
    "claims-much": (wound({**GOOD, "length": 1 << 50}, bytes(8)), "too-large"),
    "claims-more": (wound({**GOOD, "length": 5}, bytes(8)), "broken-file"),
    "bomb": (wound(GOOD, bytes(1 << 24)), "broken-file"),
    "damaged": (wound(GOOD, bytes(8)).replace(b"x\x9c", b"\0\0"), "broken-file"),
}
"""Tapes, each with the code of its error."""


def test_each_false_tape_is_refused_by_name_and_the_run_goes_on(site: Path, tmp_path: Path) -> None:
    for name, (data, _) in HOSTILE.items():
        (tmp_path / f"{name}.tape").write_bytes(data)
    (tmp_path / "good.tape").write_bytes(wound(GOOD, bytes(4), b"\1\0\2\0"))
    path = tmp_path / "a.yaml"
    path.write_text(
        'tonearm: 1\ninput: {use: tape-reader, files: "*.tape"}\noutputs: [{use: wav-writer, file: "{stem}.wav"}]\n',
        encoding="utf-8",
    )
    done = tonearm(site, "run", path, "--out", tmp_path, "--json")
    assert done.returncode == 3, done.stderr
    assert "Traceback" not in done.stderr
    records = [json.loads(line) for line in done.stdout.splitlines()]
    failed = {Path(record["source"]).stem: record for record in records if record.get("code")}
    assert {name: one["code"] for name, one in failed.items()} == {name: code for name, (_, code) in HOSTILE.items()}
    assert [name for name, one in failed.items() if f"{name}.tape" not in one["message"]] == []
    assert (tmp_path / "good.wav").exists()


def test_inspect_looks_at_the_header_of_a_long_tape_alone(site: Path, tmp_path: Path) -> None:
    (tmp_path / "a.tape").write_bytes(wound({**GOOD, "length": 60 * 60 * RATE}))  # without chunks
    done = tonearm(site, "inspect", tmp_path / "a.tape")
    assert done.returncode == 0, done.stderr
    assert "57600000" in done.stdout
    assert "sample_rate: 16000  (certain: from the file)" in done.stdout
