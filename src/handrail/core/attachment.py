"""Attachments of a message: what they say they are, what they are by their bytes, and how far a
person can look into them.

Nothing is fetched and nothing is opened: the bytes are in the action itself, and only their
signatures are read. What is not certainly one harmless thing counts as what nobody can look into.
Sources of the signatures: PNG (RFC 2083), JPEG (ITU-T T.81), GIF89a, WebP (RFC 9649), PDF (ISO
32000), ZIP (APPNOTE).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from enum import Enum
from typing import Final

import msgspec

from handrail.core.text import hidden_marks
from handrail.errors import InvalidInput

__all__ = [
    "ATTACHED_BYTES_MAX",
    "ATTACHMENTS_MAX",
    "Appearance",
    "Attachment",
    "Insight",
    "look_at",
    "read_attachments",
]

ATTACHMENTS_MAX: Final = 10
ATTACHED_BYTES_MAX: Final = 256 * 1024
"""All attachments of one action together, decoded: they are stored within the action."""
NAME_CHARS_MAX: Final = 200
_TYPE: Final = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,63}/[a-z0-9][a-z0-9!#$&^_.+-]{0,63}")
_NO_NAME: Final = re.compile(r"[/\\\x00-\x1f\x7f]")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_ACTIVE: Final = re.compile(rb"<(?:!doctype|html|script|svg|iframe|body|\?php|\?xml)", re.I)
_ZIP_END: Final = b"PK\x05\x06"
_TAIL: Final = 66_000
"""A ZIP ends with a record of at most 22 bytes and a comment of 65,535."""


class Attachment(msgspec.Struct, frozen=True, kw_only=True):
    """One attachment: its file name, its media type as declared, its bytes in base64."""

    name: str
    type: str
    content: str

    @property
    def data(self) -> bytes:
        """The bytes."""
        return base64.b64decode(self.content)


class Insight(Enum):
    """How far a person can look into something.

    READABLE: it is plain text, and shown. OPAQUE: it is a picture or a PDF, which may say what no
    rule here reads. UNINSPECTABLE: it is unknown, or not what it says it is.
    """

    READABLE = "readable"
    OPAQUE = "opaque"
    UNINSPECTABLE = "uninspectable"


class Appearance(msgspec.Struct, frozen=True, kw_only=True):
    """What an attachment is by its bytes. `sniffed` is its media type, `wrong` what is not right.

    `text` is what it says, for one that is plain text. `size` is in bytes, `sha256` in hex.
    """

    sniffed: str
    insight: Insight
    wrong: tuple[str, ...]
    size: int
    sha256: str
    text: str | None = None

    @property
    def is_picture(self) -> bool:
        """Whether it is a picture and nothing besides."""
        return self.insight is Insight.OPAQUE and self.sniffed.startswith("image/")


_ENDINGS: Final = {
    "image/png": ("png",),
    "image/jpeg": ("jpg", "jpeg"),
    "image/gif": ("gif",),
    "image/webp": ("webp",),
    "application/pdf": ("pdf",),
    "text/plain": ("txt", "csv", "md", "log", "ics"),
}
_TEXT_TYPES: Final = ("text/plain", "text/csv", "text/markdown", "text/calendar")
_KNOWN_ENDINGS: Final = frozenset(
    "exe com scr bat cmd js vbs ps1 jar msi lnk hta html htm svg zip rar 7z gz doc docx docm xls"
    " xlsx xlsm ppt pptx rtf iso dll sh py php".split()
).union(*_ENDINGS.values())
_UNKNOWN: Final = "application/octet-stream"


def read_attachments(value: object) -> tuple[Attachment, ...]:
    """The attachments in a parameter: a list of objects with `name`, `type` and `content`.

    Raises InvalidInput `field_malformed` for what is none, and `too_large`.
    """
    try:
        found = [Attachment(**fields) for fields in msgspec.convert(value, list[dict[str, str]])]
    except (msgspec.ValidationError, TypeError):
        raise InvalidInput(
            "field_malformed",
            "`attachments` must be a list of objects with `name`, `type` and `content` as text",
        ) from None
    if len(found) > ATTACHMENTS_MAX:
        raise InvalidInput("too_large", f"an action has at most {ATTACHMENTS_MAX} attachments")
    for place, one in enumerate(found):
        _check(f"attachments[{place}]", one)
    if sum(len(one.data) for one in found) > ATTACHED_BYTES_MAX:
        said = f"the attachments have more than {ATTACHED_BYTES_MAX} bytes together"
        raise InvalidInput("too_large", said)
    return tuple(found)


def _check(where: str, one: Attachment) -> None:
    if not one.name.strip() or len(one.name) > NAME_CHARS_MAX or _NO_NAME.search(one.name):
        raise InvalidInput(
            "field_malformed", f"`{where}.name` must be a file name without a path or control"
        )
    if not _TYPE.fullmatch(one.type):
        raise InvalidInput("field_malformed", f"`{where}.type` must be a media type in lower case")
    try:
        data = base64.b64decode(one.content, validate=True)
    except (binascii.Error, ValueError):
        data = b""
    if not data or base64.b64encode(data).decode() != one.content:
        raise InvalidInput(
            "field_malformed", f"`{where}.content` must be the bytes in base64, and not empty"
        )


def look_at(one: Attachment) -> Appearance:
    """What it is by its bytes, and what speaks against its being only that."""
    data = one.data
    sniffed, text = _sniffed(data)
    wrong = [*_wrong_in_name(one.name, sniffed), *_wrong_in_bytes(data, sniffed)]
    declared = _TEXT_TYPES if sniffed == "text/plain" else (sniffed,)
    if sniffed == _UNKNOWN:
        wrong.append("its bytes are of no kind that is known here")
    elif one.type not in declared:
        wrong.append(f"it says {one.type}, and is {sniffed}")
    if text is not None and hidden_marks(text):
        wrong.append("characters hide in its text")
    insight = Insight.READABLE if text is not None else Insight.OPAQUE
    return Appearance(
        sniffed=sniffed,
        insight=Insight.UNINSPECTABLE if wrong else insight,
        wrong=tuple(wrong),
        size=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        text=text,
    )


def _sniffed(data: bytes) -> tuple[str, str | None]:
    """The media type by the first bytes, with the text when it is one."""
    for start, kind in (
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff", "image/jpeg"),
        (b"GIF87a", "image/gif"),
        (b"GIF89a", "image/gif"),
        (b"%PDF-", "application/pdf"),
    ):
        if data.startswith(start):
            return kind, None
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "image/webp", None
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return _UNKNOWN, None
    if _CONTROL.search(text) or text.startswith(("#!", "MZ", "{\\rtf")) or _ACTIVE.search(data):
        return _UNKNOWN, None
    return "text/plain", text


def _wrong_in_name(name: str, sniffed: str) -> list[str]:
    wrong = [f"its name hides something: {mark.what}" for mark in hidden_marks(name)[:1]]
    first, *endings = name.lower().rstrip(" .").split(".")
    if any(ending.strip() in _KNOWN_ENDINGS for ending in endings[:-1]):
        wrong.append("its name has two endings")
    ending = endings[-1] if endings and first else ""
    if sniffed in _ENDINGS and ending not in _ENDINGS[sniffed]:
        wrong.append(f"its name does not end as that of {sniffed} does")
    return wrong


def _wrong_in_bytes(data: bytes, sniffed: str) -> list[str]:
    """Whether it is something else besides: what a reader of that kind would take it for."""
    wrong = []
    if sniffed not in ("text/plain", _UNKNOWN) and _ACTIVE.search(data[:4096]):
        wrong.append("there is a page or a script in it")
    if _ZIP_END in data[-_TAIL:]:
        wrong.append("it is an archive as well")
    ends = {
        "image/png": data.endswith(b"IEND\xaeB`\x82"),
        "image/jpeg": data.endswith(b"\xff\xd9"),
        "image/gif": data.endswith(b"\x3b"),
        "image/webp": len(data) - 8 - int.from_bytes(data[4:8], "little") in (0, 1),
        "application/pdf": data.rstrip().endswith(b"%%EOF"),
    }
    if not ends.get(sniffed, True):
        wrong.append("something stands behind its end, or it has none")
    return wrong
