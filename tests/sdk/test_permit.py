"""Permit mode without a server: every way that a guarded call can go, as tables."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from typing import Any

import pytest

from handrail.sdk.errors import (
    AlreadyRan,
    AnswerMalformed,
    CallConflict,
    CallInvalid,
    Ended,
    Held,
    InDoubt,
    NoResult,
    Refused,
    ServerUnavailable,
)
from handrail.sdk.permit import PermitTool, finished
from handrail.sdk.steps import WireReply
from tests.sdk.script import CUT_OFF, ID, Late, Line, Played, action, play, problem, task_talk

PROPOSE = "POST /v1/proposals"
CLAIM = f"POST /v1/proposals/{ID}/claim"
RECEIPT = f"POST /v1/proposals/{ID}/receipt"
LOOK = f"GET /v1/proposals/{ID}?wait_ms="

DONE = action("SUCCEEDED")


def permitted(**params: object) -> WireReply:
    """The answer that lets the tool run."""
    return action("EXECUTING", permit="hrp_1", params=params)


class Declined(Exception):
    """The tool's own word for: nothing happened."""


class Shop:
    """A tool that remembers every run."""

    def __init__(self, *, error: Exception | None = None, result: object = "sent") -> None:
        self.runs: list[Mapping[str, object]] = []
        self.error = error
        self.result = result

    def send(self, params: Mapping[str, object]) -> object:
        """Send a coupon."""
        self.runs.append(params)
        if self.error is not None:
            raise self.error
        return self.result

    def bound(self, params: Mapping[str, object]) -> Callable[[], object]:
        """A run with these parameters."""
        return partial(self.send, params)


def called(
    shop: Shop, lines: list[Line], *, wait: float = 0.0, says: bool = False
) -> Played[object]:
    """One guarded call of the shop's tool, from proposal to end."""
    talk = task_talk()
    tool = PermitTool(bound=shop.bound, not_done=(Declined,), wait=wait, says=says)
    return play(finished(talk, talk.propose("coupon.send", amount="1.00 USD"), tool), lines)


# wait, the answers, what is asked for, and how often the tool ran; it returns "sent" at the end
ENDS_WELL: list[tuple[float, list[Line], list[str], int]] = [
    (0, [permitted(), DONE], [PROPOSE, "run", RECEIPT], 1),
    (0, [action("READY"), permitted(), DONE], [PROPOSE, CLAIM, "run", RECEIPT], 1),
    (
        60,
        [action("PENDING"), Late(seconds=9, said=action("READY")), permitted(), DONE],
        [PROPOSE, f"{LOOK}30000", CLAIM, "run", RECEIPT],
        1,
    ),
    (
        60,
        [action("HOLDING"), Late(seconds=30, said=action("READY")), permitted(), DONE],
        [PROPOSE, f"{LOOK}30000", CLAIM, "run", RECEIPT],
        1,
    ),
    # a full cap: approved, but not yet
    (
        60,
        [action("READY"), action("READY"), action("READY"), permitted(), DONE],
        [PROPOSE, CLAIM, "pause 1", CLAIM, "pause 1", CLAIM, "run", RECEIPT],
        1,
    ),
    # the same key again, after it was done
    (0, [action("SUCCEEDED", result={"returned": "sent"})], [PROPOSE], 0),
    (0, [action("SUCCEEDED", result={"returned_json": '"sent"'})], [PROPOSE], 0),
    # the same key again, while it runs somewhere else
    (
        60,
        [action("EXECUTING"), action("SUCCEEDED", result={"returned": "sent"})],
        [PROPOSE, f"{LOOK}30000"],
        0,
    ),
    # somebody else took it up first, and has done it
    (
        0,
        [
            action("READY"),
            problem(409, "not_pending"),
            action("SUCCEEDED", result={"returned": "sent"}),
        ],
        [PROPOSE, CLAIM, f"{LOOK}0"],
        0,
    ),
    # the report's answer was lost, the report was not
    (
        0,
        [permitted(), CUT_OFF, problem(409, "permit_invalid"), DONE],
        [PROPOSE, "run", RECEIPT, "pause 1", RECEIPT, f"{LOOK}0"],
        1,
    ),
    # the server does not take the result: the receipt counts, not the result
    (
        0,
        [permitted(), problem(413, "too_large"), DONE],
        [PROPOSE, "run", RECEIPT, RECEIPT],
        1,
    ),
]


