"""How long a backtest takes: generated traffic of a support desk through the default pack.

    python -m benchmarks.backtest [ACTIONS]

It prints seconds of wall time and of CPU, and actions a second. The traffic is that of thirty days:
reading, drafts and replies for the most part, refunds and credits for about a sixth.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Final

from handrail.core.policy import Policy
from handrail.policy.loader import load_text, source_text
from handrail.prove.backtest.run import backtest
from handrail.prove.backtest.traffic import Findings, Recorded, encode_line

__all__ = ["generated", "main"]

ACTIONS: Final = 1_000_000
START: Final = 1_790_000_000_000
SPAN_MS: Final = 30 * 86_400_000
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


def generated(actions: int, *, seed: int = 1) -> Iterator[Recorded]:
    """So many actions over thirty days, the same for the same seed."""
    random = Random(seed)
    customers = max(10, actions // 20)
    for n in range(actions):
        kind = random.choice(_KINDS)
        paying = kind in _MONEY
        customer = random.randrange(customers)
        yield Recorded(
            v=1,
            at=START + n * SPAN_MS // actions,
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
        )


def main() -> None:
    """Write the traffic, then time it."""
    actions = int(sys.argv[1]) if len(sys.argv) > 1 else ACTIONS
    policy = load_text(source_text("support-desk"), source="support-desk")
    with tempfile.TemporaryDirectory() as folder:
        traffic = Path(folder) / "traffic.jsonl"
        with traffic.open("wb") as file:
            file.writelines(map(encode_line, generated(actions)))
        _time("without checks", policy, traffic)


def _time(name: str, policy: Policy, traffic: Path) -> None:
    wall, cpu = time.perf_counter(), time.process_time()
    outcome = backtest(policy, traffic)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    rate = int(outcome.actions / wall)
    print(f"{name}: {outcome.actions} actions, {wall:.2f} s ({cpu:.2f} s of CPU), {rate}/s")


if __name__ == "__main__":
    main()
