"""Sessions of onnxruntime: one a process and model, by device and threads, and none across a fork."""

from __future__ import annotations

import gc
import os
from pathlib import Path
from typing import Any

import pytest
from network_material import mel_of, vocoder

from forked_children import finished, in_child
from tonearm.api import ChooseOption, ItemError, SetOption
from tonearm_plugins.networks.onnx_session import ONNXRUNTIME, load_model, providers_of
from trial_graphs import custom_operator, external_codec

CPU, CUDA, ROCM, APPLE = (f"{name}ExecutionProvider" for name in ("CPU", "CUDA", "ROCM", "CoreML"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return vocoder(tmp_path / "v.onnx")


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The models that onnxruntime loads, each with its options and providers."""
    import onnxruntime

    found = []
    original = onnxruntime.InferenceSession

    def counted(path: str, options: Any, providers: Any) -> Any:
        found.append((path, options, providers))
        return original(path, options, providers=[CPU])

    monkeypatch.setattr(onnxruntime, "InferenceSession", counted)
    return found


def available(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    import onnxruntime

    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: list(names))


def test_a_model_is_loaded_once_as_long_as_it_is_held(path: Path, loads: list[Any]) -> None:
    model = load_model(path)
    assert load_model(path) is model
    assert len(loads) == 1
    del model
    gc.collect()
    load_model(path)
    assert len(loads) == 2


def test_other_threads_and_other_content_are_other_models(path: Path, loads: list[Any]) -> None:
    models = [load_model(path), load_model(path, threads=2), load_model(path, "cpu")]
    vocoder(path, more=16)
    os.utime(path, (1, 1))
    models.append(load_model(path))
    assert len({id(model) for model in models}) == 4
    assert [options.intra_op_num_threads for _, options, _ in loads] == [1, 2, 1, 1]
    assert {options.log_severity_level for _, options, _ in loads} == {3}


def test_a_forked_child_loads_its_own(path: Path) -> None:
    model = load_model(path, threads=2)

    def child() -> None:
        own = load_model(path, threads=2)
        assert own is not model
        assert own.run({"mel": mel_of(9)}, ["wav"])[0].shape == (1, 1, 144)

    assert finished(in_child(child)) == 0
    assert load_model(path, threads=2) is model


def test_what_onnxruntime_says_first_is_the_reason(path: Path) -> None:
    with pytest.raises(ItemError, match=r"^the model failed: \w+: \[ONNXRuntimeError\].*mel") as caught:
        load_model(path).run({"mel": mel_of(9)[:, :5]}, ["wav"])
    assert caught.value.code == "model-failed"
    assert "\n" not in caught.value.message


@pytest.mark.parametrize(
    ("device", "have", "found"),
    [
        ("auto", [CPU], [CPU]),
        ("auto", [APPLE, CPU], [CPU]),
        ("auto", [CUDA, CPU], [CUDA, CPU]),
        ("cpu", [CUDA, CPU], [CPU]),
        ("cuda", [ROCM, CPU], [ROCM, CPU]),
        ("mps", [APPLE, CPU], [APPLE, CPU]),
    ],
)
def test_devices_are_providers(monkeypatch: pytest.MonkeyPatch, device: Any, have: list[str], found: list[str]) -> None:
    available(monkeypatch, *have)
    assert providers_of(device) == found


def test_a_gpu_keeps_all_bits_of_its_factors(path: Path, loads: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    available(monkeypatch, CUDA, CPU)
    load_model(path)
    assert loads[0][2] == [(CUDA, {"use_tf32": "0"}), CPU]


def test_a_device_that_onnxruntime_lacks(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    available(monkeypatch, CPU)
    for work in (lambda: load_model(path, "cuda"), lambda: providers_of("cuda")):
        with pytest.raises(ItemError) as caught:
            work()
        assert (caught.value.code, caught.value.message) == (
            "no-device",
            f"the installed onnxruntime has no {CUDA} nor {ROCM}, which device cuda needs",
        )
        assert caught.value.remedies == (ChooseOption("device", ("auto", "cpu")),)


def test_a_device_that_does_not_start(path: Path, loads: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    available(monkeypatch, CUDA, CPU)
    with pytest.raises(ItemError) as caught:
        load_model(path, "cuda")
    assert (caught.value.code, caught.value.message) == ("no-device", f"onnxruntime could not start {CUDA}")
    assert caught.value.remedies[0] == SetOption("device", "cpu", when="to do without it")
    assert caught.value.hint.endswith("; fix its driver")
    load_model(path, "auto")


def test_a_model_that_cannot_be_loaded_is_tried_once(tmp_path: Path, loads: list[Any]) -> None:
    path = custom_operator(tmp_path / "c.onnx")
    messages = set()
    for _ in range(3):
        with pytest.raises(ItemError, match="cannot be loaded") as caught:
            load_model(path)
        messages.add((caught.value.message, caught.value.code))
    assert caught.value.hint == "export or download the model again, or install a newer onnxruntime"
    assert len(messages) == 1
    assert len(loads) == 1
    assert load_model(vocoder(path)).run({"mel": mel_of(9)}, ["wav"])[0].shape == (1, 1, 144)


@pytest.mark.parametrize("content", [None, b"", b"no model"])
def test_what_cannot_be_loaded(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "x.onnx"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ItemError) as caught:
        load_model(path)
    assert caught.value.code == "bad-model"
    assert "\n" not in caught.value.message


def test_weights_in_another_folder_are_refused_when_they_are_loaded(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    path = external_codec(tmp_path / "m/c.onnx", "../weights.bin")
    (tmp_path / "m/moved.bin").rename(tmp_path / "weights.bin")
    with pytest.raises(ItemError, match="no regular file in the model's folder") as caught:
        load_model(path)
    assert caught.value.code == "bad-model"


def test_the_package_that_is_needed() -> None:
    assert (ONNXRUNTIME.name, ONNXRUNTIME.hint) == ("onnxruntime", "pip install 'tonearm[onnx]'")
