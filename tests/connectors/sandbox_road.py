"""The road that an action takes to the embedded desk, without the gateway in between."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from handrail.connectors.protocol import Prepared, Receipt
from handrail.connectors.sandbox import Sandbox
from handrail.connectors.sandbox.seed import SEED_AT
from handrail.core.action import Params, params_parser
from handrail.core.artifact import Fact
from handrail.policy.loader import load

NOW: Final = SEED_AT
DAY_MS: Final = 86_400_000

Given = Mapping[str, object]

_PARSERS: Final = {
    name: params_parser(rule.kind) for name, rule in load("support-desk").kinds.items()
}

EVERY_KIND: Final[dict[str, Given]] = {
    "ticket.read": {"ticket": "T-101"},
    "kb.search": {"query": "how do I return something"},
    "reply.draft": {"ticket": "T-105", "body": "Dear Tom,\nit is on its way."},
    "reply.send": {"ticket": "T-105", "body": "Dear Tom,\nit is on its way."},
    "refund.issue": {
        "order": "O-5001",
        "amount": "18.50 USD",
        "reason": "damaged",
        "ticket": "T-101",
    },
    "credit.grant": {
        "customer": "C-1008",
        "amount": "14.90 EUR",
        "reason": "late",
        "ticket": "T-106",
    },
    "account.update": {
        "customer": "C-1009",
        "field": "phone",
        "value": "+44 20 5550 0199",
        "ticket": "T-107",
    },
    "account.cancel": {"customer": "C-1009", "reason": "customer_request", "ticket": "T-114"},
    "payout.change": {
        "customer": "C-1012",
        "account": "US00 TEST 0000 5589",
        "ticket": "T-113",
    },
    "login.change": {"customer": "C-1007", "email": "layla@haddad.test", "ticket": "T-112"},
}
"""One action of every kind that needs nothing done before."""


def parsed(kind: str, given: Given) -> Params:
    """The typed parameters of a kind."""
    return _PARSERS[kind](given)


def prepare(desk: Sandbox, kind: str, given: Given, *, now: int = NOW) -> Prepared:
    """Prepare an action whose parameters are read by the pack that comes with handrail."""
    return desk.prepare(kind, _PARSERS[kind](given), now=now)


def act(desk: Sandbox, kind: str, given: Given, key: str, *, now: int = NOW) -> Receipt:
    """Prepare an action and execute exactly what was prepared, as read back from its bytes."""
    stored = msgspec.json.encode(prepare(desk, kind, given, now=now).request)
    return desk.execute(kind, msgspec.json.decode(stored), key, now=now)


def take_back(desk: Sandbox, kind: str, receipt: Receipt, key: str, *, now: int = NOW) -> Receipt:
    """Execute the reversal that the desk names for a receipt."""
    reversal = desk.undo(kind, {}, receipt)
    return act(desk, reversal.kind, reversal.params, key, now=now)


def facts(prepared: Prepared) -> dict[str, Fact]:
    """The facts by name."""
    return {fact.name: fact for fact in prepared.facts}


def against(prepared: Prepared) -> dict[str, str]:
    """The sentences of facts that contradict the action, by name of the fact."""
    return {fact.name: fact.against for fact in prepared.facts if fact.against is not None}
