"""Headers of networks, written as text, and the options and signals of tests that plan them."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tonearm.api import OptionError
from tonearm_plugins.networks.options import NetworkOptions
from tonearm_plugins.networks.plan import NetworkHeader, NetworkPlan, TensorInfo
from tonearm_plugins.networks.planning import Wanted, plan_of

WAV = "wav float32 (batch, 1, samples)"
TOKENS = Wanted(kind="tokens", books=8, sample_rate=24000, samples_per_frame=320)
LEVELS = Wanted(kind="tokens", books=3, strides=(4, 2, 1), sample_rate=24000, samples_per_frame=2048)
MEL = Wanted(kind="mel", bands=80, recipe="hifigan", sample_rate=22050, samples_per_frame=256)
LATENTS = Wanted(kind="latent", bands=192, sample_rate=22050, samples_per_frame=256)


def tensor(text: str) -> TensorInfo:
    """Return an input or output: ``mel float32 (batch, 80, frames)``; ``?`` is a size that nothing is known of."""
    found = re.fullmatch(r"\s*(\S+) (\w+)(?: \((.*)\))?\s*", text)
    assert found, text
    sizes = [one.strip() for one in (found[3] or "").split(",") if one.strip()]
    shape = tuple(int(one) if one.isdigit() else None if one == "?" else one for one in sizes)
    return TensorInfo(found[1], found[2], None if found[3] is None else shape)


def header(inputs: str, outputs: str = WAV, **more: Any) -> NetworkHeader:
    """Return a header; inputs and outputs are parted by semicolons."""
    return NetworkHeader(
        inputs=tuple(map(tensor, filter(None, inputs.split(";")))),
        outputs=tuple(map(tensor, filter(None, outputs.split(";")))),
        **more,
    )


def options(**given: Any) -> NetworkOptions:
    """Return options of a model that is not opened."""
    return NetworkOptions(**{"model": "a.onnx", **given})


def plan(wanted: Wanted, takes: str, gives: str = WAV, /, **given: Any) -> NetworkPlan:
    """Return the plan of a network."""
    return plan_of(header(takes, gives), wanted, options(**given))


def refusal(wanted: Wanted, takes: str, gives: str = WAV, /, **given: Any) -> tuple[OptionError, str]:
    """Return the error of a network that cannot work, and its message without what the network takes and gives."""
    with pytest.raises(OptionError) as raised:
        plan(wanted, takes, gives, **given)
    message, _, signature = raised.value.message.rpartition(": the model takes ")
    assert signature.count(" and gives ")
    return raised.value, message


def axes(made: NetworkPlan, name: str) -> str:
    """Return the names of the axes of an input or output."""
    (found,) = [one.axes for one in (*made.inputs, *made.outputs) if one.tensor.name == name]
    return " ".join(found)


def roles(made: NetworkPlan) -> dict[str, str]:
    """Return the roles of inputs and outputs by name."""
    return {one.tensor.name: one.role for one in (*made.inputs, *made.outputs)}
