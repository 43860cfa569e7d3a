"""Models of transformers: loaded from a folder, and called as their own classes are meant to be."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tonearm.api import Advice, CodecTokens, ItemError, Latents, OptionError, Requirement
from tonearm_plugins.networks.failures import failure_reason
from tonearm_plugins.networks.hub import weight_files
from tonearm_plugins.networks.model_config import ModelConfig
from tonearm_plugins.networks.torch_device import DeviceName, choose_device

if TYPE_CHECKING:
    from tonearm_plugins.dsp.typing import Array

_INSTALL = "pip install 'tonearm[transformers]'"

TRANSFORMERS = (
    # Before 2.10, what PyTorch reads as weights alone could be made to run code.
    Requirement(name="torch", at_least="2.10", hint=_INSTALL),
    Requirement(name="transformers", at_least="5.0", hint=_INSTALL),
)
"""Requirements of the transforms that run models of transformers."""

_ENCODING = re.compile(
    r"(acoustic_encoder|decoder_semantic|downsample|encoder|encoder_semantic|encoder_transformer|fc|fc1|fc_encoder"
    r"|semantic_adapter|semantic_encoder|semantic_model)\."
)
"""Beginnings of the names of weights that only encode."""

_SILENT = 50
"""Level of the standard library's logging at which transformers prints nothing."""

_FRAMES_FIRST = ("PocketTTSAudioTokenizerModel", "VibeVoiceAcousticTokenizerModel")
"""Classes that take latents as (batch, frames, bands); others take (batch, bands, frames)."""


def check_weights(folder: Path) -> None:
    """Raise `OptionError` if a folder has no weights, or not all parts of them."""
    if not any(weight_files(folder)):
        raise OptionError(
            f"{folder} holds no weights, or not all parts: there is no model.safetensors",
            option="model",
            code="no-weights",
            remedies=(Advice("download all files of the model, or save it by save_pretrained"),),
        )


def load(folder: Path, config: ModelConfig, device: DeviceName) -> Any:
    """Return a model on a device, in single precision. Nothing is downloaded, and no code in the folder is run.

    Raises
    ------
    ItemError
        If transformers cannot load it, or the weights lack what decoding needs.
    """
    import pickle

    import torch
    import transformers

    target = choose_device(device)
    field, prefix = config.inside
    with _quiet():
        try:
            cls = getattr(transformers, config.name)
            more: dict[str, Any] = {}
            if field:
                whole = transformers.AutoConfig.from_pretrained(str(folder), local_files_only=True)
                more = {"config": getattr(whole, field), "key_mapping": {rf"^{prefix}\.": ""}}
            model, report = cls.from_pretrained(
                str(folder),
                local_files_only=True,
                trust_remote_code=False,
                weights_only=True,
                use_safetensors=any(path.name.endswith(".safetensors") for path in weight_files(folder)),
                dtype=torch.float32,
                output_loading_info=True,
                **more,
            )
        except pickle.UnpicklingError as error:
            reason = "its weights are pickled, and hold more than tensors, which could run code"
            raise _not_loaded(folder, config, reason) from error
        except Exception as error:
            raise _not_loaded(folder, config, failure_reason(error)) from error
    missing = sorted(name for name in report["missing_keys"] if not _ENCODING.match(name))
    if missing:
        names = ", ".join(missing[:3])
        raise _not_loaded(folder, config, f"the weights lack {len(missing)} of its tensors, such as {names}")
    return model.eval().to(target)


