"""Actions over HTTP, as stories: they run, wait, are decided, taken back and undone."""

from __future__ import annotations

import threading
import time

import httpx
import pytest

from handrail.connectors.sandbox import Sandbox
from tests.api.stage import Stage, agent_key
from tests.patience import HANG_S


def sandbox(stage: Stage) -> Sandbox:
    """The embedded desk behind the server."""
    found = stage.desk.ctx.connectors["desk"]
    assert isinstance(found, Sandbox)
    return found


def refund(amount: str = "1.00 USD", order: str = "O-5001") -> dict[str, str]:
    """Parameters of a small refund."""
    return {"order": order, "amount": amount, "reason": "damaged"}


def test_read_runs_and_answers(stage: Stage) -> None:
    """With `wait_ms`, a read's result is in the answer."""
    found = stage.propose(stage.task(), "ticket.read", {"ticket": "T-101"}, wait_ms=30_000)
    assert (found["state"], found["final"], found["control"]) == ("SUCCEEDED", True, "run_and_log")
    assert found["result"]["customer"] == "C-1001"


def test_a_reply_with_a_file(stage: Stage) -> None:
    """A5: the bytes come with the proposal and are what a person is shown; no address is taken."""
    file = {"name": "a.txt", "type": "text/plain", "content": "aGVsbG8="}
    params = {"ticket": "T-101", "body": "Dear Maya, see the file.", "attachments": [file]}
    held = stage.propose(stage.task(), "reply.send", params)
    assert (held["state"], held["control"]) == ("PENDING", "approve")
    page = stage.person("maria").get(f"/v1/proposals/{held['id']}/full").json()
    (shown,) = page["artifact"]["request"]["attachments"]
    assert (shown["name"], shown["content"], shown["size"]) == ("a.txt", "aGVsbG8=", 5)


def test_a_reply_with_html(stage: Stage) -> None:
    """B4: HTML comes as any other text; what it shows is found by its place in the source."""
    html = "<p>Dear Maya, see <a href='https://other.test/'>the <b>manual</b></a>.</p>"
    params = {"ticket": "T-101", "body": "Dear Maya, see the manual.", "html": html}
    held = stage.propose(stage.task(), "reply.send", params)
    assert (held["state"], held["control"]) == ("PENDING", "approve")
    page = stage.person("maria").get(f"/v1/proposals/{held['id']}/full").json()
    assert page["artifact"]["request"]["html"] == html
    assert {"label": "HTML source", "text": html} in page["lines"]
    facts = {one["name"]: one["value"] for one in page["facts"]}
    assert facts["message_parts_agree"] is True
    (link,) = (one for one in page["found"] if one["param"] == "html")
    assert (link["param"], link["trigger"], link["what"]) == (
        "html",
        "link",
        "a link to `other.test`",
    )
    assert html[link["start"] : link["end"]] == link["text"]


def test_without_waiting_it_runs_in_the_background(stage: Stage) -> None:
    """The answer comes with the durable decision; the effect follows by itself."""
    headers = stage.task()
    before = sandbox(stage).money_moved("USD")
    found = stage.propose(headers, "refund.issue", refund())
    assert (found["state"], found["final"], found["result"]) == ("EXECUTING", False, None)
    path = f"/v1/proposals/{found['id']}?wait_ms=30000"
    done = stage.http.get(path, headers=headers).json()
    assert (done["state"], done["can_undo"]) == ("SUCCEEDED", True)
    assert sandbox(stage).money_moved("USD") == before + 100


def test_wait_is_bounded(stage: Stage) -> None:
    """What waits for a person is answered as it stands when the time is over."""
    headers = stage.task()
    held = stage.held(headers)
    begin = time.monotonic()
    answer = stage.http.get(f"/v1/proposals/{held['id']}?wait_ms=300", headers=headers).json()
    assert answer["state"] == "PENDING"
    assert time.monotonic() - begin >= 0.3
    answer = stage.http.get(f"/v1/proposals/{held['id']}?wait_ms=30001", headers=headers)
    assert answer.json()["code"] == "field_malformed"


