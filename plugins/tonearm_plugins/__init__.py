"""Plugins that tonearm ships, registered through the same entry point as those of third parties.

A plugin's module is imported when a pipeline first uses the plugin.
"""

from __future__ import annotations

from tonearm.api import (
    Decoders,
    Diagnoses,
    Dialects,
    Encoders,
    Executors,
    Kinds,
    Layouts,
    Recipes,
    Target,
    Transforms,
    hookimpl,
)


@hookimpl
def tonearm_decoders() -> Decoders:
    """Return the decoders by name."""
    from tonearm_plugins.formats.audio_suffixes import AUDIO_SUFFIXES

    return {
        "audio-reader": Target("tonearm_plugins.decoders.audio_reader:AudioReader", suffixes=AUDIO_SUFFIXES),
        "codec-file-reader": Target(
            "tonearm_plugins.decoders.codec_file_reader:CodecFileReader", suffixes=(".dac", ".ecdc")
        ),
        "hdf5-reader": Target("tonearm_plugins.decoders.hdf5_reader:Hdf5Reader", suffixes=(".h5", ".hdf5", ".hdf")),
        "image-reader": Target(
            "tonearm_plugins.decoders.image_reader:ImageReader",
            suffixes=(".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"),
        ),
        "kaldi-reader": Target("tonearm_plugins.decoders.kaldi_reader:KaldiReader", suffixes=(".ark", ".scp")),
        "mat-reader": Target("tonearm_plugins.decoders.mat_reader:MatReader", suffixes=(".mat",)),
        "npy-reader": Target("tonearm_plugins.decoders.npy_reader:NpyReader", suffixes=(".npy",)),
        "npz-reader": Target("tonearm_plugins.decoders.npz_reader:NpzReader", suffixes=(".npz",)),
        "parquet-reader": Target("tonearm_plugins.decoders.parquet_reader:ParquetReader", suffixes=(".parquet",)),
        "pcm-reader": Target(
            "tonearm_plugins.decoders.pcm_reader:PcmReader", suffixes=(".pcm", ".raw", ".json", ".jsonl", ".ndjson")
        ),
        "raw-reader": Target("tonearm_plugins.decoders.raw_reader:RawReader", suffixes=(".f32", ".f64")),
        "safetensors-reader": Target(
            "tonearm_plugins.decoders.safetensors_reader:SafetensorsReader", suffixes=(".safetensors",)
        ),
        "text-reader": Target("tonearm_plugins.decoders.text_reader:TextReader", suffixes=(".csv", ".tsv", ".txt")),
        "tokens-reader": Target("tonearm_plugins.decoders.tokens_reader:TokensReader", suffixes=()),
        "torch-reader": Target("tonearm_plugins.decoders.torch_reader:TorchReader", suffixes=(".pt", ".pth")),
        "webdataset-reader": Target(
            "tonearm_plugins.decoders.webdataset_reader:WebDatasetReader",
            suffixes=(".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz"),
        ),
        "zarr-reader": Target("tonearm_plugins.decoders.zarr_reader:ZarrReader", suffixes=(".zarr", ".zarr.zip")),
    }


@hookimpl
def tonearm_transforms() -> Transforms:
    """Return the transforms by name."""
    return {
        "concat": Target("tonearm_plugins.transforms.concat:Concat", same_signal=True),
        "dc-remove": Target("tonearm_plugins.transforms.dc_remove:DcRemove", same_signal=True),
        "deemphasis": Target("tonearm_plugins.transforms.deemphasis:Deemphasis", same_signal=True),
        "fade": Target("tonearm_plugins.transforms.fade:Fade", same_signal=True),
        "filter": Target("tonearm_plugins.transforms.filter:Filter", same_signal=True),
        "gain": Target("tonearm_plugins.transforms.gain:Gain", same_signal=True),
        "griffin-lim": "tonearm_plugins.transforms.griffin_lim:GriffinLim",
        "guard": Target("tonearm_plugins.transforms.guard:Guard", same_signal=True),
        "hpss": Target("tonearm_plugins.transforms.hpss:Hpss", same_signal=True),
        "istft": "tonearm_plugins.transforms.istft:Istft",
        "limiter": Target("tonearm_plugins.transforms.limiter:Limiter", same_signal=True),
        "loudness": Target("tonearm_plugins.transforms.loudness:Loudness", same_signal=True),
        "mel-to-magnitude": "tonearm_plugins.transforms.mel_to_magnitude:MelToMagnitude",
        "mel-to-wave": "tonearm_plugins.transforms.mel_to_wave:MelToWave",
        "mix": Target("tonearm_plugins.transforms.mix:Mix", same_signal=True),
        "mu-law-decode": Target("tonearm_plugins.transforms.mu_law_decode:MuLawDecode", same_signal=True),
        "normalize": Target("tonearm_plugins.transforms.normalize:Normalize", same_signal=True),
        "onnx-codec": "tonearm_plugins.transforms.onnx_codec:OnnxCodec",
        "onnx-vocoder": "tonearm_plugins.transforms.onnx_vocoder:OnnxVocoder",
        "pad": Target("tonearm_plugins.transforms.pad:Pad", same_signal=True),
        "pitch-shift": Target("tonearm_plugins.transforms.pitch_shift:PitchShift", same_signal=True),
        "resample": Target("tonearm_plugins.transforms.resample:Resample", same_signal=True),
        "split": Target("tonearm_plugins.transforms.split:Split", same_signal=True),
        "time-stretch": Target("tonearm_plugins.transforms.time_stretch:TimeStretch", same_signal=True),
        "torchscript-codec": "tonearm_plugins.transforms.torchscript_codec:TorchscriptCodec",
        "transformers-codec": "tonearm_plugins.transforms.transformers_codec:TransformersCodec",
        "transformers-vocoder": "tonearm_plugins.transforms.transformers_vocoder:TransformersVocoder",
        "trim": Target("tonearm_plugins.transforms.trim:Trim", same_signal=True),
        "wave-to-mel": "tonearm_plugins.transforms.wave_to_mel:WaveToMel",
        "wave-to-spectrogram": "tonearm_plugins.transforms.wave_to_spectrogram:WaveToSpectrogram",
    }


