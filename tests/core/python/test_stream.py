"""Streams from Python: what they write, what they refuse before the first chunk, and what an abandoned one leaves."""

from __future__ import annotations

import functools
import gc
import gzip
import inspect
import io
import os
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import threading
import warnings
from pathlib import Path

import numpy as np
import pytest
from stream_toys import UNKNOWN, StartedToy, registry_with_toys, toy_length, toy_samples

import tonearm
from tonearm import ItemError, OutputError, PipelineError, TonearmError, TonearmWarning, UsageError, Waveform
from tonearm.plugins import registry as registries

RATE = 24000
SOUND = (0.4 * np.sin(np.arange(5000) / 9)).astype("f4")
STEREO = np.stack([SOUND, SOUND / 2])


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    found = registry_with_toys()
    monkeypatch.setattr(registries, "default", lambda: found)
    monkeypatch.chdir(tmp_path)
    StartedToy.given_up.clear()
    return tmp_path


def opened(target="a.toy", **options):
    return tonearm.stream(target, **{"sample_rate": RATE, **options})


def refused(**options):
    """Return the message of the error that opening a stream raises; nothing is left in the folder."""
    with pytest.raises(TonearmError) as caught:
        opened(**options)
    assert files() == []
    return str(caught.value)


def files():
    """Return the names of all files in the current folder."""
    return sorted(path.name for path in Path().iterdir())


def write_and_raise(*chunks, error=None, **options):
    """Write chunks into a stream, and raise an error in its body; return the stream where nothing is raised."""
    with opened(**options) as out:
        STREAMS.append(out)
        for chunk in chunks:
            out.write(chunk)
        if error is not None:
            raise error
    return out


STREAMS = []
"""Streams that `write_and_raise` has opened; the last one is that of the test."""


class TestFile:
    def test_it_appears_at_the_end_and_is_whole(self, folder):
        with opened() as out:
            for at in range(0, 5000, 999):
                out.write(SOUND[at : at + 999])
                assert not Path("a.toy").exists()
        assert files() == ["a.toy"]
        content = Path("a.toy").read_bytes()
        assert (toy_samples(content)[0] == SOUND).all()
        assert toy_length(content) == 5000
        assert content == tonearm.encode(SOUND, "toy", sample_rate=RATE)

    def test_it_tells_what_was_written(self):
        out = opened()
        assert (out.saved, out.closed) == (None, False)
        out.write(SOUND[:2400])
        assert out.measured == {"duration": 0.1}
        assert repr(out) == "<Stream to 'a.toy': open, 0.10 s>"
        saved = out.close()
        assert (saved.path, saved.measured["peak_db"]) == (Path("a.toy"), -7.96)
        assert out.saved is saved is out.close()
        assert out.closed
        assert repr(out) == "<Stream to 'a.toy': closed, 0.10 s, peak -8.0 dBFS>"

    def test_a_folder_that_does_not_exist_is_made(self):
        with opened("new/deep/a.toy") as out:
            out.write(SOUND)
        assert Path("new/deep/a.toy").exists()

    def test_one_that_exists_is_replaced_and_keeps_its_permissions(self):
        Path("a.toy").write_text("old")
        Path("a.toy").chmod(0o640)
        with opened() as out:
            out.write(SOUND)
        assert Path("a.toy").stat().st_mode & 0o777 == 0o640
        assert toy_length(Path("a.toy").read_bytes()) == 5000

    def test_one_that_exists_is_refused_at_once_without_overwrite(self):
        Path("a.toy").write_text("old")
        with pytest.raises(ItemError, match="exists"):
            opened(overwrite=False)
        assert Path("a.toy").read_text() == "old"
        assert files() == ["a.toy"]

    def test_one_that_comes_meanwhile_is_not_replaced_without_overwrite(self):
        out = opened(overwrite=False)
        out.write(SOUND)
        Path("a.toy").write_text("other")
        with pytest.raises(ItemError, match="exists"):
            out.close()
        assert Path("a.toy").read_text() == "other"
        assert files() == ["a.toy"]

    def test_a_change_of_folder_does_not_move_it(self, folder):
        Path("other").mkdir()
        with opened() as out:
            os.chdir("other")
            out.write(SOUND)
        assert (folder / "a.toy").exists()

    def test_it_is_flushed_to_the_disk_on_request(self, monkeypatch):
        flushed = []
        fsync = os.fsync
        monkeypatch.setattr(os, "fsync", lambda descriptor: (flushed.append(descriptor), fsync(descriptor)))
        with opened(durable=True) as out:
            out.write(SOUND)
        assert len(flushed) >= 2  # the file, and its name

    def test_gain_is_applied(self):
        with opened(steps=[("gain", {"gain_db": -6.0206})]) as out:
            out.write(SOUND)
        assert np.allclose(toy_samples(Path("a.toy").read_bytes())[0], SOUND / 2, atol=1e-6)

    def test_warnings_are_given_at_the_end(self):
        out = opened()
        out.write(SOUND * 1e-5)
        with pytest.warns(TonearmWarning, match="too-quiet") as caught:
            saved = out.close()
        assert caught[0].filename == __file__
        assert saved.warnings == out.warnings
        assert out.warnings


