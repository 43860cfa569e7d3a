"""Streams at work: from a request that was checked to a file, with the samples and bytes of whole work."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tonearm
from tonearm import ItemError
from tonearm.conversion.destination import destination_of
from tonearm.conversion.stream_places import OpenPlace
from tonearm.conversion.streaming import PIECE, StreamWork, _cut, stream_request
from tonearm.plugins import registry as registries

RATE = 24000
SOUND = (0.4 * np.sin(np.arange(30_000) / 9)).astype("f4")
FORMATS = ("ogg", "opus", "flac", "wav", "mp3")


def work_of(file, suffix="ogg", *, steps=(), **options):
    destination = destination_of(file, suffix, registries.default())
    given = {"sample_rate": RATE, "channels": None, "encoder": None, "limits": None, "is_pipe": False}
    known = {name: options.pop(name, value) for name, value in given.items()}
    request = stream_request(destination, steps=steps, options=options, **known)
    return StreamWork(request, OpenPlace(file, f".{suffix}", durable=False))


def test_a_chunk_is_cut_into_pieces_that_are_not_long():
    for shape in [(1, PIECE * 3 + 5), (2, PIECE), (2, 9, 4 * PIECE // 18), (PIECE * 2, 3)]:
        values = np.arange(np.prod(shape)).reshape(shape)
        pieces = list(_cut(values))
        assert (np.concatenate(pieces, axis=-1) == values).all()
        assert all(piece.size <= max(PIECE, shape[0]) for piece in pieces)
    assert next(_cut(SOUND[None])).base is SOUND


@pytest.mark.parametrize("suffix", FORMATS)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(st.integers(0, 30_000), max_size=12), channels=st.sampled_from([1, 2]))
def test_any_cutting_gives_the_bytes_of_the_whole(suffix, cuts, channels):
    sound = np.stack([SOUND, -SOUND / 2])[:channels]
    file = io.BytesIO()
    axes = {"axes": ["channel", "time"]} if channels == 2 else {}
    work = work_of(file, suffix, channels=channels, **axes)
    for chunk in np.split(sound, sorted(cuts), axis=1):
        for _ in work.pieces(chunk if channels == 2 else chunk[0]):
            pass
    work.finish()
    whole = tonearm.encode(sound if channels == 2 else sound[0], suffix, sample_rate=RATE, **axes)
    assert file.getvalue() == whole


def test_frames_become_sound_by_istft():
    parts = np.random.default_rng(0).standard_normal((2, 513, 200)) / 9
    stft = (parts[0] + 1j * parts[1]).astype("c8")
    grid = {"kind": "complex", "n_fft": 1024, "hop_length": 256}
    file = io.BytesIO()
    work = work_of(file, "flac", limits={"beyond": 100, "clipped": 1}, **grid)
    for at in range(0, 200, 7):
        for _ in work.pieces(stft[:, at : at + 7]):
            pass
    work.finish()
    whole = tonearm.encode(stft, "flac", sample_rate=RATE, limits={"beyond": 100, "clipped": 1}, **grid)
    assert file.getvalue() == whole


def test_beyond_is_an_error_at_once():
    stft = (900 * np.random.default_rng(0).standard_normal((9, 50))).astype("c8")
    work = work_of(io.BytesIO(), "flac", kind="complex", n_fft=16, hop_length=4)
    with pytest.raises(ItemError) as caught:
        for _ in work.pieces(stft):
            pass
    assert caught.value.code == "beyond-full-scale"
    assert work.has_failed


def test_nan_that_is_kept_never_reaches_the_encoder():
    work = work_of(io.BytesIO(), nan="keep")
    with pytest.raises(ItemError) as caught:
        for _ in work.pieces(np.array([0.5, np.nan])):
            pass
    assert caught.value.code == "not-finite"


def test_a_failed_end_discards():
    file = io.BytesIO()
    work = work_of(file, "flac", limits={"clipped": 0.01})
    for _ in work.pieces(np.clip(SOUND * 9, -2, 2)):
        pass
    with pytest.raises(ItemError, match="clipped"):
        work.finish()
    assert (work.state, file.getvalue()) == ("given up", b"")


def test_a_stream_has_plugins_of_its_own():
    first, second = work_of(io.BytesIO()), work_of(io.BytesIO())
    assert first._request.encoder.plugin is not second._request.encoder.plugin
