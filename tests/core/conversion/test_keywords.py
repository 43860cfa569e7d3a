"""Keywords of a call: the plugin that each is for, values of any type, and the errors about those that none has."""

import enum
import inspect
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import pytest
from core_toys import registry_of

import tonearm
from tonearm import MelDialect, PipelineError, UsageError
from tonearm.api import Encoder, Meta, Waveform
from tonearm.conversion.keywords import PARAMETERS, plain_keyword, with_keywords
from tonearm.pipeline.document import from_plain
from tonearm.pipeline.yaml.nodes import MappingNode, SequenceNode

DRAFT = {
    "tonearm": 1,
    "input": {"use": "npy-reader", "with": {}},
    "steps": [{"use": "griffin-lim", "with": {}}],
    "outputs": [{"use": "wav-writer", "file": "a.wav", "with": {}}],
}


class Kinds(enum.Enum):
    MEL = "mel"


@dataclass(frozen=True, kw_only=True)
class SomeOptions:
    floor_db: Annotated[float | None, Meta(description="Floor; None for no floor.")] = -60.0
    ceiling_db: Annotated[float | None, Meta(description="Ceiling.")] = None


class SomeWriter(Encoder[Waveform, SomeOptions]):
    def encode(self, item, sink, context):
        """Write nothing."""


class Scalar:
    """A number in a tensor without axes, as those of torch."""

    shape = ()

    def item(self):
        return 24000


class OtherScalar:
    """One without a method that returns the number, as those of TensorFlow."""

    shape = ()

    def __array__(self, dtype=None, copy=None):
        return np.array(24000)


class Shaped:
    """Something else that has a shape."""

    shape = None


def plain(node):
    if isinstance(node, MappingNode):
        return {key: plain(entry.node) for key, entry in node.entries.items()}
    return [plain(one) for one in node.items] if isinstance(node, SequenceNode) else node.value


def routed(installed, given, **more):
    """Return the options of each stage."""
    settings = {"decoder": "npy-reader", "encoder": "wav-writer", "inserted": ((0, "griffin-lim"),), **more}
    root = plain(with_keywords(from_plain(DRAFT), given, installed, **settings))
    return root["input"]["with"], root["steps"][0]["with"], root["outputs"][0]["with"]


def refused(installed, given, **more):
    with pytest.raises(UsageError) as caught:
        routed(installed, given, **more)
    assert caught.value.code in ("unknown-option", "ambiguous-option")
    return str(caught.value)


class TestPlaces:
    def test_each_plugin_gets_its_own(self, installed):
        given = {"sample_rate": 8000, "iterations": 60, "subtype": "PCM_24"}
        expected = ({"sample_rate": 8000}, {"iterations": 60}, {"subtype": "PCM_24"})
        assert routed(installed, given) == expected

    def test_those_of_transforms_wait_until_these_are_known(self, installed):
        assert routed(installed, {"iterations": 60}, inserted=None) == ({}, {}, {})

    def test_options_of_the_encoder_alone(self, installed):
        assert routed(installed, {"seed": 1}, encoder_options={"seed": np.int64(2)}) == ({}, {"seed": 1}, {"seed": 2})

    def test_an_option_of_another_kind_is_left_to_the_check(self, installed):
        assert routed(installed, {"kind": "waveform", "dialect": "hifigan"})[0]["dialect"] == "hifigan"


class TestAmbiguous:
    def test_a_transform_and_the_encoder(self, installed):
        assert refused(installed, {"seed": 3}) == (
            "seed is an option of wav-writer and of griffin-lim\n"
            '    hint: for wav-writer, encoder={"seed": 3}; for griffin-lim, steps=[("griffin-lim", {"seed": 3})]'
        )

    def test_the_decoder_and_the_encoder_and_what_it_says_is_right(self, installed):
        more = {"encoder": "png-writer", "inserted": ()}
        assert refused(installed, {"n_fft": 512}, **more) == (
            "n_fft is an option of npy-reader and of png-writer\n"
            '    hint: for npy-reader, n_fft=512 beside encoder={"n_fft": 1024}; for png-writer, encoder={"n_fft": 512}'
        )
        found = routed(installed, {"n_fft": 512}, encoder_options={"n_fft": 1024}, **more)
        assert found == ({"n_fft": 512}, {}, {"n_fft": 1024})
        assert routed(installed, {}, encoder_options={"n_fft": 512}, **more)[2] == {"n_fft": 512}

    def test_text_is_quoted(self, installed):
        assert '{"engine": "native"}' in refused(installed, {"engine": "native"}, encoder="mp3-writer")


