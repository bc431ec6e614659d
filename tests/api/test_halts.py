"""The stop over HTTP: pulled by anybody, heard by everything, lifted by another person."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.stage import Stage, staged
from tests.patience import wait_until

REFUND = {"order": "O-5001", "amount": "18.50 USD", "reason": "damaged"}


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Stage]:
    """A desk that a test may stop."""
    with staged(tmp_path) as stage:
        yield stage


def test_a_person_stops_the_desk_and_another_lets_go(own: Stage) -> None:
    """I13: nothing runs from the answer on; the token ends; the puller cannot lift it."""
    headers = own.task()
    answer = own.person("audra").post("/v1/halts", json={"scope": "desk"})
    assert answer.status_code == 201, answer.text
    halt = answer.json()["halt"]
    assert (halt["scope"], halt["target"], halt["pulled_by"]) == ("desk", "", "audra")
    assert answer.json()["fresh"] is True
    body = {"kind": "refund.issue", "params": REFUND}
    refused = own.http.post("/v1/proposals", json=body, headers=headers)
    # Refused at once; a moment later the token has ended as well.
    assert refused.status_code == 401 or refused.json()["state"] == "REFUSED"
    wait_until(
        lambda: own.http.post("/v1/proposals", json=body, headers=headers).status_code == 401
    )
    issued = own.http.post("/v1/tasks", json={"ticket": "T-101"}, headers=own.by_key())
    assert (issued.status_code, issued.json()["code"]) == (409, "halted")
    path = f"/v1/halts/{halt['id']}/lift"
    for name, code in (("audra", "not_entitled"), ("maria", None)):
        lifted = own.person(name).post(path, json={"reason": "seen"})
        assert lifted.json().get("code") == code
    assert own.person("maria").post(path, json={}).json()["code"] == "halt_lifted"
    assert own.propose(own.task(), "refund.issue", REFUND, wait_ms=30_000)["state"] == "SUCCEEDED"


def test_an_agent_stops_itself_and_nobody_else(own: Stage) -> None:
    """By its key or one of its tokens; it is not told what was in flight."""
    id, headers = own.new_task()
    refused = own.http.post("/v1/halts", json={"scope": "desk"}, headers=own.by_key())
    assert (refused.status_code, refused.json()["code"]) == (403, "not_entitled")
    task = own.http.post("/v1/halts", json={"scope": "task", "target": id}, headers=headers)
    assert task.status_code == 201
    itself = own.http.post(
        "/v1/halts", json={"scope": "agent", "target": "bot"}, headers=own.by_key()
    )
    assert (itself.status_code, itself.json()["in_flight"]) == (201, [])
    seen = own.person("otto").get("/v1/halts").json()["items"]
    assert [one["scope"] for one in seen] == ["agent", "task"]
    # Otto owns the agent, and answers for it.
    assert all(one["why_no_lift"] for one in seen)
    assert all(
        one["why_no_lift"] is None for one in own.person("maria").get("/v1/halts").json()["items"]
    )


def test_a_task_that_the_halt_ended_can_still_be_handed_over(own: Stage) -> None:
    """The way out stays open by the ended token, and opens nothing else."""
    headers = own.task()
    own.person("maria").post("/v1/halts", json={"scope": "agent", "target": "bot"})
    ended = {"kind": "ticket.read", "params": {"ticket": "T-101"}}
    wait_until(
        lambda: own.http.post("/v1/proposals", json=ended, headers=headers).status_code == 401
    )
    opened = own.http.post("/v1/escalations", json={"concern": "what now"}, headers=headers)
    assert opened.status_code == 201, opened.text


def test_a_customer_is_named_by_their_own_id(own: Stage) -> None:
    """People see the id that they typed; one that nobody has met is pointed out."""
    own.task()
    body = {"scope": "customer", "target": "C-1001", "reason": "odd"}
    answer = own.person("maria").post("/v1/halts", json=body).json()
    assert (answer["met"], answer["halt"]["target"], answer["halt"]["reason"]) == (
        True,
        "C-1001",
        "odd",
    )
    unknown = own.person("maria").post("/v1/halts", json={"scope": "customer", "target": "C-9"})
    assert unknown.json()["met"] is False


def test_another_desk_goes_on(own: Stage) -> None:
    """M6: a halt of one desk neither stops nor shows on another."""
    own.person("maria").post("/v1/halts", json={"scope": "desk"})
    halts = own.desk.ctx.store.read(lambda tx: tx.halts.list_active("b"))
    assert halts == []
    assert not own.desk.ctx.store.read(lambda tx: tx.halts.active("b"))
