"""Shared by the tests of decoders: read a source as the host does, outside a pipeline."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # decoder_reading.py; importlib mode puts nothing there
