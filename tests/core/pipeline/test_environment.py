"""Environment variables: read where files are named, elsewhere only if allowed, and never published."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import tonearm
from tonearm.cli.main import main
from tonearm.errors import InsertStep, SetOption, advise, one_line
from tonearm.pipeline.check import check
from tonearm.pipeline.converter import Converter
from tonearm.pipeline.document import override, read_document, to_plain
from tonearm.pipeline.environment import Masks, add_refused, with_hidden_tags
from tonearm.pipeline.problems import Problems
from tonearm.pipeline.yaml.nodes import MappingNode
from tonearm.pipeline.yaml.scalars import quote
from tonearm.plugins import registry

SECRET = "hunter2-correct-horse"
REGISTRY = registry.default()


def pipeline(
    *,
    files: str | list[str] = "*.npy",
    decoder: str = "",
    steps: str = "[]",
    output: str = "{stem}.wav",
    more: str = "",
) -> str:
    return (
        "tonearm: 1\n"
        f"input: {{use: npy-reader, files: {files!r}, with: {{kind: waveform, sample_rate: 8000{decoder}}}}}\n"
        f"steps: {steps}\n"
        f"outputs: [{{use: wav-writer, file: {output!r}, with: {{provenance: true{more}}}}}]\n"
    )


def checked(text: str, env: tuple[str, ...] = (), **environ: str) -> tonearm.pipeline.checked.CheckedPipeline:  # type: ignore[name-defined]
    return check(read_document(text, "p.yaml", environ={"SECRET": SECRET, **environ}), "p.yaml", REGISTRY, env=env)


ELSEWHERE = {
    "a tag": {"more": ", tags: {title: '${SECRET}'}"},
    "part of a tag": {"more": ", tags: {title: 'by ${SECRET:nobody}'}"},
    "another tag": {"more": ", tags: {comment: x, album: '${SECRET}'}"},
    "the name of an output": {"output": "${SECRET}/{stem}.wav"},
    "a step": {"steps": "[{use: '${SECRET}'}]"},
    "part of the name of a step": {"steps": "[{use: 'x${SECRET}x'}]"},
    "a number": {"steps": "[{use: normalize, with: {peak_db: '${SECRET}'}}]"},
    "an option of the decoder": {"decoder": ", axes: ['${SECRET}']"},
}


@pytest.mark.parametrize("where", ELSEWHERE)
def test_a_variable_elsewhere_is_a_problem_that_does_not_tell_its_value(where: str) -> None:
    with pytest.raises(tonearm.PipelineError) as raised:
        checked(pipeline(**ELSEWHERE[where]))
    refused = [one for one in raised.value.problems if one.code == "refused-variable"]
    assert len(refused) == 1
    assert refused[0].line in (2, 3, 4)
    assert "--env SECRET" in refused[0].hint
    assert SECRET not in str(raised.value)


def test_sources_and_names_of_files_read_the_environment(tmp_path: Path) -> None:
    np.save(tmp_path / "window.npy", np.hanning(64).astype(np.float32))
    found = checked(
        pipeline(
            files="${FOLDER}/*.npy",
            steps="[{use: wave-to-spectrogram, with: {n_fft: 64, hop_length: 16, window: '${FOLDER}/window.npy'}},"
            " {use: istft}]",
        ),
        FOLDER=str(tmp_path),
    )
    assert found.files == (f"{tmp_path}/*.npy",)
    assert found.steps[0].plugin.options.window == str(tmp_path / "window.npy")


def test_a_file_that_is_missing_is_named_by_its_variable() -> None:
    with pytest.raises(tonearm.PipelineError) as raised:
        checked(pipeline(more=", cover: '${SECRET}.png'"))
    assert "there is no file ${SECRET}.png" in str(raised.value)
    assert SECRET not in str(raised.value)


def test_an_allowed_variable_reaches_the_plugin_and_no_record() -> None:
    found = checked(pipeline(steps="\n- use: gain\n  with:\n    gain_db: ${LOUDER}"), ("LOUDER",), LOUDER="-3.25")
    assert found.steps[0].plugin.options.gain_db == -3.25
    from tonearm.pipeline.provenance import stages_of

    assert stages_of(found.steps)[0]["with"]["gain_db"] == "${LOUDER}"
    with pytest.raises(tonearm.PipelineError, match="refused-variable"):
        checked(pipeline(steps="\n- use: gain\n  with:\n    gain_db: ${LOUDER}"), ("OTHER",), LOUDER="-3.25")


def test_tags_show_the_name_of_an_allowed_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a run leaves behind is searched for the value."""
    monkeypatch.setenv("SECRET", SECRET)
    np.save(tmp_path / "a.npy", np.zeros(800, np.float32))
    (tmp_path / "p.yaml").write_text(pipeline(more=", tags: {title: 'by ${SECRET} of {stem}'}"))
    out = tmp_path / "out"
    assert main(["run", str(tmp_path / "p.yaml"), "--out", str(out), "--jobs", "0"]) == 2
    assert not out.exists()
    assert main(["run", str(tmp_path / "p.yaml"), "--out", str(out), "--jobs", "0", "--env", "SECRET"]) == 0
    written = [path.read_bytes() for path in out.rglob("*") if path.is_file()]
    assert any(b"by ${SECRET} of a" in content for content in written)
    assert not any(SECRET.encode() in content for content in written)


