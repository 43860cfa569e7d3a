import os
from types import SimpleNamespace

import numpy as np
import pytest

from tonearm.errors import ItemError
from tonearm.pipeline.templates import parse_template
from tonearm.plugins.item import Item
from tonearm.run.store.output_names import Names, is_known_early, output_folder, output_path
from tonearm.signals import Waveform
from tonearm.source import Source


def output(text):
    return SimpleNamespace(template=parse_template(text))


def source(path="/in/deep/a.b.npy", relative="x"):
    from pathlib import Path

    return Source(name="a", path=Path(path), relative_dir=relative)


ITEM = Item(signal=Waveform(samples=np.zeros((1, 1), np.float32), sample_rate=1), key="mel", index=3)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("{stem}.wav", "a.b.wav"),
        ("{name}.wav", "a.b.npy.wav"),
        ("{parent}/{relative_dir}/{stem}", "deep/x/a.b"),
        ("{stem}-{index:03}-{key}", "a.b-003-mel"),
    ],
)
def test_what_an_item_becomes(text, path):
    assert output_path(output(text), source(), ITEM) == path


def test_the_root_has_a_name_too():
    assert output_path(output("{parent}/{stem}"), source("/a.npy"), ITEM) == "root/a"


def test_a_hash_of_the_content(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert output_path(output("{source_hash}.wav"), source(tmp_path / "a"), ITEM) == "ba7816bf8f01cfea.wav"


def test_names_of_255_bytes_and_more():
    assert output_path(output("{stem}.wav"), source(f"/{'a' * 251}.npy"), ITEM) == "a" * 251 + ".wav"
    for stem in ("a" * 251, "é" * 126):
        with pytest.raises(ItemError) as caught:
            output_path(output("{stem}-.wav"), source(f"/{stem}.npy"), ITEM)
        assert caught.value.code == "name-too-long"
        assert caught.value.message.endswith(" has a name of more than 255 bytes")


@pytest.mark.parametrize(
    ("text", "early", "folder"),
    [("{stem}", True, ""), ("a/{relative_dir}/{stem}", True, "a/x"), ("{parent}/{stem}-{index}", False, "deep"),
     ("{key}/{stem}", False, None), ("{source_hash}", False, "")],
)  # fmt: skip
def test_what_is_known_before_a_source_is_read(text, early, folder):
    assert is_known_early(output(text)) == early
    assert output_folder(output(text), source()) == folder


class TestNames:
    @pytest.fixture
    def names(self, tmp_path):
        (tmp_path / "ours").write_text("")
        (tmp_path / "theirs").write_text("")
        (tmp_path / "folder").mkdir()
        return Names(str(tmp_path), {"ours"}.__contains__, force=False, name_of=lambda number: f"source {number}")

    def refused(self, call, *arguments):
        with pytest.raises(ItemError) as caught:
            call(*arguments)
        return caught.value.code, caught.value.message, caught.value.hint

    def test_two_sources(self, names):
        assert names.claim("a", 1, "one") is None
        problem = names.claim("a", 2, "two\n")
        assert (problem.code, problem.message) == ("same-output", "source 1 and two\\n would both become a")
        assert problem.hint == "put {relative_dir} or {source_hash} into the file's name"
        assert "a" in names

    def test_two_items_of_a_source_whose_name_is_known_early(self, names):
        names.claim("a", 1, "one")
        names.take("a", 1, "one", "/one")
        found = self.refused(names.take, "a", 1, "one", "/one")
        assert found == (
            "same-output", "two items of one would become a", "put {index} or {key} into the file's name",
        )  # fmt: skip

    def test_two_items_whose_names_come_late(self, names):
        names.take("a", 1, "one", "/one")
        assert self.refused(names.take, "a", 1, "one", "/one")[1] == "two items of one would become a"
        assert self.refused(names.take, "a", 2, "two", "/two")[1] == "source 1 and two would both become a"

    def test_what_an_earlier_run_made_of_a_source_is_not_replaced_by_another(self, names):
        names.reserve("ours", 1)
        assert self.refused(names.take, "ours", 2, "two", "/two")[1] == "source 1 and two would both become ours"
        assert self.refused(names.take, "ours", 1, "one", "/one")[1] == "two items of one would become ours"

    def test_what_is_ours_may_be_replaced(self, names):
        assert names.claim("ours", 1, "one") is None
        names.take("ours", 1, "one", "/one")

    def test_what_is_not(self, names, tmp_path):
        said = f"{tmp_path}/theirs is there, and no run wrote it"
        hint = "move it away, use another --out, or --force to replace it"
        problem = names.claim("theirs", 1, "one")
        assert (problem.code, problem.message, problem.hint) == ("not-ours", said, hint)
        assert self.refused(names.take, "theirs", 1, "one", "/one") == ("not-ours", said, hint)
        assert names.claim("folder", 1, "one").message == f"{tmp_path}/folder is a folder"

    def test_what_came_meanwhile(self, names, tmp_path):
        assert names.claim("later", 1, "one") is None
        (tmp_path / "later").write_text("somebody's")
        assert self.refused(names.take, "later", 1, "one", "/one")[0] == "not-ours"

    def test_force_replaces_files_and_no_folders(self, tmp_path):
        (tmp_path / "theirs").write_text("")
        (tmp_path / "folder").mkdir()
        names = Names(str(tmp_path), lambda _: False, force=True)
        names.take("theirs", 1, "one", "/one")
        assert names.claim("folder", 1, "one").code == "not-ours"
        assert (
            self.refused(names.take, "theirs", 2, "two", "/two")[1] == "another source and two would both become theirs"
        )

    def test_a_source_itself(self, tmp_path):
        (tmp_path / "real").mkdir()
        (tmp_path / "real" / "a").write_text("")
        os.symlink("real", tmp_path / "link")
        names = Names(str(tmp_path), lambda _: False, force=True)
        found = self.refused(names.take, "real/a", 1, "one", str(tmp_path / "link" / "a"))
        assert found == ("output-is-input", "real/a is a source itself", "use another --out")

    def test_a_link_that_leads_nowhere_is_there(self, names, tmp_path):
        os.symlink("nowhere", tmp_path / "link")
        assert names.claim("link", 1, "one").code == "not-ours"
