"""What the desk knows about the customer whom a message goes to."""

from __future__ import annotations

from typing import Final

import apsw

from handrail.core.money import EXPONENTS, Money
from handrail.core.triggers.span import About

__all__ = ["ID_PREFIXES", "about_recipient"]

ID_PREFIXES: Final = ("C-", "O-", "P-", "R-", "K-", "T-", "D-")
"""How the desk's ids begin: customers, orders, payments, refunds, credits, tickets, drafts."""

_ROWS_MAX: Final = 500
"""So many records of one customer are looked at; an id beyond them counts as another's."""

_RECORDS: Final = """
SELECT id, currency, total_minor FROM orders WHERE customer = ?1
UNION ALL
SELECT p.id, p.currency, p.refunded_minor FROM payments p JOIN orders o ON o.id = p.order_id
 WHERE o.customer = ?1
UNION ALL
SELECT id, currency, minor FROM refunds WHERE customer = ?1
UNION ALL
SELECT id, currency, minor FROM credits WHERE customer = ?1
UNION ALL
SELECT '', currency, minor FROM credit_balances WHERE customer = ?1
UNION ALL
SELECT id, NULL, NULL FROM tickets WHERE customer = ?1
LIMIT ?2
"""


def about_recipient(db: apsw.Connection, customer: str, host: str) -> About:
    """Name, addresses, ids and amounts of a customer, as they are on file."""
    person = db.execute(
        "SELECT name, email, login_email, phone FROM customers WHERE id = ?", (customer,)
    ).fetchone()
    if person is None:
        return About(hosts=(host,))
    name, *addresses = person
    ids: dict[str, None] = {customer: None}
    amounts: dict[Money, None] = {}
    for id_, currency, minor in db.execute(_RECORDS, (customer, _ROWS_MAX)):
        if id_:
            ids[id_] = None
        if currency in EXPONENTS and minor:
            amounts[Money(minor=minor, currency=currency)] = None
    return About(
        names=(name,),
        addresses=tuple(dict.fromkeys(addresses)),
        ids=tuple(ids),
        id_prefixes=ID_PREFIXES,
        amounts=tuple(amounts),
        hosts=(host,),
    )
