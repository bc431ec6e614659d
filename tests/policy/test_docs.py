"""`docs/policy.md` names every key, default and control, and its example is a policy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from handrail.core.caps import Scope, WhenFull
from handrail.core.grade import AXIS_MEANINGS
from handrail.core.policy import Control
from handrail.policy.form import POLICY_FORM
from handrail.policy.loader import load_text, problems_of
from handrail.policy.shape import (
    AnyOrShape,
    ChoiceShape,
    Field,
    ListShape,
    MapShape,
    RecordShape,
    Shape,
)
from handrail.policy.source import TEXT_BYTES_MAX

PAGE: Final = (Path(__file__).resolve().parents[2] / "docs" / "policy.md").read_text()
EXAMPLE: Final = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


def fields_in(shape: Shape) -> Iterator[Field]:
    """Every key below a shape, its own first."""
    match shape:
        case RecordShape(fields=fields):
            for field in fields:
                yield field
                yield from fields_in(field.shape)
        case MapShape(value=inner) | ListShape(item=inner) | AnyOrShape(names=inner):
            yield from fields_in(inner)
        case _:
            return


FIELDS: Final = list(fields_in(POLICY_FORM))


@pytest.mark.parametrize("name", sorted({field.name for field in FIELDS}))
def test_every_key_has_a_row(name: str) -> None:
    """A table has a row that begins with the key."""
    assert f"\n| `{name}` |" in PAGE


def test_every_default_is_told() -> None:
    """The row of a key that may be left out says what it then is."""
    for field in FIELDS:
        if field.default is not None:
            default = '"*"' if field.default == "*" else field.default
            assert f"\n| `{field.name}` | `{default}` |" in PAGE, field.name


def test_every_word_is_told() -> None:
    """Controls have a row each; every word that a key can take stands on the page."""
    for control in Control:
        assert f"\n| `{control.value}` |" in PAGE
    for field in FIELDS:
        if isinstance(field.shape, ChoiceShape) and field.name != "grade":
            assert all(f"`{word}`" in PAGE for word in field.shape.of), field.name
    for word in (*Scope, *WhenFull):
        assert f"`{word.value}`" in PAGE
    for meanings in AXIS_MEANINGS.values():
        assert " | ".join(meanings) in PAGE


def test_limits_are_those_of_the_code() -> None:
    """The page says how long a file may be."""
    assert f"at most {TEXT_BYTES_MAX // 1024} KiB" in PAGE


def test_example_is_a_policy_and_shows_every_key() -> None:
    """The example loads without a warning, and no key is missing from it."""
    assert EXAMPLE is not None
    text = EXAMPLE.group(1)
    assert problems_of(text) == []
    assert load_text(text, source="docs/policy.md").name == "small-desk"
    for field in FIELDS:
        assert re.search(rf"\b{field.name}:", text), field.name
