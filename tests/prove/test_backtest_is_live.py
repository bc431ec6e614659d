"""Backtest and live are one: the same traffic, decided on a real desk and then replayed.

A story of several hundred random actions is told on an embedded desk: money in three currencies,
every scope of cap, sums over kinds and cards, people who approve, reject or say nothing, recall
windows, failures and lost answers. Its record is replayed, and everything has to be the same.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from contextlib import closing
from functools import partial
from pathlib import Path
from random import Random
from typing import Final

import apsw
import pytest

import handrail
from handrail.core.caps import CapRule, Scope
from handrail.core.entry import Entry, Tag
from handrail.core.grade import Grade
from handrail.core.lifecycle import State
from handrail.core.policy import Policy
from handrail.engine.base.context import Rulebook
from handrail.engine.proposing.accumulate import INSTRUMENT, VALUE
from handrail.engine.waiting.ask_again import first_of
from handrail.policy.loader import load_text
from handrail.prove.backtest.fate import Fate
from handrail.prove.backtest.record import page_of
from handrail.prove.backtest.replay import Replay, Seen
from handrail.prove.backtest.traffic import Recorded, encode_line, read_lines
from handrail.store.proposals import SUBJECT_ROWS_MAX
from handrail.store.protocol import Tx
from handrail.surfaces.embedded import Desk
from tests.prove.payers import POLICY, REFUSAL, Payer
from tests.store.databases import NOW, Clock

MINUTE: Final = 60_000
START: Final = NOW - NOW % MINUTE
CUSTOMERS: Final = tuple(f"C-{n}" for n in range(9))
CHECKERS: Final = ("carl", "cora")
FATES: Final = {
    State.EXECUTING: Fate.ALONE,
    State.PENDING: Fate.ASKED,
    State.HOLDING: Fate.HELD,
    State.REFUSED: Fate.REFUSED,
    State.ESCALATED: Fate.HANDED_ON,
}


class Life:
    """A desk that lives minute by minute, and people who answer when they come to it."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.random = Random(seed)
        self.clock = Clock(START)
        self.payer = Payer()
        self.payer.cards = {one: f"card-{n % 6}" for n, one in enumerate(CUSTOMERS) if n % 4}
        self.policy = load_text(POLICY, source="payers")
        self.desk = handrail.open(
            folder,
            policy=self.policy,
            connectors={"payer": self.payer},
            clock=self.clock,
            entropy=os.urandom,
        )
        limits = [f"99999.00 {currency}" for currency in ("USD", "EUR", "GBP")]
        for name in CHECKERS:
            self.desk.person(name, roles=("checker", "reviewer"), limits=limits)
        for name, owner in (("one", "ann"), ("two", "ann"), ("three", "bea")):
            self.desk.person(owner) if name != "two" else None
            self.desk.agent(name, owner=owner)
        self.tasks = [
            self.desk.task(agent=agent, lane=lane, customers=CUSTOMERS[:4])
            for agent in ("one", "two", "three")
            for lane in ("all", "paying", "own")
        ]
        self.waiting: dict[str, tuple[int, str]] = {}

    def live(self, actions: int) -> None:
        """So many random actions, with time between them."""
        for n in range(actions):
            for _ in range(self.random.choice((1, 1, 1, 2, 3, 15))):
                self._minute()
            self._act(n)
        for _ in range(300):
            self._minute()

    def _minute(self) -> None:
        self.clock.now += MINUTE
        self.desk.work()
        for card in sorted(self.desk.queue(most=500), key=lambda card: card.proposal.id):
            id = card.proposal.id
            if id not in self.waiting:
                self.waiting[id] = self._answer()
            at, said = self.waiting[id]
            if at > self.clock.now or said == "nothing":
                continue
            del self.waiting[id]
            if card.proposal.kind == "other":
                said = "reject"
            for name in CHECKERS[: max(1, card.proposal.checkers)]:
                if self.desk.get(id).state is State.PENDING:
                    digest = self.desk.get(id).digest
                    self.desk.review(id, said, by=name, digest=digest, reason="because")

    def _answer(self) -> tuple[int, str]:
        said = self.random.choice(("approve",) * 7 + ("reject", "nothing"))
        return self.clock.now + self.random.randint(0, 150) * MINUTE, said

    def _act(self, n: int) -> None:
        random = self.random
        kind = random.choice(("note", "letter", "close", "pay", "pay", "pay", "credit", "other"))
        params: dict[str, object] = {"n": n}
        if kind in ("pay", "credit") or random.random() < 0.8:
            params["customer"] = random.choice(CUSTOMERS)
        if kind in ("pay", "credit"):
            minor = random.choice((500, 1_900, 2_000, 2_001, 4_400, 6_000, 9_000, 25_000, 40_000))
            currency = random.choice(("USD", "USD", "EUR", "GBP"))
            params["amount"] = f"{minor // 100}.{minor % 100:02d} {currency}"
        if random.random() < 0.05:
            self.payer.missing[n] = "account"
        if random.random() < 0.2:
            self.payer.accounts[n] = random.choice(("closed", "stolen", None))
        if random.random() < 0.05:
            self.payer.against[n] = "it is closed"
        self.payer.fails = random.choice((None,) * 14 + (REFUSAL, RuntimeError("no answer")))
        claim = random.choice((None,) * 12 + tuple(Grade))
        self.desk.propose(random.choice(self.tasks), kind, params, claim=claim)
        self.payer.fails = None


