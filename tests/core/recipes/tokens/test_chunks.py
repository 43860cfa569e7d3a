"""Layouts that chunks of a stream can be in, and the reason why the others cannot."""

import pytest

from tonearm.api import TokenLayout
from tonearm.errors import ItemError
from tonearm.plugins import registry
from tonearm.recipes.tokens.chunks import refuse_chunk, whole_reason

LAYOUTS = registry.default().catalogue(TokenLayout)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("orpheus", "ids of its frames follow one another"),
        ("neutts", "it is text"),
        ("snac-24k", "it has levels"),
        ("musicgen", "it has delays and columns"),
        ("csm-mimi", "it has end"),
        ("dac-hf", ""),
        ("musicgen-audiocraft-codes", ""),
    ],
)
def test_what_a_layout_needs_the_whole_for(name, reason):
    assert whole_reason(LAYOUTS.find(name)) == reason


def test_delays_of_nothing_need_nothing():
    assert whole_reason(TokenLayout(axes=("book", "frame"), delays=(0, 0))) == ""


def test_the_error_names_the_layout_and_what_to_write():
    for name in ("orpheus", "snac-24k"):
        with pytest.raises(ItemError, match=f"tokens in the layout {name}.* are undone as a whole") as parted:
            refuse_chunk(LAYOUTS.find(name))
        assert parted.value.code == "needs-whole"
        assert parted.value.hint.startswith(f'write tonearm.to_tokens(chunk, layout="{name}')
    with pytest.raises(ItemError) as delayed:
        refuse_chunk(LAYOUTS.find("musicgen"))
    assert delayed.value.hint == "collect all of them, and save them whole"


def test_plain_frames_and_named_axes_pass():
    refuse_chunk(LAYOUTS.find("dac-hf"))
    refuse_chunk(None)
