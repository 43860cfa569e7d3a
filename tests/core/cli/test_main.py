"""The entry point: what is imported on the way to a command, and which way it is parsed."""

import os
import subprocess
import sys

import pytest

from tonearm import startup
from tonearm.cli import console
from tonearm.cli import main as cli

HEAVY = ("numpy", "scipy", "librosa", "soundfile", "pydub", "numba", "llvmlite", "soxr", "rich", "torch", "mutagen")
RIGHT = """\
tonearm: 1
input: {use: npy-reader, files: "*.npy", with: {kind: waveform, sample_rate: 8000}}
steps: [{use: normalize}]
outputs: [{use: wav-writer, file: "{stem}.wav"}]
"""


def test_blas_threads_sleep_in_every_command():
    """Whatever imports NumPy does so afterwards, and OpenBLAS looks at it then."""
    code = (
        "import os\nfrom tonearm.cli.main import main\nmain(['schema'])\nprint(os.environ['OPENBLAS_THREAD_TIMEOUT'])"
    )
    environ = {name: value for name, value in os.environ.items() if name != "OPENBLAS_THREAD_TIMEOUT"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environ)
    assert done.stdout.endswith("\n16\n")


@pytest.mark.parametrize("arguments", [["check", "p.yaml"], ["--help"], ["plugins"], ["plugins", "istft"], ["schema"],
                                       ["--version"], ["check", "bad.yaml"], ["check", "mel.yaml"]])  # fmt: skip
def test_nothing_heavy_is_imported(arguments, tmp_path):
    (tmp_path / "p.yaml").write_text(RIGHT)
    (tmp_path / "bad.yaml").write_text(RIGHT.replace("8000", "0").replace("normalize", "normalise"))
    steps = "{use: mel-to-magnitude}, {use: griffin-lim}"
    mel = RIGHT.replace("kind: waveform, sample_rate: 8000", "kind: mel, dialect: hifigan").replace(
        "{use: normalize}", steps
    )
    (tmp_path / "mel.yaml").write_text(mel)
    code = (
        "import sys\nfrom tonearm.cli.main import main\nsys.stdout = sys.stderr\n"
        f"try:\n    main({arguments})\nexcept SystemExit:\n    pass\n"
        "sys.stdout = sys.__stdout__\nprint(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    modules = set(done.stdout.split())
    assert "tonearm.cli" in modules
    assert not modules & set(HEAVY)
    if arguments[0] in ("--help", "--version"):
        rooms = {name.split(".")[1] for name in modules if name.startswith("tonearm.")}
        assert rooms <= {"cli", "startup", "version"}
        bare = subprocess.run([sys.executable, "-c", "import sys\nprint(*sys.modules)"], capture_output=True, text=True)
        assert not modules & {"typing", "shutil", "inspect", "pathlib"} - set(bare.stdout.split())


@pytest.mark.parametrize("arguments", [["p.yaml"], ["p.yaml", "bad.yaml"], ["none.yaml"]])
def test_check_without_options_needs_no_argparse_and_does_the_same(arguments, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p.yaml").write_text(RIGHT)
    (tmp_path / "bad.yaml").write_text(RIGHT.replace("8000", "0"))
    status = cli.main(["check", *arguments])
    short = capsys.readouterr()
    assert cli.main(["check", "--set", "tonearm=1", *arguments]) == status
    assert capsys.readouterr() == short
    code = f"from tonearm.cli.main import main; main({['check', *arguments]}); print('argparse' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", f"import sys; {code}"], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_the_program_collects_garbage_rarely(monkeypatch):
    monkeypatch.setattr(console, "claim_stdout", lambda: None)  # this process is not the program's
    calls = []
    monkeypatch.setattr(cli, "main", lambda: calls.append("main") or 3)
    monkeypatch.setattr(startup, "collect_garbage_rarely", lambda: calls.append("rarely"))
    monkeypatch.setattr(startup, "skip_last_collection", lambda: calls.append("skip"))
    assert cli.program() == 3
    assert calls == ["rarely", "main", "skip"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("convert a.npy a.wav", True),
        ("inspect a.npy", True),
        ("check p.yaml", False),
        ("", False),
        ("run p.yaml", False),
        ("run p.yaml --jobs 0", True),
        ("run p.yaml --jobs=0", True),
        ("run p.yaml -j 0", True),
        ("run p.yaml -j0", True),
        ("run -qj0 p.yaml", True),
        ("run p.yaml -j 4", False),
        ("run p.yaml -j10", False),
        ("run p.yaml -n -j0", False),
        ("run p.yaml -qnj0", False),
        ("run p.yaml -j0 --dry-run", False),
        ("run p.yaml -j0 -o -n", False),  # argparse refuses it
        ("run p.yaml -j0 -onew", True),  # a folder called new
        ("run p.yaml -j0 --executor=dask", False),
        ("run p.yaml -j0 --from -", False),
    ],
)
def test_a_run_in_one_process_is_watched_however_its_flags_are_written(words, expected):
    assert cli.is_watched(words.split()) is expected