def recorded(desk: Desk) -> list[Recorded]:
    """The desk's record, as it stands in a file."""
    found: list[bytes] = []
    after: str | None = ""
    while after is not None:
        page, after = desk.ctx.store.read(partial(page_of, desk=desk.id, after=after, content=True))
        found += map(encode_line, page)
    return read_lines(b"".join(found), 1)


def entries_of(desk: Desk, id: str) -> list[Entry]:
    """What the log says of an action."""
    return [one.entry for one in desk.ctx.store.read(lambda tx: tx.log.of_proposal(desk.id, id))]


def decided_live(desk: Desk, id: str) -> tuple[object, ...]:
    """What was decided when it was proposed: control, grade, reasons, fate, full cap."""
    data = entries_of(desk, id)[0].data
    codes = str(data["reasons"]).split(",")
    full = codes[0] == "cap_full"
    state = State(data["state"])
    fate = FATES.get(state)
    if full:
        fate = Fate.CAPPED if state is State.REFUSED else Fate.WAITS
    control = "full" if fate == Fate.CAPPED else data["control"]
    reasons = ",".join(codes[1:] if full else codes)
    return control, data["grade"], reasons, fate, cap_of(desk, id) if full else None


def cap_of(desk: Desk, id: str) -> str | None:
    """The cap that was full, by the reason that was given."""

    def look(tx: Tx) -> str | None:
        proposal = tx.proposals.get(desk.id, id)
        assert proposal is not None
        for reason in first_of(tx, proposal).reasons:
            named = re.fullmatch(r"the cap `(.*)` is full", reason.text)
            if named:
                return named.group(1)
        return None

    return desk.ctx.store.read(look)


def decided_again(seen: Seen) -> tuple[object, ...]:
    """The same of a replayed action."""
    control = "full" if seen.fate == Fate.CAPPED else seen.guard.control.value
    return control, seen.grade, seen.reasons, seen.fate, seen.cap


def sums_live(folder: Path, desk: Desk, policy: Policy) -> dict[tuple[str, str], int]:
    """What is taken of every cap and every sum now, by the store."""
    assert policy.accumulation is not None
    rules = {cap.name: cap for cap in policy.caps}
    for name in (VALUE, INSTRUMENT):
        span = policy.accumulation.window_ms
        rules[name] = CapRule(name=name, scope=Scope.CUSTOMER, limit=0, window_ms=span)
    with closing(apsw.Connection(str(folder / "handrail.db"))) as store:
        rows = store.execute("SELECT desk, cap, scope_key FROM cap_use").fetchall()

    def unit(tx: Tx) -> dict[tuple[str, str], int]:
        found = {}
        for home, cap, key in (map(str, row) for row in rows):
            if cap in rules:
                found[cap, key] = tx.caps.total(home, rules[cap], key, tx.now)
        return {place: used for place, used in found.items() if used}

    return desk.ctx.store.write(unit)


