"""A user who follows the first hint of `tonearm convert`, word by word, ends with the right sound, or with a refusal.

Sounds are compared sample by sample where the array has phases, and by their magnitudes where it has none.
"""

from __future__ import annotations

import re
import shlex

import numpy as np
import pytest
import soundfile
from remedy_sources import RATE, complex_parts, librosa_db, magnitude, powers, sound, spectrum, stereo

from tonearm.cli.main import main

GRID = f"--sample-rate {RATE} --n-fft 1024 --hop-length 256"
WAVE = f"--sample-rate {RATE} --kind waveform"
MOST = 6
"""Number of hints that are followed."""


def librosa_mel(scale=1.0, exponent=1, fmax=8000.0, **grid):
    """Return a mel spectrogram of the sound by librosa: 80 bands on the grid of HiFi-GAN by default."""
    import librosa

    grid = {"n_fft": 1024, "hop_length": 256, "n_mels": 80} | grid
    return librosa.feature.melspectrogram(y=sound() * scale, sr=RATE, power=exponent, fmax=fmax, **grid)


def power_db(scale=1.0, **options):
    import librosa

    return librosa.power_to_db(powers() * scale**2, **options).astype("f4")


def scipy_stft(scale=1.0):
    import scipy.signal

    return (scipy.signal.stft(sound() * scale, nperseg=1024, noverlap=768)[2]).astype("c8")


def ln(values, floor=1e-5):
    return np.log(np.maximum(values, floor)).astype("f4")


def columns(count=2):
    return np.ascontiguousarray(stereo(count).T)


CASES = {
    # scales
    "16-bit samples as floats": (lambda: sound() * 32768, WAVE, sound),
    "unsigned 16-bit samples": (lambda: ((sound() + 1) * 32768).astype("u2"), WAVE, sound),
    "24 bits in int32": (lambda: (sound() * 2**23).astype("i4"), WAVE, None),
    "a spectrogram of 16 bits": (lambda: spectrum() * 32768, GRID, sound),
    "scipy's of 16 bits": (lambda: scipy_stft(32768), GRID, sound),
    "scipy's magnitudes of 16 bits": (lambda: abs(scipy_stft(32768)), f"{GRID} --kind magnitude", sound),
    "values that are not scaled": (spectrum, f"{GRID} --scaling spectrum", sound),
    "magnitudes that are not scaled": (magnitude, f"{GRID} --kind magnitude --scaling spectrum", sound),
    "librosa's by scipy's name": (spectrum, f"{GRID} --convention scipy", sound),
    "librosa's as orthonormal": (spectrum, f"{GRID} --scaling orthonormal", sound),
    "powers of 16 bits": (lambda: (magnitude() * 32768) ** 2, f"{GRID} --kind power", sound),
    "powers as magnitudes": (lambda: (magnitude() * 2) ** 2, f"{GRID} --kind magnitude", lambda: sound() * 2),
    "16-bit magnitudes as powers": (lambda: magnitude() * 32768, f"{GRID} --kind power", sound),
    # layouts
    "real and imaginary parts in the bins": (lambda: complex_parts(0).reshape(1026, -1), GRID, sound),
    "those of frames": (lambda: complex_parts(0).reshape(1026, -1).T, GRID, sound),
    "parts of each bin": (lambda: complex_parts(1).reshape(1026, -1), GRID, sound),
    "parts without n_fft": (lambda: complex_parts(0).reshape(1026, -1), f"--sample-rate {RATE}", sound),
    "parts at the end": (lambda: complex_parts(-1), GRID, sound),
    "parts of a batch of one": (lambda: complex_parts(-1)[None], GRID, sound),
    "magnitudes and phases": (lambda: np.stack([magnitude(), np.angle(spectrum())]), GRID, sound),
    "phases in the bins": (lambda: np.concatenate([magnitude(), np.angle(spectrum())]), GRID, sound),
    "phases of a complex kind": (
        lambda: np.stack([magnitude(), np.angle(spectrum())], -1), f"{GRID} --kind complex", sound,
    ),
    "both sides": (lambda: np.concatenate([spectrum(), spectrum()[1:-1][::-1].conj()]), GRID, sound),
    "channels last": (columns, f"--sample-rate {RATE}", stereo),
    "six channels last": (lambda: columns(6), f"--sample-rate {RATE}", lambda: stereo(6)),
    "an inverse transform beside a grid": (lambda: np.fft.ifft(np.fft.fft(sound())), GRID, sound),
    "an inverse transform as complex": (
        lambda: np.fft.ifft(np.fft.fft(sound())), f"{GRID} --kind complex", sound,
    ),
    "samples as magnitudes": (sound, f"{GRID} --kind magnitude", sound),
    # logarithms
    "ln without a kind": (lambda: ln(magnitude()), GRID, sound),
    "log10 of magnitudes": (lambda: np.log10(magnitude() + 1e-5), f"{GRID} --kind magnitude", None),
    "decibels as magnitudes": (lambda: 20 * np.log10(magnitude() + 1e-5), f"{GRID} --kind magnitude", sound),
    "ln of powers": (lambda: np.log(magnitude() ** 2 + 1e-10), f"{GRID} --kind power", sound),
    "ln as decibels": (lambda: ln(magnitude()), f"{GRID} --kind db --strict", sound),
    # dialects
    "librosa's decibels": (librosa_db, "--dialect librosa-db", sound),
    "no top_db": (lambda: power_db(top_db=None), "--dialect librosa-db", sound),
    "no top_db with a reference": (lambda: power_db(top_db=None), "--dialect librosa-db-ref1", sound),
    "decibels of 16 bits": (lambda: power_db(32768), "--dialect librosa-db", sound),
    "decibels of 16 bits without top_db": (lambda: power_db(32768, top_db=None), "--dialect librosa-db-ref1", sound),
    "a mel of 16 bits": (lambda: ln(librosa_mel(32768)), "--dialect hifigan", sound),
    "a deep floor": (lambda: np.log(librosa_mel() * (np.arange(87) < 78) + 1e-9), "--dialect hifigan", sound),
    "ln of powers in mels": (lambda: np.log(librosa_mel(exponent=2) + 1e-10), "--dialect hifigan", None),
    "decibels in mels": (lambda: 20 * np.log10(np.maximum(librosa_mel(), 1e-5)), "--dialect hifigan", sound),
    "a mel of 100 bands": (lambda: ln(librosa_mel(n_mels=100)), "--dialect hifigan", sound),
    "a floor of another dialect": (
        lambda: np.log10(np.maximum(librosa_mel(fmax=None) * (np.arange(87) < 78), 1e-5)),
        "--dialect hifigan --strict",
        sound,
    ),
}  # fmt: skip
ANSWERS = {"n-fft": "1024", "hop-length": "256", "sample-rate": str(RATE)}
"""Values that only the user knows."""


