"""`@guard` without a server: arguments become parameters, and parameters become arguments."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from handrail.sdk import AsyncHandrail, CallInvalid, Handrail, TaskGrant, guard, resume
from handrail.sdk.errors import ClientError
from handrail.sdk.guard import GuardedTool
from handrail.sdk.steps import ToolRun, WireReply
from tests.sdk.script import Played, action, play, task_talk

NOBODY = "https://nobody.test"
GRANT = TaskGrant(id="tk_1", token="hrt_1")
CLIENT = Handrail(NOBODY).resume(GRANT)

Arguments = dict[str, object]


def echo(**seen: object) -> Arguments:
    """What a tool saw."""
    return seen


def two(customer: str, amount: str) -> Arguments:
    """A tool with what is always given."""
    return echo(customer=customer, amount=amount)


def defaults(customer: str, count: int = 1, note: str | None = None) -> Arguments:
    """A tool with what may be left out."""
    return echo(customer=customer, count=count, note=note)


def needs_none(note: str | None) -> Arguments:
    """A tool that wants to be told that there is no note."""
    return echo(note=note)


def open_end(customer: str, **more: object) -> Arguments:
    """A tool that takes what comes."""
    return echo(customer=customer, more=more)


def by_place(customer: str, /, count: int = 1, *, note: str = "none") -> Arguments:
    """A tool with every way of giving a parameter."""
    return echo(customer=customer, count=count, note=note)


def with_shop(shop: object, customer: str) -> Arguments:
    """A tool that needs something that is no part of the action."""
    return echo(shop=shop, customer=customer)


def made_of(tool: Callable[..., Any]) -> GuardedTool:
    """The terms of a guarded tool."""
    made: GuardedTool = tool.__handrail__  # type: ignore[attr-defined]
    return made


def run(made: GuardedTool, *args: Any, **kwargs: Any) -> Played[object]:
    """One call; the server freezes what was proposed."""
    return run_frozen(made, play_first(made, args, kwargs), *args, **kwargs)


def run_frozen(made: GuardedTool, frozen: Arguments, *args: Any, **kwargs: Any) -> Played[object]:
    """One call; the server answers with these parameters."""
    permit = action("EXECUTING", permit="hrp_1", params=frozen)
    return play(made.called(task_talk(), args, kwargs), [permit, action("SUCCEEDED")])


def play_first(made: GuardedTool, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Arguments:
    """The parameters that a call proposes."""
    first = play(made.called(task_talk(), args, kwargs), [action("PENDING")])
    asked: Arguments = first.body(0)["params"]
    return asked


CALLS: list[tuple[Callable[..., Arguments], tuple[Any, ...], Arguments, Arguments, Arguments]] = [
    # tool, positional and named arguments; what is proposed, and what the tool sees
    (two, ("C-1", "1.00 USD"), {}, {"customer": "C-1", "amount": "1.00 USD"}, {}),
    (two, ("C-1",), {"amount": "1.00 USD"}, {"customer": "C-1", "amount": "1.00 USD"}, {}),
    (defaults, ("C-1",), {}, {"customer": "C-1", "count": 1}, {"note": None}),
    (defaults, ("C-1", 2, "x"), {}, {"customer": "C-1", "count": 2, "note": "x"}, {}),
    (needs_none, (None,), {}, {}, {"note": None}),
    (open_end, ("C-1",), {"a": [1]}, {"customer": "C-1", "a": [1]}, {"more": {"a": [1]}}),
    (open_end, ("C-1",), {}, {"customer": "C-1"}, {"more": {}}),
    (by_place, ("C-1",), {"note": "x"}, {"customer": "C-1", "count": 1, "note": "x"}, {}),
]


@pytest.mark.parametrize(("tool", "args", "kwargs", "params", "beside"), CALLS)
def test_arguments_become_parameters_and_come_back(
    tool: Callable[..., Arguments],
    args: tuple[Any, ...],
    kwargs: Arguments,
    params: Arguments,
    beside: Arguments,
) -> None:
    """Defaults are proposed too, so that a reviewer sees all that counts; None is left out."""
    made = made_of(guard(CLIENT, kind="coupon.send")(tool))
    played = run(made, *args, **kwargs)
    assert played.body(0)["params"] == params
    seen = {**params, **beside}
    if "more" in beside:
        seen = {"customer": "C-1", **beside}
    assert played.result == seen


def test_tool_runs_with_the_frozen_parameters_and_not_with_the_callers() -> None:
    """A list that the caller changes meanwhile changes nothing; amounts arrive as text."""
    lines: list[object] = [1, 2]

    def tool(amount: str, lines: list[object]) -> Arguments:
        return echo(amount=amount, lines=lines)

    made = made_of(guard(CLIENT, kind="coupon.send")(tool))
    talk = made.called(task_talk(), ("12.5 USD", lines), {})
    talk.send(None)
    lines.append(3)
    frozen = {"amount": {"currency": "USD", "minor": 1250}, "lines": [1, 2]}
    step = talk.send(action("EXECUTING", permit="hrp_1", params=frozen))
    assert isinstance(step, ToolRun)
    assert step.call() == {"amount": "12.50 USD", "lines": [1, 2]}


@pytest.mark.parametrize(
    ("tool", "args", "code", "said"),
    [
        (two, ("C-1", 12.5), "float_in_record", "`amount` is a floating point number"),
        (two, ("C-1", object()), "field_wrong_type", "`amount` is a `object`"),
        (two, ("C-1", {"a": [0.5]}), "float_in_record", "`amount`"),
        (defaults, ("C-1", None), "field_wrong_type", "`count` is None; leave it out"),
        (open_end, (CLIENT,), "field_wrong_type", "`customer` is a `TaskClient`"),
    ],
)
def test_argument_that_cannot_be_sent_exactly_is_refused_by_name(
    tool: Callable[..., Arguments], args: tuple[Any, ...], code: str, said: str
) -> None:
    """Before anything is proposed."""
    made = made_of(guard(CLIENT, kind="coupon.send")(tool))
    with pytest.raises(CallInvalid) as caught:
        made.called(task_talk(), args, {}).send(None)
    assert caught.value.code == code
    assert said in caught.value.detail


@pytest.mark.parametrize(("args", "kwargs"), [((), {}), (("C-1", "1", "x"), {}), ((), {"x": 1})])
def test_wrong_call_is_pythons_own_error(args: tuple[Any, ...], kwargs: Arguments) -> None:
    """As if the tool were not guarded."""
    tool = guard(CLIENT, kind="coupon.send")(two)
    with pytest.raises(TypeError, match="argument"):
        tool(*args, **kwargs)  # type: ignore[arg-type]


def test_what_is_set_aside_is_passed_on_and_never_proposed() -> None:
    """A connection, or `self`, is no part of the action."""
    shop = object()
    made = made_of(guard(CLIENT, kind="coupon.send", aside=("shop",))(with_shop))
    played = run(made, shop, "C-1")
    assert played.body(0)["params"] == {"customer": "C-1"}
    assert played.result == {"shop": shop, "customer": "C-1"}


def test_key_and_note_are_made_of_the_parameters() -> None:
    """So that a call of a model keeps its own id, and a reviewer reads why."""
    made = made_of(
        guard(
            CLIENT,
            kind="coupon.send",
            key=lambda params: f"coupon:{params['customer']}",
            note=lambda params: f"for {params['customer']}",
            claim=2,
        )(two)
    )
    body = run(made, "C-1", "1.00 USD").body(0)
    assert (body["key"], body["note"], body["claim"]) == ("coupon:C-1", "for C-1", 2)
    plain = made_of(guard(CLIENT, kind="coupon.send", note="as agreed")(two))
    assert run(plain, "C-1", "1.00 USD").body(0)["note"] == "as agreed"


@pytest.mark.parametrize(
    ("frozen", "said"),
    [
        ({"customer": "C-1", "amount": "1.00 USD", "colour": "red"}, "no parameter `colour`"),
        ({"customer": "C-1", "amount": "1.00 USD", "": 1}, "no parameter ``"),
    ],
)
def test_frozen_parameter_that_the_tool_lacks_stops_it(frozen: Arguments, said: str) -> None:
    """It is not run without something that was decided on."""
    made = made_of(guard(CLIENT, kind="coupon.send")(two))
    played = run_frozen(made, frozen, "C-1", "1.00 USD")
    assert isinstance(played.error, ClientError)
    assert said in played.error.detail
    assert "run" not in played.said


def generator() -> Iterator[int]:
    """A tool that does not return once."""
    yield 1


async def async_generator() -> AsyncIterator[int]:
    """Another one."""
    yield 1


def nameless(*items: str) -> None:
    """A tool with parameters that have no name."""


@pytest.mark.parametrize(
    ("tool", "terms", "said"),
    [
        (generator, {}, "cannot be a generator"),
        (async_generator, {}, "cannot be a generator"),
        (nameless, {}, "`*items` cannot be guarded"),
        (two, {"aside": ("shop",)}, "no parameter `shop`"),
        (two, {"wait": -1}, "0 or more"),
        (two, {"wait": float("inf")}, "0 or more"),
        (two, {"on_held": "ask"}, "`raise` or `say`"),
    ],
)
def test_tool_that_cannot_be_guarded_is_refused_when_it_is_defined(
    tool: Callable[..., Any], terms: dict[str, Any], said: str
) -> None:
    """Not at its first call."""
    with pytest.raises(CallInvalid) as caught:
        guard(CLIENT, kind="coupon.send", **terms)(tool)
    assert caught.value.code == "setting_malformed"
    assert said in caught.value.detail


def test_guarded_tool_looks_like_the_tool() -> None:
    """Frameworks read name, description, signature and whether it is a coroutine function."""

    async def send(customer: str, amount: str = "1.00 USD") -> str:
        """Send a coupon."""
        return customer + amount

    tool = guard(CLIENT, kind="coupon.send")(send)
    assert (tool.__name__, tool.__doc__) == ("send", "Send a coupon.")
    assert inspect.signature(tool) == inspect.signature(send)
    assert inspect.iscoroutinefunction(tool)
    assert not inspect.iscoroutinefunction(guard(CLIENT, kind="coupon.send")(two))


async def send_later(customer: str, amount: str) -> Arguments:
    """A coroutine function as a tool."""
    return echo(customer=customer, amount=amount)


@pytest.mark.parametrize("task", [None, AsyncHandrail(NOBODY).resume(GRANT), "hrt_1"])
def test_task_that_does_not_fit_the_tool_is_named(task: Any) -> None:
    """No task set, or the client of the other kind."""
    tool = guard(lambda: task, kind="coupon.send")(two)
    with pytest.raises(CallInvalid, match="needs the task as a `TaskClient`"):
        tool("C-1", "1.00 USD")


def test_coroutine_function_needs_the_asynchronous_client() -> None:
    """A synchronous one would hold up the loop."""
    tool = guard(CLIENT, kind="coupon.send")(send_later)
    with pytest.raises(CallInvalid, match="needs the task as a `AsyncTaskClient`"):
        asyncio.run(tool("C-1", "1.00 USD"))


RESUMED = {"customer": "C-1"}


def resumed(made: GuardedTool, lines: list[WireReply], **aside: object) -> Played[object]:
    """The rest of a call."""
    return play(made.resumed(task_talk(), "hr_0001", aside), lines)


def test_held_call_goes_on_from_its_id() -> None:
    """With the parameters that were decided on, and what only this process has."""
    shop = object()
    made = made_of(guard(CLIENT, kind="coupon.send", aside=("shop",))(with_shop))
    permit = action("EXECUTING", permit="hrp_1", params=RESUMED)
    played = resumed(made, [action("READY"), permit, action("SUCCEEDED")], shop=shop)
    assert played.result == {"shop": shop, "customer": "C-1"}
    assert played.said == [
        "GET /v1/proposals/hr_0001?wait_ms=0",
        "POST /v1/proposals/hr_0001/claim",
        "run",
        "POST /v1/proposals/hr_0001/receipt",
    ]


@pytest.mark.parametrize(
    ("aside", "lines", "code", "said"),
    [
        ({}, [], "field_missing", "give `shop`"),
        ({"shop": 1, "customer": "C-2"}, [], "field_unknown", "`customer` is not set aside"),
        ({"shop": 1}, [action("READY", kind="refund.issue")], "field_malformed", "`refund.issue`"),
    ],
)
def test_resuming_takes_nothing_but_what_is_set_aside(
    aside: Arguments, lines: list[WireReply], code: str, said: str
) -> None:
    """Parameters come from the action; an action of another kind is not this tool's."""
    made = made_of(guard(CLIENT, kind="coupon.send", aside=("shop",))(with_shop))
    try:
        error = resumed(made, lines, **aside).error
    except CallInvalid as raised:
        error = raised
    assert isinstance(error, CallInvalid)
    assert error.code == code
    assert said in error.detail


def test_only_a_guarded_tool_can_be_resumed() -> None:
    """A plain function has no action."""
    with pytest.raises(CallInvalid, match="not guarded"):
        resume(two, "hr_0001")
