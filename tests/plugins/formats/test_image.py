"""Images: their levels and EXIF tags as Pillow writes them, and Riffusion's recipe out of the tags."""

from __future__ import annotations

import io
import logging
from dataclasses import FrozenInstanceError
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tonearm.api import InflationBound, ItemError, MelDialect, limited_memory
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


@pytest.mark.parametrize("kind", ["<u2", ">u2"])
def test_levels_of_16_bits_are_kept_in_either_byte_order(kind: str) -> None:
    found = read(saved(Image.fromarray(LEVELS.astype(kind) * 257), kind="TIFF"))
    assert found.levels.shape == (5, 12, 1)
    assert np.array_equal(found.levels[..., 0], LEVELS.astype("u2") * 257)


@pytest.mark.parametrize(("mode", "kind"), [("1", "PNG"), ("L", "PNG"), ("LA", "PNG"), ("LA", "TIFF")])
def test_shades_of_grey_have_one_colour(mode: str, kind: str) -> None:
    made = Image.fromarray(LEVELS).convert(mode)
    found = read(saved(made, kind=kind))
    assert found.levels.dtype == "u1"
    assert found.levels.shape == (5, 12, 1)
    assert np.array_equal(found.levels[..., 0], np.asarray(made.convert("L")))


@pytest.mark.parametrize(("mode", "kind"), [("RGB", "PNG"), ("RGBA", "PNG"), ("P", "PNG"), ("PA", "TIFF")])
def test_colours_are_red_green_and_blue(mode: str, kind: str) -> None:
    colours = np.stack([LEVELS, LEVELS // 2, np.zeros_like(LEVELS)], -1)
    converted = Image.fromarray(colours).convert("P" if mode == "PA" else mode).convert(mode)
    found = read(saved(converted, kind=kind)).levels
    assert found.shape == (5, 12, 3)
    assert np.array_equal(found, np.asarray(converted.convert("RGB")))


@pytest.mark.parametrize("mode", ["CMYK", "I", "F"])
def test_pixels_of_other_models_are_refused(mode: str) -> None:
    error = refused(saved(Image.new(mode, (9, 512)), kind="TIFF"))
    assert (error.code, error.message) == ("in-colour", f"'a.png' has {mode} pixels, not grey or RGB")
    assert error.hint == "save it in shades of grey, or as RGB"


def test_bounds_are_those_of_the_documentation() -> None:
    assert image.PIXELS == (16_777_216, 200)
    assert (image.MAX_SCANS, image.MAX_TILES) == (64, 65_536)


def test_an_image_is_read_from_any_position_and_cannot_be_changed() -> None:
    file = saved(Image.fromarray(LEVELS))
    file.seek(7)
    found = read(file)
    assert found.name == "a.png"
    with pytest.raises(FrozenInstanceError):
        found.name = "b.png"  # type: ignore[misc]


@pytest.mark.parametrize(("most", "fits"), [(60, True), (59, False)])
@pytest.mark.parametrize("free", [True, False])
def test_pixels_are_bounded(monkeypatch: pytest.MonkeyPatch, most: int, free: bool, fits: bool) -> None:
    file = saved(Image.fromarray(LEVELS))
    if not free:
        file.write(bytes(600 - len(file.getvalue())))
    monkeypatch.setattr(image, "PIXELS", InflationBound(most if free else 0, 0 if free else 1))
    if free and not fits:
        error = refused(file)
        assert (error.code, error.hint.startswith("if it is one shade of grey, ")) == ("too-large", True)
    else:
        assert read(file).levels.shape == (5, 12, 1)


def test_what_pillow_itself_takes_for_a_bomb_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 29)
    error = refused(saved(Image.fromarray(LEVELS)))
    assert (error.code, error.message) == ("too-large", "'a.png' claims more pixels than any spectrogram has")
    assert error.hint.startswith("if it is one shade of grey, ")


def test_memory_is_bounded_before_pixels_are_decoded() -> None:
    file = saved(Image.fromarray(LEVELS))
    with limited_memory(16 * 60):
        read(file)
    with limited_memory(16 * 60 - 1):
        error = refused(file)
    assert error.code == "too-large"
    assert error.message.startswith("'a.png' would take")


@pytest.mark.parametrize(("most", "fits"), [(1, True), (0, False)])
def test_scans_are_bounded(monkeypatch: pytest.MonkeyPatch, most: int, fits: bool) -> None:
    file = saved(Image.fromarray(LEVELS), kind="JPEG")
    monkeypatch.setattr(image, "MAX_SCANS", most)
    monkeypatch.setattr(image, "MAX_TILES", 0 if fits else 9)
    if fits:
        assert read(file).levels.shape == (5, 12, 1)
    else:
        assert refused(file).message == "'a.png' has 1 scans or tiles, each of which takes its time"


@pytest.mark.parametrize(("count", "fits"), [(63, True), (64, False)])
def test_each_scan_of_a_jpeg_image_counts(count: int, fits: bool) -> None:
    """By its marker: what follows the first scan here is another, empty one."""
    data = saved(Image.fromarray(LEVELS), kind="JPEG").getvalue()
    file = io.BytesIO(data + b"\xff\xda" * count)
    if fits:
        assert read(file).levels.shape == (5, 12, 1)
        return
    error = refused(file)
    assert error.message == "'a.png' has 65 scans or tiles, each of which takes its time"
    assert (error.code, error.hint) == ("too-large", "save the image as PNG")


@pytest.mark.parametrize(("most", "fits"), [(5, True), (4, False)])
def test_strips_are_bounded(monkeypatch: pytest.MonkeyPatch, most: int, fits: bool) -> None:
    file = saved(Image.fromarray(LEVELS), kind="TIFF", tiffinfo={278: 1})  # a row in each strip
    monkeypatch.setattr(image, "MAX_TILES", most)
    monkeypatch.setattr(image, "MAX_SCANS", 0 if fits else 9)
    if fits:
        assert read(file).levels.shape == (5, 12, 1)
    else:
        assert refused(file).message == "'a.png' has 5 scans or tiles, each of which takes its time"


@pytest.mark.parametrize("given", [None, logging.NullHandler(), logging.StreamHandler()])
def test_warnings_of_pillow_go_to_the_handler_that_is_there(
    monkeypatch: pytest.MonkeyPatch, given: logging.Handler | None
) -> None:
    log = logging.getLogger("PIL")
    monkeypatch.setattr(log, "handlers", [given] if given else [])
    for _ in range(2):
        read(saved(Image.fromarray(LEVELS)))
    if given:
        assert log.handlers == [given]
    else:
        assert [type(handler) for handler in log.handlers] == [logging.NullHandler]


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


@pytest.mark.parametrize(
    ("tags", "channels"),
    [({11005: 1}, "stereo"), ({11007: 1}, "triple"), ({11005: 1, 11007: 1}, "triple"), ({}, "mono")],
)
def test_tags_hold_the_channels(tags: dict[int, int], channels: str) -> None:
    assert read(saved(Image.fromarray(LEVELS), TAGS | tags)).channels == channels


def tagged(tags: dict[int, float]) -> image.Image:
    return image.Image(LEVELS, tags, "a.png")


def test_without_tags_there_is_one_channel_and_riffusions_power_and_maximum() -> None:
    assert tagged({}).channels == "mono"
    dialect = tagged({tag: TAGS[tag] for tag in TAGS if tag not in (11070, 11080)}).recipe(
        default().catalogue(MelDialect)
    )
    steps = [(step.op, step.max, step.exponent) for step in dialect.steps]
    assert steps[:2] == [("divide-max", 30e6, None), ("power", None, 0.25)]
    assert [step.op for step in dialect.steps[2:]] == ["affine", "floor", "flip"]
    assert dialect.name == "riffusion, from EXIF"


@pytest.mark.parametrize(
    ("power", "most", "fits"),
    [
        (16, 1, True),
        (16.001, 1, False),
        (0.001, 1e-9, True),
        (0, 1, False),
        (-1, 1, False),
        (1, 0, False),
        (1, -1, False),
        (1, float("inf"), False),
        (1, float("nan"), False),
        (float("nan"), 1, False),
    ],
)
def test_powers_and_maxima_are_in_their_range(power: float, most: float, fits: bool) -> None:
    found = tagged(TAGS | {11070: power, 11080: most})
    if fits:
        steps = found.recipe(default().catalogue(MelDialect)).steps
        assert (steps[0].max, steps[1].exponent) == (most, power)
        return
    with pytest.raises(ItemError) as caught:
        found.recipe(default().catalogue(MelDialect))
    what = f"power_for_image {power:g} and max_value {most:g} are not above 0"
    assert caught.value.message == f"'a.png' has impossible EXIF tags: {what}"
    assert caught.value.code == "bad-tags"
    assert caught.value.hint.startswith("dialect: riffusion")
    assert caught.value.hint.endswith("for another recipe, give one with base riffusion and the figures that differ")


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        (11010, "hop_length is 0, not a whole number of at least 1"),
        (11030, "n_fft is 0, not a whole number of at least 1"),
        (11060, "fmin 0 Hz is not below fmax 0 Hz"),
    ],
)
def test_figures_that_have_to_be_there(missing: int, message: str) -> None:
    with pytest.raises(ItemError) as caught:
        tagged({tag: TAGS[tag] for tag in TAGS if tag != missing}).recipe(default().catalogue(MelDialect))
    assert (caught.value.code, caught.value.message) == (
        "bad-tags",
        f"'a.png' has impossible EXIF tags: {message}",
    )


