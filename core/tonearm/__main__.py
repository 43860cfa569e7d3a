"""``python -m tonearm``: the command line, where the folder of scripts is not on the path."""

from __future__ import annotations

import sys

from tonearm.cli.main import program

if __name__ == "__main__":
    sys.exit(program())
