"""The OpenAPI document: it says what the routes do, and the routes do what it says.

Schemathesis reads the document and attacks the live server with what fits it and what does not,
as an agent and as a person with real credentials.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from jsonschema import Draft202012Validator
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.routing import Route

from handrail.errors import CODES
from handrail.surfaces.api.app import OPERATIONS, create_app
from handrail.surfaces.api.incoming import Access
from handrail.surfaces.api.openapi import document, problem_codes
from handrail.surfaces.api.operations import Endpoint, Operation
from tests.api.stage import PASSWORD, Stage
from tests.house.repo import ROOT

DOCUMENT: Final = document(OPERATIONS)
SCHEMA: Final = schemathesis.openapi.from_dict(DOCUMENT)
CHECKS: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
EXAMPLES: Final = 25
WAIT_MS_MAX: Final = 20
ONE_BY_ONE: Final = pytest.mark.parametrize(
    "operation", OPERATIONS, ids=lambda one: f"{one.method} {one.path}"
)


def references(node: Any) -> Iterator[str]:
    """Every `$ref` in a document."""
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        node = list(node.values())
    if isinstance(node, list):
        for one in node:
            yield from references(one)


def test_routes_and_document_agree(stage: Stage) -> None:
    """Every route of the API is in the document with its methods, and nothing else is."""
    app = create_app(stage.desk)
    served = {
        (route.path, method.lower())
        for route in app.routes
        if isinstance(route, Route) and isinstance(route.endpoint, Endpoint)
        for method in route.endpoint.methods
        if method != "HEAD"
    }
    described = {(path, method) for path, item in DOCUMENT["paths"].items() for method in item}
    assert served == described
    assert stage.http.get("/v1/openapi.json").json() == DOCUMENT


def test_every_reference_leads_somewhere() -> None:
    """References name components that are there, and each component is a schema."""
    schemas = DOCUMENT["components"]["schemas"]
    found = set(references(DOCUMENT))
    assert found
    assert found <= {f"#/components/schemas/{name}" for name in schemas}
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)
    assert not [name for name in schemas if name.endswith("View")]


def test_names_and_codes_are_there() -> None:
    """Each operation has a name of its own, words, and only codes that exist."""
    names = [operation.name for operation in OPERATIONS]
    assert len(set(names)) == len(names)
    for operation in OPERATIONS:
        assert operation.summary
        assert operation.handle.__doc__
        assert set(operation.problems) <= set(CODES)
        assert problem_codes(operation)


def test_docs_name_every_operation() -> None:
    """The page about the API has each method and path."""
    page = (ROOT / "docs" / "http.md").read_text()
    missing = [
        f"{one.method} {one.path}" for one in OPERATIONS if f"`{one.method} {one.path}`" not in page
    ]
    assert not missing


def test_docs_have_every_code_with_its_status() -> None:
    """The table of error codes says what the code says."""
    page = (ROOT / "docs" / "http.md").read_text()
    rows = {line for line in page.splitlines() if line.startswith("| `")}
    wrong = [
        name
        for name, code in CODES.items()
        if f"| `{name}` | {code.status} | {code.meaning} |" not in rows
    ]
    assert not wrong


@pytest.fixture(scope="module")
def finished(stage: Stage) -> str:
    """An action that has come to an end: waiting for it takes no time."""
    done = stage.propose(stage.task(), "ticket.read", {"ticket": "T-101"}, wait_ms=30_000)
    return str(done["id"])


def credential(stage: Stage, operation: Operation) -> dict[str, str]:
    """The headers of somebody who may ask for this; a fresh session for whatever ends one."""
    if Access.PERSON in operation.access:
        body = {"person": "maria", "password": PASSWORD}
        answer = stage.http.post("/v1/session", json=body)
        token = stage.http.cookies.pop("handrail_session")
        return {
            "cookie": f"handrail_session={token}",
            "x-csrf-token": answer.json()["csrf"],
        }
    if Access.TASK in operation.access:
        return stage.task()
    return stage.by_key() if operation.access else {}


def attack(stage: Stage, operation: Operation, mode: schemathesis.GenerationMode, id: str) -> None:
    """Send a number of cases, and check each answer against the document."""
    headers = credential(stage, operation)
    subject = SCHEMA[operation.path][operation.method]
    fixed = {"id": id} if id and "{id}" in operation.path else None

    @given(case=subject.as_strategy(generation_mode=mode, path_parameters=fixed))
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def send(case: schemathesis.Case[Any]) -> None:
        for part in (case.body, case.query):
            wait_ms = part.get("wait_ms") if isinstance(part, dict) else None
            if isinstance(part, dict) and isinstance(wait_ms, int):
                part["wait_ms"] = min(wait_ms, WAIT_MS_MAX)
        answer = case.call(base_url=stage.url, headers=headers)
        case.validate_response(answer, checks=CHECKS)

    send()
    for halt in stage.desk.halts():
        # What a case has stopped must not stop the cases of other operations.
        stage.desk.lift(halt.id, by="vera")


@ONE_BY_ONE
def test_what_fits_the_document(stage: Stage, finished: str, operation: Operation) -> None:
    """Requests that fit get answers that are described."""
    attack(stage, operation, schemathesis.GenerationMode.POSITIVE, finished)


@ONE_BY_ONE
def test_what_does_not_fit_the_document(stage: Stage, operation: Operation) -> None:
    """Requests that do not fit get answers that are described, and never a server error."""
    parts = (operation.body, operation.query, "{" in operation.path)
    if any(parts):
        attack(stage, operation, schemathesis.GenerationMode.NEGATIVE, "")


def test_the_log_still_verifies(stage: Stage) -> None:
    """After all of that the log is whole."""
    report = stage.desk.verify()
    assert report.good, report.findings
