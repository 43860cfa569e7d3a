"""The layout of tokens: its form, what it tells of the codec, and whether it can be inverted."""

import inspect

import msgspec
import pytest

import token_oracles as oracles
from tonearm.errors import OptionError
from tonearm.recipes.catalogue import from_figures
from tonearm.recipes.tokens.layout import BookMark, TokenLayout
from tonearm.signals import Codebooks

LAYOUTS = {name: from_figures(TokenLayout, figures) for name, figures in oracles.LAYOUTS.items()}


def test_every_field_is_described():
    schema = msgspec.json.schema(TokenLayout)["$defs"]["TokenLayout"]["properties"]
    assert len(schema) > 40
    assert [name for name, field in schema.items() if not field.get("description", "").endswith(".")] == []


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("orpheus-text", "text"), ("outetts", "text"), ("spark", "text"), ("orpheus", "flat"), ("kani", "flat"),
        ("dia", "array"), ("musicgen", "array"), ("snac", "ragged"),
    ],
)  # fmt: skip
def test_the_form_follows_from_the_fields(name, form):
    assert LAYOUTS[name].form == form


def test_a_file_format_is_a_form():
    assert TokenLayout(file="ecdc").form == "file"


@pytest.mark.parametrize(
    ("figures", "count"),
    [
        ({"interleave": [0, 1, 2, 2, 1, 2, 2]}, 3),
        ({"pattern": r"<(\d+)>"}, 1),
        ({"books": [r"<a(\d+)>", r"<b(\d+)>"]}, 2),
        ({"axes": ["book", "frame"]}, None),
        ({"axes": ["batch", "frame"]}, 1),
        ({"axes": ["book", "frame"], "rows": [1, 9]}, 8),
        ({"axes": ["book", "frame"], "size": [8, 4]}, 2),
        ({"axes": ["book", "frame"], "codebooks": 9}, 9),
        ({"stacked": 4}, 4),
        ({"ragged": True}, None),
        ({"ragged": True, "strides": [8, 4, 2, 1]}, 4),
    ],
)
def test_the_number_of_books_follows_from_any_field_that_tells_it(figures, count):
    layout = from_figures(TokenLayout, figures)
    assert layout.book_count == count
    assert from_figures(TokenLayout, figures | {"size": figures.get("size", 16)}).sizes == (
        tuple(figures["size"]) if "size" in figures else (16,) * (count or 0)
    )


@pytest.mark.parametrize(
    ("size", "sizes", "largest"), [(16, (16, 16, 16), 16), ((8, 4, 2), (8, 4, 2), 8), (None, (), None)]
)
def test_sizes_of_books_that_the_tokens_tell(size, sizes, largest):
    layout = TokenLayout(axes=("book", "frame"), size=size)
    assert layout.sizes_of(3) == sizes
    assert layout.largest_size == largest


@pytest.mark.parametrize(
    ("figures", "strides"),
    [
        ({"interleave": [0, 1, 2, 2, 1, 2, 2]}, (4, 2, 1)),
        ({"interleave": [0, 1]}, ()),
        ({"interleave": [0, 0, 1, 1], "strides": [1, 1]}, ()),
        ({"ragged": True, "strides": [4, 2, 1]}, (4, 2, 1)),
    ],
)
def test_strides_follow_from_the_positions(figures, strides):
    assert from_figures(TokenLayout, figures).level_strides == strides


def test_what_is_known_of_the_codec():
    layout = TokenLayout(interleave=(0, 1, 1), size=(8, 4), sample_rate=24000, samples_per_frame=640)
    known = Codebooks(sizes=(8, 4), sample_rate=24000, samples_per_frame=640, strides=(2, 1))
    assert layout.known_codebooks == known


