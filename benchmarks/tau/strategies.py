"""Six ways to decide about the same calls: two packs, and four policies made from the first.

All go through the same gateway, with the same kinds, parameters and connector; only what is
decided differs. Nothing here knows the labels.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.tau.facts import THREAD_FACTS
from handrail.core.grade import Grade
from handrail.core.policy import Band, Control, Guard, KindRule, Policy
from handrail.policy.loader import digest_policy, load

__all__ = [
    "ANY_CUSTOMER",
    "ONE_CUSTOMER",
    "PACKS",
    "THRESHOLD_CENTS",
    "Strategy",
    "is_write",
    "pack_of",
    "policy_of",
]

PACKS: Final = Path(__file__).with_name("packs")

THRESHOLD_CENTS: Final = 5000
"""The threshold strategy asks about what moves more than this to the customer: 50.00 USD."""

ONE_CUSTOMER: Final = "one_customer"
ANY_CUSTOMER: Final = "any_customer"
"""The two lanes of a pack: with and without a customer whom the recording names."""

_RUN: Final = Guard(control=Control.RUN_AND_LOG)
_ASK: Final = Guard(control=Control.APPROVE)


class Strategy(Enum):
    """One way to decide."""

    ALLOW = "allow"
    """Every call runs alone."""
    ASK = "ask"
    """A person is asked about every write."""
    THRESHOLD = "threshold"
    """A person is asked about what moves more than THRESHOLD_CENTS to the customer."""
    RECORDS = "handrail-records"
    """The pack of the desk without the ticket's messages: no check looks at them, and what only
    they clear is not cleared."""
    HANDRAIL = "handrail"
    """The pack of the desk."""
    SCARCE = "handrail-scarce"
    """The same checks where people's time is scarce: what passes all of them runs up to more."""


def pack_of(domain: str, *, scarce: bool = False) -> Policy:
    """The pack of a desk, `retail` or `airline`, or the one for where people's time is scarce."""
    return load(PACKS / f"{domain}{'-scarce' if scarce else ''}.yaml")


def policy_of(strategy: Strategy, domain: str) -> Policy:
    """The policy by which a strategy decides at a desk."""
    pack = pack_of(domain, scarce=strategy is Strategy.SCARCE)
    match strategy:
        case Strategy.HANDRAIL | Strategy.SCARCE:
            return pack
        case Strategy.RECORDS:
            kinds = {name: _unheard(rule) for name, rule in pack.kinds.items()}
            return _as(strategy, msgspec.structs.replace(pack, kinds=kinds))
        case _:
            return _as(strategy, _plain(pack, _RULES[strategy]))


def _as(strategy: Strategy, policy: Policy) -> Policy:
    policy = msgspec.structs.replace(policy, name=f"{policy.name}-{strategy.value}")
    return msgspec.structs.replace(policy, digest=digest_policy(policy))


def _unheard(rule: KindRule) -> KindRule:
    checks = tuple(check for check in rule.checks if not _hears(check.require))
    cleared = rule.cleared
    if cleared is not None and (cleared.when is None or _hears(cleared.when)):
        # WHY NOT: cleared by the checks that are left. The yes of the customer was one of them.
        cleared = None
    return msgspec.structs.replace(rule, checks=checks, cleared=cleared)


def _hears(condition: str) -> bool:
    """Whether a condition names a fact that is read from the ticket's messages."""
    return not THREAD_FACTS.isdisjoint(re.findall(r"\bfacts\.(\w+)", condition))


def is_write(rule: KindRule) -> bool:
    """Whether actions of this kind have an effect: what has none is G0 on all axes."""
    return rule.kind.grade > Grade.G0


def _allowed(rule: KindRule) -> KindRule:
    return _whatever_it_moves(rule, _RUN)


def _asked(rule: KindRule) -> KindRule:
    return _whatever_it_moves(rule, _ASK if is_write(rule) else _RUN)


def _whatever_it_moves(rule: KindRule, guard: Guard) -> KindRule:
    kind = msgspec.structs.replace(rule.kind, value_from_connector=False)
    return msgspec.structs.replace(rule, kind=kind, guard=guard, bands={})


def _above_threshold(rule: KindRule) -> KindRule:
    if not rule.kind.value_from_connector:
        return _allowed(rule)
    grade = rule.kind.grade
    bands = (
        Band(up_to_minor=THRESHOLD_CENTS, grade=grade, guard=_RUN),
        Band(up_to_minor=None, grade=grade, guard=_ASK),
    )
    return msgspec.structs.replace(rule, guard=_ASK, bands={"USD": bands})


_RULES: Final[dict[Strategy, Callable[[KindRule], KindRule]]] = {
    Strategy.ALLOW: _allowed,
    Strategy.ASK: _asked,
    Strategy.THRESHOLD: _above_threshold,
}


def _plain(pack: Policy, rule_of: Callable[[KindRule], KindRule]) -> Policy:
    """The pack with this rule for every kind, and without lanes, caps, checks and needed facts."""
    return msgspec.structs.replace(
        pack,
        kinds={name: _bare(rule_of(rule)) for name, rule in pack.kinds.items()},
        lanes={
            name: msgspec.structs.replace(lane, any_customer=True)
            for name, lane in pack.lanes.items()
        },
        caps=(),
    )


def _bare(rule: KindRule) -> KindRule:
    kind = msgspec.structs.replace(rule.kind, needs=())
    return msgspec.structs.replace(rule, kind=kind, facts={}, checks=(), cleared=None)
