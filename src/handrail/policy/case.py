"""A case: everything that a policy looks at about one action, and what it decides about it.

It is what the engine puts together while it prepares an action, without the engine: for explaining
a decision, and for trying what would have to be different.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import msgspec

from handrail.core.accumulation import Sums
from handrail.core.action import ActionKind, Params
from handrail.core.decide import Ask, compile_policy
from handrail.core.grade import Grade
from handrail.core.markup.finds import spans_said
from handrail.core.money import Money
from handrail.core.policy import Policy
from handrail.core.reason import Decision
from handrail.core.triggers.find import counts_of
from handrail.core.triggers.span import About
from handrail.policy.checks import NOTHING, Checked, compile_checks
from handrail.policy.conditions import Given, once_read

__all__ = ["Case", "Judge", "found_by"]


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One action as a policy sees it.

    `lane` is None for what a person does. `facts` are those that the systems of record gave, None
    for one that could not be read; `against` says what a connector itself found to speak against
    the action. `earlier` is what the customer was given lately, in minor units of the currency of
    the accumulation. `under_way` is how many other actions of the kind
    about the customer are open. `found` counts what was found in outgoing texts, by trigger.
    """

    kind: str
    now: int
    lane: str | None = None
    params: Params = {}
    facts: dict[str, str | int | bool | None] = {}
    value: Money | None = None
    earlier: int = 0
    under_way: int = 0
    missing: tuple[str, ...] = ()
    against: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    unresolved: tuple[str, ...] = ()
    found: dict[str, int] = {}
    claim: Grade | None = None
    as_undo: bool = False
    late: bool = False


def found_by(
    kind: ActionKind | None, params: Mapping[str, object], value: Money | None
) -> dict[str, int]:
    """How much of each trigger stands in the outgoing texts, as far as the action itself tells.

    What is on record about the recipient would come from a connector. Empty for a kind without such
    texts: nobody looks, and that is not zero.
    """
    if kind is None or not kind.outgoing:
        return {}
    own = [one for one in (*params.values(), value) if isinstance(one, Money)]
    about = About(amounts=tuple(dict.fromkeys(own)))
    texts = {name: text for name in kind.outgoing if isinstance(text := params.get(name), str)}
    return counts_of(span for found in spans_said(texts, about).values() for span in found)


class Judge:
    """A policy made ready to decide cases. Caps, halts and what else is open are not its matter."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self._decider = compile_policy(policy)
        self._checks = compile_checks(policy)

    def decide(self, case: Case, *, passing: Collection[str] = ()) -> Decision:
        """What the policy says about a case; `passing` are checks to be taken as passed."""
        return self._decider.decide(self._ask(case, passing))

    def checked(self, case: Case) -> Checked:
        """What the checks of its kind say about a case."""
        checks = self._checks.get(case.kind)
        if checks is None:
            return NOTHING
        sums = self._sums(case)
        given = Given(
            params=case.params, facts=case.facts, value=case.value, now=case.now, found=case.found
        )
        early = checks.early(given)
        if not checks.is_late:
            return early
        return checks.late(early, once_read(given, sums, case.under_way))

    def _ask(self, case: Case, passing: Collection[str]) -> Ask:
        rule = self.policy.kinds.get(case.kind)
        needs = () if rule is None else rule.kind.needs
        lacking = tuple(name for name in needs if case.facts.get(name) is None)
        checked = self.checked(case)
        sums = self._sums(case)
        return Ask(
            kind=case.kind,
            lane=case.lane,
            value=case.value,
            missing=tuple(dict.fromkeys((*case.missing, *lacking))),
            contradicted=case.against,
            hidden=case.hidden,
            unresolved=case.unresolved,
            claim=case.claim,
            accumulated=None if sums is None else sums.total,
            as_undo=case.as_undo,
            late=case.late,
            failed=tuple(one for one in checked.failed if one.name not in passing),
            cleared=checked.cleared,
        )

    def _sums(self, case: Case) -> Sums | None:
        """Where the customer stands with this action; None for a kind that adds nothing up."""
        adds = self.policy.accumulation
        if adds is None or case.kind not in adds.weights:
            return None
        return Sums(
            total=adds.judged(case.kind, case.value, case.earlier),
            earlier=case.earlier,
            worth=adds.worth(case.kind, case.value),
        )
