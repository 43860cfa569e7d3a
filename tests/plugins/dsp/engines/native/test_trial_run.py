"""The program of a trial, with kernels that are right and kernels that are not."""

import numpy as np
import pytest
from dsp_material import only_native

from tonearm_plugins.dsp.engines.native import trial_run
from tonearm_plugins.dsp.engines.native.engine import NativeEngine
from tonearm_plugins.dsp.engines.native.trial import PASSED

pytestmark = only_native


def test_it_says_that_the_kernels_run(capsys):
    trial_run.main()
    assert capsys.readouterr().out.strip() == PASSED


@pytest.mark.parametrize(
    ("method", "reason"), [("stft", "its STFT"), ("istft", "its inverse STFT"), ("recover", "its phase recovery")]
)
@pytest.mark.parametrize("value", [0, np.nan])
def test_wrong_numbers_fail_it(method, reason, value, monkeypatch, capsys):
    right = getattr(NativeEngine, method)

    def wrong(self, *arguments, out, **options):
        result = right(self, *arguments, out=out, **options)
        out[..., out.shape[-1] // 2] = value
        return [one._replace(distance=one.energy) for one in result] if result else result

    monkeypatch.setattr(NativeEngine, method, wrong)
    with pytest.raises(SystemExit, match=f"^{reason} is wrong"):
        trial_run.main()
    assert not capsys.readouterr().out
