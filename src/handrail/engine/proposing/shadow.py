"""Shadow: what a candidate policy would have decided, beside the active one. Nothing acts on it.

It sees the very plan that was decided live: the same parameters, facts, task and sums. What differs
is written down in codes; whatever goes wrong with it is counted, and the live decision stands.
"""

from __future__ import annotations

from typing import Final

import msgspec

from handrail.core.accumulation import Sums
from handrail.core.contrast import Candidate, Contrast, Leaning, direction_of
from handrail.core.decide import Decision
from handrail.core.policy import Policy
from handrail.core.proposal import Proposal
from handrail.core.reason import codes_of
from handrail.engine.base.context import Rulebook
from handrail.engine.proposing.prepare import Plan, ask_of, under
from handrail.errors import NotFound
from handrail.policy.loader import read_body
from handrail.store.protocol import Differing, Tx, Unit

__all__ = [
    "Shadowed",
    "compare",
    "shadowed_by",
]

SAME: Final = "same"
FAILED: Final = "failed"
UNREAD: Final = "unread"
"""Nothing was read about it live, for it was refused before that: there is nothing to compare."""
_PREFIX: Final = "shadow"
EXAMPLES_MAX: Final = 20


class Shadowed(msgspec.Struct, frozen=True, kw_only=True):
    """What a candidate has decided beside the active policy so far.

    `same`, `failed` and `unread` count actions; `sums_apart` says that it adds up otherwise than
    the active policy, so that sums were left out on both sides.
    """

    candidate: Candidate
    same: int
    failed: int
    unread: int
    sums_apart: bool
    differing: tuple[Differing, ...]
    examples: tuple[Contrast, ...]

    def count(self, direction: Leaning) -> int:
        """How many actions differ this way."""
        return sum(one.n for one in self.differing if one.direction == direction.value)


def compare(tx: Tx, ready: Plan, proposal: Proposal, subject: str, sums: Sums | None) -> None:
    """Decide it once more by the candidate, if there is one, and write down what differs."""
    shadow = ready.ctx.shadows.get(proposal.desk)
    if shadow is None:
        return
    live, other = _both(tx, ready, shadow.rules, proposal, subject, sums)
    if other is None:
        tx.counters.add(proposal.desk, f"{_PREFIX}:{shadow.id}:{live}")
        return
    assert isinstance(live, Decision)
    direction = direction_of(live, other)
    if direction is Leaning.OTHER:
        tx.counters.add(proposal.desk, f"{_PREFIX}:{shadow.id}:{SAME}")
        return
    tx.candidates.note(
        Contrast(
            desk=proposal.desk,
            candidate=shadow.id,
            proposal=proposal.id,
            kind=proposal.kind,
            at=tx.now,
            direction=direction.value,
            live_control=live.guard.control.value,
            live_checkers=live.guard.checkers,
            live_grade=int(live.grade),
            live_reasons=codes_of(live.reasons),
            control=other.guard.control.value,
            checkers=other.guard.checkers,
            grade=int(other.grade),
            reasons=codes_of(other.reasons),
        )
    )


def shadowed_by(desk: str) -> Unit[Shadowed]:
    """What the newest candidate has decided so far. Raises NotFound `shadow_not_found`."""

    def look(tx: Tx) -> Shadowed:
        candidate = tx.candidates.latest(desk)
        if candidate is None:
            raise NotFound("shadow_not_found", "no candidate has decided beside the policy yet")
        counted = tx.counters.of(desk)
        prefix = f"{_PREFIX}:{candidate.id}"
        policy = read_body(candidate.body)
        return Shadowed(
            candidate=candidate,
            same=counted.get(f"{prefix}:{SAME}", 0),
            failed=counted.get(f"{prefix}:{FAILED}", 0),
            unread=counted.get(f"{prefix}:{UNREAD}", 0),
            sums_apart=_sums_apart(_active(tx, desk), policy),
            differing=tuple(tx.candidates.differing(desk, candidate.id)),
            examples=tuple(tx.candidates.contrasts(desk, candidate.id, most=EXAMPLES_MAX)),
        )

    return look


def _both(
    tx: Tx, ready: Plan, rules: Rulebook, proposal: Proposal, subject: str, sums: Sums | None
) -> tuple[Decision | str, Decision | None]:
    """Both decisions over the same plan and sums; or why there is nothing to compare."""
    try:
        plan = under(ready, rules)
        if plan is None:
            return UNREAD, None
        if _sums_apart(ready.rules.policy, rules.policy):
            sums = None
        asked = ask_of(tx, ready, subject, sums, before=proposal.id)
        asked_by_other = ask_of(tx, plan, subject, sums, before=proposal.id)
        return ready.rules.decider.decide(asked), rules.decider.decide(asked_by_other)
    except Exception:
        # INVARIANT: whatever is wrong with a candidate, the live decision stands.
        return FAILED, None


def _sums_apart(live: Policy, candidate: Policy) -> bool:
    return live.accumulation != candidate.accumulation


def _active(tx: Tx, desk: str) -> Policy:
    row = tx.desks.get(desk)
    version = None if row is None else tx.desks.policy(desk, row.policy)
    if version is None:
        raise NotFound("policy_not_found", f"`{desk}` has no active policy")
    return read_body(version.body)