def test_waiting_caller_is_woken_by_the_decision(stage: Stage) -> None:
    """A long poll answers when the action has come to an end, not when its time is over."""
    headers = stage.task()
    held = stage.held(headers, "wake me")
    answers: list[httpx.Response] = []

    def wait() -> None:
        path = f"{stage.url}/v1/proposals/{held['id']}?wait_ms=30000"
        answers.append(httpx.get(path, headers=headers, timeout=HANG_S))

    waiting = threading.Thread(target=wait)
    waiting.start()
    body = {"verdict": "approve", "digest": stage.digest(held["id"])}
    review = stage.person("maria").post(f"/v1/proposals/{held['id']}/reviews", json=body)
    assert review.status_code == 200, review.text
    waiting.join(25)
    assert not waiting.is_alive()
    assert answers[0].json()["state"] == "SUCCEEDED"


def test_approved_reply_reaches_the_mailbox(stage: Stage) -> None:
    """Held, shown, approved, sent: once, and as it was shown."""
    headers = stage.task()
    held = stage.held(headers, "The exact words.")
    assert "maria" not in held["says"]
    page = stage.person("maria").get(f"/v1/proposals/{held['id']}/full").json()
    assert {"label": "Message", "text": "The exact words."} in page["lines"]
    body = {"verdict": "approve", "digest": page["digest"]}
    path = f"/v1/proposals/{held['id']}"
    review = stage.person("maria").post(f"{path}/reviews", json=body).json()
    assert (review["reviews_needed"], review["reviews_given"]) == (1, 1)
    done = stage.http.get(f"{path}?wait_ms=30000", headers=headers).json()
    assert done["state"] == "SUCCEEDED"
    sent = [mail for mail in sandbox(stage).mailbox() if mail.body == "The exact words."]
    assert len(sent) == 1


def test_what_is_found_in_a_reply_is_listed(stage: Stage) -> None:
    """B9: every place with its offsets, and what presses in the note; the agent sees none of it."""
    headers = stage.task()
    text = "Dear Maria, we will refund $50"
    params = {"ticket": "T-101", "body": text}
    held = stage.propose(headers, "reply.send", params, note="URGENT")
    assert "found" not in held
    page = stage.person("maria").get(f"/v1/proposals/{held['id']}/full").json()
    found = [(one["trigger"], one["param"], one["text"]) for one in page["found"]]
    assert found == [
        ("wrong_name", "body", "Maria"),
        ("promise", "body", "we will"),
        ("contradiction", "body", "$50"),
        ("money", "body", "$50"),
    ]
    assert all(text[one["start"] : one["end"]] == one["text"] for one in page["found"])
    assert page["found"][0]["what"].startswith("the text greets `Maria`")
    assert [one["trigger"] for one in page["pressure"]] == ["pressure"]


def test_rejected_with_a_reason_for_the_agent(stage: Stage) -> None:
    """The agent reads what the person wrote to it, and not who they are."""
    headers = stage.task()
    held = stage.held(headers, "A promise.")
    body = {
        "verdict": "request_changes",
        "digest": stage.digest(held["id"]),
        "reason": "Do not promise a date.",
    }
    path = f"/v1/proposals/{held['id']}"
    assert stage.person("maria").post(f"{path}/reviews", json=body).status_code == 200
    seen = stage.http.get(path, headers=headers)
    assert seen.json()["state"] == "REJECTED"
    assert seen.json()["says_reviewer"] == "Do not promise a date."
    assert "maria" not in seen.text


