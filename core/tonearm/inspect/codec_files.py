"""What `inspect` tells of the tokens in a codec's own files, which say what they hold."""

from __future__ import annotations

from tonearm.errors.text import counted
from tonearm.signals import CodecTokens


def describe_tokens(tokens: CodecTokens) -> str:
    """Return what is known of tokens, on one line.

    Examples
    --------
    >>> import numpy as np
    >>> describe_tokens(CodecTokens(codes=np.zeros((1, 8, 41), "i4"), sizes=1024, sample_rate=24000, length=13020))
    'codec tokens: 41 frames of 8 books, each of 1,024 codes, at 24,000 Hz; of a sound of 13,020 samples'
    """
    parts = [f"codec tokens: {counted(tokens.frames, 'frame')} of {counted(tokens.books, 'book')}"]
    if tokens.sizes:
        sizes = sorted(set(tokens.sizes))
        parts.append(f", each of {' or '.join(f'{size:,}' for size in sizes)} codes")
    if tokens.channels > 1:
        parts.append(f", in {tokens.channels} channels")
    if tokens.segments:
        parts.append(f", in {counted(len(tokens.segments), 'segment')}")
    if tokens.sample_rate:
        parts.append(f", at {tokens.sample_rate:,} Hz")
    original = tokens.original
    length = tokens.length or (original.length if original else None)
    if length:
        parts.append(f"; of a sound of {length:,} samples")
    if original and original.sample_rate:
        parts.append(f" at {original.sample_rate:,} Hz")
    if original and original.loudness is not None:
        parts.append(f" and {original.loudness:.1f} LUFS")
    return "".join(parts)
