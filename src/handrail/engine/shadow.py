"""Shadow: a candidate policy decides beside the active one, and nothing acts on it.

It sees the very plan that was decided live: the same parameters, facts, task and sums. What differs
is written down in codes; whatever goes wrong with it is counted, and the live decision stands.
"""

from __future__ import annotations

from typing import Final

import msgspec

from handrail.core.accumulation import Sums
from handrail.core.canonical import canonical
from handrail.core.contrast import Candidate, Contrast, Leaning, direction_of
from handrail.core.decide import Decision
from handrail.core.entry import Entry, Tag, row_commitment
from handrail.core.policy import Policy
from handrail.core.principal import PrincipalKind, Role
from handrail.core.proposal import Proposal
from handrail.core.reason import codes_of
from handrail.engine.context import OPERATOR, Context, Rulebook, Shadow, new_id
from handrail.engine.prepare import Plan, ask_of, under
from handrail.errors import HandrailError, NotAllowed, NotFound
from handrail.policy.loader import digest_body, read_body
from handrail.store.protocol import Differing, Tx, Unit

__all__ = [
    "Shadowed",
    "compare",
    "follow_candidates",
    "shadowed_by",
    "start_unit",
    "stop_unit",
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


def start_unit(ctx: Context, desk: str, policy: Policy, *, by: str) -> Unit[Candidate]:
    """The unit that lets a policy decide beside the active one, in place of any other candidate.

    It does from the next `follow_candidates` on. Raises NotAllowed `role_missing` for a person who
    owns no policies, and PolicyInvalid for a policy that cannot be compiled.
    """
    Rulebook(policy)

    def unit(tx: Tx) -> Candidate:
        _check_entitled(tx, desk, by)
        before = tx.candidates.running(desk)
        if before is not None:
            _stop(tx, before, by)
        candidate = Candidate(
            desk=desk,
            id=new_id("cd", tx.now, ctx.entropy),
            digest=policy.digest,
            name=policy.name,
            body=canonical(policy).decode(),
            started_at=tx.now,
            started_by=by,
        )
        tx.candidates.add(candidate)
        _note(tx, candidate, Tag.SHADOW_STARTED, by)
        return candidate

    return unit


def stop_unit(desk: str, *, by: str) -> Unit[Candidate]:
    """The unit that ends it, from the next `follow_candidates` on.

    Raises NotFound `shadow_not_found` when none runs, NotAllowed `role_missing`.
    """

    def unit(tx: Tx) -> Candidate:
        _check_entitled(tx, desk, by)
        running = tx.candidates.running(desk)
        if running is None:
            raise NotFound("shadow_not_found", "no candidate decides beside the policy now")
        return _stop(tx, running, by)

    return unit


def follow_candidates(ctx: Context) -> None:
    """Take up what was started and stopped: after a restart, and by other processes."""
    running = ctx.store.read(lambda tx: tx.candidates.all_running())
    for desk in list(ctx.shadows):
        if running.get(desk) != ctx.shadows[desk].id:
            del ctx.shadows[desk]
    for desk in running:
        if desk in ctx.rulebooks and desk not in ctx.shadows:
            _take_up(ctx, desk)


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


def _check_entitled(tx: Tx, desk: str, by: str) -> None:
    if by == OPERATOR:
        return
    found = tx.people.get(desk, by)
    person = found is not None and found.kind is PrincipalKind.PERSON and not found.disabled
    if found is None or not person or not {Role.POLICY_OWNER, Role.ADMIN}.intersection(found.roles):
        raise NotAllowed("role_missing", "this needs the role policy_owner or admin")


def _stop(tx: Tx, candidate: Candidate, by: str) -> Candidate:
    stopped = msgspec.structs.replace(candidate, stopped_at=tx.now, stopped_by=by)
    if not tx.candidates.stop(stopped):
        raise NotFound("shadow_not_found", "somebody else has stopped it just now")
    _note(tx, stopped, Tag.SHADOW_STOPPED, by)
    return stopped


def _note(tx: Tx, candidate: Candidate, tag: Tag, by: str) -> None:
    entry = Entry(
        at=tx.now,
        desk=candidate.desk,
        tag=tag.value,
        actor=by,
        data={"candidate": candidate.id, "policy": candidate.digest, "name": candidate.name},
        rows={f"candidate:{candidate.id}": row_commitment(candidate)},
    )
    tx.log.append(entry, by_person=True)


def _take_up(ctx: Context, desk: str) -> None:
    candidate = ctx.store.read(lambda tx: tx.candidates.running(desk))
    if candidate is None or digest_body(candidate.body) != candidate.digest:
        return  # whoever verifies the log is told
    try:
        policy = read_body(candidate.body)
        ctx.shadows[desk] = Shadow(id=candidate.id, rules=Rulebook(policy))
    except (HandrailError, msgspec.MsgspecError):
        return  # written by a newer version; it disturbs nothing
