"""docs/examples/server.py as it stands: sound arrives while it is made, and a client that goes ends the work."""

from __future__ import annotations

import os
import runpy
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import pytest

import tonearm
from code_blocks import ROOT

httpx = pytest.importorskip("httpx")
uvicorn = pytest.importorskip("uvicorn")
pytest.importorskip("starlette")

BEGINNINGS = {"mp3": b"\xff", "opus": b"OggS", "flac": b"fLaC", "wav": b"RIFF", "m4a": b"\0\0\0"}


def lacking(what: str) -> NoReturn:
    """Skip a test on somebody's machine; fail it where all programs are, as in CI."""
    (pytest.fail if os.environ.get("TONEARM_ALL_PROGRAMS") else pytest.skip)(what)


class Served:
    """The example at work: its address, and the voices that it was asked for."""

    def __init__(self, address: str, voices: list[Any]) -> None:
        self.address = address
        self.voices = voices


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    names = runpy.run_path(str(ROOT / "docs/examples/server.py"))
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(names["app"], log_level="error", ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            wait_until(lambda: server.started)
            yield Served(f"http://127.0.0.1:{listening.getsockname()[1]}", names["voices"])
        finally:
            server.should_exit = True
            thread.join()


def wait_until(is_true: Callable[[], bool]) -> None:
    """Wait until something is true, for a minute at most."""
    for _ in range(6000):
        if is_true():
            return
        time.sleep(0.01)
    pytest.fail("it did not come to that")


@pytest.mark.one_in(3)
@pytest.mark.parametrize("suffix", list(BEGINNINGS))
def test_bytes_arrive_while_the_voice_still_speaks(served: Served, suffix: str) -> None:
    made_at_first = None
    content = b""
    with httpx.stream("GET", f"{served.address}/speech.{suffix}?words=12") as response:
        response.raise_for_status()
        for part in response.iter_raw():
            content += part
            if made_at_first is None and len(content) > 512:
                made_at_first = served.voices[-1].made
    assert made_at_first is not None
    assert made_at_first < 8
    assert content.startswith(BEGINNINGS[suffix])
    assert tonearm.read(content, format=suffix).duration == pytest.approx(2.4, abs=0.1)
    assert (served.voices[-1].made, served.voices[-1].is_closed) == (12, True)


@pytest.mark.parametrize("suffix", ["mp3", "opus", "wav"])
def test_a_client_that_goes_ends_the_voice(served: Served, suffix: str) -> None:
    with httpx.stream("GET", f"{served.address}/speech.{suffix}?words=1000") as response:
        response.raise_for_status()
        next(response.iter_raw())
    voice = served.voices[-1]
    wait_until(lambda: voice.is_closed)
    assert voice.made < 100


def test_curl_reads_it(served: Served) -> None:
    command = ["curl", "-s", "--no-buffer", f"{served.address}/speech.opus?words=3"]
    try:
        done = subprocess.run(command, capture_output=True, check=True)
    except FileNotFoundError:
        lacking("curl is not here")
    assert tonearm.read(done.stdout, format="opus").duration == pytest.approx(0.6)


def test_the_page_is_there(served: Served) -> None:
    assert "MediaSource" in httpx.get(served.address).text
    assert httpx.get(f"{served.address}/speech.aiff").status_code == 404


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    api = pytest.importorskip("playwright.sync_api")
    with api.sync_playwright() as playwright:
        try:
            found = playwright.chromium.launch(
                executable_path="/usr/bin/chromium",
                args=["--no-sandbox", "--autoplay-policy=no-user-gesture-required"],
            )
        except api.Error as error:
            lacking(f"there is no Chromium: {error}")
        yield found
        found.close()


PLAYED = "selector => document.querySelector(selector).currentTime > 0.3"


@pytest.mark.slow
class TestChromium:
    """A real browser plays what a voice has not finished."""

    def page(self, served: Served, browser: Any) -> Any:
        page = browser.new_page()
        page.goto(served.address)
        return page

    @pytest.mark.parametrize("suffix", ["mp3", "opus", "wav"])
    def test_an_audio_element_plays(self, served: Served, browser: Any, suffix: str) -> None:
        page = self.page(served, browser)
        words = 100
        page.evaluate(
            "([id, words]) => { const one = document.getElementById(id); one.src += `?words=${words}`; one.play(); }",
            [suffix, words],
        )
        page.wait_for_function(PLAYED, arg=f"#{suffix}", timeout=60_000)
        voice = served.voices[-1]
        assert voice.made < words
        assert not voice.is_closed
        page.close()
        wait_until(lambda: voice.is_closed)
        assert voice.made < words

    @pytest.mark.parametrize("suffix", ["mp3", "m4a"])
    def test_a_media_source_is_fed(self, served: Served, browser: Any, suffix: str) -> None:
        page = self.page(served, browser)
        page.click(f"button[data-format={suffix}]")
        page.wait_for_function(PLAYED, arg="#fed", timeout=60_000)
        voice = served.voices[-1]
        assert voice.made < voice.words
        assert not voice.is_closed
        page.close()
        wait_until(lambda: voice.is_closed)
