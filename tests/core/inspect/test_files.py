"""Inspection of files: which arrays are inspected, and what the file tells beside them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tonearm.errors import ItemError, UsageError
from tonearm.inspect import Inspection, files, inspect_file
from tonearm.plugins.registry import default

SAMPLES = Path(__file__).parents[3] / "configs" / "samples"


def inspected(path: Path, **more: Any) -> list[Inspection]:
    return list(inspect_file(str(path), default(), **more))


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """An archive with two waveforms, a text, and a sample rate."""
    waves = {"wave/a": np.sin(np.arange(900.0)), "wave/b": np.sin(np.arange(80.0))}
    np.savez(tmp_path / "a.npz", **waves, text=np.array(["x"]), sr=np.array([16000]))
    return tmp_path / "a.npz"


class TestKeys:
    def test_all_arrays_in_their_order(self, archive: Path) -> None:
        found = inspected(archive)
        assert [one.key for one in found] == ["wave/a", "wave/b", "text", "sr"]
        assert [one.shape for one in found] == [(900,), (80,), (), (1,)]
        assert {one.decoder for one in found} == {"npz-reader"}
        assert [one.error is not None for one in found] == [False, False, True, False]

    @pytest.mark.parametrize(("key", "found"), [("wave/a", ["wave/a"]), ("wave/*", ["wave/a", "wave/b"])])
    def test_a_name_or_a_pattern_chooses(self, key: str, found: list[str], archive: Path) -> None:
        assert [one.key for one in inspected(archive, key=key)] == found

    def test_a_name_that_is_not_there_has_the_others_as_a_remedy(self, archive: Path) -> None:
        with pytest.raises(ItemError) as caught:
            inspected(archive, key="x")
        assert (caught.value.code, caught.value.hint) == ("no-such-key", "key: wave/a, wave/b, text or sr")

    def test_the_arrays_beyond_the_largest_number_are_counted(
        self, archive: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(files, "MAX_ARRAYS", 3)
        found = inspected(archive)
        assert len(found) == 4
        assert found[-1].note == "1 more arrays are not inspected; --key NAME inspects one"


class TestRate:
    def test_a_single_number_beside_the_arrays_is_their_rate(self, archive: Path) -> None:
        (found,) = inspected(archive, key="wave/a")
        assert found.guess is not None
        assert found.guess.options["sample_rate"] == 16000

    @pytest.mark.parametrize("rate", [[16000, 16000], 7, 1e12, "16000"])
    def test_what_cannot_be_a_rate_is_none(self, rate: Any, tmp_path: Path) -> None:
        np.savez(tmp_path / "a.npz", wave=np.sin(np.arange(900.0)), sr=np.array(rate))
        (found,) = inspected(tmp_path / "a.npz", key="wave")
        assert found.guess is not None
        assert found.guess.options["sample_rate"] == "?"


class TestSoundFiles:
    def test_samples_are_counted_and_drawn(self) -> None:
        (found,) = inspected(SAMPLES / "utt08-16k.wav")
        assert found.shape == (1, 20991)
        assert found.preview
        assert found.guess is not None
        assert found.guess.value("sample_rate") == "16000"

    def test_a_long_one_is_not_decoded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(files, "MAX_DECODED_SAMPLES", 1000)
        (found,) = inspected(SAMPLES / "utt08-16k.wav")
        assert (found.shape, found.preview) == ((1, 20991), ())
        assert found.guess is not None
        assert [finding.value for finding in found.guess.findings] == ["?", "waveform", "[channel, time]", "16000"]


class TestDecoder:
    def test_it_may_be_named(self, tmp_path: Path) -> None:
        np.save(tmp_path / "a.npy", np.zeros(9))
        (tmp_path / "a.npy").rename(tmp_path / "a.weights")
        assert inspected(tmp_path / "a.weights", decoder="npy-reader")[0].shape == (9,)
        with pytest.raises(UsageError) as caught:
            inspected(tmp_path / "a.weights")
        assert caught.value.code == "unknown-suffix"

    def test_one_that_must_be_told_everything_has_nothing_to_inspect(self, tmp_path: Path) -> None:
        (tmp_path / "a.pcm").write_bytes(bytes(100))
        with pytest.raises(UsageError) as caught:
            inspected(tmp_path / "a.pcm")
        assert caught.value.hint == "tonearm plugins pcm-reader, to see which options to give"


def test_the_pipeline_leads_from_the_decoder_to_a_wav_file(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.ones((513, 40), "c8"))
    (found,) = inspected(tmp_path / "a.npy")
    pipeline = found.pipeline(default())
    assert pipeline["input"]["use"] == "npy-reader"
    assert pipeline["steps"] == [{"use": "istft"}]
    assert pipeline["outputs"] == [{"use": "wav-writer", "file": "{stem}.wav"}]


def peak_of(path: Path) -> int:
    """Peak memory in bytes of a fresh process that inspects a file."""
    # VmHWM, because getrusage knows of what this process took before the other one began.
    code = (
        "import sys; from tonearm.cli.main import main; assert main(['inspect', sys.argv[1]]) == 0;"
        "print(next(line for line in open('/proc/self/status') if line.startswith('VmHWM')).split()[1])"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], check=True, capture_output=True, text=True)
    return int(done.stdout.split()[-1]) << 10


def saved(path: Path, shape: tuple[int, ...], *, fortran: bool = False) -> Path:
    """A sound that never repeats, or frames of one: written in parts, as a long one does not fit into memory."""
    made = np.lib.format.open_memmap(path, "w+", "f4", shape, fortran_order=fortran)
    longest = int(np.argmax(shape))
    along = np.moveaxis(made, longest, -1)
    for start in range(0, along.shape[-1], 1 << 20):
        part = along[..., start : start + (1 << 20)]
        part[...] = np.sin((np.arange(part.shape[-1]) + start) * 0.01, dtype="f4") / 2
    return path


@pytest.mark.slow
def test_an_hour_takes_little_more_memory_than_a_second(tmp_path: Path) -> None:
    peaks = [peak_of(saved(tmp_path / f"{seconds}.npy", (48_000 * seconds,))) for seconds in (1, 3600)]
    assert peaks[1] - peaks[0] < 64 << 20, peaks


@pytest.mark.slow
@pytest.mark.parametrize("fortran", [False, True])
@pytest.mark.parametrize("shape", [(2, -1), (-1, 2), (80, -1), (-1, 80)])
def test_every_other_layout_takes_as_little_memory(tmp_path: Path, shape: tuple[int, ...], fortran: bool) -> None:
    many, few = (tuple(size // max(shape) if n < 0 else n for n in shape) for size in (60 << 20, 60 << 10))
    peaks = [peak_of(saved(tmp_path / f"{size}.npy", size, fortran=fortran)) for size in (few, many)]
    assert peaks[1] - peaks[0] < 64 << 20, peaks
