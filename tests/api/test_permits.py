"""Permit mode over HTTP: the tool runs beside the agent, under a permit that counts once."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.stage import Stage


def receipt(stage: Stage, id: str, headers: dict[str, str], **body: Any) -> dict[str, Any]:
    """Send one receipt; the answer's body."""
    answer = stage.http.post(f"/v1/proposals/{id}/receipt", json=body, headers=headers)
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.parametrize(
    ("outcome", "state"),
    [("done", "SUCCEEDED"), ("not_done", "FAILED"), ("unknown", "UNKNOWN")],
)
def test_runs_alone_under_a_permit(stage: Stage, outcome: str, state: str) -> None:
    """The answer carries permit and frozen parameters at once; the receipt settles it, once."""
    headers = stage.task()
    ran = stage.propose(headers, "tool.run", {"name": "sync"}, wait_ms=20_000)
    assert (ran["state"], ran["params"]) == ("EXECUTING", {"name": "sync"})
    sent = {"permit": ran["permit"], "outcome": outcome, "result": {"rows": 3}, "error": "no"}
    settled = receipt(stage, ran["id"], headers, **sent)
    assert (settled["state"], settled["permit"]) == (state, None)
    assert receipt(stage, ran["id"], headers, **sent)["code"] == "permit_invalid"
    if outcome == "done":
        seen = stage.http.get(f"/v1/proposals/{ran['id']}", headers=headers).json()
        assert seen["result"] == {"rows": 3}


def test_permit_is_for_one_action(stage: Stage) -> None:
    """Another action's permit, a made-up one and another task's token settle nothing."""
    headers = stage.task()
    one = stage.propose(headers, "tool.run", {"name": "one"})
    two = stage.propose(headers, "tool.run", {"name": "two"})
    for permit in (two["permit"], "hrp_" + "0" * 48, ""):
        said = receipt(stage, one["id"], headers, permit=permit, outcome="done")
        assert said["code"] == "permit_invalid"
    foreign = receipt(stage, one["id"], stage.task(), permit=one["permit"], outcome="done")
    assert foreign["code"] == "proposal_not_found"
    said = receipt(stage, one["id"], headers, permit=one["permit"], outcome="done")
    assert said["state"] == "SUCCEEDED"


def test_held_then_claimed(stage: Stage) -> None:
    """After the approval the agent takes it up itself; nobody else gets the permit."""
    headers = stage.task()
    held = stage.propose(headers, "tool.ask", {"name": "drop"})
    claim = f"/v1/proposals/{held['id']}/claim"
    early = stage.http.post(claim, headers=headers)
    assert (early.status_code, early.json()["code"]) == (409, "not_pending")
    body = {"verdict": "approve", "digest": stage.digest(held["id"])}
    review = stage.person("maria").post(f"/v1/proposals/{held['id']}/reviews", json=body).json()
    assert (review["state"], review["permit"]) == ("READY", None)
    # The wait ends here: what happens next is up to the agent. Two sweeps later it still waits.
    stage.desk.work()
    stage.desk.work()
    ready = stage.http.get(f"/v1/proposals/{held['id']}?wait_ms=30000", headers=headers).json()
    assert ready["state"] == "READY"
    claimed = stage.http.post(claim, headers=headers).json()
    assert (claimed["state"], claimed["params"]) == ("EXECUTING", {"name": "drop"})
    again = stage.http.post(claim, headers=headers).json()
    assert again["code"] == "not_pending"
    done = receipt(stage, held["id"], headers, permit=claimed["permit"], outcome="done")
    assert done["state"] == "SUCCEEDED"


def test_what_the_gateway_runs_is_not_claimed(stage: Stage) -> None:
    """A reply is sent by handrail; the agent cannot take it up."""
    headers = stage.task()
    held = stage.held(headers)
    answer = stage.http.post(f"/v1/proposals/{held['id']}/claim", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (409, "not_pending")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"outcome": "done"}, "field_missing"),
        ({"permit": "x", "outcome": "maybe"}, "field_malformed"),
        ({"permit": "x", "outcome": "done", "result": []}, "field_wrong_type"),
        ({"permit": "x", "outcome": "done", "result": {"a": 1.5}}, "float_in_record"),
    ],
)
def test_bad_receipts(stage: Stage, body: dict[str, Any], code: str) -> None:
    """A wrong receipt settles nothing; the permit is still good."""
    headers = stage.task()
    ran = stage.propose(headers, "tool.run", {"name": "x"})
    assert receipt(stage, ran["id"], headers, **body)["code"] == code
    said = receipt(stage, ran["id"], headers, permit=ran["permit"], outcome="done")
    assert said["state"] == "SUCCEEDED"
