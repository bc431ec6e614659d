"""Break-glass: one person asks, another confirms, everybody is told, and it ends by itself.

What it lifts is in `core.breakglass`; there is nothing here by which somebody decides.
"""

from __future__ import annotations

from typing import Final

import msgspec

from handrail.core.breakglass import GRANT_MS_MAX, Grant
from handrail.core.canonical import check_plain
from handrail.core.entry import Tag, row_commitment
from handrail.core.escalation import Cause
from handrail.core.principal import Principal, PrincipalKind, Role
from handrail.engine.asking.checkers import roster_of
from handrail.engine.asking.escalate import open_for_desk
from handrail.engine.base.context import GATEWAY, Context, new_id
from handrail.engine.base.record import Data, note_on_desk
from handrail.errors import Conflict, InvalidInput, NotAllowed, NotFound
from handrail.store.protocol import DESK_SUBJECT, Tx, Unit

__all__ = [
    "ask_glass_unit",
    "close_glass_unit",
    "confirm_glass_unit",
    "end_grants",
    "grant_reason",
]

REASON: Final = "reason"
REASON_CHARS_MAX: Final = 4_000
MINUTE_MS: Final = 60_000


def ask_glass_unit(
    ctx: Context, desk: str, *, person: str, reason: str, span_ms: int = GRANT_MS_MAX
) -> Unit[Grant]:
    """The unit by which a person asks to check for a while. Nothing is granted by it.

    Raises NotAllowed `not_entitled`, InvalidInput `reason_missing` and `field_malformed`, and
    Conflict `grant_not_open` when they have asked already.
    """
    check_plain(reason)
    if not reason.strip():
        raise InvalidInput("reason_missing", "say in a few words why it cannot wait")
    if len(reason) > REASON_CHARS_MAX:
        raise InvalidInput("too_large", f"the reason is longer than {REASON_CHARS_MAX} characters")
    if not MINUTE_MS <= span_ms <= GRANT_MS_MAX:
        raise InvalidInput("field_malformed", "break-glass lasts from one minute to one hour")

    def unit(tx: Tx) -> Grant:
        _active(tx, desk, person)
        if any(one.person == person for one in tx.grants.open(desk)):
            raise Conflict("grant_not_open", "you have asked for it already")
        grant = Grant(
            desk=desk,
            id=new_id("bg", tx.now, ctx.entropy),
            person=person,
            span_ms=span_ms,
            asked_at=tx.now,
        )
        tx.grants.add(grant)
        subject = tx.vault.ref_of(desk, DESK_SUBJECT, tx.now)
        tx.vault.put(desk, grant.id, REASON, subject=subject, data=reason.encode())
        _note_grant(tx, grant, Tag.BREAKGLASS_ASKED, person)
        return grant

    return unit


def confirm_glass_unit(ctx: Context, desk: str, id: str, *, by: str) -> Unit[Grant]:
    """The unit by which an administrator, another person, puts a grant in force.

    Everybody is told by an escalation. Raises NotAllowed `role_missing`, and `own_authority` for
    the one who asked, on whichever account; Conflict `grant_not_open` for one that is confirmed,
    closed, or was asked for more than an hour ago.
    """

    def unit(tx: Tx) -> Grant:
        grant = _found(tx, desk, id)
        person = _active(tx, desk, by)
        if Role.ADMIN not in person.roles:
            raise NotAllowed("role_missing", "this needs the role admin")
        roster = roster_of(tx, desk)
        if roster.of(person) & roster.names(grant.person):
            raise NotAllowed("own_authority", "another person than the one who asked confirms it")
        late = tx.now >= grant.asked_at + GRANT_MS_MAX
        if grant.opened_at is not None or grant.closed_at is not None or late:
            raise _not_open()
        opened: Grant = msgspec.structs.replace(
            grant, confirmed_by=by, opened_at=tx.now, expires_at=tx.now + grant.span_ms
        )
        tx.grants.change(opened)
        _note_grant(tx, opened, Tag.BREAKGLASS_OPENED, by)
        minutes = grant.span_ms // MINUTE_MS
        said = (
            f"break-glass: `{grant.person}` may check for {minutes} minutes, confirmed by `{by}`;"
            f" the reason given: {grant_reason(tx, grant)}"
        )
        open_for_desk(tx, ctx, desk, said, actor=by, cause=Cause.BREAK_GLASS)
        return opened

    return unit


def close_glass_unit(desk: str, id: str, *, by: str) -> Unit[Grant]:
    """The unit by which anybody on the desk ends a grant, or a request for one, at once.

    What was approved under it and has not run yet does not run on the strength of that any more.
    """

    def unit(tx: Tx) -> Grant:
        grant = _found(tx, desk, id)
        _active(tx, desk, by)
        if grant.closed_at is not None:
            raise _not_open()
        return _closed(tx, grant, by)

    return unit


def end_grants(ctx: Context, desk: str) -> int:
    """Close what has run out; how many. Whether it is in force never waits for this."""

    def over(grant: Grant, now: int) -> bool:
        until = grant.asked_at + GRANT_MS_MAX if grant.expires_at is None else grant.expires_at
        return now >= until

    def unit(tx: Tx) -> int:
        due = [one for one in tx.grants.open(desk) if over(one, tx.now)]
        for grant in due:
            _closed(tx, grant, GATEWAY)
        return len(due)

    due = ctx.store.read(lambda tx: [one for one in tx.grants.open(desk) if over(one, tx.now)])
    return ctx.store.write(unit) if due else 0


def grant_reason(tx: Tx, grant: Grant) -> str:
    """What was said when it was asked for."""
    data = tx.vault.get(grant.desk, grant.id, REASON)
    return "" if data is None else data.decode()


def _found(tx: Tx, desk: str, id: str) -> Grant:
    grant = tx.grants.get(desk, id)
    if grant is None:
        raise NotFound("grant_not_found", f"there is no break-glass grant `{id}` on this desk")
    return grant


def _active(tx: Tx, desk: str, person: str) -> Principal:
    found = tx.people.get(desk, person)
    if found is None or found.disabled or found.kind is not PrincipalKind.PERSON:
        raise NotAllowed("not_entitled", "only an active person of this desk can do this")
    return found


def _closed(tx: Tx, grant: Grant, by: str) -> Grant:
    ended = tx.now if grant.expires_at is None else min(tx.now, grant.expires_at)
    closed: Grant = msgspec.structs.replace(grant, closed_at=ended, closed_by=by)
    tx.grants.change(closed)
    _note_grant(tx, closed, Tag.BREAKGLASS_CLOSED, by)
    return closed


def _not_open() -> Conflict:
    return Conflict("grant_not_open", "this grant is confirmed, closed or too old")


def _note_grant(tx: Tx, grant: Grant, tag: Tag, actor: str) -> None:
    data: Data = {"grant": grant.id, "person": grant.person, "until": grant.expires_at}
    rows = {f"grant:{grant.id}": row_commitment(grant)}
    note_on_desk(tx, grant.desk, tag, actor=actor, data=data, rows=rows)
