"""The rules and the people of the simulated desk, and what must hold, said a second time.

`POLICY` is what handrail decides by. `needed` says the same in the plainest words, for the
invariants: nothing here is taken from what is being tested.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from handrail.core.policy import Policy
from handrail.policy.loader import load_text

__all__ = [
    "AGENTS",
    "AMOUNTS",
    "ASKS_NOBODY",
    "CAPS",
    "KINDS",
    "NEVER",
    "PAYING",
    "PEOPLE",
    "STRANGERS",
    "SUM_MS",
    "Ceiling",
    "Person",
    "graded",
    "loaded_policy",
    "makers",
    "needed",
]

_TEXT: Final = """
policy: simulated
version: 1
clocks:
  approval: 20m
  execution: 10m
  attempt: 30s
  quiescence: 5s
  recall: 2m
  undo: 1h
  task: 8h
lanes:
  support: {kinds: "*"}
  triage: {kinds: [note.add]}
caps:
  usd-per-hour:
    {scope: desk, money: 12000.00 USD, window: 1h, when_full: wait,
     kinds: &paying [pay.keyed, pay.lookup, pay.blind]}
  usd-per-customer: {scope: customer, money: 10000.00 USD, window: 6h, kinds: *paying}
  pays-per-agent: {scope: agent, count: 4, window: 2m, kinds: *paying, when_full: wait}
  pays-per-owner: {scope: owner, count: 7, window: 20m, kinds: *paying, when_full: wait}
  customers-per-task: {scope: task, accounts: 2, window: 8h, kinds: *paying}
  mails-per-kind: {scope: kind, count: 3, window: 1m, kinds: [mail.send], when_full: wait}
accumulation:
  window: 10m
  currency: USD
  kinds: {pay.keyed: 100, pay.lookup: 100, pay.blind: 100}
limits:
  open_per_agent: 12
  same_action_open: 3
  same_action_denied: 3
  refused_per_task: 25
kinds:
  note.add:
    title: Add a note
    connector: desk
    axes: {reversibility: 0, blast_radius: 0, stakes: 1}
    params: {customer: {type: id}, body: {type: text, chars_max: 100}}
    control: run_and_log
  tool.note:
    title: Write a note with a tool of the agent's own
    connector: agent
    runs_in: agent
    axes: {reversibility: 0, blast_radius: 0, stakes: 1}
    params: {body: {type: text, chars_max: 100}}
    control: run_and_log
  mail.send:
    title: Send a mail, after a while in which it can be recalled
    connector: desk
    axes: {reversibility: 2, blast_radius: 1, stakes: 1}
    catchable: "yes"
    params: {customer: {type: id}, body: {type: text, chars_max: 100}}
    control: hold_and_recall
  reply.send:
    title: Send a reply
    connector: desk
    axes: {reversibility: 2, blast_radius: 1, stakes: 2}
    catchable: "yes"
    params: {customer: {type: id}, body: {type: text, chars_max: 100}}
    control: approve
  legal.answer:
    title: Answer a lawyer
    connector: desk
    axes: {reversibility: 2, blast_radius: 1, stakes: 3}
    catchable: "no"
    params: {customer: {type: id}, body: {type: text, chars_max: 100}}
    control: escalate
  data.wipe:
    title: Wipe everything
    connector: desk
    axes: {reversibility: 3, blast_radius: 3, stakes: 3}
    catchable: "no"
    params: {customer: {type: id}, body: {type: text, chars_max: 100}}
    control: refuse
  pay.keyed: &pay
    title: Pay through a provider that remembers our key
    connector: desk
    axes: {reversibility: 2, blast_radius: 1, stakes: 2}
    catchable: "yes"
    params: {customer: {type: id}, amount: {type: money}}
    value: amount
    needs: [account]
    undo: pay.back
    bands:
      USD:
        - {up_to: "50.00", grade: G2, control: run_and_notify}
        - {up_to: "1000.00", grade: G2, control: approve}
        - {up_to: "5000.00", grade: G3, control: maker_checker, checkers: 1}
        - {grade: G3, control: maker_checker, checkers: 2}
  pay.lookup: *pay
  pay.blind: *pay
  pay.back:
    title: Take a payment back
    connector: desk
    axes: {reversibility: 1, blast_radius: 1, stakes: 1}
    params: {payment: {type: id}}
    control: run_and_log
