"""The options of all decoders of arrays, which describe what an array itself cannot."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

from msgspec import Meta

from tonearm.arrays.kinds import KINDS, AxisName, KindName, axes_hint, possible_axes
from tonearm.errors import Advice, ChooseOption, GiveOption, OptionError, Remedy, RemoveOption, SetOption
from tonearm.recipes.catalogue import listing_hint
from tonearm.recipes.mel import MelDialect
from tonearm.signals import (
    GRID_FIELDS,
    MAX_SAMPLE_RATE,
    ComplexSpectrogram,
    Padding,
    PadMode,
    Signal,
    StftGrid,
    Waveform,
)

NanPolicy = Literal["error", "zero", "keep"]
"""Treatment of NaN and infinite values."""

MAGNITUDE_KINDS = ChooseOption("kind", ("magnitude", "power", "db"))
"""Remedy for phases without magnitudes."""

# Options that describe spectrograms only.
SPECTRAL = (*(name for name in GRID_FIELDS if name != "sample_rate"), "center", "length")


@dataclass(frozen=True, kw_only=True)
class ArrayOptions:
    """Options of all decoders of arrays; they describe what the model wrote."""

    kind: Annotated[
        KindName | None,
        Meta(
            description="Kind of the values. Not needed for complex arrays, which are complex spectrograms, and for"
            " real arrays of one axis, which are waveforms."
        ),
    ] = None
    axes: Annotated[
        list[AxisName] | None,
        Meta(
            description="Names of the axes in the array's order, such as [batch, channel, time]. complex is an axis of"
            " size two with real and imaginary parts.",
            min_length=1,
        ),
    ] = None
    sample_rate: Annotated[
        int | None,
        Meta(
            description="Sample rate in Hz. Required, because an array does not contain it.", ge=1, le=MAX_SAMPLE_RATE
        ),
    ] = None
    n_fft: Annotated[int | None, Meta(description="Length of the Fourier transform in samples.", ge=2)] = None
    hop_length: Annotated[int | None, Meta(description="Samples from one frame to the next.", ge=1)] = None
    win_length: Annotated[
        int | None, Meta(description="Length of the window in samples, centred in n_fft; n_fft by default.", ge=1)
    ] = None
    window: Annotated[str, Meta(description="Name of the analysis window.")] = "hann"
    padding: Annotated[
        Padding | None,
        Meta(
            description="Padding that the analysis added at each end: center adds n_fft/2 samples (the default),"
            " half-overlap (n_fft - hop_length)/2, none nothing."
        ),
    ] = None
    center: Annotated[
        bool | None, Meta(description="Padding as a truth value: true is padding: center, false is padding: none.")
    ] = None
    pad_mode: Annotated[PadMode, Meta(description="Values of the padding.")] = "constant"
    length: Annotated[
        int | None, Meta(description="Length in samples of the waveform behind a spectrogram, if known.", ge=1)
    ] = None
    precision: Annotated[
        Literal["single", "double"], Meta(description="Precision of the values; double keeps float64 and complex128.")
    ] = "single"
    full_scale: Annotated[
        float | None,
        Meta(
            description="Value of full scale in the array: 32768 for floats that hold 16-bit samples. For unsigned"
            " integers it is also the middle. 1 keeps whole numbers as they are, for mu-law-decode.",
            gt=0,
        ),
    ] = None
    nan: Annotated[
        NanPolicy,
        Meta(
            description="Treatment of NaN and infinity: error fails the item, zero replaces them with 0, keep leaves"
            " them to a later step (encoders need finite values)."
        ),
    ] = "error"
    dialect: Annotated[
        MelDialect | None,
        Meta(
            description="Recipe of a mel spectrogram: a name, {base: NAME, sample_rate: 24000} to change a known one,"
            " or all its figures."
        ),
    ] = None

    def problems(self) -> Iterator[OptionError]:
        """Yield contradictions between options."""
        if self.kind == "mel" or self.dialect is not None:
            yield from self._dialect_problems()
        elif self.sample_rate is None:
            yield _missing("sample_rate", "the rate that the model was made for, such as 22050")
        if self.kind == "waveform":
            yield from (_useless(name, "spectrograms") for name in SPECTRAL if self._is_set(name))
        elif self.kind is not None:
            if self._is_set("full_scale"):
                yield _useless("full_scale", "waveforms", self.kind)
            if self.kind != "mel":
                yield from self._grid_problems()
        if self.center is not None and self.padding is not None:
            yield OptionError(
                "center and padding are the same option", option="center", remedies=(RemoveOption("center"),)
            )
        if self.axes is not None:
            yield from self._axes_problems(self.axes)

    def _dialect_problems(self) -> Iterator[OptionError]:
        """Yield contradictions of the dialect, which determines all of the analysis."""
        if self.dialect is None:
            yield _missing("dialect", f"the model family, such as hifigan; {listing_hint(MelDialect)}")
            return
        if self.kind != "mel":
            remedies = (SetOption("kind", "mel"),) if self.kind is None else ()
            message = "'dialect' describes mel spectrograms, but kind is not mel"
            yield OptionError(message, option="dialect", remedies=remedies)
        for name in (*(name for name in GRID_FIELDS), "center"):
            if self._is_set(name) and getattr(self, name) != getattr(self.dialect, name, None):
                changed = {"base": self.dialect.name or "NAME", name: getattr(self, name)}
                remedy: Remedy = SetOption("dialect", changed, when="if the model differs")
                if not hasattr(self.dialect, name):
                    remedy = Advice("the dialect has padding")
                message = f"'{name}' is part of the dialect {self.dialect.label}"
                yield OptionError(message, option=name, remedies=(remedy,))

    def _grid_problems(self) -> Iterator[OptionError]:
        missing = [name for name in ("n_fft", "hop_length") if getattr(self, name) is None]
        yield from (_missing(name, f"the model's own, as a {self.kind} spectrogram needs it") for name in missing)
        if not missing and self.sample_rate is not None:
            try:
                self.grid()
            except OptionError as error:
                yield error

    def _axes_problems(self, axes: list[AxisName]) -> Iterator[OptionError]:
        for name in {name for name in axes if axes.count(name) > 1}:
            yield OptionError(f"axes names {name} twice", option="axes")
        if self.kind is None:
            if "complex" in axes:
                message = "an axis of real and imaginary parts needs a kind"
                yield OptionError(message, option="axes", remedies=(SetOption("kind", "complex"),))
            return
        needed = KINDS[self.kind].axes
        for name in axes:
            if name not in possible_axes(self.kind):
                message = f"a {self.kind} array has no {name} axis"
                yield OptionError(message, option="axes", hint=axes_hint(self.kind))
        for name in needed:
            if name not in axes:
                yield OptionError(f"axes names no {name} axis, which a {self.kind} array has", option="axes")

    def _is_set(self, name: str) -> bool:
        return bool(getattr(self, name) != type(self).__dataclass_fields__[name].default)

    def grid(self) -> StftGrid:
        """Return the grid described by the options, or that of the dialect.

        Raises
        ------
        OptionError
            If n_fft, hop_length or sample_rate is missing, or values contradict each other.
        """
        if self.dialect is not None:
            return self.dialect.grid
        if self.n_fft is None or self.hop_length is None or self.sample_rate is None:
            names = [name for name in ("sample_rate", "n_fft", "hop_length") if getattr(self, name) is None]
            raise _missing(names[0], "a spectrogram cannot be read without it")
        padding = self.padding or ("none" if self.center is False else "center")
        return StftGrid(
            sample_rate=self.sample_rate,
            n_fft=self.n_fft,
            hop_length=self.hop_length,
            win_length=self.n_fft if self.win_length is None else self.win_length,
            window=self.window,
            padding=padding,
            pad_mode=self.pad_mode,
        )

    @property
    def rate(self) -> int | None:
        """Sample rate in Hz, from the options or from the dialect; None if unknown."""
        return self.dialect.sample_rate if self.dialect is not None else self.sample_rate

    def signals(self) -> tuple[type[Signal], ...]:
        """Return the possible signal classes of an array; without ``kind``, those that need no kind."""
        return (KINDS[self.kind].signal,) if self.kind else (Waveform, ComplexSpectrogram)


@dataclass(frozen=True, kw_only=True)
class KeyedArrayOptions(ArrayOptions):
    """Options of decoders for files with several named arrays."""

    key: Annotated[
        str | None,
        Meta(description="Name of the array to read, or a pattern with * and ?. Not needed for files with one array."),
    ] = None
    lengths: Annotated[str | None, Meta(description="Name of the array with the true lengths of a padded batch.")] = (
        None
    )
    imag: Annotated[
        str | None,
        Meta(
            description="Name of the array with the imaginary parts, if key names the real parts. A * in both stands"
            " for the same text."
        ),
    ] = None
    phase: Annotated[
        str | None,
        Meta(
            description="Name of the array with the phases in radians, if key names magnitudes, powers or decibels."
            " Both become a complex spectrogram."
        ),
    ] = None

    def problems(self) -> Iterator[OptionError]:
        """Yield contradictions between options."""
        yield from super().problems()
        if self.imag is not None and self.phase is not None:
            yield OptionError("imag and phase exclude each other", option="phase", hint="keep one")
        if self.imag is not None and self.kind != "complex":
            remedies = (SetOption("kind", "complex"),)
            yield OptionError("'imag' names imaginary parts, but kind is not complex", option="imag", remedies=remedies)
        if self.phase is not None and self.kind not in ("magnitude", "power", "db"):
            yield OptionError(
                "'phase' needs magnitudes, powers or decibels", option="phase", remedies=(MAGNITUDE_KINDS,)
            )
        for option in ("imag", "phase"):
            other = getattr(self, option)
            if other is not None and self.key is None:
                yield _missing("key", f"{option} names one array, key the other")
            elif other is not None and self.key is not None and not other.count("*") == self.key.count("*") <= 1:
                hint = "a * in both stands for the same text, as in key: 'a.*.real' and imag: 'a.*.imag'"
                yield OptionError(f"{option} and key must both have one *, or none", option=option, hint=hint)

    def companion(self, option: str, key: str) -> str:
        """Return the name of the array that an option (lengths, imag, phase) assigns to the array of a key.

        A * in the option is replaced by the text that the * in ``key`` matches.
        """
        name: str = getattr(self, option)
        before, star, after = (self.key or "").partition("*")
        return name.replace("*", key[len(before) : len(key) - len(after)], 1) if star and "*" in name else name

    def signals(self) -> tuple[type[Signal], ...]:
        """Return the possible signal classes of an array."""
        return (ComplexSpectrogram,) if self.phase is not None else super().signals()


def _missing(option: str, meaning: str) -> OptionError:
    remedies = (GiveOption(option, meaning),)
    return OptionError(f"'{option}' is missing", option=option, remedies=remedies, code="missing-option")


def _useless(option: str, whose: str, kind: str = "waveform") -> OptionError:
    return OptionError(f"'{option}' describes {whose}, but kind is {kind}", option=option)
