"""Amendments: how people change a desk's policy. Stricter at once; looser by two, after a delay.

What an amendment changes is compared by meaning with the policy that is active at that moment:
when it is proposed, when it is approved, and again when it is activated. Comparing takes time, so
that it is done before the unit, which then checks that the active policy is still the same one.
"""

from __future__ import annotations

from typing import Final

import msgspec

from handrail.core.amendment import Amendment, AmendmentState
from handrail.core.canonical import canonical, check_plain
from handrail.core.entry import Tag, row_commitment
from handrail.core.escalation import Cause
from handrail.core.policy import Policy
from handrail.core.principal import Principal, PrincipalKind, Role
from handrail.core.roster import Roster
from handrail.engine.asking.checkers import roster_of
from handrail.engine.asking.escalate import open_for_desk
from handrail.engine.base.context import GATEWAY, OPERATOR, Context, new_id
from handrail.engine.base.record import Data, note_on_desk
from handrail.engine.governing.comparison import (
    Comparison,
    check_still,
    check_version,
    compared_with_active,
)
from handrail.engine.governing.versions import opened_policy, write_version
from handrail.errors import (
    Conflict,
    HandrailError,
    InvalidInput,
    InvariantBroken,
    NotAllowed,
    NotFound,
)
from handrail.store.protocol import DESK_SUBJECT, Tx, Unit

__all__ = [
    "POLICY_READERS",
    "activate_amendment",
    "activate_due",
    "amendment_reason",
    "approve_plan",
    "check_approved",
    "check_owner",
    "check_reader",
    "check_second",
    "offer_policy",
    "propose_policy_plan",
    "reject_unit",
]

REASON: Final = "reason"
REASON_CHARS_MAX: Final = 4_000
LOOKED_BACK_MAX: Final = 20_000
"""How many of a person's newest entries are searched for what they said of an amendment."""
POLICY_READERS: Final = frozenset((Role.POLICY_OWNER, Role.AUDITOR, Role.ADMIN))


def propose_policy_plan(
    ctx: Context, desk: str, policy: Policy, *, by: str, reason: str
) -> Unit[Amendment]:
    """The unit by which a policy owner proposes a policy. Nothing changes by it.

    Raises NotAllowed `not_entitled` or `role_missing`; InvalidInput `reason_missing`; SetupFailed
    `connector_unknown`; Conflict `policy_unchanged` when it is active or proposed already,
    `policy_version_old` when its version is not above the active one's, and `amendment_stale` when
    another one was activated meanwhile.
    """
    check_plain(reason)
    if not reason.strip():
        raise InvalidInput("reason_missing", "say in a few words why the policy should change")
    if len(reason) > REASON_CHARS_MAX:
        raise InvalidInput("too_large", f"the reason is longer than {REASON_CHARS_MAX} characters")
    ctx.check_served(policy)
    compared = compared_with_active(ctx, desk, policy)

    def unit(tx: Tx) -> Amendment:
        tx.amendments.lock(desk)
        check_owner(tx, desk, by)
        check_still(tx, desk, compared)
        check_version(policy, compared.base)
        if any(one.digest == policy.digest for one in tx.amendments.open(desk)):
            raise Conflict("policy_unchanged", "this very policy is proposed already")
        return _recorded(tx, ctx, policy, compared, desk=desk, by=by, reason=reason)

    return unit


def approve_plan(ctx: Context, desk: str, id: str, *, by: str) -> Unit[Amendment]:
    """The unit by which another policy owner approves; the delay of a loosening begins.

    What the start of a server proposed has nobody who answers for it: the first to approve takes
    that part, and it still waits for another. Raises NotFound `amendment_not_found`; NotAllowed
    `not_entitled`, `role_missing`, `own_authority` or `not_seasoned`; Conflict `amendment_closed`
    or `amendment_stale`.
    """
    compared = _compared_amendment(ctx, desk, id)

    def unit(tx: Tx) -> Amendment:
        tx.amendments.lock(desk)
        amendment = _opened(tx, desk, id)
        person = check_owner(tx, desk, by)
        check_still(tx, desk, compared)
        _check_unchanged(tx, amendment)
        fresh: Amendment = msgspec.structs.replace(
            amendment, base=compared.base.digest, looser=compared.looser, tighter=compared.tighter
        )
        if amendment.proposed_by == OPERATOR:
            taken: Amendment = msgspec.structs.replace(fresh, proposed_by=by, proposed_at=tx.now)
            return _changed(tx, taken, Tag.POLICY_PROPOSED, by)
        stands = amendment.state is AmendmentState.APPROVED and amendment.base == fresh.base
        if stands:
            raise Conflict("amendment_closed", "this is approved already, and waits for its time")
        check_second(roster_of(tx, desk), amendment, person, compared.base)
        delay = compared.base.clocks.loosening_ms if compared.looser else 0
        approved: Amendment = msgspec.structs.replace(
            fresh,
            state=AmendmentState.APPROVED,
            approved_by=by,
            approved_at=tx.now,
            ready_at=tx.now + delay,
        )
        return _changed(tx, approved, Tag.POLICY_APPROVED, by)

    return unit


