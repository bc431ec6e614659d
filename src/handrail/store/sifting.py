"""A sieve as SQL."""

from __future__ import annotations

from handrail.core.sieve import Sieve
from handrail.store.rows import Value

__all__ = ["sifting_sql"]


def sifting_sql(sieve: Sieve) -> tuple[str, list[Value]]:
    """What follows a WHERE, beginning with AND, and the values of its places."""
    asked = ""
    values: list[Value] = []
    plain: dict[str, Value] = {
        "kind = ?": sieve.kind,
        "grade = ?": None if sieve.grade is None else sieve.grade.value,
        "agent = ?": sieve.agent,
        "currency = ?": sieve.currency,
        "value_minor >= ?": sieve.minor_min,
    }
    for sql, value in plain.items():
        if value is not None:
            asked += f" AND {sql}"
            values.append(value)
    if not sieve.narrowed:
        return asked, values
    ways: list[str] = []
    for column, wanted in (("subject", sieve.subjects), ("task", sieve.tasks)):
        if wanted:
            ways.append(f"{column} IN ({', '.join('?' * len(wanted))})")
            values.extend(wanted)
    if sieve.id_part is not None:
        ways.append("id LIKE ?")
        values.append(f"%{sieve.id_part}%")
    # WHY NOT: the plain condition. A planner would take another index for it, and read every action
    # that the customer ever had; the queue's own holds no more than what waits.
    any_way = " OR ".join(ways) or "1 = 0"
    return f"{asked} AND CASE WHEN {any_way} THEN 1 ELSE 0 END = 1", values
