"""The fault tests import what they share by name."""

import sys
from pathlib import Path

sys.path[:0] = [
    str(Path(__file__).parent),
    str(Path(__file__).parents[1] / "core" / "run"),
    str(Path(__file__).parents[1] / "core"),
]
