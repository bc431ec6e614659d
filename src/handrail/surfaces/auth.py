"""Who is calling: people's passwords and sessions, and the checks around them.

A session lives on the server; the browser holds a random token, the store its SHA-256. When it ends
is said in `engine.access.sessions`. Everything here is a function of the engine's context, but for
`Logins`: it remembers failed attempts and owns the threads for the slow hashes, one per serving
process.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final
from urllib.parse import urlsplit

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from handrail.core.principal import Principal, PrincipalKind, Role
from handrail.engine.access.people import set_password_unit
from handrail.engine.access.sessions import (
    SESSION_MS,
    close_unit,
    is_due,
    is_over,
    opened,
    prove_unit,
    saw_unit,
)
from handrail.engine.base.context import Context
from handrail.errors import InvalidInput, NotAllowed, NotAuthenticated
from handrail.store.protocol import CredentialKind, Means, Session, Tx

__all__ = [
    "SESSION_COOKIE",
    "Logins",
    "check_csrf",
    "check_password",
    "check_role",
    "check_same_site",
    "cleared_cookie",
    "hash_password",
    "login",
    "logout",
    "note_use",
    "opener",
    "renew",
    "session_cookie",
    "session_in",
    "session_of",
    "set_password",
]

SESSION_COOKIE: Final = "handrail_session"
PASSWORD_CHARS_MIN: Final = 8
PASSWORD_CHARS_MAX: Final = 200
FAILURES_MAX: Final = 5
"""Failed logins of one name within `FAILURE_WINDOW_MS` before the next one has to wait."""
FAILURE_WINDOW_MS: Final = 60_000
NAMES_MAX: Final = 10_000
"""Names with failed logins that are remembered; the oldest is forgotten first."""
NAME_CHARS_MAX: Final = 64
HASH_THREADS: Final = 2
_SECRET_BYTES: Final = 24
_OWN_SITE: Final = ("same-origin", "none")
_ARGON2_KIB: Final = 19 * 1024
_ARGON2_PASSES: Final = 2
# The least that OWASP's password storage sheet names for Argon2id: 19 MiB, 2 passes, 1 lane. More
# memory would let a few logins at once take more than the whole server does otherwise.
_HASHER: Final = PasswordHasher(time_cost=_ARGON2_PASSES, memory_cost=_ARGON2_KIB, parallelism=1)


class Logins:
    """Failed logins by name, in bounded memory, and the threads that verify passwords."""

    def __init__(self) -> None:
        self.pool = ThreadPoolExecutor(HASH_THREADS, thread_name_prefix="handrail-login")
        self.decoy = _HASHER.hash("nobody has this password")
        self._failures: OrderedDict[tuple[str, str], list[int]] = OrderedDict()

    def begin(self, desk: str, person: str, now: int) -> None:
        """Count an attempt before it is verified, so that guesses side by side count too.

        Raises NotAuthenticated `too_many_attempts`. Unknown names count like known ones.
        """
        name = _name(desk, person)
        recent = [at for at in self._failures.pop(name, ()) if at > now - FAILURE_WINDOW_MS]
        if len(recent) < FAILURES_MAX:
            recent.append(now)
            refused = False
        else:
            refused = True
        self._failures[name] = recent
        while len(self._failures) > NAMES_MAX:
            self._failures.popitem(last=False)
        if refused:
            raise NotAuthenticated(
                "too_many_attempts", "too many failed logins for this name; wait a minute"
            )

    def succeeded(self, desk: str, person: str) -> None:
        """Forget the failures of a name that has logged in."""
        self._failures.pop(_name(desk, person), None)

    def close(self) -> None:
        """Let go of the threads."""
        self.pool.shutdown(wait=False, cancel_futures=True)


async def login(
    ctx: Context,
    logins: Logins,
    desk: str,
    person: str,
    password: str,
    *,
    browser: str = "",
    previous: str | None = None,
) -> tuple[str, Session]:
    """Open a session for a person; the token is for their cookie and is kept only as a hash.

    `previous` is the token that their browser still holds: that session ends. Raises
    NotAuthenticated `login_failed` and `too_many_attempts`; neither the answer nor the time it
    takes tells whether the name exists.
    """
    logins.begin(desk, person, ctx.clock())
    known = ctx.store.read(lambda tx: _password_of(tx, desk, person))
    hashed = logins.decoy if known is None else known
    loop = asyncio.get_running_loop()
    matches = await loop.run_in_executor(logins.pool, _matches, hashed, password)
    if known is None or not matches:
        raise NotAuthenticated("login_failed", "the name or the password is not right")
    logins.succeeded(desk, person)

    def check(tx: Tx) -> None:
        if _password_of(tx, desk, person) != hashed:
            raise NotAuthenticated("login_failed", "the name or the password is not right")

    token, open_session = opener(ctx, desk, Means.PASSWORD, browser=browser, previous=previous)

    def unit(tx: Tx) -> Session:
        check(tx)
        return open_session(tx, person)

    return token, await ctx.store.submit(unit)


def opener(
    ctx: Context, desk: str, means: Means, *, browser: str = "", previous: str | None = None
) -> tuple[str, Callable[[Tx, str], Session]]:
    """A new token, and what opens a session under it for a person, within a unit."""
    token, csrf = _new_token(ctx), ctx.entropy(_SECRET_BYTES).hex()
    former = None if previous is None else _hash(previous)

    def open_session(tx: Tx, person: str) -> Session:
        return opened(
            tx,
            token_hash=_hash(token),
            csrf=csrf,
            desk=desk,
            person=person,
            means=means,
            browser=browser,
            previous=former,
        )

    return token, open_session


async def renew(ctx: Context, session: Session, means: Means) -> str:
    """Change a session's token, after its person has shown who they are; the new token."""
    token = _new_token(ctx)
    await ctx.store.submit(prove_unit(session, token_hash=_hash(token), means=means))
    return token


