"""Tokens as projects write them, with the codes that their own code makes: tests/data/tokens, and layouts spelled out.

The layouts are written from the projects' code rather than taken from those that tonearm ships.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).parent / "data" / "tokens"

SNAC: dict[str, Any] = {
    "interleave": [0, 1, 2, 2, 1, 2, 2], "incomplete": "drop", "per_position": 4096, "size": 4096
}  # fmt: skip
DIA: dict[str, Any] = {
    "axes": ["frame", "book"], "delays": [0, *range(8, 16)], "end": {"book": 0, "id": 1024}, "size": 1024,
    "invalid": "zero",
}  # fmt: skip
MUSICGEN: dict[str, Any] = {"stacked": 4, "columns": [1, 0], "delays": [0, 1, 2, 3], "size": 2048}
QWEN: dict[str, Any] = {"axes": ["batch", "frame", "book"], "size": 2048}
FISH: dict[str, Any] = {"axes": ["book", "frame"], "size": [4096, *[1024] * 9], "invalid": "clip"}

LAYOUTS: dict[str, dict[str, Any]] = {
    "encodec": {"axes": ["segment", "batch", "book", "frame"], "size": 1024},
    "encodec-trimmed": {"axes": ["segment", "batch", "book", "frame"], "size": 1024, "trim": [0, 27]},
    "musicgen": MUSICGEN,
    "musicgen-stereo": {
        "axes": ["(batch book channel)", "frame"], "channels": 2, "codebooks": 4, "columns": [1, 0],
        "delays": [0, 1, 2, 3], "size": 2048,
    },
    "dac": {"axes": ["batch", "book", "frame"], "size": 1024},
    "snac": {"ragged": True, "size": 4096},
    "orpheus": {"start_after": 128257, "which": "last", "drop": [128258], "offset": 128266, **SNAC},
    "orpheus-text": {"pattern": r"<custom_token_(\d+)>", "offset": 10, **SNAC},
    "csm": {"axes": ["frame", "book"], "end": {"all": 0}, "size": 2048},
    "higgs": {"axes": ["book", "frame"], "delays": [*range(8)], "trim": [1, 1], "size": 1024, "invalid": "clip"},
    "dia": DIA,
    "dia-batch": DIA | {"axes": ["batch", "frame", "book"]},
    "dia-buffer": DIA | {"lead_rows": {"book": 0, "id": 1026}},
    "dia-prompt": DIA | {"columns": [11, 0]},
    "qwen": QWEN | {"end": {"book": 0, "id": 2150}},
    "qwen-padded": QWEN | {"pad": -1},
    "kani": {
        "start_after": 64401, "which": "first", "end_at": [64402], "interleave": [0, 1, 2, 3], "offset": 64410,
        "per_position": 4032, "size": 4032,
    },
    "fish": FISH,
    "fish-rows": FISH | {"rows": [1, 11], "columns": [6, 1]},
    "neutts": {"pattern": r"<\|speech_(\d+)\|>", "size": 65536, "invalid": "keep"},
    "outetts": {"books": [r"<\|c1_(\d+)\|>", r"<\|c2_(\d+)\|>"], "size": 1024},
    "outetts-ids": {
        "drop_below": 151700, "interleave": [0, 1], "offset": 151700, "per_position": 1100, "size": 1024,
        "incomplete": "drop",
    },
    "spark": {
        "streams_text": {"semantic": r"bicodec_semantic_(\d+)", "global": r"bicodec_global_(\d+)"},
        "fixed": {"global": 32},
    },
}  # fmt: skip
"""Figures of layouts by name."""

RIGHT: dict[tuple[str, str], str] = {
    ("encodec_hf", "24k_one_frame"): "encodec",
    ("encodec_hf", "48k_chunks"): "encodec-trimmed",
    ("musicgen_hf", "mono"): "musicgen",
    ("musicgen_hf", "batch_of_2"): "musicgen",
    ("musicgen_hf", "stereo_left_right"): "musicgen-stereo",
    ("dac_hf", "nine_books"): "dac",
    ("dac_hf", "first_three_books"): "dac",
    ("snac_ragged", "24k_tiny_book"): "snac",
    ("snac_ragged", "44k_tiny_book"): "snac",
    ("orpheus", "ids_plain"): "orpheus",
    ("orpheus", "ids_with_start_and_eos"): "orpheus",
    ("orpheus", "ids_incomplete_last_frame"): "orpheus",
    ("orpheus", "ids_eos_mid_frame"): "orpheus",
    ("orpheus", "ids_eos_in_the_middle"): "orpheus",
    ("orpheus", "ids_two_starts"): "orpheus",
    ("orpheus", "text_plain"): "orpheus-text",
    ("orpheus", "text_with_code_0"): "orpheus-text",
    ("csm", "eos"): "csm",
    ("csm", "limit"): "csm",
    ("csm", "zeros_in_some_books"): "csm",
    ("higgs_v2", "bos_eos"): "higgs",
    ("higgs_v2", "stopped_early"): "higgs",
    ("higgs_v2", "specials_inside"): "higgs",
    ("dia", "eos"): "dia",
    ("dia", "eos_with_bos_and_rest"): "dia-buffer",
    ("dia", "max_tokens"): "dia",
    ("dia", "batch_of_2"): "dia-batch",
    ("dia", "special_inside"): "dia",
    ("dia", "voice_prompt"): "dia-prompt",
    ("qwen3_tts", "talker_batch_of_2"): "qwen",
    ("qwen3_tts", "talker_no_stop"): "qwen",
    ("qwen3_tts", "talker_stop_at_once"): "qwen",
    ("qwen3_tts", "padded_batch"): "qwen-padded",
    ("kani", "whole_sequence"): "kani",
    ("kani", "audio_part_only"): "kani",
    ("fish", "generated"): "fish-rows",
    ("fish", "saved_npy"): "fish",
    ("fish", "too_great"): "fish",
    ("neutts", "plain"): "neutts",
    ("neutts", "with_prompt_and_end"): "neutts",
    ("neutts", "cut_last"): "neutts",
    ("neutts", "too_great"): "neutts",
    ("neutts", "torch_int64"): "neutts",
    ("outetts", "ids_any_order"): "outetts-ids",
    ("outetts", "ids_one_book_longer"): "outetts-ids",
    ("outetts", "text"): "outetts",
    ("outetts", "text_cut_between_books"): "outetts",
    ("outetts", "text_two_chunks"): "outetts",
}
"""Cases that become the codes beside them, each with its layout."""

REFUSED: dict[tuple[str, str], tuple[str, str]] = {
    ("kani", "incomplete_last_frame"): ("kani", "the sequence ends in mid-frame: frame 24 has 2 of 4 tokens"),
    ("kani", "eos_mid_frame"): ("kani", "the sequence ends in mid-frame: frame 10 has 2 of 4 tokens"),
    ("kani", "id_of_wrong_book"): (
        "kani",
        "frame 1, position 1: token 6 (75177) is code 6735, but codes are at most 4031",
    ),
    ("fish", "negative"): ("fish-rows", "book 4, frame 3 (step 9 of the array) is code -1, but codes are at least 0"),
    ("neutts", "none"): ("neutts", r"the text has no mark <\|speech_(\d+)\|>"),
}
"""Cases that are refused, each with its layout and the message."""

ELSEWHERE = {
    "dac_file": "test_dac",
    "ecdc": "test_ecdc",
    "spark_bicodec": "test_undo_text",
    "kani/no_end": "test_undo_ids: a sequence without its end mark is read to the end",
    "qwen3_tts/chunk_plan": "about the chunks of a codec rather than tokens",
}
"""Oracles and cases that are no arrays or text of one stream, with the test that has them."""


@functools.cache
def oracle(name: str) -> dict[str, Any]:
    """Return the arrays of an oracle by name."""
    with np.load(FOLDER / f"{name}.npz") as arrays:
        return dict(arrays)


def raw_of(name: str, case: str) -> Any:
    """Return the raw tokens of a case: an array, a text, or a list of these."""
    return _found(name, f"{case}/raw")


def codes_of(name: str, case: str) -> list[Any]:
    """Return the codes of a case: those of the elements of a batch, or of the levels."""
    found = _found(name, f"{case}/codes")
    return found if isinstance(found, list) else [found]


def _found(name: str, key: str) -> Any:
    """Return an array, or several that are numbered; texts as str."""
    arrays = oracle(name)
    keys = [key] if key in arrays else [f"{key}.{n}" for n in range(32) if f"{key}.{n}" in arrays]
    found = [str(arrays[one]) if arrays[one].dtype.kind == "U" else arrays[one] for one in keys]
    return found[0] if key in arrays else found