class TestOpenFile:
    def test_bytes_in_memory_are_those_of_a_file(self):
        file = io.BytesIO()
        file.write(b"before")
        with opened(file, format="toy") as out:
            out.write(SOUND)
        assert file.getvalue() == b"before" + tonearm.encode(SOUND, "toy", sample_rate=RATE)
        assert file.tell() == len(file.getvalue())
        assert not file.closed
        with pytest.raises(UsageError, match="no path"):
            _ = out.saved.path

    @pytest.mark.parametrize(
        "make", [functools.partial(Path("b.toy").open, "wb"), tempfile.TemporaryFile, tempfile.NamedTemporaryFile]
    )
    def test_a_file_of_pythons_own_is_patched(self, make):
        with make() as file:
            with opened(file, format="toy") as out:
                out.write(SOUND)
            assert out.saved.warnings == ()
            if "r" in getattr(file, "mode", "") or "+" in getattr(file, "mode", ""):
                file.seek(0)
                assert file.read() == tonearm.encode(SOUND, "toy", sample_rate=RATE)
        if Path("b.toy").exists():
            assert toy_length(Path("b.toy").read_bytes()) == 5000

    def test_its_suffix_tells_the_format(self):
        with Path("b.toy").open("wb") as file, opened(file) as out:
            out.write(SOUND)
        assert toy_length(Path("b.toy").read_bytes()) == 5000

    @pytest.mark.parametrize("flags", [os.O_APPEND, 0])
    def test_one_that_appends_is_a_pipe(self, flags):
        descriptor = os.open("b.toy", os.O_WRONLY | os.O_CREAT | flags)
        with os.fdopen(descriptor, "wb") as file, opened(file, format="toy") as out:
            out.write(SOUND)
        assert toy_length(Path("b.toy").read_bytes()) == (UNKNOWN if flags else 5000)

    def test_one_that_is_compressed_is_a_pipe(self):
        with gzip.open("b.gz", "wb") as file, opened(file, format="toy") as out:
            out.write(SOUND)
        assert toy_length(gzip.decompress(Path("b.gz").read_bytes())) == UNKNOWN

    def test_what_was_written_is_taken_back(self):
        file = io.BytesIO(b"before")
        file.seek(6)
        out = opened(file, format="toy")
        out.write(SOUND)
        assert len(file.getvalue()) > 6
        out.abort()
        assert (file.getvalue(), file.tell()) == (b"before", 6)

    def test_what_lies_behind_stays(self):
        file = io.BytesIO(bytes(100_000))
        with opened(file, format="toy") as out:
            out.write(SOUND)
        assert len(file.getvalue()) == 100_000

    def test_an_encoder_that_wants_a_path_is_refused(self):
        out = opened(io.BytesIO(), format="fileonly")
        with pytest.raises(ItemError, match="cannot write into one that is open") as caught:
            out.write(SOUND)
        assert caught.value.code == "needs-file"
        out.abort()

    @pytest.mark.parametrize("target", [io.StringIO(), 3, None, SOUND])
    def test_anything_else_is_refused(self, target):
        assert "text" in refused(target=target, format="toy") or "not to" in refused(target=target, format="toy")


