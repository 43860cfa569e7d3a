"""Shared by the tests of decoders: read a source as the host does, outside a pipeline."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent

# decoder_reading.py and what the corpus makes; importlib mode puts nothing there
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "corpus")]
