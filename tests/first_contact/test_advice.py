"""Advice, as people first met it: what a hint proposes is followed to the letter, and the sound is right.

Each case is an array and a command line. Section 1 of what first users found.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import librosa
import numpy as np
import pytest
from at_the_prompt import RATE, SPEECH, Answer, Prompt, heard, level, rate_of, snr

N_FFT, HOP = 1024, 256
GRID = f"--sample-rate {RATE} --n-fft {N_FFT} --hop-length {HOP}"
RIGHT = 60.0
"""Signal-to-noise ratio in dB that 16-bit samples of the right sound reach."""

STFT = librosa.stft(SPEECH, n_fft=N_FFT, hop_length=HOP)
MAGNITUDES = np.maximum(np.abs(STFT), 1e-5)


def both_sides(spectrum: Any) -> Any:
    """Return the bins of one side followed by their mirror image."""
    return np.concatenate([spectrum, spectrum[-2:0:-1].conj()])


def parts(axis: int) -> Any:
    return np.stack([STFT.real, STFT.imag], axis=axis)


def inverse() -> Any:
    return np.fft.ifft(np.fft.fft(SPEECH.astype(float)))


COMPLEX: dict[str, tuple[Callable[[], Any], str]] = {
    "both sides": (lambda: both_sides(STFT), GRID),
    "both sides, the middle first": (lambda: np.roll(both_sides(STFT), N_FFT // 2 - 1, axis=0), GRID),
    "parts last": (lambda: parts(-1), f"{GRID} --kind complex"),
    "parts last of frames first": (lambda: parts(-1).transpose(1, 0, 2), f"{GRID} --kind complex"),
    "parts first": (lambda: parts(0), f"{GRID} --kind complex"),
    "parts between": (lambda: parts(1), f"{GRID} --kind complex"),
    "parts in halves": (lambda: np.concatenate([STFT.real, STFT.imag]), f"{GRID} --kind complex"),
    "phases behind": (lambda: np.stack([np.abs(STFT), np.angle(STFT)]), f"{GRID} --kind complex"),
    "another size": (lambda: STFT, GRID.replace("1024", "2048")),
    "a size that is far off": (lambda: STFT, GRID.replace("1024", "400")),
    "exchanged axes": (lambda: STFT, f"{GRID} --axes frame,bin"),
    "an inverse transform": (inverse, f"--sample-rate {RATE}"),
    "16 bits as floats": (lambda: SPEECH * 32768, f"--sample-rate {RATE}"),
}
"""Arrays from which the sound comes back whole, with options that do not read them."""


def follow(tonearm: Prompt, line: str, said: Answer) -> Iterator[Answer]:
    """Yield the answer to a line with each proposal in turn, in place of the flag of its name."""
    for words in said.proposals:
        before = shlex.split(line)
        while words[0] in before:
            del before[before.index(words[0]) : before.index(words[0]) + 2]
        if ", with axes [" in said.hint:
            words = [*words, "--axes", said.hint.split(", with axes [")[1].split("]")[0].replace(" ", "")]
        yield tonearm.convert(shlex.join([*before, *words]))


@pytest.mark.parametrize("case", COMPLEX)
def test_a_hint_that_is_followed_gives_the_sound(case: str, tonearm: Prompt) -> None:
    made, options = COMPLEX[case]
    np.save("in.npy", made())
    line = f"in.npy o.wav {options}"
    said = tonearm.convert(line)
    assert said.status == 3
    answer = next(follow(tonearm, line, said))
    if answer.status:  # one step further
        answer = next(follow(tonearm, shlex.join([*line.split(), *said.proposals[0]]), answer))
    assert answer.status == 0, (said.err, answer.err)
    assert snr(heard()) > RIGHT


LOGARITHMS: dict[str, Callable[[], Any]] = {
    "ln": lambda: np.log(MAGNITUDES),
    "log10": lambda: np.log10(MAGNITUDES),
    "20 log10": lambda: 20 * np.log10(MAGNITUDES),
    "10 log10 of powers": lambda: 10 * np.log10(MAGNITUDES**2),
    "ln of powers": lambda: np.log(MAGNITUDES**2),
    "ln, floor 1e-3": lambda: np.log(np.maximum(MAGNITUDES, 1e-3)),
}


@pytest.mark.parametrize("case", LOGARITHMS)
def test_a_logarithm_is_named_and_gives_the_level(case: str, tonearm: Prompt) -> None:
    np.save("in.npy", LOGARITHMS[case]().astype(np.float32))
    line = f"in.npy o.wav {GRID} --kind magnitude"
    said = tonearm.convert(line)
    assert (said.status, said.code) == (3, "negative-magnitude")
    answers = follow(tonearm, line, said)
    levels = [level(heard()) for answer in answers if answer.status == 0 and "warning" not in answer.err]
    assert levels, said.err
    assert abs(levels[0] - level(SPEECH)) < 1.0, said.err  # the first proposal; a wrong base is 6 dB off and more


def test_decibels_of_a_mel_keep_librosas_family_and_its_rate(tonearm: Prompt) -> None:
    np.save("in.npy", librosa.power_to_db(librosa.feature.melspectrogram(y=SPEECH)))
    found = json.loads(tonearm("inspect in.npy --json").out)["findings"]
    names = [one["value"] for one in found if one["what"] == "dialect"]
    assert names[0].startswith("librosa-db")
    said = tonearm.convert("in.npy o.wav --dialect librosa-db")
    assert (said.status, said.code) == (3, "dialect-mismatch")
    assert said.proposals[0] == ["--dialect", "{base: librosa-db, reference: 1.0}"]
    if "torchaudio-db" in said.hint:  # never a sample rate without a word
        assert "--dialect torchaudio-db, with sample_rate 16000 for 22050, n_fft 400 for 2048" in said.hint
    assert tonearm.convert("in.npy o.wav", *said.proposals[0]).status == 0
    assert rate_of() == RATE
    assert abs(len(heard()) - len(SPEECH)) <= 512
    assert abs(level(heard()) - level(SPEECH)) < 1.5


def test_real_parts_are_named_before_a_size(tonearm: Prompt) -> None:
    np.save("in.npy", inverse())
    said = tonearm.convert(f"in.npy o.wav --sample-rate {RATE}")
    assert "no imaginary part to speak of" in said.err
    assert said.hint == "--kind waveform, which takes the real part"


@pytest.mark.parametrize("count", [2, 12])
def test_many_sources_under_one_name_are_refused_at_check_with_what_concat_joins(count: int, tonearm: Prompt) -> None:
    for number in range(count):
        np.save(f"chunk_{number}.npy", SPEECH[:2000])
    Path("p.yaml").write_text(
        f"""\
