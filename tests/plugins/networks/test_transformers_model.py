"""Loading models of transformers: quietly, from this machine, and with all that decoding needs."""

from __future__ import annotations

import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from tonearm.api import ItemError, OptionError
from tonearm_plugins.networks.model_config import CODECS, CodecFigures, ModelConfig, read_config
from tonearm_plugins.networks.transformers_model import LoadedModels, check_weights, load

sys.path.insert(0, str(Path(__file__).parents[1] / "transforms"))

pytestmark = pytest.mark.torch("transformers")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from transformers_models import made, saved

    return saved(made("dac"), tmp_path_factory.mktemp("model"))


def test_it_is_loaded_in_single_precision_without_a_word_or_a_connection(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    import torch
    from transformers.utils import logging
    from transformers_models import made, saved

    half = saved(made("dac").half(), tmp_path)
    monkeypatch.setattr(socket.socket, "connect", lambda *_: pytest.fail("it connects"))
    logging.enable_progress_bar()
    logging.set_verbosity_info()
    try:
        for one in (folder, half):
            model = load(one, read_config(one, CODECS, other=""), "cpu")
            assert not model.training
            assert {weight.dtype for weight in model.parameters()} == {torch.float32}
        assert logging.is_progress_bar_enabled()
        assert logging.get_verbosity() == 20
    finally:
        logging.disable_progress_bar()
        logging.set_verbosity_error()
    assert capfd.readouterr() == ("", "")


def test_a_class_that_this_version_has_not_got(folder: Path) -> None:
    figures = CodecFigures(samples_per_frame=1, sample_rate=8000)
    with pytest.raises(ItemError, match="cannot be loaded as FutureModel: AttributeError"):
        load(folder, ModelConfig(name="FutureModel", figures=figures), "cpu")


def test_weights_of_another_shape(folder: Path, tmp_path: Path) -> None:
    import json

    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    config = json.loads((folder / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"codebook_size": 99}))
    with pytest.raises(ItemError, match="cannot be loaded as DacModel: ") as caught:
        load(tmp_path, read_config(tmp_path, CODECS, other=""), "cpu")
    assert caught.value.code == "bad-model"


def test_weights_that_are_missing(folder: Path, tmp_path: Path) -> None:
    check_weights(folder)
    with pytest.raises(OptionError, match="holds no weights, or not all parts") as caught:
        check_weights(tmp_path)
    assert caught.value.code == "no-weights"


def test_a_model_is_kept_by_folder_and_device(folder: Path) -> None:
    loads: list[Any] = []
    models = LoadedModels(lambda *given: loads.append(given) or len(loads))
    config = read_config(folder, CODECS, other="")
    assert [models.get(folder, config, device) for device in ("cpu", "cpu", "auto", "cpu")] == [1, 1, 2, 1]
    assert models.get(folder / "other", config, "cpu") == 3
