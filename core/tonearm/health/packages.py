"""Packages that tonearm is built on, and those of its extras: versions and ranges, read from metadata alone."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import NamedTuple

from msgspec import Struct

from tonearm.plugins.discovery import PROJECT
from tonearm.plugins.requirements import release_numbers

COLLECTIONS = ("all", "dev", "test", "vocoder")
"""Extras that are made of others, or are for those who work on tonearm."""


class Use(NamedTuple):
    """The module of a package, and what tonearm needs it for."""

    module: str
    purpose: str


USES: Mapping[str, Use] = {
    "audioop-lts": Use("audioop", "pydub, from Python 3.13 on"),
    "lameenc": Use("lameenc", "MP3 at three times the speed of libsndfile"),
    "librosa": Use("librosa", "hpss, time-stretch, pitch-shift, the engine librosa"),
    "llvmlite": Use("llvmlite.binding", "compiled kernels"),
    "msgspec": Use("msgspec", "options and journals"),
    "mutagen": Use("mutagen", "tags, covers"),
    "numpy": Use("numpy", "arrays"),
    "pluggy": Use("pluggy", "plugins"),
    "pydub": Use("pydub", "ffmpeg-writer"),
    "pyyaml": Use("yaml", "pipelines"),
    "rich": Use("rich", "the display of runs"),
    "scipy": Use("scipy", "filters, spectrograms without kernels"),
    "soundfile": Use("soundfile", "sound files other than WAV, MP3 and M4A"),
    "soxr": Use("soxr", "resample"),
    "xxhash": Use("xxhash", "fingerprints of sources"),
    "av": Use("av", "M4A and AAC, and video files as sources"),
    "distributed": Use("distributed", "runs on a Dask cluster"),
    "h5py": Use("h5py", "HDF5, MATLAB 7.3"),
    "imageio-ffmpeg": Use("imageio_ffmpeg", "an ffmpeg where the system has none"),
    "kaldiio": Use("kaldiio", "Kaldi archives"),
    "matplotlib": Use("matplotlib", "pictures of spectrograms"),
    "onnxruntime": Use("onnxruntime", "codecs and vocoders as ONNX files"),
    "pillow": Use("PIL", "spectrograms as pictures"),
    "pyarrow": Use("pyarrow", "Parquet"),
    "safetensors": Use("safetensors", "safetensors files, models of transformers"),
    "torch": Use("torch", ".pt files, TorchScript, models of transformers"),
    "transformers": Use("transformers", "codecs and vocoders of the hub"),
    "zarr": Use("zarr", "Zarr stores"),
}
"""Packages by name, in the order of pyproject.toml."""


class Dependency(Struct, frozen=True, kw_only=True):
    """A package that tonearm can use.

    Parameters
    ----------
    name
        Name on the package index.
    at_least
        Oldest version that is sufficient; empty for any.
    extras
        Extras that it belongs to; none if each installation needs it.
    installed
        Version that is installed; empty if it is not, or its metadata is damaged.
    """

    name: str
    at_least: str = ""
    extras: tuple[str, ...] = ()
    installed: str = ""

    @property
    def is_old(self) -> bool:
        """Whether an installed version is older than what is sufficient."""
        return bool(self.installed) and release_numbers(self.installed) < release_numbers(self.at_least)

    @property
    def use(self) -> Use:
        """Module, and purpose."""
        return USES.get(self.name, Use(self.name.replace("-", "_"), ""))

    @property
    def install_line(self) -> str:
        """Command that installs it."""
        if self.extras:
            return f"pip install '{PROJECT}[{self.extras[0]}]'"
        return f"pip install '{self.name}>={self.at_least}'" if self.at_least else f"pip install {self.name}"


def missing_package(error: ModuleNotFoundError) -> str:
    """Return the name of the package that an import has not found; empty if it is none that tonearm can use.

    It is empty for a module within a package, too: that package is there, and may be broken or too old.

    Examples
    --------
    >>> missing_package(ModuleNotFoundError(name="yaml"))
    'pyyaml'
    """
    return next((name for name, use in USES.items() if use.module.partition(".")[0] == error.name), "")


def dependencies() -> list[Dependency]:
    """Return the packages of this installation, the necessary ones first; none if tonearm has no metadata."""
    from importlib.metadata import PackageNotFoundError, requires

    try:
        lines = requires(PROJECT) or []
    except PackageNotFoundError:
        return []
    found: dict[str, tuple[str, list[str]]] = {}
    for name, at_least, extra in filter(None, map(_parsed, lines)):
        if extra not in COLLECTIONS:
            found.setdefault(name, (at_least, []))[1].append(extra)
    made = [
        Dependency(name=name, at_least=at_least, extras=tuple(filter(None, extras)), installed=_version(name))
        for name, (at_least, extras) in found.items()
    ]
    return sorted(made, key=lambda one: bool(one.extras))


def _parsed(line: str) -> tuple[str, str, str] | None:
    """Return name, oldest version and extra of a line of metadata; None if it is not for this machine."""
    requirement, _, marker = line.partition(";")
    extra = re.search(r"extra == ['\"]([\w-]+)['\"]", marker)
    rest = re.sub(r"(and )?extra == ['\"][\w-]+['\"]", "", marker).strip()
    if rest and not _applies(rest):
        return None
    name = re.match(r"[\w.-]+", requirement.strip())
    at_least = re.search(r">=\s*([\w.]+)", requirement)
    return (name[0].lower(), at_least[1] if at_least else "", extra[1] if extra else "") if name else None


def _applies(marker: str) -> bool:
    """Return whether a marker of the kinds that pyproject.toml has is true here; one of another kind is."""
    import platform
    import sys

    if found := re.fullmatch(r"python_version >= ['\"]([\d.]+)['\"]", marker):
        return sys.version_info[:2] >= tuple(release_numbers(found[1]))
    if found := re.fullmatch(r"platform_machine in ['\"]([\w ]+)['\"]", marker):
        return platform.machine() in found[1].split()
    return True


@functools.cache
def _version(name: str) -> str:
    from importlib.metadata import version

    try:
        return str(version(name) or "")
    except Exception:  # it is not installed, or its metadata is damaged: Python promises no particular error
        return ""
