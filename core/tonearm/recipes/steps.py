"""The steps of a recipe after the logarithm; each step can be applied and inverted."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any, Literal

from msgspec import Meta, Struct
from msgspec.structs import replace

from tonearm.errors import OptionError

if TYPE_CHECKING:
    from tonearm.typing import Array

PositiveFloat = Annotated[float, Meta(gt=0)]  # msgspec takes bounds on a number only, not on one that may be missing
Operation = Literal["affine", "clip", "below-max", "subtract-max", "divide-max", "power", "round", "floor", "flip"]

OPERATION_ARGUMENTS: dict[str, tuple[str, ...]] = {
    "affine": ("scale", "offset"),
    "clip": ("min", "max"),
    "below-max": ("below",),
    "subtract-max": ("max",),
    "divide-max": ("max",),
    "power": ("exponent",),
    "round": (),
    "floor": (),
    "flip": (),
}
"""Arguments of each operation."""


def power(base: float, exponent: float) -> float:
    """Return a number ≥ 0 to the power of an exponent; infinity if no float holds it."""
    try:
        return float(base**exponent)
    except OverflowError:
        return math.inf


class ValueRange(Struct, frozen=True):
    """The range of the values that a recipe can produce.

    Parameters
    ----------
    low, high
        Smallest and largest possible value.
    span
        Largest possible difference between two values of one utterance.
    unit
        Difference that a factor of two in magnitude makes; 0 if it depends on the value.
    reached
        Whether the largest value of every utterance is ``high``.
    """

    low: float
    high: float
    span: float = math.inf
    unit: float = 0.0
    reached: bool = False


class RecipeStep(
    Struct, frozen=True, kw_only=True, omit_defaults=True, repr_omit_defaults=True, forbid_unknown_fields=True
):
    """One step of a recipe.

    Raises
    ------
    OptionError
        If an argument is missing, or the operation does not have it.
    """

    op: Annotated[
        Operation,
        Meta(
            description="Operation: affine is scale * x + offset; clip limits to min and max; below-max limits to"
            " the largest value minus below; subtract-max and divide-max move the largest value to 0 or 1; power"
            " raises to exponent; round and floor give whole numbers from 0 to 255; flip reverses the bands."
        ),
    ]
    scale: Annotated[float | None, Meta(description="Factor of affine, 1 by default.")] = None
    offset: Annotated[float | None, Meta(description="Offset of affine, 0 by default.")] = None
    min: Annotated[float | None, Meta(description="Lower limit of clip.")] = None
    max: Annotated[
        float | None,
        Meta(description="Upper limit of clip; for subtract-max and divide-max, the largest value to restore."),
    ] = None
    below: Annotated[
        PositiveFloat | None, Meta(description="Largest distance of below-max from the largest value.")
    ] = None
    exponent: Annotated[PositiveFloat | None, Meta(description="Exponent of power.")] = None

    def __post_init__(self) -> None:
        if self.op not in OPERATION_ARGUMENTS:
            raise OptionError(
                f"there is no step {self.op!r}", option="op", hint=f"one of {', '.join(OPERATION_ARGUMENTS)}"
            )
        takes = OPERATION_ARGUMENTS[self.op]
        given = [
            name for name in ("scale", "offset", "min", "max", "below", "exponent") if getattr(self, name) is not None
        ]
        for name in given:
            if name not in takes:
                hint = f"it takes {' and '.join(takes)}" if takes else "it takes nothing"
                raise OptionError(f"the step {self.op} has no {name}", option=name, hint=hint)
        if not given and self.op in ("affine", "clip", "below-max", "power"):
            raise OptionError(f"the step {self.op} needs {' or '.join(takes)}", option="op")
        if self.scale == 0:
            raise OptionError("a scale of 0 makes all values equal", option="scale")
        if self.min is not None and self.max is not None and self.min >= self.max:
            raise OptionError(f"min {self.min:g} is not below max {self.max:g}", option="min")

    @property
    def factor(self) -> float:
        """Factor of affine."""
        return 1.0 if self.scale is None else self.scale

    def apply(self, values: Array) -> Any:
        """Return values of shape (channels, rows, frames) after this step."""
        import numpy as np

        if self.op == "affine":
            return values * self.factor + (self.offset or 0.0)
        if self.op == "clip":
            return np.clip(values, self.min, self.max)
        if self.op == "below-max":
            return np.maximum(values, values.max() - (self.below or 0.0))
        if self.op == "subtract-max":
            return values - values.max()
        if self.op == "divide-max":
            return values / max(values.max(), np.finfo(np.float64).tiny)
        if self.op == "power":
            return values ** (self.exponent or 1.0)
        if self.op == "flip":
            return values[:, ::-1]
        return np.floor(np.clip(values, 0, 255) + (0.5 if self.op == "round" else 0.0))

    def invert(self, values: Array) -> Any:
        """Return the values before this step; clipped values stay at the limit."""
        import numpy as np

        if self.op == "affine":
            return (values - (self.offset or 0.0)) / self.factor
        if self.op == "clip":
            return np.clip(values, self.min, self.max)
        if self.op == "subtract-max":
            return values + (self.max or 0.0)
        if self.op == "divide-max":
            return values * (1.0 if self.max is None else self.max)
        if self.op == "power":
            return np.maximum(values, 0.0) ** (1.0 / (self.exponent or 1.0))
        return values[:, ::-1] if self.op == "flip" else values

    def range(self, before: ValueRange) -> ValueRange:
        """Return the range of values after this step, from the range before it."""
        low, high = before.low, before.high
        if self.op == "affine":
            ends = sorted(self.factor * end + (self.offset or 0.0) for end in (low, high))
            scale = abs(self.factor)
            reached = before.reached and self.factor > 0
            return ValueRange(ends[0], ends[1], before.span * scale, before.unit * scale, reached)
        if self.op == "clip":
            low = low if self.min is None else max(low, self.min)
            high = high if self.max is None else min(high, self.max)
            return replace(before, low=low, high=high)
        if self.op == "below-max":
            span = min(before.span, self.below or 0.0)
            return replace(before, low=high - span if before.reached else low, span=span)
        if self.op == "subtract-max":
            return replace(before, low=-min(high - low, before.span), high=0.0, reached=True)
        if self.op == "divide-max":
            return ValueRange(0.0, 1.0)
        if self.op == "power":
            exponent = self.exponent or 1.0
            return ValueRange(power(max(low, 0.0), exponent), power(max(high, 0.0), exponent))
        return replace(before, low=0.0, high=255.0) if self.op in ("round", "floor") else before


SUBTRACT_MAX = RecipeStep(op="subtract-max")
"""Step that moves the largest value to 0, as a reference of max does."""

WITHOUT_MAX: dict[str, str] = {
    "below-max": "{op: clip, min: …} in its place",
    "subtract-max": "{op: affine, offset: …} in its place",
    "divide-max": "{op: affine, scale: …} in its place",
}
"""Operations that need the largest value of the whole signal, and fixed ones that can take their place."""
