"""Plans of networks."""

from __future__ import annotations

import pickle

from network_headers import TOKENS, plan, tensor

from tonearm_plugins.networks.plan import NetworkPlan, PlannedInput


def test_a_plan_has_a_state_if_an_input_takes_one() -> None:
    one = tensor("a float32 (1)")
    assert NetworkPlan(inputs=(PlannedInput(tensor=one, role="state", state="b"),), outputs=()).has_state
    assert not NetworkPlan(inputs=(PlannedInput(tensor=one, role="given", given=1),), outputs=()).has_state


def test_a_plan_goes_to_other_processes() -> None:
    made = plan(TOKENS, "codes int64 (batch, 8, frames)")
    assert pickle.loads(pickle.dumps(made)) == made
