"""The public interface for plugin authors; plugins import nothing else of tonearm."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from msgspec import Meta

from tonearm.arrays import (
    ArrayDecoder,
    ArrayOptions,
    KeyedArrayDecoder,
    KeyedArrayOptions,
    NanPolicy,
    read_array,
)
from tonearm.arrays.options import Stated
from tonearm.arrays.stated import LOWEST_RATE, USUAL_RATES, StatedRate, rate_among
from tonearm.errors import (
    Advice,
    ChooseOption,
    GiveOption,
    InsertStep,
    InstallExtra,
    ItemError,
    OptionError,
    OutputError,
    Remedy,
    RemoveOption,
    RunCommand,
    SetLimit,
    SetOption,
    SignalError,
    TonearmError,
    UsageError,
)
from tonearm.plugins.block_plugins import (
    BlockDecoder,
    BlockEncoder,
    BlockTransform,
    EachBlock,
    StartedEncoder,
    StartedTransform,
)
from tonearm.plugins.blocks import Recut
from tonearm.plugins.context import Context, Provenance
from tonearm.plugins.decoder import Decoder
from tonearm.plugins.diagnosis import Diagnosis
from tonearm.plugins.encoder import Encoder
from tonearm.plugins.executor import Died, Executor, Results, Work
from tonearm.plugins.hookspecs import (
    Decoders,
    Diagnoses,
    Dialects,
    Encoders,
    Executors,
    Kinds,
    Layouts,
    Recipes,
    Transforms,
    hookimpl,
)
from tonearm.plugins.item import Item
from tonearm.plugins.kind import ArrayTraits, Kind
from tonearm.plugins.limits import Limits
from tonearm.plugins.option_types import Decibels, Duration, Milliseconds, Size, WindowName
from tonearm.plugins.plugin import BESIDE, FROM_PYTHON, IF_ABSENT, FileOfEach, FilePath, NoOptions, PathOrName
from tonearm.plugins.ports import Spec, spec_of
from tonearm.plugins.requirements import Requirement
from tonearm.plugins.sink import Sink
from tonearm.plugins.target import Target
from tonearm.plugins.transform import Grouping, Regroup, Transform
from tonearm.signals import (
    MAX_SAMPLE_RATE,
    Codebooks,
    CodecTokens,
    ComplexSpectrogram,
    LatentFormat,
    Latents,
    MagnitudeSpectrogram,
    OriginalSound,
    Padding,
    PadMode,
    Signal,
    StftGrid,
    Waveform,
)
from tonearm.source import Source

if TYPE_CHECKING:
    from tonearm.arrays.extent import Extent, extent_of
    from tonearm.arrays.stated_channels import channels_among
    from tonearm.arrays.stated_lengths import has_name_of_lengths
    from tonearm.findings.claim import Claim
    from tonearm.findings.notes import Notes
    from tonearm.kinds.waveform import WaveformKind, WaveformOptions
    from tonearm.reading import file_types
    from tonearm.reading.bounded_file import (
        MAP_FROM,
        BoundedFile,
        check_holes,
        check_magic,
        map_array,
        path_of,
        read_values,
        size_of,
        wrong_format_error,
    )
    from tonearm.reading.bounds import (
        ARRAY_BYTES,
        MAX_NESTING,
        InflationBound,
        check_array_count,
        check_claimed_size,
        check_stored_size,
    )
    from tonearm.reading.error_translation import quoted_reason, reading_errors
    from tonearm.reading.inflate import (
        FREE_SECONDS,
        STORED_PER_SECOND,
        Compression,
        InflatedFile,
        compression_of,
        inflate,
    )
    from tonearm.reading.lazy_arrays import LazyArrays
    from tonearm.reading.memory import check_memory, limited_memory, memory_limit
    from tonearm.reading.messages import (
        LEAVE_OUT,
        SAVE_AS_FLOAT32,
        SAVE_UNCOMPRESSED,
        WRITE_AGAIN,
        listed,
        quoted,
        quoted_array,
    )
    from tonearm.reading.nearby import Nearby, is_config, levels_of, with_configs
    from tonearm.reading.tar_archives import TarArchive
    from tonearm.reading.zip_archives import ZipArchive, ZipBounds, ZipFault, zip_error
    from tonearm.recipes.linear import LinearRecipe
    from tonearm.recipes.mel import MelDialect, MelSpectrogram
    from tonearm.recipes.steps import RecipeStep
    from tonearm.recipes.tokens.laid import LaidTokens
    from tonearm.recipes.tokens.lay import lay_tokens
    from tonearm.recipes.tokens.layout import TokenLayout
    from tonearm.recipes.tokens.reading import read_tokens
    from tonearm.signals.conventions import ConventionOptions
    from tonearm.signals.plain_values import PlainValues, from_plain_values
    from tonearm.writing import rounding
    from tonearm.writing.cover import Cover, read_cover
    from tonearm.writing.options import EncoderOptions
    from tonearm.writing.pcm import (
        PcmOptions,
        PcmRounding,
        float_blocks,
        note_clipped,
        pcm_blocks,
        samples_per_block,
    )
    from tonearm.writing.provenance import provenance_tags, write_sidecar
    from tonearm.writing.rounding import quantize
    from tonearm.writing.signal_metadata import as_written, described
    from tonearm.writing.tagging_encoder import TaggingBlockEncoder, TaggingEncoder, TagOptions
    from tonearm.writing.tags import (
        WELL_KNOWN_TAGS,
        is_tag_name,
        merged_tags,
        number_and_total,
        tag_name,
        tags_by_name,
        valid_tag,
    )
    from tonearm.writing.templates import text_template

__all__ = [
    "ARRAY_BYTES",
    "BESIDE",
    "FREE_SECONDS",
    "FROM_PYTHON",
    "IF_ABSENT",
    "LEAVE_OUT",
    "LOWEST_RATE",
    "MAP_FROM",
    "MAX_NESTING",
    "MAX_SAMPLE_RATE",
    "SAVE_AS_FLOAT32",
    "SAVE_UNCOMPRESSED",
    "STORED_PER_SECOND",
    "USUAL_RATES",
    "WELL_KNOWN_TAGS",
    "WRITE_AGAIN",
    "Advice",
    "ArrayDecoder",
    "ArrayOptions",
    "ArrayTraits",
    "BlockDecoder",
    "BlockEncoder",
    "BlockTransform",
    "BoundedFile",
    "ChooseOption",
    "Claim",
    "Codebooks",
    "CodecTokens",
    "ComplexSpectrogram",
    "Compression",
    "Context",
    "ConventionOptions",
    "Cover",
    "Decibels",
    "Decoder",
    "Decoders",
    "Diagnoses",
    "Diagnosis",
    "Dialects",
    "Died",
    "Duration",
    "EachBlock",
    "Encoder",
    "EncoderOptions",
    "Encoders",
    "Executor",
    "Executors",
    "Extent",
    "FileOfEach",
    "FilePath",
    "GiveOption",
    "Grouping",
    "InflatedFile",
    "InflationBound",
    "InsertStep",
    "InstallExtra",
    "Item",
    "ItemError",
    "KeyedArrayDecoder",
    "KeyedArrayOptions",
    "Kind",
    "Kinds",
    "LaidTokens",
    "LatentFormat",
    "Latents",
    "Layouts",
    "LazyArrays",
    "Limits",
    "LinearRecipe",
    "MagnitudeSpectrogram",
    "MelDialect",
    "MelSpectrogram",
    "Meta",
    "Milliseconds",
    "NanPolicy",
    "Nearby",
    "NoOptions",
    "Notes",
    "OptionError",
    "OriginalSound",
    "OutputError",
    "PadMode",
    "Padding",
    "PathOrName",
    "PcmOptions",
    "PcmRounding",
    "PlainValues",
    "Provenance",
    "RecipeStep",
    "Recipes",
    "Recut",
    "Regroup",
    "Remedy",
    "RemoveOption",
    "Requirement",
    "Results",
    "RunCommand",
    "SetLimit",
    "SetOption",
    "Signal",
    "SignalError",
    "Sink",
    "Size",
    "Source",
    "Spec",
    "StartedEncoder",
    "StartedTransform",
    "Stated",
    "StatedRate",
    "StftGrid",
    "TagOptions",
    "TaggingBlockEncoder",
    "TaggingEncoder",
    "TarArchive",
    "Target",
    "TokenLayout",
    "TonearmError",
    "Transform",
    "Transforms",
    "UsageError",
    "Waveform",
    "WaveformKind",
    "WaveformOptions",
    "WindowName",
    "Work",
    "ZipArchive",
    "ZipBounds",
    "ZipFault",
    "as_written",
    "channels_among",
    "check_array_count",
    "check_claimed_size",
    "check_holes",
    "check_magic",
    "check_memory",
    "check_stored_size",
    "compression_of",
    "described",
    "extent_of",
    "file_types",
    "float_blocks",
    "from_plain_values",
    "has_name_of_lengths",
    "hookimpl",
    "inflate",
    "is_config",
    "is_tag_name",
    "lay_tokens",
    "levels_of",
    "limited_memory",
    "listed",
    "map_array",
    "memory_limit",
    "merged_tags",
    "note_clipped",
    "number_and_total",
    "path_of",
    "pcm_blocks",
    "provenance_tags",
    "quantize",
    "quoted",
    "quoted_array",
    "quoted_reason",
    "rate_among",
    "read_array",
    "read_cover",
    "read_tokens",
    "read_values",
    "reading_errors",
    "rounding",
    "samples_per_block",
    "size_of",
    "spec_of",
    "tag_name",
    "tags_by_name",
    "text_template",
    "valid_tag",
    "with_configs",
    "write_sidecar",
    "wrong_format_error",
    "zip_error",
]

_WHEN_USED = {
    "tonearm.kinds.waveform": "WaveformKind WaveformOptions",
    "tonearm.reading": "file_types",
    "tonearm.reading.bounded_file": (
        "BoundedFile check_holes read_values MAP_FROM check_magic map_array path_of size_of wrong_format_error"
    ),
    "tonearm.reading.bounds": (
        "ARRAY_BYTES MAX_NESTING InflationBound check_array_count check_claimed_size check_stored_size"
    ),
    "tonearm.reading.error_translation": "quoted_reason reading_errors",
    "tonearm.reading.inflate": "FREE_SECONDS STORED_PER_SECOND Compression InflatedFile compression_of inflate",
    "tonearm.reading.lazy_arrays": "LazyArrays",
    "tonearm.reading.memory": "check_memory limited_memory memory_limit",
    "tonearm.reading.messages": "LEAVE_OUT SAVE_AS_FLOAT32 SAVE_UNCOMPRESSED WRITE_AGAIN listed quoted quoted_array",
    "tonearm.reading.nearby": "Nearby is_config levels_of with_configs",
    "tonearm.reading.tar_archives": "TarArchive",
    "tonearm.reading.zip_archives": "ZipArchive ZipBounds ZipFault zip_error",
    "tonearm.arrays.extent": "Extent extent_of",
    "tonearm.arrays.stated_channels": "channels_among",
    "tonearm.arrays.stated_lengths": "has_name_of_lengths",
    "tonearm.findings.claim": "Claim",
    "tonearm.findings.notes": "Notes",
    "tonearm.recipes.linear": "LinearRecipe",
    "tonearm.recipes.mel": "MelDialect MelSpectrogram",
    "tonearm.recipes.steps": "RecipeStep",
    "tonearm.recipes.tokens.laid": "LaidTokens",
    "tonearm.recipes.tokens.lay": "lay_tokens",
    "tonearm.recipes.tokens.layout": "TokenLayout",
    "tonearm.recipes.tokens.reading": "read_tokens",
    "tonearm.signals.conventions": "ConventionOptions",
    "tonearm.signals.plain_values": "PlainValues from_plain_values",
    "tonearm.writing": "rounding",
    "tonearm.writing.cover": "Cover read_cover",
    "tonearm.writing.options": "EncoderOptions",
    "tonearm.writing.pcm": "PcmOptions PcmRounding float_blocks note_clipped pcm_blocks samples_per_block",
    "tonearm.writing.provenance": "provenance_tags write_sidecar",
    "tonearm.writing.rounding": "quantize",
    "tonearm.writing.signal_metadata": "as_written described",
    "tonearm.writing.tagging_encoder": "TagOptions TaggingBlockEncoder TaggingEncoder",
    "tonearm.writing.tags": "WELL_KNOWN_TAGS is_tag_name merged_tags number_and_total tag_name tags_by_name valid_tag",
    "tonearm.writing.templates": "text_template",
}
"""Public names of modules that few plugins need. A module is imported when one of its names is first used."""

_MODULES = {name: module for module, names in _WHEN_USED.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    place = f"{module}.{name}"
    found = import_module(place) if name in ("file_types", "rounding") else getattr(import_module(module), name)
    globals()[name] = found
    return found
