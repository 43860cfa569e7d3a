"""What a user says of an array, because an array cannot say it itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from msgspec import Meta, Struct

from tonearm.errors import GiveOption, OptionError
from tonearm.recipes.mel import MelDialect, MelSpectrogram
from tonearm.signals import (
    GRID_FIELDS,
    MAX_SAMPLE_RATE,
    ComplexSpectrogram,
    MagnitudeSpectrogram,
    Padding,
    PadMode,
    Signal,
    StftGrid,
    Waveform,
)

KindName = Literal["waveform", "complex", "magnitude", "power", "db", "mel"]
AxisName = Literal["batch", "channel", "time", "bin", "mel", "frame", "complex"]
NanPolicy = Literal["error", "zero", "keep"]


class Kind(Struct, frozen=True):
    """What an array can hold: the signal that it becomes, and the axes that it cannot do without."""

    signal: type[Signal]
    axes: tuple[AxisName, ...]


KINDS: Mapping[KindName, Kind] = {
    "waveform": Kind(Waveform, ("time",)),
    "complex": Kind(ComplexSpectrogram, ("bin", "frame")),
    "magnitude": Kind(MagnitudeSpectrogram, ("bin", "frame")),
    "power": Kind(MagnitudeSpectrogram, ("bin", "frame")),
    "db": Kind(MagnitudeSpectrogram, ("bin", "frame")),
    "mel": Kind(MelSpectrogram, ("mel", "frame")),
}


def possible_axes(kind: KindName) -> tuple[AxisName, ...]:
    """Return the axes that an array of a kind can have."""
    return ("batch", "channel", *KINDS[kind].axes, *(("complex",) if kind == "complex" else ()))


# Options that describe a spectrogram, and say nothing of a waveform.
SPECTRAL = (*(name for name in GRID_FIELDS if name != "sample_rate"), "center", "length")


@dataclass(frozen=True, kw_only=True)
class ArrayOptions:
    """Options of every decoder of arrays; they describe what the model wrote."""

    kind: Annotated[
        KindName | None,
        Meta(
            description="What the values are. Complex arrays are complex spectrograms and real arrays of one axis are"
            " waveforms; everything else needs it."
        ),
    ] = None
    axes: Annotated[
        list[AxisName] | None,
        Meta(
            description="What each axis is, in the array's order, as in [batch, channel, time]; complex is an axis of"
            " two, real and imaginary parts.",
            min_length=1,
        ),
    ] = None
    sample_rate: Annotated[
        int | None, Meta(description="In Hz; an array does not say it, so it must be given.", ge=1, le=MAX_SAMPLE_RATE)
    ] = None
    n_fft: Annotated[int | None, Meta(description="Length of the Fourier transform in samples.", ge=2)] = None
    hop_length: Annotated[int | None, Meta(description="Samples from one frame to the next.", ge=1)] = None
    win_length: Annotated[
        int | None, Meta(description="Samples of the window, centred in n_fft; n_fft if not given.", ge=1)
    ] = None
    window: Annotated[str, Meta(description="Name of the analysis window.")] = "hann"
    padding: Annotated[
        Padding | None,
        Meta(
            description="What the analysis put at each end: center n_fft/2 samples (if not given), half-overlap"
            " (n_fft - hop_length)/2, none nothing."
        ),
    ] = None
    center: Annotated[bool | None, Meta(description="true is padding: center, false is padding: none.")] = None
    pad_mode: Annotated[PadMode, Meta(description="With which values the analysis padded.")] = "constant"
    length: Annotated[int | None, Meta(description="Samples of the waveform behind a spectrogram, if known.", ge=1)] = (
        None
    )
    precision: Annotated[
        Literal["single", "double"], Meta(description="double keeps float64 and complex128 as they are.")
    ] = "single"
    full_scale: Annotated[
        float | None,
        Meta(
            description="The value in the array that is full scale: 32768 for floats that hold 16-bit samples. Unsigned"
            " integers have their middle there too. 1 leaves whole numbers as they are, for mu-law-decode.",
            gt=0,
        ),
    ] = None
    nan: Annotated[
        NanPolicy,
        Meta(
            description="What becomes of NaN and infinity: error refuses the item, zero puts 0 there, keep leaves them"
            " to a later step (what is written must be finite)."
        ),
    ] = "error"
    dialect: Annotated[
        MelDialect | None,
        Meta(
            description="The recipe of a mel spectrogram: a name, {base: NAME, sample_rate: 24000} to change a known"
            " one, or all its figures."
        ),
    ] = None

    def problems(self) -> Iterator[OptionError]:
        """Yield what does not fit together."""
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
            yield OptionError("center and padding say the same thing twice", option="center", hint="keep padding")
        if self.axes is not None:
            yield from self._axes_problems(self.axes)

    def _dialect_problems(self) -> Iterator[OptionError]:
        """Yield what contradicts the dialect, which says all of the analysis."""
        if self.dialect is None:
            yield _missing(
                "dialect", "the model family, such as hifigan; tonearm plugins npy-reader --dialects lists all"
            )
            return
        if self.kind != "mel":
            hint = "kind: mel" if self.kind is None else ""
            yield OptionError("'dialect' describes mel spectrograms, but kind is not mel", option="dialect", hint=hint)
        for name in (*(name for name in GRID_FIELDS), "center"):
            if self._is_set(name) and getattr(self, name) != getattr(self.dialect, name, None):
                shown = getattr(self, name)
                hint = f"dialect: {{base: {self.dialect.name or 'NAME'}, {name}: {shown}}}, if the model differs"
                hint = hint if hasattr(self.dialect, name) else "the dialect has padding"
                yield OptionError(f"'{name}' comes with the dialect {self.dialect.label}", option=name, hint=hint)

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
                hint = "kind: complex"
                yield OptionError("an axis of real and imaginary parts wants its kind", option="axes", hint=hint)
            return
        needed = KINDS[self.kind].axes
        for name in axes:
            if name not in possible_axes(self.kind):
                hint = f"it has {', '.join(needed)}, and may have batch and channel"
                yield OptionError(f"a {self.kind} array has no {name} axis", option="axes", hint=hint)
        for name in needed:
            if name not in axes:
                yield OptionError(f"axes names no {name} axis, which a {self.kind} array has", option="axes")

    def _is_set(self, name: str) -> bool:
        return bool(getattr(self, name) != type(self).__dataclass_fields__[name].default)

    def grid(self) -> StftGrid:
        """Return the grid that the options describe; a dialect has its own.

        Raises
        ------
        OptionError
            If n_fft, hop_length or sample_rate is missing, or the figures do not fit one another.
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
        """The sample rate in Hz, if the options say it: by itself, or with the dialect."""
        return self.dialect.sample_rate if self.dialect is not None else self.sample_rate

    def signals(self) -> tuple[type[Signal], ...]:
        """Return the signals that an array read so may become; without ``kind``, only what shows by itself."""
        return (KINDS[self.kind].signal,) if self.kind else (Waveform, ComplexSpectrogram)


