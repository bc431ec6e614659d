"""Canonical bytes: those of RFC 8785 as another implementation writes it; strict at the door."""

from __future__ import annotations

import enum
import json
from decimal import Decimal
from typing import Any

import msgspec
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from handrail.core.canonical import (
    DEPTH_MAX,
    INTEGER_MAX,
    ITEMS_MAX,
    canonical,
    check_plain,
    parse,
    quoted,
)
from handrail.errors import InvalidInput

EVERY_CHARACTER = st.characters(exclude_categories=["Cs"])
AWKWARD = st.sampled_from(
    ["\x00", "\x08", "\x1f", "\x7f", "\u2028", "\ufeff", "\U0001f600", '"\\/']
)
TEXTS = st.lists(st.one_of(AWKWARD, st.text(EVERY_CHARACTER)), max_size=4).map("".join)
KEYS = st.text(st.characters(max_codepoint=0x7F), max_size=6)
INTEGERS = st.integers(-INTEGER_MAX, INTEGER_MAX)
RECORDS = st.recursive(
    st.one_of(st.none(), st.booleans(), INTEGERS, TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=5), st.dictionaries(KEYS, inner, max_size=6)),
    max_leaves=25,
)


class Colour(enum.Enum):
    """A closed set, for the test."""

    RED = "red"


class Parcel(msgspec.Struct, frozen=True):
    """A struct whose fields are not in the order of their names."""

    weight: int
    colour: Colour
    label: bytes


def refusal(call: Any, *args: Any, **options: Any) -> str:
    """The code of the InvalidInput that a call must raise."""
    with pytest.raises(InvalidInput) as caught:
        call(*args, **options)
    return caught.value.code


@given(RECORDS)
def test_bytes_are_those_of_rfc_8785(record: Any) -> None:
    """Any record has the same bytes as the reference implementation gives it."""
    assert canonical(record) == rfc8785.dumps(record)


def test_every_character_is_written_as_rfc_8785_writes_it() -> None:
    """All 1,112,064 characters, each among its neighbours."""
    for start in range(0, 0x110000, 0x800):
        text = "".join(map(chr, range(start, start + 0x800)))
        if not 0xD800 <= start < 0xE000:
            assert canonical(text) == rfc8785.dumps(text), hex(start)


@given(RECORDS)
def test_what_is_written_is_read_back(record: Any) -> None:
    """parse undoes canonical, and a second round changes no byte."""
    data = canonical(record)
    again = parse(data, size_max=len(data))
    assert again == record
    assert canonical(again) == data


@given(st.dictionaries(KEYS, INTEGERS, min_size=2))
def test_order_of_keys_does_not_matter(record: dict[str, int]) -> None:
    """Two dicts that are equal have equal bytes."""
    assert canonical(dict(reversed(record.items()))) == canonical(record)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ({"b": 1, "a": (True, None)}, b'{"a":[true,null],"b":1}'),
        ({'"': 1, "!": 2, "#": 3, "": 4}, b'{"":4,"!":2,"\\"":1,"#":3}'),
        (
            Parcel(weight=2, colour=Colour.RED, label=b"\xff\xfe"),
            b'{"colour":"red","label":"//4=","weight":2}',
        ),
        ("\x00\x1f\x7f\b\t\n\f\r/", b'"\\u0000\\u001f\x7f\\b\\t\\n\\f\\r/"'),
        ("\u2028\U0001f600é", '"\u2028\U0001f600é"'.encode()),
        (-INTEGER_MAX, b"-9007199254740991"),
    ],
)
def test_written_out(value: object, written: bytes) -> None:
    """What the bytes look like, seen with the eyes."""
    assert canonical(value) == written


