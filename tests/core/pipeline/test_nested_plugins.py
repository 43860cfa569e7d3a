"""Plugins as options, followed by check, fingerprints, provenance, preflight and pickling."""

import pickle
from dataclasses import dataclass
from typing import Annotated, Any

import pytest
from core_toys import checked, hooks, package_of, pipeline, problems, registry_of

from tonearm.api import FilePath, ItemError, Meta, NoOptions, Requirement, Transform, Waveform
from tonearm.errors import PipelineError
from tonearm.pipeline.check import check
from tonearm.pipeline.converter import Converter
from tonearm.pipeline.document import override, read_document
from tonearm.pipeline.provenance import fingerprints_of, plugins_of, stages_of
from tonearm.plugins.registry import Registry

LOG: list[str] = []


@dataclass(frozen=True, kw_only=True)
class ScaleOptions:
    factor: Annotated[float, Meta(gt=0)] = 0.5
    weights: FilePath | None = None
    threads: Annotated[int, Meta(extra={"changes_output": False})] = 1


class Scale(Transform[Waveform, Waveform, ScaleOptions]):
    """Multiply the samples."""

    def apply(self, signal, context):
        assert self.ready
        return Waveform(samples=signal.samples * self.options.factor, sample_rate=signal.sample_rate)

    def preflight(self):
        LOG.append("scale")
        self.ready = lambda: None  # cannot be pickled

    def files(self):
        return [self.options.weights] if self.options.weights else []


class Lacking(Transform[Waveform, Waveform, NoOptions]):
    requires = (Requirement(name="no-such-program", program=True, hint="install it"),)

    def apply(self, signal, context): ...


class Failing(Transform[Waveform, Waveform, NoOptions]):
    def apply(self, signal, context): ...

    def preflight(self):
        raise RuntimeError("no model")


@dataclass(frozen=True, kw_only=True)
class TwiceOptions:
    step: Annotated[Transform[Waveform, Waveform, Any], Meta(description="Transform to apply twice.")]


class Twice(Transform[Waveform, Waveform, TwiceOptions]):
    """Apply a transform twice."""

    def apply(self, signal, context):
        return self.options.step.apply(self.options.step.apply(signal, context), context)

    def preflight(self):
        LOG.append("twice")


OFFERED = {"scale": Scale, "twice": Twice, "lacking": Lacking, "failing": Failing}
REGISTRY = registry_of(transforms=OFFERED)


def text(step):
    return pipeline(steps=(step,))


def test_a_nested_plugin_does_its_work_and_prepares_first():
    LOG.clear()
    converter = Converter(checked(text("twice, with: {step: {use: scale, with: {factor: 0.1}}}"), REGISTRY))
    for made in (converter, pickle.loads(pickle.dumps(converter))):
        made.preflight()
        levels = [float(signal.samples[0, 0]) for signal in made.convert("a.tone")]
        assert levels == pytest.approx([0.001, 0.002])
    assert LOG == ["scale", "twice"] * 2


def test_to_any_depth():
    deep = "twice, with: {step: {use: twice, with: {step: {use: twice, with: {step: scale}}}}}"
    converter = Converter(checked(text(deep), REGISTRY))
    converter.preflight()
    assert float(next(converter.convert("a.tone")).samples[0, 0]) == pytest.approx(0.1 * 0.5**8)


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("twice, with: {step: {use: scale, with: {factor: 0}}}",
         "4:59: bad-option: twice: step: 'factor' is 0; expected a number > 0.0"),
        ("twice, with: {step: {use: twice, with: {step: {use: scale, with: {factr: 1}}}}}",
         "4:77: unknown-option: twice: step: step has no option 'factr'\n    hint: did you mean 'factor'?"),
        ("twice, with: {step: lacking}",
         "4:31: missing-requirement: twice: step: lacking needs the program \'no-such-program\',"
         " which is not installed\n    hint: install it"),
        ("twice, with: {step: {use: scale, with: {weights: no-such}}}",
         "4:60: no-such-file: twice: step: there is no file no-such"),
        ("twice, with: {step: join}",
         "4:31: wrong-plugin: twice: step is a Transform, but join is a Regroup"
            "\n    hint: one of failing, lacking, same, scale, twice"),
        ("twice", "4:11: missing-option: twice: 'step' is missing\n    hint: step: … (Transform to apply twice)"),
    ],
)  # fmt: skip
def test_what_check_finds_has_its_place(step, said):
    registry = registry_of(transforms=OFFERED)
    found = problems(text(step), registry)
    assert len(found) == 1
    assert found[0] == f"p.yaml:{said}"


