"""`tonearm.to_tokens`: text, ids, batches, levels and files, and the errors of what is none of them."""

import gc
import json
import sys
from pathlib import Path

import numpy as np
import pytest

import tonearm
from tonearm import CodecTokens, ItemError, PipelineError, TokenLayout, UsageError

DATA = Path(__file__).parents[2] / "data/tokens"
ORPHEUS = np.load(DATA / "orpheus.npz")
IDS = ORPHEUS["ids_plain/raw"]
SNAC = [ORPHEUS[f"ids_plain/codes.{level}"] for level in range(3)]


def is_snac(tokens, levels=SNAC):
    return all(
        np.array_equal(found, wanted.reshape(1, -1)) for found, wanted in zip(tokens.levels, levels, strict=True)
    )


@pytest.mark.parametrize("raw", [IDS, IDS.tolist(), tuple(IDS.tolist()), IDS.astype("u4"), IDS[None]])
def test_ids_of_any_sort(raw):
    tokens = tonearm.to_tokens(raw, layout="orpheus")
    assert isinstance(tokens, CodecTokens)
    assert is_snac(tokens)
    assert tokens.sample_rate == 24000


def test_a_tensor():
    torch = pytest.importorskip("torch")
    assert is_snac(tonearm.to_tokens(torch.tensor(IDS), layout="orpheus"))


@pytest.mark.parametrize(
    "batch",
    [
        [IDS.tolist(), IDS[:14].tolist()],
        [IDS, IDS[:14]],
        (IDS, IDS[:14].tolist()),
    ],
)
def test_a_batch_of_different_lengths_is_a_list_of_tokens(batch):
    first, second = tonearm.to_tokens(batch, layout="orpheus")
    assert is_snac(first)
    assert is_snac(second, [level[..., : 2 * count] for level, count in zip(SNAC, (1, 2, 4), strict=True)])


def test_a_padded_batch_with_its_lengths():
    batch = np.stack([IDS, np.concatenate([IDS[:14], np.zeros(len(IDS) - 14, IDS.dtype)])])
    first, second = tonearm.to_tokens(batch, layout="orpheus", lengths=[len(IDS), 14])
    assert is_snac(first)
    assert second.frames == 2


def test_text_and_several_texts_that_follow_one_another():
    text = str(ORPHEUS["text_plain/raw"])
    wanted = [ORPHEUS[f"text_plain/codes.{level}"] for level in range(3)]
    assert is_snac(tonearm.to_tokens(text, layout="orpheus"), wanted)
    assert is_snac(tonearm.to_tokens([text[:100], text[100:]], layout="orpheus"), wanted)


@pytest.mark.parametrize(
    "layout",
    [
        {"base": "orpheus", "offset": 128266},
        TokenLayout(interleave=(0, 1, 2, 2, 1, 2, 2), offset=128266, per_position=4096, size=4096, strides=(4, 2, 1)),
    ],
)
def test_a_layout_of_ones_own(layout):
    assert is_snac(tonearm.to_tokens(IDS, layout=layout))


def test_levels_are_one_signal():
    tokens = tonearm.to_tokens([level.reshape(1, -1) for level in SNAC], layout="snac-24k")
    assert is_snac(tokens)
    assert is_snac(tonearm.to_tokens([level.reshape(-1).tolist() for level in SNAC], layout="snac-24k"))


def test_files(tmp_path):
    np.save(tmp_path / "ids.npy", IDS)
    assert is_snac(tonearm.to_tokens(tmp_path / "ids.npy", layout="orpheus"))
    with (tmp_path / "ids.npy").open("rb") as file:
        assert is_snac(tonearm.to_tokens(file, layout="orpheus"))
    assert is_snac(tonearm.to_tokens({"ids": IDS}, layout="orpheus"))


def test_a_file_that_says_its_layout_itself():
    about = json.loads((DATA / "files/files.json").read_text())
    assert about
    tokens = tonearm.to_tokens(DATA / "files/24k_6kbps.ecdc")
    assert tokens.codes.shape[:2] == (1, 8)


