from run_toys import prepared

from tonearm.run.result import Result


def test_outputs_are_those_of_all_items_in_order(folder):
    items = [*prepared("out", ["b.wav", "b.json"]).items, *prepared("out", ["a.wav"]).items]
    assert Result(source="s", items=tuple(items)).outputs == ("b.wav", "b.json", "a.wav")
    assert Result(source="s").outputs == ()
