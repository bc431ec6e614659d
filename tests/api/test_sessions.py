"""People log in, are recognised, and log out; and nobody else can use their session."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import httpx
import msgspec
import pytest

from handrail.core.entry import Tag
from handrail.core.lifecycle import State
from handrail.engine.access.people import revoke_key_unit
from handrail.engine.access.sessions import SESSION_MS
from handrail.errors import InvalidInput, NotAuthenticated, NotFound
from handrail.surfaces.auth import (
    FAILURES_MAX,
    NAMES_MAX,
    Logins,
    set_password,
)
from tests.api.stage import PASSWORD, Person, Stage, agent_key, staged
from tests.patience import HANG_S


def log_in(stage: Stage, **fields: object) -> httpx.Response:
    """One attempt, without any cookie."""
    return httpx.post(f"{stage.url}/v1/session", json=fields, timeout=HANG_S)


def test_login_gives_a_session(stage: Stage) -> None:
    """The cookie is for this site and no script; the answer carries the CSRF token."""
    answer = log_in(stage, person="maria", password=PASSWORD)
    assert answer.status_code == 200
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("handrail_session=hrs_")
    for part in ("Path=/", "HttpOnly", "SameSite=Strict", f"Max-Age={SESSION_MS // 1000}"):
        assert part in cookie
    assert "Secure" not in cookie
    body = answer.json()
    assert body["person"] == "maria"
    assert body["expires_at"] - stage.desk.ctx.clock() <= SESSION_MS
    assert body["csrf"] not in cookie


def test_only_a_hash_of_the_token_is_kept(stage: Stage) -> None:
    """The store can recognise a token, and cannot give it away."""
    answer = log_in(stage, person="maria", password=PASSWORD)
    token = answer.cookies["handrail_session"]
    folder = stage.desk.ctx.store.path.parent  # type: ignore[attr-defined]
    for file in (folder / "handrail.db", folder / "handrail.db-wal"):
        assert token.encode() not in file.read_bytes()


@pytest.mark.parametrize(
    "fields",
    [
        {"person": "maria", "password": "wrong"},
        {"person": "nobody", "password": PASSWORD},
        {"person": "bot", "password": PASSWORD},
        {"person": "maria", "password": PASSWORD, "desk": "nowhere"},
        {"person": "vera", "password": PASSWORD[:-1]},
        {"person": "vera", "password": PASSWORD + "x" * 500},
        {"person": "", "password": ""},
    ],
)
def test_wrong_logins_all_look_the_same(stage: Stage, fields: dict[str, str]) -> None:
    """Unknown people, agents, other desks and wrong passwords get the same words."""
    answer = log_in(stage, **fields)
    assert answer.status_code == 401
    assert answer.json()["code"] == "login_failed"
    assert answer.json()["detail"] == "the name or the password is not right"
    assert "set-cookie" not in answer.headers


def test_too_many_wrong_logins_have_to_wait(stage: Stage) -> None:
    """After five failures the right password waits too; another person does not."""
    for _ in range(FAILURES_MAX):
        assert log_in(stage, person="audra", password="wrong").status_code == 401
    answer = log_in(stage, person="audra", password=PASSWORD)
    assert answer.status_code == 429
    assert answer.json()["code"] == "too_many_attempts"
    assert answer.headers["retry-after"] == "60"
    assert log_in(stage, person="vera", password=PASSWORD).status_code == 200


def test_failures_are_forgotten() -> None:
    """A minute later, or after a success, one starts anew."""
    logins = Logins()
    for at in range(FAILURES_MAX):
        logins.begin("main", "ann", at)
    with pytest.raises(NotAuthenticated, match="too_many_attempts"):
        logins.begin("main", "ann", 100)
    logins.begin("main", "ann", 60_000)
    logins.succeeded("main", "ann")
    logins.begin("main", "ann", 60_001)
    logins.close()


def test_failures_take_bounded_memory() -> None:
    """However many names are tried, and however long, little is remembered."""
    logins = Logins()
    for number in range(NAMES_MAX + 50):
        logins.begin("main", f"{number}" + "x" * 1_000, 0)
    kept = list(logins._failures)
    assert len(kept) == NAMES_MAX
    assert max(len(name) for _, name in kept) <= 64
    logins.close()


def test_a_new_login_ends_the_old_session(stage: Stage) -> None:
    """The token changes at every login, and the browser's former one is over."""
    with closing(Person(stage.url, "maria")) as person:
        former = person.cookies["handrail_session"]
        body = {"person": "maria", "password": PASSWORD}
        assert person.post("/v1/session", json=body).status_code == 200
        assert person.cookies["handrail_session"] != former
        cookies = {"handrail_session": former}
        old = httpx.get(f"{stage.url}/v1/queue", cookies=cookies, timeout=HANG_S)
        assert old.json()["code"] == "session_expired"
        assert person.get("/v1/queue").status_code == 200


