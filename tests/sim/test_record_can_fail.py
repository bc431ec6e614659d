"""What is checked of the record can fail: break one part, and its check trips, with the seed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from handrail.core.entry import Tag
from handrail.core.lifecycle import Event, after
from handrail.core.review import judge
from handrail.engine.base.record import advance
from handrail.engine.deciding import review, withdraw
from handrail.engine.proposing import prepare, propose, written
from handrail.engine.waiting import sweep
from handrail.store import caps
from handrail.store.desks import Counters
from handrail.store.log import Log
from handrail.store.proposals import Proposals
from tests.sim.breaking import broken
from tests.sim.soak import main
from tests.sim.view import MAIN, OTHER
from tests.sim.watch import AT_THE_DOOR, CHECKS

# I7 evidence


def test_a_log_that_forgets(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tree does not begin with what it was."""
    monkeypatch.setattr(Log, "head", lambda self, desk: self._tree(OTHER))
    assert re.match("I7 ", broken())


def test_a_row_that_is_not_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is withdrawn, and no entry says so."""

    def silent(tx: Any, before: Any, event: Event, *_: Any, **more: Any) -> Any:
        moved = msgspec.structs.replace(
            before, state=after(before.state, event), version=before.version + 1
        )
        tx.proposals.replace(before, moved)
        return moved

    monkeypatch.setattr(withdraw, "advance", silent)
    assert re.match("I7 .*is not as the log says", broken())


# I8 monotone grade


def test_a_claim_that_is_not_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    """The agent says that it is G3, and nobody listens."""
    honest = prepare._ask

    def deaf(draft: Any, *more: Any) -> Any:
        return honest(msgspec.structs.replace(draft, claim=None), *more)

    monkeypatch.setattr(prepare, "_ask", deaf)
    assert re.match("I8 .*is graded|I15 .*the record says .*claimed_grade", broken())


# I12 default deny


def test_silence_that_approves(monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody decided in time goes on instead of expiring."""

    def silent(tx: Any, before: Any, event: Event, tag: Tag, **more: Any) -> Any:
        if more.get("data") == {"why": "nobody_decided"}:
            return advance(tx, before, Event.APPROVE, tag, execute_by=tx.now + 60_000, **more)
        return advance(tx, before, event, tag, **more)

    monkeypatch.setattr(sweep, "advance", silent)
    assert re.search(r"with [01] of [12] approvals", broken())


def test_a_verdict_after_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever comes late is heard all the same."""

    def patient(*, proposal: Any, now: int, **more: Any) -> Any:
        early = proposal.created_at if proposal.decide_by is None else proposal.decide_by - 1
        return judge(proposal=proposal, now=min(now, early), **more)

    monkeypatch.setattr(review, "judge", patient)
    assert re.match("I12 .*after its time", broken())


def test_a_question_without_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits for a person may wait for ever."""
    honest = written.proposal_of_plan

    def endless(*words: Any) -> Any:
        return msgspec.structs.replace(honest(*words), decide_by=None)

    monkeypatch.setattr(propose, "proposal_of_plan", endless)
    assert re.match("I12 .*with no end", broken())


# I14 desk isolation


def test_a_desk_that_sees_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """An action is found whatever desk is asked."""
    own = Proposals.get

    def everywhere(self: Proposals, desk: str, id: str) -> Any:
        return own(self, desk, id) or own(self, MAIN, id)

    monkeypatch.setattr(Proposals, "get", everywhere)
    assert re.match("I14 ", broken())


# I15 replay


def test_a_verdict_out_of_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """The log says a higher grade than the one that was decided."""
    honest = written.summary_of

    def inflated(proposal: Any) -> Any:
        return {**honest(proposal), "grade": int(proposal.grade) + 1}

    monkeypatch.setattr(propose, "summary_of", inflated)
    assert re.match("I15 .*was decided", broken())


# and in general


def test_counters_that_only_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the end they are not the states of the rows."""
    honest = Counters.add

    def growing(self: Counters, desk: str, name: str, by: int = 1) -> None:
        honest(self, desk, name, max(by, 0))

    monkeypatch.setattr(Counters, "add", growing)
    assert "the counters of" in broken()


def test_every_invariant_can_fail() -> None:
    """Each group of checks has tests under its name, here or in the other file of this kind."""
    texts = "\n".join(path.read_text() for path in Path(__file__).parent.glob("*can_fail.py"))
    said = set(re.findall(r"^# (I\d+ .+)$", texts, re.MULTILINE))
    assert said == {*CHECKS, *AT_THE_DOOR}


def test_the_long_run_prints_the_seed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And how to live that life again, which then shows every step."""
    monkeypatch.setattr(caps, "admits", lambda *_: True)
    assert main(["--seeds", "20", "--jobs", "1"]) == 1
    *lines, last = capsys.readouterr().out.splitlines()
    (first,) = re.findall(r"\[(\d+)", last)
    assert any(line.endswith(f"replay with --seed {first}") for line in lines)
    assert main(["--seed", first]) == 1
    *trace, broken = capsys.readouterr().out.splitlines()
    assert len(trace) > 3
    assert broken.startswith(f"Broken: seed {first}, step ")
