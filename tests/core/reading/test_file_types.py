"""Types of files by their first bytes, as their own libraries write them where these are at hand."""

from __future__ import annotations

import io
import pickle
import tarfile
import zipfile
from collections.abc import Callable

import numpy as np
import pytest
import soundfile

from tonearm.plugins.registry import default
from tonearm.reading import file_types
from tonearm.reading.file_types import HEAD, FileType, identify


def by_library(write: Callable[[io.BytesIO], object]) -> bytes:
    file = io.BytesIO()
    write(file)
    return file.getvalue()[:HEAD]


def sound(container: str) -> bytes:
    return by_library(lambda file: soundfile.write(file, np.zeros(9), 8000, format=container))


def zipped(name: str) -> bytes:
    return by_library(lambda file: zipfile.ZipFile(file, "w").writestr(name, "x"))


@pytest.mark.parametrize(
    ("head", "name", "reader"),
    [
        (by_library(lambda file: np.save(file, np.zeros(3))), "a .npy file", "npy-reader"),
        (by_library(lambda file: np.save(file, np.array({"codes": np.zeros(3)}))), "a .dac file", "codec-file-reader"),
        (by_library(lambda file: np.save(file, np.array({"other": 3}))), "a .npy file", "npy-reader"),
        (by_library(lambda file: np.save(file, np.array(["codes"], object))), "a .npy file", "npy-reader"),
        (b"ECDC\0\0\0\0\x3b{", "an .ecdc file", "codec-file-reader"),
        (sound("WAV"), "a WAV file", "audio-reader"),
        (sound("RF64"), "a WAV file (RF64)", "audio-reader"),
        (sound("FLAC"), "a FLAC file", "audio-reader"),
        (sound("OGG"), "an Ogg file", "audio-reader"),
        (b"ID3\x04", "an MP3 file", "audio-reader"),
        (b"\x89PNG\r\n\x1a\n", "a PNG image", "image-reader"),
        (b"\x89HDF\r\n\x1a\n", "an HDF5 file", "hdf5-reader"),
        (b"PAR1", "a Parquet file", "parquet-reader"),
        (b"MATLAB 5.0 MAT-file", "a MATLAB file", "mat-reader"),
        (zipped("model/data.pkl"), "a PyTorch file", "torch-reader"),
        (b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9 j\xa8P\x19.", "a PyTorch file", "torch-reader"),
        (b'\x40\x00\x00\x00\x00\x00\x00\x00{"mel":{"dtype"', "a safetensors file", "safetensors-reader"),
        (b'{"wav": {"data": 1}}', "JSON", "pcm-reader"),
        (by_library(lambda file: np.savez(file, np.zeros(3))), "a zip archive, like those of np.savez", "npz-reader"),
        (pickle.dumps([1.0]), "a pickle", ""),
        (b"\0\0\0\x20ftypM4A \0\0\2\0M4A isomiso2", "an MP4 file, such as M4A", "audio-reader"),
        (b"\0\0\0\x14wide\0\0\0\0mdat", "an MP4 file, such as M4A", "audio-reader"),
        (b"RIFF\x10\0\0\0AVI LIST", "an AVI file", "audio-reader"),
        (sound("AIFF"), "an AIFF file", "audio-reader"),
        (sound("CAF"), "a CAF file", "audio-reader"),
        (sound("AU"), "an AU file", "audio-reader"),
        (sound("VOC"), "a VOC file", "audio-reader"),
        (sound("NIST"), "a NIST SPHERE file", "audio-reader"),
        (sound("AVR"), "an AVR file", "audio-reader"),
        (sound("IRCAM"), "an IRCAM file", "audio-reader"),
        (sound("PAF"), "a PARIS file", "audio-reader"),
        (sound("SVX"), "an 8SVX file", "audio-reader"),
        (5 * (b"\x47\x40\0\x10" + bytes(184)), "an MPEG transport stream", "audio-reader"),
        (zipped("a.wav"), "a zip archive of files", ""),
        (b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81", "a Matroska or WebM file", "audio-reader"),
        (b"\x1f\x8b\x08", "a gzip file", ""),
        (b"version https://git-lfs.github.com/spec/v1", "a Git LFS pointer, not the data itself", ""),
        (b"<!DOCTYPE html>", "a web page", ""),
        (b"0.1, 0.2, 0.3\n", "text of numbers", "text-reader"),
        (b"-1e-3\n0.5\n", "text of numbers", "text-reader"),
        (b"\x47\x40\0\0" * 500, "no known format", ""),
        (b"hello, 1, 2\n", "text", ""),
        (b"time,amplitude\n0.0,0.1\n0.1,0.2\n", "text of numbers", "text-reader"),
        (b"; Sample Rate 8000\n; Channels 1\n  0   0.5 \n  0.000125   0.25 \n", "text of numbers", "text-reader"),
        (b"hello\n" * 9 + b"1 2\n3", "text", ""),
        (b"hello\n12", "text", ""),  # the line may go on
        (b"Traceback (most recent call last):\n" * 2 + "caf\u00e9".encode(), "text", ""),
        (b"xyzw" * 64 + b"fLaC\0\0\0\x22" + bytes(99), "no known format", ""),
        (b"d41d8cd98f00b204e9800998ecf8427ed41d8cd98f00b204e9800998ecf8427e\n", "text", ""),
        (b"these are words of some length without a dot but with spaces", "text", ""),
        (b"UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQAAAAA=", "base64", ""),
        (b"data:audio/wav;base64,UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAA", "base64", ""),
        (b'{"audioContent": "UklG', "JSON", "pcm-reader"),
        (b"\xef\xbb\xbf[0.5, 0.25]", "JSON", "pcm-reader"),
        (b'{"delta": "AA"}\n{"delta": "BB"}\n', "JSON lines", "pcm-reader"),
        (b'data: {"delta": "AA"}\n\n', "JSON lines", "pcm-reader"),
        (b"[INFO] started", "text", ""),
        (b"\n<html>", "a web page", ""),
        (sound("W64"), "a W64 file", "audio-reader"),
        (
            by_library(lambda file: soundfile.write(file, np.zeros(9000), 8000, format="MP3")),
            "an MP3 file",
            "audio-reader",
        ),
        (b"\xff\xfb\x90\x64" + bytes(400), "no known format", ""),  # one frame without a second one
        (b"\xff\xf1\x50\x80\x02\x1f\xfc" + bytes(9) + b"\xff\xf1", "an AAC file", "audio-reader"),
        (
            tarfile.TarInfo("a").tobuf(),
            "a tar file",
            "webdataset-reader",
        ),
        (b"utt1 \0BFM \4", "a Kaldi archive", "kaldi-reader"),
        (bytes(HEAD), "nothing but zero bytes", ""),
        (b"\xde\xad\xbe\xef", "no known format", ""),
        (b"", "an empty file: it has 0 bytes", ""),
    ],
    ids=lambda value: "head" if isinstance(value, bytes) else None,  # an Ogg file has another serial number each time
)
def test_a_type_has_a_name_a_reader_and_a_hint(head: bytes, name: str, reader: str) -> None:
    found = identify(head)
    assert (found.name, found.reader) == (name, reader)
    assert found.hint.isprintable()
    assert reader in found.hint


def test_text_is_not_said_to_be_numbers() -> None:
    assert "loadtxt" not in identify(b"Traceback (most recent call last):\n").hint


def test_readers_are_names_of_decoders() -> None:
    constants = [value for value in vars(file_types).values() if isinstance(value, FileType)]
    readers = {found.reader for found in [*constants, *(found for _, found in file_types._BY_START)]} - {""}
    assert len(readers) >= 8
    assert readers <= {entry.name for entry in default().entries("decoder")}


def test_a_format_cut_off_within_its_first_bytes_is_no_other() -> None:
    for start, found in file_types._BY_START:
        assert identify(start) is found
        if len(start) > 2:
            assert identify(start[:-1]) is not found
