import pytest

from tonearm.run.report import kind_of, size_of


@pytest.mark.parametrize(
    ("warning", "kind"),
    [("12 samples", "… samples"), ("-3.5e-7 dB of 1,000", "… dB of …"), ("it is silent", "it is silent")],
)
def test_warnings_of_one_kind_differ_in_numbers(warning, kind):
    assert kind_of(warning) == kind


@pytest.mark.parametrize(
    ("size", "shown"), [(0, "0 bytes"), (999, "999 bytes"), (1000, "1 kB"), (16_144, "16.1 kB"), (5e15, "5e+03 TB")]
)
def test_sizes(size, shown):
    assert size_of(size) == shown
