"""Principals, their credentials and the sessions of people."""

from __future__ import annotations

from enum import Enum
from typing import Final

import msgspec

from handrail.core.principal import Principal, PrincipalKind
from handrail.core.roster import Roster
from handrail.store.rows import Rows, columns_of, from_row, insert_sql, select_sql, to_row

__all__ = ["Credential", "CredentialKind", "Means", "People", "Session"]


class CredentialKind(Enum):
    """How a principal shows who it is."""

    API_KEY = "api_key"
    PASSWORD = "password"
    IDENTITY = "identity"
    INVITATION = "invitation"


class Means(Enum):
    """By what a person has shown who they are."""

    PASSWORD = "password"
    PROVIDER = "provider"
    PASSKEY = "passkey"


class Credential(msgspec.Struct, frozen=True, kw_only=True):
    """An API key (`id` is its public prefix) or a password; only a hash of the secret is kept.

    So it is with an identity at a provider, which is a keyed hash, and with an invitation.
    """

    desk: str
    id: str
    principal: str
    kind: CredentialKind
    secret_hash: str
    created_at: int
    revoked_at: int | None = None


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A person's login on the server. The cookie holds the token; here is its SHA-256.

    `seen_at` is when it was last used, to the minute; `proved_at` when its person last showed who
    they are, by `means`; `browser` is what their browser called itself.
    """

    token_hash: str
    desk: str
    person: str
    csrf: str
    created_at: int
    expires_at: int
    seen_at: int
    proved_at: int
    means: Means
    browser: str = ""

    @property
    def handle(self) -> str:
        """A public name for it, which opens nothing."""
        return self.token_hash[:HANDLE_CHARS]


HANDLE_CHARS: Final = 16
_PRINCIPAL: Final = select_sql("principal", Principal)
_JSON: Final = frozenset({"roles", "limits", "subjects", "former", "vouched"})
_FIXED: Final = ("desk", "id", "kind", "created_at")
_CHANGING: Final = tuple(name for name in columns_of(Principal) if name not in _FIXED)
_CHANGE: Final = (
    f"UPDATE principal SET {', '.join(f'{name} = ?' for name in _CHANGING)}"
    " WHERE desk = ? AND id = ?"
)


class People:
    """Rows of principals, credentials and sessions."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._met: dict[tuple[str, str], Principal] = {}
        self._rosters: dict[str, Roster] = {}

    def forget(self) -> None:
        """Read anew: what was read may be of a unit that was rolled back."""
        self._met.clear()
        self._rosters.clear()

    def add(self, principal: Principal) -> None:
        """A new principal."""
        self.forget()
        self._rows.change(insert_sql("principal", Principal), to_row(principal))

    def change(self, principal: Principal) -> None:
        """Replace what is known of a principal."""
        self.forget()
        row = dict(zip(columns_of(Principal), to_row(principal), strict=True))
        values = [row[name] for name in _CHANGING]
        self._rows.change(_CHANGE, [*values, principal.desk, principal.id])

    def get(self, desk: str, principal: str) -> Principal | None:
        """One principal by its id, read once a transaction."""
        known = self._met.get((desk, principal))
        if known is not None:
            return known
        roster = self._rosters.get(desk)
        if roster is not None and (found := roster.account(principal)) is not None:
            return found
        row = self._rows.one(_PRINCIPAL + " WHERE desk = ? AND id = ?", (desk, principal))
        if row is None:
            return None
        found = self._met[desk, principal] = from_row(Principal, row, _JSON)
        return found

    def all(self, desk: str, kind: PrincipalKind) -> list[Principal]:
        """Every principal of a kind, by id."""
        rows = self._rows.all(
            _PRINCIPAL + " WHERE desk = ? AND kind = ? ORDER BY id", (desk, kind.value)
        )
        return [from_row(Principal, row, _JSON) for row in rows]

    def everybody(self, desk: str) -> list[Principal]:
        """Every principal of any kind, by id."""
        rows = self._rows.all(_PRINCIPAL + " WHERE desk = ? ORDER BY id", (desk,))
        return [from_row(Principal, row, _JSON) for row in rows]

    def roster(self, desk: str) -> Roster:
        """Everybody on a desk, read once a transaction."""
        known = self._rosters.get(desk)
        if known is None:
            known = self._rosters[desk] = Roster(self.everybody(desk))
        return known

    def add_credential(self, credential: Credential) -> None:
        """A new credential."""
        self._rows.change(insert_sql("credential", Credential), to_row(credential))

    def credential(self, credential: str) -> Credential | None:
        """A credential by its id, whichever desk."""
        row = self._rows.one(select_sql("credential", Credential) + " WHERE id = ?", (credential,))
        return None if row is None else from_row(Credential, row)

    def credentials(self, desk: str, principal: str, kind: CredentialKind) -> list[Credential]:
        """The credentials of one principal, newest first."""
        rows = self._rows.all(
            select_sql("credential", Credential)
            + " WHERE desk = ? AND principal = ? AND kind = ? ORDER BY created_at DESC",
            (desk, principal, kind.value),
        )
        return [from_row(Credential, row) for row in rows]

    def by_secret(self, desk: str, kind: CredentialKind, secret_hash: str) -> list[Credential]:
        """The live credentials of a kind that have this secret, oldest first."""
        rows = self._rows.all(
            select_sql("credential", Credential)
            + " WHERE desk = ? AND kind = ? AND secret_hash = ? AND revoked_at IS NULL"
            " ORDER BY created_at, id",
            (desk, kind.value, secret_hash),
        )
        return [from_row(Credential, row) for row in rows]

    def all_credentials(self, desk: str) -> list[Credential]:
        """Every credential that was ever issued on the desk."""
        rows = self._rows.all(
            select_sql("credential", Credential) + " WHERE desk = ? ORDER BY id", (desk,)
        )
        return [from_row(Credential, row) for row in rows]

    def revoke_credential(self, desk: str, credential: str, at: int) -> bool:
        """End a credential; whether it was still good."""
        changed = self._rows.change(
            "UPDATE credential SET revoked_at = ? WHERE desk = ? AND id = ? AND revoked_at IS NULL",
            (at, desk, credential),
        )
        return changed == 1

    def add_session(self, session: Session) -> None:
        """A new session."""
        self._rows.change(insert_sql("session", Session), to_row(session))

    def session(self, token_hash: str) -> Session | None:
        """The session of a cookie."""
        row = self._rows.one(
            select_sql("session", Session) + " WHERE token_hash = ?", (token_hash,)
        )
        return None if row is None else from_row(Session, row)

    def sessions(self, desk: str, person: str) -> list[Session]:
        """The sessions of a person, newest first, those that are over among them."""
        rows = self._rows.all(
            select_sql("session", Session)
            + " WHERE desk = ? AND person = ? ORDER BY created_at DESC, token_hash",
            (desk, person),
        )
        return [from_row(Session, row) for row in rows]

    def saw_session(self, token_hash: str, now: int) -> None:
        """A session was used."""
        self._rows.change("UPDATE session SET seen_at = ? WHERE token_hash = ?", (now, token_hash))

    def end_session(self, token_hash: str) -> bool:
        """Log out; whether the session existed."""
        return self._rows.change("DELETE FROM session WHERE token_hash = ?", (token_hash,)) == 1

    def sweep_sessions(self, now: int) -> int:
        """Forget sessions that have ended."""
        return self._rows.change("DELETE FROM session WHERE expires_at <= ?", (now,))
