"""``tonearm doctor``, as a user sees it."""

import json
import subprocess
import sys

import pytest
from core_toys import registry_of

from tonearm.api import Diagnosis
from tonearm.cli import doctor
from tonearm.cli import main as cli
from tonearm.version import __version__


@pytest.fixture
def examined(monkeypatch, capsys):
    """Return the exit status and the output of the command on a machine with the given diagnoses."""

    def run(*found, arguments=()):
        monkeypatch.setattr(doctor.registry, "default", registry_of)
        monkeypatch.setattr(doctor, "examine", lambda registry, imports: iter(found))
        code = cli.main(["doctor", *arguments])
        return code, capsys.readouterr().out

    return run


GOOD = Diagnosis(group="engines", subject="istft", found="native", use="long clips")
SLOWER = Diagnosis(group="engines", subject="griffin-lim", state="slower", found="scipy", reason="why", hint="mend it")
OTHER = Diagnosis(group="engines", subject="loudness", state="slower", found="scipy", reason="why", hint="mend it")
MISSING = Diagnosis(group="packages", subject="soxr", state="missing", hint="pip install soxr")


def test_the_page(examined):
    code, text = examined(MISSING, GOOD, SLOWER, OTHER)
    assert code == 3
    assert text.startswith(f"tonearm {__version__}, Python {sys.version.split()[0]} (")
    assert text.partition("\n\n")[2] == (
        "engines\n"
        "  ok      istft        native  long clips\n"
        "  slower  griffin-lim  scipy   why\n"
        "  slower  loudness     scipy   why\n"
        "    hint: mend it\n"
        "\n"
        "packages\n"
        "  missing  soxr\n"
        "    hint: pip install soxr\n"
        "\n"
        "1 missing, 2 slower, 1 ok\n"
    )


def test_a_group_of_several_packages_has_one_heading_and_one_line_a_diagnosis(examined):
    other = Diagnosis(group="formats", subject="flac")
    odd = Diagnosis(group="engines", subject="a\nb", found="c\x1b[31m", hint="d\ne", state="slower")
    assert examined(GOOD, other, odd)[1].partition("\n\n")[2] == (
        "engines\n"
        "  ok      istft  native     long clips\n"
        "  slower  a\\nb   c\\x1b[31m\n"
        "    hint: d\\ne\n"
        "\n"
        "formats\n"
        "  ok  flac\n"
        "\n"
        "1 slower, 2 ok\n"
    )


def test_what_is_slower_or_optional_is_no_fault(examined):
    assert examined(SLOWER)[0] == 0
    code, text = examined(GOOD)
    assert code == 0
    assert text.endswith("\nall is well\n")


@pytest.mark.parametrize(("cores", "text"), [(1, ", 1 core\n"), (12, ", 12 cores\n")])
def test_cores_are_those_that_this_process_may_use(examined, monkeypatch, cores, text):
    monkeypatch.setattr(doctor, "usable_cores", lambda: cores)
    assert text in examined(GOOD)[1]
    assert json.loads(examined(GOOD, arguments=["--json"])[1])["cores"] == cores


def test_json(examined):
    code, text = examined(GOOD, MISSING, arguments=["--json"])
    found = json.loads(text)
    assert code == 3
    assert found["tonearm"] == __version__
    assert found["cores"] >= 1
    assert found["diagnoses"][0] == {
        "group": "engines", "subject": "istft", "state": "ok", "found": "native", "use": "long clips", "reason": "",
        "hint": "",
    }  # fmt: skip
    assert found["diagnoses"][1]["state"] == "missing"


def test_the_machine_at_hand_without_heavy_imports():
    """Torch alone takes a second. What each installation has is imported in a process of its own."""
    code = """if True:
        import sys
        from tonearm.cli.main import main
        status = main(["doctor", "--json"])
        heavy = {"torch", "transformers", "librosa", "scipy", "soundfile", "matplotlib", "pyarrow", "av"}
        print(*sorted(heavy & set(sys.modules)), file=sys.stderr)
        sys.exit(status)
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr.strip() == ""
    groups = {one["group"] for one in json.loads(done.stdout)["diagnoses"]}
    assert {"engines", "formats", "caches", "plugins", "plugins that need more", "packages"} <= groups
    assert done.returncode == 0, done.stdout
