"""What passkeys signed, checked from the bytes that are kept: years later, offline, by anybody.

For each approval that a passkey signed, the bytes are those that the log committed to, the
challenge in them is that of this action, statement, verdict, amount and person, and the signature
is that of a key which the log says was this person's at the time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from handrail.core.entry import row_commitment
from handrail.core.passkey import Assertion, Passkey, Purpose, challenge_of
from handrail.core.proposal import Proposal
from handrail.core.review import Review
from handrail.engine.access.passkeys import check_signature
from handrail.errors import NotAllowed

__all__ = ["ASSERTED", "odd_assertions"]

ASSERTED: Final = "assertion:"
"""How the log's names of what was signed begin."""


def odd_assertions(
    proposal: Proposal,
    reviews: Sequence[Review],
    assertions: Sequence[Assertion],
    passkeys: Mapping[str, Passkey],
    committed: Mapping[str, str],
) -> Iterator[str]:
    """What is wrong with what passkeys signed about an action, in words.

    `committed` is what the log says of each row of the action, by name. `reviews`, `proposal` and
    `passkeys` (by id) are compared with the log elsewhere.
    """
    wanted = {name: said for name, said in committed.items() if name.startswith(ASSERTED)}
    by_number = {review.n: review for review in reviews}
    for assertion in assertions:
        said = wanted.pop(f"{ASSERTED}{assertion.n}", None)
        review = by_number.get(assertion.n)
        if said != row_commitment(assertion) or review is None:
            yield "what a passkey signed was changed or added outside the log"
            continue
        why = _why_not(proposal, review, assertion, passkeys.get(assertion.passkey))
        if why is not None:
            yield f"a passkey did not sign what stands in the log: {why}"
    for _ in wanted:
        yield "what a passkey signed was removed"


def _why_not(
    proposal: Proposal, review: Review, assertion: Assertion, passkey: Passkey | None
) -> str | None:
    """Why a signature does not show that this person approved this, or None."""
    value = proposal.value
    amount = None if value is None else value.text()
    if review.statement == proposal.statement and assertion.amount != amount:
        return "it is for another amount"
    if assertion.person != review.person:
        return "it is another person's"
    if passkey is None or passkey.public_key != assertion.public_key:
        return "its key is not the one that the log knows"
    ended = passkey.revoked_at
    if review.at < passkey.created_at or (ended is not None and review.at > ended):
        return "its key did not count at the time"
    challenge = challenge_of(
        Purpose.REVIEW,
        desk=proposal.desk,
        nonce=assertion.nonce,
        person=assertion.person,
        proposal=proposal.id,
        statement=review.statement,
        verdict=review.verdict,
        amount=assertion.amount,
    )
    try:
        check_signature(
            assertion,
            challenge=challenge,
            public_key=assertion.public_key,
            origin=assertion.origin,
            site=assertion.site,
        )
    except NotAllowed as refusal:
        return refusal.message
    return None
