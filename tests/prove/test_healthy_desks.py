"""No false alarms: whatever honest people and agents do to a desk, its log verifies."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handrail.connectors.sandbox import Fault
from handrail.errors import HandrailError
from handrail.surfaces.embedded import Action
from tests.cli.shell import run
from tests.engine.stories import HOUR, HUGE, LARGE, MIDDLE, MINUTE, SMALL, Story
from tests.prove.attacker import examined

Step = tuple[str, int]

AMOUNTS: Final = (SMALL, MIDDLE, LARGE, HUGE, "3.00 USD", "70.00 CHF")
ORDERS: Final = ("O-5001", "O-5003", "O-5005", "O-5004")
PEOPLE: Final = ("ann", "bea", "carl", "cora", "boss", "nobody")
VERDICTS: Final = ("approve", "approve", "reject", "request_changes", "escalate")
FAULTS: Final = (None, *Fault)
SPANS: Final = (1, MINUTE, HOUR, 25 * HOUR)
CUSTOMERS: Final = ("C-1001", "C-1003", "C-9999")


def _of(choices: tuple[object, ...], n: int) -> object:
    return choices[n % len(choices)]


class Day:
    """What was proposed so far on one desk, and what can be done next."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.actions: list[Action] = []

    def act(self, step: Step) -> None:
        """Do one thing; a refusal is fine."""
        name, n = step
        try:
            STEPS[name](self, n)
        except HandrailError as error:
            assert error.code not in ("invariant_broken", "tampered")  # noqa: PT017

    def propose(self, n: int) -> None:
        """A refund of some amount on some order."""
        key = f"key-{n % 7}" if n % 3 else None
        order = str(_of(ORDERS, n // 5))
        self.actions.append(self.story.refund(str(_of(AMOUNTS, n)), order, key=key))

    def unknown(self, n: int) -> None:
        """A kind that the policy does not know, or one that only reads."""
        kind = ("moon.land", "kb.search")[n % 2]
        task = self.story.task()
        self.actions.append(self.story.desk.propose(task, kind, query="a refund"))

    def review(self, n: int) -> None:
        """Somebody says something about an action."""
        if self.actions:
            action = self.actions[n % len(self.actions)]
            by, verdict = str(_of(PEOPLE, n // 3)), str(_of(VERDICTS, n // 7))
            self.story.desk.review(
                action.id, verdict, by=by, digest=action.digest, reason="because"
            )

    def undo(self, n: int) -> None:
        """Somebody wants an action undone."""
        if self.actions:
            self.story.desk.undo(self.actions[n % len(self.actions)].id, by="ann")

    def escalate(self, n: int) -> None:
        """The agent hands a task to a person, who may close it."""
        opened = self.story.desk.escalate(self.story.task(), "please look")
        if n % 2:
            self.story.desk.close_escalation(opened.id, by="ann")

    def erase(self, n: int) -> None:
        """A customer wants to be forgotten."""
        self.story.desk.erase(str(_of(CUSTOMERS, n)))

    def fail(self, n: int) -> None:
        """The world begins or ceases to fail."""
        fault = _of(FAULTS, n)
        assert fault is None or isinstance(fault, Fault)
        self.story.fail(fault)

    def wait(self, n: int) -> None:
        """Time passes, and what is due is done."""
        self.story.later(SPANS[n % len(SPANS)])
        self.story.desk.work()

    def sign(self, n: int) -> None:
        """The head of the log is signed and kept."""
        self.story.desk.checkpoint()

    def reopen(self, n: int) -> None:
        """The desk is closed and opened again."""
        self.story.reopen()


STEPS: Final[dict[str, Callable[[Day, int], None]]] = {
    "propose": Day.propose,
    "unknown": Day.unknown,
    "review": Day.review,
    "undo": Day.undo,
    "escalate": Day.escalate,
    "erase": Day.erase,
    "fail": Day.fail,
    "wait": Day.wait,
    "sign": Day.sign,
    "reopen": Day.reopen,
}

days = st.lists(
    st.tuples(st.sampled_from([*STEPS, "propose", "review", "wait"]), st.integers(0, 10_000)),
    max_size=25,
)


@pytest.fixture(scope="session")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A desk on which nothing has happened, to be copied."""
    folder = tmp_path_factory.mktemp("fresh") / "desk"
    Story(folder).close()
    return folder


@settings(max_examples=40, deadline=None)
@given(steps=days)
def test_an_honest_day_verifies(fresh: Path, steps: list[Step]) -> None:
    """While it is open, after it was closed, and without the checkpoints kept outside."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(shutil.copytree(fresh, Path(place) / "desk"))
        with Story(folder) as story:
            day = Day(story)
            for step in steps:
                day.act(step)
            story.check()
            size = story.desk.verify().size
        for outside in (True, False):
            report = examined(folder, outside=outside)
            assert report.findings == ()
            assert report.size == size
            assert bool(report.witnessed) is outside


@pytest.mark.parametrize("reads", [0, 1, 120, 121, 122, 250])
def test_every_length_around_a_full_tile_verifies(fresh: Path, tmp_path: Path, reads: int) -> None:
    """Logs that end before, at and behind the edge of a tile."""
    folder = Path(shutil.copytree(fresh, tmp_path / "desk"))
    with Story(folder) as story:
        task = story.task()
        for _ in range(reads):
            story.desk.propose(task, "ticket.read", ticket="T-103")
        story.check()
    assert examined(folder).findings == ()


def test_a_log_without_kept_checkpoints_is_called_unwitnessed(fresh: Path, tmp_path: Path) -> None:
    """Good as far as anybody can tell from the inside, and that is what is said."""
    folder = Path(shutil.copytree(fresh, tmp_path / "desk"))
    kept = run("log", "verify", folder)
    assert kept.returncode == 0
    assert "unwitnessed" not in kept.stdout
    shutil.rmtree(folder / "checkpoints")
    alone = run("log", "verify", folder)
    assert alone.returncode == 0
    assert "signed but unwitnessed" in alone.stdout
    assert examined(folder).witnessed == 0