def test_the_remedy_of_a_nested_option_is_set_by_path():
    root = read_document(text("twice, with: {step: {use: twice, with: {}}}"), "p.yaml", environ={})
    with pytest.raises(PipelineError) as caught:
        check(root, None, REGISTRY, form="flags")
    (problem,) = caught.value.problems
    assert "--set steps.0.with.step.with.step=" in str(problem)


def test_a_nested_plugin_that_fails_to_prepare_is_named():
    with pytest.raises(ItemError, match="twice: failing failed: RuntimeError: no model"):
        Converter(checked(text("twice, with: {step: failing}"), REGISTRY)).preflight()


@pytest.mark.parametrize("step", ["{use: scale}", "scale"])
def test_an_option_of_a_nested_plugin_can_be_set_by_path(step):
    root = read_document(text(f"twice, with: {{step: {step}}}"), "p.yaml", environ={})
    made = check(override(root, "steps.0.with.step.with.factor=0.25"), "p.yaml", REGISTRY)
    assert made.steps[0].plugin.options.step.options.factor == 0.25


def fingerprint(step, registry=REGISTRY):
    return fingerprints_of(checked(text(step), registry))


class TestFingerprints:
    def test_options_of_nested_plugins_count(self):
        before = fingerprint("twice, with: {step: scale}")
        assert fingerprint("twice, with: {step: {use: scale, with: {factor: 0.5}}}") == before
        assert fingerprint("twice, with: {step: {use: scale, with: {threads: 2}}}") == before
        assert fingerprint("twice, with: {step: {use: scale, with: {factor: 0.6}}}") != before
        assert fingerprint("twice, with: {step: same}") != before

    def test_content_of_their_files_counts(self, tmp_path):
        weights = tmp_path / "weights"
        weights.write_bytes(b"1")
        step = f"twice, with: {{step: {{use: scale, with: {{weights: '{weights}'}}}}}}"
        before = fingerprint(step)
        weights.write_bytes(b"2")
        assert fingerprint(step) != before

    @pytest.mark.parametrize(("revision", "changes"), [(None, True), (3, False)])
    def test_a_version_counts_without_a_revision(self, revision, changes):
        class Other(Scale):
            pass

        Other.revision = revision
        made = []
        for version in ("1.0", "2.0"):
            packages = [package_of("toys", hooks(**{**_toys(), "transforms": {"twice": Twice}}))]
            packages.append(package_of("acme", hooks(transforms={"other": Other}), label=f"acme {version}"))
            made.append(fingerprint("twice, with: {step: other}", Registry(packages)))
        assert (made[0] != made[1]) is changes


def _toys():
    from core_toys import TOYS

    return TOYS


def test_provenance_names_nested_plugins():
    made = checked(text("twice, with: {step: scale}"), REGISTRY)
    inner = {"factor": 0.5, "weights": None, "threads": 1}
    package = "tonearm_toys 1.2"
    assert stages_of(made.steps) == (
        {"use": "twice", "package": package, "with": {"step": {"use": "scale", "package": package, "with": inner}}},
    )
    assert plugins_of(made)[1:3] == [("toys/twice", package), ("toys/scale", package)]
