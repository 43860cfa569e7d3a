"""``image-reader``: spectrogram pictures, by Riffusion's recipe or any other."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from tonearm.api import (
    ArrayDecoder,
    ArrayOptions,
    Context,
    Item,
    ItemError,
    MelSpectrogram,
    Meta,
    OptionError,
    Requirement,
    Signal,
    Source,
    Spec,
)

if TYPE_CHECKING:
    import numpy as np

    from tonearm_plugins.formats.image import Picture

    Array = np.ndarray[Any, Any]

AxisName = Literal["channel", "mel", "bin", "frame"]
Channels = Literal["mono", "stereo", "triple"]

COLOURFUL = 16
"""Levels by which red and green differ on average in a picture that is no shade of grey; a diffusion model's, by 3."""


@dataclass(frozen=True, kw_only=True)
class ImageOptions(ArrayOptions):
    """Options of ``image-reader``; rows are frequencies, columns are frames."""

    kind: Annotated[
        Literal["mel", "magnitude", "power", "db"],
        Meta(description="What the levels are. Levels of a mel are its dialect's, which riffusion has as bytes."),
    ] = "mel"
    channels: Annotated[
        Channels | None,
        Meta(
            description="Which colours hold the sound: mono red, as all three are alike; stereo green and blue; triple"
            " all three, as three bands next to each other. As the picture's EXIF tags say, else mono."
        ),
    ] = None
    black: Annotated[
        float | None,
        Meta(description="The value of black, as in black: -80 and white: 0; without both, values are the levels."),
    ] = None
    white: Annotated[float | None, Meta(description="The value of white.")] = None
    low: Annotated[
        Literal["bottom", "top"] | None,
        Meta(description="Where low frequencies are, of a picture with black and white; at the bottom if not given."),
    ] = None

    def problems(self) -> Iterator[OptionError]:
        """Yield what does not fit together; a dialect may stand in the picture."""
        for error in super().problems():
            if not (self.kind == "mel" and error.code == "missing-option"):
                yield error
        if (self.black is None) != (self.white is None):
            missing = "black" if self.black is None else "white"
            yield OptionError(f"'{missing}' is missing", option=missing, code="missing-option", hint="give both")
        elif self.black is None and self.kind != "mel":
            hint = "what the darkest and the brightest level stand for, as in black: -80 and white: 0"
            yield OptionError("'black' is missing", option="black", code="missing-option", hint=hint)
        elif self.black is not None and self.black == self.white:
            yield OptionError("black and white are the same", option="black")
        if self.low is not None and self.black is None:
            hint = "it is for pictures with black and white"
            yield OptionError("the dialect says where low frequencies are", option="low", hint=hint)


class ImageReader(ArrayDecoder[ImageOptions]):
    """Read a spectrogram picture by Riffusion's recipe, as its EXIF tags say it, or any other in shades of grey."""

    suffixes = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")
    requires = (Requirement(name="PIL", package="pillow", hint="pip install 'tonearm[image]'"),)

    def decode(self, source: Source, context: Context) -> Iterator[Item[Signal] | ItemError]:
        """Yield the spectrogram."""
        if source.array is not None:
            yield from super().decode(source, context)
            return
        picture = _opened(source)
        options = self.options
        if options.kind == "mel" and options.dialect is None:
            options = dataclasses.replace(options, dialect=picture.dialect(context.dialects()))
        if options.axes is None:
            rows: AxisName = "mel" if options.kind == "mel" else "bin"
            stereo = self._channels(picture) == "stereo"
            options = dataclasses.replace(options, axes=["channel", rows, "frame"] if stereo else [rows, "frame"])
        for signal in type(self)(options).read(self._values(picture), context):
            yield signal if isinstance(signal, ItemError) else Item(signal=signal)

    def arrays(self, source: Source, context: Context) -> Iterator[tuple[str, Array] | ItemError]:
        """Yield the levels, or what they stand for: (rows, columns), or (2, rows, columns) of stereo."""
        picture = _opened(source)
        if self.options.dialect is None and picture.says_recipe:
            recipe = picture.dialect(context.dialects())
            context.measure(recipe=recipe.label, sample_rate=recipe.sample_rate)
        yield "", self._values(picture)

    def produces(self) -> Spec:
        """Return what the options say; a recipe that stands in the picture shows only then."""
        if self.options.kind == "mel" and self.options.dialect is None:
            return Spec(signals=(MelSpectrogram,))
        return super().produces()

    def _channels(self, picture: Picture) -> Channels:
        return self.options.channels or picture.channels

    def _values(self, picture: Picture) -> Array:
        """Return what the levels of a picture stand for."""
        channels = self._channels(picture)
        levels = picture.levels
        if levels.shape[2] == 1 and channels != "mono":
            raise ItemError(
                f"the picture has no colours, but channels is {channels}", code="kind-mismatch", hint="channels: mono"
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
                    f"the picture has levels of {levels.dtype.itemsize * 8} bits, and no recipe for them",
                    code="unknown-scale",
                    hint="give black and white, what the darkest and the brightest level stand for",
                )
            return values
        full = 255 if levels.dtype == "u1" else 65535
        scaled = values.astype("f4") * ((white - black) / full) + black
        return scaled if self.options.low == "top" else scaled[..., ::-1, :]


def _opened(source: Source) -> Picture:
    from tonearm_plugins.formats import image

    with source.open() as file:
        return image.read(file, source.name)


def _refuse_colours(levels: Array) -> None:
    """Refuse a picture in colours where nobody said what they are; red of a stereo picture would be full sound."""
    import numpy as np

    if levels.shape[2] == 1:
        return
    apart = float(np.abs(levels[:, :, 0].astype("i4") - levels[:, :, 1]).mean())
    if apart > COLOURFUL:
        raise ItemError(
            f"the picture is in colour: red and green are {apart:.0f} levels apart on average",
            code="in-colour",
            hint="channels: stereo if green and blue are left and right; a colour map must be taken off first",
        )
