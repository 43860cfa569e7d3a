"""The meaning of names of inputs, outputs and axes, as exporters choose them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tonearm_plugins.networks.plan import Axis


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


CODES = _set("code codes token tokens index indices ids units unit")
"""Words in names of inputs that take codes."""

VALUES = _set("mel mels melspec spec features feats spectrogram z latent latents x input inputs c")
"""Words in names of inputs that take a mel spectrogram or latents."""

LENGTHS = _set("len lens length lengths")
COUNTS = _set("frames timesteps")
SCALES = _set("scale scales")
MASKS = _set("mask masks")
PITCHES = _set("f0 f0s lf0 pitch")
NOISES = _set("noise sigma temperature")
SPEEDS = _set("speed rate duration w")
SPEAKERS = _set("sid spk speaker speakers lang language emotion style g emb embed embedding spkemb xvector")

_AXES: Mapping[Axis, frozenset[str]] = {
    "batch": _set("batch b bs batchsize n"),
    "book": _set("book books codebook codebooks q nq quantizer quantizers k"),
    "band": _set("mel mels nmels band bands channel channels hidden feature features c d"),
    "bin": _set("bin bins freq freqs frequency frequencies"),
    "sample": _set("sample samples"),
    "segment": _set("segment segments chunk chunks"),
}
_FRAME = re.compile(r"(frame|time|timestep|seq|sequence|step)s?\d*|t\d*|l\d*|len\d*|lengths?\d*|codes|tokens|past")
_AUTOMATIC = re.compile(r"dim_?\d+$")  # as torch.onnx names what it does not know


def words(name: str) -> frozenset[str]:
    """Return the words of a name in lower case.

    >>> sorted(words("audioCodes.0_len"))
    ['0', 'audio', 'codes', 'len']
    """
    return frozenset(re.findall(r"[a-z]+\d*|\d+", _parted(name)))


def axis_named(name: str) -> Axis | None:
    """Return the axis that a name of an axis means; None if it means none of them.

    >>> axis_named("batch_size"), axis_named("n_mels"), axis_named("mel_frames"), axis_named("unk__12")
    ('batch', 'band', 'frame', None)
    """
    found = words(name)
    if _AUTOMATIC.search(name):
        return None
    if "nb" in found and "frames" in found:  # as transformers calls the segments of EnCodec
        return "segment"
    found = found - _set("n num nb") or found
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
    lower = _parted(name)
    if letter := _STATE_LETTER.fullmatch(lower):
        return letter[1]
    return "_".join(re.findall(r"[a-z]+|\d+", _STATE_WORDS.sub(" ", lower))) or "state"


def numbers(name: str) -> tuple[int, ...]:
    """Return the numbers in a name: (0,) of ``audio_codes.0``."""
    return tuple(int(digits) for digits in re.findall(r"\d{1,6}", name))


def _parted(name: str) -> str:
    """Return a name in lower case, with its words apart."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
