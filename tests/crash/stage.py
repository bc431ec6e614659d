"""A desk in a folder that is copied for every cell, and the process that lives on the copy."""

from __future__ import annotations

import dataclasses
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import handrail
from handrail.connectors.protocol import Promise
from handrail.core.proposal import Proposal
from handrail.core.task import Task
from handrail.policy.loader import load_text
from handrail.surfaces.embedded import Action, Desk
from tests.crash.bank import CUSTOMER, Bank, Done
from tests.crash.moments import Moments, WatchedStore
from tests.store.databases import NOW, Clock, SqliteDatabase

__all__ = ["DESK", "MINUTE", "PAID", "SECOND", "Stage", "Template"]

DESK: Final = "main"
SECOND: Final = 1_000
MINUTE: Final = 60 * SECOND
PAID: Final = "paid"
"""The key of the payment that was made before the story begins."""

_POLICY: Final = load_text(
    """
policy: struck
version: 1
clocks:
  {approval: 4h, execution: 30m, attempt: 30s, quiescence: 5s, recall: 2m, undo: 48h, task: 48h}
lanes:
  support: {kinds: "*"}
caps:
  actions:
    {scope: desk, count: 100, window: 1h, kinds: [pay, pay.back, mail, tool.run], when_full: wait}
kinds:
  pay:
    title: Pay
    connector: desk
    axes: {reversibility: 2, blast_radius: 1, stakes: 2}
    catchable: "yes"
    params: {amount: {type: money}}
    value: amount
    undo: pay.back
    bands:
      USD:
        - {up_to: "50.00", grade: G2, control: run_and_notify}
        - {up_to: "1000.00", grade: G2, control: approve}
        - {grade: G3, control: maker_checker, checkers: 2}
  pay.back:
    title: Take a payment back
    connector: desk
    axes: {reversibility: 1, blast_radius: 1, stakes: 1}
    params: {payment: {type: id}}
    control: run_and_log
  mail:
    title: Send a mail, after a while in which it can be recalled
    connector: desk
    axes: {reversibility: 2, blast_radius: 1, stakes: 1}
    catchable: "yes"
    params: {body: {type: text, chars_max: 100}}
    control: hold_and_recall
  tool.run:
    title: Run a tool of the agent's own
    connector: agent
    runs_in: agent
    axes: {reversibility: 1, blast_radius: 0, stakes: 1}
    params: {text: {type: text, chars_max: 100}}
    control: run_and_log
""",
    source="the policy of the crash matrix",
)


class Template:
    """A prepared desk, closed: people, an agent with a task, and one payment that was made."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        bank = Bank(Promise.KEYED)
        desk = _opened(folder, bank, Clock(NOW))
        desk.agent("bot", owner="boss")
        desk.person("ann")
        for person in ("carl", "cora"):
            desk.person(person, roles=("checker",), limits=("20000.00 USD",))
        self.task = desk.task(agent="bot", customers=(CUSTOMER,))
        self.paid = desk.propose(self.task, "pay", amount="7.00 USD", key=PAID).id
        self.done = tuple(bank.done)
        desk.close()

    def copy(self, folder: Path) -> Path:
        """Its files again, in another folder."""
        return Path(shutil.copytree(self._folder, folder))


class Stage:
    """One process on a desk, with everybody who acts on it."""

    def __init__(
        self,
        folder: Path,
        template: Template,
        promise: Promise,
        *,
        done: Sequence[Done] | None = None,
        now: int = NOW,
        moments: Moments | None = None,
        tell: Callable[[Done], None] = lambda done: None,
    ) -> None:
        self.moment: Callable[[str, str], None] = moments or (lambda step, side: None)
        self.folder = folder
        self.clock = Clock(now)
        self.task: Task = template.task
        self.paid = template.paid
        self.bank = Bank(
            promise,
            done=template.done if done is None else done,
            moment=self._banked,
            tell=tell,
        )
        desk = _opened(folder, self.bank, self.clock)
        self.inner = desk.ctx.store
        self.store = WatchedStore(self.inner, self.moment)
        ctx = dataclasses.replace(desk.ctx, store=self.store)
        rules: Any = ctx.rulebook(DESK)
        rules.decider = _Grader(rules.decider, self.moment)
        self.desk = Desk(ctx, DESK, on_close=self.inner.close)

    def propose(self, kind: str, **fields: object) -> Action:
        """The agent's call, under a key: repeated, it is the same action."""
        self.received()
        return self.desk.propose(self.task, kind, fields, key="once")

    def received(self) -> None:
        """A call comes in; it has been received when its first transaction is about to begin."""
        self.moment("1 receive", "before")
        self.store.entering = "1 receive"

    def show(self, id: str, person: str) -> str:
        """What a person is shown; its digest."""
        self.moment("5 show", "before")
        shown = self.desk.show(id, by=person)
        self.moment("5 show", "after")
        return shown.card.proposal.statement

    def notify(self, id: str) -> None:
        """Whoever waits is told where the action stands."""
        self.moment("14 notify", "before")
        self.desk.get(id)
        self.moment("14 notify", "after")

    def rows(self) -> list[Proposal]:
        """The actions of the story, as they are committed."""
        found = self.inner.read(lambda tx: tx.proposals.page(DESK, after="", most=99))
        return [row for row in found if row.id != self.paid]

    def effects(self) -> list[Done]:
        """What happened in the story."""
        return [one for one in self.bank.done if one.key != self.paid]

    def sql(self, sql: str, *values: str) -> list[tuple[object, ...]]:
        """Read past the store, in another connection."""
        with SqliteDatabase(self.folder).connected() as db:
            return list(db.execute(sql, values))

    def close(self) -> None:
        """Let go of the files, without a last word to them."""
        self.inner.close()

    def _banked(self, step: str, side: str) -> None:
        self.moment(step, side)
        if (step, side) == ("11 receive", "before"):
            # The answer has been received when the engine turns to its store with it.
            self.store.entering = "11 receive"


class _Grader:
    """The policy's decisions, each between two moments."""

    def __init__(self, inner: Any, moment: Callable[[str, str], None]) -> None:
        self._inner = inner
        self._moment = moment

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def decide(self, *words: Any, **more: Any) -> Any:
        self._moment("2 grade", "before")
        decision = self._inner.decide(*words, **more)
        self._moment("2 grade", "after")
        return decision


def _opened(folder: Path, bank: Bank, clock: Clock) -> Desk:
    return handrail.open(
        folder, policy=_POLICY, connectors={"desk": bank}, clock=clock, entropy=os.urandom
    )
