"""The candidate policy over HTTP: by those who own policies, and read by auditors as well."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from handrail.policy.loader import source_text
from handrail.surfaces.auth import set_password
from tests.api.stage import PASSWORD, Stage, staged

REFUND = {"order": "O-5001", "amount": "18.50 USD", "reason": "damaged"}


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Stage]:
    """A desk that a test may try a policy on."""
    with staged(tmp_path) as stage:
        yield stage


def test_a_candidate_is_tried_by_who_may(own: Stage) -> None:
    """N2: it decides beside the policy, is reported, and is stopped; a checker may not start it."""
    text = source_text("support-desk").replace('up_to: "50.00"', 'up_to: "10.00"')
    body = {"policy": text}
    own.desk.person("polly", roles=("policy_owner",))
    set_password(own.desk.ctx, own.desk.id, "polly", PASSWORD)
    owner, checker, auditor = map(own.person, ("polly", "maria", "audra"))
    assert checker.post("/v1/shadow", json=body).json()["code"] == "role_missing"
    assert auditor.post("/v1/shadow", json=body).json()["code"] == "role_missing"
    started = owner.post("/v1/shadow", json=body)
    assert started.status_code == 201, started.text
    assert own.propose(own.task(), "refund.issue", REFUND, wait_ms=30_000)["state"] == "SUCCEEDED"
    report = auditor.get("/v1/shadow").json()
    assert (report["same"], report["looser"], report["tighter"]) == (0, 0, 1)
    assert report["differing"][0]["control"] == "approve"
    assert checker.post("/v1/shadow/stop", json={}).json()["code"] == "role_missing"
    assert owner.post("/v1/shadow/stop", json={}).json()["stopped_by"] == "polly"
    assert owner.post("/v1/shadow/stop", json={}).json()["code"] == "shadow_not_found"
    bad = owner.post("/v1/shadow", json={"policy": "policy: a\n"})
    assert (bad.status_code, bad.json()["code"]) == (422, "policy_invalid")
