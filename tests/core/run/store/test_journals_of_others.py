"""Journals that another version of tonearm wrote, as users of the command line meet them."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

MAIN = "import sys\nfrom tonearm.cli.main import main\nsys.exit(main())"


class TestJournalsOfOthers:
    """A journal that this tonearm cannot read is never continued, and nothing is written beside it."""

    LINES = (
        '{"record":"run","pipeline":"f00d","time":1.5,"sources":1}',
        '{"record":"run","journal":3,"pipeline":"f00d","time":1.5,"sources":1}',
    )
    TOLD = (
        [
            "the journal was written by tonearm 0.1.0",
            "choose another output folder; or remove its folder .tonearm and convert everything again, by force",
        ],
        [
            "the journal has format 3, and this tonearm reads format 2",
            "update tonearm, or choose another output folder",
        ],
    )

    @pytest.mark.parametrize("command", ["run", "status"])
    @pytest.mark.parametrize("number", [0, 1])
    def test_the_command_line_refuses_them(self, folder, number, command):
        os.makedirs("out/.tonearm")
        Path("out/.tonearm/journal.jsonl").write_text(self.LINES[number] + "\n")
        np.save("a.npy", np.zeros(10, "f4"))
        lines = ["tonearm: 1", "input: {use: npy-reader, files: a.npy, with: {kind: waveform, sample_rate: 8000}}"]
        Path("p.yaml").write_text("\n".join([*lines, "outputs:", "  - {use: wav-writer, file: '{stem}.wav'}\n"]))
        arguments = ["run", "p.yaml", "--out", "out"] if command == "run" else ["status", "out"]
        done = subprocess.run([sys.executable, "-c", MAIN, *arguments], capture_output=True, text=True, timeout=60)
        assert done.returncode == 2, done.stderr
        for text in self.TOLD[number]:
            assert text in done.stderr
        assert [str(path) for path in Path("out").rglob("*") if path.is_file()] == ["out/.tonearm/journal.jsonl"]
        assert Path("out/.tonearm/journal.jsonl").read_text() == self.LINES[number] + "\n"
