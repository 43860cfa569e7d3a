"""Reading of a file by a decoder in a process of its own, whose memory is measured."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).parent


class Measured(NamedTuple):
    """Outcomes of a process, with its largest memory in bytes, its seconds of CPU, and its text on stderr."""

    outcomes: dict[str, int]
    memory: int
    seconds: float
    stderr: str

    def check(self) -> dict[str, int]:
        """Return the number of outcomes by code, after the memory was found to be below 1 GB and the time 10 s."""
        assert self.memory < 1_000_000_000, f"{self.memory:,} bytes"
        assert self.seconds < 10
        return self.outcomes


def measured(decoder: str, path: Path, *, memory: int = 1_000_000_000, **options: Any) -> Measured:
    """Read a file by ``module:Class`` and its options, item by item."""
    given = json.dumps([decoder, str(path), memory, options])
    child = subprocess.run(
        [sys.executable, str(Path(__file__)), given], capture_output=True, text=True, timeout=60, check=False
    )
    assert child.returncode == 0, child.stderr
    outcomes, peak, seconds = json.loads(child.stdout)
    return Measured(outcomes, peak, seconds, child.stderr)


def main() -> None:
    sys.path[:0] = [str(HERE), str(HERE.parents[1])]
    from importlib import import_module

    import decoder_reading

    from array_options import array_options
    from tonearm.api import ArrayOptions, ItemError, limited_memory
    from tonearm.plugins.context import Context
    from tonearm.plugins.ports import ports_of
    from tonearm.plugins.registry import default

    name, path, memory, options = json.loads(sys.argv[1])
    module, _, cls = name.partition(":")
    decoder = getattr(import_module(f"tonearm_plugins.decoders.{module}"), cls)
    kind = ports_of(decoder).options
    made = array_options(kind, **options) if issubclass(kind, ArrayOptions) else kind(**options)
    found: Counter[str] = Counter()
    with limited_memory(memory):
        try:
            context = Context(catalogue=default().catalogue)
            for item in decoder(made).decode(decoder_reading.source_of(path), context):
                found[item.code if isinstance(item, ItemError) else "fine"] += 1
        except ItemError as error:
            found[error.code] += 1
    # ru_maxrss would begin with the memory of the process that started this one.
    peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:"))
    sys.stdout.write(json.dumps([found, int(peak.split()[1]) << 10, time.process_time()]))


if __name__ == "__main__":
    main()
