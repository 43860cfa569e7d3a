"""Raw tokens as signals: what layout and options know, and elements without sound."""

import numpy as np
import pytest

import token_oracles as oracles
from tonearm.errors import ItemError
from tonearm.recipes.catalogue import from_figures
from tonearm.recipes.tokens.layout import TokenLayout
from tonearm.recipes.tokens.reading import read_tokens


def layout_of(name, **figures):
    return from_figures(TokenLayout, oracles.LAYOUTS[name] | figures)


def test_tokens_know_the_codec_of_the_layout():
    layout = layout_of("orpheus", sample_rate=24000, samples_per_frame=2048)
    (tokens,) = read_tokens(layout, oracles.raw_of("orpheus", "ids_plain"))
    assert (tokens.sample_rate, tokens.samples_per_frame, tokens.strides) == (24000, 2048, (4, 2, 1))
    assert (tokens.sizes, tokens.frames, tokens.length) == ((4096, 4096, 4096), 12, None)


def test_what_the_layout_leaves_open_is_given():
    layout = layout_of("dac")
    first, second = read_tokens(
        layout, oracles.raw_of("dac_hf", "nine_books"), sample_rate=44100, samples_per_frame=512, length=9999
    )
    assert (first.sample_rate, first.samples_per_frame, second.length) == (44100, 512, 9999)
    assert first.sizes == (1024,) * 9
    (own,) = read_tokens(
        layout_of("dac", sample_rate=44100, samples_per_frame=512), np.zeros((9, 3), int), sample_rate=8
    )
    assert own.sample_rate == 44100


def test_padding_cuts_the_sound_rather_than_the_codes():
    layout = layout_of("qwen-padded", samples_per_frame=1920)
    found = list(read_tokens(layout, oracles.raw_of("qwen3_tts", "padded_batch")))
    assert [tokens.length for tokens in found] == oracles.oracle("qwen3_tts")["padded_batch/samples"].tolist()
    assert [tokens.frames for tokens in found] == [20, 20]
    (_, given) = read_tokens(layout, oracles.raw_of("qwen3_tts", "padded_batch"), length=77)
    assert given.length == 77


def test_segments_have_their_scales():
    scales = oracles.oracle("encodec_hf")["48k_chunks/scales"].tolist()
    (tokens,) = read_tokens(layout_of("encodec-trimmed"), oracles.raw_of("encodec_hf", "48k_chunks"), scales=scales)
    assert tokens.segments == (30, 30, 30, 3)
    assert tokens.scales == tuple(scales)


def test_streams_are_channels():
    layout = from_figures(TokenLayout, {"interleave": [0], "streams": 2})
    (tokens,) = read_tokens(layout, np.array([1, 10, 2, 20]))
    assert tokens.codes.tolist() == [[[1, 2]], [[10, 20]]]


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("qwen", oracles.raw_of("qwen3_tts", "talker_stop_at_once")),
        ("kani", np.array([64401, 64402])),
        ("orpheus", np.array([128257, 128266, 128258])),
        ("qwen-padded", np.full((1, 3, 16), -1)),
    ],
)
def test_tokens_that_end_at_once_are_no_sound(name, raw):
    with pytest.raises(ItemError, match="the tokens end before the first whole frame") as caught:
        list(read_tokens(layout_of(name), raw))
    assert caught.value.code == "no-tokens"


def test_an_element_without_sound_leaves_the_others():
    raw = np.concatenate([oracles.raw_of("qwen3_tts", f"talker_{case}") for case in ("stop_at_once", "no_stop")])
    first, second = read_tokens(layout_of("qwen"), raw)
    assert first.message == "element 0 of the batch: the tokens end before the first whole frame, so there is no sound"
    assert second.frames == 30
    (third, _) = read_tokens(layout_of("kani"), [np.array([64410 + 5000]), np.array([64410, 68442, 72474, 76506])])
    assert third.message.startswith("element 0 of the batch: the sequence ends in mid-frame")
