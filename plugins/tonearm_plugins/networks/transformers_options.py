"""Options that all transforms with a model of transformers share, and the base of these transforms."""

from __future__ import annotations

import contextlib
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, TypeVar

from tonearm.api import (
    Context,
    ItemError,
    Meta,
    OptionError,
    PathOrName,
    Requirement,
    Signal,
    Spec,
    Transform,
    Waveform,
)
from tonearm_plugins.networks.batches import batch_warnings
from tonearm_plugins.networks.failures import as_item_error, failure_reason
from tonearm_plugins.networks.hub import (
    CONFIG,
    PREPROCESSOR_CONFIG,
    download,
    find_folder,
    missing_model,
    weight_files,
)
from tonearm_plugins.networks.model_config import ModelClass, ModelConfig, read_config
from tonearm_plugins.networks.torch_device import DeviceName, computing
from tonearm_plugins.networks.transformers_model import TRANSFORMERS, LoadedModels, check_weights

if TYPE_CHECKING:
    from tonearm_plugins.dsp.typing import Array


@dataclass(frozen=True, kw_only=True)
class TransformersOptions:
    """Options of transforms that run a model of transformers."""

    model: Annotated[
        PathOrName,
        Meta(
            description="Folder with the model's config.json and weights, or its name on the Hugging Face hub, to"
            " be found in the hub's cache: owner/name, or owner/name@revision.",
            examples=["models/mimi", "kyutai/mimi"],
            # Its content counts, wherever it lies: `files` returns what is read.
            extra={"changes_output": False},
        ),
    ]
    device: Annotated[DeviceName, Meta(description="Device to compute on; auto is a GPU if there is one.")] = "auto"
    batch: Annotated[
        int,
        Meta(ge=1, description="Number of channels to compute at once; with more than 1, samples may differ slightly."),
    ] = 1
    download: Annotated[
        bool,
        Meta(
            description="Whether to download the model from the hub if it is not in the cache, as --download does.",
            extra={"changes_output": False, "by_user": "--download"},
        ),
    ] = False


In = TypeVar("In", bound=Signal)
Opts = TypeVar("Opts", bound=TransformersOptions)


class TransformersTransform(Transform[In, Waveform, Opts]):
    """The base of transforms that turn a signal into sound by a model of transformers."""

    instead = "save the tokens or frames, and decode the file"
    requires = TRANSFORMERS
    classes: ClassVar[Mapping[str, ModelClass]]
    other: ClassVar[str]

    def __init__(self, options: Opts) -> None:
        super().__init__(options)
        self._models = LoadedModels()
        self._asked: Spec | None = None
        self._found: ModelConfig | None = None

    def needs(self) -> Iterator[Requirement]:
        """Yield the packages that the model's class needs."""
        yield from self.requires
        with contextlib.suppress(OptionError):  # `produces` tells what is wrong with the model
            found = self._config()
            for name in found.needs if found else ():
                yield Requirement(name=name, hint=f"pip install {name}")

    def files(self) -> list[str]:
        """Return the config and the weights of the model, as far as they are on this machine."""
        folder = find_folder(self.options.model)
        if folder is None:
            return []
        configs = [folder / name for name in (CONFIG, PREPROCESSOR_CONFIG) if (folder / name).is_file()]
        return [str(path.resolve()) for path in (*configs, *weight_files(folder))]

    def preflight(self) -> None:
        """Download the model if that is asked for, and check it now that it is there."""
        if self.options.download:
            download(self.options.model)
        if self._asked is not None:
            try:
                self.produces(self._asked)
            except OptionError as error:
                raise as_item_error(error) from error

    def produces(self, spec: Spec) -> Spec:
        """Return a waveform at the model's rate, whose length the model decides."""
        self._asked = spec
        found = self._config()
        if found is None:
            return Spec(signals=(Waveform,), several=spec.several, suffix=spec.suffix)
        return self.checked(spec, found)

    def warnings(self, spec: Spec) -> Iterator[OptionError]:
        """Yield the warning that bytes depend on the batch."""
        yield from batch_warnings(self.options.batch)

    @abstractmethod
    def checked(self, spec: Spec, config: ModelConfig) -> Spec:
        """Return what is known of the sound that a model makes.

        Raises
        ------
        OptionError
            If the model does not take what is known of the signal.
        """

    def _config(self) -> ModelConfig | None:
        """Return the config of the model; None if the model is yet to be downloaded."""
        folder = find_folder(self.options.model)
        if folder is None or (self.options.download and not any(weight_files(folder))):
            if self.options.download:
                return None
            raise missing_model(self.options.model)
        config = read_config(folder, self.classes, other=self.other)
        check_weights(folder)
        return config

    def config(self) -> tuple[Path, ModelConfig]:
        """Return the folder and the config of a model that is on this machine.

        Raises
        ------
        ItemError
            If it is not, or the transform cannot run it.
        """
        try:
            self._found = self._found or self._config()
            folder = find_folder(self.options.model)
            if self._found is None or folder is None:
                raise missing_model(self.options.model)
        except OptionError as error:
            raise as_item_error(error) from error
        return folder, self._found

    def run(self, signal: Signal, channels: int, compute: Callable[[object, slice], Array], context: Context) -> Array:
        """Return the sound of all channels of a signal, of which the model gets as many at once as the options say."""
        import numpy as np

        folder, config = self.config()
        model = self._models.get(folder, config, self.options.device)
        batch, made = self.options.batch, []
        with computing(context.threads):
            for first in range(0, channels, batch):
                made.append(_computed(compute, model, slice(first, first + batch), config.name))
                context.progress(min(first + batch, channels), channels)
        samples: Array = np.concatenate(made)
        length = getattr(signal, "length", None)
        return samples if length is None else samples[:, :length]


def _computed(compute: Callable[[object, slice], Array], model: object, part: slice, name: str) -> Array:
    """Return what a model computes of some channels.

    Raises
    ------
    ItemError
        If it fails.
    """
    try:
        return compute(model, part)
    except (ArithmeticError, IndexError, RuntimeError, TypeError, ValueError) as error:
        raise ItemError(
            f"{name} failed: {failure_reason(error)}",
            code="model-failed",
            hint="check the model with this input; very short ones are more than some can decode",
        ) from error
