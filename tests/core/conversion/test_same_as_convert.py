"""What `tonearm.save` writes of values in memory is, byte for byte, what `tonearm convert` writes of the same saved."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import tonearm
from tonearm.cli import main as cli

SOUND = (0.4 * np.sin(np.arange(2400) * 0.11) * np.hanning(2400)).astype(np.float32)
STEREO = np.stack([SOUND, SOUND[::-1] / 2])
PADDED = np.stack([SOUND, np.where(np.arange(2400) < 900, SOUND / 3, 0)])
FORMATS = ("wav", "flac", "mp3")
RATE = {"sample_rate": 24000}
GRID = {"sample_rate": 22050, "n_fft": 256, "hop_length": 64}


class Case(NamedTuple):
    """Values in memory with the keywords that describe them."""

    given: Any
    options: Mapping[str, object] = RATE
    saved: Any = None
    """Values as they are saved; the same ones if None."""
    name: str = "sound"
    """Name of the file, with fields."""


def spectrum(kind: str = "complex") -> Any:
    """Return the STFT of a sound with windows of 256 samples, as values of a kind."""
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(SOUND, 128, "reflect"), 256)[::64]
    values = np.fft.rfft(frames * np.hanning(257)[:-1]).T.astype(np.complex64)
    made = {"complex": values, "magnitude": abs(values), "power": abs(values) ** 2}
    return made[kind] if kind in made else 20 * np.log10(np.maximum(abs(values), 1e-5))


def mel() -> Any:
    """Return values like those of a HiFi-GAN mel spectrogram of 80 bands and 40 frames."""
    bands, frames = np.ogrid[:80, :40]
    return (-6 + 4 * np.cos(bands / 9 - frames / 13) - bands / 40).astype(np.float32)


CASES = {
    "list": Case(SOUND.tolist()),
    "rows": Case(STEREO.tolist(), {**RATE, "axes": ["channel", "time"]}),
    "float64": Case(SOUND.astype("f8")),
    "float32": Case(SOUND),
    "float16": Case(SOUND.astype("f2")),
    "big-endian": Case(SOUND.astype(">f4")),
    "int16": Case((SOUND * 32767).astype("i2")),
    "int32": Case((SOUND.astype("f8") * (2**31 - 1)).astype("i4")),
    "uint8": Case((SOUND * 127 + 128).astype("u1"), {**RATE, "full_scale": 128}),
    "every-second": Case(np.repeat(SOUND, 2)[::2]),
    "backwards": Case(SOUND[::-1]),
    "one-channel": Case(SOUND[None]),
    "batch-of-one": Case(SOUND[None, None]),
    "two-channels": Case(STEREO, {**RATE, "axes": ["channel", "time"]}),
    "channels-last": Case(STEREO.T, {**RATE, "axes": ["time", "channel"]}),
    "batch": Case(STEREO, {**RATE, "axes": ["batch", "time"]}, name="sound-{index}"),
    "lengths": Case(
        {"wav": PADDED, "lengths": np.array([2400, 900])}, {**RATE, "axes": ["batch", "time"]}, name="sound-{index:02}"
    ),
    "mapping": Case({"audio": SOUND, "sampling_rate": 24000}, {}),
    "mapping-of-lists": Case({"audio": SOUND.tolist(), "sr": 24000}, {}),
    "groups": Case(
        {"audio": {"array": SOUND, "sampling_rate": 16000}, "text": "hello"},
        {},
        {"audio/array": SOUND, "audio/sampling_rate": 16000, "text": "hello"},
    ),
    "pair": Case((24000, SOUND), {}, {"audio": SOUND, "sample_rate": 24000}),
    "key": Case({"a": SOUND, "b": SOUND / 2}, {**RATE, "key": "b"}),
    "every-key": Case({"a": SOUND, "b": SOUND / 2}, {**RATE, "key": "*"}, name="sound-{key}"),
    "complex": Case(spectrum(), GRID),
    "complex-parts": Case(
        np.stack([spectrum().real, spectrum().imag], -1),
        {**GRID, "kind": "complex", "axes": ["bin", "frame", "complex"]},
    ),
    "two-arrays": Case(
        {"re": spectrum().real, "im": spectrum().imag}, {**GRID, "kind": "complex", "key": "re", "imag": "im"}
    ),
    "magnitude": Case(spectrum("magnitude"), {**GRID, "kind": "magnitude"}),
    "power": Case(spectrum("power"), {**GRID, "kind": "power"}),
    "db": Case(spectrum("db"), {**GRID, "kind": "db"}),
    "mel": Case(mel(), {"dialect": "hifigan"}),
    "mel-batch": Case(
        {"mel": np.stack([mel(), np.where(np.arange(40) < 30, mel(), 0)]), "lengths": [40, 30]},
        {"dialect": "hifigan", "axes": ["batch", "mel", "frame"]},
        name="sound-{index}",
    ),
}


@pytest.fixture
def same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Return the function that saves values in both ways, and compares the files."""
    monkeypatch.chdir(tmp_path)

    def check(case: Case, given: Any, suffix: str, options: Mapping[str, Any] | None = None) -> None:
        saved = case.given if case.saved is None else case.saved
        if isinstance(saved, Mapping):
            source = "values.npz"
            np.savez(source, **saved)
        else:
            source = "values.npy"
            np.save(source, saved)
        flags = [text for name, value in case.options.items() for text in (f"--{name.replace('_', '-')}", _flag(value))]
        assert cli.main(["convert", source, f"command/{case.name}.{suffix}", "--force", *flags]) == 0, (
            capsys.readouterr().err
        )
        found = tonearm.save(given, f"call/{case.name}.{suffix}", **(case.options if options is None else options))
        expected = sorted(Path("command").iterdir())
        assert sorted(path.name for path in found.paths) == [path.name for path in expected]
        assert expected
        for path in expected:
            assert Path("call", path.name).read_bytes() == path.read_bytes()

    return check


