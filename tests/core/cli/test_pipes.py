"""Pipes on the command line: real ones, between processes, whose ends wait, leave and die."""

import base64
import contextlib
import json
import math
import os
import random
import shlex
import shutil
import signal
import stat
import struct
import subprocess
import sys
import sysconfig
import time
from array import array
from pathlib import Path

import numpy as np
import pytest
import soundfile
from core_toys import tonearm
from terminals import on_terminal, open_terminal, read_terminal

from tonearm import read
from tonearm.cli import console, pipes
from tonearm.cli.pipes import InputPipe, OutputPipe
from tonearm.errors import ItemError, OutputError, UsageError
from tonearm.startup import Terminated

SCRIPT = str(Path(sysconfig.get_path("scripts")) / "tonearm")
RAW = ("--encoding", "s16le", "--sample-rate", "24000")
PRODUCER = """
import math, sys, time
from array import array
count, pause = int(sys.argv[1]), float(sys.argv[2])
for number in range(count):
    block = array("h", (int(9000 * math.sin((2400 * number + place) / 9)) for place in range(2400)))
    sys.stdout.buffer.write(block.tobytes())
    sys.stdout.buffer.flush()
    time.sleep(pause)
"""


def needs(*programs):
    """Skip a test where a program is missing, and fail it in CI."""
    missing = [name for name in programs if shutil.which(name) is None]
    if missing and not os.environ.get("TONEARM_ALL_PROGRAMS"):
        pytest.skip(f"{missing[0]} is not installed")


def tone(length=24000):
    return array("h", (int(9000 * math.sin(place / 9)) for place in range(length))).tobytes()


def shell(line, cwd, **more):
    """Run a line of bash; return the exit status of each command, and what was printed."""
    text = f'tonearm() {{ {shlex.quote(SCRIPT)} "$@"; }}\n{line}\necho "${{PIPESTATUS[@]}}" > statuses'
    done = subprocess.run(["bash", "-c", text], cwd=cwd, capture_output=True, timeout=120, **more)
    return list(map(int, (Path(cwd) / "statuses").read_text().split())), done.stdout, done.stderr.decode()


@contextlib.contextmanager
def producer(count, pause):
    process = subprocess.Popen([sys.executable, "-c", PRODUCER, str(count), str(pause)], stdout=subprocess.PIPE)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def no_leftovers(folder, *names):
    assert sorted(path.name for path in Path(folder).iterdir()) == sorted(names)


