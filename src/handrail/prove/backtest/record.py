"""Record: what a desk decided live, read from its rows and its log, as traffic.

Without `content` a line holds ids, references, amounts, times and the names of facts: nothing that
somebody wrote. With it, parameters and facts come along, in clear, for checks to read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, Literal

import msgspec

from handrail.core.decide import Ask, ReasonCode
from handrail.core.entry import Entry, Tag
from handrail.core.proposal import Proposal
from handrail.core.task import Task
from handrail.core.triggers.find import counts_of
from handrail.engine.base.record import Content
from handrail.engine.waiting.ask_again import first_of
from handrail.errors import HandrailError
from handrail.prove.backtest.traffic import Findings, Heard, Recorded
from handrail.store.protocol import DESK_SUBJECT, Tx

__all__ = ["newest_of", "page_of"]

PAGE: Final = 500
_Said = Literal["approved", "rejected", "expired", "withdrawn"]
_ANSWERS: Final[dict[str, _Said]] = {
    Tag.ACTION_APPROVED.value: "approved",
    Tag.ACTION_REJECTED.value: "rejected",
    Tag.ACTION_WITHDRAWN.value: "withdrawn",
    Tag.ACTION_SUPERSEDED.value: "withdrawn",
    Tag.ACTION_ESCALATED.value: "withdrawn",
}
_ENDS: Final[dict[str, Literal["done", "failed"]]] = {
    Tag.EXECUTION_SUCCEEDED.value: "done",
    Tag.EXECUTION_FOUND.value: "done",
    Tag.EXECUTION_CONFIRMED.value: "done",
    Tag.EXECUTION_FAILED.value: "failed",
    Tag.EXECUTION_ABANDONED.value: "failed",
}
_STOPPED: Final = frozenset(
    code.value
    for code in (
        ReasonCode.HALTED,
        ReasonCode.DENIED_BEFORE,
        ReasonCode.OPEN_ALREADY,
        ReasonCode.TOO_MANY_OPEN,
        ReasonCode.QUEUE_FULL,
    )
)
_NOT_KEPT: Final = "not recorded"


def page_of(
    tx: Tx, desk: str, *, after: str, content: bool, since: int = 0
) -> tuple[list[Recorded], str | None]:
    """The next actions of a desk from the id `after` on, and the last id; None at the end."""
    page = tx.proposals.page(desk, after=after, most=PAGE)
    if not page:
        return [], None
    reader = _Reader(tx, desk, content)
    found = [reader.read(one) for one in page if one.created_at >= since]
    return found, page[-1].id


def newest_of(tx: Tx, desk: str, *, most: int, content: bool, since: int = 0) -> list[Recorded]:
    """The newest actions of a desk, at most so many, in the order of time."""
    found: list[Proposal] = []
    before: str | None = None
    while len(found) < most:
        page = tx.proposals.latest(desk, before=before, most=min(PAGE, most - len(found)))
        found += (one for one in page if one.created_at >= since)
        if not page or page[-1].created_at < since:
            break
        before = page[-1].id
    reader = _Reader(tx, desk, content)
    # What is put into the queue of the writer at one moment may get its ids in another order.
    return sorted((reader.read(one) for one in reversed(found)), key=lambda one: one.at)


class _Reader:
    """Reads one page within one snapshot; tasks and owners are looked up once."""

    def __init__(self, tx: Tx, desk: str, content: bool) -> None:
        self._tx = tx
        self._desk = desk
        self._with_content = content
        self._nobody = tx.vault.find_ref(desk, DESK_SUBJECT)
        self._tasks: dict[str, Task | None] = {}
        self._owners: dict[str, str] = {}

    def read(self, proposal: Proposal) -> Recorded:
        """One action as a line of traffic."""
        entries = [one.entry for one in self._tx.log.of_proposal(self._desk, proposal.id)]
        first = entries[0]
        content = self._content(proposal)
        task = self._task(proposal.task)
        ended, took_ms = _ending(entries)
        params, facts = self._told(content)
        minor = first.data.get("value_minor")
        currency = first.data.get("currency")
        return Recorded(
            v=1,
            at=first.at,
            id=proposal.id,
            kind=proposal.kind,
            lane=None if task is None or task.agent != proposal.agent else task.lane,
            agent=proposal.agent,
            owner=self._owner(proposal.agent),
            task=proposal.task,
            customer=None if proposal.subject == self._nobody else proposal.subject,
            value_minor=minor if isinstance(minor, int) else None,
            currency=currency if isinstance(currency, str) else None,
            instrument=None if content is None else content.instrument,
            found=_findings(proposal, first, content, self._outside(proposal, task)),
            params=params,
            facts=facts,
            triggers=None if content is None else _triggers(content),
            answers=tuple(_answers(entries)),
            ended=ended,
            took_ms=took_ms,
        )

    def _content(self, proposal: Proposal) -> Content | None:
        """What is sealed; None when the customer was erased."""
        try:
            return first_of(self._tx, proposal)
        except HandrailError:
            return None

    def _told(
        self, content: Content | None
    ) -> tuple[dict[str, object] | None, dict[str, object] | None]:
        if content is None or not self._with_content:
            return None, None
        params: dict[str, object] = msgspec.json.decode(content.artifact)["params"]
        return params, {fact.name: fact.value for fact in content.facts}

    def _task(self, id: str) -> Task | None:
        if id not in self._tasks:
            self._tasks[id] = self._tx.tasks.get(self._desk, id)
        return self._tasks[id]

    def _owner(self, agent: str) -> str:
        if agent not in self._owners:
            found = self._tx.people.get(self._desk, agent)
            self._owners[agent] = agent if found is None else (found.owner or found.identity)
        return self._owners[agent]

    def _outside(self, proposal: Proposal, task: Task | None) -> bool:
        theirs = task is not None and proposal.subject in task.customers
        return not theirs and proposal.subject != self._nobody


def _findings(
    proposal: Proposal, first: Entry, content: Content | None, outside: bool
) -> Findings | None:
    """What was found out about it, by the reasons that were given when it was proposed."""
    if content is not None and content.ask is not None:
        return _kept(proposal, first, content, content.ask, outside)
    codes = str(first.data.get("reasons", "")).split(",")
    facts = () if content is None else content.facts
    missing = tuple(fact.name for fact in facts if fact.value is None) or (_NOT_KEPT,)
    against = tuple(fact.name for fact in facts if fact.against is not None) or (_NOT_KEPT,)
    there = {code: code.value in codes for code in ReasonCode}
    found = Findings(
        outside=outside,
        missing=missing if there[ReasonCode.FACTS_MISSING] else (),
        against=against if there[ReasonCode.FACTS_CONTRADICT] else (),
        hidden=(_NOT_KEPT,) if there[ReasonCode.HIDDEN_CONTENT] else (),
        unresolved=(_NOT_KEPT,) if there[ReasonCode.UNRESOLVED_REFERENCE] else (),
        claim=_claim(first) if there[ReasonCode.CLAIMED_GRADE] else None,
        failure=_NOT_KEPT if there[ReasonCode.EVALUATION_FAILED] else None,
        undo=proposal.undoes is not None,
        late=there[ReasonCode.LATE_UNDO],
        stopped=codes[0] if codes[0] in _STOPPED else None,
    )
    return None if found == Findings() else found


def _kept(
    proposal: Proposal, first: Entry, content: Content, ask: Ask, outside: bool
) -> Findings | None:
    """The same, of what was decided on; names of facts, and nothing that somebody wrote."""
    code = str(first.data.get("reasons", "")).split(",")[0]
    found = Findings(
        outside=outside,
        missing=ask.missing,
        against=tuple(fact.name for fact in content.facts if fact.against is not None)
        or ((_NOT_KEPT,) if ask.contradicted else ()),
        hidden=(_NOT_KEPT,) if ask.hidden else (),
        unresolved=(_NOT_KEPT,) if ask.unresolved else (),
        claim=None if ask.claim is None else int(ask.claim),
        failure=None if ask.failure is None else _NOT_KEPT,
        undo=proposal.undoes is not None,
        late=ask.late,
        stopped=code if code in _STOPPED else None,
    )
    return None if found == Findings() else found


def _triggers(content: Content) -> dict[str, int]:
    spans = (span for found in content.spans.values() for span in found)
    return {name: n for name, n in counts_of(spans).items() if n}


def _claim(first: Entry) -> int:
    """The grade that was reached: the agent claimed that, or less and it makes no difference."""
    grade = first.data.get("grade")
    return grade if isinstance(grade, int) else 3


def _answers(entries: list[Entry]) -> Iterator[Heard]:
    """What people said each time that they were asked, and silence."""
    for entry in entries:
        said = _ANSWERS.get(entry.tag)
        if entry.tag == Tag.ACTION_EXPIRED.value and entry.data.get("why") == "nobody_decided":
            said = "expired"
        if said is not None:
            yield Heard(at=entry.at, said=said)


def _ending(entries: list[Entry]) -> tuple[Literal["done", "failed", "unknown"], int]:
    """How it ended once it ran, and how long after it had been let run; as if done, if never."""
    began: int | None = None
    for entry in entries:
        if began is None and _begins(entry.tag, entry.data):
            began = entry.at
        ended = _ENDS.get(entry.tag)
        if ended is not None and began is not None:
            return ended, entry.at - began
    return ("done" if began is None else "unknown"), 0


def _begins(tag: str, data: Mapping[str, object]) -> bool:
    return tag == Tag.EXECUTION_INTENDED.value or (
        tag == Tag.ACTION_PROPOSED.value and "attempt" in data
    )
