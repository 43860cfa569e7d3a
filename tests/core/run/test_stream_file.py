"""The file of a stream: under a temporary name until it is published, whatever happens to it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from core_toys import checked, pipeline

from tonearm import ItemError, OutputError
from tonearm.pipeline.converter import Converter
from tonearm.run.stream_file import StreamFile


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def made(file="a.raw", **options):
    text = pipeline().replace("{stem}-{index}.raw", file)
    return StreamFile(Converter(checked(text)), "", **{"overwrite": True, "durable": False, **options})


def written(found, content=b"12"):
    with found.sink.open() as file:
        file.write(content)


def test_it_gets_its_name_at_the_end():
    found = made("deep/a.raw")
    written(found)
    assert not Path("deep/a.raw").exists()
    found.publish()
    assert os.listdir("deep") == ["a.raw"]
    assert found.path == Path("deep/a.raw")


def test_closing_it_leaves_nothing():
    found = made()
    written(found)
    assert len(os.listdir()) == 1
    found.close()
    found.close()
    assert os.listdir() == []


def test_an_empty_one_is_not_published():
    found = made()
    with pytest.raises(ItemError, match="empty file"):
        found.publish()
    assert os.listdir() == []


def test_a_sidecar_is_published_with_it():
    found = made()
    written(found)
    found.sink.sidecar(".json").write_text("{}")
    found.publish()
    assert sorted(os.listdir()) == ["a.json", "a.raw"]


def test_a_folder_in_its_place():
    Path("a.raw").mkdir()
    with pytest.raises(ItemError, match="is a folder"):
        made()


def test_one_that_may_not_be_written_stays():
    Path("a.raw").write_text("old")
    Path("a.raw").chmod(0o444)
    if os.access("a.raw", os.W_OK):
        pytest.skip("the superuser may write everything")
    found = made()
    written(found)
    with pytest.raises(OutputError):
        found.publish()
    assert Path("a.raw").read_text() == "old"
    assert os.listdir() == ["a.raw"]
