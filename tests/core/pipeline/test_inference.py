"""Plugins by suffix, and chains of transforms between ports."""

import pytest
from core_toys import Fog, FogReader, Mist, Rain, ToneReader, hooks, package_of, registry_of

from tonearm.errors import ItemError, Place, UsageError
from tonearm.pipeline.inference import (
    find_conversion,
    matching_signals,
    name_by_suffix,
    plugin_by_suffix,
    plugins_by_suffix,
)
from tonearm.plugins.registry import Registry, default
from tonearm.signals import Signal, Waveform


class TarReader(ToneReader):
    suffixes = (".tone.gz", ".gz")


class Broken(FogReader):
    suffixes = (".tone",)


def test_classes_match_their_bases_and_subclasses():
    assert matching_signals((Waveform, Fog), (Fog, Mist)) == (Fog,)
    assert matching_signals((Waveform, Fog), (Signal,)) == (Waveform, Fog)
    assert matching_signals((Signal,), (Fog,)) == (Signal,)
    assert matching_signals((Waveform,), (Fog,)) == ()


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("a.tone", ["tone-reader"]),
        ("folder.tone/a.TONE", ["tone-reader"]),
        ("a.tone.gz", ["tar-reader"]),
        ("a.gz", ["tar-reader"]),
        ("store.tone/", ["tone-reader"]),
    ],
)
def test_the_longest_suffix_wins(name, found):
    registry = registry_of(decoders={"tar-reader": TarReader})
    assert [entry.name for entry in plugins_by_suffix(registry, "decoder", name)] == found


@pytest.mark.parametrize("name", ["a.xyz", "tone", ""])
def test_an_unknown_suffix_has_no_plugin(name):
    assert plugins_by_suffix(registry_of(), "decoder", name) == []


def test_a_broken_plugin_is_left_out():
    registry = registry_of(decoders={"broken": "no_such_module:Reader", "other": Broken})
    assert [entry.name for entry in plugins_by_suffix(registry, "decoder", "a.tone")] == ["other", "tone-reader"]


def test_the_shortest_chain_of_transforms_is_found():
    registry = registry_of()
    assert find_conversion(registry, (Fog,), (Waveform,)) == ("fog-to-mist", "mist-to-wave")
    assert find_conversion(registry, (Fog, Mist), (Waveform,)) == ("mist-to-wave",)
    assert find_conversion(registry, (Waveform,), (Waveform,)) == ()
    assert find_conversion(registry, (Waveform,), (Rain,)) is None


def test_transforms_that_clash_are_named_with_their_origin():
    from core_toys import FogToMist

    transforms = hooks(transforms={"same": FogToMist})
    registry = Registry([package_of("acme", transforms), package_of("zeta", hooks(transforms={"same": FogToMist}))])
    assert find_conversion(registry, (Fog,), (Mist,)) == ("acme/same",)


@pytest.mark.parametrize(
    ("name", "start", "hint"),
    [
        ("a b.tar.zst", b"\x28\xb5\x2f\xfd", "unzstd '{}', to decompress it first"),
        ("a.fog2.XZ", b"\xfd7zXZ", "unxz {}, to decompress it first"),
        ("a.zst", b"\x89PNG\r\n\x1a\n", "--decoder image-reader"),
    ],
)
def test_a_compressed_file_that_no_decoder_reads_is_to_be_decompressed(name, start, hint, tmp_path):
    registry = registry_of(decoders={"image-reader": FogReader})
    path = tmp_path / name
    path.write_bytes(start)
    with pytest.raises(UsageError) as raised:
        plugin_by_suffix(registry, "decoder", str(path))
    raised.value.place = Place(form="flags")
    assert raised.value.code == "unknown-suffix"
    assert raised.value.hint == hint.format(path)


@pytest.mark.parametrize("name", ["nofile", "nofile.xyz", "nofile.tar.zst", "no/file"])
def test_a_file_that_is_missing_is_missed_whatever_its_suffix(name):
    with pytest.raises(ItemError) as raised:
        plugin_by_suffix(registry_of(), "decoder", name)
    assert (raised.value.code, raised.value.message) == ("unreadable", f"cannot read {name}: no such file or directory")


@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".XZ"])
def test_a_compressed_file_is_for_the_decoder_of_what_is_inside(suffix):
    assert plugin_by_suffix(registry_of(), "decoder", f"a.tone{suffix}").name == "tone-reader"
    with pytest.raises(UsageError):
        plugin_by_suffix(registry_of(), "encoder", f"a.tone{suffix}")


