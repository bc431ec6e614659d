"""Recorded conversations through a real gateway: a handrail desk in front of the shops.

Every recorded call is proposed to the desk as the agent made it; what the policy lets run is
carried out by the shop, and what is held is approved by scripted people, so that the conversation
goes on as recorded. Nothing here knows the labels.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import handrail
from benchmarks.tau.client import Backend
from benchmarks.tau.connector import SHOP, ShopConnector
from benchmarks.tau.outcome import Fate, Outcome
from benchmarks.tau.strategies import (
    ANY_CUSTOMER,
    ONE_CUSTOMER,
    Strategy,
    is_write,
    policy_of,
)
from benchmarks.tau.thread import CUSTOMER, DESK
from benchmarks.tau.traffic import Call, Conversation
from handrail.core.decide import ReasonCode
from handrail.core.lifecycle import State
from handrail.core.policy import Policy
from handrail.core.task import Task
from handrail.errors import InvalidInput, NotAllowed
from handrail.surfaces.embedded import Action, Desk

__all__ = ["Gate", "Passed", "WentWrong", "open_gate", "replay_all"]

CHECKERS: Final = ("checker-one", "checker-two", "checker-three", "checker-four", "checker-five")
"""As many as a policy may ask for. They approve whatever they are shown."""
LIMIT: Final = "1000000.00 USD"
AGENT: Final = "recorded-agent"

START_MS: Final = 1_715_803_200_000
"""When the first conversation begins: the airline's clock, 2024-05-15 15:00 EST."""
BETWEEN_MS: Final = 31 * 24 * 3_600_000
"""From one conversation to the next. They are repeats of the same few days, not a customer's
history, so no cap may add them up."""
TURN_MS: Final = 1_000
"""From one call to the next."""

RED_FLAGS: Final = frozenset({ReasonCode.OUTSIDE_LANE.value, ReasonCode.FACTS_CONTRADICT.value})
"""Reasons that contradict a call, as opposed to holding it for its kind or amount."""
CHECKS: Final = frozenset({ReasonCode.CHECK_FAILED.value, ReasonCode.CHECK_FLAGGED.value})
"""Reasons that come with checks that did not pass, which are looked up then."""


class WentWrong(RuntimeError):
    """The rig itself failed, so nothing that it measured counts."""


class Clock:
    """A clock that is moved by hand, in milliseconds UTC."""

    def __init__(self, now: int) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


@dataclass(frozen=True, kw_only=True, slots=True)
class Passed:
    """One call after the gateway. `drifted`: the shop did something else than recorded, although
    every call before it ran as recorded."""

    call_id: str
    outcome: Outcome
    drifted: bool


