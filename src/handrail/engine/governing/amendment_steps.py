"""What a person can do about a proposed policy at this moment, and why not the rest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from handrail.core.amendment import Amendment, AmendmentState
from handrail.core.policy import Policy
from handrail.core.principal import Principal
from handrail.engine.asking.checkers import roster_of
from handrail.engine.base.context import OPERATOR
from handrail.engine.governing.amendment import check_approved, check_owner, check_second
from handrail.engine.governing.comparison import check_version
from handrail.errors import HandrailError
from handrail.store.protocol import Tx

__all__ = ["Steps", "steps_of"]

_NO_NEED: Final = "nothing gets looser, so it needs nobody's approval"
_STANDS: Final = "it is approved already"


class Steps(msgspec.Struct, frozen=True, kw_only=True):
    """For each step why this person cannot take it now, None where they can.

    `stale` says that an approval was given against a policy that is no longer the active one.
    """

    why_no_approve: str | None
    why_no_reject: str | None
    why_no_activate: str | None
    stale: bool


def steps_of(
    tx: Tx, amendment: Amendment, person: Principal, *, policy: Policy, active: Policy, looser: int
) -> Steps:
    """The steps of the open amendment of `policy`; `looser` counts what loosens from `active`.

    A promise of nothing: each step is judged anew when it is taken.
    """
    desk = amendment.desk
    approved = amendment.state is AmendmentState.APPROVED
    stands = approved and amendment.base == active.digest
    barred = _why(lambda: check_owner(tx, desk, person.id))
    forward = _why(lambda: check_version(policy, active))
    approve = barred or (_STANDS if stands else None if looser else _NO_NEED)
    if approve is None and amendment.proposed_by != OPERATOR:
        approve = _why(lambda: check_second(roster_of(tx, desk), amendment, person, active))
    activate = barred or forward
    if activate is None and looser:
        activate = _why(lambda: check_approved(tx, amendment, active))
    return Steps(
        why_no_approve=approve,
        why_no_reject=barred,
        why_no_activate=activate,
        stale=approved and not stands,
    )


def _why(check: Callable[[], object]) -> str | None:
    try:
        check()
    except HandrailError as refusal:
        return refusal.message
    return None
