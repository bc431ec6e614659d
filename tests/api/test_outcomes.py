"""Over HTTP: an approval that became stale, and an outcome that only people can tell."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from handrail.connectors.protocol import Promise, Receipt
from tests.api.stage import Stage, staged
from tests.engine.connectors import Execute, Front
from tests.patience import HANG_S
from tests.store.databases import NOW, Clock

REFUND = {"order": "O-5001", "amount": "18.50 USD", "reason": "damaged"}


@pytest.fixture
def clock() -> Clock:
    """Stands still until it is moved."""
    return Clock(NOW)


@pytest.fixture
def front(tmp_path: Path) -> Iterator[Front]:
    """A front to the embedded desk of `stage`."""
    made = Front(tmp_path / "desk.db")
    yield made
    made.close()


@pytest.fixture
def stage(tmp_path: Path, front: Front, clock: Clock) -> Iterator[Stage]:
    """A served desk whose world stands behind `front`."""
    with staged(tmp_path / "desk", connectors={"desk": front}, clock=clock) as opened:
        yield opened


def _lost(execute: Execute) -> Receipt:
    execute()
    raise TimeoutError


def _stands(stage: Stage, id: str, *states: str) -> str:
    """The state of an action once it is one of these."""
    until, stands = time.monotonic() + HANG_S, ""
    while time.monotonic() < until:
        stands = str(stage.person("maria").get(f"/v1/proposals/{id}").json()["state"])
        if stands in states:
            return stands
        time.sleep(0.05)
    raise AssertionError(stands)


def test_two_people_settle_what_nobody_can_look_up(
    stage: Stage, front: Front, clock: Clock
) -> None:
    """H1, H8: too early, then one, then two who agree; a maker and a stranger do not count."""
    front.promise, front.doing = Promise.BLIND, _lost
    made = stage.propose(stage.task(), "refund.issue", REFUND)
    id = made["id"]
    _stands(stage, id, "UNKNOWN")
    path = f"/v1/proposals/{id}/outcome"
    said: dict[str, Any] = {"done": True, "evidence": "it is in the ledger", "provider_ref": "R-9"}
    early = stage.person("maria").post(path, json=said)
    assert (early.status_code, early.json()["code"]) == (409, "outcome_too_early")
    clock.now += 60_000
    for person, code in (("otto", "maker_is_checker"), ("audra", "not_entitled")):
        refused = stage.person(person).post(path, json=said)
        assert (refused.status_code, refused.json()["code"]) == (403, code)
    bare = stage.person("maria").post(path, json={"done": True, "evidence": ""})
    assert bare.json()["code"] == "reason_missing"
    assert stage.person("maria").post(path, json=said).json()["state"] == "UNKNOWN"
    settled = stage.person("vera").post(path, json=said)
    assert (settled.status_code, settled.json()["state"]) == (200, "SUCCEEDED")
    again = stage.person("vera").post(path, json=said)
    assert (again.status_code, again.json()["code"]) == (409, "not_pending")


def test_an_approval_that_became_stale_comes_back(stage: Stage, front: Front) -> None:
    """F2: the customer wrote meanwhile: the answer says PENDING, and the page what changed."""
    held = stage.held(stage.task())
    digest = stage.digest(held["id"])
    front.desk.receive("T-101", "Forget it.", now=NOW)
    path = f"/v1/proposals/{held['id']}"
    maria = stage.person("maria")
    body = {"verdict": "approve", "digest": digest}
    answer = maria.post(f"{path}/reviews", json=body).json()
    assert (answer["state"], answer["reviews_given"]) == ("PENDING", 0)
    page = maria.get(f"{path}/full").json()
    assert page["digest"] != digest
    assert "last_customer_message" in {one["label"] for one in page["changed"]}
    assert maria.post(f"{path}/reviews", json=body).json()["code"] == "stale_digest"
    body = {"verdict": "approve", "digest": page["digest"]}
    assert maria.post(f"{path}/reviews", json=body).status_code == 200
    assert _stands(stage, held["id"], "SUCCEEDED") == "SUCCEEDED"


def test_a_connector_left_alone_is_counted(stage: Stage, front: Front) -> None:
    """H7: the monitor sees which system has stopped answering; what may run waits."""
    front.doing = _lost
    task = stage.task()
    for cents in range(5):
        made = stage.propose(task, "refund.issue", REFUND | {"amount": f"1.0{cents} USD"})
        _stands(stage, made["id"], "UNKNOWN")
    waits = stage.propose(task, "refund.issue", REFUND | {"amount": "2.00 USD"})
    assert waits["state"] == "READY"
    metrics = stage.http.get("/metrics").text
    assert 'handrail_connector_left_alone{connector="desk"} 1.0' in metrics