def test_errors_of_items_show_the_name(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", wav=np.zeros(800, np.float32))
    text = pipeline(files="*.npz", decoder=", key: '${SECRET}'").replace("npy-reader", "npz-reader")
    converter = Converter(checked(text, ("SECRET",)))
    with pytest.raises(tonearm.ItemError) as raised:
        list(converter.convert(tmp_path / "a.npz"))
    assert "${SECRET}" in str(raised.value)
    assert SECRET not in str(raised.value)


def test_python_allows_names_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", SECRET)
    file = tmp_path / "p.yaml"
    file.write_text(pipeline(more=", tags: {title: '${SECRET}'}"))
    with pytest.raises(tonearm.PipelineError, match="refused-variable"):
        tonearm.load_pipeline(file)
    assert tonearm.load_pipeline(file, env=["SECRET"])


def test_a_plugin_that_no_package_has_is_named_by_its_variable() -> None:
    with pytest.raises(tonearm.PipelineError) as raised:
        checked(pipeline(steps="[{use: '${SECRET}'}]"), ("SECRET",))
    assert [one.code for one in raised.value.problems] == ["unknown-plugin"]
    assert "there is no transform '${SECRET}'" in str(raised.value)
    assert SECRET not in str(raised.value)


def test_the_name_of_a_refused_plugin_is_not_looked_for() -> None:
    """Neither a message nor a guess at what was meant tells how near the value is to a name."""
    with pytest.raises(tonearm.PipelineError) as raised:
        checked(pipeline(steps="[{use: '${SECRET}'}]"), SECRET="normalise")
    assert [one.code for one in raised.value.problems] == ["refused-variable"]
    assert "normali" not in str(raised.value)


def test_a_refused_template_is_not_taken_apart() -> None:
    with pytest.raises(tonearm.PipelineError) as raised:
        checked(pipeline(output="{stem}${SECRET}.wav"), SECRET="{hunter2}")
    assert [one.code for one in raised.value.problems] == ["refused-variable"]
    assert "hunter2" not in str(raised.value)


def test_a_value_that_is_no_scalar_is_not_quoted() -> None:
    with pytest.raises(tonearm.PipelineError) as raised:
        checked(pipeline(steps="\n- use: gain\n  with:\n    gain_db: ${SECRET}"), SECRET="00123456")
    assert "'${SECRET}' looks octal" in str(raised.value)
    assert "123456" not in str(raised.value)


@pytest.mark.parametrize(
    ("files", "shown"),
    [
        ("${SECRET}", "there is no file ${SECRET}"),
        ("${SECRET}/*.npy", "${SECRET}/*.npy matches no source"),
        ("${SECRET:x}//none/../*.npy", "${SECRET:x}//none/../*.npy matches no source"),
    ],
)
@pytest.mark.parametrize("secret", [SECRET, "hunter2//./horse\x1b", "hunter2" * 60])
def test_sources_that_are_missing_are_named_by_their_variable(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    files: str,
    shown: str,
    secret: str,
) -> None:
    monkeypatch.setenv("SECRET", secret)
    np.save(tmp_path / "a.npy", np.zeros(800, np.float32))
    (tmp_path / "p.yaml").write_text(pipeline(files=["a.npy", files]))
    status = main(["run", str(tmp_path / "p.yaml"), "--out", str(tmp_path / "out"), "--jobs", "0"])
    assert status == (0 if "*" in files else 2)
    printed = "".join(capfd.readouterr())
    assert shown in printed
    assert "hunter2" not in printed


def test_values_are_found_however_a_message_quotes_them() -> None:
    secret = "hun\x1bter2'\\" + "x" * 400
    masks = Masks({secret: "${P}", "hunter": "${Q}"})
    for text in (secret, repr(secret), one_line(secret), one_line(repr(secret), 60), quote(secret)):
        found = masks.in_text(f"no {text} here, but … and ter2…")
        assert "${P}" in found
        assert "hun" not in found
        assert found.endswith(" here, but … and ter2…")


def test_remedies_show_the_name() -> None:
    masks = Masks({"hunter2": "${P}"})
    remedies = (SetOption("key", ["hunter2", 3]), InsertStep("gain", {"x": ("hunter2",)}), *advise("not hunter2"))
    assert masks.in_remedies(remedies) == (
        SetOption("key", ["${P}", 3]),
        InsertStep("gain", {"x": ("${P}",)}),
        *advise("not ${P}"),
    )


def test_masks_leave_short_values_in_messages_alone() -> None:
    masks = Masks({"8": "${N}", "hunter2": "${P}"})
    assert masks.in_text("8 of 18 by hunter2") == "8 of 18 by ${P}"
    assert masks.in_plain({"a": 8, "b": [True, None, "x hunter2"], "c": 9}) == {
        "a": "${N}",
        "b": [True, None, "x ${P}"],
        "c": 9,
    }


def test_an_alias_of_a_file_is_no_file_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "window.npy").write_bytes(b"")
    steps = (
        "[{use: wave-to-spectrogram, with: {n_fft: 64, hop_length: 16, window: &x '${FOLDER}/window.npy'}},"
        " {use: istft}]"
    )
    text = pipeline(steps=steps).replace("file: '{stem}.wav'", "file: *x")
    with pytest.raises(tonearm.PipelineError, match="refused-variable"):
        checked(text, FOLDER=str(tmp_path))