@pytest.mark.parametrize(("wait", "lines", "said", "runs"), ENDS_WELL)
def test_call_that_ends_well_returns_what_the_tool_returned(
    wait: float, lines: list[Line], said: list[str], runs: int
) -> None:
    """The tool ran at most once, whatever was lost or repeated on the way."""
    shop = Shop()
    played = called(shop, lines, wait=wait)
    assert played.error is None
    assert played.result == "sent"
    assert played.said == said
    assert len(shop.runs) == runs


REPORTED: list[tuple[Exception | None, object, dict[str, Any]]] = [
    (None, "sent", {"outcome": "done", "result": {"returned": "sent"}}),
    (None, None, {"outcome": "done", "result": {"returned": None}}),
    (None, {"n": 0.5}, {"outcome": "done", "result": {"returned_json": '{"n": 0.5}'}}),
    (None, b"x", {"outcome": "done", "result": {"returned_text": "b'x'"}}),
    (Declined("no stock"), None, {"outcome": "not_done", "error": "Declined: no stock"}),
    (TimeoutError("30 s"), None, {"outcome": "unknown", "error": "TimeoutError: 30 s"}),
    (ValueError("\ud800"), None, {"outcome": "unknown", "error": "ValueError: ?"}),
    (ValueError("x" * 9_000), None, {"outcome": "unknown", "error": f"ValueError: {'x' * 1988}"}),
]


@pytest.mark.parametrize(("error", "result", "report"), REPORTED)
def test_report_says_how_it_ended(
    error: Exception | None, result: object, report: dict[str, Any]
) -> None:
    """Only what the tool's author named is certain to mean that nothing happened."""
    shop = Shop(error=error, result=result)
    played = called(shop, [permitted(), DONE])
    assert played.body(1) == {"permit": "hrp_1", **report}
    assert len(shop.runs) == 1
    if error is None:
        assert played.result == result
    else:
        assert played.error is error
        assert error.__notes__ == [f"handrail: reported as {report['outcome']} for {ID}"]


# wait, the answers, and the error at the end; the tool never runs
DOES_NOT_RUN: list[tuple[float, list[Line], type[NoResult]]] = [
    (0, [action("PENDING")], Held),
    (0, [action("HOLDING")], Held),
    (0, [action("READY"), action("READY")], Held),
    (0, [action("REFUSED")], Refused),
    (0, [action("REJECTED")], Refused),
    (0, [action("EXPIRED")], Ended),
    (0, [action("WITHDRAWN")], Ended),
    (0, [action("SUPERSEDED")], Ended),
    (0, [action("ESCALATED")], Ended),
    (0, [action("FAILED")], Ended),
    (0, [action("UNKNOWN")], InDoubt),
    (0, [action("EXECUTING")], InDoubt),
    (0, [action("SUCCEEDED")], AlreadyRan),
    (0, [action("SUCCEEDED", result={"returned_text": "b'x'"})], AlreadyRan),
    (0, [action("DREAMING", final=False)], InDoubt),
    (0, [action("DREAMING", final=True)], Ended),
    (5, [action("PENDING"), Late(seconds=5, said=action("PENDING"))], Held),
    (5, [action("PENDING"), Late(seconds=1, said=action("REJECTED"))], Refused),
    (5, [action("PENDING"), Late(seconds=1, said=action("EXPIRED"))], Ended),
    (5, [action("EXECUTING"), Late(seconds=5, said=action("UNKNOWN"))], InDoubt),
    (2, [action("READY"), action("READY"), action("READY"), action("READY")], Held),
    (1.5, [action("READY"), action("READY"), action("READY"), action("READY")], Held),
    # approved, and then somebody was faster, or its time was over
    (0, [action("READY"), problem(409, "not_pending"), action("EXPIRED")], Ended),
    (0, [action("READY"), problem(409, "not_pending"), action("EXECUTING")], InDoubt),
    # the answer with the permit was lost: the key is known by now, and its permit is gone
    (0, [CUT_OFF, action("EXECUTING")], InDoubt),
    (0, [action("READY"), CUT_OFF, problem(409, "not_pending"), action("EXECUTING")], InDoubt),
]


@pytest.mark.parametrize(("wait", "lines", "kind"), DOES_NOT_RUN)
def test_call_that_does_not_run_says_why(
    wait: float, lines: list[Line], kind: type[NoResult]
) -> None:
    """Every way to stand still has its own error, with the words for the model."""
    shop = Shop()
    played = called(shop, lines, wait=wait)
    assert shop.runs == []
    assert CUT_OFF in lines or played.now <= wait
    assert type(played.error) is kind
    assert played.error.says == f"told: {played.error.action.state}"
    assert played.error.says in str(played.error)


