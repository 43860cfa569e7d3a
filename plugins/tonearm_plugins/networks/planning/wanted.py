"""What is known, before any data is read, of the signal that a network is to take."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from tonearm.api import Codebooks, CodecTokens, LatentFormat, Latents, MelDialect, Signal, Spec, StftGrid
from tonearm_plugins.networks.original_sound import is_told_by_file

SignalKind = Literal["tokens", "mel", "latent"]


class Wanted(Struct, frozen=True, kw_only=True):
    """What is known of the signal that a network is to take. None and empty stand for what is unknown.

    Parameters
    ----------
    kind
        Codec tokens, a mel spectrogram, or latents.
    books
        Number of books, or of levels if there are strides.
    strides
        Frames of the finest level that a frame of each level spans, coarse first; empty if all books have one rate.
    bands
        Number of bands of a mel spectrogram or of latents.
    frames_first
        Whether the family of the model writes frames before bands.
    recipe
        Name of the recipe of a mel spectrogram, for messages.
    grid
        Grid of the analysis of a mel spectrogram.
    sample_rate, samples_per_frame
        Sample rate in Hz of the sound, and samples of a frame; of the coarsest level where there are levels.
    is_told_by_file
        Whether each file will tell the sample rate, so that it need not be known yet.
    """

    kind: SignalKind
    books: int | None = None
    strides: tuple[int, ...] = ()
    bands: int | None = None
    frames_first: bool = False
    recipe: str = ""
    grid: StftGrid | None = None
    sample_rate: int | None = None
    samples_per_frame: int | None = None
    is_told_by_file: bool = False

    @property
    def noun(self) -> str:
        """What the signal is, in words."""
        if self.kind == "mel":
            return f"mel spectrogram of {self.recipe}" if self.recipe else "mel spectrogram"
        return "codec tokens" if self.kind == "tokens" else "latents"

    @property
    def article_and_noun(self) -> str:
        """What the signal is, with an article where it needs one."""
        return f"a {self.noun}" if self.kind == "mel" else self.noun

    @property
    def has(self) -> str:
        """The verb that goes with the noun."""
        return "has" if self.kind == "mel" else "have"

    @property
    def frames_of_levels(self) -> tuple[int, ...]:
        """Frames that each level has in a frame of the coarsest one; empty if all books have one rate."""
        return tuple(self.strides[0] // stride for stride in self.strides)


def wanted_of(spec: Spec, recipe: MelDialect | None = None) -> Wanted:
    """Return what a specification tells of the signal.

    Parameters
    ----------
    spec
        Specification of the signals that the network gets.
    recipe
        Recipe of mel spectrograms that the model was trained for.
    """
    if any(issubclass(one, CodecTokens) for one in spec.signals):
        books = spec.carried.get(Codebooks)
        if not isinstance(books, Codebooks):
            return Wanted(kind="tokens", sample_rate=spec.sample_rate, is_told_by_file=is_told_by_file(spec))
        return Wanted(
            kind="tokens",
            books=len(books.sizes) or len(books.strides) or None,
            strides=books.strides,
            sample_rate=books.sample_rate,
            samples_per_frame=books.samples_per_frame,
        )
    if any(issubclass(one, Latents) for one in spec.signals):
        latents = spec.carried.get(LatentFormat)
        if not isinstance(latents, LatentFormat):
            return Wanted(kind="latent", sample_rate=spec.sample_rate)
        return Wanted(
            kind="latent",
            bands=latents.bands,
            sample_rate=latents.sample_rate,
            samples_per_frame=latents.samples_per_frame,
        )
    known = recipe or spec.carried.get(MelDialect)
    return _of_recipe(known) if isinstance(known, MelDialect) else Wanted(kind="mel", sample_rate=spec.sample_rate)


def _of_recipe(recipe: MelDialect) -> Wanted:
    """Return what a recipe tells of a mel spectrogram."""
    return Wanted(
        kind="mel",
        bands=recipe.n_mels,
        frames_first=recipe.layout == "frames-mels",
        recipe=recipe.label,
        grid=recipe.grid,
        sample_rate=recipe.sample_rate,
        samples_per_frame=recipe.hop_length,
    )


def wanted_by(signal: Signal, recipe: MelDialect | None = None) -> Wanted:
    """Return what a signal that has been read tells: all of it is known then."""
    from msgspec.structs import replace

    from tonearm.api import spec_of

    found = wanted_of(spec_of(signal), recipe)
    if isinstance(signal, CodecTokens):
        return replace(found, books=signal.books)
    return replace(found, bands=signal.bands) if isinstance(signal, Latents) else found
