"""The options ``tags`` and ``provenance``, and the base class of the encoders that have them."""

from __future__ import annotations

import functools
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Generic, Literal, TypeVar

from msgspec import Meta
from msgspec.structs import replace

from tonearm.errors import OptionError, RemoveOption, SetOption, one_line
from tonearm.plugins.block_plugins import BlockEncoder, StartedEncoder
from tonearm.plugins.context import Context
from tonearm.plugins.encoder import Encoder
from tonearm.plugins.item import Item
from tonearm.plugins.ports import Spec
from tonearm.plugins.sink import Sink
from tonearm.signals import Signal
from tonearm.writing.options import EncoderOptions
from tonearm.writing.tags import is_tag_name, merged_tags, number_expected, repeated_tags
from tonearm.writing.templates import TextTemplate, text_template

Tags = Annotated[
    dict[str, str | int | float],
    Meta(
        description="Tags to write: {title: …, artist: …, track: 3/9}. A text can have the fields of output names, as"
        ' in "{stem}", and braces are doubled. Tags are added to those of the source and replace those of the same'
        " name; an empty text removes a tag."
    ),
]
WithProvenance = Annotated[
    bool | Literal["paths"],
    Meta(
        description="Whether the file records its origin: the source with its SHA-256, the fingerprint of the pipeline"
        " and the version of tonearm as tags, and all plugins and options in NAME.SUFFIX.json beside it. Folders above"
        " the sources and the pipeline are left out, unless it is paths."
    ),
]


@dataclass(frozen=True, kw_only=True)
class TagOptions(EncoderOptions):
    """Options of an encoder that writes tags."""

    tags: Tags = field(default_factory=dict)
    provenance: WithProvenance = False

    @property
    def has_tags(self) -> bool:
        """Whether the format has a place for tags. If it has none, ``provenance`` puts them into a file beside it."""
        return True

    def problems(self) -> Iterator[OptionError]:
        """Yield an error for each tag that cannot be written."""
        yield from self.tag_problems(has_tags=self.has_tags)
        yield from super().problems()

    def tag_problems(self, *, has_tags: bool) -> Iterator[OptionError]:
        """Yield an error for each tag that cannot be written into a file that has a place for tags, or has none."""
        for name, value in self.tags.items():
            if not is_tag_name(name):
                yield OptionError(
                    f"{name!r} is not a valid tag name",
                    option=f"tags.{name}",
                    hint="use ASCII letters, digits and spaces, as in title, artist, album, date, comment",
                )
            try:
                constant = text_template(str(value)).constant
            except OptionError as error:
                yield OptionError(
                    f"{name}: {error.message}", option=f"tags.{name}", code=error.code, remedies=error.remedies
                )
                continue
            if constant is not None and (examples := number_expected(name, constant)):
                message = f"{name} is {one_line(repr(constant))}, not a number"
                yield OptionError(message, option=f"tags.{name}", hint=f"write {examples}")
        for first, second in repeated_tags(self.tags):
            message = f"{first!r} and {second!r} are the same tag"
            yield OptionError(message, option=f"tags.{second}", remedies=(RemoveOption(f"tags.{second}"),))
        if self.tags and not has_tags and not self.provenance:
            yield OptionError(
                "the format has no place for tags",
                option="tags",
                remedies=(SetOption("provenance", value=True, when="which puts them into a file beside it"),),
                code="no-tags",
            )


S = TypeVar("S", bound=Signal)
Options = TypeVar("Options", bound=TagOptions)


class _TagWriter(Encoder[S, Options], Generic[S, Options]):
    """What the encoders of tags share."""

    def _tags_of(self, item: Item[Any], sink: Sink, context: Context) -> dict[str, str]:
        """Return all tags of an item, and write its provenance beside the file if the options ask for it."""
        found = item.tags
        given = self._given(context, item.key, item.index)
        tags = merged_tags(found, given) if found or given else {}
        if not self.options.provenance:
            return tags
        from tonearm.writing.provenance import provenance_tags, write_sidecar

        made = context.provenance()
        if self.options.provenance == "paths":
            made = made.with_paths()
        write_sidecar(sink.sidecar(f"{sink.suffix}.json"), made, item, tags)
        return tags | provenance_tags(made, item)

    def _given(self, context: Context, key: str, index: int) -> dict[str, str]:
        """Return the tags of the user for an item."""
        given = {}
        for name, template in self._templates.items():
            given[name] = text = template.render(context.source, key, index)
            if template.constant is None and (examples := number_expected(name, text)):
                context.warn(f"the tag {name} is {one_line(repr(text))}, not a number such as {examples}")
        return given

    @functools.cached_property
    def _templates(self) -> dict[str, TextTemplate]:
        return {name: text_template(str(value)) for name, value in self.options.tags.items()}


class TaggingEncoder(_TagWriter[S, Options], Generic[S, Options]):
    """Encoder with the options ``tags`` and ``provenance``."""

    @abstractmethod
    def write(self, signal: S, sink: Sink, tags: Mapping[str, str], context: Context) -> None:
        """Write a signal and its tags to ``sink.path``. Names of tags are those of `tag_name`."""

    def encode(self, item: Item[S], sink: Sink, context: Context) -> None:
        """Write the file, and its provenance beside it if the options ask for it."""
        self.write(item.signal, sink, self._tags_of(item, sink, context), context)


class TaggingBlockEncoder(_TagWriter[S, Options], BlockEncoder[S, Options], Generic[S, Options]):
    """Encoder that works block by block, with the options ``tags`` and ``provenance``."""

    @abstractmethod
    def begin(self, spec: Spec, sink: Sink, tags: Mapping[str, str], context: Context) -> StartedEncoder:
        """Return the encoder at work on a file, as `start` does. Names of tags are those of `tag_name`.

        Write the tags before the first block, as a pipe has no other place for them. What cannot stand there is for
        `check_pipe` to refuse.
        """

    def measured_tags(self, signal: S, context: Context) -> Mapping[str, str]:  # noqa: ARG002 - for encoders that measure
        """Return the tags that follow from the signal itself, such as its loudness; by default none.

        They replace those of the source. The user's tags replace them.
        """
        return {}

    def start(self, spec: Spec, sink: Sink, context: Context) -> StartedEncoder:
        """Return the encoder at work on a file, whose tags are known from the item and the options."""
        item: Any = context.item
        if item is None:
            return self.begin(spec, sink, merged_tags({}, self._given(context, "", 0)), context)
        return self.begin(spec, sink, self._tags_of(item, sink, context), context)

    def check_blocks(self, spec: Spec) -> None:
        """Refuse options that need the source or the whole signal: ``provenance``, and fields in tags."""
        super().check_blocks(spec)
        if self.options.provenance:
            message = "provenance names the source of a sound, and a stream has none"
            raise OptionError(message, option="provenance", code="needs-whole", remedies=(RemoveOption("provenance"),))
        for name, template in self._templates.items():
            if template.constant is None:
                message = f"the tag {name} has fields of a source, and a stream has none"
                remedies = (RemoveOption(f"tags.{name}"),)
                raise OptionError(message, option=f"tags.{name}", code="needs-whole", remedies=remedies)

    def encode(self, item: Item[S], sink: Sink, context: Context) -> None:
        """Write the file, and its provenance beside it if the options ask for it."""
        measured = self.measured_tags(item.signal, context)
        if measured:
            item = replace(item, tags={**merged_tags(item.tags, {}), **measured})
        super().encode(item, sink, context)
