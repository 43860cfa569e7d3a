"""``image-reader``: images of spectrograms, by Riffusion's recipe or any other."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from tonearm.api import (
    BESIDE,
    IF_ABSENT,
    ArrayDecoder,
    ArrayOptions,
    ChooseOption,
    Context,
    GiveOption,
    Item,
    ItemError,
    Kind,
    MelDialect,
    MelSpectrogram,
    Meta,
    OptionError,
    RemoveOption,
    Requirement,
    SetOption,
    Signal,
    Source,
)

if TYPE_CHECKING:
    from tonearm_plugins.dsp.typing import Array
    from tonearm_plugins.formats.image import Image

Channels = Literal["mono", "stereo", "triple"]

COLOURFUL = 16
"""Mean difference of red and green, in levels, from which on an image is in colour; a diffusion model's grey has 3."""


@dataclass(frozen=True, kw_only=True)
class ImageOptions(ArrayOptions):
    """Options of ``image-reader``; rows are frequencies, columns are frames."""

    kind: Annotated[
        Kind[Any, Any],
        Meta(
            description="Kind of spectrogram. The levels of a mel are those of its recipe; riffusion has bytes.",
            extra={BESIDE: True, IF_ABSENT: "mel"},
        ),
    ]
    channels: Annotated[
        Channels | None,
        Meta(
            description="Colours that hold the sound: mono red, as all three are alike; stereo green and blue; triple"
            " all three, as three bands next to each other. By default those of the image's EXIF tags, else mono."
        ),
    ] = None
    black: Annotated[
        float | None,
        Meta(description="Value of black, as in black: -80 and white: 0; without both, values are the levels."),
    ] = None
    white: Annotated[float | None, Meta(description="Value of white.")] = None
    low: Annotated[
        Literal["bottom", "top"] | None,
        Meta(description="Place of low frequencies in an image with black and white; bottom by default."),
    ] = None

    def problems(self) -> Iterator[OptionError]:
        """Yield the errors of options that conflict; the recipe may be in the image."""
        kind = self.kind
        if kind.dtype == "complex" or len(kind.axes) != 2:
            message = f"an image has real values of two axes, but kind {kind.name} has others"
            yield OptionError(message, option="kind", remedies=(ChooseOption("kind", ("mel", "magnitude")),))
        for error in super().problems():
            if not (error.option == "dialect" and error.code == "missing-option"):
                yield error
        if (self.black is None) != (self.white is None):
            missing = "black" if self.black is None else "white"
            yield OptionError(
                f"'{missing}' is missing", option=missing, code="missing-option", remedies=(_level(missing),)
            )
        elif self.black is None and MelSpectrogram not in kind.spec().signals:
            yield OptionError("'black' is missing", option="black", code="missing-option", remedies=_levels())
        elif self.black is not None and self.black == self.white:
            yield OptionError("black and white are the same", option="black")
        if self.low is not None and self.black is None:
            yield OptionError(
                "the recipe determines where low frequencies are",
                option="low",
                remedies=(RemoveOption("low", "or give black and white"),),
            )


def _level(option: str) -> GiveOption:
    """Return the remedy for a missing ``black`` or ``white``."""
    level, example = ("darkest", -80) if option == "black" else ("brightest", 0)
    return GiveOption(option, f"the value of the {level} level, such as {example}")


def _levels() -> tuple[GiveOption, ...]:
    """Return the remedies for the lack of both."""
    return _level("black"), _level("white")


class ImageReader(ArrayDecoder[ImageOptions]):
    """Read an image of a spectrogram by Riffusion's recipe, from its EXIF tags, or by any other in shades of grey."""

    suffixes = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")
    reads = "content"
    requires = (Requirement(name="PIL", package="pillow", hint="pip install 'tonearm[image]'"),)

    def decode(self, source: Source, context: Context) -> Iterator[Item[Signal] | ItemError]:
        """Yield the spectrogram."""
        if source.holds_arrays:
            yield from super().decode(source, context)
            return
        image = _read(source)
        options = self.options
        if self._needs_recipe:
            given = dataclasses.replace(options.kind.options, dialect=image.recipe(context.catalogue(MelDialect)))
            options = dataclasses.replace(options, kind=type(options.kind)(given))
        if options.axes is None:
            stereo = self._channels(image) == "stereo"
            options = dataclasses.replace(options, axes=[*(["channel"] if stereo else []), *options.kind.axes])
        for signal in type(self)(options).read(self._values(image), context):
            yield signal if isinstance(signal, ItemError) else Item(signal=signal)

    def arrays(self, source: Source, context: Context) -> Iterator[tuple[str, Array] | ItemError]:
        """Yield the levels or their values: (rows, columns), or (2, rows, columns) for stereo."""
        image = _read(source)
        if self._needs_recipe and image.has_recipe:
            recipe = image.recipe(context.catalogue(MelDialect))
            context.measure(kind="mel", dialect=recipe.label, sample_rate=recipe.sample_rate)
        yield "", self._values(image)

    @property
    def _needs_recipe(self) -> bool:
        """Whether the image must have the recipe."""
        return getattr(self.options.kind.options, "dialect", self) is None

    def _channels(self, image: Image) -> Channels:
        """Return the colours that hold the sound."""
        return self.options.channels or image.channels

    def _values(self, image: Image) -> Array:
        """Return the levels of an image, or their values between black and white."""
        channels = self._channels(image)
        levels = image.levels
        if levels.shape[2] == 1 and channels != "mono":
            raise ItemError(
                f"the image has no colours, but channels is {channels}",
                code="kind-mismatch",
                remedies=(SetOption("channels", "mono"),),
            )
        if channels == "mono":
            if self.options.channels is None:
                _refuse_colours(levels)
            values = levels[:, :, 0]
        elif channels == "stereo":
            values = levels[:, :, 1:].transpose(2, 0, 1)
        else:
            # From the top down, the last of three bands comes first.
            values = levels[:, :, ::-1].transpose(0, 2, 1).reshape(-1, levels.shape[1])
        black, white = self.options.black, self.options.white
        if black is None or white is None:
            if levels.dtype != "u1":
                raise ItemError(
                    f"the image has levels of {levels.dtype.itemsize * 8} bits, and no recipe for them",
                    code="unknown-scale",
                    remedies=_levels(),
                )
            return values
        full = 255 if levels.dtype == "u1" else 65535
        scaled = values.astype("f8" if self.options.precision == "double" else "f4") * ((white - black) / full) + black
        return scaled if self.options.low == "top" else scaled[..., ::-1, :]


def _read(source: Source) -> Image:
    """Read the image of a source."""
    from tonearm_plugins.formats import image

    with source.open() as file:
        return image.read(file, source.name)


def _refuse_colours(levels: Array) -> None:
    """Refuse an image in colour if no option tells what the colours are.

    The red of a stereo image would be read as full level.
    """
    import numpy as np

    if levels.shape[2] == 1:
        return
    apart = float(np.abs(levels[:, :, 0].astype("i4") - levels[:, :, 1]).mean())
    if apart > COLOURFUL:
        raise ItemError(
            f"the image is in colour: red and green are {apart:.0f} levels apart on average",
            code="in-colour",
            remedies=(SetOption("channels", "stereo", "if green and blue are left and right"),),
            hint="a colour map must be removed first",
        )
