"""Whether tokens, latents and mel spectrograms are those that a model takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tonearm.api import (
    Advice,
    Codebooks,
    GiveOption,
    ItemError,
    LatentFormat,
    Latents,
    MelDialect,
    OptionError,
    Remedy,
    RemoveOption,
    SetOption,
)
from tonearm_plugins.networks.model_config import CodecFigures, VocoderFigures

MISMATCH = "model-mismatch"


def check_books(name: str, figures: CodecFigures, books: Codebooks, count: int | None = None) -> None:
    """Raise `OptionError` if tokens of these codebooks are not those that a model takes.

    Parameters
    ----------
    name
        Name of the model in the message.
    figures
        Figures of the model.
    books
        Codebooks of the tokens; what is unknown of them is not checked.
    count
        Number of books; None if it is that of the sizes, if these are known.
    """
    if not figures.books:
        raise OptionError(
            f"{name} decodes latents of {figures.bands} bands, and no tokens",
            option="model",
            code=MISMATCH,
            remedies=(GiveOption("model", "a model that decodes tokens"),),
        )
    wrong = list(_wrong_books(figures, books, count or len(books.sizes)))
    wrong += _wrong_rates(figures.sample_rate, figures.samples_per_frame, books.sample_rate, books.samples_per_frame)
    _raise_for(name, "tokens", "layout", wrong, figures.sample_rate, books.sample_rate)


def _wrong_books(figures: CodecFigures, books: Codebooks, count: int) -> Iterator[str]:
    """Yield how the books of tokens differ from those of a model, each as what they have and what it takes."""
    if books.strides:
        yield f"levels of rates of their own, not {_books(figures)} of one rate"
        return
    if count and (count > figures.books or (count < figures.books and not figures.fewer_books)):
        yield f"{_counted(count)}, not {_books(figures)}"
    sizes = sorted({size for size in books.sizes or (books.size,) if size not in (None, figures.size)})
    if sizes:
        yield f"codebooks of size {' and '.join(map(str, sizes))}, not {figures.size}"


def _books(figures: CodecFigures) -> str:
    return f"{'at most ' if figures.fewer_books and figures.books > 1 else ''}{_counted(figures.books)}"


def _counted(books: int) -> str:
    return f"{books} {'book' if books == 1 else 'books'}"


def check_latents(name: str, figures: CodecFigures, given: LatentFormat | None) -> None:
    """Raise `OptionError` if a model takes no latents, or none of these bands and rates."""
    if figures.bands is None:
        raise OptionError(
            f"{name} decodes tokens, and no latents",
            option="model",
            code=MISMATCH,
            remedies=(GiveOption("model", "a model that decodes latents"),),
        )
    if given is None:
        return
    wrong = [f"{given.bands} bands, not {figures.bands}"] if given.bands not in (None, figures.bands) else []
    wrong += _wrong_rates(figures.sample_rate, figures.samples_per_frame, given.sample_rate, given.samples_per_frame)
    _raise_for(name, "latents", "", wrong, figures.sample_rate, given.sample_rate)


def check_dialect(name: str, figures: VocoderFigures, dialect: MelDialect) -> None:
    """Raise `OptionError` if mel spectrograms of a dialect are not those that a vocoder takes."""
    wrong = [f"{dialect.n_mels} mel bands, not {figures.mels}"] if dialect.n_mels != figures.mels else []
    wrong += _wrong_rates(figures.sample_rate, figures.samples_per_frame, dialect.sample_rate, dialect.hop_length)
    _raise_for(name, "mel spectrogram", "dialect", wrong, figures.sample_rate, dialect.sample_rate)


def _wrong_rates(rate: int | None, samples: int, given_rate: int | None, given_samples: int | None) -> Sequence[str]:
    wrong = []
    if rate is not None and given_rate is not None and given_rate != rate:
        wrong.append(f"{given_rate} Hz, not {rate} Hz")
    if given_samples is not None and given_samples != samples:
        wrong.append(f"{given_samples} samples a frame, not {samples}")
    return wrong


def _raise_for(
    name: str, what: str, option: str, wrong: Sequence[str], rate: int | None, given_rate: int | None
) -> None:
    """Raise `OptionError` with all differences, if there are any."""
    if not wrong:
        return
    is_are, has_have = ("are", "have") if what.endswith("s") else ("is", "has")
    remedies: list[Remedy] = [GiveOption("model", f"the model that the {what} {is_are} for")]
    if len(wrong) == 1 and given_rate != rate and rate is not None and given_rate is not None:
        remedies.append(SetOption("sample_rate", rate, stage="input"))
    if option:
        remedies.append(Advice(f"change the {option} in the options of input"))
    raise OptionError(
        f"{name} does not take the {what}, which {has_have} {'; '.join(wrong)}",
        option="model",
        code=MISMATCH,
        remedies=tuple(remedies),
    )


def check_bands(name: str, figures: CodecFigures, latents: Latents) -> None:
    """Raise `ItemError` if latents have another number of bands than a model takes."""
    if latents.bands != figures.bands:
        raise ItemError(
            f"{name} takes latents of {figures.bands} bands, but there are {latents.bands}",
            code=MISMATCH,
            remedies=(Advice("check the axes of the latents, or name another model"),),
        )


def agreed_rate(asked: int | None, told: int | None, *, teller: str) -> int:
    """Return the sample rate of the sound in Hz, from an option and from the model or the signal.

    Parameters
    ----------
    asked
        Rate that the option ``sample_rate`` says; None if it is not given.
    told
        Rate that the model or the signal tells; None if neither does.
    teller
        Words for what tells it, before the rate: ``the signal says``.

    Raises
    ------
    OptionError
        If the two contradict each other, or neither is known.
    """
    if told is not None and asked not in (None, told):
        raise OptionError(
            f"sample_rate is {asked} Hz, but {teller} {told} Hz",
            option="sample_rate",
            code="rate-mismatch",
            remedies=(RemoveOption("sample_rate"),),
        )
    if (rate := told or asked) is None:
        raise OptionError(
            "neither the model, nor the signal, nor an option says the sample rate of the sound",
            option="sample_rate",
            code="missing-option",
            remedies=(GiveOption("sample_rate", "sample rate of the model in Hz"),),
        )
    return rate
