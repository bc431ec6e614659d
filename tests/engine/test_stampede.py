"""Caps under a stampede, and under an agent that loops before a reviewer who approves it all."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Final

import apsw
import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handrail.core.caps import CapRule, Scope, WhenFull
from handrail.core.lifecycle import State
from handrail.core.policy import Band, Control, Guard, KindRule, Limits, Policy
from handrail.errors import HandrailError
from handrail.policy.loader import digest_policy
from tests.engine.stampede import CALLERS, problems, stampede
from tests.engine.stories import MINUTE, Story, pack
from tests.history import Happened, fullest, most_customers

ROUNDS: Final = 16
BIG: Final = ("100000.00 USD",)


def test_sixty_four_callers_pass_no_cap(tmp_path: Path) -> None:
    """G1, G2: 0 cents over any cap in any rolling window; distinct customers exact."""
    outcome = stampede(tmp_path, rounds=ROUNDS, seed=7)
    assert problems(outcome.effects) == []
    assert sum(outcome.told.values()) == CALLERS * ROUNDS
    assert outcome.told[State.REFUSED] > CALLERS
    # The caps were really met: the fullest hour is nearly full.
    assert max(fullest(outcome.effects, 60 * MINUTE).values()) > 36_000
    assert set(most_customers(outcome.effects, 15 * MINUTE).values()) == {5}


def test_the_judge_sees_what_is_too_much() -> None:
    """The checker itself can fail: one cent, one action or one customer over is named."""
    hour = [Happened("", n * MINUTE, 8_000, "c") for n in range(5)]
    assert problems(hour) == ["customer-money of c: 40000 of 9000"]
    assert problems([*hour, Happened("", 59 * MINUTE, 1, "d")]) == [
        "desk-money of the desk: 40001 of 40000",
        "customer-money of c: 40000 of 9000",
    ]
    apart = [Happened("", n * 12 * MINUTE, 1, f"c{n}") for n in range(9)]
    assert problems(apart) == []
    crowd = [Happened("", 0, 1, f"c{n}") for n in range(6)]
    assert problems(crowd) == ["agent-people of the desk: 6 of 5"]


@st.composite
def hours(draw: st.DrawFn) -> tuple[Policy, int]:
    """A policy whose bands, sums and limits are anything, over one cap on the desk's money."""
    limit = draw(st.integers(2_000, 60_000))
    cap = CapRule(
        name="usd-per-hour",
        scope=Scope.DESK,
        limit=limit,
        window_ms=60 * MINUTE,
        currency="USD",
        kinds=("refund.issue", "credit.grant"),
        when_full=draw(st.sampled_from(WhenFull)),
    )
    more = CapRule(name="more", scope=Scope.CUSTOMER, limit=draw(st.integers(500, 90_000)),
                   window_ms=draw(st.integers(1, 90)) * MINUTE, currency="USD")  # fmt: skip
    base = pack()
    kinds = {name: _banded(rule, draw) if rule.bands else rule for name, rule in base.kinds.items()}
    policy = msgspec.structs.replace(
        base,
        kinds=kinds,
        caps=(cap, more) if draw(st.booleans()) else (cap,),
        accumulation=base.accumulation if draw(st.booleans()) else None,
        limits=base.limits if draw(st.booleans()) else Limits(),
    )
    return msgspec.structs.replace(policy, digest=digest_policy(policy)), limit


def _banded(rule: KindRule, draw: st.DrawFn) -> KindRule:
    """Other limits, and perhaps no question at any amount."""
    low = draw(st.integers(100, 30_000))
    open_guard = draw(st.sampled_from([Control.RUN_AND_NOTIFY, Control.APPROVE]))
    bands = (
        Band(up_to_minor=low, grade=rule.kind.grade, guard=Guard(control=Control.RUN_AND_NOTIFY)),
        Band(up_to_minor=None, grade=rule.kind.grade, guard=Guard(control=open_guard)),
    )
    return msgspec.structs.replace(rule, bands={"USD": bands})


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(hours(), st.lists(st.tuples(st.integers(1, 40_000), st.booleans()), min_size=4, max_size=8))
def test_an_hour_of_looping_costs_at_most_the_cap(
    case: tuple[Policy, int], loop: list[tuple[int, bool]]
) -> None:
    """C1, G1: a rubber stamp and a runaway agent: money out is at most the cap, in any hour."""
    policy, limit = case
    with tempfile.TemporaryDirectory() as folder, Story(Path(folder), policy=policy) as story:
        story.desk.person("stamp", roles=("reviewer", "checker"), limits=BIG)
        for minute in range(0, 70, 10):
            for place, (cents, refund) in enumerate(loop):
                _try(story, cents + minute, refund, place)
            _stamp(story)
            story.desk.work()
            story.later(10 * MINUTE)
        paid = _paid(story.folder)
        assert max(fullest(paid, 60 * MINUTE).values(), default=0) <= limit
        story.check()


def _try(story: Story, cents: int, refund: bool, place: int) -> None:
    amount = f"{cents // 100}.{cents % 100:02} USD"
    task = story.task("T-104")
    kind, fields = "credit.grant", {"customer": "C-1005", "amount": amount, "reason": "late"}
    if refund:
        kind, fields = "refund.issue", {"order": "O-5005", "amount": amount, "reason": "late"}
    story.desk.propose(task, kind, fields, key=f"{story.clock.now}-{place}")


def _stamp(story: Story) -> None:
    """Approve whatever waits, without looking."""
    for row in story.desk.ctx.store.read(lambda tx: tx.proposals.queue("main", most=50)):
        try:
            story.approve(story.desk.get(row.id), by="stamp")
        except HandrailError:
            continue


def _paid(folder: Path) -> list[Happened]:
    """What the embedded desk paid out through handrail, by its own rows."""
    with apsw.Connection(str(folder / "desk.db")) as world:
        rows = world.execute(
            "SELECT issued_at, minor FROM refunds WHERE key IS NOT NULL"
            " UNION ALL SELECT granted_at, minor FROM credits WHERE key IS NOT NULL"
        ).fetchall()
    return [Happened("", int(str(at)), int(str(minor))) for at, minor in rows]