def reject_unit(desk: str, id: str, *, by: str) -> Unit[Amendment]:
    """The unit by which any policy owner ends a proposed policy: one is enough, at any time."""

    def unit(tx: Tx) -> Amendment:
        tx.amendments.lock(desk)
        amendment = _opened(tx, desk, id)
        check_owner(tx, desk, by)
        rejected: Amendment = msgspec.structs.replace(
            amendment, state=AmendmentState.REJECTED, closed_by=by, closed_at=tx.now
        )
        return _changed(tx, rejected, Tag.POLICY_REJECTED, by)

    return unit


def activate_amendment(ctx: Context, desk: str, id: str, *, by: str) -> Unit[Amendment]:
    """The unit that makes a proposed policy the active one; call `follow_desks` once it is written.

    What gets nowhere looser needs nobody's approval. What does needs one that was given against the
    policy that is active now, by somebody who could still give it, and its delay. Raises as
    `approve_plan` does, and Conflict `amendment_waits` and `policy_version_old`.
    """
    compared = _compared_amendment(ctx, desk, id)

    def unit(tx: Tx) -> Amendment:
        tx.amendments.lock(desk)
        amendment = _opened(tx, desk, id)
        if by != GATEWAY:
            check_owner(tx, desk, by)
        check_still(tx, desk, compared)
        _check_unchanged(tx, amendment)
        policy = opened_policy(amendment.body, amendment.digest, desk)
        check_version(policy, compared.base)
        if compared.looser:
            check_approved(tx, amendment, compared.base)
        ended: Amendment = msgspec.structs.replace(
            amendment,
            base=compared.base.digest,
            looser=compared.looser,
            tighter=compared.tighter,
            state=AmendmentState.ACTIVATED,
            closed_by=by,
            closed_at=tx.now,
        )
        tx.amendments.change(ended)
        rows = {_row_name(ended): row_commitment(ended)}
        write_version(tx, policy, desk, actor=by, body=ended.body, data=_data_of(ended), rows=rows)
        return ended

    return unit


def activate_due(ctx: Context, desk: str) -> int:
    """Activate what was approved and has waited long enough; how many. For the sweep."""
    done = 0
    for id in ctx.store.read(lambda tx: tx.amendments.due(desk, tx.now)):
        try:
            ctx.store.write(activate_amendment(ctx, desk, id, by=GATEWAY))
            done += 1
        except InvariantBroken:
            raise
        except HandrailError:
            # It waits for people: the active policy has moved, or somebody's word counts no more.
            continue
    return done


def offer_policy(ctx: Context, desk: str, policy: Policy, *, actor: str) -> Data | None:
    """What the start of a program with another policy than the active one may do.

    What to write down when it may be activated: nothing gets looser and the version is higher, or
    nothing differs, or nobody on the desk may approve policies. Else None: the active one stays in
    force, the other is proposed in nobody's name, and people are told.
    """
    compared = compared_with_active(ctx, desk, policy)
    if not ctx.store.read(lambda tx: _has_owners(tx, desk)):
        return {"looser": compared.looser, "tighter": compared.tighter, "unasked": True}
    forward = policy.version > compared.base.version
    if not compared.looser and (forward or not compared.tighter):
        return {"looser": 0, "tighter": compared.tighter}

    def unit(tx: Tx) -> None:
        tx.amendments.lock(desk)
        check_still(tx, desk, compared)
        known = any(one.digest == policy.digest for one in tx.amendments.open(desk))
        if forward and not known:
            _recorded(tx, ctx, policy, compared, desk=desk, by=OPERATOR, reason="")
        data: Data = {
            "policy": policy.digest,
            "active": compared.base.digest,
            "looser": compared.looser,
            "tighter": compared.tighter,
        }
        note_on_desk(tx, desk, Tag.POLICY_KEPT, actor=actor, data=data)
        said = _kept_text(policy, compared, forward)
        open_for_desk(tx, ctx, desk, said, actor=GATEWAY, cause=Cause.POLICY_KEPT)

    ctx.store.write(unit)
    return None


def amendment_reason(tx: Tx, amendment: Amendment) -> str:
    """What was said when it was proposed."""
    data = tx.vault.get(amendment.desk, amendment.id, REASON)
    return "" if data is None else data.decode()


def check_reader(person: Principal) -> None:
    """Proposed policies are for those who own, audit and administer. Raises `role_missing`."""
    if not POLICY_READERS & set(person.roles):
        raise NotAllowed("role_missing", "this needs the role policy_owner, auditor or admin")


def _compared_amendment(ctx: Context, desk: str, id: str) -> Comparison:
    amendment = ctx.store.read(lambda tx: _opened(tx, desk, id))
    policy = opened_policy(amendment.body, amendment.digest, desk)
    ctx.check_served(policy)
    return compared_with_active(ctx, desk, policy)


