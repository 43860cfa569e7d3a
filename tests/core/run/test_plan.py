import os

import numpy as np
import pytest
import soundfile
from run_toys import LineReader, Seen, files, pipeline, write

from tonearm.errors import PipelineError, UsageError
from tonearm.python import load_pipeline
from tonearm.run import plan as room
from tonearm.run.merge import merge
from tonearm.run.options import RunOptions
from tonearm.run.part import Part
from tonearm.run.plan import make_plan
from tonearm.run.run import Run
from tonearm.run.store.local_store import LocalStore

OPENED = []


@pytest.fixture(autouse=True)
def closed():
    yield
    while OPENED:
        OPENED.pop().close()


def planned(found=None, sources=None, **selection):
    found = found or pipeline()
    OPENED.append(LocalStore("out"))
    return make_plan(found, OPENED[-1], found.find_sources(sources), RunOptions(out="out", **selection))


def converted(found=None):
    """Run over what there is."""
    found = found or pipeline()
    run = Run(found, RunOptions(out="out", fsync=False))
    run.execute(run.plan(found.find_sources()), Seen())


def refused(*arguments, **more):
    with pytest.raises(PipelineError) as caught:
        planned(*arguments, **more)
    return [(problem.code, problem.message) for problem in caught.value.problems]


@pytest.fixture(autouse=True)
def inputs(folder):
    write(a="k 0.5", b="k 0.5")
    return folder


def test_what_there_is_to_do_and_nothing_is_touched(inputs):
    plan = planned()
    assert [(task.number, task.name, task.path, items) for task, items in plan.tasks()] == [
        (0, "a.txt", f"{inputs}/a.txt", {}), (1, "b.txt", f"{inputs}/b.txt", {}),
    ]  # fmt: skip
    assert (len(plan), plan.done, plan.in_other_parts, plan.bytes_to_convert) == (2, 0, 0, 10)
    assert sorted(os.listdir()) == ["a.txt", "b.txt"]


def test_nothing_to_convert(inputs):
    with pytest.raises(UsageError) as caught:
        planned(sources=[])
    assert (caught.value.code, caught.value.message) == ("no-source", "there is no source to convert")
    assert not os.path.exists("out")


def test_all_clashes_at_once(inputs):
    for name in "abcd":
        os.makedirs(f"x/{name}")
        for stem in "12":
            with open(f"x/{name}/{stem}.txt", "w") as file:
                file.write("k 1")
    found = refused(sources=["x"])
    assert len(found) == 6
    assert found[0] == ("same-output", "x/a/1.txt and x/b/1.txt would both become 1.raw")
    assert found[-1] == ("same-output", "x/a/2.txt and x/d/2.txt would both become 2.raw")
    assert len(planned(pipeline("{relative_dir}/{stem}.raw"), ["x"])) == 8


def test_sources_that_a_step_cannot_join_are_one_problem(inputs):
    for number in range(5):
        np.save(f"chunk_{number}.npy", np.zeros(9, "f4"))
    plain = {"tonearm": 1, "input": {"use": "npy-reader", "with": {"sample_rate": 8000, "kind": "waveform"}}}
    plain |= {"steps": [{"use": "concat"}], "outputs": [{"use": "wav-writer", "file": "all.wav"}]}
    sources = [f"chunk_{number}.npy" for number in range(5)]
    ((code, message),) = refused(load_pipeline(plain), sources)
    assert (code, message) == (
        "same-output",
        "concat joins what lies in one source, but several sources are given, which all become 'all.wav'",
    )
    plain["steps"] = []
    assert len(refused(load_pipeline(plain), sources)) == 4  # without the step, each pair is named


def test_a_million_clashes_are_a_hundred(inputs, monkeypatch):
    monkeypatch.setattr(room, "MAX_PROBLEMS", 3)
    write(**{f"c{number}": "k 1" for number in range(10)})
    assert len(refused(pipeline("same.raw"))) == 3