@pytest.mark.parametrize(("missing", "figure"), [(11020, "win_length"), (11040, "n_mels"), (11050, "fmin")])
def test_figures_that_are_0_unless_they_are_there(missing: int, figure: str) -> None:
    dialect = tagged({tag: TAGS[tag] for tag in TAGS if tag != missing}).recipe(default().catalogue(MelDialect))
    assert getattr(dialect, figure) == 0
    assert isinstance(dialect.fmin, float)


def test_rates_that_are_too_large_to_count_are_impossible() -> None:
    with pytest.raises(ItemError) as caught:
        tagged(TAGS | {11030: float("inf")}).recipe(default().catalogue(MelDialect))
    assert caught.value.code == "bad-tags"


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


class Faulty:
    """A tag of a kind that Pillow knows, with a value that is no number."""

    def __float__(self) -> float:
        raise ZeroDivisionError


def test_tags_are_finite_numbers() -> None:
    tags = {1: 5, 2: "text", 3: float("inf"), 4: float("nan"), 5: "7.5", 6: (1, 2), 7: Faulty(), 8: 10**400, 9: 0}
    assert image._numbers(tags) == [(1, 5), (5, 7.5), (9, 0)]
    assert image._numbers({"12": 1}) == [(12, 1)]


def test_an_image_without_tags_has_no_recipe() -> None:
    found = read(saved(Image.fromarray(LEVELS)))
    assert not found.has_recipe
    with pytest.raises(ItemError, match="the image has no recipe: Riffusion's EXIF tags are missing") as caught:
        found.recipe(default().catalogue(MelDialect))
    assert caught.value.code == "no-dialect"
    assert caught.value.hint == "dialect: riffusion, if it is one of its images; else give kind, black and white"


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
