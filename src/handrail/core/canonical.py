"""One value, one sequence of bytes: canonical JSON (RFC 8785), and the strict way in.

Everything that is hashed, signed or compared goes through `canonical`; everything that comes from
outside goes through `parse` and `check_plain` first. Times: `canonical` takes about a microsecond
on a small record, so that the checks sit at the boundary and not on every hash.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Final, NoReturn

import msgspec

from handrail.errors import InvalidInput

__all__ = [
    "DEPTH_MAX",
    "INTEGER_MAX",
    "ITEMS_MAX",
    "QUOTED_CHARS_MAX",
    "canonical",
    "check_plain",
    "parse",
    "quoted",
]

INTEGER_MAX: Final = 2**53 - 1
"""Largest whole number, either side of zero, that every JSON reader keeps exact."""

DEPTH_MAX: Final = 16
"""Lists and objects inside one another that `check_plain` allows unless told otherwise."""

ITEMS_MAX: Final = 10_000
"""Values in one record that `check_plain` allows unless told otherwise."""

QUOTED_CHARS_MAX: Final = 40
"""Characters of somebody's input that an error message repeats."""

_Container = dict[object, object] | list[object] | tuple[object, ...]
_INTEGER_DIGITS_MAX: Final = len(str(INTEGER_MAX)) + 1  # one more for a minus sign
_ENCODER: Final = msgspec.json.Encoder(order="sorted")


def canonical(value: object) -> bytes:
    """Return the canonical JSON bytes of a value that is known to be plain.

    Takes None, bool, int, str, lists, tuples, dicts with ASCII string keys, msgspec structs,
    enums (by value) and bytes (as padded base64). Equal values give equal bytes, whatever the
    order of their keys, and the bytes are those of RFC 8785.

    msgspec writes every code point exactly as RFC 8785 section 3.2.2.2 asks: two-character escapes
    for quote, backslash and \\b \\t \\n \\f \\r, lower-case \\u00xx for the other controls, and
    all else, U+007F and U+2028 included, as plain UTF-8 (compared over all of Unicode). It sorts
    keys by code point where the RFC sorts by UTF-16 unit: the same order for ASCII keys, which is
    why others are refused at the boundary.

    Raises InvalidInput `text_not_unicode` for half a surrogate pair, and TypeError for what the
    schema does not know.
    """
    # WHY NOT: check floats, big integers and keys here. msgspec would write NaN as null and a set
    # in no fixed order, but a walk in Python costs ten times the encoding. Values that handrail
    # makes are typed without floats; values from outside pass `check_plain`.
    try:
        return _ENCODER.encode(value)
    except UnicodeEncodeError:
        raise _half_surrogate() from None


def check_plain(value: object, *, depth_max: int = DEPTH_MAX, items_max: int = ITEMS_MAX) -> None:
    """Refuse a value from outside that has no canonical form, or is too big to walk.

    Plain means exactly None, bool, int, str, list, tuple and dict, without subclasses. The value
    itself is at depth 0 if it is a scalar and at depth 1 if it is a container.

    Raises InvalidInput, and says which field: `float_in_record` (NaN and infinity too),
    `integer_too_large`, `text_not_unicode`, `key_not_ascii` (also for keys that are not text),
    `field_wrong_type` (any other type), `record_too_deep` (nested deeper than `depth_max`, or more
    than `items_max` values; also what a list that contains itself gets).
    """
    level: list[_Container] = []
    _check_items(((None, value),), level)
    depth = items = 0
    while level:
        depth += 1
        if depth > depth_max:
            raise InvalidInput("record_too_deep", f"nested more than `{depth_max}` levels deep")
        deeper: list[_Container] = []
        for container in level:
            items += len(container)
            if items > items_max:
                raise InvalidInput("record_too_deep", f"more than `{items_max}` values")
            if isinstance(container, dict):
                _check_keys(container)
                _check_items(container.items(), deeper)
            else:
                _check_items(enumerate(container), deeper)
        level = deeper


