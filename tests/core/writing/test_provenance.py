"""Provenance: what made a file, as tags and as JSON, with names that are not UTF-8 too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from tonearm.api import Item, Provenance, Waveform
from tonearm.writing.provenance import provenance_tags, write_sidecar


def item(**more: Any) -> Item[Any]:
    return Item(signal=Waveform(samples=np.zeros((1, 5), "f4"), sample_rate=8000), **more)


def test_what_is_not_known_is_left_out() -> None:
    made = Provenance(source="a.npy", sha256="", pipeline="cd", stages=())
    found = provenance_tags(made, item())
    assert found == {"tonearm_version": made.tonearm, "tonearm_source": "a.npy", "tonearm_pipeline": "cd"}
    found = provenance_tags(made, item(key="mix", index=3))
    assert (found["tonearm_key"], found["tonearm_index"]) == ("mix", "3")


def test_a_name_that_is_not_utf_8_comes_back_from_json(tmp_path: Path) -> None:
    made = Provenance(source="ä\udcff.npy", sha256="ab", pipeline="cd", stages=({"use": "npy-reader"},))
    write_sidecar(tmp_path / "x.json", made, item(key="k"), {"title": "Grüße"})
    said = json.loads((tmp_path / "x.json").read_text(encoding="utf-8"))
    assert said["source"] == {"name": "ä\udcff.npy", "sha256": "ab", "key": "k", "index": 0}
    assert said["shape"] == [[1, 5]]
    assert said["tags"] == {"title": "Grüße"}
    assert said["pipeline"] == {"fingerprint": "cd", "stages": [{"use": "npy-reader"}]}
