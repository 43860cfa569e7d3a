import re
import subprocess
import sys
import zipfile
from importlib import metadata

import pytest

from tonearm.api import Decoder, Signal
from tonearm.plugins import discovery
from tonearm.plugins.discovery import EntryPoint, Package, entry_points, installed_packages

ENTRY = "[tonearm]\nacme = tonearm_acme\n"


@pytest.fixture
def site(tmp_path, monkeypatch):
    """An empty folder that is all of the path."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.setattr(sys, "path", [str(folder)])
    return folder


def package(folder, name="acme-1.2.dist-info", text=ENTRY, **fields):
    made = folder / name
    made.mkdir(parents=True, exist_ok=True)
    (made / "entry_points.txt").write_text(text, encoding="utf-8")
    known = {"Metadata-Version": "2.1", "Name": name.split("-")[0], "Version": "1.2", **fields}
    text = "".join(f"{key}: {value}\n" for key, value in known.items())
    (made / ("METADATA" if name.endswith(".dist-info") else "PKG-INFO")).write_text(text)
    return made


def normal(name):
    return re.sub(r"[-_.]+", "_", name).lower()


def as_python_sees_it():
    """Return what `importlib.metadata` says, as the same records."""
    return [
        EntryPoint(point.name, point.value, normal(point.dist.name), point.dist.version)
        for point in metadata.entry_points(group="tonearm")
    ]


def test_it_agrees_with_importlib_on_this_environment(monkeypatch):
    found = entry_points()
    assert sorted((p.name, p.value, normal(p.package), p.version) for p in found) == sorted(
        (p.name, p.value, p.package, p.version) for p in as_python_sees_it()
    )
    assert EntryPoint("builtin", "tonearm_plugins", "tonearm", metadata.version("tonearm")) in found
    assert sorted(map(str, discovery._ask_importlib())) == sorted(map(str, found))


@pytest.mark.parametrize("group", ["console_scripts", "pytest11", "hypothesis", "mypy", "distutils.commands"])
def test_it_agrees_on_groups_that_have_more(group, monkeypatch):
    monkeypatch.setattr(discovery, "PROJECT", group)
    monkeypatch.setattr(discovery, "_HEADING", f"[{group}]")
    expected = {(p.name, p.value.partition("[")[0].strip()) for p in metadata.entry_points(group=group)}
    assert {(p.name, p.value) for p in discovery._scan_folders()} == expected


def test_importlib_metadata_is_not_imported():
    code = "import sys, tonearm.plugins.discovery as d; assert d.entry_points(); print('importlib.metadata' in sys.modules)"  # noqa: E501
    done = subprocess.run([sys.executable, "-S", "-c", f"import sys; sys.path[:] = {sys.path}; {code}"],
                          capture_output=True, text=True, check=True)  # fmt: skip
    assert done.stdout == "False\n"


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("acme-1.2.dist-info", ("acme", "1.2")),
        ("my_acme-1.2.dist-info", ("my_acme", "1.2")),
        ("my-acme-1.2.dist-info", ("my_acme", "1.2")),
        ("acme.tools-1.2.dist-info", ("acme_tools", "1.2")),
        ("acme-1.2-py3.11.egg-info", ("acme", "1.2")),
        ("acme.egg-info", ("acme", "")),
        ("my_acme-1.2rc1+local.dist-info", ("my_acme", "1.2rc1+local")),
    ],
)
def test_names_of_metadata_folders(site, name, known):
    package(site, name)
    assert entry_points() == [EntryPoint("acme", "tonearm_acme", *known)]


ODD = {
    "": [],
    "[other]\na = b\n": [],
    "[tonearm.more]\na = b\n": [],
    "a = b\n[tonearm]\n": [],
    "[tonearm]\na=b\n": [("a", "b")],
    "\n\n[tonearm]\r\n  a  =  b:c  \r\n": [("a", "b:c")],
    "[tonearm]\n# a = b\n; c = d\n\ne = f\n": [("e", "f")],
    "[tonearm]\na = b [extra, more]\n": [("a", "b")],
    "[one]\nx = y\n[tonearm]\na = b\n[two]\nc = d\n": [("a", "b")],
    "[tonearm]\nno equals sign\na = b\n": [("a", "b")],
    "[tonearm]\n= b\na = b\n": [("a", "b")],
    "[tonearm]\na =\n": [("a", "")],
    "[tonearm]\na = b = c\n": [("a", "b = c")],
    "[tonearm]\nÄ = b\n": [("Ä", "b")],
    "[tonearm]\na = b\n[other]\nc = d\n[tonearm]\ne = f\n": [("a", "b"), ("e", "f")],
}


@pytest.mark.parametrize("text", ODD)
def test_odd_files(site, text):
    package(site, text=text)
    assert [(point.name, point.value) for point in entry_points()] == ODD[text]


def test_what_cannot_be_read_is_passed_over(site):
    package(site)
    (package(site, "bad-1.dist-info") / "entry_points.txt").write_bytes(b"[tonearm]\n\xff = b\n")
    (site / "file-1.egg-info").write_text("Name: file")
    (site / "none-1.dist-info").mkdir()
    (site / "folder-1.dist-info" / "entry_points.txt").mkdir(parents=True)
    sys.path += [str(site / "gone"), str(site)]
    assert [point.package for point in entry_points()] == ["acme"]


class TestShadowing:
    def test_the_first_on_the_path_wins(self, site, tmp_path):
        package(site, text="[tonearm]\na = new\n")
        package(tmp_path / "late", "acme-1.0.dist-info", "[tonearm]\na = old\nb = old\n")
        sys.path.append(str(tmp_path / "late"))
        assert entry_points() == [EntryPoint("a", "new", "acme", "1.2")]
        assert as_python_sees_it() == entry_points()

    def test_a_first_one_without_entry_points_hides_the_second(self, site, tmp_path):
        (site / "Acme-2.dist-info").mkdir()
        package(tmp_path / "late")
        sys.path.append(str(tmp_path / "late"))
        assert entry_points() == []
        assert as_python_sees_it() == []

    def test_an_empty_entry_is_the_current_folder(self, site, monkeypatch):
        package(site)
        monkeypatch.chdir(site)
        monkeypatch.setattr(sys, "path", [""])
        assert [point.name for point in entry_points()] == ["acme"]


class TestNotOnlyFolders:
    def test_a_zip_file_on_the_path(self, site, tmp_path):
        package(site, "zeta-3.dist-info", "[tonearm]\nzeta = z\n", Version="3")
        archive = tmp_path / "packages.zip"
        with zipfile.ZipFile(archive, "w") as file:
            file.writestr("my_acme-1.2.dist-info/entry_points.txt", ENTRY)
            file.writestr("my_acme-1.2.dist-info/METADATA", "Metadata-Version: 2.1\nName: my-acme\nVersion: 1.2\n")
            file.writestr("tonearm_acme.py", "here = 'zip'\n")
        sys.path.append(str(archive))
        first, second = entry_points()
        assert first == EntryPoint("zeta", "z", "zeta", "3")
        assert second == EntryPoint("acme", "tonearm_acme", "my_acme", "1.2")
        try:
            assert second.load().here == "zip"
        finally:
            sys.modules.pop("tonearm_acme", None)

    def test_an_egg(self, site):
        egg = site / "acme-1.2-py3.11.egg"
        info = package(egg, "EGG-INFO")
        (info / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.2\n")
        sys.path.append(str(egg))
        assert entry_points() == [EntryPoint("acme", "tonearm_acme", "acme", "1.2")]

    def test_damaged_metadata_hide_nobody_else(self, site, tmp_path):
        with zipfile.ZipFile(tmp_path / "empty.zip", "w"):
            pass
        sys.path.append(str(tmp_path / "empty.zip"))
        (package(site, "bad-1.dist-info") / "METADATA").unlink()
        (package(site, "worse-1.dist-info") / "entry_points.txt").write_bytes(b"[tonearm]\n\xff = b\n")
        package(site)
        assert [point.package for point in entry_points()] == ["acme"]


class TestLoading:
    @pytest.mark.parametrize("value", ["core_things", "core_things:Box", "core_things:Box.inner", "core_things : Box"])
    def test_a_module_or_what_is_in_it(self, value, tmp_path, monkeypatch):
        (tmp_path / "core_things.py").write_text("class Box:\n    inner = 7\n")
        monkeypatch.syspath_prepend(tmp_path)
        found = EntryPoint("acme", value, "acme", "1").load()
        module = sys.modules.pop("core_things")
        expected = {"core_things": module, "core_things:Box.inner": 7}.get(value, module.Box)
        assert found is expected

    @pytest.mark.parametrize(
        ("value", "error"), [("", ValueError), ("no_such", ImportError), ("sys:no", AttributeError)]
    )
    def test_what_is_not_there(self, value, error):
        with pytest.raises(error):
            EntryPoint("acme", value, "acme", "1").load()


class TestInstalled:
    def test_the_built_in_one_comes_first_and_keeps_its_name(self, monkeypatch):
        points = [
            EntryPoint("acme", "a", "aaa", "1"),
            EntryPoint("builtin", "evil", "aaa", "1"),
            EntryPoint("builtin", "tonearm_plugins", "tonearm", "0.1.0"),
        ]
        monkeypatch.setattr(discovery, "entry_points", lambda: points)
        assert [(found.origin, found.label) for found in installed_packages()] == [
            ("builtin", "tonearm 0.1.0"), ("acme", "aaa 1"), ("aaa", "aaa 1")
        ]  # fmt: skip

    def test_nobody_is_builtin_but_tonearm(self, monkeypatch):
        monkeypatch.setattr(discovery, "entry_points", lambda: [EntryPoint("builtin", "evil", "acme", "1")])
        assert [found.origin for found in installed_packages()] == ["acme"]

    def test_every_origin_is_another(self, monkeypatch):
        points = [EntryPoint(name, "m", package, "") for name in "ab" for package in "abc"]
        monkeypatch.setattr(discovery, "entry_points", lambda: points)
        found = list(installed_packages())
        assert len({one.origin for one in found}) == 6
        assert {one.label for one in found} == {"a", "b", "c"}

    def test_what_is_installed_here_is_whole(self, installed):
        assert {entry.origin for entry in installed.entries()} >= {"builtin"}
        assert issubclass(installed.find("decoder", "npy-reader").resolve(), Decoder)
        assert isinstance(next(iter(installed_packages())), Package)
        assert Signal.port == "signal"
