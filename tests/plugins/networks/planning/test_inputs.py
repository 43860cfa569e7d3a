"""Inputs beside the signal: lengths, factors of segments, and what the options give."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace
from network_headers import LATENTS, MEL, TOKENS, axes, plan, refusal, roles, tensor

from tonearm.api import GiveOption, SetOption
from tonearm_plugins.networks.options import InputFile
from tonearm_plugins.networks.planning.inputs import example_of

CODES = "codes int64 (batch, 8, frames)"
MELS = "mel float32 (batch, 80, frames)"
F0 = InputFile(file="f0/{stem}.npy")


@pytest.mark.parametrize("name", ["lengths", "x_lengths", "input_lengths", "codes_len", "melLens"])
@pytest.mark.parametrize("shape", ["(batch)", "()", "(1)"])
def test_lengths_are_known_by_their_names(name: str, shape: str) -> None:
    assert roles(plan(TOKENS, f"{CODES};{name} int64 {shape}"))[name] == "length"
    assert roles(plan(MEL, f"{MELS};{name} int32 {shape}"))[name] == "length"


def test_a_number_of_frames_is_a_length() -> None:
    assert roles(plan(TOKENS, f"{CODES};n_frames int64 ()"))["n_frames"] == "length"
    refusal(TOKENS, f"{CODES};n_frames float32 ()")
    refusal(TOKENS, f"{CODES};frames int64 (4, 4, 4, 4, 4)")


@pytest.mark.parametrize("name", ["audio_scales", "scale"])
def test_factors_of_segments_are_known_by_their_names(name: str) -> None:
    assert roles(plan(TOKENS, f"{CODES};{name} float32 (batch, 1)"))[name] == "scale"
    _, message = refusal(MEL, f"{MELS};{name} float32 (batch, 1)")  # codecs alone have them
    assert message == f"nothing gives {name} float32 (batch, 1)"


def test_a_mask_lets_all_frames_through() -> None:
    made = plan(MEL, f"{MELS};x_mask float32 (batch, 1, frames)")
    assert (made.inputs[1].role, made.inputs[1].given) == ("given", 1)
    assert axes(made, "x_mask") == "batch one frame"
    refusal(MEL, f"{MELS};key_padding_mask bool (batch, frames)")  # 1 may stand for what is left out


@pytest.mark.parametrize(
    ("one", "example"),
    [
        ("f0 float32 (batch, frames)", {"file": "f0/{stem}.npy"}),
        ("pitch float32 (batch, 1, frames)", {"file": "f0/{stem}.npy"}),
        ("noise_scale float32 (1)", 0),
        ("noise float32 (batch, 192, frames)", 0),
        ("length_scale float32 (1)", 1),
        ("speed float32 ()", 1),
        ("sid int64 (1)", 0),
        ("style float32 (1, 256)", {"file": "speakers/{stem}.npy"}),
        ("g float32 (batch, 256, 1)", {"file": "speakers/{stem}.npy"}),
        ("what float32 (7)", {"file": "values/{stem}.npy"}),
        ("what bool ()", 0),
    ],
)
def test_what_nothing_gives_is_asked_for(one: str, example: Any) -> None:
    error, message = refusal(MEL, f"{MELS};{one}")
    assert message == f"nothing gives {one}"
    name = one.split()[0]
    assert error.remedies == (SetOption("inputs", {name: example}),)
    assert (error.code, error.option) == ("unclear-model", "inputs")
    given = InputFile(file=example["file"]) if isinstance(example, dict) else example
    made = plan(MEL, f"{MELS};{one}", inputs={name: given})
    assert (made.inputs[1].role, made.inputs[1].given) == ("given", given)


def test_all_that_is_missing_is_asked_for_at_once_beside_what_is_given() -> None:
    inputs = f"{MELS};f0 float32 (batch, frames);sid int64 (1);noise_scale float32 ()"
    error, message = refusal(MEL, inputs, inputs={"sid": 3})
    assert message == "nothing gives f0 float32 (batch, frames) and noise_scale float32 ()"
    assert error.remedies == (SetOption("inputs", {"sid": 3, "f0": {"file": "f0/{stem}.npy"}, "noise_scale": 0}),)


def test_the_text_of_files_that_are_given_is_in_the_remedy() -> None:
    error, _ = refusal(MEL, f"{MELS};f0 float32 (batch, frames);sid int64 (1)", inputs={"f0": F0})
    assert error.remedies == (SetOption("inputs", {"f0": {"file": "f0/{stem}.npy"}, "sid": 0}),)


def test_states_of_odd_names_are_proposed_by_their_shapes() -> None:
    takes = f"{CODES};in_a float32 (2, batch, 16);in_b float32 (2, batch, 16)"
    gives = "wav float32 (batch, 1, n);o1 float32 (2, batch, 16);o2 float32 (2, batch, 16)"
    error, message = refusal(TOKENS, takes, gives)
    assert message == "nothing gives in_a float32 (2, batch, 16) and in_b float32 (2, batch, 16)"
    inputs, outputs = {"in_a": "state", "in_b": "state"}, {"o1": "state", "o2": "state"}
    assert error.remedies == (SetOption("inputs", inputs, also={"outputs": outputs}),)
    error, _ = refusal(TOKENS, takes, gives, inputs=inputs)
    assert error.remedies == (SetOption("outputs", outputs),)
    made = plan(TOKENS, takes, gives, inputs=inputs, outputs=outputs)
    assert [one.state for one in made.inputs] == ["", "o1", "o2"]


def test_a_list_has_as_many_numbers_as_its_input() -> None:
    style = f"{MELS};style float32 (batch, 3, 1)"
    assert roles(plan(MEL, style, inputs={"style": [1.0, 2.0, 3.0]}))["style"] == "given"
    error, message = refusal(MEL, style, inputs={"style": [1.0, 2.0]})
    assert message == "the input style float32 (batch, 3, 1) is given 2 numbers"
    assert (error.option, error.hint) == ("inputs", "give style 3 of them, or one number for all, under `inputs`")
    plan(MEL, f"{MELS};style float32 (batch, any)", inputs={"style": [1.0, 2.0]})


def test_codes_are_known_by_their_names_among_other_whole_numbers() -> None:
    made = plan(
        TOKENS,
        "ids int64 (batch, 8, frames);language int64 (1);what int64 (4)",
        inputs={"language": 1, "what": [1, 2, 3, 4]},
    )
    assert roles(made)["ids"] == "codes"
    made = plan(
        replace(TOKENS, books=None), "codes int64 (batch, 8, frames);other int64 (batch, 1)", inputs={"other": 2}
    )
    assert roles(made) == {"codes": "codes", "other": "given", "wav": "waveform"}


def test_the_mel_is_known_by_its_name_or_bands_among_other_floats() -> None:
    made = plan(MEL, "x float32 (batch, 80, frames);c float32 (batch, 7, 9)", inputs={"c": 0})
    assert roles(made)["x"] == "values"
    made = plan(MEL, "features float32 (batch, 7, 9);x float32 (batch, 80, frames)", inputs={"features": 0})
    assert roles(made)["x"] == "values"
    _, message = refusal(MEL, "features float32 (batch, 7, 9);x float32 (batch, 80, frames)")
    assert message == "nothing gives features float32 (batch, 7, 9)"


def test_roles_that_are_given_count_before_names() -> None:
    inputs = "lengths float32 (batch, 192, frames);mel int64 (1)"
    made = plan(LATENTS, inputs, inputs={"lengths": "values", "mel": "length"})
    assert roles(made) == {"lengths": "values", "mel": "length", "wav": "waveform"}


@pytest.mark.parametrize(
    ("wanted", "takes", "message"),
    [
        (
            MEL,
            "codes int64 (batch, 8, frames)",
            "a mel spectrogram of hifigan: its one input is not of floats with bands and frames",
        ),
        (TOKENS, "mel float32 (batch, 80, frames)", "codec tokens: its one input is not of whole numbers"),
        (TOKENS, "f0 float32 (1);sid float32 (1)", "codec tokens: none of its inputs is of whole numbers"),
        (LATENTS, "z float32 (192)", "latents: its one input is not of floats with bands and frames"),
        (LATENTS, "", "latents: none of its inputs is of floats with bands and frames"),
    ],
)
def test_what_does_not_take_the_signal_is_refused(wanted: Any, takes: str, message: str) -> None:
    error, found = refusal(wanted, takes)
    assert found == f"it does not take {message}"
    assert error.code == "model-mismatch"
    (remedy,) = error.remedies
    assert isinstance(remedy, GiveOption)
    assert remedy.option == "model"


def test_text_sequences_and_types_that_numpy_lacks_are_refused() -> None:
    for dtype in ("string", "sequence", "optional", "bfloat16", "float8e4m3fn", "int4"):
        _, message = refusal(TOKENS, f"{CODES};phonemes {dtype} (1)")
        assert message == f"the input phonemes {dtype} (1) takes no numbers that NumPy has"


def test_examples_of_values() -> None:
    assert example_of(tensor("duration float32 (3)")) == 1
    assert example_of(tensor("count uint8 (3)")) == 0
    assert example_of(tensor("padding_mask bool (batch, frames)")) == 1
