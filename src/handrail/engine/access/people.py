"""Agents, people and their credentials. Secrets arrive here already hashed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from handrail.core.entry import Tag, row_commitment
from handrail.core.principal import SUBJECT_PREFIX, VOUCHED_PREFIX, Principal, PrincipalKind, Role
from handrail.engine.access.sessions import end_sessions
from handrail.engine.asking.checkers import mail_name, roster_of
from handrail.engine.asking.quorum import tell_where_nobody_can
from handrail.engine.base.context import Context
from handrail.engine.base.record import Data, note_on_desk
from handrail.errors import Conflict, InvalidInput, NotAllowed, NotAuthenticated, NotFound
from handrail.store.protocol import Credential, CredentialKind, Tx, Unit

__all__ = [
    "Changes",
    "add_credential",
    "add_principal_unit",
    "agent_of_key",
    "change_principal_unit",
    "issue_key_unit",
    "note_changed",
    "note_credential",
    "revoke_key_unit",
    "set_password_unit",
]

NAME_CHARS_MAX: Final = 100
ID_CHARS_MAX: Final = 64
MAIL_CHARS_MAX: Final = 254
CUSTOMER_CHARS_MAX: Final = 200
_RESERVED: Final = (SUBJECT_PREFIX, VOUCHED_PREFIX, "mail:")
_PREFIX_BYTES: Final = 6
_SECRET_BYTES: Final = 24


def add_principal_unit(
    desk: str,
    id: str,
    *,
    kind: PrincipalKind,
    actor: str,
    name: str | None = None,
    identity: str | None = None,
    owner: str | None = None,
    operator: str | None = None,
    deployer: str | None = None,
    delegator: str | None = None,
    roles: Sequence[Role] = (),
    limits: Mapping[str, int] | None = None,
    mail: str | None = None,
    customers: Sequence[str] = (),
) -> Unit[Principal]:
    """The unit that adds an agent, a person or a service.

    Raises Conflict `principal_exists` and NotAllowed `delegation_cycle`. A person's `identity` is
    the same for each of their accounts; left out, it is the id. `mail` and `customers` are kept as
    a keyed hash and as references only.
    """
    if not (1 <= len(id) <= ID_CHARS_MAX and id.isascii() and id.isprintable() and " " not in id):
        raise InvalidInput(
            "field_malformed", f"an id has 1 to {ID_CHARS_MAX} visible ASCII characters"
        )
    _check_name(name)

    def unit(tx: Tx) -> Principal:
        principal = Principal(
            desk=desk,
            id=id,
            kind=kind,
            name=name or id,
            identity=identity or id,
            owner=owner,
            operator=operator,
            deployer=deployer,
            delegator=delegator,
            roles=tuple(roles),
            limits=dict(limits or {}),
            mail=None if mail is None else _mail(tx, desk, mail),
            subjects=_subjects(tx, desk, customers),
            created_at=tx.now,
        )
        return _added(tx, principal, actor)

    return unit


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be different about a principal; None leaves it, an empty text takes it away.

    `roles`, `limits` and `customers` replace what there was.
    """

    name: str | None = None
    identity: str | None = None
    owner: str | None = None
    operator: str | None = None
    deployer: str | None = None
    delegator: str | None = None
    roles: tuple[Role, ...] | None = None
    limits: dict[str, int] | None = None
    mail: str | None = None
    customers: tuple[str, ...] | None = None
    disabled: bool | None = None


def change_principal_unit(
    ctx: Context, desk: str, id: str, changes: Changes, *, actor: str
) -> Unit[Principal]:
    """The unit that changes what a person or an agent is, may do, or answers to.

    `actor` is a person with the role admin, or the operator at the command line. Raises NotFound
    `principal_not_found`, NotAllowed `role_missing`, `own_authority` for somebody who would widen
    what they may do themselves, and `delegation_cycle`. What is taken away still counts for every
    action that was proposed before. Waiting actions that nobody can decide any more are handed to
    a person.
    """
    _check_name(changes.name)

    def unit(tx: Tx) -> Principal:
        before = tx.people.get(desk, id)
        if before is None:
            raise NotFound("principal_not_found", f"there is no `{id}` on this desk")
        after = _changed(tx, before, changes)
        if after == before:
            return before
        wider = after.widens(before)
        _check_actor(tx, before, after, actor, wider=wider)
        if wider:
            after = msgspec.structs.replace(after, granted_at=tx.now)
        _check_names(after)
        tx.people.change(after)
        _check_circle(tx, after)
        note_changed(tx, before, after, actor)
        tell_where_nobody_can(tx, ctx, desk)
        return after

    return unit