def test_files_that_are_not_ours(inputs):
    os.mkdir("out")
    with open("out/a.raw", "w") as file:
        file.write("mine")
    assert refused() == [("not-ours", "out/a.raw exists, and no run wrote it")]
    assert len(planned(force=True)) == 2


@pytest.mark.parametrize("force", [True, False])
def test_an_output_that_would_replace_a_source(inputs, force):
    os.mkdir("out")
    with open("out/c.txt", "w") as file:
        file.write("k 1")
    os.symlink("out", "link")
    for sources in (["out/c.txt"], ["link/c.txt"], [f"{inputs}/out/c.txt"]):
        found = refused(pipeline("{stem}.txt"), sources, force=force)
        assert ("output-is-input", "c.txt is a source itself") in found


def test_names_that_cannot_be(inputs):
    write(**{"x" * 251: "k 1"})
    assert len(planned(pipeline("{stem}-.raw"))) == 3  # its own failure, when its turn comes
    assert [outputs for task, _ in planned(pipeline("{stem}-.raw")).tasks() for outputs in [len(task.name)]]


class TestAgain:
    def tasks_with_reasons(self, *arguments, **more):
        plan = planned(*arguments, **more)
        skipped = list(plan.skipped())
        assert [(path, folder) for _name, path, folder in skipped] == [
            (os.path.abspath(name), ".") for name, _path, _folder in skipped
        ]
        return {task.name: reason for task, reason in plan.tasks_with_reasons()}, [name for name, _, _ in skipped]

    def test_what_is_done_is_skipped(self, inputs):
        converted()
        assert self.tasks_with_reasons() == ({}, ["a.txt", "b.txt"])
        assert planned().done == 2

    def test_why_something_is_done_again(self, inputs):
        converted()
        write(a="k 0.25", c="k x", d="k 0.5")
        assert self.tasks_with_reasons() == ({"a.txt": "it has changed", "c.txt": "", "d.txt": ""}, ["b.txt"])
        converted()
        os.unlink("out/a.raw")
        assert self.tasks_with_reasons() == (
            {"a.txt": "outputs are gone or changed", "c.txt": "1 failed"},
            ["b.txt", "d.txt"],
        )
        assert set(self.tasks_with_reasons(force=True)[0].values()) == {"--force"}

    def test_the_pipeline_has_changed(self, inputs):
        converted()
        again = pipeline(steps=["same"])
        assert set(self.tasks_with_reasons(again)[0].values()) == {"the pipeline or a plugin has changed"}

    def test_outputs_are_looked_into_if_asked(self, inputs):
        converted()
        with open("out/a.raw", "r+b") as file:
            file.write(b"X")
        assert planned().done == 2
        assert self.tasks_with_reasons(verify=True) == ({"a.txt": "outputs are gone or changed"}, ["b.txt"])

    def test_only_the_time_of_a_source_has_changed(self, inputs):
        converted()
        os.utime("a.txt", ns=(5, 5))
        plan = planned()
        assert plan.done == 2
        assert [(record.source, record.state) for record in plan.renewed] == [(f"{inputs}/a.txt", (5, 5))]
        converted()
        assert planned().renewed == []

    def test_a_source_without_a_hash_is_converted_again_when_its_time_changes(self, inputs, monkeypatch):
        monkeypatch.setattr(LineReader, "reads", "path")
        converted()
        assert planned().done == 2
        os.utime("a.txt", ns=(5, 5))
        assert self.tasks_with_reasons() == ({"a.txt": "it has changed"}, ["b.txt"])

    def test_names_of_what_stays_are_not_free(self, inputs):
        """What another source failed to become yesterday does not replace today what the first one became."""
        found = pipeline("{key}.raw")
        converted(found)
        with open("out/k.raw", "rb") as file:
            before = file.read()
        write(b="k 0.75")
        for _ in range(2):
            converted(found)
            with open("out/k.raw", "rb") as file:
                assert file.read() == before