def test_logout_ends_it(stage: Stage) -> None:
    """After it the same cookie is worth nothing, and the log says both."""
    person = Person(stage.url, "maria")
    token = person.cookies["handrail_session"]
    answer = person.delete("/v1/session")
    assert answer.json() == {"ended": True}
    assert "Max-Age=0" in answer.headers["set-cookie"]
    cookies = {"handrail_session": token}
    again = httpx.get(f"{stage.url}/v1/queue", cookies=cookies, timeout=HANG_S)
    assert again.json()["code"] == "session_expired"
    person.close()
    logged = stage.person("maria").get("/v1/log", params={"person": "maria"}).json()["items"]
    tags = [item["entry"]["tag"] for item in logged]
    assert tags.count(Tag.SESSION_OPENED.value) > tags.count(Tag.SESSION_CLOSED.value) >= 1


def test_disabled_person_is_out_at_once(stage: Stage) -> None:
    """Taking somebody's access away does not wait for the session to end."""
    desk = stage.desk
    desk.person("leaver", roles=("reviewer",))
    set_password(desk.ctx, desk.id, "leaver", PASSWORD)
    with closing(Person(stage.url, "leaver")) as leaver:
        assert leaver.get("/v1/queue").status_code == 200
        found = desk.ctx.store.read(lambda tx: tx.people.get("main", "leaver"))
        assert found is not None
        gone = msgspec.structs.replace(found, disabled=True)
        desk.ctx.store.write(lambda tx: tx.people.change(gone))
        assert leaver.get("/v1/queue").json()["code"] == "credential_revoked"
    assert log_in(stage, person="leaver", password=PASSWORD).json()["code"] == "login_failed"


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({}, True),
        ({"sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "same-site"}, False),
        ({"sec-fetch-site": "cross-site"}, False),
        ({"origin": "OWN"}, True),
        ({"origin": "http://evil.example"}, False),
        ({"origin": "null"}, False),
        ({"origin": "http://[broken"}, False),
        ({"x-csrf-token": ""}, False),
        ({"x-csrf-token": "0" * 48}, False),
        ({"x-csrf-token": "\xe9"}, False),
    ],
)
def test_unsafe_requests_must_come_from_here(
    stage: Stage, headers: dict[str, str], allowed: bool
) -> None:
    """M1: neither another site's page, nor a request without the session's token, gets through."""
    person = stage.person("maria")
    sent = {name: stage.url if value == "OWN" else value for name, value in headers.items()}
    raw = [(name.encode(), value.encode("latin-1")) for name, value in sent.items()]
    id = "es_" + "0" * 32
    answer = person.post(f"/v1/escalations/{id}/close", headers=raw)
    assert (answer.json()["code"] != "csrf_failed") is allowed
    assert answer.status_code == (404 if allowed else 403)


def test_login_from_another_site_is_refused(stage: Stage) -> None:
    """Nobody can be logged in as somebody else by a foreign page."""
    answer = httpx.post(
        f"{stage.url}/v1/session",
        json={"person": "maria", "password": PASSWORD},
        headers={"origin": "http://evil.example"},
        timeout=HANG_S,
    )
    assert answer.json()["code"] == "csrf_failed"


def test_passwords_have_a_length(stage: Stage) -> None:
    """Too short and too long ones are refused, and only people have one."""
    ctx = stage.desk.ctx
    for password in ("short", "x" * 201):
        with pytest.raises(InvalidInput, match="field_malformed"):
            set_password(ctx, "main", "maria", password)
    with pytest.raises(NotFound, match="principal_not_found"):
        set_password(ctx, "main", "bot", PASSWORD)


def test_a_new_password_ends_the_old_one(stage: Stage) -> None:
    """Only the newest password opens the door."""
    desk = stage.desk
    desk.person("mover", roles=("reviewer",))
    set_password(desk.ctx, desk.id, "mover", "the first one")
    set_password(desk.ctx, desk.id, "mover", "the second one")
    assert log_in(stage, person="mover", password="the first one").status_code == 401
    assert log_in(stage, person="mover", password="the second one").status_code == 200


