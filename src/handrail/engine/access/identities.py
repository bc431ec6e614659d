"""Identities: at a login provider, linked with accounts; and invitations to link one.

An identity is a provider's issuer and subject, kept as a keyed hash. It logs in to an account that
an administrator has linked it with, or whose invitation it came with; nobody makes an account for
themselves. Two accounts with one identity are one natural person.
"""

from __future__ import annotations

import hashlib
from typing import Final

import msgspec

from handrail.core.canonical import canonical
from handrail.core.principal import Principal, PrincipalKind, Role
from handrail.engine.access.people import (
    add_credential,
    note_changed,
    note_credential,
    set_password_unit,
)
from handrail.engine.access.sessions import end_sessions
from handrail.engine.asking.quorum import tell_where_nobody_can
from handrail.engine.base.context import Context
from handrail.errors import InvalidInput, NotAllowed, NotAuthenticated, NotFound
from handrail.store.protocol import CredentialKind, Tx, Unit

__all__ = [
    "INVITATION_MS",
    "accept_unit",
    "identity_mark",
    "invite_unit",
    "invited_person",
    "link_unit",
    "unlink_unit",
    "vouched_person",
]

INVITATION_MS: Final = 72 * 3_600_000
"""How long an invitation can be taken up."""
SUBJECT_CHARS_MAX: Final = 255
"""OpenID Connect Core 1.0, section 2: a subject has at most 255 characters."""
_SECRET_BYTES: Final = 24
_ID_BYTES: Final = 6


def identity_mark(tx: Tx, desk: str, issuer: str, subject: str) -> str:
    """The keyed hash by which an identity is known on a desk."""
    if not 1 <= len(subject) <= SUBJECT_CHARS_MAX or not issuer:
        raise InvalidInput("field_malformed", "an identity has an issuer and a subject")
    return tx.vault.fingerprint_of(canonical(["identity", desk, issuer, subject]))


def link_unit(
    ctx: Context, desk: str, person: str, *, issuer: str, subject: str, actor: str
) -> Unit[Principal]:
    """The unit that links an identity with an account, by an administrator or the operator.

    Raises NotFound `principal_not_found` and NotAllowed `role_missing`.
    """

    def unit(tx: Tx) -> Principal:
        found = _person(tx, desk, person)
        _check_actor(tx, found, actor)
        return _linked(tx, ctx, found, identity_mark(tx, desk, issuer, subject), actor)

    return unit


def unlink_unit(ctx: Context, desk: str, person: str, *, actor: str) -> Unit[int]:
    """The unit that takes every identity from an account, and ends its sessions; how many.

    That they were one person still counts for what was proposed before.
    """

    def unit(tx: Tx) -> int:
        found = _person(tx, desk, person)
        _check_actor(tx, found, actor)
        live = _live(tx, desk, person, CredentialKind.IDENTITY)
        for one in live:
            tx.people.revoke_credential(desk, one, tx.now)
            note_credential(tx, desk, one, person, actor, issued=False)
        gone = {f"vouched:{one}": tx.now for one in found.vouched}
        after = msgspec.structs.replace(
            found, vouched=(), former={**found.former, **gone}, granted_at=tx.now
        )
        if found.vouched:
            tx.people.change(after)
            note_changed(tx, found, after, actor)
        end_sessions(tx, desk, person, by=actor)
        return len(live)

    return unit


def invite_unit(ctx: Context, desk: str, person: str, *, actor: str) -> Unit[str]:
    """The unit that makes an invitation for an account: a token that is shown once.

    An earlier one of that account ends. Raises as `link_unit` does.
    """

    def unit(tx: Tx) -> str:
        _check_actor(tx, _person(tx, desk, person), actor)
        _end_invitations(tx, desk, person, actor)
        token = "hrv_" + ctx.entropy(_SECRET_BYTES).hex()
        id = "hrv_" + ctx.entropy(_ID_BYTES).hex()
        add_credential(tx, desk, id, person, CredentialKind.INVITATION, _hash(token))
        note_credential(tx, desk, id, person, actor, issued=True)
        return token

    return unit


