import logging
import os
import subprocess
import sys

import pytest
from dsp_reference import hann

from tonearm_plugins.dsp.engines import choice
from tonearm_plugins.dsp.engines.choice import ENGINES, VARIABLE, EngineChoice, choose, explain, refusals
from tonearm_plugins.dsp.engines.native.engine import NativeEngine
from tonearm_plugins.dsp.errors import EngineError
from tonearm_plugins.dsp.framing import FrameGrid

GRID = FrameGrid.checked(hann(1024), hop_length=256, pad=512, frames=5)


@pytest.fixture
def native(monkeypatch):
    """A native engine that runs here, or refuses with the given reason."""
    monkeypatch.delenv(VARIABLE, raising=False)

    def says(reason):
        monkeypatch.setattr(NativeEngine, "refusal", lambda *args, **kwargs: reason)

    says("")
    return says


def test_auto_takes_native_where_it_can(native):
    assert choose("auto").name == "native"
    native("of the moon")
    assert choose("auto").name == "scipy"


def test_the_variable_decides_only_where_the_call_does_not(native, monkeypatch, librosa):
    monkeypatch.setenv(VARIABLE, "librosa")
    assert choose("auto").name == "librosa"
    assert choose("scipy").name == "scipy"
    monkeypatch.setenv(VARIABLE, " Auto ")
    assert choose("auto").name == "native"


def test_what_cannot_run_is_refused_by_name(native, monkeypatch):
    native("of the moon")
    with pytest.raises(EngineError, match="of the moon"):
        choose("native")
    with pytest.raises(EngineError, match="'cuda'"):
        choose("cuda")
    monkeypatch.setenv(VARIABLE, "native")
    with pytest.raises(EngineError, match=VARIABLE):
        choose("auto")


def test_the_work_decides_and_not_the_machine_alone():
    assert choose("auto", GRID, double=True).name == "scipy"
    odd = FrameGrid.checked(hann(1023), hop_length=256, pad=0, frames=5)
    assert choose("auto", odd).name == "scipy"
    with pytest.raises(EngineError, match="single precision"):
        choose("native", GRID, double=True)


def test_every_engine_says_whether_it_runs_here(librosa):
    assert tuple(refusals()) == ENGINES
    assert refusals()["scipy"] == refusals()["librosa"] == ""


def test_the_reason_why_it_is_not_a_faster_engine(native, monkeypatch, librosa):
    assert explain() == EngineChoice("native", "")
    assert explain("librosa") == EngineChoice("librosa", "engine is librosa")
    native("of the moon")
    assert explain() == EngineChoice("scipy", "of the moon")
    monkeypatch.setenv(VARIABLE, "scipy")
    assert explain() == EngineChoice("scipy", "TONEARM_ENGINE is scipy")


def test_each_choice_is_logged_once_with_its_reason(native, caplog):
    choice._log.cache_clear()
    native("of the moon")
    with caplog.at_level(logging.DEBUG, choice.LOGGER):
        for _ in range(3):
            choose(grid=GRID)
            choose(grid=GRID, double=True)
        native("")
        choose()
    assert caplog.messages == [
        "the scipy engine works for n_fft 1024, hop_length 256, not native: of the moon",
        "the scipy engine works for n_fft 1024, hop_length 256 in double precision, not native: of the moon",
        "the native engine works",
    ]


def test_the_variable_turns_every_kernel_off():
    """All that has kernels runs in a process without them, where llvmlite is not even imported."""
    code = """if True:
        import sys
        import numpy as np
        from tonearm_plugins.dsp.griffin_lim import griffin_lim
        from tonearm_plugins.dsp.istft import istft
        from tonearm_plugins.dsp.limiter import limit
        from tonearm_plugins.dsp.loudness import measure_loudness
        from tonearm_plugins.dsp.mel_griffin_lim import mel_griffin_lim
        from tonearm_plugins.dsp.mel_spectrogram import mel_spectrogram
        from tonearm_plugins.dsp.stft import stft
        from tonearm_plugins.dsp.true_peak import measure_true_peak
        window, noise = np.hanning(512), np.random.default_rng(0).standard_normal((1, 48000)).astype("f4") / 4
        spectrum = stft(noise, window=window, hop_length=128, pad=256)
        magnitudes = np.abs(spectrum)
        istft(spectrum, window=window, hop_length=128, pad=256)
        griffin_lim(magnitudes, window=window, hop_length=128, pad=256, iterations=2)
        basis = np.abs(np.random.default_rng(1).standard_normal((20, 257)))
        mel_griffin_lim(basis @ magnitudes, mel_basis=basis, window=window, hop_length=128, pad=256, iterations=2)
        measure_loudness(noise, 48000)
        measure_true_peak(noise)
        limit(noise, 0.2, lookahead=240, release=2400, true_peak=True)
        grid = {"win_length": 512, "hop_length": 128, "pad": (256, 256), "pad_mode": "constant"}
        mel_spectrogram(noise, window=window, mel_basis=basis, power=2, **grid)
        print(*sorted(name for name in sys.modules if "llvmlite" in name))
    """
    environ = {**os.environ, VARIABLE: "scipy"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environ)
    assert done.stderr == ""
    assert done.stdout.strip() == ""