def _not_loaded(folder: Path, config: ModelConfig, reason: str) -> ItemError:
    return ItemError(
        f"{folder} cannot be loaded as {config.name}: {reason}",
        code="bad-model",
        remedies=(Advice("download the model again, or save it by save_pretrained"),),
    )


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Let transformers print no bars and no advice; what is wrong with a model is reported here."""
    import warnings

    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity(_SILENT)
    logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


def decode_tokens(model: Any, tokens: CodecTokens, channels: slice) -> Array:
    """Return the sound of some channels of tokens, each of which is decoded alone: (channels, samples).

    Raises
    ------
    ItemError
        If tokens have segments, and the model decodes none.
    """
    import numpy as np
    import torch

    codes = torch.from_numpy(np.array(tokens.codes[channels], np.int64)).to(model.device)
    if type(model).__name__ == "EncodecModel":
        return _rows(_decode_segments(model, codes, tokens))
    if tokens.segments is not None and len(tokens.segments) > 1:
        raise _no_segments(type(model).__name__, len(tokens.segments))
    return _rows(model.decode(audio_codes=codes).audio_values)


def _decode_segments(model: Any, codes: Any, tokens: CodecTokens) -> Any:
    """Return what EnCodec makes of its segments: it decodes each alone, scales it, and joins them by overlap-add."""
    lengths = tokens.segments or (codes.shape[-1],)
    if len(lengths) > 1 and model.config.chunk_length is None:
        raise _no_segments(type(model).__name__, len(lengths))
    scales: Sequence[Any] = [None] * len(lengths)
    if tokens.scales is not None:
        scales = [codes.new_full((codes.shape[0], 1), scale, dtype=model.dtype) for scale in tokens.scales]
    return model.decode(codes.split(lengths, dim=-1), scales).audio_values


def _no_segments(name: str, count: int) -> ItemError:
    return ItemError(
        f"the tokens are in {count} segments, but this {name} decodes one",
        code="model-mismatch",
        remedies=(Advice("use a model that decodes segments, as EnCodec at 48 kHz does, or decode each alone"),),
    )


def decode_latents(model: Any, latents: Latents, channels: slice) -> Array:
    """Return the sound of some channels of latents, each of which is decoded alone: (channels, samples)."""
    import numpy as np
    import torch

    values = torch.from_numpy(np.array(latents.values[channels], np.float32)).to(model.device)
    name = type(model).__name__
    if name in _FRAMES_FIRST:
        values = values.transpose(1, 2)
    if name == "DacModel":
        return _rows(model.decode(quantized_representation=values).audio_values)
    made = model.decode(latents=values)
    return _rows(made.audio if name == "VibeVoiceAcousticTokenizerModel" else made.audio_values)


def vocode(model: Any, mel: Array, seed: int) -> Array:
    """Return the sound of mel spectrograms (channels, mels, frames): (channels, samples).

    A model that starts from noise draws the same for each channel, from a seed.
    """
    import numpy as np
    import torch

    values = torch.from_numpy(np.ascontiguousarray(mel.transpose(0, 2, 1), np.float32)).to(model.device)
    if type(model).__name__ != "UnivNetModel":
        return _rows(model(values))
    shape = (1, values.shape[1], model.config.model_in_channels)
    noise = torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(model.device)
    return _rows(model(values, noise_sequence=noise.repeat(values.shape[0], 1, 1)).waveforms)


def _rows(values: Any) -> Array:
    """Return sound (batch, channels, samples) or (batch, samples) as (channels, samples) of NumPy."""
    rows: Array = values.reshape(-1, values.shape[-1]).float().cpu().numpy()
    return rows


class LoadedModels:
    """The models that a plugin has loaded in this process, by folder and device.

    Parameters
    ----------
    load_model
        Function that loads a model.
    """

    def __init__(self, load_model: Callable[[Path, ModelConfig, DeviceName], Any] = load) -> None:
        self._load = load_model
        self._models: dict[tuple[int, str, str], Any] = {}

    def get(self, folder: Path, config: ModelConfig, device: DeviceName) -> Any:
        """Return a model, which is loaded when it is asked for first."""
        import os

        key = (os.getpid(), str(folder), device)  # what CUDA has made is of no use in a fork
        if key not in self._models:
            self._models[key] = self._load(folder, config, device)
        return self._models[key]
