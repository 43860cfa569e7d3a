"""Diagnoses: which of them are faults."""

import pytest

from tonearm.api import Diagnosis


@pytest.mark.parametrize(
    ("state", "is_fault"), [("ok", False), ("slower", False), ("absent", False), ("missing", True), ("broken", True)]
)
def test_what_is_optional_or_slower_is_no_fault(state, is_fault):
    assert Diagnosis(group="engines", subject="istft", state=state).is_fault is is_fault
