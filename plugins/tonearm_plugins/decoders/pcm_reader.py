"""``pcm-reader``: raw samples of a given encoding, and sound in JSON, as speech services return it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, Literal

from tonearm.api import (
    WRITE_AGAIN,
    Advice,
    BlockDecoder,
    ChooseOption,
    Context,
    GiveOption,
    Item,
    ItemError,
    Meta,
    OptionError,
    RemoveOption,
    SetOption,
    Source,
    Spec,
    Stated,
    StatedRate,
    Waveform,
    check_holes,
    check_memory,
    file_types,
    map_array,
    quoted,
    size_of,
)
from tonearm_plugins.decoders.contained import SoundOptions
from tonearm_plugins.decoders.waveforms import FullScale, NonFinite, waveforms
from tonearm_plugins.formats.raw_pcm import Encoding, bytes_per_sample, decode, decoded_size, smoothest_encodings
from tonearm_plugins.formats.stream_beginning import StreamBeginning

if TYPE_CHECKING:
    from tonearm_plugins.decoders.json_sounds import JsonSound
    from tonearm_plugins.dsp.typing import Array, UInt8Array

_RATE = "the rate of the samples, such as 24000"
_ENCODING = "the type of the samples, such as pcm_s16le"
_IGNORE = SetOption("stated", "ignore", "if the file is wrong")
_FEW, _MANY = 8, 1000  # channels and samples that rows of numbers have
_FIELD = "for JSON, the field that holds the sound"


@dataclass(frozen=True, kw_only=True)
class PcmOptions:
    """Options of ``pcm-reader``: raw samples have no header, and those in JSON may be a sound file that has one."""

    encoding: Annotated[
        Encoding | None,
        Meta(description="Type and byte order of raw samples, which need it; LINEAR16 is pcm_s16le."),
    ] = None
    sample_rate: Annotated[
        int | None,
        Meta(description="Sample rate in Hz, unless JSON or a sound file in it says it.", ge=1, le=10_000_000),
    ] = None
    channels: Annotated[
        int | None, Meta(description="Number of interleaved channels; 1 by default.", ge=1, le=1024)
    ] = None
    skip: Annotated[int, Meta(description="Size in bytes of a header to leave out.", ge=0)] = 0
    field: Annotated[
        str | None,
        Meta(
            description="Field of a JSON file that holds the sound, in base64 or as a list of numbers, as in"
            " audioContent or candidates.0.content.parts.0.inlineData.data. Lists and JSON lines are joined. Without"
            " it, the file is the samples.",
            min_length=1,
        ),
    ] = None
    precision: Annotated[
        Literal["single", "double"], Meta(description="Precision of the waveform; double keeps float64.")
    ] = "single"
    full_scale: FullScale = None
    nan: NonFinite = "error"
    stated: Stated = "use"
    noise: Annotated[
        Literal["error", "keep"],
        Meta(
            description="Treatment of raw samples that are noise at full level, which those of another encoding sound"
            " like: error refuses the item, keep reads it."
        ),
    ] = "error"

    def problems(self) -> Iterator[OptionError]:
        """Yield the errors of options that conflict."""
        encoding = self.encoding
        if self.full_scale is not None and encoding is not None and not encoding.startswith("pcm_f"):
            remedies: tuple[Any, ...] = (RemoveOption("full_scale"),)
            yield OptionError(f"{encoding} has its own full scale", option="full_scale", remedies=remedies)
        if self.field is not None:
            return
        for option, meaning in (("encoding", _ENCODING), ("sample_rate", _RATE)):
            if getattr(self, option) is None:
                remedies = (GiveOption(option, meaning), GiveOption("field", _FIELD))
                yield OptionError(f"'{option}' is missing", option=option, remedies=remedies, code="missing-option")


class PcmReader(BlockDecoder[Waveform, PcmOptions]):
    """Read raw PCM of a given encoding, or sound in JSON and JSON lines; large files are mapped."""

    suffixes = (".pcm", ".raw", ".json", ".jsonl", ".ndjson")
    reads = "content"

    def decode(self, source: Source, context: Context) -> Iterator[Item[Waveform]]:
        """Yield the waveform."""
        with source.open() as file:
            if self.options.field is None:
                samples, rate = self._raw(_bytes(file, source.name, self.options.skip), source.name), None
            else:
                from tonearm_plugins.decoders.json_sounds import read_field

                options = SoundOptions(self.options.full_scale, self.options.nan, self.options.encoding)
                found = read_field(_whole(file, source.name), self.options.field, source.name, options, context)
                if isinstance(found.value, list):
                    yield Item(signal=self._joined(found.value, source.name))
                    return
                samples, rate = self._samples(found, source.name)
            yield from self._items(samples, rate, source.name, context)

    def check_blocks(self) -> None:
        """Refuse JSON, of which the whole is needed."""
        if self.options.field is not None:
            super(BlockDecoder, self).check_blocks()

    def blocks(self, chunks: Iterable[bytes], name: str, context: Context) -> Iterator[Waveform]:
        """Yield raw samples as they come."""
        options, channels = self.options, self.options.channels or 1
        if options.encoding is None:
            raise _missing("encoding", _ENCODING)
        frame = bytes_per_sample(options.encoding) * channels
        rest, skip, rate, first = b"", options.skip, self._rate(None, name), StreamBeginning(frame)
        double = options.precision == "double"
        for chunk in chunks:
            rest += chunk[skip:]
            skip -= min(skip, len(chunk))
            raw, rest = rest[: len(rest) - len(rest) % frame], rest[len(rest) - len(rest) % frame :]
            if not raw:
                continue
            samples = _decoded(raw, options.encoding, channels, double=double)
            if first.add(raw):
                self._check_beginning(first, name)
            yield self._piece(samples, rate, context)
        if first.is_open:
            self._check_beginning(first, name)
        if rest:
            raise ItemError(
                f"{quoted(name)} ends within a sample: {len(rest)} bytes are left, and one of each channel has {frame}",
                code="pcm-size",
                hint="check encoding, channels and skip; or the program that writes has ended early",
            )

    def _piece(self, samples: Array, rate: int, context: Context) -> Waveform:
        """Return samples, (samples, channels), as a waveform; floats are checked and scaled."""
        if not (self.options.encoding or "").startswith("pcm_f"):
            return Waveform(samples=samples.T, sample_rate=rate)
        (made,) = waveforms(
            samples,
            ("time", "channel"),
            sample_rate=rate,
            full_scale=self.options.full_scale,
            nan=self.options.nan,
            context=context,
        )
        return made

    def _check_beginning(self, first: StreamBeginning, name: str) -> None:
        """Raise `ItemError` if the beginning of a stream has a header, or is noise."""
        encoding, raw = self.options.encoding or "", first.take()
        if not self.options.skip:
            _check_no_header(raw, name)
        if raw and self.options.noise == "error" and self.options.full_scale is None:
            import numpy as np

            samples = _decoded(raw, encoding, self.options.channels or 1, double=False)
            self._check_noise(samples, np.frombuffer(raw, np.uint8), encoding, name)

    def _items(self, samples: Array, rate: StatedRate | None, name: str, context: Context) -> Iterator[Item[Waveform]]:
        """Yield the waveform of samples, (samples, channels), at the rate that the JSON or the options say."""
        for signal in waveforms(
            samples,
            ("time", "channel"),
            sample_rate=self._rate(rate, name),
            full_scale=self.options.full_scale,
            nan=self.options.nan,
            context=context,
        ):
            yield Item(signal=signal)

    def produces(self) -> Spec:
        """Return the spec of the waveform that the options describe."""
        options = self.options
        return Spec(
            signals=(Waveform,),
            sample_rate=options.sample_rate,
            channels=options.channels if options.field is not None else options.channels or 1,
            precision=options.precision,
        )

    def _rate(self, stated: StatedRate | None, name: str) -> int:
        """Return the sample rate in Hz of the options, or the one that the file states."""
        given = self.options.sample_rate
        if self.options.stated == "ignore":
            stated = None
        if stated is None:
            if given is None:
                raise _missing("sample_rate", _RATE)
            return given
        if given is not None and given in (stated.rate, *(stated.other or ())[:1]):
            return given
        if given is not None:
            raise ItemError(
                f"{quoted(name)} says a sample rate of {stated.rate} Hz, but sample_rate is {given}",
                code="rate-mismatch",
                remedies=(RemoveOption("sample_rate", "as the file says it"), _IGNORE),
            )
        if stated.other is not None:
            raise ItemError(
                f"{quoted(name)} says {stated.origin}, and {stated.other[1]}",
                code="rate-mismatch",
                remedies=(ChooseOption("sample_rate", (stated.rate, stated.other[0]), "the right one"),),
            )
        return stated.rate

    def _channels(self, stated: int | None, name: str) -> int:
        """Return the number of channels of the options, or the one that the file states."""
        given = self.options.channels
        if self.options.stated == "ignore" and given is not None:
            stated = given
        if given is not None and stated not in (None, given):
            raise ItemError(
                f"{quoted(name)} says {stated} channels, but channels is {given}",
                code="channels-mismatch",
                remedies=(RemoveOption("channels", "as the file says it"), _IGNORE),
            )
        return stated or given or 1

    def _joined(self, found: list[Waveform], name: str) -> Waveform:
        """Return the sounds of files, one after the other, after they were compared with the options."""
        import numpy as np

        rate = self._rate(StatedRate(found[0].sample_rate, "the sound file"), name)
        self._channels(found[0].channels, name)
        samples = found[0].samples
        if len(found) > 1:
            check_memory(name, "", sum(one.samples.nbytes for one in found))
            samples = np.concatenate([one.samples for one in found], axis=1)
        if self.options.precision == "double":
            samples = samples.astype(np.float64, copy=False)
        return Waveform(samples=samples, sample_rate=rate)

    def _samples(self, found: JsonSound, name: str) -> tuple[Array, StatedRate | None]:
        """Return the samples of JSON, (samples, channels), and the rate that it says."""
        import numpy as np

        value = found.value
        if isinstance(value, bytes):
            raw = np.frombuffer(value, np.uint8)[self.options.skip :]
            return self._raw(raw, name, self._channels(found.channels, name)), found.sample_rate
        numbers: Any = value
        return self._numbers(numbers, self._channels(found.channels, name), name), found.sample_rate

    def _numbers(self, numbers: Array, channels: int, name: str) -> Array:
        """Return numbers of JSON as samples, (samples, channels); whole numbers in the scale of the encoding."""
        if numbers.ndim == 2 and 1 in numbers.shape:
            numbers = numbers.reshape(-1)
        if numbers.ndim != 1 or numbers.size % channels:
            import shlex

            field = self.options.field or ""
            short, long = sorted(numbers.shape)[0], max(numbers.shape)
            kind = ("--kind", "waveform") if numbers.ndim == 2 and short <= _FEW and long > _MANY else ()
            other = "read it by text-reader, with key in place of field"
            flags = shlex.join(("--decoder", "text-reader", "--key", field, *kind))
            raise ItemError(
                f"{quoted(name)}: {quoted(field)} has the shape {numbers.shape}, not one row of samples",
                code="axes-mismatch",
                remedies=(Advice(f"{other} ({flags})", in_call=f"{other}, in a pipeline"),),
            )
        encoding = self.options.encoding
        if encoding is not None and numbers.dtype.kind in "iu" and encoding.startswith(("pcm_s", "pcm_u")):
            bits = 8 * bytes_per_sample(encoding)
            full_scale = float(1 << (bits - 1))
            numbers = numbers / full_scale - (1.0 if encoding.startswith("pcm_u") else 0.0)
        if numbers.dtype.kind == "f" and self.options.precision == "single":
            numbers = numbers.astype("f4")
        return numbers.reshape(-1, channels)

    def _raw(self, raw: UInt8Array, name: str, channels: int | None = None) -> Array:
        """Return the samples of raw bytes, (samples, channels)."""
        options = self.options
        if options.encoding is None:
            raise _missing("encoding", _ENCODING)
        channels = channels or options.channels or 1
        frame = bytes_per_sample(options.encoding) * channels
        if not raw.size:
            raise ItemError(f"{quoted(name)} has no samples", code="empty", hint=WRITE_AGAIN)
        if raw.size % frame:
            raise ItemError(
                f"{quoted(name)} has {raw.size:,} bytes, not a multiple of {frame} (one sample of each channel)",
                code="pcm-size",
                hint="check encoding, channels and skip; or the file is cut off",
            )
        double = options.precision == "double"
        check_memory(name, "", decoded_size(raw.size, options.encoding, double=double))
        samples = decode(raw, options.encoding, double=double).reshape(-1, channels)
        if options.noise == "error" and options.full_scale is None:
            self._check_noise(samples, raw, options.encoding, name)
        return samples

    def _check_noise(self, samples: Array, raw: UInt8Array, encoding: str, name: str) -> None:
        """Raise `ItemError` if samples are noise at full level, or rough where another encoding gives sound."""
        from tonearm_plugins.dsp.full_scale_noise import is_full_scale_noise, is_rough

        flat = is_full_scale_noise(samples)
        if not (flat or is_rough(samples)):
            return
        others = smoothest_encodings(raw, samples.shape[1], encoding)
        if not (flat or others):
            return
        remedies: tuple[Any, ...] = (ChooseOption("encoding", tuple(others), "which gives sound"),)
        if not others:
            remedies = (Advice("no other encoding gives sound: the bytes may be compressed or encrypted"),)
        raise ItemError(
            f"{quoted(name)} is noise at full level if it is read as {encoding}",
            code="full-scale-noise",
            remedies=(*remedies, SetOption("noise", "keep", "if it is noise")),
        )


def _decoded(raw: bytes, encoding: str, channels: int, *, double: bool) -> Array:
    """Return the samples of raw bytes, (samples, channels)."""
    import numpy as np

    return decode(np.frombuffer(raw, np.uint8), encoding, double=double).reshape(-1, channels)


def _missing(option: str, meaning: str) -> ItemError:
    return ItemError(f"'{option}' is missing", code="missing-option", remedies=(GiveOption(option, meaning),))


def _whole(file: BinaryIO, name: str) -> bytes:
    """Return all bytes of a file."""
    size = size_of(file)
    check_memory(name, "", size)
    return file.read()


def _bytes(file: BinaryIO, name: str, skip: int) -> UInt8Array:
    """Return the bytes of a file without its header, uint8, mapped if the file can be mapped."""
    import numpy as np

    size = size_of(file)
    if not skip:
        _check_headerless(file, name)
    check_holes(file, name, "", size)
    mapped = map_array(file, np.uint8, (size,)) if size else np.empty(0, np.uint8)
    if mapped is None:
        check_memory(name, "", size)
        file.seek(0)
        mapped = np.frombuffer(file.read(), np.uint8)
    return mapped[skip:]


def _check_headerless(file: BinaryIO, name: str) -> None:
    """Raise `ItemError` if a file is of a known format, and so holds no raw samples."""
    head = file.read(file_types.HEAD)
    if file_types.identify(head) in (file_types.JSON, file_types.JSON_LINES):
        from tonearm_plugins.decoders.json_sounds import missing_field

        raise missing_field(_whole(file, name), name)
    _check_no_header(head, name)


def _check_no_header(head: bytes, name: str) -> None:
    """Raise `ItemError` if the first bytes of a file are those of a known format."""
    found = file_types.identify(head[: file_types.HEAD])
    if found not in (file_types.UNKNOWN, file_types.ZEROS, file_types.EMPTY, file_types.PICKLE):
        raise ItemError(
            f"{quoted(name)} is not raw samples; it looks like {found.name}", code="wrong-format", hint=found.hint
        )
