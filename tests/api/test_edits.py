"""Edits, leaving a decision to another, and break-glass over HTTP."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from handrail.surfaces.auth import set_password
from tests.api.stage import PASSWORD, Stage
from tests.api.test_reviews import refused, review

DECIDING = ("reviews", "edit", "recuse")


def edit(stage: Stage, id: str, person: str, **params: Any) -> httpx.Response:
    """One correction of what this person was shown."""
    body = {"digest": stage.digest(id, person), "params": params}
    return stage.person(person).post(f"/v1/proposals/{id}/edit", json=body)


def add(stage: Stage, name: str, *roles: str, limit: str = "100000.00 USD") -> None:
    """Another person, with a password."""
    stage.desk.person(name, roles=roles, limits=(limit,))
    set_password(stage.desk.ctx, stage.desk.id, name, PASSWORD)
    stage.forget(name)


def test_edit(stage: Stage) -> None:
    """A11, D6: the agent finds the new action by the old one; the editor does not pass it."""
    headers = stage.task()
    old = stage.held(headers, "Dear Dana, it is on its way.")
    new = edit(stage, old["id"], "maria", body="Dear Dana, it was sent on Monday.").json()
    assert (new["state"], new["supersedes"]) == ("PENDING", old["id"])
    seen = stage.http.get(f"/v1/proposals/{old['id']}?wait_ms=1000", headers=headers).json()
    assert (seen["state"], seen["superseded_by"]) == ("SUPERSEDED", new["id"])
    assert new["id"] in seen["says"]
    assert "maria" not in str(seen)
    mine = stage.http.get(f"/v1/proposals/{new['id']}", headers=headers).json()
    assert mine["state"] == "PENDING"
    assert refused(review(stage, new["id"], "maria")) == (403, "maker_is_checker")
    page = stage.person("otto").get(f"/v1/proposals/{new['id']}/full").json()
    assert page["editable"]["body"] == "Dear Dana, it was sent on Monday."
    assert "maria" in page["makers"]


def test_refused_edits(stage: Stage) -> None:
    """More money, a made-up digest, an auditor; each a problem, and nothing has changed."""
    params = {"order": "O-5003", "amount": "120.00 USD", "reason": "wrong_item"}
    held = stage.propose(stage.task("T-103"), "refund.issue", params)
    assert refused(edit(stage, held["id"], "maria", amount="121.00 USD")) == (403, "amount_raised")
    assert refused(edit(stage, held["id"], "audra", reason="late")) == (403, "not_entitled")
    assert refused(edit(stage, held["id"], "maria")) == (409, "edit_refused")
    body = {"digest": "0" * 64, "params": {"reason": "late"}}
    path = f"/v1/proposals/{held['id']}/edit"
    assert refused(stage.person("maria").post(path, json=body)) == (409, "stale_digest")
    lowered = edit(stage, held["id"], "maria", amount="60.00 USD").json()
    done = review(stage, lowered["id"], "maria").json()
    assert done["state"] != "PENDING"


@pytest.mark.parametrize("way", DECIDING)
def test_no_token_of_an_agent_decides(stage: Stage, way: str) -> None:
    """D3, E7: neither a task's token, nor an agent's key, nor nobody; only a person's session."""
    headers = stage.task()
    held = stage.held(headers)
    bodies = {
        "reviews": {"verdict": "approve", "digest": stage.digest(held["id"])},
        "edit": {"digest": stage.digest(held["id"]), "params": {"body": "x"}},
        "recuse": {},
    }
    path = f"/v1/proposals/{held['id']}/{way}"
    for credential in (headers, stage.by_key(), {}):
        answer = stage.http.post(path, json=bodies[way], headers=credential)
        assert answer.status_code == 401, answer.text
    without = {"x-csrf-token": ""}
    answer = stage.person("maria").post(path, json=bodies[way], headers=without)
    assert refused(answer) == (403, "csrf_failed")
    seen = stage.http.get(f"/v1/proposals/{held['id']}", headers=headers).json()
    assert seen["state"] == "PENDING"


