"""Pipeline files that are broken, too large, or ask for what a pipeline may not do."""

from __future__ import annotations

from typing import NamedTuple

HEAD = "tonearm: 1\n"
INPUT = "input: {use: npy-reader, files: '*.npy', with: {kind: waveform, sample_rate: 8000}}\n"
OUTPUT = "outputs: [{use: wav-writer, file: '{stem}.wav'}]\n"


class PipelineCase(NamedTuple):
    """A pipeline file and the codes of the problems that must be found in it, in any order; none if it is fine."""

    text: bytes
    codes: tuple[str, ...]


def of(text: str | bytes, *codes: str) -> PipelineCase:
    return PipelineCase(text if isinstance(text, bytes) else text.encode(), codes)


def with_output(text: str, *codes: str) -> PipelineCase:
    return of(f"{HEAD}{INPUT}outputs: [{text}]\n", *codes)


def with_steps(text: str, *codes: str) -> PipelineCase:
    return of(f"{HEAD}{INPUT}steps: {text}\n{OUTPUT}", *codes)


def with_input(text: str, *codes: str) -> PipelineCase:
    return of(f"{HEAD}input: {text}\n{OUTPUT}", *codes)


LAUGHS = "a: &a [x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)}, *{chr(97 + n)}]\n" for n in range(24)
)

