"""What all tests share: environment, seed, repetitions of tests that soak, and the length of messages."""

import gc
import importlib.util
import os
import random
import sys
import zlib
from collections.abc import Callable, Generator
from pathlib import Path

import pytest
from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent))  # for what test files share

# Tests start a thousand processes, each of which would compile tonearm if no compiled modules were kept. So they are
# kept even where the environment says otherwise, but not for mutants, one of which would be taken for another.
if "TONEARM_MUTANT" not in os.environ:
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False

# Tests expect plain messages; those of colours and widths set these themselves.
for _name in ("NO_COLOR", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS"):
    os.environ.pop(_name, None)

# Other work may share the machine, so the time that an example takes is no failure; benchmarks measure time.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

import message_lines  # noqa: E402 - the path is that of this file

message_lines.watch()

# The processes of pytest-xdist inherit the seed.
SEED = os.environ.setdefault("TONEARM_SEED", str(random.SystemRandom().randrange(10**9)))


def pytest_report_header() -> str:
    """Print the seed first, for runs that never end."""
    return f"TONEARM_SEED={SEED}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the seed beside the failures, because ``pytest -q`` prints no header."""
    if terminalreporter.stats.get("failed") or terminalreporter.stats.get("error"):
        terminalreporter.write_line(f"TONEARM_SEED={SEED} repeats the random choices of these tests")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Keep the garbage collector away from the thousands of tests that are collected: they live until the end.

    It is off only while tests are collected. What they allocate later is collected as usual.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make two tests of each that takes ``repetitions``: a slow one that does a tenth, and one that soaks."""
    if "repetitions" in metafunc.fixturenames:
        tenth = pytest.param(10, marks=pytest.mark.slow, id="tenth")
        metafunc.parametrize("repetitions", [tenth, pytest.param(1, marks=pytest.mark.soak, id="full")], indirect=True)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests that are slow or lack packages; ``-m`` chooses after this."""
    _mark_left_out_cases_as_slow(items)
    _skip_without_packages(items)


def _skip_without_packages(items: list[pytest.Item]) -> None:
    """Skip the tests marked ``torch`` where torch, or another package that their marker names, is not installed."""
    for item in items:
        if marker := item.get_closest_marker("torch"):
            missing = [name for name in ("torch", *marker.args) if importlib.util.find_spec(name) is None]
            if missing:
                item.add_marker(pytest.mark.skip(reason=f"not installed: {', '.join(missing)}"))


def _mark_left_out_cases_as_slow(items: list[pytest.Item]) -> None:
    """Mark as slow all cases but one in so many of tests that are marked ``one_in``.

    A hash of their names chooses, so that no value of a parameter is left out as a whole by a regular step.
    """
    cases: dict[str, list[pytest.Item]] = {}
    for item in items:
        if item.get_closest_marker("one_in"):
            cases.setdefault(item.nodeid.partition("[")[0], []).append(item)
    for test in cases.values():
        marker = test[0].get_closest_marker("one_in")
        assert marker is not None
        kept = [item for item in test if zlib.crc32(item.nodeid.encode()) % marker.args[0] == 0] or test[:1]
        for item in test:
            if item not in kept:
                item.add_marker("slow")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark the tests of modules that import torch, which are skipped where it is not installed."""
    if isinstance(item, pytest.Function) and hasattr(item.module, "torch"):
        item.add_marker("torch")


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name bytes by their argument: archives hold the time, so that processes of pytest-xdist would not agree."""
    return argname if isinstance(val, bytes) else None


@pytest.fixture
def repetitions(request: pytest.FixtureRequest) -> Callable[[int], int]:
    """A function from the full number of repetitions to the number that this test should do."""
    return lambda full: -(-full // request.param)


@pytest.fixture
def chance(request: pytest.FixtureRequest) -> random.Random:
    """A random generator whose choices depend on the run's seed and the test's name alone."""
    return random.Random(f"{SEED} {request.node.nodeid}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None, object, object]:
    """Fail a test in which a message took more than three lines, whatever the test is about."""
    message_lines.LONG.clear()
    found = yield
    if message_lines.LONG:
        pytest.fail(f"a message of more than three lines:\n{message_lines.LONG[0]}", pytrace=False)
    return found