def test_every_deciding_address_takes_a_session_alone(stage: Stage) -> None:
    """D3: as the document says of them, and of break-glass."""
    document = stage.http.get("/v1/openapi.json").json()
    deciding = [
        path
        for path in document["paths"]
        if path.endswith(tuple(f"/{way}" for way in DECIDING)) or "breakglass" in path
    ]
    assert len(deciding) == 6
    for path in deciding:
        for method, said in document["paths"][path].items():
            assert said["security"] == [{"session": []}], (method, path)


def test_when_it_last_changed_tells_a_second_checker_nothing(stage: Stage) -> None:
    """D10: neither the card, nor the queue, nor its counts change by the first approval."""
    add(stage, "walt", "checker")
    params = {"order": "O-5005", "amount": "5400.00 USD", "reason": "damaged"}
    held = stage.propose(stage.task("T-104"), "refund.issue", params)
    walt = stage.person("walt")

    def seen() -> list[Any]:
        page = walt.get(f"/v1/proposals/{held['id']}/full").json()
        return [walt.get("/v1/queue").json(), {**page, "entries": len(page["entries"])}]

    before = seen()
    assert review(stage, held["id"], "vera", retyped="5400 USD").json()["reviews_given"] == 1
    assert seen() == before


def test_recuse(stage: Stage) -> None:
    """D9: who was drawn leaves it to another; who was not has nothing to leave."""
    for name in ("walt", "xena", "yuri"):
        add(stage, name, "checker")
    params = {"order": "O-5005", "amount": "5500.00 USD", "reason": "damaged"}
    held = stage.propose(stage.task("T-104"), "refund.issue", params)
    row = stage.desk.ctx.store.read(lambda tx: tx.proposals.get("main", held["id"]))
    assert row is not None
    drawn = row.assigned.split(",")
    one = drawn[0]
    other = next(name for name in ("vera", "walt", "xena", "yuri") if name not in drawn)
    path = f"/v1/proposals/{held['id']}/recuse"
    assert refused(review(stage, held["id"], other)) == (403, "not_assigned")
    assert refused(stage.person(other).post(path, json={})) == (403, "not_assigned")
    assert stage.person(one).post(path, json={}).status_code == 200
    assert refused(review(stage, held["id"], one)) == (403, "not_assigned")


def test_breakglass(stage: Stage) -> None:
    """D12: asked for, confirmed by an administrator, in force, ended."""
    add(stage, "adam", "admin")
    params = {"order": "O-5005", "amount": "2400.00 USD", "reason": "damaged"}
    held = stage.propose(stage.task("T-104"), "refund.issue", params)
    add(stage, "nina", "reviewer")
    assert refused(review(stage, held["id"], "nina")) == (403, "not_entitled")
    nina, adam = stage.person("nina"), stage.person("adam")
    assert refused(nina.post("/v1/breakglass", json={"reason": " "})) == (422, "reason_missing")
    asked = nina.post("/v1/breakglass", json={"reason": "all ill", "minutes": 5})
    assert asked.status_code == 201, asked.text
    path = f"/v1/breakglass/{asked.json()['id']}"
    assert refused(nina.post(f"{path}/confirm", json={})) == (403, "role_missing")
    assert refused(nina.post("/v1/breakglass", json={"reason": "x"})) == (409, "grant_not_open")
    confirmed = adam.post(f"{path}/confirm", json={}).json()
    assert (confirmed["in_force"], confirmed["confirmed_by"]) == (True, "adam")
    assert [one["reason"] for one in adam.get("/v1/breakglass").json()["items"]] == ["all ill"]
    passed = review(stage, held["id"], "nina", retyped="2400 USD")
    assert passed.json()["state"] != "PENDING"
    assert adam.post(f"{path}/close", json={}).json()["closed_at"] is not None
    assert adam.get("/v1/breakglass").json()["items"] == []
    missing = f"/v1/breakglass/bg_{'0' * 32}/close"
    assert refused(adam.post(missing, json={})) == (404, "grant_not_found")
