"""Tracebacks of short errors, as scripts, consoles, threads, notebooks and pytest print them."""

import inspect
import os
import pickle
import subprocess
import sys
import textwrap
import threading
import traceback

import numpy as np
import pytest
from core_toys import registry_of

import tonearm
from tonearm.api import NoOptions, StftGrid, Transform, Waveform
from tonearm.errors import ItemError, OptionError, Place, SetOption, UsageError, tracebacks
from tonearm.errors.short_errors import short_errors

MESSAGE = "tonearm.UsageError: the sources must be a list or a mapping\n    hint: put the source into brackets\n"
SCRIPT = """\
import tonearm

def find():
    return pipeline.find_sources("a.npy")

pipeline = tonearm.load_pipeline({
    "tonearm": 1,
    "input": {"use": "npy-reader", "with": {"kind": "waveform", "sample_rate": 8000}},
    "outputs": [{"use": "wav-writer", "file": "{stem}.wav"}],
})
"""
TRACEBACK = """\
Traceback (most recent call last):
  File "script.py", line 11, in <module>
    find()
  File "script.py", line 4, in find
    return pipeline.find_sources("a.npy")
"""


def printed(text, folder, *command, given=None, **env):
    """Return what Python prints on stderr when it executes a script, without the marks below the lines."""
    (folder / "script.py").write_text(SCRIPT + text)
    done = subprocess.run(
        [sys.executable, *(command or ["script.py"])],
        input=given,
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, "NO_COLOR": "1", **env},
    )
    lines = done.stderr.replace(f"{folder}/", "").splitlines(keepends=True)
    return "".join(line for line in lines if line.strip(" ~^\n") or not line.strip())


