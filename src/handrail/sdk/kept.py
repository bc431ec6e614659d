"""What a tool returned, in a form that the server keeps, and back again.

Plain values are kept as they are. What JSON can write but the server does not take (floats, names
outside ASCII) is kept as JSON text; anything else only as text to look at.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from handrail.sdk.errors import CallInvalid
from handrail.sdk.plain import check_params, encoded

__all__ = ["NOT_KEPT", "kept", "was_kept"]

RESULT_BYTES_MAX: Final = 1_000_000
SHOWN_CHARS_MAX: Final = 2_000

NOT_KEPT: Final[dict[str, object]] = {"note": "the tool's result was too long or too deep to keep"}

_PLAIN: Final = "returned"
_JSON: Final = "returned_json"
_SHOWN: Final = "returned_text"


def kept(value: object) -> dict[str, object]:
    """The result to report for what a tool returned; at most 1,000,000 bytes."""
    record: dict[str, object] = {_PLAIN: value}
    try:
        check_params(record)
    except CallInvalid:
        record = _written(value)
    return record if len(encoded(record)) <= RESULT_BYTES_MAX else dict(NOT_KEPT)


def was_kept(result: Mapping[str, object] | None) -> tuple[object] | None:
    """What the tool returned, in a tuple of one, or None when it was not kept."""
    if result is None:
        return None
    if _PLAIN in result:
        return (result[_PLAIN],)
    text = result.get(_JSON)
    return (json.loads(text),) if isinstance(text, str) else None


def _written(value: object) -> dict[str, object]:
    try:
        text = json.dumps(value)
        same = json.loads(text) == value
    except (TypeError, ValueError, RecursionError):
        same, text = False, ""
    return {_JSON: text} if same else {_SHOWN: _shown(value)}


def _shown(value: object) -> str:
    try:
        text = repr(value)
    except Exception:
        text = f"a `{type(value).__name__}`"
    return text[:SHOWN_CHARS_MAX].encode("utf-8", "replace").decode()