@hookimpl
def tonearm_encoders() -> Encoders:
    """Return the encoders by name."""
    return {
        "aac-writer": Target("tonearm_plugins.encoders.aac_writer:AacWriter", suffixes=(".aac",)),
        "aiff-writer": Target("tonearm_plugins.encoders.aiff_writer:AiffWriter", suffixes=(".aiff", ".aif", ".aifc")),
        "ffmpeg-writer": Target("tonearm_plugins.encoders.ffmpeg_writer:FfmpegWriter", suffixes=()),
        "flac-writer": Target("tonearm_plugins.encoders.flac_writer:FlacWriter", suffixes=(".flac",)),
        "m4a-writer": Target("tonearm_plugins.encoders.m4a_writer:M4aWriter", suffixes=(".m4a", ".m4b")),
        "mp3-writer": Target("tonearm_plugins.encoders.mp3_writer:Mp3Writer", suffixes=(".mp3",)),
        "npy-writer": Target("tonearm_plugins.encoders.npy_writer:NpyWriter", suffixes=(".npy",)),
        "ogg-writer": Target("tonearm_plugins.encoders.ogg_writer:OggWriter", suffixes=(".ogg", ".oga")),
        "opus-writer": Target("tonearm_plugins.encoders.opus_writer:OpusWriter", suffixes=(".opus",)),
        "png-writer": Target("tonearm_plugins.encoders.png_writer:PngWriter", suffixes=(".png",)),
        "raw-writer": Target("tonearm_plugins.encoders.raw_writer:RawWriter", suffixes=(".raw", ".pcm")),
        "safetensors-writer": Target(
            "tonearm_plugins.encoders.safetensors_writer:SafetensorsWriter", suffixes=(".safetensors",)
        ),
        "tokens-writer": Target("tonearm_plugins.encoders.tokens_writer:TokensWriter", suffixes=(".txt", ".jsonl")),
        "wav-writer": Target(
            "tonearm_plugins.encoders.wav_writer:WavWriter", suffixes=(".wav", ".rf64", ".w64", ".bwf")
        ),
    }


@hookimpl
def tonearm_kinds() -> Kinds:
    """Return the kinds of array by name. They are part of the core, and registered like all others."""
    return {
        "complex": "tonearm.kinds.spectrograms:ComplexKind",
        "db": "tonearm.kinds.magnitudes:DecibelKind",
        "inferred": "tonearm.kinds.inferred:InferredKind",
        "latent": "tonearm.kinds.latent:LatentKind",
        "magnitude": "tonearm.kinds.magnitudes:MagnitudeKind",
        "mel": "tonearm.recipes.mel.kind:MelKind",
        "power": "tonearm.kinds.magnitudes:PowerKind",
        "tokens": "tonearm.recipes.tokens.kind:TokensKind",
        "waveform": "tonearm.kinds.waveform:WaveformKind",
    }


@hookimpl
def tonearm_executors() -> Executors:
    """Return the executors by name. They are part of the core, and registered like all others."""
    return {
        "dask": "tonearm_plugins.executors.dask_executor:DaskExecutor",
        "in-process": "tonearm.run.workers.in_process:InProcessExecutor",
        "local": "tonearm.run.workers.local:LocalExecutor",
    }


@hookimpl
def tonearm_dialects() -> Dialects:
    """Return the recipes of mel spectrograms by name."""
    from tonearm_plugins.dialects import presets

    return presets()


@hookimpl
def tonearm_recipes() -> Recipes:
    """Return the recipes of linear spectrograms by name."""
    from tonearm_plugins.recipes import linear_recipes

    return linear_recipes()


@hookimpl
def tonearm_layouts() -> Layouts:
    """Return the layouts of codec tokens by name."""
    from tonearm_plugins.layouts import layouts

    return layouts()


@hookimpl
def tonearm_diagnoses() -> Diagnoses:
    """Return which engine each kind of work gets, and what else works or does not."""
    from tonearm_plugins.diagnoses import diagnoses

    return diagnoses()
