"""Remedies read right in YAML, on a command line, in a mapping from Python and in a call."""

import shlex
from typing import get_args

import msgspec
import pytest
import yaml

from tonearm.errors import (
    Advice,
    ChooseOption,
    ChoosePlugin,
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

INPUT = {form: Place("input", form) for form in ("yaml", "flags", "python", "call")}
STEP = Place("steps.1", "flags")
OUTPUT = Place("outputs.0", "flags")
CALL = {
    "input": INPUT["call"],
    "step": Place("steps.1", "call", use="mix"),
    "put in": Place("steps.1", "call", use="mix", put_in=True),
    "output": Place("outputs.0", "call", use="wav-writer"),
    "limits": Place("limits", "call"),
    "nested": Place("steps.1.with.window", "call", use="mix"),
    "nested in what is put in": Place("steps.1.with.window", "call", use="mix", put_in=True),
}
"""Places in what a call asks for."""


@pytest.mark.parametrize(
    ("remedy", "in_yaml", "as_flags", "in_python", "in_call"),
    [
        (SetOption("sample_rate", 22050), "sample_rate: 22050", "--sample-rate 22050", '"sample_rate": 22050',
         "sample_rate=22050"),
        (
            SetOption("kind", "db", when="if these are decibels"),
            "kind: db, if these are decibels",
            "--kind db, if these are decibels",
            '"kind": "db", if these are decibels',
            'kind="db", if these are decibels',
        ),
        (
            SetOption("axes", ["bin", "frame"]),
            "axes: [bin, frame]",
            "--axes bin,frame",
            '"axes": ["bin", "frame"]',
            'axes=["bin", "frame"]',
        ),
        (
            SetLimit("memory", "4GB", when="if this is intended"),
            'limits: {memory: "4GB"} in the pipeline, or --limit memory=4GB, if this is intended',
            "--limit memory=4GB, if this is intended",
            *['limits={"memory": "4GB"}, if this is intended'] * 2,
        ),
        (
            SetOption("kind", "magnitude", "as these are", also={"axes": ["polar", "bin"]}),
            "kind: magnitude and axes: [polar, bin], as these are",
            "--kind magnitude --axes polar,bin, as these are",
            '"kind": "magnitude", "axes": ["polar", "bin"], as these are',
            'kind="magnitude", axes=["polar", "bin"], as these are',
        ),
        (SetOption("key", "a b"), 'key: "a b"', "--key 'a b'", '"key": "a b"', 'key="a b"'),
        (SetOption("key", "*"), 'key: "*"', "--key '*'", '"key": "*"', 'key="*"'),
        (SetOption("key", "no"), 'key: "no"', "--key no", '"key": "no"', 'key="no"'),
        (SetOption("center", value=False), "center: false", "--center false", '"center": False', "center=False"),
        (SetOption("center", value=True), "center: true", "--center true", '"center": True', "center=True"),
        (SetOption("center", None), "center: null", "--center null", '"center": None', "center=None"),
        (SetOption("gain", -0.5), "gain: -0.5", "--gain -0.5", '"gain": -0.5', "gain=-0.5"),
        (SetOption("gain", 1), "gain: 1", "--gain 1", '"gain": 1', "gain=1"),
        (SetOption("gain", 0), "gain: 0", "--gain 0", '"gain": 0', "gain=0"),
        (SetOption("name", "ü b"), 'name: "ü b"', "--name 'ü b'", '"name": "ü b"', 'name="ü b"'),
        (SetOption("sizes", (1, 2)), "sizes: [1, 2]", "--sizes '[1, 2]'", '"sizes": [1, 2]', "sizes=[1, 2]"),
        (SetOption("sizes", ["a", 2]), "sizes: [a, 2]", "--sizes '[a, 2]'", '"sizes": ["a", 2]', 'sizes=["a", 2]'),
        (SetOption("key", 'a"\\'), 'key: "a\\"\\\\"', "--key 'a\"\\'", '"key": "a\\"\\\\"',
         'key="a\\"\\\\"'),
        (
            SetOption("rate", 1, "if it is right", stage="steps.0"),
            "rate: 1 in the options of steps.0, if it is right",
            "--set steps.0.with.rate=1, if it is right",
            *['"rate": 1 in the options of steps.0, if it is right'] * 2,
        ),
        (SetLimit("items", 9), "limits: {items: 9} in the pipeline, or --limit items=9", "--limit items=9",
         *['limits={"items": 9}'] * 2),
        (ChooseOption("kind", ("db",)), "kind: db", "--kind db", '"kind": "db"', 'kind="db"'),
        (ChooseOption("kind", ("db", 1), "if so"), "kind: db or 1, if so", "--kind db or 1, if so",
         '"kind": "db" or 1, if so', 'kind="db" or kind=1, if so'),
        (GiveOption("rate"), "rate: …", "--rate …", '"rate": …', "rate=…"),
        (RemoveOption("n", "if so"), "leave n out, if so", "leave --n out, if so", *["leave n out, if so"] * 2),
        (RunCommand(("a",), "to see"), *["a, to see"] * 4),
        (InsertStep("mix"), "put mix before it", "--step mix", 'put {"use": "mix"} before it', 'steps=["mix"]'),
        (
            InsertStep("c", {"x": 1, "y": "z"}, "if so", first=("a", "b")),
            "put a, b and c before it, with x: 1, y: z, if so",
            "--step a --step b --step 'c:x=1;y=z', if so",
            'put {"use": "a"}, {"use": "b"} and {"use": "c", "with": {"x": 1, "y": "z"}} before it, if so',
            'steps=["a", "b", ("c", {"x": 1, "y": "z"})], if so',
        ),
        (
            SetOption("dialect", {"base": "hifigan", "n_mels": 100}),
            "dialect: {base: hifigan, n_mels: 100}",
            "--dialect '{base: hifigan, n_mels: 100}'",
            '"dialect": {"base": "hifigan", "n_mels": 100}',
            'dialect={"base": "hifigan", "n_mels": 100}',
        ),
        (
            ChooseOption("kind", ("magnitude", "power", "db")),
            "kind: magnitude, power or db",
            "--kind magnitude, power or db",
            '"kind": "magnitude", "power" or "db"',
            'kind="magnitude" or kind="power" or kind="db"',
        ),
        (
            GiveOption("sample_rate", "Sample rate in Hz."),
            "sample_rate: … (Sample rate in Hz)",
            "--sample-rate … (Sample rate in Hz)",
            '"sample_rate": … (Sample rate in Hz)',
            "sample_rate=… (Sample rate in Hz)",
        ),
        (RemoveOption("n_fft"), "leave n_fft out", "leave --n-fft out", *["leave n_fft out"] * 2),
        (
            InsertStep("resample", {"sample_rate": 48000}),
            "put resample before it, with sample_rate: 48000",
            "--step resample:sample_rate=48000",
            'put {"use": "resample", "with": {"sample_rate": 48000}} before it',
            'steps=[("resample", {"sample_rate": 48000})]',
        ),
        (
            InsertStep("griffin-lim", {"seed": 1}, first=("mel-to-magnitude",)),
            "put mel-to-magnitude and griffin-lim before it, with seed: 1",
            "--step mel-to-magnitude --step griffin-lim:seed=1",
            'put {"use": "mel-to-magnitude"} and {"use": "griffin-lim", "with": {"seed": 1}} before it',
            'steps=["mel-to-magnitude", ("griffin-lim", {"seed": 1})]',
        ),
        (InstallExtra("m4a"), *["pip install 'tonearm[m4a]'"] * 4),
        (RunCommand(("tonearm", "inspect", "a b.npy")), *["tonearm inspect 'a b.npy'"] * 4),
        (ShowTraceback(), "--debug shows where", "--debug shows where", *["its __cause__ shows where"] * 2),
        (Advice("write the file again"), *["write the file again"] * 4),
        (Advice("use --force", in_call="use force=True"), *["use --force"] * 3, "use force=True"),
        (
            ChoosePlugin("encoder", ("a-writer", "b-writer"), "for other formats"),
            "use: a-writer or b-writer, for other formats",
            "--encoder a-writer or b-writer, for other formats",
            '"use": "a-writer" or "b-writer", for other formats',
            'format="a-writer" or format="b-writer", for other formats',
        ),
        (ChoosePlugin("encoder"), "use: …", "--encoder …", '"use": …', "format=…"),
        (
            ChoosePlugin("decoder", ("raw-reader",)),
            "use: raw-reader",
            "--decoder raw-reader",
            '"use": "raw-reader"',
            'load_pipeline({"input": {"use": "raw-reader"}, …})',
        ),
        (
            ChoosePlugin("decoder", when="raw-reader for raw numbers."),
            "use: … (raw-reader for raw numbers)",
            "--decoder … (raw-reader for raw numbers)",
            '"use": … (raw-reader for raw numbers)',
            'load_pipeline({"input": {"use": …}, …}) (raw-reader for raw numbers)',
        ),
    ],
)  # fmt: skip
def test_each_form(remedy, in_yaml, as_flags, in_python, in_call):
    assert remedy.text(INPUT["yaml"]) == in_yaml
    assert remedy.text(Place("outputs.0" if isinstance(remedy, InsertStep) else "input", "flags")) == as_flags
    assert remedy.text(INPUT["python"]) == in_python
    assert remedy.text(INPUT["call"]) == in_call


def test_a_traceback_that_is_printed_is_no_remedy():
    error = ItemError("x", remedies=(ShowTraceback(), Advice("a")))
    with tracebacks.shown():
        assert (error.hint, error.problem.hint) == ("a", "a")
        assert str(ItemError("x", remedies=(ShowTraceback(),))) == "x"
        assert [ShowTraceback().text(INPUT[form]) for form in ("yaml", "flags")] == ["", ""]
        assert {ShowTraceback().text(INPUT[form]) for form in ("python", "call")} == {"its __cause__ shows where"}
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
    SetOption("a", 1), ChooseOption("a", (1, 2)), GiveOption("a"), RemoveOption("a"), ChoosePlugin("decoder"),
    InsertStep("a"), SetLimit("a", 1), InstallExtra("a"), RunCommand(("a",)), Advice("a"), ShowTraceback(),
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
    assert Place() == Place("", "yaml", own_steps=False, use="", put_in=False)


def test_an_option_of_another_stage_is_named_with_the_stage():
    remedy = SetOption("nan", "zero", "to replace them with 0", stage="input")
    assert remedy.text(Place("steps.0")) == "nan: zero in the options of input, to replace them with 0"
    assert remedy.text(STEP) == "--nan zero, to replace them with 0"
    assert remedy.text(Place("steps.0", "python")).startswith('"nan": "zero" in the options of input')
    assert remedy.text(CALL["put in"]) == 'nan="zero", to replace them with 0'


@pytest.mark.parametrize(
    ("where", "one", "both", "choice", "given", "instead"),
    [
        ("input", "x=1", 'x=1, y="z"', "x=1 or x=2", "x=…", "x=1 in place of w"),
        ("put in", "x=1", 'x=1, y="z"', "x=1 or x=2", "x=…", "x=1 in place of w"),
        (
            "output", 'encoder={"x": 1}', 'encoder={"x": 1, "y": "z"}', 'encoder={"x": 1} or encoder={"x": 2}',
            'encoder={"x": …}', 'encoder={"x": 1} in place of w',
        ),
        (
            "limits", 'limits={"x": 1}', 'limits={"x": 1, "y": "z"}', 'limits={"x": 1} or limits={"x": 2}',
            'limits={"x": …}', 'limits={"x": 1} in place of w',
        ),
        (
            "step", 'steps=[("mix", {"x": 1})]', 'steps=[("mix", {"x": 1, "y": "z"})]',
            'steps=[("mix", {"x": 1})] or steps=[("mix", {"x": 2})]', 'steps=[("mix", {"x": …})]',
            'steps=[("mix", {"x": 1})] in place of w',
        ),
        *(
            (where, '"x": 1', '"x": 1, "y": "z"', '"x": 1 or "x": 2', '"x": …', '"x": 1 in place of w')
            for where in ("nested", "nested in what is put in")
        ),
    ],
)  # fmt: skip
def test_options_in_a_call_are_keywords_or_belong_to_one_stage(where, one, both, choice, given, instead):
    place = CALL[where]
    assert SetOption("x", 1).text(place) == one
    assert SetOption("x", 1, also={"y": "z"}).text(place) == both
    assert ChooseOption("x", (1, 2)).text(place) == choice
    assert GiveOption("x").text(place) == given
    assert SetOption("x", 1, instead_of="w").text(place) == instead
    assert RemoveOption("x").text(place) == "leave x out"


def test_a_step_in_a_call_goes_before_a_step_that_the_call_has():
    step = InsertStep("resample", {"sample_rate": 48000}, "for this rate", first=("istft",))
    wanted = 'steps=["istft", ("resample", {"sample_rate": 48000})]'
    assert step.text(CALL["step"]) == f"{wanted} before it, for this rate"
    for where in ("input", "put in", "output"):
        assert step.text(CALL[where]) == f"{wanted}, for this rate"


def test_the_format_of_a_call_is_no_option_of_the_stage_with_the_problem():
    assert ChoosePlugin("encoder", ("mp3-writer",)).text(CALL["output"]) == 'format="mp3-writer"'
