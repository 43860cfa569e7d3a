"""Images read by Pillow, and the recipe that Riffusion stores in their EXIF tags."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

from tonearm.api import (
    LEAVE_OUT,
    InflationBound,
    ItemError,
    MelDialect,
    OptionError,
    RecipeStep,
    SetOption,
    check_memory,
    quoted,
    reading_errors,
    size_of,
    wrong_format_error,
)
from tonearm_plugins.formats.library_notes import hushed_libraries

if TYPE_CHECKING:
    from tonearm_plugins.dsp.typing import Array

PIXELS = InflationBound(1 << 24, 200)
"""Pixels of an image. Spectrograms have about 2 for each byte, and 2^24 are five minutes of Riffusion's."""

MAX_SCANS = 64
"""Number of scans of a progressive JPEG image, each of which is decoded over all pixels. Encoders make about 10."""

MAX_TILES = 1 << 16
"""Number of tiles or strips of an image."""

_SCAN = b"\xff\xda"  # the marker of a scan; in the data of one, other bytes follow b"\xff"
_PIXEL = 8  # half of the bytes that Pillow and its copies take for a pixel

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF")
"""Formats that Pillow opens here. It knows more, some of them by running other programs."""

# Numbers of Riffusion's tags, from its spectrogram_params.py.
_RATE, _STEREO, _TRIPLE, _HOP, _WINDOW, _PADDED = 11000, 11005, 11007, 11010, 11020, 11030
_BANDS, _FMIN, _FMAX, _POWER, _MAX = 11040, 11050, 11060, 11070, 11080


@dataclass(frozen=True)
class Image:
    """Image with its tags.

    Parameters
    ----------
    levels
        (rows, columns, colours), uint8 or uint16; one colour, or red, green and blue.
    tags
        EXIF tags that are numbers.
    name
        Name of the file, for messages.
    """

    levels: Array
    tags: Mapping[int, float]
    name: str

    @property
    def channels(self) -> Literal["mono", "stereo", "triple"]:
        """Colours that hold the sound, according to the tags; mono without tags."""
        if self.tags.get(_TRIPLE):
            return "triple"
        return "stereo" if self.tags.get(_STEREO) else "mono"

    @property
    def has_recipe(self) -> bool:
        """Whether the tags are Riffusion's."""
        return _RATE in self.tags

    def recipe(self, catalogue: Any) -> MelDialect:
        """Return Riffusion's recipe with the figures of the tags.

        Raises
        ------
        ItemError
            ``no-dialect`` if the image has no tags of Riffusion's, ``bad-tags`` if they are impossible.
        """
        if not self.has_recipe:
            raise ItemError(
                "the image has no recipe: Riffusion's EXIF tags are missing",
                code="no-dialect",
                remedies=(SetOption("dialect", "riffusion", "if it is one of its images"),),
                hint="else give kind, black and white",
            )
        base: MelDialect = catalogue.find("riffusion")
        rate, get = int(self.tags[_RATE]), self.tags.get

        def samples(tag: int) -> int:
            return int(get(tag, 0) / 1000 * rate)

        try:
            return base.replace(
                name="riffusion, from EXIF",
                sample_rate=rate,
                n_fft=samples(_PADDED),
                win_length=samples(_WINDOW),
                hop_length=samples(_HOP),
                n_mels=int(get(_BANDS, 0)),
                fmin=float(get(_FMIN, 0)),
                fmax=float(get(_FMAX, 0)),
                steps=tuple(self._step(step) for step in base.steps),
            )
        except (OptionError, ValueError, OverflowError) as error:
            what = getattr(error, "message", str(error))
            raise ItemError(
                f"{quoted(self.name)} has impossible EXIF tags: {what}",
                code="bad-tags",
                remedies=(SetOption("dialect", "riffusion"),),
                hint="for another recipe, give one with base riffusion and the figures that differ",
            ) from error

    def _step(self, step: RecipeStep) -> RecipeStep:
        """Return a step of Riffusion's recipe with the figures of the tags."""
        power, most = self.tags.get(_POWER, 0.25), self.tags.get(_MAX, 30e6)
        if not (0 < power <= 16 and 0 < most < math.inf):
            raise ValueError(f"power_for_image {power:g} and max_value {most:g} are not above 0")
        if step.op == "power":
            return RecipeStep(op="power", exponent=power)
        return RecipeStep(op="divide-max", max=most) if step.op == "divide-max" else step


def read(file: BinaryIO, name: str) -> Image:
    """Read an image.

    Parameters
    ----------
    file
        Open file, binary, at any position.
    name
        Name of the file, for messages.

    Raises
    ------
    ItemError
        ``empty``, ``wrong-format``, ``broken-file``, ``too-large``, or ``in-colour`` for an image without levels of
        grey.
    """
    size = size_of(file)
    import numpy as np
    import PIL.Image
    from PIL import (  # noqa: F401 - Pillow knows a format once its module is imported
        BmpImagePlugin,
        JpegImagePlugin,
        PngImagePlugin,
        TiffImagePlugin,
        WebPImagePlugin,
    )

    log = logging.getLogger("PIL")
    if not log.handlers:
        log.addHandler(logging.NullHandler())  # otherwise Pillow's warnings go to stderr
    with reading_errors(name, "an image"), hushed_libraries():  # libtiff prints what it finds odd
        try:
            image = PIL.Image.open(file, formats=FORMATS)
        except PIL.UnidentifiedImageError:
            what = f"an image of a known format ({', '.join(FORMATS)})"
            raise wrong_format_error(file, name, what, "image-reader") from None
        except PIL.Image.DecompressionBombError:
            raise ItemError(
                f"{quoted(name)} claims more pixels than any spectrogram has",
                code="too-large",
                hint=f"if it is one shade of grey, {LEAVE_OUT}",
            ) from None
        with image:
            if math.prod(image.size) > PIXELS.limit(size):
                raise ItemError(
                    f"{quoted(name)} claims {image.width:,} × {image.height:,} pixels, but has {size:,} bytes",
                    code="too-large",
                    hint=f"if it is one shade of grey, {LEAVE_OUT}",
                )
            check_memory(name, "", math.prod(image.size) * _PIXEL)
            parts = len(image.tile)
            if image.format == "JPEG":
                file.seek(0)
                parts = max(parts, file.read().count(_SCAN))
            if parts > (MAX_SCANS if image.format == "JPEG" else MAX_TILES):
                raise ItemError(
                    f"{quoted(name)} has {parts:,} scans or tiles, each of which takes its time",
                    code="too-large",
                    hint="save the image as PNG",
                )
            tags = dict(_numbers(image.getexif()))
            if image.mode.startswith("I;16"):
                levels = np.asarray(image).astype("u2")
            elif image.mode in ("1", "L", "LA"):
                levels = np.asarray(image.convert("L"))
            elif image.mode in ("P", "PA", "RGB", "RGBA"):
                levels = np.asarray(image.convert("RGB"))
            else:
                raise ItemError(
                    f"{quoted(name)} has {image.mode} pixels, not grey or RGB",
                    code="in-colour",
                    hint="save it in shades of grey, or as RGB",
                )
    return Image(levels.reshape(*levels.shape[:2], -1), tags, name)


def _numbers(exif: Any) -> list[tuple[int, float]]:
    """Return the tags that are one finite number."""
    found = []
    for tag, value in exif.items():
        try:
            number = float(value)
        except (TypeError, ValueError, ZeroDivisionError, OverflowError):
            continue
        if math.isfinite(number):
            found.append((int(tag), number))
    return found
