"""What is compared with: the methods of other libraries, as their users call them."""

from __future__ import annotations

import numpy as np


def has_torch() -> bool:
    try:
        import torch
    except ImportError:
        return False
    torch.set_num_threads(1)
    return True


def torch_griffin_lim(magnitude: np.ndarray, n_fft: int, hop: int, length: int, iterations: int = 32) -> np.ndarray:
    """torchaudio.functional.griffinlim as of 2.11, written out on torch: reflecting frames, random phases."""
    import torch

    known, window = torch.from_numpy(magnitude), torch.hann_window(n_fft)
    momentum = 0.99 / 1.99
    angles = torch.rand(known.shape, dtype=torch.complex64)
    before = torch.tensor(0.0)
    for _ in range(iterations):
        signal = torch.istft(known * angles, n_fft, hop, window=window, length=length)
        rebuilt = torch.stft(signal, n_fft, hop, window=window, pad_mode="reflect", return_complex=True)
        angles = rebuilt - before.mul_(momentum)
        angles = angles.div(angles.abs().add(1e-16))
        before = rebuilt
    return torch.istft(known * angles, n_fft, hop, window=window, length=length).numpy()


def torch_istft(spectrum: np.ndarray, n_fft: int, hop: int, length: int) -> np.ndarray:
    import torch

    return torch.istft(
        torch.from_numpy(np.asarray(spectrum)), n_fft, hop, window=torch.hann_window(n_fft), length=length
    ).numpy()


def torch_stft(signal: np.ndarray, n_fft: int, hop: int) -> np.ndarray:
    """torch.stft, whose result has adjacent bins."""
    import torch

    window = torch.hann_window(n_fft)
    given = torch.from_numpy(signal)
    return torch.stft(given, n_fft, hop, window=window, pad_mode="constant", return_complex=True).numpy()


def torch_mel(signal: np.ndarray, n_fft: int, hop: int, weights: np.ndarray, power: int) -> np.ndarray:
    """torchaudio.transforms.MelSpectrogram as of 2.11: the STFT, magnitudes or powers, and a product of matrices."""
    import torch

    window = torch.hann_window(n_fft)
    given = torch.from_numpy(signal)
    size = torch.stft(given, n_fft, hop, window=window, pad_mode="constant", return_complex=True).abs()
    return (torch.from_numpy(weights) @ (size if power == 1 else size.pow(power))).numpy()


def scipy_stft(signal: np.ndarray, n_fft: int, hop: int) -> np.ndarray:
    """scipy.signal.stft, with zeros around the signal, and without its scale."""
    import scipy.signal

    return scipy.signal.stft(signal, nperseg=n_fft, noverlap=n_fft - hop, window="hann")[2] * np.float32(n_fft / 2)


def scipy_istft(spectrum: np.ndarray, n_fft: int, hop: int, length: int) -> np.ndarray:
    """scipy.signal.istft, whose spectra are scaled by the sum of the window."""
    import scipy.signal

    scaled = spectrum / np.float32(n_fft / 2)
    return scipy.signal.istft(scaled, nperseg=n_fft, noverlap=n_fft - hop, window="hann")[1][:length].astype(np.float32)


def torch_inverse_mel(mel: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """torchaudio.transforms.InverseMelScale as of 2.11: least squares, then clipped at 0."""
    import torch

    solved = torch.linalg.lstsq(torch.from_numpy(weights.astype(np.float32)), torch.from_numpy(mel), driver="gelsd")
    return torch.relu(solved.solution).numpy()
