"""`@guard`: a tool's own function, run only as handrail lets it run."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Coroutine, Mapping
from dataclasses import dataclass
from functools import partial, wraps
from typing import Any, Final, Literal, ParamSpec, Protocol, TypeVar, cast, overload

from handrail.sdk.aclient import AsyncTaskClient
from handrail.sdk.client import TaskClient
from handrail.sdk.errors import AnswerMalformed, CallInvalid
from handrail.sdk.permit import PermitTool, finished
from handrail.sdk.said import TaskAction
from handrail.sdk.steps import Talk
from handrail.sdk.talk import TaskTalk, check_wait

__all__ = ["GuardedTool", "RaisingGuard", "SayingGuard", "guard", "resume"]

P = ParamSpec("P")
R = TypeVar("R")

Client = TaskClient | AsyncTaskClient
Arguments = Mapping[str, object]

_ATTRIBUTE: Final = "__handrail__"
_EMPTY: Final = inspect.Parameter.empty
_REST: Final = inspect.Parameter.VAR_KEYWORD


class RaisingGuard(Protocol):
    """Leaves a tool's type as it is."""

    def __call__(self, tool: Callable[P, R], /) -> Callable[P, R]:
        """The guarded tool."""
        ...


class SayingGuard(Protocol):
    """Lets a tool return the text for the model as well."""

    @overload
    def __call__(
        self, tool: Callable[P, Coroutine[Any, Any, R]], /
    ) -> Callable[P, Coroutine[Any, Any, R | str]]: ...
    @overload
    def __call__(self, tool: Callable[P, R], /) -> Callable[P, R | str]: ...


