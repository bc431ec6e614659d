"""The disk that everything durable waits for: where to write, and how fast it says "written"."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from benchmarks.figures import NS_PER_S, Figures

__all__ = ["SCRATCH", "NotADisk", "fdatasync", "filesystem", "scratch"]

SCRATCH: Final = Path(__file__).resolve().parents[1] / ".bench"
"""Where benchmarks write: inside the repository, so on the disk that the code lies on."""
BLOCK_BYTES: Final = 4096
IN_MEMORY: Final = frozenset({"tmpfs", "ramfs", "devtmpfs"})
MOUNTS: Final = Path("/proc/self/mounts")


class NotADisk(RuntimeError):
    """The folder lies in memory, where a durable write costs nothing and means nothing."""


@contextmanager
def scratch() -> Iterator[Path]:
    """A new empty folder on the repository's disk, removed with all that is in it afterwards.

    Raises NotADisk when the repository itself lies in memory.
    """
    kind = filesystem(SCRATCH)
    if kind in IN_MEMORY:
        raise NotADisk(f"`{SCRATCH}` lies in memory ({kind}); durable writes need a disk")
    try:
        with _new_folder() as name:
            # what is inside is never part of the repository
            (Path(name) / ".gitignore").write_text("*\n")
            yield Path(name)
    finally:
        # another benchmark may still have its folder there
        with suppress(OSError):
            SCRATCH.rmdir()


def _new_folder() -> tempfile.TemporaryDirectory[str]:
    while True:
        SCRATCH.mkdir(exist_ok=True)
        # another benchmark that ends just now takes the empty folder away again
        with suppress(FileNotFoundError):
            return tempfile.TemporaryDirectory(dir=SCRATCH, ignore_cleanup_errors=True)


def filesystem(path: Path) -> str | None:
    """The kind of file system that `path` lies on, or None where the system does not say."""
    try:
        mounts = MOUNTS.read_text()
    except OSError:
        return None
    longest, kind = -1, None
    for line in mounts.splitlines():
        _, mounted, found, *_ = line.split(" ")
        # the kernel writes a space in a path as \040, and so on
        point = Path(mounted.encode().decode("unicode_escape"))
        # a later mount on the same point hides the earlier one
        if path.resolve().is_relative_to(point) and len(point.parts) >= longest:
            longest, kind = len(point.parts), found
    return kind


def fdatasync(folder: Path, *, seconds: float) -> Figures:
    """How often a second 4 KiB can be appended to a file in `folder` and be on the disk.

    This is what one commit of a database costs at the very least: no system that commits one
    operation at a time can be faster.
    """
    block = os.urandom(BLOCK_BYTES)
    took_ns: list[int] = []
    with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
        handle = file.fileno()
        begin_ns = now_ns = time.perf_counter_ns()
        until_ns = begin_ns + int(seconds * NS_PER_S)
        while not took_ns or now_ns < until_ns:
            os.write(handle, block)
            _to_disk(handle)
            done_ns = time.perf_counter_ns()
            took_ns.append(done_ns - now_ns)
            now_ns = done_ns
    return Figures.of(took_ns, now_ns - begin_ns)


# macOS has no fdatasync
_to_disk = getattr(os, "fdatasync", os.fsync)