@pytest.mark.parametrize("place", ["outputs.0.file", "outputs.0.with.tags.title", "limits.memory"])
def test_an_override_reads_no_variable_that_is_not_allowed(place: str) -> None:
    root = override(read_document(pipeline(), "p.yaml"), f"{place}=${{SECRET}}", environ={"SECRET": SECRET})
    with pytest.raises(tonearm.PipelineError, match="refused-variable") as raised:
        check(root, "p.yaml", REGISTRY)
    assert SECRET not in str(raised.value)


def test_masks_of_values_that_are_no_text_or_short() -> None:
    masks = Masks({"abcd": "${A}", "abc": "${B}", "True": "${T}", "None": "${N}", "1.5": "${F}"})
    assert masks.in_text("abcd abc") == "${A} abc"
    assert masks.in_plain([True, None, "abc", 1.5, "abcd!"]) == [True, None, "${B}", "${F}", "${A}!"]


def test_tags_without_a_variable_keep_their_values() -> None:
    node = read_document("{tags: {a: 3, b: '${S} ${S:x}', c: [1]}, d: '${S}'}", "p.yaml", environ={"S": "secret"})
    shown = to_plain(with_hidden_tags(node))
    assert shown == {"tags": {"a": 3, "b": "${{S}} ${{S}}", "c": [1]}, "d": "secret"}
    plain = read_document("{tags: {a: 3}, d: '${S}'}", "p.yaml", environ={"S": "secret"})
    assert with_hidden_tags(plain) is plain
    assert with_hidden_tags(None) is None
    assert Masks.of(node) == {"secret secret": "${S} ${S:x}", "secret": "${S}"}


def test_every_variable_that_is_refused_is_told_once() -> None:
    text = "{a: '${S}', b: ['${S} ${S} ${T:}', '${U}'], c: '${S}'}"
    node = read_document(text, "p.yaml", environ={"S": "s", "U": "u"})
    assert isinstance(node, MappingNode)
    problems = Problems("p.yaml")
    problems.paths.add(id(node.entries["a"].node))
    add_refused(node, {"U"}, problems)
    assert [(one.column, one.message[:4]) for one in problems.found] == [(17, "${S}"), (17, "${T}"), (48, "${S}")]
