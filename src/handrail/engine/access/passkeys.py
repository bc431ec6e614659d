"""Passkeys: added to an account, used to log in, and to sign an approval at G3.

A challenge is made from a nonce of this desk that says when it was made and is authenticated by the
desk's key: nothing is stored for who never answers. One that was answered is written down until it
is too old, so that it counts once. What was signed for a review stays for good.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from handrail.core.canonical import canonical
from handrail.core.entry import Tag, row_commitment
from handrail.core.grade import Grade
from handrail.core.passkey import Assertion, Passkey, Purpose, Signed, challenge_of, key_name
from handrail.core.policy import PasskeyRule
from handrail.core.principal import Principal, PrincipalKind, Role
from handrail.core.proposal import Proposal
from handrail.core.review import Review, Verdict
from handrail.core.roster import Roster
from handrail.engine.base.context import Context
from handrail.engine.base.record import Data, note_on_desk
from handrail.errors import Conflict, InvalidInput, NotAllowed, NotAuthenticated, NotFound
from handrail.store.protocol import Session, Tx, Unit

__all__ = [
    "NONCE_MS",
    "add_passkey_unit",
    "assertion_of",
    "check_signature",
    "keys_for",
    "login_person",
    "new_nonce",
    "review_challenge",
    "revoke_passkey_unit",
    "signed_for",
    "site_of",
]

NONCE_MS: Final = 5 * 60_000
"""How long somebody has to answer a challenge."""
LABEL_CHARS_MAX: Final = 60
PASSKEYS_MAX: Final = 20
_NONCE_BYTES: Final = 16
_ALGORITHMS: Final = (-7, -8, -257)
"""ES256, EdDSA and RS256, by their COSE numbers."""


def site_of(origin: str) -> str:
    """The relying party id of an address: its host. Raises InvalidInput `setting_malformed`."""
    host = urlsplit(origin).hostname
    if host is None:
        raise InvalidInput("setting_malformed", f"`{origin}` is not the address of a console")
    return host


def new_nonce(ctx: Context, desk: str, purpose: Purpose, person: str = "") -> str:
    """A nonce for one challenge: when it was made, chance, and the desk's mark on both."""
    random = ctx.entropy(_NONCE_BYTES).hex()

    def look(tx: Tx) -> str:
        return f"{tx.now}.{random}.{_mark(tx, desk, purpose, person, f'{tx.now}.{random}')}"

    return ctx.store.read(look)


def keys_for(tx: Tx, ctx: Context, proposal: Proposal, reviewer: Principal) -> list[Passkey] | None:
    """The passkeys any of which must sign this person's approval, or None when none is needed.

    At G3: always where the policy says `require`, else for a person who has one on any account. One
    that was taken away after the action was proposed still makes it needed, and signs no more.
    """
    if proposal.grade is not Grade.G3:
        return None
    known = _keys_of(tx, tx.people.roster(proposal.desk), reviewer)
    live = [one for one in known if one.revoked_at is None]
    lately = [one for one in known if one.revoked_at is not None]
    has = bool(live) or any((one.revoked_at or 0) >= proposal.created_at for one in lately)
    required = ctx.rulebook(proposal.desk).policy.passkeys is PasskeyRule.REQUIRE
    return live if has or required else None


def signed_for(
    tx: Tx, ctx: Context, proposal: Proposal, reviewer: Principal, signed: Signed | None
) -> Passkey | None:
    """Check what a person signed for their approval; the passkey, or None when none is needed.

    Raises NotAllowed `passkey_needed` without a signature, and `passkey_refused` for one that is
    not this person's over this very approval, made now, at the address where the passkey was made.
    """
    needed = keys_for(tx, ctx, proposal, reviewer)
    if needed is None:
        return None
    if signed is None:
        raise NotAllowed(
            "passkey_needed", "at G3 your passkey signs the approval; none has signed this one"
        )
    passkey = next((one for one in needed if one.id == signed.passkey), None)
    if passkey is None:
        raise _refused("that is not a passkey of yours")
    challenge = review_challenge(proposal, reviewer, signed.nonce)
    _answered(tx, proposal.desk, Purpose.REVIEW, reviewer.id, signed.nonce)
    _used(tx, passkey, signed, challenge)
    return passkey


def review_challenge(proposal: Proposal, reviewer: Principal, nonce: str) -> bytes:
    """What a passkey signs for this person's approval of this action as it stands."""
    return challenge_of(
        Purpose.REVIEW,
        desk=proposal.desk,
        nonce=nonce,
        person=reviewer.id,
        proposal=proposal.id,
        statement=proposal.statement,
        verdict=Verdict.APPROVE,
        amount=_amount(proposal),
    )