tonearm: 1
input: {{use: npy-reader, files: "chunk_*.npy", with: {{kind: waveform, sample_rate: {RATE}}}}}
steps: [{{use: concat}}]
outputs: [{{use: wav-writer, file: whole.wav}}]
"""
    )
    said = tonearm("check p.yaml")
    assert said.status != 0
    assert said.err.count("concat joins") == 1
    assert "one source" in said.err
    ran = tonearm("run p.yaml -o out")
    assert ran.status != 0
    assert ran.err.count("same-output") <= 1


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"garbage, nothing else", "text that begins with 'garbage,'"),
        (b"\x80\x04\x95\x10\0\0\0\0\0\0\0]\x94(K\x01K\x02e.", "pickle"),
        (b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x22\x56\0\0\x44\xac\0\0\2\0\x10\0data\0\0\0\0", "WAV"),
        (b"PK\x03\x04" + bytes(40), "zip"),
        (b"\x1f\x8b\x08\0" + bytes(40), "gzip"),
        (b"\x89HDF\r\n\x1a\n" + bytes(40), "HDF5"),
        (b"ID3\x04\0\0\0\0\0\0" + bytes(40), "MP3"),
        (b'{"audio": [0.0, 0.1]}', "JSON"),
    ],
)
def test_what_a_file_is_instead_of_an_array_is_said(data: bytes, says: str, tonearm: Prompt) -> None:
    Path("in.npy").write_bytes(data)
    said = tonearm.convert(f"in.npy o.wav --sample-rate {RATE}")
    assert said.status == 3
    assert says.lower() in said.err.lower()
    if not says.startswith("text"):
        assert "loadtxt" not in said.err


@pytest.mark.parametrize(
    ("step", "given", "wanted"),
    [
        ("resample", "sample_rate=48000", 48000),
        ("gain", "gain_db=-6", RATE),
        ("time-stretch", "rate=2", RATE),
        ("pitch-shift", "semitones=3", RATE),
    ],
)
def test_the_option_of_a_step_is_asked_for_in_a_line_that_works(
    step: str, given: str, wanted: int, tonearm: Prompt
) -> None:
    np.save("in.npy", SPEECH)
    line = f"in.npy o.wav --sample-rate {RATE} --step {step}"
    said = tonearm.convert(line)
    name, value = given.split("=")
    assert said.status == 2
    assert said.err.startswith(f"missing-option: {step}: '{name}' is missing")
    flag = said.hint.split("…")[0]
    assert tonearm.convert(line, *f"{flag}{value}".split()).status == 0
    assert rate_of() == wanted
    assert tonearm.convert(f"in.npy o.wav --sample-rate {RATE} --step {step}:{given}").status == 0
    assert rate_of() == wanted
