"""The values that may be sent: text, whole numbers, true, false, null, lists and objects.

The same limits as the server's, checked here so that the message names the argument.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from handrail.sdk.errors import CallInvalid

__all__ = ["DEPTH_MAX", "INTEGER_MAX", "ITEMS_MAX", "check_params", "encoded"]

INTEGER_MAX: Final = 2**53 - 1
DEPTH_MAX: Final = 16
ITEMS_MAX: Final = 10_000
NAME_CHARS_MAX: Final = 100


def check_params(params: Mapping[str, object]) -> None:
    """Refuse what cannot be sent exactly, by the name of the parameter.

    Raises CallInvalid: `float_in_record`, `integer_too_large`, `text_not_unicode`,
    `key_not_ascii`, `field_wrong_type` for every other type (subclasses too), `record_too_deep`
    (also for a list that contains itself).
    """
    for name, value in params.items():
        _check_key(name)
        _check(name, value)


def encoded(record: Mapping[str, object]) -> bytes:
    """JSON bytes of a record that was checked."""
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode()


def _check(name: str, value: object) -> None:
    level: list[object] = [value]
    depth = items = 0
    while level:
        depth += 1
        items += len(level)
        if depth > DEPTH_MAX or items > ITEMS_MAX:
            raise CallInvalid(
                "record_too_deep",
                f"{_shown(name)} is nested more than {DEPTH_MAX} levels deep, or has more than"
                f" {ITEMS_MAX} values",
            )
        level = [inner for item in level for inner in _inside(name, item)]


def _inside(name: str, item: object) -> list[object]:
    """The values in a container; none in a plain value, which is checked."""
    if type(item) is dict:
        for key in item:
            _check_key(key)
        return list(item.values())
    if type(item) is list or type(item) is tuple:
        return list(item)
    if type(item) is int:
        if not -INTEGER_MAX <= item <= INTEGER_MAX:
            raise CallInvalid("integer_too_large", f"{_shown(name)} is beyond 2^53 - 1")
    elif type(item) is str:
        _check_text(name, item)
    elif item is not None and type(item) is not bool:
        _refuse(name, item)
    return []


def _check_key(key: object) -> None:
    if type(key) is not str or not key.isascii():
        raise CallInvalid("key_not_ascii", f"a field name must be ASCII text, not {key!r:.40}")


def _check_text(name: str, text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise CallInvalid(
            "text_not_unicode", f"{_shown(name)} has half a surrogate pair in it"
        ) from None


def _refuse(name: str, value: object) -> None:
    if isinstance(value, float):
        raise CallInvalid(
            "float_in_record",
            f"{_shown(name)} is a floating point number, which does not keep its value; give money"
            ' as text like "12.00 USD" and other numbers as whole ones',
        )
    raise CallInvalid(
        "field_wrong_type",
        f"{_shown(name)} is a `{type(value).__name__}`; it must be text, a whole number, true,"
        " false, null, a list or an object",
    )


def _shown(name: str) -> str:
    return f"`{name[:NAME_CHARS_MAX]}`"
