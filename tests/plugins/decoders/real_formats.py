"""Every format of arrays, written by its own library: what decoders are held against, all in the same way."""

from __future__ import annotations

import importlib.util
import io
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import kaldiio
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import safetensors.numpy
import scipy.io
import webdataset
import zarr

from tonearm.plugins.registry import default

Arrays = Mapping[str, Any]

FLOATS, INTEGERS, COMPLEX = ("f2", "f4", "f8"), ("i2", "i4"), ("c8", "c16")
BIG = (">f2", ">f4", ">f8", ">i2", ">i4", ">c8")


@dataclass(frozen=True)
class Format:
    """A format.

    Parameters
    ----------
    decoder
        Name of the plugin that reads it.
    suffix
        Of its files.
    write
        Writes arrays by name; formats without names take one.
    dtypes
        That the library keeps.
    orders
        ``C``, and ``F`` where the library keeps that of memory.
    keyed
        Whether there may be several arrays.
    ranks
        Ranks that it keeps; None for any.
    """

    decoder: str
    suffix: str
    write: Callable[[Path, Arrays], None]
    dtypes: tuple[str, ...] = (*FLOATS, *INTEGERS, *COMPLEX, *BIG)
    orders: str = "CF"
    keyed: bool = True
    ranks: tuple[int, ...] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def plugin(self) -> type[Any]:
        return default().find("decoder", self.decoder).resolve()

    def save(self, folder: Path, arrays: Arrays) -> Path:
        path = folder / f"a{self.suffix}"
        self.write(path, arrays)
        return path


def only(arrays: Arrays) -> Any:
    (array,) = arrays.values()
    return array


def npy_bytes(array: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def _torch(path: Path, arrays: Arrays, **how: Any) -> None:
    import torch

    torch.save({key: torch.from_numpy(array) for key, array in arrays.items()}, path, **how)


def _hdf5(path: Path, arrays: Arrays, **how: Any) -> None:
    with h5py.File(path, "w") as file:
        for key, array in arrays.items():
            file.create_dataset(key, data=array, **how)


def _parquet(path: Path, arrays: Arrays) -> None:
    def column(array: Any) -> Any:
        kind = pa.from_numpy_dtype(array.dtype)
        for _ in array.shape:
            kind = pa.list_(kind)
        return pa.array([nested(array)], kind)

    def nested(array: Any) -> Any:
        return array if array.ndim == 1 else [nested(inner) for inner in array]

    pq.write_table(pa.table({key: column(array) for key, array in arrays.items()}), path)


def _webdataset(path: Path, arrays: Arrays) -> None:
    with webdataset.TarWriter(str(path)) as writer:
        for key, array in arrays.items():
            writer.write({"__key__": key, "npy": array})


def _zarr(path: Path, arrays: Arrays, version: int) -> None:
    store = zarr.storage.ZipStore(path, mode="w") if path.suffix == ".zip" else zarr.storage.LocalStore(path)
    root = zarr.open_group(store, mode="w", zarr_format=version)  # type: ignore[arg-type]
    for key, array in arrays.items():
        made = root.create_array(
            key, shape=array.shape, dtype=array.dtype, chunks=tuple(-(-n // 2) for n in array.shape)
        )
        made[...] = array
    store.close()


def _mat(path: Path, arrays: Arrays, **how: Any) -> None:
    scipy.io.savemat(path, dict(arrays), **how)


FORMATS: dict[str, Format] = {
    "npy": Format("npy-reader", ".npy", lambda path, arrays: np.save(path, only(arrays)), keyed=False),
    "npz": Format("npz-reader", ".npz", lambda path, arrays: np.savez(path, **arrays)),
    "npz-deflated": Format("npz-reader", ".npz", lambda path, arrays: np.savez_compressed(path, **arrays)),
    "torch": Format("torch-reader", ".pt", _torch, (*FLOATS, *INTEGERS, *COMPLEX)),
    "torch-old": Format(
        "torch-reader",
        ".pth",
        lambda path, arrays: _torch(path, arrays, _use_new_zipfile_serialization=False),
        (*FLOATS, *INTEGERS, *COMPLEX),
    ),
    "safetensors": Format(
        "safetensors-reader",
        ".safetensors",
        lambda path, arrays: safetensors.numpy.save_file(dict(arrays), path),
        (*FLOATS, *INTEGERS, "c8"),
        orders="C",  # the library asks for it
    ),
    "hdf5": Format("hdf5-reader", ".h5", _hdf5, orders="C"),
    "hdf5-gzip": Format(
        "hdf5-reader",
        ".hdf5",
        lambda path, arrays: _hdf5(path, arrays, compression="gzip", shuffle=True, fletcher32=True),
        orders="C",
    ),
    "parquet": Format("parquet-reader", ".parquet", _parquet, (*FLOATS, *INTEGERS), orders="C"),
    "kaldi": Format(
        "kaldi-reader",
        ".ark",
        lambda path, arrays: kaldiio.save_ark(str(path), dict(arrays)),
        ("f4", "f8"),
        orders="C",
        ranks=(1, 2),
    ),
    "webdataset": Format("webdataset-reader", ".tar", _webdataset, options={"suffix": ".npy"}),
    "webdataset-gzip": Format("webdataset-reader", ".tar.gz", _webdataset, options={"suffix": ".npy"}),
    "mat-4": Format(
        "mat-reader",
        ".mat",
        lambda path, arrays: _mat(path, arrays, format="4"),
        ("f4", "f8", "i2", "i4", "c16"),
        ranks=(2,),
    ),
    "mat-5": Format(
        "mat-reader", ".mat", lambda path, arrays: _mat(path, arrays), ("f4", "f8", "i2", "i4", "c8", "c16")
    ),
    "mat-7": Format(
        "mat-reader",
        ".mat",
        lambda path, arrays: _mat(path, arrays, do_compression=True),
        ("f4", "f8", "i2", "i4", "c8", "c16"),
    ),
    "zarr-2": Format("zarr-reader", ".zarr", lambda path, arrays: _zarr(path, arrays, 2)),
    "zarr-3": Format(
        "zarr-reader", ".zarr", lambda path, arrays: _zarr(path, arrays, 3), (*FLOATS, *INTEGERS, *COMPLEX)
    ),
    "zarr-zip": Format(
        "zarr-reader", ".zarr.zip", lambda path, arrays: _zarr(path, arrays, 3), (*FLOATS, *INTEGERS, *COMPLEX)
    ),
}

if importlib.util.find_spec("torch") is None:  # it is no part of the extra `test`; .ci/run installs it
    FORMATS = {name: one for name, one in FORMATS.items() if not name.startswith("torch")}


def tar_of(members: Mapping[str, bytes], mode: str = "w") -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as archive:  # type: ignore[call-overload]
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return file.getvalue()
