"""Spectrograms of other libraries, as people first met them: what could not be said is said in flags of one line.

Section 3 of what first users found. More than 170 arrays of each library stand in
`plugins/transforms/test_arrays_of_stft_libraries.py`; here are command lines, and the pipelines that inspect prints.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import librosa
import numpy as np
import pytest
import scipy.signal
from at_the_prompt import RATE, SPEECH, Prompt, heard, level, snr

N_FFT, HOP, WIN = 512, 80, 320
WINDOW = scipy.signal.get_window("hann", WIN)
SOUND = SPEECH[8000:24000].astype(np.float64)
GRID = f"--sample-rate {RATE} --n-fft {N_FFT} --hop-length {HOP} --win-length {WIN}"
DOUBLE = "--precision double --set outputs.0.with.subtype=DOUBLE"
EXACT = 100.0
"""Signal-to-noise ratio in dB against the sound that was analysed."""


def scipy_stft(**options: Any) -> Any:
    """``scipy.signal.stft`` with a window at the first sample of a longer FFT."""
    return scipy.signal.stft(SOUND, RATE, WINDOW, WIN, WIN - HOP, N_FFT, **options)[2]


def framed(padding: int = 0) -> Any:
    """Windowed frames from the first sample on, (frames, WIN), after as many zeros at both ends."""
    padded = np.pad(SOUND, padding)
    return np.lib.stride_tricks.sliding_window_view(padded, WIN)[::HOP] * WINDOW


def centred(**options: Any) -> Any:
    """``librosa.stft``, whose window lies in the middle of the FFT."""
    return librosa.stft(SOUND, n_fft=N_FFT, hop_length=HOP, win_length=WIN, **options)


def torch_normalized() -> Any:
    """``torch.stft(normalized=True)``: divided by the root of the size of the FFT."""
    return centred(pad_mode="reflect") / np.sqrt(N_FFT)


def kaiser() -> Any:
    window = scipy.signal.get_window(("kaiser", 9.0), WIN)
    np.save("window.npy", window)
    return librosa.stft(SOUND, n_fft=N_FFT, hop_length=HOP, win_length=WIN, window=window)


def halves(spectrum: Any) -> Any:
    return np.concatenate([spectrum.real, spectrum.imag])


def polar(spectrum: Any, **options: Any) -> Any:
    return np.stack([np.abs(spectrum), np.angle(spectrum)], **options)


COMPLEX: dict[str, tuple[Callable[[], Any], str]] = {
    "scipy, nperseg 320 and nfft 512": (scipy_stft, "--convention scipy"),
    "scipy, density": (lambda: scipy_stft(scaling="psd"), "--convention scipy --scaling psd"),
    "scipy, both sides": (lambda: scipy_stft(return_onesided=False), "--convention scipy --sides two"),
    "scipy in figures": (
        scipy_stft,
        "--scaling spectrum --window-position start --tail pad",
    ),
    "torch, normalized": (torch_normalized, "--convention torch-normalized"),
    "torch, normalized, in figures": (torch_normalized, "--scaling orthonormal"),
    "torchaudio, normalized by the window": (
        lambda: centred(pad_mode="reflect") / np.sqrt(np.sum(WINDOW**2)),
        "--convention torch --scaling energy",
    ),
    "TensorFlow": (lambda: np.fft.rfft(framed(), N_FFT), "--convention tensorflow --axes frame,bin"),
    "MATLAB": (
        lambda: np.roll(np.fft.fft(framed(), N_FFT).T, N_FFT // 2 - 1, axis=0),
        "--convention matlab",
    ),
    "both sides": (lambda: np.fft.fft(framed(), N_FFT).T, "--convention matlab --sides two"),
    "a window of one's own": (kaiser, "--window window.npy"),
    "parts in halves": (lambda: halves(centred()), "--kind complex --axes '(complex bin),frame'"),
    "parts in channels": (
        lambda: np.stack([centred().real, centred().imag])[None],
        "--kind complex --axes 'batch,(channel complex),bin,frame'",
    ),
    "magnitudes and phases": (lambda: polar(centred()), "--kind magnitude --axes polar,bin,frame"),
    "magnitudes and phases at the end": (
        lambda: polar(centred(), axis=-1),
        "--kind magnitude --axes bin,frame,polar",
    ),
}
"""Complex spectrograms by what made them, with the flags that read them."""


@pytest.mark.parametrize("case", COMPLEX)
def test_a_complex_spectrogram_comes_back_whole(case: str, tonearm: Prompt) -> None:
    made, flags = COMPLEX[case]
    np.save("in.npy", made())
    said = tonearm.convert(f"in.npy o.wav {GRID} {DOUBLE} {flags}")
    assert (said.status, "warning" in said.err) == (0, False), said.err
    assert snr(heard(), SOUND, margin=2 * N_FFT) >= EXACT


@pytest.mark.parametrize("case", [name for name, (_, flags) in COMPLEX.items() if "--kind" not in flags])
def test_without_its_flags_it_is_another_sound_or_refused(case: str, tonearm: Prompt) -> None:
    np.save("in.npy", COMPLEX[case][0]())
    said = tonearm.convert(f"in.npy o.wav {GRID} {DOUBLE}")
    assert said.status or snr(heard(), SOUND, margin=2 * N_FFT) < EXACT


MISSING = {"dc": slice(None, -1), "nyquist": slice(1, None), "none": slice(1, -1)}
"""Bins that are left, by the end bins that an option says are there."""


@pytest.mark.parametrize("ends", MISSING)
def test_a_missing_end_bin_costs_what_was_in_it_alone(ends: str, tonearm: Prompt) -> None:
    spectrum = centred()
    np.save("in.npy", spectrum[MISSING[ends]])
    assert tonearm.convert(f"in.npy o.wav {GRID} {DOUBLE} --end-bins {ends}").status == 0
    kept = np.zeros_like(spectrum)
    kept[MISSING[ends]] = spectrum[MISSING[ends]]
    wanted = librosa.istft(kept, hop_length=HOP, win_length=WIN, n_fft=N_FFT)
    assert snr(heard(), wanted, margin=N_FFT) >= EXACT


MAGNITUDES = np.maximum(np.abs(librosa.stft(SOUND, n_fft=1024, hop_length=256)), 1e-4)
LINEAR = f"--sample-rate {RATE} --n-fft 1024 --hop-length 256 --kind magnitude"

VALUES: dict[str, tuple[Callable[[Any], Any], str]] = {
    "ln": (np.log, "{log: ln}"),
    "log1p": (np.log1p, "log1p"),
    "power": (np.square, "power"),
    "cube root": (np.cbrt, "{log: none, exponent: 0.3333333333333333}"),
    "0 to 1": (
        lambda x: np.clip((20 * np.log10(x) + 100) / 200, 0, 1),
        "{log: log10, log_factor: 20, steps: [{op: affine, scale: 0.005, offset: 0.5}, {op: clip, min: 0, max: 1}]}",
    ),
}
"""What is made of magnitudes, and the recipe that says so."""


@pytest.mark.parametrize("case", VALUES)
def test_the_values_of_a_linear_spectrogram_are_undone(case: str, tonearm: Prompt) -> None:
    made, recipe = VALUES[case]
    np.save("in.npy", made(MAGNITUDES))
    said = tonearm.convert(f"in.npy o.npy {LINEAR} --precision double", "--recipe", recipe)
    assert said.status == 0, said.err
    np.testing.assert_allclose(np.load("o.npy")[0], MAGNITUDES, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("recipe", ["tacotron-keithito", "tacotron-r9y9"])
def test_tacotrons_linear_spectrograms_have_names(recipe: str, tonearm: Prompt) -> None:
    emphasized = scipy.signal.lfilter([1, -0.97], [1], SOUND)
    magnitudes = np.abs(librosa.stft(emphasized, n_fft=2048, hop_length=250, win_length=1000))
    decibels = 20 * np.log10(np.maximum(magnitudes, 1e-5)) - 20
    np.save("in.npy", np.clip((decibels + 100) / 100, 0, 1).astype(np.float32))
    said = tonearm.convert("in.npy o.wav", "--kind", "magnitude", "--recipe", recipe)
    assert (said.status, "warning" in said.err) == (0, False), said.err
    assert abs(len(heard()) - len(SOUND)) <= 250
    assert abs(level(heard()) - level(SOUND)) < 1.0
    assert "0.97" in tonearm(f"recipes {recipe}").out


LAYOUTS: dict[str, Callable[[Any], Any]] = {
    "magnitudes and phases": polar,
    "magnitudes and phases in halves": lambda x: np.concatenate([np.abs(x), np.angle(x)]),
    "magnitudes and phases last": lambda x: polar(x, axis=-1),
    "parts in halves": halves,
    "both sides": lambda x: np.concatenate([x, x[-2:0:-1].conj()]),
    "parts last": lambda x: np.stack([x.real, x.imag], axis=-1),
}


@pytest.mark.parametrize("case", LAYOUTS)
def test_the_pipeline_that_inspect_prints_gives_the_sound(case: str, tonearm: Prompt) -> None:
    np.save("in.npy", LAYOUTS[case](librosa.stft(SOUND, n_fft=1024, hop_length=256)))
    printed = tonearm("inspect in.npy").out
    text = printed[printed.index("tonearm: 1") :]
    text = text.replace('sample_rate: "?"', f"sample_rate: {RATE}").replace('hop_length: "?"', "hop_length: 256")
    Path("p.yaml").write_text(text)
    said = tonearm("run p.yaml -o out --executor in-process")
    assert said.status == 0, said.err
    assert snr(heard("out/in.wav"), SOUND) > 60
