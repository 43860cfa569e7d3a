"""``tokens-reader``: text with marks, ids, JSON and JSON lines, each item by item or joined."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import decoder_reading
import numpy as np
import pytest

from array_options import array_options
from tonearm.api import ItemError, Source, TokenLayout
from tonearm.plugins.context import Context
from tonearm.plugins.registry import default
from tonearm_plugins.decoders.tokens_reader import TokensReader, TokensReaderOptions

TOKENS = Path(__file__).parents[2] / "data" / "tokens"
ORPHEUS = TokenLayout(
    name="orpheus-text", pattern=r"<custom_token_(\d+)>", interleave=(0, 1, 2, 2, 1, 2, 2), incomplete="drop",
    offset=10, per_position=4096, size=4096, strides=(4, 2, 1),
)  # fmt: skip
NEUTTS = TokenLayout(name="neutts", pattern=r"<\|speech_(\d+)\|>", size=65536, invalid="keep")
OUTETTS = TokenLayout(name="outetts", books=(r"<\|c1_(\d+)\|>", r"<\|c2_(\d+)\|>"), size=1024)
IDS = TokenLayout(name="ids", interleave=(0, 1), size=100, incomplete="error")
ONE = TokenLayout(name="one", interleave=(0,), size=100)
ROWS = TokenLayout(name="rows", axes=("book", "frame"), size=100)
LLASA = TokenLayout(name="llasa", pattern=r"<\|s_(\d+)\|>", size=65536)
SNAC = TokenLayout(name="snac", ragged=True, strides=(4, 2, 1), size=4096)


def outcomes(given: Any, layout: TokenLayout | None, **options: Any) -> list[Any]:
    return decoder_reading.outcomes(TokensReader, given, kind="tokens", layout=layout, **options)


def decode(given: Any, layout: TokenLayout, **options: Any) -> list[Any]:
    found = outcomes(given.encode() if isinstance(given, str) else given, layout, **options)
    for one in found:
        if isinstance(one, ItemError):
            raise one
    assert [item.index for item in found] == list(range(len(found)))
    return [item.signal for item in found]


def codes(given: Any, layout: TokenLayout, **options: Any) -> list[Any]:
    return [tokens.codes[0].tolist() for tokens in decode(given, layout, **options)]


def refused(given: str, layout: TokenLayout | None, **options: Any) -> ItemError:
    data = given.encode()
    return decoder_reading.refused(TokensReader, data, kind="tokens", layout=layout, **options)


@pytest.mark.parametrize(
    ("file", "layout", "options"),
    [
        ("orpheus.txt", ORPHEUS, {}),
        ("neutts.txt", NEUTTS, {}),
        ("outetts.jsonl", OUTETTS, {"lines": "joined"}),
    ],
)
def test_files_as_projects_write_them(file: str, layout: TokenLayout, options: dict[str, Any]) -> None:
    one = next(one for one in json.loads((TOKENS / "files" / "files.json").read_text()) if one["file"] == file)
    (tokens,) = decode(TOKENS / "files" / file, layout, **options)
    oracle = np.load(TOKENS / f"{one['oracle']}.npz")
    keys = [key for key in sorted(oracle.files) if key.startswith(f"{one['case']}/codes")]
    for made, key in zip(tokens.arrays(), keys, strict=True):
        assert np.array_equal(made[0], oracle[key])


def test_each_line_is_an_item_of_its_own() -> None:
    one, two = decode(TOKENS / "files" / "outetts.jsonl", OUTETTS)
    (whole,) = decode(TOKENS / "files" / "outetts.jsonl", OUTETTS, lines="joined")
    assert np.array_equal(np.concatenate([one.codes, two.codes], axis=-1), whole.codes)


def test_joined_lines_are_cut_each_alone() -> None:
    lines = ["<|c1_1|><|c2_2|><|c1_3|>", "<|c1_4|><|c2_5|>"]
    given = "\n".join(json.dumps({"text": line}) for line in lines)
    assert codes(given, OUTETTS, lines="joined") == [[[1, 4], [2, 5]]]


def test_joined_levels() -> None:
    frame = "".join(f"<custom_token_{10 + 4096 * place + place}>" for place in range(7))
    given = "\n".join(json.dumps({"text": frame}) for _ in range(3))
    (tokens,) = decode(given, ORPHEUS, lines="joined")
    assert [level[0].tolist() for level in tokens.levels] == [[0] * 3, [1, 4] * 3, [2, 3, 5, 6] * 3]


@pytest.mark.parametrize(
    "given",
    ["1 2 3 4", "1, 2, 3, 4\n", "[1, 2, 3, 4]", "1\n2\n3\n4\n", "[1 2\n 3 4]", "# ids\n1;2;3;4", '"1 2 3 4"',
     '{"ids": [1, 2, 3, 4]}', '{"ids": "1 2 3 4"}', '{"out": {"ids": [1, 2, 3, 4]}, "id": 7, "text": "hello 5"}',
     '[{"ids": [1, 2, 3, 4]}]', "(1, 2, 3, 4)", "\ufeff1 2 3 4"],
)  # fmt: skip
def test_ids_in_every_form(given: str) -> None:
    assert codes(given, IDS) == [[[1, 3], [2, 4]]]


def test_ids_in_utf_16() -> None:
    assert codes("1 2 3 4".encode("utf-16"), IDS) == [[[1, 3], [2, 4]]]


@pytest.mark.parametrize("given", ["1 2 3\n4 5 6\n", "[[1, 2, 3], [4, 5, 6]]", '{"codes": [[1, 2, 3], [4, 5, 6]]}'])
def test_rows_are_books_or_elements_of_a_batch(given: str) -> None:
    assert codes(given, ROWS) == [[[1, 2, 3], [4, 5, 6]]]
    assert codes(given, ONE) == [[[1, 2, 3]], [[4, 5, 6]]]
    assert codes(given, ONE, lines="joined") == [[[1, 2, 3, 4, 5, 6]]]


@pytest.mark.parametrize(
    "given", ["[[1, 2], [3, 4, 5, 6]]", "[1, 2]\n[3, 4, 5, 6]", '{"a": [1, 2]}\n{"a": [3, 4, 5, 6]}']
)
def test_batches_of_ragged_lists(given: str) -> None:
    assert codes(given, IDS) == [[[1], [2]], [[3, 5], [4, 6]]]


def test_batches_of_ragged_arrays() -> None:
    assert codes("[[[1, 2], [3, 4]], [[5], [6]]]", ROWS) == [[[1, 2], [3, 4]], [[5], [6]]]


def test_levels_and_batches_of_levels() -> None:
    levels = [[1, 2], [1, 2, 3, 4], list(range(8))]
    (tokens,) = decode(json.dumps(levels), SNAC)
    assert [level[0].tolist() for level in tokens.levels] == levels
    more = [[level[: len(level) // 2] for level in levels], levels]
    one, two = decode(json.dumps({"codes": more}), SNAC)
    assert [level[0].tolist() for level in one.levels] == more[0]
    assert [level[0].tolist() for level in two.levels] == levels
    one, two = decode(json.dumps([[level, level[::-1]] for level in levels]), SNAC)
    assert [level[0].tolist() for level in two.levels] == [level[::-1] for level in levels]


def test_lists_of_text_are_tokens_or_a_batch() -> None:
    assert codes('["<|s_1|>", "<|s_2|>", "</s>"]', LLASA) == [[[1, 2]]]
    batch = ["so it goes: " + "<|s_1|><|s_2|>" * 3, "and on it goes: " + "<|s_3|>" * 6]
    assert codes(json.dumps(batch), LLASA) == [[[1, 2] * 3], [[3] * 6]]


def test_answers_of_chat_servers() -> None:
    answer = {"id": "x", "choices": [{"index": 0, "message": {"role": "assistant", "content": "<|s_4|><|s_5|>"}}]}
    assert codes(json.dumps(answer), LLASA) == [[[4, 5]]]
    assert codes(json.dumps(answer), LLASA, field="choices.0.message.content") == [[[4, 5]]]
    two = {"choices": [{"text": "<|s_4|>"}, {"text": "<|s_5|>"}]}
    assert codes(json.dumps(two), LLASA) == [[[4]], [[5]]]


def test_a_field_is_asked_for_where_several_can_be_meant() -> None:
    given = json.dumps({"prompt": [1, 2], "ids": [3, 4]})
    error = refused(given, IDS)
    assert (error.code, "prompt" in error.hint, "ids" in error.hint) == ("several-fields", True, True)
    assert codes(given, IDS, field="ids") == [[[3], [4]]]


def test_the_other_form_of_a_layout_is_used() -> None:
    ids = TokenLayout(name="ids", interleave=(0, 1), size=100, offset=10, other_form="text")
    text = TokenLayout(name="text", pattern=r"<(\d+)>", interleave=(0, 1), size=100, other_form="ids")
    catalogue: Any = SimpleNamespace(find={"ids": ids, "text": text}.__getitem__)
    context = Context(catalogue=lambda _: catalogue)
    for layout in (ids, text):
        for data, expected in ((b"<1><2>", [[1], [2]]), (b"[11, 12]", [[1], [2]]), (b'{"x": "<3><4>"}', [[3], [4]])):
            reader = TokensReader(array_options(TokensReaderOptions, kind="tokens", layout=layout))
            (item,) = reader.decode(decoder_reading.source_of(data), context)
            assert item.signal.codes[0].tolist() == expected  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("given", "layout", "code", "part"),
    [
        (" \n", IDS, "empty", "no text"),
        ("hello", LLASA, "no-tokens", ""),
        ('{"a": "hello"}', LLASA, "no-tokens", "no field"),
        ('{"ids": [1, 2]}\n{"ids": [1, ', IDS, "broken-file", "line 2"),
        ('{"ids": [1, 2]}\n\n{"ids": [1, 200]}', IDS, "bad-token", "line 3"),
        ('{"ids": [1, 2]}\n{"other": 3}', IDS, "no-such-key", ""),
        ('{"ids": [1, 2]}\n{"ids": "hello"}', IDS, "", "line 2"),
        ('{"ids": [1, 2]}\n{"ids": [1.5]}', IDS, "not-numbers", "line 2"),
        ("99999999999999999999", IDS, "bad-token", "no token"),
        ("[99999999999999999999, 1]", IDS, "bad-token", "holds the number '99999999999999999999', which is no token"),
        ("1 2 3", IDS, "incomplete-frame", ""),
    ],
)
def test_what_cannot_be_read(given: str, layout: TokenLayout, code: str, part: str) -> None:
    error = refused(given, layout)
    assert (code in error.code, part in error.message) == (True, True)


def test_what_is_no_text() -> None:
    for data in (b"RIFF\xff\xff\0\0WAVEfmt ", b"\xff" * 20):
        assert decoder_reading.refused(TokensReader, data, kind="tokens", layout=IDS).code == "wrong-format"
    assert refused("1 2", IDS, field="ids").code == "wrong-format"


def test_a_bad_line_leaves_the_others() -> None:
    one, bad, two = outcomes(b"[1, 2]\n[3, 200]\n[5, 6]\n", IDS)
    assert (one.signal.codes[0, 0, 0], two.signal.codes[0, 0, 0], two.index) == (1, 5, 2)
    assert bad.code == "bad-token"
    assert "line 2 of 'in memory'" in bad.message


def test_lines_of_other_books_are_not_joined() -> None:
    assert refused("[[1, 2], [3, 4]]\n[[1, 2]]", ROWS, lines="joined").code == "parts-differ"


def test_a_file_named_json_is_json(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("<|s_1|>")
    assert (
        decoder_reading.refused(TokensReader, tmp_path / "a.jsonl", kind="tokens", layout=LLASA).code == "broken-file"
    )


def test_other_kinds_are_refused() -> None:
    made = array_options(TokensReaderOptions, kind="waveform", sample_rate=8000)
    (problem,) = made.problems()
    assert problem.option == "kind"


def test_arrays_in_memory_and_for_inspection() -> None:
    reader = TokensReader(array_options(TokensReaderOptions, kind="tokens", layout=IDS))
    (item,) = reader.decode(Source(name="<array>", array=np.array([1, 2, 3, 4])), Context())
    assert item.signal.codes.tolist() == [[[1, 3], [2, 4]]]  # type: ignore[union-attr]
    context = Context(catalogue=default().catalogue)
    found = list(reader.arrays(decoder_reading.source_of(b"[1, 2]\n[3]"), context))
    assert [(name, array.tolist()) for name, array in found] == [("0", [1, 2]), ("1", [3])]  # type: ignore[misc, union-attr]
    (error,) = reader.arrays(decoder_reading.source_of(b"hello"), context)
    assert isinstance(error, ItemError)
