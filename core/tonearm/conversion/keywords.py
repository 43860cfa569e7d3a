"""Keywords of a call as options: of the decoder, of the encoder, or of a transform that was put in."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict

from tonearm.conversion.option_places import (
    OptionPlace,
    array_classes,
    chosen_places,
    connecting_transforms,
    named_in_vain,
    named_plugins,
    option_places,
    options_by_plugin,
    options_of,
    plugins_with,
    shared_places,
)
from tonearm.errors import UsageError, did_you_mean, one_line
from tonearm.errors.text import nearest, nearest_name
from tonearm.pipeline.document import assigned, from_plain
from tonearm.pipeline.option_scalars import takes
from tonearm.pipeline.yaml.nodes import MappingNode, Node
from tonearm.plugins.options import Option
from tonearm.plugins.registry import Registry
from tonearm.writing.tags import WELL_KNOWN_TAGS

PARAMETERS = ("format", "sample_rate", "steps", "encoder", "limits", "overwrite", "durable", "progress")
"""Parameters of `tonearm.save` and its like, one of which may be meant by a misspelt keyword."""


def with_keywords(
    root: Node,
    given: Mapping[str, object],
    registry: Registry,
    *,
    decoder: str,
    encoder: str,
    encoder_options: Mapping[str, object] = {},
    asked: Iterable[str] = (),
    inserted: Sequence[tuple[int, str]] | None,
) -> Node:
    """Return a pipeline with keywords as options of the plugin that has an option of the name.

    None as a value leaves the option out, unless it means something else than the default.

    Parameters
    ----------
    root
        Pipeline.
    given
        Keywords and their values.
    registry
        Registry of plugins.
    decoder, encoder
        Names of the plugins; an empty name stands for none.
    encoder_options
        Options that are given to the encoder alone. A keyword of the same name is for another plugin.
    asked
        Names of the transforms that the user asks for, each of which has options of its own.
    inserted
        Transforms that were put in, each with its index among the steps; None before they are known. Then keywords of
        transforms that may be put in are left out.

    Raises
    ------
    UsageError
        If no plugin has an option of the name, or several have.
    PipelineError
        If a value cannot be one of an option.
    """
    kind = given.get("kind")
    places = option_places(
        registry,
        decoder=decoder,
        encoder=encoder,
        kind=kind if isinstance(kind, str) else None,
        inserted=inserted or (),
    )
    for name, value in given.items():
        found = chosen_places(places, name)
        if len(found) > 1:
            found = [place for place in found if not (place.path == "outputs.0" and name in encoder_options)]
        if len(found) > 1:
            raise _ambiguous(name, value, found)
        if not found and decoder and (name in array_classes(registry) or any(plugins_with(registry, "kind", name))):
            found = list(places[:1])  # the check refuses it there, and says which kind has it
        if not found:
            unknown = _Unknown(name, value, registry, places, tuple(asked), has_decoder=bool(decoder))
            if inserted is not None or not unknown.may_come:
                raise unknown.error()
            continue
        option = found[0].options.get(name)
        if option is not None:
            value = _without_array(name, value, option)
        if value is not None or (option is not None and option.default is not None and takes(option.type, None)):
            for place in shared_places(places, found[0], name):
                root = with_option(root, place.path, name, value)
    for name, value in encoder_options.items() if encoder else ():
        root = with_option(root, "outputs.0", name, value)
    return root


def _without_array(name: str, value: object, option: Option) -> object:
    """Return the value of an option, or raise `UsageError` if it is an array, such as the samples of a window."""
    shape: Any = getattr(value, "shape", None)
    if not hasattr(shape, "__len__") or not len(shape) or hasattr(value, "__struct_fields__"):
        return value
    message = f"{name} is an array of shape {tuple(shape)}, not a plain value"
    raise UsageError(message, code="bad-option", hint=option.description.partition(". ")[0])


def with_option(root: Node, path: str, name: str, value: object) -> Node:
    """Return a pipeline with an option of a stage.

    Parameters
    ----------
    root
        Pipeline.
    path
        Path of the stage.
    name, value
        Name and value of the option.

    Raises
    ------
    PipelineError
        If the value cannot be one of an option; the message names the option.
    """
    node = from_plain({name: plain_keyword(value)})
    entries = node.entries if isinstance(node, MappingNode) else {}
    return assigned(root, [*path.split("."), "with", name], entries[name].node)


def plain_keyword(value: Any) -> Any:
    """Return a value with scalars of tensors, paths, and records such as a `MelDialect` as plain ones."""
    if isinstance(value, Mapping):
        return {name: plain_keyword(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain_keyword(inner) for inner in value]
    if isinstance(value, Struct):
        defaults = dict(zip(value.__struct_fields__[::-1], value.__struct_defaults__[::-1], strict=False))
        return {
            name: plain_keyword(inner)
            for name, inner in asdict(value).items()
            if name not in defaults or inner != defaults[name]
        }
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    shape: Any = getattr(value, "shape", None)
    if not hasattr(shape, "__len__") or len(shape):
        return value
    from tonearm.tensors import as_array  # not at the top: most values are plain

    return value.item() if hasattr(value, "item") else as_array(value).item()


class _Unknown(Struct, frozen=True):
    """A keyword that none of the plugins has.

    Parameters
    ----------
    name, value
        Keyword.
    registry
        Registry of plugins.
    places
        Places of options.
    asked
        Names of the transforms that the user asks for.
    has_decoder
        Whether a decoder reads the source; a signal needs none.
    """

    name: str
    value: object
    registry: Registry
    places: tuple[OptionPlace, ...]
    asked: tuple[str, ...]
    has_decoder: bool

    @property
    def connecting(self) -> dict[str, Mapping[str, Option]]:
        """Transforms that may be put in, with their options."""
        return {one: options_of(self.registry, "transform", one) for one in connecting_transforms(self.registry)}

    @property
    def is_of_array(self) -> bool:
        """Whether the keyword describes an array, but a signal is given."""
        return not self.has_decoder and (self.name in array_classes(self.registry) or bool(self._owners("kind")))

    @property
    def may_come(self) -> bool:
        """Whether a transform that is put in later may have the keyword."""
        return not self.is_of_array and any(self.name in options for options in self.connecting.values())

    def _owners(self, role: str) -> list[str]:
        """Return the names of the plugins of a role that have the option, those that the user asks for first."""
        found = plugins_with(self.registry, role, self.name)
        return sorted(found, key=lambda one: one not in self.asked)

    def error(self) -> UsageError:
        """Return the error, with the place that the option belongs to."""
        name = self.name
        if self.is_of_array:
            return _unknown(f"{name} describes an array, and a signal describes itself", f"leave {name} out")
        if meant := self._parameter():
            return _unknown(f"there is no option {name!r} here", f"did you mean {meant!r}?")
        if owners := self._owners("transform"):
            step = _step(owners[0], name, self.value)
            if owners[0] in self.asked:
                return _unknown(f"{name} is an option of {owners[0]}, whose options stand beside its name", step)
            if connecting := [one for one in owners if one in self.connecting]:
                return _unknown(f"{name} is an option of {named_in_vain(connecting, 'needed')}", f"leave {name} out")
            which = "it" if len(owners) == 1 else owners[0]
            return _unknown(f"{name} is an option of {named_in_vain(owners, 'applied')}", f"to apply {which}, {step}")
        if transform := nearest_name(name, self._transforms()):
            return _unknown(f"{transform} is a transform, not an option", f'steps=["{transform}"]')
        if owners := self._owners("decoder") or self._owners("encoder"):
            return _unknown(f"{name} is an option of {named_in_vain(owners, 'used')}", f"leave {name} out")
        if name in WELL_KNOWN_TAGS and any("tags" in place.options for place in self.places):
            return _unknown(f"{name} is a tag, not an option", f'tags={{"{name}": {_shown(self.value)}}}')
        return _unknown(f"there is no option {one_line(repr(name), 60)} here", self._meant())

    def _parameter(self) -> str | None:
        """Return the parameter that other libraries call so; None if a transform that the user asks for has the option.

        ``rate`` is the sample rate of a sound, unless its time is stretched.
        """
        is_asked = any(one in self.asked for one in self._owners("transform"))
        return None if is_asked else nearest_name(self.name, PARAMETERS)

    def _transforms(self) -> list[str]:
        return [self.registry.short_name(entry) for entry in self.registry.entries("transform")]

    def _meant(self) -> str:
        """Return a similar name, and whose option it is unless it is one of the call."""
        known = {one for place in self.places for one in place.options} | {*PARAMETERS}
        known |= {one for options in self.connecting.values() for one in options}
        meant = nearest(self.name, _all_options(self.registry))
        if meant is None or meant in known:
            return did_you_mean(self.name, sorted(known))
        roles = ("encoder", "transform", "decoder", "kind")
        owners = [one for role in roles for one in plugins_with(self.registry, role, meant)]
        return f"did you mean {meant!r}, an option of {named_plugins(owners)}?"


def _unknown(message: str, hint: str) -> UsageError:
    return UsageError(message, code="unknown-option", hint=hint)


def _ambiguous(name: str, value: object, places: Sequence[OptionPlace]) -> UsageError:
    """Return the error for a keyword that several plugins have, with what to write for each of them."""
    hints = []
    for place in places:
        if place.path.startswith("steps."):
            hints.append(f"for {place.plugin}, {_step(place.plugin, name, value)}")
        elif place.path != "input":
            hints.append(f"for {place.plugin}, encoder={{{name!r}: {_shown(value)}}}".replace("'", '"'))
        else:
            other = next((one for one in places if one.path == "outputs.0"), None)
            default = _shown(_default(other.options[name])) if other else "…"
            beside = f'{name}={_shown(value)} beside encoder={{"{name}": {default}}}'
            hints.append(f"for {place.plugin}, {beside}")
    message = f"{name} is an option of {' and of '.join(place.plugin for place in places)}"
    return UsageError(message, code="ambiguous-option", hint="; ".join(hints))


def _all_options(registry: Registry) -> list[str]:
    """Return the names of the options of all plugins, and of the parameters of calls."""
    roles = ("decoder", "kind", "transform", "encoder")
    found = {one for role in roles for _, options in options_by_plugin(registry, role) for one in options}
    return sorted(found.union(PARAMETERS))


def _default(option: Option) -> object:
    return None if option.required else option.default


def _step(plugin: str, name: str, value: object) -> str:
    """Return the step to write for a plugin with one option."""
    return f'steps=[("{plugin}", {{"{name}": {_shown(value)}}})]'


def _shown(value: object) -> str:
    """Return a value as a Python literal on one short line."""
    plain = plain_keyword(value)
    text = f'"{plain}"' if isinstance(plain, str) and '"' not in plain else repr(plain)
    return one_line(text, 60)
