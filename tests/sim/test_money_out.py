"""Money out is at most the cap: whatever the policy, however the agent loops, whoever approves.

Hypothesis makes policies: bands, and caps of every scope. The agent proposes for an hour of virtual
time, two people approve whatever waits, and the provider loses answers, acts late and says no. What
really happened, at its real times, is judged by `tests.history`.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

import handrail
from handrail.core.lifecycle import State
from handrail.core.policy import Policy
from handrail.core.proposal import Proposal
from handrail.errors import HandrailError
from handrail.policy.loader import load_text
from handrail.store import caps
from handrail.surfaces.embedded import Desk
from tests.sim.ceilings import overfull
from tests.sim.rules import PAYING, Ceiling
from tests.sim.world import Provider, Time

_NOW: Final = 1_790_000_000_000
_HOUR_MS: Final = 3_600_000
_MEMORY: Final = Path("/dev/shm")
_CUSTOMERS: Final = ("c-1", "c-2", "c-3")
_AGENTS: Final = ("bot", "kit")
_SCOPES: Final = ("desk", "agent", "owner", "customer", "task", "kind", "account")
_WINDOWS: Final = {"30s": 30_000, "5m": 300_000, "20m": 1_200_000, "2h": 7_200_000}
_LIMITS: Final = ("5.00", "50.00", "400.00")
_LADDER: Final[tuple[dict[str, object], ...]] = (
    {"grade": "G2", "control": "run_and_notify"},
    {"grade": "G2", "control": "approve"},
    {"grade": "G3", "control": "maker_checker", "checkers": 1},
    {"grade": "G3", "control": "maker_checker", "checkers": 2},
)


@st.composite
def ceilings(draw: st.DrawFn) -> Ceiling:
    """Any cap: on money, on a number of payments, or on a number of customers."""
    scope = draw(st.sampled_from(_SCOPES))
    what = draw(st.sampled_from(("money", "count", "accounts")))
    if what == "accounts" and scope == "customer":
        what = "count"
    return Ceiling(
        kinds=tuple(sorted(draw(st.sets(st.sampled_from(PAYING), min_size=1)))),
        per=scope,
        most=draw(st.integers(1_000, 60_000) if what == "money" else st.integers(1, 6)),
        window_ms=draw(st.sampled_from(list(_WINDOWS.values()))),
        money=what == "money",
        distinct=what == "accounts",
    )


@st.composite
def bands(draw: st.DrawFn) -> list[dict[str, object]]:
    """One to four bands, from what runs alone to what takes two."""
    limits = sorted(draw(st.sets(st.sampled_from(_LIMITS))), key=float)
    rungs = draw(st.lists(st.sampled_from(_LADDER), min_size=4, max_size=4))
    rungs.sort(key=_LADDER.index)
    closed = [{**rung, "up_to": limit} for limit, rung in zip(limits, rungs, strict=False)]
    return [*closed, rungs[len(limits)]]


def _written(most: dict[str, Ceiling], ladder: list[dict[str, object]], wait: bool) -> Policy:
    """The policy of those caps and bands. JSON is YAML."""
    windows = {ms: text for text, ms in _WINDOWS.items()}
    kind = {
        "title": "Pay",
        "connector": "desk",
        "axes": {"reversibility": 2, "blast_radius": 1, "stakes": 2},
        "catchable": "yes",
        "params": {"customer": {"type": "id"}, "amount": {"type": "money"}},
        "value": "amount",
        "undo": "pay.back",
        "bands": {"USD": ladder},
    }
    back = {
        "title": "Take a payment back",
        "connector": "desk",
        "axes": {"reversibility": 1, "blast_radius": 1, "stakes": 1},
        "params": {"payment": {"type": "id"}},
        "control": "run_and_log",
    }
    written: dict[str, Any] = {
        "policy": "any",
        "version": 1,
        "clocks": {"approval": "20m", "execution": "10m", "attempt": "30s", "quiescence": "5s"},
        "lanes": {"support": {"kinds": "*"}},
        "caps": {
            name: {
                "scope": cap.per,
                "window": windows[cap.window_ms],
                "kinds": list(cap.kinds),
                "when_full": "wait" if wait else "refuse",
                **_most(cap),
            }
            for name, cap in most.items()
        },
        "kinds": {**dict.fromkeys(PAYING, kind), "pay.back": back},
    }
    return load_text(json.dumps(written), source="any policy")


def _most(cap: Ceiling) -> dict[str, object]:
    if cap.distinct:
        return {"accounts": cap.most}
    return (
        {"money": f"{cap.most // 100}.{cap.most % 100:02} USD"}
        if cap.money
        else {"count": cap.most}
    )


class _Hour:
    """An hour of two agents that do not stop, and two people who approve whatever there is."""

    def __init__(self, folder: Path, policy: Policy, seed: int) -> None:
        self.chance = random.Random(seed)
        self.time = Time(_NOW)
        self.provider = Provider(self.time, random.Random(seed + 1))
        self.desk: Desk = handrail.open(
            folder,
            policy=policy,
            connectors={"desk": self.provider},
            clock=lambda: self.time.now,
            entropy=self.chance.randbytes,
        )
        for agent in _AGENTS:
            self.desk.agent(agent, owner="boss")
        for person in ("ann", "bea"):
            roles, limits = ("reviewer", "checker"), ("1000000.00 USD",)
            self.desk.person(person, roles=roles, limits=limits)
        self.tasks = [
            self.desk.task(agent=agent, customers=_CUSTOMERS) for agent in _AGENTS for _ in range(2)
        ]

    def live(self) -> None:
        """In bursts and pauses, until the hour is over; then a while in which nobody proposes."""
        while self.time.now < _NOW + _HOUR_MS:
            for _ in range(self.chance.choice((1, 1, 2, 8))):
                self._propose()
            self._approve_everything()
            self.desk.work()
            self.time.pass_by(self.chance.choice((500, 20_000, 61_000, 290_000, 700_000)))
        for _ in range(4):
            self.time.pass_by(61_000)
            self.desk.work()

    def charged(self) -> list[tuple[Proposal, int]]:
        """What really happened, and when; and what may still happen, as of now."""
        at = {effect.key: effect.lands_at for effect in self.provider.effects}
        rows = self.desk.ctx.store.read(
            lambda tx: tx.proposals.page(self.desk.id, after="", most=10_000)
        )
        open_states = (State.EXECUTING, State.UNKNOWN)
        return [
            (row, at.get(row.id, self.time.now))
            for row in rows
            if row.id in at or row.state in open_states
        ]

    def _propose(self) -> None:
        minor = self.chance.choice((1, 499, 500, 501, 4_999, 5_000, 12_000, 39_999, 50_000))
        fields = {
            "customer": self.chance.choice(_CUSTOMERS),
            "amount": f"{minor // 100}.{minor % 100:02} USD",
        }
        try:
            self.desk.propose(self.chance.choice(self.tasks), self.chance.choice(PAYING), fields)
        except HandrailError as error:
            if error.code != "connector_unavailable":
                raise

    def _approve_everything(self) -> None:
        for person in ("ann", "bea"):
            for card in self.desk.queue():
                row = card.proposal
                try:
                    self.desk.review(row.id, "approve", by=person, digest=row.statement)
                except HandrailError as error:
                    if error.code not in ("reviewed_already", "not_pending", "stale_digest"):
                        raise


@settings(max_examples=30, deadline=None)
@given(
    most=st.dictionaries(st.sampled_from(("cap-a", "cap-b", "cap-c")), ceilings(), min_size=1),
    ladder=bands(),
    wait=st.booleans(),
    seed=st.integers(0, 10_000),
)
def test_money_out_is_at_most_the_cap(
    most: dict[str, Ceiling], ladder: list[dict[str, object]], wait: bool, seed: int
) -> None:
    """G1, G2, G7, C3: in every rolling window over real times, for every scope, to the cent."""
    note(f"{most} {ladder} wait={wait} seed={seed}")
    assert _beyond(_written(most, ladder, wait), most, seed) == []


def _beyond(policy: Policy, most: dict[str, Ceiling], seed: int) -> list[str]:
    with TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None) as folder:
        hour = _Hour(Path(folder) / "desk", policy, seed)
        try:
            hour.live()
            charged = hour.charged()
        finally:
            hour.desk.close()
    return list(overfull(most, charged))


def test_it_can_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    """With caps that always have room, the hour costs more than any of them."""
    most = {
        "cap-a": Ceiling(kinds=PAYING, per="desk", most=20_000, window_ms=7_200_000, money=True)
    }
    ladder: list[dict[str, object]] = [dict(_LADDER[1])]
    policy = _written(most, ladder, False)
    assert _beyond(policy, most, 1) == []
    monkeypatch.setattr(caps, "admits", lambda *_: True)
    (found,) = _beyond(policy, most, 1)
    assert found.startswith("the cap `cap-a` of 20000 holds ")
