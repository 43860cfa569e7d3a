"""Arrays by name: which of them options select, for decoders with an option `key` and without one."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tonearm.arrays.selection import companions_of, selected_arrays
from tonearm.errors import ItemError
from tonearm.plugins.context import Context

SOUND = np.array([0.0, 0.5, -0.5, 0.25], np.float32)
BATCH = np.array([[0.5, 0.25, 0.0, 0.0], [0.5, 0.25, 0.5, 0.0]], np.float32)
RATE, TEXT = np.asarray(8000), np.asarray("hello")


def plain(**more: Any) -> Any:
    """Return options without a key, as those of npy-reader are."""
    return SimpleNamespace(axes=None, kind=None, **more)


def keyed(**more: Any) -> Any:
    given = {"key": None, "lengths": None, "imag": None, "phase": None, "stated": "use", **more}
    options = plain(**given)
    options.companion = lambda option, key: given[option].replace("*", key)
    return options


def selected(found: dict[str, Any], options: Any, **more: Any) -> list[str]:
    chosen = list(selected_arrays(found, options, Context(), **more))
    assert not any(isinstance(one, ItemError) for one in chosen)
    return [one[0] for one in chosen if not isinstance(one, ItemError)]


def refused(found: dict[str, Any], options: Any, **more: Any) -> ItemError:
    with pytest.raises(ItemError) as caught:
        list(selected_arrays(found, options, Context(), **more))
    return caught.value


@pytest.mark.parametrize("options", [plain(), keyed()])
def test_the_only_array_is_selected_whatever_describes_it(options: Any) -> None:
    assert selected({"a": SOUND}, options) == ["a"]
    assert selected({"sampling_rate": RATE, "audio": SOUND, "text": TEXT, "gain": np.asarray(0.5)}, options) == [
        "audio"
    ]
    (one,) = selected_arrays({"audio": SOUND, "sampling_rate": RATE}, options, Context())
    assert not isinstance(one, ItemError)
    assert dict(one[3]) == {"sampling_rate": RATE}


@pytest.mark.parametrize("options", [plain(), keyed()])
def test_lengths_beside_a_batch_are_its_companion(options: Any) -> None:
    context = Context()
    lengths = np.array([2, 3])
    (one,) = selected_arrays({"wav": BATCH, "wav_lengths": lengths}, options, context)
    assert not isinstance(one, ItemError)
    assert one[2] == {"lengths": lengths}
    assert context.measurements["lengths"] == "wav_lengths"


def test_several_arrays_need_a_key_where_there_is_one() -> None:
    found = {"a": SOUND, "b": SOUND}
    error = refused(found, keyed())
    assert (error.code, error.message) == ("several-arrays", "there are 2 arrays: a, b")
    assert error.hint.startswith("key: …")
    assert refused(found, plain()).hint == "give one of them alone"
    assert selected(found, keyed(key="b")) == ["b"]
    assert selected(found, keyed(key="*")) == ["a", "b"]
    assert refused(found, keyed(key="c")).hint == "there are a, b"
    assert refused({}, plain()).code == "empty"


def test_files_that_hold_many_are_read_whole() -> None:
    assert selected({"a": SOUND, "b": SOUND}, plain(), several=sorted) == ["a", "b"]
    assert selected({"a": SOUND, "b": SOUND}, keyed(key="a"), several=sorted) == ["a"]


def test_companions_are_loaded_if_they_are_asked_for() -> None:
    options = keyed(key="a", phase="p")
    assert companions_of(options) == ["phase"]
    assert companions_of(plain()) == []
    (one,) = selected_arrays({"a": SOUND, "p": BATCH}, options, Context(), named=["phase"])
    assert not isinstance(one, ItemError)
    assert one[2] == {"phase": BATCH}
    assert refused({"a": SOUND}, options, named=["phase"]).message == "there is no array 'p'"
