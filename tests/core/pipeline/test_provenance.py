"""Fingerprints of outputs change with what determines the files, and with nothing else; and what provenance tells."""

import enum
import json
import os
import pickle
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import pytest
from core_toys import RawWriter, Same, ToneReader, checked, hooks, package_of, registry_of
from core_toys import pipeline as toy_pipeline

from tonearm.api import FilePath, ItemError, Meta, Transform, Waveform, WindowName
from tonearm.errors import PipelineError
from tonearm.pipeline.check import check
from tonearm.pipeline.converter import Converter
from tonearm.pipeline.document import from_plain, read_document
from tonearm.pipeline.provenance import files_of, fingerprint_of, fingerprints_of, plugins_of, without_folders
from tonearm.plugins.registry import Registry


@dataclass(frozen=True)
class Layer:
    weights: FilePath
    level: float = 1.0
    note: Annotated[str, Meta(extra={"changes_output": False})] = ""


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Shape(msgspec.Struct, frozen=True):
    width: int = 1
    note: Annotated[str, Meta(extra={"changes_output": False})] = ""


@dataclass(frozen=True, kw_only=True)
class ModelOptions:
    """Options of every kind that counts in a way of its own."""

    model: Annotated[FilePath | None, Meta(description="A file.")] = None
    more: list[FilePath] = field(default_factory=list)
    by_name: dict[str, FilePath] = field(default_factory=dict)
    layers: list[Layer] = field(default_factory=list)
    shape: Shape = field(default_factory=Shape)
    threads: Annotated[int, Meta(extra={"changes_output": False})] = 1
    path: Path | None = None
    file: FilePath | Literal["none", "auto"] = "none"
    window: WindowName | None = None
    colour: Annotated[Colour | None, Meta(extra={"changes_output": ["red"]})] = None
    action: Annotated[Literal["error", "warn", "fix", "off"], Meta(extra={"changes_output": ["fix"]})] = "error"
    threshold: Annotated[float, Meta(extra={"changes_output": {"action": ["fix"], "gain": [2.0]}})] = 0.1
    gain: float = 1.0


class Model(Transform[Waveform, Waveform, ModelOptions]):
    def apply(self, signal, context):
        return signal


REGISTRY = registry_of(transforms={"model": Model})


def pipeline(*, shared=None, own=None, level=1.0, files=("{stem}-{index}.raw", "b-{index}.raw")):
    """Return a pipeline with two outputs, the second of which has a model of its own."""
    raw = {"use": "raw-writer", "with": {"level": 1}}
    return {
        "tonearm": 1,
        "input": {"use": "tone-reader"},
        "steps": [{"use": "model", "with": shared or {}}],
        "outputs": [
            raw | {"file": files[0], "with": {"level": level}},
            raw | {"file": files[1], "steps": [{"use": "model", "with": own or {}}]},
        ],
    }


def fingerprints(registry=REGISTRY, **changes):
    return fingerprints_of(check(from_plain(pipeline(**changes)), None, registry))


def differing(before, after):
    """Return the numbers of the outputs that a change would convert again."""
    return [number for number, pair in enumerate(zip(before, after, strict=True)) if pair[0] != pair[1]]


def test_what_outputs_share_counts_for_all_and_the_rest_for_one():
    before = fingerprints()
    assert [re.fullmatch("[0-9a-f]{32}", one) is not None for one in before] == [True, True]
    assert len(set(before)) == 2
    assert fingerprints() == before
    assert differing(before, fingerprints(shared={"gain": 2})) == [0, 1]
    assert differing(before, fingerprints(own={"gain": 2})) == [1]
    assert differing(before, fingerprints(level=0.5)) == [0]


@pytest.mark.parametrize(
    ("beside", "counts"),
    [({}, False), ({"action": "warn"}, False), ({"action": "fix"}, True), ({"gain": 2}, True), ({"gain": 3}, False)],
)
def test_an_option_may_count_beside_some_values_of_others_alone(beside, counts):
    before = fingerprints(shared={**beside, "threshold": 0.1})
    assert differing(before, fingerprints(shared={**beside, "threshold": 0.9})) == ([0, 1] if counts else [])


