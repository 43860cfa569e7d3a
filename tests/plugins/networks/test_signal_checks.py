"""Tokens, latents and mel spectrograms that a model does not take."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tonearm.api import Codebooks, ItemError, LatentFormat, Latents, MelDialect, OptionError
from tonearm.plugins.registry import default
from tonearm_plugins.networks.model_config import CodecFigures, VocoderFigures
from tonearm_plugins.networks.signal_checks import agreed_rate, check_bands, check_books, check_dialect, check_latents

DAC = CodecFigures(books=9, fewer_books=True, size=1024, samples_per_frame=512, sample_rate=44100, bands=64)
ONE = CodecFigures(books=1, size=65536, samples_per_frame=480, sample_rate=24000)


@pytest.mark.parametrize(
    ("figures", "given", "expected"),
    [
        (DAC, Codebooks(), None),
        (DAC, Codebooks(sizes=(1024,) * 4, sample_rate=44100, samples_per_frame=512), None),
        (DAC, Codebooks(sizes=(1024,) * 10), "10 books, not at most 9 books"),
        (DAC, Codebooks(sizes=(1024, 2048, 512)), "codebooks of size 512 and 2048, not 1024"),
        (DAC, Codebooks(size=1024), None),
        (DAC, Codebooks(size=2048), "codebooks of size 2048, not 1024"),
        (DAC, Codebooks(sample_rate=24000), "44100 Hz"),
        (DAC, Codebooks(samples_per_frame=320), "320 samples a frame, not 512"),
        (DAC, Codebooks(sizes=(1024,) * 3, strides=(4, 2, 1)), "levels of rates of their own"),
        (ONE, Codebooks(sizes=(65536,)), None),
        (ONE, Codebooks(sizes=(65536,) * 2), "2 books, not 1 book"),
    ],
)
def test_books(figures: CodecFigures, given: Codebooks, expected: str | None) -> None:
    if expected is None:
        check_books("Codec", figures, given)
        return
    with pytest.raises(OptionError, match=expected) as caught:
        check_books("Codec", figures, given)
    assert caught.value.code == "model-mismatch"


def test_a_number_of_books_whose_sizes_are_unknown() -> None:
    check_books("Codec", DAC, Codebooks(), 9)
    with pytest.raises(OptionError, match="10 books"):
        check_books("Codec", DAC, Codebooks(), 10)


def test_latents() -> None:
    good = LatentFormat(sample_rate=44100, samples_per_frame=512)
    check_latents("Codec", DAC, None)
    check_latents("Codec", DAC, good)
    with pytest.raises(OptionError, match="decodes tokens, and no latents"):
        check_latents("Codec", ONE, good)
    with pytest.raises(OptionError, match="22050 Hz, not 44100 Hz; 256 samples a frame, not 512"):
        check_latents("Codec", DAC, LatentFormat(sample_rate=22050, samples_per_frame=256))
    with pytest.raises(OptionError, match="which have 63 bands, not 64"):
        check_latents("Codec", DAC, LatentFormat(sample_rate=44100, samples_per_frame=512, bands=63))
    latents = Latents(values=np.zeros((1, 63, 4), "f4"), format=good)
    with pytest.raises(ItemError, match="takes latents of 64 bands, but there are 63"):
        check_bands("Codec", DAC, latents)


def test_dialects() -> None:
    hifigan: Any = default().catalogue(MelDialect).find("hifigan")
    check_dialect("Vocoder", VocoderFigures(mels=80, samples_per_frame=256, sample_rate=None), hifigan)
    with pytest.raises(OptionError, match="has 80 mel bands, not 100; 22050 Hz, not 24000 Hz"):
        check_dialect("Vocoder", VocoderFigures(mels=100, samples_per_frame=256, sample_rate=24000), hifigan)


def test_a_rate_that_the_option_and_the_model_agree_on() -> None:
    assert [agreed_rate(*given, teller="it says") for given in ((8000, None), (None, 8000), (8000, 8000))] == [8000] * 3


def test_a_rate_that_contradicts_the_model_is_left_out_and_a_missing_one_given() -> None:
    with pytest.raises(OptionError) as caught:
        agreed_rate(16000, 24000, teller="tiny gives sound at")
    assert caught.value.message == "sample_rate is 16000 Hz, but tiny gives sound at 24000 Hz"
    assert (caught.value.code, caught.value.hint) == ("rate-mismatch", "leave sample_rate out")
    with pytest.raises(OptionError) as caught:
        agreed_rate(None, None, teller="it says")
    assert (caught.value.code, caught.value.option) == ("missing-option", "sample_rate")
    assert caught.value.hint == "sample_rate: … (sample rate of the model in Hz)"