class TestPipe:
    def test_bytes_leave_with_each_chunk(self):
        reading, writing = os.pipe()
        with os.fdopen(writing, "wb") as file, opened(file, format="toy") as out:
            out.write(SOUND[:100])
            assert len(os.read(reading, 10_000)) == 16 + 400
            out.write(SOUND[100:200])
            assert len(os.read(reading, 10_000)) == 400
        assert os.read(reading, 10) == b""
        os.close(reading)

    def test_a_socket_takes_all(self):
        ours, theirs = socket.socketpair()
        with ours, theirs:
            with opened(ours, format="toy") as out:
                out.write(SOUND)
            ours.shutdown(socket.SHUT_WR)
            with theirs.makefile("rb") as file:
                content = file.read()
        assert toy_length(content) == UNKNOWN
        assert (toy_samples(content)[0] == SOUND).all()

    def test_a_socket_does_not_tell_the_format(self):
        ours, theirs = socket.socketpair()
        with ours, theirs:
            assert 'format="mp3"' in refused(target=ours)

    def test_an_object_that_takes_bytes_gets_them_for_good(self):
        class Taker:
            def __init__(self):
                self.parts = []

            def write(self, content):
                self.parts.append(content)

        taker = Taker()
        with opened(taker, format="toy") as out:
            out.write(SOUND)
            out.write(SOUND)
        assert {type(part) for part in taker.parts} == {bytes}
        assert (toy_samples(b"".join(taker.parts))[0] == np.tile(SOUND, 2)).all()

    def test_a_reader_that_left_has_a_code_of_its_own(self):
        reading, writing = os.pipe()
        os.close(reading)
        with os.fdopen(writing, "wb", buffering=0) as file:
            out = opened(file, format="toy")
            with pytest.raises(OutputError, match="reader of the stream has left") as caught:
                out.write(SOUND)
            assert caught.value.code == "reader-left"
            with pytest.raises(UsageError, match="has failed"):
                out.write(SOUND)
            out.abort()

    def test_what_needs_a_file_is_refused_at_once(self):
        reading, writing = os.pipe()
        with os.fdopen(writing, "wb") as file, pytest.raises(ItemError, match="go back in what it has written"):
            opened(file, format="fileonly")
        os.close(reading)

    @pytest.mark.parametrize("form", ["rf64", "w64"])
    def test_a_format_that_has_its_length_in_front_is_refused_at_once(self, form):
        with gzip.open("a.gz", "wb") as file:
            with pytest.raises(ItemError, match="has the length of the sound in front of it") as caught:
                opened(file, format=form)
            assert caught.value.code == "needs-file"
            with opened(file, format=form, encoder={"format": "WAV"}) as out:
                out.write(SOUND)

    def test_the_name_of_a_pipe_is_refused_with_what_to_write(self):
        os.mkfifo("fifo.toy")
        with pytest.raises(OutputError, match="device or a pipe") as caught:
            opened("fifo.toy")
        assert 'open("fifo.toy", "wb")' in str(caught.value)
        assert files() == ["fifo.toy"]


