"""A full disk: every encoder reports an error of the output side, wherever the disk is full."""

from __future__ import annotations

from pathlib import Path


def test_a_full_disk_is_the_output_sides(tmp_path: Path) -> None:
    """Wherever it is full: at the first byte, in the middle, or at the last one, which libraries write on closing."""
    import subprocess
    import sys

    writers = ("wav", "flac", "mp3", "m4a", "aiff", "ogg", "opus", "raw", "npy", "safetensors")
    script = f"""
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
import numpy as np
import tonearm
from pathlib import Path
from tonearm.run.store.local_store import LocalStore
from tonearm.errors import OutputError
from tonearm.pipeline.converter import as_source
noise = np.random.default_rng(0).standard_normal(60_000).astype("f4") * 0.1

def write(name, length, limit):
    pipeline = tonearm.load_pipeline({{
        "tonearm": 1, "input": {{"use": "npy-reader", "with": {{"sample_rate": 48000}}}},
        "outputs": [{{"use": name + "-writer", "file": "x." + name}}],
    }})
    (outcome,) = pipeline.items(as_source(noise[:length]))
    with LocalStore({str(tmp_path)!r}).temporaries(None, fsync=False) as temporaries:
        sink = temporaries.sink("x." + name)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        try:
            pipeline.encode(pipeline.outputs[0], outcome, sink)
            return sink.path.stat().st_size
        except OutputError as error:
            return error.code
        except BaseException as error:
            return f"{{error!r}}"
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

for name in {writers!r}:
    for length in (3000, 60_000):
        size = write(name, length, resource.RLIM_INFINITY)
        print(name, length, *(write(name, length, limit) for limit in (1, size // 2, size - 1)))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    expected = [f"{name} {length} output output output" for name in writers for length in (3000, 60_000)]
    assert done.stdout.splitlines() == expected
