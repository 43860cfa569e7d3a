"""Blame: an exception of a plugin names it, and says which file or address it is about."""

import contextlib
import io
import os
import socket
import threading
import urllib.request
from pathlib import Path

import pytest
from core_toys import checked, pipeline
from msgspec.structs import replace

from tonearm import startup
from tonearm.api import Context, ItemError, OptionError, OutputError, SignalError, Sink, Source
from tonearm.conversion.stream_places import OpenPlace
from tonearm.errors import RemoveOption, TonearmError
from tonearm.pipeline.blame import as_item_error, describe_failure, refusal
from tonearm.pipeline.environment import Masks
from tonearm.run.store.pipe_sink import PipeSink

CHECKED = checked(pipeline(steps=("same",)))
READER, STEP = CHECKED.decoder, CHECKED.steps[0]
BUILTIN = replace(STEP, entry=replace(STEP.entry, package=replace(STEP.entry.package, origin="builtin")))


class MuteError(Exception):
    def __str__(self):
        raise ZeroDivisionError


class CarelessError(ItemError):
    """An error that has forgotten its base class."""

    def __init__(self, text):
        self.text = text


def blamed(error, bound=STEP, **about):
    """Return the error that stands for an exception: its class, code and message."""
    with pytest.raises(TonearmError) as caught, as_item_error(bound, **about):
        raise error
    assert caught.value.place == bound.place
    return caught.value.code, caught.value.message


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ValueError("a\nb"), r"same failed: ValueError: a\nb"),
        (KeyError("gain"), "same failed: KeyError: 'gain'"),
        (MemoryError(), "same failed: MemoryError"),
        (RecursionError("maximum recursion depth exceeded"), "same failed: RecursionError: maximum recursion"),
        (SystemExit(3), "same failed: SystemExit: it calls sys.exit(3)"),
        (SystemExit(MuteError()), "same failed: SystemExit: it calls sys.exit(MuteError())"),
        (GeneratorExit(), "same failed: GeneratorExit"),
        (StopIteration(), "same failed: StopIteration"),
        (RuntimeWarning("overflow"), "same failed: RuntimeWarning: overflow"),
        (BaseException("odd"), "same failed: BaseException: odd"),
        (MuteError(), "same failed: MuteError: (ZeroDivisionError in its own __str__)"),
        (CarelessError("x"), "same failed: CarelessError"),
        (ExceptionGroup("two", [ValueError("a")]), "same failed: ExceptionGroup: two (1 sub-exception)"),
        (FileNotFoundError(2, "No such file or directory", "model.onnx"),
         "same failed: cannot open model.onnx: No such file or directory"),
        (PermissionError(13, "Permission denied", b"x.onnx"), "same failed: cannot open x.onnx: Permission denied"),
        (OSError(28, "No space left on device", "/tmp/x"), "same failed: OSError: /tmp/x: No space left on device"),
        (OSError(18, "Invalid link", "a", None, "b"), "same failed: OSError: a to b: Invalid link"),
        (OSError(5, "Input/output error"), "same failed: OSError: Input/output error"),
        (OSError("odd"), "same failed: OSError: odd"),
        (OSError(), "same failed: OSError: no reason given"),
    ],
)  # fmt: skip
def test_exceptions(error, message):
    code, found = blamed(error)
    assert code == "plugin-failed"
    assert found.startswith(message)


def test_ctrl_c_passes_through():
    with pytest.raises(KeyboardInterrupt), as_item_error(STEP):
        raise KeyboardInterrupt


def test_an_interrupt_within_a_run_that_no_signal_has_raised(monkeypatch):
    monkeypatch.setattr(startup, "interrupt_tests", [lambda: False])
    assert blamed(KeyboardInterrupt()) == ("plugin-failed", "same failed: KeyboardInterrupt")


def test_a_package_that_is_not_installed_is_named_with_the_line_that_installs_it():
    error = ModuleNotFoundError("No module named 'PIL'", name="PIL")
    assert blamed(error) == ("missing-requirement", "same needs the package 'pillow', which is not installed")
    with pytest.raises(ItemError) as caught, as_item_error(STEP):
        raise error
    assert caught.value.hint == "pip install pillow"
    message = "same failed: ModuleNotFoundError: No module named 'acme'"
    assert blamed(ModuleNotFoundError("No module named 'acme'", name="acme")) == ("plugin-failed", message)


def test_the_hint_suits_the_pipeline():
    with pytest.raises(ItemError) as caught, as_item_error(STEP):
        raise ValueError
    assert caught.value.hint == "--debug shows where"
    with pytest.raises(ItemError) as caught, as_item_error(replace(STEP, place=replace(STEP.place, form="python"))):
        raise ValueError
    assert caught.value.hint == "its __cause__ shows where"


