"""The synchronous client against a real server on a real socket."""

from __future__ import annotations

import socket
import threading

import httpx
import pytest

from handrail.sdk import (
    AccessRefused,
    Action,
    CallConflict,
    CallInvalid,
    Handrail,
    HandrailError,
    NothingThere,
    Retry,
    ServerUnavailable,
    TaskClient,
    TaskGrant,
)
from tests.sdk.breaking import breaking_line
from tests.sdk.gateway import RunningDesk

REFUND = {"order": "O-5001", "reason": "damaged"}


def test_read_runs_and_gives_its_result(task: TaskClient) -> None:
    """With `wait` the answer comes with what the connector found."""
    found = task.propose("kb.search", query="return", wait=30)
    assert (found.state, found.control, found.final) == ("SUCCEEDED", "run_and_log", True)
    assert found.ran
    assert found.result is not None
    assert found.result["articles"]
    assert found.id in found.says


def test_small_refund_runs_and_is_undone(task: TaskClient) -> None:
    """The undo is an action of its own, and can be done once."""
    refund = task.propose("refund.issue", REFUND, amount="18.50 USD", wait=30)
    assert refund.ran
    assert refund.can_undo
    undo = task.undo(refund.id)
    undone = task.wait_for(undo.id, 30)
    assert (undone.ran, undone.undo_of) == (True, refund.id)
    assert not task.get(refund.id).can_undo
    with pytest.raises(CallConflict) as caught:
        task.undo(refund.id)
    assert (caught.value.code, caught.value.status) == ("undo_unavailable", 409)


def test_large_refund_waits_and_runs_when_a_person_says_so(
    served: RunningDesk, task: TaskClient
) -> None:
    """The time to wait runs out without a no; the approval ends a later wait."""
    held = task.propose("refund.issue", REFUND, amount="54.90 USD", wait=0.3)
    assert (held.state, held.waits, held.refused) == ("PENDING", True, False)
    assert "Held for a person" in held.says
    assert task.wait_for(held.id, 0.1).state == "PENDING"
    waiting: list[Action] = []
    thread = threading.Thread(target=lambda: waiting.append(task.wait_for(held.id, 30)))
    thread.start()
    served.review(held.id, "approve")
    thread.join()
    assert waiting[0].state == "SUCCEEDED"


def test_rejection_brings_the_persons_words(served: RunningDesk, task: TaskClient) -> None:
    """A person's no is a no, and says why."""
    held = task.propose("reply.send", ticket="T-101", body="We owe you nothing.")
    served.review(held.id, "reject", "please be kinder")
    rejected = task.get(held.id)
    assert (rejected.state, rejected.refused) == ("REJECTED", True)
    assert rejected.says_reviewer == "please be kinder"


def test_withdrawn_action_is_over(task: TaskClient) -> None:
    """Its maker takes it back, once."""
    held = task.propose("reply.send", ticket="T-101", body="Hello")
    assert task.withdraw(held.id).state == "WITHDRAWN"
    with pytest.raises(CallConflict, match="not_pending"):
        task.withdraw(held.id)


def test_same_key_gives_the_same_action(served: RunningDesk, task: TaskClient) -> None:
    """And another content under it is a conflict; without a key every call is an action."""
    first = task.propose("kb.search", query="return", key="call-1")
    again = task.propose("kb.search", query="return", key="call-1")
    assert first.id == again.id
    with pytest.raises(CallConflict, match="idempotency_conflict"):
        task.propose("kb.search", query="refund", key="call-1")
    ids = {task.propose("kb.search", query="return").id for _ in range(3)}
    assert len(ids | {first.id}) == 4


def test_batch_answers_item_by_item(task: TaskClient) -> None:
    """One that is wrong does not hold up the others."""
    good, wrong, held = task.batch(
        [
            {"kind": "kb.search", "params": {"query": "return"}},
            {"kind": "refund.issue", "params": {**REFUND, "amount": "-5 USD"}},
            {"kind": "reply.send", "params": {"ticket": "T-101", "body": "Hi"}, "note": "x"},
        ]
    )
    assert isinstance(good, Action)
    assert isinstance(held, Action)
    assert held.state == "PENDING"
    assert isinstance(wrong, CallInvalid)
    assert wrong.code == "money_negative"


def test_escalation_reaches_a_person(served: RunningDesk, task: TaskClient) -> None:
    """Of the task, or of one action, which then waits no longer."""
    handoff = task.escalate("the customer threatens to sue")
    assert handoff.action is None
    assert handoff.due_at is not None
    held = task.propose("reply.send", ticket="T-101", body="Hello")
    about = task.escalate("I am not sure", action=held.id)
    assert about.action is not None
    assert about.action.state == "ESCALATED"
    assert [one["id"] for one in served.detail(held.id)["escalations"]] == [about.id]


