"""Third parties, for real: packages built into wheels, installed, found, checked and run; a broken one is disabled."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

HERE = Path(__file__).parent

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder into which both packages are installed from their wheels."""
    wheels, target = tmp_path_factory.mktemp("wheels"), tmp_path_factory.mktemp("site")
    for name in ("acme", "broken"):
        build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", wheels, HERE / name]
        subprocess.run(build, check=True, capture_output=True)
    pip = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "--target", target, *wheels.glob("*.whl")]
    subprocess.run(pip, check=True, capture_output=True)
    return target


def tonearm(site: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the command line with the packages on the path."""
    command = [sys.executable, "-c", "import sys; from tonearm.cli.main import main; sys.exit(main())"]
    path = os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH", "")]))
    return subprocess.run(
        [*command, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_package_is_found_checked_and_run(site: Path, tmp_path: Path) -> None:
    recording = tmp_path / "tone.acme"
    subprocess.run([sys.executable, HERE / "write_recording.py", recording], check=True)
    pipeline = tmp_path / "acme.yaml"
    pipeline.write_text(
        "tonearm: 1\n"
        "input: {use: acme-reader, files: '*.acme', with: {sample_rate: 16000}}\n"
        "outputs:\n"
        "  - use: wav-writer\n"
        "    file: '{stem}.wav'\n",
        encoding="utf-8",
    )
    assert "acme-reader" in tonearm(site, "plugins").stdout
    assert "[tonearm_acme 1.2]" in tonearm(site, "plugins").stdout
    assert tonearm(site, "check", pipeline).returncode == 0
    done = tonearm(site, "run", pipeline, "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    written, rate = soundfile.read(tmp_path / "tone.wav", dtype="int16")
    assert rate == 16000
    np.testing.assert_array_equal(written, np.frombuffer(recording.read_bytes()[4:], dtype="<i2"))


def test_its_options_are_checked_with_everyone_elses(site: Path, tmp_path: Path) -> None:
    pipeline = tmp_path / "acme.yaml"
    pipeline.write_text(
        "tonearm: 1\ninput: {use: acme-reader, with: {sample_rat: 16000}}\n"
        "outputs: [{use: wav-writer, file: '{stem}.wav'}]\n",
        encoding="utf-8",
    )
    done = tonearm(site, "check", pipeline)
    assert done.returncode == 2
    assert f"{pipeline}:2:34: unknown-option: acme-reader has no option 'sample_rat'" in done.stderr
    assert "did you mean 'sample_rate'?" in done.stderr


def test_its_dialects_are_listed_read_and_judged(site: Path, tmp_path: Path) -> None:
    listed = tonearm(site, "plugins", "npy-reader", "--dialects").stdout
    (row,) = (line.split() for line in listed.splitlines() if line.startswith("acme-tts"))
    assert row[1:7] == ["24000", "1024", "256", "1024", "80", "0"]
    assert "  acme-old: the dialect acme-old of acme-models is broken: it has no figure 'hop'" in listed
    np.save(tmp_path / "mel.npy", np.linspace(-3, 2, 80 * 20, dtype="f4").reshape(80, 20))
    convert = ("convert", tmp_path / "mel.npy", tmp_path / "a.wav", "--kind", "mel", "--dialect")
    done = tonearm(site, *convert, "acme-tts")
    assert done.returncode == 0, done.stderr
    assert soundfile.info(tmp_path / "a.wav").samplerate == 24000
    done = tonearm(site, *convert, "wavernn", "--force")
    assert done.returncode == 3
    assert "it would fit" in done.stderr
    assert "acme-tts" in done.stderr


def test_a_package_that_ends_the_program_is_disabled_and_named(site: Path) -> None:
    done = tonearm(site, "plugins")
    assert done.returncode == 0
    assert (
        "warning: broken-plugin: tonearm_broken 0.9 is disabled: SystemExit: "
        "it calls sys.exit('this machine has no licence')" in done.stderr
    )
    assert "npy-reader" in done.stdout
