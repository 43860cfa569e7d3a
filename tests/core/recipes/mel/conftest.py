"""The tests of inspection import real arrays and their guesses from the tests of inspection."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "inspect"))
