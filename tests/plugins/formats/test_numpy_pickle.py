"""Pickles of plain values and arrays: what NumPy writes is read, and nothing that a file names is ever run."""

from __future__ import annotations

import io
import os
import pickle
import struct
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tonearm.api import ItemError, limited_memory
from tonearm_plugins.formats import numpy_pickle

CODES = np.arange(24, dtype="u2").reshape(2, 3, 4)


def as_numpy_1(data: bytes) -> bytes:
    """A pickle of protocol 3 with the names of NumPy 1."""
    return data.replace(b"cnumpy._core.multiarray\n", b"cnumpy.core.multiarray\n")


def load(data: bytes) -> Any:
    return numpy_pickle.load(data, "a.dac")


def refused(data: bytes) -> ItemError:
    with pytest.raises(ItemError) as caught:
        load(data)
    assert (caught.value.message + caught.value.hint).isprintable()
    return caught.value


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_plain_values(protocol: int) -> None:
    given = {"a": 1, "b": [True, None, "é", -3, 70000, 1 << 40, 0.5], 3: (), "t": (1, (2,), (1, 2, 3), (1, 2, 3, 4))}
    assert load(pickle.dumps(given, protocol)) == given


@pytest.mark.parametrize("protocol", [3, 4])
def test_bytes_and_long_texts(protocol: int) -> None:
    given = {"bytes": b"ab", "more": bytes(300), "text": "x" * 300}
    assert load(pickle.dumps(given, protocol)) == given


@pytest.mark.parametrize("dtype", ["u1", "u2", "<i4", ">i4", "i8", "f2", ">f4", "f8", "?"])
@pytest.mark.parametrize("old", [False, True], ids=["numpy 2", "numpy 1"])
def test_arrays_of_both_numpys(dtype: str, *, old: bool) -> None:
    for array in (CODES.astype(dtype), np.asfortranarray(CODES.astype(dtype)), np.array(3).astype(dtype)):
        data = as_numpy_1(pickle.dumps({"x": array}, 3)) if old else pickle.dumps({"x": array}, 4)
        found = load(data)["x"]
        assert np.array_equal(found, array)
        assert found.dtype.isnative
        assert found.dtype == array.dtype.newbyteorder("=")


def test_numbers_of_numpy_become_plain() -> None:
    found = load(pickle.dumps([np.float32(-23.5), np.int64(7)], 4))
    assert found == [-23.5, 7]
    assert type(found[1]) is int


def test_an_array_of_objects_is_their_list() -> None:
    given = np.empty((), object)
    given[()] = {"codes": CODES}
    (found,) = load(pickle.dumps(given, 4))
    assert np.array_equal(found["codes"], CODES)