class TestDeliberateErrors:
    def test_a_foreign_plugin_is_named_once(self):
        assert blamed(ItemError("no speech", code="mine")) == ("mine", "same: no speech")
        assert blamed(ItemError("same: no speech", code="mine")) == ("mine", "same: no speech")
        for message in ("same is too high", "no speech by same", "samek: no speech"):
            assert blamed(ItemError(message, code="mine"))[1] == f"same: {message}"

    def test_a_builtin_plugin_has_its_words(self):
        assert blamed(ItemError("no speech"), BUILTIN) == ("item", "no speech")
        assert blamed(SignalError("empty"), BUILTIN) == ("bad-signal", "same: empty")

    def test_an_option_that_the_data_contradicts(self):
        assert blamed(OptionError("no", code="mine")) == ("mine", "same: no")

    def test_errors_about_the_output_and_the_source(self, tmp_path):
        assert blamed(OutputError("disk full"), sink=Sink(tmp_path / "x.part")) == ("output", "disk full")
        assert blamed(ItemError("cannot read a", code="unreadable"), READER) == ("unreadable", "cannot read a")

    def test_only_an_encoder_has_an_output(self):
        assert blamed(OutputError("disk full")) == ("plugin-failed", "same failed: OutputError: disk full")

    def test_an_earlier_stage_keeps_the_blame(self):
        error = ItemError("no")
        error.place = READER.place
        with pytest.raises(ItemError) as caught, as_item_error(STEP):
            raise error
        assert (caught.value.message, caught.value.place) == ("no", READER.place)


class TestErrorsOfTheSystem:
    SOURCE = Source(name="a.npy", path="/data/a.npy")

    @pytest.mark.parametrize("name", [None, "/data/a.npy", "/data/../data/a.npy", b"/data/a.npy", "/data/a.npy/.z"])
    def test_about_the_source(self, name):
        error = OSError(5, "Input/output error", name)
        assert blamed(error, READER, source=self.SOURCE) == ("unreadable", "cannot read: Input/output error")

    @pytest.mark.parametrize("name", ["/data/a.npy.index", "vocab.json"])
    def test_about_another_file(self, name):
        code, message = blamed(OSError(2, "No such file", name), READER, source=self.SOURCE)
        assert (code, message) == ("plugin-failed", f"tone-reader failed: cannot open {name}: No such file")

    def test_about_another_process(self):
        code, message = blamed(ConnectionResetError(104, "Connection reset by peer"), READER, source=self.SOURCE)
        assert (code, message) == (
            "plugin-failed", "tone-reader failed: ConnectionResetError: Connection reset by peer",
        )  # fmt: skip

    def test_about_the_output(self, tmp_path):
        sink = Sink(tmp_path / "a.part")
        for names in ((), (str(tmp_path / "b"),)):
            full = OSError(28, "No space left on device", *names)
            with pytest.raises(OutputError, match="cannot write: No space left on device"), as_item_error(STEP, sink):
                raise full
        assert blamed(FileNotFoundError(2, "No such file", "/etc/voice"), sink=sink)[0] == "plugin-failed"
        assert blamed(BrokenPipeError(32, "Broken pipe"), sink=sink)[0] == "plugin-failed"

    @pytest.mark.parametrize(
        "make", [lambda: PipeSink(len, ".wav"), lambda: OpenPlace(io.BytesIO(), ".wav", durable=False).sink]
    )
    def test_about_an_output_that_is_no_file(self, make):
        with pytest.raises(OutputError, match="cannot write: No space left"), as_item_error(STEP, make()):
            raise OSError(28, "No space left")
        message = "same failed: OSError: /tmp/x: No space left"
        assert blamed(OSError(28, "No space left", "/tmp/x"), sink=make()) == ("plugin-failed", message)


class TestAddresses:
    @pytest.fixture
    def port(self):
        """A port that refuses connections."""
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            yield listener.getsockname()[1]

    def test_of_a_socket(self, port):
        with pytest.raises(OSError) as caught:
            socket.create_connection(("127.0.0.1", port))
        assert describe_failure(caught.value) == f"ConnectionRefusedError: 127.0.0.1:{port}: Connection refused"

    def test_of_a_url(self, port, monkeypatch):
        monkeypatch.setenv("no_proxy", "*")
        url = f"http://127.0.0.1:{port}/voice"
        with pytest.raises(OSError) as caught:
            urllib.request.urlopen(url)
        assert describe_failure(caught.value).startswith(f"URLError: {url}: ")
        assert "Connection refused" in describe_failure(caught.value)

    def test_that_a_library_notes(self):
        error = ConnectionError("refused")
        error.request = type("Request", (), {"url": "https://voices.example/v1"})()
        assert describe_failure(error) == "ConnectionError: https://voices.example/v1: refused"
        error = ConnectionError(os.strerror(111))
        error.host, error.port = "voices.example", 443
        assert describe_failure(error) == "ConnectionError: voices.example:443: Connection refused"

    def test_that_the_cause_notes(self):
        cause = ConnectionError("refused")
        cause.url = "https://voices.example/v1"
        error = ConnectionError("no voices")
        error.__cause__ = cause
        assert describe_failure(error) == "ConnectionError: https://voices.example/v1: no voices"

    def test_locals_of_other_modules_are_no_addresses(self):
        def connect(address, req):
            raise ConnectionError(f"refused by {address[0]} to {req.full_url}")

        with pytest.raises(ConnectionError) as caught:
            connect(("voices.example", 443), urllib.request.Request("https://voices.example"))
        assert describe_failure(caught.value) == (
            "ConnectionError: refused by voices.example to https://voices.example"
        )  # fmt: skip