def _changed(tx: Tx, before: Principal, changes: Changes) -> Principal:
    """The principal as it will stand, with what is taken away among the former."""
    fields: dict[str, object] = {}
    for name in ("name", "identity"):
        said = getattr(changes, name)
        if said:
            fields[name] = said
    for name in ("owner", "operator", "deployer", "delegator"):
        said = getattr(changes, name)
        if said is not None:
            fields[name] = said or None
    for name in ("roles", "limits", "disabled"):
        said = getattr(changes, name)
        if said is not None:
            fields[name] = said
    if changes.mail is not None:
        fields["mail"] = _mail(tx, before.desk, changes.mail) if changes.mail else None
    if changes.customers is not None:
        fields["subjects"] = _subjects(tx, before.desk, changes.customers)
    after: Principal = msgspec.structs.replace(before, **fields)
    stood = before.makers() | before.names() | set(before.subjects)
    stands = after.makers() | after.names() | set(after.subjects)
    former = {**before.former, **dict.fromkeys(stood - stands, tx.now)}
    return msgspec.structs.replace(after, former=former)


def _check_actor(tx: Tx, before: Principal, after: Principal, actor: str, *, wider: bool) -> None:
    """A person needs the role, and widens nothing that they would profit from."""
    person = tx.people.get(before.desk, actor)
    if person is None:
        return
    if person.disabled or person.kind is not PrincipalKind.PERSON or Role.ADMIN not in person.roles:
        raise NotAllowed("role_missing", "this needs the role admin")
    roster = roster_of(tx, before.desk)
    own = roster.of(person)
    if before.kind is PrincipalKind.PERSON:
        concerned = roster.of(before) | after.names()
    else:
        concerned = roster.makers((before.id,)) | after.makers()
    if wider and own & concerned:
        raise NotAllowed("own_authority", "nobody widens what they may do themselves")


def _check_circle(tx: Tx, principal: Principal) -> None:
    """Nobody acts for somebody who acts for them; nobody would answer for it."""
    delegator = principal.delegator
    if delegator is None:
        return
    if roster_of(tx, principal.desk).acts_in_a_circle(principal.id):
        raise NotAllowed(
            "delegation_cycle", f"`{delegator}` acts for `{principal.id}` itself, by way of others"
        )


def _check_name(name: str | None) -> None:
    if name is not None and not 1 <= len(name.strip()) <= NAME_CHARS_MAX:
        raise InvalidInput("field_malformed", f"a name has 1 to {NAME_CHARS_MAX} characters")


def _check_names(principal: Principal) -> None:
    """No id or identity may pass for a customer's reference or an address."""
    for name in (principal.id, principal.identity):
        if name.startswith(_RESERVED):
            raise InvalidInput("field_malformed", f"a name does not begin with `{name[:4]}`")


def _mail(tx: Tx, desk: str, address: str) -> str:
    if not 3 <= len(address.strip()) <= MAIL_CHARS_MAX or "@" not in address.strip()[1:-1]:
        raise InvalidInput("field_malformed", "that is not an e-mail address")
    return mail_name(tx, desk, address)


def _subjects(tx: Tx, desk: str, customers: Sequence[str]) -> tuple[str, ...]:
    if any(not 1 <= len(one) <= CUSTOMER_CHARS_MAX for one in customers):
        raise InvalidInput("field_malformed", "that is not the id of a customer")
    return tuple(dict.fromkeys(tx.vault.ref_of(desk, one, tx.now) for one in customers))


def _added(tx: Tx, principal: Principal, actor: str) -> Principal:
    desk, id = principal.desk, principal.id
    _check_names(principal)
    if tx.people.get(desk, id) is not None:
        raise Conflict("principal_exists", f"there is a `{id}` on this desk already")
    tx.people.add(principal)
    _check_circle(tx, principal)
    data: Data = {
        "principal": id,
        "kind": principal.kind.value,
        "roles": ",".join(role.value for role in principal.roles),
    }
    rows = {f"principal:{id}": row_commitment(principal)}
    note_on_desk(tx, desk, Tag.PRINCIPAL_ADDED, actor=actor, data=data, rows=rows)
    return principal