def _flag(value: object) -> str:
    return ",".join(value) if isinstance(value, list) else str(value)


@pytest.mark.one_in(3)
@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("name", CASES)
def test_values_of_numpy_and_of_python(same: Any, name: str, suffix: str) -> None:
    same(CASES[name], CASES[name].given, suffix)


@pytest.mark.parametrize("dtype", ["bfloat16", "float8_e4m3fn"])
def test_types_of_ml_dtypes_are_as_those_saved_as_float32(same: Any, dtype: str) -> None:
    ml_dtypes = pytest.importorskip("ml_dtypes")
    narrow = SOUND.astype(getattr(ml_dtypes, dtype))
    same(Case(None, saved=narrow.astype("f4")), narrow, "wav")


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("name", ["two-channels", "complex", "magnitude", "power", "db"])
def test_a_signal_of_a_pipeline_is_as_the_array_that_it_was_read_from(same: Any, name: str, suffix: str) -> None:
    case = CASES[name]
    document = {
        "tonearm": 1,
        "input": {"use": "npy-reader", "with": dict(case.options)},
        "outputs": [{"use": "npy-writer", "file": "{stem}.npy"}],
    }
    (signal,) = tonearm.load_pipeline(document).convert(case.given)
    same(case, signal, suffix, {})


def test_what_is_given_stays_as_it_is(tmp_path: Path) -> None:
    for name, case in CASES.items():
        arrays = _arrays(case.given)
        before = [one.copy() for one in arrays]
        writeable = [one.flags.writeable for one in arrays]
        tonearm.save(case.given, tmp_path / f"{case.name}.wav", **case.options)
        for one, old in zip(arrays, before, strict=True):
            assert np.array_equal(one, old), name
        assert [one.flags.writeable for one in arrays] == writeable
        try:
            for one in arrays:
                one.flags.writeable = False
            tonearm.save(case.given, tmp_path / f"{case.name}.wav", **case.options)
        finally:
            for one, was in zip(arrays, writeable, strict=True):
                one.flags.writeable = was


def _arrays(given: Any) -> list[Any]:
    if isinstance(given, np.ndarray):
        return [given]
    inner = given.values() if isinstance(given, Mapping) else given if isinstance(given, tuple) else ()
    return [array for one in inner for array in _arrays(one)]


@pytest.mark.torch
class TestTensors:
    """Tensors of PyTorch in place of the arrays."""

    @pytest.fixture
    def torch(self) -> Any:
        return pytest.importorskip("torch", reason="pip install torch")

    def tensor_of(self, torch: Any, given: Any) -> Any:
        if isinstance(given, Mapping):
            return {name: self.tensor_of(torch, one) for name, one in given.items()}
        if isinstance(given, tuple):
            return tuple(self.tensor_of(torch, one) for one in given)
        if not isinstance(given, np.ndarray):
            return given
        plain = given.astype(given.dtype.newbyteorder("="))
        return torch.as_tensor(np.ascontiguousarray(plain) if min(plain.strides) < 0 else plain.copy())

    @pytest.mark.parametrize("suffix", FORMATS)
    @pytest.mark.parametrize("name", CASES)
    def test_tensors_are_as_arrays(self, torch: Any, same: Any, name: str, suffix: str) -> None:
        same(CASES[name], self.tensor_of(torch, CASES[name].given), suffix)

    @pytest.mark.parametrize("suffix", FORMATS)
    @pytest.mark.parametrize(("values", "options"), [(SOUND, RATE), (mel(), {"dialect": "hifigan"})])
    def test_bfloat16_is_as_float32(self, torch: Any, same: Any, values: Any, options: Any, suffix: str) -> None:
        tensor = torch.tensor(values).bfloat16()
        same(Case(None, options, saved=tensor.float().numpy()), tensor, suffix)

    @pytest.mark.parametrize("suffix", FORMATS)
    def test_what_autograd_and_views_leave(self, torch: Any, same: Any, suffix: str) -> None:
        stereo = Case(None, {**RATE, "axes": ["channel", "time"]}, saved=STEREO)
        same(stereo, torch.as_tensor(STEREO.copy()).requires_grad_(), suffix)
        same(stereo, torch.as_tensor(STEREO.T.copy()).T, suffix)
        conjugate = torch.as_tensor(spectrum().conj().copy()).conj()
        assert conjugate.is_conj()
        same(Case(None, GRID, saved=spectrum()), conjugate, suffix)
        same(Case(None, RATE, saved=SOUND), list(torch.as_tensor(SOUND.copy())), suffix)
