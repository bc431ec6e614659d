"""Reviews over HTTP: who may, on what, and once."""

from __future__ import annotations

from typing import Any

import httpx

from handrail.surfaces.auth import set_password
from tests.api.stage import PASSWORD, Stage

GET_METHODS = ("GET", "HEAD")


def review(
    stage: Stage, id: str, person: str, verdict: str = "approve", **rest: Any
) -> httpx.Response:
    """One verdict on what this person was shown."""
    body = {"verdict": verdict, "digest": stage.digest(id, person), **rest}
    return stage.person(person).post(f"/v1/proposals/{id}/reviews", json=body)


def refused(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of a problem."""
    return answer.status_code, answer.json()["code"]


def test_stale_digest(stage: Stage) -> None:
    """A verdict on another page than the stored one does not count, nor does a made-up digest."""
    held, other = stage.held(stage.task(), "one"), stage.held(stage.task(), "two")
    for digest in (stage.digest(other["id"]), "", "0" * 64):
        body = {"verdict": "approve", "digest": digest}
        answer = stage.person("maria").post(f"/v1/proposals/{held['id']}/reviews", json=body)
        assert refused(answer) == (409, "stale_digest")


def test_replayed_review(stage: Stage) -> None:
    """E1, E6: the same request sent twice counts once."""
    held = stage.held(stage.task())
    body = {"verdict": "approve", "digest": stage.digest(held["id"])}
    path = f"/v1/proposals/{held['id']}/reviews"
    assert stage.person("maria").post(path, json=body).status_code == 200
    assert refused(stage.person("maria").post(path, json=body)) == (409, "not_pending")


def test_owner_does_not_pass_their_own_agent(stage: Stage) -> None:
    """Who answers for the agent may say no, and may not say yes."""
    held = stage.held(stage.task())
    assert refused(review(stage, held["id"], "otto")) == (403, "maker_is_checker")
    page = stage.person("otto").get(f"/v1/proposals/{held['id']}/full").json()
    assert "answer for its agent" in page["why_not"]
    answer = review(stage, held["id"], "otto", "reject", reason="not like this")
    assert answer.json()["state"] == "REJECTED"


def test_auditor_decides_nothing(stage: Stage) -> None:
    """Looking is not deciding."""
    held = stage.held(stage.task())
    assert refused(review(stage, held["id"], "audra")) == (403, "not_entitled")


def test_rejection_needs_a_reason(stage: Stage) -> None:
    """Without one it does not count."""
    held = stage.held(stage.task())
    assert refused(review(stage, held["id"], "maria", "reject")) == (422, "reason_missing")


def test_unknown_verdict(stage: Stage) -> None:
    """There are four verdicts."""
    held = stage.held(stage.task())
    assert refused(review(stage, held["id"], "maria", "maybe")) == (422, "field_malformed")


def test_two_checkers_are_blind_to_each_other(stage: Stage) -> None:
    """D10: above $5,000 two decide, and the second sees nothing of the first before their own."""
    desk = stage.desk
    desk.person("walt", roles=("checker",), limits=("100000.00 USD",))
    set_password(desk.ctx, desk.id, "walt", PASSWORD)
    params = {"order": "O-5005", "amount": "5400.00 USD", "reason": "damaged"}
    headers = stage.task("T-104")
    held = stage.propose(headers, "refund.issue", params)
    assert (held["state"], held["control"]) == ("PENDING", "maker_checker")
    assert refused(review(stage, held["id"], "maria")) == (403, "not_entitled")
    first = review(stage, held["id"], "vera", retyped="5400.00 USD").json()
    assert (first["state"], first["reviews_needed"], first["reviews_given"]) == ("PENDING", 2, 1)
    assert refused(review(stage, held["id"], "vera")) == (409, "reviewed_already")

    walt, vera = stage.person("walt"), stage.person("vera")
    page = walt.get(f"/v1/proposals/{held['id']}/full")
    assert "vera" not in page.text
    log = walt.get("/v1/log", params={"proposal": held["id"]})
    assert "vera" not in log.text
    recorded = [
        item["index"]
        for item in vera.get("/v1/log", params={"proposal": held["id"]}).json()["items"]
        if item["entry"]["tag"] == "review.recorded"
    ]
    assert len(recorded) == 1
    hidden = walt.get(f"/v1/log/{recorded[0]}/proof")
    assert refused(hidden) == (404, "entry_not_found")

    second = review(stage, held["id"], "walt", retyped="USD 5,400.00").json()
    assert second["reviews_given"] == 2
    done = stage.http.get(f"/v1/proposals/{held['id']}?wait_ms=30000", headers=headers).json()
    assert done["state"] == "SUCCEEDED"
    assert walt.get(f"/v1/log/{recorded[0]}/proof").status_code == 200


def test_get_never_decides(stage: Stage) -> None:
    """E5: no address that a link could point to changes anything."""
    headers = stage.task()
    held = stage.held(headers)
    digest = stage.digest(held["id"])
    ctx = stage.desk.ctx
    before = ctx.store.read(lambda tx: tx.log.size("main"))
    query = f"verdict=approve&digest={digest}"
    document = stage.http.get("/v1/openapi.json").json()
    for path in document["paths"]:
        filled = path.replace("{id}", held["id"]).replace("{index}", "0")
        for method in GET_METHODS:
            for client, extra in ((stage.person("maria"), None), (stage.http, headers)):
                client.request(method, f"{filled}?{query}", headers=extra)
    seen = stage.http.get(f"/v1/proposals/{held['id']}", headers=headers).json()
    assert seen["state"] == "PENDING"
    assert ctx.store.read(lambda tx: tx.log.size("main")) == before


def test_queue_by_pages(stage: Stage) -> None:
    """Pages follow each other by deadline, without a gap and without a repeat."""
    headers = stage.task()
    made = {stage.held(headers, f"page {number}")["id"] for number in range(7)}
    maria = stage.person("maria")
    seen: list[str] = []
    after: dict[str, str] = {}
    while True:
        page = maria.get("/v1/queue", params={"limit": 3, **after}).json()
        assert len(page["items"]) <= 3
        seen += [card["id"] for card in page["items"]]
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    assert made <= set(seen)
    assert len(seen) == len(set(seen))
    assert page["counts"]["PENDING"] == len(seen)
    for card in maria.get("/v1/queue").json()["items"]:
        assert "digest" not in card


def test_queue_sifted(stage: Stage) -> None:
    """The same search as in the console; what is found is only what passes."""
    held = stage.held(stage.task(), "to be found")
    maria = stage.person("maria")

    def found(**asked: str) -> set[str]:
        answer = maria.get("/v1/queue", params={"limit": "200", **asked})
        assert answer.status_code == 200, answer.text
        return {card["id"] for card in answer.json()["items"]}

    assert found(find=held["id"]) == {held["id"]}
    assert held["id"] in found(kind=held["kind"], grade="G2", mine="true")
    assert found(kind="no.such") == set()
    assert held["id"] not in found(find=held["id"], grade="G3")


def test_agent_never_sees_a_threshold(stage: Stage) -> None:
    """The answer to an agent has no limit, no grade, no reason code and no name in it."""
    params = {"order": "O-5003", "amount": "120.00 USD", "reason": "wrong_item"}
    held = stage.propose(stage.task("T-103"), "refund.issue", params)
    assert held["control"] == "approve"
    text = str(held).lower()
    for secret in ("50.00", "1000", "value_band", "grade", "maria", "limit"):
        assert secret not in text
