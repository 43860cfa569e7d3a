import contextlib
import errno
import gc
import os
import weakref

import numpy as np
import pytest
import soundfile
from run_toys import Do, LineReader, files, leftovers, pipeline, preparer, task, toys, write

from tonearm.api import Encoder, Item, ItemError, NoOptions, Waveform
from tonearm.content_hash import file_state, hash_array, hash_path
from tonearm.errors import OutputError
from tonearm.run import prepare as room
from tonearm.run.store.quarantine import Quarantine
from tonearm.run.tasks import Task

LEVELS = "k1 0.5\nk2 x\nk3 0.25\n"


def outcome(found, name="a.txt", **more):
    (one,) = preparer(found, **more).prepare(task(name))
    return one


@pytest.fixture(autouse=True)
def inputs(folder):
    write(a=LEVELS)


def test_items_that_go_and_items_that_fail():
    one = outcome(pipeline("{stem}-{key}.raw"))
    assert (one.state, one.hash) == (file_state("a.txt"), hash_path("a.txt"))
    assert [(item.key, item.index, item.files[0].output) for item in one.items] == [
        ("k1", 0, "a-k1.raw"), ("k3", 2, "a-k3.raw"),
    ]  # fmt: skip
    assert [(failure.code, failure.message, failure.hint) for failure in one.failures] == [
        ("no-level", "line-reader: 'x' is no level", "write a number")
    ]
    assert one.items[0].measured == {"duration": 10 / 8000, "dc": 0.5, "peak_db": -6.02}
    assert one.last
    assert files() == {name: content for name, content in files().items() if name in leftovers()}
    assert len(leftovers()) == 2


def test_items_that_are_done_are_left_out():
    found = preparer(pipeline("{stem}-{key}.raw"))
    (one,) = found.prepare(task("a.txt", skip=frozenset({(("k1", 0), 0)})))
    assert [item.key for item in one.items] == ["k3"]


def test_a_source_of_many_items_comes_in_parts(monkeypatch):
    monkeypatch.setattr(room, "MAX_WAITING_ITEMS", 3)
    write(a="\n".join(f"k{index} 0.{index}" for index in range(1, 9)))
    parts = list(preparer(pipeline("{key}.raw")).prepare(task("a.txt")))
    assert [[item.index for item in part.items] for part in parts] == [[0, 1, 2], [3, 4, 5], [6, 7]]
    assert [part.last for part in parts] == [False, False, True]


@pytest.mark.parametrize("name", ["none.txt", "pipe.txt", "dangling.txt", "loop.txt", "folder.txt"])
def test_what_is_no_file_fails_and_never_hangs(name, folder):
    os.mkfifo("pipe.txt")
    os.symlink("nowhere", "dangling.txt")
    os.symlink("loop.txt", "loop.txt")
    os.mkdir("folder.txt")
    one = outcome(pipeline(), name)
    assert [failure.code for failure in one.failures] in (["unreadable"], ["not-a-file"])
    assert leftovers() == []


class PathReader(LineReader):
    """Read a text file by its path, or whatever a test does before."""

    reads = "path"
    before = staticmethod(lambda source: None)

    def decode(self, source, context):
        assert source.content is None
        type(self).before(source)
        yield from super().decode(source, context)


class TestReadersOfPaths:
    @pytest.fixture
    def found(self):
        return pipeline("{key}.raw", use="path-reader", registry=toys(decoders={"path-reader": PathReader}))

    def test_the_host_does_not_read_for_them(self, found):
        one = outcome(found)
        assert (one.state, one.hash) == (file_state("a.txt"), "")
        assert len(one.items) == 2

    def test_another_file_of_the_same_size_and_time_is_not_read(self, found, monkeypatch):
        def replace(source):
            with open("new", "w") as file:
                file.write(LEVELS.replace("5", "4"))
            os.utime("new", ns=(os.stat("a.txt").st_mtime_ns,) * 2)
            os.replace("new", "a.txt")

        monkeypatch.setattr(PathReader, "before", staticmethod(replace))
        one = outcome(found)
        assert [failure.code for failure in one.failures] == ["source-changed"]
        assert one.items == []
        assert leftovers() == []


