"""Conditions: what they see, what they say, and that every doubt is BROKEN and never true."""

from __future__ import annotations

import threading
from typing import Any, Final

import pytest

from handrail.core.accumulation import Accumulation
from handrail.core.action import ActionKind, Param, ParamType
from handrail.core.grade import Axes
from handrail.core.money import Money
from handrail.core.policy import FactType
from handrail.errors import InvalidInput
from handrail.policy.conditions import (
    LIST_ITEMS_MAX,
    Condition,
    Given,
    Truth,
    Variables,
    all_of,
    variables_of,
)

NOW: Final = 1_767_225_600_000  # 2026-01-01
KIND: Final = ActionKind(
    name="refund.issue",
    title="Refund",
    connector="desk",
    axes=Axes(reversibility=2, blast_radius=1, stakes=2),
    params=(
        Param(name="order", type=ParamType.ID),
        Param(name="amount", type=ParamType.MONEY),
        Param(name="pieces", type=ParamType.INTEGER),
        Param(name="gift", type=ParamType.BOOLEAN),
        Param(name="items", type=ParamType.RECORD),
        Param(name="ticket", type=ParamType.ID, required=False),
    ),
    value="amount",
)
FACTS: Final = {
    "owner": FactType.TEXT,
    "left": FactType.MONEY,
    "count": FactType.INTEGER,
    "vip": FactType.BOOLEAN,
    "ordered": FactType.DATE,
}
ADDS: Final = Accumulation(window_ms=1, currency="USD", weights={"refund.issue": 100})
PARAMS: Final[dict[str, Any]] = {
    "order": "O-1",
    "amount": Money(minor=1250, currency="USD"),
    "pieces": 3,
    "gift": False,
    "items": [{"id": "a", "n": 2}, {"id": "b", "n": 5}],
}
KNOWN: Final[dict[str, str | int | bool | None]] = {
    "owner": "c-1",
    "left": "20.00 USD",
    "count": 2,
    "vip": True,
    "ordered": "2025-12-20",
}


def variables() -> Variables:
    """Everything that a condition about a refund may name."""
    return variables_of(KIND, FACTS, ADDS)


def given(**changes: Any) -> Given:
    """A refund of 12.50 USD with every fact known, and what is different."""
    facts = {**KNOWN, **{name: value for name, value in changes.items() if name in FACTS}}
    params = {**PARAMS, **{name: value for name, value in changes.items() if name in PARAMS}}
    if "ticket" in changes:
        params["ticket"] = changes["ticket"]
    return Given(
        params=params,
        facts=facts,
        value=PARAMS["amount"],
        now=NOW,
        earlier=changes.get("earlier"),
        together=changes.get("together"),
    )


HOLDS = """
params.order == 'O-1'
params.amount.minor <= facts.left.minor && params.amount.currency == facts.left.currency
params.pieces > 2 && !params.gift
params.items.all(one, one.n < 6) && params.items.exists(one, one.id == 'b')
size(params.items.filter(one, one.n > 2)) == 1
facts.owner.startsWith('c-') && facts.owner.matches('^c-[0-9]+$')
facts.count in [1, 2] && facts.vip
now - facts.ordered < duration('720h')
facts.ordered < timestamp('2025-12-21T00:00:00Z')
value.minor == 1250 && value.currency == 'USD'
!known.params.ticket || params.ticket == 'T-1'
known.facts.owner
'map' == 'map' && 'a.map(b' != ''
"""


@pytest.mark.parametrize("text", HOLDS.strip().splitlines())
def test_what_holds(text: str) -> None:
    """A condition that is true of a usual refund."""
    assert Condition(text, variables()).ask(given()) is Truth.TRUE


@pytest.mark.parametrize("text", HOLDS.strip().splitlines())
def test_its_opposite_does_not(text: str) -> None:
    """And what says the opposite is false, not broken."""
    assert Condition(f"!({text})", variables()).ask(given()) is Truth.FALSE


# condition | what is different
BROKEN: list[tuple[str, dict[str, Any]]] = [
    ("facts.owner == 'c-1'", {"owner": None}),
    ("facts.count < 3", {"count": None}),
    ("facts.count < 3", {"count": True}),
    ("facts.count < 3", {"count": "2"}),
    ("facts.count < 3", {"count": 2**63}),
    ("facts.count + 9223372036854775807 > 0", {}),
    ("facts.count / 0 == 1", {}),
    ("facts.vip", {"vip": 1}),
    ("facts.vip", {"vip": "true"}),
    ("facts.owner == ''", {"owner": 7}),
    ("facts.left.minor > 0", {"left": "20.00"}),
    ("facts.left.minor > 0", {"left": "1e308 USD"}),
    ("facts.left.minor > 0", {"left": "NaN USD"}),
    ("facts.left.minor > 0", {"left": "20.00 XXL"}),
    ("facts.ordered < now", {"ordered": "yesterday"}),
    ("facts.ordered < now", {"ordered": "2025-13-45"}),
    ("params.items.first.n == 1", {}),
    ("params.items.all(one, one.price > 0)", {}),
    ("params.items.all(one, one.n > 0)", {"items": [{"n": 1}] * (LIST_ITEMS_MAX + 1)}),
    ("params.items.all(a, params.items.all(b, true))", {"items": [1] * 200}),
    ("params.ticket == 'T-1'", {}),
    ("together.minor < 5000", {}),
    ("timestamp(params.order) < now", {}),
    ("params.items == 0.0/0.0 || params.items.x", {}),
]


