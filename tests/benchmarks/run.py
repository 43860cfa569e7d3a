"""Runs the benchmarks: ``python tests/benchmarks/run.py [NAME…] [--write]``.

Everything runs on one thread, except where threads are what is measured. Each NAME is a module of this folder; without
one, all run. Only ratios within one run mean anything. ``--write`` puts the tables into docs/benchmarks.md, in place of
those of the same name and lanes.
"""

from __future__ import annotations

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(variable, "1")  # before anything reads them

import argparse  # noqa: E402
import contextlib  # noqa: E402
import importlib  # noqa: E402
import platform  # noqa: E402
import re  # noqa: E402
import sys  # noqa: E402
from importlib.metadata import PackageNotFoundError, version  # noqa: E402
from pathlib import Path  # noqa: E402

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import headlines  # noqa: E402

DOCUMENT = HERE.parents[1] / "docs" / "benchmarks.md"
TITLES = {
    "griffin_lim": "Phase recovery",
    "ffts": "FFTs",
    "phase_peers": "Phase recovery by other methods",
    "istft": "Inverse STFT",
    "stft": "STFT and mel spectrograms",
    "first_run": "The first conversion in a fresh process",
    "mel": "From mel spectrograms",
    "large": "Large inputs",
    "loudness": "Loudness and true peak",
    "threads": "Threads within one clip",
    "files": "Files",
    "saving": "Saving from Python",
    "streams": "Streams",
    "networks": "Networks",
    "headers": "Headers of networks",
    "runs": "Runs",
    "cluster": "Runs on a Dask cluster",
    "simulation": "A driver at scale",
    "startup": "Start-up",
}
BY_LANES = ("griffin_lim", "ffts", "istft", "stft", "first_run", "mel", "large", "loudness", "threads")
"""What the compiled kernels do; each kind of machine has its tables, as AVX2 has half the lanes of AVX-512."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(TITLES))
    parser.add_argument("--write", action="store_true", help="put the tables into docs/benchmarks.md")
    options = parser.parse_args()
    unknown = set(options.names) - TITLES.keys()
    if unknown:
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    for name in options.names or TITLES:
        lanes = f", {_lanes()}" if name in BY_LANES else ""
        parts = [f"## {TITLES[name]}{lanes}", _machine()]
        print("\n\n".join(parts), flush=True)
        for table in importlib.import_module(name).tables():
            parts.append(table.markdown())
            print("\n" + parts[-1], flush=True)
        if options.write:
            _write(name + lanes, "\n\n".join(parts))


def _lanes() -> str:
    """Return how many values the compiled kernels work on at a time, and on which processors if that does not tell."""
    from tonearm_plugins.dsp.engines.choice import refusals
    from tonearm_plugins.dsp.engines.native.compiler import this_machine

    lanes = f"{0 if refusals()['native'] else this_machine().lanes} lanes"
    return f"{lanes}, arm64" if platform.machine().lower() in ("arm64", "aarch64") else lanes


def _machine() -> str:
    from tonearm_plugins.dsp.engines.choice import refusals
    from tonearm_plugins.dsp.engines.native.compiler import this_machine

    versions = [f"Python {platform.python_version()}"]
    for name in ("numpy", "scipy", "librosa", "llvmlite", "torch", "pyloudnorm", "distributed"):
        with contextlib.suppress(PackageNotFoundError):
            versions.append(f"{name} {version(name)}")
    refusal = refusals()["native"]
    native = f"not available: {refusal}" if refusal else f"{this_machine().cpu}, {this_machine().lanes} lanes"
    return f"{', '.join(versions)}; native engine: {native}."


def _write(name: str, text: str) -> None:
    document = DOCUMENT.read_text(encoding="utf-8")
    section = f"<!-- {name} -->\n{text}\n<!-- end of {name} -->\n"
    pattern = re.compile(rf"<!-- {name} -->.*?<!-- end of {name} -->\n", re.DOTALL)
    if pattern.search(document):
        document = pattern.sub(lambda _: section, document)
    else:
        document += "\n" + section
    document = headlines.with_headlines(document)
    DOCUMENT.write_text(document, encoding="utf-8")


if __name__ == "__main__":
    main()