def test_same_key_same_answer(stage: Stage) -> None:
    """Sent again with the same content: the same action. With other content: a conflict."""
    headers = stage.task()
    first = stage.propose(headers, "refund.issue", refund(), key="once")
    again = stage.propose(headers, "refund.issue", refund(), key="once")
    assert again["id"] == first["id"]
    body = {"kind": "refund.issue", "params": refund("2.00 USD"), "key": "once"}
    other = stage.http.post("/v1/proposals", json=body, headers=headers)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")


def test_same_key_at_the_same_time(stage: Stage) -> None:
    """Ten callers at once with one key make one action."""
    headers = stage.task()
    body = {"kind": "refund.issue", "params": refund(), "key": "all-at-once"}
    found: list[str] = []

    def send() -> None:
        path = f"{stage.url}/v1/proposals"
        answer = httpx.post(path, json=body, headers=headers, timeout=HANG_S)
        found.append(answer.json()["id"])

    senders = [threading.Thread(target=send) for _ in range(10)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join(HANG_S)
    assert len(found) == 10
    assert len(set(found)) == 1


def test_batch_in_order(stage: Stage) -> None:
    """Each item has its own answer in its place; the same key twice is one action."""
    item = {"kind": "ticket.read", "params": {"ticket": "T-101"}, "key": "twice"}
    items = [item, item, {"kind": "reply.send", "params": {"ticket": "T-101", "body": "x"}}]
    answer = stage.http.post("/v1/proposals/batch", json={"items": items}, headers=stage.task())
    first, second, third = answer.json()["items"]
    assert first["id"] == second["id"]
    assert third["state"] == "PENDING"


def test_undo_by_the_agent_and_by_a_person(stage: Stage) -> None:
    """An undo is a new action on the same road, once."""
    headers = stage.task()
    moved = sandbox(stage).money_moved("USD")

    def by_agent(path: str) -> httpx.Response:
        return stage.http.post(path, headers=headers)

    def by_person(path: str) -> httpx.Response:
        return stage.person("maria").post(path, json={})

    for undo in (by_agent, by_person):
        done = stage.propose(headers, "refund.issue", refund(), wait_ms=30_000)
        answer = undo(f"/v1/proposals/{done['id']}/undo")
        assert answer.status_code == 200, answer.text
        undone = answer.json()
        assert (undone["kind"], undone["undo_of"]) == ("refund.reverse", done["id"])
        path = f"/v1/proposals/{undone['id']}?wait_ms=30000"
        assert stage.person("maria").get(path).json()["state"] == "SUCCEEDED"
        again = undo(f"/v1/proposals/{done['id']}/undo")
        assert (again.status_code, again.json()["code"]) == (409, "undo_unavailable")
    assert sandbox(stage).money_moved("USD") == moved


def test_undo_needs_a_role(stage: Stage) -> None:
    """An auditor looks, and takes nothing back."""
    done = stage.propose(stage.task(), "refund.issue", refund(), wait_ms=30_000)
    answer = stage.person("audra").post(f"/v1/proposals/{done['id']}/undo")
    assert (answer.status_code, answer.json()["code"]) == (403, "role_missing")


def test_withdraw(stage: Stage) -> None:
    """What waits can be taken back by its task, once."""
    headers = stage.task()
    held = stage.held(headers)
    path = f"/v1/proposals/{held['id']}/withdraw"
    answer = stage.http.post(path, headers=headers)
    assert (answer.status_code, answer.json()["state"]) == (200, "WITHDRAWN")
    again = stage.http.post(path, headers=headers)
    assert (again.status_code, again.json()["code"]) == (409, "not_pending")


def test_another_task_sees_nothing_of_it(stage: Stage) -> None:
    """A task's token opens its own actions only."""
    held = stage.held(stage.task())
    other = stage.task()
    for method, path in (
        ("GET", ""),
        ("POST", "/withdraw"),
        ("POST", "/undo"),
        ("POST", "/claim"),
    ):
        answer = stage.http.request(method, f"/v1/proposals/{held['id']}{path}", headers=other)
        assert (answer.status_code, answer.json()["code"]) == (404, "proposal_not_found")


def test_task_ends_at_once(stage: Stage) -> None:
    """A revoked task's token proposes and reads nothing any more."""
    id, headers = stage.new_task()
    held = stage.held(headers)
    assert stage.http.get(f"/v1/tasks/{id}", headers=headers).json()["ticket"] == "T-101"
    gone = stage.http.delete(f"/v1/tasks/{id}", headers=stage.by_key()).json()
    assert gone["revoked_at"] is not None
    assert stage.http.delete(f"/v1/tasks/{id}", headers=stage.by_key()).json() == gone
    body = {"kind": "ticket.read", "params": {"ticket": "T-101"}}
    for answer in (
        stage.http.post("/v1/proposals", json=body, headers=headers),
        stage.http.get(f"/v1/proposals/{held['id']}", headers=headers),
    ):
        assert (answer.status_code, answer.json()["code"]) == (401, "task_expired")
    assert stage.http.get(f"/v1/tasks/{id}", headers=stage.by_key()).json() == gone


def test_person_ends_a_task(stage: Stage) -> None:
    """A reviewer can stop an agent's task; an auditor cannot."""
    id, headers = stage.new_task()
    refused = stage.person("audra").delete(f"/v1/tasks/{id}")
    assert refused.json()["code"] == "role_missing"
    assert stage.person("maria").delete(f"/v1/tasks/{id}").status_code == 200
    answer = stage.http.get(f"/v1/tasks/{id}", headers=headers)
    assert answer.json()["code"] == "task_expired"


def test_other_agents_do_not_see_a_task(stage: Stage) -> None:
    """An agent's key opens its own tasks only."""
    id, _ = stage.new_task()
    stage.desk.agent("other-bot")
    key = agent_key(stage.desk, "other-bot")
    answer = stage.http.get(f"/v1/tasks/{id}", headers=stage.by_key(key))
    assert (answer.status_code, answer.json()["code"]) == (404, "task_not_found")


def test_lane_refuses(stage: Stage) -> None:
    """Outside the task's lane nothing is even looked up."""
    headers = stage.task(lane="triage")
    found = stage.propose(headers, "refund.issue", refund("1.00 USD", "O-no-such"))
    assert (found["state"], found["control"], found["final"]) == ("REFUSED", "refuse", True)
    answer = stage.http.post("/v1/tasks", json={"lane": "express"}, headers=stage.by_key())
    assert answer.json()["code"] == "field_malformed"


def test_escalation(stage: Stage) -> None:
    """A hand-off is always allowed, is seen by people, and closed by one of them, once."""
    headers = stage.task()
    held = stage.held(headers)
    body = {"concern": "The customer threatens to sue.", "action": held["id"]}
    answer = stage.http.post("/v1/escalations", json=body, headers=headers)
    assert answer.status_code == 201
    assert answer.json()["action"]["state"] == "ESCALATED"
    open_ones = stage.person("maria").get("/v1/escalations").json()["items"]
    assert [one["concern"] for one in open_ones if one["action"] == held["id"]] == [body["concern"]]
    path = f"/v1/escalations/{answer.json()['id']}/close"
    assert stage.person("audra").post(path).json()["code"] == "role_missing"
    closed = stage.person("maria").post(path, json={}).json()
    assert closed["closed_by"] == "maria"
    assert stage.person("maria").post(path).json()["code"] == "not_pending"
    whole = stage.http.post("/v1/escalations", json={"concern": "Please look."}, headers=headers)
    assert whole.json()["action"] is None


@pytest.mark.parametrize("concern", ["", "   "])
def test_escalation_says_something(stage: Stage, concern: str) -> None:
    """An empty concern is no hand-off."""
    answer = stage.http.post("/v1/escalations", json={"concern": concern}, headers=stage.task())
    assert (answer.status_code, answer.json()["code"]) == (422, "reason_missing")
