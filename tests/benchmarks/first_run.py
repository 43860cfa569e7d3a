"""One five-second clip in a fresh process: start-up, compiling and all, from a magnitude spectrogram to a WAV file."""

from __future__ import annotations

import functools
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import evaluator
import harness
import material
import numpy as np

LIBROSA = """
import sys, librosa, numpy as np, soundfile
magnitude = np.load(sys.argv[1])
soundfile.write(sys.argv[2], librosa.griffinlim(magnitude, n_iter=32, hop_length=256, n_fft=1024), 22050, "PCM_16")
"""
TORCH = """
import sys, numpy as np, soundfile
sys.path.insert(0, {folder!r})
from peers import has_torch, torch_griffin_lim
has_torch()
magnitude = np.load(sys.argv[1])
signal = torch_griffin_lim(magnitude, 1024, 256, 256 * (magnitude.shape[1] - 1))
soundfile.write(sys.argv[2], signal, 22050, "PCM_16")
"""
TONEARM = """
import sys, numpy as np, soundfile
from tonearm_plugins.dsp.griffin_lim import griffin_lim
magnitude = np.load(sys.argv[1])
window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(1024) / 1024)
found = griffin_lim(magnitude[None], window=window, hop_length=256, pad=512, engine={engine!r})
soundfile.write(sys.argv[2], found.samples[0], 22050, "PCM_16")
"""
COLUMNS = ("whole process", "ms", "× librosa", "SC dB")


def tables() -> Iterator[harness.Table]:
    import soundfile

    from peers import has_torch

    signal = material.speech(5)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "magnitude.npy"
        np.save(source, np.abs(evaluator.spectra(signal, 1024, 256)).T.astype(np.float32))
        scripts = {"librosa, 32 iterations": LIBROSA}
        if has_torch():
            scripts["torch, 32 iterations"] = TORCH.format(folder=str(Path(__file__).parent))
        scripts["tonearm, `good`"] = TONEARM.format(engine="native")
        scripts["tonearm, `good`, scipy alone"] = TONEARM.format(engine="scipy")
        results = {name: Path(folder) / f"{number}.wav" for number, name in enumerate(scripts)}
        environ = harness.with_bytecode(folder)
        contenders: dict[str, harness.Work] = {
            name: functools.partial(
                subprocess.run, [sys.executable, "-c", script, str(source), str(results[name])], check=True, env=environ
            )
            for name, script in scripts.items()
        }
        measured = harness.compare(contenders, rounds=7, memory=False)
        rows = []
        for name, m in measured.items():
            found = soundfile.read(results[name])[0]
            quality = evaluator.convergence_db(found, signal, 1024, 256)
            ratio = harness.times_faster(m, measured["librosa, 32 iterations"])
            rows.append((name, harness.milliseconds(m.median), f"{ratio:.3g}", f"{quality:.2f}"))
        yield harness.Table("speech, 5 s, n_fft 1024, hop_length 256", COLUMNS, tuple(rows))
