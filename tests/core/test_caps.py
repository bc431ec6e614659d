"""Caps: which ceilings an action is counted under, under whose account, and when it still fits."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.core.caps import (
    TRIP_MS_MIN,
    CapRule,
    Charge,
    Deed,
    Scope,
    WhenFull,
    admits,
    charges_of,
    has_room_again,
)
from handrail.core.money import Money

HOUR_MS = 3_600_000

RULES = {
    "desk-usd": CapRule(
        name="desk-usd", scope=Scope.DESK, limit=500_000, window_ms=HOUR_MS, currency="USD"
    ),
    "customer-usd": CapRule(
        name="customer-usd",
        scope=Scope.CUSTOMER,
        limit=20_000,
        window_ms=24 * HOUR_MS,
        currency="USD",
        kinds=("refund.issue", "credit.issue"),
    ),
    "desk-jpy": CapRule(
        name="desk-jpy", scope=Scope.DESK, limit=900_000, window_ms=HOUR_MS, currency="JPY"
    ),
    "agent-count": CapRule(name="agent-count", scope=Scope.AGENT, limit=60, window_ms=60_000),
    "reply-count": CapRule(
        name="reply-count",
        scope=Scope.KIND,
        limit=30,
        window_ms=60_000,
        kinds=("reply.send",),
        when_full=WhenFull.WAIT,
    ),
    "owner-eur": CapRule(
        name="owner-eur", scope=Scope.OWNER, limit=9_000, window_ms=HOUR_MS, currency="EUR"
    ),
    "stripe-gbp": CapRule(
        name="stripe-gbp", scope=Scope.ACCOUNT, limit=9_000, window_ms=HOUR_MS, currency="GBP"
    ),
    "task-people": CapRule(
        name="task-people",
        scope=Scope.TASK,
        limit=3,
        window_ms=HOUR_MS,
        distinct=True,
        kinds=("account.update",),
    ),
}

# kind | value | charges: cap, account, amount
CHARGED = """
refund.issue | 120.00 USD | agent-count bot 1, customer-usd cus_1 12000, desk-usd - 12000
credit.issue | 0.01 USD   | agent-count bot 1, customer-usd cus_1 1, desk-usd - 1
refund.issue | 500 JPY    | agent-count bot 1, desk-jpy - 500
refund.issue | 9.00 EUR   | agent-count bot 1, owner-eur olga 900
payout.send  | 7.00 USD   | agent-count bot 1, desk-usd - 700
reply.send   | none       | agent-count bot 1, reply-count reply.send 1
ticket.read  | none       | agent-count bot 1
refund.issue | 9.00 GBP   | agent-count bot 1, stripe-gbp stripe~GBP 900
payout.send  | 8.00 EUR   | agent-count bot 1, owner-eur olga 800
account.update | none     | agent-count bot 1, task-people tk_1 1
"""

# used | amount | limit | fits
ADMITTED = """
0       1       1       yes
0       2       1       no
0       0       0       yes
0       1       0       no
99      1       100     yes
100     1       100     no
101     0       100     no
12000   8000    20000   yes
12000   8001    20000   no
"""


@pytest.mark.parametrize("row", CHARGED.strip().splitlines())
def test_an_action_is_charged_under_every_cap_that_counts_it(row: str) -> None:
    """Kind and currency select the caps; the scope names the account; counts take one."""
    kind, value, charges = (part.strip() for part in row.split("|"))
    expected = []
    for charge in charges.split(", "):
        cap, account, amount = charge.split()
        scope_key = "" if account == "-" else account.replace("~", " ")
        member = "cus_1" if RULES[cap].distinct else ""
        expected.append(
            Charge(rule=RULES[cap], scope_key=scope_key, amount=int(amount), member=member)
        )
    found = charges_of(
        tuple(RULES.values()),
        deed(kind=kind, value=None if value == "none" else Money.parse(value)),
    )
    assert found == tuple(expected)


def deed(**changes: Any) -> Deed:
    """A refund of one cent by `bot`, whom `olga` answers for, unless told otherwise."""
    fields: dict[str, Any] = {
        "kind": "refund.issue",
        "value": Money(minor=1, currency="USD"),
        "agent": "bot",
        "owner": "olga",
        "customer": "cus_1",
        "task": "tk_1",
        "account": "stripe",
    }
    return Deed(**{**fields, **changes})


def test_what_touches_nobody_counts_no_customer() -> None:
    """A search of the knowledge base is about no customer at all."""
    rules = (RULES["task-people"],)
    assert charges_of(rules, deed(kind="account.update")) != ()
    assert charges_of(rules, deed(kind="account.update", of_nobody=True)) == ()


# used | limit | hours since it tripped | armed again
ARMED = """
100  100  5  no
76   100  5  no
75   100  5  yes
0    1    1  yes
1    1    9  no
0    100  0  no
"""


@pytest.mark.parametrize("row", ARMED.strip().splitlines())
def test_when_a_tripped_cap_may_trip_again(row: str) -> None:
    """Down to three quarters, and an hour later at the earliest."""
    used, limit, hours, armed = row.split()
    now = int(hours) * TRIP_MS_MIN
    assert has_room_again(int(used), int(limit), tripped_at=0, now=now) is (armed == "yes")


@given(rules=st.permutations(list(RULES.values())))
def test_charges_come_in_one_order_however_the_policy_lists_its_caps(rules: list[CapRule]) -> None:
    """Two callers never lock two caps in opposite orders."""
    charges = charges_of(tuple(rules), deed())
    assert [charge.rule.name for charge in charges] == ["agent-count", "customer-usd", "desk-usd"]


def test_other_agents_and_customers_have_their_own_accounts() -> None:
    """The scope key is what separates them; the desk has a single account."""
    mine, theirs = (
        charges_of(tuple(RULES.values()), deed(agent=agent, customer=customer))
        for agent, customer in (("bot", "cus_1"), ("other-bot", "cus_2"))
    )
    different = {
        a.rule.name for a, b in zip(mine, theirs, strict=True) if a.scope_key != b.scope_key
    }
    assert different == {"agent-count", "customer-usd"}


@pytest.mark.parametrize("row", ADMITTED.strip().splitlines())
def test_what_fits_under_a_cap(row: str) -> None:
    """The limit itself may be reached, and not passed by one."""
    used, amount, limit, fits = row.split()
    assert admits(int(used), int(amount), int(limit)) is (fits == "yes")


@given(limit=st.integers(0, 1000), wanted=st.lists(st.integers(0, 400), max_size=30))
def test_taking_what_is_admitted_never_exceeds_the_limit(limit: int, wanted: list[int]) -> None:
    """Whoever asks in whatever order, the sum stays at or under the limit."""
    used = 0
    for amount in wanted:
        if admits(used, amount, limit):
            used += amount
    assert used <= limit
    assert all(used + amount > limit for amount in wanted if not admits(used, amount, limit))


def test_every_scope_and_every_answer_to_a_full_cap_is_known() -> None:
    """A new scope needs a row in these tables."""
    assert {rule.scope for rule in RULES.values()} == set(Scope)
    assert {rule.when_full for rule in RULES.values()} == set(WhenFull)
