"""One connection to PostgreSQL, spoken to in pipeline mode.

What nobody waits for is sent along with the next thing that somebody does wait for: one round trip
carries any number of statements. Statements are prepared once a connection. libpq is used directly
(`psycopg.pq`), for a transaction here is many small statements, and the cursor above it costs
several times as much as the statement.
"""

from __future__ import annotations

import contextlib
import select
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final

import psycopg
from psycopg import pq
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from handrail.errors import HandrailError, SetupFailed, Unavailable
from handrail.store.rows import Value

__all__ = ["Link", "ServerRefused", "address_of", "numbered"]

Row = tuple[Value, ...]

CONNECT_S_MAX: Final = 10
ANSWER_S_MAX: Final = 60.0
"""A statement that takes longer has lost its connection; the server gives up on it long before."""
_SESSION: Final = {
    # A gateway that stands still in the middle of a transaction lets go of its locks.
    "idle_in_transaction_session_timeout": "5000",
    "lock_timeout": "5000",
    "statement_timeout": "30000",
    "default_transaction_isolation": "read committed",
    "timezone": "UTC",
    "client_encoding": "UTF8",
}
_KEPT_ALIVE: Final = {
    "connect_timeout": str(CONNECT_S_MAX),
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",
    "application_name": "handrail",
}
_NUMBERS: Final = frozenset((20, 21, 23, 26, 1700))
"""The types that are whole numbers here: int8, int2, int4, oid, and numeric as `sum` makes it."""
_BYTEA: Final = 17
_GOOD: Final = (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK)


class ServerRefused(Exception):
    """The server refused a statement, or the connection was lost (then without an SQLSTATE)."""

    def __init__(self, sqlstate: str, said: str) -> None:
        super().__init__(said)
        self.sqlstate = sqlstate
        self.said = said

    @property
    def passes(self) -> bool:
        """Whether the same transaction may go through when it is run again."""
        return self.sqlstate in ("40001", "40P01", "55P03")

    @property
    def lost(self) -> bool:
        """Whether the connection is gone."""
        return not self.sqlstate or self.sqlstate[:2] == "08" or self.sqlstate[:3] == "57P"

    def translated(self) -> HandrailError:
        """Our error for it. Never with a value of a row, nor a password."""
        if self.lost:
            return Unavailable("store_failed", "the connection to the database was lost")
        match self.sqlstate:
            case "53100":
                return Unavailable("store_full", "the database's disk is full; nothing was written")
            case "25006":
                return Unavailable("store_is_replica", "the database has become a replica")
            case _:
                return Unavailable("store_failed", f"the database says: {self.said}")


class Link:
    """An open connection. Used by one thread at a time."""

    def __init__(
        self, address: str, check: Callable[[psycopg.Connection[Row]], None] | None = None
    ) -> None:
        """Connect; `check` may refuse the server before it is used."""
        self.connection = connect(address)
        if check is not None:
            try:
                check(self.connection)
            except BaseException:
                self.connection.close()
                raise
        self._pg = self.connection.pgconn
        self._names: dict[str, bytes] = {}
        self._made = 0
        self._fresh: list[str] = []
        self._pending = 0
        self._ready = select.poll()
        self._ready.register(self._pg.socket, select.POLLIN)
        self._pg.enter_pipeline_mode()
        self.broken = False

    def close(self) -> None:
        """Let go. An open transaction is rolled back by the server."""
        self.broken = True
        self.connection.close()

    def send(self, sql: str, values: Sequence[Value] = ()) -> None:
        """Hand over a statement with `?` places, without waiting for its outcome."""
        try:
            name = self._names.get(sql)
            if name is None:
                name = self._prepared(sql)
            parameters, formats = _encoded(values)
            self._pg.send_query_prepared(name, parameters, formats)
        except psycopg.Error as error:
            self.broken = True
            raise ServerRefused("", str(error)) from error
        self._pending += 1

    def ask(self, sql: str, values: Sequence[Value] = ()) -> pq.abc.PGresult:
        """Hand over a statement and wait for its outcome; raises the first refusal until here."""
        self.send(sql, values)
        return self.sync()

    def rows(self, sql: str, values: Sequence[Value] = ()) -> list[Row]:
        """The rows that a statement gives."""
        return decoded(self.ask(sql, values))

    def rows_of_each(self, sql: str, each: Sequence[Sequence[Value]]) -> list[list[Row]]:
        """The rows that a statement gives for each of some values, in one round trip."""
        for values in each:
            self.send(sql, values)
        return [decoded(outcome) for outcome in self._outcomes()[-len(each) :]] if each else []

    def sync(self) -> pq.abc.PGresult:
        """Wait for everything that was sent: the last outcome, or the first refusal raised."""
        return self._outcomes()[-1]

    def _outcomes(self) -> list[pq.abc.PGresult]:
        if self.broken:
            raise ServerRefused("", "the connection was lost")
        expected, self._pending = self._pending, 0
        refused: list[ServerRefused] = []
        found: list[pq.abc.PGresult] = []
        try:
            self._pg.pipeline_sync()
            for _ in range(expected):
                found.append(self._outcome())
                if found[-1].status not in _GOOD:
                    refused.append(_refusal(found[-1]))
                self._outcome_ends()
            self._outcome()  # the synchronization itself
        except psycopg.Error as error:
            self.broken = True
            raise ServerRefused("", str(error)) from error
        except BaseException:
            # Interrupted in the middle: what is still on its way would be taken for other answers.
            self.broken = True
            raise
        if refused:
            self.broken = refused[0].lost
            for sql in self._fresh:
                self._names.pop(sql, None)
            self._fresh.clear()
            raise refused[0]
        self._fresh.clear()
        return found

    def _outcome(self) -> pq.abc.PGresult:
        self._wait()
        found = self._pg.get_result()
        if found is None:
            raise psycopg.OperationalError("the connection was lost")
        return found

    def _outcome_ends(self) -> None:
        self._wait()
        self._pg.get_result()

    def _wait(self) -> None:
        # WHY NOT: a blocking `get_result`. It would keep the interpreter's lock while it waits.
        while self._pg.is_busy():
            if not self._ready.poll(ANSWER_S_MAX * 1000):
                raise psycopg.OperationalError("the server does not answer")
            self._pg.consume_input()

    def _prepared(self, sql: str) -> bytes:
        self._made += 1
        name = b"s%d" % self._made
        self._pg.send_prepare(name, numbered(sql))
        self._pending += 1
        self._names[sql] = name
        self._fresh.append(sql)
        return name


