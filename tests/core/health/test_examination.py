"""The examination of packages and plugins: each state has its reason, and the line that mends it."""

import pytest
from core_toys import RawWriter, hooks, package_of, registry_of

from tonearm.api import Diagnosis, Requirement
from tonearm.health import examination
from tonearm.health.examination import examine, plugin_diagnoses
from tonearm.health.packages import Dependency
from tonearm.plugins.registry import Registry

GOOD = Diagnosis(group="engines", subject="toys", found="wood")


class Needy(RawWriter):
    """Write with packages that are not there."""

    requires = (
        Requirement(name="json", hint=""),
        Requirement(name="no_such_module", package="no-such", at_least="2", hint="pip install no-such"),
    )


class Met(RawWriter):
    """Write with packages that are there."""

    requires = (Requirement(name="json", hint=""),)


@pytest.fixture
def machine(monkeypatch):
    """A machine with the given packages, of which some cannot be imported."""

    def given(*found, failing=None):
        tried = []
        monkeypatch.setattr(examination, "dependencies", lambda: list(found))
        monkeypatch.setattr(examination, "failing_imports", lambda names: tried.extend(names) or failing or {})
        return tried

    given()
    return given


def of(group, registry, **options):
    return [one for one in examine(registry, **options) if one.group == group]


def test_diagnoses_of_plugins_come_first_and_a_package_that_fails_is_one(machine):
    def broken():
        yield GOOD
        raise RuntimeError("no luck")

    found = Registry(
        [
            package_of("a", hooks(diagnoses=[GOOD])),
            package_of("b", hooks(diagnoses=broken)),
            package_of("c", hooks(diagnoses=["x"])),
            package_of("d", hooks(diagnoses=3)),
        ]
    )
    assert list(plugin_diagnoses(found)) == [
        GOOD,
        GOOD,
        *(
            Diagnosis(
                group="plugins",
                subject=f"tonearm_{name} 1.2",
                state="broken",
                reason=f"tonearm_diagnoses of tonearm_{name} 1.2 is disabled: {reason}",
                hint="update or uninstall the package that it comes from",
            )
            for name, reason in (
                ("b", "RuntimeError: no luck"),
                ("c", "TypeError: it gives str, not Diagnosis"),
                ("d", "TypeError: it gives int, not Diagnosis"),
            )
        ),
    ]
    assert list(examine(found))[:2] == [GOOD, GOOD]


def test_a_package_that_misses_one_of_tonearms_own_is_mended_by_that():
    def broken():
        raise ModuleNotFoundError("No module named 'numpy'", name="numpy")

    (one,) = plugin_diagnoses(Registry([package_of("b", hooks(diagnoses=broken))]))
    assert (one.state, one.hint) == ("broken", "pip install numpy")


def test_plugins_that_cannot_be_loaded(machine):
    found = registry_of(encoders={"lost-writer": "no_such_module:Lost"})
    good, broken = of("plugins", found)
    assert (good.subject, good.state) == ("tonearm_toys 1.2", "ok")
    assert good.found.endswith(" plugins")
    assert broken == Diagnosis(
        group="plugins",
        subject="encoder 'lost-writer' of tonearm_toys 1.2",
        state="broken",
        reason="ModuleNotFoundError: No module named 'no_such_module'",
        hint="update or uninstall the package that it comes from",
    )
    assert broken.is_fault


def test_plugins_that_need_more(machine):
    found = registry_of(encoders={"needy-writer": Needy, "met-writer": Met})
    assert of("plugins that need more", found) == [
        Diagnosis(group="plugins that need more", subject="met-writer", found="the package 'json'"),
        Diagnosis(
            group="plugins that need more",
            subject="needy-writer",
            state="absent",
            reason="the package 'no-such' 2 or newer is not installed",
            hint="pip install no-such",
        ),
    ]


def test_packages(machine):
    machine(
        Dependency(name="numpy", at_least="2.0", installed="2.4"),
        Dependency(name="scipy", at_least="1.13", installed="1.9"),
        Dependency(name="soundfile", at_least="0.13", installed="0.14"),
        Dependency(name="soxr", at_least="0.5"),
        failing={"soundfile": "OSError: sndfile library not found"},
    )
    found = [(one.subject, one.state, one.found, one.reason, one.hint) for one in of("packages", registry_of())]
    assert found == [
        ("numpy", "ok", "2.4", "", ""),
        ("scipy", "broken", "1.9", "1.13 or newer is needed", "pip install -U 'scipy>=1.13'"),
        (
            *("soundfile", "broken", "0.14", "OSError: sndfile library not found"),
            "pip install --force-reinstall --no-deps soundfile",
        ),
        ("soxr", "missing", "", "", "pip install 'soxr>=0.5'"),
    ]


def test_optional_packages_are_imported_on_request_alone(machine):
    torch = Dependency(name="torch", at_least="2.10", extras=("torch",), installed="2.13")
    absent = Dependency(name="zarr", at_least="3", extras=("zarr",))
    tried = machine(torch, absent, Dependency(name="pyyaml", installed="6.0"))
    assert [one.state for one in of("optional packages", registry_of())] == ["ok", "absent"]
    assert tried == ["yaml"]
    tried.clear()
    assert not any(one.is_fault for one in examine(registry_of(), imports=True))
    assert tried == ["torch", "yaml"]


def test_a_checkout_that_is_not_installed(machine):
    (one,) = of("packages", registry_of())
    assert one.reason == "tonearm is not installed as a package, so nothing tells which packages it needs"
    assert not one.is_fault