class Runs:
    """What runs a command when Python's unpickler meets it."""

    def __init__(self, call: Any, *arguments: Any) -> None:
        self.call, self.arguments = call, arguments

    def __reduce__(self) -> Any:
        return self.call, self.arguments


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize(
    "call",
    [(os.system, "touch ran"), (eval, "open('ran', 'w')"), (getattr, "x", "upper"), (exec, "open('ran', 'w')")],
    ids=["system", "eval", "getattr", "exec"],
)
def test_nothing_is_run(call: Any, protocol: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    error = refused(pickle.dumps({"codes": Runs(*call)}, protocol))
    assert error.code == "pickle-refused"
    assert not list(tmp_path.iterdir())
    if protocol != 5:
        assert call[0].__name__ in error.message


@pytest.mark.parametrize(
    "data",
    [
        b"cnumpy\nload\n.",
        b"cnumpy.core.multiarray\nfromfile\n.",
        b"c_codecs\nencode\n.",
        b"cbuiltins\nbytearray\n.",
        b"\x80\x04\x8c\x05numpy\x94\x8c\x0bndarray.foo\x93.",
        b"\x80\x04]]\x93.",
        b"(i__main__\nX\n.",
        b"(cos\nsystem\no.",
        b"\x80\x02\x82\x01.",
        b"Pid\n.",
        b"Q.",
        b"cnumpy\ndtype\n)\x81.",
        b"I1\n.",
        b"0.",
        b"2.",
    ],
)
def test_names_and_operations_that_are_not_needed(data: bytes) -> None:
    assert refused(data).code == "pickle-refused"


@pytest.mark.parametrize(
    "data",
    [
        b"cnumpy\nndarray\n)R.",
        b"cnumpy\ndtype\n\x8c\x02O8\x85R.",
        b"cnumpy\ndtype\n\x8c\x03f16\x85R.",
        b"cnumpy\ndtype\n\x8c\x0f[('a', '<f4')] \x85R.",
        b"cnumpy.core.multiarray\n_reconstruct\n\x8c\x01x\x85R.",
        b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\n\x85R.",
        b"}}b.",
        b"cnumpy\nndarray\n.",
    ],
)
def test_calls_with_other_arguments_than_numpys(data: bytes) -> None:
    assert refused(data).code in ("pickle-refused", "broken-file")


def test_a_memo_bomb_takes_no_time() -> None:
    bomb = b"\x80\x02](K\x01K\x02eq\x00" + b"".join(
        b"](" + b"h" + bytes([number]) + (b"h" + bytes([number])) * 40 + b"eq" + bytes([number + 1])
        for number in range(80)
    )
    started = time.process_time()
    load(bomb[:2] + b"(" + bomb[2:] + b"t.")
    assert time.process_time() - started < 1


def test_a_name_that_holds_itself_a_thousand_times_takes_no_time() -> None:
    nested = b")q\x00" + b"".join(b"h" + bytes([n]) + b"h" + bytes([n]) + b"\x86q" + bytes([n + 1]) for n in range(200))
    assert refused(b"\x80\x04(" + nested + b"K\x00\x93.").code == "pickle-refused"


def test_a_list_within_itself_is_refused() -> None:
    assert refused(b"\x80\x02]q\x00h\x00a.").code == "broken-file"


def test_endless_operations_are_refused() -> None:
    assert refused(b"(" * 50_000).code == "too-large"


@pytest.mark.parametrize(
    "operation", [b"B\xff\xff\xff\xff", b"\x8e" + b"\xff" * 8, b"X\xff\xff\xff\x7f", b"\x8d" + b"\xff" * 8]
)
def test_claimed_sizes_allocate_nothing(operation: bytes) -> None:
    assert refused(b"\x80\x04" + operation).code == "broken-file"


def of_shape(shape: bytes, content: bytes = b"C\x02ab") -> bytes:
    """An array whose shape is given by operations."""
    kind = b"cnumpy\ndtype\n\x8c\x02u1\x85R"
    return (
        b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\n\x85R(K\x01"
        + shape
        + kind
        + b"\x89"
        + content
        + b"tb."
    )


def test_shapes_that_do_not_fit_the_bytes() -> None:
    assert load(of_shape(b"K\x02\x85")).tolist() == list(b"ab")
    huge = b"\x8a\x09" + (1 << 64).to_bytes(9, "little")
    for shape in (
        b"K\x03\x85",
        huge + b"\x85",
        b"J\xff\xff\xff\xff\x85",
        b"(" + b"K\x01" * 40 + b"t",
        b"\x89\x85",
        b"]",
    ):
        assert refused(of_shape(shape)).code == "broken-file"


def test_bytes_that_several_arrays_share_are_refused() -> None:
    whole = of_shape(b"M\xe8\x03\x85", b"B" + struct.pack("<I", 1000) + bytes(1000) + b"q\x00")
    again = of_shape(b"M\xe8\x03\x85", b"h\x00")[:-1]
    assert "share their bytes" in refused(b"(" + whole[:-1] + again * 50 + b"t.").message
    assert "share their bytes" not in refused(whole[:-1] + b"X.").message


def test_memory_is_bounded() -> None:
    with limited_memory(1000):
        assert refused(pickle.dumps(np.zeros(2000, "u2"), 4)).code == "too-large"


def test_truncated_and_scrambled_pickles(chance: Any) -> None:
    file = io.BytesIO(pickle.dumps({"codes": CODES, "n": [1.5, "x"]}, 4))
    data = file.getvalue()
    for end in range(len(data)):
        assert refused(data[:end]).code in ("broken-file", "pickle-refused")
    assert refused(data + b".").code == "broken-file"
    for _ in range(500):
        broken = bytearray(data)
        for _ in range(3):
            broken[chance.randrange(len(broken))] = chance.randrange(256)
        try:
            load(bytes(broken))
        except ItemError as error:
            assert error.code in ("broken-file", "pickle-refused", "too-large")  # noqa: PT017
