"""What bad input gets: one row a case, each a status and a stable code, and nothing written."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest

from handrail.errors import InvalidInput
from handrail.surfaces.api.incoming import BODY_BYTES_MAX, read_body
from tests.api.stage import Stage

GOOD = {"kind": "ticket.read", "params": {"ticket": "T-101"}}
DEEP = b'{"kind":"ticket.read","params":' + b"[" * 100_000 + b"]" * 100_000 + b"}"


def size(stage: Stage) -> int:
    """How many entries the log has."""
    return stage.desk.ctx.store.read(lambda tx: tx.log.size("main"))


def check(answer: httpx.Response, status: int, code: str) -> None:
    """The answer is this problem document."""
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["type"] == f"/problems/{code}"
    assert problem["status"] == status
    assert set(problem) == {"type", "title", "status", "detail", "code"}


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 422, "field_missing"),
        (b"{", 400, "json_malformed"),
        (b"\xff\xfe", 400, "json_malformed"),
        (b'{"kind": NaN}', 400, "json_malformed"),
        (b'{"kind":"ticket.read","kind":"kb.search","params":{}}', 400, "json_duplicate_key"),
        (b'{"kind":"ticket.read","params":{"a":1,"a":2}}', 400, "json_duplicate_key"),
        (b'{"kind":"ticket.read","params":{"ticket":1.5}}', 422, "float_in_record"),
        (b'{"kind":"ticket.read","params":{"ticket":1e308}}', 422, "float_in_record"),
        (b'{"kind":"ticket.read","params":{"a":9007199254740993}}', 422, "integer_too_large"),
        (b'{"kind":"ticket.read","params":{"ticket":"\\ud800"}}', 422, "text_not_unicode"),
        (DEEP, 422, "record_too_deep"),
        (b"[]", 422, "field_wrong_type"),
        (b"null", 422, "field_wrong_type"),
        (b'{"kind":1,"params":{}}', 422, "field_wrong_type"),
        (b'{"kind":"ticket.read","params":[]}', 422, "field_wrong_type"),
        (b'{"kind":"ticket.read","params":{},"wait_ms":true}', 422, "field_wrong_type"),
        (b'{"kind":"ticket.read"}', 422, "field_missing"),
        (b'{"kind":"ticket.read","params":{},"task":"x"}', 422, "field_unknown"),
        (b'{"kind":"ticket.read","params":{},"wait_ms":-1}', 422, "field_malformed"),
        (b'{"kind":"ticket.read","params":{},"wait_ms":30001}', 422, "field_malformed"),
        (b'{"kind":"ticket.read","params":{},"claim":4}', 422, "field_malformed"),
        (b'{"kind":"","params":{}}', 422, "field_malformed"),
        (
            b'{"kind":"reply.send","params":{"ticket":"T-101","body":"a",'
            b'"attachments":[{"name":"a.txt","type":"text/plain","url":"https://evil.test"}]}}',
            422,
            "field_malformed",
        ),
        (
            b'{"kind":"reply.send","params":{"ticket":"T-101","body":"a","html":["<p>a"]}}',
            422,
            "field_wrong_type",
        ),
        (
            b'{"kind":"reply.send","params":{"ticket":"T-101","body":"a","html":" "}}',
            422,
            "field_malformed",
        ),
        (
            b'{"kind":"reply.send","params":{"ticket":"T-101","body":"a","html":"%s"}}'
            % (b"a" * 50_001),
            413,
            "too_large",
        ),
        (b'{"kind":"ticket.read","params":{},"key":""}', 422, "field_malformed"),
        (b'{"kind":"ticket.read","params":{"ticket":"T-101","x":1}}', 422, "field_unknown"),
        (b'{"kind":"ticket.read","params":{}}', 422, "field_missing"),
        (b'{"kind":"ticket.read","params":{"ticket":7}}', 422, "field_wrong_type"),
        (b'{"kind":"ticket.read","params":{"ticket":"no ticket"}}', 422, "field_malformed"),
        (b'{"kind":"ticket.read","params":{"ticket":"T-999"}}', 422, "subject_unknown"),
    ],
)
def test_bad_bodies_of_a_proposal(stage: Stage, body: bytes, status: int, code: str) -> None:
    """A3, M7: refused by code, double keys, floats and more fields too; the log has not grown."""
    headers = stage.task()
    before = size(stage)
    check(stage.http.post("/v1/proposals", content=body, headers=headers), status, code)
    assert size(stage) == before


@pytest.mark.parametrize(
    ("amount", "code"),
    [
        ("12,00 USD", "money_malformed"),
        ("-5.00 USD", "money_negative"),
        ("0.00 USD", "money_zero"),
        ("0.004 USD", "money_too_precise"),
        ("100.5 JPY", "money_too_precise"),
        ("5.00 XXZ", "money_unknown_currency"),
        ("12.00", "money_is_ambiguous"),
        (12, "money_is_ambiguous"),
        (True, "money_is_bool"),
        (["12.00 USD"], "money_wrong_type"),
    ],
)
def test_bad_money(stage: Stage, amount: Any, code: str) -> None:
    """Each wrong amount has a name of its own."""
    params = {"order": "O-5001", "amount": amount, "reason": "damaged"}
    body = {"kind": "refund.issue", "params": params}
    check(stage.http.post("/v1/proposals", json=body, headers=stage.task()), 422, code)


def test_too_long(stage: Stage) -> None:
    """An artifact above 1 MiB and a body above 2 MiB are refused."""
    headers = stage.task()
    huge = {"kind": "no.such", "params": {"text": "x" * (1024 * 1024 + 1)}}
    check(stage.http.post("/v1/proposals", json=huge, headers=headers), 413, "too_large")
    note = {**GOOD, "note": "x" * 20_001}
    check(stage.http.post("/v1/proposals", json=note, headers=headers), 413, "too_large")
    body = b'{"kind":"' + b"x" * (2 * 1024 * 1024) + b'"}'
    check(stage.http.post("/v1/proposals", content=body, headers=headers), 413, "too_large")


def test_too_long_without_a_length(stage: Stage) -> None:
    """A body that comes in chunks is cut off where the limit is."""
    chunks = (b" " * 65_536 for _ in range(64))
    answer = stage.http.post("/v1/proposals", content=chunks, headers=stage.task())
    check(answer, 413, "too_large")


def test_body_without_an_end_is_not_kept() -> None:
    """However much is sent, no more than the limit is read."""
    sent = 0

    async def receive() -> dict[str, Any]:
        nonlocal sent
        sent += 65_536
        return {"type": "http.request", "body": b" " * 65_536, "more_body": True}

    with pytest.raises(InvalidInput, match="too_large"):
        asyncio.run(read_body({"headers": []}, receive))
    assert sent <= BODY_BYTES_MAX + 65_536


@pytest.mark.parametrize(
    ("credential", "code"),
    [
        (None, "credential_missing"),
        ("Basic Zm9vOmJhcg==", "credential_unknown"),
        ("Bearer", "credential_unknown"),
        ("Bearer hrt_" + "0" * 48, "credential_unknown"),
        ("Bearer hra_000000000000_" + "0" * 48, "credential_unknown"),
        ("Bearer nonsense", "credential_unknown"),
        ("bearer \xe9\xe9", "credential_unknown"),
    ],
)
def test_bad_credentials(stage: Stage, credential: str | None, code: str) -> None:
    """Who is not known proposes nothing."""
    headers = [] if credential is None else [(b"authorization", credential.encode("latin-1"))]
    answer = stage.http.post("/v1/proposals", json=GOOD, headers=headers)
    check(answer, 401, code)
    assert answer.headers["www-authenticate"] == "Bearer"


def test_agent_key_proposes_nothing(stage: Stage) -> None:
    """An agent's key issues tasks; only a task's token proposes. And the other way round."""
    answer = stage.http.post("/v1/proposals", json=GOOD, headers=stage.by_key())
    check(answer, 401, "credential_unknown")
    answer = stage.http.post("/v1/tasks", json={}, headers=stage.task())
    check(answer, 401, "credential_unknown")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("limit=0", "field_malformed"),
        ("limit=201", "field_malformed"),
        ("limit=x", "field_wrong_type"),
        ("limit=1&limit=2", "field_malformed"),
        ("after=nonsense", "field_malformed"),
        ("sort=amount", "field_unknown"),
        ("grade=9", "field_malformed"),
        ("at_least=120.00", "field_malformed"),
        ("at_least=lots&currency=USD", "field_malformed"),
        ("find=%00", "field_malformed"),
        ("mine=maybe", "field_wrong_type"),
    ],
)
def test_bad_queries(stage: Stage, query: str, code: str) -> None:
    """The query is as strict as a body."""
    check(stage.person("maria").get(f"/v1/queue?{query}"), 422, code)


def test_bad_items_of_a_batch_stand_alone(stage: Stage) -> None:
    """H10: wrong items are problems of their own; the others are decided."""
    items = [
        GOOD,
        {"kind": "ticket.read"},
        {"kind": "ticket.read", "params": {"ticket": "T-999"}},
        {**GOOD, "wait_ms": 5},
        {"kind": "no.such", "params": {}},
    ]
    answer = stage.http.post("/v1/proposals/batch", json={"items": items}, headers=stage.task())
    assert answer.status_code == 200
    said = [item.get("state") or item["problem"]["code"] for item in answer.json()["items"]]
    expected = ["EXECUTING", "field_missing", "subject_unknown", "field_unknown", "PENDING"]
    assert said == expected


@pytest.mark.parametrize("items", [[], [GOOD] * 101, "no list", [1]])
def test_bad_batches(stage: Stage, items: Any) -> None:
    """One to a hundred items, each an object."""
    answer = stage.http.post("/v1/proposals/batch", json={"items": items}, headers=stage.task())
    assert answer.status_code == 422


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/proposals", 405, "method_not_allowed"),
        ("PUT", "/v1/tasks", 405, "method_not_allowed"),
        ("OPTIONS", "/v1/proposals", 405, "method_not_allowed"),
        ("GET", "/v1/nothing", 404, "page_not_found"),
        ("POST", "/v1/nothing", 404, "page_not_found"),
        ("GET", "/v1/proposals/", 404, "page_not_found"),
        ("GET", "/nothing", 404, "page_not_found"),
    ],
)
def test_wrong_addresses(stage: Stage, method: str, path: str, status: int, code: str) -> None:
    """Unknown addresses and methods are problem documents too."""
    answer = stage.http.request(method, path)
    check(answer, status, code)
    assert (status == 405) == ("allow" in answer.headers)


@pytest.mark.parametrize("id", ["x", "hr_" + "0" * 32, "hr_" + "z" * 32, "%00", "..%2f", "\u202e"])
def test_ids_that_are_not_there(stage: Stage, id: str) -> None:
    """An id that is none, or nobody's, is not found; what was sent is not repeated raw."""
    answer = stage.person("maria").get(f"/v1/proposals/{id}")
    assert answer.status_code == 404
    assert answer.json()["code"] in ("proposal_not_found", "page_not_found")
    assert answer.json()["detail"].isascii()


def test_unknown_kind_is_held_at_g3(stage: Stage) -> None:
    """A kind that the policy does not know is not refused as input: it waits for people."""
    found = stage.propose(stage.task(), "crypto.send", {"to": "somebody"})
    assert (found["state"], found["control"]) == ("PENDING", "maker_checker")
    card = stage.person("maria").get(f"/v1/proposals/{found['id']}/full").json()["card"]
    assert card["grade"] == 3
    assert "G3" not in json.dumps(found)
