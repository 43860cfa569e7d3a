"""What a file says, as people first met it: it is used, and what contradicts it is refused.

Section 5 of what first users found.
"""

from __future__ import annotations

import gzip
import shlex
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io
import scipy.signal
from at_the_prompt import RATE, ROOT, SPEECH, Prompt, heard, rate_of, snr

SOUND = SPEECH[:22050]


def write_hdf5(path: str, **attributes: Any) -> None:
    import h5py

    with h5py.File(path, "w") as file:
        file["wav"] = SOUND
        file["wav"].attrs.update(attributes)


def write_torch(path: str, content: Any) -> None:
    torch = pytest.importorskip("torch", reason="pip install torch")
    torch.save(content(torch.tensor(SOUND)), path)


STATED: dict[str, tuple[str, Callable[[str], Any]]] = {
    "sr in .npz": ("in.npz", lambda path: np.savez(path, audio=SOUND, sr=RATE)),
    "a rate of one value in .npz": ("in.npz", lambda path: np.savez(path, audio=SOUND, fs=np.array([float(RATE)]))),
    "sample_rate in .pt": ("in.pt", lambda path: write_torch(path, lambda y: {"waveform": y, "sample_rate": RATE})),
    "an attribute of HDF5": ("in.h5", lambda path: write_hdf5(path, sample_rate=RATE)),
    "Fs in .mat": ("in.mat", lambda path: scipy.io.savemat(path, {"y": SOUND[None], "Fs": float(RATE)})),
}
"""Files that say the rate of their only array: their name, and what writes them.

`plugins/decoders/test_rates_of_files.py` has a rate in each format that can say one.
"""


@pytest.mark.parametrize("case", STATED)
def test_the_rate_of_a_file_is_used_shown_and_compared(case: str, tonearm: Prompt) -> None:
    name, write = STATED[case]
    write(name)
    kind = "--kind waveform" if ".pt" in case else ""
    said = tonearm.convert(f"{name} o.wav {kind}")
    assert (said.status, "warning" in said.err) == (0, False), said.err
    assert rate_of() == RATE
    assert snr(heard(), SOUND) > 60
    shown = tonearm(f"inspect {name}").out
    assert f"sample_rate: {RATE}" in shown
    assert "an array never shows it" not in shown
    said = tonearm.convert(f"{name} o.wav {kind} --sample-rate {2 * RATE}")
    assert (said.status, said.code) == (3, "rate-mismatch"), said.err
    assert str(RATE) in said.err.splitlines()[0]
    assert ["--sample-rate", str(RATE)] in said.proposals
    assert tonearm.convert(f"{name} o.wav {kind} --sample-rate {RATE}").status == 0


@pytest.mark.parametrize(("kind", "key", "more"), [
    ("complex", "stft", ""),
    ("complex", "real", "--imag imag"),
    ("magnitude", "magnitude", "--phase phase"),
    ("db", "decibels", "--phase phase"),
])  # fmt: skip
def test_the_rate_of_a_file_is_used_for_spectrograms_whose_kind_is_given(
    kind: str, key: str, more: str, tonearm: Prompt
) -> None:
    _, _, values = scipy.signal.stft(SOUND * 512, RATE, "hann", 1024, 768)
    parts = {"real": values.real, "imag": values.imag, "magnitude": abs(values), "phase": np.angle(values)}
    np.savez("in.npz", stft=values, decibels=20 * np.log10(abs(values) + 1e-9), sr=RATE, **parts)
    given = f"--key {key} --kind {kind} --n-fft 1024 --hop-length 256 {more}"
    said = tonearm.convert(f"in.npz o.wav {given}")
    assert (said.status, "warning" in said.err) == (0, False), said.err
    assert rate_of() == RATE
    assert snr(heard(), SOUND, 1024) > 60
    assert tonearm.convert("in.npz o.wav --sample-rate 16000", *given.split()).code == "rate-mismatch"


MELS = ROOT / "configs/samples/mel"

DOUBTFUL = {
    "melgan": "hifigan",
    "tacotron2": "melgan",
    "wavernn": "tacotron2-rayhane",
    "coqui": "hifigan",
}
"""Dialects whose values have an exact floor or span, and another of as many bands."""


@pytest.mark.parametrize("true", DOUBTFUL)
def test_a_mel_read_as_that_of_another_family_never_passes_without_a_word(true: str, tonearm: Prompt) -> None:
    np.save("in.npy", np.load(MELS / f"{true}.npy"))
    said = tonearm.convert(f"in.npy o.wav --dialect {DOUBTFUL[true]}")
    assert said.status == 3 or "dialect-doubtful: " in said.err
    strict = tonearm.convert(f"in.npy o.wav --dialect {DOUBTFUL[true]} --strict")
    assert strict.status == 3
    assert strict.code in ("dialect-doubtful", "dialect-mismatch")
    right = tonearm.convert(f"in.npy o.wav --dialect {true} --strict")
    assert (right.status, "dialect-doubtful" in right.err) == (0, False), right.err


