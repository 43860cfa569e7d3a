"""What a checked pipeline holds."""

import pytest
from branch_toys import REGISTRY, document
from core_toys import RATE, RawWriter, Same, ToneReader, checked, pipeline, registry_of

from tonearm.api import MelDialect
from tonearm.errors import Place
from tonearm.pipeline.check import check
from tonearm.pipeline.checked import BoundPlugin
from tonearm.pipeline.document import from_plain
from tonearm.pipeline.environment import Masks
from tonearm.signals import Waveform


def test_plugins_are_bound_to_their_options_in_order():
    found = checked(pipeline(reader="tone-reader, with: {count: 3}", steps=("same", "toys/same")))
    assert (type(found.decoder.plugin), found.decoder.plugin.options.count) == (ToneReader, 3)
    assert [type(step.plugin) for step in found.steps] == [Same, Same]
    assert [step.name for step in found.steps] == ["same", "toys/same"]
    (output,) = found.outputs
    assert (type(output.encoder.plugin), output.encoder.plugin.options.level) == (RawWriter, 1)
    assert output.template.fields == {"stem", "index"}
    assert output.encoder.ports.takes == (Waveform,)
    assert output.encoder.entry.full_name == "toys/raw-writer"
    assert found.decoder.plugin.produces().sample_rate == RATE


def test_stages_know_their_places():
    found = checked(pipeline(steps=("same", "same")))
    stages = [found.decoder, *found.steps, found.outputs[0].encoder]
    assert [stage.place.stage for stage in stages] == ["input", "steps.0", "steps.1", "outputs.0"]


def test_dialects_are_those_of_the_registry():
    registry = registry_of(dialects={"one": {"n_mels": 80, "sample_rate": 22050, "n_fft": 1024, "hop_length": 256}})
    assert checked(pipeline(), registry).catalogue(MelDialect).find("one").n_mels == 80


def test_what_is_checked_never_changes():
    found = checked(pipeline())
    for made in (found, found.decoder, found.outputs[0]):
        with pytest.raises(AttributeError, match="immutable"):
            setattr(made, made.__struct_fields__[0], None)
    bare = BoundPlugin("x", found.decoder.entry, found.decoder.plugin, found.decoder.ports)
    assert (bare.place, bare.spec, bare.masks, bare.is_guarded) == (Place(), None, Masks(), False)


def test_stages_come_output_by_output_with_their_own_steps():
    found = check(from_plain(document(None, ["gain", "same"], steps=["same"])), None, REGISTRY)
    decoder, step, (first, second) = found.decoder, *found.steps, found.outputs
    assert list(found.stages()) == [decoder, step, first.encoder, *second.steps, second.encoder]
    assert found.stages_of(first) == (decoder, step, first.encoder)
    assert found.stages_of(second) == (decoder, step, *second.steps, second.encoder)


def test_plugins_that_hold_the_interpreter_are_named_once():
    class Loop(Same):
        holds_interpreter = True

    found = checked(pipeline(steps=("same", "loop", "loop")), registry_of(transforms={"same": Same, "loop": Loop}))
    assert found.interpreter_holders() == ("loop",)
    assert checked(pipeline(steps=("same",))).interpreter_holders() == ()