class TestOutputsAmongTheSources:
    """The output folder is that of the sources, or lies in it."""

    @pytest.fixture(autouse=True)
    def inputs(self, folder):
        """Nothing but what a test writes."""

    def run(self, sources, out, encoder="npy-writer", suffix="npy", **more):
        report = self.pipeline(encoder, suffix).run(sources, out=out, fsync=False, **more)
        return report.converted, report.skipped, report.outputs_left_out

    def pipeline(self, encoder="npy-writer", suffix="npy", name="{relative_dir}/{stem}.new"):
        decoder = "npy-reader" if suffix == "npy" else "audio-reader"
        options = {"kind": "waveform", "sample_rate": 8000} if suffix == "npy" else {}
        return load_pipeline(
            {
                "tonearm": 1,
                "input": {"use": decoder, "with": options},
                "outputs": [{"use": encoder, "file": f"{name}.{suffix}"}],
            }
        )

    @pytest.mark.parametrize("out", ["in", "in/out"])
    @pytest.mark.parametrize("source", ["in", "in/**/*.npy", "in/**", "in/*"])
    def test_they_are_no_sources(self, folder, source, out):
        os.mkdir("in")
        np.save("in/a.npy", np.full(9, 0.5, "f4"))
        seen = 0 if (source, out) == ("in/*", "in/out") else 1
        assert self.run([source], out) == (1, 0, 0)
        assert self.run([source], out) == (0, 1, seen)
        np.save("in/b.npy", np.full(9, 0.25, "f4"))
        assert self.run([source], out) == (1, 1, seen)
        assert self.run([source], out) == (0, 2, 2 * seen)
        assert sorted(os.path.basename(name) for name in files("in")) == ["a.new.npy", "a.npy", "b.new.npy", "b.npy"]

    def test_whatever_the_format(self, folder):
        soundfile.write("a.wav", np.full(9, 0.5), 8000)
        assert self.run(["."], ".", "wav-writer", "wav") == (1, 0, 0)
        assert self.run(["*.wav"], ".", "wav-writer", "wav") == (0, 1, 1)

    def test_a_link_to_the_folder_leads_to_the_same_outputs(self, folder):
        os.mkdir("in")
        os.symlink("in", "link")
        np.save("in/a.npy", np.full(9, 0.5, "f4"))
        assert self.run(["in"], "in") == (1, 0, 0)
        assert self.run(["link"], "in")[2] == 1

    def test_one_that_is_named_is_a_source(self, folder):
        np.save("a.npy", np.full(9, 0.5, "f4"))
        assert self.run(["*.npy"], ".") == (1, 0, 0)
        assert self.run(["a.new.npy"], ".") == (1, 0, 0)
        assert self.run(["*.npy"], ".") == (0, 1, 2)
        assert sorted(files(".")) == ["a.new.new.npy", "a.new.npy", "a.npy"]

    @pytest.mark.parametrize("out", [".", "out"])
    def test_among_named_sources_they_are_none(self, folder, out):
        """A list that a shell or ``find`` makes names the outputs, too."""
        np.save("a.npy", np.full(9, 0.5, "f4"))
        np.save("b.npy", np.full(9, 0.5, "f4"))
        written = [os.path.join(out, name) for name in ("a.new.npy", "b.new.npy")]
        assert self.run(["b.npy", "a.npy"], out) == (2, 0, 0)
        assert self.run([written[1], "b.npy", written[0], "a.npy"], out) == (0, 2, 2)
        assert self.run(["./b.npy", f"./{written[0]}", "*.npy"], out) == (0, 2, 2 if out == "." else 1)

    @pytest.mark.parametrize("name", ["{stem}", "{source_hash}", "{relative_dir}/{stem}/x"])
    def test_a_folder_inside_that_of_the_sources_again_and_again(self, folder, name):
        np.save("a.npy", np.full(9, 0.5, "f4"))
        os.mkdir("d")
        np.save("d/b.npy", np.full(9, 0.25, "f4"))
        found = self.pipeline(name=name)
        for sources in (["."], ["**/*.npy"], ["a.npy", "d/b.npy", "out"]):
            for _ in range(2):
                report = found.run(sources, out="out", fsync=False)
                assert report.ok
                assert report.total + report.skipped == 2
        report = found.run(["."], out="out", fsync=False, force=True)
        assert report.converted == 2
        assert report.outputs_left_out >= 2

    @pytest.mark.parametrize("merged", [False, True])
    def test_of_parts_and_of_merged_parts(self, folder, merged):
        for number in range(8):
            np.save(f"{number}.npy", np.full(9, 0.5, "f4"))
        made = [self.run(["."], "out", part=f"{part}/3")[0] for part in (1, 2, 3)]
        assert sum(made) == 8
        assert max(made) < 8
        if merged:
            OPENED.append(LocalStore("out"))
            merge(OPENED[-1])
        assert self.run(["."], "out") == (0, 8, 8)
        assert self.run(["."], "out", part="1/5")[2] == 8

    def test_of_a_part_that_runs_meanwhile(self, folder):
        """They are published after the plan has read the journals, and before it finds them."""
        for number in range(8):
            np.save(f"{number}.npy", np.full(9, 0.5, "f4"))
        self.run(["*.npy"], "out", part="1/2")
        found = self.pipeline()

        def sources():
            yield from found.find_sources(["none-*.npy"])
            self.run(["*.npy"], "out", part="2/2")
            yield from found.find_sources(["."])

        OPENED.append(LocalStore("out"))
        plan = make_plan(found, OPENED[-1], sources(), RunOptions(out="out", part=Part(1, 2)))
        assert plan.outputs_left_out == 8

    def test_nothing_else_was_found(self, folder):
        np.save("a.npy", np.full(9, 0.5, "f4"))
        self.run(["*.npy"], ".")
        os.unlink("a.npy")
        with pytest.raises(UsageError, match="there is no source to convert") as caught:
            self.run(["*.npy"], ".")
        assert (
            caught.value.hint
            == "earlier runs wrote all files that were found; name them alone to convert them nevertheless"
        )


