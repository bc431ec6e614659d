"""Two desks in one store: neither sees the other, and both are served."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from handrail.engine.access.people import issue_key_unit
from tests.api.stage import Person, Stage


@pytest.fixture
def foreigner(stage: Stage) -> Iterator[Person]:
    """A person of the other desk."""
    with closing(Person(stage.url, "maria", desk="b")) as person:
        yield person


def test_people_see_their_own_desk_only(stage: Stage, foreigner: Person) -> None:
    """M6: another desk's ids are not there, whatever is asked about them."""
    id, headers = stage.new_task()
    held = stage.held(headers)
    digest = stage.digest(held["id"])
    path = f"/v1/proposals/{held['id']}"
    review = {"verdict": "approve", "digest": digest}
    concern = {"concern": "look", "action": held["id"]}
    opened = stage.http.post("/v1/escalations", json=concern, headers=headers).json()
    for method, place, body in (
        ("GET", path, None),
        ("GET", f"{path}/full", None),
        ("POST", f"{path}/reviews", review),
        ("POST", f"{path}/undo", {}),
        ("POST", f"/v1/escalations/{opened['id']}/close", {}),
        ("DELETE", f"/v1/tasks/{id}", None),
    ):
        answer = foreigner.request(method, place, json=body)
        assert answer.status_code == 404, (place, answer.text)
    assert foreigner.get("/v1/queue").json()["items"] == []
    assert foreigner.get("/v1/escalations").json()["items"] == []
    assert held["id"] not in foreigner.get("/v1/log?limit=200").text
    assert foreigner.get("/v1/log", params={"proposal": held["id"]}).json()["items"] == []


def test_agents_work_on_their_own_desk_only(stage: Stage, foreigner: Person) -> None:
    """A key of desk b makes tasks of desk b, whose actions wait in its queue and no other."""
    ctx = stage.desk.ctx
    key = ctx.store.write(issue_key_unit(ctx, "b", "bot", actor="operator"))
    issued = stage.http.post("/v1/tasks", json={"ticket": "T-101"}, headers=stage.by_key(key))
    headers = {"authorization": f"Bearer {issued.json()['token']}"}
    held = stage.held(headers)
    assert [card["id"] for card in foreigner.get("/v1/queue").json()["items"]] == [held["id"]]
    assert stage.person("maria").get(f"/v1/proposals/{held['id']}").status_code == 404
    answer = stage.http.get(f"/v1/tasks/{issued.json()['id']}", headers=stage.by_key())
    assert (answer.status_code, answer.json()["code"]) == (404, "task_not_found")
    digest = foreigner.get(f"/v1/proposals/{held['id']}/full").json()["digest"]
    body = {"verdict": "reject", "digest": digest, "reason": "not here"}
    assert foreigner.post(f"/v1/proposals/{held['id']}/reviews", json=body).status_code == 200


def test_each_desk_has_its_own_log(stage: Stage) -> None:
    """Checkpoints name their desk; a desk that is not there has none."""
    for desk in ("main", "b"):
        note = stage.http.get("/v1/checkpoint", params={"desk": desk}).text
        assert note.startswith(f"handrail/{desk}\n")
    assert stage.http.get("/v1/checkpoint").text.startswith("handrail/main\n")
    answer = stage.http.get("/v1/checkpoint", params={"desk": "nowhere"})
    assert (answer.status_code, answer.json()["code"]) == (404, "desk_not_found")
