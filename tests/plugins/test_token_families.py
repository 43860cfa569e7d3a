"""Families of models whose own code was not run: each writes codes as its project describes, and its layout reads them.

What a model writes is built here from the descriptions alone, place by place, with other ids wherever no code stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from tonearm.api import CodecTokens, ItemError, TokenLayout
from tonearm.plugins.registry import default
from tonearm.recipes.tokens.reading import read_tokens

Array = np.ndarray[Any, Any]
CATALOGUE = default().catalogue(TokenLayout)
RNG = np.random.default_rng(20)


def codes_of(*shape: int, size: int = 1024) -> Array:
    """Return random codes, the least and the greatest among them."""
    codes = RNG.integers(0, size, shape)
    codes.reshape(-1)[:2] = 0, size - 1
    return codes


def delayed(codes: Array, delays: Sequence[int], steps: int, *, front: int, behind: int) -> Array:
    """Return codes (books, frames) with each book later by its delay, as (books, steps)."""
    found = np.full((len(codes), steps), behind)
    for row, delay, book in zip(found, delays, codes, strict=True):
        row[:delay] = front
        row[delay : delay + len(book)] = book
    return found


def read(name: str, raw: Any, **changed: Any) -> list[CodecTokens]:
    """Return the tokens of each element of a batch, by a layout of that name."""
    layout = CATALOGUE.find(name)
    found = list(read_tokens(TokenLayout(**_fields(layout) | changed) if changed else layout, raw))
    errors = [one for one in found if isinstance(one, ItemError)]
    assert errors == []
    return [one for one in found if isinstance(one, CodecTokens)]


def _fields(layout: TokenLayout) -> dict[str, Any]:
    return {name: getattr(layout, name) for name in layout.__struct_fields__}


def check(found: Sequence[CodecTokens], *elements: Array) -> None:
    """Compare the codes of each element, (books, frames) or (channels, books, frames)."""
    assert len(found) == len(elements)
    for one, wanted in zip(found, elements, strict=True):
        assert not isinstance(one.codes, tuple)
        assert one.codes.dtype == np.int32
        np.testing.assert_array_equal(one.codes, wanted if wanted.ndim == 3 else wanted[None])


def raises(code: str, *words: str) -> Any:
    """Return the context in which an error of this code, with these words, is raised."""
    return pytest.raises(ItemError, match="(?s)" + ".*".join(words), check=lambda error: error.code == code)


# ---------------------------------------------------------------- EnCodec, DAC, SNAC and other codecs


@pytest.mark.parametrize("name", ["encodec-original", "dac-hf-16khz", "dac-hf-24khz", "dac-hf-44khz-16kbps", "xcodec"])
@pytest.mark.parametrize("books", [2, 12])
def test_a_codec_gives_batch_book_frame(name: str, books: int) -> None:
    codes = codes_of(2, books, 11)
    found = read(name, codes)
    check(found, codes[0], codes[1])
    assert found[0].sample_rate == CATALOGUE.find(name).sample_rate
    assert found[0].samples_per_frame == 320 or name == "dac-hf-44khz-16kbps"
    assert found[0].sizes == (1024,) * books


def test_encodec_at_48_khz_gives_segments_and_only_the_true_frames_of_the_last() -> None:
    codes = codes_of(3, 1, 8, 150)
    whole = codes[:, 0].transpose(1, 0, 2).reshape(8, 450)
    (found,) = read("encodec-hf-48khz", codes)
    check([found], whole)
    assert (found.segments, found.sample_rate) == ((150, 150, 150), 48000)
    (cut,) = read_tokens(CATALOGUE.find("encodec-hf-48khz"), codes, lengths=np.array([320]))
    assert isinstance(cut, CodecTokens)
    check([cut], whole[:, :320])
    assert cut.segments == (150, 150, 20)


def test_encodec_at_24_khz_has_one_segment_and_a_batch() -> None:
    codes = codes_of(1, 2, 4, 9)
    found = read("encodec", codes)
    check(found, codes[0, 0], codes[0, 1])
    assert found[0].segments is None


@pytest.mark.parametrize(
    ("name", "counts"), [("snac-24k", (1, 2, 4)), ("snac-32k", (1, 2, 4, 8)), ("snac-44k", (1, 2, 4, 8))]
)
def test_snac_gives_an_array_a_level(name: str, counts: Sequence[int]) -> None:
    levels = [codes_of(1, 5 * count, size=4096) for count in counts]
    (found,) = read(name, levels)
    assert isinstance(found.codes, tuple)
    for level, wanted in zip(found.codes, levels, strict=True):
        np.testing.assert_array_equal(level, wanted)
    assert found.codebooks.codes_per_frame == tuple(counts)
    with raises("bad-levels", "coarse level first"):
        read(name, levels[::-1])


@pytest.mark.parametrize("axes", [(1, 30), (1, 1, 30)])
def test_wavtokenizer_puts_its_book_first(axes: tuple[int, ...]) -> None:
    codes = codes_of(*axes, size=4096)
    check(read("wavtokenizer", codes), codes.reshape(1, 30))
    check(read("wavtokenizer-three-axes", codes), codes.reshape(1, 30))
    rates = {name: read(name, codes)[0].samples_per_frame for name in ("wavtokenizer-40hz", "wavtokenizer-75hz")}
    assert rates == {"wavtokenizer-40hz": 600, "wavtokenizer-75hz": 320}
    assert read("wavtokenizer", codes)[0].samples_per_frame is None


def test_a_batch_of_wavtokenizer_stands_behind_the_book() -> None:
    codes = codes_of(1, 3, 30, size=4096)
    check(read("wavtokenizer-three-axes", codes), *codes.transpose(1, 0, 2))


@pytest.mark.parametrize("books", [8, 3])
def test_speechtokenizer_puts_books_first(books: int) -> None:
    codes = codes_of(books, 2, 20)
    check(read("speechtokenizer", codes), codes[:, 0], codes[:, 1])


# ---------------------------------------------------------------- delays


def audiocraft(codes: Array) -> Array:
    """Return the sequence inside MusicGen: one column of 2048 in front, delays 0 … 3, 2048 outside the pattern."""
    rows = delayed(codes, range(4), codes.shape[1] + 3, front=2048, behind=2048)
    return np.concatenate([np.full((4, 1), 2048), rows], axis=1)


@pytest.mark.parametrize(("name", "rate", "samples"), [("musicgen-audiocraft", 32000, 640), ("audiogen", 16000, 320)])
def test_audiocraft(name: str, rate: int, samples: int) -> None:
    codes = codes_of(2, 4, 17, size=2048)
    found = read(name, np.stack([audiocraft(one) for one in codes]))
    check(found, codes[0], codes[1])
    assert (found[0].sample_rate, found[0].samples_per_frame) == (rate, samples)
    check(read(f"{name}-codes", codes), codes[0], codes[1])


def test_audiocraft_in_stereo_has_left_and_right_in_turn() -> None:
    left, right = codes_of(4, 17, size=2048), codes_of(4, 17, size=2048)
    inside = np.stack([audiocraft(left), audiocraft(right)], axis=1).reshape(1, 8, -1)
    both = np.stack([left, right])
    check(read("musicgen-audiocraft-stereo", inside), both)
    check(read("musicgen-audiocraft-stereo-codes", both.transpose(1, 0, 2).reshape(1, 8, 17)), both)
    by_time = np.empty((1, 4, 34), int)
    by_time[0, :, 0::2], by_time[0, :, 1::2] = left, right
    check(read("musicgen-audiocraft-stereo-by-time", by_time), both)


def test_musicgen_of_transformers_that_stopped_early_keeps_every_whole_frame() -> None:
    """Nothing masks the corner of a sequence that stopped before its greatest length: it holds what the model drew."""
    codes = codes_of(4, 20, size=2048)
    steps = 12
    raw = np.concatenate(
        [np.full((4, 1), 2048), delayed(codes, range(4), 23, front=2048, behind=2048)[:, :steps]], axis=1
    )
    raw[1:, 1:2] = 77  # unmasked
    check(read("musicgen", raw), codes[:, : steps - 3])


@pytest.mark.parametrize("channels", [1, 2])
def test_a_stereo_batch_of_transformers(channels: int) -> None:
    codes = codes_of(2, channels, 4, 9, size=2048)
    rows = [
        audiocraft(codes[element, channel])[book]
        for element in range(2)
        for book in range(4)
        for channel in range(channels)
    ]
    check(read("musicgen-stereo" if channels == 2 else "musicgen", np.stack(rows)), *codes)


def test_parler_drops_the_frames_that_hold_a_special_id() -> None:
    """Column 0 is 1025, book k starts at column k + 1, and an end rides down the books."""
    first, second = codes_of(9, 16), codes_of(9, 16)
    second[3, 5] = 1024  # a special inside: that frame alone goes
    raw = np.concatenate(
        [
            np.concatenate([np.full((9, 1), 1025), delayed(codes, range(9), 24, front=1025, behind=1024)], axis=1)
            for codes in (first, second)
        ]
    )
    short = delayed(first[:, :10], range(9), 24, front=1025, behind=1024)  # ends after 10 frames
    raw = np.concatenate([raw, np.concatenate([np.full((9, 1), 1025), short], axis=1)])
    check(read("parler", raw), first, np.delete(second, 5, axis=1), first[:, :10])


MOSHI = (0, 1, 1, 1, 1, 1, 1, 1)


def test_moshi_and_its_text_row() -> None:
    own, user = codes_of(8, 21, size=2048), codes_of(8, 21, size=2048)
    rows = [delayed(codes, MOSHI, 22, front=2048, behind=-2) for codes in (own, user)]
    raw = np.concatenate([RNG.integers(0, 32000, (1, 22)), *rows])
    check(read("moshi", rows[0]), own)
    check(read("moshi-mimi-with-text-row", raw), own)
    check(read("moshi-mimi-with-text-row", raw[:9]), own)
    check(read("moshi-mimi-user", raw), user)
    with raises("wrong-books", "17 books", "has 8"):
        read("moshi", raw)


def test_steps_of_moshi_are_aligned_already() -> None:
    codes = codes_of(2, 8, 13, size=2048)
    text = RNG.integers(0, 32000, (2, 1, 13))
    check(read("moshi-mimi-steps", np.concatenate([text, codes], axis=1)), codes[0], codes[1])


@pytest.mark.parametrize("batch", [1, 3])
def test_moshi_of_transformers(batch: int) -> None:
    codes = codes_of(batch, 8, 14, size=2048)
    rows = [delayed(one, MOSHI, 15, front=2048, behind=2048) for one in codes]
    raw = np.concatenate([np.full((batch, 8, 1), 2048), np.stack(rows)], axis=2)
    assert raw.shape == (batch, 8, 14 + 2)
    check(read("moshi-hf", raw), *codes)
    check(read("moshi-hf", raw[0]), codes[0])


def test_csm_of_transformers_ends_each_element_at_its_frame_of_zeros() -> None:
    codes = codes_of(3, 12, 32, size=2048)
    codes[0, 4, :31] = 0  # the last book is not 0: a frame like any other
    codes[1, 7], codes[1, 8:] = 0, 2050
    codes[2, 11] = 0
    found = read("csm-hf", codes)
    check(found, codes[0].T, codes[1, :7].T, codes[2, :11].T)


def test_csm_does_not_let_its_other_ids_pass() -> None:
    codes = codes_of(12, 32, size=2048)
    codes[3, 9] = 2049
    with raises("bad-token", "book 9, frame 3", "2049"):
        read("csm", codes)


def higgs(codes: Array, *, ended: bool) -> Array:
    """Return what the model writes: a step of 1024, delays 0 … 7, ends that ride down to a whole step of 1025."""
    steps = delayed(codes, range(8), codes.shape[1] + 8, front=1024, behind=1025)
    raw = np.concatenate([np.full((8, 1), 1024), steps], axis=1).T
    return raw if ended else raw[: codes.shape[1] + 1]


def test_higgs_of_transformers_reads_from_the_last_start_to_the_first_end() -> None:
    codes = codes_of(8, 24)
    raw = higgs(codes, ended=True)
    prompt = np.concatenate([codes_of(6, 8), raw, np.full((3, 8), 1025)])
    check(read("higgs-hf", np.stack([prompt])), codes)
    stopped = higgs(codes, ended=False)
    check(read("higgs-hf", stopped[None]), codes[:, : 24 - 7])


DIA = (0, 8, 9, 10, 11, 12, 13, 14, 15)


def dia(codes: Array, steps: int) -> Array:
    """Return the steps of one element: 1026 in front, 1024 behind each book, 1025 behind that."""
    raw = delayed(codes, DIA, steps, front=1026, behind=1025)
    for row, delay in zip(raw, DIA, strict=True):
        row[delay + codes.shape[1] : delay + codes.shape[1] + 1] = 1024
    return np.concatenate([np.full((1, 9), 1026), raw.T])


def test_dia_of_transformers_cuts_by_place() -> None:
    long, short = codes_of(9, 25), codes_of(9, 11)
    raw = np.stack([dia(long, 41), dia(short, 41)])
    check(read("dia-hf", raw), long, short)
    raw[1, 20, 0] = 1025  # a padding id behind the end of the first book changes nothing
    check(read("dia-hf", raw), long, short)
    raw[0, 5, 0] = 1025  # within the sound it is an error
    (broken, whole) = read_tokens(CATALOGUE.find("dia-hf"), raw)
    assert isinstance(broken, ItemError)
    assert broken.message.startswith("element 0 of the batch: book 0, frame 4 (step 5 of the array) is code 1025")
    assert isinstance(whole, CodecTokens)


def test_dia_with_a_voice_prompt_is_cut_before_its_first_generated_step() -> None:
    prompt, codes = codes_of(9, 10), codes_of(9, 20)
    raw = dia(np.concatenate([prompt, codes], axis=1), 46)
    check(read("dia-dac44-prefill", raw, columns=(11, 0)), codes)


def test_zonos_ends_each_element_at_its_own_end() -> None:
    codes = codes_of(2, 9, 19)
    raw = np.stack([delayed(one, range(1, 10), 28, front=1025, behind=1025) for one in codes])
    for book in range(9):  # the end of the second element rides down, and zeros or unwritten places follow
        raw[1, book, 8 + book + 1] = 1024
        raw[1, book, 8 + book + 2 :] = -1 if book % 2 else 0
    check(read("zonos", raw), codes[0], codes[1, :, :8])


# ---------------------------------------------------------------- frames first


def test_moss_ttsd_takes_the_offset_off_its_first_book_alone() -> None:
    long, short = codes_of(8, 18), codes_of(8, 9)
    raw = np.full((2, 25, 8), 1024)
    raw[:, :, 0] = 151643  # padding of the text
    for element, codes in enumerate((long, short)):
        for book, row in enumerate(codes):
            raw[element, book : book + len(row), book] = row + (151665 if book == 0 else 0)
    check(read("moss-ttsd", raw), long, short)


def test_moss_ttsd_1_and_its_column_of_text() -> None:
    codes = codes_of(32, 15)
    raw = delayed(codes, range(32), 46, front=1024, behind=1024).T
    check(read("moss-ttsd-v1", raw), codes)
    text = RNG.integers(0, 151643, (46, 1))
    check(read("moss-ttsd-xy-v1-with-text-column", np.concatenate([text, raw], axis=1)), codes)


def test_a_padded_batch_of_qwen3_ends_with_the_sound_of_each_element() -> None:
    codes = codes_of(2, 12, 16, size=2048)
    codes[0, :, 0] = 1
    raw = codes.copy()
    raw[1, 7:] = -1
    found = read("qwen3-tts-12hz-padded", raw)
    wanted = np.where(raw == -1, 0, raw)
    check(found, wanted[0].T, wanted[1].T)
    assert [one.length for one in found] == [12 * 1920, 7 * 1920]


def test_an_item_of_qwen3_is_read_with_and_without_its_batch() -> None:
    codes = codes_of(9, 16, size=2048)
    ended = np.concatenate([codes, np.full((1, 16), 2150), codes_of(3, 16, size=2048)])
    for name in ("qwen3-tts", "qwen3-tts-12hz-item"):
        check(read(name, codes), codes.T)
        check(read(name, ended), codes.T)


def test_fish_speech_inside_the_model_has_a_row_of_ids_and_an_end() -> None:
    codes = codes_of(10, 14)
    raw = np.concatenate([codes[:1] + 151678, codes])
    raw = np.concatenate([raw, np.full((11, 1), 151645)], axis=1)
    check(read("fish-speech-model-rows", raw), codes)
    with_prompt = np.concatenate([np.full((11, 6), 3), raw], axis=1)
    check(read("fish-speech-model-rows", with_prompt, columns=(6, 1)), codes)
    raw[4, 2] = -1
    with raises("bad-token", "book 3, frame 2", "at least 0"):
        read("fish-speech-model-rows", raw)


# ---------------------------------------------------------------- flat ids and text


@pytest.mark.parametrize("dtype", [np.uint16, np.uint32, np.int32, np.int64])
def test_yue_writes_two_tracks_in_turn_in_sections(dtype: type) -> None:
    voice, music = codes_of(1, 14), codes_of(1, 14)
    both = np.stack([voice[0], music[0]], axis=1).reshape(-1) + 45334
    text = RNG.integers(100, 30000, 9)
    first = [32001, 32016, *both[:16], both[0], 32002]  # one id too many: each section is cut to an even count
    second = [32001, 32016, *both[16:], 32002]
    raw = np.array([*text, *first, *text, *second, 2], dtype)
    check(read("yue-stage1", raw), np.stack([voice, music]))


def test_saved_tracks_of_yue_have_a_row_a_book() -> None:
    for name, books in (("yue-stage1-track", 1), ("yue-stage2-track", 8)):
        codes = codes_of(books, 40).astype(np.uint32)
        check(read(name, codes), codes)


@pytest.mark.parametrize("dtype", [np.uint16, np.uint32, np.int64])
def test_yue_stage_2_writes_eight_ids_a_frame(dtype: type) -> None:
    codes = codes_of(8, 12)
    raw: Array = (codes.T + 45334 + 1024 * np.arange(8)).reshape(-1).astype(dtype)
    check(read("yue", raw), codes)
    raw[8 * 3 + 2] -= 1024  # of the book before
    with raises("bad-token", "frame 3, position 2", "fits position 1"):
        read("yue", raw)
    with raises("incomplete-frame", "frame 2 has 5 of 8"):
        read("yue", raw[: 8 * 2 + 5])


@pytest.mark.parametrize("dtype", [np.uint16, np.int32, np.int64])
def test_bark_writes_two_coarse_books_in_turn_and_eight_fine_ones(dtype: type) -> None:
    coarse, fine = codes_of(2, 30), codes_of(8, 30)
    raw: Array = (coarse.T + np.array([10000, 10000 + 1024])).reshape(-1).astype(dtype)
    check(read("bark", raw), coarse)
    check(read("bark-fine", fine.astype(dtype)), fine)
    check(read("bark-fine", fine[:, None].astype(dtype)), fine)  # (8, 1, T), as the codec takes them
    raw[8] = 12048  # padding, which transformers makes code 0
    with raises("bad-token", "frame 4, position 0", "12048"):
        read("bark", raw)


def test_llasa_as_text_and_as_ids() -> None:
    codes = codes_of(1, 40, size=65536)
    marks = "".join(f"<|s_{code}|>" for code in codes[0])
    check(read("llasa", f"<|TEXT|> five of 5<|SPEECH_GENERATION_START|>{marks}<|SPEECH_GENERATION_END|>"), codes)
    ids = np.array([128000, 882, 128260, *(codes[0] + 128264), 128261])
    check(read("llasa-ids", ids), codes)
    check(read("xcodec2", codes.astype(np.int32)), codes)
    check(read("xcodec2", codes[0].astype(np.int32)), codes)
    with raises("bad-token", "mark 40 .65536"):
        read("llasa", f"{marks}<|s_65536|>")


def test_neutts_as_bare_codes() -> None:
    codes = codes_of(1, 40, size=65536)
    for dtype in (np.uint16, np.int32, np.int64):
        check(read("neutts-ids", codes[0].astype(dtype)), codes)


def test_texts_of_outetts_join_in_time() -> None:
    codes = codes_of(2, 10)
    marks = [f"<|c1_{first}|><|c2_{second}|>" for first, second in codes.T]
    text = "".join(f"word{place}<|t_0.{place}|>{mark}" for place, mark in enumerate(marks))
    check(read("outetts", text), codes)
    check(read("outetts", [text, "".join(marks)]), np.tile(codes, 2))
    with raises("incomplete-frame", "frame 2 lacks its mark of book 0"):
        read("outetts", "".join([*marks[:2], marks[2].partition(">")[2], *marks[3:]]))


STOPS: dict[str, tuple[Sequence[int], int]] = {
    "s3-chatterbox-cosyvoice": ([6562], 6561),
    "s3-cosyvoice1": ([4096], 4096),
    "s3-cosyvoice2": ([6561, 6562, 6563], 6561),
    "s3-cosyvoice3": ([6561, 6600, 6760], 6561),
}
"""Some of the ids that end each of them, and the number of its codes."""


@pytest.mark.parametrize("name", STOPS)
def test_s3_tokens_are_read_up_to_their_end(name: str) -> None:
    stops, size = STOPS[name]
    codes = codes_of(1, 33, size=size)
    check(read(name, codes[0]), codes)
    for stop in stops:
        check(read(name, np.array([*codes[0], stop, *codes[0]])), codes)


def test_chatterbox_starts_behind_its_mark_and_drops_other_specials() -> None:
    codes = codes_of(1, 33, size=6561)
    raw = [7, 8, 6561, *codes[0, :10], 8193, *codes[0, 10:], 6562, 5, 6562]
    check(read("chatterbox", np.array(raw)), codes)


def test_spark_needs_a_second_stream() -> None:
    with raises("needs-second-stream", "semantic ones and 32 global ones"):
        read("spark", "<|bicodec_global_1|><|bicodec_semantic_2|>")