@pytest.mark.parametrize(
    ("kind", "params", "code"),
    [
        ("refund.issue", {**REFUND, "amount": "12,00 USD"}, "money_malformed"),
        ("refund.issue", {**REFUND, "amount": "5.00 USD", "order": "O-0"}, "subject_unknown"),
        ("refund.issue", {**REFUND}, "field_missing"),
        ("kb.search", {"query": "x", "colour": "red"}, "field_unknown"),
    ],
)
def test_servers_refusal_keeps_its_code(
    task: TaskClient, kind: str, params: dict[str, object], code: str
) -> None:
    """Misuse is an error with a stable code, not an action."""
    with pytest.raises(CallInvalid) as caught:
        task.propose(kind, params)
    assert caught.value.code == code
    assert caught.value.status is not None


def test_unknown_kind_is_held(task: TaskClient) -> None:
    """What the policy does not know never runs by itself."""
    assert task.propose("shop.burn", {"all": True}).waits


def test_task_ends_when_it_is_ended_and_not_before(
    served: RunningDesk, client: Handrail, task: TaskClient
) -> None:
    """Leaving blocks ends nothing: the action waits, and another process goes on with the task."""
    with Handrail(served.url, api_key=served.api_key) as short, short.task() as lent:
        held = lent.propose("shop.burn", {"all": True})
        grant = TaskGrant(id=lent.grant.id, token=lent.grant.token)
    with Handrail(served.url) as keyless:
        later = keyless.resume(grant)
        assert later.get(held.id).state == "PENDING"
        client.end(grant.id)
        with pytest.raises(AccessRefused) as caught:
            later.get(held.id)
    assert (caught.value.code, caught.value.status) == ("task_expired", 401)
    assert served.detail(held.id)["card"]["state"] == "PENDING"
    assert task.propose("kb.search", query="x", wait=30).ran


def test_lane_bounds_the_task(client: Handrail) -> None:
    """Outside the lane everything is refused, which is an answer and no error."""
    reader = client.task(lane="reader")
    assert reader.grant.lane == "reader"
    refused = reader.propose("reply.send", ticket="T-101", body="Hello")
    assert refused.refused
    assert "outside this task" in refused.says


def test_foreign_things_are_not_there(served: RunningDesk, client: Handrail) -> None:
    """Another task's action, and an agent without a key that counts."""
    held = client.task().propose("shop.burn")
    with pytest.raises(NothingThere) as caught:
        client.task().get(held.id)
    assert (caught.value.code, caught.value.status) == ("proposal_not_found", 404)
    with Handrail(served.url, api_key="hra_0_0") as stranger, pytest.raises(AccessRefused):
        stranger.task()


def test_lost_answers_are_asked_for_again_and_nothing_happens_twice(served: RunningDesk) -> None:
    """Three answers get lost on the way; there is one action, done once."""
    retry = Retry(tries=4, first_s=0.01, longest_s=0.02)
    with (
        breaking_line(served.url) as line,
        Handrail(line.url, api_key=served.api_key, retry=retry) as client,
    ):
        task = client.task()
        line.lose_answers(3)
        found = task.propose("kb.search", query="return", wait=30)
        assert found.ran
        assert line.carried == ["POST /v1/tasks", *["POST /v1/proposals"] * 4]
        line.lose_answers(1)
        held = task.propose("shop.burn")
        line.lose_answers(1)
        assert task.withdraw(held.id).state == "WITHDRAWN"
        line.lose_answers(4)
        with pytest.raises(ServerUnavailable, match="4 times"):
            task.get(held.id)
        line.lose_answers(1)
        with pytest.raises(ServerUnavailable, match="once"):
            task.escalate("hello")
    assert served.counts() == {"SUCCEEDED": 1, "WITHDRAWN": 1}


def test_server_that_is_not_there_is_said_so() -> None:
    """After the tries that were allowed, as an error of the client's own."""
    retry = Retry(tries=2, first_s=0.0, longest_s=0.0)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # nobody listens there, and nobody else can
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with (
            Handrail(url, api_key="hra_1_2", retry=retry) as client,
            pytest.raises(HandrailError) as caught,
        ):
            client.task()
    assert isinstance(caught.value, ServerUnavailable)
    assert caught.value.code == "server_unreachable"
    assert "(ConnectError), 2 times" in caught.value.detail


def test_another_server_is_said_so(served: RunningDesk) -> None:
    """A wrong prefix leads to an address where nothing is."""
    with (
        Handrail(f"{served.url}/elsewhere", api_key=served.api_key) as client,
        pytest.raises(NothingThere, match="page_not_found"),
    ):
        client.task()


def test_own_http_client_stays_open(served: RunningDesk) -> None:
    """Who brings an httpx client, for a proxy or a certificate, closes it."""
    with httpx.Client(headers={"x-trace": "1"}) as http:
        with Handrail(served.url, api_key=served.api_key, http=http) as client:
            assert client.task().grant.lane == "support"
        assert not http.is_closed
