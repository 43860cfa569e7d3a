import os

import numpy as np
import pytest

from tonearm.errors import UsageError
from tonearm.run.sources.finding import find_sources


@pytest.fixture
def tree(folder):
    """A tree of files in the current folder."""
    for name in (
        "a.npy",
        "b.npy",
        "B.NPY",
        "c.txt",
        ".hidden.npy",
        "x/a.npy",
        "x/y/a.npy",
        "x/y/z.txt",
        ".tonearm/a.npy",
    ):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    return folder


def names(*patterns, base="", suffixes=(".npy",), **more):
    return [(source.name, source.relative_dir) for source in find_sources(patterns, base, suffixes, **more)]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("a.npy", [("a.npy", ".")]),
        ("c.txt", [("c.txt", ".")]),  # named outright, it is taken whatever its suffix
        ("*.npy", [("a.npy", "."), ("b.npy", ".")]),
        ("[ab].npy", [("a.npy", "."), ("b.npy", ".")]),
        ("?.NPY", [("B.NPY", ".")]),
        (".*.npy", [(".hidden.npy", ".")]),
        (".", [("B.NPY", "."), ("a.npy", "."), ("b.npy", "."), ("x/a.npy", "x"), ("x/y/a.npy", "x/y")]),
        ("x", [("x/a.npy", "."), ("x/y/a.npy", "y")]),
        ("**/a.npy", [("a.npy", "."), ("x/a.npy", "x"), ("x/y/a.npy", "x/y")]),
        ("x/**", [("x/a.npy", "."), ("x/y/a.npy", "y"), ("x/y/z.txt", "y")]),
        ("*/y/*.txt", [("x/y/z.txt", "x/y")]),
        ("x/*/a.npy", [("x/y/a.npy", "y")]),
        ("x/../a.npy", [("a.npy", ".")]),
        ("*/nothing.npy", []),
    ],
)
def test_what_patterns_name(tree, pattern, found):
    assert names(pattern) == found


def test_a_search_tells_what_it_found(tree):
    def found(*patterns):
        return {source.name: source.found for source in find_sources(patterns, "", (".npy",))}

    assert found("a.npy", "*.npy") == {"a.npy": False, "b.npy": True}
    assert found("x") == {"x/a.npy": True, "x/y/a.npy": True}


@pytest.mark.parametrize("pattern", [".*/*.npy", ".*", "**/.*", ".tonearm*"])
def test_no_search_finds_what_belongs_to_runs(tree, pattern):
    (tree / ".tonearm-00000000-1.npy").touch()
    assert [name for name, _ in names(pattern)] == ([] if "/*" in pattern or "ton" in pattern else [".hidden.npy"])


def test_copies_in_a_quarantine_are_found_only_if_it_is_named(tree):
    (tree / "x/y/.tonearm-quarantine").touch()
    warnings = []
    found = names("**/*.npy", ".", "x/*/*.npy", warn=warnings.append)
    assert ("x/a.npy", "x") in found
    assert all("x/y" not in name for name, _folder in found)
    assert set(warnings) == {
        "x/y is a quarantine: its files are not converted unless you name the folder",
        f"x/*/*.npy matches no source in {tree}",
    }
    for pattern in ("x/y", "x/y/*.npy", "x/y/**", "x/y/a.npy"):
        assert ("x/y/a.npy", ".") in names(pattern)


def test_arrays_are_named_by_their_places(tree):
    array = np.zeros(3)
    sources = list(find_sources(["a.npy", array, "[ab].npy", array], "", (".npy",)))
    assert [(one.name, one.stem) for one in sources] == [
        ("a.npy", "a"), ("<array 1>", "array-1"), ("b.npy", "b"), ("<array 3>", "array-3"),
    ]  # fmt: skip
    assert [one.array is array for one in sources] == [False, True, False, True]


def test_each_file_comes_once_in_the_order_of_names(tree):
    assert [name for name, _ in names("x", "**/*.npy", "x/a.npy", tree / "x")] == [
        "x/a.npy", "x/y/a.npy", "a.npy", "b.npy",
    ]  # fmt: skip


def test_what_is_there_under_a_name_with_magic_in_it(folder):
    (folder / "a[1].npy").write_text("")
    (folder / "a1.npy").write_text("")
    assert names("a[1].npy") == [("a[1].npy", ".")]


@pytest.mark.parametrize(
    ("pattern", "hidden"),
    [
        ("*.npy", ["a1.npy", "b.npy"]),
        ("?.npy", ["b.npy"]),
        ("a?.npy", ["a1.npy"]),
        ("**", ["a1.npy", "b.npy"]),
        ("*", ["a1.npy", "b.npy"]),
    ],
)
def test_a_file_with_the_name_of_a_pattern_hides_nothing(folder, pattern, hidden):
    for name in ("a1.npy", "b.npy", pattern):
        (folder / name).write_text("")
    assert {name for name, _ in names(pattern)} == {*hidden, pattern}
    assert len(names(pattern)) == len(hidden) + 1


@pytest.mark.parametrize("name", ["*", "d*", "**"])
def test_a_folder_with_the_name_of_a_pattern_hides_nothing(folder, name):
    for one in (folder / name, folder / "d1"):
        one.mkdir()
        (one / "a.npy").write_text("")
    assert {path for path, _ in names(f"{name}/*.npy")} >= {f"{name}/a.npy", "d1/a.npy"}


def test_in_a_pipeline_brackets_are_a_pattern_before_they_are_a_name(folder):
    for name in ("a.npy", "b.npy", "[ab].npy"):
        (folder / name).write_text("")
    assert names("[ab].npy", written=True) == [("a.npy", "."), ("b.npy", "."), ("[ab].npy", ".")]


