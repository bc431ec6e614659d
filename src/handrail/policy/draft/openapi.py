"""The operations of an OpenAPI 3.0 or 3.1 document."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from handrail.core.canonical import quoted
from handrail.errors import InvalidInput
from handrail.policy.draft.fields import resolved
from handrail.policy.draft.offered import Offered, Wanted, flag, plain, record

__all__ = ["METHODS", "operations_of"]

METHODS: Final = ("get", "head", "options", "trace", "post", "put", "patch", "delete")
_PLACES: Final = ("path", "query")
_VERSION: Final = re.compile(r"3\.[0-2](\.[0-9]+)?")
_JSON: Final = re.compile(r"application/([a-z0-9.+-]+\+)?json|application/x-www-form-urlencoded")


def operations_of(document: object) -> tuple[Offered, ...]:
    """Every operation of a document, in its order.

    Raises InvalidInput `source_malformed` when it is no OpenAPI 3 document or has no operations.
    """
    top = record(document)
    version = top.get("openapi")
    if "swagger" in top:
        raise InvalidInput("source_malformed", "this is Swagger 2.0; OpenAPI 3.0 or 3.1 is read")
    if not _VERSION.fullmatch(str(version)):
        raise InvalidInput("source_malformed", "this is no OpenAPI 3.0 or 3.1 document")
    found: dict[str, Offered] = {}
    for path, item in record(top.get("paths")).items():
        item = resolved(item, top)
        for method in METHODS:
            operation = record(item.get(method))
            if not operation:
                continue
            one = _operation(str(path), method, item, operation, top)
            twice = one.name in found
            name = f"{method} {path}" if twice else one.name
            found[name] = msgspec.structs.replace(one, name=name, twice=twice)
    if not found:
        raise InvalidInput("source_malformed", "the document has no operations")
    return tuple(found.values())


def _operation(
    path: str,
    method: str,
    item: Mapping[str, object],
    operation: Mapping[str, object],
    top: Mapping[str, object],
) -> Offered:
    said = operation.get("operationId")
    name = said if isinstance(said, str) and said.strip() else f"{method} {path}"
    texts = [operation.get("summary"), operation.get("description")]
    fields = dict(_parameters(item, top))
    fields.update(_parameters(operation, top))
    body = _body(operation, top)
    if body is not None:
        inside = record(body.get("properties"))
        needed = body.get("required")
        for field, form in inside.items():
            key = str(field) if field not in fields else f"body_{field}"
            required = isinstance(needed, list) and field in needed
            fields[key] = Wanted(name=key, schema=resolved(form, top), required=required)
        if not inside:
            fields["body"] = Wanted(name="body", schema=body, required=True)
    return Offered(
        name=name,
        origin=quoted(plain(f"{method.upper()} {path}", 100)),
        about="\n".join(text for text in texts if isinstance(text, str)),
        method=method,
        wanted=tuple(fields.values()),
    )


def _parameters(
    holder: Mapping[str, object], top: Mapping[str, object]
) -> Iterator[tuple[str, Wanted]]:
    listed = holder.get("parameters")
    for one in listed if isinstance(listed, list) else []:
        parameter = resolved(one, top)
        name, place = parameter.get("name"), parameter.get("in")
        if isinstance(name, str) and name and place in _PLACES:
            schema = resolved(parameter.get("schema"), top)
            required = flag(parameter.get("required")) is True or place == "path"
            yield name, Wanted(name=name, schema=schema, required=required)


def _body(operation: Mapping[str, object], top: Mapping[str, object]) -> dict[str, object] | None:
    """The schema of what is sent: JSON or a form. Something else is an empty schema."""
    body = resolved(operation.get("requestBody"), top)
    if not body:
        return None
    for kind, content in record(body.get("content")).items():
        if _JSON.match(str(kind)):
            return resolved(record(content).get("schema"), top)
    return {}