def assertion_of(passkey: Passkey, signed: Signed, review: Review, proposal: Proposal) -> Assertion:
    """What is kept of a signature, with the review that it is for."""
    return Assertion(
        desk=review.desk,
        proposal=review.proposal,
        n=review.n,
        person=review.person,
        amount=_amount(proposal),
        nonce=signed.nonce,
        passkey=passkey.id,
        public_key=passkey.public_key,
        origin=passkey.origin,
        site=passkey.site,
        client_data=signed.client_data,
        authenticator_data=signed.authenticator_data,
        signature=signed.signature,
    )


def login_person(tx: Tx, desk: str, signed: Signed, origin: str) -> Principal:
    """The person whose passkey has answered a login's challenge. Must run in a writing unit.

    Raises NotAuthenticated `login_failed`, whatever was wrong.
    """
    passkey = tx.passkeys.get(desk, signed.passkey)
    person = None if passkey is None else tx.people.get(desk, passkey.person)
    challenge = challenge_of(Purpose.LOGIN, desk=desk, nonce=signed.nonce)
    try:
        if passkey is None or passkey.revoked_at is not None or passkey.origin != origin:
            raise _refused("not a passkey of this console")
        _answered(tx, desk, Purpose.LOGIN, "", signed.nonce)
        _used(tx, passkey, signed, challenge)
    except NotAllowed:
        raise _no_login() from None
    if person is None or person.disabled or person.kind is not PrincipalKind.PERSON:
        raise _no_login()
    return person


def add_passkey_unit(
    session: Session, *, nonce: str, answer: Mapping[str, Any], label: str, origin: str
) -> Unit[Passkey]:
    """The unit that adds a passkey to the account of a session.

    The caller has checked that its person showed lately who they are. Raises NotAllowed
    `passkey_refused`, Conflict `passkey_taken` for one that is known, and InvalidInput.
    """
    if not 1 <= len(label) <= LABEL_CHARS_MAX or not label.isprintable():
        raise InvalidInput(
            "field_malformed", f"a passkey's name has 1 to {LABEL_CHARS_MAX} characters"
        )
    desk, person = session.desk, session.person
    challenge = challenge_of(Purpose.REGISTER, desk=desk, nonce=nonce, person=person)
    id, public_key, counter = _registered(answer, challenge, origin)

    def unit(tx: Tx) -> Passkey:
        _answered(tx, desk, Purpose.REGISTER, person, nonce)
        if tx.passkeys.get(desk, id) is not None:
            raise Conflict("passkey_taken", "this passkey belongs to an account already")
        if len(tx.passkeys.of(desk, person)) >= PASSKEYS_MAX:
            raise Conflict("passkey_taken", f"an account has at most {PASSKEYS_MAX} passkeys")
        passkey = Passkey(
            desk=desk,
            id=id,
            person=person,
            label=label,
            public_key=public_key,
            origin=origin,
            site=site_of(origin),
            created_at=tx.now,
        )
        tx.passkeys.add(passkey)
        tx.passkeys.use(desk, id, counter, tx.now)
        _note(tx, passkey, Tag.PASSKEY_ADDED, person)
        return passkey

    return unit


def revoke_passkey_unit(desk: str, name: str, *, person: str, by: str) -> Unit[Passkey]:
    """The unit that ends a passkey of a person, by its name in the log; their own, or as an admin.

    Raises NotFound `passkey_not_found` and NotAllowed `role_missing`.
    """

    def unit(tx: Tx) -> Passkey:
        actor = tx.people.get(desk, by)
        if person != by and actor is not None and Role.ADMIN not in actor.roles:
            raise NotAllowed("role_missing", "another person's passkeys are for the role admin")
        found = [one for one in tx.passkeys.of(desk, person) if key_name(one.id) == name]
        if not found or not tx.passkeys.revoke(desk, found[0].id, tx.now):
            raise NotFound("passkey_not_found", "there is no such passkey, or it has ended")
        ended = msgspec.structs.replace(found[0], revoked_at=tx.now)
        _note(tx, ended, Tag.PASSKEY_REVOKED, by)
        return ended

    return unit


