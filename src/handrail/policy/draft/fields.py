"""What a field takes, from its JSON Schema: one of the types that a policy knows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from handrail.core.action import TEXT_CHARS_MAX, ParamType
from handrail.policy.draft.offered import Wanted, legal, record, unlike, word_list

__all__ = ["PARAMS_MAX", "Typed", "resolved", "typed"]

PARAMS_MAX: Final = 40
_CHOICES_MAX: Final = 100
_CHOICE_CHARS_MAX: Final = 100
_REFERENCES_MAX: Final = 20
_AMOUNTS: Final = frozenset(
    "amount total price cost fee sum refund credit payment charge balance value money cents"
    " discount payout tip".split()
)
_AMOUNT_TEXTS: Final = frozenset("amount total price cost fee sum".split())
"""What a text is taken for an amount by; a text called `refund` or `charge` is an id as a rule."""
_COUNTS: Final = frozenset(
    "count number quantity qty days hours page size limit id percent".split()
)
_IDS: Final = frozenset(("id", "uuid", "guid", "ref", "reference", "key", "sku", "number"))
_ID_FORMATS: Final = ("uuid", "guid")
_NUMBERS: Final = ("number", "integer")
_ONE_LINE: Final = re.compile(r"\S([^\x00-\x1f\x7f-\xa0\u2028\u2029]*\S)?")


class Typed(msgspec.Struct, frozen=True, kw_only=True):
    """One parameter of a draft. `why` says what was guessed about it, "" when nothing was."""

    name: str
    type: ParamType
    required: bool
    choices: tuple[str, ...] = ()
    chars_max: int | None = None
    why: str = ""


def resolved(form: object, document: Mapping[str, object]) -> dict[str, object]:
    """A schema with local references (`#/...`) followed, and `null` taken out of its choices.

    What leads elsewhere, in circles, or to nothing is an empty schema: anything may stand there.
    """
    for _ in range(_REFERENCES_MAX):
        schema = dict(record(form))
        reference = schema.get("$ref")
        if isinstance(reference, str):
            form = _followed(reference, document)
            continue
        for key in ("anyOf", "oneOf", "allOf"):
            options = schema.get(key)
            if not isinstance(options, list):
                continue
            left = [one for one in options if record(one).get("type") != "null"]
            if len(left) == 1:
                form = left[0]
                break
        else:
            return schema
    return {}


def _followed(reference: str, document: Mapping[str, object]) -> object:
    found: object = document
    if not reference.startswith("#/"):
        return {}
    for part in reference[2:].split("/"):
        found = record(found).get(part.replace("~1", "/").replace("~0", "~"))
    return found


def typed(wanted: tuple[Wanted, ...], *, whole: bool) -> tuple[Typed, ...]:
    """The parameters of a kind. What cannot be told apart by name is one record, `request`."""
    if whole or len(wanted) > PARAMS_MAX:
        why = (
            f"it takes {len(wanted)} fields, and a kind has at most {PARAMS_MAX}"
            if len(wanted) > PARAMS_MAX
            else "what it takes is not said by names, so anything may be in it"
        )
        return (Typed(name="request", type=ParamType.RECORD, required=True, why=why),)
    found: dict[str, Typed] = {}
    for one in wanted:
        name = unlike(legal(one.name, dots=False), found)
        param = _typed(name, one)
        if name != one.name:
            called = f"it is called {one.name[:60]!a} there"
            why = f"{called}; {param.why}" if param.why else called
            param = msgspec.structs.replace(param, why=why)
        found[name] = param
    return tuple(found.values())


def _typed(name: str, wanted: Wanted) -> Typed:
    schema = wanted.schema
    choices = schema.get("enum", [schema["const"]] if "const" in schema else None)
    if choices is not None:
        return _choice(name, wanted, choices)
    match _type(schema):
        case "string":
            return _text(name, wanted)
        case "boolean":
            return Typed(name=name, type=ParamType.BOOLEAN, required=wanted.required)
        case "integer" | "number" as kind:
            return _number(name, wanted, kind)
        case "object" | "array":
            return Typed(name=name, type=ParamType.RECORD, required=wanted.required)
        case _:
            why = "its type is not said; a record takes any object or list"
            return Typed(name=name, type=ParamType.RECORD, required=wanted.required, why=why)


def _type(schema: Mapping[str, object]) -> str:
    """The one type that a schema allows beside null, "" when there is none or more."""
    said = schema.get("type")
    if isinstance(said, list):
        left = [one for one in said if one != "null"]
        said = left[0] if len(left) == 1 else None
    if isinstance(said, str):
        return said
    if "properties" in schema:
        return "object"
    return "array" if "items" in schema else ""


def _choice(name: str, wanted: Wanted, choices: object) -> Typed:
    left = [one for one in choices if one is not None] if isinstance(choices, list) else []
    texts = [one for one in left if isinstance(one, str)]
    unique = tuple(dict.fromkeys(texts))
    fits = all(len(one) <= _CHOICE_CHARS_MAX and _ONE_LINE.fullmatch(one) for one in unique)
    plain = all(one.isascii() for one in unique)
    if unique and len(texts) == len(left) <= _CHOICES_MAX and fits and plain:
        return Typed(name=name, type=ParamType.CHOICE, required=wanted.required, choices=unique)
    why = "its choices cannot stand in a policy, so any text is taken"
    return Typed(name=name, type=ParamType.TEXT, required=wanted.required, why=why)


def _text(name: str, wanted: Wanted) -> Typed:
    words = word_list(wanted.name)
    is_id = wanted.schema.get("format") in _ID_FORMATS or (words and words[-1] in _IDS)
    if _is_amount(words) and _AMOUNT_TEXTS.intersection(words):
        why = "taken for money by its name; the agent writes `18.50 USD`"
        return Typed(name=name, type=ParamType.MONEY, required=wanted.required, why=why)
    if is_id:
        return Typed(name=name, type=ParamType.ID, required=wanted.required)
    most = _whole(wanted.schema.get("maxLength"))
    limit = most if most is not None and 1 <= most < TEXT_CHARS_MAX else None
    return Typed(name=name, type=ParamType.TEXT, required=wanted.required, chars_max=limit)


def _whole(value: object) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        return int(value)
    return value if type(value) is int else None


def _number(name: str, wanted: Wanted, kind: str) -> Typed:
    if _is_amount(word_list(wanted.name)):
        unit = "whole" if kind == "integer" else "bare"
        why = (
            f"a {unit} number there, taken for money by its name; the agent writes `18.50 USD`, and"
            " the connector must know the currency and the unit"
        )
        return Typed(name=name, type=ParamType.MONEY, required=wanted.required, why=why)
    if kind == "integer":
        return Typed(name=name, type=ParamType.INTEGER, required=wanted.required)
    why = "a number with decimals there; handrail takes it as text, and the connector reads it"
    return Typed(name=name, type=ParamType.TEXT, required=wanted.required, chars_max=40, why=why)


def _is_amount(words: tuple[str, ...]) -> bool:
    """Whether a name speaks of an amount of money, and of no count, percentage or id."""
    return bool(_AMOUNTS.intersection(words)) and not _COUNTS.intersection(words)
