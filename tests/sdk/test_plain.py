"""What may be sent: exact values only, refused by the argument's name."""

from __future__ import annotations

from enum import StrEnum

import pytest

from handrail.core.canonical import check_plain
from handrail.errors import CODES, HandrailError
from handrail.sdk.errors import CallInvalid
from handrail.sdk.plain import check_params


class Colour(StrEnum):
    """A text that is more than a text."""

    RED = "red"


LOOP: list[object] = []
LOOP.append(LOOP)

REFUSED: list[tuple[object, str]] = [
    (12.0, "float_in_record"),
    (float("nan"), "float_in_record"),
    ([1, {"a": 0.5}], "float_in_record"),
    (2**53, "integer_too_large"),
    (-(2**53), "integer_too_large"),
    ("\ud800", "text_not_unicode"),
    ({"ключ": 1}, "key_not_ascii"),
    ({1: "a"}, "key_not_ascii"),
    (b"bytes", "field_wrong_type"),
    (Colour.RED, "field_wrong_type"),
    ({"a"}, "field_wrong_type"),
    (object(), "field_wrong_type"),
    (LOOP, "record_too_deep"),
    ([0] * 10_001, "record_too_deep"),
]


@pytest.mark.parametrize(("value", "code"), REFUSED)
def test_what_is_not_exact_is_refused_by_name(value: object, code: str) -> None:
    """The message names the argument, and the code is one of the server's."""
    with pytest.raises(CallInvalid) as caught:
        check_params({"amount": value})
    assert caught.value.code == code
    assert code in CODES
    assert caught.value.status is None
    assert "`amount`" in caught.value.detail or code == "key_not_ascii"


@pytest.mark.parametrize(("value", "code"), REFUSED)
def test_server_would_refuse_it_too(value: object, code: str) -> None:
    """The client is not stricter than the server here, and says the same."""
    with pytest.raises(HandrailError) as caught:
        check_plain({"amount": value})
    assert caught.value.code == code


@pytest.mark.parametrize(
    "value",
    [None, True, 0, -(2**53 - 1), "", "ünï\U0001f600", [], {}, (1, "a"), {"a": [{"b": None}]}],
)
def test_plain_values_pass(value: object) -> None:
    """Text, whole numbers, true, false, null, lists and objects; the server takes them too."""
    check_params({"x": value})
    check_plain({"x": value})


def test_float_is_explained() -> None:
    """Whoever sends money as a number is told how to write it."""
    with pytest.raises(CallInvalid, match=r"money as text like \"12.00 USD\""):
        check_params({"amount": 12.5})
