"""The matrix can fail: break one part, and a cell that meets it says so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from handrail.connectors.protocol import Found, Looked, Promise
from handrail.core.lifecycle import Event
from handrail.engine.base.record import advance
from handrail.engine.proposing import propose
from handrail.engine.running.execute import job_of
from handrail.engine.waiting import sweep
from handrail.store.caps import Caps
from tests.crash.actions import ACTIONS
from tests.crash.bank import Bank
from tests.crash.cells import Cell, Fault, Left, check_end, check_found, recover, struck, woken
from tests.crash.moments import Moment
from tests.crash.stage import Template


def _lived(tmp_path: Path, step: str, side: str, fault: Fault, promise: Promise) -> None:
    """One cell of the refund that runs alone, with everything that is checked in it."""
    template = Template(tmp_path / "template")
    folder = template.copy(tmp_path / "desk")
    cell = Cell(action="refund alone", promise=promise, moment=Moment(step, side), fault=fault)
    begun = Left(done=list(template.done))
    left = struck(folder, template, cell, begun, ACTIONS[cell.action].live)
    stage = woken(folder, template, cell, left)
    try:
        check_found(stage)
        recover(stage, cell)
        check_end(stage, cell)
    finally:
        stage.close()


def test_the_cell_itself_holds(tmp_path: Path) -> None:
    """With nothing broken."""
    _lived(tmp_path, "11 receive", "before", Fault.KILL, Promise.LOOKUP)


def test_a_lookup_that_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is done a second time."""
    monkeypatch.setattr(Bank, "lookup", lambda *_: Found(looked=Looked.NOT_DONE))
    with pytest.raises(AssertionError):
        _lived(tmp_path, "11 receive", "before", Fault.KILL, Promise.LOOKUP)


def test_a_lost_attempt_taken_for_one_that_was_not_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was interrupted is called failed instead of unknown."""

    def failing(tx: Any, before: Any, event: Event, tag: Any, **more: Any) -> Any:
        return advance(tx, before, Event.FAIL if event is Event.LOSE else event, tag, **more)

    monkeypatch.setattr(sweep, "advance", failing)
    with pytest.raises(AssertionError):
        _lived(tmp_path, "11 receive", "before", Fault.KILL, Promise.KEYED)


def test_a_call_before_its_intent_is_durable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bank is called from within the transaction that a full disk then refuses."""

    def hasty(intent: Any, artifact: bytes) -> Any:
        job = job_of(intent, artifact)
        banks[-1].execute(job.proposal.kind, job.request, job.key, now=0)
        return job

    banks: list[Bank] = []
    made = Bank.__init__

    def noted(self: Bank, *words: Any, **more: Any) -> None:
        made(self, *words, **more)
        banks.append(self)

    monkeypatch.setattr(Bank, "__init__", noted)
    monkeypatch.setattr(propose, "job_of", hasty)
    with pytest.raises(AssertionError):
        _lived(tmp_path, "3 log intent", "before", Fault.FULL, Promise.KEYED)


def test_a_result_that_cannot_be_written_taken_for_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reservation of what was done is not posted."""
    monkeypatch.setattr(Caps, "post", lambda *_: None)
    with pytest.raises(AssertionError):
        _lived(tmp_path, "12 log result", "before", Fault.GONE, Promise.KEYED)


def test_a_moment_that_never_comes(tmp_path: Path) -> None:
    """A process that was to be killed and ended by itself is a failure, too."""
    with pytest.raises(AssertionError, match="ended by itself"):
        _lived(tmp_path, "10 send again", "before", Fault.KILL, Promise.KEYED)
