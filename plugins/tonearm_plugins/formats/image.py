"""Pictures by Pillow, and what Riffusion notes in their EXIF tags."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

from tonearm.api import ItemError, MelDialect, MelStep, OptionError
from tonearm_plugins.formats.file_types import shown
from tonearm_plugins.formats.reading import judged, size_of, stranger

if TYPE_CHECKING:
    import numpy as np

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF")
"""Pillow opens more, some of them by other programs."""

FREE = 1 << 24
"""Pixels that a picture may have whatever its size in bytes: five minutes of Riffusion's."""

RATIO = 200
"""Pixels for each byte, beyond that; spectrograms have about 2."""

# Riffusion's own numbers, from its spectrogram_params.py.
_RATE, _STEREO, _TRIPLE, _HOP, _WINDOW, _PADDED = 11000, 11005, 11007, 11010, 11020, 11030
_BANDS, _FMIN, _FMAX, _POWER, _MAX = 11040, 11050, 11060, 11070, 11080


@dataclass(frozen=True)
class Picture:
    """A picture.

    Parameters
    ----------
    levels
        (rows, columns, colours), uint8 or uint16; one colour, or red, green and blue.
    tags
        The numbers among its EXIF tags.
    name
        What to call it in messages.
    """

    levels: np.ndarray[Any, Any]
    tags: Mapping[int, float]
    name: str

    @property
    def channels(self) -> Literal["mono", "stereo", "triple"]:
        """Which colours hold the sound, as the tags say; mono if they do not."""
        if self.tags.get(_TRIPLE):
            return "triple"
        return "stereo" if self.tags.get(_STEREO) else "mono"

    @property
    def says_recipe(self) -> bool:
        """Whether its tags are Riffusion's."""
        return _RATE in self.tags

    def dialect(self, dialects: Any) -> MelDialect:
        """Return Riffusion's dialect with the figures that the tags say.

        Raises
        ------
        ItemError
            If there are none, or they are impossible.
        """
        if not self.says_recipe:
            raise ItemError(
                "the picture does not say its recipe: it has no EXIF tags of Riffusion's",
                code="no-dialect",
                hint="dialect: riffusion, if it is one of its pictures; else kind, black and white",
            )
        base: MelDialect = dialects.find("riffusion")
        rate, get = int(self.tags[_RATE]), self.tags.get

        def samples(tag: int) -> int:
            return int(get(tag, 0) / 1000 * rate)

        try:
            return base.but(
                name="riffusion, as EXIF says",
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
                f"{shown(self.name)}: the EXIF tags make no recipe: {what}",
                code="bad-tags",
                hint="give the dialect: riffusion, or {base: riffusion, …} with what differs",
            ) from error

    def _step(self, step: MelStep) -> MelStep:
        power, most = self.tags.get(_POWER, 0.25), self.tags.get(_MAX, 30e6)
        if not (0 < power <= 16 and 0 < most < math.inf):
            raise ValueError(f"power_for_image {power:g} and max_value {most:g} are not above 0")
        if step.op == "power":
            return MelStep(op="power", exponent=power)
        return MelStep(op="divide-max", max=most) if step.op == "divide-max" else step


def read(file: BinaryIO, name: str) -> Picture:
    """Read a picture.

    Raises
    ------
    ItemError
        ``empty``, ``wrong-format``, ``broken-file``, ``too-large``; ``in-colour`` for what has no levels of grey.
    """
    size = size_of(file)
    import numpy as np
    from PIL import (  # noqa: F401 - formats are known once they are imported
        BmpImagePlugin,
        Image,
        JpegImagePlugin,
        PngImagePlugin,
        TiffImagePlugin,
        UnidentifiedImageError,
        WebPImagePlugin,
    )

    log = logging.getLogger("PIL")
    if not log.handlers:
        log.addHandler(logging.NullHandler())  # else Pillow's doubts go to stderr
    with judged(name, "a picture"):
        try:
            image = Image.open(file, formats=FORMATS)
        except UnidentifiedImageError:
            raise stranger(file, name, "a picture that is read", "picture") from None
        with image:
            if math.prod(image.size) > max(FREE, RATIO * size):
                raise ItemError(
                    f"{shown(name)} claims {image.width:,} × {image.height:,} pixels, but has {size:,} bytes",
                    code="too-large",
                    hint="if it is nothing but one shade, leave it out",
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
                    f"{shown(name)} is a picture of {image.mode} pixels, not grey or RGB",
                    code="in-colour",
                    hint="save it in shades of grey, or as RGB",
                )
    return Picture(levels.reshape(*levels.shape[:2], -1), tags, name)


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
