"""The mel spectrogram of every dialect once more in float64, written straight from a recipe's figures.

It shares no code with tonearm: filters of librosa, filters and windows of scipy, frames one by one.
"""

import warnings

import librosa
import numpy as np
import scipy.signal
import soxr


def window(recipe):
    length = recipe.get("win_length", recipe["n_fft"])
    name = recipe.get("window", "hann")
    base = scipy.signal.get_window("hann", length, fftbins=not name.endswith("_symmetric"))
    return base**0.85 if name.startswith("povey") else base


def frames(x, recipe):
    """Return the frames, each as long as the window, with their zeros around it for the FFT."""
    n_fft, hop = recipe["n_fft"], recipe["hop_length"]
    length = recipe.get("win_length", n_fft)
    mode = recipe.get("pad_mode", "constant")
    padding = recipe.get("padding", "center")
    if padding == "snip":
        return [x[i : i + length] for i in range(0, len(x) - length + 1, hop)]
    if padding == "center":
        x = np.pad(x, n_fft // 2, mode=mode)
    elif padding == "half-overlap":
        x = np.pad(x, (n_fft - hop) // 2, mode=mode)
    elif padding == "end":
        x = np.pad(x, (0, -(-len(x) // hop) * hop + n_fft - hop - len(x)))
    before = (n_fft - length) // 2
    return [x[i + before : i + before + length] for i in range(0, len(x) - n_fft + 1, hop)]


def bands(recipe):
    rate, n_fft, n_mels = recipe.get("filterbank_sample_rate", recipe["sample_rate"]), recipe["n_fft"], recipe["n_mels"]
    fmin, fmax = recipe.get("fmin", 0.0), recipe.get("fmax", rate / 2)
    scale = recipe.get("mel_scale", "slaney")
    if recipe.get("triangles") == "mel":
        mel = lambda hz: 1127 * np.log1p(np.asarray(hz) / 700)  # noqa: E731
        points, edges = mel(np.linspace(0, rate / 2, n_fft // 2 + 1)), np.linspace(mel(fmin), mel(fmax), n_mels + 2)
        return np.array([np.interp(points, edges[i : i + 3], [0, 1, 0]) for i in range(n_mels)])
    norm = None if recipe.get("mel_norm") == "none" else "slaney"
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Empty filters", UserWarning)  # some dialects have them
        return librosa.filters.mel(
            sr=rate, n_fft=n_fft, n_mels=n_mels, fmin=fmin, fmax=fmax, htk=scale == "htk", norm=norm, dtype=np.float64
        )


def forward(x, recipe):
    x = np.asarray(x, float) * recipe.get("input_scale", 1.0)
    a, scope = recipe.get("preemphasis", 0.0), recipe.get("preemphasis_scope", "signal")
    if a and scope == "signal":
        x = scipy.signal.lfilter([1, -a], [1], x)
    w = window(recipe)
    columns = []
    for frame in frames(x, recipe):
        if recipe.get("remove_dc"):
            frame = frame - frame.mean()
        if a and scope == "frame":
            frame = frame - a * np.append(frame[0], frame[:-1])
        columns.append(np.fft.rfft(frame * w, recipe["n_fft"]))
    size = np.sqrt(np.abs(np.array(columns).T) ** 2 + recipe.get("magnitude_guard", 0.0))
    mel = bands(recipe) @ size ** recipe.get("exponent", 1)
    if recipe.get("last_frame") == "drop":
        mel = mel[:, :-1]
    log = recipe.get("log", "ln")
    if log != "none":
        floor, mode = recipe.get("floor", 1e-5), recipe.get("floor_mode", "clamp")
        mel = {"clamp": np.maximum(mel, floor), "add": mel + floor, "replace": np.where(mel > 0, mel, floor)}[mode]
        mel = {"ln": np.log, "log10": np.log10}[log](mel) * recipe.get("log_factor", 1.0)
        mel = mel - mel.max() if recipe.get("reference") == "max" else mel
    for step in recipe.get("steps", []):
        mel = apply(step, mel)
    if recipe.get("statistics") == "utterance":
        valid = mel[:, :-1] if recipe.get("last_frame") == "mask" else mel
        mel = (mel - valid.mean(1)[:, None]) / (valid.std(1, ddof=1)[:, None] + 1e-5)
    if recipe.get("last_frame") == "mask":
        mel[:, -1] = 0
    return mel


def apply(step, mel):
    op = step["op"]
    if op == "affine":
        return mel * step.get("scale", 1.0) + step.get("offset", 0.0)
    if op == "clip":
        return np.minimum(np.maximum(mel, step.get("min", -np.inf)), step.get("max", np.inf))
    if op == "below-max":
        return np.maximum(mel, mel.max() - step["below"])
    if op == "subtract-max":
        return mel - mel.max()
    if op == "divide-max":
        return mel / mel.max()
    if op == "power":
        return np.sqrt(np.sqrt(mel)) if step["exponent"] == 0.25 else mel ** step["exponent"]
    if op == "flip":
        return np.flipud(mel)
    return np.floor(np.clip(mel, 0, 255) + (0.5 if op == "round" else 0))


def picture(samples, rate, seconds=0.96):
    """Return what is heard, 40 bands up to 6.5 kHz in dB at 16 kHz: (40, frames)."""
    at_16k = soxr.resample(samples, rate, 16000)[: int(16000 * seconds)].astype(np.float32)
    powers = librosa.feature.melspectrogram(
        y=at_16k, sr=16000, n_fft=1024, hop_length=256, n_mels=40, fmin=100, fmax=6500
    )
    return librosa.power_to_db(powers, ref=1.0, top_db=50)
