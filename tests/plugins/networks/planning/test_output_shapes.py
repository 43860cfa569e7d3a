"""Shapes of outputs."""

from __future__ import annotations

import pytest
from network_headers import tensor

from tonearm_plugins.networks.plan import PlannedOutput
from tonearm_plugins.networks.planning import output_shapes as shapes


@pytest.mark.parametrize(
    ("shape", "found"),
    [
        ("", ""),
        ("(n)", "sample"),
        ("(batch, samples)", "batch sample"),
        ("(1, 7680)", "batch sample"),
        ("(?, ?)", "batch sample"),
        ("(channels, samples)", "channel sample"),
        ("(samples, 1)", "sample one"),
        ("(batch, 1, samples)", "batch channel sample"),
        ("(batch, 2, samples)", "batch channel sample"),
        ("(batch, samples, 2)", "batch sample channel"),
        ("(batch, 1, 1, samples)", "batch one channel sample"),
        ("(batch, 9, samples)", None),
        ("(batch, 513, frames)", None),
        ("(batch, 513)", "batch sample"),
        ("(batch, freq, frames)", None),
        ("(batch, 256, n)", None),
        ("(1, 1, 1, 1, 9)", None),
        ("()", None),
    ],
)
def test_waveforms(shape: str, found: str | None) -> None:
    made = shapes.waveform_axes(tensor(f"wav float32 {shape}".rstrip()))
    assert (None if made is None else " ".join(made)) == found
    assert shapes.can_be_waveform(tensor(f"wav float32 {shape}".rstrip())) == (found is not None)


@pytest.mark.parametrize("shape", ["(n)", "(batch, 1, n)", "(?, samples)", "(batch, n, 1)"])
def test_some_shapes_are_those_of_waveforms_alone(shape: str) -> None:
    assert shapes.is_surely_waveform(tensor(f"a float32 {shape}"))


@pytest.mark.parametrize("shape", ["(?, ?)", "(1, n)", "(batch, n)", "(batch, 64, 2)"])
def test_others_may_be_anything(shape: str) -> None:
    assert not shapes.is_surely_waveform(tensor(f"a float32 {shape}"))


@pytest.mark.parametrize(
    ("shape", "found"),
    [
        ("(1026, frames)", "complex-bin frame"),
        ("(batch, 1026, frames)", "batch complex-bin frame"),
        ("(batch, frames, 1026)", "batch frame complex-bin"),
        ("(batch, 1, 1026, frames)", "batch one complex-bin frame"),
        ("(2, 513, frames)", "complex bin frame"),
        ("(513, frames, 2)", "bin frame complex"),
        ("(frames, 513, 2)", "frame bin complex"),
        ("(batch, 2, 513, frames)", "batch complex bin frame"),
        ("(batch, 2, frames, 513)", "batch complex frame bin"),
        ("(batch, 513, frames, 2)", "batch bin frame complex"),
        ("(batch, frames, 513, 2)", "batch frame bin complex"),
        ("(batch, 513, frames, 3)", None),
        ("(batch, 1025, frames)", None),
    ],
)
def test_complex_spectra(shape: str, found: str | None) -> None:
    made = shapes.complex_axes(tensor(f"spec float32 {shape}"), None)
    assert (None if made is None else " ".join(made)) == found
    if found:
        assert shapes.complex_axes(tensor(f"spec float32 {shape}"), 513) == made
        assert shapes.complex_axes(tensor(f"spec float32 {shape}"), 257) is None
        assert shapes.is_surely_complex(tensor(f"spec float32 {shape}"), None)
        assert (
            shapes.bins_of([PlannedOutput(tensor=tensor(f"spec float32 {shape}"), role="complex", axes=made or ())])
            == 513
        )


def test_an_even_number_of_bins_is_doubted_unless_it_is_known() -> None:
    frames = tensor("a float32 (batch, frames, 256)")  # samples of a frame, as likely
    assert not shapes.is_surely_complex(frames, None)
    assert shapes.is_surely_complex(frames, 128)
    assert not shapes.is_surely_complex(frames, 129)


def test_parts() -> None:
    assert shapes.part_axes(tensor("mag float32 (batch, 513, frames)"), None) == ("batch", "bin", "frame")
    assert shapes.part_axes(tensor("mag float32 (batch, frames, 513)"), 513) == ("batch", "frame", "bin")
    assert shapes.part_axes(tensor("mag float32 (batch, 1, 513, frames)"), 513) == ("batch", "one", "bin", "frame")
    assert shapes.part_axes(tensor("mag float32 (batch, 513, frames)"), 257) is None


def test_bins_that_the_header_does_not_say_are_not_known() -> None:
    part = PlannedOutput(tensor=tensor("mag float32 (?, ?, ?)"), role="magnitude", axes=("batch", "bin", "frame"))
    assert shapes.bins_of([part]) is None
