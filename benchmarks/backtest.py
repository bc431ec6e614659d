"""How long a backtest takes: a year of a support desk's traffic, generated.

    python -m benchmarks.backtest [ACTIONS]

Two cases: the default pack, which has no checks, and the same pack with four checks on every kind.
For each it prints seconds of wall time and of CPU (its own, and that of a second process where one
helps), how many actions met a full cap, and how long a plain loop takes on the machine as it is.
A million actions are a year: reading, drafts and replies for the most part, refunds and credits for
about a sixth, of 50,000 customers.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Final

from msgspec.structs import replace

from handrail.core.policy import CheckRule, FactType, Otherwise, Policy
from handrail.policy.loader import load_text, source_text
from handrail.prove.backtest.fate import Fate
from handrail.prove.backtest.run import backtest
from handrail.prove.backtest.traffic import Findings, Recorded, encode_line

__all__ = ["generated", "main"]

ACTIONS: Final = 1_000_000
START: Final = 1_790_000_000_000
APART_MS: Final = 31_536
_KINDS: Final = (
    *("ticket.read",) * 6,
    *("kb.search",) * 3,
    *("reply.draft",) * 3,
    *("reply.send",) * 4,
    *("refund.issue",) * 2,
    "credit.grant",
    "account.update",
)
_MONEY: Final = frozenset(("refund.issue", "credit.grant"))
_MISSING: Final = Findings(missing=("order_owner",))
CHECKS: Final = (
    ("open", "facts.status in ['open', 'paid', 'shipped']", Otherwise.HOLD),
    ("theirs", "facts.owner == facts.requester", Otherwise.REFUSE),
    ("recent", "now - facts.ordered < duration('2160h')", Otherwise.RAISE_GRADE),
    ("within", "facts.left.minor >= 1000 && facts.left.currency == 'USD'", Otherwise.FLAG),
)
FACTS: Final = {
    "status": FactType.TEXT,
    "owner": FactType.TEXT,
    "requester": FactType.TEXT,
    "ordered": FactType.DATE,
    "left": FactType.MONEY,
}


def generated(actions: int, *, seed: int = 1, facts: bool = False) -> Iterator[Recorded]:
    """So many actions, the same for the same seed; with `facts`, what checks read."""
    random = Random(seed)
    customers = max(10, actions // 20)
    for n in range(actions):
        kind = random.choice(_KINDS)
        paying = kind in _MONEY
        customer = random.randrange(customers)
        at = START + n * APART_MS
        yield Recorded(
            v=1,
            at=at,
            kind=kind,
            lane="support",
            agent=f"agent-{random.randrange(40)}",
            owner=f"owner-{random.randrange(8)}",
            task=f"task-{n // 6}",
            customer=None if kind == "kb.search" else f"customer-{customer}",
            value_minor=int(random.lognormvariate(8, 1)) + 1 if paying else None,
            currency=random.choice(("USD", "USD", "USD", "EUR")) if paying else None,
            instrument=f"card-{customer}" if paying else None,
            found=_MISSING if random.random() < 0.01 else None,
            took_ms=random.randrange(2_000),
            params={"customer": f"customer-{customer}"} if facts else None,
            facts=_facts(random, customer, at) if facts else None,
        )


def _facts(random: Random, customer: int, at: int) -> dict[str, object]:
    """What the systems of record said; about every tenth time a check does not pass."""
    ordered = datetime.fromtimestamp(at / 1000, UTC) - timedelta(days=random.randrange(92))
    requester = customer if random.random() < 0.99 else 0
    status = random.choice(("open", "paid", "shipped")) if random.random() < 0.98 else "closed"
    return {
        "status": status,
        "owner": f"customer-{customer}",
        "requester": f"customer-{requester}",
        "ordered": ordered.date().isoformat(),
        "left": f"{random.randrange(5, 300)}.00 USD",
    }


def checked(policy: Policy) -> Policy:
    """A policy with four checks on every kind."""
    checks = tuple(
        CheckRule(name=name, require=require, otherwise=otherwise, reviewer=name)
        for name, require, otherwise in CHECKS
    )
    kinds = {
        name: replace(rule, facts=rule.facts | FACTS, checks=checks)
        for name, rule in policy.kinds.items()
    }
    return replace(policy, kinds=kinds)


def main() -> None:
    """Write the traffic, then time it."""
    actions = int(sys.argv[1]) if len(sys.argv) > 1 else ACTIONS
    policy = load_text(source_text("support-desk"), source="support-desk")
    with tempfile.TemporaryDirectory() as folder:
        traffic = Path(folder) / "traffic.jsonl"
        for name, facts, rules in (
            ("without checks", False, policy),
            ("four checks on every kind", True, checked(policy)),
        ):
            with traffic.open("wb") as file:
                file.writelines(map(encode_line, generated(actions, facts=facts)))
            _time(name, rules, traffic)


def _time(name: str, policy: Policy, traffic: Path) -> None:
    loop = _loop()
    began, before = time.perf_counter(), os.times()
    outcome = backtest(policy, traffic)
    wall, after = time.perf_counter() - began, os.times()
    own = after.user + after.system - before.user - before.system
    second = after.children_user + after.children_system
    second -= before.children_user + before.children_system
    full = outcome.count(Fate.WAITS, Fate.CAPPED)
    print(
        f"{name}: {outcome.actions} actions, {wall:.2f} s ({own:.2f} s of CPU and {second:.2f} s"
        f" of a second process), {int(outcome.actions / wall)}/s, {full} met a full cap;"
        f" load {os.getloadavg()[0]:.1f}, a million additions take {loop:.0f} ms"
    )


def _loop() -> float:
    """How fast the machine is now: milliseconds of a million additions, at best."""
    best = float("inf")
    for _ in range(5):
        began, number = time.perf_counter(), 0
        for one in range(1_000_000):
            number += one
        best = min(best, time.perf_counter() - began)
    return best * 1000


if __name__ == "__main__":
    main()
