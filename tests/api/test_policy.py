"""The life of a policy over HTTP: people with the role change it, an agent sees none of it."""

from __future__ import annotations

from typing import Any

import pytest

from handrail.policy.packs import pack_text
from tests.api.stage import Stage
from tests.api.test_edits import add
from tests.api.test_reviews import refused

PROPOSALS = "/v1/policy/proposals"


def text(version: int, limit: str = "50.00") -> str:
    """The pack under a version, with another limit for what runs alone."""
    whole = pack_text("support-desk").replace("version: 1", f"version: {version}", 1)
    return whole.replace('up_to: "50.00"', f'up_to: "{limit}"')


def active_version(stage: Stage) -> int:
    """The version of the policy that the server decides by."""
    return stage.desk.ctx.rulebook("main").policy.version


def test_stricter_at_once_looser_by_two(stage: Stage) -> None:
    """N2: the steps over HTTP; the server decides by what was activated."""
    for name in ("pat", "quin"):
        add(stage, name, "policy_owner")
    add(stage, "walt", "checker")
    pat, quin, audra = (stage.person(name) for name in ("pat", "quin", "audra"))
    above = active_version(stage) + 1
    asked = pat.post(PROPOSALS, json={"policy": text(above, "20.00"), "reason": "careful"})
    assert asked.status_code == 201, asked.text
    path = f"{PROPOSALS}/{asked.json()['id']}"
    assert (asked.json()["looser"], asked.json()["reason"]) == (0, "careful")
    detail = audra.get(path).json()
    assert {one["direction"] for one in detail["differences"]} == {"tighter"}
    assert "approve" in detail["differences"][0]["text"]
    done = pat.post(f"{path}/activate", json={})
    assert done.status_code == 200, done.text
    assert done.json()["state"] == "activated"
    assert active_version(stage) == above
    assert audra.get("/v1/policy").json()["version"] == above
    assert refused(pat.post(f"{path}/activate", json={})) == (409, "amendment_closed")
    again = {"policy": text(above, "50.00"), "reason": "too careful"}
    assert refused(pat.post(PROPOSALS, json=again)) == (409, "policy_version_old")
    again["policy"] = text(above + 1, "50.00")
    path = f"{PROPOSALS}/{pat.post(PROPOSALS, json=again).json()['id']}"
    assert refused(pat.post(f"{path}/activate", json={})) == (409, "amendment_waits")
    assert refused(pat.post(f"{path}/approve", json={})) == (403, "own_authority")
    assert refused(stage.person("maria").post(f"{path}/approve", json={})) == (403, "role_missing")
    approved = quin.post(f"{path}/approve", json={}).json()
    assert approved["ready_at"] > approved["approved_at"]
    assert refused(quin.post(f"{path}/activate", json={})) == (409, "amendment_waits")
    assert quin.post(f"{path}/reject", json={}).json()["state"] == "rejected"
    states = [one["state"] for one in audra.get(PROPOSALS).json()["items"]]
    assert states == ["rejected", "activated"]
    missing = f"{PROPOSALS}/am_{'0' * 32}"
    assert refused(pat.get(missing)) == (404, "amendment_not_found")
    bad = {"policy": "policy: [", "reason": "typing"}
    assert refused(pat.post(PROPOSALS, json=bad)) == (422, "policy_invalid")


def test_no_credential_of_an_agent_reads_or_changes_the_policy(stage: Stage) -> None:
    """C13, N2: neither its key nor a task's token; nor a person without the role."""
    document = stage.http.get("/v1/openapi.json").json()
    found = {path: said for path, said in document["paths"].items() if "/policy" in path}
    assert len(found) == 6
    for headers in (stage.by_key(), stage.task(), {}):
        for path, operations in found.items():
            for method, said in operations.items():
                assert said["security"] == [{"session": []}]
                body = {"policy": text(99), "reason": "more"} if method == "post" else None
                where = path.replace("{id}", "am_1")
                answer = stage.http.request(method, where, headers=headers, json=body)
                assert answer.status_code == 401, answer.text
                assert "USD" not in answer.text
    maria = stage.person("maria")
    assert refused(maria.get("/v1/policy")) == (403, "role_missing")
    assert refused(maria.get(PROPOSALS)) == (403, "role_missing")
    more = {"policy": text(99), "reason": "more"}
    assert refused(maria.post(PROPOSALS, json=more)) == (403, "role_missing")


@pytest.mark.parametrize("field", ["grade", "internal", "dry_run", "control"])
def test_what_an_agent_declares_lowers_nothing(stage: Stage, field: str) -> None:
    """N4: neither beside the parameters nor among them; its claim is heard only upwards."""
    said = {"grade": "G0", "internal": True, "dry_run": True, "control": "run_and_log"}
    headers = stage.task()
    params: dict[str, Any] = {"ticket": "T-101", "body": f"Hello, {field}"}
    for body in (
        {"kind": "reply.send", "params": params, field: said[field]},
        {"kind": "reply.send", "params": {**params, field: said[field]}},
    ):
        answer = stage.http.post("/v1/proposals", json=body, headers=headers)
        assert refused(answer) == (422, "field_unknown")
    claimed = stage.propose(headers, "reply.send", params, claim=0)
    assert claimed["state"] == "PENDING"
