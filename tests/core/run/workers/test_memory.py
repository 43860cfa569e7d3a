"""Memory that is freed stays with the process: asking for it again page by page would cost as much as the work."""

import platform
import resource
import subprocess
import sys

import numpy as np
import pytest

PIPELINE = """
tonearm: 1
input: {use: npy-reader, with: {kind: waveform, sample_rate: 22050}}
outputs: [{use: wav-writer, file: "{stem}.wav"}]
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be told")
@pytest.mark.parametrize("jobs", ["0", "1"])
def test_a_source_takes_few_new_pages(tmp_path, jobs):
    (tmp_path / "p.yaml").write_text(PIPELINE)
    samples = np.sin(np.arange(66150) * 0.01).astype("f4")
    for number in range(44):
        np.save(tmp_path / f"{number:02}.npy", samples)

    def faults(pattern):
        code = "import sys; from tonearm.cli import main; sys.exit(main())"
        command = [sys.executable, "-c", code, "run", "p.yaml", pattern, "--out", pattern[0], "--jobs", jobs]
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_minflt
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
        return resource.getrusage(resource.RUSAGE_CHILDREN).ru_minflt - before

    assert (faults("[0-3]?.npy") - faults("4?.npy")) / 36 < 60
