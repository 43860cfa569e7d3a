"""Every public object shows itself at the prompt on a short line: no private fields, arrays or contents of files."""

import inspect
import io
import re
import tarfile
import zipfile
from collections import Counter
from pathlib import Path

import msgspec
import numpy as np
import pytest

import tonearm
from tonearm import api
from tonearm.errors import Problem
from tonearm.pipeline.checked import CheckedPipeline
from tonearm.plugins.ports import ports_of
from tonearm.plugins.registry import default
from tonearm.run.prepared import ConvertedItem, Failure, PreparedFile
from tonearm.run.report import Report
from tonearm.run.result import Result
from tonearm.run.store.local_store import LocalStore

LONGEST = 400
"""Number of characters that still fit a few lines of a terminal."""

ROW = tuple(float(n + 1) for n in range(1024))
GRID = tonearm.StftGrid(sample_rate=22050, n_fft=1024, hop_length=256, win_length=1024, window=ROW)
DIALECT = tonearm.MelDialect(
    name="mine",
    source="x" * 200,
    notes="y" * 200,
    sample_rate=22050,
    n_fft=1024,
    hop_length=256,
    n_mels=80,
    statistics="stored",
    mean=ROW[:80],
    std=ROW[:80],
)
WAVE = tonearm.Waveform(samples=np.zeros((2, 99_999), np.float32), sample_rate=8000)
LATENT = api.LatentFormat(name="mine", sample_rate=44100, samples_per_frame=2048)
PIPELINE = {
    "tonearm": 1,
    "input": {"use": "npz-reader", "with": {"kind": "waveform", "sample_rate": 8000}},
    "steps": [{"use": "normalize"}, {"use": "split"}],
    "outputs": [{"use": "flac-writer", "file": "{stem}-{index}.flac"}],
}


def loaded():
    return tonearm.load_pipeline(PIPELINE)


def stage(base):
    """Return the first plugin of a pipeline that comes from a base class."""
    return next(one.plugin for one in loaded().checked.stages() if isinstance(one.plugin, base))


def options_of(base):
    """Return the options of the first plugin whose options come from a base class."""
    found = [one.plugin.options for one in loaded().checked.stages()]
    return next(one for one in found if isinstance(one, base))


def executor():
    return bound_plugin("executor", "local")


def bound_plugin(role, name, **options):
    entry = default().find(role, name)
    return entry.bind(ports_of(entry.resolve()).options(**options))


class SomeStartedEncoder(api.StartedEncoder):
    def write(self, block):
        """Write nothing."""

    def finish(self):
        """Write nothing."""


class SomeWork(api.Work):
    def __call__(self, chunk):
        raise NotImplementedError

    stream = leave = __call__


def zip_file():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a", bytes(10_000))
    return file


def tar_file():
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a"))
    file.seek(0)
    return file


def report():
    made = Report(
        Path("out"), converted=3, codes=Counter(empty=9), failures=[Failure("a" * 99, "", 0, "empty", "")] * 20
    )
    made.read_from(LocalStore("out"), "journal", 0, 10)
    return made


def notes():
    from tonearm.findings.statistics import compute_statistics

    return api.Notes(compute_statistics(np.zeros((4, 100))))


def given_up(stream):
    """Return a stream that holds nothing any more."""
    stream.abort()
    return stream


