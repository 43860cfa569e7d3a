"""What onnxruntime can run: versions of operators, and domains of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tonearm_plugins.networks.plan import NetworkHeader

OPSETS: Mapping[str, int] = {"": 28, "ai.onnx.ml": 6, "com.microsoft": 1}
"""Domains whose operators onnxruntime has, each with the newest version that its release 1.32 knows."""

OTHER_DOMAINS = frozenset(["com.microsoft.nchwc", "com.ms.internal.nhwc", "ai.onnx.preview"])
"""Other domains of which onnxruntime has operators."""

IR_VERSION = 14
"""Newest version of the format of files that onnxruntime 1.32 knows."""

_NAMED = 3


def loading_refusals(header: NetworkHeader) -> Iterator[tuple[str, str]]:
    """Yield the reasons why onnxruntime cannot load a network, each with advice.

    Parameters
    ----------
    header
        Header.
    """
    for domain, version in header.opsets.items():
        newest = OPSETS.get(domain)
        if newest is not None and version > newest:
            of = f" of {domain}" if domain else ""
            yield (
                f"it needs opset {version}{of}, and the newest known is {newest}",
                f"export it with opset {min(newest, 17)}",
            )
    if header.ir_version > IR_VERSION:
        yield (
            f"its file has version {header.ir_version} of the format, and the newest known is {IR_VERSION}",
            "export it with an older release of onnx",
        )
    known = OPSETS.keys() | OTHER_DOMAINS
    own = frozenset(header.functions)
    foreign = sorted(one for one in header.operators if one not in own and one.rpartition("/")[0] not in known)
    if foreign:
        more = f" and {len(foreign) - _NAMED} more" if len(foreign) > _NAMED else ""
        yield (
            f"it has operators that onnxruntime does not know: {', '.join(foreign[:_NAMED])}{more}",
            "export it with the standard operators",
        )
