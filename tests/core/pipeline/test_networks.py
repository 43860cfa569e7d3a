"""The transform that runs a model, by the model's form and the signal; and sound of tokens without a model."""

from dataclasses import dataclass

import numpy as np
import pytest
from core_toys import Fog, Rain, checked, problems, registry_of

from tonearm.api import (
    CodecTokens,
    Context,
    Decoder,
    Item,
    Latents,
    MelSpectrogram,
    NoOptions,
    TokenLayout,
    Transform,
    Waveform,
)
from tonearm.errors import Place, UsageError
from tonearm.pipeline.inference import find_conversion
from tonearm.pipeline.networks import FORMS, form_of, network_of, no_decoder_error

TOKENS, LATENT, MEL = (CodecTokens,), (Latents,), (MelSpectrogram,)


@dataclass(frozen=True, kw_only=True)
class ModelOptions:
    model: str


class Codec(Transform[CodecTokens | Latents, Waveform, ModelOptions]):
    def apply(self, signal: CodecTokens | Latents, context: Context) -> Waveform:
        return Waveform(samples=np.zeros((1, 9), "f4"), sample_rate=24000)


class TokenCodec(Transform[CodecTokens, Waveform, ModelOptions]):
    def apply(self, signal: CodecTokens, context: Context) -> Waveform:
        return Waveform(samples=np.zeros((1, 9), "f4"), sample_rate=24000)


class OwnCodec(Transform[CodecTokens, Waveform, NoOptions]):
    """The decoder of a third party, which finds its model itself."""

    def apply(self, signal: CodecTokens, context: Context) -> Waveform:
        return Waveform(samples=np.zeros((1, 9), "f4"), sample_rate=24000)


class Vocoder(Transform[MelSpectrogram | Latents, Waveform, ModelOptions]):
    def apply(self, signal: MelSpectrogram | Latents, context: Context) -> Waveform:
        return Waveform(samples=np.zeros((1, 9), "f4"), sample_rate=24000)


class MelToWave(Transform[MelSpectrogram, Waveform, NoOptions]):
    def apply(self, signal: MelSpectrogram, context: Context) -> Waveform:
        return Waveform(samples=np.zeros((1, 9), "f4"), sample_rate=24000)


class TokenToy(Decoder[CodecTokens, NoOptions]):
    def decode(self, source, context):
        yield Item(signal=CodecTokens(codes=np.zeros((1, 4, 9), "int32")))


@dataclass(frozen=True, kw_only=True)
class LayoutOptions:
    layout: TokenLayout


class LaidTokenToy(Decoder[CodecTokens, LayoutOptions]):
    def decode(self, source, context):
        yield Item(signal=CodecTokens(codes=np.zeros((1, 4, 9), "int32")))


NETWORKS = {
    "onnx-codec": Codec,
    "onnx-vocoder": Vocoder,
    "torchscript-codec": TokenCodec,
    "transformers-codec": TokenCodec,
    "transformers-vocoder": Vocoder,
    "mel-to-wave": MelToWave,
    "a-codec": OwnCodec,
}


@pytest.fixture
def registry():
    return registry_of(transforms=NETWORKS, decoders={"token-toy": TokenToy})


@pytest.mark.parametrize(
    ("model", "given", "name"),
    [
        ("a.onnx", TOKENS, "onnx-codec"),
        ("a.ONNX", LATENT, "onnx-codec"),
        ("a.onnx", MEL, "onnx-vocoder"),
        ("a.pt", TOKENS, "torchscript-codec"),
        ("a.ts", TOKENS, "torchscript-codec"),
        ("facebook/encodec_24khz", TOKENS, "transformers-codec"),
        ("facebook/encodec_24khz", MEL, "transformers-vocoder"),
        ("facebook/encodec_24khz", LATENT, "transformers-vocoder"),
        ("a.onnx", (Fog,), None),
    ],
)
def test_the_form_of_the_model_and_the_signal_decide(registry, model, given, name):
    assert network_of(registry, model, given) == name


