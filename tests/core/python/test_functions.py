"""The functions for a model's code: what they write, in what they are like the command, and what they refuse."""

from __future__ import annotations

import doctest
import inspect
import io
import os
import re
import sys
import threading
import warnings
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import soundfile
from core_toys import registry_of
from core_toys import tonearm as command
from terminals import ESCAPE, on_terminal

import tonearm
from tonearm import ItemError, OutputError, PipelineError, Problem, TonearmError, TonearmWarning, UsageError, Waveform
from tonearm.conversion.call import STEPS_EXAMPLE
from tonearm.python import functions
from tonearm.python.audio_input import AudioInput, Sound

RATE = 24000
SOUND = (0.4 * np.sin(np.arange(RATE // 10) / 9)).astype("f4")
BATCH = np.stack([SOUND, SOUND / 2])
PARTS = np.random.default_rng(0).standard_normal((2, 9, 40)) / 20
STFT = (PARTS[0] + 1j * PARTS[1]).astype("c8")
GRID = {"n_fft": 16, "hop_length": 4, "sample_rate": 8000}
MEL = np.linspace(-9, -2, 80 * 20).reshape(80, 20).astype("f4")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused(function, *arguments, **options):
    """Return the message of the error that a call raises."""
    with pytest.raises(TonearmError) as caught:
        function(*arguments, **options)
    return str(caught.value)


class TestSave:
    def test_it_returns_the_path_and_what_was_measured(self):
        saved = tonearm.save(SOUND, "new/deep/a.wav", sample_rate=RATE)
        assert (saved.path, saved.paths) == (Path("new/deep/a.wav"), (Path("new/deep/a.wav"),))
        assert saved.measured["duration"] == 0.1
        assert saved.warnings == ()
        assert soundfile.info(saved).samplerate == RATE

    def test_a_file_beside_it_is_no_file_of_its_own(self):
        saved = tonearm.save(SOUND, "a.wav", sample_rate=RATE, provenance=True)
        assert (saved.path, Path("a.wav.json").exists()) == (Path("a.wav"), True)

    @pytest.mark.one_in(2)
    @pytest.mark.parametrize(
        ("name", "array", "options"),
        [
            ("a.wav", SOUND, {"sample_rate": RATE}),
            ("a.mp3", SOUND, {"sample_rate": RATE, "bitrate": 64}),
            ("a.flac", STFT, GRID),
            ("a.wav", abs(STFT), GRID | {"kind": "magnitude", "iterations": 3}),
            ("a.mp3", MEL, {"dialect": "hifigan"}),
            ("a.npy", STFT, GRID),
        ],
    )
    def test_the_file_is_the_one_that_the_command_makes(self, name, array, options, folder):
        np.save("array.npy", array)
        flags = [word for key, value in options.items() for word in (f"--{key.replace('_', '-')}", str(value))]
        done = command("convert", "array.npy", f"by-command-{name}", *flags, cwd=folder)
        assert done.returncode == 0, done.stderr
        tonearm.save(array, f"by-call-{name}", **options)
        assert Path(f"by-call-{name}").read_bytes() == Path(f"by-command-{name}").read_bytes()

    def test_an_array_that_the_caller_holds_stays_as_it_is(self):
        given = BATCH.copy()
        tonearm.save(given, "{index}.wav", axes=["batch", "time"], sample_rate=RATE, steps=["normalize"])
        np.testing.assert_array_equal(given, BATCH)

    def test_a_batch_into_a_template(self):
        more = {"axes": ["batch", "time"], "lengths": [2400, 1200], "sample_rate": RATE}
        saved = tonearm.save(BATCH, "out/{index:02}/a.wav", **more)
        assert saved.paths == (Path("out/00/a.wav"), Path("out/01/a.wav"))
        assert [one["duration"] for one in saved.measurements] == [0.1, 0.05]

    def test_a_mapping_into_a_template(self):
        saved = tonearm.save({"a": SOUND, "b": SOUND}, "{key}.wav", key="*", sample_rate=RATE)
        assert saved.paths == (Path("a.wav"), Path("b.wav"))

    def test_a_batch_of_one_element_needs_no_template(self):
        assert tonearm.save(BATCH[:1], "a.wav", axes=["batch", "time"], sample_rate=RATE).path == Path("a.wav")

    def test_several_items_of_one_name_write_nothing(self):
        message = refused(tonearm.save, BATCH, "a.wav", axes=["batch", "time"], sample_rate=RATE)
        assert message == (
            "two items of <array> would become a.wav\n"
            "    hint: put {index} into the file's name, or {key} where each item has its own"
        )
        assert list(Path().iterdir()) == []

    def test_steps(self):
        steps = ["normalize", ("resample", {"sample_rate": np.int32(8000)})]
        tonearm.save(SOUND, "a.wav", sample_rate=RATE, steps=steps)
        assert soundfile.info("a.wav").samplerate == 8000

    def test_a_file_that_exists(self):
        tonearm.save(SOUND, "a.wav", sample_rate=RATE)
        before = Path("a.wav").read_bytes()
        message = refused(tonearm.save, STFT, "a.wav", overwrite=False, **GRID)
        assert message == (
            "a.wav exists, and no run wrote it\n"
            "    hint: move it away, write somewhere else, or leave overwrite=False out"
        )
        assert Path("a.wav").read_bytes() == before
        tonearm.save(SOUND / 2, "a.wav", sample_rate=RATE)
        assert Path("a.wav").read_bytes() != before

    def test_one_that_exists_is_noticed_before_anything_is_converted(self, monkeypatch):
        Path("a.wav").write_bytes(b"mine")
        monkeypatch.setattr("tonearm.run.convert_one.convert_one", lambda *_, **__: pytest.fail("it was converted"))
        refused(tonearm.save, SOUND, "a.wav", overwrite=False, sample_rate=RATE)

    def test_one_of_a_batch_is_noticed_when_it_is_published(self):
        Path("1.wav").write_bytes(b"mine")
        message = refused(tonearm.save, BATCH, "{index}.wav", axes=["batch", "time"], overwrite=False, sample_rate=RATE)
        assert message.startswith("1.wav exists")
        assert Path("1.wav").read_bytes() == b"mine"

    def test_a_file_is_not_replaced_by_its_own_sound(self):
        tonearm.save(SOUND, "a.wav", sample_rate=RATE)
        assert refused(tonearm.save, "a.wav", "a.wav").startswith("a.wav is a source itself")
        assert tonearm.save("a.wav", "b.flac").path == Path("b.flac")

    def test_files_are_converted_as_the_command_does(self):
        tonearm.save(SOUND, "a.wav", sample_rate=RATE)
        with Path("a.wav").open("rb") as file:
            assert tonearm.encode(file, "flac") == tonearm.encode(Path("a.wav"), "flac")
        message = refused(tonearm.save, "b.wav", "c.wav")
        assert message == "cannot read b.wav: no such file or directory\n    hint: did you mean 'a.wav'?"
        assert refused(tonearm.save, "s3://a/b.wav", "c.wav").startswith("s3://a/b.wav is an address")

    def test_a_suffix_that_contradicts_the_format(self):
        message = refused(tonearm.save, SOUND, "a.wav", format="mp3", sample_rate=RATE)
        assert message == (
            "wrong-suffix: mp3-writer writes .mp3 files, and .wav is the suffix of another format\n"
            "    hint: write .mp3, or use wav-writer"
        )

    def test_durable_files_are_flushed_and_others_are_not(self, monkeypatch):
        flushed = []
        monkeypatch.setattr(os, "fsync", lambda handle: flushed.append(handle))
        tonearm.save(SOUND, "a.wav", sample_rate=RATE)
        assert not flushed
        tonearm.save(SOUND, "a.wav", sample_rate=RATE, durable=True)
        assert flushed


class TestOpenFiles:
    def test_it_gets_the_bytes_at_its_position(self):
        file = io.BytesIO()
        file.write(b"head")
        saved = tonearm.save(SOUND, file, format="flac", sample_rate=RATE)
        assert file.getvalue() == b"head" + tonearm.encode(SOUND, "flac", sample_rate=RATE)
        assert (saved.paths, saved.measured["duration"]) == ((), 0.1)

    def test_its_name_tells_the_format(self):
        with Path("a.flac").open("wb") as file:
            tonearm.save(SOUND, file, sample_rate=RATE)
        assert soundfile.info("a.flac").format == "FLAC"

    def test_a_pipe(self):
        reading, writing = os.pipe()
        found = []
        with os.fdopen(reading, "rb") as start, os.fdopen(writing, "wb", buffering=0) as end:
            reader = threading.Thread(target=lambda: found.append(start.read()))
            reader.start()
            tonearm.save(np.tile(SOUND, 50), end, format="wav", sample_rate=RATE)
            end.close()
            reader.join()
        assert found == [tonearm.encode(np.tile(SOUND, 50), "wav", sample_rate=RATE)]

    def test_nothing_is_written_if_the_conversion_fails(self):
        file = io.BytesIO()
        refused(tonearm.save, np.array([0.5, np.nan]), file, format="wav", sample_rate=RATE)
        assert file.getvalue() == b""

    def test_one_that_cannot_be_written_to(self):
        start, end = os.pipe()
        os.close(start)
        with os.fdopen(end, "wb", buffering=0) as file, pytest.raises(OutputError, match="broken pipe"):
            tonearm.save(SOUND, file, format="wav", sample_rate=RATE)


class TestEncode:
    @pytest.mark.parametrize("name", ["wav", "flac", "mp3", "w64", "aiff", "npy", "wav-writer"])
    def test_the_bytes_are_those_of_the_file(self, name):
        suffix = name.removesuffix("-writer")
        tonearm.save(SOUND, f"a.{suffix}", sample_rate=RATE)
        assert tonearm.encode(SOUND, name, sample_rate=RATE) == Path(f"a.{suffix}").read_bytes()

    def test_several_items(self):
        expected = (
            "audio has several items, and bytes are those of one file\n"
            '    hint: convert one at a time, or save(audio, "{index}.mp3", …), which writes a file for each'
        )
        assert refused(tonearm.encode, BATCH, "mp3", axes=["batch", "time"], sample_rate=RATE) == expected
        split = [("split", {"by": "length", "max_seconds": 0.05})]
        assert refused(tonearm.encode, SOUND, "mp3", sample_rate=RATE, steps=split) == expected


class TestToWaveform:
    def test_of_arrays(self):
        found = tonearm.to_waveform(SOUND.tolist(), sample_rate=RATE)
        assert (type(found), found.sample_rate) == (Waveform, RATE)
        np.testing.assert_allclose(found.samples[0], SOUND)
        assert tonearm.to_waveform(STFT, **GRID).sample_rate == 8000

    def test_a_waveform_is_itself_and_goes_through_steps(self):
        sound = tonearm.to_waveform(SOUND, sample_rate=RATE)
        assert tonearm.to_waveform(sound) is sound
        assert tonearm.to_waveform(sound, sample_rate=RATE) is sound
        assert tonearm.to_waveform(sound, steps=[("resample", {"sample_rate": 8000})]).sample_rate == 8000

    def test_several_items(self):
        more = {"axes": ["batch", "time"], "sample_rate": RATE}
        assert refused(tonearm.to_waveform, BATCH, **more) == (
            "audio has several items\n"
            "    hint: give one at a time; convert() of a pipeline yields all (see load_pipeline)"
        )
        two = {"left": SOUND, "right": SOUND}
        assert refused(tonearm.to_waveform, two, key="*", sample_rate=RATE) == (
            "audio has several items: left, right, …\n"
            '    hint: key="left" selects one; convert() of a pipeline yields all (see load_pipeline)'
        )
        assert refused(tonearm.to_waveform, two, sample_rate=RATE).startswith("there are 2 arrays: left, right\n")
        assert tonearm.to_waveform(two, key="left", sample_rate=RATE).length == SOUND.size

    def test_steps_that_end_with_something_else(self):
        message = refused(tonearm.to_waveform, SOUND, sample_rate=RATE, steps=[("wave-to-mel", {"dialect": "hifigan"})])
        assert "waveform" in message


class TestRead:
    @pytest.mark.parametrize("suffix", ["wav", "mp3", "flac", "opus", "aiff"])
    def test_sound(self, suffix):
        tonearm.save(SOUND, f"a.{suffix}", sample_rate=RATE)
        assert tonearm.read(f"a.{suffix}").sample_rate in (RATE, 48000)
        with Path(f"a.{suffix}").open("rb") as file:
            found = tonearm.read(file)
        np.testing.assert_array_equal(found.samples, tonearm.read(f"a.{suffix}").samples)
        again = tonearm.read(Path(f"a.{suffix}").read_bytes(), format=suffix)
        np.testing.assert_array_equal(found.samples, again.samples)

    def test_spectrograms_with_options(self):
        np.save("a.npy", STFT)
        expected = tonearm.to_waveform(STFT, **GRID)
        np.testing.assert_array_equal(tonearm.read("a.npy", **GRID).samples, expected.samples)
        np.savez("a.npz", x=STFT, y=STFT * 2)
        np.testing.assert_array_equal(tonearm.read("a.npz", key="x", **GRID).samples, expected.samples)

    def test_all_that_an_array_file_lacks_is_said_at_once_and_no_output_is_among_it(self):
        np.save("a.npy", STFT)
        message = refused(tonearm.read, "a.npy")
        assert "'sample_rate' is missing" in message
        assert "'n_fft' is missing" in message
        assert "outputs" not in message

    def test_a_sample_rate_that_a_file_states(self):
        tonearm.save(SOUND, "a.wav", sample_rate=RATE)
        assert tonearm.read("a.wav", sample_rate=np.int64(RATE)).sample_rate == RATE
        assert refused(tonearm.read, "a.wav", sample_rate=22050) == (
            "a.wav has 24000 Hz, but sample_rate says 22050\n"
            '    hint: leave sample_rate out; to resample, steps=[("resample", {"sample_rate": 22050})]'
        )
        assert refused(tonearm.read, "a.wav", sample_rate="24000") == (
            "sample_rate is '24000', not a whole number\n    hint: as in sample_rate=24000"
        )

    def test_an_option_of_arrays(self):
        tonearm.save(SOUND, "a.wav", sample_rate=RATE)
        assert refused(tonearm.read, "a.wav", kind="waveform").startswith(
            "unknown-option: audio-reader has no option 'kind'"
        )


class TestSignals:
    def test_each_is_written_as_it_is(self):
        pipeline = tonearm.load_pipeline(
            {"tonearm": 1, "input": {"use": "npy-reader", "with": {"kind": "mel", "dialect": "hifigan"}}}
        )
        (mel,) = pipeline.convert(MEL)
        assert tonearm.encode(mel, "wav") == tonearm.encode(MEL, "wav", dialect="hifigan")

    def test_double_precision_is_kept(self):
        tonearm.save(Waveform(samples=SOUND[None].astype("f8"), sample_rate=RATE), "a.npy")
        assert np.load("a.npy").dtype == np.float64

    def test_another_sample_rate(self):
        sound = Waveform(samples=SOUND[None], sample_rate=RATE)
        assert refused(tonearm.save, sound, "a.wav", sample_rate=22050).startswith(
            "the waveform has 24000 Hz, but sample_rate says 22050\n"
        )


class TestCompanions:
    def test_imaginary_parts_and_phases(self):
        expected = tonearm.encode(STFT, "wav", **GRID)
        parts = {"kind": "complex", "imag": STFT.imag}
        assert tonearm.encode(STFT.real, "wav", **parts, **GRID) == expected
        given = {"kind": "magnitude", "phase": np.angle(STFT)}
        found = tonearm.to_waveform(abs(STFT), **given, **GRID)
        np.testing.assert_allclose(found.samples, tonearm.to_waveform(STFT, **GRID).samples, atol=1e-6)

    def test_lengths_of_a_mapping_by_name_and_as_an_array(self):
        given = {"sound": BATCH, "n": np.array([2400, 1200])}
        more = {"axes": ["batch", "time"], "sample_rate": RATE}
        by_name = tonearm.save(given, "a{index}.wav", key="sound", lengths="n", **more)
        as_array = tonearm.save(BATCH, "b{index}.wav", lengths=np.array([2400, 1200]), **more)
        for one, other in zip(by_name.paths, as_array.paths, strict=True):
            assert one.read_bytes() == other.read_bytes()

    def test_errors_name_the_keyword(self):
        more = {"axes": ["batch", "time"], "sample_rate": RATE}
        assert refused(tonearm.save, BATCH, "{index}.wav", lengths=[1, 2, 3], **more).startswith("lengths ")


class TestSteps:
    @pytest.mark.parametrize(
        ("steps", "message"),
        [
            ("normalize", 'steps must be a list\n    hint: steps=["normalize"]'),
            (
                ("resample", {"sample_rate": 8000}),
                "steps must be a list\n    hint: put the step into brackets: steps=[(name, options)]",
            ),
            ({"use": "normalize"}, f"steps must be a list, not dict\n    hint: {STEPS_EXAMPLE}"),
            (3, f"steps must be a list, not int\n    hint: {STEPS_EXAMPLE}"),
            (
                [{"use": "normalize"}],
                f"a step is the name of a transform, or its name and its options\n    hint: {STEPS_EXAMPLE}",
            ),
            (["normalise"], "there is no transform 'normalise'\n    hint: did you mean 'normalize'?"),
            (
                [("normalize", {"peak": 3})],
                "unknown-option: normalize has no option 'peak'\n    hint: did you mean 'peak_db'?",
            ),
        ],
    )
    def test_mistakes(self, steps, message):
        assert refused(tonearm.to_waveform, SOUND, steps=steps, sample_rate=RATE) == message

    def test_a_misspelt_one_does_not_hide_behind_a_missing_option(self):
        assert refused(tonearm.to_waveform, SOUND, steps=["normalise"]).startswith("there is no transform")


class TestMistakes:
    def test_a_misspelt_keyword_does_not_hide_behind_a_missing_option(self):
        assert refused(tonearm.save, SOUND, "a.wav", sample_rat=RATE) == (
            "there is no option 'sample_rat' here\n    hint: did you mean 'sample_rate'?"
        )

    def test_a_missing_option(self):
        with pytest.raises(PipelineError) as caught:
            tonearm.save(SOUND, "a.wav")
        (problem,) = caught.value.problems
        assert (problem.code, problem.message) == ("missing-option", "npy-reader: 'sample_rate' is missing")

    @pytest.mark.parametrize(
        ("name", "message"),
        [
            ("encoder", 'encoder is a mapping of options, not list\n    hint: as in encoder={"subtype": "PCM_24"}'),
            ("limits", 'limits is a mapping of options, not list\n    hint: as in limits={"beyond": 8.0}'),
        ],
    )
    def test_mappings(self, name, message):
        assert refused(tonearm.save, SOUND, "a.wav", sample_rate=RATE, **{name: ["x"]}) == message

    def test_the_name_of_an_encoder_is_a_format(self):
        message = refused(tonearm.save, SOUND, "a.mp3", sample_rate=RATE, encoder="mp3-writer")
        assert message == 'encoder is a mapping of options, not str\n    hint: format="mp3-writer"'

    def test_wrong_options_of_the_encoder_and_wrong_limits(self):
        more = {"sample_rate": RATE}
        assert "wav-writer has no option 'subtyp'" in refused(
            tonearm.save, SOUND, "a.wav", encoder={"subtyp": "PCM_24"}, **more
        )
        assert "limits has no option 'beyon'" in refused(tonearm.save, SOUND, "a.wav", limits={"beyon": 8}, **more)

    def test_limits_apply(self):
        assert "would be clipped" in refused(tonearm.save, SOUND * 5, "a.wav", sample_rate=RATE)
        with pytest.warns(TonearmWarning, match="were beyond full scale and clipped"):
            tonearm.save(SOUND * 5, "a.wav", sample_rate=RATE, limits={"clipped": np.float64(0.99)})

    @pytest.mark.parametrize("kind", [UsageError, ItemError])
    def test_errors_are_those_of_tonearm(self, kind):
        with pytest.raises(kind):
            tonearm.read("missing.wav" if kind is ItemError else SOUND)


class TestWarnings:
    def test_each_is_given_once_at_the_line_of_the_call(self):
        with pytest.warns(TonearmWarning, match="too-quiet") as caught:
            saved = tonearm.save(SOUND * 1e-5, "a.wav", sample_rate=RATE)
        (warning,) = caught
        assert (warning.filename, saved.warnings) == (__file__, (str(warning.message),))
        assert "tonearm.save(SOUND * 1e-5" in Path(__file__).read_text().splitlines()[warning.lineno - 1]

    def test_a_disabled_package_is_told_once_before_anything_is_refused(self, monkeypatch):
        broken = registry_of()
        broken.problems.append(Problem(code="broken-plugin", message="acme 1.2 is disabled"))
        monkeypatch.setattr(functions.registries, "default", lambda: broken)
        with pytest.warns(TonearmWarning, match="acme 1.2 is disabled") as caught:
            refused(tonearm.save, SOUND, "a.acme", sample_rate=RATE)
        assert [warning.filename for warning in caught] == [__file__.replace(".pyc", ".py")]
        refused(tonearm.save, SOUND, "a.acme", sample_rate=RATE)

    def test_bytes_and_waveforms_give_theirs_too(self):
        with pytest.warns(TonearmWarning, match="too-quiet"):
            tonearm.encode(SOUND * 1e-5, "wav", sample_rate=RATE)
        odd = np.full((80, 20), 30.0, "f4")
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            with pytest.raises(TonearmError):
                tonearm.to_waveform(odd, dialect="hifigan", limits={"dialect": "error"})
        assert all(warning.category is TonearmWarning for warning in caught)


@pytest.mark.parametrize(
    "one",
    [
        tonearm,
        tonearm.Stream,
        *(getattr(tonearm, name) for name in ("save", "encode", "to_waveform", "read", "load_pipeline")),
        *(getattr(tonearm, name) for name in ("stream", "stream_bytes", "astream_bytes")),
    ],
)
def test_the_examples_are_true(one):
    finder = doctest.DocTestFinder(recurse=False)
    (example,) = finder.find(one, one.__name__, globs={})
    assert example.examples
    assert doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(example).failed == 0


@pytest.mark.parametrize("name", ["save", "encode", "to_waveform", "read"])
def test_each_parameter_is_described(name):
    function = getattr(tonearm, name)
    described = inspect.getdoc(function)
    for parameter in inspect.signature(function).parameters:
        assert parameter in described
    for section in ("Parameters", "Returns", "Raises", "Examples"):
        assert f"{section}\n{'-' * len(section)}\n" in described


def test_the_help_of_the_module_leads_from_a_mel_to_an_mp3():
    assert 'tonearm.save(mel, "speech.mp3", dialect="hifigan")' in inspect.getdoc(tonearm)
    assert sys.modules["tonearm"].save is functions.save


class TestProgress:
    LONG = np.tile(np.load(Path(__file__).parents[3] / "configs/samples/mel/hifigan.npy"), 40)

    CALLS = (
        ("flac-writer", lambda given: tonearm.save(TestProgress.LONG, "a.flac", dialect="hifigan", progress=given)),
        ("mp3-writer", lambda given: tonearm.encode(TestProgress.LONG, "mp3", dialect="hifigan", progress=given)),
        ("mel-to-wave", lambda given: tonearm.to_waveform(TestProgress.LONG, dialect="hifigan", progress=given)),
        ("mel-to-wave", lambda given: tonearm.read("long.npy", dialect="hifigan", progress=given)),
    )

    @pytest.fixture(autouse=True)
    def long(self, folder):
        np.save("long.npy", self.LONG)

    @pytest.mark.parametrize(("last", "call"), CALLS)
    def test_a_function_is_called_with_the_stage_at_work_until_all_is_done(self, last, call):
        told = []
        call(told.append)
        assert all(isinstance(one, tonearm.Progress) for one in told)
        assert "mel-to-wave" in {one.stage for one in told}
        assert all(0 <= one.done <= one.total for one in told)
        assert [one.index for one in told] == sorted(one.index for one in told)
        assert (told[-1].stage, told[-1].share) == (last, 1)

    @pytest.mark.parametrize("error", [LookupError("enough"), KeyboardInterrupt("enough"), ItemError("x", code="mine")])
    @pytest.mark.parametrize("call", [call for _, call in CALLS])
    def test_what_it_raises_comes_out_and_files_stay_as_they_were(self, call, error):
        Path("a.flac").write_bytes(b"before")

        def stop(_):
            raise error

        with pytest.raises(type(error)) as caught:
            call(stop)
        assert caught.value is error
        assert Path("a.flac").read_bytes() == b"before"
        assert sorted(path.name for path in Path().iterdir()) == ["a.flac", "long.npy"]

    def test_each_of_several_threads_has_its_own(self):
        told = {name: [] for name in "abcd"}

        def save(name):
            tonearm.save(self.LONG, f"{name}.flac", dialect="hifigan", progress=told[name].append)

        def fail(_):
            raise LookupError

        threads = [threading.Thread(target=save, args=(name,)) for name in told]
        for thread in threads:
            thread.start()
        with pytest.raises(LookupError):
            tonearm.save(self.LONG, "e.flac", dialect="hifigan", progress=fail)
        for thread in threads:
            thread.join()
        assert sorted(path.name for path in Path().glob("*.flac")) == ["a.flac", "b.flac", "c.flac", "d.flac"]
        for reports in told.values():
            assert [one.index for one in reports] == sorted(one.index for one in reports)
            assert reports[-1].share == 1

    @pytest.mark.parametrize("given", [True, False])
    def test_no_bar_where_stderr_is_no_terminal(self, capsys, given):
        tonearm.save(self.LONG, "a.flac", dialect="hifigan", progress=given)
        assert capsys.readouterr() == ("", "")

    @pytest.mark.one_in(3)
    @pytest.mark.parametrize(
        ("audio", "options", "is_shown"),
        [
            ("numpy.tile(numpy.load('long.npy'), 8)", "dialect='hifigan'", True),
            ("numpy.zeros(800) + 0.5", "sample_rate=8000", False),  # a tenth of the time after which a bar begins
        ],
    )
    def test_a_bar_on_a_terminal_and_none_for_a_short_sound(self, folder, audio, options, is_shown):
        code = f"import numpy, tonearm\nprint(tonearm.save({audio}, 'a.flac', {options}, progress=True).path)\n"
        status, text = on_terminal("-c", code, program=sys.executable, cwd=folder)
        plain = ESCAPE.sub("", text)
        assert status == 0
        assert plain.endswith("a.flac\n")
        assert bool(re.search(r"2/3 mel-to-wave [^%]*?\d%", plain)) is is_shown
        assert ("%" in plain) is is_shown

    def test_anything_else_is_refused(self):
        assert refused(tonearm.save, SOUND, "a.wav", sample_rate=RATE, progress=3).startswith(
            "progress is True, False or a function, not 3"
        )


def test_type_checkers_accept_a_pair_of_sound_and_rate_in_either_order():
    assert {tuple[Sound, int], tuple[int, Sound]} <= set(get_args(AudioInput))
