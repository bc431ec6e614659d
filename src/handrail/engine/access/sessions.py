"""Sessions: a person's login on the server, from the first request to the last.

A session ends eight hours after the login, an hour after it was last used, when somebody ends it,
and when its person's password is changed. Its token changes at every login and whenever its person
shows anew who they are, so that a token that was planted or seen before is worth nothing after.
Tokens arrive here hashed.
"""

from __future__ import annotations

from typing import Final

import msgspec

from handrail.core.entry import Tag
from handrail.core.principal import PrincipalKind, Role
from handrail.engine.base.record import Data, note_on_desk
from handrail.errors import NotAllowed, NotAuthenticated, NotFound
from handrail.store.protocol import Means, Session, Tx, Unit

__all__ = [
    "FRESH_MS",
    "IDLE_MS",
    "SESSION_MS",
    "check_fresh",
    "close_all_unit",
    "close_unit",
    "end_sessions",
    "is_due",
    "is_over",
    "listed_unit",
    "opened",
    "prove_unit",
    "saw_unit",
]

SESSION_MS: Final = 8 * 3_600_000
"""How long a session lasts at most."""
IDLE_MS: Final = 3_600_000
"""How long a session lasts that nobody uses."""
SEEN_EVERY_MS: Final = 60_000
"""How exactly it is known when a session was last used."""
FRESH_MS: Final = 10 * 60_000
"""How recently somebody must have shown who they are to change how they log in."""
BROWSER_CHARS_MAX: Final = 200


def opened(
    tx: Tx,
    *,
    token_hash: str,
    csrf: str,
    desk: str,
    person: str,
    means: Means,
    browser: str = "",
    previous: str | None = None,
) -> Session:
    """Open a session. `previous` is the hash of what the browser still held: that one ends."""
    tx.people.sweep_sessions(tx.now)
    tx.passkeys.sweep(tx.now)
    if previous is not None:
        _ended(tx, tx.people.session(previous), by=None)
    session = Session(
        token_hash=token_hash,
        desk=desk,
        person=person,
        csrf=csrf,
        created_at=tx.now,
        expires_at=tx.now + SESSION_MS,
        seen_at=tx.now,
        proved_at=tx.now,
        means=means,
        browser=browser[:BROWSER_CHARS_MAX],
    )
    tx.people.add_session(session)
    _note(tx, session, Tag.SESSION_OPENED, session.person, {"means": means.value})
    return session


def is_over(session: Session, now: int) -> bool:
    """Whether it has ended by itself: too old, or not used for too long."""
    return now >= session.expires_at or now >= session.seen_at + IDLE_MS


def is_due(session: Session, now: int) -> bool:
    """Whether it is to be written down that it is in use."""
    return now >= session.seen_at + SEEN_EVERY_MS


def saw_unit(session: Session) -> Unit[None]:
    """The unit that writes down that a session is in use."""
    return lambda tx: tx.people.saw_session(session.token_hash, tx.now)


def prove_unit(session: Session, *, token_hash: str, means: Means) -> Unit[Session]:
    """The unit that gives a session a new token, after its person has shown who they are.

    It ends no later for that. Raises NotAuthenticated `session_expired` when it has ended.
    """

    def unit(tx: Tx) -> Session:
        if not tx.people.end_session(session.token_hash):
            raise NotAuthenticated("session_expired", "the session has ended; log in again")
        renewed = msgspec.structs.replace(
            session, token_hash=token_hash, seen_at=tx.now, proved_at=tx.now, means=means
        )
        tx.people.add_session(renewed)
        data = {"means": means.value, "was": session.handle}
        _note(tx, renewed, Tag.SESSION_PROVED, renewed.person, data)
        return renewed

    return unit


def check_fresh(session: Session, now: int, *, by_passkey: bool = False) -> None:
    """Require that its person has shown lately who they are; raises NotAllowed `proof_too_old`.

    With `by_passkey` only a passkey counts: who has one is asked for it.
    """
    if now >= session.proved_at + FRESH_MS:
        raise NotAllowed("proof_too_old", "show once more who you are: log out and in again")
    if by_passkey and session.means is not Means.PASSKEY:
        raise NotAllowed("proof_too_old", "log in with one of your passkeys to change them")


def listed_unit(desk: str, person: str, *, by: str) -> Unit[list[Session]]:
    """The look at a person's sessions, newest first: their own, or anybody's for an admin."""

    def look(tx: Tx) -> list[Session]:
        _check_actor(tx, desk, person, by)
        return [one for one in tx.people.sessions(desk, person) if not is_over(one, tx.now)]

    return look


def close_unit(desk: str, handle: str, *, person: str, by: str) -> Unit[bool]:
    """The unit that ends one session by its public name; whether there was one.

    Raises NotAllowed `role_missing` for another person's, unless an admin ends it.
    """

    def unit(tx: Tx) -> bool:
        _check_actor(tx, desk, person, by)
        found = [one for one in tx.people.sessions(desk, person) if one.handle == handle]
        return sum(_ended(tx, one, by=by) for one in found) > 0

    return unit


def close_all_unit(desk: str, *, person: str, by: str, but: str | None = None) -> Unit[int]:
    """The unit that ends every session of a person, but for the one with that handle."""

    def unit(tx: Tx) -> int:
        _check_actor(tx, desk, person, by)
        return end_sessions(tx, desk, person, by=by, but=but)

    return unit


def end_sessions(tx: Tx, desk: str, person: str, *, by: str, but: str | None = None) -> int:
    """End every session of a person, but for the one with that handle; how many."""
    found = [one for one in tx.people.sessions(desk, person) if one.handle != but]
    return sum(_ended(tx, one, by=by) for one in found)


def _check_actor(tx: Tx, desk: str, person: str, by: str) -> None:
    """One's own, or as an admin; the operator at the command line is no person."""
    if person == by:
        return
    actor = tx.people.get(desk, by)
    if actor is not None and (actor.disabled or Role.ADMIN not in actor.roles):
        raise NotAllowed("role_missing", "another person's sessions are for the role admin")
    found = tx.people.get(desk, person)
    if found is None or found.kind is not PrincipalKind.PERSON:
        raise NotFound("principal_not_found", f"there is no person `{person}` on this desk")


def _ended(tx: Tx, session: Session | None, *, by: str | None) -> bool:
    if session is None or not tx.people.end_session(session.token_hash):
        return False
    _note(tx, session, Tag.SESSION_CLOSED, by or session.person, {"person": session.person})
    return True


def _note(tx: Tx, session: Session, tag: Tag, actor: str, said: dict[str, str]) -> None:
    data: Data = {"session": session.handle, "expires_at": session.expires_at, **said}
    note_on_desk(tx, session.desk, tag, actor=actor, data=data)
