"""Outputs of a network: a waveform, or the parts of a spectrum."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import cast, get_args

from tonearm.api import Advice
from tonearm_plugins.networks.plan import OutputForm, OutputRole, PlannedOutput, TensorInfo
from tonearm_plugins.networks.planning import output_shapes as shapes
from tonearm_plugins.networks.planning.faults import Faults
from tonearm_plugins.networks.planning.names import LENGTHS, words
from tonearm_plugins.networks.planning.signal_inputs import FLOATS, INTEGERS
from tonearm_plugins.networks.planning.signature import listed, tensor_in_words

FORMS: Mapping[frozenset[OutputRole], OutputForm] = {
    frozenset(["waveform"]): "waveform",
    frozenset(["magnitude", "x", "y"]): "magnitude-x-y",
    frozenset(["real", "imag"]): "real-imag",
    frozenset(["magnitude", "phase"]): "magnitude-phase",
    frozenset(["log_magnitude", "phase"]): "log-magnitude-phase",
    frozenset(["complex"]): "complex",
    frozenset(["log_polar"]): "log-polar",
}
"""What outputs are together, by their roles."""

SILENT = frozenset(["length", "state", "unused"])
"""Roles of outputs that are no part of the sound."""

_WORDS: Mapping[OutputRole, frozenset[str]] = {
    "log_magnitude": frozenset(["logmag", "logamp", "logmagnitude", "logamplitude", "logabs"]),
    "magnitude": frozenset(["mag", "mags", "magnitude", "magnitudes", "amp", "amplitude", "amplitudes"]),
    "phase": frozenset(["phase", "phases", "pha", "angle", "angles", "phi"]),
    "x": frozenset(["x", "cos", "cosine"]),
    "y": frozenset(["y", "sin", "sine"]),
    "real": frozenset(["real", "re"]),
    "imag": frozenset(["imag", "imaginary", "im"]),
    "complex": frozenset(["stft", "complex", "realimag"]),
    "waveform": frozenset(
        ["wav", "wave", "waveform", "waveforms", "audio", "speech", "pcm", "sound", "recon", "samples", "sample"]
    ),
}

_SPECTRA = frozenset(["spec", "spectrum"])
"""Words for a spectrum, which mean a complex one where there is nothing but twice the bins."""

_WHOLES: tuple[OutputRole, ...] = ("complex", "waveform")
"""Roles whose names may also say of what an output is a part."""


def plan_outputs(
    outputs: Sequence[TensorInfo], roles: Mapping[str, str], n_fft: int | None, faults: Faults
) -> dict[str, PlannedOutput]:
    """Return the outputs that are no states with their roles, by name.

    Parameters
    ----------
    outputs
        Outputs that are no states.
    roles
        Roles that the options give, by name.
    n_fft
        Length of the Fourier transform in samples; None if unknown.
    faults
        Collection of faults to add to.
    """
    bins = None if n_fft is None else n_fft // 2 + 1
    found: dict[str, OutputRole] = {
        one.name: cast("OutputRole", roles[one.name]) for one in outputs if one.name in roles
    }
    rest = [one for one in outputs if one.name not in found]
    found |= {one.name: _silent_role(one) for one in rest if not _may_sound(one, alone=len(rest) == 1)}
    left = [one for one in rest if one.name not in found]
    if frozenset(found.values()) - SILENT in FORMS:
        found |= dict.fromkeys((one.name for one in left), "unused")
    else:
        found |= _guessed(left, bins, found, faults)
    planned = {one.name: _planned(one, found[one.name], bins, faults) for one in outputs if one.name in found}
    if form_of(planned.values()) is None and not faults.found:
        _add_no_form(list(outputs), found, faults)
    return planned


def form_of(outputs: Iterable[PlannedOutput]) -> OutputForm | None:
    """Return what outputs are together; None if they are nothing that is known."""
    roles = [one.role for one in outputs if one.role not in SILENT]
    return FORMS.get(frozenset(roles)) if len(roles) == len(set(roles)) else None


def _may_sound(tensor: TensorInfo, *, alone: bool) -> bool:
    """Return whether an output may be a part of the sound; one of whole numbers may if it is called a waveform."""
    if tensor.dtype in INTEGERS:
        return not words(tensor.name) & LENGTHS and (alone or role_named(tensor) == "waveform")
    return tensor.dtype in FLOATS


def _silent_role(tensor: TensorInfo) -> OutputRole:
    return "length" if tensor.dtype in INTEGERS and words(tensor.name) & LENGTHS else "unused"


def role_named(tensor: TensorInfo) -> OutputRole | None:
    """Return the role that the name of an output means; None if it means none, or several.

    >>> role_named(TensorInfo("log_mag", "float32", None)), role_named(TensorInfo("output", "float32", None))
    ('log_magnitude', None)
    >>> role_named(TensorInfo("real_imag", "float32", None))
    'complex'
    """
    found = words(tensor.name)
    roles: list[OutputRole] = [role for role, known in _WORDS.items() if found & known]
    if {"real", "imag"} <= set(roles):
        return "complex"
    roles = [role for role in roles if role not in _WHOLES] or roles  # stft_real is real, and audio_mag a magnitude
    if "log" in found and roles == ["magnitude"]:
        return "log_magnitude"
    return roles[0] if len(roles) == 1 else None


def _guessed(
    left: Sequence[TensorInfo], bins: int | None, known: Mapping[str, OutputRole], faults: Faults
) -> dict[str, OutputRole]:
    """Return the roles of the outputs that may sound, by their names and shapes; of none, if these do not tell."""
    said = [role for role in known.values() if role not in SILENT]
    named = {one.name: role for one in left if (role := role_named(one))}
    if not said and len(left) == 1:
        return {left[0].name: _role_of_one(left[0], bins, faults)}
    if not said:
        sounds = [one for one in left if named.get(one.name) == "waveform" and shapes.can_be_waveform(one)]
        if not sounds and len(named) < 2:
            sounds = [one for one in left if one.name not in named and shapes.is_surely_waveform(one)]
        if len(sounds) == 1:
            return {one.name: "waveform" if one is sounds[0] else "unused" for one in left}
    together = [*said, *named.values()]
    if len(together) == len(set(together)) and frozenset(together) in FORMS and "waveform" not in together:
        return {one.name: named.get(one.name, "unused") for one in left}
    if left:
        _ask(left, named, said, faults)
    return {}


def _role_of_one(tensor: TensorInfo, bins: int | None, faults: Faults) -> OutputRole:
    """Return the role of the only output that may sound."""
    named = role_named(tensor)
    named = None if named in ("x", "y") else named  # alone, it is any output
    if named in (None, "waveform") and shapes.can_be_waveform(tensor):
        return "waveform"
    if named in (None, "complex") and shapes.complex_axes(tensor, bins):
        if named is None and not shapes.is_surely_complex(tensor, bins) and not words(tensor.name) & _SPECTRA:
            faults.ask(
                f"the output {tensor.name} may hold real and imaginary parts (complex), or log-magnitudes and phases"
                " (log_polar)",
                "outputs",
                {tensor.name: "complex"},
            )
        return "complex"
    faults.add(
        f"the output {tensor_in_words(tensor)} is neither a waveform nor a complex spectrum",
        Advice("export the model with its phase, or with its inverse STFT"),
        code="unclear-model",
    )
    return "unused"


def _ask(
    left: Sequence[TensorInfo], named: Mapping[str, OutputRole], said: Sequence[OutputRole], faults: Faults
) -> None:
    """Add the fault of outputs of unknown meaning, with the roles that they may have."""
    given = [*said, *named.values()]
    count = len(said) + len(left)
    forms = [form for form in FORMS if len(form) == count and form >= set(given)]
    forms = [form for form in forms if "magnitude" in form] or forms
    order = get_args(OutputRole)
    rest = sorted(forms[0] - set(given), key=order.index) if forms else []
    lacking: dict[str, str] = {}
    for one in left:
        lacking[one.name] = named.get(one.name) or (rest.pop(0) if rest else "unused" if lacking else "waveform")
    unclear = [one.name for one in left if one.name not in named] or [one.name for one in left]
    if len(unclear) == 1 and lacking[unclear[0]] == "magnitude":
        faults.ask(f"is the output {unclear[0]} a magnitude or a log_magnitude?", "outputs", lacking)
        return
    verb = "do the outputs" if len(unclear) > 1 else "does the output"
    faults.ask(f"what {verb} {listed(unclear)} hold, one of {', '.join(order[:9])}?", "outputs", lacking)


def _add_no_form(outputs: Sequence[TensorInfo], found: Mapping[str, OutputRole], faults: Faults) -> None:
    """Add the fault of outputs whose roles, as the options say them, make no sound together."""
    floats = [one for one in outputs if one.dtype in FLOATS]
    said = [f"{name}: {role}" for name, role in found.items() if role not in SILENT]
    what = f"{listed(said)} make no sound together" if said else "it gives nothing that could be a sound"
    if floats:
        parts = {2: ("magnitude", "phase"), 3: ("magnitude", "x", "y")}.get(len(floats), ("complex",))
        likely = ("waveform",) if shapes.can_be_waveform(floats[0]) else parts
        roles = (*likely, *("unused" for _ in floats[len(likely) :]))
        faults.ask(what, "outputs", {one.name: role for one, role in zip(floats, roles, strict=True)})
    else:
        faults.add(what, Advice("export it with an output of floats"), code="unclear-model")


def _planned(tensor: TensorInfo, role: OutputRole, bins: int | None, faults: Faults) -> PlannedOutput:
    """Return an output with its role and axes."""
    if role in SILENT:
        return PlannedOutput(tensor=tensor, role=role)
    if role == "waveform":
        axes = shapes.waveform_axes(tensor)
    else:
        axes = shapes.complex_axes(tensor, bins) if role in ("complex", "log_polar") else shapes.part_axes(tensor, bins)
    if axes is None:
        of = "" if bins is None or role == "waveform" else f" of {bins} bins"
        faults.add(
            f"the output {tensor_in_words(tensor)} does not have the shape of a {role}{of}",
            Advice("check `outputs` and `n_fft`"),
            code="unclear-model",
        )
    return PlannedOutput(tensor=tensor, role=role, axes=axes or ())
