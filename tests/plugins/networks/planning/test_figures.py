"""Figures of the sound and of an inverse STFT behind the network."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from network_headers import LATENTS, TOKENS, header, options, plan, refusal

from tonearm.api import GiveOption, MelDialect, RemoveOption, StftGrid
from tonearm.plugins import registry
from tonearm_plugins.networks.planning import Wanted, plan_of

VOCOS = registry.default().catalogue(MelDialect).find("vocos")
MEL = Wanted(kind="mel", bands=100, recipe="vocos", grid=VOCOS.grid, sample_rate=24000, samples_per_frame=256)
MELS = "mel float32 (batch, 100, frames)"
Z = "z float32 (batch, 192, frames)"
CODES = "codes int64 (batch, 8, frames)"


def spectrum(bins: object = 513, frames: str = "frames") -> str:
    return f"real float32 (batch, {bins}, {frames});imag float32 (batch, {bins}, {frames})"


def grid(wanted: Wanted, takes: str, gives: str, **given: object) -> StftGrid:
    found = plan(wanted, takes, gives, **given).grid
    assert found is not None
    return found


def test_the_grid_is_that_of_the_recipe() -> None:
    assert grid(MEL, MELS, spectrum()) == StftGrid(sample_rate=24000, n_fft=1024, hop_length=256, win_length=1024)
    assert grid(MEL, MELS, spectrum("?")).n_fft == 1024


def test_options_count_before_the_recipe() -> None:
    found = grid(MEL, MELS, spectrum(), hop_length=128, win_length=512, window="hamming", padding="half-overlap")
    assert (found.hop_length, found.win_length, found.window, found.padding) == (128, 512, "hamming", "half-overlap")


def test_an_stft_of_another_length_than_the_recipes_needs_its_hop() -> None:
    error, message = refusal(MEL, MELS, spectrum(9, "columns"))
    assert message == "nothing tells the hop of the inverse STFT that follows with n_fft 16"
    assert error.remedies == (GiveOption("hop_length", "samples from one frame of the spectrum to the next"),)
    assert (error.code, error.option) == ("unclear-model", "hop_length")
    found = grid(MEL, MELS, spectrum(9, "columns"), hop_length=4)
    assert (found.n_fft, found.hop_length, found.win_length, found.padding) == (16, 4, 16, "center")


def test_a_frame_of_the_signal_is_one_of_the_spectrum_where_names_say_so() -> None:
    assert grid(LATENTS, Z, spectrum()).hop_length == 256
    assert grid(TOKENS, CODES, spectrum()).hop_length == 320
    assert grid(replace(TOKENS, samples_per_frame=None), CODES, spectrum(), samples_per_frame=300).hop_length == 300
    refusal(LATENTS, Z, spectrum(513, "columns"))
    refusal(replace(TOKENS, samples_per_frame=None), CODES, spectrum())
    levels = replace(TOKENS, books=2, strides=(2, 1))
    takes = "codes_0 int64 (1, frames);codes_1 int64 (1, frames2)"
    assert grid(levels, takes, spectrum()).hop_length == 320


def test_bins_that_nothing_tells_are_asked_for() -> None:
    error, message = refusal(LATENTS, Z, spectrum("?"))
    assert message == "the header does not tell the number of bins"
    assert error.remedies == (GiveOption("n_fft", "length of the Fourier transform in samples"),)
    assert grid(LATENTS, Z, spectrum("?"), n_fft=512).n_fft == 512


def test_a_grid_that_cannot_be_inverted_is_refused() -> None:
    error, message = refusal(LATENTS, Z, spectrum(), hop_length=2000)
    assert "hop_length 2000" in message
    assert error.option == "hop_length"


def test_the_rate_of_the_sound_is_known_or_given_or_noted() -> None:
    unknown = replace(TOKENS, sample_rate=None)
    error, message = refusal(unknown, CODES)
    assert message == "nothing tells the sample rate of the sound"
    assert error.remedies == (GiveOption("sample_rate", "in Hz, as the model gives it"),)
    assert error.option == "sample_rate"
    assert plan(unknown, CODES, sample_rate=16000).sample_rate == 16000
    noted = header(CODES, metadata={"sample_rate": "22050"})
    assert plan_of(noted, unknown, options()).sample_rate == 22050
    assert plan_of(noted, TOKENS, options()).sample_rate == 24000
    assert plan_of(noted, unknown, options(sample_rate=8000)).sample_rate == 8000


@pytest.mark.parametrize("text", ["", "fast", "-1", "²", "22050.0", "9" * 9])
def test_notes_that_are_no_rate_tell_nothing(text: str) -> None:
    made = header(CODES, metadata={"sample_rate": text})
    with pytest.raises(ValueError, match="nothing tells the sample rate"):
        plan_of(made, replace(TOKENS, sample_rate=None), options())


@pytest.mark.parametrize("option", ["sample_rate", "samples_per_frame"])
def test_an_option_that_contradicts_the_signal_is_refused(option: str) -> None:
    known = {"sample_rate": "24000 Hz", "samples_per_frame": "320"}[option]
    error, message = refusal(TOKENS, CODES, **{option: 100})
    assert message == f"{option} is 100, but the codec tokens have {known}"
    assert (error.code, error.option, error.remedies) == ("rate-mismatch", option, (RemoveOption(option),))


def test_samples_of_a_frame_follow_from_fixed_sizes() -> None:
    unknown = replace(TOKENS, samples_per_frame=None)
    assert plan(unknown, "codes int64 (1, 8, 24)", "wav float32 (1, 1, 7680)").samples_per_frame == 320
    assert plan(unknown, "codes int64 (1, 8, 24)", "wav float32 (1, 1, 7681)").samples_per_frame is None
    assert plan(unknown, CODES).samples_per_frame is None
    assert plan(unknown, CODES, samples_per_frame=99).samples_per_frame == 99
    assert plan(TOKENS, "codes int64 (1, 8, 24)", "wav float32 (1, 1, 4800)").samples_per_frame == 320
