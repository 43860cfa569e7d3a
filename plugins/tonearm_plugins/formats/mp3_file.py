"""An MP3 file as it is written: tags, the frame of information, and the frames that LAME makes, piece by piece."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tonearm_plugins.formats.lame import Rate, improper_mp3
from tonearm_plugins.formats.mpeg_audio import Frames, info_frame

if TYPE_CHECKING:
    from tonearm.api import Sink

_HELD = 1 << 20
"""Bytes of frames that are held back, so that shorter files are written in one go."""


class Mp3File:
    """An MP3 file at work.

    The frame of information stands before the sound and has its exact length. A file keeps its place free, and gets it
    at the end. A pipe cannot go back, and has none: it gets all frames as soon as they are complete.

    Parameters
    ----------
    sink
        Sink of the encoder.
    tags
        Tags as ID3v2, which stand at the start.
    rate
        Bit rate of the frames.
    """

    def __init__(self, sink: Sink, tags: bytes, rate: Rate) -> None:
        self._file = sink.open()
        self._is_pipe = not sink.seekable
        self._rate = rate
        self._frames = Frames()
        self._start = len(tags)
        self._held = bytearray()
        self._is_open = False  # whether the place of the frame of information is behind us
        if tags:
            self._file.write(tags)

    def write(self, data: bytes) -> None:
        """Write more of the stream that LAME makes.

        Raises
        ------
        ItemError
            It is no stream of frames.
        """
        try:
            frames = self._frames.cut(data)
        except ValueError as error:
            raise improper_mp3(str(error)) from error
        if not frames:
            return
        if self._is_pipe:
            self._file.write(frames)
            self._file.flush()
            return
        self._held += frames
        if len(self._held) > _HELD:
            if not self._is_open:
                self._file.write(bytes(self._frames.room().size))
                self._is_open = True
            self._file.write(self._held)
            self._held.clear()

    def finish(self, length: int) -> None:
        """Write the end of the file and close it.

        Parameters
        ----------
        length
            Samples of each channel of the sound.

        Raises
        ------
        ItemError
            The frames do not fit the length.
        """
        with self._file as file:
            try:
                if self._is_pipe:
                    self._frames.padding(length)
                    return
                info = info_frame(
                    self._frames, length, self._rate.mode, bitrate=self._rate.bitrate, quality=self._rate.quality
                )
            except ValueError as error:
                raise improper_mp3(str(error)) from error
            if not self._is_open:
                file.write(info)
            file.write(self._held)
            if self._is_open:
                file.seek(self._start)
                file.write(info)

    def close(self) -> None:
        """Close the file as it is."""
        self._file.close()
