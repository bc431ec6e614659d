"""An independent judge of caps: from what really happened, not from what handrail wrote down.

It is given effects (whose they are, when, how much, for whom) as the provider saw them, and finds
the fullest window of a length that there ever was. A window holds its first moment and not its
last: what happened exactly one window later is no longer in it.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterable
from typing import NamedTuple

__all__ = ["Happened", "fullest", "most_customers"]


class Happened(NamedTuple):
    """One effect. `scope` is whoever a cap counts for; `at` is in milliseconds."""

    scope: str
    at: int
    amount: int
    customer: str = ""


def fullest(effects: Iterable[Happened], window_ms: int) -> dict[str, int]:
    """For each scope, the largest sum of amounts in any window."""
    found: dict[str, int] = {}
    for scope, own in _by_scope(effects).items():
        inside: deque[Happened] = deque()
        total = most = 0
        for effect in own:
            inside.append(effect)
            total += effect.amount
            while inside[0].at + window_ms <= effect.at:
                total -= inside.popleft().amount
            most = max(most, total)
        found[scope] = most
    return found


def most_customers(effects: Iterable[Happened], window_ms: int) -> dict[str, int]:
    """For each scope, the largest number of different customers in any window."""
    found: dict[str, int] = {}
    for scope, own in _by_scope(effects).items():
        inside: deque[Happened] = deque()
        there: Counter[str] = Counter()
        most = 0
        for effect in own:
            inside.append(effect)
            there[effect.customer] += 1
            while inside[0].at + window_ms <= effect.at:
                gone = inside.popleft().customer
                there[gone] -= 1
                if not there[gone]:
                    del there[gone]
            most = max(most, len(there))
        found[scope] = most
    return found


def _by_scope(effects: Iterable[Happened]) -> dict[str, list[Happened]]:
    found: dict[str, list[Happened]] = defaultdict(list)
    for effect in effects:
        found[effect.scope].append(effect)
    return {scope: sorted(own, key=lambda one: one.at) for scope, own in found.items()}
