"""The only item of a source."""

import pytest
from core_toys import item

from tonearm import ItemError
from tonearm.pipeline.only_item import only_item
from tonearm.pipeline.outcome import Outcome
from tonearm.plugins.context import Context


def outcome(level=0.5, error=None):
    return Outcome(context=Context(), item=None if error else item(level), error=error)


def several(first, second):
    return ItemError(f"{first.item.signal.samples[0, 0]:.1f} and {second.item.signal.samples[0, 0]:.1f}")


def test_one():
    one = outcome()
    assert only_item(iter([one]), several) is one


@pytest.mark.parametrize(
    ("outcomes", "message"),
    [
        ([], "there is nothing to write"),
        ([outcome(error=ItemError("lost"))], "lost"),
        ([outcome(), outcome(error=ItemError("lost"))], "lost"),
        ([outcome(0.1), outcome(0.2)], "0.1 and 0.2"),
    ],
)
def test_none_a_failed_one_and_several(outcomes, message):
    with pytest.raises(ItemError, match=f"^{message}$"):
        only_item(iter(outcomes), several)


def test_no_third_one_is_read():
    def outcomes():
        yield outcome(0.1)
        yield outcome(0.2)
        raise AssertionError("a third one was read")

    with pytest.raises(ItemError, match=r"0\.1 and 0\.2"):
        only_item(outcomes(), several)
