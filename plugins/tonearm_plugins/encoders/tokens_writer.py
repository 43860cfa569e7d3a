"""``tokens-writer``: codec tokens as text with a model's marks, or as ids and codes in JSON lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from tonearm.api import (
    CodecTokens,
    Context,
    GiveOption,
    Item,
    ItemError,
    LaidTokens,
    Meta,
    OptionError,
    Sink,
    Spec,
    TaggingEncoder,
    TagOptions,
    TokenLayout,
)
from tonearm_plugins.encoders.array_options import check_layout, laid_item, warn_of_segments

TEXT, LINES = ".txt", ".jsonl"


@dataclass(frozen=True, kw_only=True)
class TokensWriterOptions(TagOptions):
    """Options of ``tokens-writer``."""

    layout: Annotated[
        TokenLayout | None,
        Meta(
            description="Layout in which the tokens are written, as a model writes them: a name, or its figures. Text"
            " needs one. Without it, JSON lines hold the codes of each channel, book and frame.",
            examples=["orpheus"],
        ),
    ] = None

    @property
    def has_tags(self) -> bool:
        """Whether the format has a place for tags."""
        return False


class TokensWriter(TaggingEncoder[CodecTokens, TokensWriterOptions]):
    """Write codec tokens as text, or as one line of JSON with ids or codes, which tokens-reader reads."""

    suffixes = (TEXT, LINES)
    holds_interpreter = True

    def accepts(self, spec: Spec) -> None:
        """Refuse a layout that cannot be written, and text without one."""
        check_layout(self.options.layout, spec)
        if self.options.layout is None and spec.suffix == TEXT:
            raise _no_layout()

    def encode(self, item: Item[CodecTokens], sink: Sink, context: Context) -> None:
        """Write the tokens, as text or as ids by the suffix, in the form of the layout that has it."""
        layout = self.options.layout
        wants_text = sink.suffix.lower() == TEXT
        if layout is not None and layout.other_form and wants_text != (layout.form == "text"):
            layout = context.catalogue(TokenLayout).find(layout.other_form)
        laid: Any = laid_item(item, layout)
        warn_of_segments(laid.signal, self.options, context)
        super().encode(laid, sink, context)

    def write(self, signal: CodecTokens, sink: Sink, tags: Mapping[str, str], context: Context) -> None:
        """Write the text, or the line."""
        content = _text_of(signal) if sink.suffix.lower() == TEXT else _line_of(signal)
        with sink.open() as file:
            file.write(content.encode())


def _text_of(signal: Any) -> str:
    """Return tokens as text with marks, or flat ids with spaces between."""
    if not isinstance(signal, LaidTokens):
        error = _no_layout()
        raise ItemError(error.message, code=error.code, remedies=error.remedies)
    if isinstance(signal.raw, str):
        return signal.raw
    if len(signal.arrays()) != 1 or signal.arrays()[0].ndim != 1:
        raise ItemError(
            "the layout is one of arrays, which text does not hold",
            code="wrong-type",
            hint="name the file .jsonl, or write arrays by npy-writer or safetensors-writer",
        )
    return " ".join(map(str, signal.arrays()[0].tolist())) + "\n"


def _line_of(signal: Any) -> str:
    """Return tokens as a line of JSON: text, ids, codes, or a list for each level."""
    import json

    if isinstance(signal, LaidTokens) and isinstance(signal.raw, str):
        return json.dumps({"text": signal.raw}, ensure_ascii=False) + "\n"
    arrays = [array.tolist() for array in signal.arrays()]
    return json.dumps(arrays if len(arrays) > 1 else arrays[0]) + "\n"


def _no_layout() -> OptionError:
    return OptionError(
        "text of codec tokens is written in the layout of a model",
        option="layout",
        code="missing-option",
        remedies=(GiveOption("layout", "the model family, such as orpheus; tonearm layouts lists all"),),
    )
