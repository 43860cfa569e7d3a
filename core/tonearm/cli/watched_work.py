"""The work of a command, as its watcher knows it: how it is told from process to process, and how it is given up."""

from __future__ import annotations

import os

from tonearm.cli import console
from tonearm.descendants import SIGKILL


class WatchedWork:
    """The work of a command, as far as the watcher must know it.

    Parameters
    ----------
    file
        Name of the source, for the message.
    timeout
        Seconds without a sign of life that are too many; 0 for no limit.
    folder
        Folder in which the work may leave temporaries; None for none.
    as_json
        Whether the message is also printed as a JSON object on stdout.
    can_continue
        Whether another process can continue the work if this one dies.
    """

    __slots__ = ("as_json", "can_continue", "file", "folder", "timeout")

    def __init__(
        self,
        file: str,
        timeout: float,
        *,
        folder: str | None = None,
        as_json: bool = False,
        can_continue: bool = False,
    ) -> None:
        self.file, self.timeout, self.folder = file, timeout, folder
        self.as_json, self.can_continue = as_json, can_continue

    def encode(self) -> bytes:
        """Return the work as one line. Names may hold any byte, so they are in hex."""
        folder = "-" if self.folder is None else os.fsencode(self.folder).hex()
        flags = f"{self.as_json:d} {self.can_continue:d}"
        return f"{self.timeout!r} {flags} {folder} {os.fsencode(self.file).hex()}\n".encode()

    @classmethod
    def decode(cls, line: bytes) -> WatchedWork:
        """Return the work that a line of `encode` stands for, given without its end."""
        timeout, as_json, can_continue, folder, file = line.decode().split(" ")
        where = None if folder == "-" else os.fsdecode(bytes.fromhex(folder))
        return cls(
            os.fsdecode(bytes.fromhex(file)),
            float(timeout),
            folder=where,
            as_json=as_json == "1",
            can_continue=can_continue == "1",
        )

    def give_up(self, code: str, message: str, hint: str) -> int:
        """Remove what the work left behind, print the error, and return the exit status."""
        from tonearm.errors import ItemError, one_line

        self.remove_leftovers()
        error = ItemError(f"{one_line(self.file)}: {message}" if self.file else message, code=code, hint=hint)
        console.print_message(error.problem)
        if self.as_json:
            import json

            from tonearm.cli.printing import error_fields

            console.print_data(json.dumps({"file": self.file, "error": error_fields(error)}), flush=True)
        return console.SOME_FAILED

    def time_out(self) -> int:
        """Give up because there was no sign of life."""
        message = f"no sign of life for {self.timeout:g} s"
        return self.give_up("timeout", message, "give a longer --timeout, or 0 for no limit")

    def died(self, status: int) -> int:
        """Give up because the process has ended before its work; its exit status is negative for a signal."""
        import signal

        number = -status
        if status >= 0:
            hint = "a plugin ends the process, or closes files that are not its own"
            return self.give_up("worker-died", f"its process was ended by exit status {status}", hint)
        try:
            name = signal.Signals(number).name
        except ValueError:
            name = f"signal {number}"
        hint = "PYTHONFAULTHANDLER=1 in the environment, to see where"
        if number == SIGKILL:
            hint = "out of memory, most likely"
        return self.give_up("worker-died", f"its process was ended by {name}", hint)

    def remove_leftovers(self) -> None:
        """Remove the temporaries that the work left behind."""
        if self.folder is not None:
            from tonearm.run.convert_one import remove_leftovers

            remove_leftovers(self.folder)
