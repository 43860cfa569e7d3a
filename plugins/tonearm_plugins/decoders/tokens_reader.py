"""``tokens-reader``: codec tokens in text, in JSON and in JSON lines."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

from tonearm.api import (
    BESIDE,
    IF_ABSENT,
    ArrayDecoder,
    ArrayOptions,
    CodecTokens,
    Context,
    Item,
    ItemError,
    Kind,
    Meta,
    OptionError,
    SetOption,
    Signal,
    Source,
    TokenLayout,
    check_memory,
    quoted,
    size_of,
)

if TYPE_CHECKING:
    from tonearm_plugins.dsp.typing import Array
    from tonearm_plugins.formats.token_text import RawTokens

JSON_SUFFIXES = (".json", ".jsonl", ".ndjson")
"""Suffixes of JSON and JSON lines."""


@dataclass(frozen=True, kw_only=True)
class TokensReaderOptions(ArrayOptions):
    """Options of ``tokens-reader``; those of ``kind: tokens``, such as the layout, stand beside them."""

    kind: Annotated[
        Kind[Any, Any],
        Meta(description="Kind of what the file holds: tokens.", extra={BESIDE: True, IF_ABSENT: "tokens"}),
    ]
    field: Annotated[
        str | None,
        Meta(
            description="Field of JSON that holds the text or the ids, as in text or choices.0.message.content. Not"
            " needed if only one can be meant.",
            min_length=1,
        ),
    ] = None
    lines: Annotated[
        Literal["items", "joined"],
        Meta(
            description="What the lines of JSON lines, the elements of a list or rows of ids are: items of their own,"
            " or joined one after the other, as the chunks of a long text are."
        ),
    ] = "items"

    def problems(self) -> Iterator[OptionError]:
        """Yield the problem of another kind, and contradictions between options."""
        if not hasattr(self.kind, "read_raw"):
            yield OptionError(
                f"tokens-reader reads tokens, not {self.kind.name}",
                option="kind",
                remedies=(SetOption("kind", "tokens"),),
            )
            return
        yield from super().problems()


class TokensReader(ArrayDecoder[TokensReaderOptions]):
    """Read text in which the layout's pattern finds tokens, ids between commas or spaces, and both in JSON.

    With a layout, it reads .txt, .csv, .json and .jsonl files; files with any other suffix are read by its name.
    """

    layout_suffixes = (".txt", ".csv", ".tsv", *JSON_SUFFIXES)
    reads = "content"
    holds_interpreter = True

    def decode(self, source: Source, context: Context) -> Iterator[Item[Signal] | ItemError]:
        """Yield the tokens of a text, of each line of JSON lines, and of each element of a batch."""
        if source.holds_arrays:
            yield from super().decode(source, context)
            return
        found = self._signals(source, context)
        if self.options.lines == "joined":
            yield Item(signal=_joined(found, source.name))
            return
        for index, (_, one) in enumerate(found):
            yield one if isinstance(one, ItemError) else Item(signal=one, index=index)

    def arrays(self, source: Source, context: Context) -> Iterator[tuple[str, Array] | ItemError]:
        """Yield the arrays of ids that stand in the file; text is none."""
        for number, (place, raw) in enumerate(self._raw(source, context)):
            if isinstance(raw, str):
                yield ItemError(
                    f"{_at(place, source.name)} holds text, in which the pattern of a layout finds tokens",
                    code="not-numbers",
                    hint="`tonearm layouts` lists them",
                )
            else:
                yield from ((f"{number}" if place else "", one) for one in (raw if isinstance(raw, list) else [raw]))

    def _raw(self, source: Source, context: Context) -> Iterator[tuple[str, Any]]:
        """Yield the raw tokens of each item with their place: text, an array, or the arrays of levels."""
        from tonearm_plugins.formats.token_text import items_of, parse

        with source.open() as file:
            check_memory(source.name, "", size_of(file))
            data = file.read()
        is_json = (source.path_text or source.name).lower().endswith(JSON_SUFFIXES)
        is_ragged = self._is_ragged(context)
        found: Iterator[RawTokens] = parse(data, source.name, self.options.field, self._marks(context), is_json=is_json)
        for one in found:
            yield from items_of(one, is_ragged=is_ragged)

    def _signals(self, source: Source, context: Context) -> Iterator[tuple[str, CodecTokens | ItemError]]:
        """Yield the tokens of each item, or the error that takes its place, with its place in the file."""
        kind: Any = self.options.read_kind
        for place, raw in self._raw(source, context):
            try:
                for one in kind.read_raw(raw, context, axes=self.options.axes):
                    yield place, _placed(one, place, source.name) if isinstance(one, ItemError) else one
            except ItemError as error:
                if not place:
                    raise
                yield place, _placed(error, place, source.name)

    def _forms(self, context: Context) -> tuple[TokenLayout | None, TokenLayout | None]:
        """Return the layout of text and that of ids, as far as there are any."""
        layout: TokenLayout | None = self.options.of_kind("layout")
        if layout is None:
            return None, None
        other = context.catalogue(TokenLayout).find(layout.other_form) if layout.other_form else None
        return (layout, other) if layout.form == "text" else (other, layout)

    def _marks(self, context: Context) -> Callable[[str], bool]:
        """Return the function that tells whether a text holds tokens: marks of the layout, or nothing but numbers."""
        text, _ = self._forms(context)
        patterns = () if text is None else text.patterns
        known = [re.compile(pattern) for pattern in patterns]
        numbers = re.compile(r"\s*\d+(?:[\s,]+\d+){2,}[\s,]*")
        return lambda given: any(one.search(given) for one in known) or numbers.fullmatch(given) is not None

    def _is_ragged(self, context: Context) -> bool:
        """Return whether ids of the layout are the levels of ragged tokens."""
        _, ids = self._forms(context)
        return ids is not None and ids.form == "ragged"


def _at(place: str, name: str) -> str:
    """Return a place in a file as messages name it."""
    return f"{place} of {quoted(name)}" if place else quoted(name)


def _placed(error: ItemError, place: str, name: str) -> ItemError:
    """Return an error whose message names the place in the file."""
    if not place:
        return error
    return ItemError(f"{_at(place, name)}: {error.message}", code=error.code, remedies=error.remedies)


def _joined(found: Iterator[tuple[str, CodecTokens | ItemError]], name: str) -> CodecTokens:
    """Return tokens one after the other, as one signal."""
    import numpy as np

    parts: list[CodecTokens] = []
    for place, one in found:
        if isinstance(one, ItemError):
            raise one
        if parts and [level.shape[0] for level in one.levels] != [level.shape[0] for level in parts[0].levels]:
            raise ItemError(
                f"{_at(place, name)} has other channels or books than what comes before it, so they cannot be joined",
                code="parts-differ",
                remedies=(SetOption("lines", "items"),),
            )
        parts.append(one)
    if len(parts) < 2:
        return parts[0]
    first = parts[0]
    joined = [np.concatenate(levels, axis=-1) for levels in zip(*(one.arrays() for one in parts), strict=True)]
    return replace(first, codes=tuple(joined) if isinstance(first.codes, tuple) else joined[0], length=None)
