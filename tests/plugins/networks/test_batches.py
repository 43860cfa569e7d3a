"""The warning of a batch."""

from tonearm.api import SetOption
from tonearm_plugins.networks.batches import batch_warnings


def test_more_than_one_is_worth_a_warning() -> None:
    assert list(batch_warnings(1)) == []
    (warning,) = batch_warnings(4)
    assert (warning.option, warning.code) == ("batch", "batched")
    assert warning.message == "with batch: 4, the bytes of an output may depend on what else is in its batch"
    assert warning.remedies == (SetOption("batch", 1, when="for the same bytes every time"),)
