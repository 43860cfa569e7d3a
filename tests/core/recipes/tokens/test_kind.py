"""``kind: tokens``: what it knows before reading, its layouts by name, by base and spelled out, and its errors."""

import numpy as np
import pytest

import token_oracles as oracles
import tonearm
from array_options import array_options
from tonearm.api import Codebooks, CodecTokens, Context, TokenLayout
from tonearm.arrays import read_array
from tonearm.errors import ChooseOption, ItemError, SetOption
from tonearm.recipes.catalogue import Catalogue, CatalogueEntry, from_figures

KNOWN = Catalogue(
    TokenLayout,
    [
        *(CatalogueEntry("a", name, figures) for name, figures in oracles.LAYOUTS.items() if name != "orpheus"),
        CatalogueEntry("a", "orpheus", oracles.LAYOUTS["orpheus"] | {"other_form": "orpheus-text"}),
        CatalogueEntry("a", "known", oracles.LAYOUTS["dac"] | {"sample_rate": 44100, "samples_per_frame": 512}),
    ],
)


def kind_of(layout=None, **options):
    found = layout if layout is None or isinstance(layout, TokenLayout) else KNOWN.find(layout)
    return array_options(kind="tokens", layout=found, **options).kind


def context(told=None):
    return Context(catalogue=lambda _: KNOWN, on_warning=None if told is None else told.append)


def read(array, layout=None, *, lengths=None, **options):
    found = None if layout is None else KNOWN.find(layout)
    return list(read_array(array, array_options(kind="tokens", layout=found, **options), context(), lengths=lengths))


def problems(layout=None, axes=None, **options):
    return [(problem.option, problem.message) for problem in kind_of(layout, **options).problems(axes)]


def test_an_array_becomes_the_tokens_of_each_element():
    first, second = read(oracles.raw_of("qwen3_tts", "talker_batch_of_2"), "qwen", sample_rate=24000)
    wanted = oracles.codes_of("qwen3_tts", "talker_batch_of_2")
    assert isinstance(first, CodecTokens)
    np.testing.assert_array_equal(first.codes[0], wanted[0])
    np.testing.assert_array_equal(second.codes[0], wanted[1])
    assert (first.sample_rate, first.sizes) == (24000, (2048,) * 16)


def test_the_users_axes_lengths_and_rates_are_used():
    array = np.arange(24).reshape(2, 3, 4)
    found = read(
        array, "dac", axes=["batch", "frame", "book"], lengths=np.array([3, 1]), samples_per_frame=512, length=9
    )
    assert [tokens.codes.shape for tokens in found] == [(1, 4, 3), (1, 4, 1)]
    assert (found[0].samples_per_frame, found[0].length) == (512, 9)


def test_arrays_of_a_ragged_layout_are_one_signal():
    assert kind_of("snac").joins_arrays
    assert kind_of("snac").takes_rows
    assert not kind_of("dac").joins_arrays
    assert not kind_of().joins_arrays
    found = list(kind_of("snac").read_whole(oracles.raw_of("snac_ragged", "44k_tiny_book"), None, None, context()))
    assert [tokens.strides for tokens in found] == [(8, 4, 2, 1)] * 2


def test_scales_of_segments_are_an_option():
    scales = oracles.oracle("encodec_hf")["48k_chunks/scales"].tolist()
    (found,) = read(oracles.raw_of("encodec_hf", "48k_chunks"), "encodec-trimmed", scales=scales)
    assert (found.segments, found.scales) == ((30, 30, 30, 3), tuple(scales))


def test_what_is_known_before_an_array_is_read():
    spec = kind_of("known", length=1000).spec()
    assert (spec.signals, spec.sample_rate, spec.length) == ((CodecTokens,), 44100, 1000)
    assert spec.carried[Codebooks] == Codebooks(sample_rate=44100, samples_per_frame=512, size=1024)
    books = kind_of("orpheus", sample_rate=24000, samples_per_frame=2048).spec().carried[Codebooks]
    assert books == Codebooks(sizes=(4096,) * 3, sample_rate=24000, samples_per_frame=2048, strides=(4, 2, 1))
    assert kind_of().spec().carried[Codebooks] == Codebooks()


def test_text_is_read_by_the_layout_or_by_its_other_form():
    text = oracles.raw_of("orpheus", "text_with_code_0")
    for layout in ("orpheus-text", "orpheus"):
        (found,) = kind_of(layout).read_raw(text, context())
        for mine, theirs in zip(found.codes, oracles.codes_of("orpheus", "text_with_code_0"), strict=True):
            np.testing.assert_array_equal(mine[0], theirs)
    (found,) = kind_of("outetts").read_raw(oracles.raw_of("outetts", "text_two_chunks"), context())
    np.testing.assert_array_equal(found.codes[0], oracles.codes_of("outetts", "text_two_chunks")[0])


def test_what_is_left_out_is_a_warning():
    told = []
    list(kind_of("orpheus").read_raw(oracles.raw_of("orpheus", "ids_incomplete_last_frame"), context(told)))
    assert told == ["3 tokens of an unfinished last frame are left out"]


def test_one_array_in_order_is_read_as_codes():
    tokens = kind_of("dac").read(np.zeros((2, 9, 4), np.int32), context())
    assert tokens.codes.shape == (2, 9, 4)
    with pytest.raises(ItemError, match="channel 1, book 0, frame 0 is code 1024"):
        kind_of("dac").read(np.array([[[0]], [[1024]]]), context())


