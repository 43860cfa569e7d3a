"""Arrays of the tensors of other libraries, none of which is imported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tonearm.errors import UsageError

if TYPE_CHECKING:
    from tonearm.typing import Array


def as_array(given: Any) -> Array:
    """Return a list, an array, or a tensor of any library as an array.

    Parameters
    ----------
    given
        List of numbers, array, or tensor.

    Raises
    ------
    UsageError
        If it is nothing of these.
    """
    import numpy as np

    if type(given).__module__.split(".")[0] == "torch":
        tensor = given.detach().cpu()
        return np.asarray((tensor.float() if str(tensor.dtype) == "torch.bfloat16" else tensor).numpy())
    if not hasattr(given, "__array__") and not isinstance(given, (list, tuple)):
        raise UsageError(f"{type(given).__name__} is no array", code="not-an-array")
    return np.asarray(given)
