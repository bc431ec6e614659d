"""A tool's result comes back as it was, or it is said that it was not kept."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.core.canonical import check_plain
from handrail.sdk.kept import NOT_KEPT, kept, was_kept

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(JSON)
def test_every_json_value_comes_back(value: object) -> None:
    """Floats, names in any script and half surrogates included; and the server takes the form."""
    record = kept(value)
    check_plain(record)
    assert was_kept(record) == (value,)


class _Unprintable:
    def __repr__(self) -> str:
        raise RuntimeError("no")


class _Broken:
    def __repr__(self) -> str:
        return "half \ud800"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (b"x", "b'x'"),
        ({1: "a"}, "{1: 'a'}"),
        (float("nan"), "nan"),
        ({"a"}, "{'a'}"),
        (_Unprintable(), "a `_Unprintable`"),
        (_Broken(), "half ?"),
    ],
)
def test_what_json_cannot_carry_is_kept_to_look_at(value: object, shown: str) -> None:
    """It is shown to people, and never handed back as if it were the result."""
    record = kept(value)
    assert record == {"returned_text": shown}
    assert was_kept(record) is None


@pytest.mark.parametrize("value", ["x" * 1_000_000, [0.5] * 300_000])
def test_what_is_too_long_is_not_kept(value: object) -> None:
    """The action is done all the same; only its result is left out."""
    assert kept(value) == NOT_KEPT
    assert was_kept(kept(value)) is None


def test_what_is_too_deep_comes_back_from_its_text() -> None:
    """Nested deeper than the server takes: kept as text, which has no depth."""
    deep: list[object] = []
    for _ in range(40):
        deep = [deep]
    check_plain(kept(deep))
    assert was_kept(kept(deep)) == (deep,)


@pytest.mark.parametrize("result", [None, {}, {"note": "x"}, {"returned_json": 7}])
def test_somebody_elses_result_is_not_taken_for_the_tools(result: dict[str, object] | None) -> None:
    """What the server found out by itself has another form."""
    assert was_kept(result) is None
