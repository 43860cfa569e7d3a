from types import SimpleNamespace

import pytest

from tonearm.errors import ItemError
from tonearm.pipeline.templates import parse_template
from tonearm.run.store.output_paths import is_known_before_reading, is_output_path, output_folder, output_path
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
        assert len(caught.value.message) <= 80 + len(" has a name longer than 255 bytes")
        assert caught.value.hint == "{source_hash} is short, and {index} distinguishes items"
    wide = "\U0001f600"
    assert output_path(output("{key}"), source(), (wide * 63 + "abc", 0)) == wide * 63 + "abc"
    for key in (wide * 64, "x/" + wide * 64):
        with pytest.raises(ItemError, match="has a name longer than 255 bytes"):
            output_path(output("{relative_dir}"), source(relative=key), ("mel", 3))
    assert output_folder(output("{parent}/{stem}"), source(f"/{'a' * 256}/b.npy")) is None


@pytest.mark.parametrize(
    ("text", "early", "folder"),
    [("{stem}", True, ""), ("a/{relative_dir}/{stem}", True, "a/x"), ("{parent}/{stem}-{index}", False, "deep"),
     ("{key}/{stem}", False, None), ("{source_hash}", False, "")],
)  # fmt: skip
def test_what_is_known_before_a_source_is_read(text, early, folder):
    assert is_known_before_reading(output(text)) == early
    assert output_folder(output(text), source()) == folder


@pytest.mark.parametrize(
    ("text", "path", "found"),
    [
        ("{stem}-{key}-{index}.wav", "a.b-mel-3.wav", True),
        ("{stem}-{key}-{index}.wav", "a.b-mel-4.wav", False),
        ("{stem}-{source_hash}.wav", "a.b-0123456789abcdef.wav", True),
        ("{stem}-{source_hash}.wav", "axb-0123456789abcdef.wav", False),
        ("{stem}-{source_hash}.wav", "a.b-0123456789abcdef.wav.wav", False),
        ("{source_hash}/{source_hash}", "0123456789abcdef/fedcba9876543210", True),
        *(("{source_hash}", digits, False) for digits in ("0" * 15, "0" * 17, "G" * 16, "A" * 16, "__source_hash__")),
    ],
)
def test_whether_an_item_has_a_path_is_known_without_its_source(text, path, found):
    assert is_output_path(output(text), source("/none/a.b.npy"), ("mel", 3), path) is found
