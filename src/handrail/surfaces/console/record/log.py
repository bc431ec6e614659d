"""The log: its newest entries, what one person did, what concerns one customer or one action."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

import msgspec
from starlette.responses import Response

from handrail.core.grade import Grade
from handrail.core.ground import GROUNDS
from handrail.core.principal import Principal, PrincipalKind
from handrail.engine.base.context import Context, Rulebook
from handrail.engine.showing.show import Card, cards_of, is_sealed
from handrail.errors import InvalidInput, NotFound
from handrail.store.protocol import LoggedEntry, Tx
from handrail.surfaces.console.language.words import (
    CONTROL_WORDS,
    ENTRIES,
    ENTRY_FACTS,
    LOST_WHYS,
    STATES,
    VERDICTS,
    WHYS,
    name_text,
)
from handrail.surfaces.console.pages import Visitor

__all__ = ["LOG_PAGE", "LogRow", "action_log", "log", "log_rows"]

LOG_PAGE: Final = 50
FILTERED_MAX: Final = 200
_CODES: Final = {
    (name, str(code.value)): words
    for name, table in (
        ("state", STATES),
        ("grade", {grade: grade.name for grade in Grade}),
        ("control", CONTROL_WORDS),
        ("verdict", VERDICTS),
        ("ground", GROUNDS),
    )
    for code, words in table.items()
} | {("why", why): words for why, words in (WHYS | LOST_WHYS).items()}
"""The words for what an entry holds as a code, by its name and the code."""
_INDEX: Final = re.compile(r"[0-9]{1,15}")
_FILTER_CHARS_MAX: Final = 200


class LogRow(msgspec.Struct, frozen=True, kw_only=True):
    """One entry in words. A sealed one is not told yet: a further checker must not see it.

    `facts` are names, values as the log has them, and the words for a value that is a code.
    """

    index: int
    at: int
    who: str | None = None
    said: str = ""
    facts: tuple[tuple[str, str, str | None], ...] = ()
    proposal: str | None = None
    leaf: str = ""
    sealed: bool = False


def log_rows(
    ctx: Context, tx: Tx, viewer: Principal, entries: Iterable[LoggedEntry], *, keep_sealed: bool
) -> list[LogRow]:
    """Entries as this person may see them; without `keep_sealed`, sealed ones are left out."""
    desk, rules = viewer.desk, ctx.rulebook(viewer.desk)
    names: dict[str, str] = {}
    rows = []
    for logged in entries:
        entry = logged.entry
        if is_sealed(tx, viewer, logged):
            if keep_sealed:
                rows.append(LogRow(index=logged.index, at=entry.at, sealed=True))
            continue
        actor = entry.actor
        if actor is not None and actor not in names:
            found = tx.people.get(desk, actor)
            names[actor] = actor if found is None else found.name
        rows.append(
            LogRow(
                index=logged.index,
                at=entry.at,
                who=None if actor is None else names[actor],
                said=ENTRIES.get(entry.tag, entry.tag),
                facts=_facts(rules, logged),
                proposal=entry.proposal,
                leaf=logged.leaf.decode(),
            )
        )
    return rows


async def log(visitor: Visitor) -> Response:
    """The page of the log: newest first, or only a person's or a customer's entries."""
    query = visitor.request.query_params
    before = _index(query.get("before"))
    person, customer = _filter(query.get("person")), _filter(query.get("customer"))
    ctx, desk = visitor.gateway.ctx, visitor.desk
    filtered = person is not None or customer is not None

    def look(tx: Tx) -> tuple[list[LogRow], int, int | None]:
        size = tx.log.size(desk)
        if filtered:
            found = _of_filters(tx, desk, person, customer)
            return log_rows(ctx, tx, visitor.person, found, keep_sealed=False), size, None
        start = size if before is None else before
        found = tx.log.latest(desk, before=start, most=LOG_PAGE)
        following = found[-1].index if found and found[-1].index > 0 else None
        return log_rows(ctx, tx, visitor.person, found, keep_sealed=True), size, following

    rows, size, following = ctx.store.read(look)
    people = ctx.store.read(lambda tx: tx.people.all(desk, PrincipalKind.PERSON))
    return visitor.render(
        "log.html",
        rows=rows,
        size=size,
        next_before=following,
        first_page=before is None,
        filtered=filtered,
        filtered_most=FILTERED_MAX,
        chosen_person=person or "",
        chosen_customer=customer or "",
        people=people,
        signed=ctx.store.read(lambda tx: tx.log.latest_checkpoint(desk)),
    )


async def action_log(visitor: Visitor) -> Response:
    """The log of one action, in order. It needs no content, so it is there after an erasure too."""
    id = visitor.request.path_params["id"]
    ctx, desk = visitor.gateway.ctx, visitor.desk

    def look(tx: Tx) -> tuple[Card, list[LogRow]]:
        proposal = tx.proposals.get(desk, id)
        if proposal is None:
            raise NotFound("proposal_not_found", f"there is no action `{id}` on this desk")
        entries = tx.log.of_proposal(desk, id)
        rows = log_rows(ctx, tx, visitor.person, entries, keep_sealed=False)
        return cards_of(ctx, tx, [proposal])[0], rows

    card, rows = ctx.store.read(look)
    return visitor.render("action_log.html", card=card, rows=rows)


def _of_filters(tx: Tx, desk: str, person: str | None, customer: str | None) -> list[LoggedEntry]:
    """The newest entries that fit, newest first."""
    if customer is None:
        assert person is not None
        return tx.log.of_person(desk, person, most=FILTERED_MAX)[::-1]
    subject = tx.vault.find_ref(desk, customer)
    if subject is None:
        return []
    proposals = tx.proposals.of_subject(desk, subject, most=FILTERED_MAX)
    found = [one for proposal in proposals for one in tx.log.of_proposal(desk, proposal.id)]
    fitting = [one for one in found if person is None or one.entry.actor == person]
    return sorted(fitting, key=lambda one: -one.index)[:FILTERED_MAX]


def _facts(rules: Rulebook, logged: LoggedEntry) -> tuple[tuple[str, str, str | None], ...]:
    data = logged.entry.data
    found = [(name, str(data[name])) for name in ENTRY_FACTS if data.get(name) is not None]
    return tuple((name_text(name), value, _words(rules, name, value)) for name, value in found)


def _words(rules: Rulebook, name: str, value: str) -> str | None:
    """What a code means; a kind is called as the policy of today calls it."""
    if name != "kind":
        return _CODES.get((name, value))
    kind = rules.kind(value)
    return None if kind is None else kind.title


def _index(text: str | None) -> int | None:
    if text is None:
        return None
    if not _INDEX.fullmatch(text):
        raise InvalidInput("field_malformed", "that is not an index of the log")
    return int(text)


def _filter(text: str | None) -> str | None:
    if text is None or not text.strip():
        return None
    if len(text) > _FILTER_CHARS_MAX:
        raise InvalidInput("too_large", "the filter is longer than any id")
    return text.strip()