class TestSources:
    @pytest.fixture(autouse=True)
    def folder(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)

    def test_a_voice_of_a_speech_synthesiser(self, tmp_path):
        needs("espeak-ng")
        statuses, out, err = shell('espeak-ng --stdout "hello" | tonearm convert - out.opus', tmp_path)
        assert (statuses, out) == ([0, 0], b"")
        assert err.endswith("out.opus\n")
        subprocess.run(["bash", "-c", "espeak-ng --stdout hello > whole.wav"], check=True)
        tonearm("convert", "whole.wav", "whole.opus")
        assert Path("out.opus").read_bytes() == Path("whole.opus").read_bytes()

    @pytest.mark.parametrize("sizes", [0, 0x7FFFFFFF, 0xFFFFFFFF, 0x7FFFF000, 0x80000000])
    def test_sizes_that_nobody_knew(self, sizes, tmp_path):
        soundfile.write("a.wav", np.sin(np.arange(800) / 9) / 2, 8000)
        content = bytearray(Path("a.wav").read_bytes())
        content[4:8] = content[40:44] = struct.pack("<I", sizes)
        done = subprocess.run([SCRIPT, "convert", "-", "b.wav"], input=bytes(content), capture_output=True)
        assert (done.returncode, done.stderr) == (0, b"b.wav\n")
        assert Path("b.wav").read_bytes()[44:] == content[44:]

    @pytest.mark.one_in(3)
    @pytest.mark.parametrize("form", ["wav", "rf64", "w64", "aiff", "au", "caf", "flac", "ogg", "mp3"])
    def test_formats_by_their_first_bytes(self, form):
        soundfile.write(f"a.{form}", np.sin(np.arange(8000) / 9) / 2, 8000, format=form.upper())
        content = Path(f"a.{form}").read_bytes()
        done = subprocess.run([SCRIPT, "convert", "-", "piped.wav"], input=content, capture_output=True)
        assert done.returncode == 0, done.stderr
        assert tonearm("convert", f"a.{form}", "named.wav").returncode == 0
        assert Path("piped.wav").read_bytes() == Path("named.wav").read_bytes()

    def test_arrays(self):
        np.save("a.npy", np.sin(np.arange(800, dtype="f4") / 9) / 2)
        np.savez("a.npz", sound=np.sin(np.arange(800, dtype="f4") / 9) / 2)
        for name in ("a.npy", "a.npz"):
            with Path(name).open("rb") as file:
                done = tonearm("convert", "-", f"{name}.wav", "--sample-rate", "8000", stdin=file)
            assert done.returncode == 0, done.stderr
        assert Path("a.npy.wav").read_bytes() == Path("a.npz.wav").read_bytes()

    def test_process_substitution_and_named_pipes(self, tmp_path):
        soundfile.write("a.wav", np.sin(np.arange(800) / 9) / 2, 8000)
        os.mkfifo("in.wav")
        os.mkfifo("out.flac")
        line = """
            tonearm convert <(cat a.wav) b.wav && cmp a.wav b.wav || exit 1
            cat a.wav > in.wav & tonearm convert in.wav c.wav && cmp a.wav c.wav || exit 1
            cat out.flac > piped.flac & tonearm convert a.wav out.flac || exit 1
            wait
            tonearm convert a.wav - --to flac | cmp - piped.flac || exit 1
            tonearm convert a.wav >(cat > other.flac) --to flac || exit 1
            cat a.wav | tonearm convert /dev/stdin /dev/stdout --to flac | cmp - piped.flac"""
        statuses, out, err = shell(line, tmp_path)
        assert (statuses, out) == ([0, 0, 0], b""), err
        assert stat.S_ISFIFO(Path("out.flac").stat().st_mode)

    def test_a_source_that_does_not_tell_its_format(self):
        for given, status, text in (
            (bytes(range(256)) * 10, 2, "unknown-suffix: standard input does not tell its format"),
            (b"", 3, "empty: standard input holds nothing: it has 0 bytes"),
            (b"some words of text\n", 2, "unknown-suffix: standard input looks like text"),
        ):
            done = subprocess.run([SCRIPT, "convert", "-", "a.wav"], input=given, capture_output=True)
            assert done.returncode == status
            assert done.stderr.decode().startswith(text)
        no_leftovers(".")

    def test_a_file_that_is_cut_short(self):
        soundfile.write("a.flac", np.sin(np.arange(80000) / 9) / 2, 8000)
        content = Path("a.flac").read_bytes()
        done = subprocess.run(
            [SCRIPT, "convert", "-", "b.wav"], input=content[: len(content) // 2], capture_output=True
        )
        assert done.returncode == 3
        assert done.stderr.decode().count("\n") <= 3
        no_leftovers(".", "a.flac")

    def test_a_large_source_is_kept_on_the_disk(self, monkeypatch, tmp_path):
        monkeypatch.setattr(pipes, "MAX_IN_MEMORY", 1000)
        reading, writing = os.pipe()
        os.write(writing, tone(4000))
        os.close(writing)
        path = InputPipe(f"/dev/fd/{reading}", lambda: None).collected()
        assert Path(path).read_bytes() == tone(4000)
        assert "memfd" not in str(Path(path).readlink())

    def test_a_pipe_in_a_folder_is_not_opened(self):
        Path("folder").mkdir()
        os.mkfifo("folder/a.wav")
        done = tonearm("inspect", "folder")
        assert done.returncode == 3
        assert "folder/a.wav: it is not a regular file" in done.stderr

    def test_the_folder_of_temporary_files_is_full(self, monkeypatch):
        def full(*_):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(pipes, "_write_all", full)
        reading, writing = os.pipe()
        os.write(writing, b"abc")
        os.close(writing)
        with pytest.raises(OutputError, match="no space left on device"):
            InputPipe(f"/dev/fd/{reading}", lambda: None).collected()

    def test_a_descriptor_that_is_not_open(self):
        with pytest.raises(ItemError, match="cannot read /dev/fd/987: bad file descriptor"):
            InputPipe("/dev/fd/987", lambda: None).head()

    def test_the_head_stays_in_front(self):
        reading, writing = os.pipe()
        os.write(writing, tone(4000))
        os.close(writing)
        pipe = InputPipe(f"/dev/fd/{reading}", lambda: None)
        assert pipe.head() == pipe.head() == tone(4000)[:2048]
        assert b"".join(pipe.chunks()) == tone(4000)

    def test_sound_in_json(self):
        content = json.dumps({"audioContent": base64.b64encode(tone()).decode()})
        done = tonearm("convert", "-", "a.wav", input=content)
        assert (done.returncode, done.stderr.splitlines()[-1]) == (2, "    hint: --field audioContent")
        done = tonearm("convert", "-", "a.wav", "--field", "audioContent", *RAW, input=content)
        assert (done.returncode, done.stderr) == (0, "a.wav\n")
        assert read("a.wav").samples.shape == (1, 24000)

    def test_yaml(self):
        done = tonearm("convert", "-", "-", "--to", "opus", *RAW, "--yaml")
        assert done.returncode == 0
        assert "files: stdin.pcm" in done.stdout
        assert "encoding: pcm_s16le" in done.stdout
        assert done.stderr == "a pipeline has files where the command has pipes: write their names into it\n"
        Path("p.yaml").write_text(done.stdout)
        assert tonearm("check", "p.yaml").returncode == 0


class TestTargets:
    @pytest.mark.one_in(3)
    @pytest.mark.parametrize(
        ("form", "reader"),
        [
            ("wav", "ffmpeg -v error -i - -f s16le -"),
            ("wav", "sox -V1 -t wav - -t raw -"),
            ("mp3", "ffmpeg -v error -i - -f s16le -"),
            ("mp3", "mpg123 -q -s -"),
            ("m4a", "ffmpeg -v error -i - -f s16le -"),
            ("flac", "ffmpeg -v error -i - -f s16le -"),
            ("flac", "sox -V1 -t flac - -t raw -e signed -b 16 -"),
            ("ogg", "oggdec -Q -R -o - -"),
            ("opus", "opusdec --quiet --rate 24000 - -"),
            ("opus", "ffmpeg -v error -i - -ar 24000 -f s16le -"),
        ],
    )
    def test_other_programs_read_it(self, form, reader, tmp_path):
        needs(reader.split()[0])
        (tmp_path / "a.pcm").write_bytes(tone())
        statuses, out, err = shell(
            f"cat a.pcm | tonearm convert - - --to {form} {shlex.join(RAW)} | {reader} > b.pcm", tmp_path
        )
        assert (statuses, out, err) == ([0, 0, 0], b"", "")
        made = np.fromfile(tmp_path / "b.pcm", "<i2")
        given = np.frombuffer(tone(), "<i2").astype(float)
        assert given.size - 1 <= made.size <= given.size + 5000  # MP3 and AAC in pipes keep what the codec adds
        peak = np.abs(np.fft.rfft(made.astype(float), 1 << 17)).argmax()
        assert abs(peak - np.abs(np.fft.rfft(given, 1 << 17)).argmax()) <= 2

    def test_curl_takes_it(self, tmp_path):
        needs("curl")
        (tmp_path / "a.pcm").write_bytes(tone())
        line = f"cat a.pcm | tonearm convert - - --to flac {shlex.join(RAW)} | curl -s -T - file://$PWD/b.flac"
        assert shell(line, tmp_path)[0] == [0, 0, 0]
        assert soundfile.info(tmp_path / "b.flac").samplerate == 24000

    @pytest.mark.parametrize("extra", [(), ("--step", "gain:gain_db=-3")])
    def test_bytes_leave_before_the_producer_ends(self, extra):
        with producer(1000, 0.02) as source:
            command = [SCRIPT, "convert", "-", "-", "--to", "opus", *RAW, *extra]
            with subprocess.Popen(command, stdin=source.stdout, stdout=subprocess.PIPE) as process:
                taken = b""
                while len(taken) < 2000:
                    taken += os.read(process.stdout.fileno(), 1 << 16)
                assert source.poll() is None
                source.kill()
                taken += process.stdout.read()
                assert process.wait(60) == 0
        assert taken.startswith(b"OggS")

    def test_whole_signals(self, tmp_path):
        (tmp_path / "a.pcm").write_bytes(tone())
        line = f"cat a.pcm | tonearm convert - - --to flac --step normalize {shlex.join(RAW)} > b.flac"
        assert shell(line, tmp_path) == ([0, 0], b"", "")
        assert abs(np.abs(soundfile.read(tmp_path / "b.flac")[0]).max() - 10 ** (-1 / 20)) < 1e-3

    def test_what_comes_in_pieces_is_what_comes_whole(self, tmp_path):
        (tmp_path / "a.pcm").write_bytes(tone(50_001))
        command = [SCRIPT, "convert", "-", "b.flac", *RAW]
        with subprocess.Popen(command, stdin=subprocess.PIPE, cwd=tmp_path, stderr=subprocess.DEVNULL) as process:
            content, at = tone(50_001), 0
            while at < len(content):
                size = random.Random(at).randrange(1, 9000)
                process.stdin.write(content[at : at + size])
                process.stdin.flush()
                at += size
        assert process.returncode == 0
        assert tonearm("convert", "a.pcm", "c.flac", *RAW, cwd=tmp_path).returncode == 0
        assert (tmp_path / "b.flac").read_bytes() == (tmp_path / "c.flac").read_bytes()

    def test_a_reader_that_leaves(self, tmp_path):
        (tmp_path / "a.pcm").write_bytes(tone(24000) * 30)
        line = f"cat a.pcm | tonearm convert - - --to opus {shlex.join(RAW)} | head -c 1000 | wc -c"
        statuses, out, err = shell(line, tmp_path)
        assert (statuses[1:], out.strip(), err) == ([141, 0, 0], b"1000", "")
        line = "tonearm convert a.pcm - --to opus --step normalize " + shlex.join(RAW) + " | head -c 1000 | wc -c"
        assert shell(line, tmp_path) == ([141, 0, 0], b"1000\n", "")

    def test_a_reader_that_leaves_while_the_producer_is_silent(self):
        reading, writing = os.pipe()
        command = [SCRIPT, "convert", "-", "-", "--to", "opus", *RAW]
        with subprocess.Popen(command, stdin=reading, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            os.close(reading)
            os.write(writing, tone(24000))
            assert os.read(process.stdout.fileno(), 4) == b"OggS"
            process.stdout.close()
            assert process.wait(60) == 141
            assert process.stderr.read() == b""
        os.close(writing)

    def test_closed_streams(self, tmp_path):
        (tmp_path / "a.pcm").write_bytes(tone())
        statuses, _, err = shell(f"tonearm convert a.pcm - --to flac {shlex.join(RAW)} >&-", tmp_path)
        assert (statuses, err) == ([4], "output: cannot write to standard output: it is closed\n")
        for words in (["-", "--to", "flac"], ["a.flac"]):
            statuses, out, err = shell(f"tonearm convert - {shlex.join([*words, *RAW])} <&-", tmp_path)
            assert (statuses, out, err) == ([3], b"", "unreadable: cannot read standard input: it is closed\n")
        no_leftovers(tmp_path, "a.pcm", "statuses")

    def test_a_full_disk(self, tmp_path):
        (tmp_path / "a.pcm").write_bytes(tone())
        statuses, _, err = shell(f"tonearm convert a.pcm - --to flac {shlex.join(RAW)} > /dev/full", tmp_path)
        assert (statuses, err) == ([4], "output: cannot write to standard output: no space left on device\n")

    @pytest.mark.parametrize(
        ("words", "text"),
        [
            (["-"], "unknown-suffix: - does not tell the format to write\n    hint: give it: --to mp3\n"),
            (["-", "--to", "png"], "needs-file: png-writer must go back"),
            (["-", "--to", "nope"], "unknown-suffix: there is no format 'nope'"),
            (["-", "--to", "opus", "--encoder", "opus-writer"], "usage: --to and --encoder exclude each other"),
            (["/dev/stderr", "--to", "opus"], "stream-refused: /dev/stderr is the stream of messages"),
            (["s3://bucket/a.opus", "--to", "opus"], "address-refused: s3://bucket/a.opus is an address"),
        ],
    )
    def test_refused_before_anything_is_read(self, words, text, tmp_path):
        reading, writing = os.pipe()  # nothing comes, and nothing ends
        done = tonearm("convert", "-", *words, *RAW, stdin=reading, cwd=tmp_path)
        os.close(reading)
        os.close(writing)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith(text)
        no_leftovers(tmp_path)

    def test_a_form_with_its_length_in_front_is_refused_before_the_source_ends(self, tmp_path):
        statuses, out, err = shell(f"cat /dev/zero | tonearm convert - - --to w64 {shlex.join(RAW)}", tmp_path)
        assert (statuses[-1], out) == (3, b"")
        assert err.startswith("needs-file: W64 has the length of the sound in front of it"), err

    def test_a_format_for_a_file(self, tmp_path):
        (tmp_path / "a.pcm").write_bytes(tone())
        done = tonearm("convert", "a.pcm", "sound", "--to", "wav-writer", *RAW, cwd=tmp_path)
        assert (done.returncode, done.stderr) == (0, "sound\n")
        assert (tmp_path / "sound").read_bytes().startswith(b"RIFF")

    @pytest.mark.parametrize(
        ("words", "text"),
        [
            (["--to", "w64"], "needs-file: W64 has the length of the sound in front of it"),
            (["--to", "rf64"], "needs-file: RF64 has the length of the sound in front of it"),
            (
                ["--to", "flac", "--provenance", "true"],
                "needs-file: provenance is written into a file beside the sound",
            ),
        ],
    )
    def test_what_needs_a_file(self, words, text, tmp_path):
        (tmp_path / "a.pcm").write_bytes(tone())
        with (tmp_path / "a.pcm").open("rb") as file:
            done = tonearm("convert", "-", "-", *words, *RAW, stdin=file, cwd=tmp_path)
        assert (done.returncode, done.stdout) == (3, "")
        assert done.stderr.startswith(text)

    def test_a_file_that_is_called_like_a_stream(self, tmp_path):
        (tmp_path / "-").write_bytes(tone())
        for source, target in (("./-", "a.flac"), ("a.flac", "./-"), ("./-", "b.flac")):
            words = ["--to", "flac", *(RAW if target == "a.flac" else ["--decoder", "audio-reader"]), "--force"]
            done = tonearm("convert", source, target, *words, cwd=tmp_path)
            assert (done.returncode, done.stderr) == (0, f"{target.removeprefix('./')}\n")
        assert (tmp_path / "-").read_bytes() == (tmp_path / "a.flac").read_bytes() == (tmp_path / "b.flac").read_bytes()
        no_leftovers(tmp_path, "-", "a.flac", "b.flac")

    def test_several_items(self, tmp_path):
        np.savez(tmp_path / "a.npz", a=np.zeros(800, "f4") + 0.1, b=np.zeros(800, "f4") + 0.2)
        words = ("convert", "a.npz", "-", "--to", "flac", "--key", "*", "--sample-rate", "8000")
        done = tonearm(*words, cwd=tmp_path)
        assert (done.returncode, done.stdout) == (3, "")
        assert "same-output: a.npz has several items, and a pipe takes one" in done.stderr

    def test_a_device_is_written_and_never_replaced(self, tmp_path):
        (tmp_path / "a.pcm").write_bytes(tone())
        for words, status, text in (
            (["/dev/null", "--to", "mp3", "--force"], 0, ""),
            (
                ["/dev/full", "--to", "mp3", "--force"],
                4,
                "output: cannot write to /dev/full: no space left on device\n",
            ),
            (["/dev/tty", "--to", "mp3"], 4, "output: cannot write to /dev/tty: no such device or address\n"),
            (
                ["/dev/null"],
                2,
                "unknown-suffix: /dev/null does not tell the format to write\n    hint: give it: --to mp3\n",
            ),
        ):
            done = tonearm("convert", "a.pcm", *words, *RAW, cwd=tmp_path, start_new_session=True)
            assert (done.returncode, done.stdout, done.stderr) == (status, "", text)
        no_leftovers(tmp_path, "a.pcm")


class TestTerminals:
    def test_sound_is_not_shown(self, tmp_path):
        (tmp_path / "a.pcm").write_bytes(tone())
        status, text = on_terminal("convert", "a.pcm", "-", "--to", "flac", *RAW, cwd=tmp_path)
        assert status == 2
        assert "standard output is a terminal" in text
        assert "\0" not in text

    def test_sound_is_not_typed(self, tmp_path):
        status, text = on_terminal("convert", "-", "a.wav", *RAW, cwd=tmp_path)
        assert status == 2
        assert "standard input is a terminal" in text
        no_leftovers(tmp_path)

    def test_messages_on_a_terminal_spoil_nothing(self, tmp_path):
        (tmp_path / "a.pcm").write_bytes(tone() * 10)
        ours, theirs = open_terminal()
        command = [SCRIPT, "convert", "-", "-", "--to", "flac", *RAW]
        with (tmp_path / "a.pcm").open("rb") as file:
            process = subprocess.Popen(command, stdin=file, stdout=subprocess.PIPE, stderr=theirs)
        os.close(theirs)
        with process.stdout:
            content = process.stdout.read()
        read_terminal(ours)
        assert process.wait(60) == 0
        (tmp_path / "b.flac").write_bytes(content)
        assert read(tmp_path / "b.flac").samples.shape == (1, 240_000)


class TestWaiting:
    @pytest.mark.slow
    def test_a_silent_producer_is_no_hang(self, tmp_path):
        reading, writing = os.pipe()
        command = [SCRIPT, "convert", "-", "a.flac", "--timeout", "1.5", *RAW]
        with subprocess.Popen(command, stdin=reading, cwd=tmp_path, stderr=subprocess.PIPE) as process:
            os.close(reading)
            os.write(writing, tone(4000))
            time.sleep(3)
            assert process.poll() is None
            os.close(writing)
            assert process.stderr.read() == b"a.flac\n"
            assert process.wait(60) == 0

    @pytest.mark.slow
    def test_a_slow_reader_is_no_hang(self, tmp_path):
        (tmp_path / "a.pcm").write_bytes(np.random.default_rng(0).integers(-9999, 9999, 200_000, "<i2").tobytes())
        command = [SCRIPT, "convert", "a.pcm", "-", "--to", "flac", "--timeout", "1.5", *RAW]
        with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=tmp_path, stderr=subprocess.PIPE) as process:
            time.sleep(3)
            assert process.poll() is None
            assert len(process.stdout.read()) > 200_000
            assert process.wait(60) == 0

    @pytest.mark.one_in(4)
    @pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
    @pytest.mark.parametrize("target", ["a.flac", "-"])
    def test_signals(self, number, status, target, tmp_path):
        reading, writing = os.pipe()
        command = [SCRIPT, "convert", "-", target, *(["--to", "flac"] if target == "-" else []), *RAW]
        with subprocess.Popen(
            command, stdin=reading, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process:
            os.close(reading)
            os.write(writing, tone(20000))
            time.sleep(1.5)
            process.send_signal(number)
            assert process.wait(60) == status
            assert process.stderr.read() == (b"interrupted\n" if status == 130 else b"terminated\n")
        os.close(writing)
        no_leftovers(tmp_path)

    def test_raw_samples_of_a_producer_that_dies_are_converted(self, tmp_path):
        with producer(1000, 0.02) as source:
            command = [SCRIPT, "convert", "-", "a.flac", *RAW]
            with subprocess.Popen(command, stdin=source.stdout, cwd=tmp_path, stderr=subprocess.PIPE) as process:
                time.sleep(1.5)
                source.kill()
                assert process.wait(60) == 0
        assert soundfile.info(tmp_path / "a.flac").frames % 2400 == 0
        no_leftovers(tmp_path, "a.flac")


class TestDeaths:
    """Either end is killed at random."""

    @pytest.mark.parametrize("target", ["file", "pipe"])
    def test_a_producer(self, target, repetitions, chance, tmp_path):
        for _ in range(repetitions(100)):
            folder = tmp_path / str(chance.random())
            folder.mkdir()
            words = ["a.opus"] if target == "file" else ["-", "--to", "opus"]
            with producer(10_000, 0.001) as source:
                process = subprocess.Popen(
                    [SCRIPT, "convert", "-", *words, *RAW],
                    stdin=source.stdout, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                )  # fmt: skip
                time.sleep(chance.uniform(0, 1.2))
                source.kill()
                out, err = process.communicate(timeout=60)
            empty = b"empty: " in err
            assert process.returncode == (3 if empty else 0), err
            assert b"Traceback" not in err
            made = folder / "a.opus"
            if target == "pipe" and not empty:
                made.write_bytes(out)
            no_leftovers(folder, *([] if empty else ["a.opus"]))
            if not empty:
                assert soundfile.info(made).frames > 0

    def test_a_producer_of_a_format(self, repetitions, chance, tmp_path):
        soundfile.write(tmp_path / "a.flac", np.sin(np.arange(200_000) / 9) / 2, 8000)
        code = "import sys, time\nfor byte in open('a.flac', 'rb'):\n sys.stdout.buffer.write(byte); time.sleep(0.0001)"
        (tmp_path / "out").mkdir()
        for _ in range(repetitions(100)):
            source = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=tmp_path)
            process = subprocess.Popen(
                [SCRIPT, "convert", "-", "out/a.opus", "--force"],
                stdin=source.stdout, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            )  # fmt: skip
            source.stdout.close()
            time.sleep(chance.uniform(0, 0.3))
            source.kill()
            source.wait()
            err = process.communicate(timeout=60)[1]
            assert process.returncode in (0, 3), err
            assert b"Traceback" not in err
            if process.returncode:
                no_leftovers(tmp_path / "out")
            for made in (tmp_path / "out").iterdir():
                assert made.name == "a.opus"
                made.unlink()

    def test_a_reader(self, repetitions, chance):
        for _ in range(repetitions(100)):
            with producer(10_000, 0) as source:
                process = subprocess.Popen(
                    [SCRIPT, "convert", "-", "-", "--to", "opus", *RAW],
                    stdin=source.stdout, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                )  # fmt: skip
                reader = subprocess.Popen(["cat"], stdin=process.stdout, stdout=subprocess.DEVNULL)
                process.stdout.close()
                time.sleep(chance.uniform(0, 1.2))
                reader.kill()
                reader.wait()
                assert process.wait(60) == 141
                assert process.stderr.read() == b""
                process.stderr.close()


class TestEnds:
    def test_signs_of_life_while_nothing_comes(self, monkeypatch):
        monkeypatch.setattr(pipes, "INTERVAL", 0.01)
        reading, writing = os.pipe()
        signs = []

        def alive():
            signs.append(1)
            if len(signs) == 5:
                os.close(writing)

        assert list(InputPipe(f"/dev/fd/{reading}", alive).chunks()) == []
        assert len(signs) >= 5

    def test_an_output_of_which_nobody_reads(self):
        reading, writing = os.pipe()
        pipe = OutputPipe(f"/dev/fd/{writing}", lambda: None)
        os.close(reading)
        with pytest.raises(Terminated) as caught:
            pipe.write(memoryview(b"abc"))
        kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
        try:
            assert console.report_interrupt(caught.value) == 141
        finally:
            for number, handler in kept.items():  # which are ignored from there on
                signal.signal(number, handler)

    def test_a_large_block_is_written_whole(self):
        reading, writing = os.pipe()
        pipe = OutputPipe(f"/dev/fd/{writing}", lambda: None)
        os.close(writing)
        child = subprocess.Popen(["wc", "-c"], stdin=reading, stdout=subprocess.PIPE)
        os.close(reading)
        pipe.write(memoryview(bytes(300_001)))
        pipe.close()
        assert child.communicate()[0].strip() == b"300001"

    def test_a_target_that_is_not_open(self):
        with pytest.raises(OutputError, match="cannot write to /dev/fd/987: bad file descriptor"):
            OutputPipe("/dev/fd/987", lambda: None)
        with pytest.raises(UsageError, match="stream of messages"):
            OutputPipe("/dev/fd/2", lambda: None)
