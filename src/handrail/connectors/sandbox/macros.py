"""The canned replies of the embedded desk, and how their placeholders are filled."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import apsw

from handrail.connectors.protocol import Macro
from handrail.connectors.sandbox.served import optional_text_of, unknown
from handrail.core.action import Params
from handrail.core.artifact import Line

__all__ = ["MACROS", "filled", "macro_lines", "named_macro"]

_PLACEHOLDER: Final = re.compile(r"\{\{ *([a-z_.]+) *\}\}")

MACROS: Final = (
    Macro(
        id="M-01",
        name="Parcel on its way",
        text="Hello {{customer.first_name}},\n\nyour parcel left our warehouse and should be with"
        " you within five working days.\n\nKind regards\nThe shop",
    ),
    Macro(
        id="M-02",
        name="How to return an item",
        text="Hello {{customer.first_name}},\n\nyou have 30 days from delivery to send an unused"
        " item back. The parcel label is free of charge.\n\nKind regards\nThe shop",
    ),
    Macro(
        id="M-03",
        name="We are looking into it",
        text='Hello {{customer.first_name}},\n\nthank you for writing about "{{ticket.subject}}"'
        " ({{ticket.id}}). We are looking into it and will write again.\n\nKind regards\nThe shop",
    ),
)
"""What a new desk with samples has."""


def named_macro(db: apsw.Connection, params: Params) -> dict[str, str]:
    """The macro that an action names, for its request: nothing when it names none.

    Raises InvalidInput `subject_unknown` for one that the desk does not have.
    """
    id = optional_text_of(params, "macro")
    if not id:
        return {}
    _stored(db, id)
    return {"macro": id}


def macro_lines(id: str) -> list[Line]:
    """What a reviewer sees of it in the artifact."""
    return [Line(label="Written from macro", text=id)] if id else []


def filled(db: apsw.Connection, id: str, request: Mapping[str, object]) -> Macro:
    """A macro as it reads on the ticket of a request; InvalidInput `subject_unknown`."""
    macro = _stored(db, id)
    row = db.execute(
        "SELECT t.id, t.subject, c.name FROM tickets t JOIN customers c ON c.id = t.customer"
        " WHERE t.id = ?",
        (request.get("ticket"),),
    ).fetchone()
    if row is None:
        return macro
    ticket, subject, name = row
    known = {
        "ticket.id": ticket,
        "ticket.subject": subject,
        "customer.name": name,
        "customer.first_name": name.split()[0] if name.split() else name,
    }
    text = _PLACEHOLDER.sub(lambda found: known.get(found[1], found[0]), macro.text)
    return Macro(id=macro.id, name=macro.name, text=text)


def _stored(db: apsw.Connection, id: str) -> Macro:
    row = db.execute("SELECT name, text FROM macros WHERE id = ?", (id,)).fetchone()
    if row is None:
        raise unknown("macro", id)
    return Macro(id=id, name=row[0], text=row[1])
