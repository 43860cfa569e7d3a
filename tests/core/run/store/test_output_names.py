import os

import pytest

from tonearm.errors import ItemError
from tonearm.run.store.local_store import LocalStore
from tonearm.run.store.output_names import OutputNames


class TestNames:
    @pytest.fixture
    def names(self, tmp_path):
        (tmp_path / "ours").write_text("")
        (tmp_path / "theirs").write_text("")
        (tmp_path / "folder").mkdir()
        return OutputNames(
            LocalStore(str(tmp_path)), {"ours"}.__contains__, force=False, name_of=lambda number: f"source {number}"
        )

    def refused(self, call, *arguments):
        with pytest.raises(ItemError) as caught:
            call(*arguments)
        return caught.value.code, caught.value.message, caught.value.hint

    def test_two_sources(self, names):
        assert names.claim("a", 1, "one") is None
        problem = names.claim("a", 2, "two\n")
        assert (problem.code, problem.message) == ("same-output", "source 1 and two\\n would both become a")
        assert problem.hint == "put {stem} or {source_hash} into the file's name"
        assert "a" in names

    @pytest.mark.parametrize(
        ("other", "field"), [("b/one.npy", "relative_dir"), ("a/one.npz", "name"), ("a/two.npy", "stem")]
    )
    def test_the_field_that_tells_two_sources_apart(self, tmp_path, other, field):
        store = LocalStore(str(tmp_path))
        names = OutputNames(store, {"ours"}.__contains__, force=False, name_of=lambda _: "a/one.npy")
        names.claim("a", 1, "a/one.npy")
        assert names.claim("a", 2, other).hint == f"put {{{field}}} or {{source_hash}} into the file's name"

    def test_two_items_of_a_source_whose_name_is_known_early(self, names):
        names.claim("a", 1, "one")
        names.take("a", 1, "one", "/one")
        found = self.refused(names.take, "a", 1, "one", "/one")
        assert found == (
            "same-output", "two items of one would become a",
            "put {index} into the file's name, or {key} where each item has its own",
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
        said = f"{tmp_path}/theirs exists, and no run wrote it"
        hint = "move it away, write somewhere else, or replace it with --force (force=True in Python)"
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
        names = OutputNames(LocalStore(str(tmp_path)), lambda _: False, force=True)
        names.take("theirs", 1, "one", "/one")
        assert names.claim("folder", 1, "one").code == "not-ours"
        assert (
            self.refused(names.take, "theirs", 2, "two", "/two")[1] == "another source and two would both become theirs"
        )

    def test_a_source_itself(self, tmp_path):
        (tmp_path / "real").mkdir()
        (tmp_path / "real" / "a").write_text("")
        os.symlink("real", tmp_path / "link")
        names = OutputNames(LocalStore(str(tmp_path)), lambda _: False, force=True)
        found = self.refused(names.take, "real/a", 1, "one", str(tmp_path / "link" / "a"))
        assert found == ("output-is-input", "real/a is a source itself", "write the outputs somewhere else")

    def test_a_link_that_leads_nowhere_is_there(self, names, tmp_path):
        os.symlink("nowhere", tmp_path / "link")
        assert names.claim("link", 1, "one").code == "not-ours"

    def test_a_name_that_is_refused_is_not_taken(self, tmp_path):
        names = OutputNames(LocalStore(str(tmp_path)), lambda _: False, force=True)
        self.refused(names.take, "a", 1, "one", str(tmp_path / "a"))
        assert "a" not in names
        names.take("a", 2, "two", "")
        names.take("b", 2, "two", str(tmp_path / "a"))
        assert [name in names for name in "abc"] == [True, True, False]

    def test_what_an_earlier_run_made_is_claimed_by_its_own_source_and_others(self, names):
        names.reserve("ours", 7)
        messages = [names.claim("ours", number, "it").message for number in (6, 7, 8)]
        clash = "source 7 and it would both become ours"
        assert messages == [clash, "two items of it would become ours", clash]

    def test_what_another_part_writes_is_its_own_affair(self, names, tmp_path):
        assert names.claim("theirs", 0, "one", will_write=False) is None
        assert names.claim("theirs", 0, "one", will_write=False).message == "two items of one would become theirs"

    def test_problems_name_the_file_from_here_and_what_to_do(self, folder):
        (folder / "out" / "folder").mkdir(parents=True)
        names = OutputNames(LocalStore("./out/"), lambda _: True, force=False)
        for problem in (names.replacement_problem("folder"), names.claim("folder", 1, "one")):
            found = (problem.code, problem.message, problem.hint)
            assert found == ("not-ours", "out/folder is a folder", "write the outputs somewhere else")
        assert names.replacement_problem("none") is None
