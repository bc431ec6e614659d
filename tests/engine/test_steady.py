"""A clock that jumps, and rows that a newer version wrote: what is in doubt is held, never run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

import handrail
from handrail.core.lifecycle import State
from handrail.core.task import Task
from handrail.surfaces.embedded import Action, Desk
from tests.engine.stories import HOUR, MINUTE, SMALL, Story, code_of
from tests.store.databases import NOW, Clock


class Machine:
    """A desk whose time of day and whose counter are moved apart."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.day, self.counter = Clock(NOW), Clock(0)
        self.desk = self._opened()

    def _opened(self) -> Desk:
        return handrail.open(self.folder, clock=self.day, counter=self.counter)

    def pass_by(self, span_ms: int) -> None:
        """Time passes, and both see it."""
        self.day.now += span_ms
        self.counter.now += span_ms

    def restart(self) -> None:
        """The process ends and another begins; the counter starts anew."""
        self.desk.close()
        self.counter.now = 0
        self.desk = self._opened()

    def task(self) -> Task:
        """The agent's ticket."""
        return self.desk.task(ticket="T-103")

    def refund(self, amount: str) -> Action:
        """The agent's proposal."""
        return self.desk.propose(
            self.task(), "refund.issue", order="O-5003", amount=amount, reason="damaged"
        )


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    """A desk; afterwards its log must verify."""
    made = Machine(tmp_path / "desk")
    yield made
    assert made.desk.verify().findings == ()
    made.desk.close()


@pytest.mark.parametrize("jump", [HOUR, -HOUR], ids=["forward", "back"])
def test_nothing_is_sent_while_the_clock_is_wrong(machine: Machine, jump: int) -> None:
    """F6: after a jump of an hour what may run waits; once the clock is right again it runs."""
    machine.day.now += jump
    action = machine.refund("1.00 USD")
    assert action.state is State.READY
    assert "the clock has jumped" in machine.desk.ctx.doubts["clock"]
    machine.pass_by(MINUTE)
    machine.desk.work()
    assert machine.desk.get(action.id).state is State.READY
    machine.day.now -= jump
    machine.desk.work()
    assert machine.desk.get(action.id).state is State.SUCCEEDED
    assert machine.desk.ctx.doubts == {}


def test_time_goes_on_while_the_clock_stands_wrong(machine: Machine) -> None:
    """F6: set back by an hour, a deadline comes when its time has passed, not an hour late."""
    waits = machine.refund("120.00 USD")
    machine.day.now -= HOUR
    machine.pass_by(5 * HOUR)
    machine.desk.work()
    assert machine.desk.get(waits.id).state is State.EXPIRED


def test_a_leap_forward_expires_nobody(machine: Machine) -> None:
    """F6: a clock that leaps by a day takes no time to decide away, and frees no cap."""
    waits = machine.refund("120.00 USD")
    machine.day.now += 24 * HOUR
    machine.desk.work()
    assert machine.desk.get(waits.id).state is State.PENDING


def test_a_small_step_is_followed(machine: Machine) -> None:
    """F6: a clock that is set right by a minute, either way, is believed, and never goes back."""
    times: list[int] = []
    for step in (MINUTE, -2 * MINUTE, MINUTE):
        machine.day.now += step
        assert machine.refund(f"1.0{len(times)} USD").state is State.SUCCEEDED
        times.append(machine.desk.ctx.clock())
    assert times == sorted(times)


def test_a_start_before_what_is_written_down(machine: Machine) -> None:
    """F6: a process that starts on a clock of yesterday does not write before the log's end."""
    machine.pass_by(26 * HOUR)
    first, at = machine.refund("1.00 USD"), machine.desk.ctx.clock()
    machine.desk.close()
    machine.day.now -= 24 * HOUR
    machine.restart()
    second = machine.refund("1.01 USD")
    assert (first.state, second.state) == (State.SUCCEEDED, State.READY)
    assert machine.desk.ctx.clock() >= at
    machine.day.now += 24 * HOUR
    machine.desk.work()
    assert machine.desk.get(second.id).state is State.SUCCEEDED


def test_a_new_start_believes_a_clock_ahead(machine: Machine) -> None:
    """F6: nobody can tell a clock that is ahead from a desk that was shut: it is believed."""
    machine.day.now += 24 * HOUR
    assert machine.refund("1.00 USD").state is State.READY
    machine.restart()
    assert machine.refund("1.01 USD").state is State.SUCCEEDED


@pytest.mark.parametrize("column", ["control", "grade"])
def test_a_row_of_a_newer_version_is_left_alone(tmp_path: Path, column: str) -> None:
    """I5: an action in a form that this version does not know never runs, and stops no other."""
    with Story(tmp_path / "desk") as story:
        waits, other = story.refund("120.00 USD"), story.refund("121.00 USD", "O-5005")
        story.close()
        db = apsw.Connection(str(story.folder / "handrail.db"))
        db.execute("DROP TRIGGER proposal_moves")
        value = "'think_about_it'" if column == "control" else "3"
        change = f"state = 'READY', execute_by = {NOW + HOUR}, {column} = {value}"
        if column == "grade":
            change += ", control = 'think_about_it'"
        db.execute(f"UPDATE proposal SET {change} WHERE id = ?", (waits.id,))
        db.close()
        story.desk = story._opened()
        assert story.desk.work().failed == 0
        assert code_of(lambda: story.desk.get(waits.id)) == "store_newer"
        assert story.approve(other).state is State.SUCCEEDED
        assert story.refund(SMALL, "O-5001").state is State.SUCCEEDED
        assert story.refunded() == 0
        assert not story.desk.verify().good