def test_a_run_doubts_as_convert_does(tonearm: Prompt) -> None:
    np.save("in.npy", np.load(MELS / "melgan.npy"))
    Path("p.yaml").write_text(
        """\
tonearm: 1
input: {use: npy-reader, files: in.npy, with: {kind: mel, dialect: hifigan}}
steps: [{use: mel-to-wave, with: {iterations: 2}}]
outputs: [{use: wav-writer, file: "{stem}.wav"}]
"""
    )
    said = tonearm("run p.yaml -o out --executor in-process")
    assert said.status == 0
    assert "dialect-doubtful" in said.err
    said = tonearm("run p.yaml -o other --executor in-process --strict")
    assert said.status != 0
    assert "dialect-doubtful" in said.err


MEL = np.load(MELS / "hifigan.npy")
PITCH = np.linspace(-1, 1, 3 * MEL.shape[1], dtype=np.float32).reshape(3, -1)


def kaldi(path: str) -> None:
    """Write features of 80 bands and 3 values of pitch, (frames, 83), as Kaldi does."""
    features = np.concatenate([MEL, PITCH]).T.astype("<f4")
    head = b"utt1 \0BFM " + b"".join(b"\4" + struct.pack("<i", size) for size in features.shape)
    Path(path).write_bytes(head + features.tobytes())


BANDS: dict[str, tuple[str, Callable[[str], Any], str]] = {
    "features of Kaldi": ("in.ark", kaldi, "0,80"),
    "pitch behind the bands": ("in.npy", lambda path: np.save(path, np.concatenate([MEL, PITCH])), "0,80"),
    "an energy before the bands": ("in.npy", lambda path: np.save(path, np.concatenate([MEL[:1] * 0, MEL])), "1,81"),
    "frames first": ("in.npy", lambda path: np.save(path, np.concatenate([MEL, PITCH]).T), "0,80"),
}


@pytest.mark.parametrize("case", BANDS)
def test_a_part_of_the_bands_is_read(case: str, tonearm: Prompt) -> None:
    np.save("in.npy", MEL)
    assert tonearm.convert("in.npy wanted.wav --dialect hifigan").status == 0
    name, write, bands = BANDS[case]
    write(name)
    line = f"{name} o.wav --dialect hifigan"
    said = tonearm.convert(line)
    assert (said.status, said.code) == (3, "dialect-mismatch")
    assert said.proposals[0][0] == "--bands"
    line += f" --bands {bands}"
    said = tonearm.convert(line)
    if said.status:  # two axes are long enough
        line += " " + shlex.join(said.proposals[0])
        said = tonearm.convert(line.split(" or ")[0])
    assert said.status == 0, said.err
    np.testing.assert_array_equal(heard(), heard("wanted.wav"))


GUARDED = """\
tonearm: 1
input: {{use: npy-reader, files: "*.npy", with: {{kind: waveform, sample_rate: 22050}}}}
steps: [{{use: guard, with: {{{options}}}}}]
outputs: [{{use: wav-writer, file: "{{stem}}.wav"}}]
"""


@pytest.mark.parametrize(
    ("before", "after", "again"),
    [
        ("silence: error", "silence: warn", 0),
        ("noise: warn", "noise: error", 0),
        ("clipping: error", "clipping: off", 0),
        ("dc: warn", "dc: fix", 2),
    ],
)
def test_a_policy_that_changes_no_byte_converts_nothing_again(
    before: str, after: str, again: int, tonearm: Prompt
) -> None:
    np.save("a.npy", SOUND)
    np.save("b.npy", SOUND[::-1])
    Path("p.yaml").write_text(GUARDED.format(options=before))
    assert "2 converted, 0 failed" in tonearm("run p.yaml -o out --executor in-process").err
    Path("p.yaml").write_text(GUARDED.format(options=after))
    assert f"{again} converted, 0 failed" in tonearm("run p.yaml -o out --executor in-process").err


@pytest.mark.parametrize("compressed", [False, True])
def test_lengths_beside_a_batch_cut_its_padding(compressed: bool, tonearm: Prompt) -> None:
    padded = np.zeros((2, 9000), np.float32)
    padded[0], padded[1, :5000] = SPEECH[:9000], SPEECH[9000:14000]
    np.savez("in.npz", wav=padded, wav_lengths=np.array([9000, 5000]), sr=RATE)
    name = "in.npz"
    if compressed:
        name = "in.npz.gz"
        Path(name).write_bytes(gzip.compress(Path("in.npz").read_bytes()))
    said = tonearm.convert(f"{name} '{{index}}.wav' --kind waveform --key wav --lengths wav_lengths")
    assert said.status == 0, said.err
    assert [len(heard(f"{number}.wav")) for number in range(2)] == [9000, 5000]


@pytest.mark.parametrize("kind", ["", "--kind complex"])
def test_the_rate_and_the_hop_beside_a_spectrogram(kind: str, tonearm: Prompt) -> None:
    import librosa

    stft = librosa.stft(SOUND, n_fft=1024, hop_length=512)
    np.savez("in.npz", S=stft, sr=RATE, hop_length=512)
    said = tonearm.convert(f"in.npz o.wav --n-fft 1024 --hop-length 256 {kind}")
    assert said.code == "figures-mismatch"
    said = tonearm.convert(f"in.npz o.wav --n-fft 1024 {kind}", *said.proposals[0])
    assert said.status == 0, said.err
    assert rate_of() == RATE
    assert snr(heard(), SOUND, 1024) > 60
