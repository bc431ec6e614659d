"""What one person needs to decide an action, beside the action itself: to take back, retype, put
off, and to see what is different about it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from handrail.core.lifecycle import UNDER_WAY, State
from handrail.core.proposal import Proposal
from handrail.core.review import Verdict, counted
from handrail.core.snooze import Nap, wakes_at
from handrail.core.spelling import needs_words, spelled
from handrail.engine.showing.likeness import Before, Likeness, likeness_of
from handrail.engine.showing.show import Shown
from handrail.errors import Conflict, HandrailError
from handrail.store.protocol import Tx
from handrail.surfaces.console.case.standing import waits_for_room
from handrail.surfaces.console.pages import Visitor

__all__ = ["Deciding", "TurnedDown", "deciding_of", "follow_ms"]

FOLLOW_AFTER_MS: Final = 1_200
FOLLOW_UP_TO_MS: Final = 120_000
"""A page follows what is on its way for so long; it must not keep a forgotten session in use."""
_NAPS: Final = {
    Nap.QUARTER: "15 minutes",
    Nap.HOUR: "1 hour",
    Nap.LATEST: "shortly before its time is over",
}
_AGAINST: Final = {
    Before.CORRECTED: "What the correction changed",
    Before.SENT_BACK: "What changed since a person asked for changes",
    Before.TRIED: "What changed since the agent's last try",
}
_FIELDS: Final = {"retype_missing": "retyped", "retype_wrong": "retyped"}
_NOTHING: Final[Mapping[str, str]] = {}


class TurnedDown(msgspec.Struct, frozen=True, kw_only=True):
    """A form that was turned down: why, and what stood in it, so that nothing is lost."""

    error: HandrailError
    form: Mapping[str, str]

    @property
    def field(self) -> str:
        """Which field was wrong: `retyped`, `ground` or `reason`."""
        rejects = self.form.get("verdict") == Verdict.REJECT.value
        unsaid = rejects and self.error.code == "reason_missing" and not self.form.get("ground")
        return _FIELDS.get(self.error.code, "ground" if unsaid else "reason")


class Deciding(msgspec.Struct, frozen=True, kw_only=True):
    """What stands beside an action for one person.

    `words` is its amount in words where it is large. `approved_at` is when this person approved it
    while it still waits. `left_ms` is how long nothing leaves yet. `follow_ms` is when its page
    should look again by itself; None for what is not on its way. `naps` are for how long it can
    be put off, each with when it comes back. `wrong` is the field that was wrong in what was sent.
    """

    words: str | None
    approved_at: int | None
    may_take_back: bool
    left_ms: int
    follow_ms: int | None
    naps: tuple[tuple[Nap, str, int], ...]
    snoozed_until: int | None
    likeness: Likeness
    against_what: str
    wrong: str
    retyped: str
    ground: str


def deciding_of(visitor: Visitor, tx: Tx, shown: Shown, refused: TurnedDown | None) -> Deciding:
    """What stands beside an action for this person, after a form that was turned down if any."""
    proposal, me = shown.card.proposal, visitor.person
    rule = visitor.gateway.ctx.rulebook(proposal.desk).policy.kinds.get(proposal.kind)
    value = proposal.value
    waits = proposal.state is State.PENDING
    ready = proposal.state is State.READY and not proposal.attempt
    mine = [
        one.review.at
        for one in shown.reviews
        if one.review in counted([given.review for given in shown.reviews])
        and one.review.verdict is Verdict.APPROVE
        and one.review.identity == me.identity
        and one.review.statement == proposal.statement
    ]
    likeness = likeness_of(tx, proposal)
    form = _NOTHING if refused is None else refused.form
    left = 0 if proposal.hold_until is None else max(0, proposal.hold_until - tx.now)
    return Deciding(
        words=spelled(value) if value is not None and needs_words(rule, value) else None,
        approved_at=mine[0] if mine and waits else None,
        may_take_back=bool(mine) and (waits or ready),
        left_ms=left if ready else 0,
        follow_ms=follow_ms(proposal, tx.now) if refused is None else None,
        naps=_naps(tx.now, proposal.decide_by) if waits else (),
        snoozed_until=tx.snoozes.of(me.desk, me.id, tx.now).get(proposal.id) if waits else None,
        likeness=likeness,
        against_what="" if likeness.how is None else _AGAINST[likeness.how],
        wrong="" if refused is None else refused.field,
        retyped=form.get("retyped", ""),
        ground=form.get("ground", ""),
    )


def follow_ms(proposal: Proposal, now: int) -> int | None:
    """In how many ms to look again at what is on its way: soon after it may run, then less often.

    None for anything else, and for what seems to be stuck.
    """
    if proposal.state not in UNDER_WAY or waits_for_room(proposal):
        return None
    began = max(proposal.updated_at, proposal.hold_until or 0)
    if now < began:
        return began - now + FOLLOW_AFTER_MS
    moving = now - began
    return None if moving > FOLLOW_UP_TO_MS else max(FOLLOW_AFTER_MS, moving // 2)


def _naps(now: int, decide_by: int | None) -> tuple[tuple[Nap, str, int], ...]:
    """For how long it can be put off; a longer one that comes to the same is left out."""
    found: list[tuple[Nap, str, int]] = []
    for nap, text in _NAPS.items():
        try:
            until = wakes_at(nap, now, decide_by)
        except Conflict:
            continue
        if nap is Nap.LATEST or not found or found[-1][2] < until:
            found.append((nap, text, until))
    return tuple(found)