class TestRefusals:
    """Whatever is known to be wrong is raised before the first chunk."""

    def test_a_sample_rate_is_needed(self):
        assert "sample_rate is missing" in refused(sample_rate=None)
        with pytest.raises(tonearm.UsageError, match="sample_rate is missing"):
            tonearm.stream("a.toy")

    def test_an_unknown_option(self):
        assert "there is no option 'bitrat' here" in refused(bitrat=3)

    def test_a_wrong_value(self):
        with pytest.raises(PipelineError, match="full_scale"):
            opened(full_scale=-1)

    @pytest.mark.parametrize("name", ["normalize", "loudness", "trim"])
    def test_a_step_that_needs_the_whole(self, name):
        options = {"target_lufs": -16} if name == "loudness" else {}
        assert f"{name} needs the whole signal" in refused(steps=[(name, options)])

    @pytest.mark.parametrize("suffix", ["png", "npy", "safetensors"])
    def test_an_encoder_that_needs_the_whole(self, suffix):
        assert "needs the whole signal" in refused(target=f"a.{suffix}")

    def test_too_many_channels(self):
        message = refused(channels=3)
        assert "3" in message
        assert "TOY" in message

    @pytest.mark.parametrize("channels", [0, 1.5, "2", True])
    def test_channels_that_are_no_number(self, channels):
        assert "channels=2" in refused(channels=channels)

    @pytest.mark.parametrize("name", ["lengths", "imag", "phase", "key", "length"])
    def test_options_of_a_whole_sound(self, name):
        assert f"leave {name} out" in refused(**{name: [1]})

    def test_a_batch(self):
        assert "a stream is one sound" in refused(axes=["batch", "time"])

    def test_a_name_with_fields(self):
        assert "{index}" in refused(target="a-{index}.toy")

    def test_a_mel_and_magnitudes(self):
        assert "needs the whole signal" in refused(dialect="hifigan")
        assert "needs the whole signal" in refused(kind="magnitude", n_fft=16, hop_length=4)

    def test_a_grid_without_a_kind(self):
        assert 'kind="complex"' in refused(n_fft=16)

    def test_an_unknown_treatment_of_parts(self):
        assert 'partial="keep"' in refused(partial="drop")

    def test_mappings_that_are_none(self):
        assert "encoder is a mapping" in refused(encoder="mp3")

    def test_a_folder_that_cannot_be_written(self):
        Path("file").write_text("")
        with pytest.raises(OutputError):
            opened("file/a.toy")

    def test_an_address(self):
        assert "s3" in refused(target="s3://bucket/a.toy")


class TestChunks:
    def test_one_that_is_refused_leaves_the_stream_as_it_was(self):
        out = opened()
        out.write(SOUND)
        with pytest.raises(ItemError, match=r"chunk 2: it holds int16, but the chunks before held float32"):
            out.write(np.zeros(10, "i2"))
        with pytest.raises(UsageError, match=r"chunk 3: .*str"):
            out.write("speech")
        out.write(SOUND)
        out.close()
        assert toy_length(Path("a.toy").read_bytes()) == 10_000

    def test_a_plugin_that_fails_ends_the_stream(self):
        out = opened(fails_at=2)
        out.write(SOUND)
        with pytest.raises(ItemError, match="toy is broken"):
            out.write(SOUND)
        with pytest.raises(UsageError, match="has failed"):
            out.write(SOUND)
        with pytest.raises(UsageError, match="has failed"):
            out.close()
        out.abort()
        assert len(StartedToy.given_up) == 1
        assert files() == []

    def test_nan_of_a_step_names_the_step(self):
        out = opened(steps=["nan"])
        with pytest.raises(ItemError, match="nan gave NaN"):
            out.write(SOUND)
        out.abort()

    def test_empty_ones_are_skipped(self):
        with opened() as out:
            out.write([])
            out.write(SOUND)
            out.write(np.zeros((0,), "f4"))
        assert toy_length(Path("a.toy").read_bytes()) == 5000

    @pytest.mark.parametrize("chunks", [[], [[]]])
    def test_none_at_all_is_an_error_and_no_file(self, chunks):
        out = opened()
        for chunk in chunks:
            out.write(chunk)
        with pytest.raises(ItemError, match="nothing to write") as caught:
            out.close()
        assert caught.value.code == "empty"
        assert files() == []

    def test_limits_are_checked_at_the_end(self):
        with pytest.raises(ItemError) as caught:
            write_and_raise(np.clip(SOUND * 6, -3, 3), limits={"clipped": 0.001, "beyond": 8})
        assert caught.value.code == "clipped"
        assert files() == []


