"""Four ways to decide about the same calls: a pack, and three plain policies made from it.

All four go through the same gateway, with the same kinds, parameters and connector; only what is
decided differs. Nothing here knows the labels.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Final

import msgspec

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
    HANDRAIL = "handrail"
    """The pack of the desk."""


def pack_of(domain: str) -> Policy:
    """The pack of a desk, `retail` or `airline`."""
    return load(PACKS / f"{domain}.yaml")


def policy_of(strategy: Strategy, pack: Policy) -> Policy:
    """The policy by which a strategy decides."""
    return pack if strategy is Strategy.HANDRAIL else _plain(pack, strategy, _RULES[strategy])


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


def _plain(pack: Policy, strategy: Strategy, rule_of: Callable[[KindRule], KindRule]) -> Policy:
    """The pack with this rule for every kind, and without lanes, caps and needed facts."""
    policy = msgspec.structs.replace(
        pack,
        name=f"{pack.name}-{strategy.value}",
        kinds={name: _without_needs(rule_of(rule)) for name, rule in pack.kinds.items()},
        lanes={
            name: msgspec.structs.replace(lane, any_customer=True)
            for name, lane in pack.lanes.items()
        },
        caps=(),
    )
    return msgspec.structs.replace(policy, digest=digest_policy(policy))


def _without_needs(rule: KindRule) -> KindRule:
    return msgspec.structs.replace(rule, kind=msgspec.structs.replace(rule.kind, needs=()))
