"""Over HTTP: a person puts an action off for themselves, and nothing else changes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from handrail.core.snooze import MARGIN_MS
from tests.api.stage import Stage, staged
from tests.api.test_reviews import refused, review

QUARTER_MS = 15 * 60_000


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A served desk."""
    with staged(tmp_path_factory.mktemp("naps")) as opened:
        yield opened


def test_an_action_is_put_off_by_one_person(stage: Stage) -> None:
    """Each sees only what they have put off; the queue, its deadline and others are as before."""
    id = stage.held(stage.task())["id"]
    maria, otto = stage.person("maria"), stage.person("otto")
    full = maria.get(f"/v1/proposals/{id}/full").json()["card"]
    until = maria.post(f"/v1/proposals/{id}/snooze", json={"nap": "latest"}).json()["until"]
    assert until == full["decide_by"] - MARGIN_MS
    sooner = maria.post(f"/v1/proposals/{id}/snooze", json={"nap": "quarter"}).json()["until"]
    assert sooner < until
    assert maria.get("/v1/snoozes").json() == {"items": [{"action": id, "until": sooner}]}
    assert otto.get("/v1/snoozes").json() == {"items": []}
    assert maria.get(f"/v1/proposals/{id}/full").json()["card"] == full
    assert id in [one["id"] for one in otto.get("/v1/queue").json()["items"]]
    woken = maria.post(f"/v1/proposals/{id}/wake").json()
    assert woken == {"action": id, "until": None}
    assert maria.get("/v1/snoozes").json() == {"items": []}


def test_what_cannot_be_put_off(stage: Stage) -> None:
    """What is not there, what is decided, for who decides nothing, and for no known time."""
    headers = stage.task()
    id = stage.held(headers)["id"]
    maria, audra = stage.person("maria"), stage.person("audra")
    hour = {"nap": "hour"}
    path = f"/v1/proposals/{id}/snooze"
    assert refused(audra.post(path, json=hour)) == (403, "role_missing")
    assert refused(maria.post(path, json={"nap": "for ever"})) == (422, "field_malformed")
    nobodys = f"/v1/proposals/hr_{'0' * 32}/snooze"
    assert refused(maria.post(nobodys, json=hour)) == (404, "proposal_not_found")
    assert stage.http.post(path, json=hour, headers=headers).status_code == 401
    review(stage, id, "maria")
    assert refused(maria.post(path, json=hour)) == (409, "not_pending")