KNOWN = {
    "scipy's magnitudes of 16 bits": "scipy",
}
"""Words of the remedy that a user takes who knows what the array is."""


def followed(argv, said, known=""):
    """Return the arguments after one remedy of each hint, by default the first; None if there is none."""
    changed = list(argv)
    for line in re.findall(r"hint: (.*)", said):
        remedies = line.split("; ")
        first = next((one for one in remedies if known and known in one), remedies[0])
        if open_value := re.match(r"--([\w-]+) …", first):
            changed = [*without(changed, f"--{open_value[1]}"), f"--{open_value[1]}", ANSWERS[open_value[1]]]
        elif left_out := re.match(r"leave (--[\w-]+) out", first):
            changed = without(changed, left_out[1])
        elif first.startswith("--"):
            words = shlex.split(re.split(r", (?:if|which|as|to|with) | or ", first)[0])
            for flag, value in zip(words[::2], words[1::2], strict=True):
                changed = [*without(changed, flag), flag, value.rstrip(",")]
    return changed if changed != list(argv) else None


def without(argv, flag):
    """Return the arguments without a flag and its value."""
    found = list(argv)
    while flag in found:
        place = found.index(flag)
        del found[place : place + 2]
    return found


def likeness(found, truth):
    """Return the SNR of samples in dB, the distance of their magnitudes as a part of the truth, and the level in dB."""
    import scipy.signal

    size = min(found.shape[-1], truth.shape[-1])
    found, truth = found[..., :size], truth[..., :size]
    error = np.sum((found - truth) ** 2)
    one, other = (abs(scipy.signal.stft(x, nperseg=1024, noverlap=768)[2]) for x in (found, truth))
    snr = 10 * np.log10(np.sum(truth**2) / max(error, 1e-30))
    level = 10 * np.log10(np.sum(found**2) / np.sum(truth**2))
    return snr, np.linalg.norm(one - other) / np.linalg.norm(other), level


@pytest.mark.one_in(3)
@pytest.mark.parametrize("name", CASES)
def test_following_hints_leads_to_the_sound_or_to_a_refusal(name, tmp_path, monkeypatch, capsys):
    make, options, truth = CASES[name]
    np.save(tmp_path / "source.npy", make())
    monkeypatch.chdir(tmp_path)
    argv: list[str] | None = shlex.split(options)
    chain = []
    for _ in range(MOST):
        status = main(["convert", "source.npy", "out.wav", "--force", *argv])
        said = capsys.readouterr().err
        chain.append(f"{shlex.join(argv)}\n{said}")
        if not chain[1:]:
            assert status, said  # the case is one that is refused at first
        argv = None if status == 0 else followed(argv, said, KNOWN.get(name, ""))
        if argv is None:
            break
    if truth is None:
        assert status == 0 or not argv
        return
    assert status == 0, "\n".join(chain)
    samples = soundfile.read("out.wav", always_2d=True)[0].T
    wanted = np.atleast_2d(truth())
    snr, distance, level = likeness(samples, wanted)
    has_phases = make().dtype.kind == "c" or any(word in name for word in ("part", "phase", "channel", "sample"))
    right = snr > 20 if has_phases else distance < 0.65 and abs(level) < 2
    assert right, "\n".join([*chain, f"{snr:.1f} dB, {distance:.2f}, {level:.1f} dB"])
    assert samples.shape[-1] == pytest.approx(wanted.shape[-1], abs=1024)
