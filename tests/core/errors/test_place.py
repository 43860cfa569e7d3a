"""A place says what kind of stage it is."""

import pytest

from tonearm.errors import Place


@pytest.mark.parametrize(
    ("stage", "wanted"),
    [
        ("", (False, False, True)),
        ("input", (False, False, True)),
        ("steps.0", (False, False, False)),
        ("outputs.1", (True, False, False)),
        ("outputs.1.steps.0", (False, False, False)),
        ("steps.0.with.window", (False, True, False)),
        ("limits", (False, False, False)),
    ],
)
def test_what_a_stage_is(stage, wanted):
    place = Place(stage, "flags")
    assert (place.is_encoder, place.is_nested, place.has_flags) == wanted
    assert not any(Place(stage, form).has_flags for form in ("yaml", "python", "call"))