class TestParts:
    def test_every_source_is_in_one_part(self, inputs):
        write(**{f"{number:03}": "k 1" for number in range(100)})
        parts = [planned(part=Part(part, 3)) for part in (1, 2, 3)]
        names = [task.name for plan in parts for task, _ in plan.tasks()]
        assert len(names) == len(set(names)) == 102
        assert all(len(plan) > 20 for plan in parts)
        assert [len(plan) + plan.in_other_parts for plan in parts] == [102] * 3

    def test_wherever_the_folder_is_mounted(self, inputs):
        os.makedirs("other/place")
        for name in ("a.txt", "b.txt"):
            os.link(name, f"other/place/{name}")
        for part in (1, 2):
            here = [os.path.basename(task.name) for task, _ in planned(sources=["*.txt"], part=Part(part, 2)).tasks()]
            there = [
                os.path.basename(task.name) for task, _ in planned(sources=["other/place"], part=Part(part, 2)).tasks()
            ]
            assert here == there

    def test_clashes_between_parts_show_in_each(self, inputs):
        for part in (1, 2):
            assert refused(pipeline("same.raw"), part=Part(part, 2))[0][0] == "same-output"


def test_outputs_as_far_as_names_tell(inputs):
    def outputs(file):
        plan = planned(pipeline(file))
        return [plan.outputs(task) for task, _ in plan.tasks()]

    assert outputs("x/{stem}.raw") == [["x/a.raw"], ["x/b.raw"]]
    assert outputs("{stem}-{index}.raw") == [["{stem}-{index}.raw"]] * 2
