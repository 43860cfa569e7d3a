"""Bytes of streams: from a generator or an asynchronous one, and what becomes of both when somebody leaves."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import threading
import time

import numpy as np
import pytest
from stream_toys import UNKNOWN, StartedToy, registry_with_toys, toy_length, toy_samples

import tonearm
from tonearm import ItemError, TonearmError, TonearmWarning, UsageError
from tonearm.plugins import registry as registries

RATE = 24000
SOUND = (0.4 * np.sin(np.arange(5000) / 9)).astype("f4")


@pytest.fixture(autouse=True)
def toys(monkeypatch):
    found = registry_with_toys()
    monkeypatch.setattr(registries, "default", lambda: found)
    StartedToy.given_up.clear()


class Model:
    """A generator that notes how far it is, and whether it was closed."""

    def __init__(self, count=5, *, fails_at=None, seconds=0.0):
        self.count, self.fails_at, self.seconds = count, fails_at, seconds
        self.made = 0
        self.closed = False
        self.awaits = True
        self.threads = set()

    def chunks(self):
        try:
            for index in range(self.count):
                if index == self.fails_at:
                    raise KeyError("model")
                self.threads.add(threading.get_ident())
                time.sleep(self.seconds)
                self.made += 1
                yield SOUND
        finally:
            self.closed = True

    async def async_chunks(self):
        try:
            for index in range(self.count):
                if index == self.fails_at:
                    raise KeyError("model")
                if self.awaits:
                    await asyncio.sleep(self.seconds)
                self.threads.add(threading.get_ident())
                self.made += 1
                yield SOUND
        finally:
            self.closed = True
            if self.awaits:
                await asyncio.sleep(0)


def sync_parts(model, **options):
    return tonearm.stream_bytes(model.chunks(), "toy", sample_rate=RATE, **options)


class TestStreamBytes:
    def test_bytes_come_with_each_chunk(self):
        model = Model()
        sizes = [(len(part), model.made) for part in sync_parts(model)]
        assert sizes == [(20_016, 1), *((20_000, made) for made in range(2, 6))]

    def test_together_they_are_the_file_of_a_pipe(self):
        content = b"".join(sync_parts(Model()))
        assert toy_length(content) == UNKNOWN
        assert (toy_samples(content)[0] == np.tile(SOUND, 5)).all()

    def test_a_long_chunk_comes_in_pieces(self):
        parts = list(tonearm.stream_bytes([np.tile(SOUND, 50)], "toy", sample_rate=RATE))
        assert len(parts) == 4
        assert (toy_samples(b"".join(parts))[0] == np.tile(SOUND, 50)).all()

    def test_leaving_closes_the_source_and_the_encoder(self):
        model = Model()
        parts = sync_parts(model)
        next(parts)
        parts.close()
        assert (model.made, model.closed, len(StartedToy.given_up)) == (1, True, 1)

    def test_a_source_that_raises(self):
        model = Model(fails_at=2)
        found = []
        with pytest.raises(KeyError):
            found.extend(sync_parts(model))
        assert (len(found), model.closed, len(StartedToy.given_up)) == (2, True, 1)

    def test_a_source_that_raises_gets_its_end_on_request(self):
        chunks = tonearm.stream_bytes(Model(fails_at=2).chunks(), "opus", sample_rate=RATE, partial="keep")
        found = []
        with pytest.raises(KeyError), pytest.warns(TonearmWarning, match="cut short"):
            found.extend(chunks)
        sound = tonearm.read(b"".join(found), format="opus")
        assert sound.duration == pytest.approx(10_000 / RATE)

    def test_a_chunk_that_is_refused_closes_the_source(self):
        closed = []

        def chunks():
            try:
                yield SOUND
                yield np.zeros(5, "i2")
                yield SOUND
            finally:
                closed.append(True)

        with pytest.raises(ItemError, match="chunk 2"):
            list(tonearm.stream_bytes(chunks(), "toy", sample_rate=RATE))
        assert closed == [True]

    @pytest.mark.parametrize(
        ("chunks", "says"),
        [(3, "not int"), (Model().chunks, "call the generator's function"), (Model().async_chunks(), "astream_bytes")],
    )
    def test_chunks_that_are_none(self, chunks, says):
        with pytest.raises(UsageError, match=says):
            tonearm.stream_bytes(chunks, "toy", sample_rate=RATE)

    def test_what_is_wrong_is_raised_at_once(self):
        for options in ({"format": "png"}, {"steps": ["normalize"]}, {"partial": "x"}, {"format": "fileonly"}):
            with pytest.raises(TonearmError):
                tonearm.stream_bytes([SOUND], **{"format": "toy", "sample_rate": RATE, **options})

    def test_no_chunk_at_all(self):
        with pytest.raises(ItemError, match="nothing to write"):
            list(tonearm.stream_bytes([], "toy", sample_rate=RATE))

    def test_warnings_are_given(self):
        with pytest.warns(TonearmWarning, match="too-quiet") as caught:
            list(tonearm.stream_bytes([SOUND * 1e-5], "toy", sample_rate=RATE))
        assert caught[0].filename == __file__


@pytest.mark.parametrize("kind", ["chunks", "async_chunks"])
class TestAsync:
    def parts(self, model, kind, **options):
        return tonearm.astream_bytes(getattr(model, kind)(), "toy", sample_rate=RATE, **options)

    def test_bytes_are_those_of_stream_bytes(self, kind):
        async def body():
            return [part async for part in self.parts(Model(), kind)]

        assert asyncio.run(body()) == list(sync_parts(Model()))

    def test_the_loop_goes_on_meanwhile(self, kind):
        async def body():
            ticks = 0

            async def tick():
                nonlocal ticks
                while True:
                    await asyncio.sleep(0.005)
                    ticks += 1

            task = asyncio.create_task(tick())
            found = [part async for part in self.parts(Model(seconds=0.1), kind)]
            task.cancel()
            return ticks, len(found)

        ticks, found = asyncio.run(body())
        assert found == 5
        assert ticks > 20

    def test_aclose_closes_the_source_and_the_encoder(self, kind):
        async def body():
            model = Model()
            parts = self.parts(model, kind)
            await anext(parts)
            await parts.aclose()
            return model

        model = asyncio.run(body())
        assert (model.made, model.closed, len(StartedToy.given_up)) == (1, True, 1)

    def test_a_cancelled_task_closes_the_source_and_the_encoder(self, kind):
        async def body():
            model = Model(count=1000, seconds=0.05)

            async def send():
                async for _ in self.parts(model, kind):
                    pass

            task = asyncio.create_task(send())
            await asyncio.sleep(0.13)
            task.cancel()
            await asyncio.sleep(0)
            task.cancel()  # as a group of tasks does again and again
            with pytest.raises(asyncio.CancelledError):
                await task
            return model

        model = asyncio.run(body())
        assert model.closed
        assert 1 <= model.made <= 4
        assert len(StartedToy.given_up) == 1

    def test_a_source_that_raises(self, kind):
        async def body():
            model, found = Model(fails_at=2), []
            with contextlib.suppress(KeyError):
                async for part in self.parts(model, kind):
                    found.append(part)  # noqa: PERF401 - what came before the error counts
                raise AssertionError("the error of the source is lost")
            return model, found

        model, found = asyncio.run(body())
        assert (len(found), model.closed, len(StartedToy.given_up)) == (2, True, 1)

    def test_a_source_that_raises_is_kept_on_request(self, kind):
        async def body():
            with pytest.raises(KeyError):
                async for _ in self.parts(Model(fails_at=2), kind, partial="keep"):
                    pass

        with pytest.warns(TonearmWarning, match="cut short"):
            asyncio.run(body())
        assert not StartedToy.given_up

    def test_warnings_name_the_line_that_iterates(self, kind):
        async def chunks():
            yield SOUND * 1e-5

        async def body():
            source = chunks() if kind == "async_chunks" else [SOUND * 1e-5]
            return [part async for part in tonearm.astream_bytes(source, "toy", sample_rate=RATE)]

        with pytest.warns(TonearmWarning, match="too-quiet") as caught:
            asyncio.run(body())
        assert caught[0].filename == __file__

    def test_another_event_loop_will_do(self, kind):
        model = Model()
        model.awaits = False
        parts = self.parts(model, kind)
        found = []

        async def body():
            found.extend([part async for part in parts])

        with pytest.raises(StopIteration):
            body().send(None)  # nothing waits for anything
        assert found == list(sync_parts(Model()))
        assert model.threads == {threading.get_ident()}

    def test_what_is_wrong_is_raised_at_once(self, kind):
        with pytest.raises(ItemError, match="normalize needs the whole"):
            self.parts(Model(), kind, steps=["normalize"])


def test_an_async_source_must_be_iterable():
    with pytest.raises(UsageError, match="call the generator's function"):
        tonearm.astream_bytes(Model().async_chunks, "toy", sample_rate=RATE)


@pytest.mark.parametrize("name", ["stream_bytes", "astream_bytes"])
def test_each_parameter_is_described(name):
    described = inspect.getdoc(getattr(tonearm, name))
    for parameter in inspect.signature(getattr(tonearm, name)).parameters:
        assert parameter in described
    for section in ("Parameters", "Yields", "Raises", "Examples"):
        assert f"{section}\n{'-' * len(section)}\n" in described