"""

SUM_MS: Final = 600_000
"""How far back what a customer was given counts beside an amount."""
PAYING: Final = ("pay.keyed", "pay.lookup", "pay.blind")
NEVER: Final = ("legal.answer", "data.wipe", "not.declared")
"""Kinds that nothing may ever come of."""
ASKS_NOBODY: Final = ("note.add", "tool.note", "mail.send", "pay.back")
OTHERS: Final = ("note.add", "tool.note", "mail.send", "reply.send")
KINDS: Final = (*PAYING, *PAYING, *PAYING, *OTHERS, *NEVER)
"""What agents propose, with its weight."""

AMOUNTS: Final = (1, 1850, 4999, 5000, 5001, 30000, 100000, 100001, 250000, 500000, 500001, 900000)
"""Minor units: both sides of every band, and more than the caps let through."""


class Ceiling(msgspec.Struct, frozen=True, kw_only=True):
    """One cap, said a second time: it counts minor units, different customers, or effects."""

    kinds: tuple[str, ...]
    per: str
    most: int
    window_ms: int
    money: bool = False
    distinct: bool = False


CAPS: Final = {
    "usd-per-hour": Ceiling(
        kinds=PAYING, per="desk", most=1_200_000, window_ms=3_600_000, money=True
    ),
    "usd-per-customer": Ceiling(
        kinds=PAYING, per="customer", most=1_000_000, window_ms=6 * 3_600_000, money=True
    ),
    "pays-per-agent": Ceiling(kinds=PAYING, per="agent", most=4, window_ms=120_000),
    "pays-per-owner": Ceiling(kinds=PAYING, per="owner", most=7, window_ms=1_200_000),
    "customers-per-task": Ceiling(
        kinds=PAYING, per="task", most=2, window_ms=8 * 3_600_000, distinct=True
    ),
    "mails-per-kind": Ceiling(kinds=("mail.send",), per="kind", most=3, window_ms=60_000),
}


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who reviews. `care` is the chance that they really look before they approve."""

    id: str
    identity: str
    roles: tuple[str, ...] = ("reviewer",)
    limit_minor: int | None = None
    care: float = 0.5


PEOPLE: Final[Mapping[str, Person]] = {
    person.id: person
    for person in (
        Person(id="ann", identity="ann", care=0.95),
        Person(id="bea", identity="bea", care=0.0),
        Person(id="carl", identity="carl", roles=("reviewer", "checker"), limit_minor=500_000),
        Person(id="carl-2", identity="carl", roles=("checker",), limit_minor=2_000_000, care=0.1),
        Person(id="cora", identity="cora", roles=("reviewer", "checker"), limit_minor=2_000_000),
        Person(id="dan", identity="dan", roles=("checker",), limit_minor=2_000_000, care=0.2),
        Person(
            id="boss",
            identity="boss",
            roles=("reviewer", "checker", "admin"),
            limit_minor=2_000_000,
        ),
        Person(id="boss-2", identity="boss", roles=("checker",), limit_minor=2_000_000, care=0.0),
        Person(id="otto", identity="otto", roles=("reviewer", "checker"), limit_minor=2_000_000),
        Person(id="rita", identity="rita", limit_minor=700_000, care=0.3),
        Person(id="rita-2", identity="rita", roles=("admin",), care=0.0),
        Person(id="ada", identity="ada", roles=("admin",)),
        Person(id="aud", identity="aud", roles=("auditor",), limit_minor=2_000_000, care=0.0),
    )
}

AGENTS: Final[Mapping[str, tuple[str, str | None]]] = {
    "bot": ("boss", "otto"),
    "kit": ("cora", None),
}
"""Each agent's owner and operator."""
STRANGERS: Final = ("zed", "ext")
"""The person and the agent of the other desk."""


def makers(agent: str) -> frozenset[str]:
    """Every identity that may not pass what this agent made."""
    owner, operator = AGENTS[agent]
    return frozenset(name for name in (agent, owner, operator) if name is not None)


def needed(kind: str, amount: int | None) -> tuple[int, bool]:
    """How many independent approvals an effect takes at least, and whether of checkers."""
    if kind in ASKS_NOBODY:
        return 0, False
    if kind not in PAYING:
        return 1, False
    if amount is None or amount > 500_000:
        return 2, True
    if amount > 100_000:
        return 1, True
    return (1, False) if amount > 5_000 else (0, False)


def graded(kind: str, minor: int | None, currency: str | None) -> int:
    """The grade that an action has at least, whatever else was found about it."""
    match kind:
        case "note.add" | "tool.note" | "pay.back":
            return 1
        case "mail.send" | "reply.send":
            return 2
        case "pay.keyed" | "pay.lookup" | "pay.blind":
            return 2 if currency == "USD" and minor is not None and minor <= 100_000 else 3
        case _:
            return 3


def loaded_policy() -> Policy:
    """The policy of the simulated desk."""
    return load_text(_TEXT, source="the simulated desk's policy")
