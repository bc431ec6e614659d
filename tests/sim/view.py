"""What can be seen of the simulated desks after a step, and what is remembered of all steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from handrail.core import merkle
from handrail.core.breakglass import Grant
from handrail.core.entry import Entry
from handrail.core.halt import Halt, HaltScope
from handrail.core.lifecycle import State
from handrail.core.merkle import Frontier
from handrail.core.proposal import Proposal
from handrail.core.review import Review
from handrail.core.task import Task
from handrail.engine.base.record import Content, content_of
from handrail.store.protocol import Store, Tx
from tests.sim.world import Provider, Time

__all__ = ["DESKS", "MAIN", "OTHER", "Check", "Edit", "Said", "Sight", "View", "covers", "halts_of"]

MAIN: Final = "main"
OTHER: Final = "other"
DESKS: Final = (MAIN, OTHER)
ROWS_MAX: Final = 10_000


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """A verdict that a person of the simulation really gave."""

    person: str
    proposal: str
    verdict: str


class Edit(msgspec.Struct, frozen=True, kw_only=True):
    """Who of the simulation corrected an action, and whether nothing but its amount is lower."""

    person: str
    lowers: bool


class Sight(msgspec.Struct, frozen=True, kw_only=True):
    """One action as it is committed, with everything that stands with it.

    `before` is the row as it was seen last. `request` is what the stored artifact would send.
    """

    before: Proposal | None
    row: Proposal
    reviews: list[Review]
    content: Content
    request: dict[str, object]
    params: dict[str, object]
    entries: list[Entry]
    task: Task


class View:
    """Everything that was ever seen, across all processes; the world knows what really happened."""

    def __init__(self, provider: Provider, time: Time) -> None:
        self.provider = provider
        self.time = time
        self.said: set[Said] = set()
        self.edits: dict[str, Edit] = {}
        self.sights: dict[str, Sight] = {}
        self.changed: list[Sight] = []
        self.gone: list[str] = []
        self.silent: list[str] = []
        self.asked: set[str] = set()
        self.reported: set[str] = set()
        self.testified: set[tuple[str, str, bool]] = set()
        self.leaves: dict[str, list[bytes]] = {desk: [] for desk in DESKS}
        self.heads: dict[str, Frontier] = {}
        self.grown: list[tuple[str, Frontier, Frontier, bool]] = []
        self.halts: list[Halt] = []
        self.grants: list[Grant] = []
        self.confirmed: set[tuple[str, str]] = set()
        self.charged: list[tuple[str, int]] = []

    @property
    def rows(self) -> list[Proposal]:
        """Every action of both desks, as last seen."""
        return [sight.row for sight in self.sights.values()]

    def line(self, row: Proposal) -> list[Proposal]:
        """The actions that this one took the place of, the newest first."""
        found = []
        replaced = {one.superseded_by: one for one in self.rows if one.superseded_by}
        while (earlier := replaced.get(row.id)) is not None:
            found.append(row := earlier)
        return found

    def look(self, store: Store) -> None:
        """See what has changed. `silent` are rows that changed without a new version."""
        store.read(self._look)
        for sight in self.changed:
            if sight.row.state is State.PENDING:
                self.asked.add(sight.row.id)

    def sight_of(self, tx: Tx, row: Proposal) -> Sight:
        """One action with everything that stands with it."""
        content = content_of(tx, row)
        artifact = msgspec.json.decode(content.artifact)
        task = tx.tasks.get(row.desk, row.task)
        assert task is not None
        known = self.sights.get(row.id)
        return Sight(
            before=None if known is None else known.row,
            row=row,
            reviews=tx.proposals.reviews(row.desk, row.id),
            content=content,
            request=artifact["request"],
            params=artifact["params"],
            entries=[logged.entry for logged in tx.log.of_proposal(row.desk, row.id)],
            task=task,
        )

    def _look(self, tx: Tx) -> None:
        rows = {
            row.id: row
            for desk in DESKS
            for row in tx.proposals.page(desk, after="", most=ROWS_MAX)
        }
        self.gone = [id for id in self.sights if id not in rows]
        self.changed, self.silent = [], []
        for id, row in rows.items():
            known = self.sights.get(id)
            if known is None or known.row.version != row.version:
                self.changed.append(self.sight_of(tx, row))
            elif known.row != row:
                self.silent.append(id)
        self.halts = halts_of(tx)
        self.grants = tx.grants.everything(MAIN)
        self.sights.update({sight.row.id: sight for sight in self.changed})
        self._look_at_logs(tx)

    def _look_at_logs(self, tx: Tx) -> None:
        self.grown = []
        for desk in DESKS:
            head, before = tx.log.head(desk), self.heads.get(desk)
            if head == before:
                continue
            kept = self.leaves[desk]
            new = [leaf for *_, leaf in tx.log.scan(desk, len(kept))]
            whole = len(kept) + len(new) == head.size
            if before is not None:
                self.grown.append((desk, before, head, whole and _extends(tx, desk, before, head)))
            kept.extend(new)
            self.heads[desk] = head


def halts_of(tx: Tx) -> list[Halt]:
    """Every stop that was ever pulled, on both desks."""
    return [halt for desk in DESKS for halt in tx.halts.page(desk, after="", most=ROWS_MAX)]


def covers(halt: Halt, row: Proposal) -> bool:
    """Whether a stop is about an action."""
    named = {
        HaltScope.DESK: "",
        HaltScope.AGENT: row.agent,
        HaltScope.KIND: row.kind,
        HaltScope.TASK: row.task,
        HaltScope.CUSTOMER: row.subject,
    }
    return halt.target == named[halt.scope]


def _extends(tx: Tx, desk: str, before: Frontier, head: Frontier) -> bool:
    """Whether the tree of now begins with the tree of before."""
    if head.size < before.size:
        return False
    proof = merkle.consistency_proof(
        before.size, head.size, lambda level, n: tx.log.hash_at(desk, level, n)
    )
    return merkle.verify_consistency(
        before.size, head.size, proof, merkle.root(before), merkle.root(head)
    )


Check = Callable[[View], Iterator[str]]
"""Something that must hold after every step: what does not, in words."""
