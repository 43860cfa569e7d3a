"""Tokens that the projects' own code wrote become exactly the codes that it gives its codec, by the shipped layouts.

Each goes through `tonearm.to_tokens`, `tonearm convert` and a pipeline, by the layout's name and with all figures
spelled out. tests/data/tokens has the arrays, and what its own code did with them.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import safetensors.numpy

import tonearm
from tonearm import TonearmError
from tonearm.api import CodecTokens, TokenLayout
from tonearm.cli import main as cli
from tonearm.plugins.registry import default

Array = np.ndarray[Any, Any]
DATA = Path(__file__).parents[1] / "data/tokens"
CATALOGUE = default().catalogue(TokenLayout)


def described(oracle: str) -> dict[str, dict[str, Any]]:
    """Return the entry of each case in the JSON of an oracle."""
    return {one["case"]: one for one in json.loads((DATA / f"{oracle}.json").read_text("utf-8"))["cases"]}


@dataclass(frozen=True, kw_only=True)
class Case:
    """A case of an oracle, with the layout that reads it.

    Parameters
    ----------
    oracle, case
        Names of the oracle and of its case.
    layout
        Name of a layout, or a base with what differs.
    given_as
        What several arrays of codes are: ``elements`` of a batch, ``channels``, ``levels``, or ``segments``.
    options
        Options beside the layout.
    """

    oracle: str
    case: str
    layout: str | Mapping[str, Any]
    given_as: str = "elements"
    options: Mapping[str, Any] = field(default_factory=dict)

    def arrays(self, which: str) -> list[Array]:
        """Return the arrays of a case: its ``raw`` ones, or its ``codes``."""
        keys = described(self.oracle)[self.case][which]
        with np.load(DATA / f"{self.oracle}.npz") as found:
            return [found[key] for key in (keys if isinstance(keys, list) else [keys])]

    @property
    def raw(self) -> Any:
        """What the model wrote: texts, an array, or arrays of levels."""
        found = [str(one) if one.dtype.kind == "U" else one for one in self.arrays("raw")]
        return found if len(found) > 1 else found[0]

    @property
    def is_text(self) -> bool:
        return isinstance(self.raw, str) or (isinstance(self.raw, list) and isinstance(self.raw[0], str))

    @property
    def elements(self) -> list[list[Array]]:
        """Codes of each element: one array (channels, books, frames), or those of the levels (channels, frames)."""
        codes = self.arrays("codes")
        if self.given_as == "levels":
            levels = [level.reshape(-1, level.shape[-1]) for level in codes]
            return [[level[index : index + 1] for level in levels] for index in range(len(levels[0]))]
        if self.given_as == "channels":
            return [[np.stack(codes)]]
        if self.given_as == "segments":
            return [[np.concatenate(codes, axis=-1)[None]]]
        return [[one[None]] for array in codes for one in (array if array.ndim == 3 else [array])]

    def spelled_out(self) -> dict[str, Any]:
        """Return the layout with all its figures and no name."""
        given = {"base": self.layout} if isinstance(self.layout, str) else dict(self.layout)
        figures = msgspec.to_builtins(CATALOGUE.find(given.pop("base"))) | given
        return {name: value for name, value in figures.items() if name not in ("name", "source", "notes", "other_form")}

    def __str__(self) -> str:
        return f"{self.oracle}-{self.case}"


def cases(
    oracle: str, names: str, layout: str | Mapping[str, Any], given_as: str = "elements", **options: Any
) -> list[Case]:
    return [Case(oracle=oracle, case=name, layout=layout, given_as=given_as, options=options) for name in names.split()]


# The ids of OuteTTS come from its tokenizer; those of the oracle are made up, and so is this layout of them.
OUTETTS_IDS = {
    "base": "outetts",
    "books": [],
    "interleave": [0, 1],
    "incomplete": "drop",
    "drop_below": 151700,
    "offset": 151700,
    "per_position": 1100,
}
VOICE_PROMPT = {"base": "dia-dac44-prefill", "columns": [11, 0]}
PROMPTED_FISH = {"base": "fish-speech-model-rows", "columns": [6, 1]}

CASES = [
    *cases("csm", "eos limit zeros_in_some_books", "csm"),
    *cases("dac_hf", "nine_books first_three_books", "dac"),
    *cases("dia", "eos max_tokens special_inside", "dia"),
    *cases("dia", "eos_with_bos_and_rest", "dia-dac44-buffer"),
    *cases("dia", "batch_of_2", "dia-dac44-batch"),
    *cases("dia", "voice_prompt", VOICE_PROMPT),
    *cases("encodec_hf", "24k_one_frame", "encodec"),
    *cases("encodec_hf", "48k_chunks", "encodec-48khz", "segments", lengths=[93]),
    *cases("fish", "saved_npy too_great", "fish-speech"),
    *cases("fish", "generated", PROMPTED_FISH),
    *cases("higgs_v2", "bos_eos stopped_early specials_inside", "higgs"),
    *cases("kani", "whole_sequence audio_part_only", "kani"),
    *cases("musicgen_hf", "mono batch_of_2", "musicgen"),
    *cases("musicgen_hf", "stereo_left_right", "musicgen-stereo", "channels"),
    *cases("neutts", "plain with_prompt_and_end cut_last torch_int64", "neutts"),
    *cases("neutts", "too_great", {"base": "neutts", "invalid": "keep"}),
    *cases("kani", "id_of_wrong_book", {"base": "kani", "invalid": "keep"}),
    *cases("orpheus", "ids_plain ids_with_start_and_eos ids_incomplete_last_frame", "orpheus", "levels"),
    *cases("orpheus", "ids_eos_mid_frame ids_eos_in_the_middle ids_two_starts", "orpheus", "levels"),
    *cases("orpheus", "text_plain text_with_code_0", "orpheus-text", "levels"),
    *cases("outetts", "text text_cut_between_books text_two_chunks", "outetts"),
    *cases("outetts", "ids_any_order ids_one_book_longer", OUTETTS_IDS),
    *cases("qwen3_tts", "talker_batch_of_2 talker_no_stop", "qwen3-tts"),
    *cases("qwen3_tts", "padded_batch", "qwen3-tts-12hz-padded"),
    *cases("snac_ragged", "24k_tiny_book", "snac", "levels"),
    *cases("snac_ragged", "44k_tiny_book", "snac-44k", "levels"),
]

OTHERS = {
    "dac_file", "ecdc",  # files of the codecs' own programs
    "spark_bicodec",  # two streams
    "kani-incomplete_last_frame", "kani-no_end", "kani-eos_mid_frame", "fish-negative", "neutts-none",  # errors
    "qwen3_tts-chunk_plan",  # is about chunks of decoding
    "qwen3_tts-talker_stop_at_once",  # holds no frame
}  # fmt: skip
"""Oracles and cases that other tests have."""

LEFT_OUT = pytest.mark.filterwarnings("ignore:.* of an unfinished last frame are left out:tonearm.TonearmWarning")
FORMS = pytest.mark.parametrize("spelled", [False, True], ids=["by-name", "spelled-out"])
ALL = pytest.mark.parametrize("case", CASES, ids=str)


def test_every_case_of_every_oracle_is_here() -> None:
    there = {f"{path.stem}-{name}" for path in DATA.glob("*.npz") for name in described(path.stem)}
    others = {name for name in there if name in OTHERS or name.rpartition("-")[0] in OTHERS}
    assert {str(case) for case in CASES} == there - others


def check(case: Case, found: list[list[Array]]) -> None:
    """Compare codes with those that the project's own code gives its codec."""
    assert len(found) == len(case.elements)
    for arrays, wanted in zip(found, case.elements, strict=True):
        assert len(arrays) == len(wanted)
        for array, other in zip(arrays, wanted, strict=True):
            assert array.dtype == np.int32
            np.testing.assert_array_equal(array, other)


