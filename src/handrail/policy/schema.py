"""The published JSON Schema of policy files, built from the tables that the loader reads by."""

from __future__ import annotations

import json
from typing import Any, Final, assert_never

from handrail.core.money import EXPONENTS
from handrail.core.policy import ANY_KIND
from handrail.policy.form import POLICY_FORM
from handrail.policy.shape import (
    AMOUNT_PATTERN,
    MONEY_PATTERN,
    SPAN_PATTERN,
    AmountShape,
    AnyOrShape,
    ChoiceShape,
    CurrencyShape,
    Field,
    FlagShape,
    Goes,
    ListShape,
    MapShape,
    MoneyShape,
    RecordShape,
    Shape,
    SpanShape,
    TextShape,
    WholeShape,
)

__all__ = ["DIALECT", "SCHEMA_ID", "policy_schema", "schema_text"]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
SCHEMA_ID: Final = "urn:handrail:policy"

Schema = dict[str, Any]


def policy_schema() -> Schema:
    """The JSON Schema (draft 2020-12) of a policy file.

    It refuses what a schema can see. Rules between values (bands that rise, kinds that exist, an
    undo for every `run_and_notify`) are the loader's and the lint's.
    """
    records: dict[str, Schema] = {}
    top = _record(POLICY_FORM, records)
    return {
        "$schema": DIALECT,
        "$id": SCHEMA_ID,
        "title": "handrail policy",
        **top,
        "$defs": {name: records[name] for name in sorted(records)},
    }


def schema_text() -> str:
    """The schema as the published file has it."""
    return json.dumps(policy_schema(), indent=2, ensure_ascii=False) + "\n"


def _record(shape: RecordShape, records: dict[str, Schema]) -> Schema:
    schema: Schema = {
        "type": "object",
        "additionalProperties": False,
        "properties": {field.name: _field(field, records) for field in shape.fields},
    }
    required = [field.name for field in shape.fields if field.required]
    if required:
        schema["required"] = required
    if shape.one_of:
        schema["oneOf"] = [{"required": [name]} for name in shape.one_of]
    if shape.goes:
        schema["allOf"] = [_goes(rule) for rule in shape.goes]
    return schema


def _field(field: Field, records: dict[str, Schema]) -> Schema:
    schema = {**_of(field.shape, records), "description": field.about}
    if field.default is not None:
        schema["default"] = field.default
    return schema


def _goes(rule: Goes) -> Schema:
    holds = {"properties": {rule.other: {"const": rule.value}}, "required": [rule.other]}
    schema: Schema = {"if": holds, "else": {"properties": {rule.field: False}}}
    if rule.needed:
        schema["then"] = {"required": [rule.field]}
    return schema


def _of(shape: Shape, records: dict[str, Schema]) -> Schema:
    match shape:
        case TextShape(pattern=pattern, chars_max=chars_max):
            return {"type": "string", "pattern": _whole(pattern), "maxLength": chars_max}
        case WholeShape(low=low, high=high):
            return {"type": "integer", "minimum": low, "maximum": high}
        case SpanShape():
            return {"type": "string", "pattern": _whole(SPAN_PATTERN)}
        case AmountShape():
            return {"type": "string", "pattern": _whole(AMOUNT_PATTERN)}
        case MoneyShape():
            return {"type": "string", "pattern": _whole(MONEY_PATTERN)}
        case ChoiceShape(of=of):
            return {"enum": list(of)}
        case FlagShape():
            # Editors that read YAML 1.2 see a plain `true` as a boolean.
            return {"enum": ["yes", "no", "true", "false", True, False]}
        case AnyOrShape(names=names):
            return {"anyOf": [{"const": ANY_KIND}, _of(names, records)]}
        case ListShape(item=item, items_max=items_max, unique=unique):
            schema = {"type": "array", "items": _of(item, records), "minItems": 1}
            return {**schema, "maxItems": items_max, **({"uniqueItems": True} if unique else {})}
        case MapShape(key=key, value=value):
            return {
                "type": "object",
                "propertyNames": _key(key),
                "additionalProperties": _of(value, records),
                "minProperties": shape.entries_min,
                "maxProperties": shape.entries_max,
            }
        case RecordShape(name=name):
            if name not in records:
                records[name] = _record(shape, records)
            return {"$ref": f"#/$defs/{name}"}
        case _:
            assert_never(shape)


def _key(shape: TextShape | CurrencyShape) -> Schema:
    if isinstance(shape, CurrencyShape):
        return {"enum": sorted(EXPONENTS)}
    return {"pattern": _whole(shape.pattern), "maxLength": shape.chars_max}


def _whole(pattern: str) -> str:
    """A schema's pattern matches anywhere in a text unless it is anchored."""
    return f"^(?:{pattern})$"