def test_tokens_that_need_a_second_stream_are_refused_by_its_name():
    assert LAYOUTS["spark"].refusal == "its decoder needs the streams semantic and global, and tokens hold one"
    flow = TokenLayout(interleave=(0,), refuses="a flow-matching model comes before the sound")
    assert flow.refusal == "a flow-matching model comes before the sound"
    assert LAYOUTS["dia"].refusal == ""


NO_FILL = "the id at places without codes is unknown, unless it is given: {base: NAME, fill: ID}"


@pytest.mark.parametrize(
    ("figures", "obstacle"),
    [
        ("orpheus", ""), ("orpheus-text", ""), ("outetts", ""), ("csm", ""), ("snac", ""), ("encodec", ""),
        ("spark", "it has several streams"),
        ("fish-rows", "rows beside the codes, such as those of text, are unknown (rows)"),
        ("musicgen", NO_FILL),
        ("dia-buffer", NO_FILL),
        ({"axes": ["book", "frame"], "delays": [1, 1]}, NO_FILL),
        ({"pattern": r"<\|s\w(\d+)>"}, r"the pattern <\|s\w(\d+)> stands for more than one text"),
        ({"file": "dac"}, "a .dac file is written by the codec's own program"),
    ],
)  # fmt: skip
def test_why_a_layout_cannot_be_inverted(figures, obstacle):
    layout = LAYOUTS[figures] if isinstance(figures, str) else from_figures(TokenLayout, figures)
    assert layout.obstacle == obstacle
    assert layout.is_invertible == (not obstacle)


def test_ids_at_places_without_codes_are_those_of_the_marks_or_fill():
    delayed = {"axes": ["frame", "book"], "delays": [0, 1]}
    assert from_figures(TokenLayout, delayed | {"fill": 7}).filling == (7, 7)
    lead = delayed | {"lead_rows": {"book": 0, "id": 5}, "fill": 7}
    assert from_figures(TokenLayout, lead).filling == (5, 7)
    marks = delayed | {"lead_delayed": {"all": 5}, "end_delayed": {"all": 6}}
    assert from_figures(TokenLayout, marks).filling == (5, 6)


@pytest.mark.parametrize("given", [{}, {"all": 1, "book": 0, "id": 2}, {"book": 0}, {"id": 2}])
def test_a_mark_is_of_all_books_or_of_one(given):
    with pytest.raises(OptionError, match=r"a mark is \{all: ID\} or \{book: BOOK, id: ID\}"):
        BookMark(**given)


def test_the_value_of_a_mark():
    assert (BookMark(all=0).value, BookMark(book=3, id=9).value) == (0, 9)


def test_a_layout_shows_only_what_is_given():
    assert repr(TokenLayout(name="mine", stacked=4, size=8)) == "TokenLayout('mine', stacked=4, size=8)"


def test_fields_stand_in_the_order_in_which_they_apply():
    order = list(inspect.signature(TokenLayout).parameters)
    steps = ["rows", "columns", "lead_rows", "lead_delayed", "end_delayed", "delays", "end", "last_not", "trim", "pad"]
    assert [name for name in order if name in steps] == steps


@pytest.mark.parametrize(
    ("figures", "patterns"),
    [
        ({"pattern": r"<(\d+)>"}, [r"<(\d+)>"]),
        ({"books": [r"a(\d)", r"b(\d)"]}, [r"a(\d)", r"b(\d)"]),
        ({"streams_text": {"global": r"g(\d)"}}, [r"g(\d)"]),
        ({"interleave": [0]}, []),
    ],
)
def test_the_patterns_of_all_marks(figures, patterns):
    assert list(from_figures(TokenLayout, figures).patterns) == patterns


def test_equal_layouts_have_one_hash_and_say_what_they_are():
    layout, same = (TokenLayout(streams_text={"global": r"g(\d)"}) for _ in range(2))
    assert len({layout, same, TokenLayout(interleave=(0,))}) == 2
    assert repr(layout) == r"TokenLayout(streams_text={'global': 'g(\\d)'})"