@LEFT_OUT
@FORMS
@ALL
def test_in_python(case: Case, spelled: bool) -> None:
    layout = case.spelled_out() if spelled else case.layout
    found = tonearm.to_tokens(case.raw, layout=layout, **case.options)
    tokens = found if isinstance(found, list) else [found]
    check(case, [list(one.arrays()) for one in tokens])


def written(case: Case, folder: Path) -> Path:
    """Write what the model wrote as people have it, and return the file."""
    raw = case.raw
    if case.is_text:
        if isinstance(raw, str):
            file = folder / "tokens.txt"
            file.write_text(raw, encoding="utf-8")
        else:
            file = folder / "tokens.jsonl"
            file.write_text("\n".join(json.dumps({"text": text}) for text in raw), encoding="utf-8")
        return file
    if isinstance(raw, list):
        file = folder / "tokens.npz"
        np.savez(file, **{f"codes_{level}": array for level, array in enumerate(raw)})
        return file
    if "lengths" in case.options:
        file = folder / "tokens.npz"
        np.savez(file, audio_codes=raw, lengths=case.options["lengths"])
        return file
    file = folder / "tokens.npy"
    np.save(file, raw)
    return file


def read_back(case: Case, folder: Path) -> list[list[Array]]:
    """Return the arrays in the files that were written, those of each element."""
    if case.given_as == "levels":
        files = sorted(folder.glob("codes-*.safetensors"))
        return [[array for _, array in sorted(safetensors.numpy.load_file(file).items())] for file in files]
    return [[np.load(file)] for file in sorted(folder.glob("codes-*.npy"))]


