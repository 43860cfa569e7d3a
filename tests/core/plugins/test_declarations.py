"""Declarations of plugin classes: a wrong type is found when the class is loaded, not where it does harm."""

import pytest
from core_toys import Same, ToneReader

from tonearm.api import Kind, NoOptions, Waveform
from tonearm.plugins.declarations import check_declarations


@pytest.mark.parametrize("members", [{}, {"suffixes": (".tar.gz", ".x")}, {"revision": 3}, {"reads": "content"}])
def test_what_is_right(members):
    check_declarations(type("Reader", (ToneReader,), members))
    check_declarations(Same)


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"suffixes": ".wav"}, "suffixes is '.wav', not a tuple of texts like '.wav'"),  # each letter would be a suffix
        ({"suffixes": None}, "suffixes is None, not a tuple"),
        ({"suffixes": ("wav",)}, r"suffixes is \('wav',\), not a tuple"),
        ({"suffixes": (".WAV",)}, r"suffixes is \('.WAV',\), not a tuple"),
        ({"suffixes": (3,)}, r"suffixes is \(3,\), not a tuple"),
        ({"revision": "2"}, "revision is '2', not a whole number"),
        ({"revision": True}, "revision is True, not a whole number"),
        ({"holds_interpreter": "no"}, "holds_interpreter is 'no', not True or False"),
        ({"reads": "bytes"}, "reads is 'bytes', not 'path' or 'content'"),
    ],
)
def test_what_is_wrong(members, message):
    with pytest.raises(TypeError, match=message):
        check_declarations(type("Reader", (ToneReader,), members))


class Pitches(Kind[Waveform, NoOptions]):
    axes = ("time",)

    def read(self, values, context): ...


@pytest.mark.parametrize(
    "members", [{"axes": None}, {"axes": "time"}, {"axes": ("time", 3)}, {"optional_axes": "complex"}]
)
def test_the_axes_of_a_kind(members):
    check_declarations(Pitches)
    with pytest.raises(TypeError, match=r"axes is .*, not a tuple of names like \('time',\)"):
        check_declarations(type("Odd", (Pitches,), members))