def test_a_folder_is_a_pretrained_model_whatever_its_name_ends_with(tmp_path, registry):
    (tmp_path / "vocos.pt").mkdir()
    assert form_of(str(tmp_path / "vocos.pt")) is FORMS[-1]


def test_a_file_of_weights_alone_is_no_model(tmp_path):
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(b"")
    with pytest.raises(UsageError) as caught:
        form_of(str(weights))
    assert caught.value.code == "bad-model"
    assert "config.json" in caught.value.hint


def test_a_model_of_a_form_that_does_not_take_the_signal(registry):
    with pytest.raises(UsageError) as caught:
        network_of(registry, "a.pt", MEL)
    assert caught.value.message == "a.pt is a TorchScript program, which cannot take mel here"
    assert caught.value.hint == "give an ONNX file or a pretrained model of transformers"


def test_no_network_is_found_without_a_model(registry):
    wave = (Waveform,)
    assert find_conversion(registry, TOKENS, wave) is None
    assert find_conversion(registry, LATENT, wave) is None
    assert find_conversion(registry, MEL, wave) == ("mel-to-wave",)
    assert find_conversion(registry, (Rain,), wave) == ("rain-to-wave",)


def test_the_error_names_the_codec_and_where_its_weights_come_from():
    layout = TokenLayout(name="orpheus", axes=("book", "frame"), codec="SNAC 24 kHz", weights="snac_24khz")

    class Reader:
        class options:  # noqa: N801 - a decoder's attribute
            class kind:  # noqa: N801
                class options:  # noqa: N801
                    pass

    Reader.options.kind.options.layout = layout
    error = no_decoder_error(TOKENS, Reader, Place(form="call"))
    assert error.code == "needs-model"
    assert error.message == (
        "codec tokens in the layout orpheus need the decoder of their codec, SNAC 24 kHz, to become sound"
    )
    assert error.hint == "model=… (ONNX file, folder with config.json, or name on the hub; weights: snac_24khz)"


def test_a_layout_whose_codes_give_no_sound_is_refused_by_name():
    class Reader:
        class options:  # noqa: N801
            layout = TokenLayout(name="spark", axes=("book", "frame"), refuses="the decoder takes a second stream")

    error = no_decoder_error(TOKENS, Reader, Place(form="flags"))
    assert error.code == "needs-second-stream"
    assert error.message == ("codec tokens in the layout spark cannot become sound: the decoder takes a second stream")


FLOW = """\
tonearm: 1
input:
  use: token-toy
  with: {layout: {axes: [book, frame], name: s3, refuses: a flow model comes first}}
steps: [STEP]
outputs:
  - {use: raw-writer, file: "{stem}.raw", with: {level: 1}}
"""


def test_a_network_of_any_model_does_not_decode_such_tokens_but_a_plugin_of_their_own_may():
    registry = registry_of(transforms=NETWORKS, decoders={"token-toy": LaidTokenToy})
    (problem,) = problems(FLOW.replace("STEP", "{use: onnx-codec, with: {model: a.onnx}}"), registry)
    assert problem.splitlines()[0] == (
        "p.yaml:5:15: needs-second-stream: codec tokens in the layout s3 cannot become sound: a flow model comes first"
    )
    assert [step.name for step in checked(FLOW.replace("STEP", "{use: a-codec}"), registry).steps] == ["a-codec"]


def test_latents_need_the_decoder_of_their_model_and_other_signals_none():
    error = no_decoder_error(LATENT, None, Place(form="flags"))
    assert error.message == "latents need the decoder of their model to become sound"
    assert error.hint.startswith("--model … (")
    assert no_decoder_error((Fog,), None, Place()) is None


def test_check_says_which_steps_decode_tokens(registry):
    text = """\
tonearm: 1
input: {use: token-toy}
outputs:
  - {use: raw-writer, file: "{stem}.raw", with: {level: 1}}
"""
    (problem,) = problems(text, registry)
    assert problem.splitlines() == [
        "p.yaml:4:11: needs-model: codec tokens need the decoder of their codec to become sound",
        "    hint: put one of onnx-codec, torchscript-codec, transformers-codec before it, with the option model",
    ]