def test_a_default_that_is_written_out_changes_nothing():
    assert fingerprints(shared={"gain": 1.0, "more": []}) == fingerprints()


def test_names_of_outputs_and_other_outputs_do_not_count():
    assert fingerprints(files=("x-{index}.raw", "y-{index}.raw")) == fingerprints()
    plain = pipeline()
    alone = fingerprints_of(check(from_plain(plain | {"outputs": plain["outputs"][1:]}), None, REGISTRY))
    assert alone == fingerprints()[1:]


def test_a_step_counts_the_same_wherever_it_stands():
    """A step that is moved from the shared steps into the only output computes what it did."""
    output = {"use": "raw-writer", "file": "{stem}-{index}.raw", "with": {"level": 1}}
    plain = {"tonearm": 1, "input": {"use": "tone-reader"}}
    step = [{"use": "same"}]
    shared = check(from_plain(plain | {"steps": step, "outputs": [output]}), None, REGISTRY)
    own = check(from_plain(plain | {"outputs": [output | {"steps": step}]}), None, REGISTRY)
    assert fingerprints_of(shared) == fingerprints_of(own)


@pytest.mark.parametrize(
    ("one", "other"),
    [({"threads": 1}, {"threads": 8}), ({"shape": {"note": "a"}}, {"shape": {"note": "b"}})]
    + [({"action": "error"}, {"action": name}) for name in ("warn", "off")],
)
def test_options_that_change_no_output(one, other):
    assert fingerprints(own=one) == fingerprints(own=other)


def test_values_that_change_an_output():
    before = fingerprints()
    assert differing(before, fingerprints(own={"action": "fix"})) == [1]
    assert differing(before, fingerprints(own={"shape": {"width": 2}})) == [1]
    assert differing(before, fingerprints(own={"colour": "red"})) == [1]
    assert differing(before, fingerprints(own={"colour": "blue"})) == []
    assert differing(before, fingerprints(own={"file": "auto"})) == [1]


class TestFiles:
    """Options of the forms in which an option can name a file."""

    @pytest.fixture(params=["model", "more", "by_name", "layers", "path", "file"])
    def named(self, request):
        forms = {
            "model": lambda path: path,
            "more": lambda path: [path],
            "path": lambda path: path,
            "file": lambda path: path,
            "by_name": lambda path: {"a": path},
            "layers": lambda path: [{"weights": path}],
        }
        return lambda path: {request.param: forms[request.param](str(path))}

    def test_new_weights_under_the_same_name_count(self, named, tmp_path):
        path = tmp_path / "w.onnx"
        path.write_bytes(b"old weights")
        before, status = fingerprints(own=named(path)), path.stat()
        path.write_bytes(b"new weights")
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
        assert differing(before, fingerprints(own=named(path))) == [1]

    def test_a_new_name_of_the_same_weights_does_not(self, named, tmp_path):
        path = tmp_path / "w.onnx"
        path.write_bytes(b"weights")
        before = fingerprints(own=named(path))
        assert fingerprints(own=named(path.rename(tmp_path / "v.onnx"))) == before

    def test_check_complains_of_a_missing_one(self, named, tmp_path):
        with pytest.raises(PipelineError) as caught:
            fingerprints(own=named(tmp_path / "w.onnx"))
        (problem,) = caught.value.problems
        assert (problem.code, problem.place.stage) == ("no-such-file", "outputs.1.steps.0")
        assert f"there is no file {tmp_path}/w.onnx" in problem.message

    def test_one_that_vanished_since_counts_as_missing(self, named, tmp_path):
        path = tmp_path / "w.onnx"
        path.write_bytes(b"weights")
        found = check(from_plain(pipeline(own=named(path))), None, REGISTRY)
        before = fingerprints_of(found)
        path.unlink()
        assert differing(before, fingerprints_of(found)) == [1]