def input_options(case: Case) -> dict[str, Any]:
    """Return the options of the reader beside the layout."""
    if "lengths" in case.options:
        return {"key": "audio_codes", "lengths": "lengths"}
    return {"lines": "joined"} if case.is_text and isinstance(case.raw, list) else {}


@LEFT_OUT
@ALL
def test_by_the_command_line(case: Case, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    suffix = "safetensors" if case.given_as == "levels" else "npy"
    target = tmp_path / f"codes-{{index}}.{suffix}"
    flags = [f"--layout={json.dumps(case.layout)}" if isinstance(case.layout, dict) else f"--layout={case.layout}"]
    flags += [f"--{name}={value}" for name, value in input_options(case).items()]
    assert cli.main(["convert", str(written(case, tmp_path)), str(target), *flags]) == 0, capsys.readouterr().err
    check(case, read_back(case, tmp_path))


@LEFT_OUT
@ALL
def test_by_a_pipeline(case: Case, tmp_path: Path) -> None:
    """The layout is spelled out, as one of a model that tonearm does not know would be."""
    file = written(case, tmp_path)
    reader = "tokens-reader" if case.is_text else "npz-reader" if file.suffix == ".npz" else "npy-reader"
    writer = "safetensors-writer" if case.given_as == "levels" else "npy-writer"
    pipeline = {
        "tonearm": 1,
        "input": {
            "use": reader,
            "files": str(file),
            "with": {"kind": "tokens", "layout": case.spelled_out(), **input_options(case)},
        },
        "outputs": [{"use": writer, "file": "codes-{index}." + writer.partition("-")[0]}],
    }
    report = tonearm.load_pipeline(pipeline).run(out=tmp_path / "out")
    assert report.ok, report.errors
    check(case, read_back(case, tmp_path / "out"))


REFUSED: dict[tuple[str, str], tuple[str | Mapping[str, Any], str]] = {
    ("kani", "incomplete_last_frame"): ("kani", "incomplete-frame"),
    ("kani", "eos_mid_frame"): ("kani", "incomplete-frame"),
    ("kani", "id_of_wrong_book"): ("kani", "bad-token"),
    ("fish", "negative"): (PROMPTED_FISH, "bad-token"),
    ("neutts", "none"): ("neutts", "no-tokens"),
    ("neutts", "too_great"): ("neutts", "bad-token"),
    ("qwen3_tts", "talker_stop_at_once"): ("qwen3-tts", "no-tokens"),
    ("spark_bicodec", "both_streams"): ("spark", "needs-second-stream"),
    ("spark_bicodec", "global_too_short"): ("spark", "needs-second-stream"),
}
"""Cases that are errors, each with its layout and the error's code: its own code raises, or lets wrong codes pass."""


@pytest.mark.parametrize("which", REFUSED, ids="-".join)
def test_what_is_no_sound_is_an_error(which: tuple[str, str]) -> None:
    layout, code = REFUSED[which]
    case = Case(oracle=which[0], case=which[1], layout=layout)
    with pytest.raises(TonearmError) as caught:
        tonearm.to_tokens(case.raw, layout=layout)
    problems = getattr(caught.value, "problems", None) or [caught.value]
    assert [problem.code for problem in problems] == [code]


def test_what_is_left_out_of_a_last_frame_is_said() -> None:
    (case,) = cases("orpheus", "ids_incomplete_last_frame", "orpheus", "levels")
    with pytest.warns(tonearm.TonearmWarning, match="3 tokens of an unfinished last frame are left out"):
        tonearm.to_tokens(case.raw, layout="orpheus")


def test_kani_without_an_end_gives_its_whole_frames() -> None:
    """Its own code refuses a sequence that stopped at its greatest length; all frames of it are good."""
    case = Case(oracle="kani", case="no_end", layout="kani")
    whole = Case(oracle="kani", case="whole_sequence", layout="kani")
    with pytest.warns(tonearm.TonearmWarning, match="there is no end mark, 64402"):
        found = tonearm.to_tokens(case.raw, layout="kani")
    assert isinstance(found, CodecTokens)
    np.testing.assert_array_equal(found.codes, whole.arrays("codes")[0][None])


# ---------------------------------------------------------------- files as people have them

FILES: dict[str, tuple[str | Mapping[str, Any], dict[str, Any]]] = {
    "codes_0.npy": ("fish-speech", {}),
    "orpheus.txt": ("orpheus", {}),
    "orpheus_ids.npy": ("orpheus", {}),
    "snac_codes.pt": ("snac", {}),
    "snac_codes.npz": ("snac", {}),
    "neutts.txt": ("neutts", {}),
    "neutts_ref.pt": ("neutts", {}),
    "qwen3_item.npy": ("qwen3-tts", {}),
    "outetts.jsonl": ("outetts", {"lines": "joined"}),
}
"""Files of tokens, each with its layout. Those of ids take the layout of text, too: its other form is of ids."""


def codes_in(file: Mapping[str, str]) -> list[Array]:
    """Return the codes that a file holds, as files.json says it."""
    with np.load(DATA / f"{file['oracle']}.npz") as found:
        if "…" in file["codes"]:
            return [found[f"{file['case']}/codes.{level}"] for level in range(3)]
        return [found[f"{file['case']}/{file['codes']}"]]


FILES_AS_SAVED = [
    pytest.param(file, id=file["file"], marks=[pytest.mark.torch] if file["file"].endswith(".pt") else [])
    for file in json.loads((DATA / "files/files.json").read_text("utf-8"))
]


@pytest.mark.parametrize("file", FILES_AS_SAVED)
def test_a_file_as_people_have_it(file: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    layout, options = FILES.get(file["file"], ("", {}))
    wanted = codes_in(file)
    target = tmp_path / ("codes.safetensors" if len(wanted) > 1 else "codes.npy")
    flags = [f"--layout={layout}"] if layout else []
    flags += [f"--{name}={value}" for name, value in options.items()]
    assert cli.main(["convert", str(DATA / "files" / file["file"]), str(target), *flags]) == 0, capsys.readouterr().err
    if len(wanted) > 1:
        found = [array for _, array in sorted(safetensors.numpy.load_file(target).items())]
    else:
        found = [np.load(target)]
    for array, other in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(array.reshape(other.shape), other)


@pytest.mark.parametrize("name", ["codes_0.npy", "neutts.txt"])
def test_a_process_of_its_own_does_the_same(name: str, tmp_path: Path) -> None:
    (file,) = (one for one in json.loads((DATA / "files/files.json").read_text("utf-8")) if one["file"] == name)
    command = [sys.executable, "-m", "tonearm", "convert", str(DATA / "files" / name), "codes.npy"]
    done = subprocess.run([*command, f"--layout={FILES[name][0]}"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (wanted,) = codes_in(file)
    np.testing.assert_array_equal(np.load(tmp_path / "codes.npy").reshape(wanted.shape), wanted)
