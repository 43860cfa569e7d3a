import subprocess
import sys

import pytest

from tonearm.api import TonearmError
from tonearm.version import __version__
from tonearm_plugins.executors.dask_versions import PYTHON as PYTHON_EXPRESSION
from tonearm_plugins.executors.dask_versions import check_scheduler, check_versions, expression

WANTED = {"Python": "3.12", "tonearm": "1.2", "acme": "0.9"}
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


def test_the_expression_says_what_is_installed():
    found = eval(expression(["Python", "tonearm", "pytest", "no-such-package"]))
    assert found == {"Python": PYTHON, "tonearm": __version__, "pytest": pytest.__version__, "no-such-package": ""}


def test_the_expression_needs_no_tonearm():
    text = expression(["tonearm"])
    # -S: there are no packages at all
    line = [sys.executable, "-I", "-S", "-c", f"print(eval({text!r}))"]
    assert subprocess.run(line, capture_output=True, text=True, check=True).stdout == (
        f"{{'Python': '{PYTHON}', 'tonearm': ''}}\n"
    )


def test_each_worker_that_differs_is_named_with_what_it_has():
    same, old, none = dict(WANTED), WANTED | {"tonearm": "1.1", "Python": "3.11"}, {"Python": "3.12"}
    with pytest.raises(TonearmError) as caught:
        check_versions(WANTED, {"tcp://a:1": same, "tcp://b:1": old, "tcp://c:1": none, "tcp://d:1": none})
    assert caught.value.code == "other-versions"
    assert caught.value.message == (
        "worker tcp://b:1 has Python 3.11, and the run has 3.12; tonearm 1.1, and the run has 1.2;"
        " workers tcp://c:1, tcp://d:1 have no tonearm, and the run has 1.2; no acme, and the run has 0.9"
    )
    check_versions(WANTED, {"tcp://a:1": same})


def test_a_scheduler_needs_the_same_python_and_nothing_else():
    assert eval(PYTHON_EXPRESSION) == PYTHON
    check_scheduler(WANTED, "3.12", "tcp://s:1")
    with pytest.raises(TonearmError) as caught:
        check_scheduler(WANTED, "3.13", "tcp://s:1")
    assert caught.value.code == "other-versions"
    assert caught.value.message == "the scheduler tcp://s:1 has Python 3.13, and the run has 3.12"
