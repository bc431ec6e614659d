"""Reading what a browser's form has sent, within bounds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import Request

from handrail.errors import InvalidInput

__all__ = ["EDIT_BYTES_MAX", "FORM_BYTES_MAX", "read_form"]

FORM_BYTES_MAX: Final = 64 * 1024
"""A reason of 4,000 characters takes at most 48,000 bytes in a form."""
EDIT_BYTES_MAX: Final = 2 * 1024 * 1024
"""A message of 100,000 characters takes at most 1,200,000 bytes in a form."""
_FIELDS_MAX: Final = 150
"""A form may have a field for every parameter of a kind (40), every fact (60) and need (20)."""
_TYPE: Final = "application/x-www-form-urlencoded"


async def read_form(request: Request, bytes_max: int = FORM_BYTES_MAX) -> Mapping[str, str]:
    """The fields of a form; of a field that is sent twice, the last.

    Raises InvalidInput `too_large` and `field_malformed`.
    """
    sent = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if sent != _TYPE:
        raise InvalidInput("field_malformed", f"a form is sent as `{_TYPE}`")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > bytes_max:
            raise InvalidInput("too_large", "the form is longer than allowed")
    try:
        fields = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            encoding="utf-8",
            errors="strict",
            max_num_fields=_FIELDS_MAX,
        )
    except (UnicodeDecodeError, ValueError):
        raise InvalidInput("field_malformed", "the form cannot be read") from None
    # A browser sends every line break of a text area as CR LF.
    return {name: value.replace("\r\n", "\n") for name, value in fields}
