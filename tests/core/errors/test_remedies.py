"""Remedies read right in YAML, on a command line and in Python."""

import shlex
from typing import get_args

import msgspec
import pytest
import yaml

from tonearm.errors import (
    Advice,
    ChooseOption,
    GiveOption,
    InsertStep,
    InstallExtra,
    ItemError,
    Place,
    Remedy,
    RemoveOption,
    RunCommand,
    SetLimit,
    SetOption,
    ShowTraceback,
    tracebacks,
)

INPUT = {form: Place("input", form) for form in ("yaml", "flags", "python")}
STEP = Place("steps.1", "flags")
OUTPUT = Place("outputs.0", "flags")


@pytest.mark.parametrize(
    ("remedy", "in_yaml", "as_flags", "in_python"),
    [
        (SetOption("sample_rate", 22050), "sample_rate: 22050", "--sample-rate 22050", '"sample_rate": 22050'),
        (
            SetOption("kind", "db", when="if these are decibels"),
            "kind: db, if these are decibels",
            "--kind db, if these are decibels",
            '"kind": "db", if these are decibels',
        ),
        (
            SetOption("axes", ["bin", "frame"]),
            "axes: [bin, frame]",
            "--axes bin,frame",
            '"axes": ["bin", "frame"]',
        ),
        (
            SetLimit("memory", "4GB", when="if this is intended"),
            'limits: {memory: "4GB"} in the pipeline, or --limit memory=4GB, if this is intended',
            "--limit memory=4GB, if this is intended",
            'limits={"memory": "4GB"}, if this is intended',
        ),
        (
            SetOption("kind", "magnitude", "as these are", also={"axes": ["polar", "bin"]}),
            "kind: magnitude and axes: [polar, bin], as these are",
            "--kind magnitude --axes polar,bin, as these are",
            '"kind": "magnitude", "axes": ["polar", "bin"], as these are',
        ),
        (SetOption("key", "a b"), 'key: "a b"', "--key 'a b'", '"key": "a b"'),
        (SetOption("key", "*"), 'key: "*"', "--key '*'", '"key": "*"'),
        (SetOption("key", "no"), 'key: "no"', "--key no", '"key": "no"'),
        (SetOption("center", value=False), "center: false", "--center false", '"center": False'),
        (SetOption("center", value=True), "center: true", "--center true", '"center": True'),
        (SetOption("center", None), "center: null", "--center null", '"center": None'),
        (SetOption("gain", -0.5), "gain: -0.5", "--gain -0.5", '"gain": -0.5'),
        (SetOption("gain", 1), "gain: 1", "--gain 1", '"gain": 1'),
        (SetOption("gain", 0), "gain: 0", "--gain 0", '"gain": 0'),
        (SetOption("name", "ü b"), 'name: "ü b"', "--name 'ü b'", '"name": "ü b"'),
        (SetOption("sizes", (1, 2)), "sizes: [1, 2]", "--sizes '[1, 2]'", '"sizes": [1, 2]'),
        (SetOption("sizes", ["a", 2]), "sizes: [a, 2]", "--sizes '[a, 2]'", '"sizes": ["a", 2]'),
        (SetOption("key", 'a"\\'), 'key: "a\\"\\\\"', "--key 'a\"\\'", '"key": "a\\"\\\\"'),
        (
            SetOption("rate", 1, "if it is right", stage="steps.0"),
            "rate: 1 in the options of steps.0, if it is right",
            "--set steps.0.with.rate=1, if it is right",
            '"rate": 1 in the options of steps.0, if it is right',
        ),
        (SetLimit("items", 9), "limits: {items: 9} in the pipeline, or --limit items=9", "--limit items=9",
         'limits={"items": 9}'),
        (ChooseOption("kind", ("db",)), "kind: db", "--kind db", '"kind": "db"'),
        (ChooseOption("kind", ("db", 1), "if so"), "kind: db or 1, if so", "--kind db or 1, if so",
         '"kind": "db" or 1, if so'),
        (GiveOption("rate"), "rate: …", "--rate …", '"rate": …'),
        (RemoveOption("n", "if so"), "leave n out, if so", "leave --n out, if so", "leave n out, if so"),
        (RunCommand(("a",), "to see"), *["a, to see"] * 3),
        (InsertStep("mix"), "put mix before it", "--step mix", 'put {"use": "mix"} before it'),
        (
            InsertStep("c", {"x": 1, "y": "z"}, "if so", first=("a", "b")),
            "put a, b and c before it, with x: 1, y: z, if so",
            "--step a --step b --step 'c:x=1;y=z', if so",
            'put {"use": "a"}, {"use": "b"} and {"use": "c", "with": {"x": 1, "y": "z"}} before it, if so',
        ),
        (
            SetOption("dialect", {"base": "hifigan", "n_mels": 100}),
            "dialect: {base: hifigan, n_mels: 100}",
            "--dialect '{base: hifigan, n_mels: 100}'",
            '"dialect": {"base": "hifigan", "n_mels": 100}',
        ),
        (
            ChooseOption("kind", ("magnitude", "power", "db")),
            "kind: magnitude, power or db",
            "--kind magnitude, power or db",
            '"kind": "magnitude", "power" or "db"',
        ),
        (
            GiveOption("sample_rate", "Sample rate in Hz."),
            "sample_rate: … (Sample rate in Hz)",
            "--sample-rate … (Sample rate in Hz)",
            '"sample_rate": … (Sample rate in Hz)',
        ),
        (RemoveOption("n_fft"), "leave n_fft out", "leave --n-fft out", "leave n_fft out"),
        (
            InsertStep("resample", {"sample_rate": 48000}),
            "put resample before it, with sample_rate: 48000",
            "--step resample:sample_rate=48000",
            'put {"use": "resample", "with": {"sample_rate": 48000}} before it',
        ),
        (
            InsertStep("griffin-lim", {"seed": 1}, first=("mel-to-magnitude",)),
            "put mel-to-magnitude and griffin-lim before it, with seed: 1",
            "--step mel-to-magnitude --step griffin-lim:seed=1",
            'put {"use": "mel-to-magnitude"} and {"use": "griffin-lim", "with": {"seed": 1}} before it',
        ),
        (InstallExtra("m4a"), *["pip install 'tonearm[m4a]'"] * 3),
        (RunCommand(("tonearm", "inspect", "a b.npy")), *["tonearm inspect 'a b.npy'"] * 3),
        (ShowTraceback(), "--debug shows where", "--debug shows where", "its __cause__ shows where"),
        (Advice("write the file again"), *["write the file again"] * 3),
    ],
)  # fmt: skip
def test_each_form(remedy, in_yaml, as_flags, in_python):
    assert remedy.text(INPUT["yaml"]) == in_yaml
    assert remedy.text(Place("outputs.0" if isinstance(remedy, InsertStep) else "input", "flags")) == as_flags
    assert remedy.text(INPUT["python"]) == in_python


