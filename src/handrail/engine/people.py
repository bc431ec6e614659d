"""Agents, people and their credentials. Secrets arrive here already hashed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Final

from handrail.core.entry import Entry, Tag, row_commitment
from handrail.core.principal import Principal, PrincipalKind, Role
from handrail.engine.context import Context
from handrail.errors import Conflict, InvalidInput, NotAuthenticated, NotFound
from handrail.store.protocol import Credential, CredentialKind, Tx, Unit

__all__ = [
    "add_principal_unit",
    "agent_of_key",
    "issue_key_unit",
    "revoke_key_unit",
    "set_password_unit",
]

NAME_CHARS_MAX: Final = 100
ID_CHARS_MAX: Final = 64
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
    roles: Sequence[Role] = (),
    limits: Mapping[str, int] | None = None,
) -> Unit[Principal]:
    """The unit that adds an agent, a person or a service.

    Raises Conflict `principal_exists`. A person's `identity` is the same for each of their
    accounts; left out, it is the id.
    """
    if not (1 <= len(id) <= ID_CHARS_MAX and id.isascii() and id.isprintable() and " " not in id):
        raise InvalidInput(
            "field_malformed", f"an id has 1 to {ID_CHARS_MAX} visible ASCII characters"
        )
    if name is not None and not 1 <= len(name.strip()) <= NAME_CHARS_MAX:
        raise InvalidInput("field_malformed", f"a name has 1 to {NAME_CHARS_MAX} characters")

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
            roles=tuple(roles),
            limits=dict(limits or {}),
            created_at=tx.now,
        )
        return _added(tx, principal, actor)

    return unit


def _added(tx: Tx, principal: Principal, actor: str) -> Principal:
    desk, id = principal.desk, principal.id
    if tx.people.get(desk, id) is not None:
        raise Conflict("principal_exists", f"there is a `{id}` on this desk already")
    tx.people.add(principal)
    data: dict[str, str | int | bool | None] = {
        "principal": id,
        "kind": principal.kind.value,
        "roles": ",".join(role.value for role in principal.roles),
    }
    rows = {f"principal:{id}": row_commitment(principal)}
    _note_people(tx, desk, Tag.PRINCIPAL_ADDED, actor, data, rows)
    return principal


def issue_key_unit(ctx: Context, desk: str, agent: str, *, actor: str) -> Unit[str]:
    """The unit that makes an API key for an agent: a public prefix and a secret, shown once."""

    def unit(tx: Tx) -> str:
        found = tx.people.get(desk, agent)
        if found is None or found.kind is PrincipalKind.PERSON:
            raise NotFound("principal_not_found", f"there is no agent `{agent}` on this desk")
        prefix = "hra_" + ctx.entropy(_PREFIX_BYTES).hex()
        secret = ctx.entropy(_SECRET_BYTES).hex()
        _add_credential(tx, desk, prefix, agent, CredentialKind.API_KEY, _hash(secret))
        data: dict[str, str | int | bool | None] = {"principal": agent, "credential": prefix}
        _note_people(tx, desk, Tag.CREDENTIAL_ISSUED, actor, data)
        return f"{prefix}_{secret}"

    return unit


def revoke_key_unit(desk: str, prefix: str, *, actor: str) -> Unit[bool]:
    """The unit that ends an API key at once; whether it was still good."""

    def unit(tx: Tx) -> bool:
        if not tx.people.revoke_credential(desk, prefix, tx.now):
            return False
        _note_people(tx, desk, Tag.CREDENTIAL_REVOKED, actor, {"credential": prefix})
        return True

    return unit


def set_password_unit(
    ctx: Context, desk: str, person: str, password_hash: str, *, actor: str
) -> Unit[None]:
    """The unit that sets a person's password, given its argon2 hash; older ones end."""

    def unit(tx: Tx) -> None:
        found = tx.people.get(desk, person)
        if found is None or found.kind is not PrincipalKind.PERSON:
            raise NotFound("principal_not_found", f"there is no person `{person}` on this desk")
        for old in tx.people.credentials(desk, person, CredentialKind.PASSWORD):
            tx.people.revoke_credential(desk, old.id, tx.now)
        id = "hrw_" + ctx.entropy(_PREFIX_BYTES).hex()
        _add_credential(tx, desk, id, person, CredentialKind.PASSWORD, password_hash)
        data: dict[str, str | int | bool | None] = {"principal": person, "credential": id}
        _note_people(tx, desk, Tag.CREDENTIAL_ISSUED, actor, data)

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


def _add_credential(
    tx: Tx, desk: str, id: str, principal: str, kind: CredentialKind, hashed: str
) -> None:
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


def _note_people(
    tx: Tx,
    desk: str,
    tag: Tag,
    actor: str,
    data: dict[str, str | int | bool | None],
    rows: dict[str, str] | None = None,
) -> None:
    entry = Entry(at=tx.now, desk=desk, tag=tag.value, actor=actor, data=data, rows=rows or {})
    tx.log.append(entry, by_person=True)
