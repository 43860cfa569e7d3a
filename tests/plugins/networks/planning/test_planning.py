"""Plans of networks as a whole: sizes, files, faults of all kinds at once, and the small networks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from msgspec.structs import replace
from network_headers import LATENTS, LEVELS, MEL, TOKENS, header, options, plan, refusal, roles

import trial_graphs as graphs
from tonearm.api import Advice, GiveOption, OptionError, RemoveOption, SetOption
from tonearm_plugins.networks.onnx_header import read_header
from tonearm_plugins.networks.options import InputFile
from tonearm_plugins.networks.planning import Wanted, plan_of

MODELS = Path(__file__).parents[3] / "data/models"
CODES = "codes int64 (batch, 8, frames)"


def wanted(known: dict[str, object]) -> Wanted:
    """Return what a signal for one of the small networks tells, from the description beside it."""
    rates = {"sample_rate": known["sample_rate"], "samples_per_frame": known.get("samples_per_frame", known.get("hop"))}
    if known["kind"] == "codec":
        strides = tuple(known.get("strides", ()))  # type: ignore[arg-type]
        return Wanted(kind="tokens", books=len(strides) or known["codebooks"], strides=strides, **rates)  # type: ignore[arg-type]
    if known["kind"] == "latent":
        return Wanted(kind="latent", bands=known["bands"], **rates)  # type: ignore[arg-type]
    return Wanted(kind="mel", bands=known.get("mels", 100), **rates)  # type: ignore[arg-type]


@pytest.mark.parametrize("path", sorted(MODELS.glob("*.json")), ids=lambda path: path.stem)
def test_the_small_networks(path: Path) -> None:
    known = json.loads(path.read_text(encoding="utf-8"))
    given = {"inputs": {"f0": InputFile(file="f0/{stem}.npy")}} if path.stem.startswith("nsf") else {}
    made_options = options(model=str(path.with_suffix(".onnx")), **given)
    assert list(made_options.problems()) == []
    made = plan_of(read_header(made_options.model), wanted(known), made_options)
    assert made.static_frames == known.get("static_frames")
    assert made.static_batch == (1 if "static_frames" in known else None)
    assert made.samples_per_frame == known.get("samples_per_frame", known.get("hop"))
    assert bool(made.inexact) == (path.stem == "nsf_tiny")
    if known["kind"] == "spectrum":
        assert made.grid is not None
        assert (made.form, made.grid.n_fft, made.grid.hop_length) == ("magnitude-x-y", known["n_fft"], known["hop"])
    else:
        assert (made.form, made.grid) == ("waveform", None)


@pytest.mark.parametrize(
    ("takes", "frames", "batch"),
    [
        (CODES, None, None),
        ("codes int64 (1, 8, 24)", 24, 1),
        ("codes int64 (4, 8, frames)", None, 4),
        ("codes int64 (8, frames)", None, 1),
        ("codes int64 (8, 24)", 24, 1),
    ],
)
def test_fixed_sizes(takes: str, frames: int | None, batch: int | None) -> None:
    made = plan(TOKENS, takes)
    assert (made.static_frames, made.static_batch) == (frames, batch)


def test_fixed_sizes_of_levels_are_those_of_the_coarsest() -> None:
    takes = "codes_0 int64 (1, {});codes_1 int64 (1, {});codes_2 int64 (1, {})"
    assert plan(LEVELS, takes.format(12, 24, 48)).static_frames == 12
    error, message = refusal(LEVELS, takes.format(12, 23, 48))
    assert message == "the input codes_1 int64 (1, 23) takes 23 frames, no multiple of the 2 of its level"
    error, message = refusal(LEVELS, takes.format(12, 24, 24))
    assert message == "the input codes_0 takes 12 frames of the coarsest level, and codes_2 takes 6"
    assert error.code == "model-mismatch"


def test_options_that_contradict_fixed_sizes_are_refused() -> None:
    error, message = refusal(TOKENS, "codes int64 (1, 8, 24)", batch=2, chunk=32, receptive_field=(12, 12))
    assert message == (
        "batch is 2, but the model takes 1 at once; chunk is 32, but the model takes exactly 24 frames at once;"
        " the model takes 24 frames at once, which leave nothing between 12 before and 12 after"
    )
    assert error.remedies == (
        SetOption("batch", 1),
        RemoveOption("chunk"),
        SetOption("receptive_field", [11, 11], when="or less"),
    )
    plan(TOKENS, "codes int64 (1, 8, 24)", batch=1, chunk=24, receptive_field=(11, 12))
    plan(TOKENS, CODES, batch=2, chunk=32, receptive_field=(12, 12))


def test_what_is_wrong_is_told_all_at_once_with_the_lines_to_change() -> None:
    made = header(
        "mel float32 (1, 100, frames);f0 float32 (1, frames);names string (1)",
        "a float32 (1, 513, n);b float32 (1, 513, n)",
        operators={"com.acme/Snake": 1},
        opsets={"": 40},
        external=("../w.bin",),
    )
    with pytest.raises(OptionError) as raised:
        plan_of(made, MEL, options(batch=2))
    assert raised.value.message == (
        "its weights are in '../w.bin', which is no regular file in the model's folder; it needs opset 40, and "
        "the newest known is 28; it has operators that onnxruntime does not know: com.acme/Snake; the input names"
        " string (1) takes no numbers that NumPy has; the input mel takes 100 bands, but the mel spectrogram of"
        " hifigan has 80; "
        "nothing gives f0 float32 (1, frames); what do the outputs a and b hold, one of waveform, magnitude, "
        "log_magnitude, phase, x, y, real, imag, complex?: the model takes mel float32 (1, 100, frames), f0 "
        "float32 (1, frames) and names string (1), and gives a float32 (1, 513, n) and b float32 (1, 513, n)"
    )
    assert raised.value.remedies == (
        SetOption("inputs", {"f0": {"file": "f0/{stem}.npy"}}, also={"outputs": {"a": "magnitude", "b": "phase"}}),
        Advice("save the model as one file, or with its weights beside it"),
        Advice("export it with opset 17"),
        Advice("export it with the standard operators"),
        Advice("export the model with inputs of float32 or int64"),
        GiveOption("model", "a model of 80 bands"),
        GiveOption("dialect", "one of 100 bands"),
    )


def test_weights_beside_the_model_are_looked_for(tmp_path: Path) -> None:
    path = graphs.external_codec(tmp_path / "a.onnx")
    known = replace(TOKENS, books=graphs.BOOKS)
    with pytest.raises(OptionError, match=r"its weights are in 'weights\.bin', which is no regular file") as raised:
        plan_of(read_header(path), known, options(model=str(path)))
    assert raised.value.remedies == (Advice("put 'weights.bin' beside the model, or save the model as one file"),)
    (tmp_path / "moved.bin").rename(tmp_path / "weights.bin")
    plan_of(read_header(path), known, options(model=str(path)))


def test_inexact_networks_are_told_why() -> None:
    made = header(CODES, operators={"LSTM": 1})
    assert plan_of(made, TOKENS, options()).inexact == "it has a recurrence over all frames (LSTM)"
    state = header(f"{CODES};h float32 (1, 1, 8)", "wav float32 (1, n);hn float32 (1, 1, 8)", operators={"LSTM": 1})
    assert plan_of(state, TOKENS, options()).inexact == ""


def test_inputs_and_outputs_are_in_the_order_of_the_header() -> None:
    made = plan(
        LATENTS, "g float32 (1);z float32 (batch, 192, frames)", "len int64 (1);wav float32 (batch, n)", inputs={"g": 1}
    )
    assert list(roles(made)) == ["g", "z", "len", "wav"]


PARTS = "a float32 (batch, 513, n);b float32 (batch, 513, n)"


@pytest.mark.parametrize(
    ("wanted", "takes", "gives", "given"),
    [
        (TOKENS, "codes int64 (1, 8, 24)", "wav float32 (1, n)", {"batch": 2}),
        (TOKENS, "codes int64 (1, 8, 24)", "wav float32 (1, n)", {"chunk": 32}),
        (TOKENS, "codes int64 (1, 8, 24)", "wav float32 (1, n)", {"receptive_field": (20, 20)}),
        (TOKENS, CODES, "wav float32 (1, n)", {"sample_rate": 8000, "samples_per_frame": 1}),
        (MEL, "mel float32 (1, 80, n);f0 float32 (1, n);g float32 (1, 9)", "wav float32 (1, n)", {"inputs": {"g": 1}}),
        (LATENTS, "a float32 (1, 192, n);b float32 (1, 192, n)", "wav float32 (1, n)", {}),
        (LATENTS, "z float32 (batch, 192, n)", PARTS, {"hop_length": 256}),
        (LATENTS, "z float32 (batch, 192, n)", "a float32 (batch, 256, n)", {"hop_length": 64}),
        (LATENTS, "z float32 (1, 192, n)", PARTS, {"hop_length": 256, "outputs": {"a": "real", "b": "x"}}),
        (TOKENS, f"{CODES};s float32 (1, 4)", "wav float32 (1, n);t float32 (1, 4)", {"inputs": {"s": "state"}}),
    ],
)
def test_the_lines_to_write_mend_the_network(wanted: Wanted, takes: str, gives: str, given: dict[str, object]) -> None:
    remedies: tuple[object, ...] = ()
    for _ in range(2):  # a line may make sense of a network whose next lack shows then
        try:
            plan(wanted, takes, gives, **given)
            break
        except OptionError as error:
            remedies = error.remedies
        for remedy in remedies:
            if isinstance(remedy, SetOption):
                given = {**given, remedy.option: remedy.value}
            elif isinstance(remedy, RemoveOption):
                given = {name: value for name, value in given.items() if name != remedy.option}
    assert remedies
    plan(wanted, takes, gives, **given)
