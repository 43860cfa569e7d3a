import pytest

from tonearm.errors import UsageError
from tonearm.run.options import RunOptions
from tonearm.run.part import Part


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"jobs": -1}, "jobs is -1, but cannot be negative"),
        ({"timeout": -1.0, "jobs": 1}, "timeout is -1 s, but cannot be negative"),
        ({"timeout": float("nan"), "jobs": 1}, "timeout is nan s, but cannot be negative"),
        ({"max_failures": 0}, "max-failures is 0, but must be 1 or more"),
        ({"part": Part(3, 2)}, "invalid part '3/2': use I/N with 1 <= I <= N"),
        ({"part": Part(0, 2)}, "invalid part '0/2': use I/N with 1 <= I <= N"),
    ],
)
def test_options_that_cannot_be(options, message):
    with pytest.raises(UsageError) as caught:
        RunOptions(out="out", **options).check()
    assert caught.value.message == message
