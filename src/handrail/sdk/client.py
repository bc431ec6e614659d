"""The synchronous client. What it can say is written once, in `talk`. Threads may share it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, Self, TypeVar

import httpx

from handrail.sdk.exchange import done
from handrail.sdk.retry import Retry
from handrail.sdk.said import TaskGrant
from handrail.sdk.steps import Said, Talk
from handrail.sdk.talk import ANSWER_S, ClientSetup, DeskTalk, TaskTalk

__all__ = ["Handrail", "TaskClient"]

P = ParamSpec("P")
T = TypeVar("T")


class Handrail:
    """A handrail server, seen by an agent. `http` is an httpx client of one's own."""

    def __init__(
        self,
        base_url: str,
        *,
        api_key: str | None = None,
        retry: Retry | None = None,
        answer_s: float = ANSWER_S,
        http: httpx.Client | None = None,
    ) -> None:
        self.setup = ClientSetup(
            base_url=base_url, api_key=api_key, retry=retry or Retry(), answer_s=answer_s
        )
        self._http = http or httpx.Client()
        self._closes = http is None

    def task(self, *, ticket: str | None = None, lane: str | None = None) -> TaskClient:
        """Issue a task, bound to a ticket and the customer behind it."""
        return self.resume(self.run(DeskTalk(setup=self.setup).task(ticket=ticket, lane=lane)))

    def resume(self, grant: TaskGrant) -> TaskClient:
        """Go on with a task that was issued earlier, or to somebody else."""
        return TaskClient(self, TaskTalk(setup=self.setup, grant=grant))

    def end(self, task: str) -> None:
        """End a task: its token stops at once. What it proposed goes on waiting."""
        self.run(DeskTalk(setup=self.setup).end(task))

    def run(self, talk: Talk[T]) -> T:
        """Hold a conversation to its end."""
        said: Said = None
        while True:
            try:
                step = talk.send(said)
            except StopIteration as end:
                value: T = end.value
                return value
            said = done(step, self._http, self.setup.base_url)

    def close(self) -> None:
        """Let go of the connections. No task ends, and nothing that waits is taken back."""
        if self._closes:
            self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _spoken(
    talk: Callable[Concatenate[TaskTalk, P], Talk[T]],
) -> Callable[Concatenate[TaskClient, P], T]:
    """A conversation of a task as a plain method."""

    @wraps(talk)
    def method(self: TaskClient, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self.client.run(talk(self.talk, *args, **kwargs))

    return method


class TaskClient:
    """One task. As a context manager it ends nothing: what waits for a person goes on waiting."""

    def __init__(self, client: Handrail, talk: TaskTalk) -> None:
        self.client = client
        self.talk = talk
        self.grant = talk.grant

    propose = _spoken(TaskTalk.propose)
    batch = _spoken(TaskTalk.batch)
    get = _spoken(TaskTalk.get)
    wait_for = _spoken(TaskTalk.wait_for)
    undo = _spoken(TaskTalk.undo)
    withdraw = _spoken(TaskTalk.withdraw)
    escalate = _spoken(TaskTalk.escalate)
    claim = _spoken(TaskTalk.claim)
    receipt = _spoken(TaskTalk.receipt)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None
