"""Candidates: a policy is set beside the active one, to be compared with it, and ended again."""

from __future__ import annotations

import msgspec

from handrail.core.canonical import canonical
from handrail.core.contrast import Candidate
from handrail.core.entry import Tag, row_commitment
from handrail.core.policy import Policy
from handrail.core.principal import PrincipalKind, Role
from handrail.engine.base.context import OPERATOR, Context, Rulebook, Shadow, new_id
from handrail.engine.base.record import note_on_desk
from handrail.errors import HandrailError, NotAllowed, NotFound
from handrail.policy.loader import digest_body, read_body
from handrail.store.protocol import Tx, Unit

__all__ = ["follow_candidates", "start_unit", "stop_unit"]


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
    note_on_desk(
        tx,
        candidate.desk,
        tag,
        actor=by,
        data={"candidate": candidate.id, "policy": candidate.digest, "name": candidate.name},
        rows={f"candidate:{candidate.id}": row_commitment(candidate)},
    )


def _take_up(ctx: Context, desk: str) -> None:
    candidate = ctx.store.read(lambda tx: tx.candidates.running(desk))
    if candidate is None or digest_body(candidate.body) != candidate.digest:
        return  # whoever verifies the log is told
    try:
        policy = read_body(candidate.body)
        ctx.shadows[desk] = Shadow(id=candidate.id, rules=Rulebook(policy))
    except (HandrailError, msgspec.MsgspecError):
        return  # written by a newer version; it disturbs nothing