def check_owner(tx: Tx, desk: str, by: str) -> Principal:
    """The policy owner of that id. Raises `not_entitled` and `role_missing`."""
    found = tx.people.get(desk, by)
    if found is None or found.disabled or found.kind is not PrincipalKind.PERSON:
        raise NotAllowed("not_entitled", "only an active person of this desk can do this")
    if Role.POLICY_OWNER not in found.roles:
        raise NotAllowed("role_missing", "this needs the role policy_owner")
    return found


def _has_owners(tx: Tx, desk: str) -> bool:
    return any(Role.POLICY_OWNER in one.roles for one in roster_of(tx, desk).people())


def _opened(tx: Tx, desk: str, id: str) -> Amendment:
    found = tx.amendments.get(desk, id)
    if found is None:
        raise NotFound("amendment_not_found", f"there is no proposed policy `{id}` on this desk")
    if not found.is_open:
        raise Conflict("amendment_closed", f"this proposed policy is {found.state.value} already")
    return found


def check_second(roster: Roster, amendment: Amendment, person: Principal, active: Policy) -> None:
    """Another natural person, whose role is older than the question."""
    since = amendment.proposed_at
    if roster.of(person, since) & roster.names(amendment.proposed_by, at=since):
        raise NotAllowed("own_authority", "another person than the one who proposed approves it")
    if person.granted > since - active.clocks.seasoning_ms:
        raise NotAllowed("not_seasoned", "your role is too new for this; someone else decides")


def check_approved(tx: Tx, amendment: Amendment, active: Policy) -> None:
    """Two who could still say so, about what is active now, long enough ago."""
    if amendment.approved_by is None or amendment.approved_at is None:
        raise Conflict("amendment_waits", "something gets looser: another person has to approve it")
    if amendment.base != active.digest:
        raise Conflict("amendment_stale", "the active policy changed since: it is approved anew")
    person = check_owner(tx, amendment.desk, amendment.approved_by)
    check_owner(tx, amendment.desk, amendment.proposed_by)
    check_second(roster_of(tx, amendment.desk), amendment, person, active)
    due = max(amendment.ready_at or 0, amendment.approved_at + active.clocks.loosening_ms)
    if tx.now < due:
        hours, minutes = divmod(-(-(due - tx.now) // 60_000), 60)
        left = f"{hours} h {minutes} min" if hours else f"{minutes} min"
        raise Conflict("amendment_waits", f"something gets looser: it waits {left} more")


def _recorded(
    tx: Tx,
    ctx: Context,
    policy: Policy,
    compared: Comparison,
    *,
    desk: str,
    by: str,
    reason: str,
) -> Amendment:
    amendment = Amendment(
        desk=desk,
        id=new_id("am", tx.now, ctx.entropy),
        digest=policy.digest,
        name=policy.name,
        version=policy.version,
        body=canonical(policy).decode(),
        base=compared.base.digest,
        looser=compared.looser,
        tighter=compared.tighter,
        state=AmendmentState.PROPOSED,
        proposed_by=by,
        proposed_at=tx.now,
    )
    tx.amendments.add(amendment)
    if reason:
        subject = tx.vault.ref_of(desk, DESK_SUBJECT, tx.now)
        tx.vault.put(desk, amendment.id, REASON, subject=subject, data=reason.encode())
    _note_amendment(tx, amendment, Tag.POLICY_PROPOSED, by)
    return amendment


def _kept_text(policy: Policy, compared: Comparison, forward: bool) -> str:
    said = f"a policy file with version {policy.version} of `{policy.name}` was not taken up"
    if forward:
        return f"{said}: it is looser in {compared.looser} ways, and waits for two people"
    return f"{said}: it differs, and its version is not above {compared.base.version}, the active"


def _changed(tx: Tx, amendment: Amendment, tag: Tag, actor: str) -> Amendment:
    tx.amendments.change(amendment)
    _note_amendment(tx, amendment, tag, actor)
    return amendment


def _note_amendment(tx: Tx, amendment: Amendment, tag: Tag, actor: str) -> None:
    data: Data = {
        "policy": amendment.digest,
        "name": amendment.name,
        "ready_at": amendment.ready_at,
        **_data_of(amendment),
    }
    rows = {_row_name(amendment): row_commitment(amendment)}
    note_on_desk(tx, amendment.desk, tag, actor=actor, data=data, rows=rows)


def _data_of(amendment: Amendment) -> Data:
    return {
        "amendment": amendment.id,
        "base": amendment.base,
        "looser": amendment.looser,
        "tighter": amendment.tighter,
    }


def _row_name(amendment: Amendment) -> str:
    return f"amendment:{amendment.id}"


def _check_unchanged(tx: Tx, amendment: Amendment) -> None:
    """The row is as the one who changed it last left it, by the log."""
    last = amendment.approved_by or amendment.proposed_by
    entries = tx.log.of_person(amendment.desk, last, most=LOOKED_BACK_MAX)
    name = _row_name(amendment)
    said = [one.entry.rows[name] for one in entries if name in one.entry.rows]
    if not said or said[-1] != row_commitment(amendment):
        raise InvariantBroken(
            "invariant_broken", f"`{amendment.id}` was changed in the database, not by handrail"
        )
