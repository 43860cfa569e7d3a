from tonearm.api import Context
from tonearm.pipeline.outcome import Outcome


def test_an_outcome_starts_with_nothing_deferred_and_counts_of_its_own():
    first, second = Outcome(context=Context()), Outcome(context=Context())
    first.counts["step"] = 1
    assert second.counts == {}
    assert first.deferred is None, "no steps that wait is not the same as steps none of which is left"
