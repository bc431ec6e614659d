"""What the client says to the server, conversation by conversation: no I/O, virtual time."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from handrail.sdk.errors import (
    AnswerMalformed,
    CallConflict,
    CallInvalid,
    ClientError,
    ServerUnavailable,
)
from handrail.sdk.said import TaskGrant
from handrail.sdk.steps import Talk, WireCall, WireReply
from handrail.sdk.talk import ClientSetup, DeskTalk, TaskTalk
from tests.sdk.script import CUT_OFF, ID, NOT_SENT, Late, Line, action, play, problem, task_talk

PROPOSE = "POST /v1/proposals"
LOOK = f"GET /v1/proposals/{ID}?wait_ms="


def refusal(error: Exception | None) -> ClientError:
    """The error of a conversation, which has to be one of the client's."""
    assert isinstance(error, ClientError)
    return error


def test_proposal_carries_what_was_given_and_nothing_else() -> None:
    """Parameters by name and as a dict go together; what was left out is left out."""
    talk = task_talk().propose("refund.issue", {"order": "O-1"}, amount="18.50 USD")
    played = play(talk, [action("SUCCEEDED", result={"refund": "R-1"})])
    assert played.result is not None
    assert played.result.result == {"refund": "R-1"}
    body = played.body(0)
    assert uuid.UUID(body.pop("key")).version == 7
    assert body == {
        "kind": "refund.issue",
        "params": {"order": "O-1", "amount": "18.50 USD"},
        "wait_ms": 0,
    }


def test_proposal_says_key_note_and_claim() -> None:
    """What the agent adds goes beside the parameters, not among them."""
    talk = task_talk().propose("x", {"key": "k"}, key="call-1", note="broken", claim=3, wait=0.25)
    assert play(talk, [action("SUCCEEDED")]).body(0) == {
        "kind": "x",
        "params": {"key": "k"},
        "key": "call-1",
        "note": "broken",
        "claim": 3,
        "wait_ms": 250,
    }


def test_every_try_of_a_call_has_the_same_key() -> None:
    """That is what makes trying again safe; the next call has another key."""
    talk = task_talk()
    lines: list[Line] = [CUT_OFF, problem(503, "store_full"), action("PENDING")]
    played = play(talk.propose("x", a=1), lines)
    keys = {played.body(number)["key"] for number in range(3)}
    assert len(keys) == 1
    assert played.said == [PROPOSE, "pause 1", PROPOSE, "pause 2", PROPOSE]


# wait, the answers, and everything that is asked for; times are virtual seconds
WAITING: list[tuple[float, list[Line], list[str], str]] = [
    (0, [action("PENDING")], [PROPOSE], "PENDING"),
    (5, [action("SUCCEEDED")], [PROPOSE], "SUCCEEDED"),
    (5, [Late(seconds=5, said=action("PENDING"))], [PROPOSE], "PENDING"),
    (
        50,
        [
            Late(seconds=30, said=action("PENDING")),
            Late(seconds=20, said=action("PENDING")),
        ],
        [PROPOSE, f"{LOOK}20000"],
        "PENDING",
    ),
    (
        70,
        [
            Late(seconds=30, said=action("PENDING")),
            Late(seconds=30, said=action("PENDING")),
            Late(seconds=1, said=action("SUCCEEDED")),
        ],
        [PROPOSE, f"{LOOK}30000", f"{LOOK}10000"],
        "SUCCEEDED",
    ),
    # one that says no more than "not yet", at once, is not asked without a pause
    (
        1,
        [action("READY"), action("READY"), action("READY"), action("SUCCEEDED")],
        [PROPOSE, f"{LOOK}1000", "pause 0.25", f"{LOOK}750", "pause 0.25", f"{LOOK}500"],
        "SUCCEEDED",
    ),
    # what came with a permit is not waited for
    (60, [action("EXECUTING", permit="hrp_1", params={})], [PROPOSE], "EXECUTING"),
]


@pytest.mark.parametrize(("wait", "lines", "said", "state"), WAITING)
def test_waiting_is_bounded_and_ends_with_how_it_stands(
    wait: float, lines: list[Line], said: list[str], state: str
) -> None:
    """However long: in slices of 30 seconds, and the end of the time is never a no."""
    played = play(task_talk().propose("x", wait=wait), lines)
    assert played.said == said
    assert played.result is not None
    assert played.result.state == state
    assert not played.result.refused


def test_answer_may_take_longer_than_the_wait() -> None:
    """The time for an answer is on top of what the server is asked to wait."""
    played = play(task_talk().get(ID, wait=30), [action("SUCCEEDED")])
    (step,) = played.steps
    assert isinstance(step, WireCall)
    assert step.read_s == 40.0


