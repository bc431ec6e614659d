"""What the server must be before anything is promised on it."""

from __future__ import annotations

from typing import Any, Final

import psycopg

from handrail.errors import SetupFailed

__all__ = ["check_server"]

VERSION_MIN: Final = 140_000


def check_server(connection: psycopg.Connection[Any]) -> None:
    """Refuse a server on which a commit is not a promise. Raises SetupFailed by code."""
    if connection.info.server_version < VERSION_MIN:
        raise SetupFailed("store_too_old", "PostgreSQL 14 or newer is needed")
    row = connection.execute("SELECT pg_is_in_recovery()").fetchone()
    if row is None or row[0]:
        raise SetupFailed(
            "store_is_replica", "this server is a replica: caps and claims need the primary"
        )
    if _shown(connection, "fsync") != "on":
        raise SetupFailed("fsync_off", "the server has `fsync=off`: a crash would lose the log")
    if _shown(connection, "full_page_writes") != "on":
        raise SetupFailed(
            "full_page_writes_off", "the server has `full_page_writes=off`: a crash may tear pages"
        )
    waits, standbys = (
        _shown(connection, name) for name in ("synchronous_commit", "synchronous_standby_names")
    )
    if waits == "off":
        raise SetupFailed(
            "synchronous_commit_off",
            "`synchronous_commit=off` here: what was decided would be lost in a crash",
        )
    if waits == "local" and standbys:
        raise SetupFailed(
            "synchronous_commit_off",
            "`synchronous_commit=local` here, though the server has synchronous standbys: what was"
            " decided would be lost in a failover",
        )
    # What was found is kept for the session, whatever the server's file says later.
    connection.execute("SELECT set_config('synchronous_commit', %s, false)", (waits,))


def _shown(connection: psycopg.Connection[Any], setting: str) -> str:
    row = connection.execute("SELECT current_setting(%s)", (setting,)).fetchone()
    return "" if row is None else str(row[0])
