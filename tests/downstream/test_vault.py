"""A third party's decoder on the toolkit of tonearm.api: its files are read, and false ones are refused by name."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile
from installed_packages import run_python, tonearm
from write_vault import RATE, WAVES, vault

pytestmark = pytest.mark.slow

PIPELINE = """\
tonearm: 1
input:
  use: vault-reader
  files: "*.vault"
  with: {kind: waveform, sample_rate: 16000, key: "*", axes: [channel, time]}
outputs:
  - use: wav-writer
    file: "{stem}-{key}.wav"
    with: {subtype: FLOAT}
"""


def claiming(dtype: str, *shape: int) -> dict[str, object]:
    return {"sample_rate": RATE, "arrays": {key: {"dtype": dtype, "shape": shape} for key in WAVES}}


STORED, DEFLATED = vault(), vault(method=zipfile.ZIP_DEFLATED)
AT = DEFLATED.index(b"PK\x01\x02") + 24  # where the directory gives the inflated size of the first member
HOSTILE = {
    "empty": (b"", "empty"),
    "other": (b"RIFF....WAVE", "wrong-format"),
    "cut-off": (STORED[:-100], "broken-file"),
    "damaged": (STORED.replace(WAVES["loud"].tobytes()[-64:], bytes(64)), "broken-file"),
    "without-index": (vault().replace(b"index.json", b"index.jsom"), "broken-file"),
    "no-json": (vault(index="[" * 5000), "broken-file"),
    "many": (vault({str(i): np.zeros(1, "<f4") for i in range(1500)}), "too-large"),
    "claims-much": (vault(index=claiming("<f4", 1 << 60)), "broken-file"),
    "claims-objects": (vault(index=claiming("O", 2, RATE)), "broken-file"),
    "claims-nonsense": (vault(index=claiming("nonsense", 2, RATE)), "broken-file"),
    "claims-negative": (vault(index=claiming("<f4", -2, -RATE)), "broken-file"),
    "bomb": (DEFLATED[:AT] + (1 << 30).to_bytes(4, "little") + DEFLATED[AT + 4 :], "too-large"),
}
"""Files, each with the code of its error."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "vaults.yaml").write_text(PIPELINE, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("data", [STORED, DEFLATED], ids=["stored", "deflated"])
def test_each_array_is_read(site: Path, folder: Path, data: bytes) -> None:
    (folder / "a.vault").write_bytes(data)
    done = tonearm(site, "run", folder / "vaults.yaml", "--out", folder)
    assert done.returncode == 0, done.stderr
    for key, wave in WAVES.items():
        written, rate = soundfile.read(folder / f"a-{key}.wav", dtype="float32", always_2d=True)
        assert rate == RATE
        np.testing.assert_array_equal(written.T, wave.astype("f4"))


def test_inspect_has_the_rate_from_the_file(site: Path, folder: Path) -> None:
    (folder / "a.vault").write_bytes(STORED)
    printed = tonearm(site, "inspect", folder / "a.vault").stdout
    assert "sample_rate: 16000" in printed
    assert "from the file" in printed


def test_a_large_array_is_mapped_and_only_the_one_that_is_asked_for_is_loaded(site: Path, folder: Path) -> None:
    """A look at the file loads none."""
    big = np.zeros((1, 5_000_000), "<f4")
    (folder / "a.vault").write_bytes(vault({"big": big, "broken": big[:, :10]}, broken=b"short"))
    code = """
import sys
from pathlib import Path
import tonearm
from tonearm.api import Context, Source
reader = tonearm.load_pipeline({
    "tonearm": 1,
    "input": {"use": "vault-reader", "with": {"kind": "waveform", "sample_rate": 16000, "key": "big"}},
    "outputs": [{"use": "wav-writer", "file": "a.wav"}],
}).checked.decoder.plugin
source = Source(name="a.vault", path=Path(sys.argv[1]))
with reader.open_arrays(source, Context()) as arrays:
    print(list(arrays), type(arrays["big"]).__name__)
print(reader.look(source).sample_rate)
"""
    assert run_python(site, code, folder / "a.vault").stdout == "['big', 'broken'] memmap\n16000\n"


def test_each_false_file_is_refused_by_name_and_the_run_goes_on(site: Path, folder: Path) -> None:
    for name, (data, _) in HOSTILE.items():
        (folder / f"{name}.vault").write_bytes(data)
    (folder / "good.vault").write_bytes(STORED)
    done = tonearm(site, "run", folder / "vaults.yaml", "--out", folder / "out", "--json")
    assert done.returncode == 3, done.stderr
    assert "Traceback" not in done.stderr
    records = [json.loads(line) for line in done.stdout.splitlines()]
    failed = {Path(record["source"]).stem: record for record in records if record.get("code")}
    assert {name: record["code"] for name, record in failed.items()} == {
        name: code for name, (_, code) in HOSTILE.items()
    }
    assert [name for name, record in failed.items() if f"{name}.vault" not in record["message"]] == []
    assert (folder / "out/good-loud.wav").exists()
