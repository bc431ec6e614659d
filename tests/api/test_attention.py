"""Attention over HTTP: time to look before an approval, taking an action, whose time it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from handrail.core.attention import TAKEN_MS
from handrail.policy.loader import load_text
from handrail.policy.packs import pack_text
from handrail.surfaces.auth import set_password
from tests.api.stage import PASSWORD, Stage, staged
from tests.store.databases import NOW, Clock

SLOW: Final = "attention: {per_hour: 1}\n"


@pytest.fixture
def clock() -> Clock:
    """Stands still until it is moved, however long a test takes."""
    return Clock(NOW)


@pytest.fixture
def slow(tmp_path: Path, clock: Clock) -> Iterator[Stage]:
    """A desk on which what is shown has to be looked at, and one decision an hour is enough."""
    policy = load_text(SLOW + pack_text("support-desk"), source="test")
    with staged(tmp_path, policy=policy, clock=clock) as stage:
        stage.desk.person("lena", roles=("admin",))
        set_password(stage.desk.ctx, "main", "lena", PASSWORD)
        yield stage


def approve(stage: Stage, id: str, person: str, digest: str) -> httpx.Response:
    """An approval of what somebody was shown."""
    body = {"verdict": "approve", "digest": digest}
    return stage.person(person).post(f"/v1/proposals/{id}/reviews", json=body)


def full(stage: Stage, id: str, person: str) -> dict[str, Any]:
    """What somebody is shown of an action."""
    answer = stage.person(person).get(f"/v1/proposals/{id}/full")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_an_approval_waits_until_it_was_read(slow: Stage, clock: Clock) -> None:
    """L7: `/full` is what shows it to this person; `approve_from` says when an approval counts."""
    held = slow.held(slow.task())
    shown = full(slow, held["id"], "maria")
    for person in ("maria", "vera"):
        early = approve(slow, held["id"], person, shown["digest"])
        assert (early.status_code, early.json()["code"]) == (409, "too_soon")
    assert shown["approve_from"] > clock()
    assert full(slow, held["id"], "maria")["approve_from"] == shown["approve_from"]
    clock.now = shown["approve_from"]
    assert approve(slow, held["id"], "maria", shown["digest"]).status_code == 200
    assert full(slow, held["id"], "maria")["approve_from"] is None


def test_a_look_that_reads_no_body_shows_nothing(slow: Stage, clock: Clock) -> None:
    """L7: asking for the headers alone is no look."""
    held = slow.held(slow.task())
    digest = full(slow, held["id"], "otto")["digest"]
    assert slow.person("maria").head(f"/v1/proposals/{held['id']}/full").status_code == 200
    clock.now += 60_000
    assert approve(slow, held["id"], "maria", digest).json()["code"] == "too_soon"


def test_a_spent_budget(slow: Stage, clock: Clock) -> None:
    """L8: after one decision in the hour, G3 goes to somebody else."""
    refund = {"order": "O-5005", "amount": "2400.00 USD", "reason": "damaged", "ticket": "T-104"}
    small, large = slow.held(slow.task()), slow.propose(slow.task("T-104"), "refund.issue", refund)
    answers = []
    for id in (small["id"], large["id"]):
        digest = full(slow, id, "maria")["digest"]
        clock.now += 60_000
        answers.append(approve(slow, id, "maria", digest))
    assert answers[0].status_code == 200
    assert (answers[1].status_code, answers[1].json()["code"]) == (403, "budget_spent")


def test_taking_an_action(slow: Stage, clock: Clock) -> None:
    """For ten minutes, by one; it must have been shown."""
    id = slow.held(slow.task())["id"]
    path = f"/v1/proposals/{id}"
    maria, vera = slow.person("maria"), slow.person("vera")
    assert maria.post(f"{path}/take").json()["code"] == "stale_digest"
    for person in ("maria", "vera", "audra"):
        full(slow, id, person)
    until = maria.post(f"{path}/take").json()["until"]
    assert clock() < until <= clock() + TAKEN_MS
    assert vera.post(f"{path}/take").json()["code"] == "taken_already"
    assert slow.person("audra").post(f"{path}/take").json()["code"] == "not_entitled"
    assert maria.post(f"{path}/leave").json() == {"until": None}
    assert vera.post(f"{path}/take").status_code == 200
    for way in ("take", "leave"):
        missing = maria.post(f"/v1/proposals/hr_{'0' * 32}/{way}")
        assert missing.json()["code"] == "proposal_not_found"


def test_whose_time_it_is(slow: Stage, clock: Clock) -> None:
    """One's own for everybody, and the desk's for an administrator alone."""
    held = slow.held(slow.task())
    digest = full(slow, held["id"], "maria")["digest"]
    clock.now += 30_000
    approve(slow, held["id"], "maria", digest)
    own = slow.person("maria").get("/v1/attention").json()
    assert (own["own"]["day"], own["own"]["approved"]) == (1, 1)
    assert own["own"]["median_ms"] >= 30_000
    assert own["budget"] == {"per_hour": 1, "per_day": None}
    assert own["overflow"]["missed"] == 0
    for person in ("maria", "vera", "audra"):
        answer = slow.person(person).get("/v1/attention")
        assert answer.json()["crew"] is None
        assert person == "maria" or "maria" not in answer.text
    crew = slow.person("lena").get("/v1/attention").json()["crew"]
    assert {one["id"]: one["load"]["day"] for one in crew} == {"maria": 1, "otto": 0, "vera": 0}