def test_wait_for_gives_back_what_still_waits() -> None:
    """A time that is over gives the pending action, and no error."""
    lines: list[Line] = [Late(seconds=30, said=action("PENDING"))] * 2
    played = play(task_talk().wait_for(ID, 60), lines)
    assert played.said == [f"{LOOK}30000"] * 2
    assert played.result is not None
    assert played.result.waits


@pytest.mark.parametrize("wait", [-1.0, float("nan"), float("inf")])
@pytest.mark.parametrize(
    "talk",
    [
        lambda task, wait: task.propose("x", wait=wait),
        lambda task, wait: task.get(ID, wait),
        lambda task, wait: task.wait_for(ID, wait),
    ],
)
def test_wait_that_is_no_time_is_refused(
    talk: Callable[[TaskTalk, float], Talk[Any]], wait: float
) -> None:
    """Nothing is sent."""
    played = play(talk(task_talk(), wait))
    assert refusal(played.error).code == "setting_malformed"
    assert played.steps == []


@pytest.mark.parametrize(
    ("talk", "code"),
    [
        (lambda task: task.propose("x", amount=12.5), "float_in_record"),
        (lambda task: task.propose("x", {"a": 1}, a=2), "field_malformed"),
        (lambda task: task.propose("x", note=b"x"), "field_wrong_type"),
        (lambda task: task.propose("x", claim=1.5), "float_in_record"),
        (lambda task: task.batch([{"kind": "x", "params": {"a": 0.5}}]), "float_in_record"),
        (lambda task: task.batch([{"kind": "x", "params": {}, "note": 0.5}]), "float_in_record"),
        (lambda task: task.escalate("\ud800"), "text_not_unicode"),
        (lambda task: task.receipt(ID, "hrp_1", "perhaps"), "field_malformed"),
        (lambda task: task.receipt(ID, "hrp_1", "done", result={"a": 0.5}), "float_in_record"),
        (lambda task: task.get("../tasks"), "field_malformed"),
        (lambda task: task.undo("a/b"), "field_malformed"),
        (lambda task: task.withdraw(""), "field_malformed"),
        (lambda task: task.claim("."), "field_malformed"),
    ],
)
def test_what_cannot_be_sent_is_refused_here(
    talk: Callable[[TaskTalk], Talk[Any]], code: str
) -> None:
    """Before anything leaves, by the same code as the server's."""
    played = play(talk(task_talk()))
    assert isinstance(played.error, CallInvalid)
    assert played.error.code == code
    assert played.steps == []


def test_batch_gives_every_item_a_key_of_its_own() -> None:
    """So that a batch is safe to send again; a key that was given stays."""
    items = [{"kind": "x", "params": {"a": 1}}, {"kind": "y", "params": {}, "key": "mine"}]
    record = json.loads(action("PENDING").body)
    answer = WireReply(status=200, body=json.dumps({"items": [record, record]}).encode())
    played = play(task_talk().batch(items), [CUT_OFF, answer])
    assert played.body(0) == played.body(1)
    first, second = played.body(0)["items"]
    assert uuid.UUID(first["key"]).version == 7
    assert second == {"kind": "y", "params": {}, "key": "mine"}
    assert played.result is not None
    assert len(played.result) == 2


WITHDRAW = f"POST /v1/proposals/{ID}/withdraw"
RECEIPT = f"POST /v1/proposals/{ID}/receipt"
LATE = problem(409, "not_pending")
USED = problem(409, "permit_invalid")

# a call that lands once: the answers, what is asked for, and the state or the error at the end
LANDS_ONCE: list[tuple[str, list[Line], list[str], str]] = [
    ("withdraw", [action("WITHDRAWN")], [WITHDRAW], "WITHDRAWN"),
    ("withdraw", [LATE], [WITHDRAW], "not_pending"),
    (
        "withdraw",
        [CUT_OFF, LATE, action("WITHDRAWN")],
        [WITHDRAW, "pause 1", WITHDRAW, f"{LOOK}0"],
        "WITHDRAWN",
    ),
    (
        "withdraw",
        [CUT_OFF, LATE, action("SUCCEEDED")],
        [WITHDRAW, "pause 1", WITHDRAW, f"{LOOK}0"],
        "not_pending",
    ),
    ("done", [action("SUCCEEDED")], [RECEIPT], "SUCCEEDED"),
    ("done", [USED], [RECEIPT], "permit_invalid"),
    (
        "done",
        [CUT_OFF, USED, action("SUCCEEDED")],
        [RECEIPT, "pause 1", RECEIPT, f"{LOOK}0"],
        "SUCCEEDED",
    ),
    (
        "not_done",
        [CUT_OFF, USED, action("FAILED")],
        [RECEIPT, "pause 1", RECEIPT, f"{LOOK}0"],
        "FAILED",
    ),
    (
        "unknown",
        [CUT_OFF, USED, action("UNKNOWN")],
        [RECEIPT, "pause 1", RECEIPT, f"{LOOK}0"],
        "UNKNOWN",
    ),
    (
        "done",
        [CUT_OFF, USED, action("UNKNOWN")],
        [RECEIPT, "pause 1", RECEIPT, f"{LOOK}0"],
        "permit_invalid",
    ),
]


