"""Files with tags of their source and of the user, and what ffmpeg reads in them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from encoder_helpers import mapping, noise
from other_decoders import call

import tonearm
from tonearm.api import Context, Item, Provenance, Sink, Waveform

SUFFIXES = {
    "aac-writer": ".aac",
    "aiff-writer": ".aiff",
    "ffmpeg-writer": ".mka",
    "flac-writer": ".flac",
    "m4a-writer": ".m4a",
    "mp3-writer": ".mp3",
    "npy-writer": ".npy",
    "ogg-writer": ".ogg",
    "opus-writer": ".opus",
    "png-writer": ".png",
    "raw-writer": ".raw",
    "safetensors-writer": ".safetensors",
    "wav-writer": ".wav",
}
SOUNDS = [name for name in SUFFIXES if name not in ("npy-writer", "png-writer", "raw-writer", "safetensors-writer")]
FOUND = {"artist": "Piper", "title": "old", "album": "gone", "a=b": "x", "tonearm_source": "of the source's own"}
GIVEN = {"Title": "Grüße = ; 你好", "album": "", "mood": "calm", "date": 2024, "tracknumber": "3/9", "comment": "hello"}
MERGED = {
    "artist": "Piper",
    "comment": "hello",
    "date": "2024",
    "mood": "calm",
    "title": "Grüße = ; 你好",
    "track": "3/9",
}
MADE = Provenance(source="in/ä\udcff.npy", sha256="ab" * 32, pipeline="f00d", stages=({"use": "npy-reader"},))
OURS = {
    "tonearm_index": "2",
    "tonearm_key": "wav",
    "tonearm_pipeline": "f00d",
    "tonearm_sha256": "ab" * 32,
    "tonearm_source": "in/ä\\udcff.npy",
    "tonearm_version": MADE.tonearm,
}


def tagged(folder: Path, name: str, **options: Any) -> tuple[Path, Sink]:
    """Write a sound with tags of the source and of the user."""
    plugin = plugin_of(name, **options)
    path = folder / f"tagged{SUFFIXES[name]}"
    sink = Sink(path, SUFFIXES[name])
    item = Item(signal=Waveform(samples=noise(1, 5000), sample_rate=48000), tags=FOUND, key="wav", index=2)
    plugin.encode(item, sink, Context(provenance=lambda: MADE))
    return path, sink


def plugin_of(name: str, **options: Any) -> Any:
    return tonearm.load_pipeline(mapping(name, SUFFIXES[name], 48000, **options)).outputs[0].encoder.plugin


def read_by_ffmpeg(path: Path) -> dict[str, str]:
    """The tags that ffprobe finds, but for those that every file has."""
    said = json.loads(call("ffprobe", "-v", "error", "-show_format", "-show_streams", "-of", "json", path))
    found = said["format"].get("tags", {}) | said["streams"][0].get("tags", {})
    usual = ("encoder", "major_brand", "minor_version", "compatible_brands", "language", "handler_name", "vendor_id")
    usual = (*usual, "author", "duration", "software")
    return {name.lower(): value for name, value in found.items() if name.lower() not in usual}
