"""Mapped memory: pages of a file are released after reading, and private copies never."""

from pathlib import Path

import numpy as np
import pytest
from dsp_material import ENGINES
from dsp_reference import hann

from tonearm_plugins.dsp import mapped_memory
from tonearm_plugins.dsp.istft import istft
from tonearm_plugins.dsp.mapped_memory import MappedMemory


@pytest.fixture
def large(tmp_path):
    """A spectrum of 24 MB on disk, in either order."""
    spectrum = np.random.default_rng(0).standard_normal((513, 6000)).astype(np.complex64)
    np.save(tmp_path / "C.npy", spectrum)
    np.save(tmp_path / "F.npy", np.asfortranarray(spectrum))
    return tmp_path


def resident_pages(path):
    """How much of a file is mapped into this process and resident, in bytes."""
    total, here = 0, False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        if "-" in line.split()[0] and ":" not in line.split()[0]:
            here = line.endswith(str(path))
        elif here and line.startswith("Rss:"):
            total += int(line.split()[1]) * 1024
    return total


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("order", ["C", "F"])
def test_a_mapped_spectrum_does_not_stay_in_memory(large, order, engine, monkeypatch):
    for module in (
        mapped_memory,
        __import__("tonearm_plugins.dsp.engines.native.istft_kernel", fromlist=["RELEASE_BYTES"]),
    ):
        monkeypatch.setattr(module, "RELEASE_BYTES", 2**20)
    monkeypatch.setattr(mapped_memory, "KEPT_BYTES", 2**20)
    path = large / f"{order}.npy"
    spectrum = np.load(path, mmap_mode="r")
    call = {"window": hann(1024), "hop_length": 256, "engine": engine}
    found = istft(spectrum[None], **call)
    assert resident_pages(path) < spectrum.nbytes / 10
    assert np.array_equal(found, istft(np.array(spectrum, order=order)[None], **call))
    assert np.array_equal(found, istft(np.load(path, mmap_mode="c")[None], **call))


def test_the_pages_of_a_small_file_stay(large):
    path = large / "C.npy"
    spectrum = np.load(path, mmap_mode="r")
    istft(spectrum[None], window=hann(1024), hop_length=256)
    assert resident_pages(path) >= spectrum.nbytes


def test_private_pages_are_never_given_back(large):
    private = np.load(large / "C.npy", mmap_mode="c")
    private[0, 0] = 7
    mapping = MappedMemory(private[None, :, 3:])
    assert not mapping
    mapping.count_read(2**40)
    assert private[0, 0] == 7
    assert MappedMemory(np.load(large / "C.npy", mmap_mode="r")[None][:, :, 5:].T)
    assert not MappedMemory(np.zeros(3))
