"""The simulator can fail: break one part, and the check that is for it trips, with the seed."""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from handrail.connectors.protocol import Found, Looked, NotDone, Receipt
from handrail.core.artifact import Line
from handrail.core.entry import Tag
from handrail.core.lifecycle import Event, after
from handrail.core.principal import Role
from handrail.core.review import judge
from handrail.engine import again, dispatch, execute, prepare, propose, review, sweep, withdraw
from handrail.engine.execute import Job, job_of, perform
from handrail.engine.record import advance, note_down
from handrail.store import caps
from handrail.store.desks import Counters
from handrail.store.log import Log
from handrail.store.proposals import Proposals
from tests.sim import effects, workers
from tests.sim.life import lived
from tests.sim.soak import main
from tests.sim.view import MAIN, OTHER
from tests.sim.watch import AT_THE_DOOR, CHECKS, Broken
from tests.sim.world import Provider

SEEDS = 80


def _broken() -> str:
    """The message of the first seed that breaks; some seed must."""
    for seed in range(SEEDS):
        try:
            lived(seed)
        except Broken as error:
            broken = error
            break
    else:
        raise AssertionError("no seed broke")
    assert re.match(rf"seed {seed}, step \d+: ", str(broken))
    assert broken.__notes__
    return str(broken).partition(": ")[2]


# I1 authority


