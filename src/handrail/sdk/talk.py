"""What can be said to the server, as conversations. The drivers turn each into a plain call."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from handrail.sdk import wire
from handrail.sdk.errors import CallConflict, CallInvalid, ClientError
from handrail.sdk.plain import check_params, encoded
from handrail.sdk.retry import Retry, asked
from handrail.sdk.said import Handoff, TaskAction, TaskGrant
from handrail.sdk.steps import Pause, Talk, WireCall

__all__ = ["ANSWER_S", "ClientSetup", "DeskTalk", "TaskTalk"]

ANSWER_S: Final = 10.0
"""The time allowed for an answer, on top of what the server is asked to wait."""

EARLY_PAUSE_S: Final = 0.25
"""Pause when the server answers a long poll early without news, so that no loop runs hot."""

_STATE_AFTER: Final = {"done": "SUCCEEDED", "not_done": "FAILED", "unknown": "UNKNOWN"}
_KEY_BYTES: Final = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class ClientSetup:
    """Where the server is and how patient the client is, with its clocks and randomness."""

    base_url: str
    api_key: str | None = field(default=None, repr=False)
    retry: Retry = field(default_factory=Retry)
    answer_s: float = ANSWER_S
    wall_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000
    steady_s: Callable[[], float] = time.monotonic
    entropy: Callable[[int], bytes] = os.urandom

    def __post_init__(self) -> None:
        object.__setattr__(self, "base_url", wire.checked_url(self.base_url))
        if self.api_key is not None:
            wire.check_credential("api_key", self.api_key)

    def call(
        self,
        method: str,
        path: str,
        token: str | None,
        body: Mapping[str, object] | None = None,
        *,
        wait_ms: int = 0,
        repeatable: bool = True,
    ) -> WireCall:
        """A request with everything that it needs."""
        return WireCall(
            method=method,
            path=path,
            token=token,
            body=None if body is None else encoded(body),
            read_s=self.answer_s + wait_ms / 1_000,
            repeatable=repeatable,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class DeskTalk:
    """What the agent's key is for: tasks begin and end with it."""

    setup: ClientSetup

    def task(self, *, ticket: str | None = None, lane: str | None = None) -> Talk[TaskGrant]:
        """Issue a task. Sent again only when it certainly did not arrive."""
        body = _given(ticket=ticket, lane=lane)
        check_params(body)
        call = self.setup.call("POST", "/v1/tasks", self._key(), body, repeatable=False)
        reply, _ = yield from asked(call, self.setup.retry)
        return wire.read_grant(reply)

    def end(self, task: str) -> Talk[None]:
        """End a task: its token stops at once. What it proposed goes on waiting."""
        call = self.setup.call("DELETE", wire.task_path(task), self._key())
        reply, _ = yield from asked(call, self.setup.retry)
        wire.read_nothing(reply)

    def _key(self) -> str:
        if self.setup.api_key is None:
            raise CallInvalid(
                "credential_missing", "tasks begin and end with the agent's `api_key`"
            )
        return self.setup.api_key


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskTalk:
    """What an agent says within its task."""

    setup: ClientSetup
    grant: TaskGrant

    def __post_init__(self) -> None:
        wire.check_credential("token", self.grant.token)

    def propose(
        self,
        /,
        kind: str,
        params: Mapping[str, object] | None = None,
        *,
        key: str | None = None,
        note: str | None = None,
        claim: int | None = None,
        wait: float = 0.0,
        **fields: object,
    ) -> Talk[TaskAction]:
        """Propose an action; parameters by name, or as a dict, or both.

        The same `key` with the same content gives the same answer and never a second effect; left
        out, every call gets a fresh one, which covers its own retries. `note` is for the reviewer,
        who is told that it is unchecked. `claim` (0 to 3) can only raise the grade. With `wait`
        (seconds) the answer comes when the action is final, or as it stands when the time is over.
        """
        check_wait(wait)
        began = self.setup.steady_s()
        twice = sorted(fields.keys() & (params or {}).keys())
        if twice:
            raise CallInvalid("field_malformed", f"`{twice[0]}` is given twice")
        wait_ms = slice_ms(wait)
        item = self._item(kind, {**(params or {}), **fields}, key=key, note=note, claim=claim)
        call = self._call("POST", "/v1/proposals", {**item, "wait_ms": wait_ms}, wait_ms=wait_ms)
        reply, _ = yield from asked(call, self.setup.retry)
        action = wire.read_action(reply)
        left = wait - (self.setup.steady_s() - began)
        if _settled(action) or left <= 0:
            return action
        return (yield from self.poll(action.id, left))

    def batch(self, items: Sequence[Mapping[str, object]]) -> Talk[list[TaskAction | ClientError]]:
        """Propose up to 100 actions at once: dicts of `kind`, `params`, `key`, `note`, `claim`.

        The answer has an action for each, or the error that this one alone got.
        """
        body: list[object] = []
        for item in items:
            params = item.get("params")
            check_params(params if isinstance(params, Mapping) else {})
            given = _given(**{**item, "params": None})
            check_params(given)
            body.append({"key": self._fresh_key(), **given, "params": params})
        call = self._call("POST", "/v1/proposals/batch", {"items": body})
        reply, _ = yield from asked(call, self.setup.retry)
        return wire.read_batch(reply, len(body))

    def get(self, id: str, wait: float = 0.0) -> Talk[TaskAction]:
        """Where an action stands: now, or when it is final, or after `wait` seconds."""
        return (yield from self.poll(id, wait))

    def wait_for(self, id: str, timeout: float) -> Talk[TaskAction]:
        """Wait until an action is final, for at most `timeout` seconds.

        When the time is over, the action is returned as it stands: waiting is never a no. An action
        that came back with a permit is not waited for.
        """
        return (yield from self.poll(id, timeout))

    def undo(self, id: str) -> Talk[TaskAction]:
        """Reverse what was done, as an action of its own: it may run, wait or be refused.

        Raises CallConflict `undo_unavailable` when there is nothing to undo, or no longer; also
        when an undo whose answer was lost has landed.
        """
        return (yield from self._once(self._call("POST", wire.proposal_path(id, "undo"), {})))

    def withdraw(self, id: str) -> Talk[TaskAction]:
        """Take back what has not run yet. Raises CallConflict `not_pending` when it is too late."""
        call = self._call("POST", wire.proposal_path(id, "withdraw"), {})
        return (yield from self._once(call, id, "WITHDRAWN"))

    def escalate(self, concern: str, action: str | None = None) -> Talk[Handoff]:
        """Hand the task, or one action of it, to a person. Always allowed.

        Sent again only when it certainly did not arrive, so that nobody is called twice.
        """
        body = _given(concern=concern, action=action)
        check_params(body)
        call = self._call("POST", "/v1/escalations", body, repeatable=False)
        reply, _ = yield from asked(call, self.setup.retry)
        return wire.read_handoff(reply)

    def claim(self, id: str) -> Talk[TaskAction]:
        """Ask for the permit of an approved action that runs in this process."""
        return (yield from self._once(self._call("POST", wire.proposal_path(id, "claim"), {})))

    def receipt(
        self,
        id: str,
        permit: str,
        outcome: str,
        *,
        provider_ref: str | None = None,
        result: Mapping[str, object] | None = None,
        error: str | None = None,
    ) -> Talk[TaskAction]:
        """Report how a permit's run ended: `done`, `not_done` (for certain) or `unknown`."""
        if outcome not in _STATE_AFTER:
            allowed = ", ".join(_STATE_AFTER)
            raise CallInvalid("field_malformed", f"`outcome` must be one of: {allowed}")
        body = _given(
            permit=permit, outcome=outcome, provider_ref=provider_ref, result=result, error=error
        )
        check_params(body)
        call = self._call("POST", wire.proposal_path(id, "receipt"), body)
        return (yield from self._once(call, id, _STATE_AFTER[outcome]))

    def poll(
        self,
        id: str,
        wait: float,
        *,
        stop: Callable[[TaskAction], bool] | None = None,
    ) -> Talk[TaskAction]:
        """Read an action until `stop` says so (final, or with a permit) or `wait` is over."""
        check_wait(wait)
        path, clock = wire.proposal_path(id), self.setup.steady_s
        deadline = clock() + wait
        while True:
            began = clock()
            wait_ms = slice_ms(max(0.0, deadline - began))
            call = self._call("GET", f"{path}?wait_ms={wait_ms}", wait_ms=wait_ms)
            reply, _ = yield from asked(call, self.setup.retry)
            action = wire.read_action(reply)
            now = clock()
            if (stop or _settled)(action) or now >= deadline:
                return action
            if now - began < wait_ms / 2_000:
                yield Pause(seconds=min(EARLY_PAUSE_S, deadline - now))

    def _once(
        self, call: WireCall, id: str | None = None, state: str | None = None
    ) -> Talk[TaskAction]:
        """Make a call that can land once.

        When only a later try is answered, and with "too late", an earlier one may have landed: the
        action's own state tells.
        """
        reply, tried = yield from asked(call, self.setup.retry)
        try:
            return wire.read_action(reply)
        except CallConflict as conflict:
            refusal = conflict
        if tried > 1 and id is not None:
            action = yield from self.get(id)
            if action.state == state:
                return action
        raise refusal

    def _item(
        self,
        kind: str,
        params: Mapping[str, object],
        *,
        key: str | None,
        note: str | None,
        claim: int | None,
    ) -> dict[str, object]:
        check_params(params)
        key = self._fresh_key() if key is None else key
        rest = _given(kind=kind, key=key, note=note, claim=claim)
        check_params(rest)
        return {**rest, "params": dict(params)}

    def _call(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None = None,
        *,
        wait_ms: int = 0,
        repeatable: bool = True,
    ) -> WireCall:
        return self.setup.call(
            method, path, self.grant.token, body, wait_ms=wait_ms, repeatable=repeatable
        )

    def _fresh_key(self) -> str:
        return wire.uuid7(self.setup.wall_ms(), self.setup.entropy(_KEY_BYTES))


def check_wait(seconds: float) -> None:
    """Refuse a time to wait that is none."""
    if not (math.isfinite(seconds) and seconds >= 0):
        raise CallInvalid("setting_malformed", "a time to wait is a number of seconds, 0 or more")


def slice_ms(seconds: float) -> int:
    """How long one request waits, in milliseconds."""
    return min(wire.WAIT_MS_MAX, math.ceil(seconds * 1_000))


def _settled(action: TaskAction) -> bool:
    return action.final or action.permit is not None


def _given(**fields: object) -> dict[str, object]:
    return {name: value for name, value in fields.items() if value is not None}
