"""The pipeline that a command or a call stands for."""

import numpy as np
import pytest
from core_toys import Fog, registry_of

from tonearm import Signal, UsageError, Waveform
from tonearm.api import CodecTokens, Context, NoOptions, Transform
from tonearm.conversion.build import Request, Step, build, refuse_other_rate
from tonearm.pipeline.document import assigned, from_plain
from tonearm.plugins.registry import PluginError
from tonearm.source import Source

SOUND = Waveform(samples=np.zeros((1, 9), "f4"), sample_rate=8000)


class Lost(Signal):
    """A signal that no transform takes."""

    port = "lost"


def request(source, **more):
    settings = {
        "decoder": "tone-reader",
        "form": "python",
        "with_options": lambda root, _: root,
        "open_source": lambda _: source,
        "file": "a.raw",
    }
    return Request(**{**settings, **more})


def stages(conversion, registry):
    checked = conversion.check(registry)
    return [bound.name for bound in checked.stages()]


def with_level(root, _):
    return assigned(root, ["outputs", "0", "with", "level"], from_plain(1)) if "outputs" in root.entries else root


def test_transforms_are_put_in_before_each_step_and_the_encoder():
    registry = registry_of()
    asked = request(
        Source(name="a.fog", path="a.fog"),
        decoder="fog-reader",
        encoder="raw-writer",
        with_options=with_level,
        steps=(Step("same"),),
    )
    conversion = build(asked, registry)
    assert stages(conversion, registry) == ["fog-reader", "fog-to-mist", "mist-to-wave", "same", "raw-writer"]


def test_without_an_encoder_it_ends_with_a_waveform():
    registry = registry_of()
    conversion = build(request(Source(name="a.fog", path="a.fog"), decoder="fog-reader"), registry)
    assert stages(conversion, registry) == ["fog-reader", "fog-to-mist", "mist-to-wave"]
    assert conversion.check(registry).outputs == ()


def test_a_signal_needs_no_decoder():
    registry = registry_of()
    fog = Fog()
    conversion = build(request(Source(name="<fog>", signal=fog), decoder="", signal=fog), registry)
    assert stages(conversion, registry) == ["the fog", "fog-to-mist", "mist-to-wave"]
    assert conversion.started is None


def test_a_step_that_does_not_exist_is_refused_before_the_source_is_opened():
    asked = request(None, steps=(Step("sme"),), open_source=lambda _: pytest.fail("it was opened"))
    with pytest.raises(PluginError, match="there is no transform 'sme'"):
        build(asked, registry_of())


def test_a_sample_rate_that_the_source_has_not():
    registry = registry_of()
    source = Source(name="a.tone", path="a.tone")
    conversion = build(request(source, sample_rate=8000), registry)
    assert conversion.started is not None
    with pytest.raises(UsageError) as caught:
        build(request(source, sample_rate=16000), registry)
    assert str(caught.value) == (
        "a.tone has 8000 Hz, but sample_rate says 16000\n"
        '    hint: leave sample_rate out; to resample, steps=[("resample", {"sample_rate": 16000})]'
    )


def test_what_has_no_rate_contradicts_none():
    refuse_other_rate(8000, Source(name="<fog>", signal=Fog()), Fog())
    refuse_other_rate(8000, Source(name="<waveform>", signal=SOUND), SOUND)
    with pytest.raises(UsageError, match="the waveform has 8000 Hz, but sample_rate says 1"):
        refuse_other_rate(1, Source(name="<waveform>", signal=SOUND), SOUND)


def test_no_way_to_a_step_and_to_a_waveform():
    registry = registry_of()
    tone = Source(name="a.tone", path="a.tone")
    with pytest.raises(UsageError) as caught:
        build(request(tone, steps=(Step("rain-to-wave"),)), registry)
    assert str(caught.value) == "rain-to-wave cannot take waveform, and no transform leads there"
    lost = Lost()
    with pytest.raises(UsageError) as caught:
        build(request(Source(name="<lost>", signal=lost), decoder="", signal=lost), registry)
    assert (caught.value.code, str(caught.value)) == ("port-mismatch", "no transform makes a waveform of lost")


TOKENS = CodecTokens(codes=np.zeros((1, 4, 9), "i4"))


class Codec(Transform[CodecTokens, Waveform, NoOptions]):
    def apply(self, signal: CodecTokens, context: Context) -> Waveform:
        return SOUND


def of_tokens(registry, **more):
    asked = request(Source(name="<tokens>", signal=TOKENS), decoder="", signal=TOKENS, **more)
    return stages(build(asked, registry), registry)


def test_the_network_of_a_model_is_put_in_where_sound_is_needed_first():
    registry = registry_of(transforms={"onnx-codec": Codec})
    assert of_tokens(registry, model="a.onnx") == ["the tokens", "onnx-codec"]
    found = of_tokens(registry, model="a.onnx", steps=(Step("same"),), encoder="raw-writer", with_options=with_level)
    assert found == ["the tokens", "onnx-codec", "same", "raw-writer"]


def test_a_network_that_is_a_step_is_not_put_in_again():
    registry = registry_of(transforms={"onnx-codec": Codec})
    assert of_tokens(registry, model="a.onnx", steps=(Step("onnx-codec"),)) == ["the tokens", "onnx-codec"]


def test_tokens_become_no_sound_without_a_model():
    with pytest.raises(UsageError, match="codec tokens need the decoder of their codec") as caught:
        of_tokens(registry_of(transforms={"onnx-codec": Codec}))
    assert caught.value.code == "needs-model"
