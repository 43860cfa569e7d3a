"""Requirements are looked for without importing anything."""

import sys

import pytest

from tonearm.api import (
    Requirement,
)


class TestRequirement:
    @pytest.mark.parametrize(
        ("name", "program", "there"),
        [
            ("numpy", False, True),
            ("numpy.fft", False, True),
            ("no_such_module", False, False),
            ("no_such_module.part", False, False),
            ("sh", True, True),
            ("no-such-program", True, False),
            ("numpy", True, False),
            ("sh", False, False),
        ],
    )
    def test_it_is_looked_for(self, name, program, there):
        assert Requirement(name=name, program=program, hint="").is_met() is there

    def test_nothing_is_imported(self, tmp_path, monkeypatch):
        package = tmp_path / "toy_package"
        package.mkdir()
        (package / "__init__.py").write_text("raise SystemExit")
        monkeypatch.syspath_prepend(tmp_path)
        assert Requirement(name="toy_package.inner", hint="").is_met()
        assert "toy_package" not in sys.modules
