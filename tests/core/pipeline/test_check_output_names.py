"""Names of outputs are checked: templates, and names that would clash."""

import pytest
from core_toys import (
    Same,
    checked,
    problems,
    registry_of,
)

from tonearm.api import (
    NoOptions,
    Regroup,
    Waveform,
)
from tonearm.errors import PipelineError
from tonearm.pipeline.check import check
from tonearm.pipeline.document import from_plain
from tonearm.plugins.registry import default

TEN = "tonearm: 1\n"


NPY = "input: {use: npy-reader, with: {kind: waveform, sample_rate: 8000}}\n"


def outputs(*files):
    return "".join(["outputs:\n", *(f"  - {{use: wav-writer, file: {file}}}\n" for file in files)])


class TestSuffixes:
    def found(self, encoder, file, installed):
        """Return the problem of a suffix; an unknown option is a problem in any case."""
        text = f"{TEN}{NPY}outputs: [{{use: {encoder}, file: {file!r}}}]\nno-such-key: 1\n"
        return [one for one in problems(text, installed) if "no-such-key" not in one]

    @pytest.mark.parametrize(
        ("encoder", "suffix", "own", "other"),
        [
            ("wav-writer", ".mp3", ".wav", "mp3-writer"),
            ("wav-writer", ".MP3", ".wav", "mp3-writer"),
            ("flac-writer", ".wav", ".flac", "wav-writer"),
            ("mp3-writer", ".ogg", ".mp3", "ogg-writer"),
            ("ogg-writer", ".opus", ".ogg", "opus-writer"),
            ("raw-writer", ".wav", ".raw", "wav-writer"),
            ("npy-writer", ".safetensors", ".npy", "safetensors-writer"),
        ],
    )
    def test_that_of_another_format_is_a_problem(self, encoder, suffix, own, other, installed):
        (problem,) = self.found(encoder, f"{{stem}}{suffix}", installed)
        assert problem == (
            f"p.yaml:3:{25 + len(encoder)}: wrong-suffix: {encoder} writes {own} files, and {suffix} is the suffix of"
            f" another format\n    hint: write {own}, or use {other}"
        )

    @pytest.mark.parametrize(
        ("encoder", "file"),
        [
            ("wav-writer", "a.WAV"), ("wav-writer", "a.rf64"), ("wav-writer", "a"), ("wav-writer", "a.wave"),
            ("wav-writer", "{stem}.{key}"), ("wav-writer", "a.mp3.wav"), ("wav-writer", "a.mp3/b"),
            ("raw-writer", "a.bin"), ("opus-writer", "a.ogg"), ("ogg-writer", "a.oga"), ("ffmpeg-writer", "a.wav"),
        ],
    )  # fmt: skip
    def test_any_other_is_none(self, encoder, file, installed):
        assert self.found(encoder, file, installed) == []


class TestOutputNames:
    def test_templates(self, installed):
        text = TEN + NPY + outputs("/a.wav", "../a.wav", "'{steem}.wav'", "'a/{stem'", "dir/", "'{index:3d}.wav'")
        assert problems(text, installed) == [
            "p.yaml:4:29: bad-template: '/a.wav' is absolute\n    hint: write it relative to the output folder",
            "p.yaml:5:29: bad-template: '../a.wav' would leave the output folder\n    hint: write it without ..",
            "p.yaml:6:29: bad-template: a template has no field {steem}\n    hint: did you mean 'stem'?",
            "p.yaml:7:29: bad-template: 'a/{stem' has a single {\n    hint: write {{ for one",
            "p.yaml:8:29: bad-template: 'dir/' is not a file name\n    hint: as in \"audio/{stem}.wav\"",
            "p.yaml:9:29: bad-template: a template has no field {index:3d}"
            "\n    hint: only index has a width, as in {index:05}",
        ]

    def test_several_items_of_a_source_are_told_apart(self):
        class Several(Regroup[Waveform, Waveform, NoOptions]):
            def regroup(self, items, context):
                return items

            def produces(self, spec):
                return spec.replace(several=True)

        class One(Several):
            def produces(self, spec):
                return spec.replace(several=False)

        toys = registry_of(transforms={"several": Several, "one": One, "same": Same})

        def text(steps, file):
            steps = ", ".join(f"{{use: {step}}}" for step in steps)
            raw = f"{{use: raw-writer, file: '{file}', with: {{level: 1}}}}"
            return f"{TEN}input: {{use: tone-reader}}\nsteps: [{steps}]\noutputs: [{raw}]"

        assert problems(text(["several", "same"], "{stem}.raw"), toys) == [
            "p.yaml:4:35: same-output: a source becomes several items here, but '{stem}.raw' does not distinguish them"
            '\n    hint: as in "{stem}-{index:03}.wav"'
        ]
        for steps, file in ((["several"], "{key}.raw"), (["several"], "{index:03}.raw"), (["several", "one"], "a.raw")):
            assert checked(text(steps, file), toys)

    @pytest.mark.parametrize(
        ("decoder", "options", "several"),
        [
            ("kaldi-reader", "", True),
            ("kaldi-reader", "key: utt1", False),
            ("webdataset-reader", "", True),
            ("parquet-reader", "key: audio", True),
            ("npz-reader", "key: a", False),
            ("npz-reader", "lengths: n", True),
            ("npy-reader", "axes: [batch, time]", True),
            ("npy-reader", "axes: [channel, time]", False),
        ],
    )
    def test_batches_and_archives_are_told_apart(self, decoder, options, several):
        given = ", ".join(filter(None, ("kind: waveform", "sample_rate: 8000", options)))
        text = f"{TEN}input: {{use: {decoder}, with: {{{given}}}}}\n"
        named_alike = text + "outputs: [{use: wav-writer, file: '{stem}.wav'}]"
        if several:
            assert [one.split(": ")[1] for one in problems(named_alike, default())] == ["same-output"]
        else:
            assert checked(named_alike, default())
        for name in ("'{key}.wav'", "'{index}.wav'"):
            assert checked(text + f"outputs: [{{use: wav-writer, file: {name}}}]", default())

    def test_the_same_twice(self, installed):
        assert problems(TEN + NPY + outputs("'{stem}.wav'", "b.wav", "'{stem}.wav'"), installed) == [
            "p.yaml:6:29: same-output: another output on line 4 has the name '{stem}.wav'"
            "\n    hint: give each output its own name"
        ]

    def test_the_same_twice_from_python(self, installed):
        output = {"use": "wav-writer", "file": "a.wav"}
        plain = {"tonearm": 1, "input": {"use": "audio-reader"}, "outputs": [output, output]}
        with pytest.raises(PipelineError) as caught:
            check(from_plain(plain), None, installed)
        assert (
            str(caught.value)
            == "same-output: another output has the name 'a.wav'\n    hint: give each output its own name"
        )
