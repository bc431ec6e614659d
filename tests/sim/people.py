"""The people of a simulated life, from the careful to the one who approves whatever there is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from handrail.core.lifecycle import State
from handrail.core.policy import Control
from handrail.core.proposal import Proposal
from handrail.engine.access.breakglass import ask_glass_unit, close_glass_unit, confirm_glass_unit
from handrail.errors import HandrailError
from tests.sim.borders import trespasses
from tests.sim.rules import AGENTS, AMOUNTS, PAYING, PEOPLE, Person
from tests.sim.view import MAIN, Edit, Said

if TYPE_CHECKING:
    from tests.sim.life import Life, Ways

__all__ = ["Reviewers"]

_LIAR: Final = "bea"


class Reviewers:
    """Everything that people do."""

    def __init__(self, life: Life) -> None:
        self._life = life
        self._chance = life.chance

    def ways(self) -> Ways:
        """What they may do next, with its weight."""
        return [
            (self._review, 24),
            (self._approve_everything, 2),
            (self._take_back, 6),
            (self._edit, 8),
            (self._testify, 6),
            (self._trespass, 2),
            (self._break_glass, 5),
            (self._use_break_glass, 5),
            (self._end_break_glass, 1),
            (self._halt, 1),
            (self._lift, 3),
        ]

    def _pending(self) -> list[Proposal]:
        rows = [row for row in self._life.watch.view.rows if row.desk == MAIN and row.statement]
        waiting = [row for row in rows if row.state is State.PENDING]
        return waiting if waiting and self._chance.random() < 0.9 else rows

    def _review(self) -> str:
        """One person looks at one action, or does not look and approves."""
        pending = self._pending()
        if not pending:
            return "nothing to review"
        row = self._chance.choice(pending)
        person = self._chance.choice([*PEOPLE.values()])
        verdict, statement = "approve", row.statement
        if self._chance.random() < person.care:
            verdict = self._chance.choice(
                ("approve", "approve", "approve", "reject", "request_changes", "escalate")
            )
        elif self._chance.random() < 0.1:
            statement = self._chance.choice(pending).statement
        return self._say(person, row, verdict, statement)

    def _approve_everything(self) -> str:
        """Somebody wants to be done: whatever waits is approved, unseen."""
        person = self._chance.choice([one for one in PEOPLE.values() if one.care < 0.2])
        rows = [row for row in self._life.watch.view.rows if row.desk == MAIN]
        waiting = [row for row in rows if row.state is State.PENDING]
        return "; ".join(self._say(person, row, "approve", row.statement) for row in waiting)

    def _take_back(self) -> str:
        """Somebody thinks again about what they approved, or tries to about what another did."""
        rows = [row for row in self._life.watch.view.rows if row.desk == MAIN and row.statement]
        open_rows = [row for row in rows if row.state in (State.READY, State.PENDING)]
        if not rows:
            return "nothing to take back"
        row = self._chance.choice(open_rows or rows)
        said = [one.person for one in self._life.watch.view.said if one.proposal == row.id]
        person = PEOPLE[self._chance.choice(sorted(said) or [*PEOPLE])]
        return self._say(person, row, "take_back", row.statement)

    def _edit(self) -> str:
        """Somebody corrects what waits: a lower amount, a higher one, another customer or text."""
        pending = self._pending()
        if not pending:
            return "nothing to correct"
        row = self._chance.choice(pending)
        person = self._chance.choice([*PEOPLE.values()])
        changes = self._correction(row)
        # It is known before it is tried: the process may die when it has been done.
        edits = self._life.watch.view.edits
        before = edits.get(row.id)
        edits[row.id] = Edit(person=person.id, lowers=[*changes] == ["amount"])
        try:
            action = self._life.desk.edit(row.id, changes, by=person.id, digest=row.statement)
        except HandrailError as error:
            edits.pop(row.id)
            edits.update({} if before is None else {row.id: before})
            return f"{person.id} on {row.id[-6:]} {changes}: {error.code}"
        return f"{person.id} on {row.id[-6:]} {changes}: {action.id[-6:]} {action.state.value}"

    def _correction(self, row: Proposal) -> dict[str, object]:
        if row.kind not in PAYING:
            return {"body": self._chance.choice(("corrected", "corrected again"))}
        if self._chance.random() < 0.2:
            return {"customer": self._chance.choice(("c-1", "c-2", "c-3"))}
        minor = row.value_minor or 0
        lower = [one for one in AMOUNTS if one < minor] or [minor]
        minor = self._chance.choice(lower if self._chance.random() < 0.8 else AMOUNTS)
        return {"amount": f"{minor // 100}.{minor % 100:02} USD"}

    def _say(self, person: Person, row: Proposal, verdict: str, statement: str) -> str:
        # Most approvals wait for a moment in which they can be taken back.
        window = self._chance.choice((0, 10_000, 10_000))
        self._life.watch.view.said.add(Said(person=person.id, proposal=row.id, verdict=verdict))
        try:
            action = self._life.desk.review(
                row.id,
                verdict,
                by=person.id,
                digest=statement,
                reason="because",
                take_back_ms=window,
            )
        except HandrailError as error:
            return f"{person.id} on {row.id[-6:]} {verdict}: {error.code}"
        return f"{person.id} on {row.id[-6:]} {verdict}: {action.state.value}"

    def _testify(self) -> str:
        """Look up by hand what nobody else can tell. One person always says that it was done."""
        row = self._life.some(State.UNKNOWN)
        if row is None:
            return "nothing to look up"
        person = self._chance.choice([*PEOPLE.values()])
        landed = any(one.key == row.id and one.landed for one in self._life.provider.effects)
        done = landed or row.id in self._life.watch.view.reported
        if person.id == _LIAR:
            if row.value_minor is None:
                return f"{person.id} is not asked"
            done = True
        self._life.watch.view.testified.add((person.identity, row.id, done))
        action = self._life.desk.settle(row.id, by=person.id, done=done, evidence="the record")
        return f"{person.id} on {row.id[-6:]} {done}: {action.state.value}"

    def _break_glass(self) -> str:
        """Somebody asks to check for a while, or somebody confirms what was asked for."""
        life, view = self._life, self._life.watch.view
        ctx = life.desk.ctx
        by = self._chance.choice(("rita", "rita", "rita", *PEOPLE))
        waiting = [one for one in view.grants if one.opened_at is None and one.closed_at is None]
        if not waiting or self._chance.random() < 0.1:
            span = self._chance.choice((60_000, 600_000, 3_600_000, 3_600_001))
            unit = ask_glass_unit(ctx, MAIN, person=by, reason="nobody else is here", span_ms=span)
            return f"{by} asks: {ctx.store.write(unit).id[-6:]} for {span}"
        grant = self._chance.choice(waiting)
        by = self._chance.choice(("ada", "boss", "boss", "rita-2", *PEOPLE))
        view.confirmed.add((grant.id, by))
        ctx.store.write(confirm_glass_unit(ctx, MAIN, grant.id, by=by))
        return f"{by} confirms {grant.id[-6:]} of {grant.person}"

    def _use_break_glass(self) -> str:
        """Whoever may check for a while approves what takes a checker, or tried to get there."""
        granted = [one for one in self._life.watch.view.grants if one.opened_at is not None]
        rows = [row for row in self._pending() if row.control is Control.MAKER_CHECKER]
        if not granted or not rows:
            return "nothing to check"
        person = PEOPLE[self._chance.choice(granted).person]
        row = self._chance.choice(rows)
        return self._say(person, row, "approve", row.statement)

    def _end_break_glass(self) -> str:
        grants = self._life.watch.view.grants
        if not grants:
            return "nothing to end"
        grant, by = self._chance.choice(grants), self._chance.choice([*PEOPLE])
        self._life.desk.ctx.store.write(close_glass_unit(MAIN, grant.id, by=by))
        return f"{by} ends {grant.id[-6:]} of {grant.person}"

    def _halt(self) -> str:
        """Somebody pulls the stop, and need not say why."""
        row = self._life.some(*State)
        if row is None:
            return "nothing to stop"
        scope, target = self._chance.choice(
            (
                ("desk", ""),
                ("agent", self._chance.choice(list(AGENTS))),
                ("kind", self._chance.choice((*PAYING, "mail.send"))),
                ("task", row.task),
                ("customer", self._chance.choice(("c-1", "c-2", "c-3"))),
            )
        )
        by = self._chance.choice([*PEOPLE])
        pulled = self._life.desk.halt(scope, target, by=by)
        return f"{by} stops {scope} {target[-6:]}, {len(pulled.in_flight)} under way"

    def _lift(self) -> str:
        """Another person lets work go on."""
        halts = self._life.desk.halts()
        if not halts:
            return "nothing is stopped"
        halt = self._chance.choice(halts)
        by = self._chance.choice([*PEOPLE])
        self._life.desk.lift(halt.id, by=by)
        if PEOPLE[by].identity == PEOPLE[halt.pulled_by].identity:
            raise self._life.watch.broken(f"I13 stop: `{by}` lifted what the same person pulled")
        return f"{by} lets {halt.scope.value} go on"

    def _trespass(self) -> str:
        """The other desk reaches for an action of this one."""
        row = self._life.some(*State)
        if row is None:
            return "nothing to reach for"
        for what in trespasses(self._life.process.other, row.id, row.statement):
            raise self._life.watch.broken(f"I14 desk isolation: {what}")
        return f"{row.id[-6:]} is not there"
