import pytest

from tonearm_plugins.dsp import errors


@pytest.mark.parametrize("name", ["ShapeError", "NotInvertibleError", "EngineError", "NotFiniteError"])
def test_who_catches_value_errors_catches_them_all(name):
    assert issubclass(getattr(errors, name), ValueError)
