"""The recipe that a vocoder was trained for."""

import pytest

from tonearm.api import MelDialect, OptionError
from tonearm.plugins.registry import default
from tonearm_plugins.networks.trained_dialect import check_trained_dialect

HIFIGAN = default().catalogue(MelDialect).find("hifigan")


def test_the_same_figures_by_another_name_fit() -> None:
    check_trained_dialect(HIFIGAN, HIFIGAN.replace(name="other"))


def test_differences_are_named_and_counted() -> None:
    coqui = default().catalogue(MelDialect).find("coqui")
    with pytest.raises(OptionError) as caught:
        check_trained_dialect(HIFIGAN, coqui)
    assert caught.value.code == "dialect-mismatch"
    assert caught.value.message == (
        "the vocoder takes the recipe hifigan, but the mel spectrogram is in coqui: padding center"
        " for half-overlap, fmax 11025 for 8000, magnitude_guard 0 for 1e-09, floor 1e-08 for 1e-05 and 3 more"
    )
    with pytest.raises(OptionError, match=r"log10 for ln$"):
        check_trained_dialect(HIFIGAN, HIFIGAN.replace(log="log10", name="other"))
