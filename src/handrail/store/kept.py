"""Signed checkpoints kept outside the database: a file of notes per desk.

A note is whole only with the empty lines behind it. A tail without them is what a crash or a full
disk left of a note that nobody was told was kept; it is passed over, and cut off by the next one.
"""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path
from typing import BinaryIO, Final
from urllib.parse import quote

from handrail.errors import Unavailable
from handrail.store.durable import sync_folder

__all__ = ["keep_note", "kept_notes"]

READ_BYTES_MAX: Final = 1024 * 1024
_END: Final = b"\n\n\n"


def keep_note(folder: Path, desk: str, note: str) -> None:
    """Append a note to the desk's file; it is on the disk when this returns.

    Raises Unavailable `store_full` or `store_failed`; the notes kept before are as they were.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _path(folder, desk).open("a+b") as file:
            # Several gateways may share a directory.
            fcntl.flock(file, fcntl.LOCK_EX)
            _cut_torn_tail(file)
            file.write(note.rstrip("\n").encode() + _END)
            file.flush()
            os.fsync(file.fileno())
        sync_folder(folder)
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise Unavailable(
            "store_full" if full else "store_failed",
            f"the checkpoint cannot be kept in `{folder}`: {error.strerror}",
        ) from error


def kept_notes(folder: Path, desk: str) -> list[str]:
    """The desk's newest whole notes, oldest first; none when there is no file.

    At most the last `READ_BYTES_MAX` of the file are read: what extends a newer checkpoint extends
    the older ones too. Raises Unavailable `store_failed` when the file is there and cannot be read.
    """
    try:
        with _path(folder, desk).open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - READ_BYTES_MAX))
            data = file.read()
        if size > READ_BYTES_MAX:
            data = data.partition(_END)[2]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise Unavailable(
            "store_failed", f"the checkpoints in `{folder}` cannot be read: {error.strerror}"
        ) from error
    *whole, _ = data.split(_END)
    return [note.decode(errors="replace") + "\n" for note in whole if note.strip()]


def _path(folder: Path, desk: str) -> Path:
    return folder / f"{quote(desk, safe='')}.notes"


def _cut_torn_tail(file: BinaryIO) -> None:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - len(_END)))
    if size and file.read() != _END:
        file.seek(0)
        head, end, _ = file.read().rpartition(_END)
        file.truncate(len(head) + len(end))
