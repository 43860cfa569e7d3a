"""Second arrays of a call: lengths, imaginary parts and phases, as arrays or as names."""

import numpy as np
import pytest

from tonearm import UsageError, Waveform
from tonearm.conversion.companions import with_companions
from tonearm.source import Source

ONE = Source(name="<array>", array=np.zeros((2, 9)))
TWO = Source(name="<arrays>", arrays={"mel": np.zeros((2, 9)), "n": np.array([3, 4])})
SOUND = Waveform(samples=np.zeros((1, 9), "f4"), sample_rate=8000)


def test_an_array_gets_a_name_beside_its_companions():
    source, options = with_companions(ONE, {"lengths": [3, 4], "kind": "waveform"})
    assert list(source.arrays) == ["audio", "lengths"]
    assert source.arrays["audio"] is ONE.array
    np.testing.assert_array_equal(source.arrays["lengths"], [3, 4])
    assert options == {"lengths": "lengths", "key": "audio", "kind": "waveform"}


def test_a_mapping_keeps_its_names():
    source, options = with_companions(TWO, {"lengths": np.array([1, 2]), "key": "mel"})
    assert list(source.arrays) == ["mel", "n", "lengths"]
    assert options == {"lengths": "lengths", "key": "mel"}
    assert list(TWO.arrays) == ["mel", "n"]


def test_the_only_array_of_a_mapping_needs_no_key():
    one = Source(name="<arrays>", arrays={"re": np.zeros((2, 9))})
    assert with_companions(one, {"imag": np.ones((2, 9))})[1] == {"imag": "imag", "key": "re"}


@pytest.mark.parametrize("source", [TWO, Source(name="a.npz", path="a.npz")])
def test_text_stays_the_name_of_an_array(source):
    given = {"lengths": "n", "imag": None}
    assert with_companions(source, given) == (source, given)


@pytest.mark.parametrize(
    ("source", "given", "message"),
    [
        (
            ONE,
            {"lengths": "n"},
            "lengths names a second array, but audio is one array\n"
            "    hint: give lengths as an array itself, or audio as a mapping of arrays",
        ),
        (
            Source(name="<waveform>", signal=SOUND),
            {"imag": [1]},
            "imag belongs to an array, but audio is a waveform\n    hint: leave imag out",
        ),
        (
            Source(name="a.npz", path="a.npz"),
            {"phase": [1]},
            "phase is an array, but audio is a file\n"
            "    hint: give phase as the name of an array in the file, or read the file and give its array",
        ),
        (
            Source(name="<arrays>", arrays={"x": np.zeros((2, 9)), "lengths": np.array([3, 4])}),
            {"lengths": [1, 2]},
            "lengths is given twice: as a keyword, and as an array of the mapping\n"
            '    hint: leave one of them out, or write lengths="lengths" for that of the mapping',
        ),
    ],
)
def test_refusals_name_the_keyword(source, given, message):
    with pytest.raises(UsageError) as caught:
        with_companions(source, given)
    assert str(caught.value) == message
