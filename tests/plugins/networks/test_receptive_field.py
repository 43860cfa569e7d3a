"""The receptive field, measured in networks whose field is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from network_material import CASES, HOP, LEVELS, MEL, TOKENS, Case, halving, mel_of, network, normalising, vocoder

from tonearm_plugins.networks.planning import Wanted, wanted_by
from tonearm_plugins.networks.receptive_field import Measured, ReceptiveField, measure, measure_rate
from trial_graphs import lstm_codec, noisy_codec, plain_codec, quantised_codec, ragged_codec


@pytest.mark.parametrize("case", {case.name: case for case in CASES if case.is_exact}.values(), ids=str)
def test_the_models_have_the_field_that_double_precision_says(case: Case) -> None:
    signal = case.signal()
    dialect = getattr(signal, "dialect", None)
    wanted = wanted_by(signal, dialect)
    rate = case.facts.get("samples_per_frame", 1) if case.facts["kind"] != "spectrum" else 1
    found = measure(network(case.path, wanted), signal.block_array(), rate=rate)
    assert found == Measured(rate, 0, ReceptiveField(*case.field))


def test_a_running_phase_reaches_back_without_end(tmp_path: Path) -> None:
    (case, *_) = (case for case in CASES if case.name == "nsf_tiny")
    mel, f0 = case.arrays("in")
    wanted = Wanted(kind="mel", bands=80, sample_rate=44100, samples_per_frame=256)
    net = network(case.path, wanted, inputs={"f0": 0.0})
    net.given["f0"] = np.full_like(f0, 200)
    assert measure(net, mel).field is None


@pytest.mark.parametrize(("less", "more", "surplus"), [((0, 0), 0, 0), ((8, 8), 0, -16), ((0, 0), 40, 40)])
def test_surplus_is_told_from_the_rate(tmp_path: Path, less: tuple[int, int], more: int, surplus: int) -> None:
    net = network(vocoder(tmp_path / "v.onnx", less=less, more=more), MEL)
    assert measure_rate(net, mel_of(9)) == Measured(HOP, surplus)
    found = measure(net, mel_of(9))
    assert (found.rate, found.surplus) == (HOP, surplus)
    assert found.field is not None
    assert 4 <= found.field.left + found.field.right <= 4 + -(-abs(surplus) // HOP)


def test_what_is_no_whole_number_of_samples_is_said(tmp_path: Path) -> None:
    from network_material import fractional

    assert measure(network(fractional(tmp_path / "f.onnx"), MEL), mel_of(9)) == Measured(None)


@pytest.mark.parametrize("make", [lstm_codec, noisy_codec, quantised_codec])
def test_codecs_whose_chunks_are_not_exact(tmp_path: Path, make: object) -> None:
    path = make(tmp_path / "c.onnx")  # type: ignore[operator]
    found = measure(network(path, TOKENS), np.zeros((1, 4, 5), np.int32), sizes=(64,) * 4)
    exact = measure(network(plain_codec(tmp_path / "p.onnx"), TOKENS), np.zeros((1, 4, 5), np.int32), sizes=(64,) * 4)
    assert exact.field == ReceptiveField(2, 2)
    assert found.field is None or found.field.left > 8  # an LSTM may forget


def test_a_mean_over_all_frames_has_none(tmp_path: Path) -> None:
    assert measure(network(normalising(tmp_path / "n.onnx"), MEL), mel_of(9)).field is None


def test_shifts_by_even_numbers_alone(tmp_path: Path) -> None:
    assert measure(network(halving(tmp_path / "h.onnx"), MEL), mel_of(9)).field == ReceptiveField(2, 2, step=2)


@pytest.mark.parametrize("frames", [None, 8])
def test_levels_count_frames_of_the_coarsest(tmp_path: Path, frames: int | None) -> None:
    net = network(ragged_codec(tmp_path / "r.onnx", frames), LEVELS)
    assert measure(net, np.zeros((1, 7, 5), np.int32), sizes=(64,) * 7, rate=320).field == ReceptiveField(2, 2)


def test_windows_of_a_fixed_size(tmp_path: Path) -> None:
    assert measure(network(vocoder(tmp_path / "9.onnx", frames=9, batch=1), MEL), mel_of(9)).field == (
        ReceptiveField(2, 2)
    )
    assert measure(network(vocoder(tmp_path / "4.onnx", frames=4, batch=1), MEL), mel_of(9)).field is None


@pytest.mark.parametrize("level", [-11.5, 0.0, 1e6])
def test_a_sample_without_any_change_is_no_hindrance(tmp_path: Path, level: float) -> None:
    sample = np.full((1, 12, 3), level, np.float32)
    found = measure(network(vocoder(tmp_path / "v.onnx"), MEL), sample).field
    assert found is None or found == ReceptiveField(2, 2)
    if level <= 0:
        assert found == ReceptiveField(2, 2)


def test_it_is_measured_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    net = network(vocoder(tmp_path / "v.onnx"), MEL)
    first = measure(net, mel_of(9))
    monkeypatch.setattr(net.model, "run", None)
    assert measure(net, mel_of(20)) is first


def test_a_given_field_is_not_measured(tmp_path: Path) -> None:
    net = network(vocoder(tmp_path / "v.onnx"), MEL)
    assert measure(net, mel_of(9), field=ReceptiveField(7, 8)) == Measured(HOP, 0, ReceptiveField(7, 8))


def test_trials_stay_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A network that reaches over all frames is not tried on longer and longer signals."""
    monkeypatch.setattr("tonearm_plugins.networks.receptive_field.MOST_COLUMNS", 64 * HOP)
    net, lengths = network(normalising(tmp_path / "n.onnx"), MEL), []
    original = net.model.run

    def counted(feeds: dict[str, np.ndarray], outputs: list[str]) -> object:
        lengths.append(feeds["mel"].shape[2])
        return original(feeds, outputs)

    monkeypatch.setattr(net.model, "run", counted)
    assert measure(net, mel_of(9)).field is None
    assert max(lengths) == 72
