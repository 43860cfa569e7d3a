"""Networks that turn tokens, latents or mel spectrograms into sound: which transform runs a model, by the model's form.

No network is put into a pipeline unless the user names its model: the decoder of another codec would make noise of the
same codes.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Any

from msgspec import Struct

from tonearm.errors import Advice, GiveOption, Place, Remedy, UsageError, one_line
from tonearm.plugins.plugin import Plugin
from tonearm.plugins.ports import Ports, ports_of
from tonearm.plugins.registry import PluginError, Registry
from tonearm.recipes.tokens.layout import OWN_DECODER, TokenLayout
from tonearm.signals import CodecTokens, Latents, Signal

MODEL = "model"
"""Option of every network: the file or folder of its model, or the model's name on the hub."""

WITHOUT_SOUND = (CodecTokens, Latents)
"""Signals that only the decoder of their own model turns into sound."""


class ModelForm(Struct, frozen=True):
    """A form in which models are kept.

    Parameters
    ----------
    noun
        Words for such a model, with an article.
    suffixes
        Suffixes of its files; empty for folders, and for names on the hub.
    transforms
        Names of the transforms that run it; the first that takes a signal is meant.
    """

    noun: str
    suffixes: tuple[str, ...]
    transforms: tuple[str, ...]


FORMS = (
    ModelForm("an ONNX file", (".onnx",), ("onnx-codec", "onnx-vocoder")),
    ModelForm("a TorchScript program", (".pt", ".ts"), ("torchscript-codec",)),
    ModelForm("a pretrained model of transformers", (), ("transformers-codec", "transformers-vocoder")),
)
"""Forms of models; the last is that of folders and of names that are no path."""

NETWORKS = frozenset(name for form in FORMS for name in form.transforms)
"""Names of the transforms that run a model of any form."""


def form_of(model: str) -> ModelForm:
    """Return the form of a model.

    Parameters
    ----------
    model
        Path of a file or folder, or a name on the hub.

    Raises
    ------
    UsageError
        If it is a file in none of the forms, such as one of weights alone.
    """
    suffix = os.path.splitext(model)[1].lower()  # noqa: PTH122 - pathlib takes 6 ms
    is_folder = os.path.isdir(model)  # noqa: PTH112
    found = next((one for one in FORMS if suffix in one.suffixes and not is_folder), FORMS[-1])
    if found is FORMS[-1] and os.path.isfile(model):  # noqa: PTH113
        known = ", ".join(suffix for one in FORMS for suffix in one.suffixes)
        raise UsageError(
            f"{one_line(model)} is not a model that can be run: a file of weights alone does not say how they are used",
            code="bad-model",
            hint=f"name the folder with its config.json, or a file with one of the suffixes {known}",
        )
    return found


def network_of(registry: Registry, model: str, given: Iterable[type[Signal]]) -> str | None:
    """Return the name of the transform that runs a model on signals; None if no network takes any of them.

    Raises
    ------
    UsageError
        If the model is of no known form, or only networks of other forms take the signals.
    """
    form, given = form_of(model), tuple(given)
    takers = [name for one in FORMS for name in one.transforms if _takes(registry, name, given)]
    fitting = [name for name in form.transforms if name in takers]
    if takers and not fitting:
        ports = " or ".join(signal.port for signal in given)
        nouns = [one.noun for one in FORMS if not set(takers).isdisjoint(one.transforms)]
        message = f"{one_line(model)} is {form.noun}, which cannot take {ports} here"
        raise UsageError(message, code="bad-model", hint=f"give {' or '.join(nouns)}")
    return fitting[0] if fitting else None


def _takes(registry: Registry, name: str, given: tuple[type[Signal], ...]) -> bool:
    try:
        ports = ports_of(registry.find("transform", name).resolve())
    except PluginError:
        return False
    return any(issubclass(one, ports.takes) for one in given)


def needs_model(ports: Ports) -> bool:
    """Return whether a transform is a network, which belongs to one model and is never put in without it."""
    if takes_any_model(ports):
        return True
    return bool(ports.takes) and all(issubclass(one, WITHOUT_SOUND) for one in ports.takes)


def takes_any_model(ports: Ports) -> bool:
    """Return whether a transform runs whatever model it is given, and so knows nothing but codes of a codec."""
    return MODEL in getattr(ports.options, "__dataclass_fields__", ())


def layout_of(plugin: Plugin[Any]) -> TokenLayout | None:
    """Return the layout that the options of a decoder name, or those of its kind; None if they name none."""
    options: Any = plugin.options
    for one in (options, getattr(getattr(options, "kind", None), "options", None)):
        if isinstance(found := getattr(one, "layout", None), TokenLayout):
            return found
    return None


def no_decoder_error(given: Iterable[type[Signal]], plugin: Plugin[Any] | None, place: Place) -> UsageError | None:
    """Return the error for tokens or latents that are to become sound without a model; None for other signals.

    Parameters
    ----------
    given
        Classes of the signals.
    plugin
        Plugin that gives them, whose layout knows the codec.
    place
        Place of the step that is missing.
    """
    signal = next((one for one in given if issubclass(one, WITHOUT_SOUND)), None)
    if signal is None:
        return None
    if plugin is not None and (refused := refused_layout_error(plugin, place)):
        return refused
    layout = layout_of(plugin) if plugin is not None else None
    message = f"{_named(signal, layout)} need {_decoder(signal, layout)} to become sound"
    return _placed(UsageError(message, code="needs-model", remedies=tuple(_model_remedies(layout, place))), place)


def refused_layout_error(plugin: Plugin[Any], place: Place) -> UsageError | None:
    """Return the error for tokens in a layout whose codes alone give no sound; None for other layouts and signals.

    Parameters
    ----------
    plugin
        Plugin that gives the tokens.
    place
        Place of the step that is to decode them.
    """
    layout = layout_of(plugin)
    if layout is None or not layout.refusal:
        return None
    error = UsageError(layout.refusal_message, code="needs-second-stream", remedies=(Advice(OWN_DECODER),))
    return _placed(error, place)


def _named(signal: type[Signal], layout: TokenLayout | None) -> str:
    what = "codec tokens" if issubclass(signal, CodecTokens) else "latents"
    return f"{what} in the layout {layout.label}" if layout is not None else what


def _decoder(signal: type[Signal], layout: TokenLayout | None) -> str:
    if layout is not None and layout.codec:
        return f"the decoder of their codec, {layout.codec},"
    return f"the decoder of their {'codec' if issubclass(signal, CodecTokens) else 'model'}"


def _model_remedies(layout: TokenLayout | None, place: Place) -> Iterator[Remedy]:
    weights = f"; weights: {one_line(layout.weights, 200)}" if layout is not None and layout.weights else ""
    if place.form in ("flags", "call"):
        yield GiveOption(MODEL, f"ONNX file, folder with config.json, or name on the hub{weights}")
        return
    names = ", ".join(form.transforms[0] for form in FORMS)
    yield Advice(f"put one of {names} before it, with the option model{weights}")


def _placed(error: UsageError, place: Place) -> UsageError:
    error.place = place
    return error
