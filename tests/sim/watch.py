"""What must hold after every step, judged from outside: by what the provider really did."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from handrail.core.artifact import digest_of
from handrail.core.entry import Tag
from handrail.core.lifecycle import FINAL, TRANSITIONS, State
from handrail.core.proposal import Proposal
from handrail.core.review import Review, Verdict
from handrail.engine.record import content_of, statement_of
from handrail.store.protocol import Store, Tx
from tests.sim.rules import CAPS, NEVER, PEOPLE, Ceiling, makers, needed
from tests.sim.world import Effect, Provider, Time

__all__ = ["Broken", "Said", "Watch"]

DESK: Final = "main"
_ROWS_MAX: Final = 10_000
_INTENTS: Final = frozenset((Tag.ACTION_PROPOSED.value, Tag.EXECUTION_INTENDED.value))
_PASSED: Final = frozenset(
    (State.READY, State.EXECUTING, State.UNKNOWN, State.SUCCEEDED, State.FAILED)
)
"""States that an action which somebody was asked about reaches only by being approved."""
_DONE: Final = frozenset((State.EXECUTING, State.UNKNOWN, State.SUCCEEDED))
"""States that an action may be in once its effect has come about."""
_NEEDS: Final = {
    State.PENDING: "decide_by",
    State.HOLDING: "hold_until",
    State.READY: "execute_by",
    State.EXECUTING: "attempt_until",
    State.UNKNOWN: "attempt_until",
}
"""What bounds each open state; a state without an end would hold for ever."""


class Broken(AssertionError):
    """An invariant does not hold. The message begins with the seed."""


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """A verdict that a person of the simulation really gave."""

    person: str
    proposal: str
    verdict: str


def _reachable() -> dict[State, frozenset[State]]:
    """Every state that can follow a state in any number of moves, itself included."""
    found = {state: {state} for state in State}
    for _ in State:
        for (before, _), after in TRANSITIONS.items():
            for ways in found.values():
                if before in ways:
                    ways.add(after)
    return {state: frozenset(ways) for state, ways in found.items()}


_REACHABLE: Final = _reachable()


class Watch:
    """Remembers everything that was ever seen, across all processes."""

    def __init__(self, where: Callable[[], str], provider: Provider, time: Time) -> None:
        self.said: set[Said] = set()
        self.seen: dict[str, Proposal] = {}
        self.checks = 0
        self._where = where
        self._provider = provider
        self._time = time
        self._sent: dict[str, dict[str, object]] = {}
        self._reviews: dict[str, list[Review]] = {}
        self._asked: set[str] = set()
        self._late: Broken | None = None
        self._charged: list[tuple[str, int]] = []

    def broken(self, what: str) -> Broken:
        """The error of an invariant that does not hold."""
        return Broken(f"{self._where()}: {what}")

    def at_the_door(self, store: Store, kind: str, key: str) -> None:
        """A request arrives at the provider: what allows it must be durable by now.

        What is wrong is kept for the next check: the engine takes an error of its connector for
        an answer that got lost.
        """
        try:
            self._admit(store, kind, key)
        except Broken as error:
            self._late = self._late or error

    def _admit(self, store: Store, kind: str, key: str) -> None:
        row, tags = store.read(
            lambda tx: (
                tx.proposals.get(DESK, key),
                [logged.entry for logged in tx.log.of_proposal(DESK, key)],
            )
        )
        if row is None:
            raise self.broken(f"`{key}` is executed, and no such action was committed")
        intents = [entry for entry in tags if entry.tag in _INTENTS]
        if not any(entry.data.get("attempt") == row.attempt for entry in intents):
            raise self.broken(f"`{key}` is executed without a committed intent")
        if row.attempt < 1 or row.kind != kind:
            raise self.broken(f"`{key}` is executed as {kind}, attempt {row.attempt}")
        self._check_passed(row, store.read(lambda tx: tx.proposals.reviews(DESK, key)))

    def check(self, store: Store) -> None:
        """After a step: everything must hold."""
        self.checks += 1
        if self._late is not None:
            raise self._late
        rows = store.read(lambda tx: self._looked(tx))
        if missing := [id for id in self.seen if id not in rows]:
            raise self.broken(f"{missing} were there and are gone")
        for row in rows.values():
            before = self.seen.get(row.id)
            if before is None or before.version != row.version:
                self._check_row(before, row)
        self._check_effects(rows)
        self._check_caps(rows)
        self.seen = rows

    def _looked(self, tx: Tx) -> dict[str, Proposal]:
        rows = {row.id: row for row in tx.proposals.page(DESK, after="", most=_ROWS_MAX)}
        for id, row in rows.items():
            before = self.seen.get(id)
            if before is None or before.version != row.version:
                self._reviews[id] = tx.proposals.reviews(DESK, id)
            elif before != row:
                raise self.broken(f"`{id}` was changed without a new version")
            else:
                continue
            content = content_of(tx, row)
            if digest_of(content.artifact) != row.digest:
                raise self.broken(f"the artifact of `{id}` is not what its digest says")
            self._sent[id] = msgspec.json.decode(content.artifact)["request"]
            bound = statement_of(content, row.digest, row.policy, DESK)
            if row.statement not in ("", bound):
                raise self.broken(f"the statement of `{id}` is not that of its content")
        return rows

    def _check_row(self, before: Proposal | None, row: Proposal) -> None:
        if row.state is State.PROPOSED:
            raise self.broken(f"`{row.id}` was left undecided")
        bound = _NEEDS.get(row.state)
        if bound is not None and getattr(row, bound) is None:
            raise self.broken(f"`{row.id}` is {row.state.value} with no end")
        if row.state in (State.EXECUTING, State.UNKNOWN) and (not row.attempt or row.fence is None):
            raise self.broken(f"`{row.id}` is {row.state.value} without an attempt")
        if row.kind in NEVER and row.state in _PASSED and not self._enough(row):
            raise self.broken(f"`{row.id}` ({row.kind}) is {row.state.value}")
        if before is not None:
            if before.state in FINAL and row.state is not before.state:
                raise self.broken(f"`{row.id}` was {before.state.value}, is {row.state.value}")
            if row.state not in _REACHABLE[before.state] or row.version < before.version:
                raise self.broken(f"`{row.id}`: no way {before.state.value} -> {row.state.value}")
            fixed = ["fingerprint", "key", "agent", "kind", "subject"]
            if row.rounds == before.rounds:
                fixed += ["digest", "statement", "value_minor", "policy", "control", "checkers"]
            for name in fixed:
                if getattr(before, name) != getattr(row, name):
                    raise self.broken(f"the {name} of `{row.id}` changed")
        self._check_reviews(row)
        if row.state is State.PENDING:
            self._asked.add(row.id)
        if row.state in _PASSED:
            self._check_passed(row, self._reviews[row.id])

    def _check_reviews(self, row: Proposal) -> None:
        reviews = self._reviews[row.id]
        if len({(review.identity, review.statement) for review in reviews}) != len(reviews):
            raise self.broken(f"one person reviewed `{row.id}` twice")
        for review in reviews:
            said = Said(person=review.person, proposal=row.id, verdict=review.verdict.value)
            if said not in self.said:
                raise self.broken(f"nobody said what stands as {said}")
            if review.statement != row.statement:
                continue
            if row.decide_by is None or review.at >= row.decide_by:
                raise self.broken(f"`{row.id}` was reviewed after its time by `{review.person}`")

    def _enough(self, row: Proposal) -> bool:
        return len(self._approvals(row, self._reviews[row.id])) >= needed(row.kind, None)[0]

    def _approvals(self, row: Proposal, reviews: Iterable[Review]) -> set[str]:
        """The independent, entitled people who approved this very statement."""
        _, checkers_only = needed(row.kind, row.value_minor)
        found = set()
        for review in reviews:
            person = PEOPLE.get(review.person)
            if review.verdict is not Verdict.APPROVE or person is None:
                continue
            limit = person.limit_minor
            over = limit is not None and (row.value_minor or 0) > limit
            unentitled = not {"reviewer", "checker"} & set(person.roles) or over
            if checkers_only and "checker" not in person.roles:
                unentitled = True
            if review.statement == row.statement and row.statement and not unentitled:
                found.add(person.identity)
        return found

    def _check_passed(self, row: Proposal, reviews: list[Review]) -> None:
        """What runs, or may run, was approved by enough people who did not make it."""
        least, _ = needed(row.kind, row.value_minor)
        own = makers(row.agent) if row.agent in ("bot", "kit") else frozenset((row.agent,))
        for review in reviews:
            person = PEOPLE[review.person]
            if review.verdict is Verdict.APPROVE and {person.id, person.identity} & own:
                raise self.broken(f"`{row.id}` was approved by `{person.id}`, one of its makers")
            if review.verdict is not Verdict.APPROVE:
                raise self.broken(f"`{row.id}` goes on against `{person.id}`")
        found = self._approvals(row, reviews) - own
        if row.undoes is not None:
            return
        least = max(least, row.checkers, 1 if row.id in self._asked else 0)
        if len(found) < least:
            what = f"{len(found)} of {least} approvals"
            raise self.broken(f"`{row.id}` ({row.kind}) is {row.state.value} with {what}")

    def _check_effects(self, rows: dict[str, Proposal]) -> None:
        keys: set[str] = set()
        taken_back: set[object] = set()
        for effect in self._provider.effects:
            row = rows.get(effect.key)
            if row is None:
                raise self.broken(f"an effect for `{effect.key}`, and no such action")
            if effect.key in keys:
                raise self.broken(f"two effects under the key `{effect.key}`")
            keys.add(effect.key)
            payment = effect.request.get("payment")
            if payment is not None and payment in taken_back:
                raise self.broken(f"the payment `{payment}` was taken back twice")
            taken_back.add(payment)
            if effect.request != self._sent[effect.key]:
                raise self.broken(f"what was sent for `{effect.key}` is not what was decided")
            if row.state not in _DONE:
                raise self.broken(f"`{row.id}` is {row.state.value}, and its effect happened")
        for row in rows.values():
            if row.state is State.SUCCEEDED and row.id not in keys:
                raise self.broken(f"`{row.id}` is said to be done, and never happened")

    def _check_caps(self, rows: dict[str, Proposal]) -> None:
        """No rolling window over real times holds more than its cap, open attempts included."""
        landed = {effect.key: effect for effect in self._provider.effects}
        charged: list[tuple[Proposal, int]] = []
        for row in rows.values():
            effect = landed.get(row.id)
            if effect is not None:
                charged.append((row, effect.lands_at))
            elif row.state in (State.EXECUTING, State.UNKNOWN):
                charged.append((row, self._time.now))
        told = [(row.id, at) for row, at in charged]
        if told == self._charged:
            return
        self._charged = told
        for name, cap in CAPS.items():
            scopes: dict[str, list[tuple[int, int]]] = {}
            for row, at in charged:
                if row.kind in cap.kinds:
                    amount = (row.value_minor or 0) if cap.money else 1
                    # Another currency than the cap's is held for two people, and not counted.
                    if not cap.money or row.currency == "USD":
                        scopes.setdefault(_scope(cap, row), []).append((at, amount))
            for taken in scopes.values():
                self._check_cap(name, cap, taken)

    def _check_cap(self, name: str, cap: Ceiling, taken: list[tuple[int, int]]) -> None:
        for end, _ in taken:
            used = sum(amount for at, amount in taken if end - cap.window_ms < at <= end)
            if used > cap.most:
                raise self.broken(f"the cap `{name}` of {cap.most} holds {used} at {end}")

    def at_the_end(self, store: Store, effects: list[Effect]) -> None:
        """Time has done all that it can: only what nobody can know is open, with a person."""

        def look(tx: Tx) -> None:
            told = {one.proposal for one in tx.escalations.open(DESK, most=_ROWS_MAX)}
            for row in self.seen.values():
                stuck = row.state is State.UNKNOWN and row.kind in ("pay.blind", "reply.send")
                if row.state not in FINAL and not stuck:
                    raise self.broken(f"`{row.id}` ({row.kind}) stays {row.state.value}")
                if stuck and row.id not in told:
                    raise self.broken(f"`{row.id}` stays unknown, and nobody was told")
            counted = {
                name.removeprefix("state:"): count
                for name, count in tx.counters.of(DESK).items()
                if name.startswith("state:") and count
            }
            states = [row.state.value for row in self.seen.values()]
            if counted != {state: states.count(state) for state in set(states)}:
                raise self.broken("the counters are not the states of the rows")

        store.read(look)
        for effect in effects:
            state = self.seen[effect.key].state
            if state is not State.SUCCEEDED and self.seen[effect.key].kind not in (
                "pay.blind",
                "reply.send",
            ):
                raise self.broken(f"`{effect.key}` happened, and is {state.value} in the end")


def _scope(cap: Ceiling, row: Proposal) -> str:
    match cap.per:
        case "customer":
            return row.subject
        case "agent":
            return row.agent
        case "kind":
            return row.kind
        case _:
            return ""