class TestState:
    GUARDED = replace(STEP, is_guarded=True)

    def leave(self, bound, folder, error=None):
        with as_item_error(bound):
            os.chdir(folder)
            if error:
                raise error

    def test_a_guarded_plugin_that_moves_the_process_has_failed(self, tmp_path):
        before = Path.cwd()
        with pytest.raises(ItemError, match=r"^same failed: RuntimeError: it changes the current folder\n"):
            self.leave(self.GUARDED, tmp_path)
        assert Path.cwd() == before
        self.leave(self.GUARDED, before)

    def test_its_own_error_is_the_one_that_is_told(self, tmp_path):
        before = Path.cwd()
        with pytest.raises(ItemError, match=r"^same failed: ValueError: no\n"):
            self.leave(self.GUARDED, tmp_path, ValueError("no"))
        assert Path.cwd() == before

    def test_a_plugin_that_is_not_guarded_is_not_watched(self, tmp_path, monkeypatch):
        monkeypatch.chdir(Path.cwd())
        self.leave(replace(STEP, is_guarded=False), tmp_path)
        assert Path.cwd() == tmp_path


def test_values_of_the_environment_are_masked():
    masked = replace(STEP, masks=Masks({"hunter2": "${P}"}))
    for error in (ValueError("not hunter2"), ItemError("not hunter2"), OptionError("not hunter2")):
        with pytest.raises(ItemError) as caught, as_item_error(masked):
            raise error
        assert caught.value.message.endswith("not ${P}")
        assert caught.value.args == (caught.value.message,)


def test_a_plugin_is_built_in_by_the_text_of_its_origin():
    package = replace(STEP.entry.package, origin="".join(["built", "in"]))
    assert blamed(ItemError("no speech"), replace(STEP, entry=replace(STEP.entry, package=package)))[1] == "no speech"


@pytest.mark.parametrize(("message", "code", "hint"), [(1, "a", ""), ("a", None, ""), ("a", "b", None)])
def test_errors_without_their_fields_are_those_of_the_plugin(message, code, hint):
    class OddError(ItemError):
        hint = None

    OddError.hint = hint
    error = OddError("x")
    error.message, error.code = message, code
    assert blamed(error)[0] == "plugin-failed"


def test_the_file_that_cannot_be_opened_is_the_first_of_two():
    error = OSError(2, "No such file", "a", None, "b")
    assert blamed(error)[1] == "same failed: cannot open a: No such file"


class TestReports:
    """What the function that gets the reports raises is nobody's error but its own."""

    @staticmethod
    def context(error):
        def fail(_):
            raise error

        return Context(on_progress=fail)

    @staticmethod
    def raised(context, work):
        """Return what a plugin that does some work raises in the end."""
        try:
            with as_item_error(STEP, context=context):
                work(context)
        except BaseException as error:
            return error

    @pytest.mark.parametrize("error", [KeyError("no"), KeyboardInterrupt(), ItemError("no", code="mine")])
    def test_it_comes_out_as_it_is(self, error):
        assert self.raised(self.context(error), lambda context: context.progress(1, 2)) is error

    @pytest.mark.parametrize("end", [lambda: None, lambda: 1 / 0])
    def test_also_if_the_plugin_makes_another_error_of_it_or_goes_on(self, end):
        def work(context):
            with contextlib.suppress(KeyError):
                context.progress(1, 2)
            end()

        error = KeyError("no")
        assert self.raised(self.context(error), work) is error
        assert error.__suppress_context__

    def test_also_if_a_thread_of_the_plugin_got_it(self):
        def report(context):
            with contextlib.suppress(KeyError):
                context.progress(1, 2)

        def work(context):
            thread = threading.Thread(target=report, args=(context,))
            thread.start()
            thread.join()

        error = KeyError("no")
        assert self.raised(self.context(error), work) is error

    def test_a_plugin_is_noted_in_its_context_and_begins_once(self, monkeypatch):
        now = [100.0]
        monkeypatch.setattr("time.monotonic", lambda: now[0])
        told = []
        context = Context(on_progress=told.append)
        now[0] += 1
        for _ in range(3):
            with as_item_error(STEP, context=context):
                assert context.stage is STEP
        assert [(report.stage, report.share) for report in told] == [(STEP.name, 0.0)]


def test_an_item_that_options_refuse_has_the_place_of_the_plugin_and_what_to_do():
    error = refusal(OptionError("no", option="rate", code="needs-whole", remedies=(RemoveOption("rate"),)), STEP)
    assert (type(error), error.message, error.code) == (ItemError, "no", "needs-whole")
    assert (error.place, error.remedies) == (STEP.place, (RemoveOption("rate"),))
