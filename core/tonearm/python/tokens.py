"""`tonearm.to_tokens`: what a language model returned, as the codes that its codec's decoder takes."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from tonearm.conversion.call import FORM, OF_ARRAY
from tonearm.conversion.file_source import file_source
from tonearm.conversion.keywords import plain_keyword, with_keywords
from tonearm.errors import ItemError, UsageError
from tonearm.errors.short_errors import short_errors
from tonearm.errors.warning import warn
from tonearm.given_arrays import coded_segments, rows_of
from tonearm.pipeline.blame import as_item_error
from tonearm.pipeline.check import bind_decoder, check
from tonearm.pipeline.converter import Converter, as_source
from tonearm.pipeline.document import from_plain
from tonearm.pipeline.yaml.nodes import Node
from tonearm.plugins import registry as registries
from tonearm.plugins.context import Context
from tonearm.python.disabled_packages import warn_of_disabled_packages
from tonearm.recipes.tokens.undo import is_text
from tonearm.signals import CodecTokens, Signal, describe
from tonearm.tensors import as_array

if TYPE_CHECKING:
    from tonearm.python.audio_input import TokenInput
    from tonearm.recipes.tokens.layout import TokenLayout


@short_errors
def to_tokens(
    raw: TokenInput, *, layout: str | Mapping[str, Any] | TokenLayout | None = None, **options: Any
) -> CodecTokens | list[CodecTokens]:
    """Return the codec tokens that a model wrote as codes: without marks, offsets and delays, checked against a layout.

    `tonearm.save` does the same on its way to sound. Use this to look at the codes, to give them to a decoder of your
    own, or to decode text that ``generate()`` returned.

    Parameters
    ----------
    raw
        What the model returned:

        - text, such as ``"<custom_token_12>…"``, or a list of texts that follow one another;
        - ids: a list, an array, or a tensor of any library; with a batch axis, or as a list of lists of different
          lengths, they are a batch;
        - codes with their axes: an array or a tensor, as the layout says;
        - levels of a codec such as SNAC: a list of arrays, coarse first, for a layout of levels;
        - segments as EnCodec's ``encode()`` returns them: a list of pairs of codes and their factor, or None;
        - a mapping of arrays, or a file: a `pathlib.Path` or an open file. A string is text, never a path.
    layout
        Layout in which the model writes: a name, ``{"base": NAME, …}`` with what differs, all figures, or a
        `TokenLayout`. ``tonearm layouts`` lists all names.
    **options
        Options of ``kind: tokens`` by name, such as ``axes``, ``lengths``, ``sample_rate`` and ``samples_per_frame``;
        of a file, those of its decoder, too.

    Returns
    -------
    CodecTokens or list of CodecTokens
        Tokens; a list if there are several sequences.

    Raises
    ------
    PipelineError
        If an option is wrong or missing; ``problems`` has each, with its remedies.
    UsageError
        If the call is wrong otherwise.
    ItemError
        If the tokens cannot be in the layout; the message names the place.

    Examples
    --------
    >>> import tonearm
    >>> text = "".join(f"<custom_token_{10 + 4096 * place + code}>" for place, code in enumerate([5, 1, 2, 3, 4, 6, 7]))
    >>> tokens = tonearm.to_tokens(text, layout="orpheus")
    >>> [level.tolist() for level in tokens.levels]
    [[[5]], [[1, 4]], [[2, 3, 6, 7]]]
    """
    if isinstance(raw, Signal):
        raise UsageError(f"this is {describe(raw)}, not what a model wrote", hint="give it to tonearm.save as it is")
    registry = registries.default()
    warn_of_disabled_packages(registry)
    given = {name: plain_keyword(value) for name, value in {"layout": layout, **options}.items() if value is not None}
    raw = coded_segments(raw) or raw
    found: Iterable[Any] = _of_file(raw, given, registry) if _is_file(raw) else _of_memory(raw, given, registry)
    tokens = [_checked(one) for one in found]
    return tokens[0] if len(tokens) == 1 else tokens


def _is_file(raw: Any) -> bool:
    """Return whether something is a file, or a mapping of arrays as files hold them."""
    is_open = hasattr(raw, "read") and not hasattr(raw, "__array__")
    return isinstance(raw, (os.PathLike, Mapping)) or is_open


def _of_file(raw: Any, given: Mapping[str, Any], registry: registries.Registry) -> Iterable[Any]:
    """Return an iterator over the signals of a file, or of a mapping of arrays."""
    if isinstance(raw, Mapping):
        source, decoder = as_source(raw), "npz-reader"
    else:
        found = file_source(raw, None, registry, has_layout="layout" in given)
        source, decoder = found.source, found.decoder
    root = _pipeline(given, decoder, registry)
    checked = check(root, None, registry, form=FORM, needs_outputs=False, one_source=True)
    return Converter(checked).convert(source)


def _of_memory(raw: Any, given: dict[str, Any], registry: registries.Registry) -> list[Any]:
    """Return the signals of text, ids, arrays, or a list of these."""
    lengths = given.pop("lengths", None)
    bound = bind_decoder(_pipeline({"kind": "tokens", **given}, OF_ARRAY, registry), None, registry, form=FORM)
    options: Any = bound.plugin.options
    context = Context(on_warning=warn, catalogue=registry.catalogue)
    with as_item_error(bound):
        found = options.kind.read_raw(
            _raw(raw), context, axes=options.axes, lengths=None if lengths is None else as_array(lengths)
        )
        return list(found)  # here, so that an error names the decoder


def _raw(raw: Any) -> Any:
    """Return text, an array, or a list of these."""
    if is_text(raw):
        return raw
    rows = rows_of(raw)
    return as_array(raw) if rows is None else [rows[name] for name in rows]


def _pipeline(given: Mapping[str, Any], decoder: str, registry: registries.Registry) -> Node:
    """Return a pipeline of a decoder alone, with its options."""
    root = from_plain({"tonearm": 1, "input": {"use": decoder, "with": {}}})
    return with_keywords(root, given, registry, decoder=decoder, encoder="", inserted=())


def _checked(found: Any) -> CodecTokens:
    if isinstance(found, ItemError):
        raise found
    if not isinstance(found, CodecTokens):
        raise UsageError(f"this is {describe(found)}, not tokens", hint='name their layout, as in layout="orpheus"')
    return found