def test_an_array_does_not_travel_back():
    array = np.full(9, 0.5, "f4")

    class ArrayReader(LineReader):
        def decode(self, source, context):
            yield Item(signal=Waveform(samples=source.array[None], sample_rate=8000))

    found = pipeline(use="array-reader", registry=toys(decoders={"array-reader": ArrayReader}))
    (one,) = preparer(found).prepare(Task(0, "utt1", "", array=array, key="utt1"))
    assert one.task == Task(0, "utt1", "", key="utt1")
    assert one.state == one.hash == hash_array(array)
    assert [item.files[0].output for item in one.items] == ["utt1.raw"]


class TestChange:
    """A source that changes while it is read."""

    @pytest.fixture
    def changing(self, monkeypatch):
        def when(act):
            monkeypatch.setattr(Do, "act", staticmethod(lambda _: act()))
            return outcome(pipeline("{key}.raw", steps=["do"]))

        return when

    def append(self):
        with open("a.txt", "a") as file:
            file.write("k4 0.5\n")

    def replace(self):
        with open("new", "w") as file:
            file.write(LEVELS)
        os.utime("new", ns=(1, 1))
        os.replace("new", "a.txt")

    def truncate(self):
        os.truncate("a.txt", 1)

    def unlink(self):
        with contextlib.suppress(FileNotFoundError):
            os.unlink("a.txt")

    @pytest.mark.parametrize("how", ["append", "replace", "truncate", "unlink"])
    def test_it_fails_as_a_whole(self, changing, how):
        one = changing(getattr(self, how))
        assert one.items == []
        assert [(failure.code, failure.message) for failure in one.failures] == [
            ("source-changed", "a.txt changed while it was read")
        ]
        assert one.failures[0].hint == "convert it again when it is complete"
        assert leftovers() == []

    def test_parts_of_it_that_were_handed_over_stay(self, monkeypatch):
        monkeypatch.setattr(room, "MAX_WAITING_ITEMS", 2)
        write(a="\n".join(f"k{index} 0.5" for index in range(5)))
        stream = preparer(pipeline("{key}.raw")).prepare(task("a.txt"))
        assert len(next(stream).items) == 2
        os.truncate("a.txt", 0)
        (rest,) = stream
        assert rest.items == []
        assert [failure.code for failure in rest.failures] == ["source-changed"]
        assert len(leftovers()) == 2


class Broken(Encoder[Waveform, NoOptions]):
    """Fail as a test says."""

    suffixes = (".raw",)
    error: BaseException = RuntimeError("no")
    write_first = True

    def encode(self, item, sink, context):
        if self.write_first:
            sink.path.write_bytes(b"half")
        raise type(self).error


class TestEncodersThatFail:
    @pytest.fixture
    def encoding(self, monkeypatch):
        def with_error(error):
            monkeypatch.setattr(Broken, "error", error)
            found = toys(encoders={"broken": Broken})
            return outcome(pipeline("{key}.raw", encoder="broken", registry=found))

        return with_error

    @pytest.mark.parametrize(
        "error",
        [RuntimeError("no"), MemoryError(), SystemExit(3), FileNotFoundError(2, "No such file", "/else/table.bin"),
         BrokenPipeError(32, "Broken pipe"), ConnectionResetError(), TimeoutError(), RecursionError()],
    )  # fmt: skip
    def test_what_is_no_fault_of_the_disk_is_the_items(self, encoding, error):
        one = encoding(error)
        assert one.items == []
        assert [failure.code for failure in one.failures] == ["plugin-failed", "no-level", "plugin-failed"]
        assert leftovers() == []

    @pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EIO, errno.EDQUOT, errno.EFBIG])
    def test_a_fault_of_the_disk_stops_all(self, encoding, number):
        with pytest.raises(OutputError) as caught:
            encoding(OSError(number, os.strerror(number)))
        assert caught.value.message == f"cannot write out/k1.raw: {os.strerror(number).lower()}"
        assert leftovers() == []

    def test_a_library_that_does_not_say_why(self, encoding, monkeypatch):
        real = os.fsync

        def full(descriptor):
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(OutputError, match=r"cannot write out/k1\.raw: no space left on device"):
            encoding(RuntimeError("Internal error"))
        monkeypatch.setattr(os, "fsync", real)
        assert leftovers() == []


class Refusing(Encoder[Waveform, NoOptions]):
    """Refuse what is louder than 0.3."""

    suffixes = (".raw",)

    def encode(self, item, sink, context):
        with sink.open() as file:
            file.write(b"begun")
        if item.signal.samples.max() > 0.3:
            raise ItemError("too loud", code="loud")