def test_a_reviewer_without_authority(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody counts as a checker without a limit."""

    def generous(*, reviewer: Any, **more: Any) -> Any:
        roles, limits = (Role.REVIEWER, Role.CHECKER), {"USD": 10**9}
        trusted = msgspec.structs.replace(reviewer, roles=roles, limits=limits)
        return judge(reviewer=trusted, **more)

    monkeypatch.setattr(review, "judge", generous)
    assert re.match("I1 .*approvals", _broken())


def test_an_unknown_outcome_taken_for_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """A timeout is neither success nor failure."""

    def hasty(self: Provider, *words: Any, **more: Any) -> Receipt:
        try:
            return honest(self, *words, **more)
        except TimeoutError:
            raise NotDone("no answer") from None

    honest = Provider.execute
    monkeypatch.setattr(Provider, "execute", hasty)
    assert re.match("I1 .*its effect happened|I9 .*the last word is", _broken())


def test_a_worker_that_forgets_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """It turns to the provider after a sweep may have given its attempt up."""

    def tireless(ctx: Any, job: Job) -> Any:
        endless = msgspec.structs.replace(job.proposal, attempt_until=None)
        return perform(ctx, msgspec.structs.replace(job, proposal=endless))

    monkeypatch.setattr(workers, "perform", tireless)
    assert re.match("I1 .*is executed (as|after)", _broken())


# I2 shown is sent


def test_other_bytes_than_were_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    """What happens is a cent more than what was stored."""
    honest = Provider._done

    def raised(
        self: Provider, kind: str, request: Mapping[str, object], key: str, **more: Any
    ) -> Any:
        return honest(self, kind, {**request, "minor": random.Random(0).random()}, key, **more)

    monkeypatch.setattr(Provider, "_done", raised)
    assert re.match("I2 .*is not what was decided", _broken())


def test_other_bytes_than_are_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    """The job does not carry what the artifact says."""

    def forged(intent: Any, artifact: bytes) -> Job:
        job = job_of(intent, artifact)
        return msgspec.structs.replace(job, request={**job.request, "customer": "c-9"})

    monkeypatch.setattr(propose, "job_of", forged)
    assert re.match("I2 .*is not what is stored", _broken())


def test_a_rendering_of_something_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is never the same twice."""
    count = itertools.count()
    monkeypatch.setattr(
        Provider, "preview", lambda *_: [Line(label="amount", text=str(next(count)))]
    )
    assert re.match("I2 .*what is shown", _broken())


def test_a_statement_of_something_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a review binds is not the content."""
    monkeypatch.setattr(propose, "statement_of", lambda content, digest, *_: digest)
    assert re.match("I2 .*the statement of", _broken())


def test_an_amount_that_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A row is rewritten, and logged, with another amount."""

    def changing(*words: Any, **more: Any) -> Any:
        return advance(*words, value_minor=1, **more)

    monkeypatch.setattr(withdraw, "advance", changing)
    assert re.match("I2 .*the value_minor of", _broken())


# I3 single use


def test_a_provider_that_acts_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two effects under one key."""
    once = Provider.execute

    def twice(
        self: Provider, kind: str, request: Mapping[str, object], key: str, *, now: int
    ) -> Receipt:
        receipt = once(self, kind, request, key, now=now)
        monkeypatch.setattr(self, "_known", lambda kind, key: None)
        self._done(kind, request, key, asked_at=now, late_ms=0)
        return receipt

    monkeypatch.setattr(Provider, "execute", twice)
    assert "two effects under the key" in _broken()


def test_a_lookup_that_lies(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says that nothing was done: the action is given up or runs again, and it was done."""
    monkeypatch.setattr(Provider, "lookup", lambda *_: Found(looked=Looked.NOT_DONE))
    said = _broken()
    assert re.search("its effect happened|two effects|is sent again|the last word", said)


def test_an_approval_for_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """All actions are bound by one statement."""
    for room in (propose, dispatch, again, effects):
        monkeypatch.setattr(room, "statement_of", lambda *_: "0" * 64)
    assert re.match("I3 .*bound by one statement", _broken())


# I4 separation


def test_a_maker_who_approves(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rule no longer knows who answers for an agent."""
    monkeypatch.setattr(review, "makers_of", lambda tx, proposal: frozenset())
    assert re.match("I4 .*one of its makers", _broken())


# I5 caps


def test_a_cap_that_forgets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is reserved, there is room."""
    monkeypatch.setattr(caps, "admits", lambda *_: True)
    assert re.match("I5 .*the cap `", _broken())


def test_a_cap_that_lets_unknown_ones_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its reservation is given back while nobody knows whether the action was done."""

    def freeing(tx: Any, before: Any, event: Event, tag: Tag, **more: Any) -> Any:
        if event is Event.LOSE:
            tx.caps.void(before.desk, before.id, tx.now)
        return advance(tx, before, event, tag, **more)

    monkeypatch.setattr(execute, "advance", freeing)
    monkeypatch.setattr(sweep, "advance", freeing)
    assert re.match("I5 .*the cap `", _broken())


# I6 log before act


def test_a_hidden_intent(monkeypatch: pytest.MonkeyPatch) -> None:
    """The provider is called, and the log does not say that it will be."""

    def hiding(tx: Any, proposal: Any, tag: Tag, **more: Any) -> int:
        said = {name: value for name, value in more.pop("data").items() if name != "attempt"}
        return note_down(tx, proposal, tag, data=said, **more)

    monkeypatch.setattr(propose, "note_down", hiding)
    assert re.match("I6 .*without a committed intent", _broken())


# I7 evidence


def test_a_log_that_forgets(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tree does not begin with what it was."""
    monkeypatch.setattr(Log, "head", lambda self, desk: self._tree(OTHER))
    assert re.match("I7 ", _broken())


def test_a_row_that_is_not_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is withdrawn, and no entry says so."""

    def silent(tx: Any, before: Any, event: Event, *_: Any, **more: Any) -> Any:
        moved = msgspec.structs.replace(
            before, state=after(before.state, event), version=before.version + 1
        )
        tx.proposals.replace(before, moved)
        return moved

    monkeypatch.setattr(withdraw, "advance", silent)
    assert re.match("I7 .*is not as the log says", _broken())


# I8 monotone grade


def test_a_claim_that_is_not_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    """The agent says that it is G3, and nobody listens."""
    honest = prepare._ask

    def deaf(draft: Any, *more: Any) -> Any:
        return honest(msgspec.structs.replace(draft, claim=None), *more)

    monkeypatch.setattr(prepare, "_ask", deaf)
    assert re.match("I8 .*is graded", _broken())


# I9 unknown is a state


def test_a_resend_without_asking(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lost attempt is taken for one that was not made."""
    monkeypatch.setattr(sweep, "_found", lambda *_: Found(looked=Looked.NOT_DONE))
    assert re.search("is sent again|the last word|its effect happened|two effects", _broken())


def test_a_failure_that_nobody_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what really was not done is called failed, but nobody had said so."""

    def knowing(self: Provider, kind: str, request: Any, key: str, *, now: int) -> Receipt:
        try:
            return honest(self, kind, request, key, now=now)
        except TimeoutError:
            if any(effect.key == key for effect in self.effects):
                raise
            raise NotDone("a good guess") from None

    honest = Provider.execute
    monkeypatch.setattr(Provider, "execute", knowing)
    assert re.match("I9 .*the last word is `nothing`", _broken())


def test_what_is_never_swept_stays_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing looks up what is unknown: at the end it still is."""
    monkeypatch.setattr(sweep, "_look_up", lambda ctx, swept: None)
    assert re.match("I9 .*stays UNKNOWN|I9 .*stays unknown", _broken())


def test_a_person_who_is_never_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody can find out stays with nobody."""
    monkeypatch.setattr(sweep, "_ask_a_person", lambda *_: False)
    assert re.match("I9 .*nobody was told", _broken())


# I11 freshness


def test_facts_of_yesterday(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was read again is not compared with what was decided on."""
    monkeypatch.setattr(dispatch, "_changed", lambda *_: None)
    assert re.match("I11 ", _broken())


# I12 default deny


def test_silence_that_approves(monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody decided in time goes on instead of expiring."""

    def silent(tx: Any, before: Any, event: Event, tag: Tag, **more: Any) -> Any:
        if more.get("data") == {"why": "nobody_decided"}:
            return advance(tx, before, Event.APPROVE, tag, execute_by=tx.now + 60_000, **more)
        return advance(tx, before, event, tag, **more)

    monkeypatch.setattr(sweep, "advance", silent)
    assert re.search(r"with [01] of [12] approvals", _broken())


def test_a_verdict_after_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever comes late is heard all the same."""

    def patient(*, proposal: Any, now: int, **more: Any) -> Any:
        early = proposal.created_at if proposal.decide_by is None else proposal.decide_by - 1
        return judge(proposal=proposal, now=min(now, early), **more)

    monkeypatch.setattr(review, "judge", patient)
    assert re.match("I12 .*after its time", _broken())


def test_a_release_without_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is released may run for ever."""

    def endless(tx: Any, before: Any, event: Event, tag: Tag, **more: Any) -> Any:
        if event is Event.RELEASE:
            more["execute_by"] = None
        return advance(tx, before, event, tag, **more)

    monkeypatch.setattr(sweep, "advance", endless)
    assert re.match("I12 .*with no end", _broken())


# I14 desk isolation


def test_a_desk_that_sees_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """An action is found whatever desk is asked."""
    own = Proposals.get

    def everywhere(self: Proposals, desk: str, id: str) -> Any:
        return own(self, desk, id) or own(self, MAIN, id)

    monkeypatch.setattr(Proposals, "get", everywhere)
    assert re.match("I14 ", _broken())


# I15 replay


def test_a_verdict_out_of_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """The log says a higher grade than the one that was decided."""
    honest = propose._summary

    def inflated(proposal: Any) -> Any:
        return {**honest(proposal), "grade": int(proposal.grade) + 1}

    monkeypatch.setattr(propose, "_summary", inflated)
    assert re.match("I15 .*was decided", _broken())


# and in general


def test_counters_that_only_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the end they are not the states of the rows."""
    honest = Counters.add

    def growing(self: Counters, desk: str, name: str, by: int = 1) -> None:
        honest(self, desk, name, max(by, 0))

    monkeypatch.setattr(Counters, "add", growing)
    assert "the counters of" in _broken()


def test_every_invariant_can_fail() -> None:
    """Each group of checks has a test of its name in this file."""
    with open(__file__, encoding="utf-8") as file:
        said = set(re.findall(r"^# (I\d+ .+)$", file.read(), re.MULTILINE))
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
