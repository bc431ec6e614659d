"""The words that the forms of a policy are written in: names, titles, and fields."""

from __future__ import annotations

from typing import Final

from handrail.policy.shape import Field, ListShape, Shape, TextShape

__all__ = [
    "KINDS_MAX",
    "KIND_NAME",
    "KIND_NAMES",
    "NAME_CHARS_MAX",
    "SLUG",
    "SLUGS",
    "TITLE",
    "WORD",
    "left_out",
    "needed",
]

KINDS_MAX: Final = 500
NAME_CHARS_MAX: Final = 80
TITLE_CHARS_MAX: Final = 80

SLUG: Final = TextShape(
    what="small letters, digits, `_` and `-`, beginning with a letter",
    pattern="[a-z][a-z0-9_-]*",
    chars_max=NAME_CHARS_MAX,
)
KIND_NAME: Final = TextShape(
    what="letters, digits, `_`, `-` and `.`, beginning with a letter",
    pattern="[A-Za-z][A-Za-z0-9_.-]*",
    chars_max=NAME_CHARS_MAX,
)
WORD: Final = TextShape(
    what="letters, digits and `_`, not beginning with a digit",
    pattern="[A-Za-z_][A-Za-z0-9_]*",
    chars_max=NAME_CHARS_MAX,
)
TITLE: Final = TextShape(what="one line of text", chars_max=TITLE_CHARS_MAX)
KIND_NAMES: Final = ListShape(item=KIND_NAME, items_max=KINDS_MAX, unique=True)
SLUGS: Final = ListShape(item=SLUG, items_max=KINDS_MAX, unique=True)


def needed(name: str, shape: Shape, about: str) -> Field:
    """A key that must stand there."""
    return Field(name=name, shape=shape, about=about, required=True)


def left_out(name: str, shape: Shape, about: str, default: str | None = None) -> Field:
    """A key that may be left out; `default` is written as in a file."""
    return Field(name=name, shape=shape, about=about, default=default)
