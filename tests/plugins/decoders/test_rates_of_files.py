"""What a file says about its rate, in every format that can say it: used, and compared with the option."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from decoder_reading import outcomes
from sounds_in_bytes import RATE, TONE, snr

from tonearm.plugins.registry import default


def npz(path: Path) -> None:
    np.savez(path, wav=TONE, sr=RATE)


def npz_floats(path: Path) -> None:
    np.savez(path, wav=TONE, sampling_rate=np.array([float(RATE)]))


def pt(path: Path) -> None:
    import torch

    torch.save({"wav": torch.from_numpy(TONE), "sample_rate": RATE}, path)


def pt_nested(path: Path) -> None:
    import torch

    torch.save({"meta": {"sr": 8000}, "audio": {"wav": torch.from_numpy(TONE), "sr": torch.tensor(RATE)}}, path)


def mat(path: Path) -> None:
    from scipy.io import savemat

    savemat(path, {"y": TONE[None], "Fs": float(RATE)})


def safetensors(path: Path) -> None:
    from safetensors.numpy import save_file

    save_file({"wav": TONE}, path, metadata={"sample_rate": str(RATE)})


def h5_dataset(path: Path) -> None:
    import h5py

    with h5py.File(path, "w") as file:
        file["a/wav"] = TONE
        file["a/wav"].attrs["sr"] = RATE
        file.attrs["sr"] = 8000


def h5_file(path: Path) -> None:
    import h5py

    with h5py.File(path, "w") as file:
        file["a/wav"] = TONE
        file.attrs["sampling_rate"] = np.float64(RATE)


def h5_number(path: Path) -> None:
    import h5py

    with h5py.File(path, "w") as file:
        file["a/wav"] = TONE
        file["a/sr"] = RATE


def zarr_2(path: Path) -> None:
    import zarr

    group = zarr.open_group(str(path), mode="w", zarr_format=2)
    group.create_array("wav", data=TONE).attrs["sample_rate"] = RATE


def zarr_3(path: Path) -> None:
    import zarr

    group = zarr.open_group(str(path), mode="w", zarr_format=3)
    group.create_array("wav", data=TONE)
    group.attrs["sample_rate"] = RATE


def parquet_column(path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    parquet.write_table(pa.table({"wav": [TONE.tolist()], "sampling_rate": [RATE]}), path)


def parquet_struct(path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    rows = [{"array": TONE.tolist(), "path": "a.wav", "sampling_rate": RATE}]
    parquet.write_table(pa.table({"audio": rows}), path)


def npz_config(path: Path) -> None:
    np.savez(path, wav=TONE, **{"config/sampling_rate": RATE, "hop_length": 256, "target_sr": 8000})


def pt_config(path: Path) -> None:
    import torch

    config = {"sampling_rate": RATE, "n_fft": 1024, "hop_size": torch.tensor(256)}
    torch.save({"wav": torch.from_numpy(TONE), "config": config, "epoch": 3, "step": torch.tensor(7)}, path)


def pt_pair(path: Path) -> None:
    import torch

    torch.save((torch.from_numpy(TONE), RATE), path)


def pt_pair_reversed(path: Path) -> None:
    import torch

    torch.save([RATE, torch.from_numpy(TONE)], path)


def pt_data_set(path: Path) -> None:
    import torch

    torch.save((torch.from_numpy(TONE)[None], torch.tensor(RATE), "yes", 12), path)


def h5_config(path: Path) -> None:
    import h5py

    with h5py.File(path, "w") as file:
        file["wav"] = TONE
        file["hop_length"] = 256
        file.create_group("config").attrs["sampling_rate"] = RATE


def h5_config_number(path: Path) -> None:
    import h5py

    with h5py.File(path, "w") as file:
        file["a/wav"] = TONE
        file["a/meta/sr"] = RATE
        file["sr"] = 8000


def zarr_config(path: Path) -> None:
    import zarr

    group = zarr.open_group(str(path), mode="w", zarr_format=3)
    group.create_array("wav", data=TONE)
    group.attrs["config"] = {"sample_rate": RATE}


def mat_numbers(path: Path) -> None:
    from scipy.io import savemat

    numbers = {"Fs": float(RATE), "hop_length": 256, "name": "hello", "win": [[1024.0]]}
    savemat(path, {"y": TONE[None], **numbers})


def safetensors_config(path: Path) -> None:
    from safetensors.numpy import save_file

    metadata = {"config": json.dumps({"sampling_rate": RATE}), "format": "pt", "bad": "{"}
    save_file({"wav": TONE, "hop_length": np.array([256])}, path, metadata=metadata)


def json_config(path: Path) -> None:
    content = {"wav": TONE.tolist(), "hparams": {"sampling_rate": RATE}, "hop_length": 256, "ids": [1, 2, 3]}
    path.write_text(json.dumps(content))


def text(path: Path) -> None:
    np.savetxt(path, TONE, header=f"sample rate: {RATE} Hz")


def json_lists(path: Path) -> None:
    path.write_text(json.dumps({"data": {"wav": TONE.tolist()}, "sampleRate": RATE}))


FILES: dict[str, tuple[Callable[[Path], None], str, str]] = {
    "npz": (npz, "npz-reader", "a.npz"),
    "npz-floats": (npz_floats, "npz-reader", "a.npz"),
    "pt": (pt, "torch-reader", "a.pt"),
    "pt-nested": (pt_nested, "torch-reader", "a.pt"),
    "mat": (mat, "mat-reader", "a.mat"),
    "safetensors": (safetensors, "safetensors-reader", "a.safetensors"),
    "h5-dataset": (h5_dataset, "hdf5-reader", "a.h5"),
    "h5-file": (h5_file, "hdf5-reader", "a.h5"),
    "h5-number": (h5_number, "hdf5-reader", "a.h5"),
    "zarr-2": (zarr_2, "zarr-reader", "a.zarr"),
    "zarr-3": (zarr_3, "zarr-reader", "a.zarr"),
    "parquet-column": (parquet_column, "parquet-reader", "a.parquet"),
    "parquet-struct": (parquet_struct, "parquet-reader", "a.parquet"),
    "npz-config": (npz_config, "npz-reader", "a.npz"),
    "pt-config": (pt_config, "torch-reader", "a.pt"),
    "pt-pair": (pt_pair, "torch-reader", "a.pt"),
    "pt-pair-reversed": (pt_pair_reversed, "torch-reader", "a.pt"),
    "pt-data-set": (pt_data_set, "torch-reader", "a.pt"),
    "h5-config": (h5_config, "hdf5-reader", "a.h5"),
    "h5-config-number": (h5_config_number, "hdf5-reader", "a.h5"),
    "zarr-config": (zarr_config, "zarr-reader", "a.zarr"),
    "mat-numbers": (mat_numbers, "mat-reader", "a.mat"),
    "safetensors-config": (safetensors_config, "safetensors-reader", "a.safetensors"),
    "json-config": (json_config, "text-reader", "a.json"),
    "text": (text, "text-reader", "a.txt"),
    "json": (json_lists, "text-reader", "a.json"),
}


@pytest.mark.parametrize("name", FILES)
def test_the_rate_of_a_file(name: str, tmp_path: Path) -> None:
    save, reader, file = FILES[name]
    if name.startswith("pt"):
        pytest.importorskip("torch")
    path = tmp_path / file
    save(path)
    cls: Any = default().find("decoder", reader).resolve()
    key = {"key": "audio.wav"} if name == "pt-nested" else {}
    (item,) = outcomes(cls, path, kind="waveform", **key)
    assert item.signal.sample_rate == RATE
    assert snr(item.signal.samples) > 100
    (item,) = outcomes(cls, path, kind="waveform", sample_rate=RATE, **key)
    assert item.signal.sample_rate == RATE
    (error,) = outcomes(cls, path, kind="waveform", sample_rate=44100, **key)
    assert error.code == "rate-mismatch"
    assert str(RATE) in error.message
    assert "44100" in error.message
    (item,) = outcomes(cls, path, kind="waveform", sample_rate=44100, stated="ignore", **key)
    assert item.signal.sample_rate == 44100
