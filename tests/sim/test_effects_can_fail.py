"""What is checked of effects can fail: break one part, and its check trips, with the seed."""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from handrail.connectors.protocol import Found, Looked, NotDone, Receipt
from handrail.core import review as core_review
from handrail.core.artifact import Line
from handrail.core.entry import Tag
from handrail.core.lifecycle import Event
from handrail.core.principal import Role
from handrail.core.proposal import Proposal
from handrail.core.review import Verdict, judge
from handrail.engine.asking import checkers
from handrail.engine.base.record import advance, note_down
from handrail.engine.deciding import review, testify, withdraw
from handrail.engine.governing import halt
from handrail.engine.proposing import propose, written
from handrail.engine.running import execute, lookup
from handrail.engine.running.execute import Job, job_of, perform
from handrail.engine.waiting import ask_again, dispatch, sweep
from handrail.store import caps
from tests.sim import effects, workers
from tests.sim.breaking import broken
from tests.sim.world import Provider

# I1 authority


def test_a_reviewer_without_authority(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody counts as a checker without a limit."""

    def generous(*, reviewer: Any, **more: Any) -> Any:
        roles, limits = (Role.REVIEWER, Role.CHECKER), {"USD": 10**9}
        trusted = msgspec.structs.replace(reviewer, roles=roles, limits=limits)
        return judge(reviewer=trusted, **more)

    monkeypatch.setattr(review, "judge", generous)
    monkeypatch.setattr(dispatch, "standing", lambda ctx, tx, proposal, reviews: reviews)
    assert re.match("I1 .*approvals", broken())


def test_an_approval_that_was_taken_back_and_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one of two took back is weighed with the other's."""

    def stubborn(reviews: Any) -> list[Any]:
        return [one for one in reviews if one.verdict is not Verdict.TAKE_BACK]

    for room in (core_review, dispatch, checkers):
        monkeypatch.setattr(room, "counted", stubborn)
    assert re.match("I1 .*approvals|I3 .*took back", broken())


def test_a_claim_that_does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """It leaves in the moment in which it can be taken back."""
    monkeypatch.setattr(Proposal, "waits_out", lambda self, now: False)
    assert re.match("I1.* could still be taken back", broken())


def test_an_unknown_outcome_taken_for_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """A timeout is neither success nor failure."""

    def hasty(self: Provider, *words: Any, **more: Any) -> Receipt:
        try:
            return honest(self, *words, **more)
        except TimeoutError:
            raise NotDone("no answer") from None

    honest = Provider.execute
    monkeypatch.setattr(Provider, "execute", hasty)
    assert re.match("I1 .*its effect happened|I9 .*the last word is", broken())


def test_a_worker_that_forgets_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """It turns to the provider after a sweep may have given its attempt up."""

    def tireless(ctx: Any, job: Job) -> Any:
        endless = msgspec.structs.replace(job.proposal, attempt_until=None)
        return perform(ctx, msgspec.structs.replace(job, proposal=endless))

    monkeypatch.setattr(workers, "perform", tireless)
    assert re.match("I1 .*is executed (as|after)", broken())


def test_a_sum_that_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """However much the customer was given, it is nothing."""
    monkeypatch.setattr(caps.Caps, "total", lambda *_: 0)
    assert re.match("I1 .*for its customer", broken())


# I2 shown is sent


def test_other_bytes_than_were_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    """What happens is a cent more than what was stored."""
    honest = Provider._done

    def raised(
        self: Provider, kind: str, request: Mapping[str, object], key: str, **more: Any
    ) -> Any:
        return honest(self, kind, {**request, "minor": random.Random(0).random()}, key, **more)

    monkeypatch.setattr(Provider, "_done", raised)
    assert re.match("I2 .*is not what was decided", broken())


def test_other_bytes_than_are_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    """The job does not carry what the artifact says."""

    def forged(intent: Any, artifact: bytes) -> Job:
        job = job_of(intent, artifact)
        return msgspec.structs.replace(job, request={**job.request, "customer": "c-9"})

    monkeypatch.setattr(propose, "job_of", forged)
    assert re.match("I2 .*is not what is stored", broken())


def test_a_rendering_of_something_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is never the same twice."""
    count = itertools.count()
    monkeypatch.setattr(
        Provider, "preview", lambda *_: [Line(label="amount", text=str(next(count)))]
    )
    assert re.match("I2 .*what is shown", broken())


def test_a_statement_of_something_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a review binds is not the content."""
    monkeypatch.setattr(written, "statement_of", lambda content, digest, *_: digest)
    assert re.match("I2 .*the statement of", broken())


def test_an_amount_that_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A row is rewritten, and logged, with another amount."""

    def changing(*words: Any, **more: Any) -> Any:
        return advance(*words, value_minor=1, **more)

    monkeypatch.setattr(withdraw, "advance", changing)
    assert re.match("I2 .*the value_minor of", broken())


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
    assert "two effects under the key" in broken()


def test_a_lookup_that_lies(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says that nothing was done: the action is given up or runs again, and it was done."""
    monkeypatch.setattr(Provider, "lookup", lambda *_: Found(looked=Looked.NOT_DONE))
    said = broken()
    assert re.search("its effect happened|two effects|is sent again|the last word", said)


def test_an_approval_for_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """All actions are bound by one statement."""
    for room in (written, dispatch, ask_again, effects):
        monkeypatch.setattr(room, "statement_of", lambda *_: "0" * 64)
    assert re.match("I3 .*bound by one statement", broken())


# I4 separation


def test_a_maker_who_approves(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rule no longer knows who answers for an agent."""
    monkeypatch.setattr(review, "makers_of", lambda tx, proposal, roster: frozenset())
    monkeypatch.setattr(dispatch, "standing", lambda ctx, tx, proposal, reviews: reviews)
    assert re.match("I4 .*one of its makers", broken())


# I5 caps


def test_a_cap_that_forgets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is reserved, there is room."""
    monkeypatch.setattr(caps, "admits", lambda *_: True)
    assert re.match("I5 .*the cap `", broken())


def test_a_cap_that_lets_unknown_ones_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its reservation is given back while nobody knows whether the action was done.

    What is missing from a cap is missing from the customer's sum as well: either may be seen first.
    """

    def freeing(tx: Any, before: Any, event: Event, tag: Tag, **more: Any) -> Any:
        if event is Event.LOSE:
            tx.caps.void(before.desk, before.id, tx.now)
        return advance(tx, before, event, tag, **more)

    monkeypatch.setattr(execute, "advance", freeing)
    monkeypatch.setattr(sweep, "advance", freeing)
    assert re.match("I5 .*the cap `|I1 .*for its customer, and too few", broken())


# I6 log before act


def test_a_hidden_intent(monkeypatch: pytest.MonkeyPatch) -> None:
    """The provider is called, and the log does not say that it will be."""

    def hiding(tx: Any, proposal: Any, tag: Tag, **more: Any) -> None:
        said = {name: value for name, value in more.pop("data").items() if name != "attempt"}
        note_down(tx, proposal, tag, data=said, **more)

    monkeypatch.setattr(propose, "note_down", hiding)
    assert re.match("I6 .*without a committed intent", broken())


# I9 unknown is a state


def test_a_resend_without_asking(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lost attempt is taken for one that was not made."""
    monkeypatch.setattr(sweep, "look_up", lambda *_: Found(looked=Looked.NOT_DONE))
    assert re.search("is sent again|the last word|its effect happened|two effects", broken())


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
    assert re.match("I9 .*the last word is `nothing`", broken())


def test_what_is_never_swept_stays_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing looks up what is unknown: at the end it still is."""
    monkeypatch.setattr(sweep, "_look_up", lambda *_: None)
    assert re.match("I9 .*stays UNKNOWN|I9 .*stays unknown", broken())


def test_one_person_who_settles_money(monkeypatch: pytest.MonkeyPatch) -> None:
    """A single word is enough for an outcome that nobody can look up."""
    monkeypatch.setattr(testify, "needed_for", lambda *_: 1)
    assert re.match("I9 .*people said so|I1 ", broken())


def test_a_person_who_is_never_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody can find out stays with nobody."""
    for room in (sweep, lookup):
        monkeypatch.setattr(room, "ask_a_person", lambda *_: False)
    assert re.match("I9 .*nobody was told", broken())


# I11 freshness


def test_facts_of_yesterday(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was read again is not compared with what was decided on."""
    monkeypatch.setattr(dispatch, "_changed", lambda *_: None)
    assert re.match("I11 .*facts that are no longer so", broken("I11 "))


# I13 stop


def test_a_stop_that_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is pulled, and everything goes on."""
    monkeypatch.setattr(propose, "_stopped", lambda *_: False)
    monkeypatch.setattr(dispatch, "halt_over", lambda *_: None)
    assert re.match("I13 |I15 ", broken())


def test_a_stop_that_the_same_person_lifts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody else is needed."""
    monkeypatch.setattr(halt, "why_no_lift", lambda *_: None)
    assert re.match("I13 .*the same person", broken())