@dataclass(frozen=True, kw_only=True)
class KeyedArrayOptions(ArrayOptions):
    """Options of decoders whose files hold several arrays by name."""

    key: Annotated[
        str | None,
        Meta(description="Name of the array to read; with * and ?, of several. Not needed where there is only one."),
    ] = None
    lengths: Annotated[
        str | None, Meta(description="Name of the array with the true length of each element of a padded batch.")
    ] = None
    imag: Annotated[
        str | None,
        Meta(
            description="Name of the array with the imaginary parts, where key names the real ones. With a * in both,"
            " it stands for the same text."
        ),
    ] = None
    phase: Annotated[
        str | None,
        Meta(
            description="Name of the array with the phases in radians, where key names magnitudes, powers or decibels;"
            " both together are a complex spectrogram."
        ),
    ] = None

    def problems(self) -> Iterator[OptionError]:
        """Yield what does not fit together."""
        yield from super().problems()
        if self.imag is not None and self.phase is not None:
            yield OptionError("imag and phase are two ways to write the same thing", option="phase", hint="keep one")
        if self.imag is not None and self.kind != "complex":
            yield OptionError("'imag' names imaginary parts", option="imag", hint="kind: complex")
        if self.phase is not None and self.kind not in ("magnitude", "power", "db"):
            hint = "kind: magnitude, power or db, as what key names"
            yield OptionError("'phase' belongs to a magnitude", option="phase", hint=hint)
        for option in ("imag", "phase"):
            other = getattr(self, option)
            if other is not None and self.key is None:
                yield _missing("key", f"{option} names one array, key the other")
            elif other is not None and self.key is not None and not other.count("*") == self.key.count("*") <= 1:
                hint = "a * in key stands for the same text there, as in key: 'a.*.real' and imag: 'a.*.imag'"
                yield OptionError(f"{option} and key have one * each, or none", option=option, hint=hint)

    def beside(self, option: str, key: str) -> str:
        """Return the name that an option (lengths, imag, phase) gives to what belongs to an array of a key.

        A * in it is what the * in the option ``key`` stands for there.
        """
        name: str = getattr(self, option)
        before, star, after = (self.key or "").partition("*")
        return name.replace("*", key[len(before) : len(key) - len(after)], 1) if star and "*" in name else name

    def signals(self) -> tuple[type[Signal], ...]:
        """Return the signals that an array read so may become."""
        return (ComplexSpectrogram,) if self.phase is not None else super().signals()


def _missing(option: str, meaning: str) -> OptionError:
    remedies = (GiveOption(option, meaning),)
    return OptionError(f"'{option}' is missing", option=option, remedies=remedies, code="missing-option")


def _useless(option: str, whose: str, kind: str = "waveform") -> OptionError:
    return OptionError(f"'{option}' describes {whose}, but kind is {kind}", option=option)
