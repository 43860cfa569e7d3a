"""Outputs: waveforms and the parts of a spectrum."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from network_headers import LATENTS, axes, plan, refusal, roles, tensor

from tonearm.api import Advice, SetOption
from tonearm_plugins.networks.planning.outputs import FORMS, form_of, role_named

Z = "z float32 (batch, 192, frames)"
PART = "float32 (batch, 513, frames)"
FIGURES = {"hop_length": 64}


@pytest.mark.parametrize(
    ("name", "role"),
    [
        *((name, "magnitude") for name in ("mag", "magnitude", "spec_mag", "amplitude", "audio_mag")),
        *((name, "log_magnitude") for name in ("log_mag", "logmag", "log_amplitude", "logamp")),
        *((name, "phase") for name in ("phase", "pha", "angle", "spec_phase")),
        *((name, "real") for name in ("real", "spec_real", "stft_real", "re")),
        *((name, "imag") for name in ("imag", "imaginary", "im")),
        *((name, "x") for name in ("x", "cos")),
        *((name, "y") for name in ("y", "sin")),
        *((name, "complex") for name in ("stft", "complex_spec", "real_imag")),
        *((name, "waveform") for name in ("wav", "audio_values", "waveform", "recon", "speech")),
        *((name, None) for name in ("output", "spec", "out_a", "spectrum", "mag_phase", "42", "/Mul_7_output_0")),
    ],
)
def test_roles_by_names(name: str, role: str | None) -> None:
    assert role_named(tensor(f"{name} float32")) == role


@pytest.mark.parametrize("name", ["wav", "output", "/Mul_7_output_0", "y", "what"])
@pytest.mark.parametrize(
    "shape",
    [
        "",
        "(samples)",
        "(batch, samples)",
        "(batch, 1, samples)",
        "(?, ?, ?)",
        "(batch, 2, ?)",
        "(batch, ?, 1)",
        "(1, 1, 7680)",
    ],
)
def test_one_output_is_a_waveform_if_it_has_the_shape(name: str, shape: str) -> None:
    made = plan(LATENTS, Z, f"{name} float32 {shape}".rstrip())
    assert (made.form, roles(made)[name], made.grid) == ("waveform", "waveform", None)


@pytest.mark.parametrize(
    ("outputs", "form"),
    [
        (f"mag {PART};x {PART};y {PART}", "magnitude-x-y"),
        (f"mag {PART};cos {PART};sin {PART}", "magnitude-x-y"),
        (f"real {PART};imag {PART}", "real-imag"),
        (f"phase {PART};mag {PART}", "magnitude-phase"),
        (f"log_mag {PART};phase {PART}", "log-magnitude-phase"),
        ("stft float32 (batch, 2, 513, frames)", "complex"),
        ("spectrum float32 (batch, 1026, frames)", "complex"),
        ("spec float32 (batch, frames, 1026)", "complex"),
        ("output float32 (batch, 513, frames, 2)", "complex"),
        ("output float32 (513, frames, 2)", "complex"),
    ],
)
def test_parts_of_a_spectrum_are_known_together(outputs: str, form: str) -> None:
    made = plan(LATENTS, Z, outputs, **FIGURES)
    assert made.form == form
    assert made.grid is not None
    assert (made.grid.n_fft, made.grid.hop_length) == (1024, 64)


def test_fixed_sizes_behind_open_frames_are_no_samples() -> None:
    made = plan(LATENTS, Z, "real_imag float32 (batch, T, 1026)", **FIGURES)
    assert (made.form, axes(made, "real_imag")) == ("complex", "batch frame complex-bin")


def test_a_lone_output_may_have_the_name_of_a_part() -> None:
    made = plan(LATENTS, Z, "y float32 (batch, 513, T, 2)", **FIGURES)
    assert (made.form, axes(made, "y")) == ("complex", "batch bin frame complex")


def test_axes_of_parts() -> None:
    made = plan(LATENTS, Z, "real float32 (batch, frames, 513);imag float32 (batch, frames, 513)", **FIGURES)
    assert axes(made, "real") == axes(made, "imag") == "batch frame bin"


def test_outputs_beside_the_sound_are_not_used() -> None:
    made = plan(LATENTS, Z, f"audio float32 (batch, 1, samples);mag {PART};phase {PART}")
    assert roles(made) | {"z": "values"} == {"z": "values", "audio": "waveform", "mag": "unused", "phase": "unused"}
    made = plan(LATENTS, Z, "output float32 (batch, 1, samples);hidden float32 (batch, 64, frames)")
    assert (roles(made)["output"], roles(made)["hidden"]) == ("waveform", "unused")
    made = plan(LATENTS, Z, f"mag {PART};phase {PART};hidden {PART}", **FIGURES, outputs={"hidden": "unused"})
    assert made.form == "magnitude-phase"


def test_lengths_are_outputs_of_whole_numbers() -> None:
    made = plan(LATENTS, Z, "wav float32 (batch, samples);wav_lengths int64 (batch);ids int64 (batch)")
    assert (roles(made)["wav_lengths"], roles(made)["ids"]) == ("length", "unused")


def test_a_waveform_may_be_of_whole_numbers() -> None:
    assert roles(plan(LATENTS, Z, "pcm int16 (batch, samples)"))["pcm"] == "waveform"
    assert roles(plan(LATENTS, Z, "out int16 (batch, samples)"))["out"] == "waveform"


@pytest.mark.parametrize(
    ("outputs", "message", "lacking"),
    [
        (f"a {PART};b {PART}", "what do the outputs a and b hold", {"a": "magnitude", "b": "phase"}),
        (f"a {PART};b {PART};c {PART}", "what do the outputs a, b and c hold", {"a": "magnitude", "b": "x", "c": "y"}),
        (
            f"spec {PART};phase {PART}",
            "is the output spec a magnitude or a log_magnitude?",
            {"spec": "magnitude", "phase": "phase"},
        ),
        (f"mag {PART};out {PART}", "what does the output out hold", {"mag": "magnitude", "out": "phase"}),
        (f"a {PART};real {PART}", "what does the output a hold", {"a": "imag", "real": "real"}),
        (
            "audio_a float32 (1, 1, n);audio_b float32 (1, 1, n)",
            "what do the outputs audio_a and audio_b hold",
            {"audio_a": "magnitude", "audio_b": "magnitude"},
        ),
        (
            "a float32 (batch, 256, frames)",
            "the output a may hold real and imaginary parts (complex), or log-magnitudes and phases (log_polar)",
            {"a": "complex"},
        ),
    ],
)
def test_outputs_of_unknown_meaning_are_asked_about(outputs: str, message: str, lacking: dict[str, str]) -> None:
    error, found = refusal(LATENTS, Z, outputs, **FIGURES)
    assert found.startswith(message)
    assert error.code == "unclear-model"
    (line,) = [one for one in error.remedies if isinstance(one, SetOption)]
    assert line.option == "outputs"
    if "audio" not in outputs:
        assert line.value == lacking


def test_the_roles_that_are_given_are_taken() -> None:
    made = plan(LATENTS, Z, f"a {PART};b {PART}", **FIGURES, outputs={"a": "imag", "b": "real"})
    assert (made.form, roles(made)["a"]) == ("real-imag", "imag")
    made = plan(LATENTS, Z, f"spec {PART};phase {PART}", **FIGURES, outputs={"spec": "log_magnitude"})
    assert made.form == "log-magnitude-phase"
    made = plan(LATENTS, Z, "a float32 (batch, 256, frames)", **FIGURES, outputs={"a": "complex"})
    assert (made.form, axes(made, "a")) == ("complex", "batch complex-bin frame")
    made = plan(LATENTS, Z, "a float32 (?, ?);b float32 (?, ?)", outputs={"b": "waveform"})
    assert (roles(made)["a"], roles(made)["b"]) == ("unused", "waveform")


def test_roles_that_make_no_sound_are_refused() -> None:
    error, message = refusal(LATENTS, Z, f"a {PART};b {PART}", outputs={"a": "magnitude", "b": "imag"})
    assert message == "a: magnitude and b: imag make no sound together"
    assert error.remedies == (SetOption("outputs", {"a": "magnitude", "b": "phase"}),)
    _, message = refusal(LATENTS, Z, "ids int64 (batch, 3);flags bool (1)")
    assert message == "it gives nothing that could be a sound"
    _, message = refusal(LATENTS, Z, "")
    assert message == "it gives nothing that could be a sound"


@pytest.mark.parametrize(
    "output", [f"mag {PART}", f"phase {PART}", "spec float32 (batch, 513, frames)", "a float32 (1, 2, 3, 4, 5)"]
)
def test_half_a_spectrum_is_refused(output: str) -> None:
    error, message = refusal(LATENTS, Z, output)
    assert message == f"the output {output} is neither a waveform nor a complex spectrum"
    assert error.remedies == (Advice("export the model with its phase, or with its inverse STFT"),)


def test_parts_of_another_shape_are_refused() -> None:
    _, message = refusal(LATENTS, Z, f"mag {PART};phase {PART}", n_fft=512, **FIGURES)
    assert message.startswith(f"the output mag {PART} does not have the shape of a magnitude of 257 bins")
    _, message = refusal(LATENTS, Z, f"a {PART};b {PART}", outputs={"a": "waveform"})
    assert message == f"the output a {PART} does not have the shape of a waveform"


def test_forms_are_those_of_outputs_that_sound() -> None:
    made = plan(replace(LATENTS), Z, f"mag {PART};phase {PART};other int64 (1)", **FIGURES)
    assert form_of(made.outputs) == "magnitude-phase"
    assert form_of([]) is None
    assert form_of([*made.outputs, *made.outputs]) is None
    assert len(set(FORMS.values())) == len(FORMS) == 7
