"""States of networks: pairs of inputs and outputs."""

from __future__ import annotations

import pytest
from network_headers import TOKENS, axes, plan, refusal, roles

from tonearm.api import SetOption

CODES = "codes int64 (batch, 8, frames)"
WAV = "wav float32 (batch, 1, samples)"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("state", "state_out"),
        ("cache_in", "cache_out"),
        ("h", "hn"),
        ("past.0", "present.0"),
        ("cache_0", "new_cache_0"),
    ],
)
def test_states_are_found_by_their_names(before: str, after: str) -> None:
    made = plan(TOKENS, f"{CODES};{before} float32 (2, batch, 64)", f"{WAV};{after} float32 (2, batch, 64)")
    assert made.has_state
    assert roles(made) == {"codes": "codes", before: "state", "wav": "waveform", after: "state"}
    assert made.inputs[1].state == after
    assert axes(made, before) == "fixed batch fixed"


def test_several_states_are_kept_apart() -> None:
    inputs = f"{CODES};h float32 (1, 1, 64);c float32 (1, 1, 64)"
    made = plan(TOKENS, inputs, f"{WAV};cn float32 (1, 1, 64);hn float32 (1, 1, 64)")
    assert [one.state for one in made.inputs] == ["", "hn", "cn"]


def test_whole_numbers_may_be_a_state() -> None:
    made = plan(TOKENS, f"{CODES};position int64 (1)", f"{WAV};new_position int64 (1)")
    assert roles(made)["position"] == roles(made)["new_position"] == "state"


def test_a_cache_that_grows_is_a_state() -> None:
    cache = "float32 (batch, 4, {}, 16)"
    inputs = f"{CODES};past_key_values.0.key {cache.format('past_sequence_length')}"
    made = plan(TOKENS, inputs, f"{WAV};present.0.key {cache.format('total_sequence_length')}")
    assert axes(made, "past_key_values.0.key") == "batch fixed frame fixed"


def test_a_size_may_be_open_on_one_side() -> None:
    made = plan(TOKENS, f"{CODES};state float32 (1, 64)", f"{WAV};state_out float32 (batch, ?)")
    assert made.inputs[1].state == "state_out"


def test_of_another_shape_or_type_is_no_state() -> None:
    for after in ("state_out float32 (2, 32)", "state_out float16 (2, 64)", "state_out float32 (2, 64, 1)"):
        error, message = refusal(TOKENS, f"{CODES};state float32 (2, 64)", f"{WAV};{after}")
        assert message == "nothing gives state float32 (2, 64)"
        assert error.code == "unclear-model"


def test_a_state_with_several_open_sizes_is_refused() -> None:
    state = "float32 (batch, what, 64)"
    _, message = refusal(TOKENS, f"{CODES};state {state}", f"{WAV};state_out {state}")
    assert message == "the state state float32 (batch, what, 64) has more than one size that is not fixed"


def test_states_of_any_name_are_given() -> None:
    inputs, outputs = f"{CODES};a float32 (1, 64)", f"{WAV};b float32 (1, 64)"
    error, message = refusal(TOKENS, inputs, outputs, inputs={"a": "state"})
    assert message == "no output has the name of the state a"
    assert SetOption("outputs", {"b": "state"}) in error.remedies
    made = plan(TOKENS, inputs, outputs, inputs={"a": "state"}, outputs={"b": "state"})
    assert made.inputs[1].state == "b"


def test_a_state_without_an_output_is_refused() -> None:
    error, message = refusal(TOKENS, f"{CODES};a float32 (1, 64)", WAV, inputs={"a": "state"})
    assert message == "no output has the name of the state a, nor its type and shape"
    assert SetOption("inputs", {"a": 0}) in error.remedies


def test_an_output_that_is_said_to_be_something_else_is_no_state() -> None:
    inputs, outputs = f"{CODES};state float32 (1, 64)", f"{WAV};state_out float32 (1, 64)"
    refusal(TOKENS, inputs, outputs, outputs={"state_out": "unused"})


def test_an_input_that_is_given_is_no_state() -> None:
    inputs, outputs = f"{CODES};state float32 (1, 64)", f"{WAV};state_out float32 (1, 64)"
    made = plan(TOKENS, inputs, outputs, inputs={"state": 0.5}, outputs={"state_out": "unused"})
    assert not made.has_state
