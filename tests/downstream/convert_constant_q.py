"""Converts every file that a folder holds by the kind ``cqt``, in one process: ``convert_constant_q.py FOLDER``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import tonearm

TUNING = {"kind": "cqt", "sample_rate": 16000, "hop_length": 128, "bins_per_octave": 24, "fmin": 130.81, "n_bins": 120}


def main() -> None:
    """Print the failures, and what is measured, as JSON."""
    folder = Path(sys.argv[1])
    jobs: dict[str, Any] = json.loads((folder / "jobs.json").read_text(encoding="utf-8"))
    said = {}
    for file, (decoder, options) in jobs.items():
        pipeline = {
            "tonearm": 1,
            "input": {"use": decoder, "files": file, "with": TUNING | options},
            "steps": [{"use": "icqt"}],
            "outputs": [{"use": "wav-writer", "file": f"{file}-{{index}}.wav", "with": {"subtype": "FLOAT"}}],
        }
        report = tonearm.load_pipeline(pipeline).run([str(folder / file)], out=str(folder / "out"), jobs=0)
        said[file] = [report.converted, report.failed]
    print(json.dumps(said))


if __name__ == "__main__":
    main()