INSTANCES = {
    "Advice": lambda: api.Advice("look at it"),
    "ArrayDecoder": lambda: stage(api.KeyedArrayDecoder),
    "ArrayOptions": lambda: options_of(api.ArrayOptions),
    "ArrayTraits": lambda: api.ArrayTraits(0.0, 1.0),
    "BlockDecoder": lambda: bound_plugin("decoder", "pcm-reader", encoding="pcm_s16le", sample_rate=8000),
    "BlockEncoder": lambda: bound_plugin("encoder", "wav-writer"),
    "BlockTransform": lambda: bound_plugin("transform", "gain", gain_db=-3),
    "BoundedFile": lambda: api.BoundedFile(io.BytesIO(bytes(10_000)), "a.npy"),
    "ChooseOption": lambda: api.ChooseOption("kind", ("mel", "db")),
    "Claim": lambda: api.Claim(strong=True, rival="", note=lambda notes, axis: None),
    "Codebooks": lambda: api.Codebooks(sizes=(4096,) * 3, sample_rate=24000, strides=(4, 2, 1)),
    "CodecTokens": lambda: api.CodecTokens(codes=np.zeros((1, 8, 99), np.int32), sample_rate=24000),
    "ComplexSpectrogram": lambda: tonearm.ComplexSpectrogram(values=np.ones((2, 513, 99), np.complex64), grid=GRID),
    "Context": lambda: api.Context(source=api.Source(name="a.npy", content=bytes(10_000))),
    "ConventionOptions": lambda: api.ConventionOptions(),
    "Cover": lambda: api.Cover(content=bytes(10_000), mime="image/png", width=9, height=9),
    "Decoder": lambda: stage(api.Decoder),
    "Diagnosis": lambda: api.Diagnosis(group="engines", subject="istft", found="native"),
    "Died": lambda: api.Died("killed by signal 9"),
    "EachBlock": lambda: api.EachBlock(np.negative),
    "Encoder": lambda: stage(api.Encoder),
    "EncoderOptions": lambda: options_of(api.EncoderOptions),
    "Executor": lambda: executor(),
    "Extent": lambda: api.Extent(0.0, 1.0),
    "GiveOption": lambda: api.GiveOption("kind", "waveform"),
    "InflatedFile": lambda: api.InflatedFile(io.BytesIO(bytes(1000)), "gzip", "a.gz"),
    "InflationBound": lambda: api.ARRAY_BYTES,
    "InsertStep": lambda: api.InsertStep("normalize"),
    "InstallExtra": lambda: api.InstallExtra("hdf5"),
    "Item": lambda: api.Item(signal=WAVE, tags={"title": "a"}),
    "ItemError": lambda: tonearm.ItemError("a message"),
    "KeyedArrayDecoder": lambda: stage(api.KeyedArrayDecoder),
    "KeyedArrayOptions": lambda: options_of(api.KeyedArrayOptions),
    "Kind": lambda: options_of(api.ArrayOptions).kind,
    "LatentFormat": lambda: LATENT,
    "LaidTokens": lambda: api.LaidTokens(
        api.CodecTokens(codes=np.zeros((1, 8, 99), np.int32)), api.TokenLayout(axes=("book", "frame"))
    ),
    "Latents": lambda: api.Latents(values=np.zeros((1, 64, 99), np.float32), format=LATENT),
    "LazyArrays": lambda: api.LazyArrays(map(str, range(1000)), lambda key: key),
    "Limits": lambda: api.Limits(name="wav", rates=(range(1, 10),)),
    "LinearRecipe": lambda: default().catalogue(api.LinearRecipe).find("coqui"),
    "MagnitudeSpectrogram": lambda: tonearm.MagnitudeSpectrogram(values=np.ones((1, 513, 99), np.float32), grid=GRID),
    "MelDialect": lambda: DIALECT,
    "MelSpectrogram": lambda: tonearm.MelSpectrogram(values=np.zeros((1, 80, 99), np.float32), dialect=DIALECT),
    "Nearby": lambda: api.Nearby({"config.sr": 22050, "a.values": ROW}),
    "NoOptions": lambda: api.NoOptions(),
    "Notes": notes,
    "OptionError": lambda: api.OptionError("a message"),
    "OriginalSound": lambda: api.OriginalSound(sample_rate=44100, length=99, loudness=-23.0),
    "OutputError": lambda: tonearm.OutputError("a message"),
    "PcmOptions": lambda: options_of(api.PcmOptions),
    "PcmRounding": lambda: api.PcmRounding(16, np.random.default_rng(0)),
    "Pipeline": loaded,
    "PipelineError": lambda: tonearm.PipelineError([Problem(code="usage", message="a message")]),
    "PlainValues": lambda: api.PlainValues(GRID),
    "Progress": lambda: tonearm.Progress("griffin-lim", 37.0, 100.0, 2, 4, "mel.npy"),
    "Problem": lambda: tonearm.Problem(code="usage", message="a message", remedies=(api.Advice("look at it"),)),
    "Provenance": lambda: api.Provenance(),
    "RecipeStep": lambda: api.RecipeStep(op="round"),
    "Recut": lambda: api.Recut(2048),
    "Regroup": lambda: stage(api.Regroup),
    "RemoveOption": lambda: api.RemoveOption("axes"),
    "Requirement": lambda: api.Requirement(name="h5py", hint="pip install h5py"),
    "Results": lambda: api.Results(owner="an owner"),
    "RunCommand": lambda: api.RunCommand(("tonearm", "inspect", "a.npy")),
    "Stream": lambda: given_up(tonearm.stream(io.BytesIO(), format="ogg", sample_rate=8000)),
    "Saved": lambda: tonearm.Saved((Path("a.wav"),), ({"duration": 1.0},), ("a warning",) * 100),
    "SetLimit": lambda: api.SetLimit("beyond", 8.0),
    "SetOption": lambda: api.SetOption("kind", "mel"),
    "Signal": lambda: tonearm.Signal(),
    "SignalError": lambda: api.SignalError("a message"),
    "Sink": lambda: api.Sink("a.tmp", ".wav"),
    "Source": lambda: api.Source(name="a.npy", array=np.zeros(100_000), content=bytes(10_000)),
    "Spec": lambda: api.spec_of(tonearm.MelSpectrogram(values=np.zeros((1, 80, 9), np.float32), dialect=DIALECT)),
    "StartedEncoder": SomeStartedEncoder,
    "StartedTransform": lambda: api.EachBlock(np.negative),
    "StatedRate": lambda: api.StatedRate(22050, "sr = 22050"),
    "StftGrid": lambda: GRID,
    "TagOptions": lambda: options_of(api.TagOptions),
    "TaggingBlockEncoder": lambda: bound_plugin("encoder", "wav-writer"),
    "TaggingEncoder": lambda: bound_plugin("encoder", "npy-writer"),
    "TarArchive": lambda: api.TarArchive(tar_file(), "a.tar"),
    "Target": lambda: api.Target("acme.writer:Writer", suffixes=(".acme",)),
    "TokenLayout": lambda: default().catalogue(api.TokenLayout).find("orpheus-snac24"),
    "TonearmError": lambda: tonearm.TonearmError("a message"),
    "TonearmWarning": lambda: tonearm.TonearmWarning("a message"),
    "Transform": lambda: stage(api.Transform),
    "UsageError": lambda: tonearm.UsageError("a message"),
    "Waveform": lambda: WAVE,
    "WaveformKind": lambda: options_of(api.ArrayOptions).kind,
    "WaveformOptions": lambda: options_of(api.ArrayOptions).kind.options,
    "Work": SomeWork,
    "ZipArchive": lambda: api.ZipArchive(zip_file(), "a.zip"),
    "ZipBounds": lambda: api.ZipBounds(),
    "limited_memory": lambda: api.limited_memory(10**9),
}
"""An instance of each public class, with as much in it as may be."""

