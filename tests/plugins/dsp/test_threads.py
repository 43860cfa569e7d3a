"""Threads of one call: what each does, and that none is left."""

import _thread
import functools
import os
import threading
import time

import numpy as np
import pytest
from dsp_material import ENGINES

from tonearm_plugins.dsp import mel_spectrogram as mel_module
from tonearm_plugins.dsp import threads as dsp_threads
from tonearm_plugins.dsp.engines import scipy as scipy_engine
from tonearm_plugins.dsp.engines.native import istft_kernel, recovery, targets
from tonearm_plugins.dsp.errors import NotFiniteError
from tonearm_plugins.dsp.griffin_lim import griffin_lim
from tonearm_plugins.dsp.istft import istft
from tonearm_plugins.dsp.mel_griffin_lim import mel_griffin_lim
from tonearm_plugins.dsp.mel_spectrogram import mel_spectrogram
from tonearm_plugins.dsp.stft import stft
from tonearm_plugins.dsp.threads import free_threads, in_threads, share_each, share_in_order, share_out


@pytest.mark.parametrize("count", [1, 7, 100])
@pytest.mark.parametrize("threads", [1, 2, 3, 50])
@pytest.mark.parametrize("least", [1, 30])
def test_each_thing_is_worked_on_once(count, threads, least):
    done = [0] * count
    sizes = []

    def work(first, last):
        sizes.append(last - first)
        for i in range(first, last):
            done[i] += 1

    share_out(work, count, threads, least=least)
    assert done == [1] * count
    assert min(sizes) >= min(least, count)


def test_threads_work_at_the_same_time_and_none_is_left():
    before = _thread._count()
    meeting = threading.Barrier(3, timeout=30)
    share_out(lambda first, last: meeting.wait(), 12, threads=3)  # or the barrier breaks
    assert _thread._count() == before


def test_an_error_in_any_thread_is_raised_and_no_more_is_begun():
    before, begun = _thread._count(), []

    def work(first, last):
        begun.append(first)
        if threading.current_thread() is not threading.main_thread():
            raise ValueError("of another")
        while len(begun) < 2 or _thread._count() > before:  # until the other has begun, and ended
            time.sleep(1e-3)

    with pytest.raises(ValueError, match="of another"):
        share_out(work, 1000, threads=2)
    assert len(begun) == 2


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_an_error_of_this_thread_ends_those_that_wait_for_it(error):
    ended = []

    def work(number, over):
        if not number:
            raise error
        ended.append(over.wait(30))

    with pytest.raises(error):
        in_threads(work, 3)
    assert ended == [True, True]


def test_the_error_of_another_thread_is_raised_here():
    def work(number, over):
        if number:
            raise ValueError("of another")
        assert over.wait(30)

    with pytest.raises(ValueError, match="of another"):
        in_threads(work, 2)


def test_an_error_that_follows_from_that_of_another_thread_does_not_hide_it():
    def work(number, over):
        if number:
            raise ValueError("the first")
        assert over.wait(30)
        raise RuntimeError("another has failed")

    with pytest.raises(ValueError, match="the first"):
        in_threads(work, 2)


def test_where_the_system_has_no_more_threads_this_one_does_all(monkeypatch):
    def refuse(*_):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(_thread, "start_new_thread", refuse)
    done = []
    share_out(lambda first, last: done.append((first, last, threading.get_ident())), 20, threads=4)
    assert sum(last - first for first, last, _ in done) == 20
    assert {thread for *_, thread in done} == {threading.get_ident()}


def test_calls_share_the_threads_that_all_may_have():
    with free_threads(8, 8) as first, free_threads(8, 8) as second, free_threads(2, 11) as third:
        assert (first, second, third) == (8, 1, 2)
    with free_threads(8, 8) as first:
        assert first == 8


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no forks here")
def test_the_child_of_a_fork_has_none_of_its_parents_threads():
    with free_threads(4, 4):
        child = os.fork()
        if not child:
            with free_threads(4, 4) as taken:
                os._exit(taken)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 4


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_long_things_are_each_worked_on_once(threads):
    meeting = threading.Barrier(min(threads, 2), timeout=30)

    def work(number, over):
        if number < 2:
            meeting.wait()  # or the barrier breaks
        return number * number

    assert share_each(work, 9, threads) == [number * number for number in range(9)]


@pytest.mark.parametrize("here", [True, False])
def test_the_error_of_a_long_thing_tells_the_others_and_begins_no_more(here):
    begun, told = [], []
    meeting = threading.Barrier(2, timeout=30)

    def work(number, over):
        begun.append(number)
        meeting.wait()
        if (threading.current_thread() is threading.main_thread()) == here:
            raise ValueError("one of them")
        told.append(over.wait(30))

    with pytest.raises(ValueError, match="one of them"):
        share_each(work, 9, 2)
    assert told == [True]
    assert sorted(begun) == [0, 1]


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_things_begin_together_and_finish_in_order(threads):
    meeting = threading.Barrier(min(threads, 2), timeout=30)
    finished = []

    def begin(number):
        if number < 2:
            meeting.wait()  # or the barrier breaks
        return number * number

    share_in_order(begin, lambda *made: finished.append(made), 9, threads)
    assert finished == [(number, number * number) for number in range(9)]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