class TestUnknown:
    @pytest.mark.parametrize(
        ("name", "message"),
        [
            ("sample_rat", "there is no option 'sample_rat' here\n    hint: did you mean 'sample_rate'?"),
            ("sr", "there is no option 'sr' here\n    hint: did you mean 'sample_rate'?"),
            ("overwite", "there is no option 'overwite' here\n    hint: did you mean 'overwrite'?"),
            (
                "bitrat",
                "there is no option 'bitrat' here\n"
                "    hint: did you mean 'bitrate', an option of aac-writer, ffmpeg-writer, m4a-writer and 2 others?",
            ),
            ("rate", "there is no option 'rate' here\n    hint: did you mean 'sample_rate'?"),
            ("force", "there is no option 'force' here\n    hint: did you mean 'overwrite'?"),
            ("normalize", 'normalize is a transform, not an option\n    hint: steps=["normalize"]'),
            ("resample", 'resample is a transform, not an option\n    hint: steps=["resample"]'),
            ("mono", 'mix is a transform, not an option\n    hint: steps=["mix"]'),
            ("title", 'title is a tag, not an option\n    hint: tags={"title": -3}'),
            ("nothing_like_it", "there is no option 'nothing_like_it' here"),
            (
                "bitrate",
                "bitrate is an option of aac-writer, ffmpeg-writer, m4a-writer and 2 others, which are not used here\n"
                "    hint: leave bitrate out",
            ),
            (
                "encoding",
                "encoding is an option of pcm-reader, which is not used here\n    hint: leave encoding out",
            ),
            (
                "target_lufs",
                "target_lufs is an option of loudness, which is not applied here\n"
                '    hint: to apply it, steps=[("loudness", {"target_lufs": -3})]',
            ),
        ],
    )
    def test_by_name_before_anything_is_read(self, installed, name, message):
        assert refused(installed, {name: -3}, inserted=None) == message

    def test_one_of_a_step_that_is_asked_for(self, installed):
        assert refused(installed, {"peak_db": -3}, asked=["normalize"]) == (
            "peak_db is an option of normalize, whose options stand beside its name\n"
            '    hint: steps=[("normalize", {"peak_db": -3})]'
        )
        asked = refused(installed, {"iterations": 3}, asked=["griffin-lim"], inserted=())
        assert asked.endswith('hint: steps=[("griffin-lim", {"iterations": 3})]')

    def test_a_name_with_two_meanings_is_that_of_the_step_that_is_asked_for(self, installed):
        asked = refused(installed, {"rate": 2}, asked=["time-stretch"])
        assert asked.endswith('hint: steps=[("time-stretch", {"rate": 2})]')

    def test_a_tag_where_no_file_is_written(self, installed):
        assert refused(installed, {"artist": "x"}, encoder="") == "there is no option 'artist' here"

    def test_one_of_a_transform_that_was_not_put_in(self, installed):
        assert refused(installed, {"model": "a.onnx"}) == (
            "model is an option of onnx-codec, onnx-vocoder, torchscript-codec and 2 others, which are not needed here"
            "\n    hint: leave model out"
        )

    @pytest.mark.parametrize("name", ["kind", "n_fft", "dialect"])
    def test_one_that_describes_an_array_for_a_signal(self, installed, name):
        message = refused(installed, {name: "mel"}, decoder="", inserted=None)
        assert message == f"{name} describes an array, and a signal describes itself\n    hint: leave {name} out"


class TestValues:
    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            (np.int64(24000), 24000),
            (np.float32(0.5), 0.5),
            (np.array([1])[0] > 0, True),
            (np.array(3), 3),
            (Scalar(), 24000),
            (OtherScalar(), 24000),
            (np.str_("mel"), "mel"),
            ((1, np.int8(2)), [1, 2]),
            ({"a": [np.int64(1)]}, {"a": [1]}),
            (MelDialect(name="x", sample_rate=8000, n_fft=64, hop_length=16, n_mels=8), None),
        ],
    )
    def test_scalars_and_records_become_plain(self, value, expected):
        found = plain_keyword(value)
        expected = expected or {"name": "x", "sample_rate": 8000, "n_fft": 64, "hop_length": 16, "n_mels": 8}
        assert found == expected
        assert type(found) is type(expected)

    def test_an_array_is_no_value_of_an_option(self, installed):
        with pytest.raises(UsageError) as caught:
            routed(installed, {"window": np.hanning(8)})
        assert caught.value.message == "window is an array of shape (8,), not a plain value"
        assert caught.value.hint

    def test_enumerations_and_paths(self, installed):
        given = {"kind": Kinds.MEL, "dialect": Path("mine.yaml")}
        assert routed(installed, given)[0] == {"kind": "mel", "dialect": "mine.yaml"}

    def test_none_stands_for_the_default(self, installed):
        assert routed(installed, dict.fromkeys(("kind", "axes", "sample_rate", "subtype"))) == ({}, {}, {})

    def test_none_that_means_something_else_is_kept(self):
        registry = registry_of(encoders={"some-writer": SomeWriter})
        given = {"floor_db": None, "ceiling_db": None}
        found = routed(registry, given, decoder="tone-reader", encoder="some-writer", inserted=())
        assert found == ({}, {}, {"floor_db": None})

    @pytest.mark.parametrize("value", [object(), {1, 2}, Shaped()])
    def test_others_are_refused_by_the_keyword(self, installed, value):
        with pytest.raises(PipelineError, match="'full_scale': a pipeline cannot hold a value of type"):
            routed(installed, {"full_scale": value})


def test_the_parameters_that_a_misspelt_keyword_may_mean_are_those_of_save():
    named = [name for name, one in inspect.signature(tonearm.save).parameters.items() if one.kind is one.KEYWORD_ONLY]
    assert list(PARAMETERS) == named