@pytest.mark.parametrize(("text", "changes"), BROKEN, ids=lambda one: str(one)[:40])
def test_every_doubt_is_broken(text: str, changes: dict[str, Any]) -> None:
    """Not known, of another type, too large, too many, too long, an error: never true or false."""
    condition = Condition(text, variables())
    assert condition.ask(given(**changes)) is Truth.BROKEN
    assert Condition(f"!({text})", variables()).ask(given(**changes)) is Truth.BROKEN


def test_what_makes_no_difference_breaks_nothing() -> None:
    """A fact that is not known does not matter where the answer is clear without it."""
    condition = Condition("facts.vip || facts.count < 3", variables())
    assert condition.ask(given(count=None)) is Truth.TRUE
    assert condition.ask(given(count=None, vip=False)) is Truth.BROKEN


def test_zero_is_an_amount_of_a_fact() -> None:
    """Facts may say that nothing is left; amounts of actions are never zero."""
    condition = Condition("facts.left.minor == 0 && facts.left.currency == 'USD'", variables())
    assert condition.ask(given(left="0.00 USD")) is Truth.TRUE


# condition | a piece of what is said about it
REFUSED = """
facts.ownr == 'c-1'                         | undeclared reference to 'facts.ownr'
facts.owner > 3                             | no matching overload
facts.count == 'two'                        | no matching overload
params.amount > 3                           | undeclared reference
facts.count                                 | must be true or false
params.items                                | must be true or false
params.items.first                          | must be true or false
facts.count >                               | at character
facts.vip = true                            | at character
params.items.map(one, one.n)[0] == 2        | `map` is not available
params.items.all(a, params.items.all(b, params.items.all(c, true))) | more than 2 comprehensions
found.nothing == 0                          | undeclared reference
nonsense()                                  | undeclared reference
"""


@pytest.mark.parametrize("row", REFUSED.strip().splitlines())
def test_what_is_no_condition(row: str) -> None:
    """It is refused when the policy is loaded, and it is said where."""
    text, said = (part.strip() for part in row.split(" | "))
    with pytest.raises(InvalidInput) as refused:
        Condition(text, variables())
    assert refused.value.code == "condition_invalid"
    assert said in refused.value.message
    assert "\n" not in refused.value.message
    assert "INVALID_ARGUMENT" not in refused.value.message


def test_nesting_has_an_end() -> None:
    """A condition that is nested without end is refused and takes nothing down."""
    with pytest.raises(InvalidInput):
        Condition("(" * 400 + "true" + ")" * 400, variables())


def test_it_knows_what_it_names() -> None:
    """Facts for the red mark, and whether it must wait for the sums; texts in quotes are texts."""
    condition = Condition(
        "facts.left.minor > 0 && facts.owner != 'facts.vip' && earlier.minor < 9", variables()
    )
    assert set(condition.facts) == {"left", "owner"}
    assert condition.is_late
    assert not Condition("facts.owner == 'earlier.minor'", variables()).is_late
    assert condition.unknown(given(owner=None, earlier=1)) == ("facts.owner",)


def test_sums() -> None:
    """What the customer was given before, and with this action."""
    condition = Condition("earlier.minor == 100 && together.minor == 1350", variables())
    assert condition.ask(given(earlier=100, together=1350)) is Truth.TRUE


def test_only_what_adds_up_has_sums() -> None:
    """A kind outside the accumulation has none to name."""
    with pytest.raises(InvalidInput):
        Condition("earlier.minor == 100", variables_of(KIND, FACTS, None))


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ("facts.vip ; facts.count == 2", Truth.TRUE),
        ("facts.vip // and nothing else ; facts.count == 2", Truth.TRUE),
        ("facts.vip ; facts.count == 3", Truth.FALSE),
        ("facts.count == 3 ; facts.vip || facts.count == 2", Truth.FALSE),
        ("facts.count == 3 || facts.vip ; facts.count == 3", Truth.FALSE),
        ("facts.vip ; params.pieces / 0 == 1", Truth.BROKEN),
        ("facts.vip ? true : false ; facts.count == 3", Truth.FALSE),
    ],
)
def test_all_of_some_is_true_when_each_is(texts: str, said: Truth) -> None:
    """One question instead of several; whatever a condition looks like, none lends to another."""
    known = variables()
    each = [Condition(text, known) for text in texts.split(" ; ")]
    together = all_of(each, known)
    assert together is not None
    assert together.ask(given(count=2)) is said
    assert (said is Truth.TRUE) is all(one.ask(given(count=2)) is Truth.TRUE for one in each)


def test_what_cannot_be_one_question() -> None:
    """One condition is no more than itself, and the limits of one hold for all."""
    known = variables()
    one = Condition("params.items.exists(one, one.n > 5)", known)
    assert all_of([one], known) is None
    assert all_of([one, one], known) is not None
    assert all_of([one, one, one], known) is None


def test_many_at_once() -> None:
    """Threads that ask one condition get their own answers."""
    condition = Condition("facts.count == params.pieces", variables())
    wrong: list[int] = []

    def ask(number: int) -> None:
        for _ in range(300):
            same = condition.ask(given(count=number, pieces=number))
            other = condition.ask(given(count=number, pieces=number + 1))
            if (same, other) != (Truth.TRUE, Truth.FALSE):
                wrong.append(number)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
