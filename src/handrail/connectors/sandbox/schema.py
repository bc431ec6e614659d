"""The embedded desk's own SQLite file: its tables, and how it is opened."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import apsw

from handrail.errors import SetupFailed

__all__ = ["BUSY_MS", "VERSION", "create_tables", "open_reader", "open_writer"]

BUSY_MS: Final = 2_000
"""Longest wait for another process that is writing to the same file."""

VERSION: Final = 4
"""Version of these tables, kept in the file as `user_version`."""

_APPLICATION_ID: Final = 0x48524C44

_MAIL_FILES: Final = """
CREATE TABLE mail_files (
    message_id TEXT NOT NULL REFERENCES mailbox (message_id),
    place INTEGER NOT NULL,
    name TEXT NOT NULL,
    type TEXT NOT NULL,
    content BLOB NOT NULL,
    PRIMARY KEY (message_id, place)
) STRICT, WITHOUT ROWID;
"""
"""What came with version 2: the files that a sent message has attached."""

_MAIL_HTML: Final = "ALTER TABLE mailbox ADD COLUMN html TEXT NOT NULL DEFAULT '';"
"""What came with version 3: the HTML of a sent message, empty when it had none."""

_MACROS: Final = """
CREATE TABLE macros (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    text TEXT NOT NULL
) STRICT, WITHOUT ROWID;
"""
"""What came with version 4: canned replies, their placeholders not filled."""

_LATER: Final = (_MAIL_FILES, _MAIL_HTML, _MACROS)
"""What each version after the first added."""

_SCHEMA: Final = """
CREATE TABLE customers (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    email TEXT NOT NULL,
    login_email TEXT NOT NULL COLLATE NOCASE UNIQUE,
    phone TEXT NOT NULL,
    address TEXT NOT NULL,
    plan TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('active', 'cancelled')),
    payout_account TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE orders (
    id TEXT PRIMARY KEY,
    customer TEXT NOT NULL REFERENCES customers (id),
    items TEXT NOT NULL,
    total_minor INTEGER NOT NULL CHECK (total_minor > 0),
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    status TEXT NOT NULL CHECK (status IN ('unpaid', 'paid', 'shipped', 'delivered', 'cancelled')),
    ordered_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX orders_of_customer ON orders (customer, ordered_at);

CREATE TABLE payments (
    id TEXT PRIMARY KEY,
    order_id TEXT NOT NULL UNIQUE REFERENCES orders (id),
    method TEXT NOT NULL,
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    captured_minor INTEGER NOT NULL CHECK (captured_minor > 0),
    refunded_minor INTEGER NOT NULL DEFAULT 0,
    CONSTRAINT refunded_within_captured CHECK (refunded_minor BETWEEN 0 AND captured_minor)
) STRICT, WITHOUT ROWID;

CREATE TABLE refunds (
    id TEXT PRIMARY KEY,
    payment TEXT NOT NULL REFERENCES payments (id),
    customer TEXT NOT NULL REFERENCES customers (id),
    minor INTEGER NOT NULL CHECK (minor > 0),
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    reason TEXT NOT NULL,
    ticket TEXT REFERENCES tickets (id),
    key TEXT UNIQUE,
    issued_at INTEGER NOT NULL,
    reversed_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX refunds_of_customer ON refunds (customer, issued_at);

CREATE TABLE credits (
    id TEXT PRIMARY KEY,
    customer TEXT NOT NULL REFERENCES customers (id),
    minor INTEGER NOT NULL CHECK (minor > 0),
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    reason TEXT NOT NULL,
    ticket TEXT REFERENCES tickets (id),
    key TEXT UNIQUE,
    granted_at INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX credits_of_customer ON credits (customer, granted_at);

CREATE TABLE credit_balances (
    customer TEXT NOT NULL REFERENCES customers (id),
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    minor INTEGER NOT NULL CHECK (minor >= 0),
    PRIMARY KEY (customer, currency)
) STRICT, WITHOUT ROWID;

CREATE TABLE tickets (
    id TEXT PRIMARY KEY,
    customer TEXT NOT NULL REFERENCES customers (id),
    requester TEXT NOT NULL,
    subject TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('open', 'answered', 'closed')),
    opened_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE messages (
    position INTEGER PRIMARY KEY,
    message_id TEXT NOT NULL UNIQUE,
    ticket TEXT NOT NULL REFERENCES tickets (id),
    author TEXT NOT NULL CHECK (author IN ('customer', 'support')),
    sender TEXT NOT NULL,
    body TEXT NOT NULL,
    sent_at INTEGER NOT NULL
) STRICT;
CREATE INDEX messages_of_ticket ON messages (ticket, position);

CREATE TABLE mailbox (
    position INTEGER PRIMARY KEY,
    message_id TEXT NOT NULL UNIQUE,
    in_reply_to TEXT NOT NULL,
    ticket TEXT NOT NULL REFERENCES tickets (id),
    sender TEXT NOT NULL,
    recipient TEXT NOT NULL,
    subject TEXT NOT NULL,
    body TEXT NOT NULL,
    sent_at INTEGER NOT NULL
) STRICT;

CREATE TABLE drafts (
    id TEXT PRIMARY KEY,
    ticket TEXT NOT NULL REFERENCES tickets (id),
    body TEXT NOT NULL,
    written_at INTEGER NOT NULL,
    discarded_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX drafts_of_ticket ON drafts (ticket);

CREATE TABLE account_changes (
    id TEXT PRIMARY KEY,
    customer TEXT NOT NULL REFERENCES customers (id),
    field TEXT NOT NULL,
    changed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX account_changes_of_customer ON account_changes (customer, changed_at);

CREATE VIRTUAL TABLE articles USING fts5 (
    id UNINDEXED, title, body, tokenize = 'porter unicode61'
);

CREATE TABLE effects (
    key TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    request_digest TEXT NOT NULL,
    receipt TEXT NOT NULL,
    done_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
"""


def open_writer(path: Path, *, durable: bool) -> apsw.Connection:
    """Open the file for writing, made if it is not there; without tables it stays empty.

    With `durable` a commit is on the disk before it returns (WAL, `synchronous=FULL`).

    Raises SetupFailed: `directory_unwritable`, `store_damaged`, `store_newer`, `store_failed`.
    """
    try:
        db = apsw.Connection(str(path))
        try:
            db.set_busy_timeout(BUSY_MS)
            _refuse_foreign(db, path)
            db.execute("PRAGMA journal_mode = WAL")
            db.execute(f"PRAGMA synchronous = {'FULL' if durable else 'OFF'}")
            db.execute("PRAGMA foreign_keys = ON")
        except BaseException:
            db.close()
            raise
    except (apsw.CantOpenError, apsw.ReadOnlyError, apsw.PermissionsError):
        raise SetupFailed(
            "directory_unwritable", f"cannot write the desk's file `{path}`"
        ) from None
    except (apsw.NotADBError, apsw.CorruptError):
        raise _not_a_desk(path) from None
    except apsw.Error as error:
        raise SetupFailed("store_failed", f"cannot open the desk `{path}`: {error}") from error
    return db


def open_reader(path: Path) -> apsw.Connection:
    """Open the file for reading only: a connection that cannot act, whatever it is asked."""
    db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    db.set_busy_timeout(BUSY_MS)
    return db


def create_tables(db: apsw.Connection) -> bool:
    """Create the tables if the file has none; say whether it did. Call it in a transaction.

    An older file gets what it lacks.
    """
    version = _pragma(db, "user_version")
    if version != 0:
        if version < VERSION:
            db.execute("".join(_LATER[version - 1 :]))
            db.execute(f"PRAGMA user_version = {VERSION}")
        return False
    db.execute(_SCHEMA + "".join(_LATER))
    db.execute(f"PRAGMA user_version = {VERSION}")
    db.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
    return True


def _refuse_foreign(db: apsw.Connection, path: Path) -> None:
    version, owner = _pragma(db, "user_version"), _pragma(db, "application_id")
    tables = db.execute("SELECT count(*) FROM sqlite_schema").get
    if version == 0 and owner == 0 and tables == 0:
        return
    if owner != _APPLICATION_ID:
        raise _not_a_desk(path)
    if version > VERSION:
        raise SetupFailed(
            "store_newer", f"the desk `{path}` was written by a newer version of handrail"
        )


def _pragma(db: apsw.Connection, name: str) -> int:
    return int(db.execute(f"PRAGMA {name}").get)


def _not_a_desk(path: Path) -> SetupFailed:
    return SetupFailed("store_damaged", f"`{path}` is not an embedded desk, or is damaged")