REACHED = {
    "CheckedPipeline": lambda: loaded().checked,
    "Output": lambda: loaded().outputs[0],
    "BoundPlugin": lambda: loaded().checked.decoder,
    "PipelineLimits": lambda: loaded().checked.limits,
    "Report": report,
    "Failure": lambda: Failure("a.npy", "", 0, "empty", "a message"),
    "Result": lambda: Result(
        source="a.npy", items=(ConvertedItem("", 0, 0, [PreparedFile("t", "a.wav", 9, "0" * 32)]),)
    ),
}
"""Instances of classes that public functions and attributes give, and that have no public name."""


def public_classes():
    """Return the names of all classes that are public, except those of other packages."""
    found = {name: getattr(module, name) for module in (tonearm, api) for name in module.__all__}
    return {name: one for name, one in found.items() if inspect.isclass(one) and one is not msgspec.Meta}


def test_each_public_class_has_an_instance_here():
    assert set(public_classes()) == set(INSTANCES)
    for name, cls in public_classes().items():
        assert isinstance(INSTANCES[name](), cls)
    assert isinstance(REACHED["CheckedPipeline"](), CheckedPipeline)


@pytest.mark.parametrize("name", [*INSTANCES, *REACHED])
def test_a_representation_is_short_and_has_no_private_fields(name):
    shown = repr({**INSTANCES, **REACHED}[name]())
    assert re.findall(r"\b_\w+=", shown) == []
    assert re.findall(r"array\(|\bb'|\\x00", shown) == []
    assert "\n" not in shown
    assert len(shown) <= LONGEST, shown


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Source", "<Source a.npy>"),
        ("Context", "<Context of a.npy: 0 measurements, 0 warnings>"),
        ("Sink", "<Sink for .wav>"),
        ("Cover", "<Cover image/png, 9×9, 10,000 bytes>"),
        ("LazyArrays", "<LazyArrays of 1,000 arrays>"),
        ("Encoder", "<encoder flac-writer>"),
        ("MelSpectrogram", "<mel 1×80×99 at 22050 Hz>"),
        ("Problem", "Problem(code='usage', message='a message', remedies=(Advice(prose='look at it'),))"),
        ("RecipeStep", "RecipeStep(op='round')"),
    ],
)
def test_it_says_what_the_object_is(name, shown):
    assert repr(INSTANCES[name]()) == shown


@pytest.mark.parametrize("name", ["Waveform", "MelSpectrogram", "Pipeline", "Source", "Context", "Saved", "Sink"])
def test_what_people_see_most_has_no_address(name):
    assert " at 0x" not in repr(INSTANCES[name]())
