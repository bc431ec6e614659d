"""HTML cut into pieces by a strict grammar: what is not certainly one thing is said to be wrong.

Browsers and mail programs repair what is written badly, each in its own way. Nothing is repaired
here. A piece is text, a reference to a character, or the beginning or end of an element with its
attributes in quotes; anything else is wrong, and says why. Source: the HTML standard, 13.2.5; a
reference without its semicolon counts only where no reader would take it for one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from html.entities import html5
from typing import Final

import msgspec

from handrail.core.triggers.span import phrase

__all__ = ["BLANKS", "Token", "TokenKind", "tokens_of"]

BLANKS: Final = " \t\r\n"
"""What HTML takes for one space."""

_CODE_MAX: Final = 0x10FFFF
_PIECE: Final = re.compile(
    r"(?P<text>[^<>&]+)"
    r"|(?P<open><(?P<name>[A-Za-z][A-Za-z0-9]*)"
    r"(?P<attributes>(?:[ \t\r\n]+[A-Za-z][A-Za-z-]*=(?:\"[^\"<>]*\"|'[^'<>]*'))*)"
    r"[ \t\r\n]*(?P<slash>/?)>)"
    r"|(?P<close></(?P<ended>[A-Za-z][A-Za-z0-9]*)[ \t\r\n]*>)"
    r"|(?P<reference>&(?:[A-Za-z0-9]+|#[0-9]+|#[xX][0-9A-Fa-f]+)?;?)"
)
_ATTRIBUTE: Final = re.compile(r"[ \t\r\n]+([A-Za-z][A-Za-z-]*)=(?:\"([^\"<>]*)\"|'([^'<>]*)')")
_REFERENCE: Final = re.compile(r"&(?:[A-Za-z0-9]+|#[0-9]+|#[xX][0-9A-Fa-f]+)?;?")
_OTHER: Final = re.compile(r"<!--.*?(?:-->|\Z)|<[^<>]*>?|.", re.DOTALL)
_NAMED: Final = re.compile(r"</?([A-Za-z][^\s/>]*)")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class TokenKind(Enum):
    """What a piece of HTML is."""

    TEXT = "text"
    OPEN = "open"
    CLOSE = "close"
    WRONG = "wrong"


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """Characters `start` to `end` (exclusive) of a source.

    `value` is the text as it is shown, the name of the element, or what is wrong. `decoded` says
    that the text was written as a reference. `attributes` are by name, as they are meant; a value
    is None when it cannot be told. `twice` says that one is given twice; `slash` that it says that
    it is empty.
    """

    kind: TokenKind
    start: int
    end: int
    value: str
    decoded: bool = False
    attributes: dict[str, str | None] = {}
    twice: bool = False
    slash: bool = False


def tokens_of(source: str) -> Iterator[Token]:
    """The pieces of a source, one behind the other, without a gap."""
    at = 0
    while at < len(source):
        found = _PIECE.match(source, at)
        if found is None:
            other = _OTHER.match(source, at)
            end = at + 1 if other is None else other.end()
            yield Token(kind=TokenKind.WRONG, start=at, end=end, value=_why(source[at:end]))
        else:
            end = found.end()
            yield _piece(found, at, end)
        at = end


def _piece(found: re.Match[str], start: int, end: int) -> Token:
    match found.lastgroup:
        case "text":
            text = found.group()
            control = _CONTROL.search(text) is not None
            kind = TokenKind.WRONG if control else TokenKind.TEXT
            value = "a control character, which is shown as nothing" if control else text
            return Token(kind=kind, start=start, end=end, value=value)
        case "reference":
            char = _meant(found.group())
            if char is None:
                what = f"{phrase(found.group())} is no character that every reader takes it for"
                return Token(kind=TokenKind.WRONG, start=start, end=end, value=what)
            decoded = char != found.group()
            return Token(kind=TokenKind.TEXT, start=start, end=end, value=char, decoded=decoded)
        case "close":
            return Token(kind=TokenKind.CLOSE, start=start, end=end, value=found["ended"].lower())
        case _:
            given = _ATTRIBUTE.findall(found["attributes"])
            names = [name.lower() for name, _, _ in given]
            values = [_text_of(first or second) for _, first, second in given]
            return Token(
                kind=TokenKind.OPEN,
                start=start,
                end=end,
                value=found["name"].lower(),
                attributes=dict(zip(names, values, strict=True)),
                twice=len(set(names)) < len(names),
                slash=bool(found["slash"]),
            )


def _text_of(value: str) -> str | None:
    """The value of an attribute as it is meant; None when a reference in it is none."""
    meant: list[str] = []
    rest = 0
    for found in _REFERENCE.finditer(value):
        char = _meant(found.group())
        if char is None:
            return None
        meant += (value[rest : found.start()], char)
        rest = found.end()
    return "".join((*meant, value[rest:]))


def _meant(reference: str) -> str | None:
    """The characters of a reference; itself when no reader takes it for one, None in doubt."""
    if reference == "&" or reference == "&;":
        return reference
    name = reference[1:]
    if name.startswith("#"):
        return _numbered(name) if name.endswith(";") else None
    if name.endswith(";"):
        return html5.get(name)
    # `AT&T` is what it is; `&copy` and `&copyright` are not for everybody.
    begins = any(name[:length] in html5 for length in range(2, len(name) + 1))
    return None if begins else reference


def _numbered(name: str) -> str | None:
    digits = name[1:-1]
    if len(digits) > 8:
        return None
    code = int(digits[1:], 16) if digits[:1] in "xX" else int(digits)
    plain = code in (9, 10) or 32 <= code < 127 or 160 <= code <= _CODE_MAX
    if not plain or 0xD800 <= code <= 0xDFFF or code & 0xFFFE == 0xFFFE:
        return None
    return None if 0xFDD0 <= code <= 0xFDEF else chr(code)


def _why(source: str) -> str:
    """What is wrong with what is no piece."""
    if source.startswith("<!--"):
        return "a comment, which the customer does not see, or only in some programs"
    if source.startswith(("<!", "<?")):
        return "a declaration, or something for a program"
    named = _NAMED.match(source)
    if named is None:
        return f"{phrase(source)} begins or ends nothing"
    name = phrase(named[1].lower())
    return f"the element {name} is not written as it has to be, every attribute in quotes"
