"""Over HTTP: taking an approval back, saying why not, and typing once more what it is about."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pytest

from tests.api.stage import Stage, in_agent_policy, staged
from tests.api.test_reviews import refused, review

HOUR_MS: Final = 3_600_000


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A served desk where an approval can be taken back for an hour."""
    folder = tmp_path_factory.mktemp("slow")
    with staged(folder, policy=in_agent_policy(), take_back_ms=HOUR_MS) as opened:
        yield opened


def test_an_approval_is_taken_back(stage: Stage) -> None:
    """E4: it waits out its time as READY, and after taking back for people again; one say each."""
    held = stage.held(stage.task())
    approved = review(stage, held["id"], "maria").json()
    assert (approved["state"], approved["final"]) == ("READY", False)
    full = stage.person("maria").get(f"/v1/proposals/{held['id']}/full").json()
    assert full["card"]["hold_until"] - full["card"]["updated_at"] == HOUR_MS
    assert refused(review(stage, held["id"], "otto", "take_back")) == (409, "nothing_to_take_back")
    assert refused(review(stage, held["id"], "audra", "take_back")) == (403, "not_entitled")
    taken = review(stage, held["id"], "maria", "take_back").json()
    assert (taken["state"], taken["reviews_given"]) == ("PENDING", 0)
    assert refused(review(stage, held["id"], "maria", "take_back")) == (409, "nothing_to_take_back")
    assert review(stage, held["id"], "maria").json()["state"] == "READY"


def test_an_agents_own_tool_does_not_wait(stage: Stage) -> None:
    """What runs in the agent's process is the agent's as soon as it is approved."""
    headers = stage.task()
    held = stage.propose(headers, "tool.ask", {"name": "x"})
    assert review(stage, held["id"], "maria").json()["state"] == "READY"
    taken = stage.http.post(f"/v1/proposals/{held['id']}/claim", headers=headers).json()
    assert taken["permit"]
    late = review(stage, held["id"], "maria", "take_back")
    assert refused(late) == (409, "take_back_too_late")


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        ({"ground": "wrong_amount"}, "The amount is wrong."),
        ({"ground": "wrong_amount", "reason": "see O-1"}, "The amount is wrong. see O-1"),
        ({"ground": "suspicious"}, None),
        ({"reason": "no"}, "no"),
    ],
)
def test_a_rejection_says_why(stage: Stage, said: dict[str, Any], heard: str | None) -> None:
    """By a ground, in words, or both; the agent hears no suspicion. Without either it is none."""
    headers = stage.task()
    held = stage.held(headers)
    assert refused(review(stage, held["id"], "maria", "reject")) == (422, "reason_missing")
    answer = review(stage, held["id"], "maria", "reject", **said)
    assert answer.json()["state"] == "REJECTED"
    told = stage.http.get(f"/v1/proposals/{held['id']}", headers=headers).json()
    assert told["says_reviewer"] == heard
    full = stage.person("maria").get(f"/v1/proposals/{held['id']}/full").json()
    assert full["reviews"][0]["ground"] == said.get("ground", "other")


def test_a_ground_is_one_of_the_list(stage: Stage) -> None:
    """An unknown one is named by its field."""
    held = stage.held(stage.task())
    answer = review(stage, held["id"], "maria", "reject", ground="mood")
    assert refused(answer) == (422, "field_malformed")


def test_sent_back_the_agent_is_told_what_to_do(stage: Stage) -> None:
    """Asking for changes is no plain no: what to change, and to propose it once more."""
    headers = stage.task()
    held = stage.held(headers)
    review(stage, held["id"], "maria", "request_changes", reason="name the order")
    told = stage.http.get(f"/v1/proposals/{held['id']}", headers=headers).json()
    assert (told["state"], told["final"]) == ("REJECTED", True)
    assert told["says_reviewer"] == "name the order"
    assert "propose it once more in this task" in told["says"]
    again = stage.held(headers)
    assert again["state"] == "PENDING"


def test_at_g3_it_is_typed_once_more(stage: Stage) -> None:
    """B7: the full answer says what; wrong, ambiguous or empty decides nothing."""
    params = {"order": "O-5005", "amount": "2400.00 USD", "reason": "damaged"}
    held = stage.propose(stage.task("T-104"), "refund.issue", params)
    full = stage.person("vera").get(f"/v1/proposals/{held['id']}/full").json()
    assert full["retype"] == "amount"
    assert refused(review(stage, held["id"], "vera")) == (422, "retype_missing")
    for typed in ("2400", "2400 EUR", "2.400 USD", "24.00 USD", "x" * 400):
        answer = review(stage, held["id"], "vera", retyped=typed)
        assert refused(answer) == (422, "retype_wrong")
    assert review(stage, held["id"], "vera", retyped="2,400.00 USD").json()["state"] == "READY"
    small = stage.held(stage.task())
    path = f"/v1/proposals/{small['id']}/full"
    assert stage.person("maria").get(path).json()["retype"] is None
