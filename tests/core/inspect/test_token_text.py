"""Text with marks of codec tokens, and files of codecs, as inspect sees them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from real_arrays import guessed

from tonearm.api import TokenLayout
from tonearm.inspect import inspect_file
from tonearm.inspect.token_text import guess_of_text, marked_layouts
from tonearm.plugins.registry import default

DATA = Path(__file__).parents[2] / "data/tokens"
LAYOUTS = default().catalogue(TokenLayout)


def inspected(path: Path) -> Any:
    (found,) = inspect_file(str(path), default())
    return found


@pytest.mark.parametrize(
    ("name", "layout"),
    [
        ("orpheus.txt", "orpheus-snac24-text"),
        ("neutts.txt", "neutts-neucodec"),
        ("outetts.jsonl", "outetts-dac-speech"),
    ],
)
def test_marks_tell_the_layout(name: str, layout: str) -> None:
    found = inspected(DATA / "files" / name)
    assert (found.decoder, found.guess.value("kind")) == ("tokens-reader", "tokens")
    assert found.guess.value("layout") == layout
    pipeline = found.pipeline(default())
    assert pipeline["input"]["with"] == {"layout": layout}
    assert pipeline["steps"] == [{"use": "onnx-codec", "with": {"model": "?"}}]


@pytest.mark.parametrize("name", ["24k_6kbps.ecdc", "16k_mono_numpy2.dac"])
def test_files_of_codecs_need_no_options(name: str) -> None:
    found = inspected(DATA / "files" / name)
    assert (found.decoder, found.guess.value("kind"), found.dtype) == ("codec-file-reader", "tokens", "int32")
    assert found.guess.options == {}
    assert found.pipeline(default())["steps"] == [{"use": "onnx-codec", "with": {"model": "?"}}]


def test_a_table_of_numbers_is_none_of_tokens(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("\n".join(f"{np.sin(n / 9):.4f}" for n in range(5000)))
    found = inspected(tmp_path / "a.txt")
    assert (found.decoder, found.guess.value("kind")) == ("text-reader", "waveform")


def test_a_mark_or_two_are_chance_and_all_streams_must_be_there() -> None:
    assert marked_layouts("<|s_1|><|s_2|>", LAYOUTS) == []
    assert [one.name for one in marked_layouts("<|s_1|><|s_2|><|s_30|>", LAYOUTS)] == ["llasa-xcodec2"]
    assert marked_layouts("<|c1_1|>" * 9, LAYOUTS) == []
    (found,) = marked_layouts("<|c1_1|><|c2_5|>" * 9, LAYOUTS)
    assert (found.name, found.count, found.first) == ("outetts-dac-speech", 18, "<|c1_1|>")


def test_the_layout_with_most_marks_comes_first() -> None:
    text = "<|s_1|>" * 3 + "<|speech_2|>" * 9
    assert [one.count for one in marked_layouts(text, LAYOUTS)] == [9, 3]
    found = guess_of_text(marked_layouts(text, LAYOUTS))
    assert (found.value("layout"), found.options) == ("neutts-neucodec", {"layout": "neutts-neucodec"})


def oracles() -> list[Any]:
    """Arrays that projects wrote, of ids that are as large as those of their families."""
    found = []
    for path in sorted(DATA.glob("*.npz")):
        with np.load(path) as cases:
            for name in cases.files:
                raw = cases[name]
                if "/raw" in name and raw.dtype.kind in "iu" and raw.dtype != "uint8" and raw.size and raw.max() > 0:
                    found.append(pytest.param(raw, id=f"{path.stem}/{name}"))
    return found


@pytest.mark.parametrize("raw", oracles())
def test_no_array_of_tokens_is_called_something_else_without_saying_so(raw: Any) -> None:
    assert "tokens" in [one.value for one in guessed(raw).findings if one.what == "kind"]
