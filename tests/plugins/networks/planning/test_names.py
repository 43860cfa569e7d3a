"""Meanings of names of inputs, outputs and axes."""

from __future__ import annotations

import pytest

from tonearm_plugins.networks.planning.names import axis_named, numbers, state_key, words


@pytest.mark.parametrize(
    ("name", "axis"),
    [
        *((name, "batch") for name in ("batch", "batch_size", "N", "B", "bs", "batchSize")),
        *((name, "frame") for name in ("frames", "mel_frames", "n_frames", "T", "time", "seq_len", "sequence_length")),
        *((name, "frame") for name in ("frames2", "frames4", "num_frames", "codes_length", "past_sequence_length")),
        *((name, "book") for name in ("codebooks", "num_codebooks", "n_q", "nq", "K", "quantizers")),
        *((name, "band") for name in ("n_mels", "mels", "bands", "channels")),
        *((name, "bin") for name in ("bins", "freq", "num_freqs")),
        *((name, "sample") for name in ("samples", "n_samples", "sample_length", "num_samples")),
        *((name, "segment") for name in ("segments", "chunks", "nb_frames")),
        *((name, None) for name in ("unk__12", "Tanhaudio_dim_2", "Convmel_dim_1", "s0", "what")),
    ],
)
def test_axes_by_their_names(name: str, axis: str | None) -> None:
    assert axis_named(name) == axis


def test_words_are_parted_by_anything_but_letters_and_digits() -> None:
    assert words("decoder/melSpec.f0_in-2") == {"decoder", "mel", "spec", "f0", "in", "2"}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("state", "state_out"),
        ("state_in", "state_out"),
        ("stateIn", "stateOut"),
        ("states", "next_states"),
        ("cache_0", "new_cache_0"),
        ("h", "hn"),
        ("h0", "hn"),
        ("h_0", "h_n"),
        ("c_in", "c_out"),
        ("past_key_values.0.key", "present.0.key"),
        ("past.3", "present.3"),
        ("prev_hidden", "hidden"),
    ],
)
def test_names_of_states_pair(before: str, after: str) -> None:
    assert state_key(before) == state_key(after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("cache_0", "new_cache_1"),
        ("h0", "cn"),
        ("state", "cache_out_2"),
        ("mel", "wav"),
        ("past.0.key", "present.0.value"),
    ],
)
def test_names_of_other_states_do_not_pair(before: str, after: str) -> None:
    assert state_key(before) != state_key(after)


def test_numbers_in_names() -> None:
    assert numbers("audio_codes.12") == (12,)
    assert numbers("layer3.code_0") == (3, 0)
    assert numbers("codes") == ()
