"""Images: their levels and EXIF tags as Pillow writes them, and Riffusion's recipe out of the tags."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tonearm.api import ItemError, MelDialect
from tonearm.plugins.registry import default
from tonearm_plugins.formats import image

TAGS = {11000: 44100, 11005: 0, 11007: 0, 11010: 10, 11020: 100, 11030: 400, 11040: 512, 11050: 0, 11060: 10000}
TAGS |= {11070: 0.25, 11080: 30e6}
LEVELS = np.arange(60, dtype="u1").reshape(5, 12) * 4


def saved(made: Image.Image, tags: Any = None, kind: str = "PNG", **how: Any) -> io.BytesIO:
    file = io.BytesIO()
    exif = Image.Exif()
    exif.update(tags or {})
    made.save(file, kind, **({"exif": exif} if tags else {}) | how)
    return file


def read(file: io.BytesIO) -> image.Image:
    return image.read(file, "a.png")


def refused(file: io.BytesIO) -> ItemError:
    with pytest.raises(ItemError) as caught:
        read(file)
    assert caught.value.hint
    return caught.value


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "BMP", "TIFF"])
def test_levels_of_grey_are_kept(kind: str) -> None:
    found = read(saved(Image.fromarray(LEVELS), kind=kind, **({"lossless": True} if kind == "WEBP" else {})))
    assert np.array_equal(found.levels[..., 0], LEVELS)
    assert found.levels.dtype == "u1"


def test_levels_of_16_bits_are_kept() -> None:
    deep = LEVELS.astype("u2") * 257
    found = read(saved(Image.fromarray(deep)))
    assert np.array_equal(found.levels[..., 0], deep)
    assert found.levels.dtype == "u2"


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_colours_are_red_green_and_blue(mode: str) -> None:
    colours = np.stack([LEVELS, LEVELS // 2, np.zeros_like(LEVELS)], -1)
    converted = Image.fromarray(colours).convert(mode, **({"colors": 256} if mode == "P" else {}))
    assert np.array_equal(read(saved(converted)).levels, np.asarray(converted.convert("RGB")))


def test_pixels_of_other_models_are_refused() -> None:
    error = refused(saved(Image.new("CMYK", (9, 512)), kind="TIFF"))
    assert (error.code, error.message) == ("in-colour", "'a.png' has CMYK pixels, not grey or RGB")


def test_other_and_broken_files() -> None:
    assert refused(io.BytesIO()).code == "empty"
    error = refused(io.BytesIO(b"RIFF" + bytes(80)))
    formats = ", ".join(image.FORMATS)
    assert error.message == f"'a.png' is not an image of a known format ({formats}); it looks like a WAV file"
    error = refused(io.BytesIO(b"\x89PNG\r\n\x1a\n" + bytes(80)))
    assert error.message == "'a.png' is damaged: it begins as a PNG image, but does not continue as one"
    assert refused(saved(Image.new("L", (9, 9)), kind="GIF")).code == "wrong-format"


def test_more_pixels_than_the_bytes_can_hold_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    flat = saved(Image.new("RGB", (2000, 1000)))
    assert read(flat).levels.shape == (1000, 2000, 3)
    monkeypatch.setattr(image, "PIXELS", image.PIXELS._replace(free=1 << 20))
    assert refused(flat).message == f"'a.png' claims 2,000 × 1,000 pixels, but has {len(flat.getvalue()):,} bytes"


@pytest.mark.parametrize(("tags", "channels"), [({11005: 1}, "stereo"), ({11007: 1}, "triple"), ({}, "mono")])
def test_tags_hold_the_channels(tags: dict[int, int], channels: str) -> None:
    assert read(saved(Image.fromarray(LEVELS), TAGS | tags)).channels == channels


def test_tags_hold_the_recipe() -> None:
    tags = TAGS | {11000: 22050, 11030: 200, 11040: 256, 11050: 20, 11070: 0.5, 11080: 1000.0, 270: "a text"}
    found = read(saved(Image.fromarray(LEVELS), tags))
    assert found.has_recipe
    dialect = found.recipe(default().catalogue(MelDialect))
    assert (dialect.sample_rate, dialect.n_fft, dialect.win_length, dialect.hop_length) == (22050, 4410, 2205, 220)
    assert (dialect.n_mels, dialect.fmin, dialect.fmax) == (256, 20, 10000)
    steps = {step.op: step for step in dialect.steps}
    assert steps["power"].exponent == 0.5
    assert steps["divide-max"].max == 1000


def test_tags_are_finite_numbers() -> None:
    tags = {1: 5, 2: "text", 3: float("inf"), 4: float("nan"), 5: "7.5", 6: (1, 2)}
    assert image._numbers(tags) == [(1, 5), (5, 7.5)]


def test_an_image_without_tags_has_no_recipe() -> None:
    found = read(saved(Image.fromarray(LEVELS)))
    assert not found.has_recipe
    with pytest.raises(ItemError, match="the image has no recipe: Riffusion's EXIF tags are missing") as caught:
        found.recipe(default().catalogue(MelDialect))
    assert caught.value.code == "no-dialect"
    assert caught.value.hint.startswith("dialect: riffusion")


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        ({11000: 0}, "sample_rate"),
        ({11030: 10}, "win_length 4410 is greater than n_fft 441"),
        ({11070: 0.0}, "power_for_image 0 and max_value 3e+07 are not above 0"),
        ({11060: 30000}, "fmax 30000 Hz is above half the rate"),
        ({11010: 1000}, "hop_length"),
    ],
)
def test_impossible_tags_are_refused(tags: Any, message: str) -> None:
    found = read(saved(Image.fromarray(LEVELS), TAGS | tags))
    with pytest.raises(ItemError) as caught:
        found.recipe(default().catalogue(MelDialect))
    assert caught.value.code == "bad-tags"
    assert caught.value.message.startswith("'a.png' has impossible EXIF tags: ")
    assert message in caught.value.message
