import pytest

from tonearm.errors import UsageError
from tonearm.run.part import WHOLE_RUN_OWNER, Part


def test_a_part_is_parsed():
    assert Part.parse("2/8") == Part(index=2, count=8)
    assert Part.parse("1/1").suffix == "-1-of-1"


@pytest.mark.parametrize("text", ["0/3", "4/3", "3", "1/", "/3", "1/2/3", "-1/3", "a/b", "1.0/2", "", "0/0", "1/0"])
def test_a_text_that_names_no_part(text):
    with pytest.raises(UsageError) as caught:
        Part.parse(text)
    assert caught.value.message == f"invalid part {text!r}: use I/N with 1 <= I <= N"


def test_each_source_is_in_exactly_one_part():
    for source in ("a.npy", "x/b.npy", "\udcff.npy"):
        assert sum(Part(index, 7).contains(source) for index in range(1, 8)) == 1


def test_the_split_does_not_change_between_releases():
    """Parts of a run that was started with an older release must be finished with the newer one."""
    found = {name: [index for index in (1, 2, 3) if Part(index, 3).contains(f"./{name}.npy")] for name in "abcdefgh"}
    assert found == {"a": [1], "b": [2], "c": [2], "d": [3], "e": [3], "f": [1], "g": [3], "h": [1]}


def test_temporaries_of_parts_have_different_owners():
    owners = [Part(index, count).owner_id for count in (1, 2, 3, 64, 65, 300) for index in range(1, count + 1)]
    assert len(set(owners)) == len(owners)
    assert WHOLE_RUN_OWNER not in owners
    assert all(len(owner) == 4 for owner in owners)
    huge = [Part(index, 5000).owner_id for index in range(1, 5001)]
    assert len(set(huge)) == 5000