class TestEnd:
    def test_an_exception_leaves_nothing(self):
        with pytest.raises(KeyError):
            write_and_raise(SOUND, error=KeyError())
        assert files() == []
        assert STREAMS[-1].closed
        assert len(StartedToy.given_up) == 1

    def test_an_exception_keeps_what_came_on_request(self):
        says = r"cut short \(KeyError.*\); its first 0\.21 s are kept"
        with pytest.warns(TonearmWarning, match=says) as caught, pytest.raises(KeyError):
            write_and_raise(SOUND, error=KeyError("model"), partial="keep")
        assert caught[0].filename == __file__
        assert files() == ["a.toy"]
        assert toy_length(Path("a.toy").read_bytes()) == 5000
        assert STREAMS[-1].saved.path == Path("a.toy")

    def test_what_a_step_has_passed_on_is_kept_when_it_fails(self):
        with pytest.warns(TonearmWarning) as caught, pytest.raises(ItemError, match="NaN") as failed:
            write_and_raise(SOUND[:1000], SOUND, partial="keep", steps=["nan"])
        assert f"cut short ({failed.value.message}); its first 0.04 s are kept" in str(caught[0].message)
        assert toy_length(Path("a.toy").read_bytes()) == 1000

    def test_nothing_is_kept_when_the_encoder_has_failed(self):
        with pytest.warns(TonearmWarning, match="nothing can be kept"), pytest.raises(ItemError, match="broken"):
            write_and_raise(SOUND, SOUND, partial="keep", fails_at=2)
        assert files() == []

    def test_the_hint_of_a_clipped_stream_can_be_followed(self):
        for steps in ([], ["limiter"]):
            out = opened("a.wav", steps=steps)
            out.write(SOUND)
            out.write(SOUND * 4)
            if steps:
                assert out.close().measured["peak_db"] < 0
                continue
            with pytest.raises(ItemError, match="would be clipped") as caught:
                out.close()
            assert caught.value.hint.startswith('steps=["limiter"], to bring the peak below full scale')

    def test_nothing_is_kept_when_nothing_came(self):
        with pytest.raises(KeyError):
            write_and_raise(error=KeyError(), partial="keep")
        assert files() == []

    def test_abort_does_what_partial_says(self):
        out = opened()
        out.write(SOUND)
        out.abort()
        out.abort()
        assert files() == []
        with pytest.raises(UsageError, match="given up") as caught:
            out.close()
        assert caught.value.code == "stream-closed"
        out = opened(partial="keep")
        out.write(SOUND)
        with pytest.warns(TonearmWarning, match="aborted"):
            out.abort()
        assert files() == ["a.toy"]

    def test_an_abort_within_with_is_no_error(self):
        with opened() as out:
            out.write(SOUND)
            out.abort()
        assert files() == []

    def test_writing_after_the_end_is_refused(self):
        with opened() as out:
            out.write(SOUND)
        with pytest.raises(UsageError, match="closed"):
            out.write(SOUND)

    @pytest.mark.parametrize("partial", ["discard", "keep"])
    def test_one_that_is_collected_as_garbage(self, partial):
        out = opened(partial=partial)
        out.write(SOUND)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            del out
            gc.collect()
        assert [one.category for one in caught][:1] == [ResourceWarning]
        assert {one.filename for one in caught} == {__file__}
        assert files() == (["a.toy"] if partial == "keep" else [])

    def test_a_disk_that_is_full(self):
        with Path("/dev/full").open("wb", buffering=0) as file:
            out = opened(file, format="toy")
            with pytest.raises(OutputError, match="no space left"):
                out.write(SOUND)
            out.abort()

    def test_a_file_that_cannot_grow(self, tmp_path):
        code = """
            import os, resource, signal, numpy, tonearm
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
            try:
                with tonearm.stream("a.ogg", sample_rate=24000) as out:
                    for _ in range(100):
                        out.write(numpy.random.default_rng(0).standard_normal(24000) / 9)
            except tonearm.OutputError as error:
                print(error)
            print(os.listdir())
        """
        assert run(code) == "cannot write: file too large\n[]\n"