async def note_use(ctx: Context, session: Session) -> None:
    """Write down that a session is in use, at most once a minute."""
    if is_due(session, ctx.clock()):
        await ctx.store.submit(saw_unit(session))


async def logout(ctx: Context, token: str) -> bool:
    """End the session of a token; whether there was one."""
    found = ctx.store.read(lambda tx: tx.people.session(_hash(token)))
    if found is None:
        return False
    close = close_unit(found.desk, found.handle, person=found.person, by=found.person)
    return await ctx.store.submit(close)


def session_of(ctx: Context, token: str | None) -> tuple[Session, Principal]:
    """The session of a cookie's token, and the person it belongs to, as they stand now.

    Raises NotAuthenticated: `credential_missing` without a token, `session_expired` when the
    session is over or unknown, `credential_revoked` when the person was disabled meanwhile.
    """
    if not token:
        raise NotAuthenticated("credential_missing", "log in first")
    return ctx.store.read(lambda tx: session_in(tx, token))


def session_in(tx: Tx, token: str) -> tuple[Session, Principal]:
    """`session_of` for who is looking at the store already."""
    found = _session(tx, _hash(token))
    if found is None:
        raise NotAuthenticated("session_expired", "the session has ended; log in again")
    session, person = found
    if person.disabled:
        raise NotAuthenticated("credential_revoked", "this person's access was ended")
    return session, person


def check_csrf(session: Session, sent: str | None, headers: Mapping[str, str]) -> None:
    """Refuse an unsafe request that was not made by a page of this console.

    The session's own random token must come with it, and what the browser says about where the
    request comes from must not speak against it. Raises NotAllowed `csrf_failed`.
    """
    check_same_site(headers)
    if sent is None or not hmac.compare_digest(session.csrf.encode(), sent.encode()):
        raise NotAllowed("csrf_failed", "the request does not carry the token of this session")