@given(RECORDS)
def test_what_canonical_can_write_is_plain(record: Any) -> None:
    """No false alarm: a record with a canonical form passes the check."""
    check_plain(record, depth_max=100)


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (1.5, "float_in_record"),
        ({"amount": 1e308}, "float_in_record"),
        ([float("nan")], "float_in_record"),
        ({"a": [{"b": float("inf")}]}, "float_in_record"),
        (INTEGER_MAX + 1, "integer_too_large"),
        ([-INTEGER_MAX - 1], "integer_too_large"),
        ("a\ud800", "text_not_unicode"),
        ({"a": ["\udfff\ud800"]}, "text_not_unicode"),
        ({"é": 1}, "key_not_ascii"),
        ({"a": {"\ud800": 1}}, "key_not_ascii"),
        ({1: 2}, "key_not_ascii"),
        ({None: 2}, "key_not_ascii"),
        (b"bytes", "field_wrong_type"),
        ([{1, 2}], "field_wrong_type"),
        ({"a": Decimal("1.5")}, "field_wrong_type"),
        ({"a": Colour.RED}, "field_wrong_type"),
        (Parcel(weight=2, colour=Colour.RED, label=b""), "field_wrong_type"),
        (type("Text", (str,), {})("a"), "field_wrong_type"),
    ],
)
def test_not_plain(value: object, code: str) -> None:
    """Each thing without a canonical form has its own refusal."""
    assert refusal(check_plain, value) == code


def test_endless_digits_are_refused() -> None:
    """A number too long to print gets the same refusal, and no failure on the way."""
    assert refusal(check_plain, [10**5000]) == "integer_too_large"
    assert refusal(parse, b"1" * 5000, size_max=5000) == "integer_too_large"


def test_the_largest_integers_pass() -> None:
    """Plus and minus 2^53 - 1 are exact everywhere."""
    check_plain([INTEGER_MAX, -INTEGER_MAX])
    assert parse(b"[9007199254740991]", size_max=100) == [INTEGER_MAX]


def test_the_doubled_field_is_named() -> None:
    """Of two fields the one that is there twice."""
    with pytest.raises(InvalidInput) as caught:
        parse(b'{"a":1,"b":2,"c":3,"b":4}', size_max=100)
    assert caught.value.message == "`b` is given twice"


def nested(depth: int) -> object:
    """Lists inside one another, `depth` of them."""
    value: object = 1
    for _ in range(depth):
        value = [value]
    return value


def test_depth_and_number_are_bounded() -> None:
    """The last size that passes, and the first that does not."""
    check_plain(nested(DEPTH_MAX))
    assert refusal(check_plain, nested(DEPTH_MAX + 1)) == "record_too_deep"
    check_plain([0] * ITEMS_MAX)
    assert refusal(check_plain, [0] * (ITEMS_MAX + 1)) == "record_too_deep"
    check_plain([[1, 2], {"a": 3}], items_max=5)
    assert refusal(check_plain, [[1, 2], {"a": 3}], items_max=4) == "record_too_deep"


def test_a_list_that_holds_itself_is_refused() -> None:
    """Endless values end: by depth, and a doubling one by the number of its items."""
    endless: list[object] = []
    endless.append(endless)
    assert refusal(check_plain, endless) == "record_too_deep"
    doubling: object = 1
    for _ in range(60):
        doubling = [doubling, doubling]
    assert refusal(check_plain, doubling, depth_max=100) == "record_too_deep"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"order": {"amount": 1.5}}, "`amount` is a floating point number"),
        (["a", "b", 0.5], "item `2` is a floating point number"),
        (0.5, "the value is a floating point number"),
        ({"naïve": 1}, "the field name `na\\xefve` is not ASCII"),
    ],
)
def test_refusals_say_where(value: object, words: str) -> None:
    """Somebody who sent a big record is told which field it was."""
    with pytest.raises(InvalidInput) as caught:
        check_plain(value)
    assert caught.value.message == words