@dataclass(frozen=True, kw_only=True)
class GuardedTool:
    """A function with the terms that it runs on."""

    function: Callable[..., Any]
    signature: inspect.Signature
    task: Client | Callable[[], Client]
    kind: str
    key: Callable[[Arguments], str | None] | None
    note: str | Callable[[Arguments], str | None] | None
    claim: int | None
    wait: float
    not_done: tuple[type[Exception], ...]
    aside: frozenset[str]
    says: bool

    @property
    def is_async(self) -> bool:
        """Whether the tool is awaited."""
        return inspect.iscoroutinefunction(self.function)

    def called(self, talk: TaskTalk, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Talk[object]:
        """A call of the tool, from its proposal to its result."""
        params, aside = self._taken_apart(args, kwargs)
        note = self.note(params) if callable(self.note) else self.note
        key = None if self.key is None else self.key(params)
        first = talk.propose(self.kind, params, key=key, note=note, claim=self.claim)
        return finished(talk, first, self._under_permit(aside))

    def resumed(self, talk: TaskTalk, id: str, aside: Arguments) -> Talk[object]:
        """The rest of a call that was held, from its action's id."""
        strange = sorted(aside.keys() - self.aside)
        if strange:
            raise CallInvalid(
                "field_unknown", f"`{strange[0]}` is not set aside: it comes from the action"
            )
        for name in sorted(self.aside - aside.keys()):
            if self.signature.parameters[name].default is _EMPTY:
                raise CallInvalid("field_missing", f"give `{name}`, which is set aside")
        return finished(talk, self._read(talk, id), self._under_permit(aside))

    def _read(self, talk: TaskTalk, id: str) -> Talk[TaskAction]:
        action = yield from talk.get(id)
        if action.kind != self.kind:
            raise CallInvalid("field_malformed", f"`{id}` is a `{action.kind}`, not `{self.kind}`")
        return action

    def _under_permit(self, aside: Arguments) -> PermitTool:
        return PermitTool(
            bound=partial(self._bound, aside),
            not_done=self.not_done,
            wait=self.wait,
            says=self.says,
        )

    def _taken_apart(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[dict[str, object], dict[str, object]]:
        """The parameters to propose, and what is set aside. None means: not given."""
        call = self.signature.bind(*args, **kwargs)
        call.apply_defaults()
        params: dict[str, object] = {}
        aside: dict[str, object] = {}
        for name, value in call.arguments.items():
            parameter = self.signature.parameters[name]
            if name in self.aside:
                aside[name] = value
            elif parameter.kind is _REST:
                params.update(value)
            elif value is not None:
                params[name] = value
            elif parameter.default not in (None, _EMPTY):
                raise CallInvalid(
                    "field_wrong_type", f"`{name}` is None; leave it out to take its default"
                )
        return params, aside

    def _bound(self, aside: Arguments, frozen: Arguments) -> Callable[[], object]:
        """The function with the parameters that were decided on, and nothing of the caller's."""
        rest = dict(frozen)
        arguments: dict[str, Any] = {}
        open_end = None
        for name, parameter in self.signature.parameters.items():
            if parameter.kind is _REST:
                open_end = name
            elif name in self.aside:
                if name in aside:
                    arguments[name] = aside[name]
            elif name in rest:
                arguments[name] = rest.pop(name)
            elif parameter.default is _EMPTY:
                arguments[name] = None
        if open_end is not None:
            arguments[open_end] = rest
        elif rest:
            raise AnswerMalformed(
                "answer_malformed", f"the tool has no parameter `{next(iter(rest))}`"
            )
        call = inspect.BoundArguments(self.signature, cast(Any, arguments))
        call.apply_defaults()
        return partial(self.function, *call.args, **call.kwargs)


@overload
def guard(
    task: Client | Callable[[], Client],
    *,
    kind: str,
    key: Callable[[Arguments], str | None] | None = None,
    note: str | Callable[[Arguments], str | None] | None = None,
    claim: int | None = None,
    wait: float = 0.0,
    not_done: tuple[type[Exception], ...] = (),
    aside: Collection[str] = (),
    on_held: Literal["raise"] = "raise",
) -> RaisingGuard: ...
@overload
def guard(
    task: Client | Callable[[], Client],
    *,
    kind: str,
    key: Callable[[Arguments], str | None] | None = None,
    note: str | Callable[[Arguments], str | None] | None = None,
    claim: int | None = None,
    wait: float = 0.0,
    not_done: tuple[type[Exception], ...] = (),
    aside: Collection[str] = (),
    on_held: Literal["say"],
) -> SayingGuard: ...


def guard(
    task: Client | Callable[[], Client],
    *,
    kind: str,
    key: Callable[[Arguments], str | None] | None = None,
    note: str | Callable[[Arguments], str | None] | None = None,
    claim: int | None = None,
    wait: float = 0.0,
    not_done: tuple[type[Exception], ...] = (),
    aside: Collection[str] = (),
    on_held: str = "raise",
) -> Any:
    """Let a tool's own function run only as handrail lets it run, and report how it ended.

    A call becomes an action of `kind`: its arguments (defaults included) are the parameters. When
    it may run, the function runs here, once, with the parameters that were decided on. `task` is
    the task's client, or a function that finds it when the tool is called. A coroutine function
    needs an `AsyncTaskClient`.

    `key` makes the idempotency key out of the parameters; a second call with the same key gets
    the result of the first and does not run. `wait` is how long (seconds) a held call waits for
    its approval. `not_done` are errors of the tool's own that mean, for certain, that nothing
    happened; after any other the outcome counts as unknown. `aside` names arguments that are no
    part of the action (`self`, a connection): they are passed on as they are.

    A call that does not run raises a NoResult: Held, Refused, Ended, InDoubt or AlreadyRan. With
    `on_held="say"` it returns what the model should be told instead, as text.
    """
    if on_held not in ("raise", "say"):
        raise CallInvalid("setting_malformed", "`on_held` must be `raise` or `say`")
    check_wait(wait)

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        made = GuardedTool(
            function=function,
            signature=_checked_signature(function, frozenset(aside)),
            task=task,
            kind=kind,
            key=key,
            note=note,
            claim=claim,
            wait=wait,
            not_done=not_done,
            aside=frozenset(aside),
            says=on_held == "say",
        )
        return _wrapped(made)

    return decorate


def resume(tool: Callable[..., R], id: str, /, **aside: object) -> R:
    """Go on with a call of a guarded tool that was held, by its action's id: now or days later.

    When it was approved, the tool runs with the parameters that were decided on; give only what
    the guard sets aside. For a coroutine function this returns what is to be awaited.
    """
    made = getattr(tool, _ATTRIBUTE, None)
    if not isinstance(made, GuardedTool):
        raise CallInvalid("setting_malformed", "this function is not guarded")
    client = _client(made)
    return cast(R, client.client.run(made.resumed(client.talk, id, aside)))


def _wrapped(made: GuardedTool) -> Callable[..., Any]:
    if made.is_async:

        @wraps(made.function)
        async def call_async(*args: Any, **kwargs: Any) -> object:
            client = cast(AsyncTaskClient, _client(made))
            return await client.client.run(made.called(client.talk, args, kwargs))

        wrapper: Callable[..., Any] = call_async
    else:

        @wraps(made.function)
        def call(*args: Any, **kwargs: Any) -> object:
            client = cast(TaskClient, _client(made))
            return client.client.run(made.called(client.talk, args, kwargs))

        wrapper = call
    setattr(wrapper, _ATTRIBUTE, made)
    return wrapper


def _client(made: GuardedTool) -> Client:
    task = made.task
    client = task if isinstance(task, TaskClient | AsyncTaskClient) else task()
    wanted = AsyncTaskClient if made.is_async else TaskClient
    if not isinstance(client, wanted):
        raise CallInvalid(
            "setting_malformed",
            f"`{made.kind}` needs the task as a `{wanted.__name__}`, and there is a"
            f" `{type(client).__name__}`",
        )
    return client


def _checked_signature(function: Callable[..., Any], aside: frozenset[str]) -> inspect.Signature:
    """The signature of a function that can be guarded."""
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise CallInvalid(
            "setting_malformed", "a guarded tool returns once; it cannot be a generator"
        )
    signature = inspect.signature(function)
    for name, parameter in signature.parameters.items():
        if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
            raise CallInvalid(
                "setting_malformed", f"`*{name}` cannot be guarded: every parameter needs a name"
            )
    strange = sorted(aside - signature.parameters.keys())
    if strange:
        raise CallInvalid("setting_malformed", f"there is no parameter `{strange[0]}` to set aside")
    return signature
