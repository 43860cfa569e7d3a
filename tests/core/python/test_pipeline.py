"""The Python interface: loading pipelines, their sources, runs, and remedies as Python."""

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from core_toys import registry_of, third_party
from terminals import ESCAPE, on_terminal

import tonearm
from tonearm import PipelineError, UsageError
from tonearm.api import Executor, NoOptions
from tonearm.pipeline.yaml.nodes import MAX_BYTES

YAML = """\
tonearm: 1
input: {use: npy-reader, files: "*.npy", with: {kind: waveform, sample_rate: 8000}}
outputs: [{use: wav-writer, file: "{stem}.wav"}]
"""


def mapping(**options):
    return {
        "tonearm": 1,
        "input": {"use": "npy-reader", "files": "*.npy", "with": options},
        "outputs": [{"use": "wav-writer", "file": "{stem}.wav"}],
    }


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a pipeline and two arrays, one of which holds NaN; it is the current folder."""
    monkeypatch.chdir(tmp_path)
    Path("p.yaml").write_text(YAML)
    np.save("a.npy", np.full(800, 0.5, np.float32))
    np.save("b.npy", np.array([0.5, np.nan], np.float32))
    return tmp_path


class Crew(Executor[NoOptions]):
    """Convert by two workers, in this process."""

    most = 0

    def open(self, work, slots):
        self.work, self.chunks, self.told = work, [], ["the dashboard is http://a"]

    def capacity(self):
        return 7

    def notes(self):
        told, self.told = self.told, []
        return told

    def submit(self, chunk):
        self.chunks.append(chunk)
        type(self).most = max(self.most, len(self.chunks))
        return chunk[0].number

    def wait(self, seconds):
        chunk = self.chunks.pop(0)
        number = chunk[0].number
        yield number, self.work(chunk, f"worker {number % 2}")

    def cancel(self, handle): ...

    def close(self): ...


@pytest.fixture
def crew(folder, monkeypatch):
    """An executor that is installed under the name of ``crew``."""
    installed = registry_of(executors={"crew": Crew})
    monkeypatch.setattr("tonearm.run.workers.choice.installed_plugins", lambda: installed)
    monkeypatch.setattr(Crew, "most", 0)
    return Crew


class TestWithoutOutputs:
    def test_it_converts_and_writes_nothing(self, folder):
        given = mapping(kind="waveform", sample_rate=8000)
        del given["outputs"]
        pipeline = tonearm.load_pipeline(given)
        (signal,) = pipeline.convert(np.full(80, 0.5, np.float32))
        assert signal.sample_rate == 8000
        with pytest.raises(PipelineError) as caught:
            pipeline.run(["a.npy"], out="out")
        assert str(caught.value) == (
            'missing-key: \'outputs\' is missing\n    hint: "outputs": [{"use": "wav-writer", "file": "{stem}.wav"}]'
        )
        assert [problem.code for problem in caught.value.problems] == ["missing-key"]
        assert not Path("out").exists()

    def test_a_file_is_named_in_its_refusal(self, folder):
        Path("p.yaml").write_text(YAML.partition("outputs")[0])
        with pytest.raises(PipelineError) as caught:
            tonearm.load_pipeline("p.yaml").run()
        assert str(caught.value).startswith("p.yaml: missing-key: 'outputs' is missing\n    hint: outputs: [{use: ")

    def test_an_empty_list_is_still_a_mistake(self):
        with pytest.raises(PipelineError, match="wrong-shape: outputs is empty"):
            tonearm.load_pipeline(mapping(sample_rate=8000) | {"outputs": []})


class TestLoading:
    def test_a_file_and_a_mapping_give_the_same_pipeline(self, folder):
        from_file = tonearm.load_pipeline(folder / "p.yaml").checked
        from_mapping = tonearm.load_pipeline(mapping(kind="waveform", sample_rate=8000)).checked
        assert from_file.decoder.plugin.options == from_mapping.decoder.plugin.options
        assert (from_file.file, from_mapping.file) == (str(folder / "p.yaml"), None)

    def test_overrides_apply_to_both(self, folder):
        for given in ("p.yaml", mapping(sample_rate=8000)):
            pipeline = tonearm.load_pipeline(given, overrides=["input.with.sample_rate=16000"])
            assert pipeline.checked.decoder.plugin.options.of_kind("sample_rate") == 16000

    def test_plugins_come_from_the_given_registry(self):
        given = {"tonearm": 1, "input": {"use": "tone-reader"}, "outputs": [
            {"use": "raw-writer", "file": "{stem}-{index}.raw", "with": {"level": 1}}]}  # fmt: skip
        assert tonearm.load_pipeline(given, plugins=registry_of()).checked.decoder.name == "tone-reader"
        with pytest.raises(PipelineError, match="there is no decoder 'tone-reader'"):
            tonearm.load_pipeline(given)

    @pytest.mark.parametrize("name", ["none.yaml", "."])
    def test_a_file_that_cannot_be_read_is_a_usage_error(self, name, folder):
        with pytest.raises(UsageError) as caught:
            tonearm.load_pipeline(name)
        assert caught.value.code == "unreadable"

    def test_a_huge_file_is_refused_and_not_read_to_its_end(self, folder):
        with Path("huge.yaml").open("wb") as file:
            file.truncate(1 << 40)
        with pytest.raises(PipelineError) as caught:
            tonearm.load_pipeline("huge.yaml")
        assert [problem.code for problem in caught.value.problems] == ["too-large"]
        assert MAX_BYTES < 1 << 40

    def test_a_disabled_package_is_a_warning(self, tmp_path):
        env = third_party(tmp_path, "broken", "import no_such_module")
        code = (
            "import warnings, tonearm\n"
            "with warnings.catch_warnings(record=True) as caught:\n"
            "    warnings.simplefilter('always')\n"
            f"    tonearm.load_pipeline({mapping(sample_rate=8000)!r})\n"
            "(warning,) = caught\n"
            "print(warning.category.__name__, warning.filename, 'tonearm_broken' in str(warning.message))"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, check=True)
        assert done.stdout == "TonearmWarning <string> True\n"


class TestSources:
    def test_patterns_are_relative_to_the_file_and_given_ones_to_the_current_folder(self, folder, monkeypatch):
        (folder / "elsewhere").mkdir()
        monkeypatch.chdir(folder / "elsewhere")
        pipeline = tonearm.load_pipeline("../p.yaml")
        assert pipeline.base == Path("..")
        assert [Path(source.path).name for source in pipeline.find_sources()] == ["a.npy", "b.npy"]
        warnings = []
        assert list(pipeline.find_sources(["*.npy"], warn=warnings.append)) == []
        assert warnings == [f"*.npy matches no source in {folder}/elsewhere"]

    def test_a_mapping_is_relative_to_the_current_folder(self, folder):
        pipeline = tonearm.load_pipeline(mapping(sample_rate=8000))
        assert pipeline.base == Path()
        assert len(list(pipeline.find_sources())) == 2


class TestRuns:
    def test_each_result_is_observed_and_counted(self, folder):
        seen = []
        report = tonearm.load_pipeline("p.yaml").run(out="out", observe=seen.append)
        assert sorted(Path(result.source).name for result in seen) == ["a.npy", "b.npy"]
        assert (report.converted, report.failed, report.ok) == (1, 1, False)
        assert [path.name for path in report.outputs] == ["a.wav"]

    def test_refused_waveforms_go_into_the_quarantine(self, folder):
        pipeline = {
            "tonearm": 1,
            "input": {"use": "npy-reader", "with": {"kind": "waveform", "sample_rate": 8000}},
            "steps": [{"use": "guard", "with": {"silence": "error"}}],
            "outputs": [{"use": "wav-writer", "file": "{stem}.wav"}],
        }
        sources = {"silent": np.zeros(50, np.float32), "loud": np.full(50, 0.5, np.float32)}
        report = tonearm.load_pipeline(pipeline).run(sources, out="out", quarantine=folder / "q")
        (failure,) = report.errors
        assert (failure.source, failure.code) == ("silent", "guard-silence")
        assert [str(path) for path in (folder / "q").glob("*.wav")] == [failure.kept]

    def test_fail_fast_stops_at_the_first_failure(self, folder):
        report = tonearm.load_pipeline("p.yaml").run(["b.npy", "a.npy"], out="out", fail_fast=True)
        assert (report.sources, report.failed, report.converted) == (1, 1, 0)
        assert report.stopped

    def test_parts_together_are_the_whole(self, folder, monkeypatch):
        names = [f"{number}.npy" for number in range(8)]
        for name in names:
            np.save(name, np.full(9, 0.5, np.float32))
        pipeline = tonearm.load_pipeline("p.yaml")
        monkeypatch.setenv("PBS_ARRAY_INDEX", "3")
        counts = [pipeline.run(names, out="out", part=part).converted for part in ((1, 3), "2/3", "pbs/3")]
        assert sum(counts) == len(names)
        assert len(list(Path("out").glob("*.wav"))) == len(names)

    @pytest.mark.parametrize(
        ("arguments", "jobs"),
        [
            ({}, 0),
            ({"jobs": 1}, 1),
            ({"executor": "local"}, 1),
            ({"executor": ("local", {}), "jobs": 2}, 2),
            ({"executor": "in-process", "jobs": 2}, 0),
        ],
    )
    def test_an_executor_that_is_given_wins_over_the_number_of_jobs(self, folder, arguments, jobs):
        report = tonearm.load_pipeline("p.yaml").run(["a.npy"], out="out", **arguments)
        assert report.converted == 1
        (begin, *_) = map(json.loads, Path("out/.tonearm/journal.jsonl").read_text().splitlines())
        assert begin["jobs"] == jobs

    @pytest.mark.parametrize(("jobs", "slots"), [({}, 7), ({"jobs": 2}, 2)])
    def test_an_executor_chooses_how_much_it_has_at_once_unless_a_number_is_given(self, crew, jobs, slots):
        for number in range(20):
            np.save(f"{number}.npy", np.full(8, 0.1 + number / 100, np.float32))
        report = tonearm.load_pipeline("p.yaml").run(
            [f"{n}.npy" for n in range(20)], out="out", executor="crew", **jobs
        )
        assert (report.converted, crew.most) == (20, slots)
        assert set(report.workers) == {"worker 0", "worker 1"}
        assert sum(report.workers.values()) == 20

    def test_notes_of_an_executor_are_logged_and_stand_beside_a_bar(self, crew, caplog, monkeypatch):
        stderr = io.StringIO()
        stderr.isatty = lambda: True
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setattr(sys, "stderr", stderr)
        caplog.set_level("INFO", "tonearm")
        for progress, shown in ((False, ""), (True, "the dashboard is http://a\n"), (lambda _: None, "")):
            tonearm.load_pipeline("p.yaml").run(["a.npy"], out="out", executor="crew", progress=progress, force=True)
            assert stderr.getvalue() == shown
            stderr.seek(0)
            stderr.truncate()
        records = [(record.name, record.levelname, record.getMessage()) for record in caplog.records]
        assert records == [("tonearm", "INFO", "the dashboard is http://a")] * 3

    def test_a_bar_shows_the_workers_of_an_executor(self, crew, monkeypatch):
        stderr = io.StringIO()
        stderr.isatty = lambda: True
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setenv("COLUMNS", "100")
        monkeypatch.setattr(sys, "stderr", stderr)
        monkeypatch.setattr("tonearm.reporting.bar.DELAY", 0)
        monkeypatch.setattr("tonearm.reporting.bar.REFRESH_INTERVAL", 0)
        tonearm.load_pipeline("p.yaml").run(["a.npy"], out="out", executor="crew", progress=True)
        assert re.search(r"1/1 sources, 1 worker: worker 0 \S+ a second ", ESCAPE.sub("", stderr.getvalue()))

    def test_options_of_an_executor_are_checked(self, folder):
        with pytest.raises(PipelineError, match="unknown-option: local has no option 'cores'"):
            tonearm.load_pipeline("p.yaml").run(["a.npy"], out="out", executor=("local", {"cores": 2}))
        with pytest.raises(UsageError, match="the executor in-process cannot keep a timeout"):
            tonearm.load_pipeline("p.yaml").run(["a.npy"], out="out", timeout=5)
        assert not Path("out").exists()

    def test_no_source_is_a_usage_error(self, folder):
        with pytest.raises(UsageError) as caught:
            tonearm.load_pipeline("p.yaml").run(["none.npy"], out="out")
        assert caught.value.code == "no-source"


class TestArrays:
    @pytest.fixture
    def waves(self):
        return [np.full(9, level, np.float32) for level in (0.25, 0.5)]

    def outputs(self, report):
        return sorted(path.name for path in report.outputs)

    @pytest.mark.parametrize("jobs", [0, 1])
    def test_arrays_and_files_in_one_list(self, folder, waves, jobs):
        pipeline = tonearm.load_pipeline("p.yaml")
        report = pipeline.run([waves[0], "a.npy", waves[0]], out="out", jobs=jobs)
        assert (report.converted, report.failures) == (3, [])
        assert self.outputs(report) == ["a.wav", "array-0.wav", "array-2.wav"]
        assert Path("out/array-0.wav").read_bytes() == Path("out/array-2.wav").read_bytes()

    def test_the_state_of_an_array_is_its_content(self, folder, waves):
        pipeline = tonearm.load_pipeline("p.yaml")
        assert pipeline.run(waves, out="out").converted == 2
        records = [json.loads(line) for line in Path("out/.tonearm/journal.jsonl").read_text().splitlines()]
        assert {one["source"] for one in records if "source" in one} == {"<array 0>", "<array 1>"}
        again = pipeline.run([wave.copy() for wave in waves], out="out")
        assert (again.total, again.skipped) == (0, 2)
        waves[1][3] = 0
        changed = pipeline.run(waves, out="out")
        assert (changed.converted, changed.skipped) == (1, 1)
        assert self.outputs(changed) == ["array-1.wav"]

    @pytest.mark.parametrize("jobs", [0, 1])
    def test_keys_name_arrays_and_files(self, folder, waves, jobs):
        pipeline = tonearm.load_pipeline("p.yaml")
        given = {"utt1.v2": waves[0], "utt2": "a.npy", "utt3": "a.npy"}
        report = pipeline.run(given, out="out", jobs=jobs)
        assert self.outputs(report) == ["utt1.v2.wav", "utt2.wav", "utt3.wav"]
        assert pipeline.run(given, out="out", jobs=jobs).skipped == 3
        # A key is a source of its own, whatever file it stands for.
        assert self.outputs(pipeline.run({**given, "utt4": "a.npy"}, out="out", jobs=jobs)) == ["utt4.wav"]

    def test_a_file_with_a_key_is_converted_again_if_its_content_changes(self, folder, waves):
        pipeline = tonearm.load_pipeline("p.yaml")
        pipeline.run({"utt1": "a.npy"}, out="out")
        os.utime("a.npy", ns=(1, 1))
        assert pipeline.run({"utt1": "a.npy"}, out="out").skipped == 1
        np.save("a.npy", waves[0] / 2)
        assert pipeline.run({"utt1": "a.npy"}, out="out").converted == 1

    def test_tensors_that_can_become_arrays(self, folder):
        class Tensor:
            def __array__(self, dtype=None, copy=None):
                return np.full(9, 0.5, np.float32)

        assert tonearm.load_pipeline("p.yaml").run([Tensor()], out="out").converted == 1

    def test_an_array_that_cannot_be_converted_fails_alone(self, folder, waves):
        report = tonearm.load_pipeline("p.yaml").run([np.array([None, 1]), waves[0]], out="out")
        assert (report.converted, report.failed) == (1, 1)
        assert report.failures[0].source == "<array 0>"

    @pytest.mark.parametrize("jobs", [0, 1])
    def test_everything_in_memory_in_one_run(self, folder, waves, jobs):
        pipeline = tonearm.load_pipeline("p.yaml")
        wave = waves[0]

        def given():
            return [
                wave.tolist(),
                {"audio": wave, "sampling_rate": 8000, "text": "hello", "model": object()},
                (8000, wave),
                tonearm.Waveform(samples=wave[None], sample_rate=8000),
                [wave[:4], wave[4:8]],
            ]

        report = pipeline.run(given()[:4], out="out", jobs=jobs)
        assert (report.converted, report.failures) == (4, [])
        assert self.outputs(report) == ["array-0.wav", "array-1.wav", "array-2.wav", "array-3.wav"]
        assert len({path.read_bytes() for path in report.outputs}) == 1
        assert pipeline.run(given()[:4], out="out", jobs=jobs).skipped == 4
        wave[3] = 0
        assert pipeline.run(given()[:4], out="out", jobs=jobs).converted == 4
        # Arrays of one shape are stacked, as NumPy does, and what their axis is remains for the user to say.
        assert [one.code for one in pipeline.run(given(), out="out", jobs=jobs).failures] == ["ambiguous-axes"]
        named = dict(zip(["a", "b", "c", "d"], given(), strict=False))
        assert self.outputs(pipeline.run(named, out="out", jobs=jobs)) == ["a.wav", "b.wav", "c.wav", "d.wav"]

    def test_a_tensor_is_moved_from_its_device_once_for_all_workers(self, folder):
        moves = []

        class Tensor:
            def __array__(self, dtype=None, copy=None):
                moves.append(1)
                return np.full(9, 0.5, np.float32)

            def __reduce__(self):
                raise TypeError("a tensor on a device cannot be pickled")

        report = tonearm.load_pipeline("p.yaml").run([Tensor(), {"audio": Tensor()}], out="out", jobs=1)
        assert (report.converted, len(moves)) == (2, 2)

    @pytest.mark.parametrize(
        ("given", "message"),
        [
            ([[0.5], [0.5, None]], "<array 1>: the list holds None, not numbers"),
            ({"a": [0.5], "b": {0.5}}, "b: set is not an array, a tensor or a list of numbers"),
            ([0.5, 0.25], "a source must be a path or an array, not float"),
            ({"audio": [0.5], "sampling_rate": 8000}, "a source must be a path or an array, not int"),
        ],
    )
    def test_what_is_no_source_is_refused_before_anything_is_written(self, folder, given, message):
        with pytest.raises(UsageError) as caught:
            tonearm.load_pipeline("p.yaml").run(given, out="out")
        assert caught.value.message == message
        assert not Path("out").exists()

    @pytest.mark.parametrize(
        "given",
        ["a.npy", Path("a.npy"), np.zeros(3), tonearm.Waveform(samples=np.zeros((1, 3), "f4"), sample_rate=8000)],
    )
    def test_one_source_is_no_list(self, folder, given):
        with pytest.raises(UsageError, match="the sources must be a list or a mapping") as caught:
            tonearm.load_pipeline("p.yaml").run(given, out="out")
        assert caught.value.hint == "put the source into brackets"

    def test_an_open_file_is_refused(self, folder):
        with Path("a.npy").open("rb") as file, pytest.raises(UsageError, match="an open file cannot be a source"):
            tonearm.load_pipeline("p.yaml").run([file], out="out")
        assert not Path("out").exists()

    def test_parts_of_arrays_together_are_the_whole(self, folder, waves):
        pipeline = tonearm.load_pipeline("p.yaml")
        counts = [pipeline.run(waves * 4, out="out", part=(index, 3)).converted for index in (1, 2, 3)]
        assert sum(counts) == 8


class TestInMemory:
    """What `convert` takes, by a decoder without an option `key`, and by one that reads files alone."""

    wave = np.full(9, 0.25, np.float32)

    def converted(self, given, **options):
        document = mapping(**{"kind": "waveform", "sample_rate": 8000, **options})
        document["outputs"][0]["file"] = "{stem}-{index}.wav"
        pipeline = tonearm.load_pipeline(document)
        return [signal.samples.tolist() for signal in pipeline.convert(given)]

    @pytest.mark.parametrize(
        "given",
        [
            wave,
            wave.tolist(),
            {"audio": wave},
            {"audio": {"array": wave, "sampling_rate": 8000, "path": None}, "text": "hello"},
            (wave, 8000),
            tonearm.Waveform(samples=wave[None], sample_rate=8000),
            {"speech": tonearm.Waveform(samples=wave[None], sample_rate=8000)},
        ],
    )
    def test_one_sound_in_many_forms(self, given):
        assert self.converted(given) == [[self.wave.tolist()]]

    def test_a_batch_is_cropped_by_the_lengths_beside_it(self):
        batch = np.array([[0.5] * 9, [0.25] * 4 + [0.0] * 5], np.float32)
        given = {"wav": batch, "lengths": np.array([9, 4])}
        assert self.converted(given, axes=["batch", "time"]) == [[[0.5] * 9], [[0.25] * 4]]

    @pytest.mark.parametrize(
        ("given", "message"),
        [
            ({"audio": wave, "sr": 16000}, "'audio': the source says sr = 16000, but sample_rate is 8000"),
            ((16000, wave), "'audio': the source says sample_rate = 16000, but sample_rate is 8000"),
            (
                tonearm.Waveform(samples=wave[None], sample_rate=16000),
                "the waveform has 16000 Hz, but the options of npy-reader say 8000 Hz",
            ),
        ],
    )
    def test_a_rate_that_contradicts_the_pipeline(self, given, message):
        with pytest.raises(tonearm.ItemError) as caught:
            self.converted(given)
        assert (caught.value.code, caught.value.message) == ("rate-mismatch", message)

    def test_several_arrays(self):
        with pytest.raises(tonearm.ItemError) as caught:
            self.converted({"a": self.wave, "b": self.wave})
        assert (caught.value.code, caught.value.hint) == ("several-arrays", "give one of them alone")

    def test_a_signal_that_the_first_stage_does_not_take(self, folder):
        from tonearm import MagnitudeSpectrogram, StftGrid

        grid = StftGrid(sample_rate=8000, n_fft=4, hop_length=1, win_length=4)
        given = MagnitudeSpectrogram(values=np.ones((1, 3, 5), "f4"), grid=grid)
        report = tonearm.load_pipeline("p.yaml").run([given], out="out")
        message = "wav-writer takes waveform, but it was given magnitude 1×3×5 at 8000 Hz"
        assert [(failure.code, failure.message) for failure in report.failures] == [("wrong-type", message)]

    def test_limits_hold_for_signals(self, folder):
        loud = tonearm.Waveform(samples=np.tile(np.float32([[3, -3]]), 500), sample_rate=8000)
        report = tonearm.load_pipeline("p.yaml").run([loud], out="out")
        assert [failure.code for failure in report.failures] == ["clipped"]
        nan = tonearm.Waveform(samples=np.full((1, 9), np.nan, "f4"), sample_rate=8000)
        assert [one.code for one in tonearm.load_pipeline("p.yaml").run([nan], out="out").failures] == ["not-finite"]

    @pytest.mark.parametrize("given", [wave, {"audio": wave, "sampling_rate": 8000}])
    @pytest.mark.parametrize(
        "use",
        [
            *(f"{name}-reader" for name in ("hdf5", "kaldi", "mat", "npy", "npz", "parquet", "raw", "safetensors")),
            *(f"{name}-reader" for name in ("text", "webdataset", "zarr")),
            pytest.param("torch-reader", marks=pytest.mark.torch),
        ],
    )
    def test_every_decoder_of_arrays_takes_them(self, use, given):
        if use == "torch-reader":
            pytest.importorskip("torch", reason="pip install torch")
        layout = {"dtype": "float32", "shape": [-1]} if use == "raw-reader" else {}
        document = mapping(kind="waveform", sample_rate=8000, **layout)
        document["input"]["use"] = use
        document["outputs"][0]["file"] = "{stem}-{key}-{index}.wav"
        (signal,) = tonearm.load_pipeline(document).convert(given)
        assert signal.samples.tolist() == [self.wave.tolist()]

    @pytest.mark.parametrize("given", [wave, {"audio": wave}])
    def test_a_decoder_of_files_is_named(self, given):
        pipeline = tonearm.load_pipeline(
            {
                "tonearm": 1,
                "input": {"use": "audio-reader"},
                "outputs": [{"use": "wav-writer", "file": "{stem}.wav"}],
            }
        )
        with pytest.raises(tonearm.ItemError) as caught:
            list(pipeline.convert(given))
        assert (caught.value.code, caught.value.message) == (
            "not-a-file",
            "audio-reader reads files, not arrays in memory",
        )
        # A signal needs no decoder.
        (signal,) = pipeline.convert(tonearm.Waveform(samples=self.wave[None], sample_rate=8000))
        assert signal.sample_rate == 8000


class TestRemedies:
    def test_problems_of_a_mapping_read_as_python(self):
        with pytest.raises(PipelineError) as caught:
            tonearm.load_pipeline(mapping())
        assert caught.value.problems[0].hint.startswith('"sample_rate": …')

    def test_problems_of_a_file_read_as_yaml(self, folder):
        Path("p.yaml").write_text(YAML.replace(", sample_rate: 8000", ""))
        with pytest.raises(PipelineError) as caught:
            tonearm.load_pipeline("p.yaml")
        assert caught.value.problems[0].hint.startswith("sample_rate: …")

    def test_errors_of_items_read_as_the_pipeline_was_given(self, folder):
        magnitudes = np.ones((9, 20), np.float32)
        options = {"sample_rate": 8000, "n_fft": 16, "hop_length": 4}
        with pytest.raises(tonearm.ItemError) as caught:
            list(tonearm.load_pipeline(mapping(**options)).convert(magnitudes))
        assert '"kind": "' in caught.value.hint
        np.save("c.npy", magnitudes)
        report = tonearm.load_pipeline(mapping(**options)).run(["c.npy"], out="out")
        assert report.failures[0].hint == caught.value.hint
        Path("p.yaml").write_text(
            YAML.replace("kind: waveform, ", "").replace("8000", "8000, n_fft: 16, hop_length: 4")
        )
        with pytest.raises(tonearm.ItemError) as caught:
            list(tonearm.load_pipeline("p.yaml").convert(magnitudes))
        assert "kind: " in caught.value.hint


def test_public_names_are_imported_when_they_are_used():
    code = "import sys, tonearm; print('tonearm.signals' in sys.modules, len(dir(tonearm)), tonearm.Waveform.port)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == f"False {len(tonearm.__all__)} waveform\n"
    assert all(getattr(tonearm, name) is not None for name in tonearm.__all__)
    with pytest.raises(AttributeError, match="no attribute 'load'"):
        _ = tonearm.load


class TestProgress:
    MAGNITUDES = np.abs(np.random.default_rng(0).standard_normal((513, 1500))).astype("f4") / 90

    @staticmethod
    def pipeline():
        grid = {"kind": "magnitude", "sample_rate": 22050, "n_fft": 1024, "hop_length": 256}
        return tonearm.load_pipeline(mapping(**grid) | {"steps": [{"use": "griffin-lim"}]})

    @pytest.mark.parametrize("jobs", [0, 1])
    def test_a_run_tells_which_source_and_stage_are_at_work(self, tmp_path, jobs):
        told, results = [], []
        arrays = {"long": np.tile(self.MAGNITUDES, 8), "short": self.MAGNITUDES}
        report = self.pipeline().run(arrays, out=tmp_path, jobs=jobs, observe=results.append, progress=told.append)
        assert (report.converted, len(results)) == (2, 2)
        assert all(isinstance(one, tonearm.Progress) for one in told)
        assert ("long", 2, 3, "griffin-lim") in {(one.source, one.index, one.stages, one.stage) for one in told}
        shares = [one.share for one in told if (one.source, one.index) == ("long", 2)]
        assert shares == sorted(shares)
        assert told[-1].share == 1

    @pytest.mark.one_in(3)
    @pytest.mark.parametrize("jobs", [0, 1])
    @pytest.mark.parametrize("kind", [LookupError, KeyboardInterrupt, tonearm.ItemError])
    def test_what_the_function_raises_ends_the_run(self, tmp_path, jobs, kind):
        error = kind("enough")

        def stop(_):
            raise error

        with pytest.raises(kind) as caught:
            self.pipeline().run({"long": np.tile(self.MAGNITUDES, 8)}, out=tmp_path / "out", jobs=jobs, progress=stop)
        assert caught.value is error
        assert not list(tmp_path.rglob("*.wav"))
        assert not list(tmp_path.rglob("*.part*"))
        report = self.pipeline().run({"long": self.MAGNITUDES}, out=tmp_path / "out")
        assert report.converted == 1

    @pytest.mark.slow
    def test_a_run_at_a_terminal_counts_sources_and_shows_the_one_at_work(self, tmp_path):
        np.save(tmp_path / "long.npy", np.tile(self.MAGNITUDES, 40))
        np.save(tmp_path / "a.npy", self.MAGNITUDES)
        code = (
            "import tonearm\n"
            "grid = dict(kind='magnitude', sample_rate=22050, n_fft=1024, hop_length=256)\n"
            "pipeline = tonearm.load_pipeline({'tonearm': 1, 'input': {'use': 'npy-reader', 'with': grid},\n"
            "    'steps': [{'use': 'griffin-lim'}], 'outputs': [{'use': 'wav-writer', 'file': '{stem}.wav'}]})\n"
            "print(pipeline.run(['a.npy', 'long.npy'], progress=True).converted)\n"
        )
        status, text = on_terminal("-c", code, program=sys.executable, columns=120, cwd=tmp_path)
        assert status == 0
        assert re.search(r"1/2 sources, long\.npy: 2/3 griffin-lim [^%]*?\d\d%", ESCAPE.sub("", text))
        assert text.endswith("\x1b[2K2\n")