class TestPrinted:
    def test_a_script_shows_its_own_lines_and_the_message(self, tmp_path):
        assert printed("find()\n", tmp_path) == TRACEBACK + MESSAGE

    def test_everything_is_shown_to_those_who_debug(self, tmp_path):
        for value, is_whole in (("1", True), ("0", False), ("", False)):
            text = printed("find()\n", tmp_path, TONEARM_DEBUG=value)
            assert text.startswith(TRACEBACK)
            assert text.endswith(MESSAGE)
            assert (f"{os.sep}tonearm{os.sep}" in text) == is_whole

    def test_a_command_on_the_command_line(self, tmp_path):
        text = printed("", tmp_path, "-c", f"{SCRIPT}\nfind()")
        lines = ["Traceback (most recent call last):\n", '  File "<string>", line 12, in <module>\n']
        assert text.startswith("".join(lines))
        assert "tonearm/" not in text
        assert text.endswith(MESSAGE)

    @pytest.mark.parametrize("command", [["-i", "-q"], ["-c", "import code; code.interact(banner='', exitmsg='')"]])
    def test_a_console_goes_on_and_prints_other_errors_as_ever(self, command, tmp_path):
        given = 'import tonearm\ntonearm.load_pipeline("no.yaml")\n1/0\ntonearm.load_pipeline("no.yaml")\n'
        text = printed("", tmp_path, *command, given=given).replace("<console>", "<stdin>").replace(">>> ", "")
        text = "".join(line for line in text.splitlines(keepends=True) if not line.startswith("    "))  # Python 3.13
        start = 'Traceback (most recent call last):\n  File "<stdin>", line 1, in <module>\n'
        short = f"{start}tonearm.UsageError: cannot read no.yaml: no such file or directory\n"
        wanted = f"{short}{start}ZeroDivisionError: division by zero\n{short}"
        assert text.strip() == wanted.strip()

    def test_a_thread_shows_its_own_lines_below_those_that_started_it(self, tmp_path):
        script = "import threading\nthread = threading.Thread(target=find)\nthread.start()\nthread.join()\n"
        text = printed(f"{script}assert threading.excepthook is threading.__excepthook__\n", tmp_path)
        assert text.startswith("Exception in thread Thread-1 (find):\nTraceback (most recent call last):\n")
        own = text.partition("self._target(*self._args, **self._kwargs)\n")[2]
        assert own == f'  File "script.py", line 4, in find\n    return pipeline.find_sources("a.npy")\n{MESSAGE}'

    def test_what_the_caller_was_handling_is_shown_before(self, tmp_path):
        text = printed("try:\n    1/0\nexcept ZeroDivisionError:\n    find()\n", tmp_path)
        first, between, last = text.partition(
            "\nDuring handling of the above exception, another exception occurred:\n\n"
        )
        assert first.endswith("ZeroDivisionError: division by zero\n")
        assert between
        assert last == TRACEBACK.replace("line 11", "line 14") + MESSAGE

    def test_an_error_that_leads_to_another_is_short_as_well(self, tmp_path):
        text = printed("try:\n    find()\nexcept tonearm.TonearmError as e:\n    raise KeyError(1) from e\n", tmp_path)
        assert text.startswith(TRACEBACK.replace("line 11", "line 12") + MESSAGE)
        assert text.endswith("KeyError: 1\n")

    def test_a_call_without_an_argument_that_it_needs(self, tmp_path):
        assert printed("tonearm.load_pipeline()\n", tmp_path) == (
            'Traceback (most recent call last):\n  File "script.py", line 11, in <module>\n'
            "    tonearm.load_pipeline()\n"
            "TypeError: load_pipeline() missing 1 required positional argument: 'given'\n"
        )

    def test_arguments_that_need_a_name(self, tmp_path):
        assert printed("tonearm.save([0.5], 'a.wav', 24000)\n", tmp_path).endswith(
            "TypeError: save() takes 2 positional arguments but 3 were given\n"
            "    hint: give the others by name, as in sample_rate=24000\n"
        )

    def test_several_problems_are_lines_of_their_own(self, tmp_path):
        given = {"tonearm": 1, "input": {"use": "npy-rader"}, "outputs": [{"use": "wav-riter", "file": "a.wav"}]}
        text = printed(f"tonearm.load_pipeline({given})\n", tmp_path)
        assert text.partition("})\n")[2] == (
            "tonearm.PipelineError: 2 problems\n"
            "  unknown-plugin: there is no decoder 'npy-rader'\n"
            "      hint: did you mean 'npy-reader'?\n"
            "  unknown-plugin: there is no encoder 'wav-riter'\n"
            "      hint: did you mean 'wav-writer'?\n"
        )

    def test_a_hook_of_the_programs_own_stays(self, tmp_path):
        text = printed("import sys\nsys.excepthook = lambda *_: sys.stderr.write('mine')\nfind()\n", tmp_path)
        assert text == "mine"

    def test_pytest_hides_the_function_itself(self, tmp_path):
        (tmp_path / "test_it.py").write_text(f"{SCRIPT}\ndef test_it():\n    find()\n")
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "--tb=short", "-p", "no:cacheprovider", "test_it.py"],
            cwd=tmp_path, capture_output=True, text=True,
        )  # fmt: skip
        assert "test_it.py:4: in find" in done.stdout
        assert f"{os.sep}tonearm{os.sep}" not in done.stdout

    @pytest.mark.parametrize("debug", [False, True])
    def test_a_notebook_shows_the_cell_and_the_message(self, debug, tmp_path):
        pytest.importorskip("IPython")
        shell = textwrap.dedent("""\
            from IPython.core.interactiveshell import InteractiveShell
            shell = InteractiveShell.instance(colors="nocolor")
            shell.run_cell(open("script.py").read())
            shell.run_cell("# a cell\\nfind()")
            shell.run_cell("1/0")
            shell.run_cell("tonearm.load_pipeline()")
        """)
        env = {**os.environ, "IPYTHONDIR": str(tmp_path), "TONEARM_DEBUG": "1" if debug else ""}
        (tmp_path / "script.py").write_text(SCRIPT)
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", shell], cwd=tmp_path, capture_output=True, text=True, env=env
        )
        first, other, wrong_call = done.stdout.split(f"{75 * '-'}\n")[1:]
        assert first.startswith("UsageError ")
        assert "----> 2 find()\n" in first
        assert '----> 4     return pipeline.find_sources("a.npy")\n' in first
        assert first.strip().endswith(MESSAGE.removeprefix("tonearm.").strip())
        assert other.strip().endswith("ZeroDivisionError: division by zero")
        assert "----> 1 tonearm.load_pipeline()\n" in wrong_call
        for text in (first, wrong_call):
            assert (f"{os.sep}tonearm{os.sep}" in text) == debug


def frames(error):
    """Return the names of the functions on the traceback of an exception."""
    return [frame.name for frame in traceback.extract_tb(error.__traceback__)]


def raised(function, *args, **kwargs):
    with pytest.raises((tonearm.TonearmError, OptionError)) as caught:
        function(*args, **kwargs)
    return caught.value


def deeper(error):
    if isinstance(error, BaseException):
        raise error
    return error


@short_errors
def public(error, *, more=1):
    """Say what is given."""
    return deeper(error)


@short_errors
def items(error):
    yield 1
    yield deeper(error)