def check_same_site(headers: Mapping[str, str]) -> None:
    """Refuse what a browser says another site has sent. Programs send neither header.

    Raises NotAllowed `csrf_failed`.
    """
    site = headers.get("sec-fetch-site")
    if site is not None and site not in _OWN_SITE:
        raise NotAllowed("csrf_failed", "the request comes from another site")
    origin = headers.get("origin")
    # WHY NOT: compare the scheme. A proxy in front may end TLS; the host and port stay the same.
    if origin is not None and _netloc(origin) != headers.get("host", "").lower():
        raise NotAllowed("csrf_failed", "the request comes from another site")


def check_role(person: Principal, *roles: Role) -> None:
    """Require one of these roles. Raises NotAllowed `role_missing`."""
    if not set(roles) & set(person.roles):
        needed = " or ".join(role.value for role in roles)
        raise NotAllowed("role_missing", f"this needs the role {needed}")


def check_password(ctx: Context, desk: str, person: str, password: str) -> None:
    """Require a person's password, at the command line. Raises NotAuthenticated `login_failed`."""
    known = ctx.store.read(lambda tx: _password_of(tx, desk, person))
    if known is None or not _matches(known, password):
        raise NotAuthenticated("login_failed", "the name or the password is not right")


def hash_password(password: str) -> str:
    """The Argon2id hash of a new password. Takes some 30 ms and 19 MiB.

    Raises InvalidInput `field_malformed` for one that is too short or too long.
    """
    if not PASSWORD_CHARS_MIN <= len(password) <= PASSWORD_CHARS_MAX:
        raise InvalidInput(
            "field_malformed",
            f"a password has {PASSWORD_CHARS_MIN} to {PASSWORD_CHARS_MAX} characters",
        )
    try:
        return _HASHER.hash(password)
    except UnicodeEncodeError:
        raise InvalidInput("text_not_unicode", "the password is not valid Unicode") from None


def set_password(
    ctx: Context, desk: str, person: str, password: str, *, actor: str = "operator"
) -> None:
    """Give a person a new password; older ones end. For the command line and for tests.

    Raises NotFound `principal_not_found`, and what `hash_password` raises.
    """
    ctx.store.write(set_password_unit(ctx, desk, person, hash_password(password), actor=actor))


def session_cookie(token: str, *, secure: bool) -> str:
    """The `Set-Cookie` value that gives a browser its token. `secure` when it came by https."""
    return _cookie(token, SESSION_MS // 1_000, secure=secure)


def cleared_cookie(*, secure: bool) -> str:
    """The `Set-Cookie` value that takes the token away again."""
    return _cookie("", 0, secure=secure)


def _cookie(value: str, seconds: int, *, secure: bool) -> str:
    ending = "; Secure" if secure else ""
    return f"{SESSION_COOKIE}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{ending}"


def _name(desk: str, person: str) -> tuple[str, str]:
    # No principal has a longer id; a longer text must not fill the memory.
    return desk[:NAME_CHARS_MAX], person[:NAME_CHARS_MAX]


def _matches(hashed: str, password: str) -> bool:
    try:
        return _HASHER.verify(hashed, password[: PASSWORD_CHARS_MAX + 1])
    except (VerificationError, InvalidHashError, UnicodeEncodeError):
        return False


def _password_of(tx: Tx, desk: str, person: str) -> str | None:
    """The hash that an active person's password must match."""
    found = tx.people.get(desk, person)
    if found is None or found.kind is not PrincipalKind.PERSON or found.disabled:
        return None
    for credential in tx.people.credentials(desk, person, CredentialKind.PASSWORD):
        if credential.revoked_at is None:
            return credential.secret_hash
    return None


def _session(tx: Tx, hashed: str) -> tuple[Session, Principal] | None:
    session = tx.people.session(hashed)
    if session is None or is_over(session, tx.now):
        return None
    person = tx.people.get(session.desk, session.person)
    return None if person is None else (session, person)


def _new_token(ctx: Context) -> str:
    return "hrs_" + ctx.entropy(_SECRET_BYTES).hex()


def _hash(token: str) -> str:
    # WHY NOT: a slow hash. The token has 192 random bits; there is nothing to guess.
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


def _netloc(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""
