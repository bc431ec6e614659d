"""The actions of the matrix: how each is lived, by everybody who has a part in it.

A life can be lived again on the same desk: the agent repeats its call, and people do what they have
not done yet.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from handrail.connectors.protocol import Promise, Receipt
from handrail.core.lifecycle import State
from handrail.engine.running.execute import Effect, Ending
from handrail.engine.running.permit import receipt_unit
from handrail.errors import HandrailError
from handrail.surfaces.embedded import Action
from tests.crash.moments import SIDES, STEPS, Moment
from tests.crash.stage import DESK, MINUTE, Stage

__all__ = ["ACTIONS", "Lived"]


class Lived(msgspec.Struct, frozen=True, kw_only=True):
    """An action: its life, the steps that it takes, and where each commit leaves it."""

    live: Callable[[Stage], None]
    promises: tuple[Promise, ...]
    steps: tuple[str, ...]
    stands: dict[str, State]

    def moments(self) -> list[Moment]:
        """Before and after each step."""
        return [Moment(step, side) for step in self.steps for side in SIDES]

    def stands_after(self, passed: Sequence[Moment]) -> State | None:
        """Where the next process finds it when this one ends there. None: nowhere."""
        landed = [
            self.stands[moment.step]
            for moment in passed
            if moment.side == "after" and moment.step in self.stands
        ]
        return landed[-1] if landed else None


def _alone(stage: Stage) -> None:
    stage.notify(stage.propose("pay", amount="18.50 USD").id)


def _approved(stage: Stage) -> None:
    action = stage.propose("pay", amount="120.00 USD")
    _review(stage, action, "ann")
    stage.notify(action.id)


def _by_two(stage: Stage) -> None:
    action = stage.propose("pay", amount="2400.00 USD")
    _review(stage, action, "carl")
    _review(stage, action, "cora")
    stage.notify(action.id)


def _held(stage: Stage) -> None:
    action = stage.propose("mail", body="on its way")
    stage.clock.now += 2 * MINUTE
    stage.desk.work()
    stage.notify(action.id)


def _undo(stage: Stage) -> None:
    stage.received()
    stage.notify(stage.desk.undo(stage.paid, by="bot").id)


def _tool(stage: Stage) -> None:
    """The agent runs its tool itself, under a permit, and says what came of it."""
    action = stage.propose("tool.run", text="hello")
    if action.permit is not None:
        receipt = stage.bank.execute("tool.run", {"text": "hello"}, action.id, now=stage.clock())
        effect = Effect(ending=Ending.DONE, receipt=Receipt(provider_ref=receipt.provider_ref))
        stage.store.write(
            receipt_unit(
                stage.desk.ctx,
                DESK,
                action.id,
                task=stage.task.id,
                permit=action.permit,
                effect=effect,
            )
        )
    stage.notify(action.id)


def _review(stage: Stage, action: Action, person: str) -> None:
    """Look and approve; somebody who has said so already says nothing more."""
    if stage.desk.get(action.id).state is not State.PENDING:
        return
    digest = stage.show(action.id, person)
    try:
        stage.desk.review(action.id, "approve", by=person, digest=digest)
    except HandrailError as error:
        if error.code != "reviewed_already":
            raise


_ALL: Final = tuple(Promise)
_ASKS_NOBODY: Final = tuple(step for step in STEPS if step[:2] not in ("5 ", "6 ", "7 "))
_SECOND: Final = ("5 show again", "6 decide again", "7 log decision again")
_WAITED: Final = (*STEPS[:7], "2 grade again", *STEPS[7:])
"""What waited is graded again before it runs."""
_RUNS: Final = {"9 log dispatch": State.EXECUTING, "12 log result": State.SUCCEEDED}
_AT_ONCE: Final = {"3 log intent": State.EXECUTING, **_RUNS}
_ASKED: Final = {"3 log intent": State.PENDING, "7 log decision": State.READY, **_RUNS}

ACTIONS: Final = {
    "refund alone": Lived(live=_alone, promises=_ALL, steps=_ASKS_NOBODY, stands=_AT_ONCE),
    "approved refund": Lived(live=_approved, promises=_ALL, steps=_WAITED, stands=_ASKED),
    "refund by two": Lived(
        live=_by_two,
        promises=_ALL,
        steps=(*STEPS[:7], *_SECOND, *_WAITED[7:]),
        stands={
            **_ASKED,
            "7 log decision": State.PENDING,
            "7 log decision again": State.READY,
        },
    ),
    "held reply": Lived(
        live=_held,
        promises=_ALL,
        steps=tuple(step for step in _WAITED if step[:2] not in ("5 ", "6 ")),
        stands={**_ASKED, "3 log intent": State.HOLDING},
    ),
    "undo": Lived(
        live=_undo,
        # An undo that nobody could look up is not promised: it is looked up before it counts.
        promises=(Promise.KEYED, Promise.LOOKUP),
        steps=(*_ASKS_NOBODY, "look up"),
        stands=_AT_ONCE,
    ),
    "permit": Lived(live=_tool, promises=(Promise.BLIND,), steps=_ASKS_NOBODY, stands=_AT_ONCE),
}