def test_without_a_layout_the_axes_alone_are_enough():
    (found,) = read(np.array([[1, 2], [3, 4], [5, 6]]), axes=["frame", "book"])
    assert found.codes.tolist() == [[[1, 3, 5], [2, 4, 6]]]


def test_without_layout_and_axes_those_that_fit_are_named():
    with pytest.raises(ItemError, match="codec tokens cannot be read without their layout") as caught:
        read(oracles.raw_of("kani", "whole_sequence"))
    assert caught.value.code == "no-layout"
    (remedy,) = caught.value.remedies
    assert isinstance(remedy, ChooseOption)
    assert remedy.values[0] == "kani"
    with pytest.raises(ItemError, match=r"layout: … \(the model family; tonearm layouts lists all\)"):
        read(np.array([[-5, 3]]))


@pytest.mark.parametrize(
    ("layout", "given", "wanted"),
    [
        ("dac", {}, []),
        (None, {}, []),
        ("known", {"sample_rate": 44100, "samples_per_frame": 512}, []),
        ("known", {"sample_rate": 48000}, ["'sample_rate' is part of the layout known, which has 44100"]),
        ("known", {"samples_per_frame": 320}, ["'samples_per_frame' is part of the layout known, which has 512"]),
        ("dac", {"axes": ["batch", "frame", "book"]}, []),
        ("dac", {"axes": ["batch", "time"]}, ["tokens have no time axis, only batch, channel, segment, book, frame"]),
        ("dac", {"axes": ["batch", "book"]}, ["axes names no frame axis"]),
        ("dac", {"axes": ["(batch book channel)", "frame"]}, []),
        ("orpheus", {"axes": ["token", "batch"]}, []),
        ("orpheus", {"axes": ["book", "frame"]}, ["tokens have no book axis, only batch, token"]),
        ("snac", {"axes": ["batch", "book"]}, ["tokens have no book axis, only batch, channel, frame"]),
        (None, {"axes": ["frame", "frame"]}, ["axes names frame twice"]),
    ],
)
def test_options_that_contradict_the_layout(layout, given, wanted):
    axes = given.get("axes")
    options = {name: value for name, value in given.items() if name != "axes"}
    assert [message for _, message in problems(layout, axes, **options)] == wanted


def test_another_rate_is_a_change_of_the_layout():
    (problem,) = kind_of("known", sample_rate=48000).problems(None)
    changed = {"base": "known", "sample_rate": 48000}
    assert problem.remedies == (SetOption("layout", changed, "if the model differs"),)


def test_a_layout_that_gives_no_sound_is_refused_before_anything_is_read():
    (problem,) = kind_of("spark").problems(None)
    assert problem.code == "needs-second-stream"
    assert problem.message == (
        "codec tokens in the layout spark cannot become sound: its decoder needs the streams semantic and global, and"
        " tokens hold one"
    )


def test_codes_of_a_layout_that_gives_no_sound_can_be_read():
    """What makes sound of them refuses them, but they may be written."""
    flow = from_figures(TokenLayout, {"interleave": [0], "refuses": "a flow-matching model comes before the sound"})
    assert list(kind_of(flow).problems(None)) == []
    (found,) = kind_of(flow).read_raw(np.array([1, 2]), context())
    assert found.codes.tolist() == [[[1, 2]]]


def pipeline(layout, folder):
    return {
        "tonearm": 1,
        "input": {"use": "npy-reader", "files": str(folder / "*.npy"), "with": {"kind": "tokens", "layout": layout}},
        "outputs": [{"use": "npy-writer", "file": "{stem}.npy"}],
    }


@pytest.mark.parametrize(
    "layout",
    [
        "dac-hf",
        "dac",
        {"base": "dac"},
        {"base": "dac", "axes": ["book", "frame"]},
        {"axes": ["book", "frame"], "size": [1024] * 9},
        {"base": "orpheus", "interleave": [*range(9)], "strides": [], "start_after": None, "drop": [], "offset": 0,
         "per_position": 0, "size": 1024, "codebooks": 9},
    ],
)  # fmt: skip
def test_a_layout_is_a_name_or_a_base_with_changes_or_spelled_out(layout, tmp_path):
    codes = np.random.default_rng(0).integers(0, 1024, (9, 20))
    options = tonearm.load_pipeline(pipeline(layout, tmp_path)).checked.decoder.plugin.options
    is_flat = options.kind.options.layout.form == "flat"
    (found,) = read_array(codes.T.reshape(-1) if is_flat else codes, options, context())
    np.testing.assert_array_equal(found.codes[0], codes)


@pytest.mark.parametrize(
    ("layout", "message"),
    [
        ("dacc", "there is no layout 'dacc'"),
        ({"base": "nothing"}, "there is no layout 'nothing'"),
        ({"base": "dac", "interleave": [0]}, "'interleave' has no meaning in a layout of arrays"),
        ({"axes": ["book"]}, "axes names no frame axis"),
        ({"axes": ["book", "frame"], "delay": [1]}, "delay"),
        ({"axes": ["book", "frame"], "end": {"book": 0}}, r"a mark is \{all: ID\} or \{book: BOOK, id: ID\}"),
        ({"axes": ["book", "frame"], "size": 0}, "size"),
    ],
)
def test_a_wrong_layout_is_found_before_anything_is_read(layout, message, tmp_path):
    with pytest.raises(tonearm.PipelineError, match=message):
        tonearm.load_pipeline(pipeline(layout, tmp_path))
