"""The simulator can fail: break one part, and an invariant trips with the seed in its message."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from typing import Any

import pytest

from handrail.connectors.protocol import Found, Looked, NotDone, Receipt
from handrail.core.entry import Tag
from handrail.core.lifecycle import Event
from handrail.core.principal import Role
from handrail.core.review import judge
from handrail.engine import execute, propose, review, sweep
from handrail.engine.record import advance, note_down
from handrail.store.caps import Caps
from tests.sim.life import lived
from tests.sim.soak import main
from tests.sim.watch import Broken
from tests.sim.world import Provider

SEEDS = 40


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
    assert "its effect happened" in said or "two effects under the key" in said


def test_a_hidden_intent(monkeypatch: pytest.MonkeyPatch) -> None:
    """The provider is called, and the log does not say that it will be."""

    def hiding(tx: Any, proposal: Any, tag: Tag, **more: Any) -> int:
        said = {name: value for name, value in more.pop("data").items() if name != "attempt"}
        return note_down(tx, proposal, tag, data=said, **more)

    monkeypatch.setattr(propose, "note_down", hiding)
    assert re.search("without a committed intent|was changed in the database", _broken())


def test_a_maker_who_approves(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rule no longer knows who answers for an agent."""
    monkeypatch.setattr(review, "makers_of", lambda tx, proposal: frozenset())
    assert "one of its makers" in _broken()


def test_a_reviewer_without_authority(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody counts as a checker without a limit."""

    def generous(*, reviewer: Any, **more: Any) -> Any:
        roles = (Role.REVIEWER, Role.CHECKER)
        limits = {"USD": 10**9}
        trusted = type(reviewer)(
            **{name: getattr(reviewer, name) for name in reviewer.__struct_fields__}
            | {"roles": roles, "limits": limits}
        )
        return judge(reviewer=trusted, **more)

    monkeypatch.setattr(review, "judge", generous)
    assert "approvals" in _broken()


def test_silence_that_approves(monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody decided in time goes on instead of expiring."""

    def silent(tx: Any, before: Any, event: Event, tag: Tag, **more: Any) -> Any:
        if more.get("data") == {"why": "nobody_decided"}:
            return advance(tx, before, Event.APPROVE, tag, execute_by=tx.now + 60_000, **more)
        return advance(tx, before, event, tag, **more)

    monkeypatch.setattr(sweep, "advance", silent)
    assert re.search(r"with [01] of [12] approvals", _broken())


def test_a_cap_that_forgets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is reserved, nothing seems taken."""
    monkeypatch.setattr(Caps, "_used", lambda *_: 0)
    assert "the cap `" in _broken()


def test_a_cap_that_lets_unknown_ones_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its reservation is given back while nobody knows whether the action was done."""

    def freeing(tx: Any, before: Any, event: Event, tag: Tag, **more: Any) -> Any:
        if event is Event.LOSE:
            tx.caps.void(before.desk, before.id, tx.now)
        return advance(tx, before, event, tag, **more)

    monkeypatch.setattr(execute, "advance", freeing)
    assert "the cap `" in _broken()


def test_an_unknown_outcome_taken_for_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """A timeout is neither success nor failure."""

    def hasty(self: Provider, *words: Any, **more: Any) -> Receipt:
        try:
            return honest(self, *words, **more)
        except TimeoutError:
            raise NotDone("no answer") from None

    honest = Provider.execute
    monkeypatch.setattr(Provider, "execute", hasty)
    assert "its effect happened" in _broken()


def test_what_is_never_swept_stays_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing looks up what is unknown: at the end it still is."""
    monkeypatch.setattr(sweep, "_look_up", lambda ctx, swept: None)
    assert "stays UNKNOWN" in _broken()


def test_other_bytes_than_were_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is sent is a cent more than what was stored."""
    honest = Provider._done

    def raised(
        self: Provider, kind: str, request: Mapping[str, object], key: str, **more: Any
    ) -> Any:
        return honest(self, kind, {**request, "minor": random.Random(0).random()}, key, **more)

    monkeypatch.setattr(Provider, "_done", raised)
    assert "is not what was decided" in _broken()


def test_the_long_run_prints_the_seed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And how to live that life again, which then shows every step."""
    monkeypatch.setattr(Caps, "_used", lambda *_: 0)
    assert main(["--seeds", "20"]) == 1
    *lines, last = capsys.readouterr().out.splitlines()
    (first,) = re.findall(r"\[(\d+)", last)
    assert any(line.endswith(f"replay with --seed {first}") for line in lines)
    assert main(["--seed", first]) == 1
    *trace, broken = capsys.readouterr().out.splitlines()
    assert len(trace) > 3
    assert broken.startswith(f"Broken: seed {first}, step ")