class TestQuarantine:
    def kept(self, found, **more):
        one = outcome(found, quarantine=Quarantine("q"), **more)
        return {failure.key: (failure.code, failure.kept) for failure in one.failures}

    def test_what_an_encoder_refuses_is_kept_and_what_no_decoder_read_is_not(self):
        kept = self.kept(pipeline("{key}.raw", encoder="two", registry=toys(encoders={"two": Refusing})))
        assert {key: code for key, (code, _) in kept.items()} == {"k1": "loud", "": "no-level"}
        assert kept[""][1] == ""
        assert soundfile.read(kept["k1"][1])[0].tolist() == [0.5] * 10
        assert [name for name in os.listdir("q") if not name.startswith(".")] == [kept["k1"][1][2:]]

    def test_what_a_step_refuses_is_kept_as_the_step_was_given_it(self, monkeypatch):
        def act(signal):
            if signal.samples[0, 0] < 0.3:
                raise ItemError("too soft", code="soft")

        monkeypatch.setattr(Do, "act", staticmethod(act))
        kept = self.kept(pipeline("{key}.raw", steps=["do"]))
        assert kept["k3"][0] == "soft"
        assert soundfile.read(kept["k3"][1])[0].tolist() == [0.25] * 10

    def test_a_name_that_cannot_be_is_no_refusal(self):
        write(a="a/b 0.5")
        ((_, kept),) = self.kept(pipeline("{key}.raw")).values()
        assert kept == ""
        assert not os.path.exists("q")

    def test_without_one_nothing_is_kept_in_memory_or_on_the_disk(self):
        found = preparer(pipeline("{key}.raw", encoder="two", registry=toys(encoders={"two": Refusing})))
        (one,) = found.prepare(task("a.txt"))
        assert [failure.kept for failure in one.failures] == ["", ""]
        assert found._refused is None

    def test_a_full_disk_stops_the_run(self, monkeypatch):
        def full(*_):
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr("tonearm.run.store.quarantine.write_float_wav", full)
        with pytest.raises(OutputError, match=r"cannot write q/a-.*no space left"):
            self.kept(pipeline("{key}.raw", encoder="two", registry=toys(encoders={"two": Refusing})))
        assert leftovers() == []
        assert os.listdir("q") == [".tonearm-quarantine"]


def test_an_interrupt_leaves_nothing(monkeypatch):
    def interrupt(_):
        raise KeyboardInterrupt

    write(a="k1 0.5\nk2 0.5")
    acts = iter([lambda _: None, interrupt])
    monkeypatch.setattr(Do, "act", staticmethod(lambda signal: next(acts)(signal)))
    with pytest.raises(KeyboardInterrupt):
        outcome(pipeline("{key}.raw", steps=["do"]))
    assert leftovers() == []


def test_failures_hold_no_arrays(monkeypatch):
    """An error and the frames that it came through are a circle; a night of failures must not fill the memory."""
    arrays = []

    class Large(np.ndarray):
        pass

    def act(signal):
        array = np.zeros(10).view(Large)
        arrays.append(weakref.ref(array))
        raise ValueError(f"bad: {array.size}")

    monkeypatch.setattr(Do, "act", staticmethod(act))
    gc.disable()
    try:
        one = outcome(pipeline("{key}.raw", steps=["do"]))
        assert [failure.code for failure in one.failures] == ["plugin-failed", "no-level", "plugin-failed"]
        assert [array() for array in arrays] == [None, None]
    finally:
        gc.enable()


def test_what_the_caller_handles_keeps_its_traceback():
    def convert_while_handling():
        try:
            raise LookupError
        except LookupError:
            assert outcome(pipeline("{stem}-{key}.raw")).failures
            raise

    with pytest.raises(LookupError) as raised:
        convert_while_handling()
    assert "convert_while_handling" in [entry.name for entry in raised.traceback]


def test_tracebacks_only_for_those_who_debug(monkeypatch):
    monkeypatch.setattr(Do, "act", staticmethod(lambda _: 1 / 0))
    found = pipeline("{key}.raw", steps=["do"])
    assert [bool(failure.trace) for failure in outcome(found).failures] == [False] * 3
    assert outcome(found).failures[0].hint == "--debug shows where"
    debugged = outcome(found, debug=True).failures
    assert "ZeroDivisionError: division by zero" in debugged[0].trace
    assert debugged[0].hint == ""