def test_what_is_wrong_is_said_in_the_words_of_a_call():
    with pytest.raises(PipelineError, match="there is no layout 'orphes'"):
        tonearm.to_tokens(IDS, layout="orphes")
    with pytest.raises(ItemError, match="cannot be read without their layout") as missing:
        tonearm.to_tokens(IDS)
    assert missing.value.hint.startswith('layout="orpheus-snac24"')
    with pytest.raises(UsageError, match="there is no option 'lenghts' here"):
        tonearm.to_tokens(IDS, layout="orpheus", lenghts=[3])
    wrong = IDS.copy()
    wrong[8] = IDS[9]
    with pytest.raises(ItemError, match=r"position 8|token 8|book") as caught:
        tonearm.to_tokens(wrong, layout="orpheus")
    assert caught.value.code == "bad-token"


def test_an_element_that_fails_ends_the_call_and_leaves_nothing_behind(monkeypatch):
    ignored = []
    monkeypatch.setattr(sys, "unraisablehook", ignored.append)
    with pytest.raises(ItemError, match="element 0 of the batch"):
        tonearm.to_tokens([IDS[1:8], IDS], layout="orpheus")
    assert not ignored


def test_tokens_need_no_undoing():
    tokens = CodecTokens(codes=np.zeros((1, 4, 5), np.int32))
    with pytest.raises(UsageError, match="this is tokens 1×4×5, not what a model wrote") as caught:
        tonearm.to_tokens(tokens, layout="musicgen")
    assert caught.value.hint == "give it to tonearm.save as it is"


def test_a_file_of_sound_holds_no_tokens(tmp_path):
    tonearm.save(0.1 * np.sin(np.arange(800)), tmp_path / "a.wav", sample_rate=8000)
    with pytest.raises(UsageError, match="not tokens"):
        tonearm.to_tokens(tmp_path / "a.wav")


def test_warnings_are_those_of_python():
    with pytest.warns(tonearm.TonearmWarning, match="unfinished last frame"):
        tonearm.to_tokens(IDS[:-2], layout="orpheus")


def test_what_encodec_itself_returns():
    """A list of pairs, of the codes of a segment and the factor of each element of the batch."""
    codes = np.arange(2 * 4 * 9).reshape(2, 4, 9)
    first, second = tonearm.to_tokens([(codes, None)], layout="encodec-original")
    assert (first.codes.tolist(), second.codes.tolist()) == ([codes[0].tolist()], [codes[1].tolist()])
    pairs = [(codes, np.float32([[0.5], [0.25]])), (codes[..., :2], np.float32([[1], [2]]))]
    first, second = tonearm.to_tokens(pairs, layout="encodec-original-48khz")
    assert (first.segments, first.scales, second.scales) == ((9, 2), (0.5, 1.0), (0.25, 2.0))
    assert second.codes.tolist() == np.concatenate([codes[1:], codes[1:, :, :2]], axis=2).tolist()


def test_segments_without_an_axis():
    codes = np.arange(4 * 9).reshape(4, 9)
    tokens = tonearm.to_tokens(codes, layout="encodec-48khz", segments=[7, 2], scales=[0.5, 2])
    assert (tokens.segments, tokens.scales) == ((7, 2), (0.5, 2.0))
    with pytest.raises(tonearm.TonearmError, match=r"segments of \[7, 3\] frames are not 9 frames in all"):
        tonearm.to_tokens(codes, layout="encodec-48khz", segments=[7, 3])


def test_a_wrong_element_leaves_nothing_behind(monkeypatch):
    """A generator that is let go of amid a batch must not fail on its way out."""
    batch = np.full((2, 3, 4), [[[5000]], [[1]]]).repeat(8, axis=2)[..., :32]
    ignored = []
    monkeypatch.setattr(sys, "unraisablehook", ignored.append)
    with pytest.raises(ItemError, match="element 0 of the batch: book 0, frame 0 is code 5000") as caught:
        tonearm.to_tokens(batch, layout="csm-hf")
    del caught
    gc.collect()
    assert not ignored


@pytest.mark.parametrize("text", ["<|speech_1|><|speech_2|>", ["<|speech_1|>", "<|speech_2|>"]])
def test_functions_that_take_paths_say_what_becomes_of_text(text, tmp_path):
    with pytest.raises(UsageError, match="a string is a path here") as caught:
        tonearm.save(text, tmp_path / "a.npy", layout="neutts")
    assert "tonearm.to_tokens(text" in str(caught.value)
    tonearm.save(tonearm.to_tokens(text, layout="neutts"), tmp_path / "a.npy")
    assert np.load(tmp_path / "a.npy").tolist() == [[[1, 2]]]
