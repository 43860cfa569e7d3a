"""Values of options of all plugins, as a mapping from Python and as assignments of ``--set`` give them."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from pipelines import HOSTILE

from tonearm.errors import PipelineError
from tonearm.pipeline.check import check
from tonearm.pipeline.document import from_plain, override
from tonearm.plugins import registry
from tonearm.plugins.options import declared_options
from tonearm.plugins.ports import ports_of
from tonearm.signals import ComplexSpectrogram, MagnitudeSpectrogram, Waveform

PLACES = {"decoder": "input", "transform": "steps.0", "encoder": "outputs.0"}
STFT = {"n_fft": 1024, "hop_length": 256, "sample_rate": 22050}
READERS = {
    Waveform: {"kind": "waveform", "sample_rate": 22050},
    ComplexSpectrogram: {"kind": "complex", **STFT},
    MagnitudeSpectrogram: {"kind": "magnitude", **STFT},
}


def seeds() -> Iterable[bytes]:
    """Yield each plugin without options."""
    for entry in registry.default().entries():
        if entry.role in PLACES:
            yield json.dumps({"role": entry.role, "use": entry.name, "with": {}}).encode()


def mutate(data: bytes, rng: random.Random) -> bytes:
    """Give some options other values: hostile ones, those of their examples, or one that is slightly off."""
    given = json.loads(data)
    declared = declared_options(ports_of(_plugin(given)).options)
    names = [*declared, "x"]
    for _ in range(rng.randint(1, 4)):
        name = rng.choice(names)
        option = declared.get(name)
        examples = list(option.examples) if option else []
        if option and isinstance(option.default, (int, float)):
            examples += [option.default, -option.default, option.default * 2, option.default / 3]
        value = rng.choice([*HOSTILE, *examples * 20])
        if rng.random() < 0.2:
            value = rng.choice([[value], {"use": value}, {rng.choice(names): value}, [value, rng.choice(HOSTILE)]])
        given["with"][name] = value
    given["set"] = rng.random() < 0.3
    return json.dumps(given, default=str).encode()


def _plugin(given: dict[str, Any]) -> Any:
    return registry.default().find(given["role"], given["use"]).resolve()


def _document(given: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    """Return a pipeline in which the plugin gets what it takes, where that is known."""
    stage = {"use": given["use"], "with": options}
    takes = ports_of(_plugin(given)).takes
    reader = next((READERS[taken] for taken in takes if taken in READERS), None)
    source = {"use": "npy-reader", "with": reader or {"dialect": "hifigan"}}
    suffix = (*getattr(_plugin(given), "suffixes", ()), ".wav")[0]
    made: dict[str, Any] = {
        "tonearm": 1,
        "input": stage if given["role"] == "decoder" else source,
        "outputs": [{"file": f"{{stem}}-{{index}}{suffix}", **stage} if given["role"] == "encoder" else
                    {"use": "wav-writer", "file": "{stem}-{index}.wav"}],
    }  # fmt: skip
    if given["role"] == "transform":
        made["steps"] = [stage]
    return made


def execute(data: bytes) -> None:
    """Check a pipeline with the plugin. It is accepted, or every problem has a code and harmless words."""
    given = json.loads(data)
    try:
        if given.get("set"):
            root = from_plain(_document(given, {}))
            for name, value in given["with"].items():
                text = value if isinstance(value, str) else json.dumps(value)
                root = override(root, f"{PLACES[given['role']]}.with.{name}={text}", environ={})
        else:
            root = from_plain(_document(given, given["with"]))
        check(root, None, registry.default())
    except PipelineError as error:
        assert error.problems
        for problem in error.problems:
            assert problem.code, problem
            assert f"{problem.message}{problem.hint}".replace("\n", "").isprintable(), ascii(str(problem))
