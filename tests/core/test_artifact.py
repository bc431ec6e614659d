"""The artifact: every byte that will leave, one digest over all of it, nothing without a form."""

from __future__ import annotations

import hashlib
import json
from itertools import pairwise
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from handrail.core.artifact import (
    ARTIFACT_BYTES_MAX,
    digest_of,
    encode_artifact,
    statement_digest,
)
from handrail.core.money import Money
from handrail.errors import InvalidInput

WHOLE: dict[str, Any] = {
    "desk": "main",
    "proposal": "hr_1",
    "nonce": "5f2c",
    "kind": "refund.issue",
    "connector": "billing",
    "connector_version": "1",
    "customer": "cus_1",
    "params": {"amount": Money(minor=12000, currency="USD"), "order": "ord_1"},
    "request": {"path": "/refunds", "body": {"cents": 12000}, "cc": []},
}

# What differs -> the other value. Each must give another digest.
DIFFERENT: list[tuple[str, object]] = [
    ("desk", "other"),
    ("proposal", "hr_2"),
    ("nonce", "5f2d"),
    ("kind", "credit.issue"),
    ("connector", "billing2"),
    ("connector_version", "2"),
    ("customer", "cus_2"),
    ("customer", None),
    ("customer", "null"),
    ("params", {**WHOLE["params"], "amount": Money(minor=12001, currency="USD")}),
    ("params", {**WHOLE["params"], "amount": Money(minor=12000, currency="EUR")}),
    ("params", {"order": "ord_1"}),
    ("request", {**WHOLE["request"], "path": "/refunds/"}),
    ("request", {**WHOLE["request"], "body": {"cents": 12000, "fee": 0}}),
    ("request", {**WHOLE["request"], "cc": ["a@example.com"]}),
    ("request", {**WHOLE["request"], "cc": None}),
    ("request", {**WHOLE["request"], "body": {"cents": "12000"}}),
]

# What a connector must not put into a request: it has no single canonical form.
NO_FORM: list[tuple[object, str]] = [
    (1.5, "float_in_record"),
    (float("nan"), "float_in_record"),
    ({"x": [0.1]}, "float_in_record"),
    ({1, 2}, "field_wrong_type"),
    (2**53, "integer_too_large"),
    ({"é": 1}, "key_not_ascii"),
    ("half \ud800", "text_not_unicode"),
]

PARTS = ("artifact", "rendering", "facts", "policy", "desk", "nonce")


def test_the_bytes_are_canonical_json() -> None:
    """Sorted keys, no blanks, money as whole minor units: readable by any JSON reader."""
    assert encode_artifact(**WHOLE) == (
        b'{"connector":"billing","connector_version":"1","customer":"cus_1","desk":"main",'
        b'"kind":"refund.issue","nonce":"5f2c",'
        b'"params":{"amount":{"currency":"USD","minor":12000},"order":"ord_1"},'
        b'"proposal":"hr_1","request":{"body":{"cents":12000},"cc":[],"path":"/refunds"}}'
    )


def test_the_order_in_which_a_connector_builds_its_request_does_not_matter() -> None:
    """Equal requests have equal bytes."""
    turned = dict(reversed(WHOLE["request"].items()))
    assert encode_artifact(**{**WHOLE, "request": turned}) == encode_artifact(**WHOLE)


@pytest.mark.parametrize(("field", "value"), DIFFERENT, ids=repr)
def test_every_difference_changes_the_digest(field: str, value: object) -> None:
    """Nothing that leaves, and nothing that says whose it is, can change unseen."""
    other = encode_artifact(**{**WHOLE, field: value})
    assert digest_of(other) != digest_of(encode_artifact(**WHOLE))


def test_every_field_has_a_row_above() -> None:
    """A new field of the artifact needs a difference in this table."""
    assert {field for field, _ in DIFFERENT} == set(WHOLE)
    assert json.loads(encode_artifact(**WHOLE)).keys() == WHOLE.keys()


@pytest.mark.parametrize(("value", "code"), NO_FORM, ids=repr)
def test_a_request_without_a_canonical_form_is_refused(value: object, code: str) -> None:
    """A float or a set in a request would be shown, hashed and sent in three different ways."""
    with pytest.raises(InvalidInput) as refusal:
        encode_artifact(**{**WHOLE, "request": {"value": value}})
    assert refusal.value.code == code


def test_an_artifact_has_at_most_one_mebibyte() -> None:
    """Exactly the limit passes, one byte more does not."""
    empty = len(encode_artifact(**{**WHOLE, "request": {"body": ""}}))
    room = ARTIFACT_BYTES_MAX - empty
    assert ARTIFACT_BYTES_MAX == 1024 * 1024
    data = encode_artifact(**{**WHOLE, "request": {"body": "x" * room}})
    assert len(data) == ARTIFACT_BYTES_MAX
    for body in ("x" * (room + 1), "é" * (room // 2 + 1)):
        with pytest.raises(InvalidInput) as refusal:
            encode_artifact(**{**WHOLE, "request": {"body": body}})
        assert refusal.value.code == "too_large"


def test_a_digest_is_sha_256_in_lower_case_hex() -> None:
    """The published test vector of the empty text and of `abc`."""
    assert digest_of(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert digest_of(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@given(st.fixed_dictionaries({part: st.text(max_size=5) for part in PARTS}))
def test_a_statement_binds_all_its_parts(parts: dict[str, str]) -> None:
    """E3: any part that changes, the desk among them, makes another statement; so does a swap."""
    statement = statement_digest(**parts)
    assert statement == hashlib.sha256(rfc8785.dumps(parts)).hexdigest()
    for part in PARTS:
        assert statement_digest(**{**parts, part: parts[part] + "x"}) != statement
    for here, there in pairwise(PARTS):
        turned = {**parts, here: parts[there], there: parts[here]}
        assert (statement_digest(**turned) == statement) is (parts[here] == parts[there])


def test_the_nonce_keeps_equal_actions_apart() -> None:
    """A digest in the log does not give away a small amount to whoever tries them all."""
    first, second = (encode_artifact(**{**WHOLE, "nonce": nonce}) for nonce in ("a", "b"))
    assert digest_of(first) != digest_of(second)
