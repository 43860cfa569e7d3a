"""Every problem of options that `check` finds, as a user reads it: place, code, message, hint."""

import pytest
from core_toys import problems

VERSION = "tonearm: 1\n"
WAV = 'outputs: [{use: wav-writer, file: "{stem}.wav"}]\n'


def with_options(text):
    return f"{VERSION}input: {{use: npy-reader, with: {{{text}}}}}\n{WAV}"


class TestOptions:
    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("kind: waveform", "2:14: missing-option: npy-reader: 'sample_rate' is missing"
             "\n    hint: sample_rate: … (the rate that the model was made for, such as 22050)"),
            ("sample_rat: 8000, sample_rate: 8000", "2:33: unknown-option: npy-reader has no option 'sample_rat'"
             "\n    hint: did you mean 'sample_rate'?"),
            ("sample_rate: 0", "2:46: bad-option: npy-reader: 'sample_rate' is 0; expected a whole number >= 1"
             "\n    hint: Sample rate in Hz. Required, because an array does not contain it."),
            ("sample_rate: -8000", "2:46: bad-option: npy-reader: 'sample_rate' is -8000; expected a whole number >= 1"
             "\n    hint: Sample rate in Hz. Required, because an array does not contain it."),
            ("sample_rate: 22_050", "2:46: bad-option: npy-reader: 'sample_rate' is '22_050'; expected a whole number"
             "\n    hint: sample_rate: 22050"),
            ("sample_rate: 1000000000", "2:46: bad-option: npy-reader: 'sample_rate' is 1000000000;"
             " expected a whole number <= 10000000"
             "\n    hint: Sample rate in Hz. Required, because an array does not contain it."),
            ("sample_rate: [8000]", "2:46: bad-option: npy-reader: 'sample_rate' is a list; expected a whole number"
             "\n    hint: Sample rate in Hz. Required, because an array does not contain it."),
            ("sample_rate: 8000, kind: wave", "2:58: unknown-plugin: npy-reader: kind: there is no kind 'wave'"
             "\n    hint: did you mean 'waveform'?"),
            ("sample_rate: 8000, kind: waveform, axes: [time, tim]", "2:74: bad-option: npy-reader: a waveform array"
             " has no tim axis\n    hint: a waveform array has time, and may have batch and channel"),
            ("sample_rate: 8000, axes: [time, tim]", "2:58: bad-option: npy-reader: a waveform array has no tim axis"
             "\n    hint: a waveform array has time, and may have batch and channel"),
            ("sample_rate: 8000, axes: [tim, channel]", "2:58: bad-option: npy-reader: neither a waveform nor a complex"
             " array has a tim axis\n    hint: axes are named batch, channel, time, bin, frame, complex"),
            ("sample_rate: 8000, axes: [channel, time], n_fft: 16", "2:82: unknown-option: npy-reader: an array with a"
             " time axis is a waveform, which has no option 'n_fft'\n    hint: leave n_fft out"),
            ("sample_rate: 8000, axes: [mel, frame]", "2:58: missing-option: npy-reader: an array with a mel axis is a"
             " mel spectrogram, which needs its recipe\n    hint: dialect: … (the model family, such as hifigan)"),
            ("sample_rate: 8000, axes: [bin, frame, complex], hop_length: 4", "2:14: missing-option: npy-reader:"
             " 'n_fft' is missing\n    hint: n_fft: … (the model's own, as a complex spectrogram needs it)"),
            ("sample_rate: 8000, kind: waveform, n_fft: 4", "2:68: unknown-option: npy-reader has no option 'n_fft'"
             " with kind waveform\n    hint: leave n_fft out; kinds complex, db, magnitude, mel and power have it"),
            ("sample_rate: 8000, dialect: hifigan, full_scale: 1", "2:70: unknown-option: npy-reader has no option"
             " 'full_scale' with kind mel\n    hint: kinds complex, db, magnitude, power and waveform have it"),
            ("sample_rate: 8000, kind: complex, hop_length: 4", "2:14: missing-option: npy-reader: 'n_fft' is missing"
             "\n    hint: n_fft: … (the model's own, as a complex spectrogram needs it)"),
            ("sample_rate: 8000, kind: complex, n_fft: 16, hop_length: 20", "2:90: not-invertible: npy-reader: a hann"
             " window of 16 cannot be inverted at hop_length 20: some samples have no weight in any frame"
             "\n    hint: check hop_length and win_length against the model's own settings"),
        ],
    )  # fmt: skip
    def test_at_their_place(self, text, said, installed):
        assert problems(with_options(text), installed) == [f"p.yaml:{said}"]

    def test_a_list_is_asked_for_where_a_name_stands(self, installed):
        (said,) = problems(with_options("sample_rate: 8000, axes: time"), installed)
        assert said.startswith("p.yaml:2:58: bad-option: npy-reader: 'axes' is 'time'; expected a list\n")

    @pytest.mark.parametrize("given", ["[1]", "3", "text"])
    def test_with_is_a_mapping(self, given, installed):
        text = f"{VERSION}input: {{use: npy-reader, with: {given}}}\n{WAV}"
        said = "p.yaml:2:32: bad-option: npy-reader: 'with' is a mapping of options\n    hint: with: {name: value}"
        assert problems(text, installed) == [said]

    def test_all_at_once(self, installed):
        found = problems(with_options("sample_rate: x, kind: y, axe: []"), installed)
        assert [line.split(": ")[1] for line in found] == ["bad-option", "unknown-plugin", "unknown-option"]
        assert [line.split(":")[2] for line in found] == ["46", "55", "58"]


FIVE = """\
tonearm: 1
input:
  use: npy-reader
  files: "*.npy"
  with: {kind: complex, sample_rate: 22050, n_fft: 1024, hop_lenght: 256, hop_length: 256}
steps:
  - use: griffin-lim
    with: {iterations: many}
  - use: normalise
outputs:
  - use: wav-writer
    file: "../{stem}.wav"
  - use: mp3-writer
    file: "{stem}.mp3"
    with: {bitrate: 100}
"""


def test_five_mistakes_are_all_said_in_the_order_of_the_file(installed):
    assert problems(FIVE, installed) == [
        "p.yaml:5:58: unknown-option: npy-reader has no option 'hop_lenght'\n    hint: did you mean 'hop_length'?",
        "p.yaml:8:24: bad-option: griffin-lim: 'iterations' is 'many'; expected a whole number"
        "\n    hint: Number of iterations; the preset's if not given.",
        "p.yaml:9:10: unknown-plugin: there is no transform 'normalise'\n    hint: did you mean 'normalize'?",
        "p.yaml:12:11: bad-template: '../{stem}.wav' would leave the output folder\n    hint: write it without ..",
        "p.yaml:15:21: bad-option: mp3-writer: 'bitrate' is 100\n    hint: one of"
        " 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 192, 224, 256, 320",
    ]
