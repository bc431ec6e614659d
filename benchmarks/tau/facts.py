"""Facts about a call, read before it is made: from the shop's records and from the ticket's thread.

What a fact is called, what it holds and which written rule it serves is in rules.md. Nothing is
taken from the agent's words beyond the arguments of the call itself. What cannot be worked out is
None, never a guess: a thing that does not exist, an argument of a wrong shape, a date without a
record. Each fact is worked out by itself, so that one unknown leaves the others known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, TypeAlias

from benchmarks.tau import airline, booking, retail
from benchmarks.tau.rule import Look, RulesOfTool
from benchmarks.tau.thread import Thread
from benchmarks.tau.worth import NOT_COMPUTABLE, Arguments, Tables, value_cents

__all__ = ["RULES", "THREAD_FACTS", "FactsRead", "facts_of"]

Value: TypeAlias = str | int | bool | None


class FactsRead(NamedTuple):
    """What is known about a call, by fact: from the shop's records, and from the thread."""

    records: dict[str, Value]
    thread: dict[str, Value]


RULES: Final[Mapping[str, RulesOfTool]] = {
    **airline.RULES,
    **booking.RULES,
    **retail.RULES,
}
"""By tool: how each fact of the records and each fact of the thread is worked out."""


THREAD_FACTS: Final = frozenset(name for _, said in RULES.values() for name in said)
"""The facts that are read from the ticket's messages."""


def facts_of(shop: Tables, tool: str, arguments: Arguments, thread: Thread) -> FactsRead:
    """Everything that is known about a call. Never raises for bad input."""
    records, said = RULES.get(tool, ({}, {}))
    look = Look(
        shop=shop,
        arguments=arguments,
        thread=thread,
        cents=value_cents(shop, tool, arguments),
    )
    return FactsRead(
        records={name: _known(rule, look) for name, rule in records.items()},
        thread={name: _known(rule, look) for name, rule in said.items()},
    )


def _known(rule: Callable[[Look], Any], look: Look) -> Value:
    try:
        found = rule(look)
    except NOT_COMPUTABLE:
        return None
    if found is None or isinstance(found, (bool, int, str)):
        return found
    raise TypeError(f"`{found!r}` is not a fact")
