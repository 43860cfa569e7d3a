"""Outputs that exist are found before a source is converted."""

import pytest
from core_toys import checked, pipeline

from tonearm import ItemError
from tonearm.pipeline.converter import Converter
from tonearm.run.existing_outputs import refuse_existing
from tonearm.source import Source

SOURCE = Source(name="a.tone", path="a.tone")


def converter(file):
    return Converter(checked(pipeline().replace("{stem}-{index}.raw", file)))


def test_a_name_that_is_known_before_the_source_is_read(tmp_path):
    refuse_existing(converter("{stem}-{index}.raw"), SOURCE, str(tmp_path / "new"))
    (tmp_path / "a.raw").write_bytes(b"mine")
    with pytest.raises(ItemError) as caught:
        refuse_existing(converter("{stem}.raw"), SOURCE, str(tmp_path))
    assert (caught.value.code, caught.value.message) == (
        "not-ours",
        f"{tmp_path / 'a.raw'} exists, and no run wrote it",
    )
    assert not (tmp_path / "new").exists()


def test_others_are_left_to_their_publication(tmp_path):
    for name in ("a-0.raw", "a-.raw", "a-a.raw", "a-a.tone.raw"):
        (tmp_path / name).write_bytes(b"mine")
    refuse_existing(converter("{stem}-{index}.raw"), SOURCE, str(tmp_path))