def accept_unit(ctx: Context, desk: str, token: str, password_hash: str) -> Unit[Principal]:
    """The unit that takes up an invitation with a password, given its argon2 hash; whose it is.

    Raises NotAuthenticated `invitation_over`.
    """

    def unit(tx: Tx) -> Principal:
        person = invited_person(tx, desk, token)
        _end_invitations(tx, desk, person.id, person.id)
        set_password_unit(ctx, desk, person.id, password_hash, actor=person.id)(tx)
        return person

    return unit


def vouched_person(
    tx: Tx,
    ctx: Context,
    desk: str,
    *,
    issuer: str,
    subject: str,
    named: str = "",
    invitation: str = "",
) -> Principal:
    """The person whom an identity logs in, now that a provider has vouched for it.

    With an invitation it is linked with that one's account first. Raises NotAuthenticated
    `identity_unlinked`, `invitation_over` and, when several accounts have it and none of them is
    `named`, `account_unclear`.
    """
    mark = identity_mark(tx, desk, issuer, subject)
    if invitation:
        person = invited_person(tx, desk, invitation)
        _end_invitations(tx, desk, person.id, person.id)
        return _linked(tx, ctx, person, mark, person.id)
    found = []
    for credential in tx.people.by_secret(desk, CredentialKind.IDENTITY, mark):
        one = tx.people.get(desk, credential.principal)
        if one is not None and not one.disabled:
            found.append(one)
    if not found:
        raise NotAuthenticated(
            "identity_unlinked",
            "no account here is linked with this identity; ask an administrator for an invitation",
        )
    chosen = [one for one in found if one.id == named] if len(found) > 1 else found
    if not chosen:
        raise NotAuthenticated(
            "account_unclear", "several accounts are linked with you; type the name of one first"
        )
    return chosen[0]


def _linked(tx: Tx, ctx: Context, person: Principal, mark: str, actor: str) -> Principal:
    known = tx.people.by_secret(person.desk, CredentialKind.IDENTITY, mark)
    if any(one.principal == person.id for one in known):
        return person
    id = "hri_" + ctx.entropy(_ID_BYTES).hex()
    add_credential(tx, person.desk, id, person.id, CredentialKind.IDENTITY, mark)
    note_credential(tx, person.desk, id, person.id, actor, issued=True)
    after = msgspec.structs.replace(person, vouched=(*person.vouched, mark))
    tx.people.change(after)
    note_changed(tx, person, after, actor)
    # Two accounts may have turned out to be one person: something may wait for two.
    tell_where_nobody_can(tx, ctx, person.desk)
    return after


def invited_person(tx: Tx, desk: str, token: str) -> Principal:
    """Whom an invitation is for, while it can be taken up. Raises `invitation_over`."""
    for credential in tx.people.by_secret(desk, CredentialKind.INVITATION, _hash(token)):
        person = tx.people.get(desk, credential.principal)
        young = tx.now < credential.created_at + INVITATION_MS
        if young and person is not None and not person.disabled:
            return person
    raise NotAuthenticated(
        "invitation_over", "this invitation was used, has run out, or was replaced; ask for another"
    )


def _end_invitations(tx: Tx, desk: str, person: str, actor: str) -> None:
    for one in _live(tx, desk, person, CredentialKind.INVITATION):
        tx.people.revoke_credential(desk, one, tx.now)
        note_credential(tx, desk, one, person, actor, issued=False)


def _live(tx: Tx, desk: str, person: str, kind: CredentialKind) -> list[str]:
    known = tx.people.credentials(desk, person, kind)
    return [one.id for one in known if one.revoked_at is None]


def _person(tx: Tx, desk: str, id: str) -> Principal:
    found = tx.people.get(desk, id)
    if found is None or found.kind is not PrincipalKind.PERSON:
        raise NotFound("principal_not_found", f"there is no person `{id}` on this desk")
    return found


def _check_actor(tx: Tx, person: Principal, actor: str) -> None:
    """An administrator, never for their own account; the operator at the command line."""
    acting = tx.people.get(person.desk, actor)
    if acting is None:
        return
    if acting.disabled or Role.ADMIN not in acting.roles:
        raise NotAllowed("role_missing", "this needs the role admin")
    if acting.id == person.id:
        raise NotAllowed("own_authority", "nobody links an identity with their own account")


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()
