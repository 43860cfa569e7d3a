"""A dialect in a pipeline: a name, one with changes, or spelled out; each mistake at its own place."""

import pytest
from core_toys import hooks, package_of

from tonearm.api import MelDialect
from tonearm.errors import PipelineError
from tonearm.pipeline.check import check
from tonearm.pipeline.document import read_document
from tonearm.plugins.discovery import installed_packages
from tonearm.plugins.registry import Registry

ACME = hooks(dialects={"acme": {"sample_rate": 16000, "n_fft": 512, "hop_length": 128, "n_mels": 64}})
REGISTRY = Registry([*installed_packages(), package_of("acme", ACME)])


def checked(options):
    text = f"tonearm: 1\ninput:\n  use: npy-reader\n  with:\n{options}\noutputs: [{{use: x-writer, file: a}}]\n"
    try:
        check(read_document(text, "p.yaml", environ={}), "p.yaml", REGISTRY)
    except PipelineError as error:
        return [str(one) for one in error.problems if "x-writer" not in str(one)]
    raise AssertionError("there is no x-writer")


def dialect_of(options):
    from tonearm.pipeline.check import bind_decoder

    text = f"tonearm: 1\ninput: {{use: npy-reader, with: {options}}}\noutputs: []\n"
    return bind_decoder(
        read_document(text, "p.yaml", environ={}), "p.yaml", REGISTRY
    ).plugin.options.kind.options.dialect


def test_a_name_gives_all_and_sample_rate_is_no_longer_missing():
    assert checked("    {kind: mel, dialect: acme}") == []
    assert dialect_of("{kind: mel, dialect: acme}").n_mels == 64


def test_a_dialect_implies_a_mel():
    assert checked("    dialect: acme") == checked("    {dialect: acme, sample_rate: 16000}") == []
    assert dialect_of("{dialect: acme}").n_mels == 64


def test_one_with_changes():
    found = dialect_of("{kind: mel, dialect: {base: acme, sample_rate: 24000, steps: [{op: affine, scale: 2}]}}")
    assert (found.sample_rate, found.n_fft, found.steps[0].scale) == (24000, 512, 2)


def test_spelled_out_it_needs_no_name():
    found = dialect_of("{kind: mel, dialect: {sample_rate: 16000, n_fft: 512, hop_length: 128, n_mels: 40, fmax: 8e3}}")
    assert found == MelDialect(sample_rate=16000, n_fft=512, hop_length=128, n_mels=40, fmax=8000.0)


def test_what_the_dialect_says_already_may_be_said_again_if_it_is_the_same():
    assert checked("    {kind: mel, dialect: acme, sample_rate: 16000, n_fft: 512}") == []


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (
            "    kind: mel\n    dialect: acne",
            "p.yaml:6:14: unknown-dialect: npy-reader: dialect: there is no dialect 'acne'\n"
            "    hint: did you mean 'acme'?",
        ),
        (
            "    kind: mel",
            "p.yaml:3:8: missing-option: npy-reader: 'dialect' is missing\n    hint: dialect: …"
            " (the model family, such as"
            " hifigan; tonearm dialects lists all)",
        ),
        (
            "    kind: mel\n    dialect: {base: acme, n_mel: 80}",
            "p.yaml:6:27: unknown-option: npy-reader: dialect has no option 'n_mel'\n    hint: did you mean 'n_mels'?",
        ),
        (
            "    kind: mel\n    dialect:\n      base: acme\n      fmax: x",
            "p.yaml:8:13: bad-option: npy-reader: dialect: 'fmax' is 'x'; expected a number\n"
            "    hint: End of the highest band in Hz, half the sample rate by default.",
        ),
        (
            "    kind: mel\n    dialect:\n      base: acme\n      fmax: 9000",
            "p.yaml:8:13: bad-option: npy-reader: dialect: fmax 9000 Hz is above half the rate of 16000 Hz",
        ),
        (
            "    kind: mel\n    dialect: {base: acme, n_mels: 600}",
            "p.yaml:6:35: bad-option: npy-reader: dialect: there are fewer bins than mels:",
        ),
        (
            "    kind: mel\n    dialect: {base: acme, log: ln2}",
            "p.yaml:6:32: bad-option: npy-reader: dialect: 'log' is 'ln2'\n    hint: one of ",
        ),
        (
            "    kind: mel\n    dialect: {base: 3}",
            "p.yaml:6:21: bad-option: npy-reader: dialect: 'base' is the name of a dialect",
        ),
        (
            "    kind: mel\n    dialect: 80",
            "p.yaml:6:14: bad-option: npy-reader: dialect is a number, not a name or a mapping",
        ),
        (
            "    kind: mel\n    dialect: {base: acme, steps: [{op: affine, factor: 2}]}",
            "p.yaml:6:48: unknown-option: npy-reader: dialect: steps has no option 'factor'",
        ),
        (
            "    kind: mel\n    dialect: {base: acme, steps: [{op: flip}, {op: clip}]}",
            "p.yaml:6:52: bad-option: npy-reader: dialect: steps: the step clip needs min or max",
        ),
        (
            "    kind: mel\n    dialect: acme\n    n_fft: 1024",
            "p.yaml:7:12: bad-option: npy-reader: 'n_fft' is part of the dialect acme\n"
            "    hint: dialect: {base: acme, n_fft: 1024}, if the model differs",
        ),
        (
            "    kind: db\n    dialect: acme",
            "p.yaml:6:5: unknown-option: npy-reader has no option 'dialect' with kind db\n"
            "    hint: leave dialect out; kind mel has it",
        ),
    ],
)
def test_a_mistake_at_its_place(options, problem):
    (found,) = checked(options)
    assert found.startswith(problem)


def test_all_that_is_missing_comes_at_once():
    found = checked("    kind: mel\n    dialect: {n_fft: 512, hop_length: 9999}")
    assert [line.partition("\n")[0] for line in found] == [
        "p.yaml:6:14: missing-option: npy-reader: dialect: 'sample_rate' is missing",
        "p.yaml:6:14: missing-option: npy-reader: dialect: 'n_mels' is missing",
    ]


def test_a_set_aside_package_is_named_where_its_dialect_is_missed():
    registry = Registry([*installed_packages(), package_of("bad", hooks(dialects=lambda: 1 / 0))])
    text = "tonearm: 1\ninput: {use: npy-reader, with: {kind: mel, dialect: bad-tts}}\noutputs: []\n"
    with pytest.raises(PipelineError) as caught:
        check(read_document(text, "p.yaml", environ={}), "p.yaml", registry)
    assert any("tonearm_bad 1.2 is disabled: ZeroDivisionError" in one.hint for one in caught.value.problems)
