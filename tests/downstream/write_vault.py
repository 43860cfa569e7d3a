"""Write a file in the format of tests/downstream/vault: two waveforms at 16 kHz."""

import io
import json
import sys
import zipfile
from pathlib import Path

import numpy as np

RATE = 16000
WAVES = {
    "loud": np.linspace(-0.5, 0.5, 2 * RATE, dtype="<f4").reshape(2, RATE),
    "quiet": np.linspace(-0.1, 0.1, RATE, dtype="<f8").reshape(1, RATE),
}


def vault(
    waves: dict[str, np.ndarray] = WAVES, *, method: int = zipfile.ZIP_STORED, index: object = None, **members: bytes
) -> bytes:
    """Return a vault; ``index`` takes the place of its own, and ``members`` those of its members."""
    arrays = {key: {"dtype": wave.dtype.str, "shape": wave.shape} for key, wave in waves.items()}
    text = json.dumps({"sample_rate": RATE, "arrays": arrays} if index is None else index)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        archive.writestr("index.json", text)
        for key, wave in waves.items():
            archive.writestr(f"{key}.raw", members.get(key, wave.tobytes()))
    return file.getvalue()


if __name__ == "__main__":
    Path(sys.argv[1]).write_bytes(vault())
