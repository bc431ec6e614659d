"""Search: what people type to find waiting actions, and what passes.

Personal data lies sealed and is not searched. A customer is found by the id by which the lanes know
them, through a keyed hash; a ticket by its id; an action by a part of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import Final

import msgspec

from handrail.core.canonical import quoted
from handrail.core.grade import Grade
from handrail.core.money import EXPONENTS, Money
from handrail.core.principal import Principal
from handrail.core.proposal import Proposal
from handrail.core.review import why_not
from handrail.core.roster import Roster
from handrail.core.sieve import Sieve
from handrail.engine.asking.checkers import bench_of, makers_of, roster_of
from handrail.engine.base.context import Context
from handrail.errors import InvalidInput
from handrail.store.protocol import DESK_SUBJECT, Tx

__all__ = ["LOOKED_AT_MAX", "Haul", "Search", "haul", "is_theirs", "sieve_of"]

TEXT_CHARS_MAX: Final = 200
TASKS_MAX: Final = 200
"""Newest tasks on a ticket whose actions are found by it."""
LOOKED_AT_MAX: Final = 500
"""Waiting actions that one page looks through for those that a person may approve."""
_ID: Final = re.compile(r"(?:hr_)?([0-9a-f]{4,32})")
_GRADE: Final = re.compile(r"[Gg]?([0-3])")
_AMOUNT: Final = re.compile(r"([0-9][0-9.]*)(?: ([A-Z]{3}))?")

Place = tuple[int, str]
"""The (rank, id) of a line of the queue."""


class Search(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody asks the queue for, as text; what is empty is not asked for.

    `find` is a customer's or a ticket's id, or at least four characters of an action's. `at_least`
    is an amount, with its currency in it or in `currency`. `mine` is what the person may approve.
    """

    find: str = ""
    kind: str = ""
    grade: str = ""
    agent: str = ""
    at_least: str = ""
    currency: str = ""
    mine: bool = False


class Haul(msgspec.Struct, frozen=True, kw_only=True):
    """A page of what passes. `rest` is where the next one goes on, or None after the last.

    `through` says that the bound was met: so many were looked through, and there are more.
    """

    proposals: list[Proposal]
    rest: Place | None
    through: bool = False


def sieve_of(tx: Tx, desk: str, search: Search) -> Sieve:
    """The sieve that a search means, but for `mine`. Raises InvalidInput `field_malformed`."""
    for name in ("find", "kind", "agent"):
        _check_text(name, getattr(search, name))
    amount, currency = _least(search)
    sieve = Sieve(
        kind=search.kind or None,
        grade=_grade(search.grade),
        agent=search.agent or None,
        currency=currency,
        minor_min=amount,
    )
    if not search.find:
        return sieve
    customer = tx.vault.find_ref(desk, search.find) if search.find != DESK_SUBJECT else None
    part = _ID.fullmatch(search.find)
    return msgspec.structs.replace(
        sieve,
        narrowed=True,
        subjects=() if customer is None else (customer,),
        tasks=tuple(one.id for one in tx.tasks.of_ticket(desk, search.find, most=TASKS_MAX)),
        id_part=None if part is None else part[1],
    )


def haul(
    ctx: Context,
    tx: Tx,
    viewer: Principal,
    search: Search,
    *,
    after: Place | None,
    without: Collection[str] = (),
    most: int,
) -> Haul:
    """A page of what waits and passes, the most urgent first; `without` are ids to leave out.

    Raises InvalidInput `field_malformed`.
    """
    sieve = sieve_of(tx, viewer.desk, search)
    if not search.mine:
        found = tx.proposals.queue(
            viewer.desk, sieve=sieve, after=after, without=without, most=most + 1
        )
        more = len(found) > most
        return Haul(proposals=found[:most], rest=_place(found[most - 1]) if more else None)
    theirs = is_theirs(ctx, tx, viewer, roster_of(tx, viewer.desk))
    kept: list[Proposal] = []
    among = tx.proposals.queue(
        viewer.desk, sieve=sieve, after=after, without=without, most=LOOKED_AT_MAX + 1
    )
    for at, proposal in enumerate(among[:LOOKED_AT_MAX]):
        if theirs(proposal):
            kept.append(proposal)
        if len(kept) == most and at + 1 < len(among):
            return Haul(proposals=kept, rest=_place(proposal))
    through = len(among) > LOOKED_AT_MAX
    rest = _place(among[LOOKED_AT_MAX - 1]) if through else None
    return Haul(proposals=kept, rest=rest, through=through)


def is_theirs(
    ctx: Context, tx: Tx, viewer: Principal, roster: Roster
) -> Callable[[Proposal], bool]:
    """Whether a person may approve a waiting action, and has not said anything about it yet."""

    def theirs(proposal: Proposal) -> bool:
        prior = tx.proposals.reviews(proposal.desk, proposal.id) if proposal.checkers > 1 else []
        makers = makers_of(tx, proposal, roster)
        bench = bench_of(ctx, tx, proposal, roster=roster)
        return why_not(proposal, makers, viewer, prior, bench) is None

    return theirs


def _place(proposal: Proposal) -> Place:
    return proposal.rank or 0, proposal.id


def _check_text(name: str, text: str) -> None:
    if len(text) > TEXT_CHARS_MAX:
        raise InvalidInput("field_malformed", f"`{name}` has more than {TEXT_CHARS_MAX} characters")
    if not text.isprintable():
        raise InvalidInput("field_malformed", f"`{name}` has characters that nobody can type")


def _grade(text: str) -> Grade | None:
    if not text:
        return None
    found = _GRADE.fullmatch(text)
    if found is None:
        raise InvalidInput("field_malformed", f"`grade` is one of G0 to G3, not {quoted(text)}")
    return Grade(int(found[1]))


def _least(search: Search) -> tuple[int | None, str | None]:
    """The least amount in minor units, and the currency."""
    currency = search.currency or None
    if currency is not None and currency not in EXPONENTS:
        raise InvalidInput(
            "field_malformed", f"`currency` is a code like `USD`, not {quoted(currency)}"
        )
    if not search.at_least:
        return None, currency
    found = _AMOUNT.fullmatch(search.at_least)
    if found is None:
        raise InvalidInput(
            "field_malformed",
            f"`at_least` is an amount like `120.00`, not {quoted(search.at_least)}",
        )
    named = found[2] or currency
    if named is None:
        raise InvalidInput("field_malformed", "an amount needs its currency")
    if currency not in (None, named):
        raise InvalidInput("field_malformed", "the amount names another currency")
    money = Money.parse(f"{found[1]} {named}")
    return money.minor, named
