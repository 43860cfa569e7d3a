"""What inspect tells of the files of codecs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tonearm.cli.main import main
from tonearm.inspect.codec_files import describe_tokens
from tonearm.signals import CodecTokens, OriginalSound

FILES = Path(__file__).parents[2] / "data" / "tokens" / "files"
CODES = np.zeros((2, 3, 9), "i4")


def test_what_is_known_is_told() -> None:
    assert describe_tokens(CodecTokens(codes=CODES)) == "codec tokens: 9 frames of 3 books, in 2 channels"
    whole = CodecTokens(
        codes=CODES[:1],
        sizes=(4096, 1024, 1024),
        segments=(5, 4),
        sample_rate=48000,
        original=OriginalSound(sample_rate=16000, length=1234, loudness=-23.46),
    )
    assert describe_tokens(whole) == (
        "codec tokens: 9 frames of 3 books, each of 1,024 or 4,096 codes, in 2 segments, at 48,000 Hz;"
        " of a sound of 1,234 samples at 16,000 Hz and -23.5 LUFS"
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("24k_6kbps.ecdc", "41 frames of 8 books, each of 1,024 codes, at 24,000 Hz; of a sound of 13,020 samples"),
        ("mono_unchunked_numpy2.dac", "of a sound of 22,941 samples at 44,100 Hz and -23.5 LUFS"),
    ],
)
def test_files_say_what_they_hold(name: str, expected: str, capsys: Any) -> None:
    assert main(["inspect", str(FILES / name)]) == 0
    assert expected in capsys.readouterr().out