CASES: dict[str, PipelineCase] = {
    "fine": of(HEAD + INPUT + OUTPUT),
    "with a mark of bytes": of(b"\xef\xbb\xbf" + (HEAD + INPUT + OUTPUT).encode()),
    "with Windows' lines": of((HEAD + INPUT + OUTPUT).replace("\n", "\r\n")),
    "as JSON": of(
        '{"tonearm": 1, "input": {"use": "npy-reader", "files": "*.npy", "with": {"kind": "waveform",'
        ' "sample_rate": 8000}}, "outputs": [{"use": "wav-writer", "file": "{stem}.wav"}]}'
    ),
    "empty": of("", "empty"),
    "a comment": of("# nothing\n", "empty"),
    "a scalar": of("hello\n", "wrong-shape"),
    "a list": of("- 1\n", "wrong-shape"),
    "null": of("null\n", "wrong-shape"),
    "noise": of(bytes(range(256)) * 9, "not-utf8"),
    "zeros": of(bytes(999), "not-utf8"),
    "latin-1": of("tonearm: 1 # é\n".encode("latin-1"), "not-utf8"),
    "utf-16": of((HEAD + INPUT + OUTPUT).encode("utf-16"), "not-utf8"),
    "two documents": of(HEAD + INPUT + OUTPUT + "---\n" + HEAD, "several-documents"),
    "an unknown tag": of(HEAD + "input: !!python/object/apply:os.mkdir [/tmp/tonearm-evil]\n" + OUTPUT, "tag-refused"),
    "a tag of bytes": of(HEAD + "input: !!binary aGVsbG8=\n" + OUTPUT, "tag-refused"),
    "laughs": of(LAUGHS, "too-many-nodes"),
    "an alias of itself": of(HEAD + INPUT + "outputs: &a [*a]\n", "recursive-alias"),
    "an unknown alias": of(HEAD + INPUT + "outputs: *nothing\n", "unknown-alias"),
    "merged keys": of(HEAD + "input: {<<: {use: npy-reader}}\n" + OUTPUT, "missing-option"),
    "a key twice": of(HEAD + HEAD + INPUT + OUTPUT, "duplicate-key"),
    "deep lists": of("[" * 5000, "too-deep"),
    "deep mappings": of("{a: " * 5000, "too-deep"),
    "deep blocks": of("".join(" " * n + "a:\n" for n in range(1500)), "too-large"),
    "a long key": of(f"{HEAD}{'k' * 100_000}: 1\n{INPUT}{OUTPUT}", "yaml-syntax"),
    "a million lines": of(HEAD + "# nothing\n" * 1_000_000 + INPUT + OUTPUT, "too-large"),
    "many outputs": of(
        f"{HEAD}{INPUT}outputs:\n" + "- {use: wav-writer, file: '{stem}.wav'}\n" * 2000, "too-many-nodes"
    ),
    "many steps": of(f"{HEAD}{INPUT}steps:\n" + "- use: nothing\n" * 2000 + OUTPUT, "unknown-plugin"),
    "a number without end": with_steps(f"[{{use: gain, with: {{gain_db: {'9' * 5000}}}}}]", "bad-number"),
    "no version": of(INPUT + OUTPUT, "missing-key"),
    "version 2": of("tonearm: 2\n" + INPUT + OUTPUT, "wrong-version"),
    "version as text": of("tonearm: '1'\n" + INPUT + OUTPUT, "wrong-version"),
    "no input": of(HEAD + OUTPUT, "missing-key"),
    "an empty list of outputs": of(HEAD + INPUT + "outputs: []\n", "wrong-shape"),
    "outputs as a mapping": of(HEAD + INPUT + "outputs: {use: wav-writer}\n", "wrong-shape"),
    "an unknown key": of(HEAD + INPUT + OUTPUT + "output: []\n", "unknown-key"),
    "an unknown decoder": with_input("{use: npy-reade}", "unknown-plugin"),
    "a decoder as a step": with_steps("[{use: npy-reader}]", "unknown-plugin"),
    "a number as a plugin": with_steps("[{use: 3}]", "wrong-shape"),
    "options as a list": with_steps("[{use: gain, with: [3]}]", "bad-option"),
    "an unknown option": with_steps("[{use: gain, with: {decibels: 3}}]", "missing-option", "unknown-option"),
    "text for a number": with_steps("[{use: gain, with: {gain_db: loud}}]", "bad-option"),
    "nan": with_steps("[{use: gain, with: {gain_db: .nan}}]", "bad-number"),
    "a truth value for a number": with_steps("[{use: gain, with: {gain_db: yes}}]", "bad-option"),
    "kinds that do not fit": with_steps("[{use: istft}]", "port-mismatch"),
    "a path out": with_output("{use: wav-writer, file: '../{stem}.wav'}", "bad-template"),
    "an absolute path": with_output("{use: wav-writer, file: '/tmp/{stem}.wav'}", "bad-template"),
    "the folder of runs": with_output("{use: wav-writer, file: '.tonearm/{stem}.wav'}", "bad-template"),
    "an unknown field": with_output("{use: wav-writer, file: '{nothing}.wav'}", "bad-template"),
    "an attribute of a field": with_output("{use: wav-writer, file: '{stem.__class__}.wav'}", "bad-template"),
    "an open brace": with_output("{use: wav-writer, file: '{stem.wav'}", "bad-template"),
    "a name of 300 letters": with_output(f"{{use: wav-writer, file: '{'x' * 300}.wav'}}", "name-too-long"),
    "a zero in a name": with_output('{use: wav-writer, file: "{stem}\\0.wav"}', "bad-text"),
    "escapes in a name": with_output('{use: wav-writer, file: "\\e[31m{stem}.wav"}', "bad-template"),
    "one name for all": with_output("{use: wav-writer, file: a.wav}"),
    "two outputs of one name": with_output(
        "{use: wav-writer, file: '{stem}.wav'}, {use: wav-writer, file: '{stem}.wav'}", "same-output"
    ),
    "ffmpeg's second output": with_output(
        "{use: ffmpeg-writer, file: '{stem}.mka', with: {parameters: [-c:a, aac, /tmp/other.wav]}}", "unsafe-argument"
    ),
    "ffmpeg's second input": with_output(
        "{use: ffmpeg-writer, file: '{stem}.mka', with: {parameters: [-i, /etc/passwd]}}", "unsafe-argument"
    ),
    "ffmpeg's report": with_output(
        "{use: ffmpeg-writer, file: '{stem}.mka', with: {parameters: [-report]}}", "unsafe-argument"
    ),
    "ffmpeg's segments": with_output(
        "{use: ffmpeg-writer, file: '{stem}.m3u8', with: {format: hls}}", "unknown-format"
    ),
    "a secret in tags": with_output(
        "{use: wav-writer, file: '{stem}.wav', with: {tags: {title: '${SECRET}'}}}", "unset-variable"
    ),
    "an unknown variable": with_input("{use: npy-reader, files: '${NOTHING}'}", "unset-variable"),
    "a limit that is none": of(HEAD + "limits: {memory: lots}\n" + INPUT + OUTPUT, "bad-option"),
    "an unknown limit": of(HEAD + "limits: {cores: 3}\n" + INPUT + OUTPUT, "unknown-option"),
}
"""Pipelines by what they are."""
