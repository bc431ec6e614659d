"""Backtests on two processors: whatever helps, the outcome is that of one replay."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Final

import msgspec
import pytest

from handrail.core.policy import CheckRule, FactType, Otherwise, Policy
from handrail.engine.base.context import Rulebook
from handrail.errors import InvalidInput
from handrail.policy.loader import load_text, source_text
from handrail.prove.backtest.parts import parts_of, second_half_of
from handrail.prove.backtest.replay import Replay
from handrail.prove.backtest.run import backtest
from handrail.prove.backtest.second import FILE_BYTES_MIN, Second
from handrail.prove.backtest.tally import Forecast
from handrail.prove.backtest.traffic import Recorded, encode_line
from tests.prove.payers import POLICY

START: Final = 1_790_000_000_000
PACK: Final = load_text(source_text("support-desk"), source="support-desk")
KINDS: Final = ("ticket.read", "kb.search", "reply.send", "refund.issue", "credit.grant", "what")


def checked(policy: Policy) -> Policy:
    """The same policy with checks on refunds: one that asks the time, too."""
    asks = {"open": "facts.status == 'open'", "new": "now - facts.day < duration('48h')"}
    checks = tuple(
        CheckRule(name=name, require=text, otherwise=Otherwise.HOLD, reviewer=name)
        for name, text in asks.items()
    )
    rule = msgspec.structs.replace(
        policy.kinds["refund.issue"],
        facts={"status": FactType.TEXT, "day": FactType.DATE},
        checks=checks,
    )
    return msgspec.structs.replace(policy, kinds={**policy.kinds, "refund.issue": rule})


def traffic(actions: int) -> list[Recorded]:
    """A busy day or two, with caps that are full for a while."""
    random = Random(7)
    found = []
    for n in range(actions):
        kind = random.choice(KINDS)
        paying = kind in ("refund.issue", "credit.grant")
        found.append(
            Recorded(
                v=1,
                at=START + n * 9_000,
                id=f"hr_{n:060d}",
                kind=kind,
                lane=random.choice(("support", "support", "triage", "no-such-lane")),
                agent=f"agent-{random.randrange(4)}",
                task=f"task-{n // 4}",
                customer=None if kind == "kb.search" else f"customer-{random.randrange(400)}",
                value_minor=random.randrange(100, 9_000) if paying else None,
                currency="USD" if paying else None,
                params={},
                facts={"status": random.choice(("open", "shut", 1.5)), "day": "2026-09-22"},
                ended=random.choice(("done", "done", "done", "failed", "unknown")),
                took_ms=random.randrange(3_000),
            )
        )
    return found


def replayed(policy: Policy, records: list[Recorded]) -> Forecast:
    """What one replay says of all of it."""
    replay = Replay(Rulebook(policy))
    replay.feed(records)
    return replay.outcome()


def plain(outcome: Forecast) -> Forecast:
    """An outcome with its lines in one order."""
    return msgspec.structs.replace(outcome, lines=tuple(sorted(outcome.lines, key=repr)))


@pytest.mark.parametrize("policy", [PACK, checked(PACK)], ids=["in halves", "asked ahead"])
def test_two_say_what_one_says(tmp_path: Path, policy: Policy) -> None:
    """Halves add up, and checks that were asked ahead say what they would have said."""
    records = traffic(16_000)
    file = tmp_path / "traffic.jsonl"
    file.write_bytes(b"".join(map(encode_line, records)))
    assert file.stat().st_size > FILE_BYTES_MIN
    outcome = backtest(policy, file)
    assert outcome.trips
    assert outcome.later["ran"]
    assert plain(outcome) == plain(replayed(policy, records))


def test_a_bad_line_is_named_whoever_reads_it(tmp_path: Path) -> None:
    """An amount that is none, in the half of the second process."""
    records = traffic(16_000)
    (kinds,) = {second_half_of(PACK, records)}
    place = next(n for n, one in enumerate(records) if n > 9_000 and one.kind in kinds)
    records[place] = msgspec.structs.replace(records[place], value_minor=5, currency="XXX")
    file = tmp_path / "traffic.jsonl"
    file.write_bytes(b"".join(map(encode_line, records)))
    with pytest.raises(InvalidInput, match=f"line {place + 1}: "):
        backtest(PACK, file)


def test_nobody_needs_the_second(tmp_path: Path) -> None:
    """A process that ends at once is one that nothing is heard of."""
    file = tmp_path / "large"
    file.write_bytes(bytes(FILE_BYTES_MIN))
    with Second("handrail.errors", file) as second:
        second.tell(b"anything")
        assert second.hear(wait=True) is None
        assert not second.helps
        second.tell(b"more")
        assert second.hear(wait=False) is None


def test_what_hangs_together() -> None:
    """Kinds under one cap, or in one sum, are never parted."""
    parts = parts_of(PACK)
    assert frozenset().union(*parts) == frozenset(PACK.kinds)
    assert sum(map(len, parts)) == len(PACK.kinds)
    paying = next(part for part in parts if "refund.issue" in part)
    assert paying >= {"credit.grant", "account.update", "login.change"}
    assert frozenset(("ticket.read",)) in parts
    assert frozenset(("reply.send",)) in parts
    # A cap that counts every kind holds all of them together.
    assert len(parts_of(load_text(POLICY, source="payers"))) == 1