@pytest.mark.parametrize(("what", "lines", "said", "end"), LANDS_ONCE)
def test_call_whose_answer_was_lost_is_looked_up(
    what: str, lines: list[Line], said: list[str], end: str
) -> None:
    """ "Too late" to a second try may mean that the first one landed; the state tells."""
    task = task_talk()
    talk = task.withdraw(ID) if what == "withdraw" else task.receipt(ID, "hrp_1", what)
    played = play(talk, lines)
    assert played.said == said
    if played.result is not None:
        assert played.result.state == end
    else:
        assert isinstance(played.error, CallConflict)
        assert played.error.code == end


@pytest.mark.parametrize(
    ("lines", "calls"),
    [([CUT_OFF], 1), ([NOT_SENT, CUT_OFF], 2), ([NOT_SENT] * 3, 3)],
)
def test_escalation_and_task_are_not_sent_twice(lines: list[Line], calls: int) -> None:
    """They have no key: what may have arrived is not sent again."""
    for talk in (task_talk().escalate("angry"), DeskTalk(setup=task_talk().setup).task()):
        played = play(talk, lines)
        assert isinstance(played.error, ServerUnavailable)
        assert len([line for line in played.said if line.startswith("POST")]) == calls


def test_escalation_of_an_action() -> None:
    """The concern, and the action when there is one."""
    answer = WireReply(status=201, body=b'{"id": "es_1", "due_at": 5, "action": null}')
    played = play(task_talk().escalate("angry", action=ID), [answer])
    assert played.body(0) == {"concern": "angry", "action": ID}
    assert played.result is not None
    assert played.result.id == "es_1"


def test_receipt_says_only_what_there_is_to_say() -> None:
    """Fields that were left out are not sent."""
    played = play(
        task_talk().receipt(ID, "hrp_1", "done", provider_ref="re_1"), [action("SUCCEEDED")]
    )
    assert played.body(0) == {"permit": "hrp_1", "outcome": "done", "provider_ref": "re_1"}


def test_task_begins_with_the_key_and_goes_on_with_its_token() -> None:
    """The agent's key issues and ends tasks; everything else is said with the task's token."""
    desk = DeskTalk(setup=task_talk().setup)
    issued = WireReply(status=201, body=b'{"id": "tk_9", "token": "hrt_9"}')
    begun = play(desk.task(ticket="T-1"), [issued])
    ended = play(desk.end("tk_9"), [WireReply(status=200, body=b"{}")])
    said = play(task_talk().undo(ID), [action("SUCCEEDED", undo_of=ID)])
    steps = [*begun.steps, *ended.steps, *said.steps]
    tokens = [step.token for step in steps if isinstance(step, WireCall)]
    assert begun.body(0) == {"ticket": "T-1"}
    assert begun.result == TaskGrant(id="tk_9", token="hrt_9")
    assert ended.said == ["DELETE /v1/tasks/tk_9"]
    assert tokens == ["hra_1_2", "hra_1_2", "hrt_1"]


def test_task_needs_a_key() -> None:
    """A client without one can go on with tasks, and not issue them."""
    played = play(DeskTalk(setup=ClientSetup(base_url="https://desk.test")).task())
    assert refusal(played.error).code == "credential_missing"


@pytest.mark.parametrize("credential", ["", "two words", "hrt_ä", "a\nb", "x" * 501])
def test_credential_that_no_header_carries_is_refused(credential: str) -> None:
    """At once, and without repeating it in the message."""
    with pytest.raises(CallInvalid) as of_key:
        ClientSetup(base_url="https://desk.test", api_key=credential)
    setup = ClientSetup(base_url="https://desk.test")
    with pytest.raises(CallInvalid) as of_token:
        TaskTalk(setup=setup, grant=TaskGrant(id="tk_1", token=credential))
    for caught in (of_key, of_token):
        assert caught.value.code == "setting_malformed"
        assert not credential or credential not in str(caught.value)


def test_error_in_the_middle_of_waiting_is_raised() -> None:
    """What is not handrail's answer ends the waiting."""
    lines: list[Line] = [action("PENDING"), WireReply(status=200, body=b"<html>")]
    played = play(task_talk().propose("x", wait=5), lines)
    assert isinstance(played.error, AnswerMalformed)
