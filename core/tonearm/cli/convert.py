"""``tonearm convert``: one file with no YAML."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from tonearm.arrays import ArrayOptions
from tonearm.cli import console
from tonearm.errors import UsageError, one_line
from tonearm.pipeline.check import Bound, bind_decoder, check
from tonearm.pipeline.converter import Converter, as_source
from tonearm.pipeline.document import from_plain, literal, override
from tonearm.pipeline.inference import by_suffix, find_way
from tonearm.pipeline.options import Option, declared
from tonearm.pipeline.stages import decoded
from tonearm.pipeline.yaml.nodes import Node, plain
from tonearm.plugins.context import Context
from tonearm.plugins.contract import Decoder
from tonearm.plugins.ports import ports_of
from tonearm.plugins.registry import PluginError, Registry
from tonearm.signals import Signal
from tonearm.startup import StopHandler

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes: the options of arrays are flags."""
    parser.add_argument("source", metavar="SRC", help="file to read")
    parser.add_argument("target", metavar="DST", help="file to write; its suffix says which encoder")
    parser.add_argument("--decoder", metavar="NAME", help="decoder, where the suffix of SRC does not say it")
    parser.add_argument("--encoder", metavar="NAME", help="encoder, where the suffix of DST does not say it")
    parser.add_argument(
        "--step", action="append", default=[], metavar="NAME", help="transform to apply; what must come before is added"
    )
    parser.add_argument("--force", action="store_true", help="replace DST if it is there")
    parser.add_argument("--yaml", action="store_true", help="print the pipeline that this stands for instead")
    console.add_set(parser)
    common = parser.add_argument_group("what the array is")
    others = parser.add_argument_group("what some decoders take")
    taken = {text for action in parser._actions for text in action.option_strings}  # noqa: SLF001 - no other way to ask
    for name, description in _descriptions().items():
        flag = f"--{name.replace('_', '-')}"
        if flag not in taken:
            group = common if name in declared(ArrayOptions) else others
            group.add_argument(flag, dest=f"with_{name}", metavar="VALUE", help=description.replace("%", "%%"))


def _descriptions() -> dict[str, str]:
    """Return the options that decoders take, with their descriptions: those of arrays, and whatever there is more."""
    from tonearm.plugins import registry

    found = {option.name: [option.description] for option in declared(ArrayOptions).values()}
    for entry in registry.default().entries("decoder"):
        try:
            options = declared(ports_of(entry.resolve()).options)
        except (PluginError, TypeError):
            continue
        for option in options.values():
            if option.name not in declared(ArrayOptions):
                text = f"{entry.name}: {option.description}"
                same = found.setdefault(option.name, [])
                if not any(one.endswith(option.description) for one in same):
                    same.append(text)
    return {name: " ".join(texts) for name, texts in found.items()}


def main(arguments: SimpleNamespace) -> int:
    """Convert, or print the pipeline."""
    registry = console.registry()
    root = _pipeline(arguments, registry)
    if arguments.yaml:
        import yaml

        shown = literal(_without_empty(plain(root)))
        print(yaml.safe_dump(shown, sort_keys=False, allow_unicode=True), end="")
        return console.DONE
    from tonearm.run.convert_one import convert_one

    pipeline = Converter(check(root, None, registry, form="flags"))
    target = Path(arguments.target)
    StopHandler.install()
    written = convert_one(
        pipeline,
        as_source(arguments.source),
        target.parent,
        force=arguments.force,
        on_warning=lambda warning: console.say(f"warning: {warning}"),
    )
    for path in written:
        console.say(one_line(path))
    return console.DONE


