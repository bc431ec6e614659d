"""What must hold after every step, judged from outside: by what the provider really did.

`CHECKS` says which check holds which invariant of the threat model; `ELSEWHERE` names the test of
what cannot be simulated. Every check says what is wrong in words, or nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from handrail.store.protocol import Store, Tx
from tests.sim import authority, borders, ceilings, effects, record
from tests.sim.effects import Arrival
from tests.sim.view import DESKS, ROWS_MAX, Check, View, halts_of
from tests.sim.world import Provider, Time

__all__ = ["AT_THE_DOOR", "CHECKS", "ELSEWHERE", "Broken", "Watch"]

AtTheDoor = Callable[[View, Arrival], Iterator[str]]

CHECKS: Final[Mapping[str, tuple[Check, ...]]] = {
    "I1 authority": (authority.was_allowed, effects.effects_follow_actions),
    "I2 shown is sent": (
        effects.shown_as_stored,
        effects.what_happened_was_stored,
        record.rows_move_by_the_table,
    ),
    "I3 single use": (effects.no_effect_twice, authority.one_approval_for_one_action),
    "I4 separation": (
        authority.makers_do_not_check,
        authority.edits_take_nothing_off,
        authority.glass_is_broken_by_two,
    ),
    "I5 caps": (ceilings.within_caps,),
    "I7 evidence": (record.log_only_grows, record.rows_are_as_logged),
    "I8 monotone grade": (authority.claims_only_raise,),
    "I9 unknown is a state": (effects.outcomes_are_known,),
    "I12 default deny": (
        authority.was_allowed,
        authority.people_said_it_in_time,
        authority.everything_open_ends,
    ),
    "I14 desk isolation": (borders.everything_is_at_home,),
    "I15 replay": (record.verdicts_follow,),
}
"""After every step. I14 is tried as well: `Life` lets another desk reach for this one's actions."""

AT_THE_DOOR: Final[Mapping[str, tuple[AtTheDoor, ...]]] = {
    "I1 authority": (effects.allowed_at_the_door, effects.judged_by_the_sum),
    "I2 shown is sent": (effects.sent_as_stored,),
    "I6 log before act": (effects.intended_before_it_left,),
    "I9 unknown is a state": (effects.never_sent_in_doubt,),
    "I11 freshness": (effects.fresh_at_the_door,),
    "I13 stop": (effects.not_stopped,),
}
"""Whenever a request arrives at the provider, before it does anything."""

ELSEWHERE: Final = {
    "I10": "there are no drills in this handrail yet",
}
"""What is not simulated: the test that holds it instead, or why there is nothing to hold."""


class Broken(AssertionError):
    """An invariant does not hold. The message begins with the seed."""


class Watch:
    """Looks after every step, and at the provider's door."""

    def __init__(self, where: Callable[[], str], provider: Provider, time: Time) -> None:
        self.view = View(provider, time)
        self.checks = 0
        self._where = where
        self._late: Broken | None = None

    def broken(self, what: str) -> Broken:
        """The error of an invariant that does not hold."""
        return Broken(f"{self._where()}: {what}")

    def at_the_door(self, store: Store, kind: str, key: str, request: dict[str, object]) -> None:
        """A request arrives at the provider: what allows it must be durable by now.

        What is wrong is kept for the next check: the engine takes an error of its connector for
        an answer that got lost.
        """
        try:
            self._admit(store, kind, key, request)
        except Broken as error:
            self._late = self._late or error

    def _admit(self, store: Store, kind: str, key: str, request: dict[str, object]) -> None:
        def look(tx: Tx) -> Arrival | None:
            rows = [row for desk in DESKS if (row := tx.proposals.get(desk, key)) is not None]
            if not rows:
                return None
            return Arrival(
                kind=kind,
                key=key,
                request=request,
                halts=tuple(halts_of(tx)),
                words=tuple(self.view.provider.words.get(key, ())),
                sight=self.view.sight_of(tx, rows[0]),
                now=self.view.time.now,
            )

        arrival = store.read(look)
        if arrival is None:
            raise self.broken(f"I1 authority: `{key}` is executed, and no such action is committed")
        for name, checks in AT_THE_DOOR.items():
            for check in checks:
                self._hold(name, check(self.view, arrival))

    def check(self, store: Store) -> None:
        """After a step: everything must hold."""
        self.checks += 1
        if self._late is not None:
            raise self._late
        self.view.look(store)
        for name, checks in CHECKS.items():
            for check in checks:
                self._hold(name, check(self.view))

    def at_the_end(self, store: Store) -> None:
        """Time has done all that it can."""

        def look(tx: Tx) -> None:
            told = {
                one.proposal for desk in DESKS for one in tx.escalations.open(desk, most=ROWS_MAX)
            }
            self._hold("I9 unknown is a state", effects.people_are_told(self.view, told))
            self._hold("I7 evidence", record.log_is_as_remembered(self.view, tx))
            self._hold("counters", record.counters_are_states(self.view, tx))

        store.read(look)

    def _hold(self, name: str, complaints: Iterable[str]) -> None:
        for what in complaints:
            raise self.broken(f"{name}: {what}")
