"""The file of a stream: written under a temporary name beside its final one, then published whole, or removed."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from tonearm.errors import ItemError, OutputError, one_line
from tonearm.pipeline.converter import Converter
from tonearm.plugins.sink import Sink
from tonearm.run.convert_one import publish_item, sweep_once
from tonearm.run.store.local_store import LocalStore
from tonearm.run.store.output_names import OutputNames
from tonearm.run.store.output_paths import output_folder, output_path
from tonearm.source import CHUNKS


class StreamFile:
    """The file of a stream. While it is written, its temporary is locked; a killed process leaves it to any sweep.

    Parameters
    ----------
    pipeline
        Pipeline with one output, whose template is the name of the file.
    root
        Folder that the name is relative to.
    overwrite
        Whether an existing file is replaced.
    durable
        Whether to flush the file and its name to the disk.

    Attributes
    ----------
    path
        Path of the file, once it is published.
    sink
        Sink for the encoder.

    Raises
    ------
    ItemError
        If a file exists and ``overwrite`` is false, or its name is that of a folder.
    OutputError
        If the folder cannot be written, or the name is that of a device or a pipe.
    """

    def __init__(self, pipeline: Converter, root: str, *, overwrite: bool, durable: bool) -> None:
        (output,) = pipeline.outputs
        self._store = LocalStore(root)
        self._durable = durable
        self._target = output_path(output, CHUNKS, ("", 0))
        self.path = Path(root, self._target)
        with contextlib.ExitStack() as stack:
            stack.callback(self._store.close)
            self._names = OutputNames(self._store, lambda _: False, force=overwrite)
            if problem := self._names.claim(self._target, 0, CHUNKS.name):
                raise ItemError(problem.message, code=problem.code, remedies=problem.remedies)
            if self._store.kind(self._target) == "other" and not self.path.is_symlink():
                message = f"cannot write {one_line(str(self.path))}: it is a device or a pipe"
                raise OutputError(message, hint=f'open it, as in stream(open("{one_line(str(self.path))}", "wb"), …)')
            sweep_once(self._store, {output_folder(output, CHUNKS) or ""})
            self._temporaries = self._store.temporaries(None, fsync=durable, hashed=False)
            stack.enter_context(self._temporaries)
            self.sink: Sink = self._temporaries.sink(self._target, output.encoder.name)
            self._stack = stack.pop_all()

    def publish(self) -> None:
        """Give the file its name, in one step; if that fails, the temporary is removed.

        Raises
        ------
        ItemError
            If the encoder wrote nothing, or a file exists by now that must not be replaced.
        OutputError
            If the file cannot be flushed or named.
        """
        try:
            (files,) = self._temporaries.finish()
            try:
                publish_item(files, CHUNKS, iter(()), self._store, self._names, keep_mode=True)
            except BaseException:
                self._temporaries.take_back()
                raise
            if self._durable:
                self._store.flush({os.path.dirname(self._target)})
        finally:
            self.close()

    def close(self) -> None:
        """Release what is held, and remove the temporary unless it is published."""
        self._stack.close()