class TestProcesses:
    def test_the_end_of_a_process_leaves_nothing(self):
        code = """
            import numpy, tonearm
            out = tonearm.stream("a.ogg", sample_rate=24000)
            out.write(numpy.zeros(24000) + 0.1)
        """
        run(code)
        assert files() == []

    def test_a_process_that_is_killed_leaves_what_the_next_stream_sweeps(self):
        code = """
            import numpy, time, tonearm
            out = tonearm.stream("a.ogg", sample_rate=24000, partial="keep")
            out.write(numpy.zeros(24000) + 0.1)
            print("written", flush=True)
            time.sleep(60)
        """
        child = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE)
        assert child.stdout.readline() == b"written\n"
        other = opened("b.toy")  # sweeps nothing that somebody holds
        assert len(files()) == 2
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        other.abort()
        run("import tonearm; tonearm.save([0.5, -0.5] * 800, 'c.wav', sample_rate=8000)")
        assert files() == ["c.wav"]

    def test_a_child_has_no_part_in_the_streams_of_its_parent(self):
        code = """
            import gc, os, sys, numpy, tonearm, warnings
            sound = numpy.sin(numpy.arange(240000) / 9) / 2
            out = tonearm.stream("a.ogg", sample_rate=24000)
            out.write(sound[:100_000])
            child = os.fork()
            if not child:
                for call in (lambda: out.write(sound), out.close, out.abort):
                    try:
                        call()
                        print("not refused")
                    except tonearm.UsageError as error:
                        assert "belongs to the process that opened it" in str(error)
                del out
                gc.collect()
                sys.exit(0)
            assert os.waitpid(child, 0)[1] == 0
            out.write(sound[100_000:])
            out.close()
            print(open("a.ogg", "rb").read() == tonearm.encode(sound, "ogg", sample_rate=24000), os.listdir())
        """
        assert run(code) == "True ['a.ogg']\n"

    def test_a_child_does_not_hold_the_file_of_a_parent_that_died(self):
        code = """
            import os, sys, time, numpy, tonearm
            out = tonearm.stream("a.ogg", sample_rate=24000)
            out.write(numpy.zeros(24000) + 0.1)
            if not os.fork():
                print("forked", flush=True)
                os.close(1)
                time.sleep(60)
                os._exit(0)
            time.sleep(60)
        """
        parent = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, start_new_session=True
        )
        assert parent.stdout.readline() == b"forked\n"
        parent.kill()
        parent.wait()
        parent.stdout.close()
        try:
            assert len(files()) == 1
            run("import tonearm; tonearm.save([0.5, -0.5] * 800, 'c.wav', sample_rate=8000)")
            assert files() == ["c.wav"]
        finally:
            os.killpg(parent.pid, signal.SIGKILL)


class TestThreads:
    def test_threads_write_whole_chunks_in_turns(self):
        out = opened()
        levels = [0.1, 0.2, 0.3, 0.4]
        signs = np.tile([1, -1], 100_000).astype("f4")  # longer than what passes on at once

        def work(level):
            for _ in range(5):
                out.write(level * signs)

        threads = [threading.Thread(target=work, args=(level,)) for level in levels]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        out.close()
        samples = toy_samples(Path("a.toy").read_bytes())[0].reshape(-1, 200_000)
        assert len(samples) == 20
        assert (samples == samples[:, :1] * signs).all()
        assert sorted(set(samples[:, 0])) == pytest.approx(levels)

    def test_a_handler_of_signals_is_refused(self):
        class Meddler(io.RawIOBase):
            error = None

            def writable(self):
                return True

            def write(self, content):
                try:
                    out.write(SOUND)
                except UsageError as error:
                    self.error = error
                return len(content)

        file = Meddler()
        out = opened(file, format="toy")
        out.write(SOUND)
        assert "at work on another chunk" in str(file.error)
        out.abort()


@pytest.mark.parametrize(
    "chunk",
    [
        SOUND,
        SOUND.astype("f8"),
        SOUND.tolist(),
        np.rint(SOUND * 32768).astype("i2"),
        Waveform(samples=SOUND[None], sample_rate=RATE),
    ],
)
def test_chunks_are_what_save_takes(chunk):
    file = io.BytesIO()
    with opened(file, format="toy") as out:
        out.write(chunk)
    assert file.getvalue() == tonearm.encode(
        chunk, "toy", **({} if isinstance(chunk, Waveform) else {"sample_rate": RATE})
    )


def test_each_parameter_is_described():
    described = inspect.getdoc(tonearm.stream)
    for parameter in inspect.signature(tonearm.stream).parameters:
        assert parameter in described
    for section in ("Parameters", "Returns", "Raises", "Examples"):
        assert f"{section}\n{'-' * len(section)}\n" in described


def run(code):
    """Return what a program prints that runs in the current folder."""
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout
