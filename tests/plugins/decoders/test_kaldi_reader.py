"""``kaldi-reader``: what kaldiio writes; no commands, no pickles."""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any

import decoder_reading
import kaldiio
import numpy as np
import pytest
import soundfile
from decoder_reading import RNG, STFT, WAVE

from tonearm.api import SetOption, limited_memory
from tonearm_plugins.decoders.kaldi_reader import KaldiReader

MAGS = {f"utt{n}": RNG.uniform(0, 1, (frames, 9)).astype("f4") for n, frames in enumerate((5, 7, 3))}


def decode(given: Any, **options: Any) -> list[Any]:
    return decoder_reading.decode(KaldiReader, given, **options)


def refused(given: Any, **options: Any) -> Any:
    return decoder_reading.refused(KaldiReader, given, **options)


def ark(path: Path, content: Any, **how: Any) -> Path:
    kaldiio.save_ark(str(path), content, scp=str(path.with_suffix(".scp")), **how)
    return path


@pytest.mark.parametrize(
    ("dtype", "how"), [("f4", {}), ("f8", {}), ("f4", {"compression_method": 2}), ("f4", {"text": True})]
)
def test_matrices_by_utterance(dtype: str, how: dict[str, Any], tmp_path: Path) -> None:
    path = ark(tmp_path / "a.ark", {key: mag.astype(dtype) for key, mag in MAGS.items()}, **how)
    for given in (path, path.with_suffix(".scp")):
        items = decode(given, key="*", kind="magnitude", **STFT)
        assert [(item.key, item.index) for item in items] == [("utt0", 0), ("utt1", 1), ("utt2", 2)]
        for item in items:
            assert (
                pytest.approx(MAGS[item.key], abs=0.01 if "compression_method" in how else 1e-6)
                == item.signal.values[0].T
            )
    whole = decode(path, kind="magnitude", **STFT)
    assert [(item.key, item.index) for item in whole] == [("utt0", 0), ("utt1", 1), ("utt2", 2)]
    assert decode(path, key="utt1", kind="magnitude", **STFT)[0].signal.frames == 7


def test_vectors_and_waveforms(tmp_path: Path) -> None:
    wave = RNG.uniform(-1, 1, 50).astype("f4")
    (item,) = decode(ark(tmp_path / "v.ark", {"a": wave}), **WAVE)
    assert np.array_equal(item.signal.samples[0], wave)
    pcm = (wave * 32767).astype("i2")
    with kaldiio.WriteHelper(f"ark,scp:{tmp_path}/w.ark,{tmp_path}/w.scp") as writer:
        writer("a", (8000, pcm))
    for name in ("w.ark", "w.scp"):
        (item,) = decode(tmp_path / name, **WAVE)
        assert item.signal.samples[0] == pytest.approx(pcm / 32768)
        error = refused(tmp_path / name, sample_rate=16000)
        assert error.message == "'a': the source says sample_rate = 8000, but sample_rate is 16000"
        assert SetOption("sample_rate", 8000) in error.remedies


def test_an_scp_is_found_beside_its_ark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path / "sub")
    kaldiio.save_ark("a.ark", MAGS, scp="a.scp")
    monkeypatch.chdir(tmp_path)
    assert len(decode(Path("sub/a.scp"), key="*", kind="magnitude", **STFT)) == 3


@pytest.mark.parametrize("place", ["touch {0}/evil |", "| touch {0}/evil", "{0}/a.ark:5[0:2]", "-"])
def test_no_commands(place: str, tmp_path: Path) -> None:
    (tmp_path / "a.scp").write_text(f"utt0 {place.format(tmp_path)}\n")
    assert refused(tmp_path / "a.scp", **WAVE).code == "kaldi-refused"
    assert not (tmp_path / "evil").exists()


def test_no_pickles() -> None:
    assert refused(b"utt0 PKL" + pickle.dumps([1]), **WAVE).code == "kaldi-refused"


@pytest.mark.parametrize(
    "data",
    [
        b"utt0 \0BFM \4\xff\xff\xff\x7f\4\xff\xff\xff\x7f" + bytes(50),
        b"utt0 \0BFM \4\xff\xff\xff\xff\4\xff\xff\xff\x7f" + bytes(50),
        b"utt0 \0BFV \4\0\0\0\0",
        b"utt0 \0BXX " + bytes(50),
        b"utt0 ",
        b"utt0 NPY" + bytes(50),
        b"\x93NUMPY" + bytes(99),
        b"",
        b"\n\n",
        b"a " * 30,
    ],
)
def test_hostile_archives(data: bytes) -> None:
    assert refused(data, **WAVE).code in ("broken-file", "wrong-format", "empty")


def test_broken_archives_are_read_or_raise_an_item_error(tmp_path: Path) -> None:
    data = ark(tmp_path / "a.ark", MAGS).read_bytes()
    for part in decoder_reading.truncations(data):
        decoder_reading.read_or_item_error(KaldiReader, part, key="*", kind="magnitude", **STFT)
    for part in decoder_reading.scrambles(data, 300):
        decoder_reading.read_or_item_error(KaldiReader, part, key="*", kind="magnitude", **STFT)


def test_faults_of_scp_files_and_doubled_keys(tmp_path: Path) -> None:
    (tmp_path / "b.scp").write_text("utt0\n")
    assert refused(tmp_path / "b.scp", **WAVE).message == "'b.scp': line 1 is not a key and a place"
    (tmp_path / "b.scp").write_text(f"utt0 {tmp_path}/none.ark:5\n")
    assert refused(tmp_path / "b.scp", **WAVE).code == "unreadable"
    twice = io.BytesIO()
    kaldiio.save_ark(twice, {"a": MAGS["utt0"]})
    assert refused(twice.getvalue() * 2, **WAVE).code == "duplicate"


SECRET = "admin:x:0:0:TOPSECRET\npassword = hunter2\n"


@pytest.mark.parametrize(
    "content",
    [
        *(SECRET, f"[{SECRET}]", f"1.5 {SECRET}", f"[ 1 {SECRET} ]\n", f"RIFF{SECRET}", f"AUDIO\x01\x20{SECRET}"),
        *(f"fLaC{SECRET}", f"NPY\x01\x20{SECRET}", f"NPY\x01\x20\x93NUMPY{SECRET}", f"\0B{SECRET}", f"\0BFM {SECRET}"),
        *(f"\0BCM {SECRET}", f"\0BCM2 {SECRET}", f"\0B\x04{SECRET}", f"PKL{SECRET}", "1 2 3 hunter2", "hunter2"),
    ],
)
@pytest.mark.parametrize("offset", ["", ":0", ":3"])
def test_an_scp_that_names_another_file_never_quotes_it(content: str, offset: str, tmp_path: Path) -> None:
    (tmp_path / "other.txt").write_bytes(content.encode("latin-1"))
    (tmp_path / "a.scp").write_text(f"utt {tmp_path}/other.txt{offset}\n")
    error = refused(tmp_path / "a.scp", **WAVE)
    said = error.message + error.hint + str(error.remedies)
    assert not [word for word in ("admin", "SECRET", "hunter", "passw", "x:0") if word in said]


def test_an_archive_of_many_utterances_is_bounded_by_memory(tmp_path: Path) -> None:
    lines = "".join(f"{number} a.ark:{number}\n" for number in range(2000))
    (tmp_path / "a.scp").write_text(lines)
    values = b"".join(b"%d \0BFV \4\1\0\0\0abcd" % number for number in range(2000))
    (tmp_path / "a.ark").write_bytes(values)
    for name in ("a.scp", "a.ark"):
        with limited_memory(1_000_000):
            assert refused(tmp_path / name, **WAVE).code == "too-large"
        assert refused(tmp_path / name, **WAVE, key="no").code == "no-such-key"


@pytest.mark.parametrize("container", ["WAV", "FLAC"])
def test_encoded_sounds(container: str, tmp_path: Path) -> None:
    pcm = (RNG.uniform(-1, 1, 500) * 32767).astype("i2")
    kaldiio.save_ark(
        f"{tmp_path}/w.ark",
        {"a": (8000, pcm), "b": (8000, pcm[:50])},
        scp=f"{tmp_path}/w.scp",
        write_function="soundfile",
        write_kwargs={"format": container},
    )
    assert b"AUDIO" in (tmp_path / "w.ark").read_bytes()
    for name in ("w.ark", "w.scp"):
        items = decode(tmp_path / name, key="*", **WAVE)
        assert [item.key for item in items] == ["a", "b"]
        assert items[0].signal.samples[0] == pytest.approx(pcm / 32768)
    sound = io.BytesIO()
    soundfile.write(sound, pcm, 8000, format="FLAC")
    (item,) = decode(b"utt " + sound.getvalue(), **WAVE)
    assert item.signal.samples[0] == pytest.approx(pcm / 32768)


def test_an_impossible_length_is_one_short_line() -> None:
    error = refused(b"utt AUDIO\xff" + bytes(range(1, 255)) * 2, **WAVE)
    assert "claims more bytes, but only " in error.message