class TestErrors:
    def test_frames_inside_are_gone(self):
        assert frames(raised(public, UsageError("x"))) == ["raised", "call"]

    def test_the_first_error_of_a_generator_is_short(self):
        found = items(ItemError("x"))
        assert next(found) == 1
        assert frames(raised(next, found)) == ["raised", "_iterated"]

    def test_other_exceptions_keep_their_frames(self):
        for error in (KeyError("x"), TypeError("x")):
            with pytest.raises(type(error)) as caught:
                public(error)
            assert frames(caught.value)[-2:] == ["public", "deeper"]

    def test_an_error_that_tonearm_handles_keeps_its_frames(self):
        """Commands print them under --debug, and the name of the plugin is found on them."""
        space = {"__name__": "tonearm.inner", "public": public, "items": items, "UsageError": UsageError}
        exec("def inner():\n    public(UsageError('x'))\ndef loop():\n    list(items(UsageError('x')))", space)
        assert frames(raised(space["inner"]))[-3:] == ["call", "public", "deeper"]
        assert frames(raised(space["loop"]))[-3:] == ["_iterated", "items", "deeper"]

    def test_debugging_keeps_the_frames(self, monkeypatch):
        with tracebacks.shown():
            assert frames(raised(public, UsageError("x")))[-1] == "deeper"
        monkeypatch.setenv("TONEARM_DEBUG", "1")
        assert frames(raised(public, UsageError("x")))[-1] == "deeper"

    def test_remedies_read_as_arguments_unless_the_error_has_a_place(self):
        error = raised(public, UsageError("x", remedies=(SetOption("rate", 8000),)))
        assert error.hint == "rate=8000"
        placed = UsageError("x", remedies=(SetOption("rate", 8000),))
        placed.place = Place("input", "python")
        assert raised(public, placed).hint == '"rate": 8000'

    def test_options_of_a_constructor_have_their_hint_below_the_message(self):
        error = raised(StftGrid, n_fft=512, hop_length=1, win_length=1024, sample_rate=8000)
        assert "".join(traceback.format_exception_only(error)) == (
            f"tonearm.api.OptionError: {error.message}\n    hint: win_length=512, or less; n_fft=1024\n"
        )
        assert raised(public, error).__notes__ == ["    hint: win_length=512, or less; n_fft=1024"]

    def test_an_error_that_has_forgotten_its_base_class_passes(self):
        class CarelessError(ItemError):
            def __init__(self):
                pass

        assert type(raised(public, CarelessError())) is CarelessError

    def test_a_cause_that_the_message_tells_is_not_printed(self):
        error = raised(tonearm.load_pipeline, "no.yaml")
        assert (error.__cause__, error.__context__) == (None, None)

    def test_the_exception_of_a_plugin_is_the_cause_and_begins_at_the_plugin(self):
        class Failing(Transform[Waveform, Waveform, NoOptions]):
            def apply(self, signal, context):
                return deeper(ZeroDivisionError("mine"))

        given = {
            "tonearm": 1,
            "input": {"use": "tone-reader"},
            "steps": [{"use": "failing"}],
            "outputs": [{"use": "raw-writer", "file": "{stem}-{index}.raw", "with": {"level": 1}}],
        }
        pipeline = tonearm.load_pipeline(given, plugins=registry_of(transforms={"failing": Failing}))
        error = raised(list, pipeline.convert(np.zeros(3)))
        assert error.hint == "its __cause__ shows where"
        assert frames(error) == ["raised", "_iterated"]
        assert frames(error.__cause__) == ["apply", "deeper"]
        assert error.__cause__.__context__ is None

    def test_constructors(self):
        for error in (
            raised(Waveform, samples=np.zeros(3, "f4"), sample_rate=8000),
            raised(StftGrid, n_fft=0, hop_length=1, win_length=1, sample_rate=8000),
            raised(tonearm.MelDialect, name="x", sample_rate=8000, n_mels=80, n_fft=1024, hop_length=256, fmax=9000),
        ):
            assert frames(error) == ["raised", "call"]

    def test_twenty_threads_at_once(self):
        found = []
        threads = [
            threading.Thread(target=lambda: found.append(frames(raised(public, UsageError("x"))))) for _ in range(20)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == [["raised", "call"]] * 20


class TestFunctions:
    def test_a_function_looks_like_itself(self):
        assert (public.__name__, public.__doc__) == ("public", "Say what is given.")
        assert str(inspect.signature(public)) == "(error, *, more=1)"
        assert list(inspect.signature(Waveform).parameters) == ["samples", "sample_rate"]
        assert next(iter(inspect.signature(tonearm.load_pipeline).parameters)) == "given"

    def test_results_are_the_same(self):
        assert public(3) == 3
        assert list(items(2)) == [1, 2]
        assert pickle.loads(pickle.dumps(public)) is public

    def test_a_generator_is_closed_with_its_reader(self):
        closed = []

        @short_errors
        def open_items():
            try:
                yield 1
            finally:
                closed.append(True)

        reader = open_items()
        next(reader)
        reader.close()
        assert closed == [True]
