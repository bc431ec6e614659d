"""Channels over HTTP: an administrator's, and nothing secret in any answer."""

from __future__ import annotations

from typing import Any, Final

import pytest

from handrail.surfaces.auth import set_password
from tests.api.stage import PASSWORD, Person, Stage

HOOK: Final[dict[str, Any]] = {
    "kind": "webhook",
    "label": "ops room",
    "console": "https://desk.example.com",
    "url": "https://hooks.invalid/secret-path",
    "topics": ["waiting", "halted"],
}


@pytest.fixture
def admin(stage: Stage) -> Person:
    """Rita, who administers."""
    stage.desk.person("rita", roles=("admin",))
    set_password(stage.desk.ctx, stage.desk.id, "rita", PASSWORD)
    stage.forget("rita")
    return stage.person("rita")


def test_one_is_added_tried_and_ended(admin: Person) -> None:
    """The secret once, the address never, and how it fares."""
    added = admin.post("/v1/channels", json=HOOK)
    assert added.status_code == 201, added.text
    assert added.json()["signing_secret"].startswith("whsec_")
    channel = added.json()["channel"]
    assert (channel["host"], channel["carries"], channel["failed"]) == ("hooks.invalid", "link", 0)
    listed = admin.get("/v1/channels")
    assert channel["id"] in [one["id"] for one in listed.json()["items"]]
    assert "secret-path" not in listed.text + added.text
    assert "whsec_" not in listed.text
    tried = admin.post(f"/v1/channels/{channel['id']}/try", json={})
    assert tried.json() == {"recipients": 1}
    ended = admin.post(f"/v1/channels/{channel['id']}/end", json={})
    assert channel["id"] not in [one["id"] for one in ended.json()["items"]]
    for what in ("try", "end"):
        gone = admin.post(f"/v1/channels/{channel['id']}/{what}", json={})
        assert (gone.status_code, gone.json()["code"]) == (404, "channel_not_found")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"url": "http://hooks.invalid/x"}, "channel_invalid"),
        ({"topics": ["test"]}, "channel_invalid"),
        ({"kind": "ping"}, "channel_invalid"),
        (
            {"kind": "ping", "url": "ntfys://in.invalid/secret-path", "carries": "text"},
            "channel_invalid",
        ),
        ({"kind": "pigeon"}, "field_malformed"),
        ({"more": 1}, "field_unknown"),
    ],
)
def test_what_is_refused(admin: Person, change: dict[str, Any], code: str) -> None:
    """By a code, and without a word of the address."""
    answer = admin.post("/v1/channels", json={**HOOK, **change})
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert "secret-path" not in answer.text


@pytest.mark.parametrize("person", ["maria", "audra"])
def test_who_keeps_them(stage: Stage, person: str) -> None:
    """M6: nobody but an administrator sees or changes them."""
    client = stage.person(person)
    answers = [client.get("/v1/channels"), client.post("/v1/channels", json=HOOK)]
    answers += [client.post(f"/v1/channels/ch_0/{what}", json={}) for what in ("try", "end")]
    assert {(one.status_code, one.json()["code"]) for one in answers} == {(403, "role_missing")}
