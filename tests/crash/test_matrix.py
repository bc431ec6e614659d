"""The crash matrix: every labelled step of every action x before and after x every fault.

Each cell's name is its test's id. The steps are those of group I of the threats; where each lies
in the code is said in `moments`, who lives what in `actions`, what is done to whom in `cells`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import pytest

from handrail.connectors.protocol import Promise
from handrail.core.lifecycle import State
from tests.crash.actions import ACTIONS
from tests.crash.cells import Cell, Fault, Left, check_end, check_found, recover, struck, woken
from tests.crash.moments import SIDES, STEPS, Moment, Moments
from tests.crash.stage import Stage, Template

_MEMORY: Final = Path("/dev/shm")

CELLS: Final = [
    Cell(action=name, promise=promise, moment=moment, fault=fault)
    for name, action in ACTIONS.items()
    for promise in action.promises
    for moment in action.moments()
    for fault in Fault
]


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A folder in memory, where there is such a thing."""
    with TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None) as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def template(place: Path) -> Template:
    """The desk on which every cell begins."""
    return Template(place / "template")


@pytest.fixture
def folder(place: Path, template: Template) -> Iterator[Path]:
    """A copy of it for one cell."""
    with TemporaryDirectory(dir=place) as folder:
        yield template.copy(Path(folder) / "desk")


def _after_strike(folder: Path, template: Template, cell: Cell) -> tuple[Stage, Left]:
    """Live the action, be struck; the next process, and what the last one left."""
    begun = Left(done=list(template.done))
    left = struck(folder, template, cell, begun, ACTIONS[cell.action].live)
    assert left.passed, "it was not struck"
    assert left.passed[-1] == cell.moment
    return woken(folder, template, cell, left), left


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_struck(folder: Path, template: Template, cell: Cell) -> None:
    """I1: at most one effect, always a defined state, and the normal path leads out of it."""
    stage, left = _after_strike(folder, template, cell)
    check_found(stage)
    if cell.fault is Fault.KILL:
        found = [row.state for row in stage.rows()]
        expected = ACTIONS[cell.action].stands_after(left.passed)
        assert found == ([] if expected is None else [expected])
    recover(stage, cell)
    check_end(stage, cell)
    stage.close()


def _of(*steps: str, side: str, fault: Fault) -> list[Cell]:
    found = [
        cell
        for cell in CELLS
        if cell.moment.side == side and cell.moment.step in steps and cell.fault is fault
    ]
    assert found
    return found


@pytest.mark.parametrize(
    "cell",
    [
        *_of("9 log dispatch", "10 send", "11 receive", side="after", fault=Fault.KILL),
        *_of("12 log result", side="before", fault=Fault.KILL),
    ],
    ids=str,
)
def test_killed_between_send_and_log_result(folder: Path, template: Template, cell: Cell) -> None:
    """I2: unknown, kept apart from success and failure, and settled by looking it up alone."""
    stage, _ = _after_strike(folder, template, cell)
    stage.desk.work()
    in_agent = cell.action == "permit"
    (row,) = stage.rows()
    assert row.state is (State.EXECUTING if in_agent else State.UNKNOWN)
    assert stage.bank.calls == []
    for _ in range(3):
        stage.clock.now += 40 * 60_000
        stage.desk.work()
    (row,) = stage.rows()
    if cell.promise is Promise.BLIND:
        assert row.state is State.UNKNOWN
    else:
        assert stage.bank.looked >= 1
        assert row.state is (State.SUCCEEDED if stage.effects() else State.FAILED)
    stage.close()


@pytest.mark.parametrize(
    "cell",
    _of("3 log intent", "7 log decision", "9 log dispatch", side="before", fault=Fault.FULL),
    ids=str,
)
def test_a_full_disk_before_anything_is_sent(folder: Path, template: Template, cell: Cell) -> None:
    """I4: when intent, decision or dispatch cannot be written down, nothing is sent."""
    stage, left = _after_strike(folder, template, cell)
    assert stage.effects() == []
    assert not any(moment.step == "10 send" for moment in left.passed)
    stage.close()


