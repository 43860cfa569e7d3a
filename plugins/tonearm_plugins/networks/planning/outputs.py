"""Outputs of a network: a waveform, or the parts of a spectrum."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import get_args

from tonearm_plugins.networks.plan import Axis, OutputForm, OutputRole, PlannedOutput, TensorInfo
from tonearm_plugins.networks.planning.axes import Axes, axes_of
from tonearm_plugins.networks.planning.faults import Faults
from tonearm_plugins.networks.planning.inputs import FLOATS, INTEGERS
from tonearm_plugins.networks.planning.names import axis_named, words
from tonearm_plugins.networks.planning.signature import listed, tensor_in_words

ROLES: tuple[str, ...] = get_args(OutputRole)
"""Roles that options can give to an output."""

FORMS: Mapping[frozenset[str], OutputForm] = {
    frozenset(["waveform"]): "waveform",
    frozenset(["magnitude", "x", "y"]): "magnitude-x-y",
    frozenset(["real", "imag"]): "real-imag",
    frozenset(["magnitude", "phase"]): "magnitude-phase",
    frozenset(["log_magnitude", "phase"]): "log-magnitude-phase",
    frozenset(["complex"]): "complex",
}
"""What outputs are together, by their roles."""

_WORDS: Mapping[OutputRole, frozenset[str]] = {
    "log_magnitude": frozenset("logmag logamp logmagnitude logamplitude logabs".split()),
    "magnitude": frozenset("mag mags magnitude magnitudes amp amplitude amplitudes abs".split()),
    "phase": frozenset("phase phases pha angle angles phi".split()),
    "x": frozenset("x cos cosine".split()),
    "y": frozenset("y sin sine".split()),
    "real": frozenset("real re".split()),
    "imag": frozenset("imag imaginary im".split()),
    "complex": frozenset("stft complex".split()),
    "waveform": frozenset("wav wave waveform waveforms audio speech pcm sound recon samples sample".split()),
}
_DECODED = frozenset("output outputs out y hat signal values".split())

_WAVEFORMS: Mapping[int, tuple[Axes, ...]] = {
    1: (("sample",),),
    2: (("batch", "sample"), ("channel", "sample"), ("sample", "one")),
    3: (("batch", "channel", "sample"), ("batch", "sample", "channel")),
    4: (
        ("batch", "one", "channel", "sample"),
        ("batch", "channel", "one", "sample"),
        ("batch", "channel", "sample", "one"),
    ),
}
_PARTS: Mapping[int, tuple[Axes, ...]] = {
    2: (("bin", "frame"), ("frame", "bin")),
    3: (("batch", "bin", "frame"), ("batch", "frame", "bin")),
    4: (("batch", "one", "bin", "frame"), ("batch", "one", "frame", "bin"), ("batch", "bin", "frame", "one")),
}
_COMPLEX: Mapping[int, tuple[Axes, ...]] = {
    2: (("complex-bin", "frame"), ("frame", "complex-bin")),
    3: (
        ("complex", "bin", "frame"),
        ("bin", "frame", "complex"),
        ("frame", "bin", "complex"),
        ("batch", "complex-bin", "frame"),
        ("batch", "frame", "complex-bin"),
    ),
    4: (
        ("batch", "complex", "bin", "frame"),
        ("batch", "bin", "frame", "complex"),
        ("batch", "frame", "bin", "complex"),
        ("batch", "complex", "frame", "bin"),
        ("batch", "one", "complex-bin", "frame"),
        ("batch", "one", "frame", "complex-bin"),
    ),
}
_MAX_CHANNELS = 8


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
    found: dict[str, OutputRole] = {name: role for name, role in roles.items()}  # type: ignore[misc]
    left = []
    for one in outputs:
        if one.name in found:
            continue
        if one.dtype in FLOATS:
            left.append(one)
        else:
            found[one.name] = (
                "length"
                if one.dtype in INTEGERS and words(one.name) & {"length", "lengths", "len", "lens"}
                else "unused"
            )
    has_form = frozenset(role for role in found.values() if role not in ("unused", "length", "state")) in FORMS
    found |= dict.fromkeys((one.name for one in left), "unused") if has_form else _guessed(left, bins, found, faults)
    return {one.name: _planned(one, found[one.name], bins, faults) for one in outputs if one.name in found}


def form_of(outputs: Iterable[PlannedOutput]) -> OutputForm | None:
    """Return what outputs are together; None if they are nothing that is known."""
    roles = [one.role for one in outputs if one.role not in ("unused", "length", "state")]
    return FORMS.get(frozenset(roles)) if len(roles) == len(set(roles)) else None


def _guessed(
    left: Sequence[TensorInfo], bins: int | None, known: Mapping[str, OutputRole], faults: Faults
) -> dict[str, OutputRole]:
    """Return the roles of the outputs that the options do not name."""
    if not left:
        if not known:
            faults.add("the model gives nothing")
        else:
            faults.ask("no output of floats is left to make the sound of", "outputs", {"NAME": "waveform"})
        return {}
    if len(left) == 1 and not known:
        return {left[0].name: "waveform" if _can_be_waveform(left[0]) else _lone_role(left[0], bins, faults)}
    named = {one.name: role for one in left if (role := _named(one))}
    together = [role for role in (*known.values(), *named.values()) if role not in ("unused", "length", "state")]
    if len(together) == len(set(together)):
        spectral = frozenset(together) - {"waveform"}
        if "waveform" in together:
            sound = next((one for one in left if named.get(one.name) == "waveform"), None)
            if sound is not None and _can_be_waveform(sound):
                return {one.name: "waveform" if one is sound else "unused" for one in left}
        elif spectral in FORMS and len(named) == len(left):
            return dict(named)
        elif spectral in FORMS:
            return {one.name: named.get(one.name, "unused") for one in left}
    sounds = [one for one in left if _is_surely_waveform(one)]
    if len(sounds) == 1 and not named.keys() - {sounds[0].name}:
        return {one.name: "waveform" if one is sounds[0] else "unused" for one in left}
    _ask(left, named, faults)
    return {}


def _lone_role(tensor: TensorInfo, bins: int | None, faults: Faults) -> OutputRole:
    """Return the role of an only output that is no waveform."""
    role = _named(tensor)
    is_complex = axes_of(tensor, _COMPLEX, {"bin": bins, "complex-bin": None if bins is None else 2 * bins})
    if role in ("magnitude", "log_magnitude") or not is_complex:
        faults.add(
            f"the output {tensor_in_words(tensor)} is neither a waveform nor a complex spectrum",
            code="unclear-model",
        )
        return "unused"
    if role in ("phase", "real", "imag"):
        faults.add(f"the output {tensor_in_words(tensor)} alone is half of a spectrum", code="unclear-model")
        return "unused"
    return "complex"


def _ask(left: Sequence[TensorInfo], named: Mapping[str, OutputRole], faults: Faults) -> None:
    """Add the fault of outputs of unknown meaning, with the roles that they may have."""
    guesses: dict[int, tuple[str, ...]] = {2: ("magnitude", "phase"), 3: ("magnitude", "x", "y")}
    rest = [role for role in guesses.get(len(left), ()) if role not in named.values()]
    lacking = {}
    for one in left:
        if len(left) in guesses and (one.name in named or rest):
            lacking[one.name] = named[one.name] if one.name in named else rest.pop(0)
        else:
            lacking[one.name] = "unused" if lacking else "waveform"
    verb = "do the outputs" if len(left) > 1 else "does the output"
    faults.ask(
        f"what {verb} {listed([one.name for one in left])} hold? Their roles are {', '.join(ROLES[:9])}",
        "outputs",
        lacking,
    )


def _named(tensor: TensorInfo) -> OutputRole | None:
    """Return the role that the name of an output means; None if it means none."""
    found = words(tensor.name)
    if "log" in found and found & _WORDS["magnitude"]:
        return "log_magnitude"
    roles: list[OutputRole] = [role for role, known in _WORDS.items() if found & known]
    return roles[0] if len(roles) == 1 else None


def _can_be_waveform(tensor: TensorInfo) -> bool:
    """Return whether an output may be a waveform, by its shape and name."""
    if tensor.shape is None:
        return True
    if any(axis_named(size) == "bin" for size in tensor.shape if isinstance(size, str)):
        return False
    return _waveform_axes(tensor) is not None and _named(tensor) in (None, "waveform", "y")


def _is_surely_waveform(tensor: TensorInfo) -> bool:
    shape = tensor.shape or ()
    return _can_be_waveform(tensor) and (len(shape) == 1 or 1 in shape[1:] or "sample" in map(_meant, shape))


def _meant(size: int | str | None) -> Axis | None:
    return axis_named(size) if isinstance(size, str) else None


def _waveform_axes(tensor: TensorInfo) -> Axes | None:
    """Return the axes of a waveform; None if the shape is none of a waveform."""
    shape = tensor.shape
    if shape is None:
        return ()
    for axes in _WAVEFORMS.get(len(shape), ()):
        pairs = list(zip(shape, axes, strict=True))
        if all(_fits_waveform(size, axis) for size, axis in pairs):
            return axes
    return None


def _fits_waveform(size: int | str | None, axis: Axis) -> bool:
    if axis in ("channel", "one"):
        most = _MAX_CHANNELS if axis == "channel" else 1
        return size <= most if isinstance(size, int) else _meant(size) in (None, "band") and axis == "channel"
    if axis == "sample":
        return _meant(size) in (None, "sample", "frame") if not isinstance(size, int) else size > _MAX_CHANNELS
    return (
        not isinstance(size, int)
        and _meant(size) in (None, "batch")
        or size == 1
        or isinstance(size, int)
        and size <= 64
    )


def _planned(tensor: TensorInfo, role: OutputRole, bins: int | None, faults: Faults) -> PlannedOutput:
    """Return an output with its role and axes."""
    if role in ("unused", "length", "state"):
        return PlannedOutput(tensor=tensor, role=role)
    if role == "waveform":
        axes = _waveform_axes(tensor)
    else:
        orders = _COMPLEX if role == "complex" else _PARTS
        doubled = None if bins is None else 2 * bins
        axes = axes_of(tensor, orders, {"bin": bins, "complex-bin": doubled})
    if axes is None:
        what = "waveform" if role == "waveform" else f"{role.replace('_', '-')} of a spectrum"
        of = "" if bins is None or role == "waveform" else f" of {bins} bins"
        faults.add(f"the output {tensor_in_words(tensor)} has not the shape of a {what}{of}", code="unclear-model")
    return PlannedOutput(tensor=tensor, role=role, axes=axes or ())


def bins_of(outputs: Iterable[PlannedOutput]) -> int | None:
    """Return the number of bins that the header says; None if it does not."""
    for one in outputs:
        for size, axis in zip(one.tensor.shape or (), one.axes, strict=False):
            if isinstance(size, int) and axis in ("bin", "complex-bin"):
                return size if axis == "bin" else size // 2
    return None
