"""The shape of a pipeline file, as `check` judges it: place, code, message, hint."""

import pytest
from core_toys import checked, problems

from tonearm.pipeline.document import from_plain, read_document
from tonearm.pipeline.problems import Problems
from tonearm.pipeline.structure import read_structure
from tonearm.pipeline.yaml.nodes import INSPECT

TEN = "tonearm: 1\n"
NPY = "input: {use: npy-reader, with: {kind: waveform, sample_rate: 8000}}\n"
WAV = 'outputs: [{use: wav-writer, file: "{stem}.wav"}]\n'
EXAMPLE = 'outputs: [{use: wav-writer, file: "{stem}.wav"}]'


def outputs(*files):
    return "".join(["outputs:\n", *(f"  - {{use: wav-writer, file: {file}}}\n" for file in files)])


MAPPING = "a pipeline must be a mapping with tonearm, input, steps, outputs, limits"


class TestShape:
    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("[]", f"1:1: wrong-shape: {MAPPING}, but is a list\n    hint: {INSPECT}"),
            ("x", f"1:1: wrong-shape: {MAPPING}, but is text\n    hint: {INSPECT}"),
            (NPY + WAV, "1:1: missing-key: 'tonearm' is missing\n    hint: tonearm: 1"),
            (f"tonearm: 2\n{NPY}{WAV}", "1:10: wrong-version: this tonearm reads format 1\n    hint: tonearm: 1"),
            (f"tonearm: '1'\n{NPY}{WAV}", "1:10: wrong-version: this tonearm reads format 1\n    hint: tonearm: 1"),
            (f"tonearm: true\n{NPY}{WAV}", "1:10: wrong-version: this tonearm reads format 1\n    hint: tonearm: 1"),
            (f"tonearm: 1.0\n{NPY}{WAV}", "1:10: wrong-version: this tonearm reads format 1\n    hint: tonearm: 1"),
            (TEN + WAV, "1:1: missing-key: 'input' is missing\n    hint: input: {use: npy-reader, files: \"*.npy\"}"),
            (TEN + NPY, f"1:1: missing-key: 'outputs' is missing\n    hint: {EXAMPLE}"),
            (f"{TEN}{NPY}outputs: []", f"3:10: wrong-shape: outputs is empty\n    hint: {EXAMPLE}"),
            (f"{TEN}{NPY}outputs:", "3:9: wrong-shape: outputs must be a list, but is empty"
             "\n    hint: outputs: [{use: wav-writer, file: \"{stem}.wav\"}]"),
            (f"{TEN}{NPY}outputs: {{}}", "3:10: wrong-shape: outputs must be a list, but is a mapping"
             "\n    hint: outputs: [{use: wav-writer, file: \"{stem}.wav\"}]"),
            (f"{TEN}{NPY}outputs: [3]",
             "3:11: wrong-shape: outputs.0 must be a mapping with use, file, steps, with, but is a number"),
            (f"{TEN}input: npy-reader\n{WAV}",
             "2:8: wrong-shape: input must be a mapping with use, files, with, but is text"
             "\n    hint: write {use: \"npy-reader\", files: \"*.npy\"}"),
            (f"{TEN}input: mel/*.npy\n{WAV}",
             "2:8: wrong-shape: input must be a mapping with use, files, with, but is text"
             "\n    hint: write {use: \"npy-reader\", files: \"mel/*.npy\"}"),
            (f"{TEN}{NPY}steps: [griffin-lim]\n{WAV}",
             "3:9: wrong-shape: steps.0 must be a mapping with use, with, but is text"
             "\n    hint: write {use: \"griffin-lim\"}"),
            (f"{TEN}{NPY}outputs: [mp3-writer]\n",
             "3:11: wrong-shape: outputs.0 must be a mapping with use, file, steps, with, but is text"
             "\n    hint: write {use: \"mp3-writer\", file: \"{stem}.wav\"}"),
            (f"{TEN}{NPY}outputs: [a.wav]\n",
             "3:11: wrong-shape: outputs.0 must be a mapping with use, file, steps, with, but is text"
             "\n    hint: write {use: \"wav-writer\", file: \"a.wav\"}"),
            (f"{TEN}input: {{files: a}}\n{WAV}", "2:8: missing-key: input: 'use' is missing"
             "\n    hint: use: … (name of a plugin)"),
            (f"{TEN}input: {{use: 3}}\n{WAV}", "2:14: wrong-shape: input: 'use' is the name of a plugin, not a number"),
            (f"{TEN}input: {{use: ''}}\n{WAV}",
             "2:14: wrong-shape: input: 'use' is the name of a plugin, not empty text"),
            (f"{TEN}input: {{use: }}\n{WAV}", "2:13: wrong-shape: input: 'use' is the name of a plugin, not empty"),
            (f"{TEN}input: {{use: [a]}}\n{WAV}", "2:14: wrong-shape: input: 'use' is the name of a plugin, not a list"),
            (f"{TEN}{NPY}steps: normalize\n{WAV}", "3:8: wrong-shape: steps must be a list, but is text"
             "\n    hint: steps: [{use: normalize}]"),
            (f"{TEN}{NPY}steps: [{{with: {{}}}}]\n{WAV}", "3:9: missing-key: steps.0: 'use' is missing"
             "\n    hint: use: … (name of a plugin)"),
            (f"{TEN}{NPY}step: []\n{WAV}", "3:1: unknown-key: a pipeline has no key 'step'"
             "\n    hint: did you mean 'steps'?"),
            (f"{TEN}{NPY}quality: 3\n{WAV}", "3:1: unknown-key: a pipeline has no key 'quality'"
             "\n    hint: it has tonearm, input, steps, outputs, limits"),
            (f"{TEN}{NPY}steps: [{{use: normalize, files: a}}]\n{WAV}", "3:26: unknown-key: steps.0 has no key 'files'"
             "\n    hint: it has use, with"),
            (f"{TEN}{NPY}outputs: [{{use: wav-writer}}]", "3:11: missing-key: outputs.0: 'file' is missing"
             "\n    hint: file: \"audio/{stem}.wav\""),
            (TEN + NPY + outputs("[a]"), "4:29: wrong-shape: outputs.0: 'file' is a name, not a list"),
            (TEN + NPY + outputs("3"), "4:29: wrong-shape: outputs.0: 'file' is a name, not a number"),
            (TEN + NPY + outputs("{stem}"), "4:29: wrong-shape: outputs.0: 'file' is a name, not a mapping"
             "\n    hint: a name that starts with { is quoted"),
            (f"{TEN}input: {{use: audio-reader, files: {{}}}}\n{WAV}",
             "2:35: wrong-shape: input: 'files' is a pattern or a list of them, not a mapping"),
            (f"{TEN}input: {{use: audio-reader, files: [a, '']}}\n{WAV}",
             "2:39: wrong-shape: input: 'files' is a pattern or a list of them, not empty text"),
        ],
    )  # fmt: skip
    def test_what_does_not_belong(self, text, said, installed):
        assert problems(text, installed) == [f"p.yaml:{said}"]

    @pytest.mark.parametrize(
        "steps",
        [
            "",
            "steps:\n",
            "steps: []\n",
            *(f"steps: [{{use: normalize{more}}}]\n" for more in ("", ", with: ", ", with: {}")),
        ],
    )
    def test_what_may_be_left_out(self, steps, installed):
        found = checked(TEN + NPY + steps + WAV, installed)
        assert len(found.steps) == steps.count("use")

    def test_what_is_right_is_bound(self, installed):
        text = "tonearm: 1\ninput: {use: npy-reader, files: [a, 'b/*'], with: {kind: waveform, sample_rate: 8000}}\n"
        found = checked(
            text + "steps: [{use: normalize, with: {peak_db: -3}}]\n" + outputs("a.wav", "'{stem}.wav'"), installed
        )
        assert (found.file, found.files) == ("p.yaml", ("a", "b/*"))
        assert found.decoder.plugin.options.of_kind("sample_rate") == 8000
        assert [step.plugin.options.peak_db for step in found.steps] == [-3.0]
        assert [output.template.text for output in found.outputs] == ["a.wav", "{stem}.wav"]
        assert {output.encoder.entry.full_name for output in found.outputs} == {"builtin/wav-writer"}


def test_stages_and_structures_never_change():
    structure = read_structure(from_plain({"tonearm": 1, "input": {"use": "a"}}), Problems(None))
    for made in (structure, structure.decoder):
        with pytest.raises(AttributeError, match="immutable"):
            made.steps = ()


@pytest.mark.parametrize("value", ["", "3", "[]", "x", "{memory: 3GB}"])
def test_limits_are_a_mapping_or_empty(value):
    problems = Problems("p.yaml")
    structure = read_structure(read_document(f"{TEN}{NPY}{WAV}limits: {value}", "p.yaml"), problems)
    assert (structure.limits is not None) == (value[:1] == "{")
    said = [f"{one.code}: {one.message}; {one.hint}" for one in problems.found]
    kinds = {"3": "a number", "[]": "a list", "x": "text"}
    message = f'wrong-shape: limits must be a mapping, but is {kinds.get(value)}; limits: {{memory: "4GB"}}'
    assert said == ([message] if value in kinds else [])