def _pipeline(arguments: SimpleNamespace, registry: Registry) -> Node:
    """Return the pipeline that the command line stands for."""
    decoder = arguments.decoder or _by_suffix(registry, "decoder", arguments.source, "--decoder")
    encoder = arguments.encoder or _by_suffix(registry, "encoder", arguments.target, "--encoder")
    draft: dict[str, Any] = {
        "tonearm": 1,
        "input": {"use": decoder, "files": arguments.source, "with": {}},
        "steps": [],
        "outputs": [{"use": encoder, "file": Path(arguments.target).name, "with": {}}],
    }
    bound = bind_decoder(_with_flags(draft, arguments, registry), None, registry, form="flags")
    draft["steps"] = [{"use": name, "with": {}} for name in _steps(arguments, registry, bound, encoder)]
    root = _with_flags(draft, arguments, registry)
    for assignment in arguments.overrides:
        root = override(root, assignment)
    return root


def _with_flags(draft: dict[str, Any], arguments: SimpleNamespace, registry: Registry) -> Node:
    """Return the pipeline with the decoder's options as the flags say: text as it is, the rest read as YAML."""
    root = from_plain(draft)
    known = declared(ports_of(registry.find("decoder", draft["input"]["use"]).resolve()).options)
    for flag, value in vars(arguments).items():
        if flag.startswith("with_") and value is not None:
            name = flag.removeprefix("with_")
            root = override(root, f"input.with.{name}={_as_yaml(value, known.get(name))}")
    return root


def _as_yaml(value: str, option: Option | None) -> str:
    """Return what was given to a flag as YAML: a pattern such as *.npy is text, a list needs no brackets."""
    import json

    import msgspec

    if option is None:
        return json.dumps(literal(value))
    for given in (value, [part.strip() for part in value.strip("[]").split(",")]):
        try:
            msgspec.convert(given, option.type, strict=True)
        except msgspec.ValidationError:
            continue
        return json.dumps(literal(given))
    return value


def _without_empty(value: object) -> object:
    """Return the pipeline without options and steps where there are none."""
    if isinstance(value, dict):
        return {key: _without_empty(inner) for key, inner in value.items() if inner not in ({}, [])}
    return [_without_empty(inner) for inner in value] if isinstance(value, list) else value


def _steps(arguments: SimpleNamespace, registry: Registry, decoder: Bound, encoder: str) -> list[str]:
    """Return the transforms that lead from the decoder through those that were named to the encoder."""
    given = _signals(decoder, arguments.source)
    names: list[str] = []
    for name in [*arguments.step, None]:
        taker = registry.find("transform", name) if name else registry.find("encoder", encoder)
        ports = ports_of(taker.resolve())
        way = find_way(registry, given, ports.takes)
        if way is None:
            ends = " or ".join(signal.port for signal in given)
            raise UsageError(f"{taker.name} cannot take {ends}, and no transform leads there", code="port-mismatch")
        names += [*way, name] if name else way
        given = ports.gives if name else given
    return names


def _signals(bound: Bound, source: str) -> tuple[type[Signal], ...]:
    """Return the class of what the decoder gives; where its options leave that open, the source tells."""
    plugin = bound.plugin
    if not isinstance(plugin, Decoder):
        raise UsageError(f"{bound.name} is no decoder")
    signals = plugin.produces().signals
    if len(signals) == 1 and signals[0] is not Signal:
        return signals
    for outcome in decoded(bound, as_source(source), Context()):
        if outcome.item is None:
            raise outcome.error or UsageError("there is nothing in it", code="empty")
        return (type(outcome.item.signal),)
    raise UsageError(f"there is nothing in {one_line(source)}", code="empty")


def _by_suffix(registry: Registry, role: str, name: str, flag: str) -> str:
    """Return the plugin that reads or writes files with the suffix of this one, if it is the only one."""
    suffix = Path(name).suffix.lower()
    found = [entry.name if registry.is_bare(entry) else entry.full_name for entry in by_suffix(registry, role, name)]
    if len(found) == 1:
        return found[0]
    verb = "reads" if role == "decoder" else "writes"
    if not found:
        raise UsageError(
            f"no {role} {verb} {suffix or 'a name with no suffix'}", code="unknown-suffix", hint=f"{flag} NAME"
        )
    raise UsageError(f"several {role}s: {', '.join(found)}", code="ambiguous-suffix", hint=f"{flag} {found[0]}")
