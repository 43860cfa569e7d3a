import pickle

from run_toys import prepared, task

from tonearm.run.prepared import Failure, PreparedSource


def test_what_a_worker_sends_is_what_the_run_receives(folder):
    """Paths may not be UTF-8, and measurements may be numbers or texts."""
    one = prepared("out", ["a\udcff.wav", "a\udcff.json"], key="k\udcff", index=3, warnings=["loud"], seconds=0.5)
    one.items[0].measured.update(peak_db=-1.5, count=3, codec="x")
    failed = PreparedSource(task=task("b.txt"), failures=[Failure("b.txt", "", 0, "empty", "nothing")], last=False)
    assert pickle.loads(pickle.dumps([one, failed], 5)) == [one, failed]


def test_defaults_are_not_shared(folder):
    first, second = (PreparedSource(task=task("a.txt")) for _ in range(2))
    first.warnings.append("of the first")
    assert second.warnings == []
