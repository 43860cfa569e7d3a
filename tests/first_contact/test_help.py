"""Help, as people first met it: somebody who knows ``help(tonearm)`` alone makes an MP3 file of what a model gave."""

from __future__ import annotations

import pydoc
from pathlib import Path

import numpy as np
import pytest
import soundfile
from at_the_prompt import ROOT

import tonearm

FIRST_SCREEN = pydoc.plain(pydoc.render_doc(tonearm)).partition("PACKAGE CONTENTS")[0]
"""What ``help(tonearm)`` says before it lists modules and classes."""


@pytest.mark.torch
def test_a_mel_spectrogram_in_bfloat16_becomes_an_mp3_file_at_the_first_try(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch = pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    mel = torch.from_numpy(np.load(ROOT / "configs/samples/mel/hifigan.npy")).to(torch.bfloat16)[None]
    (call,) = (line for line in FIRST_SCREEN.splitlines() if "tonearm.save(mel" in line)
    exec(call[call.index("tonearm.") :], {"tonearm": tonearm, "mel": mel})
    (file,) = tmp_path.iterdir()
    sound, rate = soundfile.read(file)
    assert (file.suffix, rate, len(sound)) == (".mp3", 22050, 72 * 256)
    assert 0.05 < np.abs(sound).max() <= 1


def test_the_first_screen_tells_of_every_function_and_fits_a_terminal() -> None:
    functions = {name for name in tonearm.__all__ if name.islower() and name != "__version__"}
    assert {name for name in functions if name not in FIRST_SCREEN} == set()
    assert len(FIRST_SCREEN.splitlines()) <= 40
