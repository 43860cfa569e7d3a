"""Bounds on claims: exact at their edges, and each error names the file, the array and the figures."""

from __future__ import annotations

import pytest

from tonearm.errors import ItemError
from tonearm.reading import bounds
from tonearm.reading.bounds import ARRAY_BYTES, InflationBound


def refused(check: object, *given: object) -> ItemError:
    assert callable(check)
    with pytest.raises(ItemError) as caught:
        check(*given)
    assert caught.value.hint
    return caught.value


def test_a_small_amount_is_free_and_a_large_one_needs_stored_bytes() -> None:
    bound = InflationBound(free=1000, ratio=10)
    assert [bound.limit(stored) for stored in (0, 1, 100, 101)] == [1000, 1000, 1000, 1010]


def test_a_claim_is_refused_from_the_first_byte_beyond_the_bound() -> None:
    stored = ARRAY_BYTES.free  # so large that the ratio counts
    bounds.check_claimed_size("a.h5", "wav", ARRAY_BYTES.ratio * stored, stored)
    error = refused(bounds.check_claimed_size, "a.h5", "wav", ARRAY_BYTES.ratio * stored + 1, stored)
    assert error.code == "too-large"
    assert error.message == "'a.h5': 'wav' claims 53,687,091,201 bytes, but only 268,435,456 are stored"


def test_a_claim_below_the_free_amount_needs_no_bytes() -> None:
    bounds.check_claimed_size("a.h5", "wav", ARRAY_BYTES.free, 0)
    assert refused(bounds.check_claimed_size, "a.h5", "", ARRAY_BYTES.free + 1, 0).message.startswith("'a.h5' claims")


def test_compressed_data_may_be_a_little_longer_than_its_values() -> None:
    most = 8000 + 1000 + bounds.SLACK
    bounds.check_stored_size("a.zarr", "wav", 8000, most)
    error = refused(bounds.check_stored_size, "a.zarr", "wav", 8000, most + 1)
    assert error.code == "broken-file"
    assert error.message == "'a.zarr': 'wav' has 13,097 compressed bytes for 8,000 bytes of values"


def test_the_number_of_arrays_is_bounded() -> None:
    bounds.check_array_count("a", 1000, 1000)
    error = refused(bounds.check_array_count, "a", 1001, 1000)
    assert (error.code, error.message) == ("too-large", "'a' has more than 1,000 arrays")
