"""Whether a network that is run in chunks gives the sound of the whole, as far as its nodes tell."""

from __future__ import annotations

from collections.abc import Mapping

from tonearm_plugins.networks.plan import NetworkHeader

RECURRENT = ("LSTM", "GRU", "RNN")
"""Operators whose state reaches back without end; a network that takes and gives it can go on with it."""

RANDOM = ("RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial", "Bernoulli")
"""Operators that draw other numbers whenever they run."""

GLOBAL: Mapping[str, str] = {
    "CumSum": "a running sum, such as the phase of an oscillator",
    "CumProd": "a running product",
    "InstanceNormalization": "a normalisation over all frames",
    "GroupNormalization": "a normalisation over all frames",
    "MeanVarianceNormalization": "a normalisation over all frames",
    "GlobalAveragePool": "a mean over all frames",
    "GlobalMaxPool": "a maximum over all frames",
    "GlobalLpPool": "a norm over all frames",
    "com.microsoft/GroupNorm": "a normalisation over all frames",
}
"""Operators that look at all frames at once, with what they compute."""

SETTINGS: Mapping[str, str] = {
    "Resize.coordinate_transformation_mode=align_corners": "it stretches by the number of frames (Resize)",
    "BatchNormalization.training_mode=1": "a normalisation over all frames (BatchNormalization)",
}
"""Attributes that make a network depend on the number of its frames, with the reason."""


def reason_of(header: NetworkHeader, *, has_state: bool = False) -> str:
    """Return the reason why chunks of the input cannot give the same sound as the whole; empty if none shows.

    Attention and means over some axis do not show by their nodes: whether they reach over all frames is measured.

    Parameters
    ----------
    header
        Header.
    has_state
        Whether the network takes and gives its state, which then goes on from one chunk to the next.

    Examples
    --------
    >>> reason_of(NetworkHeader(inputs=(), outputs=(), operators={"Conv": 4, "LSTM": 1}))
    'it has a recurrence over all frames (LSTM)'
    """
    operators = {name.removeprefix("com.microsoft/") if name.endswith("LSTM") else name for name in header.operators}
    both_ways = [one.split(".")[0] for one in header.settings if one.endswith((".direction=bidirectional", "=reverse"))]
    if recurrent := (both_ways if has_state else [name for name in RECURRENT if name in operators]):
        return f"it has a recurrence over all frames ({recurrent[0]})"
    if random := [name for name in RANDOM if name in operators]:
        return f"it draws random noise ({random[0]})"
    if found := [name for name in GLOBAL if name in operators and not (has_state and name == "CumSum")]:
        return f"it has {GLOBAL[found[0]]} ({found[0].rpartition('/')[2]})"
    return next((SETTINGS[one] for one in header.settings if one in SETTINGS), "")
