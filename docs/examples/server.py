"""Serve speech while a model still makes it: run this file, and open http://127.0.0.1:8000 in a browser.

It needs starlette and uvicorn. With FastAPI, the functions below are the same: its responses are those of Starlette.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, Response, StreamingResponse
from starlette.routing import Route

import tonearm

RATE = 24000
MEDIA_TYPES = {
    "mp3": "audio/mpeg",
    "opus": "audio/ogg",
    "ogg": "audio/ogg",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "m4a": "audio/mp4",
}


class Voice:
    """A stand-in for a model: it needs some time for each fifth of a second of speech.

    Attributes
    ----------
    made
        Number of chunks so far.
    is_closed
        Whether it has ended, because it is done, or because nobody listens any longer.
    """

    def __init__(self, words: int) -> None:
        self.words = words
        self.made = 0
        self.is_closed = False

    async def speak(self) -> AsyncIterator[np.ndarray]:
        """Yield chunks of samples. A model that is no asynchronous generator is given to `astream_bytes` as it is."""
        time = np.arange(RATE // 5) / RATE
        try:
            for word in range(self.words):
                await asyncio.sleep(0.15)  # the model at work
                self.made += 1
                yield 0.3 * np.sin(2 * np.pi * 220 * (1 + word % 4) * time) * np.hanning(len(time))
        finally:
            self.is_closed = True


voices: list[Voice] = []
"""Every voice that was asked for, so that one can see what became of it."""


async def speech(request: Request) -> Response:
    """Answer with speech, chunk by chunk. When the client goes, the task is cancelled, and the voice with it."""
    suffix = request.path_params["suffix"]
    if suffix not in MEDIA_TYPES:
        return Response(status_code=404)
    voice = Voice(int(request.query_params.get("words", "20")))
    voices.append(voice)
    options = {"bitrate": 64} if suffix == "mp3" else {}
    body = tonearm.astream_bytes(voice.speak(), suffix, sample_rate=RATE, **options)
    return StreamingResponse(body, media_type=MEDIA_TYPES[suffix], headers={"Cache-Control": "no-store"})


async def page(_request: Request) -> Response:
    """Answer with the page, which feeds a MediaSource."""
    return FileResponse(Path(__file__).with_name("server.html"), media_type="text/html")


app = Starlette(routes=[Route("/", page), Route("/speech.{suffix}", speech)])

if __name__ == "__main__":
    import uvicorn

    uvicorn.run(app)
