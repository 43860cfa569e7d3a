"""``kind: tokens``: codec tokens in a layout."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Meta

from tonearm.errors import ChooseOption, GiveOption, ItemError, OptionError, Remedy, SetOption
from tonearm.kinds.grid_options import SampledOptions
from tonearm.plugins.context import Context
from tonearm.plugins.kind import Kind
from tonearm.plugins.ports import Spec
from tonearm.recipes.catalogue import listing_hint
from tonearm.recipes.tokens.layout import OWN_DECODER, TokenLayout
from tonearm.recipes.tokens.layout_checks import AXES, TOKEN, axes_problem, axis_names
from tonearm.signals import MAX_SAMPLE_RATE, Codebooks, CodecTokens

if TYPE_CHECKING:
    from tonearm.recipes.tokens.undo import Raw
    from tonearm.typing import Array

MAX_NAMED = 8
"""Largest number of layouts that an error names."""


@dataclass(frozen=True, kw_only=True)
class TokensOptions(SampledOptions):
    """Options of codec tokens; figures of the codec may repeat those of the layout."""

    sample_rate: Annotated[
        int | None,
        Meta(
            description="Sample rate in Hz of the codec's sound, where neither layout nor model has it.",
            ge=1,
            le=MAX_SAMPLE_RATE,
        ),
    ] = None
    layout: Annotated[
        TokenLayout | None,
        Meta(
            description="Layout in which the model writes codec tokens: a name, {base: NAME, delays: [0, 1, 2, 3]} to"
            " change a known one, or all its figures."
        ),
    ] = None
    samples_per_frame: Annotated[
        int | None, Meta(description="Samples of a frame, where neither layout nor model has them.", ge=1)
    ] = None
    length: Annotated[int | None, Meta(description="Length of the sound in samples, if known.", ge=1)] = None
    segments: Annotated[
        list[Annotated[int, Meta(ge=1)]] | None,
        Meta(
            description="Number of frames of each segment that the codec decodes alone, where they follow one another"
            " in an array without an axis for them."
        ),
    ] = None
    scales: Annotated[
        list[float] | None,
        Meta(
            description="Factor of the sound of each segment that the codec decodes alone, as EnCodec's audio_scales."
        ),
    ] = None


class TokensKind(Kind[CodecTokens, TokensOptions]):
    """Codec tokens in a layout."""

    axes = ("book", "frame")
    optional_axes = ("segment", TOKEN)
    dtype = "stored"
    takes_rows = True

    def spec(self) -> Spec:
        """Return what is known of the codebooks, the rate and the length."""
        options = self.options
        layout = options.layout
        known = layout.known_codebooks if layout else Codebooks()
        books = replace(
            known,
            sample_rate=known.sample_rate or options.sample_rate,
            samples_per_frame=known.samples_per_frame or options.samples_per_frame,
        )
        return super().spec().replace(sample_rate=books.sample_rate, length=options.length).carrying(books)

    def problems(self, axes: Sequence[str] | None) -> Iterator[OptionError]:
        """Yield the problem of a refused layout, options that contradict it, and wrong axes.

        A missing layout is an error of the item, which names those that fit; a file may state its axes itself.
        """
        options, layout = self.options, self.options.layout
        known: Sequence[str] = AXES
        if layout is not None:
            if layout.streams_text:  # others with a refusal have codes, which can be read
                yield OptionError(
                    layout.refusal_message,
                    option="layout",
                    code="needs-second-stream",
                    hint=OWN_DECODER,
                )
            for name in ("sample_rate", "samples_per_frame"):
                given, own = getattr(options, name), getattr(layout, name)
                if given is not None and own is not None and given != own:
                    changed = SetOption("layout", {"base": layout.name or "NAME", name: given}, "if the model differs")
                    message = f"'{name}' is part of the layout {layout.label}, which has {own}"
                    yield OptionError(message, option=name, remedies=(changed,))
            known = {"flat": ("batch", TOKEN), "ragged": ("batch", "channel", "frame")}.get(layout.form, AXES)
        if axes is not None and (problem := axes_problem(axes, known, known[-1])):
            yield OptionError(problem, option="axes", hint=f"axes of tokens are {', '.join(known)}")

    @property
    def joins_arrays(self) -> bool:
        """Whether the arrays of a source make one signal: the levels of a ragged layout, or segments of any length."""
        layout = self.options.layout
        return layout is not None and (layout.form == "ragged" or layout.raw_axes[0] == "segment")

    def read_whole(
        self, arrays: Sequence[Array], axes: Sequence[str] | None, lengths: Array | None, context: Context
    ) -> Iterator[CodecTokens | ItemError]:
        """Return an iterator over the tokens of each element of a batch."""
        return self.read_raw(arrays, context, axes=axes, lengths=lengths)

    def read_raw(
        self, raw: Raw, context: Context, *, axes: Sequence[str] | None = None, lengths: Array | None = None
    ) -> Iterator[CodecTokens | ItemError]:
        """Yield the tokens of each element of raw ones: of text, or of arrays.

        Parameters
        ----------
        raw
            Text, or several that follow one another; an array, or several.
        context
            Context of the item.
        axes
            Names of the axes in place of those of the layout.
        lengths
            Number of tokens or steps of each element of a batch.

        Raises
        ------
        ItemError
            If there is no layout, or the tokens cannot be in it.
        """
        from tonearm.recipes.tokens.reading import read_tokens

        options = self.options
        yield from read_tokens(
            self._layout_for(raw, axes, context),
            raw,
            axes=axes,
            lengths=lengths,
            sample_rate=options.sample_rate,
            samples_per_frame=options.samples_per_frame,
            length=options.length,
            segments=options.segments,
            scales=options.scales,
            warn=context.warn,
        )

    def read(self, values: Array, context: Context) -> CodecTokens:
        """Return the tokens of an array with the axes channel, book and frame."""
        (found,) = self.read_raw(values, context, axes=("channel", "book", "frame"))
        if isinstance(found, ItemError):
            raise found
        return found

    def _layout_for(self, raw: Any, axes: Sequence[str] | None, context: Context) -> TokenLayout:
        """Return the layout of raw tokens: the given one, or its other form if they are text and it is not."""
        from tonearm.recipes.tokens.undo import is_text

        layout = self.options.layout
        has_text = is_text(raw)
        if layout is None and axes is not None and not has_text and TOKEN not in axis_names(axes):
            return TokenLayout(axes=tuple(axes))  # codes as they are
        if layout is None:
            raise self._missing(raw, context)
        if layout.other_form and has_text != (layout.form == "text"):
            other: TokenLayout = context.catalogue(TokenLayout).find(layout.other_form)
            return other
        return layout

    @staticmethod
    def _missing(raw: Any, context: Context) -> ItemError:
        """Return the error of a missing layout, which names those that fit."""
        from tonearm.recipes.tokens.fitting import fitting_layouts

        names = fitting_layouts(raw, context.catalogue(TokenLayout))[:MAX_NAMED]
        fits: Remedy = ChooseOption("layout", tuple(names), "by axes and greatest code")
        return ItemError(
            "codec tokens cannot be read without their layout",
            code="no-layout",
            remedies=(fits if names else GiveOption("layout", f"the model family; {listing_hint(TokenLayout)}"),),
        )
