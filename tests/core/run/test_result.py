from run_toys import prepared, task

from tonearm.run.prepared import ConvertedItem, Failure, PreparedSource
from tonearm.run.result import Result, result_of


def test_outputs_are_those_of_all_items_in_order(folder):
    items = [*prepared("out", ["b.wav", "b.json"]).items, *prepared("out", ["a.wav"]).items]
    assert Result(source="s", items=tuple(items)).outputs == ("b.wav", "b.json", "a.wav")
    assert Result(source="s").outputs == ()


def test_a_warning_that_outputs_share_is_told_once():
    items = [ConvertedItem("k", 0, output, [], warnings=["loud", f"only {output}"]) for output in (0, 1)]
    items.append(ConvertedItem("l", 1, 0, [], warnings=["loud"]))
    failure = Failure("a.txt", "m", 2, "no-level", "bad")
    source = PreparedSource(task=task("a.txt", 7), items=items, warnings=["first"], seconds=1.5, last=False)
    result = result_of(source, items, [failure])
    assert result.warnings == ("first", "loud", "only 0", "only 1", "loud")
    assert (result.source, result.items, result.failures) == ("a.txt", tuple(items), (failure,))
    assert (result.seconds, result.last) == (1.5, False)