@pytest.mark.parametrize(("wait", "lines", "kind"), DOES_NOT_RUN)
def test_words_for_the_model_come_in_place_of_the_error(
    wait: float, lines: list[Line], kind: type[NoResult]
) -> None:
    """With `on_held="say"` the same calls return the text."""
    shop = Shop()
    played = called(shop, lines, wait=wait, says=True)
    assert (played.error, shop.runs) == (None, [])
    assert isinstance(played.result, str)
    assert played.result.startswith("told: ")


@pytest.mark.parametrize(
    ("lines", "kind", "code"),
    [
        ([problem(409, "idempotency_conflict")], CallConflict, "idempotency_conflict"),
        ([problem(422, "money_malformed")], CallInvalid, "money_malformed"),
        ([problem(503, "store_full")] * 3, ServerUnavailable, "store_full"),
        ([action("READY"), problem(404, "proposal_not_found")], Exception, "proposal_not_found"),
    ],
)
@pytest.mark.parametrize("says", [False, True])
def test_failure_is_an_error_and_never_a_run(
    lines: list[Line], kind: type[Exception], code: str, says: bool
) -> None:
    """When the server cannot answer, the tool does not run; nothing of that is told as a no."""
    shop = Shop()
    played = called(shop, lines, says=says)
    assert shop.runs == []
    assert isinstance(played.error, kind)
    assert getattr(played.error, "code", None) == code


@pytest.mark.parametrize(
    "lines",
    [
        [permitted(), CUT_OFF, CUT_OFF, CUT_OFF],
        [permitted(), problem(409, "permit_invalid")],
        [permitted(), problem(401, "task_expired")],
        [permitted(), problem(404, "proposal_not_found")],
    ],
)
@pytest.mark.parametrize("error", [None, Declined("no stock")])
def test_report_that_does_not_arrive_changes_nothing_for_the_caller(
    lines: list[Line], error: Exception | None, caplog: pytest.LogCaptureFixture
) -> None:
    """The tool has run: its result or its error is the truth, and the log says what is missing."""
    shop = Shop(error=error)
    played = called(shop, lines)
    assert len(shop.runs) == 1
    assert played.error is error
    assert played.result == (None if error else "sent")
    (record,) = caplog.records
    assert ID in record.getMessage()


def test_frozen_parameters_are_the_servers() -> None:
    """What runs is what was decided on, whatever the caller has in hand."""
    shop = Shop()
    called(shop, [permitted(amount={"currency": "USD", "minor": 100}, lines=[1]), DONE])
    assert shop.runs == [{"amount": "1.00 USD", "lines": [1]}]


def test_parameters_that_do_not_fit_are_reported_as_not_done() -> None:
    """The permit is used up, the tool has not run, and both sides know it."""

    def misfit(params: Mapping[str, object]) -> Callable[[], object]:
        raise AnswerMalformed("answer_malformed", "the tool has no parameter `colour`")

    talk = task_talk()
    tool = PermitTool(bound=misfit)
    played = play(finished(talk, talk.get(ID), tool), [permitted(colour="red"), DONE])
    assert isinstance(played.error, AnswerMalformed)
    assert played.said == [f"{LOOK}0", RECEIPT]
    assert played.body(1)["outcome"] == "not_done"


def test_tool_that_returns_something_to_await_did_not_end() -> None:
    """A coroutine that nobody awaited is no result; its outcome is unknown."""

    async def later() -> None:
        raise AssertionError("never awaited")

    def bound(params: Mapping[str, object]) -> Callable[[], Coroutine[Any, Any, None]]:
        return later

    talk = task_talk()
    played = play(finished(talk, talk.get(ID), PermitTool(bound=bound)), [permitted(), DONE])
    assert isinstance(played.error, CallInvalid)
    assert played.body(1)["outcome"] == "unknown"


def test_tool_under_another_tool_keeps_its_own_words() -> None:
    """A NoResult that the tool raised itself is the tool's error, not an answer for this call."""
    waiting = play(task_talk().get(ID), [action("PENDING")]).result
    assert waiting is not None
    inner = Held(waiting)
    played = called(Shop(error=inner), [permitted(), DONE], says=True)
    assert played.error is inner
    assert played.body(1)["outcome"] == "unknown"
