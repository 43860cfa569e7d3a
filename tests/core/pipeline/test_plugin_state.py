"""The state of a bound plugin, and the plugin that another process restores from it."""

import pickle

from core_toys import checked, pipeline

from tonearm.pipeline.plugin_state import plugin_state, plugin_states, restored_stage


def test_a_plugin_is_restored_as_it_was_bound():
    for bound in checked(pipeline(steps=("same",))).stages():
        restored = restored_stage(pickle.loads(pickle.dumps(plugin_state(bound))))
        assert type(restored.plugin) is type(bound.plugin)
        assert (restored.plugin.options, restored.plugin.registered) == (bound.plugin.options, bound.plugin.registered)
        assert (restored.name, restored.place, restored.spec) == (bound.name, bound.place, bound.spec)
        assert (restored.ports, restored.is_guarded) == (bound.ports, bound.is_guarded)


def test_several_keep_their_order():
    stages = list(checked(pipeline(steps=("same", "same"))).stages())
    assert [restored_stage(state).name for state in plugin_states(stages)] == [bound.name for bound in stages]
