"""No false alarm where staff, keys, policies and customers change while actions are under way."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handrail.connectors.sandbox import Fault
from handrail.core.lifecycle import State
from handrail.engine.access.people import issue_key_unit, revoke_key_unit, set_password_unit
from handrail.engine.access.tasks import revoke_unit
from handrail.engine.deciding.withdraw import withdraw_unit
from handrail.engine.governing.desks import activate_policy
from handrail.errors import HandrailError
from handrail.surfaces.embedded import Action
from tests.engine.stories import HOUR, MINUTE, Story, pack
from tests.prove.attacker import examined

AMOUNTS: Final = ("3.00 USD", "60.00 USD", "1500.00 USD", "5500.00 USD")


class _Life:
    """A story that a list of numbers tells: each number picks what happens next, and to what."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.actions: list[Action] = []
        self.happenings: list[Callable[[int], object]] = [
            self.propose,
            self.propose,
            self.review,
            self.review,
            self.undo,
            self.withdraw,
            self.escalate,
            self.wait,
            self.break_or_mend,
            self.erase,
            self.staff,
            self.policy,
            self.restart,
            self.checkpoint,
        ]

    def live(self, picks: list[int]) -> None:
        """Let it all happen; what the desk refuses by code simply did not happen."""
        for pick in picks:
            kind, rest = pick % len(self.happenings), pick // len(self.happenings)
            try:
                self.happenings[kind](rest)
            except HandrailError as refusal:
                if refusal.status >= 500:
                    raise

    def one(self, pick: int) -> Action | None:
        """One of the actions so far."""
        return self.actions[pick % len(self.actions)] if self.actions else None

    def propose(self, pick: int) -> None:
        """An action of one of several sorts."""
        match pick % 4:
            case 0:
                action = self.story.desk.propose(
                    self.story.task("T-101"), "ticket.read", ticket="T-101"
                )
            case 1:
                fields = {"ticket": "T-103", "body": f"Dear Priya, {pick}"}
                action = self.story.desk.propose(self.story.task(), "reply.draft", fields)
            case 2:
                action = self.story.desk.propose(self.story.task(), "no.such.kind", {"n": pick})
            case _:
                key = None if pick % 3 else f"key {pick % 5}"
                action = self.story.refund(AMOUNTS[pick // 4 % 4], "O-5005", key=key)
        self.actions.append(action)

    def review(self, pick: int) -> None:
        """Somebody says something about one of them."""
        action = self.one(pick)
        if action is None:
            return
        verdict = ("approve", "approve", "reject", "request_changes", "escalate")[pick % 5]
        who = ("ann", "carl", "cora", "boss")[pick // 5 % 4]
        self.story.desk.review(
            action.id, verdict, by=who, digest=action.digest, reason="as I see it"
        )

    def undo(self, pick: int) -> None:
        """One of them is taken back."""
        action = self.one(pick)
        if action is not None:
            self.actions.append(self.story.desk.undo(action.id, by=("ann", "bea")[pick % 2]))

    def withdraw(self, pick: int) -> None:
        """The agent takes one of them back before it ran."""
        action = self.one(pick)
        if action is not None:
            unit = withdraw_unit("main", action.id, actor="bot", task=None)
            self.story.desk.ctx.store.write(unit)

    def escalate(self, pick: int) -> None:
        """The agent hands something over, or a person closes what was handed over."""
        if pick % 2:
            self.story.desk.escalate(self.story.task("T-101"), f"concern {pick}")
            return
        store = self.story.desk.ctx.store
        for escalation in store.read(lambda tx: tx.escalations.open("main", most=1)):
            self.story.desk.close_escalation(escalation.id, by="carl")

    def wait(self, pick: int) -> None:
        """Time passes, and what is due is done."""
        self.story.later((MINUTE, 10 * MINUTE, HOUR, 5 * HOUR)[pick % 4])
        self.story.desk.work()

    def break_or_mend(self, pick: int) -> None:
        """The world stops answering, or answers again."""
        self.story.fail((None, Fault.BEFORE_EFFECT, Fault.AFTER_EFFECT)[pick % 3])

    def erase(self, pick: int) -> None:
        """A customer asks to be forgotten."""
        self.story.desk.erase(("C-1001", "C-1003", "C-1005")[pick % 3])

    def staff(self, pick: int) -> None:
        """Somebody joins, or gets a key or a password; a task or a key is revoked."""
        desk, store = self.story.desk, self.story.desk.ctx.store
        match pick % 4:
            case 0:
                desk.person(f"p{pick % 7}", roles=("checker",), limits=("100.00 USD", "5 JPY"))
            case 1:
                key = store.write(issue_key_unit(desk.ctx, "main", "bot", actor="ann"))
                if pick % 8 > 4:
                    store.write(revoke_key_unit("main", key.rpartition("_")[0], actor="ann"))
            case 2:
                store.write(set_password_unit(desk.ctx, "main", "ann", "hash", actor="ann"))
            case _:
                store.write(revoke_unit("main", self.story.task().id, by="ann"))

    def policy(self, pick: int) -> None:
        """Another policy becomes the active one."""
        changed = pack(("title: Refund", f"title: Refund {pick % 3}"))
        activate_policy(self.story.desk.ctx, "main", changed, actor="carl")
        self.story.policy = changed

    def restart(self, pick: int) -> None:
        """The process ends and another one begins."""
        self.story.reopen()

    def checkpoint(self, pick: int) -> None:
        """The log's head is signed."""
        self.story.desk.checkpoint()


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
@given(st.lists(st.integers(0, 10**6), min_size=5, max_size=40))
def test_any_desk_verifies(picks: list[int]) -> None:
    """While it is open, after it was closed, and after it was opened again."""
    folder = Path(tempfile.mkdtemp())
    try:
        with Story(folder / "desk") as story:
            _Life(story).live(picks)
            story.check()
            rows = story.desk.ctx.store.read(lambda tx: tx.proposals.latest("main", most=500))
            assert {row.state for row in rows} <= set(State)
        assert examined(folder / "desk").findings == ()
        assert examined(folder / "desk", outside=False).findings == ()
    finally:
        shutil.rmtree(folder)


def test_a_desk_that_was_only_opened_verifies(tmp_path: Path) -> None:
    """The shortest life of all."""
    Story(tmp_path / "desk").close()
    report = examined(tmp_path / "desk")
    assert report.findings == ()
    assert (report.proposals, report.witnessed) == (0, 1)
