"""The OpenAPI 3.1 document, made from the operations that the routes are made from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import msgspec

from handrail import __version__
from handrail.errors import CODES
from handrail.surfaces.api import requests
from handrail.surfaces.api.answers import ActionView, ProblemView, RefusedItemView
from handrail.surfaces.api.incoming import Access, Answer, Incoming
from handrail.surfaces.api.operations import Operation
from handrail.surfaces.auth import SESSION_COOKIE

__all__ = ["OPERATIONS", "document"]

OPENAPI_VERSION: Final = "3.1.0"
OPENAPI_PATH: Final = "/v1/openapi.json"
_PREFIX: Final = "#/components/schemas/"
_VIEW: Final = "View"
_ALWAYS: Final = ("store_failed", "store_closed", "internal")
_WITH_BODY: Final = (
    "json_malformed",
    "json_duplicate_key",
    "float_in_record",
    "integer_too_large",
    "text_not_unicode",
    "record_too_deep",
    "too_large",
    "field_unknown",
    "field_missing",
    "field_wrong_type",
    "field_malformed",
)
_WITH_QUERY: Final = ("field_unknown", "field_wrong_type", "field_malformed", "too_large")
_WITH_CREDENTIAL: Final = ("credential_missing", "credential_unknown", "credential_revoked")
_SCHEMES: Final[dict[Access, tuple[str, dict[str, str]]]] = {
    Access.AGENT: (
        "agentKey",
        {"type": "http", "scheme": "bearer", "description": "an agent's API key, `hra_...`"},
    ),
    Access.TASK: (
        "taskToken",
        {"type": "http", "scheme": "bearer", "description": "a task's token, `hrt_...`"},
    ),
    Access.PERSON: (
        "session",
        {
            "type": "apiKey",
            "in": "cookie",
            "name": SESSION_COOKIE,
            "description": "a person's session; unsafe methods also need `x-csrf-token`",
        },
    ),
}


def document(operations: Iterable[Operation]) -> dict[str, Any]:
    """The whole document for these operations."""
    operations = list(operations)
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _described(operation)
    return {
        "openapi": OPENAPI_VERSION,
        "info": {
            "title": "handrail",
            "version": __version__,
            "description": "A control plane for AI customer-support agents.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": _schemas(operations),
            "securitySchemes": dict(_SCHEMES.values()),
        },
    }


async def get_openapi(call: Incoming) -> Answer:
    """This document."""
    operations: Sequence[Operation] = call.scope["app"].state.operations
    return Answer(body=msgspec.json.encode(document(operations)))


def problem_codes(operation: Operation) -> list[str]:
    """Every error code that an operation may answer with, in the order of `CODES`."""
    codes = {*operation.problems, *_ALWAYS}
    if operation.access:
        codes.update(_WITH_CREDENTIAL)
    if Access.TASK in operation.access:
        codes.add("task_expired")
    if Access.PERSON in operation.access:
        codes.add("session_expired")
        if operation.method not in ("GET", "HEAD"):
            codes.add("csrf_failed")
    if operation.body is not None:
        codes.update(_WITH_BODY)
    if operation.query is not None:
        codes.update(_WITH_QUERY)
    return [code for code in CODES if code in codes]


def _described(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "description": (operation.handle.__doc__ or "").strip(),
        "parameters": [*_path_parameters(operation.path), *_parameters(operation)],
        "security": [
            {name: []} for access, (name, _) in _SCHEMES.items() if _takes(operation, access)
        ],
        "responses": dict(_responses(operation)),
    }
    if operation.body is not None:
        described["requestBody"] = {
            "required": bool(_required(operation.body)),
            "content": {"application/json": {"schema": _ref(operation.body)}},
        }
    return described


def _takes(operation: Operation, access: Access) -> bool:
    return access in operation.access


def _responses(operation: Operation) -> Iterator[tuple[str, dict[str, Any]]]:
    content = {operation.content_type: {"schema": _answer_schema(operation)}}
    yield str(operation.status), {"description": operation.summary, "content": content}
    if operation.refused is not None:
        yield str(operation.refused), {"description": "not now", "content": content}
    by_status: dict[int, list[str]] = {}
    for code in problem_codes(operation):
        by_status.setdefault(CODES[code].status, []).append(code)
    for status, codes in sorted(by_status.items()):
        if status == operation.refused:
            continue
        named = "; ".join(f"`{code}`: {CODES[code].meaning}" for code in codes)
        problem = {"application/problem+json": {"schema": _ref(ProblemView)}}
        yield str(status), {"description": named, "content": problem}


def _answer_schema(operation: Operation) -> dict[str, Any]:
    if operation.answer is not None:
        return dict(_ref(operation.answer))
    return {"type": "object" if operation.content_type == "application/json" else "string"}


def _path_parameters(path: str) -> Iterator[dict[str, Any]]:
    for part in path.split("/"):
        if part.startswith("{"):
            name = part.strip("{}")
            kind = {"type": "integer", "minimum": 0} if name == "index" else {"type": "string"}
            yield {"name": name, "in": "path", "required": True, "schema": kind}


def _parameters(operation: Operation) -> Iterator[dict[str, Any]]:
    """The fields of the query, and the header that goes with a person's session."""
    if operation.query is not None:
        shape = _own_schema(operation.query)
        for name, schema in shape["properties"].items():
            needed = name in shape.get("required", ())
            yield {"name": name, "in": "query", "required": needed, "schema": _unless_null(schema)}
    if Access.PERSON in operation.access and operation.method != "GET":
        yield {
            "name": "x-csrf-token",
            "in": "header",
            "required": operation.access is Access.PERSON,
            "schema": {"type": "string"},
            "description": "the `csrf` of the session; for a person only",
        }


def _unless_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A query says nothing by leaving a field out, never by null."""
    kinds = [one for one in schema.get("anyOf", ()) if one != {"type": "null"}]
    return kinds[0] if len(kinds) == 1 else schema


def _schemas(operations: Iterable[Operation]) -> dict[str, Any]:
    shapes: list[Any] = [ProblemView, ActionView, RefusedItemView, requests.ItemRequest]
    for operation in operations:
        shapes.extend(shape for shape in (operation.body, operation.answer) if shape is not None)
    _, components = msgspec.json.schema_components(shapes, ref_template=_PREFIX + "{name}")
    public = {_public(name): _renamed(schema) for name, schema in sorted(components.items())}
    if len(public) != len(components):
        raise ValueError("two shapes of the API have the same public name")
    return public


def _own_schema(shape: type[msgspec.Struct]) -> dict[str, Any]:
    _, components = msgspec.json.schema_components([shape], ref_template=_PREFIX + "{name}")
    own: dict[str, Any] = components[shape.__name__]
    return own


def _required(shape: type[msgspec.Struct]) -> list[str]:
    found: list[str] = _own_schema(shape).get("required", [])
    return found


def _ref(shape: type[msgspec.Struct]) -> dict[str, str]:
    return {"$ref": _PREFIX + _public(shape.__name__)}


def _public(name: str) -> str:
    return name.removesuffix(_VIEW)


def _renamed(schema: Any) -> Any:
    """The same schema with every reference and title by its public name."""
    if isinstance(schema, (list, tuple)):
        return [_renamed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    renamed = {name: _renamed(value) for name, value in schema.items()}
    for name in ("$ref", "title"):
        if isinstance(renamed.get(name), str):
            renamed[name] = _public(renamed[name])
    return renamed


OPERATIONS: Final = (
    Operation(
        method="GET",
        path=OPENAPI_PATH,
        summary="This document",
        handle=get_openapi,
    ),
)
