"""Publishers that were broken on purpose: each breaks one rule, and a harness that is any good catches it.

A breaker changes the code of this process; trials run in children of their own.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable

from tonearm.errors import OutputError
from tonearm.run.store import history, journal, output_names, sweeping, temporaries, tree
from tonearm.run.store.local_store import LocalStore
from tonearm.run.store.publisher import Publisher
from tonearm.run.store.records import SyncRecord


def writes_in_place() -> None:
    """Write under the final name, instead of renaming."""

    def publish(self, file):
        source = os.path.join(self.root, temporaries.temporary_path(file))
        with open(source, "rb") as opened:
            content = opened.read()
        target = os.open(os.path.join(self.root, file.output), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        half = len(content) // 2
        os.write(target, content[:half])
        os.write(target, content[half:])
        os.fsync(target)
        os.close(target)
        os.unlink(source)

    LocalStore.publish = publish


def begins_nothing(self, batch):
    """Take the records before the names for written."""
    for admitted in batch:
        admitted.begun = True


def writes_no_begin() -> None:
    """Leave out the record before the name."""
    Publisher._begin = begins_nothing


def names_before_records() -> None:
    """Rename first, and write the record afterwards."""
    begin, rename = Publisher._begin, Publisher._rename

    def rename_first(self, admitted):
        rename(self, admitted)
        admitted.begun = False
        begin(self, [admitted])

    Publisher._begin = begins_nothing
    Publisher._rename = rename_first


def ends_before_names() -> None:
    """Record that a source is finished, and its names on the disk, before its files have them."""
    rename, record = Publisher._rename, Publisher._record

    def record_first(self, admitted):
        record(self, admitted)
        self.journal.write(SyncRecord())
        rename(self, admitted)

    Publisher._rename = lambda *_: None
    Publisher._record = record_first


def flushes_no_records() -> None:
    """Leave it to the system when a record gets to the disk, but rename at once."""
    journal.LocalJournalFile.flush = lambda _: None


def flushes_no_files() -> None:
    """Leave it to the system when a file's content gets to the disk, but rename at once."""
    real = LocalStore.temporaries
    LocalStore.temporaries = lambda self, owner, fsync: real(self, owner, fsync=False)


def flushes_no_folders() -> None:
    """Leave it to the system when names get to the disk, also at the end."""
    LocalStore.flush = lambda *_: None


def flushes_before_writing() -> None:
    """Flush the record before it is written."""
    begin = Publisher._begin

    def flush_first(self, batch):
        self.journal.file.flush()
        begin(self, batch)
        self.journal.file.flush = lambda: None

    Publisher._begin = flush_first


def leaves_temporaries() -> None:
    """Leave temporaries where something fails."""
    LocalStore.discard = lambda *_: None
    temporaries.Temporaries.__exit__ = lambda *_: None


def sweeps_nothing() -> None:
    """Leave the temporaries of runs that were killed."""
    LocalStore.sweep = lambda *_, **__: None


def settles_by_size() -> None:
    """Take an older file of the same size for the new one."""
    real = history.History._are_there
    history.History._are_there = lambda self, files, verify: real(self, files, verify=False)


def trusts_records() -> None:
    """Take a record for granted whether the name that it follows is on the disk or not."""
    real = history.History.__init__

    def open_(self, store):
        real(self, store)
        self._doubtful = set()

    history.History.__init__ = open_


def heals_no_lines() -> None:
    """Write on where a line was torn."""
    real = journal.LocalJournalFile.__init__

    def open_(self, *arguments):
        real(self, *arguments)
        self._torn = False

    journal.LocalJournalFile.__init__ = open_


def swallows_errors() -> None:
    """Say that a file was published when it could not be."""

    publish = LocalStore.publish

    def publish_or_not(self, file):
        with contextlib.suppress(OutputError):
            publish(self, file)

    LocalStore.publish = publish_or_not


def forgets_items() -> None:
    """Do all of a source again that a run was stopped at."""
    history.History._settled = lambda *_, **__: {}


def forgets_measurements() -> None:
    """Take an item for done that has its names, and whose measurements were never recorded."""
    real = history.History._settled

    def settle(self, unfinished, is_path):
        unfinished.recorded.update(unfinished.items)
        return real(self, unfinished, is_path)

    history.History._settled = settle


def replaces_anything() -> None:
    """Compare nothing with the files that exist."""
    output_names.OutputNames.replacement_problem = lambda *_: None


def renames_files_apart() -> None:
    """Give the second file of an item its name after the first one, with a record in between."""

    def split(self, admitted):
        for item in admitted.items:
            for file in item.files:
                os.write(self.journal.file.descriptor, b'{"record":"note"}\n')
                self.store.publish(file)

    Publisher._rename = split


def sweeps_what_is_held() -> None:
    """Remove the temporaries of others, whether they live or not."""
    sweeping.is_only_holder = lambda *_, **__: True


def follows_links() -> None:
    """Follow links below the output folder."""
    tree._NO_LINK = 0


BREAKERS: dict[str, Callable[[], None]] = {
    one.__name__: one
    for one in (
        writes_in_place, writes_no_begin, names_before_records, ends_before_names, flushes_no_records, flushes_no_files,
        flushes_no_folders, flushes_before_writing, leaves_temporaries, sweeps_nothing, settles_by_size,
        trusts_records, heals_no_lines,
        swallows_errors, forgets_items, forgets_measurements, replaces_anything, renames_files_apart,
        sweeps_what_is_held, follows_links,
    )
}  # fmt: skip