def note_changed(tx: Tx, before: Principal, after: Principal, actor: str) -> None:
    """What is different, by name; roles and whether they may act at all by value."""
    old, new = msgspec.structs.asdict(before), msgspec.structs.asdict(after)
    changed = [one for one in new if old[one] != new[one] and one not in ("former", "granted_at")]
    data: Data = {
        "principal": after.id,
        "changed": ",".join(changed),
        "roles": ",".join(role.value for role in after.roles),
        "disabled": after.disabled,
    }
    rows = {f"principal:{after.id}": row_commitment(after)}
    note_on_desk(tx, after.desk, Tag.PRINCIPAL_CHANGED, actor=actor, data=data, rows=rows)


def issue_key_unit(ctx: Context, desk: str, agent: str, *, actor: str) -> Unit[str]:
    """The unit that makes an API key for an agent: a public prefix and a secret, shown once."""

    def unit(tx: Tx) -> str:
        found = tx.people.get(desk, agent)
        if found is None or found.kind is PrincipalKind.PERSON:
            raise NotFound("principal_not_found", f"there is no agent `{agent}` on this desk")
        prefix = "hra_" + ctx.entropy(_PREFIX_BYTES).hex()
        secret = ctx.entropy(_SECRET_BYTES).hex()
        add_credential(tx, desk, prefix, agent, CredentialKind.API_KEY, _hash(secret))
        data: Data = {"principal": agent, "credential": prefix}
        note_on_desk(tx, desk, Tag.CREDENTIAL_ISSUED, actor=actor, data=data)
        return f"{prefix}_{secret}"

    return unit


def revoke_key_unit(desk: str, prefix: str, *, actor: str) -> Unit[bool]:
    """The unit that ends an API key at once; whether it was still good."""

    def unit(tx: Tx) -> bool:
        if not tx.people.revoke_credential(desk, prefix, tx.now):
            return False
        note_on_desk(tx, desk, Tag.CREDENTIAL_REVOKED, actor=actor, data={"credential": prefix})
        return True

    return unit


def set_password_unit(
    ctx: Context, desk: str, person: str, password_hash: str, *, actor: str
) -> Unit[None]:
    """The unit that sets a person's password, given its argon2 hash.

    Older ones end, and so does every session of that person.
    """

    def unit(tx: Tx) -> None:
        found = tx.people.get(desk, person)
        if found is None or found.kind is not PrincipalKind.PERSON:
            raise NotFound("principal_not_found", f"there is no person `{person}` on this desk")
        for old in tx.people.credentials(desk, person, CredentialKind.PASSWORD):
            tx.people.revoke_credential(desk, old.id, tx.now)
        id = "hrw_" + ctx.entropy(_PREFIX_BYTES).hex()
        add_credential(tx, desk, id, person, CredentialKind.PASSWORD, password_hash)
        end_sessions(tx, desk, person, by=actor)
        data: Data = {"principal": person, "credential": id}
        note_on_desk(tx, desk, Tag.CREDENTIAL_ISSUED, actor=actor, data=data)

    return unit


def agent_of_key(ctx: Context, key: str) -> Principal:
    """The agent of an API key; raises NotAuthenticated by code."""
    prefix, _, secret = key.rpartition("_")
    found = ctx.store.read(lambda tx: _principal_of(tx, prefix))
    if found is None or found[0].secret_hash != _hash(secret):
        raise NotAuthenticated("credential_unknown", "this API key is not known")
    credential, principal = found
    if credential.revoked_at is not None or principal.disabled:
        raise NotAuthenticated("credential_revoked", "this API key was revoked")
    return principal


def _principal_of(tx: Tx, prefix: str) -> tuple[Credential, Principal] | None:
    credential = tx.people.credential(prefix)
    if credential is None or credential.kind is not CredentialKind.API_KEY:
        return None
    principal = tx.people.get(credential.desk, credential.principal)
    return None if principal is None else (credential, principal)


def _hash(secret: str) -> str:
    # WHY NOT: a slow hash. The secret has 192 random bits; there is nothing to guess.
    return hashlib.sha256(secret.encode()).hexdigest()


def add_credential(
    tx: Tx, desk: str, id: str, principal: str, kind: CredentialKind, hashed: str
) -> None:
    """A new credential's row. Its entry is the caller's to write."""
    tx.people.add_credential(
        Credential(
            desk=desk,
            id=id,
            principal=principal,
            kind=kind,
            secret_hash=hashed,
            created_at=tx.now,
        )
    )


def note_credential(
    tx: Tx, desk: str, credential: str, principal: str, actor: str, *, issued: bool
) -> None:
    """Write down that a credential was made, or ended."""
    tag = Tag.CREDENTIAL_ISSUED if issued else Tag.CREDENTIAL_REVOKED
    data: Data = {"principal": principal, "credential": credential}
    note_on_desk(tx, desk, tag, actor=actor, data=data)