@pytest.mark.parametrize("cell", _of("12 log result", side="before", fault=Fault.FULL), ids=str)
def test_a_full_disk_after_it_was_done(folder: Path, template: Template, cell: Cell) -> None:
    """I4: when the result cannot be written down it is unknown, and looked up later."""
    stage, _ = _after_strike(folder, template, cell)
    assert [row.state for row in stage.rows()] == [State.EXECUTING]
    stage.clock.now += 40 * 60_000
    assert stage.desk.work().lost == 1
    assert [row.state for row in stage.rows()] == [State.UNKNOWN]
    stage.clock.now += 60_000
    swept = stage.desk.work()
    assert swept.found == (cell.promise is not Promise.BLIND)
    assert len(stage.effects()) == 1
    stage.close()


# two crashes in one action

_IN_FLIGHT: Final = [
    Moment("9 log dispatch", "after"),
    Moment("10 send", "after"),
    Moment("11 receive", "before"),
    Moment("11 receive", "after"),
    Moment("12 log result", "before"),
]
_ASKING: Final = [Moment(step, side) for step in ("log the loss", "look up") for side in SIDES]
_DONE: Final = [*_ASKING, Moment("13 settle cap", "before"), Moment("12 log result", "before")]
_NOT_DONE: Final = [
    *_ASKING,
    *(Moment("log the absence", side) for side in SIDES),
    *(Moment("9 log dispatch", side) for side in SIDES),
    *(Moment("10 send", side) for side in SIDES),
    *(Moment("11 receive", side) for side in SIDES),
    Moment("12 log result", "before"),
]
_PAIRS: Final = [
    (promise, first, second)
    for promise in (Promise.KEYED, Promise.LOOKUP)
    for first in _IN_FLIGHT
    for second in (_DONE if first.step[:2] in ("11", "12") else _NOT_DONE)
]


def _swept(stage: Stage) -> None:
    for _ in range(4):
        stage.clock.now += 10_000
        stage.desk.work()


@pytest.mark.parametrize(
    ("promise", "first", "second"),
    _PAIRS,
    ids=[f"{p.value} / {' '.join(a)}, then {' '.join(b)}" for p, a, b in _PAIRS],
)
def test_killed_twice(
    folder: Path, template: Template, promise: Promise, first: Moment, second: Moment
) -> None:
    """I3: the process that recovers is killed over that, too; the third one finds the same."""
    cell = Cell(action="approved refund", promise=promise, moment=first, fault=Fault.KILL)
    left = struck(folder, template, cell, Left(done=list(template.done)), ACTIONS[cell.action].live)
    again = Cell(action=cell.action, promise=promise, moment=second, fault=Fault.KILL)
    left = struck(folder, template, again, left, _swept)
    assert left.passed[-1] == second
    stage = woken(folder, template, again, left)
    recover(stage, again)
    check_end(stage, again)
    assert len(stage.effects()) == 1
    stage.close()


# nothing is missing


@pytest.mark.parametrize("name", list(ACTIONS))
def test_an_action_takes_the_steps_that_are_struck(
    folder: Path, template: Template, name: str
) -> None:
    """Lived in peace it passes each of its moments, and no other; and it comes to its end."""
    action = ACTIONS[name]
    moments = Moments(None, lambda: None)
    stage = Stage(folder, template, action.promises[0], moments=moments)
    action.live(stage)
    assert sorted(moments.passed) == sorted(action.moments())
    assert [row.state for row in stage.rows()] == [State.SUCCEEDED]
    assert len(stage.effects()) == 1
    stage.close()


def test_no_cell_is_missing() -> None:
    """What is run is the whole product, and together the actions take all fourteen steps."""
    (mark,) = vars(test_struck)["pytestmark"]
    ran = [mark.kwargs["ids"](cell) for cell in mark.args[1]]
    product = {
        f"{name}, {promise.value} / {step} / {side} / {fault.value}"
        for name, action in ACTIONS.items()
        for promise in action.promises
        for step in action.steps
        for side in ("before", "after")
        for fault in Fault
    }
    assert sorted(ran) == sorted(product)
    assert {step for action in ACTIONS.values() for step in action.steps} >= set(STEPS)
    assert [step.split()[0] for step in STEPS] == [str(n) for n in range(1, 15)]
