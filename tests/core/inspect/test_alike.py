"""Alike arrays: which are, and the pattern by which one pipeline reads them."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

import tonearm
from tonearm.inspect import inspect_file
from tonearm.inspect.alike import AlikeArrays, group_alike, group_files
from tonearm.inspect.folders import folder_files
from tonearm.plugins.registry import default

SAMPLES = Path(__file__).parents[3] / "configs" / "samples"
WAVE = np.load(SAMPLES / "utt08.npy").reshape(-1)[2000:]
MEL = np.load(SAMPLES / "mel" / "melgan.npy")


def groups(path: Path) -> list[Any]:
    return group_alike(list(inspect_file(str(path), default())))


def grouped(path: Path, **arrays: Any) -> list[tuple[int, str]]:
    """Return the number of arrays and the pattern of each group."""
    np.savez(path, **arrays)
    return [(1 + len(one.others), one.key) for one in groups(path) if isinstance(one, AlikeArrays)]


@pytest.mark.parametrize(
    ("names", "others", "pattern"),
    [
        (["a", "b", "c"], [], "*"),
        (["k0", "k1", "k2"], ["mel"], "k*"),
        (["a_wav", "b_wav"], ["mel"], "*_wav"),
        (["x/a/wav", "x/b/wav"], ["x/mel", "y/wav"], "x/*/wav"),
        (["aa", "bb"], ["mel"], "??"),
        (["a", "bb"], ["mel"], "a"),
        (["a[1]", "a[2]"], [], "*"),
    ],
)
def test_a_pattern_matches_the_arrays_and_no_other(
    names: list[str], others: list[str], pattern: str, tmp_path: Path
) -> None:
    arrays = {name: WAVE[: 9000 + place] for place, name in enumerate(names)} | dict.fromkeys(others, MEL)
    np.savez(tmp_path / "a.npz", **arrays)
    first = groups(tmp_path / "a.npz")[0]
    assert len(first.others) == len(names) - 1
    pipeline = first.pipeline(default())
    assert pipeline["input"]["with"]["key"] == pattern
    pipeline["input"]["with"]["sample_rate"] = 22050
    signals = list(tonearm.load_pipeline(pipeline).convert(tmp_path / "a.npz"))
    assert [signal.length for signal in signals] == [
        9000 + place for place in range(1 if pattern == "a" else len(names))
    ]


def test_what_is_not_alike(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    assert grouped(path, a=WAVE, b=WAVE * 2) == [(2, "*")]
    assert grouped(path, a=WAVE, b=WAVE.astype("f8")) == [(1, "a"), (1, "b")]
    assert grouped(path, a=WAVE, b=np.where(WAVE[9] == WAVE, np.nan, WAVE).astype("f4")) == [(1, "a"), (1, "b")]
    assert grouped(path, a=WAVE, b=WAVE * 32768) == [(1, "a"), (1, "b")]
    assert grouped(path, a=WAVE, b=MEL, c=WAVE, d=MEL[:, :50]) == [(2, ""), (2, "")]
    stft = np.ones((513, 9), "c8")
    assert grouped(path, a=stft, b=stft[:257]) == [(1, "a"), (1, "b")]


def test_dialects_that_all_arrays_match(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", m0=MEL, m1=np.maximum(MEL, -4.5), m2=MEL)
    (found,) = groups(tmp_path / "a.npz")
    assert found.first.guess.choices["dialect"][0] == "melgan"
    alone = [one.guess.choices["dialect"] for one in inspect_file(str(tmp_path / "a.npz"), default()) if one.guess]
    assert set(found.first.guess.choices["dialect"]) == set.intersection(*map(set, alone))


@pytest.mark.parametrize(("names", "file"), [(["a", "b"], "{stem}-{key}.wav"), (["x/a", "x/b"], "{stem}-{index}.wav")])
def test_names_of_outputs_distinguish_the_arrays(names: list[str], file: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", **dict.fromkeys(names, WAVE))
    (found,) = groups(tmp_path / "a.npz")
    assert found.pipeline(default())["outputs"][0]["file"] == file


class TestFiles:
    def found(self, folder: Path) -> list[AlikeArrays]:
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        return group_files([one for path in files for one in groups(path)], str(folder))

    def save(self, folder: Path, *names: str, array: Any = WAVE) -> None:
        for name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            np.save(folder / name, array)

    def test_one_folder(self, tmp_path: Path) -> None:
        self.save(tmp_path, "a.npy", "b.npy", "c.npy")
        (group,) = self.found(tmp_path)
        assert group.files == f"{tmp_path}/*.npy"
        assert group.pipeline(default())["outputs"][0]["file"] == "{stem}.wav"

    def test_folders_below(self, tmp_path: Path) -> None:
        self.save(tmp_path, "x/a.npy", "y/a.npy")
        (group,) = self.found(tmp_path)
        assert group.files == f"{tmp_path}/**/*.npy"
        assert group.pipeline(default())["outputs"][0]["file"] == "{relative_dir}/{stem}.wav"

    def test_the_current_folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        self.save(Path(), "a.npy", "b.npy")
        names = folder_files(".", default()).files
        assert names == ["a.npy", "b.npy"]
        (group,) = group_files([one for name in names for one in groups(Path(name))], ".")
        assert group.files == "*.npy"

    def test_a_folder_for_each_kind(self, tmp_path: Path) -> None:
        self.save(tmp_path, "wav/a.npy", "wav/b.npy")
        self.save(tmp_path, "mel/a.npy", "mel/b.npy", array=MEL)
        assert sorted(str(group.files) for group in self.found(tmp_path)) == [
            f"{tmp_path}/mel/*.npy",
            f"{tmp_path}/wav/*.npy",
        ]

    def test_files_of_two_formats_are_two_groups(self, tmp_path: Path) -> None:
        self.save(tmp_path, "a.npy", "b.npy")
        for name in ("a.wav", "b.wav"):
            soundfile.write(tmp_path / name, WAVE, 22050)
        found = self.found(tmp_path)
        assert sorted(str(group.files) for group in found) == [f"{tmp_path}/*.npy", f"{tmp_path}/*.wav"]

    def test_brackets_in_the_name_of_a_folder_are_no_pattern(self, tmp_path: Path) -> None:
        self.save(tmp_path / "take[1]", "a.npy", "b.npy")
        (group,) = self.found(tmp_path / "take[1]")
        assert group.files == [f"{tmp_path}/take[1]/a.npy", f"{tmp_path}/take[1]/b.npy"]
        pipeline = group.pipeline(default())
        pipeline["input"]["with"]["sample_rate"] = 22050
        assert tonearm.load_pipeline(pipeline).run(out=tmp_path / "out", fsync=False).converted == 2

    def test_files_of_two_kinds_in_one_folder_are_listed(self, tmp_path: Path) -> None:
        self.save(tmp_path, "a.npy", "b.npy")
        self.save(tmp_path, "c.npy", "d.npy", array=MEL)
        assert [group.files for group in self.found(tmp_path)] == [
            [f"{tmp_path}/a.npy", f"{tmp_path}/b.npy"],
            [f"{tmp_path}/c.npy", f"{tmp_path}/d.npy"],
        ]

    def test_the_pipeline_of_a_folder_converts_it(self, tmp_path: Path) -> None:
        self.save(tmp_path / "in", "x/a.npy", "y/a.npy", "b.npy")
        (group,) = self.found(tmp_path / "in")
        pipeline = group.pipeline(default())
        pipeline["input"]["with"]["sample_rate"] = 22050
        report = tonearm.load_pipeline(pipeline).run(out=tmp_path / "out", fsync=False)
        assert report.converted == 3
        assert subprocess.run(["ls", tmp_path / "out" / "x"], capture_output=True, check=True).stdout == b"a.wav\n"
