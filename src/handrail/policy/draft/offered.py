"""What a system offers to an agent, and the plain forms of what its strangers wrote about it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from handrail.core.text import hidden_marks
from handrail.errors import InvalidInput

__all__ = [
    "OFFERED_MAX",
    "Hints",
    "Offered",
    "Wanted",
    "flag",
    "is_slug",
    "legal",
    "plain",
    "record",
    "too_many",
    "unlike",
    "word_list",
]

OFFERED_MAX: Final = 500
"""Most kinds of one policy, and so of one draft."""
_PLAIN_CHARS_MAX: Final = 160
_NAME_CHARS_MAX: Final = 80
_FLAGS: Final = {"true": True, "false": False}
_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_WORD: Final = re.compile(r"[a-z]+|[0-9]+")
_SCANNED_CHARS_MAX: Final = 4000
_SLUG: Final = re.compile(r"[a-z][a-z0-9_-]{0,79}")


class Hints(msgspec.Struct, frozen=True, kw_only=True):
    """What a tool says about itself; None where it says nothing. Believed only when it warns."""

    read_only: bool | None = None
    destructive: bool | None = None
    idempotent: bool | None = None
    open_world: bool | None = None


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """One field that it takes, with its JSON Schema, every reference resolved at the top."""

    name: str
    schema: Mapping[str, object]
    required: bool


class Offered(msgspec.Struct, frozen=True, kw_only=True):
    """One tool or operation, as it was described: nothing of it is trusted.

    `origin` is what it is called at its home, `method` its HTTP method (small letters), or None for
    a tool. `twice` says that two of them carry this name.
    """

    name: str
    origin: str
    about: str
    method: str | None = None
    hints: Hints = Hints()
    wanted: tuple[Wanted, ...] = ()
    whole: bool = False
    twice: bool = False


def record(value: object) -> Mapping[str, object]:
    """The object itself, or an empty one in the place of anything else."""
    return value if isinstance(value, dict) else {}


def flag(value: object) -> bool | None:
    """A boolean, also one that a YAML reader left as text; None for anything else."""
    if type(value) is bool:
        return value
    return _FLAGS.get(value) if isinstance(value, str) else None


def plain(text: object, most: int = _PLAIN_CHARS_MAX) -> str:
    """A stranger's text on one line, short, with nothing in it that a reader would not see.

    It holds no line break of any kind, so that behind a `#` it stays a comment.
    """
    if not isinstance(text, str):
        return ""
    flat = " ".join(text[:_SCANNED_CHARS_MAX].split())
    flat = flat if len(flat) <= most else flat[: most - 3].rstrip() + "..."
    if flat.isprintable() and not hidden_marks(flat):
        return flat
    return ascii(flat)[1:-1][: 2 * most]


def is_slug(text: str) -> bool:
    """Whether it can be the name of a policy or a connector."""
    return _SLUG.fullmatch(text) is not None


def legal(name: str, *, dots: bool) -> str:
    """The nearest name that a policy takes: for kinds with dots and dashes, for fields without."""
    allowed = r"[^A-Za-z0-9_.-]+" if dots else r"[^A-Za-z0-9_]+"
    mapped = re.sub(allowed, "_", name[:_SCANNED_CHARS_MAX]).strip("_.-" if name[:1] != "_" else "")
    if not mapped or (dots and not mapped[0].isalpha()) or mapped[0].isdigit():
        mapped = f"x_{mapped}".rstrip("_")
    return mapped[:_NAME_CHARS_MAX]


def unlike(name: str, taken: Mapping[str, object] | set[str]) -> str:
    """The name, or with a number behind it when it is taken."""
    if name not in taken:
        return name
    n = 2
    while (other := f"{name[: _NAME_CHARS_MAX - 6]}_{n}") in taken:
        n += 1
    return other


def word_list(text: str) -> tuple[str, ...]:
    """The words of a name or a sentence, in small letters: `getOrder_by-ID` is get, order, by, id.

    A sentence of any length: what stands at its end counts too.
    """
    return tuple(_WORD.findall(_HUMP.sub(" ", text).lower()))


def too_many(found: int) -> InvalidInput:
    """Refuse to draft what no policy could hold."""
    said = f"{found} kinds are offered, and a policy holds {OFFERED_MAX}; choose with `--only`"
    return InvalidInput("too_large", said)