@pytest.mark.parametrize(
    ("content", "what", "hint"),
    [
        (b"RIFF\0\0\0\0WAVEfmt ", "a WAV file", "--decoder audio-reader"),
        (b"\x80\x04\x95", "a pickle", "pickles are refused"),
        (b"\x93NUMPY\1\0", "a .npy file", "--decoder npy-reader"),
        (b"<!DOCTYPE html>", "a web page", "the download returned a web page"),
        (b'{"a": 1}', "JSON", "--decoder pcm-reader"),
        (b"", "an empty file", "write the file again"),
        (b"\1\2\3" * 30, "no known format", "--decoder … (raw-reader for raw numbers"),
    ],
)
def test_a_suffix_that_no_decoder_has_is_judged_by_content(content, what, hint, tmp_path):
    (tmp_path / "a.pkl").write_bytes(content)
    with pytest.raises(UsageError) as raised:
        plugin_by_suffix(default(), "decoder", str(tmp_path / "a.pkl"))
    raised.value.place = Place(form="flags")
    assert f"no decoder reads .pkl; it looks like {what}" in raised.value.message
    assert raised.value.hint.startswith(hint)


def test_a_folder_is_called_a_folder(tmp_path):
    with pytest.raises(UsageError) as caught:
        plugin_by_suffix(registry_of(), "decoder", str(tmp_path))
    assert caught.value.code == "unknown-suffix"
    assert caught.value.message == f"{tmp_path} is a folder, and no decoder reads it as one source"
    assert f"tonearm inspect {tmp_path}" in caught.value.hint


@pytest.mark.parametrize("name", ["", "/"])
def test_an_output_that_is_a_folder_is_called_a_folder(name, tmp_path):
    with pytest.raises(UsageError) as caught:
        plugin_by_suffix(registry_of(), "encoder", f"{tmp_path}{name}")
    assert caught.value.message.startswith(f"{tmp_path}{name} is a folder; ")
    assert caught.value.hint == f"as in {tmp_path}/sound.wav"


def test_an_encoder_of_compressed_files_is_no_decompressor():
    with pytest.raises(UsageError) as raised:
        plugin_by_suffix(registry_of(), "encoder", "a.tar.zst")
    assert "unzstd" not in raised.value.hint


@pytest.mark.parametrize(
    ("role", "name", "code", "message", "hint"),
    [
        ("decoder", "a.XYZ", "unknown-suffix", "no decoder reads .xyz; it looks like a web page",
         "the download returned a web page instead of the file; open it to see why"),
        ("encoder", "a.xyz", "unknown-suffix", "no encoder writes .xyz", "encoders write .raw; use: …"),
        ("encoder", "a", "unknown-suffix", "no encoder writes a name with no suffix",
         "as in a.raw; encoders write .raw"),
        ("encoder", "x/a.", "unknown-suffix", "no encoder writes a name with no suffix",
         "as in a.raw; encoders write .raw"),
        ("encoder", "a.rwa", "unknown-suffix", "no encoder writes .rwa", "did you mean '.raw'?; use: …"),
        ("decoder", "a.tone", "ambiguous-suffix", "several decoders fit a.tone: other, tone-reader",
         "use: other or tone-reader"),
    ],
)  # fmt: skip
def test_a_suffix_that_has_no_plugin_or_several(role, name, code, message, hint, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.XYZ").write_bytes(b"<!DOCTYPE html>")
    registry = registry_of(decoders={"other": Broken})
    with pytest.raises(UsageError) as caught:
        plugin_by_suffix(registry, role, name)
    assert (caught.value.code, caught.value.message, caught.value.hint) == (code, message, hint)


def test_the_only_plugin_of_a_suffix():
    registry = registry_of(decoders={"other": Broken, "tar-reader": TarReader})
    assert plugin_by_suffix(registry, "decoder", "a.gz").name == "tar-reader"
    assert plugin_by_suffix(registry, "encoder", "a.raw").name == "raw-writer"
    assert name_by_suffix(registry, "encoder", "a.raw") == "raw-writer"


def test_a_broken_transform_is_no_way_and_hides_none():
    registry = registry_of(transforms={"a-broken": "no_such_module:X"})
    assert find_conversion(registry, (Fog,), (Waveform,)) == ("fog-to-mist", "mist-to-wave")


def test_no_transform_is_imported_where_signals_fit(monkeypatch):
    registry = registry_of()
    monkeypatch.setattr(Registry, "entries", None)
    assert find_conversion(registry, (Waveform,), (Waveform,)) == ()
