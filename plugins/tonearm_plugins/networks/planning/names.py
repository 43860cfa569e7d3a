"""The meaning of names of inputs, outputs and axes, as exporters choose them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tonearm_plugins.networks.plan import Axis

CODES = frozenset("code codes token tokens index indices ids units unit".split())
"""Words in names of inputs that take codes."""

VALUES = frozenset("mel mels melspec spec features feats spectrogram z latent latents x input inputs c".split())
"""Words in names of inputs that take a mel spectrogram or latents."""

LENGTHS = frozenset("len lens length lengths".split())
SCALES = frozenset("scale scales".split())
MASKS = frozenset(["mask"])
PITCHES = frozenset("f0 f0s pitch lf0".split())
NOISES = frozenset("noise sigma temperature".split())
SPEAKERS = frozenset("sid spk speaker speakers lang language emotion style g emb embedding spkemb xvector".split())
SPEEDS = frozenset("speed rate duration w".split())

_AXES: Mapping[Axis, frozenset[str]] = {
    "batch": frozenset("batch b bs batchsize n".split()),
    "book": frozenset("book books codebook codebooks q nq quantizer quantizers k".split()),
    "band": frozenset("mel mels nmels band bands channel channels hidden feature features c d".split()),
    "bin": frozenset("bin bins freq freqs frequency frequencies f".split()),
    "sample": frozenset("sample samples".split()),
    "segment": frozenset("segment segments chunk chunks".split()),
}
_FRAME = re.compile(r"(frame|time|seq|step)s?\d*|t\d*|l|len\d*|lengths?\d*|codes|tokens")
_AUTOMATIC = re.compile(r"dim_?\d+$")  # as torch.onnx names what it does not know
_WORD = re.compile(r"[a-z]+|\d+")


def words(name: str) -> frozenset[str]:
    """Return the words of a name in lower case.

    >>> sorted(words("audioCodes.0_len"))
    ['0', 'audio', 'codes', 'len']
    """
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return frozenset(re.findall(r"[a-z]+\d*|\d+", parted.lower()))


def axis_named(name: str) -> Axis | None:
    """Return the axis that a name of an axis means; None if it means none of them.

    >>> axis_named("batch_size"), axis_named("mel_frames"), axis_named("nb_frames"), axis_named("unk__12")
    ('batch', 'frame', 'segment', None)
    """
    found = words(name)
    if _AUTOMATIC.search(name):
        return None
    if "nb" in found and "frames" in found:  # as transformers calls the segments of EnCodec
        return "segment"
    if any(map(_FRAME.fullmatch, found)) and not found & _AXES["batch"]:
        return "sample" if found & _AXES["sample"] else "frame"
    return next((axis for axis, known in _AXES.items() if found & known), None)


_STATE_WORDS = re.compile(
    r"past_key_values?|present_key_values?|(?<![a-z])(?:in|out|input|output|new|next|prev|previous|present|past|last|cur"
    r"|current|updated|init|initial|cached?)(?![a-z])"
)
_STATE_LETTER = re.compile(r"([hc])_?(?:0|n|in|out)")


def state_key(name: str) -> str:
    """Return what the names of a state have in common as an input and as an output.

    >>> state_key("state_in") == state_key("state_out"), state_key("cache_0") == state_key("new_cache_0")
    (True, True)
    >>> state_key("h0") == state_key("hn"), state_key("c") == state_key("cn"), state_key("mel")
    (True, True, 'mel')
    """
    lower = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    if letter := _STATE_LETTER.fullmatch(lower):
        return letter[1]
    return "_".join(_WORD.findall(_STATE_WORDS.sub(" ", lower))) or "state"


def numbers(name: str) -> tuple[int, ...]:
    """Return the numbers in a name: (0,) of ``audio_codes.0``."""
    return tuple(int(digits) for digits in re.findall(r"\d{1,6}", name))