def test_a_traceback_that_is_printed_is_no_remedy():
    error = ItemError("x", remedies=(ShowTraceback(), Advice("a")))
    with tracebacks.shown():
        assert (error.hint, error.problem.hint) == ("a", "a")
        assert str(ItemError("x", remedies=(ShowTraceback(),))) == "x"
        assert [ShowTraceback().text(INPUT[form]) for form in ("yaml", "flags")] == ["", ""]
        assert ShowTraceback().text(INPUT["python"]) == "its __cause__ shows where"
    assert error.hint == "--debug shows where; a"


def test_options_of_steps_and_outputs_are_set_by_path_on_the_command_line():
    assert SetOption("mode", "sum").text(STEP) == "--set steps.1.with.mode=sum"
    assert SetOption("bitrate", 64).text(OUTPUT) == "--set outputs.0.with.bitrate=64"
    assert ChooseOption("to", ("mono", "stereo")).text(STEP) == "--set steps.1.with.to=mono or steps.1.with.to=stereo"
    assert RemoveOption("mode").text(STEP) == "leave mode out"


def test_a_step_on_the_command_line_has_its_options_with_it():
    step = InsertStep("mix", {"to": "mono"}, first=("istft",))
    assert step.text(OUTPUT) == "--step istft --step mix:to=mono"
    assert step.text(STEP) == "--step istft --step mix:to=mono before it"
    assert InsertStep("mix", {"pick": [0, 1]}).text(OUTPUT) == "--step 'mix:pick=[0, 1]'"
    assert InsertStep("mix", {"to": "mono"}).text(Place("outputs.0", "yaml")) == "put mix before it, with to: mono"


