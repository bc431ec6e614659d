"""What an attachment is by its bytes: a table of honest and dishonest files."""

from __future__ import annotations

import base64
from typing import Final

import pytest

from handrail.core.attachment import (
    ATTACHED_BYTES_MAX,
    ATTACHMENTS_MAX,
    Attachment,
    Insight,
    look_at,
    read_attachments,
)
from handrail.errors import InvalidInput

PNG: Final = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01"
    b"\x08\x02\x00\x00\x00\x90wS\xde"
    b"\x00\x00\x00\x0cIDATx\x9cc\xf8\xcf\xc0\x00\x00\x03\x01\x01\x00\xc9\xfe\x92\xef"
    b"\x00\x00\x00\x00IEND\xaeB`\x82"
)
JPEG: Final = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\xff\xd9"
PDF: Final = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n%%EOF\n"
ZIP: Final = b"PK\x05\x06" + bytes(18)
WEBP: Final = b"RIFF\x08\x00\x00\x00WEBPVP8 "

CLOSED: Final = Insight.UNINSPECTABLE
LOOKS: Final[dict[str, tuple[str, str, bytes, Insight, str]]] = {
    # name: file name, declared type, bytes, how far one can look, part of what is wrong
    "text": ("note.txt", "text/plain", b"Dear Ann,\r\nthank you", Insight.READABLE, ""),
    "table": ("orders.csv", "text/csv", "id;größe\n1;5".encode(), Insight.READABLE, ""),
    "picture": ("photo.png", "image/png", PNG, Insight.OPAQUE, ""),
    "photo": ("IMG.1.JPG", "image/jpeg", JPEG, Insight.OPAQUE, ""),
    "animation": ("a.gif", "image/gif", b"GIF89a;", Insight.OPAQUE, ""),
    "webp": ("a.webp", "image/webp", WEBP, Insight.OPAQUE, ""),
    "invoice": ("invoice-2026.05.pdf", "application/pdf", PDF, Insight.OPAQUE, ""),
    "archive": ("a.zip", "application/zip", ZIP, CLOSED, "no kind"),
    "program": ("a.exe", "application/octet-stream", b"MZ\x90\x00", CLOSED, "no kind"),
    "page": ("a.html", "text/html", b"<html><b>hi", CLOSED, "no kind"),
    "drawing": ("a.svg", "image/svg+xml", b"<svg onload=x>", CLOSED, "no kind"),
    "script": ("a.txt", "text/plain", b"#!/bin/sh\nrm", CLOSED, "no kind"),
    "not decoded": ("a.txt", "text/plain", b"\xff\xfe\x00", CLOSED, "no kind"),
    "says another type": ("a.png", "image/jpeg", PNG, CLOSED, "says image/jpeg"),
    "another ending": ("a.pdf", "image/png", PNG, CLOSED, "does not end"),
    "a program called a picture": ("a.png", "image/png", b"MZ\x90", CLOSED, "no kind"),
    "two endings": ("a.pdf.png", "image/png", PNG, CLOSED, "two endings"),
    "two endings and spaces": ("a.exe  .txt", "text/plain", b"hi", CLOSED, "two end"),
    "turned name": ("gnp\u202etxt.exe.png", "image/png", PNG, CLOSED, "direction"),
    "hidden in a name": ("a\u200b.png", "image/png", PNG, CLOSED, "invisible"),
    "picture and archive": ("a.png", "image/png", PNG + ZIP, CLOSED, "archive as"),
    "picture and text": ("a.png", "image/png", PNG + b"hello", CLOSED, "behind its"),
    "picture and page": ("a.gif", "image/gif", b"GIF89a<script>;", CLOSED, "script"),
    "invoice and archive": ("a.pdf", "application/pdf", PDF + ZIP, CLOSED, "archive"),
    "hidden in a text": ("a.txt", "text/plain", "a\u202eb".encode(), CLOSED, "hide"),
}


def attached(name: str, type: str, data: bytes) -> Attachment:
    """An attachment of some bytes."""
    return Attachment(name=name, type=type, content=base64.b64encode(data).decode())


@pytest.mark.parametrize("case", LOOKS)
def test_what_it_is(case: str) -> None:
    """B6, B15, B16: by its bytes, whatever it says; what is two things at once is neither."""
    name, type_, data, insight, wrong = LOOKS[case]
    look = look_at(attached(name, type_, data))
    assert look.insight is insight, look
    assert bool(look.wrong) is (insight is CLOSED)
    assert wrong in "; ".join(look.wrong)
    assert look.size == len(data)


GOOD: Final = {"name": "a.txt", "type": "text/plain", "content": "aGk="}
REFUSED: Final[dict[str, tuple[object, str]]] = {
    "no list": ({"a": 1}, "field_malformed"),
    "text": (["a.txt"], "field_malformed"),
    "an address": ([{"name": "a.txt", "type": "text/plain", "url": "x"}], "field_malformed"),
    "a field more": ([{**GOOD, "url": "https://evil.test"}], "field_malformed"),
    "no content": ([{**GOOD, "content": ""}], "field_malformed"),
    "no base64": ([{**GOOD, "content": "a b="}], "field_malformed"),
    "another base64 of the same": ([{**GOOD, "content": "aGl="}], "field_malformed"),
    "a path": ([{**GOOD, "name": "../a.txt"}], "field_malformed"),
    "a control": ([{**GOOD, "name": "a\r\nb.txt"}], "field_malformed"),
    "no name": ([{**GOOD, "name": " "}], "field_malformed"),
    "a header as a type": ([{**GOOD, "type": "text/plain\r\nX: y"}], "field_malformed"),
    "too many": ([GOOD] * (ATTACHMENTS_MAX + 1), "too_large"),
    "too large": ([{**GOOD, "content": "AAAA" * (ATTACHED_BYTES_MAX // 3 + 1)}], "too_large"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_attachment(case: str) -> None:
    """A5: bytes, never an address; bounded; and each refusal says what is wrong by a code."""
    value, code = REFUSED[case]
    with pytest.raises(InvalidInput) as refused:
        read_attachments(value)
    assert refused.value.code == code


def test_what_is_read() -> None:
    """The order and the bytes are kept."""
    first, second = read_attachments([GOOD, {**GOOD, "name": "b.txt", "content": "eW91"}])
    assert (first.name, first.data, second.data) == ("a.txt", b"hi", b"you")