def check_signature(
    signed: Signed | Assertion,
    *,
    challenge: bytes,
    public_key: str,
    origin: str,
    site: str,
    counter: int = 0,
) -> int:
    """Check one answer of an authenticator by itself; its counter. Needs nothing but the bytes.

    Raises NotAllowed `passkey_refused`.
    """
    # Loading it takes as long as a whole command; who has no passkeys never waits for it.
    import webauthn
    from webauthn.helpers import base64url_to_bytes

    try:
        verified = webauthn.verify_authentication_response(
            credential={
                "id": signed.passkey,
                "rawId": signed.passkey,
                "type": "public-key",
                "response": {
                    "clientDataJSON": signed.client_data,
                    "authenticatorData": signed.authenticator_data,
                    "signature": signed.signature,
                },
            },
            expected_challenge=challenge,
            expected_rp_id=site,
            expected_origin=origin,
            credential_public_key=base64url_to_bytes(public_key),
            credential_current_sign_count=counter,
            require_user_verification=True,
        )
    except Exception as error:
        # WHY NOT: name the library's exceptions. What cannot be decoded raises what it likes, and
        # whatever is raised here, nothing was shown.
        raise _refused(_plain(str(error))) from None
    return verified.new_sign_count


def _registered(answer: Mapping[str, Any], challenge: bytes, origin: str) -> tuple[str, str, int]:
    """Id, public key and counter of a new passkey. Raises NotAllowed `passkey_refused`."""
    import webauthn
    from webauthn.helpers import bytes_to_base64url
    from webauthn.helpers.cose import COSEAlgorithmIdentifier

    try:
        verified = webauthn.verify_registration_response(
            credential=dict(answer),
            expected_challenge=challenge,
            expected_rp_id=site_of(origin),
            expected_origin=origin,
            require_user_verification=True,
            supported_pub_key_algs=[COSEAlgorithmIdentifier(one) for one in _ALGORITHMS],
        )
    except Exception as error:  # as above
        raise _refused(_plain(str(error))) from None
    key = bytes_to_base64url(verified.credential_public_key)
    return bytes_to_base64url(verified.credential_id), key, verified.sign_count


def _answered(tx: Tx, desk: str, purpose: Purpose, person: str, nonce: str) -> None:
    """Take a nonce: made here, for this, not long ago, and never answered before."""
    made, _, mark = nonce.rpartition(".")
    wanted = _mark(tx, desk, purpose, person, made)
    if not hmac.compare_digest(wanted.encode(), mark.encode()):
        raise _refused("the challenge was not made here for this")
    at = int(made.partition(".")[0])
    if tx.now >= at + NONCE_MS:
        raise _refused("the challenge is too old; try again")
    if not tx.passkeys.spend(nonce, at + NONCE_MS):
        raise _refused("the challenge was answered already")


def _mark(tx: Tx, desk: str, purpose: Purpose, person: str, made: str) -> str:
    return tx.vault.fingerprint_of(canonical(["nonce", desk, purpose.value, person, made]))


def _used(tx: Tx, passkey: Passkey, signed: Signed, challenge: bytes) -> None:
    counter = check_signature(
        signed,
        challenge=challenge,
        public_key=passkey.public_key,
        origin=passkey.origin,
        site=passkey.site,
        counter=tx.passkeys.used(passkey.desk, passkey.id)[0],
    )
    tx.passkeys.use(passkey.desk, passkey.id, counter, tx.now)


def _keys_of(tx: Tx, roster: Roster, person: Principal) -> Sequence[Passkey]:
    """The passkeys of a natural person, on whichever account."""
    names = roster.of(person)
    accounts = [one.id for one in roster.everybody if one.names() & names]
    return [key for id in accounts for key in tx.passkeys.of(person.desk, id)]


def _note(tx: Tx, passkey: Passkey, tag: Tag, actor: str) -> None:
    name = key_name(passkey.id)
    data: Data = {"passkey": name, "person": passkey.person}
    rows = {f"passkey:{name}": row_commitment(passkey)}
    note_on_desk(tx, passkey.desk, tag, actor=actor, data=data, rows=rows)


def _amount(proposal: Proposal) -> str | None:
    return None if proposal.value is None else proposal.value.text()


def _plain(said: str) -> str:
    """A library's sentence in the house's form."""
    return said[:1].lower() + said[1:].replace('"', "`").rstrip(".")


def _refused(why: str) -> NotAllowed:
    return NotAllowed("passkey_refused", f"the passkey's answer does not count: {why}")


def _no_login() -> NotAuthenticated:
    return NotAuthenticated("login_failed", "the passkey is not known here, or may not log in")