@pytest.mark.parametrize(
    ("form", "wanted"),
    [
        ("yaml", "put mix at the end of its own steps, with to: mono"),
        ("flags", "put mix at the end of its own steps, with to: mono"),
        ("python", 'put {"use": "mix", "with": {"to": "mono"}} at the end of its own steps'),
    ],
)
def test_a_step_of_one_output_goes_into_its_own_steps(form, wanted):
    step = InsertStep("mix", {"to": "mono"})
    assert step.text(Place("outputs.1", form, own_steps=True)) == wanted
    inner = step.text(Place("outputs.1.steps.0", form, own_steps=True))
    assert inner == wanted.replace("at the end of its own steps", "before it")


@pytest.mark.parametrize("value", ["no", "on", "null", "1e3", "a: b", "#x", "", "ünï", "[a", "22050", "-"])
def test_text_in_yaml_stays_text(value):
    written = SetOption("key", value).text(INPUT["yaml"])
    assert yaml.safe_load(written) == {"key": value}


@pytest.mark.parametrize("value", ["a b", "$HOME", "*.npy", "a'b", "x;y", "ü"])
def test_a_flag_is_one_word_for_the_shell(value):
    assert shlex.split(SetOption("key", value).text(INPUT["flags"])) == ["--key", value]


@pytest.mark.parametrize("stage", ["", "input", "executor", "steps.1", "outputs.0", "limits"])
def test_which_options_have_flags_of_their_own(stage):
    """A flag is no advice for YAML or Python, and options of the executor have one flag together."""
    given = {"": "--n-x 1", "input": "--n-x 1", "executor": "--executor-option n_x=1"}
    assert SetOption("n_x", 1).text(Place(stage, "flags")) == given.get(stage, f"--set {stage}.with.n_x=1")
    left_out = "leave --n-x out" if stage in ("", "input") else "leave n_x out"
    assert RemoveOption("n_x").text(Place(stage, "flags")) == left_out
    assert SetOption("n_x", 1).text(Place(stage)) == "n_x: 1"
    assert SetOption("n_x", 1).text(Place(stage, "python")) == '"n_x": 1'
    assert RemoveOption("n_x").text(Place(stage)) == RemoveOption("n_x").text(Place(stage, "python")) == "leave n_x out"


EXAMPLES = (
    SetOption("a", 1), ChooseOption("a", (1, 2)), GiveOption("a"), RemoveOption("a"), InsertStep("a"),
    SetLimit("a", 1), InstallExtra("a"), RunCommand(("a",)), Advice("a"), ShowTraceback(),
)  # fmt: skip


def test_there_is_an_example_of_each_remedy():
    assert tuple(map(type, EXAMPLES)) == get_args(Remedy)


@pytest.mark.parametrize("remedy", [*EXAMPLES, Place()], ids=lambda remedy: type(remedy).__name__)
def test_remedies_never_change(remedy):
    """They are shared by every error that a constant remedy is given to."""
    with pytest.raises(AttributeError, match="immutable"):
        remedy.text = None


@pytest.mark.parametrize("remedy", EXAMPLES, ids=lambda remedy: type(remedy).__name__)
def test_remedies_are_told_apart_in_json(remedy):
    assert msgspec.to_builtins(remedy)["type"] == type(remedy).__name__


def test_a_place_is_the_whole_pipeline_in_yaml_unless_more_is_known():
    assert Place() == Place("", "yaml", own_steps=False)


def test_an_option_of_another_stage_is_named_with_the_stage():
    remedy = SetOption("nan", "zero", "to replace them with 0", stage="input")
    assert remedy.text(Place("steps.0")) == "nan: zero in the options of input, to replace them with 0"
    assert remedy.text(STEP) == "--nan zero, to replace them with 0"
    assert remedy.text(Place("steps.0", "python")).startswith('"nan": "zero" in the options of input')
