"""Plugins that tonearm ships, registered through the same entry point as those of third parties.

A plugin's module is imported when a pipeline first uses the plugin.
"""

from __future__ import annotations

from tonearm.api import Decoders, Dialects, Encoders, Executors, Kinds, Layouts, Recipes, Transforms, hookimpl


@hookimpl
def tonearm_decoders() -> Decoders:
    """Return the decoders by name."""
    return {
        "audio-reader": "tonearm_plugins.decoders.audio_reader:AudioReader",
        "codec-file-reader": "tonearm_plugins.decoders.codec_file_reader:CodecFileReader",
        "hdf5-reader": "tonearm_plugins.decoders.hdf5_reader:Hdf5Reader",
        "image-reader": "tonearm_plugins.decoders.image_reader:ImageReader",
        "kaldi-reader": "tonearm_plugins.decoders.kaldi_reader:KaldiReader",
        "mat-reader": "tonearm_plugins.decoders.mat_reader:MatReader",
        "npy-reader": "tonearm_plugins.decoders.npy_reader:NpyReader",
        "npz-reader": "tonearm_plugins.decoders.npz_reader:NpzReader",
        "parquet-reader": "tonearm_plugins.decoders.parquet_reader:ParquetReader",
        "pcm-reader": "tonearm_plugins.decoders.pcm_reader:PcmReader",
        "raw-reader": "tonearm_plugins.decoders.raw_reader:RawReader",
        "safetensors-reader": "tonearm_plugins.decoders.safetensors_reader:SafetensorsReader",
        "text-reader": "tonearm_plugins.decoders.text_reader:TextReader",
        "tokens-reader": "tonearm_plugins.decoders.tokens_reader:TokensReader",
        "torch-reader": "tonearm_plugins.decoders.torch_reader:TorchReader",
        "webdataset-reader": "tonearm_plugins.decoders.webdataset_reader:WebDatasetReader",
        "zarr-reader": "tonearm_plugins.decoders.zarr_reader:ZarrReader",
    }


@hookimpl
def tonearm_transforms() -> Transforms:
    """Return the transforms by name."""
    return {
        "concat": "tonearm_plugins.transforms.concat:Concat",
        "dc-remove": "tonearm_plugins.transforms.dc_remove:DcRemove",
        "deemphasis": "tonearm_plugins.transforms.deemphasis:Deemphasis",
        "fade": "tonearm_plugins.transforms.fade:Fade",
        "filter": "tonearm_plugins.transforms.filter:Filter",
        "gain": "tonearm_plugins.transforms.gain:Gain",
        "griffin-lim": "tonearm_plugins.transforms.griffin_lim:GriffinLim",
        "guard": "tonearm_plugins.transforms.guard:Guard",
        "hpss": "tonearm_plugins.transforms.hpss:Hpss",
        "istft": "tonearm_plugins.transforms.istft:Istft",
        "limiter": "tonearm_plugins.transforms.limiter:Limiter",
        "loudness": "tonearm_plugins.transforms.loudness:Loudness",
        "mel-to-magnitude": "tonearm_plugins.transforms.mel_to_magnitude:MelToMagnitude",
        "mel-to-wave": "tonearm_plugins.transforms.mel_to_wave:MelToWave",
        "mix": "tonearm_plugins.transforms.mix:Mix",
        "mu-law-decode": "tonearm_plugins.transforms.mu_law_decode:MuLawDecode",
        "normalize": "tonearm_plugins.transforms.normalize:Normalize",
        "onnx-codec": "tonearm_plugins.transforms.onnx_codec:OnnxCodec",
        "onnx-vocoder": "tonearm_plugins.transforms.onnx_vocoder:OnnxVocoder",
        "pad": "tonearm_plugins.transforms.pad:Pad",
        "pitch-shift": "tonearm_plugins.transforms.pitch_shift:PitchShift",
        "resample": "tonearm_plugins.transforms.resample:Resample",
        "split": "tonearm_plugins.transforms.split:Split",
        "time-stretch": "tonearm_plugins.transforms.time_stretch:TimeStretch",
        "torchscript-codec": "tonearm_plugins.transforms.torchscript_codec:TorchscriptCodec",
        "transformers-codec": "tonearm_plugins.transforms.transformers_codec:TransformersCodec",
        "transformers-vocoder": "tonearm_plugins.transforms.transformers_vocoder:TransformersVocoder",
        "trim": "tonearm_plugins.transforms.trim:Trim",
        "wave-to-mel": "tonearm_plugins.transforms.wave_to_mel:WaveToMel",
        "wave-to-spectrogram": "tonearm_plugins.transforms.wave_to_spectrogram:WaveToSpectrogram",
    }


@hookimpl
def tonearm_encoders() -> Encoders:
    """Return the encoders by name."""
    return {
        "aac-writer": "tonearm_plugins.encoders.aac_writer:AacWriter",
        "aiff-writer": "tonearm_plugins.encoders.aiff_writer:AiffWriter",
        "ffmpeg-writer": "tonearm_plugins.encoders.ffmpeg_writer:FfmpegWriter",
        "flac-writer": "tonearm_plugins.encoders.flac_writer:FlacWriter",
        "m4a-writer": "tonearm_plugins.encoders.m4a_writer:M4aWriter",
        "mp3-writer": "tonearm_plugins.encoders.mp3_writer:Mp3Writer",
        "npy-writer": "tonearm_plugins.encoders.npy_writer:NpyWriter",
        "ogg-writer": "tonearm_plugins.encoders.ogg_writer:OggWriter",
        "opus-writer": "tonearm_plugins.encoders.opus_writer:OpusWriter",
        "png-writer": "tonearm_plugins.encoders.png_writer:PngWriter",
        "raw-writer": "tonearm_plugins.encoders.raw_writer:RawWriter",
        "safetensors-writer": "tonearm_plugins.encoders.safetensors_writer:SafetensorsWriter",
        "tokens-writer": "tonearm_plugins.encoders.tokens_writer:TokensWriter",
        "wav-writer": "tonearm_plugins.encoders.wav_writer:WavWriter",
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
