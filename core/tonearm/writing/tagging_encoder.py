"""Options ``tags`` and ``provenance``, and the base class of the encoders that have them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Generic, Protocol, TypeVar

from msgspec import Meta

from tonearm.errors import OptionError, SetOption
from tonearm.plugins.context import Context
from tonearm.plugins.encoder import Encoder
from tonearm.plugins.item import Item
from tonearm.plugins.sink import Sink
from tonearm.signals import Signal
from tonearm.writing.tags import is_tag_name

Tags = Annotated[
    dict[str, str | int],
    Meta(
        description="Tags to write: {title: …, artist: …, comment: …}. They are added to the tags of the source and"
        " replace those of the same name; an empty text removes a tag."
    ),
]
WithProvenance = Annotated[
    bool,
    Meta(
        description="Whether the file records its origin: the source with its SHA-256, the fingerprint of the pipeline"
        " and the version of tonearm as tags, and all plugins and options in NAME.SUFFIX.json beside it."
    ),
]


class Tagged(Protocol):
    """Options with ``tags`` and ``provenance``."""

    @property
    def tags(self) -> Mapping[str, str | int]:
        """Tags given by the user, by name."""

    @property
    def provenance(self) -> bool:
        """Whether the file records its origin."""


S = TypeVar("S", bound=Signal)
Options = TypeVar("Options", bound=Tagged)


class TaggingEncoder(Encoder[S, Options], Generic[S, Options]):
    """Encoder with the options ``tags`` and ``provenance``.

    Attributes
    ----------
    has_tags
        Whether the format has a place for tags. If it has none, provenance puts them into the file beside it.
    """

    has_tags: ClassVar[bool] = True

    @abstractmethod
    def write(self, signal: S, sink: Sink, tags: Mapping[str, str], context: Context) -> None:
        """Write a signal and its tags to ``sink.path``."""

    def encode(self, item: Item[S], sink: Sink, context: Context) -> None:
        """Write the file, and its provenance beside it if the options ask for it."""
        from tonearm.writing.tags import merged_tags

        tags = merged_tags(item.tags, self.options.tags)
        if not self.options.provenance:
            self.write(item.signal, sink, tags, context)
            return
        from tonearm.writing.provenance import provenance_tags, write_sidecar

        made = context.provenance()
        self.write(item.signal, sink, tags | provenance_tags(made, item), context)
        write_sidecar(sink.sidecar(f"{sink.suffix}.json"), made, item, tags)


def tag_problems(options: Tagged, *, has_tags: bool = True) -> Iterator[OptionError]:
    """Yield an error for each tag that cannot be written."""
    for name in options.tags:
        if not is_tag_name(name):
            yield OptionError(
                f"{name!r} is not a valid tag name",
                option="tags",
                hint="use ASCII letters, digits and spaces, as in title, artist, album, date, comment",
            )
    if options.tags and not has_tags and not options.provenance:
        yield OptionError(
            "the format has no place for tags",
            option="tags",
            remedies=(SetOption("provenance", value=True, when="which puts them into a file beside it"),),
            code="no-tags",
        )
