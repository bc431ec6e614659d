"""Action kinds: typed parameters in, or a refusal by name; nothing is coerced."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.core.action import (
    ID_CHARS_MAX,
    TEXT_CHARS_MAX,
    ActionKind,
    Param,
    ParamType,
    params_parser,
)
from handrail.core.canonical import INTEGER_MAX, canonical
from handrail.core.grade import Axes, Grade
from handrail.core.money import Money
from handrail.errors import InvalidInput

MILD = Axes(reversibility=1, blast_radius=1, stakes=0)

KIND = ActionKind(
    name="refund.issue",
    title="Refund an order",
    connector="billing",
    axes=Axes(reversibility=2, blast_radius=1, stakes=2),
    value="amount",
    params=(
        Param(name="order", type=ParamType.ID),
        Param(name="amount", type=ParamType.MONEY),
        Param(name="note", type=ParamType.TEXT, required=False, chars_max=20),
        Param(name="reason", type=ParamType.CHOICE, required=False, choices=("late", "broken")),
        Param(name="count", type=ParamType.INTEGER, required=False),
        Param(name="tell", type=ParamType.BOOLEAN, required=False),
        Param(name="items", type=ParamType.RECORD, required=False),
    ),
)
PARSE = params_parser(KIND)
LEAST: dict[str, Any] = {"order": "ord_1", "amount": "12.00 USD"}

TAKEN: list[tuple[str, object, object]] = [
    ("order", "ord_1", "ord_1"),
    ("order", "#W2378156", "#W2378156"),
    ("order", "a" * ID_CHARS_MAX, "a" * ID_CHARS_MAX),
    ("amount", "120.00 USD", Money(minor=12000, currency="USD")),
    ("amount", {"currency": "JPY", "minor": 500}, Money(minor=500, currency="JPY")),
    ("note", "x", "x"),
    ("note", "  two lines\n\tof it ", "  two lines\n\tof it "),
    ("note", "é" * 20, "é" * 20),
    ("note", "🙂" * 20, "🙂" * 20),
    ("reason", "late", "late"),
    ("count", 0, 0),
    ("count", -INTEGER_MAX, -INTEGER_MAX),
    ("count", INTEGER_MAX, INTEGER_MAX),
    ("tell", False, False),
    ("items", [], []),
    ("items", [{"sku": "a", "n": 2}], [{"sku": "a", "n": 2}]),
    ("items", {"line": {"deep": [None, True, "x"]}}, {"line": {"deep": [None, True, "x"]}}),
]

REFUSED: list[tuple[str, object, str]] = [
    ("order", "", "field_malformed"),
    ("order", "a" * (ID_CHARS_MAX + 1), "field_malformed"),
    ("order", "two words", "field_malformed"),
    ("order", "ord_1\n", "field_malformed"),
    ("order", "\x00", "field_malformed"),
    ("order", "ord_é", "field_malformed"),
    ("order", "ord\u200b1", "field_malformed"),
    ("order", "оrd_1", "field_malformed"),
    ("order", 17, "field_wrong_type"),
    ("order", None, "field_wrong_type"),
    ("order", b"ord_1", "field_wrong_type"),
    ("order", ["ord_1"], "field_wrong_type"),
    ("amount", 12, "money_is_ambiguous"),
    ("amount", 12.0, "money_is_float"),
    ("amount", True, "money_is_bool"),
    ("amount", "12,00 USD", "money_malformed"),
    ("amount", "0 USD", "money_zero"),
    ("amount", "-5 USD", "money_negative"),
    ("amount", None, "money_wrong_type"),
    ("note", "", "field_malformed"),
    ("note", " \n\t", "field_malformed"),
    ("note", "\u00a0\u3000", "field_malformed"),
    ("note", "x" * 21, "too_large"),
    ("note", "half \ud800", "text_not_unicode"),
    ("note", 5, "field_wrong_type"),
    ("note", None, "field_wrong_type"),
    ("reason", "Late", "field_malformed"),
    ("reason", "", "field_malformed"),
    ("reason", None, "field_malformed"),
    ("reason", ["late"], "field_malformed"),
    ("count", True, "field_wrong_type"),
    ("count", 1.0, "field_wrong_type"),
    ("count", "1", "field_wrong_type"),
    ("count", INTEGER_MAX + 1, "integer_too_large"),
    ("tell", 0, "field_wrong_type"),
    ("tell", "true", "field_wrong_type"),
    ("items", None, "field_wrong_type"),
    ("items", "a record in text", "field_wrong_type"),
    ("items", 5, "field_wrong_type"),
    ("items", [1.5], "float_in_record"),
    ("items", {"x": float("nan")}, "float_in_record"),
    ("items", {"é": 1}, "key_not_ascii"),
    ("items", {1: 1}, "key_not_ascii"),
    ("items", [{1, 2}], "field_wrong_type"),
    ("items", ["\udfff"], "text_not_unicode"),
    ("items", [2**53], "integer_too_large"),
]


@pytest.mark.parametrize(("name", "value", "expected"), TAKEN, ids=repr)
def test_what_a_field_takes(name: str, value: object, expected: object) -> None:
    """The typed value, unchanged but for money."""
    parsed = PARSE({**LEAST, name: value})
    assert parsed[name] == expected
    assert type(parsed[name]) is type(expected)


@pytest.mark.parametrize(("name", "value", "code"), REFUSED, ids=repr)
def test_what_a_field_refuses(name: str, value: object, code: str) -> None:
    """Each wrong value has its code."""
    with pytest.raises(InvalidInput) as refusal:
        PARSE({**LEAST, name: value})
    assert refusal.value.code == code


@pytest.mark.parametrize("name", ["order", "amount"])
def test_a_missing_field_is_named(name: str) -> None:
    """Required fields are required, and optional ones are simply not there."""
    with pytest.raises(InvalidInput, match=f"needs `{name}`") as refusal:
        PARSE({key: value for key, value in LEAST.items() if key != name})
    assert refusal.value.code == "field_missing"
    assert PARSE(LEAST).keys() == LEAST.keys()


def test_all_missing_fields_are_named_at_once() -> None:
    """In one order, so that the message is stable."""
    with pytest.raises(InvalidInput, match="needs `amount`, `order`"):
        PARSE({})


def test_an_unknown_field_is_refused_by_name() -> None:
    """An agent cannot smuggle in `grade` or `approved`."""
    with pytest.raises(InvalidInput, match=r"`refund\.issue` has no field `approved`") as refusal:
        PARSE({**LEAST, "approved": True})
    assert refusal.value.code == "field_unknown"


def test_somebodys_field_name_is_quoted_short_and_visible() -> None:
    """What an agent calls a field reaches logs and terminals: no line breaks, nothing hidden."""
    with pytest.raises(InvalidInput) as refusal:
        PARSE({**LEAST, "x\n\u202e\x1b[31m" + "y" * 10_000: 1})
    assert refusal.value.code == "field_unknown"
    assert refusal.value.message.isprintable()
    assert refusal.value.message.isascii()
    assert len(refusal.value.message) < 200


def test_a_parameter_without_a_limit_still_has_one() -> None:
    """Text is at most 100,000 characters unless the kind says less."""
    parse = params_parser(
        ActionKind(
            name="reply.send",
            title="Send",
            connector="mail",
            axes=MILD,
            params=(Param(name="body", type=ParamType.TEXT),),
        )
    )
    assert parse({"body": "x" * TEXT_CHARS_MAX})
    with pytest.raises(InvalidInput, match="longer than 100000 characters"):
        parse({"body": "x" * (TEXT_CHARS_MAX + 1)})


def test_the_grade_of_a_kind_is_that_of_its_axes() -> None:
    """Nothing but the axes counts here."""
    assert KIND.grade is Grade.G2


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


@given(
    st.dictionaries(
        st.sampled_from([param.name for param in KIND.params]) | st.text(max_size=5), plain
    )
)
def test_anything_at_all_is_parsed_or_refused_by_code(raw: dict[str, object]) -> None:
    """No other exception comes out, and what comes out has canonical bytes."""
    try:
        parsed = PARSE(raw)
    except InvalidInput:
        return
    assert parsed.keys() == raw.keys()
    assert canonical(parsed)


@given(st.permutations([*LEAST, "note", "tell"]))
def test_the_order_of_fields_does_not_matter(names: list[str]) -> None:
    """The same content in another order has the same bytes."""
    whole = {**LEAST, "note": "x", "tell": True}
    assert canonical(PARSE({name: whole[name] for name in names})) == canonical(PARSE(whole))


def test_a_record_is_read_in_canonical_order() -> None:
    """However it was written, it is shown, and shown again later, in the order that is stored."""
    one, other = {"b": 1, "a": [{"d": 2, "c": 3}]}, {"a": [{"c": 3, "d": 2}], "b": 1}
    read = [PARSE({**LEAST, "items": record})["items"] for record in (one, other)]
    assert str(read[0]) == str(read[1]) == "{'a': [{'c': 3, 'd': 2}], 'b': 1}"
