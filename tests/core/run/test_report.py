import pytest

from tonearm.run.report import format_size, warning_pattern


@pytest.mark.parametrize(
    ("warning", "kind"),
    [
        ("12 samples", "… samples"),
        ("-3.5e-7 dB of 1,000", "… dB of …"),
        ("the waveform is silent", "the waveform is silent"),
    ],
)
def test_warnings_of_one_kind_differ_in_numbers(warning, kind):
    assert warning_pattern(warning) == kind


@pytest.mark.parametrize(
    ("size", "shown"), [(0, "0 bytes"), (999, "999 bytes"), (1000, "1 kB"), (16_144, "16.1 kB"), (5e15, "5e+03 TB")]
)
def test_sizes(size, shown):
    assert format_size(size) == shown
