"""One process per database: a file beside it, locked for as long as the process lives."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path

from handrail.errors import SetupFailed

__all__ = ["lock_file"]


def lock_file(path: Path) -> int:
    """Be the only process with this file open for writing, or raise `store_locked`."""
    lock_path = path.with_name(path.name + ".lock")
    try:
        file = os.open(lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise SetupFailed(
            "directory_unwritable", f"cannot write in `{path.parent}`: {error.strerror}"
        ) from None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        owner = os.pread(file, 20, 0).decode(errors="replace").strip() or "unknown"
        os.close(file)
        raise SetupFailed(
            "store_locked",
            f"process {owner} has `{path}` open; stop it first, or use its HTTP address",
        ) from None
    # It only helps whoever finds the lock taken: a full disk is for the database to tell.
    with suppress(OSError):
        os.ftruncate(file, 0)
        os.pwrite(file, str(os.getpid()).encode(), 0)
    return file
