"""The functions for a model's code: from an array or a tensor to a file, to bytes, or to a waveform; and back."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tonearm.conversion.call import Call, GivenStep, check_mappings
from tonearm.conversion.companions import with_companions
from tonearm.conversion.destination import Destination, destination_of, unnamed_destination, write_all
from tonearm.conversion.file_source import GivenSource, file_source
from tonearm.conversion.formats import format_of
from tonearm.conversion.keywords import plain_keyword
from tonearm.conversion.results import encode_item, publish, waveform_of
from tonearm.conversion.saved import Saved
from tonearm.errors import UsageError
from tonearm.errors.short_errors import short_errors
from tonearm.errors.warning import warn
from tonearm.pipeline.converter import as_source
from tonearm.plugins import registry as registries
from tonearm.plugins.progress import Progress
from tonearm.python.disabled_packages import warn_of_disabled_packages
from tonearm.reporting import reporting
from tonearm.signals import Waveform

if TYPE_CHECKING:
    from tonearm.python.audio_input import AudioInput, ReadableFile, WritableFile


@short_errors
def save(
    audio: AudioInput,
    target: str | os.PathLike[str] | WritableFile,
    *,
    format: str | None = None,  # noqa: A002 - the name that every such function has
    sample_rate: int | None = None,
    steps: Sequence[GivenStep] = (),
    encoder: Mapping[str, object] | None = None,
    limits: Mapping[str, object] | None = None,
    overwrite: bool = True,
    durable: bool = False,
    progress: bool | Callable[[Progress], object] = False,
    **options: Any,
) -> Saved:
    """Write the output of a model to an audio file.

    A waveform is written as it is. Of a spectrogram, a sound is made first: a complex one is inverted, and the phases
    of others are found by Griffin-Lim. Codec tokens, latents and mels become sound by the network that ``model`` names.
    Where scale, axes or sample rate cannot be told from the array, the error names the keyword to write. The file
    appears whole or not at all, and equals what ``tonearm convert`` makes of the array.

    Parameters
    ----------
    audio
        Output of the model: a list of numbers, an array, or a tensor of any library, device and type; a mapping of
        arrays, such as the output of a transformers pipeline; a pair of sound and sample rate; or a signal, such as a
        `Waveform`.
    target
        Path of the file, whose suffix selects the format: ``.wav``, ``.mp3``, ``.flac``, ``.opus``, ``.ogg``, ``.m4a``,
        … For a batch it is a template with a field: ``"out/{index:03}.wav"``, or ``{key}`` for the names of a mapping.
        An open binary file is written to at its position; pass ``format`` unless its name has a suffix.
    format
        Suffix without dot, such as ``"mp3"``, or the name of an encoder; by default that of the target.
    sample_rate
        Sample rate in Hz. Not needed for a signal, for a mapping that states it, and for a mel with its ``dialect``.
    steps
        Transforms to apply, in order, each its name, or its name and options:
        ``steps=["normalize", ("resample", {"sample_rate": 48000})]``.
    encoder
        Options of the encoder alone, where a keyword could also be meant for another plugin:
        ``encoder={"subtype": "PCM_24"}``.
    limits
        Limits, such as ``{"beyond": 8.0}`` for louder sound of floats.
    overwrite
        Whether an existing file is replaced.
    durable
        Whether to flush the file to the disk before it gets its name, so that it survives a loss of power.
    progress
        Whether to draw a bar on stderr, where that is a terminal or a notebook; or a function that is called with each
        `Progress`: which stage is at work, and how far it is. What it raises ends the call.
    **options
        Options by name. Those of an array describe what the model wrote:

        - ``kind``: ``"waveform"``, ``"complex"``, ``"magnitude"``, ``"power"``, ``"db"``, ``"mel"``, ``"latent"`` or
          ``"tokens"``, where it is not plain;
        - ``layout``: the layout of codec tokens, such as ``"orpheus"`` or ``"musicgen"``; a list of them may have rows
          of different lengths, and ``tonearm layouts`` lists all;
        - ``model``: the network that makes the sound: an ONNX file, a folder with ``config.json``, a name on the hub,
          or, with ``trust=True``, a TorchScript program;
        - ``dialect``: the recipe of a mel, such as ``"hifigan"``, ``"tacotron2"`` or ``"whisper"``;
          ``tonearm dialects`` lists all;
        - ``axes``: the names of the axes, such as ``["batch", "channel", "time"]`` or ``["frame", "bin"]``;
        - ``full_scale``: the value of full scale, such as 32768 for samples of 16 bits held as floats;
        - ``n_fft``, ``hop_length``, ``win_length``, ``window``, ``padding``: the grid of a spectrogram;
        - ``lengths``: the true lengths of a padded batch; ``imag`` and ``phase``: the second half of a complex
          spectrogram. Each is an array, or the name of one in a mapping.

        Others belong to the encoder, such as ``bitrate`` of MP3, or to a transform that is put in, such as
        ``iterations`` of Griffin-Lim. ``tonearm plugins NAME`` and docs/reference.md list all.

    Returns
    -------
    Saved
        Paths of the files, what was measured of each, and warnings. It stands for the path of its only file.

    Raises
    ------
    PipelineError
        If an option is wrong or missing; ``problems`` has each, with its remedies.
    UsageError
        If the call is wrong otherwise, such as a keyword that no plugin has.
    ItemError
        If the array cannot be converted, or a file exists and ``overwrite`` is false.
    OutputError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> import tonearm
    >>> folder = Path(tempfile.mkdtemp())
    >>> audio = 0.5 * np.sin(2 * np.pi * 440 * np.arange(24000) / 24000)
    >>> saved = tonearm.save(audio, folder / "speech.mp3", sample_rate=24000)
    >>> saved.path.name, saved.measured["duration"]
    ('speech.mp3', 1.0)

    A mel of HiFi-GAN's, with its loudness set:

    >>> mel = np.full((80, 50), -4.0, "float32")
    >>> steps = [("loudness", {"target_lufs": -16})]
    >>> tonearm.save(mel, folder / "mel.wav", dialect="hifigan", steps=steps).path.name
    'mel.wav'

    A batch of padded waveforms, each into a file of its own:

    >>> batch = np.stack([audio, audio])
    >>> saved = tonearm.save(
    ...     batch,
    ...     folder / "take-{index}.wav",
    ...     sample_rate=24000,
    ...     axes=["batch", "time"],
    ...     lengths=[24000, 12000],
    ... )
    >>> [path.name for path in saved.paths]
    ['take-0.wav', 'take-1.wav']
    """
    registry = _plugins()
    destination = destination_of(target, format, registry)
    call = _call(_given(audio, registry, options), destination, sample_rate, steps, encoder, limits, options)
    with reporting(progress) as on_progress:
        if destination.opened is None:
            saved = publish(call, destination.folder, overwrite=overwrite, durable=durable, on_progress=on_progress)
        else:
            taken = encode_item(call, destination, on_progress)
            write_all(destination.opened, taken.value, durable=durable)
            saved = Saved((), (taken.measured,), taken.warnings)
    _warn(saved.warnings)
    return saved


@short_errors
def encode(
    audio: AudioInput,
    format: str,  # noqa: A002 - the name that every such function has
    *,
    sample_rate: int | None = None,
    steps: Sequence[GivenStep] = (),
    encoder: Mapping[str, object] | None = None,
    limits: Mapping[str, object] | None = None,
    progress: bool | Callable[[Progress], object] = False,
    **options: Any,
) -> bytes:
    """Return the output of a model as the bytes of an audio file, such as the body of an HTTP response.

    Parameters
    ----------
    audio
        Output of the model, as for `save`.
    format
        Suffix without dot, such as ``"mp3"``, or the name of an encoder.
    sample_rate, steps, encoder, limits, progress, **options
        As for `save`.

    Returns
    -------
    bytes
        Content of the file that `save` would write.

    Raises
    ------
    PipelineError
        If an option is wrong or missing; ``problems`` has each, with its remedies.
    UsageError
        If the call is wrong otherwise.
    ItemError
        If the array cannot be converted, or has several items.

    Examples
    --------
    >>> import numpy as np
    >>> import tonearm
    >>> audio = 0.5 * np.sin(2 * np.pi * 440 * np.arange(24000) / 24000)
    >>> tonearm.encode(audio, "flac", sample_rate=24000)[:4]
    b'fLaC'
    """
    registry = _plugins()
    destination = unnamed_destination(format_of(format, "encoder", registry))
    call = _call(_given(audio, registry, options), destination, sample_rate, steps, encoder, limits, options)
    with reporting(progress) as on_progress:
        taken = encode_item(call, destination, on_progress)
    _warn(taken.warnings)
    return taken.value


@short_errors
def to_waveform(
    audio: AudioInput,
    *,
    sample_rate: int | None = None,
    steps: Sequence[GivenStep] = (),
    limits: Mapping[str, object] | None = None,
    progress: bool | Callable[[Progress], object] = False,
    **options: Any,
) -> Waveform:
    """Return the output of a model as a waveform: checked, scaled to ±1, with its sample rate.

    Parameters
    ----------
    audio
        Output of the model, as for `save`.
    sample_rate, steps, limits, progress, **options
        As for `save`. No option is one of an encoder.

    Returns
    -------
    Waveform
        Samples of shape (channels, samples), and their rate. A waveform without steps is returned itself.

    Raises
    ------
    PipelineError
        If an option is wrong or missing; ``problems`` has each, with its remedies.
    UsageError
        If the call is wrong otherwise.
    ItemError
        If the array cannot be converted, or has several items.

    Examples
    --------
    >>> import numpy as np
    >>> import tonearm
    >>> stft = np.zeros((513, 44), "complex64")
    >>> tonearm.to_waveform(stft, n_fft=1024, hop_length=256, sample_rate=22050)
    <waveform 1×11008 at 22050 Hz>
    """
    call = _call(_given(audio, _plugins(), options), None, sample_rate, steps, None, limits, options)
    with reporting(progress) as on_progress:
        taken = waveform_of(call, on_progress)
    _warn(taken.warnings)
    return taken.value


@short_errors
def read(
    path: str | os.PathLike[str] | ReadableFile | bytes,
    *,
    format: str | None = None,  # noqa: A002 - the name that every such function has
    sample_rate: int | None = None,
    steps: Sequence[GivenStep] = (),
    limits: Mapping[str, object] | None = None,
    progress: bool | Callable[[Progress], object] = False,
    **options: Any,
) -> Waveform:
    """Return the sound of a file as a waveform.

    Every file that ``tonearm convert`` reads will do: sound, and arrays of waveforms or spectrograms, which the options
    describe.

    Parameters
    ----------
    path
        Path of the file; an open binary file; or the content of one.
    format
        Suffix without dot, such as ``"mp3"``, or the name of a decoder; by default that of the path.
    sample_rate
        Sample rate in Hz of an array. A file of sound states its own, and another one is refused.
    steps, limits, progress, **options
        As for `to_waveform`; ``key`` selects one array of several.

    Returns
    -------
    Waveform
        Samples of shape (channels, samples), and their rate.

    Raises
    ------
    PipelineError
        If an option is wrong or missing; ``problems`` has each, with its remedies.
    UsageError
        If the call is wrong otherwise, or the file does not tell its format.
    ItemError
        If the file cannot be read, or has several items.

    Examples
    --------
    >>> import tonearm
    >>> sound = tonearm.encode([0.5, -0.5] * 4000, "wav", sample_rate=8000)
    >>> tonearm.read(sound, format="wav")
    <waveform 1×8000 at 8000 Hz>
    """
    given = file_source(path, format, _plugins(), has_layout=options.get("layout") is not None)
    call = _call(given, None, sample_rate, steps, None, limits, options)
    with reporting(progress) as on_progress:
        taken = waveform_of(call, on_progress)
    _warn(taken.warnings)
    return taken.value


def _call(
    given: GivenSource,
    destination: Destination | None,
    sample_rate: int | None,
    steps: Sequence[GivenStep],
    encoder: Mapping[str, object] | None,
    limits: Mapping[str, object] | None,
    options: Mapping[str, Any],
) -> Call:
    """Return the arguments of a function as a call."""
    check_mappings(encoder=encoder, limits=limits)
    if sample_rate is not None:
        options = {"sample_rate": sample_rate, **options}
    source, named = with_companions(given.source, options)
    return Call(
        source=source,
        decoder=given.decoder,
        encoder=destination.encoder if destination else "",
        file=destination.file if destination else "",
        options={name: plain_keyword(value) for name, value in named.items()},
        steps=steps,
        encoder_options=encoder or {},
        limits={name: plain_keyword(value) for name, value in (limits or {}).items()},
    )


def _plugins() -> registries.Registry:
    """Return the installed plugins, and warn of packages that are disabled."""
    registry = registries.default()
    warn_of_disabled_packages(registry)
    return registry


def _given(audio: Any, registry: registries.Registry, options: Mapping[str, Any]) -> GivenSource:
    """Return what a caller gives as a source, with its decoder if it is a file."""
    are_tokens = options.get("layout") is not None or options.get("kind") == "tokens"
    if are_tokens:
        _refuse_text(audio)
    source = as_source(audio, takes_rows=are_tokens)
    if source.in_memory:
        return GivenSource(source)
    return file_source(audio, None, registry, has_layout=options.get("layout") is not None)


def _refuse_text(audio: Any) -> None:
    """Raise `UsageError` for text of tokens, as a string here is a path."""
    is_marks = isinstance(audio, str) and "<" in audio and ">" in audio
    if is_marks or (isinstance(audio, (list, tuple)) and audio and all(isinstance(one, str) for one in audio)):
        raise UsageError(
            "text of tokens is given as tokens, since a string is a path here",
            code="wrong-form",
            hint="tonearm.to_tokens(text, layout=…) makes tokens of it; give these, without a layout",
        )


def _warn(messages: Iterable[str]) -> None:
    """Give warnings at the line that called a public function of this module."""
    for message in messages:
        warn(message)
