"""The base of transforms that run a network in an ONNX file: what `check` knows, and the work on signals and blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from tonearm.api import (
    BlockTransform,
    Codebooks,
    CodecTokens,
    Context,
    ItemError,
    LatentFormat,
    MelDialect,
    OptionError,
    SetOption,
    Signal,
    Spec,
    StartedTransform,
    StftGrid,
    Waveform,
)
from tonearm_plugins.networks.batches import batch_warnings
from tonearm_plugins.networks.failures import as_item_error
from tonearm_plugins.networks.onnx_header import read_header
from tonearm_plugins.networks.onnx_session import ONNXRUNTIME
from tonearm_plugins.networks.options import InputFile, NetworkOptions
from tonearm_plugins.networks.original_sound import restored, restored_spec
from tonearm_plugins.networks.planning import Wanted, plan_of, wanted_by, wanted_of

if TYPE_CHECKING:
    from tonearm_plugins.networks.onnx_session import OnnxModel
    from tonearm_plugins.networks.plan import NetworkHeader, NetworkPlan
    from tonearm_plugins.networks.streaming import StartedNetwork

In = TypeVar("In", bound=Signal)
Opts = TypeVar("Opts", bound=NetworkOptions)


class OnnxTransform(BlockTransform[In, Waveform, Opts]):
    """A transform from frames to a waveform by a network in an ONNX file.

    The model's header says what it takes and gives; weights are loaded with the first item.
    """

    requires = (ONNXRUNTIME,)

    def __init__(self, options: Opts) -> None:
        super().__init__(options)
        self._plans: dict[Wanted, tuple[NetworkHeader, NetworkPlan]] = {}
        self._model: OnnxModel | None = None

    @property
    def recipe(self) -> MelDialect | None:
        """Recipe of mel spectrograms that the model was trained for; None if it takes others than them."""
        return None

    def files(self) -> list[str]:
        """Return the files in which the model's weights lie beside it, and the constant ones that inputs name."""
        try:
            names = read_header(self.options.model).external
        except ItemError:
            return []
        beside = [str(Path(self.options.model).parent / name) for name in names]
        return [name for name in (*beside, *(path for _, path in self._constant_files())) if Path(name).is_file()]

    def _constant_files(self) -> Iterator[tuple[str, str]]:
        """Yield the inputs that are given the same file with each item, and its path."""
        for name, given in self.options.inputs.items():
            if isinstance(given, InputFile) and "{" not in given.file:
                yield name, given.file

    def preflight(self) -> None:
        """Read the files that all items are given, and see that onnxruntime has the device.

        The model itself is loaded with the first item of a worker: to load it here as well would take as long again.
        """
        from tonearm_plugins.networks.given_inputs import read_input_file
        from tonearm_plugins.networks.onnx_session import providers_of

        for name, path in self._constant_files():
            read_input_file(path, name)
        if self.options.device not in ("auto", "cpu"):
            providers_of(self.options.device)

    def produces(self, spec: Spec) -> Spec:
        """Return a waveform at the rate of the sound, whose length the model decides.

        Raises
        ------
        OptionError
            If the model cannot work with such signals.
        """
        plan = self.plan(wanted_of(spec, self.recipe))
        counts = {1} if plan.grid else {one for out in plan.outputs for one in _channels(out.axes, out.tensor.shape)}
        channels = spec.channels * counts.pop() if spec.channels and len(counts) == 1 else None
        known = spec.replace(signals=(Waveform,), sample_rate=plan.sample_rate, channels=channels, length=spec.length)
        return restored_spec(known.dropping(StftGrid, MelDialect, Codebooks, LatentFormat))

    def warnings(self, spec: Spec) -> Iterable[OptionError]:
        """Yield what is different with this model: it is not exact in chunks, or not to the bit in batches."""
        plan = self.plan(wanted_of(spec, self.recipe))
        if plan.inexact and (self.options.chunk or plan.static_frames or plan.has_state):
            cut = f"windows of {plan.static_frames} frames do" if plan.static_frames else "chunks do"
            yield OptionError(
                f"{cut} not give the sound of the whole, because {plan.inexact}", option="model", code="not-in-chunks"
            )
        elif plan.inexact:
            yield OptionError(
                f"the model runs on each signal as a whole, because {plan.inexact}",
                option="model",
                code="not-in-chunks",
                remedies=(SetOption("chunk", 1024, when="to cut long signals all the same"),),
            )
        yield from batch_warnings(self.options.batch)

    def check_blocks(self, spec: Spec) -> None:
        """Raise `OptionError` if the model needs the whole signal."""
        plan = self.plan(wanted_of(spec, self.recipe))
        if plan.inexact and not (plan.has_state or plan.static_frames or self.options.chunk):
            raise OptionError(
                f"the model needs the whole signal, which a stream never has, because {plan.inexact}",
                option="model",
                code="needs-whole",
                remedies=(SetOption("chunk", 1024, when="to cut it into chunks all the same"),),
            )

    def start(self, spec: Spec, context: Context) -> StartedTransform:
        """Return the network at work on a signal that comes in blocks."""
        books = spec.carried.get(Codebooks)
        return self._started(
            self.plan(wanted_of(spec, self.recipe)),
            context,
            books=books if isinstance(books, Codebooks) else None,
            length=spec.length,
            channels=spec.channels or 1,
            progress=context.progress,
        )

    def apply(self, signal: In, context: Context) -> Waveform:
        """Return the waveform.

        Raises
        ------
        ItemError
            If the model cannot take the signal, or fails.
        """
        wanted = wanted_by(signal, self.recipe)
        try:
            plan = self.plan(wanted)
        except OptionError as error:
            raise as_item_error(error) from error
        samples = self._sound(signal, plan, context)
        return restored(Waveform(samples=samples, sample_rate=plan.sample_rate or 0), signal, context)

    def plan(self, wanted: Wanted) -> NetworkPlan:
        """Return the plan for such signals.

        Raises
        ------
        OptionError
            If the model cannot take them.
        """
        try:
            header = read_header(self.options.model)
        except ItemError as error:
            raise OptionError(error.message, option="model", code=error.code, remedies=error.remedies) from error
        known = self._plans.get(wanted)
        if known is None or known[0] is not header:
            known = header, plan_of(header, wanted, self.options)
            self._plans[wanted] = known
        return known[1]

    def _sound(self, signal: Any, plan: NetworkPlan, context: Context) -> Any:
        """Return the samples of a signal, (channels, samples)."""
        values = signal.block_array()
        total = values.shape[0] * values.shape[-1]
        started = self._started(
            plan,
            context,
            books=signal.codebooks if isinstance(signal, CodecTokens) else None,
            length=signal.length,
            channels=values.shape[0],
            frames=values.shape[-1],
            progress=lambda done: context.progress(done, total),
        )
        return started.push_last(values)

    def _started(
        self,
        plan: NetworkPlan,
        context: Context,
        *,
        books: Codebooks | None,
        length: int | None,
        progress: Callable[[int], None],
        channels: int = 1,
        frames: int | None = None,
        scale: float | None = None,
    ) -> StartedNetwork:
        """Return the network at work on one signal, or on one segment."""
        from tonearm_plugins.networks.codes import sizes_of_rows
        from tonearm_plugins.networks.given_inputs import given_arrays
        from tonearm_plugins.networks.network import Network
        from tonearm_plugins.networks.onnx_session import load_model
        from tonearm_plugins.networks.receptive_field import ReceptiveField
        from tonearm_plugins.networks.streaming import StartedNetwork, WorkOptions

        options = self.options
        model = self._model = load_model(Path(options.model), options.device, context.threads)
        counts = books.codes_per_frame if books and books.strides else ()
        network = Network(plan, model, counts=counts, given=given_arrays(plan, channels, frames, context))
        work = WorkOptions(
            chunk=options.chunk,
            field=None if options.receptive_field is None else ReceptiveField(*options.receptive_field),
            batch=options.batch,
            sizes=sizes_of_rows(books.sizes if books else (), counts),
            counts=counts,
            samples_per_frame=plan.samples_per_frame,
            grid=plan.grid,
            length=length,
            scale=scale,
        )
        return StartedNetwork(network, work, context, progress)


def _channels(axes: Iterable[str], shape: Iterable[Any] | None) -> Iterable[int]:
    """Yield the number of channels of an output, if its header says it."""
    sizes = dict(zip(axes, shape or (), strict=False))
    if "sample" in sizes:
        found = sizes.get("channel", 1)
        if isinstance(found, int):
            yield found