def connect(address: str) -> psycopg.Connection[Row]:
    """A connection with our settings. Raises ServerRefused; no message has the password in it."""
    options = " ".join(f"-c {name}={_escaped(value)}" for name, value in _SESSION.items())
    given = address_of(address)
    ours = {**_KEPT_ALIVE, **given, "options": f"{options} {given.get('options', '')}".strip()}
    try:
        return psycopg.connect(make_conninfo("", **ours), autocommit=True)
    except psycopg.Error as error:
        said = said_by(error)
        password = given.get("password")
        if password:
            said = said.replace(password, "***")
        raise ServerRefused(error.sqlstate or "", said) from None


def said_by(error: psycopg.Error) -> str:
    """What the server says in one line, without the values of a row."""
    lines = (error.diag.message_primary or str(error)).strip().splitlines()
    return lines[0].rstrip(".") if lines else "no answer"


def _escaped(option: str) -> str:
    return option.replace(" ", "\\ ")


def address_of(address: str) -> dict[str, str]:
    """The parts of a connection address. Raises SetupFailed `setting_malformed`, repeating none."""
    with contextlib.suppress(psycopg.Error):
        if address.startswith(("postgresql://", "postgres://")):
            return {name: str(value) for name, value in conninfo_to_dict(address).items()}
    raise SetupFailed(
        "setting_malformed",
        "a store is named like `postgresql://user@host/database`; what was given is not an address",
    )


def decoded(result: pq.abc.PGresult) -> list[Row]:
    """The rows of a result; numbers as int, text as str, binary as bytes."""
    columns = [(place, result.ftype(place)) for place in range(result.nfields)]
    value = result.get_value
    return [
        tuple(_value(value(row, place), kind) for place, kind in columns)
        for row in range(result.ntuples)
    ]


def _value(data: bytes | None, kind: int) -> Value:
    if data is None:
        return None
    if kind in _NUMBERS:
        return int(data)
    if kind == _BYTEA:
        return bytes.fromhex(data[2:].decode())
    return data.decode()


def _encoded(values: Sequence[Value]) -> tuple[list[bytes | None], list[int]]:
    parameters: list[bytes | None] = []
    formats = []
    for value in values:
        if isinstance(value, bytes):
            parameters.append(value)
            formats.append(1)
            continue
        formats.append(0)
        if value is None:
            parameters.append(None)
        elif isinstance(value, str):
            if "\0" in value:
                raise ServerRefused("22021", "text with a NUL character in it")
            parameters.append(value.encode())
        else:
            parameters.append(b"%d" % value)
    return parameters, formats


def _refusal(result: pq.abc.PGresult) -> ServerRefused:
    state = result.error_field(pq.DiagnosticField.SQLSTATE) or b""
    said = result.error_field(pq.DiagnosticField.MESSAGE_PRIMARY) or result.error_message
    return ServerRefused(state.decode(), said.decode(errors="replace").strip())


@lru_cache(maxsize=2048)
def numbered(sql: str) -> bytes:
    """The statement with `$1`, `$2`, ... for its `?` places."""
    parts = sql.split("?")
    pairs = (f"{part}${place}" for place, part in enumerate(parts[:-1], start=1))
    return ("".join(pairs) + parts[-1]).encode()