def test_brackets_and_stars_in_the_name_of_the_base_are_no_pattern(folder):
    base = folder / "run [1]*"
    (base / "x").mkdir(parents=True)
    (base / "x" / "a.npy").write_text("")
    for pattern in ("x/a.npy", "**/*.npy", "x", "."):
        assert [name for name, _ in names(pattern, base=base)] == [f"{base}/x/a.npy"]


def test_relative_ones_start_at_the_base(tree, monkeypatch):
    monkeypatch.chdir("/")
    assert names("x/*.npy", base=tree) == [(f"{tree}/x/a.npy", ".")]
    assert names(f"{tree}/x/a.npy", base="/elsewhere") == [(f"{tree}/x/a.npy", ".")]


def test_odd_names(folder):
    odd = [
        "new\nline.npy",
        "\x1b[31m.npy",
        os.fsdecode(b"\xff\xfe.npy"),
        "é 音.npy",
        "a" * 251 + ".npy",
        "-.npy",
        "[.npy",
    ]
    for name in odd:
        (folder / name).write_text("")
    assert sorted(name for name, _ in names("*.npy")) == sorted(odd)


def test_links_and_what_is_no_file(folder):
    (folder / "d").mkdir()
    os.mkfifo("d/pipe.npy")
    os.symlink("nowhere", "d/dangling.npy")
    os.symlink("loop.npy", "d/loop.npy")
    os.symlink("..", "d/up")
    (folder / "d" / "a.npy").write_text("")
    found = ["d/a.npy", "d/dangling.npy", "d/loop.npy", "d/pipe.npy"]
    assert [name for name, _ in names("d/*.npy")] == found
    assert [name for name, _ in names("d/**/*.npy")] == found  # and not for ever
    assert names("d/dangling.npy") == [("d/dangling.npy", ".")]


def test_what_is_not_there(folder):
    with pytest.raises(UsageError) as caught:
        names("a.npy")
    assert (caught.value.code, caught.value.message) == ("no-source", f"there is no file a.npy in {folder}")


def test_it_is_lazy(tree):
    stream = find_sources(["a.npy", "none.npy"], "", (".npy",))
    assert next(stream).name == "a.npy"
    with pytest.raises(UsageError):
        next(stream)


class TestWhatMayBeMissed:
    def test_a_pattern_that_nothing_matches(self, tree):
        said = []
        assert names("none/*.npy", "a.npy", warn=said.append) == [("a.npy", ".")]
        assert said == [f"none/*.npy matches no source in {tree}"]

    def test_an_absolute_pattern_has_no_folder(self, tree):
        said = []
        assert names(f"{tree}/none/*.npy", "c.txt/*", base="x", warn=said.append) == []
        assert said == [f"{tree}/none/*.npy matches no source", f"c.txt/* matches no source in {tree}/x"]

    def test_a_folder_without_a_file_that_the_decoder_reads(self, tree):
        said = []
        assert names("x", suffixes=(".flac", ".ogg"), warn=said.append) == []
        assert said == [f"the folder x in {tree} has no file that the decoder reads: .flac, .ogg"]

    def test_a_folder_that_cannot_be_looked_into(self, tree, monkeypatch):
        real = os.scandir

        def refuse(path):
            if str(path).endswith("y"):
                raise PermissionError(13, "Permission denied")
            return real(path)

        monkeypatch.setattr(os, "scandir", refuse)
        said = []
        assert names("x/**/*.npy", warn=said.append) == [("x/a.npy", ".")]
        assert said == ["cannot read the folder x/y: permission denied"]

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may look everywhere")
    def test_a_folder_of_somebody_else(self, tree):
        (tree / "x" / "y").chmod(0)
        said = []
        names("x", warn=said.append)
        (tree / "x" / "y").chmod(0o700)
        assert said == ["cannot read the folder x/y: permission denied"]


class TestStores:
    @pytest.fixture
    def stores(self, folder):
        for name in ("a.zarr/x/0", "d/b.zarr/0", "d/c.zarr.zip", "d/e.npy"):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("")
        return folder

    @pytest.mark.parametrize(
        ("pattern", "found"),
        [
            ("*.zarr", ["a.zarr"]),
            ("a.zarr", ["a.zarr"]),
            ("d/b.zarr", ["d/b.zarr"]),
            (".", ["a.zarr", "d/b.zarr", "d/c.zarr.zip"]),
            ("**/*.zarr", ["a.zarr", "d/b.zarr"]),
            ("**/*", ["a.zarr", "d/b.zarr", "d/c.zarr.zip", "d/e.npy"]),
        ],
    )
    def test_a_folder_may_be_a_source(self, stores, pattern, found):
        assert [name for name, _ in names(pattern, suffixes=(".zarr", ".zarr.zip"), stores=True)] == found

    def test_elsewhere_it_is_a_folder(self, stores):
        assert names("*.zarr") == []
        assert names("a.zarr", suffixes=("0",)) == [("a.zarr/x/0", "x")]


def test_patterns_from_the_environment_are_shown_by_their_variable(tree):
    masks = {"hunter2/*": "${SECRET}/*", "hunter2": "${SECRET}", "x": "${FOLDER}"}
    warnings = []
    assert names("hunter2/*", "none/*", masks=masks, warn=warnings.append) == []
    assert warnings == ["${SECRET}/* matches no source", f"none/* matches no source in {tree}"]
    with pytest.raises(UsageError, match=r"there is no file \$\{SECRET\}$"):
        names("hunter2", masks=masks)


def test_a_folder_that_cannot_be_read_is_shown_by_its_variable(tree, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "scandir", refuse)
    warnings = []
    assert names("x", masks={"x": "${FOLDER}"}, warn=warnings.append) == []
    assert warnings[0] == "cannot read a folder of ${FOLDER}: permission denied"
