"""The auditor's questions over HTTP, and proofs that are taken away."""

from __future__ import annotations

import pytest

from handrail.core.lifecycle import State
from handrail.prove.bundle_check import check_bundle
from tests.api.stage import Stage
from tests.patience import wait_until


def test_who_approved_and_what_was_said(stage: Stage) -> None:
    """The same answers as on the console's page: a sentence, and its parts as fields."""
    action = stage.held(stage.task())["id"]
    maria = stage.person("maria")
    body = {"verdict": "approve", "digest": stage.digest(action)}
    assert maria.post(f"/v1/proposals/{action}/reviews", json=body).status_code == 200
    wait_until(lambda: stage.desk.get(action).state is State.SUCCEEDED)
    found = maria.get("/v1/audit/payouts", params={"what": action}).json()["items"]
    (one,) = found
    assert one["id"] == action
    assert one["says"].startswith(f"Send a reply ({action}) was approved by ")
    assert [voice["person"] for voice in one["people"]] == ["maria"]
    assert one["people"][0]["signed"] is False
    customer = "C-1001"
    paid = {"what": customer, "amount": "120.00 USD"}
    assert maria.get("/v1/audit/payouts", params=paid).json() == {"items": []}
    told = maria.get("/v1/audit/tellings", params={"customer": customer}).json()
    assert told["customer_ref"].startswith("sub_")
    (item,) = told["items"]
    assert (item["action"], told["next"]) == (one, None)
    assert [text["label"] for text in item["texts"]] == ["body"]
    unknown = maria.get("/v1/audit/tellings", params={"customer": "C-0"})
    assert (unknown.status_code, unknown.json()["code"]) == (422, "subject_unknown")


def test_a_proof_is_for_auditors(stage: Stage) -> None:
    """M6: a reviewer is refused; an auditor gets a file that holds by the public key."""
    action = stage.held(stage.task())["id"]
    refused = stage.person("maria").post("/v1/audit/proofs", json={"action": action})
    assert (refused.status_code, refused.json()["code"]) == (403, "role_missing")
    audra = stage.person("audra")
    answer = audra.post("/v1/audit/proofs", json={"action": action})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip")
    signer = stage.desk.ctx.signer
    report = check_bundle(answer.content, signer.verifier, signer.verify)
    assert (report.wrong, report.about) == ((), f"action {action}")


@pytest.mark.parametrize("body", [{}, {"action": "hr_0", "customer": "sub_0"}, {"after": "x"}])
def test_a_proof_is_of_one_thing(stage: Stage, body: dict[str, str]) -> None:
    """Exactly one of an action and a customer is named."""
    answer = stage.person("audra").post("/v1/audit/proofs", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "field_malformed")