def test_a_folder_counts_by_what_is_in_it(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    before = fingerprints(own={"model": str(tmp_path)})
    (tmp_path / "config.json").write_text("[]")
    assert differing(before, fingerprints(own={"model": str(tmp_path)})) == [1]


class TestFilesOfThePlugin:
    def found(self, files):
        transform = type("Model", (Model,), {"files": lambda self: files})
        return fingerprints_of(check(from_plain(pipeline()), None, registry_of(transforms={"model": transform})))

    def test_what_it_reads_besides_counts(self, tmp_path):
        path = tmp_path / "w.data"
        path.write_bytes(b"old")
        before = self.found([str(path)])
        assert self.found([str(path)]) == before
        path.write_bytes(b"new")
        assert differing(before, self.found([str(path)])) == [0, 1]

    def test_one_that_says_nonsense_is_named(self):
        with pytest.raises(ItemError, match="model failed: TypeError: 'int' object is not iterable"):
            self.found(3)


def test_a_pipeline_in_another_folder_counts_the_same_files(tmp_path, monkeypatch):
    """The same pipeline and files, seen from two folders, have the same fingerprint."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "w.txt").write_text("1 1")
    found = set()
    for folder, file in ((tmp_path, "sub/p.yaml"), (tmp_path / "sub", "p.yaml")):
        monkeypatch.chdir(folder)
        given = read_document(json.dumps(pipeline(shared={"window": "w.txt", "file": "w.txt"})), file)
        found.add(fingerprints_of(check(given, file, REGISTRY)))
    assert len(found) == 1
    (tmp_path / "sub" / "w.txt").write_text("1 2")
    assert fingerprints_of(check(given, "p.yaml", REGISTRY)) not in found
    assert fingerprints(shared={"window": "hann"}) != fingerprints(shared={"window": "hamming"})


def test_a_file_is_read_once_for_all_outputs(tmp_path, monkeypatch):
    path = tmp_path / "w.onnx"
    path.write_bytes(b"weights")
    found = check(from_plain(pipeline(shared={"model": str(path)}, own={"model": str(path)})), None, REGISTRY)
    opened, real = [], os.open
    monkeypatch.setattr(os, "open", lambda name, *rest, **more: opened.append(name) or real(name, *rest, **more))
    known = fingerprints_of(found)
    assert opened == [str(path)]
    assert fingerprint_of(found, known) == fingerprint_of(found)
    assert opened == [str(path)] * 2


class TestVersions:
    def packaged(self, version, transform=Model):
        toys = hooks(
            decoders={"tone-reader": ToneReader},
            encoders={"raw-writer": RawWriter},
            transforms={"same": Same},
        )
        acme = hooks(transforms={"model": transform})
        return Registry([package_of("toys", toys), package_of("acme", acme, label=f"tonearm_acme {version}")])

    def test_a_new_version_of_a_package_counts_for_what_its_plugins_make(self):
        plain = pipeline() | {"steps": []}
        found = [
            fingerprints_of(check(from_plain(plain), None, self.packaged(version))) for version in ("1.2", "1.2", "1.3")
        ]
        assert found[0] == found[1]
        assert differing(found[1], found[2]) == [1]

    def test_a_revision_stands_for_the_version(self):
        def found(version, revision):
            transform = type("Model", (Model,), {"revision": revision})
            return fingerprints_of(check(from_plain(pipeline()), None, self.packaged(version, transform)))

        assert found("1.2", 1) == found("1.3", 1)
        assert differing(found("1.2", 1), found("1.2", 2)) == [0, 1]
        assert differing(found("1.2", None), found("1.2", 1)) == [0, 1]

    def test_two_plugins_of_one_name_are_told_apart(self):
        class Writer(RawWriter):
            pass

        registry = Registry([
            package_of("toys", hooks(decoders={"tone-reader": ToneReader}), label="same 1"),
            *(package_of(name, hooks(encoders={"raw-writer": Writer}), label="same 1") for name in ("acme", "zeta")),
        ])  # fmt: skip
        found = [
            fingerprints_of(check(from_plain(plain), None, registry))
            for plain in (
                {
                    "tonearm": 1,
                    "input": {"use": "tone-reader"},
                    "outputs": [{"use": f"{name}/raw-writer", "file": "a-{index}", "with": {"level": 1}}],
                }
                for name in ("acme", "zeta")
            )
        ]
        assert found[0] != found[1]


def test_the_whole_pipeline_has_one_that_covers_outputs_and_names():
    def whole(**changes):
        return fingerprint_of(check(from_plain(pipeline(**changes)), None, REGISTRY))

    assert len({whole(), whole(own={"gain": 2}), whole(level=0.5), whole(files=("a-{index}", "b-{index}"))}) == 4
    assert whole(own={"threads": 2}) == whole()


def test_a_worker_finds_the_same(tmp_path):
    path = tmp_path / "w.onnx"
    path.write_bytes(b"weights")
    found = Converter(check(from_plain(pipeline(own={"model": str(path), "shape": {"width": 3}})), None, REGISTRY))
    assert fingerprints_of(pickle.loads(pickle.dumps(found)).checked) == fingerprints_of(found.checked)


def test_options_of_installed_plugins(installed, tmp_path):
    """New weights of a vocoder count; whether a guard warns or fails does not, but whether it repairs does."""
    weights = tmp_path / "v.onnx"
    model = (Path(__file__).parents[2] / "data/models/hifigan_tiny.onnx").read_bytes()
    weights.write_bytes(model)

    def pipeline(action):
        mel = {"kind": "mel", "dialect": "hifigan"}
        vocoder = {"use": "onnx-vocoder", "with": {"model": str(weights), "dialect": "hifigan"}}
        guard = {"use": "guard", "with": {"clipping": action, "noise": action}}
        wav = {"use": "wav-writer", "file": "{stem}.wav"}
        plain = {
            "tonearm": 1,
            "input": {"use": "npy-reader", "with": mel},
            "outputs": [wav | {"steps": [vocoder, guard]}, wav | {"file": "g.wav", "steps": [{"use": "mel-to-wave"}]}],
        }
        return check(from_plain(plain), None, installed)

    assert files_of(pipeline("error")) == (str(weights),)

    def found(action):
        return fingerprints_of(pipeline(action))

    before = found("error")
    assert found("warn") == found("off") == before
    assert differing(before, found("fix")) == [0]
    weights.write_bytes(model + b"\x12\x03new")  # the name of an exporter
    assert differing(before, found("error")) == [0]
    location = b"\x0a\x08location\x12\x06v.data"
    (tmp_path / "v.data").write_bytes(b"old")
    weights.write_bytes(model + b"\x3a\x16\x2a\x14\x6a\x12" + location)  # a weight in another file
    before = found("error")
    (tmp_path / "v.data").write_bytes(b"new")
    assert differing(before, found("error")) == [0]


def test_plugins_are_told_with_their_packages_and_those_in_their_options() -> None:
    @dataclass(frozen=True)
    class Options:
        step: Transform[Waveform, Waveform, Any] | None = None

    class Owner(Transform[Waveform, Waveform, Options]):
        def apply(self, signal, context): ...

    found = checked(toy_pipeline(steps=("owner, with: {step: same}",)), registry_of(transforms={"owner": Owner}))
    names = [f"toys/{name}" for name in ("tone-reader", "owner", "same", "raw-writer")]
    assert plugins_of(found) == [(name, "tonearm_toys 1.2") for name in names]


def test_only_absolute_paths_are_shortened() -> None:
    plain = {"a": "/x/y/z.npy", "b": ["/w/z.npy", "rel/z.npy", 3, None], "c": "text / more"}
    assert without_folders(plain, "/x") == {"a": "y/z.npy", "b": ["z.npy", "rel/z.npy", 3, None], "c": "text / more"}
