"""Statistics that keep up with a young database.

A statement is planned by what the server believes of its tables, and its plan is kept. On tables
that were just made any index looks as good as the right one, and what was planned then reads a
customer's whole history where one row was asked for. The server's own ANALYZE mends that, up to a
minute later. So until tables are large, a gateway has them looked at whenever they have doubled.
"""

from __future__ import annotations

from typing import Any, Final

import psycopg
from psycopg import sql

__all__ = ["keep_up"]

ROWS_MIN: Final = 50
ROWS_MAX: Final = 200_000
"""From here on a doubling takes longer than the server's own ANALYZE does to come by."""

_GROWN: Final = (
    "SELECT c.relname FROM pg_class c JOIN pg_stat_user_tables s ON s.relid = c.oid"
    " WHERE c.relnamespace = current_schema()::regnamespace AND s.n_live_tup < %s"
    " AND s.n_mod_since_analyze >= GREATEST(%s, c.reltuples)"
)


def keep_up(connection: psycopg.Connection[Any]) -> list[str]:
    """Have each small table analyzed that has doubled since the last time; their names."""
    grown = [str(name) for (name,) in connection.execute(_GROWN, (ROWS_MAX, ROWS_MIN))]
    for name in grown:
        # What another gateway is just looking at is left to it.
        connection.execute(sql.SQL("ANALYZE (SKIP_LOCKED) {}").format(sql.Identifier(name)))
    return grown
