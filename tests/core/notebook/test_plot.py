"""Plots have marks at round figures, at their places."""

import pytest
from notebook_page import Page, marks

from tonearm.notebook.plot import WIDTH, Axis, Panel, curved_axis, linear_axis, plot_svg


@pytest.mark.parametrize(
    ("low", "high", "most", "values"),
    [
        (0, 1, 10, [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]),
        (0, 11025, 8, [0, 2000, 4000, 6000, 8000, 10000]),
        (-4000, 4000, 8, [-4000, -3000, -2000, -1000, 0, 1000, 2000, 3000, 4000]),
        (-0.01, 3.02, 10, [0, 0.5, 1, 1.5, 2, 2.5, 3]),
        (0, 5_000_000, 8, [0, 1_000_000, 2_000_000, 3_000_000, 4_000_000, 5_000_000]),
        (0, 1e-4, 4, [0, 5e-5, 1e-4]),
    ],
)
def test_a_linear_axis_has_round_figures(low, high, most, values):
    axis = linear_axis("x", low, high, most)
    assert [float(label) for _, label in axis.marks] == pytest.approx(values)
    assert [low + place * (high - low) for place, _ in axis.marks] == pytest.approx(values)


def test_a_curved_axis_has_round_figures_where_there_is_room():
    axis = curved_axis("Hz", 40, 9000, lambda hertz: (hertz / 10000) ** 0.5, 0.09)
    assert [label for _, label in axis.marks] == ["50", "500", "1000", "2000", "5000"]  # 200 is too near to 50
    assert [place for place, _ in axis.marks] == pytest.approx(
        [(float(label) / 10000) ** 0.5 for _, label in axis.marks]
    )


def test_a_curved_axis_leaves_out_what_is_beyond_its_ends():
    axis = curved_axis("Hz", 1, 1000, lambda hertz: hertz / 100 - 0.1, 0)
    assert [label for _, label in axis.marks] == ["10", "20", "50", "100"]


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [
        (1000, 1300, ["1000", "1100", "1200", "1300"]),
        (1010, 1990, ["1500"]),
        (300, 3400, ["500", "1000", "2000"]),
        (700, 700, []),
        (500, 500, ["500"]),
    ],
)
def test_a_narrow_curved_axis_has_marks_at_equal_distances(low, high, labels):
    axis = curved_axis("Hz", low, high, lambda hertz: (hertz - low + 1) / (high - low + 2), 0)
    assert [label for _, label in axis.marks] == labels


def test_panels_stand_above_one_another():
    panels = [Panel("<g/>", 100, Axis("Hz", ((0.0, "0"), (1.0, "8"))), label) for label in ("one", "two")]
    page = Page(plot_svg(panels, Axis("seconds", ((0.5, "7"),)), "about <it>"))
    whole, first, second = page.all("svg")
    assert (whole["role"], whole["aria-label"]) == ("img", "about <it>")
    assert page.text_in("title") == ["about <it>"]
    assert float(second["y"]) >= float(first["y"]) + 100
    _, _, width, height = map(float, whole["viewbox"].split())
    assert float(second["y"]) + 100 < height
    assert float(first["x"]) + WIDTH < width
    assert marks(page, "middle") == {7: float(first["x"]) + WIDTH / 2}
    letters = 4  # labels are centred on their marks
    assert marks(page, "end") == {0: float(second["y"]) + 100 + letters, 8: float(second["y"]) + letters}
    assert [text for text in page.text_in("text") if not text.isdigit()] == ["Hz", "one", "Hz", "two", "seconds"]
