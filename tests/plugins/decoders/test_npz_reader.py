"""``npz-reader``: keys, globs, lengths and parts, as every decoder of keyed arrays shares them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import decoder_reading
import numpy as np
import pytest
from decoder_reading import RNG

from tonearm.api import ItemError, Source
from tonearm_plugins.decoders.npz_reader import NpzReader

STFT: dict[str, Any] = {"n_fft": 16, "hop_length": 4}


def decode(source: Any, **options: Any) -> list[Any]:
    return decoder_reading.decode(NpzReader, source, **{"sample_rate": 8000} | options)


def refused(source: Any, **options: Any) -> ItemError:
    return decoder_reading.refused(NpzReader, source, **{"sample_rate": 8000} | options)


@pytest.fixture
def saved(tmp_path: Path) -> Any:
    def save(**arrays: Any) -> Path:
        np.savez(tmp_path / "a.npz", **arrays)
        return tmp_path / "a.npz"

    return save


def test_one_array_needs_no_key(saved: Any) -> None:
    (item,) = decode(saved(wav=np.ones(5, "f4")))
    assert (item.key, item.index, item.signal.samples.shape) == ("wav", 0, (1, 5))


def test_several_arrays_are_listed(saved: Any) -> None:
    error = refused(saved(a=np.ones(5), b=np.ones(5)))
    assert (error.code, error.message) == ("several-arrays", "there are 2 arrays: a, b")
    assert error.hint == 'key: … (its name); key: "*", for all'
    error = refused(saved(**{f"k{n}": np.ones(5) for n in range(12)}))
    assert error.message.endswith("k9 and 2 more")


def test_a_glob_takes_several(saved: Any) -> None:
    path = saved(a1=np.ones(5), a2=np.ones(6), b=np.ones(7))
    assert [(item.key, item.index, item.signal.length) for item in decode(path, key="a*")] == [
        ("a1", 0, 5),
        ("a2", 1, 6),
    ]
    assert [item.key for item in decode(path, key="a2")] == ["a2"]
    error = refused(path, key="c*")
    assert (error.code, error.message, error.hint) == ("no-such-key", "there is no array 'c*'", "there are a1, a2, b")


def test_a_name_with_a_star_in_it_is_itself_first(saved: Any) -> None:
    assert [item.key for item in decode(saved(**{"a*": np.ones(5), "ab": np.ones(5)}), key="a*")] == ["a*"]


def test_lengths_are_found_by_name_and_are_no_candidates(saved: Any) -> None:
    path = saved(wav=np.ones((2, 6), "f4"), n=np.array([6, 3]))
    items = decode(path, lengths="n", kind="waveform", axes=["batch", "time"])
    assert [(item.key, item.index, item.signal.length) for item in items] == [("wav", 0, 6), ("wav", 1, 3)]
    assert (
        refused(path, key="wav", lengths="m", kind="waveform", axes=["batch", "time"]).message
        == "there is no array 'm'"
    )


def test_parts_as_two_keys(saved: Any) -> None:
    values = RNG.normal(size=(9, 5)) + 1j * RNG.normal(size=(9, 5))
    path = saved(re=values.real, im=values.imag, mag=np.abs(values), ph=np.angle(values))
    for options in ({"kind": "complex", "key": "re", "imag": "im"}, {"kind": "magnitude", "key": "mag", "phase": "ph"}):
        (item,) = decode(path, **options, **STFT)
        assert item.key == options["key"]
        assert item.signal.values[0] == pytest.approx(values, abs=1e-6)


def test_parts_belong_together_by_what_the_star_stands_for(saved: Any) -> None:
    one, two = RNG.normal(size=(2, 9, 5)) + 1j * RNG.normal(size=(2, 9, 5))
    arrays = {"a.im": one.imag, "b.re": two.real, "a.re": one.real, "b.im": two.imag}
    items = decode(saved(**arrays), kind="complex", key="*.re", imag="*.im", **STFT)
    assert [item.key for item in items] == ["b.re", "a.re"]
    assert items[1].signal.values[0] == pytest.approx(one, abs=1e-6)
    del arrays["b.im"]
    error = refused(saved(**arrays), kind="complex", key="*.re", imag="*.im", **STFT)
    assert error.message == "there is no array 'b.im'"


def test_an_array_in_memory_has_none_beside_it() -> None:
    source = Source(name="<array>", array=np.ones((2, 6)))
    assert len(decode(source, kind="waveform", axes=["batch", "time"])) == 2
    error = refused(source, lengths="n", kind="waveform", axes=["batch", "time"])
    assert error.message == "lengths names a second array, but <array> is one array"


def test_what_fails_in_a_batch_leaves_the_others(saved: Any) -> None:
    waves = np.zeros((3, 6), "f4")
    waves[1, 2] = np.nan
    path = saved(a=waves, b=np.ones((2, 6)), c=np.array(["text"]))
    found = decoder_reading.outcomes(
        NpzReader, path, key="[abc]", kind="waveform", axes=["batch", "time"], sample_rate=8000
    )
    assert [one.code if isinstance(one, ItemError) else (one.key, one.index) for one in found] == [
        *(("a", 0), "not-finite", ("a", 2), ("b", 3), ("b", 4)),
        "npy-dtype",
    ]
