"""Arrays that make one signal together: which belong together, in which order, and the signals that they become."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from array_options import array_options
from tonearm.api import CodecTokens, ItemError, KeyedArrayOptions, LazyArrays, Source, TokenLayout
from tonearm.arrays.joined import joined_names, read_joined
from tonearm.plugins.context import Context
from tonearm.plugins.registry import default

SNAC = TokenLayout(name="snac", ragged=True, strides=(4, 2, 1), size=4096, sample_rate=24000, samples_per_frame=2048)
LEVELS = [np.arange(3 * count)[None] + 100 * count for count in (1, 2, 4)]


@pytest.mark.parametrize(
    ("names", "groups"),
    [
        (["codes_0", "codes_1"], {"codes": ["codes_0", "codes_1"]}),
        (["l10", "l9", "l8"], {"l": ["l8", "l9", "l10"]}),
        (["0", "1", "2"], {"": ["0", "1", "2"]}),
        (["b.0", "b.1", "a.1", "a.0"], {"b": ["b.0", "b.1"], "a": ["a.0", "a.1"]}),
        (["coarse", "mid", "fine"], {"": ["coarse", "mid", "fine"]}),
        (["s1_coarse", "s2_fine"], {"": ["s1_coarse", "s2_fine"]}),
        (["codes[1]", "codes[0]"], {"codes[]": ["codes[0]", "codes[1]"]}),
        ([], {}),
    ],
)  # fmt: skip
def test_names_that_belong_together(names: list[str], groups: dict[str, list[str]]) -> None:
    assert joined_names(names) == groups


def read(found: Mapping[str, Any], **options: Any) -> list[Any]:
    made = array_options(KeyedArrayOptions, kind="tokens", layout=SNAC, **options)
    return list(read_joined(found, made, Context(catalogue=default().catalogue)))


def levels_of(tokens: CodecTokens) -> list[list[int]]:
    return [level[0].tolist() for level in tokens.levels]


EXPECTED = [level[0].tolist() for level in LEVELS]


@pytest.mark.parametrize("dtype", ["u2", "i4", "u4", "i8", ">i4"])
def test_levels_become_one_signal(dtype: str) -> None:
    found = {f"codes_{n}": level.astype(dtype) for n, level in reversed(list(enumerate(LEVELS)))}
    (item,) = read(found)
    assert levels_of(item.signal) == EXPECTED
    assert (item.signal.strides, item.key, item.index) == ((4, 2, 1), "codes", 0)


def test_numbers_and_scales_beside_them_do_not_count() -> None:
    found = {f"codes_{n}": level for n, level in enumerate(LEVELS)}
    (item,) = read(found | {"version": np.array(3), "scales": np.ones(5, "f4"), "name": np.array("x")})
    assert levels_of(item.signal) == EXPECTED


def test_one_frame_has_levels_of_one_code() -> None:
    (item,) = read({"0": np.array([[7]]), "1": np.array([[1, 2]]), "2": np.array([[1, 2, 3, 4]])})
    assert levels_of(item.signal) == [[7], [1, 2], [1, 2, 3, 4]]


def test_batches_and_groups_become_items() -> None:
    batch = {str(n): np.concatenate([level, level + 1]) for n, level in enumerate(LEVELS)}
    one, two = read(batch)
    assert (levels_of(one.signal), two.index) == (EXPECTED, 1)
    assert levels_of(two.signal) == [[code + 1 for code in level] for level in EXPECTED]
    groups = {f"utt{utt}.codes.{n}": level + utt for utt in (7, 8) for n, level in enumerate(LEVELS)}
    found = read(groups)
    assert [(item.key, item.index) for item in found] == [("utt7.codes", 0), ("utt8.codes", 1)]
    (only,) = read(groups, key="utt8*")
    assert levels_of(only.signal) == levels_of(found[1].signal)


def test_an_error_takes_the_place_of_one_group() -> None:
    groups = {f"a{n}": level for n, level in enumerate(LEVELS)} | {f"b{n}": LEVELS[0] for n in range(3)}
    good, bad = read(groups)
    assert levels_of(good.signal) == EXPECTED
    assert isinstance(bad, ItemError)
    with pytest.raises(ItemError) as caught:
        read({f"b{n}": LEVELS[0] for n in range(3)})
    assert caught.value.code == "bad-levels"


def test_what_cannot_be_meant() -> None:
    with pytest.raises(ItemError) as caught:
        read({"a": np.array(3)})
    assert caught.value.code == "empty"
    with pytest.raises(ItemError) as caught:
        read({f"codes_{n}": level for n, level in enumerate(LEVELS)}, key="x*")
    assert caught.value.code == "no-such-key"
    with pytest.raises(ItemError) as caught:
        read({str(n): LEVELS[0] for n in range(1001)})
    assert caught.value.code == "several-arrays"


def test_a_stated_rate_that_contradicts_the_layout_is_refused() -> None:
    found = {f"codes_{n}": level for n, level in enumerate(LEVELS)} | {"sample_rate": np.array(44100)}
    with pytest.raises(ItemError) as caught:
        read(found)
    assert caught.value.code == "rate-mismatch"


def test_arrays_in_memory_and_in_lazy_files() -> None:
    from tonearm_plugins.decoders.npz_reader import NpzReader

    arrays = {f"codes_{n}": level for n, level in enumerate(LEVELS)}
    reader = NpzReader(array_options(KeyedArrayOptions, kind="tokens", layout=SNAC))
    (item,) = reader.decode(Source(name="<arrays>", arrays=arrays), Context())
    assert levels_of(item.signal) == EXPECTED  # type: ignore[union-attr, arg-type]
    (item,) = read(LazyArrays(arrays, arrays.__getitem__))
    assert levels_of(item.signal) == EXPECTED
