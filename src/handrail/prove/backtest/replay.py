"""Replay: one policy over recorded traffic, in the order of time, caps and sums included.

What waits (for a person, for its recall window, under a full cap) is kept with the time at which
something happens to it, and is looked at then as live: the sum of that moment, then the caps.
"""

from __future__ import annotations

from collections.abc import Iterable
from heapq import heappop, heappush
from typing import Final

import msgspec

from handrail.core.caps import WhenFull
from handrail.core.policy import Control, Guard
from handrail.engine.again import ROUNDS_MAX
from handrail.engine.context import Rulebook
from handrail.errors import InvalidInput
from handrail.prove.backtest.assessor import Assessor
from handrail.prove.backtest.ledger import Ledger, Take, Taken
from handrail.prove.backtest.shapes import Judgment, Shape, Shapes
from handrail.prove.backtest.tally import DAY_MS, FATE_OF, Fate, Forecast, Tally
from handrail.prove.backtest.traffic import Recorded
from handrail.prove.backtest.waiting import Lobby, Waiter
from handrail.prove.backtest.windows import NEVER

__all__ = ["ANSWER_MS", "Replay", "Seen"]

ANSWER_MS: Final = 10 * 60_000
"""How long people take where the record has no answer of theirs: it is taken for an approval."""
RETRY_MS: Final = 1_000
_ASKS: Final = Guard(control=Control.APPROVE)
_ENDS: Final = (Control.REFUSE, Control.ESCALATE)
# In this order at one and the same moment; between release and answer, what waits is tried again.
_VOID, _RELEASE, _RETRY, _ANSWER = range(4)


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one action when it was proposed; `cap` is the one that was full."""

    guard: Guard
    grade: int
    reasons: str
    fate: str
    cap: str | None = None


class Replay:
    """Feed it actions in the order of time, then ask for the outcome.

    Where the record has no answer of people's, they approve after `answer_ms`. What waits is looked
    at again every `retry_ms` when the sum of its customer has risen, and whenever something leaves
    the cap that was full. `seen` collects what became of each action.
    """

    def __init__(
        self,
        rules: Rulebook,
        *,
        answer_ms: int = ANSWER_MS,
        retry_ms: int = RETRY_MS,
        seen: list[Seen] | None = None,
    ) -> None:
        self.policy = rules.policy
        self.ledger = Ledger(rules.policy)
        self._known = Shapes(rules.decider, self.ledger)
        self._judge = Assessor(rules, self._known, self.ledger)
        self._shapes: dict[object, Shape] = {}
        self._tally = Tally()
        self._events: list[tuple[int, int, int, Waiter | Taken]] = []
        self._waiters = Lobby(retry_ms)
        self._answer_ms = answer_ms
        self._seen = seen
        self._first: int | None = None
        self._last = self._n = self._voids = 0
        self._day = -1

    def feed(self, records: Iterable[Recorded]) -> None:
        """Decide the next actions. Raises InvalidInput `traffic_malformed` with the line's number.

        An action that is older than the one before it is refused: a window cannot go back.
        """
        shapes, events, waiters = self._shapes, self._events, self._waiters
        for recorded in records:
            now = recorded.at
            self._n += 1
            if now < self._last:
                raise self._bad("`at` is earlier than on the line before")
            self._last = now
            if now >= waiters.wake or (events and events[0][0] <= now):
                self.pass_time(now)
            if now // DAY_MS != self._day:
                self._turn_day(now)
            key = (recorded.kind, recorded.currency, recorded.customer is None)
            shape = shapes.get(key)
            if shape is None:
                shape = shapes[key] = self._make(recorded)
            minor = recorded.value_minor
            if (minor is None) is not (recorded.currency is None):
                raise self._bad("`value_minor` and `currency` stand together")
            self._take_up(recorded, shape, self._judge.decide(recorded, shape, now), now)

    def outcome(self) -> Forecast:
        """Let what still waits come to its end, and say what was counted."""
        last = self._last
        self.pass_time(NEVER - 1)
        self._close_day()
        tally = self._tally
        return Forecast(
            policy=self.policy.name,
            digest=self.policy.digest,
            actions=self._n,
            first_at=self._first or 0,
            last_at=last,
            lines=tuple(tally.lines),
            prompts=dict(sorted(tally.prompts.items())),
            again=tally.again,
            later=dict(sorted(tally.later.items())),
            trips=dict(sorted(self.ledger.trips.items())),
            unread=self._judge.unread,
        )

    def _make(self, recorded: Recorded) -> Shape:
        try:
            return self._known.make(recorded)
        except InvalidInput as error:
            raise self._bad(error.message) from error

    def _bad(self, why: str) -> InvalidInput:
        return InvalidInput("traffic_malformed", f"line {self._n}: {why}")

    def _turn_day(self, now: int) -> None:
        if self._first is None:
            self._first = now
        else:
            self._close_day()
        self._day = now // DAY_MS

    def _close_day(self) -> None:
        self._tally.close_day(self._day, self._known.all_verdicts(self._shapes))

    def _take_up(self, recorded: Recorded, shape: Shape, verdict: Judgment, now: int) -> None:
        """What becomes of an action that was just proposed."""
        control = verdict.control
        fate, cap = FATE_OF[control], None
        found = recorded.found
        if found is not None and found.stopped is not None:
            fate = Fate.STOPPED
        elif verdict.alone:
            full = self._run(recorded, shape, now)
            if full is not None:
                cap = full.rule.name
                fate = Fate.CAPPED
                if full.rule.when_full is WhenFull.WAIT:
                    fate = Fate.WAITS
                    opened = self._open(recorded, shape, verdict, now)
                    self._waiters.add(opened, full.window_of(recorded), now)
        elif fate == Fate.ASKED:
            self._ask(self._open(recorded, shape, verdict, now), now)
        elif fate == Fate.HELD:
            self._hold(self._open(recorded, shape, verdict, now), now)
        self._count(recorded, verdict, fate)
        if self._seen is not None:
            self._seen.append(
                Seen(
                    guard=verdict.guard,
                    grade=int(verdict.grade),
                    reasons=verdict.codes,
                    fate=fate,
                    cap=cap,
                )
            )

    def _count(self, recorded: Recorded, verdict: Judgment, fate: str) -> None:
        label: str | None = recorded.label
        if label is None and recorded.answers and recorded.answers[-1].said == "rejected":
            label = "rejected"
        key = (fate, label)
        cell = verdict.cells.get(key)
        if cell is None:
            cell = verdict.cells[key] = [0, 0]
        cell[0] += 1
        cell[1] += recorded.value_minor or 0

    # what waits

    def _open(self, recorded: Recorded, shape: Shape, verdict: Judgment, now: int) -> Waiter:
        opened = Waiter(recorded, shape, verdict.guard, self._n)
        opened.execute_by = now + self.policy.clocks.execution_ms
        return opened

    def _ask(self, opened: Waiter, now: int) -> None:
        """People are asked; what they said then is what they say, and else they approve."""
        answers = opened.recorded.answers
        at, said = now + self._answer_ms, "approved"
        if opened.asked < len(answers):
            answer = answers[opened.asked]
            at, said = max(now, answer.at), answer.said
        opened.asked += 1
        if at - now >= self.policy.clocks.approval_ms:
            at, said = now + self.policy.clocks.approval_ms, "expired"
        if said == "approved":
            heappush(self._events, (at, _ANSWER, opened.n, opened))
        else:
            self._tally.later[said] += 1

    def _hold(self, opened: Waiter, now: int) -> None:
        if any(answer.said == "withdrawn" for answer in opened.recorded.answers):
            self._tally.later["withdrawn"] += 1
            return
        at = now + self.policy.clocks.recall_ms
        heappush(self._events, (at, _RELEASE, opened.n, opened))

    def pass_time(self, until: int) -> None:
        """Let happen what is due until then, each at its moment."""
        events, waiters = self._events, self._waiters
        while True:
            first = (events[0][0], events[0][1]) if events else (NEVER, _VOID)
            now = waiters.wake
            if now <= until and (now, _RETRY) <= first:
                for waiter in waiters.due(now):
                    self._dispatch(waiter, now)
                continue
            if first[0] > until:
                return
            at, what, _, thing = heappop(events)
            if isinstance(thing, list):
                self.ledger.give_back(thing)
                waiters.given_back(at)
            elif what == _RELEASE:
                thing.execute_by = at + self.policy.clocks.execution_ms
                waiters.add(thing, None, at)
            else:
                thing.execute_by = at + self.policy.clocks.execution_ms
                self._dispatch(thing, at)

    def _dispatch(self, opened: Waiter, now: int) -> None:
        """Look at an action again right before it may run, as live."""
        if now >= opened.execute_by:
            self._tally.later["expired"] += 1
            return
        recorded, shape = opened.recorded, opened.shape
        verdict = self._judge.decide(recorded, shape, now)
        if verdict.guard.order > opened.guard.order:
            self._ask_again(opened, verdict.guard, now)
            return
        full = self._run(recorded, shape, now)
        if full is None:
            self._tally.later["ran"] += 1
        elif full.rule.when_full is WhenFull.REFUSE:
            self._tally.later["cap_refused"] += 1
        else:
            self._waiters.add(opened, full.window_of(recorded), now)

    def _run(self, recorded: Recorded, shape: Shape, now: int) -> Take | None:
        """Let an action run, if every cap has room for it; the one that has none."""
        taken = self.ledger.reserve(recorded, shape, now)
        if isinstance(taken, Take):
            return taken
        if recorded.ended == "failed":
            self._voids += 1
            heappush(self._events, (now + recorded.took_ms, _VOID, self._voids, taken))
        elif recorded.ended == "done":
            self.ledger.settle(taken, now + recorded.took_ms)
        if self._waiters:
            self._waiters.stir(recorded, now)
        return None

    def _ask_again(self, opened: Waiter, guard: Guard, now: int) -> None:
        guard = opened.guard.at_least(_ASKS).at_least(guard)
        if guard.control in _ENDS or opened.rounds >= ROUNDS_MAX:
            self._tally.later["expired"] += 1
            return
        opened.guard = guard
        opened.rounds += 1
        self._tally.ask_again(now // DAY_MS, max(1, guard.checkers))
        self._ask(opened, now)
