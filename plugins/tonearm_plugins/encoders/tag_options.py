"""The options ``tags`` and ``provenance`` that encoders share, and what they have in common for it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Generic, Protocol, TypeVar

from tonearm.api import Context, Encoder, Item, Meta, OptionError, Signal, Sink
from tonearm_plugins.formats.tags import is_name

Tags = Annotated[
    dict[str, str | int],
    Meta(
        description="Tags to write: {title: …, artist: …, comment: …}, beside those that the source has and before"
        " them; an empty text leaves one out."
    ),
]
WithProvenance = Annotated[
    bool,
    Meta(
        description="Write down what made the file: the source and its SHA-256, the pipeline's fingerprint, tonearm's"
        " version, as tags; and with all plugins and options into NAME.SUFFIX.json beside it."
    ),
]


class Tagged(Protocol):
    """Options that have these two."""

    @property
    def tags(self) -> Mapping[str, str | int]:
        """Of the user."""

    @property
    def provenance(self) -> bool:
        """Whether to write down what made the file."""


S = TypeVar("S", bound=Signal)
Options = TypeVar("Options", bound=Tagged)


class TaggingEncoder(Encoder[S, Options], Generic[S, Options]):
    """An encoder with the options ``tags`` and ``provenance``.

    Attributes
    ----------
    has_tags
        Whether the format has a place for tags; where it has none, they go into the file beside it.
    """

    has_tags: ClassVar[bool] = True

    @abstractmethod
    def write(self, signal: S, sink: Sink, tags: Mapping[str, str], context: Context) -> None:
        """Write a signal and its tags to ``sink.path``."""

    def encode(self, item: Item[S], sink: Sink, context: Context) -> None:
        """Write the file, and what made it beside it if that is wanted."""
        from tonearm_plugins.formats.tags import merged

        tags = merged(item.tags, self.options.tags)
        if not self.options.provenance:
            self.write(item.signal, sink, tags, context)
            return
        from tonearm_plugins.formats.provenance import tags_of, write_sidecar

        made = context.provenance()
        self.write(item.signal, sink, tags | tags_of(made, item), context)
        write_sidecar(sink.sidecar(f"{sink.suffix}.json"), made, item, tags)


def tag_problems(options: Tagged, *, has_tags: bool = True) -> Iterator[OptionError]:
    """Yield what is wrong with the tags that options name."""
    for name in options.tags:
        if not is_name(name):
            yield OptionError(
                f"{name!r} cannot be the name of a tag",
                option="tags",
                hint="letters of ASCII, digits and spaces, as in title, artist, album, date, comment",
            )
    if options.tags and not has_tags and not options.provenance:
        yield OptionError(
            "the format has no place for tags",
            option="tags",
            hint="provenance: true puts them into a file beside it",
            code="no-tags",
        )
