"""The installed `handrail` command in processes of its own, and what it left on the disk."""

from __future__ import annotations

import ctypes
import os
import re
import resource
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import apsw

from handrail.errors import CODES

__all__ = [
    "AT_ONCE",
    "HANDRAIL",
    "PASSWORD",
    "Done",
    "clean_environment",
    "contents",
    "finish",
    "run",
    "run_each",
    "said",
    "serving",
    "small_disk",
    "start",
    "unprivileged",
]

HANDRAIL: Final = Path(sys.executable).with_name("handrail")
PASSWORD: Final = "correct horse battery"
ANSWER_S_MAX: Final = 600
"""What takes longer hangs; some commands have much to do."""
AT_ONCE: Final = 4
_ERROR: Final = re.compile(r"handrail: ([a-z_]+): (\S.*\S)\n")
_CAPBSET_DROP: Final = 24
_CAP_DAC_OVERRIDE: Final = 1
_CAP_DAC_READ_SEARCH: Final = 2
_TABLES: Final = """SELECT name FROM sqlite_schema
    WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'"""
_PASSING: Final = (".lock", "-wal", "-shm")

Done = subprocess.CompletedProcess[str]


def clean_environment() -> dict[str, str]:
    """The environment without what would change handrail's defaults."""
    return {name: text for name, text in os.environ.items() if not name.startswith("HANDRAIL_")}


def start(
    *words: str | Path,
    typed: str | bytes = "",
    more: Mapping[str, str] | None = None,
    before: Callable[[], None] | None = None,
    cwd: Path | None = None,
    out: int = subprocess.PIPE,
) -> subprocess.Popen[bytes]:
    """Start a command; `typed` is its whole standard input, which is no terminal."""
    process = subprocess.Popen(
        [HANDRAIL, *words],
        stdin=subprocess.PIPE,
        stdout=out,
        stderr=subprocess.PIPE,
        env={**clean_environment(), **(more or {})},
        preexec_fn=before,
        cwd=cwd,
    )
    assert process.stdin is not None
    with suppress(BrokenPipeError):
        process.stdin.write(typed.encode() if isinstance(typed, str) else typed)
        process.stdin.close()
    process.stdin = None
    return process


def finish(process: subprocess.Popen[bytes]) -> Done:
    """Wait for a command's end."""
    with process:
        try:
            heard = process.communicate(timeout=ANSWER_S_MAX)
        finally:
            process.kill()
    out, errors = ((part or b"").decode() for part in heard)
    return Done(process.args, process.returncode, out, errors)


def run(*words: str | Path, **how: Any) -> Done:
    """Run a command to its end; takes what `start` takes."""
    return finish(start(*words, **how))


def run_each(lines: Iterable[Sequence[str | Path]], **how: Any) -> list[Done]:
    """Run commands that do not get in each other's way, a few at a time."""
    done: list[Done] = []
    waiting = list(lines)
    while waiting:
        batch, waiting = waiting[:AT_ONCE], waiting[AT_ONCE:]
        done.extend(map(finish, [start(*words, **how) for words in batch]))
    return done


def said(done: Done) -> str:
    """The code of a refusal, which must be one line, exit status 2 and nothing else."""
    assert done.returncode == 2, done
    assert done.stdout == "", done
    one_line = _ERROR.fullmatch(done.stderr)
    assert one_line, done.stderr
    code = one_line.group(1)
    assert code in CODES
    return code


def contents(folder: Path) -> dict[str, str]:
    """Every file with its digest, and of a database every row: what a refusal must leave alone.

    The number that a store counts up whenever it is opened is left out.
    """
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_dir():
            found[name] = "directory"
        elif path.suffix == ".db":
            found[name] = sha256(repr(list(_rows(path))).encode()).hexdigest()
        elif not name.endswith(_PASSING):
            found[name] = sha256(path.read_bytes()).hexdigest()
    return found


def _rows(path: Path) -> Iterator[object]:
    """Every row of a database; its bytes when it is none, or is damaged."""
    try:
        database = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
        try:
            for (table,) in database.execute(_TABLES).fetchall():
                rows = database.execute(f'SELECT * FROM "{table}"')
                yield table, [row for row in rows if row[0] != "fence"]
        finally:
            database.close()
    except apsw.Error:
        yield path.read_bytes()


def unprivileged() -> None:
    """In the child: permissions hold, for root as well."""
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None)
        for capability in (_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH):
            if libc.prctl(_CAPBSET_DROP, capability, 0, 0, 0):
                os._exit(99)


def small_disk(most: int) -> Callable[[], None]:
    """In the child: no file grows beyond `most` bytes, as on a disk that is full."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))


@contextmanager
def serving(*words: str | Path, **how: Any) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A command that serves, and its address; killed at the end unless it is gone by itself."""
    with start(*words, **how) as process:
        try:
            yield process, _address(process)
        finally:
            process.kill()


def _address(process: subprocess.Popen[bytes]) -> str:
    assert process.stdout is not None
    assert process.stderr is not None
    for line in process.stdout:
        found = re.search(rb"http://[\w.:]+\d", line)
        if found:
            return found.group().decode()
    raise AssertionError(process.stderr.read().decode())