def test_everything_ends_with_time(tmp_path: Path) -> None:
    """Nine hours later neither the session nor the task's token opens anything."""
    now = [1_800_000_000_000]
    with staged(tmp_path, clock=lambda: now[0]) as stage:
        headers, maria = stage.task(), stage.person("maria")
        held = stage.held(headers)
        path = f"/v1/proposals/{held['id']}"
        assert stage.http.get(path, headers=headers).status_code == 200
        assert maria.get(path).status_code == 200
        now[0] += 9 * 3_600_000
        assert stage.http.get(path, headers=headers).json()["code"] == "task_expired"
        assert maria.get(path).json()["code"] == "session_expired"
        body = {"verdict": "approve", "digest": "0" * 64}
        assert maria.post(f"{path}/reviews", json=body).json()["code"] == "session_expired"
        stage.desk.work()
        assert stage.desk.get(held["id"]).state is State.EXPIRED


def test_revoked_key(stage: Stage) -> None:
    """A key ends at once; another key of the same agent goes on."""
    ctx = stage.desk.ctx
    key = agent_key(stage.desk, "bot")
    assert stage.http.post("/v1/tasks", json={}, headers=stage.by_key(key)).status_code == 201
    prefix = key.rpartition("_")[0]
    assert ctx.store.write(revoke_key_unit("main", prefix, actor="maria"))
    answer = stage.http.post("/v1/tasks", json={}, headers=stage.by_key(key))
    assert (answer.status_code, answer.json()["code"]) == (401, "credential_revoked")
    assert stage.http.post("/v1/tasks", json={}, headers=stage.by_key()).status_code == 201


def test_sessions_are_listed_and_ended(stage: Stage) -> None:
    """M4: one's own with what they are; ending all of them ends the one that asks, too."""
    with closing(Person(stage.url, "otto")) as one, closing(Person(stage.url, "otto")) as two:
        items = one.get("/v1/sessions").json()["items"]
        assert [item["own"] for item in items] == [False, True]
        assert {item["means"] for item in items} == {"password"}
        assert all(item["browser"].startswith("python-httpx") for item in items)
        assert one.delete(f"/v1/sessions/{items[0]['id']}").json() == {"ended": 1}
        assert two.get("/v1/queue").json()["code"] == "session_expired"
        gone = one.delete(f"/v1/sessions/{items[0]['id']}")
        assert (gone.status_code, gone.json()["code"]) == (404, "session_not_found")
        assert one.delete("/v1/sessions").json() == {"ended": 1}
        assert one.get("/v1/queue").json()["code"] == "session_expired"


def test_another_person_s_sessions_are_for_an_admin(stage: Stage) -> None:
    """M4, M6: seen and ended by the role admin alone, and both are in the log."""
    desk = stage.desk
    desk.person("ada", roles=("admin",))
    desk.person("lost", roles=("reviewer",))
    for name in ("ada", "lost"):
        set_password(desk.ctx, desk.id, name, PASSWORD)
    with closing(Person(stage.url, "lost")) as lost, closing(Person(stage.url, "ada")) as ada:
        vera = stage.person("vera")
        for answer in (
            vera.get("/v1/sessions?person=lost"),
            vera.delete("/v1/sessions?person=lost"),
        ):
            assert (answer.status_code, answer.json()["code"]) == (403, "role_missing")
        assert len(ada.get("/v1/sessions?person=lost").json()["items"]) == 1
        assert ada.get("/v1/sessions?person=nobody").json()["code"] == "principal_not_found"
        assert ada.delete("/v1/sessions?person=lost").json() == {"ended": 1}
        assert lost.get("/v1/queue").json()["code"] == "session_expired"
        logged = ada.get("/v1/log", params={"person": "ada"}).json()["items"]
    closed = [item["entry"] for item in logged if item["entry"]["tag"] == "session.closed"]
    assert closed[0]["data"]["person"] == "lost"


def test_an_administrator_invites(stage: Stage) -> None:
    """E5, M6: nobody else does, and not themselves; the link is a path on this console."""
    desk = stage.desk
    desk.person("boss", roles=("admin",))
    set_password(desk.ctx, desk.id, "boss", PASSWORD)
    with closing(Person(stage.url, "boss")) as boss:
        answer = boss.post("/v1/people/vera/invitation")
        assert answer.status_code == 200, answer.text
        assert answer.json()["path"].startswith("/login/invited?token=hrv_")
        assert boss.post("/v1/people/nobody/invitation").status_code == 404
        assert boss.post("/v1/people/boss/invitation").json()["code"] == "own_authority"
    assert stage.person("vera").post("/v1/people/otto/invitation").status_code == 403