class Gate:
    """A desk with one policy in front of one shop."""

    def __init__(self, desk: Desk, shop: ShopConnector, policy: Policy, clock: Clock) -> None:
        self.desk = desk
        self._shop = shop
        self._policy = policy
        self._clock = clock
        self._writes = {name for name, rule in policy.kinds.items() if is_write(rule)}
        for name in CHECKERS:
            desk.person(name, roles=("reviewer", "checker"), limits=(LIMIT,))

    def replay(self, conversation: Conversation) -> Iterator[Passed]:
        """Propose every call in order. Raises WentWrong when an outcome cannot be known.

        After the first call that did not run as recorded the rest is replayed too, on records that
        are not the recorded ones any more; nobody judges it.
        """
        self._clock.now += BETWEEN_MS
        task = self._task(conversation)
        as_recorded = True
        with self._shop.visit():
            for call in conversation.calls:
                self._clock.now += TURN_MS
                if call.tool in self._writes:
                    self._shop.hear(_said(conversation, call))
                outcome, accepted = self._pass(task, call)
                refused = outcome.fate is Fate.REFUSED
                known = as_recorded and not refused and call.answer is not None
                drifted = known and accepted is call.was_refused
                yield Passed(call_id=call.id, outcome=outcome, drifted=drifted)
                as_recorded = as_recorded and (call.was_refused if refused else not drifted)

    def _task(self, conversation: Conversation) -> Task:
        """A task for the customer of the conversation, or for any when the recording names none."""
        customer = conversation.customer
        if customer is None:
            return self.desk.task(agent=AGENT, lane=ANY_CUSTOMER)
        return self.desk.task(agent=AGENT, lane=ONE_CUSTOMER, customers=[customer])

    def _pass(self, task: Task, call: Call) -> tuple[Outcome, bool]:
        """What became of a call, and whether the shop accepted it."""
        try:
            action = self.desk.propose(task, call.tool, _params(call), key=call.id)
        except InvalidInput:
            # Not even the form of the call is right, so there is nothing to decide about.
            return Outcome(fate=Fate.REFUSED), False
        was_asked = action.state is State.PENDING
        if was_asked:
            action = self._approved(action)
        elif action.state is State.HOLDING:
            self._clock.now += self._policy.clocks.recall_ms
            self.desk.work()
            action = self.desk.get(action.id)
        return self._outcome(action, was_asked=was_asked), action.state is State.SUCCEEDED

    def _approved(self, action: Action) -> Action:
        """Ask people until as many as needed said yes; what nothing can run, they reject."""
        for name in CHECKERS:
            if action.state is not State.PENDING:
                break
            try:
                action = self.desk.review(action.id, "approve", by=name, digest=action.digest)
            except NotAllowed as refusal:
                if refusal.code != "nothing_can_run":
                    raise
                action = self.desk.review(
                    action.id, "reject", by=name, digest=action.digest, reason="no such tool"
                )
        return action

    def _outcome(self, action: Action, *, was_asked: bool) -> Outcome:
        reasons = self._reasons(action.id)
        failed = self._failed(action.id) if CHECKS & reasons else ()
        match action.state:
            case State.SUCCEEDED | State.FAILED:
                fate = Fate.HELD if was_asked else Fate.RAN_ALONE
            case State.REJECTED:
                fate = Fate.HELD
            case State.REFUSED | State.EXPIRED:
                # A full cap ends even what was approved.
                fate = Fate.REFUSED
            case _:
                raise WentWrong(f"`{action.id}` ({action.kind}) is {action.state.value}")
        return Outcome(fate=fate, red_flag=bool(failed or RED_FLAGS & reasons), failed=failed)

    def _failed(self, id: str) -> tuple[str, ...]:
        """The checks that spoke against the action; one that could not be evaluated did not."""
        shown = self.desk.show(id, by=CHECKERS[0])
        return tuple(one.name for one in shown.failed if not one.broken)

    def _reasons(self, id: str) -> set[str]:
        proposal = self.desk.ctx.store.read(lambda tx: tx.proposals.get(self.desk.id, id))
        return set() if proposal is None else set(proposal.reasons.split(","))


@contextmanager
def open_gate(folder: Path, backend: Backend, domain: str, policy: Policy) -> Iterator[Gate]:
    """A gate with a desk of its own in `folder`. Its log is verified at the end.

    Raises WentWrong when the log does not verify.
    """
    shop = ShopConnector(backend, domain)
    clock = Clock(START_MS)
    with handrail.open(folder, policy=policy, connectors={SHOP: shop}, clock=clock) as desk:
        yield Gate(desk, shop, policy, clock)
        report = desk.verify()
        if report.findings:
            raise WentWrong(f"the log does not verify: {report.findings[0].what}")


def replay_all(
    backend: Backend, conversations: Sequence[Conversation], strategy: Strategy
) -> list[Passed]:
    """What the gateway did with every call under one strategy. Raises WentWrong."""
    return [
        one
        for domain in sorted({one.domain for one in conversations})
        for one in _through_one_desk(
            backend, domain, [one for one in conversations if one.domain == domain], strategy
        )
    ]


def _through_one_desk(
    backend: Backend, domain: str, conversations: Sequence[Conversation], strategy: Strategy
) -> Iterator[Passed]:
    policy = policy_of(strategy, domain)
    with (
        tempfile.TemporaryDirectory(prefix="handrail-tau-") as folder,
        open_gate(Path(folder), backend, domain, policy) as gate,
    ):
        for conversation in conversations:
            yield from gate.replay(conversation)


def _said(conversation: Conversation, call: Call) -> list[tuple[str, str]]:
    """What customer and desk wrote before the turn that makes the call."""
    before = conversation.messages[: call.turn]
    return [(one.role, one.text) for one in before if one.text and one.role in (CUSTOMER, DESK)]


def _params(call: Call) -> dict[str, object]:
    """The arguments as handrail takes them: an empty text is one that was left out."""
    return {name: _whole(value) for name, value in call.arguments.items() if value != ""}


def _whole(value: Any) -> Any:
    """A JSON value with 150.0 as 150: JSON has one kind of number, handrail takes whole ones."""
    match value:
        case float() if value.is_integer():
            return int(value)
        case dict():
            return {name: _whole(one) for name, one in value.items()}
        case list():
            return [_whole(one) for one in value]
        case _:
            return value
