"""The store on PostgreSQL: many gateways on one database."""

from __future__ import annotations

from handrail.store.postgres.store import PostgresStore

__all__ = ["PostgresStore"]
