"""What specifications and signals tell a plan."""

from __future__ import annotations

import numpy as np

from tonearm.api import (
    Codebooks,
    CodecTokens,
    LatentFormat,
    Latents,
    MelDialect,
    MelSpectrogram,
    Spec,
)
from tonearm.plugins import registry
from tonearm_plugins.networks.planning.wanted import Wanted, wanted_by, wanted_of

HIFIGAN = registry.default().catalogue(MelDialect).find("hifigan")
FORMAT = LatentFormat(sample_rate=24000, samples_per_frame=480)


def test_codebooks_tell_books_strides_and_rates() -> None:
    books = Codebooks(sizes=(1024,) * 9, sample_rate=44100, samples_per_frame=512)
    found = wanted_of(Spec(signals=(CodecTokens,)).carrying(books))
    assert found == Wanted(kind="tokens", books=9, sample_rate=44100, samples_per_frame=512)
    ragged = wanted_of(Spec(signals=(CodecTokens,)).carrying(Codebooks(strides=(4, 2, 1))))
    assert (ragged.books, ragged.strides, ragged.frames_of_levels) == (3, (4, 2, 1), (1, 2, 4))
    assert wanted_of(Spec(signals=(CodecTokens,), sample_rate=16000)) == Wanted(kind="tokens", sample_rate=16000)


def test_latents_tell_their_rates() -> None:
    found = wanted_of(Spec(signals=(Latents,)).carrying(FORMAT))
    assert found == Wanted(kind="latent", sample_rate=24000, samples_per_frame=480)
    known = LatentFormat(sample_rate=24000, samples_per_frame=480, bands=64)
    assert wanted_of(Spec(signals=(Latents,)).carrying(known)).bands == 64
    assert wanted_of(Spec(signals=(Latents,))) == Wanted(kind="latent")


def test_a_recipe_tells_bands_and_grid() -> None:
    for found in (
        wanted_of(Spec(signals=(MelSpectrogram,)).carrying(HIFIGAN)),
        wanted_of(Spec(signals=(MelSpectrogram,)), HIFIGAN),
    ):
        assert (found.kind, found.bands, found.recipe, found.grid) == ("mel", 80, "hifigan", HIFIGAN.grid)
        assert (found.sample_rate, found.samples_per_frame, found.frames_first) == (22050, 256, False)
    whisper = HIFIGAN.replace(layout="frames-mels")
    assert wanted_of(Spec(signals=(MelSpectrogram,)), whisper).frames_first
    assert wanted_of(Spec(signals=(MelSpectrogram,))) == Wanted(kind="mel")


def test_the_recipe_of_the_model_counts_before_that_of_the_signal() -> None:
    other = HIFIGAN.replace(n_mels=100)
    assert wanted_of(Spec(signals=(MelSpectrogram,)).carrying(HIFIGAN), other).bands == 100


def test_a_signal_tells_all_books_and_bands() -> None:
    tokens = CodecTokens(codes=np.zeros((1, 8, 3), np.int32))
    assert wanted_by(tokens) == Wanted(kind="tokens", books=8)
    levels = CodecTokens(codes=(np.zeros((1, 1), np.int32), np.zeros((1, 2), np.int32)), strides=(2, 1))
    assert (wanted_by(levels).books, wanted_by(levels).strides) == (2, (2, 1))
    assert wanted_by(Latents(values=np.zeros((1, 64, 3), np.float32), format=FORMAT)).bands == 64
    mel = MelSpectrogram(values=np.zeros((1, 80, 3), np.float32), dialect=HIFIGAN)
    assert wanted_by(mel).bands == 80


def test_nouns() -> None:
    assert [(one.article_and_noun, one.has) for one in (Wanted(kind="mel"), Wanted(kind="tokens"))] == [
        ("a mel spectrogram", "has"),
        ("codec tokens", "have"),
    ]
    assert Wanted(kind="mel", recipe="vocos").noun == "mel spectrogram of vocos"
