"""Replay: one policy over recorded traffic, in the order of time, caps and sums included.

What waits (for a person, for its recall window, under a full cap) is kept with the time at which
something happens to it, and is looked at then as live: the sum of that moment, then the caps.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from heapq import heappop, heappush
from itertools import repeat
from typing import Final

import msgspec

from handrail.core.caps import WhenFull
from handrail.core.policy import Control, Guard
from handrail.engine.base.context import Rulebook
from handrail.engine.waiting.ask_again import ROUNDS_MAX
from handrail.errors import InvalidInput
from handrail.policy.checks import NOTHING, Checked, KindChecks
from handrail.prove.backtest.assessor import Assessor
from handrail.prove.backtest.fate import Fate
from handrail.prove.backtest.ledger import Ledger, Take, Taken
from handrail.prove.backtest.questions import Questions
from handrail.prove.backtest.shapes import Judgment, Shape, Shapes
from handrail.prove.backtest.tally import DAY_MS, Forecast, Tally
from handrail.prove.backtest.traffic import Recorded
from handrail.prove.backtest.under_way import UnderWay
from handrail.prove.backtest.waiting import Lobby, Waiter
from handrail.prove.backtest.windows import NEVER

__all__ = ["ANSWER_MS", "Replay", "Seen"]

ANSWER_MS: Final = 10 * 60_000
"""How long people take where the record has no answer of theirs: it is taken for an approval."""
RETRY_MS: Final = 1_000
_ASKS: Final = Guard(control=Control.APPROVE)
_OPENS: Final = frozenset((Fate.ALONE, Fate.ASKED, Fate.HELD, Fate.WAITS))
_ENDS: Final = (Control.REFUSE, Control.ESCALATE)
# In this order at one and the same moment; between release and answer, what waits is tried again.
_VOID, _RELEASE, _RETRY, _ANSWER = range(4)


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one action when it was proposed; `cap` was full, `failed` did not pass."""

    guard: Guard
    grade: int
    reasons: str
    fate: str
    cap: str | None = None
    failed: tuple[str, ...] = ()


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
        self._clocks = rules.policy.clocks
        self.ledger = Ledger(rules.policy)
        self._known = Shapes(rules, self.ledger)
        counts = any(checks.counts for checks in rules.checks.values())
        self._under_way = UnderWay() if counts else None
        adds = rules.policy.accumulation
        self._questions = Questions(rules)
        self._judge = Assessor(adds, self._questions, self._known, self.ledger, self._under_way)
        self._shapes: dict[object, Shape] = {}
        self._tally = Tally()
        self._events: list[tuple[int, int, int, Waiter | Taken]] = []
        self._waiters = Lobby(retry_ms)
        self._answer_ms = answer_ms
        self._seen = seen
        self._first: int | None = None
        self._last = self._n = self._voids = self._unread = 0
        self._day_ends = -1

    def feed(
        self,
        records: Iterable[Recorded],
        told: Iterable[Checked | None] | None = None,
        *,
        kinds: Collection[str] = (),
        theirs: bool = False,
    ) -> None:
        """Decide the next actions. Raises InvalidInput `traffic_malformed` with the line's number.

        An action that is older than the one before it is refused: a window cannot go back. `told`
        is what `Questions.early` says of each; without, it is asked here.
        The kinds that are named are passed over, or with `theirs` all others.
        """
        shapes, events, waiters = self._shapes, self._events, self._waiters
        decide, take_up = self._judge.decide, self._take_up
        quick = self._seen is None and self._under_way is None
        for recorded, early in zip(records, told or repeat(None), strict=False):
            now = recorded.at
            self._n += 1
            if now < self._last:
                raise self._bad("`at` is earlier than on the line before")
            self._last = now
            if now >= waiters.wake or (events and events[0][0] <= now):
                self.pass_time(now)
            if now >= self._day_ends:
                self._turn_day(now)
            if (recorded.kind in kinds) is not theirs:
                continue
            currency = recorded.currency
            key = (recorded.kind, recorded.lane, currency, recorded.customer is None)
            shape = shapes.get(key)
            if shape is None:
                shape = shapes[key] = self._make(recorded)
            if (recorded.value_minor is None) is not (currency is None):
                raise self._bad("`value_minor` and `currency` stand together")
            usual = shape.usual
            if usual is not None and recorded.found is None:
                if quick and shape.idle and recorded.label is None and not recorded.answers:
                    usual.usual[0] += 1
                    usual.usual[1] += recorded.value_minor or 0
                else:
                    take_up(recorded, shape, usual, NOTHING, now)
                continue
            if shape.checks is not None:
                self._unread += self._questions.lacks(recorded, shape.checks)
                early = early or self._early(recorded, shape.checks, now)
            early = early or NOTHING
            take_up(recorded, shape, decide(recorded, shape, early, now, self._n), early, now)

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
            unread=self._unread,
        )

    def _make(self, recorded: Recorded) -> Shape:
        try:
            return self._known.make(recorded)
        except InvalidInput as error:
            raise self._bad(error.message) from error

    def _early(self, recorded: Recorded, checks: KindChecks, now: int) -> Checked:
        return checks.early(self._questions.given(recorded, checks, now))

    def _bad(self, why: str) -> InvalidInput:
        return InvalidInput("traffic_malformed", f"line {self._n}: {why}")

    def _turn_day(self, now: int) -> None:
        if self._first is None:
            self._first = now
        else:
            self._close_day()
        self._day_ends = now - now % DAY_MS + DAY_MS

    def _close_day(self) -> None:
        day = self._day_ends // DAY_MS - 1
        self._tally.close_day(day, self._known.all_verdicts(self._shapes))

    def _take_up(
        self, recorded: Recorded, shape: Shape, verdict: Judgment, told: Checked, now: int
    ) -> None:
        """What becomes of an action that was just proposed."""
        fate, cap = verdict.fate, None
        found = recorded.found
        if found is not None and found.stopped is not None:
            fate = Fate.STOPPED
        elif verdict.alone:
            full = self._run(recorded, shape, now, self._n)
            if full is not None:
                cap = full.rule.name
                fate = Fate.CAPPED
                if full.rule.when_full is WhenFull.WAIT:
                    fate = Fate.WAITS
                    opened = self._open(recorded, shape, verdict, told, now)
                    self._waiters.add(opened, full.window_of(recorded), now)
        elif fate == Fate.ASKED:
            self._ask(self._open(recorded, shape, verdict, told, now), now)
        elif fate == Fate.HELD:
            self._hold(self._open(recorded, shape, verdict, told, now), now)
        if self._under_way is not None:
            self._under_way.propose(recorded, self._n, opens=fate in _OPENS)
        if fate is verdict.fate and recorded.label is None and not recorded.answers:
            verdict.usual[0] += 1
            verdict.usual[1] += recorded.value_minor or 0
        else:
            self._count(recorded, verdict, fate)
        if self._seen is not None:
            self._seen.append(
                Seen(
                    guard=verdict.guard,
                    grade=int(verdict.grade),
                    reasons=verdict.codes,
                    fate=fate,
                    cap=cap,
                    failed=verdict.failed,
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

    def _open(
        self, recorded: Recorded, shape: Shape, verdict: Judgment, told: Checked, now: int
    ) -> Waiter:
        by = now + self._clocks.execution_ms
        return Waiter(recorded, shape, verdict, told, self._n, by)

    def _end(self, opened: Waiter, how: str, at: int) -> None:
        """It will never run."""
        self._tally.later[how] += 1
        if self._under_way is not None:
            self._under_way.end(opened.recorded, opened.n, at)

    def _ask(self, opened: Waiter, now: int) -> None:
        """People are asked; what they said then is what they say, and else they approve."""
        answers = opened.recorded.answers
        at, said = now + self._answer_ms, "approved"
        if opened.asked < len(answers):
            answer = answers[opened.asked]
            at, said = max(now, answer.at), answer.said
        opened.asked += 1
        if at - now >= self._clocks.approval_ms:
            at, said = now + self._clocks.approval_ms, "expired"
        if said == "approved":
            heappush(self._events, (at, _ANSWER, opened.n, opened))
        else:
            self._end(opened, said, at)

    def _hold(self, opened: Waiter, now: int) -> None:
        for answer in opened.recorded.answers:
            if answer.said == "withdrawn":
                self._end(opened, answer.said, answer.at)
                return
        at = now + self._clocks.recall_ms
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
                thing.execute_by = at + self._clocks.execution_ms
                waiters.add(thing, None, at)
            else:
                thing.execute_by = at + self._clocks.execution_ms
                self._dispatch(thing, at)

    def _dispatch(self, opened: Waiter, now: int) -> None:
        """Look at an action again right before it may run, as live."""
        if now >= opened.execute_by:
            self._end(opened, "expired", now)
            return
        recorded, shape, n, told = opened.recorded, opened.shape, opened.n, opened.told
        if shape.checks is not None and shape.checks.tells_time:
            told = self._early(recorded, shape.checks, now)
        verdict = shape.usual if recorded.found is None else None
        if verdict is None:
            verdict = self._judge.decide(recorded, shape, told, now, n)
        if verdict.order > opened.order:
            self._ask_again(opened, verdict.guard, now)
            return
        full = self._run(recorded, shape, now, n)
        if full is None:
            self._tally.later["ran"] += 1
        elif full.rule.when_full is WhenFull.REFUSE:
            self._end(opened, "cap_refused", now)
        else:
            self._waiters.add(opened, full.window_of(recorded), now)

    def _run(self, recorded: Recorded, shape: Shape, now: int, n: int) -> Take | None:
        """Let an action run, if every cap has room for it; the one that has none."""
        ended, at = recorded.ended, now + recorded.took_ms
        if ended != "done" or not self.ledger.post(recorded, shape, at):
            taken = self.ledger.reserve(recorded, shape, now)
            if isinstance(taken, Take):
                return taken
            if ended == "failed":
                self._voids += 1
                heappush(self._events, (at, _VOID, self._voids, taken))
            elif ended == "done":
                self.ledger.settle(taken, at)
        if self._waiters.all:
            self._waiters.stir(recorded, now)
        if self._under_way is not None and ended != "unknown":
            self._under_way.end(recorded, n, at)
        return None

    def _ask_again(self, opened: Waiter, guard: Guard, now: int) -> None:
        guard = opened.guard.at_least(_ASKS).at_least(guard)
        if guard.control in _ENDS or opened.rounds >= ROUNDS_MAX:
            self._end(opened, "expired", now)
            return
        opened.guard, opened.order = guard, guard.order
        opened.rounds += 1
        self._tally.ask_again(now // DAY_MS, max(1, guard.checkers))
        self._ask(opened, now)
