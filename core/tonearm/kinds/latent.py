"""``kind: latent``: the frames that the decoder of an autoencoder or flow model takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final

from msgspec import Meta

from tonearm.errors import GiveOption, ItemError, OptionError, Remedy, RemoveOption, SetOption
from tonearm.kinds.grid_options import SampledOptions, missing_option, missing_rate
from tonearm.plugins.context import Context
from tonearm.plugins.kind import Kind
from tonearm.plugins.ports import Spec
from tonearm.signals import MAX_SAMPLE_RATE, LatentFormat, Latents

if TYPE_CHECKING:
    from tonearm.typing import Array

FRAME_ERROR: Final = 0.05
"""Part of a sample by which a frame may miss a whole number of samples, as frame rates such as 86.13 are rounded."""

MIN_FRAME_RATE: Final = 0.001
"""Lowest frame rate in Hz: lower ones are mistakes, and a frame of theirs may have more samples than a number holds."""

_RATES: Final = ("sample_rate", "frame_rate", "samples_per_frame")
_AFFINE: Final = ("scale", "shift")
_STATISTICS: Final = ("mean", "std")


@dataclass(frozen=True, kw_only=True)
class LatentOptions(SampledOptions):
    """Options of latents: their rates, and the normalisation that the model's own code undoes before it decodes."""

    name: Annotated[
        str, Meta(description="Name of the latents, such as that of the autoencoder, by which decoders know them.")
    ] = ""
    frame_rate: Annotated[
        float | None,
        Meta(
            description="Frames a second. Two of frame_rate, samples_per_frame and sample_rate give the third.",
            ge=MIN_FRAME_RATE,
            le=MAX_SAMPLE_RATE,
        ),
    ] = None
    samples_per_frame: Annotated[
        int | None, Meta(description="Samples of the sound that one frame becomes, such as 2048.", ge=1)
    ] = None
    n_bands: Annotated[
        int | None,
        Meta(description="Number of bands, the latent channels of the autoencoder, by which its axis is known.", ge=1),
    ] = None
    scale: Annotated[
        float | list[float] | None,
        Meta(
            description="Factor of the stored values, for all bands or each: they are undone as stored / scale + shift,"
            " as with scaling_factor and shift_factor of diffusers."
        ),
    ] = None
    shift: Annotated[
        float | list[float] | None,
        Meta(description="Value that is added, after the division by scale, for all bands or each."),
    ] = None
    mean: Annotated[
        float | list[float] | None,
        Meta(description="Mean of the values before they were standardised; they are undone as stored · std + mean."),
    ] = None
    std: Annotated[
        float | list[float] | None,
        Meta(description="Standard deviation of the values before they were standardised, for all bands or each."),
    ] = None
    length: Annotated[
        int | None, Meta(description="Length in samples of the waveform behind the latents, if known.", ge=1)
    ] = None

    def rates(self) -> tuple[int, int] | None:
        """Return the sample rate and the samples of a frame; None if the options do not give both.

        Raises
        ------
        OptionError
            If the options contradict each other, or a frame has no whole number of samples.
        """
        rate, frames, samples = self.sample_rate, self.frame_rate, self.samples_per_frame
        if frames is None:
            return None if rate is None or samples is None else (rate, samples)
        if rate is not None:
            exact = rate / frames
            whole = round(exact)
            if samples not in (None, whole) or whole < 1 or abs(exact - whole) > FRAME_ERROR:
                raise self._contradiction(exact, samples)
            return rate, whole
        if samples is None:
            return None
        if abs(frames * samples - round(frames * samples)) > FRAME_ERROR:
            raise OptionError(
                f"frame_rate {frames:.9g} times samples_per_frame {samples} is {frames * samples:.9g}, no whole sample"
                " rate",
                option="frame_rate",
                remedies=(GiveOption("sample_rate", "in place of frame_rate"),),
            )
        return max(1, round(frames * samples)), samples

    def _contradiction(self, exact: float, samples: int | None) -> OptionError:
        """Return the error for a frame rate that does not fit the other two."""
        whole = max(1, round(exact))
        near = samples or whole
        when = "" if samples else f"if a frame has {whole} samples"
        remedies: tuple[Remedy, ...] = (SetOption("frame_rate", (self.sample_rate or 0) / near, when),)
        if samples is not None:
            remedies = (*remedies, SetOption("samples_per_frame", whole))
        has = "no whole number" if samples is None else f"not {samples}"
        return OptionError(
            f"at {self.sample_rate} Hz and {self.frame_rate:.9g} frames a second, a frame has {exact:.9g} samples,"
            f" {has}",
            option="frame_rate",
            remedies=remedies,
        )

    def band_lists(self) -> dict[str, list[float]]:
        """Return the options that have one value for each band."""
        given = {name: getattr(self, name) for name in (*_AFFINE, *_STATISTICS)}
        return {name: value for name, value in given.items() if isinstance(value, list)}

    def normalisation_problems(self) -> Iterator[OptionError]:
        """Yield contradictions of the normalisation."""
        affine = [name for name in _AFFINE if getattr(self, name) is not None]
        statistics = [name for name in _STATISTICS if getattr(self, name) is not None]
        if affine and statistics:
            yield OptionError(
                f"{affine[0]} and {statistics[0]} are two ways to say what the model's own code undoes",
                option=affine[0],
                remedies=(RemoveOption(affine[0]), RemoveOption(statistics[0])),
            )
        for name in ("scale", "std"):
            value = getattr(self, name)
            values = value if isinstance(value, list) else [1.0 if value is None else value]
            if not all(one > 0 if name == "std" else one != 0 for one in values):
                wanted = "above 0" if name == "std" else "other than 0"
                yield OptionError(f"{name} must be {wanted}", option=name, hint="use the value of the model's config")
        counts = {name: len(value) for name, value in self.band_lists().items()}
        if self.n_bands is not None:
            counts["n_bands"] = self.n_bands
        if len(set(counts.values())) > 1:
            said = ", ".join(f"{name} {count}" for name, count in counts.items())
            yield OptionError(f"options tell different numbers of bands: {said}", option=next(iter(counts)))