def sums_again(replay: Replay, now: int) -> dict[tuple[str, str], int]:
    """The same, of the replay."""
    ledger = replay.ledger
    places = {**ledger.of_caps, VALUE: ledger.of_customers, INSTRUMENT: ledger.of_instruments}
    found = {
        (name, key): window.total(now)
        for name, windows in places.items()
        for key, window in windows.items()
    }
    return {place: used for place, used in found.items() if used}


def told(desk: Desk, traffic: list[Recorded]) -> tuple[Counter[str], Counter[str], int]:
    """What became of what waited, which caps were met full, and how many were asked at first."""
    later: Counter[str] = Counter()
    trips: Counter[str] = Counter()
    prompts = 0
    for one in traffic:
        first, *rest = entries_of(desk, one.id)
        if first.data["state"] == State.PENDING.value:
            prompts += max(1, int(first.data["checkers"] or 0))
        for entry in (first, *rest):
            match entry.tag:
                case Tag.CAP_TRIPPED.value:
                    trips[str(entry.data["cap"])] += 1
                case Tag.EXECUTION_INTENDED.value:
                    later["ran"] += 1
                case Tag.ACTION_REJECTED.value:
                    later["rejected"] += 1
                case Tag.ACTION_EXPIRED.value:
                    later["cap_refused" if entry.data["why"] == "cap_full" else "expired"] += 1
                case _:
                    pass
    return later, trips, prompts


def test_where_nobody_counts_is_the_same() -> None:
    """What is open about a busy customer is known to neither of them."""
    busy, now = load_text(POLICY, source="payers"), START
    letters = [
        Recorded(v=1, at=now + n * 86_400_000, kind="letter", lane="all", agent="a", customer="C")
        for n in range(SUBJECT_ROWS_MAX + 2)
    ]
    seen: list[Seen] = []
    Replay(Rulebook(busy), seen=seen).feed(letters)
    assert [one.fate for one in seen[-2:]] == [Fate.HELD, Fate.ASKED]
    assert seen[-1].grade == 3


@pytest.mark.parametrize("seed", range(2))
def test_a_replay_decides_trips_and_sums_as_the_desk_did(tmp_path: Path, seed: int) -> None:
    """G1, C5, C6, C7: every decision, every cap met full and every sum at the end is the same."""
    life = Life(tmp_path / "desk", seed)
    life.live(400)
    traffic = recorded(life.desk)
    assert len(traffic) == 400
    seen: list[Seen] = []
    replay = Replay(Rulebook(life.policy), retry_ms=MINUTE, seen=seen)
    replay.feed(traffic)
    replay.pass_time(life.clock.now)
    again = [decided_again(one) for one in seen]
    live = [decided_live(life.desk, one.id) for one in traffic]
    for place, (was, became) in enumerate(zip(live, again, strict=True)):
        assert was == became, (place, traffic[place])
    assert sums_again(replay, life.clock.now) == sums_live(
        tmp_path / "desk", life.desk, life.policy
    )
    outcome = replay.outcome()
    later, trips, prompts = told(life.desk, traffic)
    assert outcome.later == dict(later)
    assert outcome.trips == dict(trips)
    assert outcome.all_prompts == prompts + outcome.again
    # The story has everything in it that could differ.
    fates = {fate for *_, fate, _ in live}
    assert fates >= {Fate.ALONE, Fate.ASKED, Fate.HELD, Fate.REFUSED, Fate.WAITS}
    assert len(trips) >= 4
    assert outcome.again
    assert outcome.later["cap_refused"]
    assert not outcome.unread
    names = {name for one in seen for name in one.failed}
    assert names >= {"open", "known", "odd", "much", "others"}
    codes = {code for one in seen for code in one.reasons.split(",")}
    assert codes >= {"check_failed", "check_flagged", "cleared", "accumulated", "facts_missing"}
    life.desk.close()
