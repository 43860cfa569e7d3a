"""Figures of the native engine that must be the same on every processor; `.ci/arm64` compares them.

As a program it prints them as JSON: the spectral convergence in dB of phase recovery on five seconds of speech, and the
loudness and true peak of these.
"""

from __future__ import annotations

import json
import platform
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[3]
for folder in ("core", "plugins", "tests/plugins/dsp"):
    sys.path.insert(0, str(ROOT / folder))

from dsp_material import SAMPLES  # noqa: E402
from dsp_reference import analyse, convergence_db, hann  # noqa: E402
from mel_material import basis  # noqa: E402

from tonearm_plugins.dsp.griffin_lim import griffin_lim  # noqa: E402
from tonearm_plugins.dsp.loudness import measure_loudness  # noqa: E402
from tonearm_plugins.dsp.mel_griffin_lim import mel_griffin_lim  # noqa: E402
from tonearm_plugins.dsp.true_peak import measure_true_peak  # noqa: E402

RATE, N_FFT, HOP = 22050, 1024, 256


def clip() -> np.ndarray:
    """Return five seconds of speech."""
    voices = [np.load(SAMPLES / f"utt{number}.npy").ravel() for number in ("00", "01", "08")]
    return np.concatenate(voices)[: 5 * RATE].astype(np.float32)


def figures() -> dict[str, float]:
    """Return the figures by name."""
    signal = clip()
    window = hann(N_FFT)
    known = np.abs(analyse(np.pad(signal, N_FFT // 2), window, HOP, 1 + signal.size // HOP))
    frames = {"window": window, "hop_length": HOP, "pad": N_FFT // 2, "length": signal.size, "engine": "native"}
    magnitude = known.T[None].astype(np.float32)
    found: dict[str, float] = {}
    for start in ("plgi", "random"):
        recovered = griffin_lim(magnitude, start=start, **frames).samples[0].astype(float)
        found[f"griffin-lim from {start}"] = convergence_db(np.pad(recovered, N_FFT // 2), known, window, HOP)
    weights = basis()
    for power in (1, 2):
        mel = (weights @ known.T**power).astype(np.float32)[None]
        result = mel_griffin_lim(mel, mel_basis=weights, power=power, **frames).samples[0].astype(float)
        again = weights @ np.abs(analyse(np.pad(result, N_FFT // 2), window, HOP, len(known))).T ** power
        found[f"mel-to-wave, power {power}"] = 20 * np.log10(np.linalg.norm(again - mel[0]) / np.linalg.norm(mel[0]))
    found["loudness"] = measure_loudness(signal[None], RATE, engine="native").integrated
    found["true peak"] = 20 * np.log10(measure_true_peak(signal[None], engine="native"))
    return found


if __name__ == "__main__":
    print(json.dumps({"machine": platform.machine(), "figures": figures()}))