@pytest.mark.parametrize("at", [0, 5])
@pytest.mark.parametrize("when", ["begin", "finish"])
def test_an_error_ends_the_row(error, at, when):
    before, finished = _thread._count(), []

    def begin(number):
        if when == "begin" and number == at:
            raise error

    def finish(number, _):
        if when == "finish" and number == at:
            raise error
        finished.append(number)

    with pytest.raises(error):
        share_in_order(begin, finish, 100, 3)
    assert finished == list(range(len(finished)))
    assert len(finished) <= at
    assert _thread._count() == before


def test_numpy_treats_errors_alike_in_all_threads():
    meeting = threading.Barrier(2, timeout=30)

    def divide(first, last):
        meeting.wait()
        np.float32(1) / np.float32(0)  # a warning, which the suite turns into an error

    with np.errstate(all="ignore"):
        share_out(divide, 8, threads=2)


FRAMES = {"window": np.hanning(129)[:-1], "hop_length": 32, "pad": 64}


@pytest.fixture
def _every_clip_is_worth_threads(monkeypatch):
    monkeypatch.setattr(dsp_threads, "LEAST_WORK", 1)
    monkeypatch.setattr(istft_kernel, "LEAST_STRETCH", 2)
    for module in (recovery, targets):
        monkeypatch.setattr(module, "LEAST_PIECE", 2)
    monkeypatch.setattr(scipy_engine, "frames_in_cache", lambda n_fft: 64)
    monkeypatch.setattr(mel_module, "frames_in_cache", lambda n_fft: 64)


def works():
    """Everything that shares one clip among threads, as functions of their number."""
    noise = np.random.default_rng(0).standard_normal((2, 32 * 600 + 7)).astype(np.float32)
    spectrum = stft(noise, **FRAMES)
    magnitude = np.abs(spectrum)
    basis = np.maximum(0, 1 - np.abs(np.arange(65) / 4 - np.arange(16)[:, None]))
    mel = basis @ magnitude
    spectra = {
        "in C order": spectrum,
        "in Fortran order": np.asfortranarray(spectrum[0])[None],
        "converted": np.repeat(spectrum, 2, axis=2)[:, :, ::2],
        "double": spectrum.astype(np.complex128),
    }
    for name, values in spectra.items():
        yield f"istft {name}", functools.partial(istft, values, **FRAMES)
    yield "stft", functools.partial(stft, noise, **FRAMES)
    yield "stft double", functools.partial(stft, noise, **FRAMES, double=True)
    for start in ("plgi", "random", "zero"):
        yield f"griffin_lim {start}", functools.partial(griffin_lim, magnitude, **FRAMES, start=start, iterations=3)
    yield "mel_griffin_lim", functools.partial(mel_griffin_lim, mel, mel_basis=basis, **FRAMES, iterations=3)
    frames = {**FRAMES, "pad": (64, 64), "win_length": 128, "pad_mode": "reflect", "mel_basis": basis, "power": 2}
    yield "mel_spectrogram", functools.partial(mel_spectrogram, noise, **frames)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("work", [pytest.param(work, id=name) for name, work in works()])
@pytest.mark.usefixtures("_every_clip_is_worth_threads")
def test_any_number_of_threads_gives_the_same_bits(monkeypatch, engine, work):
    monkeypatch.setenv("TONEARM_ENGINE", engine if engine == "scipy" else "auto")
    alone, *others = (getattr(found, "samples", found) for found in (work(threads=count) for count in (1, 2, 5)))
    assert all(np.array_equal(alone, other) for other in others)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.usefixtures("_every_clip_is_worth_threads")
def test_a_value_that_is_not_finite_is_found_whichever_thread_reads_it(engine, order):
    for frame in (0, 250, 500, 999):
        spectrum = np.zeros((65, 1000), np.complex64, order=order)
        spectrum[7, frame] = np.nan
        with pytest.raises(NotFiniteError):
            istft(spectrum[None], **FRAMES, engine=engine, threads=4, require_finite=True)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.usefixtures("_every_clip_is_worth_threads")
def test_progress_goes_forwards_in_all_threads(engine):
    spectrum = np.zeros((2, 65, 3000), np.complex64)
    reported = []
    istft(spectrum, **FRAMES, engine=engine, threads=3, on_progress=lambda *done: reported.append(done))
    assert len(reported) > 8
    assert reported == sorted(reported)
    assert reported[-1] == (6000, 6000)