def test_canonical_refuses_half_a_surrogate_pair() -> None:
    """Trusted or not, such text has no bytes."""
    assert refusal(canonical, {"a": "\ud83d"}) == "text_not_unicode"
    assert refusal(canonical, {"\ud83d": 1}) == "text_not_unicode"


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b'{"a": [1, -2, true, null, "x"]}', {"a": [1, -2, True, None, "x"]}),
        (b' \n"\\ud83d\\ude00\\u0041" ', "\U0001f600A"),
        (b"-9007199254740991", -INTEGER_MAX),
        (b"-0", 0),
        (b'{"a":1,"A":2}', {"a": 1, "A": 2}),
        (b'"\x7f"', "\x7f"),
    ],
)
def test_parsed(data: bytes, value: object) -> None:
    """JSON with one reading is read."""
    assert parse(data, size_max=1000) == value


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b'{"a":1,"a":1}', "json_duplicate_key"),
        (b'{"a":1,"\\u0061":2}', "json_duplicate_key"),
        (b'[{"b":{"a":1,"c":2,"a":3}}]', "json_duplicate_key"),
        (b"1.0", "float_in_record"),
        (b'{"a":1e5}', "float_in_record"),
        (b"-0.0", "float_in_record"),
        (b"[1E400]", "float_in_record"),
        (b"9007199254740992", "integer_too_large"),
        (b"-9007199254740992", "integer_too_large"),
        (b"1" * 900, "integer_too_large"),
        (b"NaN", "json_malformed"),
        (b"[Infinity]", "json_malformed"),
        (b"[-Infinity]", "json_malformed"),
        (b"", "json_malformed"),
        (b"   ", "json_malformed"),
        (b"{} {}", "json_malformed"),
        (b"[1,]", "json_malformed"),
        (b'{"a":1,}', "json_malformed"),
        (b"{'a':1}", "json_malformed"),
        (b"01", "json_malformed"),
        (b"+1", "json_malformed"),
        (b".5", "json_malformed"),
        (b"1_000", "json_malformed"),
        ("\u0661".encode(), "json_malformed"),
        (b'"\x01"', "json_malformed"),
        (b'"a\nb"', "json_malformed"),
        (b'"\\x41"', "json_malformed"),
        (b"\xef\xbb\xbf{}", "json_malformed"),
        (b'"\xff"', "json_malformed"),
        (b'"\xed\xa0\x80"', "json_malformed"),
        ('{"a":1}'.encode("utf-16"), "json_malformed"),
        (b"[1] // why", "json_malformed"),
        (b'"\\ud800"', "text_not_unicode"),
        (b'{"\\udfffx":1}', "text_not_unicode"),
        (b'{"a":["\\ude00\\ud83d"]}', "text_not_unicode"),
        (b"[" * 100_000, "record_too_deep"),
        (b'{"a":' * 100_000, "record_too_deep"),
    ],
)
def test_parse_refuses(data: bytes, code: str) -> None:
    """Anything with two readings, or none, has its own refusal."""
    assert refusal(parse, data, size_max=1_000_000) == code


def test_size_is_in_bytes() -> None:
    """The limit itself passes; one byte more does not, and is not even looked at."""
    data = '"é"'.encode()
    assert parse(data, size_max=4) == "é"
    assert refusal(parse, data, size_max=3) == "too_large"
    assert refusal(parse, b"\xff" * 10, size_max=9) == "too_large"


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    """No other exception ever comes out of parse, and what comes out can be written."""
    try:
        value = parse(data, size_max=50)
    except InvalidInput:
        return
    assert json.loads(data) == value
    canonical(value)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("refund", "`refund`"),
        ("", "``"),
        ("a\nb\x1b[1m", "`a\\nb\\x1b[1m`"),
        ("\u202edlog\u200b", "`\\u202edlog\\u200b`"),
        ("`rm`", "`'rm'`"),
        ("\ud800", "`\\ud800`"),
        ("x" * 41, f"`{'x' * 40}...`"),
    ],
)
def test_quoted(text: str, shown: str) -> None:
    """Input in a message is short and hides nothing."""
    assert quoted(text) == shown
