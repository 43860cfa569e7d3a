"""The lines of JSON that ``tonearm run --json`` prints: one for each item."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tonearm.run.plan import Plan
    from tonearm.run.result import Result
    from tonearm.run.skipped import SkippedItem

Measured = Mapping[str, float | int | str | None]
"""Measurements by name."""


def result_records(result: Result) -> Iterator[dict[str, Any]]:
    """Yield the record of each item of a result."""
    from tonearm.cli.printing import error_fields

    for (key, index), outputs in result.by_item().items():
        files = [_file_fields([file.output for file in one.files], one.measured, one.warnings) for one in outputs]
        yield {**_item_fields(result.source, key, index, "converted"), **_together(files)}
    for failure in result.failures:
        yield {**_item_fields(result.source, failure.key, failure.index, "failed"), **error_fields(failure)}


def skipped_record(item: SkippedItem) -> dict[str, Any]:
    """Return the record of an item that an earlier run has converted."""
    files = [_file_fields([path for path, _size in one.files], one.measured, one.warnings) for one in item.outputs]
    fields = _item_fields(item.source, item.key, item.index, "skipped")
    return {**fields, "reason": item.reason, **_together(files)}


def plan_record(plan: Plan) -> dict[str, Any]:
    """Return the record of a plan as a whole."""
    return {
        "status": "summary",
        "planned": len(plan),
        "skipped": plan.done,
        "in_other_parts": plan.in_other_parts,
        "outputs_left_out": plan.outputs_left_out,
        "out": plan.store.root,
    }


def _item_fields(source: str, key: str, index: int, status: str) -> dict[str, Any]:
    return {"source": source, "key": key, "index": index, "status": status}


def _file_fields(paths: Sequence[str], measured: Measured, warnings: Sequence[str]) -> dict[str, Any]:
    """Return the fields of one output of an item."""
    return {"file": paths[0], "sidecars": list(paths[1:]), "measured": dict(measured), "warnings": list(warnings)}


def _together(files: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what an item's outputs have together, and the outputs one by one.

    If outputs have measured different values under one name, that of the first output stands for the item.
    """
    measured: dict[str, Any] = {}
    for file in files:
        for name, value in file["measured"].items():
            measured.setdefault(name, value)
    return {
        "outputs": [path for file in files for path in (file["file"], *file["sidecars"])],
        "measured": measured,
        "warnings": list(dict.fromkeys(warning for file in files for warning in file["warnings"])),
        "files": files,
    }
