"""The options ``cover`` and ``replay_gain``, and the base class of the encoders of sound that have them."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Generic, TypeVar

from tonearm.api import (
    Context,
    FilePath,
    Meta,
    OptionError,
    RemoveOption,
    Spec,
    TaggingBlockEncoder,
    TagOptions,
    Waveform,
)

if TYPE_CHECKING:
    from tonearm.api import Cover


@dataclass(frozen=True, kw_only=True, init=False, repr=False, eq=False)  # subclasses generate these methods anyway
class SoundTagOptions(TagOptions):
    """Options of an encoder that writes tags and a cover into a sound file."""

    cover: Annotated[FilePath | None, Meta(description="JPEG or PNG file to embed as the front cover.")] = None
    replay_gain: Annotated[
        bool,
        Meta(
            description="Whether the gain that brings the sound to the reference loudness is written as a tag, for"
            " players that level sounds: ReplayGain 2.0 (-18 LUFS) with the peak; R128_TRACK_GAIN (-23 LUFS) in Opus."
        ),
    ] = False

    def tag_problems(self, *, has_tags: bool) -> Iterator[OptionError]:
        """Yield an error for each tag that cannot be written, and for a cover that is no picture."""
        yield from super().tag_problems(has_tags=has_tags)
        if not has_tags:
            for name in ("cover", "replay_gain"):
                if getattr(self, name):
                    message = f"the format has no place for tags, such as {name}"
                    yield OptionError(message, option=name, code="no-tags", remedies=(RemoveOption(name),))
        elif self.cover is not None:
            from tonearm.api import read_cover

            try:
                read_cover(self.cover)
            except OptionError as error:
                yield error


Options = TypeVar("Options", bound=SoundTagOptions)


class SoundEncoder(TaggingBlockEncoder[Waveform, Options], Generic[Options]):
    """Encoder of sound with the options ``tags``, ``provenance``, ``cover`` and ``replay_gain``.

    Attributes
    ----------
    has_r128_gain
        Whether the format has the gain of EBU R 128 in place of ReplayGain, as Opus does.
    """

    has_r128_gain: ClassVar[bool] = False

    @functools.cached_property
    def cover(self) -> Cover | None:
        """Front cover; None if the options give none."""
        if self.options.cover is None:
            return None
        from tonearm.api import read_cover

        return read_cover(self.options.cover)

    def accepts(self, spec: Spec) -> None:
        """Refuse what the format cannot hold, and a gain for a sound whose loudness cannot be measured."""
        super().accepts(spec)
        if self.options.replay_gain:
            from tonearm_plugins.dsp.channel_layouts import loudness_refusal

            reason = loudness_refusal(spec.channels, spec.sample_rate, None)
            if reason:
                remedies = (RemoveOption("replay_gain"),)
                raise OptionError(reason, option="replay_gain", code="no-loudness", remedies=remedies)

    def check_blocks(self, spec: Spec) -> None:
        """Refuse ``replay_gain``, which follows from the whole sound and stands in front of it."""
        super().check_blocks(spec)
        if self.options.replay_gain:
            message = "replay_gain needs the whole sound, and a stream has none until it ends"
            remedies = (RemoveOption("replay_gain"),)
            raise OptionError(message, option="replay_gain", code="needs-whole", remedies=remedies)

    def measured_tags(self, signal: Waveform, context: Context) -> Mapping[str, str]:
        """Return the tags of the gain, measured on the samples as they are written."""
        if not self.options.replay_gain:
            return {}
        from tonearm_plugins.formats.replay_gain import gain_tags

        tags = gain_tags(signal.samples, signal.sample_rate, clips=self.clips(), r128=self.has_r128_gain)
        if not tags:
            context.warn("no replay gain is written, since the sound is silent")
        return tags