def parse(data: bytes, *, size_max: int) -> object:
    """Read strict JSON: one reading only, and only what `canonical` can write back.

    Returns None, bool, int, str, list or dict. `size_max` is in bytes.

    Raises InvalidInput: `too_large`, `json_malformed` (also NaN, Infinity, a byte order mark and
    bytes that are not UTF-8), `json_duplicate_key`, `float_in_record` (any number written with a
    point or an exponent), `integer_too_large`, `text_not_unicode`, `record_too_deep`. Keys outside
    ASCII and the exact depth are for `check_plain`.
    """
    if len(data) > size_max:
        raise InvalidInput("too_large", f"longer than `{size_max}` bytes")
    try:
        text = data.decode("utf-8")
        value: object = _DECODER.decode(text)
    except UnicodeDecodeError:
        raise InvalidInput("json_malformed", "the bytes are not UTF-8") from None
    except json.JSONDecodeError as error:
        raise InvalidInput(
            "json_malformed", f"not JSON at line `{error.lineno}`, column `{error.colno}`"
        ) from None
    except RecursionError:
        raise InvalidInput("record_too_deep", "nested too deep to read") from None
    if "\\u" in text:  # only an escape can bring in half a surrogate pair
        canonical(value)
    return value


def quoted(text: str) -> str:
    """Return somebody's text as error messages show it: short, in backticks, nothing invisible.

    At most `QUOTED_CHARS_MAX` characters of it; everything outside printable ASCII is escaped.
    """
    cut = text[:QUOTED_CHARS_MAX]
    shown = ascii(cut)[1:-1].replace("`", "'")
    return f"`{shown}`" if cut == text else f"`{shown}...`"


def _check_keys(record: dict[object, object]) -> None:
    for key in record:
        if type(key) is not str:
            raise InvalidInput("key_not_ascii", "a field name that is not text")
        if not key.isascii():
            raise InvalidInput("key_not_ascii", f"the field name {quoted(key)} is not ASCII")


def _check_items(pairs: Iterable[tuple[object, object]], deeper: list[_Container]) -> None:
    """Check the scalars among (key or position, value) pairs; collect the containers."""
    for key, item in pairs:
        if type(item) is str:
            if not item.isascii():
                _check_text(item, key)
        elif type(item) is int:
            if not -INTEGER_MAX <= item <= INTEGER_MAX:
                raise InvalidInput("integer_too_large", f"{_field(key)} is beyond 2^53 - 1")
        elif type(item) is dict or type(item) is list or type(item) is tuple:
            deeper.append(item)
        elif item is not None and type(item) is not bool:
            _refuse(item, key)


def _check_text(text: str, key: object) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise InvalidInput(
            "text_not_unicode", f"{_field(key)} has half a surrogate pair in it"
        ) from None


def _refuse(item: object, key: object) -> NoReturn:
    if isinstance(item, float):
        raise InvalidInput("float_in_record", f"{_field(key)} is a floating point number")
    raise InvalidInput(
        "field_wrong_type",
        f"{_field(key)} is not text, a whole number, true, false, null, a list or an object",
    )


def _field(key: object) -> str:
    if key is None:
        return "the value"
    return quoted(key) if isinstance(key, str) else f"item `{key}`"


def _half_surrogate() -> InvalidInput:
    return InvalidInput("text_not_unicode", "a text has half a surrogate pair in it")


def _record(pairs: list[tuple[str, object]]) -> dict[str, object]:
    record = dict(pairs)
    if len(record) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise InvalidInput("json_duplicate_key", f"{quoted(key)} is given twice")
            seen.add(key)
    return record


def _integer(digits: str) -> int:
    # The length first: turning thousands of digits into a number takes time or fails.
    if len(digits) <= _INTEGER_DIGITS_MAX:
        number = int(digits)
        if -INTEGER_MAX <= number <= INTEGER_MAX:
            return number
    raise InvalidInput("integer_too_large", f"{quoted(digits)} is beyond 2^53 - 1")


def _no_float(text: str) -> NoReturn:
    raise InvalidInput(
        "float_in_record", f"{quoted(text)} is a floating point number; send whole numbers or text"
    )


def _no_constant(text: str) -> NoReturn:
    raise InvalidInput("json_malformed", f"{quoted(text)} is not JSON")


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_record,
    parse_int=_integer,
    parse_float=_no_float,
    parse_constant=_no_constant,
)
