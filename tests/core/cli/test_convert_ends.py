"""The two ends of ``tonearm convert``: decoders, encoders and encodings by name."""

import os
from types import SimpleNamespace

import pytest

from tonearm.cli.convert_ends import decoder_name, encoding_name, target_format
from tonearm.errors import UsageError
from tonearm.plugins import registry


def arguments(source="-", target="-", *, to=None, encoder=None, decoder=None, encoding=None):
    return SimpleNamespace(
        source=source, target=target, to=to, encoder=encoder, decoder=decoder, with_encoding=encoding, yaml=True
    )


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("s16le", "pcm_s16le"), ("f64be", "pcm_f64be"), ("u8", "pcm_u8"), ("s8", "pcm_s8"), ("mulaw", "mulaw"),
        ("pcm_alaw", "alaw"), ("pcm_s24le", "pcm_s24le"), ("nope", "nope"), (None, None),
    ],
)  # fmt: skip
def test_encodings_have_the_names_of_ffmpeg(name, found):
    assert encoding_name(name) == found


def test_the_format_of_a_target(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.mkfifo("out.flac")
    found = registry.default()
    piped = target_format(arguments(to="flac"), found)
    assert (piped.encoder, piped.suffix, piped.is_piped) == ("flac-writer", ".flac", True)
    assert target_format(arguments(encoder="flac-writer"), found) == piped
    assert target_format(arguments(target="out.flac"), found) == piped
    assert target_format(arguments(target="a.flac"), found).is_piped is False
    assert target_format(arguments(target="sound", to="flac-writer"), found).encoder == "flac-writer"
    with pytest.raises(UsageError, match="does not tell the format"):
        target_format(arguments(), found)
    with pytest.raises(UsageError, match="must go back") as caught:
        target_format(arguments(to="png"), found)
    assert caught.value.code == "needs-file"
    with pytest.raises(UsageError, match="exclude each other"):
        target_format(arguments(to="flac", encoder="flac-writer"), found)


def test_a_layout_makes_text_one_of_tokens():
    found = registry.default()
    for name in ("a.txt", "a.json", "a.jsonl", "a.csv", "a.txt.gz"):
        given = arguments(name)
        assert decoder_name(given, found, None) in ("text-reader", "pcm-reader")
        given.with_layout = "orpheus"
        assert decoder_name(given, found, None) == "tokens-reader"
    given = arguments("a.npy")
    given.with_layout = "orpheus"
    assert decoder_name(given, found, None) == "npy-reader"
    piped = arguments("-")
    piped.with_layout = "orpheus"
    for head in (b"so <custom_token_12>", b'{"text": "<custom_token_12>"}', b"128257 128300"):
        assert decoder_name(piped, found, SimpleNamespace(head=lambda head=head: head)) == "tokens-reader"


def test_the_decoder_of_a_source():
    found = registry.default()
    assert decoder_name(arguments("a.wav"), found, None) == "audio-reader"
    assert decoder_name(arguments("a.bin", encoding="pcm_u8"), found, None) == "pcm-reader"
    assert decoder_name(arguments("a.wav", encoding="pcm_u8"), found, None) == "audio-reader"
    assert decoder_name(arguments("a.wav", decoder="npy-reader"), found, None) == "npy-reader"
