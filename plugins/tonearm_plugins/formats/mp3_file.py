"""An MP3 file that is written frame by frame: tags, the frame of information, and the frames of LAME.

The frame of information is known at the end alone. A file that stays below `HELD` bytes is written in one go then; into
a longer one, the frame is patched. A pipe gets none, so decoders add LAME's delay there, and silence at the end.
"""

from __future__ import annotations

from typing import BinaryIO

from tonearm_plugins.formats.lame import Rates, improper
from tonearm_plugins.formats.mpeg_audio import Frames

HELD = 1 << 20
"""Bytes of frames that are held back before a file that can seek is begun."""


class Mp3File:
    """An MP3 file that is being written.

    Parameters
    ----------
    file
        Open binary file, at its start.
    tags
        ID3v2 tag; empty for none.
    rates
        Bit rate.
    seekable
        Whether the file can seek, and gets a frame of information.
    """

    def __init__(self, file: BinaryIO, tags: bytes, rates: Rates, *, seekable: bool) -> None:
        self._file = file
        self._tags = tags
        self._rates = rates
        self._seekable = seekable
        self._frames = Frames()
        self._held = bytearray()
        self._begun = False

    def write(self, stream: bytes) -> None:
        """Write what is ready of the stream of LAME, as far as frames are whole.

        Raises
        ------
        ItemError
            There is anything but frames.
        """
        try:
            self._held += self._frames.push(stream)
        except ValueError as error:
            raise improper(str(error)) from error
        if self._held and (not self._seekable or len(self._held) >= HELD):
            self._pass_on()

    def finish(self, length: int) -> None:
        """Write the frame of information, and close the file.

        Parameters
        ----------
        length
            Samples of each channel of the sound.

        Raises
        ------
        ItemError
            The frames do not have this number of samples.
        """
        rates = self._rates
        try:
            info = self._frames.info(length, rates.mode, bitrate=rates.bitrate, quality=rates.quality)
        except ValueError as error:
            raise improper(str(error)) from error
        if not self._seekable:
            self._pass_on()
        elif self._begun:
            self._pass_on()
            self._file.seek(len(self._tags))
            self._file.write(info)
        else:
            self._file.write(self._tags + info + self._held)
        self._file.close()

    def close(self) -> None:
        """Close the file as it is."""
        self._file.close()

    def _pass_on(self) -> None:
        """Write the frames that are held, after the start of the file."""
        if not self._begun:
            first = self._frames.first
            room = first.with_room().size if self._seekable and first is not None else 0
            self._file.write(self._tags + bytes(room))
            self._begun = True
        self._file.write(self._held)
        self._held = bytearray()
