"""``codec-file-reader``: tokens of .dac and .ecdc files, with what the files say of the sound."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import decoder_reading
import numpy as np
import pytest

from tonearm.api import CodecTokens, OriginalSound, Spec, TokenLayout
from tonearm.plugins.context import Context
from tonearm_plugins.decoders.codec_file_reader import CodecFileOptions, CodecFileReader

TOKENS = Path(__file__).parents[2] / "data" / "tokens"
FILES = [
    one for one in json.loads((TOKENS / "files" / "files.json").read_text()) if one["oracle"] in ("ecdc", "dac_file")
]


def decode(given: Any, **options: Any) -> CodecTokens:
    (item,) = decoder_reading.decode(CodecFileReader, given, **options)
    found: CodecTokens = item.signal
    return found


def refused(given: Any, **options: Any) -> Any:
    return decoder_reading.refused(CodecFileReader, given, **options)


@pytest.mark.parametrize("one", FILES, ids=lambda one: one["file"])
def test_every_file_becomes_the_codes_beside_it(one: dict[str, str]) -> None:
    found = decode(TOKENS / "files" / one["file"])
    expected = np.load(TOKENS / f"{one['oracle']}.npz")[f"{one['case']}/{one['codes']}"]
    assert found.codes.dtype == np.int32  # type: ignore[union-attr]
    assert np.array_equal(found.codes, expected[None] if expected.ndim == 2 else expected)  # type: ignore[arg-type]
    assert found.sizes == (1024,) * found.books


def test_what_a_dac_file_says_of_the_sound() -> None:
    found = decode(TOKENS / "files" / "stereo_chunked_numpy2.dac")
    assert found.original == OriginalSound(sample_rate=44100, length=30621, loudness=-23.5)
    assert (found.channels, found.length, found.sample_rate) == (2, None, 44100)
    assert found.carried() == (found.codebooks, found.original)
    plain = decode(TOKENS / "files" / "16k_mono_numpy2.dac", original=False, sample_rate=44100)
    assert (plain.original, plain.sample_rate) == (None, 44100)
    assert decode(TOKENS / "files" / "16k_mono_numpy2.dac").sample_rate is None


def test_the_original_sound_survives_blocks() -> None:
    found = decode(TOKENS / "files" / "mono_unchunked_numpy2.dac")
    carried = {type(one): one for one in found.carried()}
    again = CodecTokens.from_blocks(found.block_array(), sample_rate=None, length=None, carried=carried)
    assert again.original == found.original
    assert np.array_equal(again.codes, found.codes)  # type: ignore[arg-type]


@pytest.mark.parametrize(("name", "count"), [("stereo_chunked_numpy2.dac", 1), ("mono_unchunked_numpy2.dac", 0)])
def test_a_file_without_padding_is_warned_of(name: str, count: int) -> None:
    context = Context()
    (item,) = CodecFileReader(CodecFileOptions()).decode(decoder_reading.source_of(TOKENS / "files" / name), context)
    assert len(context.warnings) == count
    assert context.measurements["encoded_length"] == item.signal.original.length  # type: ignore[union-attr]


def test_what_an_ecdc_file_says_of_the_sound() -> None:
    found = decode(TOKENS / "files" / "24k_6kbps.ecdc")
    assert (found.length, found.sample_rate, found.samples_per_frame, found.original) == (13020, 24000, 320, None)
    assert refused(TOKENS / "files" / "24k_6kbps.ecdc", sample_rate=48000).code == "rate-mismatch"


def test_the_type_is_told_from_the_bytes() -> None:
    assert decode((TOKENS / "files" / "24k_6kbps.ecdc").read_bytes()).books == 8
    assert decode((TOKENS / "files" / "16k_mono_numpy2.dac").read_bytes()).books == 12


def test_layouts() -> None:
    dac, small = TokenLayout(name="dac-file", file="dac"), TokenLayout(name="small", file="dac", size=64)
    assert decode(TOKENS / "files" / "16k_mono_numpy2.dac", layout=dac).books == 12
    assert refused(TOKENS / "files" / "24k_6kbps.ecdc", layout=dac).code == "layout-mismatch"
    error = refused(TOKENS / "files" / "16k_mono_numpy2.dac", layout=small)
    assert error.code == "bad-token"
    assert "in book" in error.message
    (problem,) = CodecFileOptions(layout=TokenLayout(name="musicgen", axes=("book", "frame"))).problems()
    assert problem.option == "layout"


def test_what_is_known_beforehand() -> None:
    reader = CodecFileReader(CodecFileOptions(sample_rate=44100))
    assert reader.produces() == Spec(signals=(CodecTokens,), sample_rate=44100).carrying(OriginalSound())
