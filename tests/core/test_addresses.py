"""Names that are no files on this machine: addresses and streams are refused, and nothing is called by such a name."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from core_toys import tonearm

from tonearm import load_pipeline, save
from tonearm.addresses import is_stream, near_file, refuse_address, refuse_missing
from tonearm.cli import main as cli
from tonearm.errors import ItemError, PipelineError, UsageError

PIPELINE = """\
tonearm: 1
input: {use: npy-reader, files: "*.npy", with: {kind: waveform, sample_rate: 8000}}
outputs: [{use: wav-writer, file: "{stem}.wav"}]
"""
ADDRESSES = [
    "s3://bucket/a.npy", "gs://bucket/a.npy", "az://c/a.npy", "http://h/a.npy", "https://h/a.npy?x=1", "ftp://h/a.npy",
    "sftp://h/a.npy", "hdfs://n/a.npy", "hf://datasets/a/a.npy", "file:///tmp/a.npy", "S3://bucket/a.npy", "s3://",
    "s3a://bucket/a.npy", "rtmp://h/live", "abfs+x://c/a.npy",
]  # fmt: skip
FILES = [
    "a.npy",
    "./-",
    "s3:",
    "./s3:/a",
    "./s3://a",
    "a://b",
    "C:/a.npy",
    "a b://c",
    "dir/s3://a",
    "--",
    "-x.npy",
    "1a://b",
]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("a.npy", np.full(800, 0.5, np.float32))
    (tmp_path / "p.yaml").write_text(PIPELINE)
    return tmp_path


@pytest.mark.parametrize("name", ADDRESSES)
@pytest.mark.parametrize("written", [False, True])
def test_an_address(name, written):
    with pytest.raises(UsageError) as caught:
        refuse_address(name, written=written)
    assert caught.value.code == "address-refused"
    assert caught.value.message == f"{name} is an address; tonearm reads and writes files on this machine"
    assert caught.value.hint


@pytest.mark.parametrize("written", [False, True])
def test_an_address_that_went_through_pathlib(written, folder):
    name = str(Path("s3://bucket/a.npy"))
    with pytest.raises(UsageError, match="s3://bucket/a") as caught:
        refuse_address(name, written=written)
    assert caught.value.code == "address-refused"
    with pytest.raises(UsageError, match="is an address"):
        save([0.1, 0.2], Path("s3://bucket/a.wav"), sample_rate=8000)
    assert not Path("s3:").exists()
    Path("s3:").mkdir()
    refuse_address(name, written=written)


@pytest.mark.parametrize("name", ["run-1:/a.wav", "host:/data/a.npy", "Takes:/"])
def test_a_folder_that_is_still_to_be_made(name):
    refuse_address(name, written=True)
    refuse_address(name)


@pytest.mark.parametrize("name", FILES)
def test_a_file(name):
    refuse_address(name)
    refuse_address(name, written=True)


@pytest.mark.parametrize(
    ("name", "written", "hint"),
    [
        ("s3://b/a b.npy", False, "aws s3 cp 's3://b/a b.npy' ., to copy it here first"),
        ("gs://b/a.npy", False, "gcloud storage cp gs://b/a.npy ., to copy it here first"),
        ("https://h/a.npy?x=1&y=2", False, "copy the files to this machine first"),
        ("https://h/a.npy", False, "curl -LO https://h/a.npy, to copy it here first"),
        ("s3://b/*.npy", False, "copy the files to this machine first"),
        ("az://c/a.npy", False, "copy the files to this machine first"),
        ("file:///tmp/a.npy", False, "its path is /tmp/a.npy"),
        ("file://host/tmp/a.npy", True, "its path is /tmp/a.npy"),
        ("s3://b/a.wav", True, "write to a local folder, and copy the files afterwards"),
        ("-", False, "tonearm convert reads one, or save it to a file first; a file of this name is ./-"),
        ("-", True, "give the name of a file; a file of this name is ./-"),
        ("/dev/stdout", True, "give the name of a file"),
    ],
)
def test_what_to_do_instead(name, written, hint):
    with pytest.raises(UsageError) as caught:
        refuse_address(name, written=written)
    assert caught.value.hint == hint


@pytest.mark.parametrize(
    "words",
    [
        "convert {} a.wav --sample-rate 8000",
        "convert a.npy {} --sample-rate 8000",
        "convert a.npy {} --sample-rate 8000 --encoder wav-writer",
        "convert a.npy a.wav --sample-rate 8000 --cover {}",
        "inspect {}",
        "inspect a.npy {}",
        "run {}",
        "run p.yaml {}",
        "run p.yaml a.npy {} -j0",
        "run p.yaml --out {}",
        "run p.yaml -o {} --dry-run",
        "run p.yaml --log-file {}",
        "check {}",
        "check p.yaml {} --json",
        "status {}",
        "merge {}",
    ],
)
@pytest.mark.parametrize("name", ["-", "s3://bucket/x.wav", "https://h/x.npy"])
def test_no_command_takes_one(words, name, folder, capsys):
    if name == "-" and words.startswith(("convert {}", "convert a.npy {}", "inspect {}")):
        pytest.skip("it stands alone there: tests/core/cli/test_pipes.py")
    before = sorted(folder.iterdir())
    assert cli.main(words.format(name).split()) == 2
    found = capsys.readouterr()
    assert found.out == "" or "--json" in words
    code = "stream-refused" if name == "-" else "address-refused"
    assert f"{code}: {name} is a" in found.err + found.out.replace('": "', ": ").replace('", "message', "")
    assert "Traceback" not in found.err
    assert sorted(folder.iterdir()) == before


def test_a_list_of_sources_on_stdin_and_a_log_on_a_terminal_are_streams(folder):
    words = ("run", "p.yaml", "--from", "-", "--log-file", "/dev/stderr", "--quiet", "-o", "out", "-j0")
    done = tonearm(*words, input="a.npy\n")
    assert done.returncode == 0, done.stderr
    assert (folder / "out/a.wav").exists()


def test_a_stream_that_is_a_file_is_read(folder):
    with Path("a.npy").open("rb") as file:
        done = tonearm(
            "convert", "/dev/stdin", "a.wav", "--decoder", "npy-reader", "--sample-rate", "8000", stdin=file
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    done = subprocess.run(
        [sys.executable, "-c", "from tonearm.cli.main import main; main(['inspect', '/dev/stdin', 'a.npy'])"],
        input="", capture_output=True, text=True,
    )  # fmt: skip
    assert done.stderr.startswith("stream-refused: /dev/stdin is a stream")


def test_what_stands_for_a_stream_alone(folder):
    os.mkfifo("pipe.wav")
    with Path("a.npy").open("rb") as file:
        opened = f"/dev/fd/{file.fileno()}"
        names = ("-", "pipe.wav", "/dev/fd/987", opened, "a.npy", "./-", "b.npy")
        for written in (False, True):
            assert [is_stream(name, written=written) for name in names] == [True] * 4 + [False] * 3
    assert [is_stream("/dev/zero", written=written) for written in (False, True)] == [False, True]
    refuse_address("-", streams=True)
    with pytest.raises(UsageError, match="is an address"):
        refuse_address("s3://b/a.npy", streams=True)


class TestPipelines:
    @pytest.mark.parametrize(
        ("change", "place", "code"),
        [
            (("*.npy", "s3://bucket/*.npy"), "2:33", "address-refused"),
            (("*.npy", "-"), "2:33", "stream-refused"),
            (("{stem}.wav", "s3://bucket/{stem}.wav"), "3:35", "address-refused"),
            (("{stem}.wav", "-"), "3:35", "stream-refused"),
            (("{stem}.wav", "/dev/stdout"), "3:35", "stream-refused"),
        ],
    )
    def test_check_says_so(self, change, place, code, folder, capsys):
        (folder / "p.yaml").write_text(PIPELINE.replace(*change))
        assert cli.main(["check", "p.yaml"]) == 2
        assert capsys.readouterr().err.startswith(f"p.yaml:{place}: {code}: {change[1]} is a")

    def test_from_python(self, folder):
        for sources, out in ((["s3://b/a.npy"], "out"), (["-"], "out"), (None, "s3://b"), (None, "-")):
            with pytest.raises(UsageError, match="is a"):
                load_pipeline("p.yaml").run(sources, out=out)
        for name in ("https://h/p.yaml", "-"):
            with pytest.raises(UsageError, match="is a"):
                load_pipeline(name)
        assert not (folder / "s3:").exists()
        assert not (folder / "-").exists()

    def test_a_variable_stays_hidden(self, folder, monkeypatch):
        monkeypatch.setenv("BUCKET", "s3://secret/*.npy")
        (folder / "p.yaml").write_text(PIPELINE.replace("*.npy", "${BUCKET}"))
        with pytest.raises(PipelineError) as caught:
            load_pipeline("p.yaml")
        assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("utt0.npy", "utt00.npy"), ("utt00.npu", "utt00.npy"), ("UTT00.npy", "utt00.npy"),
        ("sub/speech.flac", "sub/speech.wav"), ("voice.yml", "voice.yaml"), ("vioce.yaml", "voice.yaml"),
        ("sub/vioce.yaml", ""), ("other.npy", ""), ("none/a.npy", ""),
        ("utt00.npy/a", ""), ("a", ""), ("", ""), ("a\0b", ""),
    ],
)  # fmt: skip
def test_the_name_that_is_nearest_to_a_missing_one(name, near, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("sub").mkdir()
    for file in ("utt00.npy", "utt08.npy", "voice.yaml", "sub/speech.wav", "b"):
        Path(file).touch()
    assert near_file(name) == (f"did you mean {near!r}?" if near else "")


def test_what_exists_or_cannot_be_looked_at_is_not_missing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("a.npy").touch()
    for name in (".", "a.npy", "a.npy/b", "a\0b", "x" * 5000):
        refuse_missing(name)
    with pytest.raises(ItemError) as caught:
        refuse_missing("b.npy")
    assert (caught.value.code, caught.value.hint) == ("unreadable", "did you mean 'a.npy'?")
