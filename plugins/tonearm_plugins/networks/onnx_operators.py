"""What onnxruntime can run: versions of operators, and domains of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tonearm_plugins.networks.plan import NetworkHeader

OPSETS: Mapping[str, int] = {"": 28, "ai.onnx.ml": 6, "com.microsoft": 1}
"""Domains whose operators onnxruntime has, each with the newest version that its release 1.32 knows."""

IR_VERSION = 14
"""Newest version of the format of files that onnxruntime 1.32 knows."""

OTHER_DOMAINS = frozenset(
    ["com.microsoft.nchwc", "com.ms.internal.nhwc", "ai.onnx.preview.training", "ai.onnx.training"]
)
"""Other domains of which onnxruntime has operators."""

_MOST = 3


def refusals(header: NetworkHeader) -> Iterator[tuple[str, str]]:
    """Yield reasons why onnxruntime cannot load a network, each with advice.

    Parameters
    ----------
    header
        Header.
    """
    for domain, version in header.opsets.items():
        newest = OPSETS.get(domain)
        if newest is not None and version > newest:
            named = f"opset {version}" + (f" of {domain}" if domain else "")
            yield f"it needs {named}, and the newest known is {newest}", f"export it with opset {min(newest, 17)}"
    if header.ir_version > IR_VERSION:
        yield (
            f"its format has version {header.ir_version}, and the newest known is {IR_VERSION}",
            "export it with an older onnx",
        )
    own = set(header.functions)
    foreign = sorted(
        name for name in header.operators if name not in own and _domain(name) not in OPSETS.keys() | OTHER_DOMAINS
    )
    if foreign:
        shown = ", ".join(foreign[:_MOST]) + (f" and {len(foreign) - _MOST} more" if len(foreign) > _MOST else "")
        yield f"it has operators that onnxruntime does not know: {shown}", "export it with standard operators"


def _domain(name: str) -> str:
    return name.rpartition("/")[0]
