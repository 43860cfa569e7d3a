"""Whether a network that is run in chunks gives the sound of the whole, as far as its nodes tell."""

from __future__ import annotations

from collections.abc import Mapping

from tonearm_plugins.networks.plan import NetworkHeader

RECURRENT = ("LSTM", "GRU", "RNN", "com.microsoft/DynamicQuantizeLSTM", "com.microsoft/AttnLSTM")
"""Operators whose state reaches back without end; a network that takes and gives it can go on with it."""

RANDOM = ("RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial", "Bernoulli")
"""Operators that draw other numbers whenever they run."""

RUNNING: Mapping[str, str] = {
    "CumSum": "a running sum, such as the phase of an oscillator",
    "CumProd": "a running product",
}
"""Operators that add up all frames before one, with what they compute; a state may stand for their sum so far."""

GLOBAL: Mapping[str, str] = {
    "InstanceNormalization": "a normalisation over all frames",
    "GroupNormalization": "a normalisation over all frames",
    "com.microsoft/GroupNorm": "a normalisation over all frames",
    "com.microsoft/SkipGroupNorm": "a normalisation over all frames",
    "MeanVarianceNormalization": "a normalisation over all frames",
    "GlobalAveragePool": "a mean over all frames",
    "GlobalMaxPool": "a maximum over all frames",
    "GlobalLpPool": "a norm over all frames",
    "DynamicQuantizeLinear": "a quantisation whose scale depends on all frames",
    "com.microsoft/DynamicQuantizeMatMul": "a quantisation whose scale depends on all frames",
}
"""Operators that look at all frames at once, with what they compute."""

SETTINGS: Mapping[str, str] = {
    "Resize.coordinate_transformation_mode=align_corners": "a stretch that depends on the number of frames (Resize)",
    "BatchNormalization.training_mode=1": "a normalisation over all frames (BatchNormalization)",
}
"""Attributes that make a network depend on all frames, with what it then computes."""

_BACKWARD = (".direction=bidirectional", ".direction=reverse")


def inexact_reason(header: NetworkHeader, *, has_state: bool = False) -> str:
    """Return the reason why chunks of the input cannot give the same sound as the whole; empty if none shows.

    Attention and means along an axis do not show by their nodes. Whether they reach over all frames is measured.

    Parameters
    ----------
    header
        Header.
    has_state
        Whether the network takes and gives its state, which then goes on from one chunk to the next.

    Examples
    --------
    >>> inexact_reason(NetworkHeader(inputs=(), outputs=(), operators={"Conv": 4, "LSTM": 1}))
    'it has a recurrence over all frames (LSTM)'
    """
    backward = [one.partition(".")[0] for one in header.settings if one.endswith(_BACKWARD)]
    if recurrent := (backward if has_state else [name for name in RECURRENT if name in header.operators]):
        return f"it has a recurrence over all frames ({_plain(recurrent[0])})"
    if random := [name for name in RANDOM if name in header.operators]:
        return f"it draws random noise ({random[0]})"
    for name, what in (GLOBAL if has_state else {**RUNNING, **GLOBAL}).items():
        if name in header.operators:
            return f"it has {what} ({_plain(name)})"
    return next((f"it has {SETTINGS[one]}" for one in header.settings if one in SETTINGS), "")


def _plain(operator: str) -> str:
    """Return the name of an operator without its domain."""
    return operator.rpartition("/")[2]
