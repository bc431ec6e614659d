"""The tools of an MCP server, from the result of `tools/list`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import msgspec

from handrail.core.canonical import quoted
from handrail.errors import InvalidInput
from handrail.policy.draft.fields import resolved
from handrail.policy.draft.offered import Hints, Offered, Wanted, flag, plain, record

__all__ = ["tools_of"]


def tools_of(listed: object) -> tuple[Offered, ...]:
    """The tools of a list, of a `tools/list` result, or of the whole answer that holds one.

    Raises InvalidInput `source_malformed` when there is no list of tools with names in it.
    """
    if isinstance(listed, dict):
        listed = record(listed.get("result")).get("tools", listed.get("tools"))
    if not isinstance(listed, list) or not listed:
        raise InvalidInput("source_malformed", "there is no list of tools in it")
    names: Counter[str] = Counter()
    found: dict[str, Offered] = {}
    for place, tool in enumerate(listed, start=1):
        name = record(tool).get("name")
        if not isinstance(name, str) or not name.strip():
            raise InvalidInput("source_malformed", f"tool {place} of {len(listed)} has no name")
        names[name] += 1
        found.setdefault(name, _tool(name, tool))
    return tuple(msgspec.structs.replace(one, twice=names[name] > 1) for name, one in found.items())


def _tool(name: str, tool: Mapping[str, object]) -> Offered:
    said = record(tool.get("annotations"))
    schema = record(tool.get("inputSchema", tool.get("input_schema")))
    fields = record(schema.get("properties"))
    required = schema.get("required")
    needed = required if isinstance(required, list) else []
    about = tool.get("description")
    return Offered(
        name=name,
        origin=f"tool {quoted(plain(name, 80))}",
        about=about if isinstance(about, str) else "",
        hints=Hints(
            read_only=flag(said.get("readOnlyHint")),
            destructive=flag(said.get("destructiveHint")),
            idempotent=flag(said.get("idempotentHint")),
            open_world=flag(said.get("openWorldHint")),
        ),
        wanted=tuple(
            Wanted(name=str(field), schema=resolved(form, schema), required=field in needed)
            for field, form in fields.items()
        ),
        whole=_is_open(schema, fields),
    )


def _is_open(schema: Mapping[str, object], fields: Mapping[str, object]) -> bool:
    """Whether what it takes is not said by names alone."""
    return any(key in schema for key in ("anyOf", "oneOf", "allOf", "$ref")) and not fields
