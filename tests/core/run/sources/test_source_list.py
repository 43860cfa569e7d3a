import os
import subprocess
import sys

import pytest

from tonearm.errors import UsageError
from tonearm.run.sources.source_list import read_source_list


class TestLists:
    @pytest.mark.parametrize("separator", [b"\n", b"\0", b"\r\n"])
    def test_a_file_that_lists_them(self, folder, separator):
        wanted = ["a.npy", os.fsdecode(b"\xff.npy"), "é b.npy"] + (["new\nline"] if separator == b"\0" else [])
        content = separator.join(map(os.fsencode, wanted))
        for end in (b"", separator, separator * 2):
            (folder / "list").write_bytes(content + end)
            assert list(read_source_list("list")) == wanted

    def test_a_long_list(self, folder):
        wanted = [f"folder/{number:020}.npy" for number in range(20_000)]
        (folder / "list").write_text("\n".join(wanted))
        assert list(read_source_list("list")) == wanted

    def test_stdin(self, folder):
        code = "from tonearm.run.sources.source_list import read_source_list; print(list(read_source_list('-')))"
        done = subprocess.run([sys.executable, "-c", code], input=b"a\nb", capture_output=True)
        assert done.stdout == b"['a', 'b']\n"

    def test_a_list_that_is_not_there(self, folder):
        with pytest.raises(UsageError) as caught:
            list(read_source_list("none"))
        assert (caught.value.code, caught.value.message) == ("no-source", "cannot read none: no such file or directory")
