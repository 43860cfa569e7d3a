"""Quarantine: a folder with copies of the waveforms that a step, a limit or an encoder refused, to listen to.

A copy is a WAV file of 32-bit floats: nothing is clipped, and NaN stays. It has a temporary name until it is complete.
Its name follows from the item, so another run replaces the copy, and never somebody else's file.
"""

from __future__ import annotations

import errno
import os
import re
import struct
from typing import TYPE_CHECKING, BinaryIO

from tonearm.content_hash import new_hasher
from tonearm.errors import UsageError, one_line
from tonearm.run.store.path_tree import open_tree
from tonearm.run.store.run_folder import QUARANTINE_MARKER
from tonearm.run.store.sweeping import Sweep
from tonearm.run.store.temporaries import Temporaries, temporary_path
from tonearm.run.store.tree import cannot_write, close_quietly
from tonearm.system import read_at

if TYPE_CHECKING:
    from tonearm.run.tasks import ItemId
    from tonearm.signals import Waveform

MAX_STEM = 50
"""Largest number of characters of a source's stem in the name of a copy."""

MAX_BYTES = (1 << 32) - 64
"""Largest number of bytes of samples in a WAV file."""

BLOCK = 1 << 16
"""Number of samples a channel that are written at once."""

NONCE_LENGTH = 32
"""Number of hex digits in the marker of a folder that is shared with other machines."""


class Quarantine:
    """A folder for copies of refused waveforms.

    Parameters
    ----------
    name
        Path of the folder as the user gave it. The folder is made when there is something to keep.
    root
        Absolute path of the folder; empty if it follows from the name and the current folder.
    nonce
        Content of the folder's marker, by which another machine knows that it sees the same folder; empty if nobody
        has asked for it.

    Attributes
    ----------
    path
        Absolute path of the folder.
    """

    def __init__(self, name: str, root: str = "", nonce: str = "") -> None:
        self._tree = open_tree(name, root)
        self._nonce = nonce

    def __reduce__(self) -> tuple[type[Quarantine], tuple[str, str, str]]:
        return Quarantine, (self._tree.name, self._tree.root, self._nonce)

    @property
    def path(self) -> str:
        """Absolute path of the folder."""
        return self._tree.root

    def mark(self) -> None:
        """Make the folder, with a marker by which other machines know it. It is the same for all runs.

        Raises
        ------
        OutputError
            If the folder cannot be written.
        """
        try:
            descriptor = self._tree.open(QUARANTINE_MARKER, os.O_CREAT | os.O_RDWR | os.O_APPEND, create_folder=True)
            try:
                if len(read_at(descriptor, NONCE_LENGTH, 0)) < NONCE_LENGTH:
                    os.write(descriptor, os.urandom(NONCE_LENGTH // 2).hex().encode())
                # Another run may have written at the same time; what is first counts.
                self._nonce = read_at(descriptor, NONCE_LENGTH, 0).decode("ascii", "replace")
            finally:
                close_quietly(descriptor)
        except OSError as error:
            raise cannot_write(os.path.join(self._tree.name, QUARANTINE_MARKER), error) from error

    def is_seen(self) -> bool:
        """Return whether this process sees the folder that was marked. Nothing is written."""
        try:
            descriptor = self._tree.open(QUARANTINE_MARKER, os.O_RDONLY)
        except OSError:
            return False
        try:
            return read_at(descriptor, NONCE_LENGTH, 0) == self._nonce.encode()
        except OSError:
            return False
        finally:
            close_quietly(descriptor)

    def check(self, out: str) -> None:
        """Check that the folder is a quarantine, or can become one.

        Parameters
        ----------
        out
            Output folder of the run.

        Raises
        ------
        UsageError
            If it is the output folder, is no folder, or holds files of somebody else.
        """
        name, root = one_line(self._tree.name), self._tree.root
        hint = "name a new folder, an empty one, or the quarantine of an earlier run"
        if os.path.realpath(root) == os.path.realpath(out):
            raise UsageError(f"the quarantine {name} is the output folder", hint=hint)
        if not os.path.lexists(root):
            return
        try:
            with os.scandir(root) as entries:
                names = {entry.name for entry in entries}
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise UsageError(f"cannot open the quarantine {name}: {reason}", hint=hint) from error
        if names and QUARANTINE_MARKER not in names:
            raise UsageError(f"the folder {name} holds files, and is no quarantine", hint=hint)

    def keep(self, source: str, stem: str, item: ItemId, waveform: Waveform, *, fsync: bool) -> str:
        """Keep a copy of a waveform, and return its path; an empty text if it is too large for a WAV file.

        Parameters
        ----------
        source
            Absolute path of the source, or the name that it has in the call.
        stem
            Stem of the source.
        item
            Key and index of the item within the source.
        waveform
            Waveform.
        fsync
            Whether to flush the copy to the disk.

        Raises
        ------
        OutputError
            If the copy cannot be written. Nothing of it is left then.
        """
        if waveform.samples.size * 4 > MAX_BYTES:
            return ""
        name = _name(source, stem, item)
        shown = os.path.join(self._tree.name, name)
        try:
            self._make()
            with Temporaries(self._tree, None, fsync=fsync) as temporaries:
                with temporaries.sink(name, "the quarantine").open() as file:
                    write_float_wav(file, waveform)
                ((prepared,),) = temporaries.finish()
                try:
                    self._tree.rename(temporary_path(prepared), name)
                except OSError:
                    self._tree.remove(temporary_path(prepared))
                    raise
            if fsync:
                self._tree.flush()
        except OSError as error:
            raise cannot_write(shown, error) from error
        return shown

    def sweep(self) -> None:
        """Remove what killed runs have left unfinished, unless somebody holds it."""
        if os.path.lexists(os.path.join(self._tree.root, QUARANTINE_MARKER)):
            Sweep(self._tree, {}, "").sweep([""], deep=False)
        self._tree.close()

    def _make(self) -> None:
        """Make the folder, with its marker, unless it was marked before: another machine might make another one."""
        if not self._nonce:
            close_quietly(self._tree.open(QUARANTINE_MARKER, os.O_CREAT | os.O_WRONLY, create_folder=True))
        elif not self.is_seen():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))


def write_float_wav(file: BinaryIO, waveform: Waveform) -> None:
    """Write a waveform as a WAV file of 32-bit floats, as they are."""
    import numpy as np

    samples = waveform.samples
    channels, frames = samples.shape
    rate, width = waveform.sample_rate, 4 * channels
    size = frames * width
    file.write(struct.pack("<4sI4s", b"RIFF", size + 50, b"WAVE"))
    file.write(struct.pack("<4sIHHIIHHH", b"fmt ", 18, 3, channels, rate, rate * width, width, 32, 0))
    file.write(struct.pack("<4sII4sI", b"fact", 4, frames, b"data", size))
    with np.errstate(all="ignore"):  # float64 beyond float32 becomes infinite
        for start in range(0, frames, BLOCK):
            file.write(samples[:, start : start + BLOCK].T.astype("<f4").tobytes())


def _name(source: str, stem: str, item: ItemId) -> str:
    """Return the name of an item's copy: nothing but the item determines it."""
    hasher = new_hasher()
    hasher.update(f"{source}\n{item[1]}\n{item[0]}".encode("utf-8", "surrogatepass"))
    readable = re.sub(r"[^\w.-]", "_", stem)[:MAX_STEM].lstrip(".")
    return f"{readable or 'item'}-{hasher.hexdigest()[:16]}.wav"
