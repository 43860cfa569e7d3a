"""Codec tokens: rectangular and ragged, what they check, and their form in blocks."""

import numpy as np
import pytest

from tonearm.api import Codebooks, CodecTokens, Spec
from tonearm.errors import OptionError, SignalError
from tonearm.plugins.blocks import canonical_length, signal_of
from tonearm.plugins.ports import spec_of


def codes(*shape, dtype="int32"):
    return np.arange(np.prod(shape)).reshape(shape).astype(dtype)


def ragged(**changes):
    levels = [codes(1, 3), codes(1, 6) + 100, codes(1, 12) + 200]
    figures = {"sizes": 4096, "strides": [4, 2, 1], "sample_rate": 24000, "samples_per_frame": 2048}
    return CodecTokens(codes=levels, **figures | changes)


def test_one_size_is_that_of_all_books():
    tokens = CodecTokens(codes=codes(2, 4, 5), sizes=1024)
    assert tokens.sizes == (1024,) * 4
    assert (tokens.channels, tokens.books, tokens.frames) == (2, 4, 5)
    assert [level.shape for level in tokens.levels] == [(2, 5)] * 4


def test_ragged_levels_have_frames_of_the_coarsest():
    tokens = ragged()
    assert (tokens.channels, tokens.books, tokens.frames) == (1, 3, 3)
    assert tokens.codebooks.codes_per_frame == (1, 2, 4)
    assert tokens.sizes == (4096,) * 3
    assert tokens.arrays() == tokens.codes
    assert tokens.described()["layout"]["strides"] == [4, 2, 1]


@pytest.mark.parametrize(
    ("figures", "message"),
    [
        ({"codes": codes(4, 5)}, "a token array is (channels, books, frames), not an array of shape (4, 5)"),
        ({"codes": codes(1, 4, 5, dtype="float32")}, "a token array holds whole values, not float32"),
        ({"codes": codes(1, 4, 0)}, "the token array is empty: its shape is (1, 4, 0)"),
        ({"codes": codes(1, 4, 5), "sizes": (8, 8)}, "there are 2 sizes for 4 books"),
        ({"codes": codes(1, 4, 5), "sizes": (8, 8, 8, 0)}, "sizes of codebooks are [8, 8, 8, 0], not whole numbers"),
        ({"codes": codes(1, 4, 5), "strides": (2, 1)}, "codes with strides are one array for each level"),
        ({"codes": codes(1, 4, 5), "segments": (2, 2)}, "segments of [2, 2] frames are not 5 frames in all"),
        ({"codes": codes(1, 4, 5), "segments": (5, 0)}, "segments are of [5, 0] frames, and each needs at least 1"),
        ({"codes": codes(1, 4, 5), "scales": (1.0, 2.0)}, "there are 2 scales for 1 segments"),
        ({"codes": codes(1, 4, 5), "samples_per_frame": 0}, "samples_per_frame is 0, not a whole number"),
        ({"codes": codes(1, 4, 5), "length": 0}, "length is 0"),
        ({"codes": [codes(1, 3), codes(1, 6)], "strides": (1,)}, "there are 1 strides for 2 levels"),
        ({"codes": [codes(1, 3), codes(1, 5)], "strides": (2, 1)}, "levels have [3, 5] frames, but strides [2, 1]"),
        ({"codes": [codes(1, 3), codes(2, 6)], "strides": (2, 1)}, "levels have different numbers of channels"),
        ({"codes": [codes(1, 3), codes(1, 6)], "strides": (2, 2)}, "strides are [2, 2], not whole parts"),
    ],
)
def test_what_contradicts_itself_is_refused(figures, message):
    with pytest.raises(SignalError) as error:
        CodecTokens(**figures)
    assert message in error.value.message


def test_whole_numbers_of_other_types_become_int32_or_are_refused():
    assert CodecTokens(codes=codes(1, 4, 5, dtype="uint16")).codes.dtype == np.int32
    with pytest.raises(SignalError, match="codes reach 0 and 4294967295, which no codebook has"):
        CodecTokens(codes=np.array([[[0, 2**32 - 1]]], np.uint32))


def test_a_sample_rate_of_0_is_refused():
    with pytest.raises(OptionError, match="sample_rate is 0"):
        CodecTokens(codes=codes(1, 4, 5), sample_rate=0)


@pytest.mark.parametrize("tokens", [CodecTokens(codes=codes(2, 4, 5), sizes=1024, samples_per_frame=640), ragged()])
def test_blocks_make_the_same_tokens_again(tokens):
    spec = spec_of(tokens)
    assert spec.carried[Codebooks] == tokens.codebooks
    again = signal_of(spec, tokens.block_array())
    assert again.codebooks == tokens.codebooks
    for mine, theirs in zip(tokens.arrays(), again.arrays(), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_a_block_of_ragged_levels_holds_the_codes_of_whole_frames():
    np.testing.assert_array_equal(ragged().block_array()[0, :, 1], [1, 102, 103, 204, 205, 206, 207])


@pytest.mark.parametrize(("samples", "frames"), [(640, 3), (2048, 1), (4096, 1), (None, 1)])
def test_a_canonical_block_spans_as_many_samples_as_one_of_sound(samples, frames):
    carried = {Codebooks: Codebooks(samples_per_frame=samples)}
    assert canonical_length(Spec(signals=(CodecTokens,), carried=carried)) == frames
