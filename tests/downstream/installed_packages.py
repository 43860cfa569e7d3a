"""What the tests of third parties' packages share: the command line, with the packages on its path."""

import os
import subprocess
import sys
from pathlib import Path


def tonearm(site: Path, *arguments: object, changes: str = "") -> subprocess.CompletedProcess[str]:
    """Run the command line with the packages on the path; ``changes`` is code that changes them."""
    code = f"import sys; from tonearm.cli.main import main\n{changes}\nsys.exit(main())"
    return run_python(site, code, *arguments, check=False)


def run_python(site: Path, code: str, *arguments: object, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run Python code with the packages on the path."""
    path = os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH", "")]))
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=check,
    )