class LatentKind(Kind[Latents, LatentOptions]):
    """Frames of an autoencoder or flow model, with the normalisation undone."""

    axes = ("band", "frame")

    def sizes(self) -> Mapping[str, int]:
        """Return the number of bands, if the options tell it."""
        options = self.options
        counts = [options.n_bands, *(len(value) for value in options.band_lists().values())]
        known = [count for count in counts if count is not None]
        return {"band": known[0]} if known else {}

    def spec(self) -> Spec:
        """Return the format, its sample rate and the length, as far as the options tell them."""
        known = super().spec().replace(sample_rate=self.options.sample_rate, length=self.options.length)
        try:
            found = self._format()
        except OptionError:  # which `problems` yields
            return known
        return known if found is None else known.replace(sample_rate=found.sample_rate).carrying(found)

    def problems(self, axes: Sequence[str] | None) -> Iterator[OptionError]:
        """Yield rates that are missing or contradict each other, and contradictions of the rest."""
        options = self.options
        given = [name for name in _RATES if getattr(options, name) is not None]
        try:
            options.rates()
        except OptionError as error:
            yield error
        else:
            if options.sample_rate is None and len(given) < len(_RATES) - 1:
                yield missing_rate()
            if options.frame_rate is None and options.samples_per_frame is None:
                yield missing_option("samples_per_frame", "the samples of a frame, such as 2048, or give frame_rate")
        yield from options.normalisation_problems()
        yield from super().problems(axes)

    def read(self, values: Array, context: Context) -> Latents:  # noqa: ARG002 - nothing of it is needed
        """Return the latents as the decoder takes them: stored / scale + shift, or stored · std + mean.

        Raises
        ------
        ItemError
            If the rates are not known.
        """
        found = self._format()
        if found is None:
            raise ItemError(
                "latents cannot be read without the samples of a frame",
                code="missing-option",
                remedies=(GiveOption("samples_per_frame", "the samples of a frame, such as 2048"),),
            )
        options = self.options
        for name in ("scale", "std"):
            if (factor := getattr(options, name)) is not None:
                factor = _by_band(factor, values)
                values = values / factor if name == "scale" else values * factor
        for name in ("shift", "mean"):
            if (added := getattr(options, name)) is not None:
                values = values + _by_band(added, values)
        return Latents(values=values, format=found, length=options.length)

    def _format(self) -> LatentFormat | None:
        """Return the name and the rates; None if the options do not give the rates."""
        rates = self.options.rates()
        if rates is None:
            return None
        return LatentFormat(
            name=self.options.name, sample_rate=rates[0], samples_per_frame=rates[1], bands=self.sizes().get("band")
        )


def _by_band(value: float | list[float], values: Array) -> Any:
    """Return a number, or one for each band, in the type of values of shape (channels, bands, frames)."""
    import numpy as np

    return np.asarray(value, values.dtype).reshape(-1, 1)
