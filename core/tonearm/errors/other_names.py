"""Other names for options, flags and keys: what libraries and programs call what tonearm calls differently."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

OTHER_NAMES: Final[Mapping[str, Sequence[str]]] = {
    "sample_rate": ("sr", "fs", "rate", "samplerate", "sampling_rate", "sampling_frequency", "target_sr", "hz"),
    "hop_length": ("hop", "hop_size", "hopsize", "hop_len", "frame_shift", "frame_step", "noverlap"),
    "n_fft": ("nfft", "fft", "fft_size", "fft_length", "filter_length", "frame_length"),
    "win_length": ("win", "win_size", "window_length", "window_size", "nperseg"),
    "iterations": ("n_iter", "iters", "num_iterations"),
    "bitrate": ("ab", "bit_rate", "kbps"),
    "subtype": ("bit_depth", "bits", "sample_format"),
    "encoding": ("dtype",),
    "full_scale": ("max_value", "amplitude"),
    "recipe": ("normalization", "normalisation"),
    "decoder": ("reader", "input_format"),
    "encoder": ("writer", "output_format"),
    "jobs": ("workers", "num_workers", "processes", "threads", "parallel", "cores", "cpus", "nproc"),
    "out": ("output", "output_dir", "out_dir", "outdir", "dest", "target"),
    "force": ("overwrite", "replace", "yes"),
    "debug": ("verbose", "traceback"),
    "quiet": ("silent",),
    "dry_run": ("simulate", "preview"),
    "from": ("files_from", "file_list", "input_list"),
    "max_failures": ("max_errors",),
    "set": ("override",),
    "outputs": ("to", "writer", "encoder"),
    "input": ("source", "sources", "inputs", "from", "reader", "decoder"),
    "steps": ("transforms", "pipeline", "stages", "filters", "effects"),
    "files": ("path", "paths", "glob", "pattern"),
    "file": ("filename", "name", "path"),
    "with": ("options", "params", "parameters", "args"),
    "use": ("plugin", "type"),
}
"""Other names for each name, in lower case and with underscores."""
