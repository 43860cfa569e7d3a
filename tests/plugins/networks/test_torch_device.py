"""Devices of PyTorch, as a machine with some of them has them."""

from __future__ import annotations

import pytest

from tonearm.api import ItemError
from tonearm_plugins.networks.torch_device import DeviceName, choose_device, computing

pytestmark = pytest.mark.torch


@pytest.mark.parametrize(
    ("cuda", "mps", "name", "expected"),
    [
        (True, True, "auto", "cuda"),
        (False, True, "auto", "mps"),
        (False, False, "auto", "cpu"),
        (True, True, "cpu", "cpu"),
        (True, False, "cuda", "cuda"),
        (False, True, "mps", "mps"),
        (False, True, "cuda", None),
        (True, False, "mps", None),
    ],
)
def test_the_device(
    monkeypatch: pytest.MonkeyPatch, cuda: bool, mps: bool, name: DeviceName, expected: str | None
) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    if expected:
        assert choose_device(name).type == expected
        return
    with pytest.raises(ItemError, match=f"PyTorch finds no device {name} on this machine") as caught:
        choose_device(name)
    assert caught.value.code == "no-device"


def test_settings_hold_inside_alone_even_if_it_fails() -> None:
    import torch

    def settings() -> tuple[object, ...]:
        cudnn = torch.backends.cudnn
        return torch.get_num_threads(), torch.is_inference_mode_enabled(), cudnn.allow_tf32, cudnn.enabled

    before = settings()
    inside = []

    def compute() -> None:
        with computing(3):
            inside.append(settings())
            raise KeyError

    with pytest.raises(KeyError):
        compute()
    assert inside == [(3, True, False, True)]
    assert settings() == before
