from types import SimpleNamespace

import pytest

from tonearm.errors import ItemError
from tonearm.pipeline.templates import parse_template
from tonearm.run.store.output_paths import is_known_before_reading, output_folder, output_path
from tonearm.source import Source


def output(text):
    return SimpleNamespace(template=parse_template(text))


def source(path="/in/deep/a.b.npy", relative="x"):
    from pathlib import Path

    return Source(name="a", path=Path(path), relative_dir=relative)


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
    assert output_path(output(text), source(), ("mel", 3)) == path


def test_the_root_has_a_name_too():
    assert output_path(output("{parent}/{stem}"), source("/a.npy"), ("mel", 3)) == "root/a"


def test_a_hash_of_the_content(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert output_path(output("{source_hash}.wav"), source(tmp_path / "a"), ("mel", 3)) == "ba7816bf8f01cfea.wav"


def test_names_of_255_bytes_and_more():
    assert output_path(output("{stem}.wav"), source(f"/{'a' * 251}.npy"), ("mel", 3)) == "a" * 251 + ".wav"
    for stem in ("a" * 251, "é" * 126):
        with pytest.raises(ItemError) as caught:
            output_path(output("{stem}-.wav"), source(f"/{stem}.npy"), ("mel", 3))
        assert caught.value.code == "name-too-long"
        assert caught.value.message.endswith(" has a name longer than 255 bytes")


@pytest.mark.parametrize(
    ("text", "early", "folder"),
    [("{stem}", True, ""), ("a/{relative_dir}/{stem}", True, "a/x"), ("{parent}/{stem}-{index}", False, "deep"),
     ("{key}/{stem}", False, None), ("{source_hash}", False, "")],
)  # fmt: skip
def test_what_is_known_before_a_source_is_read(text, early, folder):
    assert is_known_before_reading(output(text)) == early
    assert output_folder(output(text), source()) == folder
