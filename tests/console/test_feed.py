"""The feed below the browser: what a console is told, what it never is, and when it ends."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from playwright.sync_api import Browser

import handrail
from handrail.engine.access.people import Changes, change_principal_unit
from handrail.engine.governing.desks import open_desk
from handrail.surfaces.auth import SESSION_COOKIE, set_password
from handrail.surfaces.console import console_routes
from handrail.surfaces.console.queue import feed as feed_module
from handrail.surfaces.embedded import Desk
from handrail.surfaces.server import serving
from tests.console.scene import WORDS, Scene
from tests.console.test_http import csrf_in
from tests.patience import HANG_S

BEATS_MAX: Final = 4


class Listener:
    """An open stream, read message by message."""

    def __init__(self, answer: httpx.Response) -> None:
        self.status = answer.status_code
        self._lines = _patient(answer.iter_lines())

    def next(self) -> dict[str, Any]:
        """The next message. Signs of life are passed over."""
        index = ""
        for line in self._lines:
            if line.startswith("id: "):
                index = line[4:]
            if line.startswith("data: "):
                told: dict[str, Any] = json.loads(line[6:])
                return {**told, "id": int(index)}
        raise AssertionError("the stream has ended")

    def rest(self) -> list[str]:
        """What messages came before it ended by itself."""
        return [line for line in self._lines if line.startswith("data: ")]


def _patient(lines: Iterator[str]) -> Iterator[str]:
    """The lines of a stream, as long as there is more than signs of life."""
    beats = 0
    for line in lines:
        beats += line.startswith(":")
        assert beats < BEATS_MAX, "nothing but signs of life"
        yield line


@contextmanager
def listening(
    scene: Scene, person: str, query: str = "", since: int | None = None, last: int | None = None
) -> Iterator[Listener]:
    """A stream of a person, from now on unless it is said since when."""
    log = scene.desk.ctx.store.read(lambda tx: tx.log.size(scene.desk.id))
    with scene.client(person) as client:
        start = log if since is None else since
        headers = {} if last is None else {"last-event-id": str(last)}
        timeout = httpx.Timeout(HANG_S)
        url = f"/live?since={start}{query}"
        with client.stream("GET", url, headers=headers, timeout=timeout) as answer:
            yield Listener(answer)


def test_what_begins_and_what_ends_is_told(scene: Scene) -> None:
    """An action that waits, and then one that somebody decided, by name; with how many wait."""
    with listening(scene, "dana") as heard:
        action = scene.refund()
        first = heard.next()
        assert (first["began"], first["waiting"]) == ([action.id], 1)
        scene.desk.review(action.id, "approve", by="sam", digest=action.digest)
        second = heard.next()
        assert (second["ended"], second["waiting"]) == ({action.id: "decided by Sam Novak"}, 0)
        assert second["id"] > first["id"]


def test_what_runs_alone_is_not_told(scene: Scene) -> None:
    """It concerns no queue; the next thing that does is the next message."""
    with listening(scene, "dana") as heard:
        scene.small_refund()
        action = scene.refund()
        assert heard.next()["began"] == [action.id]


def test_the_first_of_two_checkers_is_not_heard(scene: Scene) -> None:
    """D10: a verdict that decides nothing yet is told to nobody, and at the end nobody is named."""
    action = scene.large_refund("6000.00 USD")
    query = f"&action={action.id}"
    with listening(scene, "chris") as queue, listening(scene, "chris", query) as case:
        scene.desk.review(action.id, "approve", by="sam", digest=action.digest)
        other = scene.refund()
        # The first message is about what came after it: of the verdict there was none.
        assert queue.next()["began"] == [other.id]
        scene.desk.review(action.id, "reject", by="kim", digest=action.digest, reason="no")
        assert case.next()["ended"] == {action.id: "no longer waits"}


def test_somebody_who_was_away_catches_up(scene: Scene) -> None:
    """From an index on, or from the last message; both at once for what is over meanwhile."""
    action = scene.refund()
    with listening(scene, "dana", since=0) as heard:
        told = heard.next()
    assert told["began"] == [action.id]
    scene.desk.review(action.id, "reject", by="sam", digest=action.digest, reason="no")
    other = scene.reply("Hello")
    with listening(scene, "dana", since=0, last=told["id"]) as heard:
        again = heard.next()
    assert again["began"] == [other.id]
    assert again["ended"] == {action.id: "decided by Sam Novak"}


def test_nobody_is_told_what_their_page_was_made_with(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page that is opened between two looks at the log, beside a console that is open already."""
    monkeypatch.setattr(feed_module, "GAP_S", 1.0)
    with listening(scene, "sam") as queue:
        scene.refund("60.00 USD")
        queue.next()
        action = scene.refund()  # in the gap after that look
        with listening(scene, "dana", f"&action={action.id}") as case:
            assert queue.next()["began"] == [action.id]
            scene.desk.review(action.id, "reject", by="sam", digest=action.digest, reason="no")
            told = case.next()
    assert "began" not in told, "the page of an action was told that the action began to wait"
    assert told["ended"] == {action.id: "decided by Sam Novak"}


def test_who_missed_too_much_is_told_so(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too many moves, too much of the log, or an index that this log never had."""
    for _ in range(3):
        scene.refund("60.00 USD")
    with listening(scene, "dana", since=10**9) as heard:
        assert heard.next()["missed"]
    for limit in ("MOVES_MAX", "ENTRIES_MAX"):
        with monkeypatch.context() as changed:
            changed.setattr(feed_module, limit, 2)
            with listening(scene, "dana", since=0) as heard:
                assert heard.next()["missed"]


@pytest.mark.parametrize(
    ("query", "passes"),
    [
        ("&kind=refund.issue", ["refund", "large"]),
        ("&grade=G3", ["large"]),
        ("&at_least=200&currency=USD", ["large"]),
        ("&find=T-101", ["reply"]),
        ("&find=C-1003", ["refund"]),
        ("&agent=nobody", []),
        ("&mine=yes", ["refund", "reply"]),
    ],
)
def test_a_sifted_page_hears_of_what_passes(scene: Scene, query: str, passes: list[str]) -> None:
    """What would not be in the list is not announced; what is no longer in it is."""
    with listening(scene, "dana", query) as heard:
        made = {
            "refund": scene.refund().id,
            "large": scene.large_refund("2400.00 USD").id,
            "reply": scene.reply("Hello").id,
        }
        last = scene.refund("60.00 USD")
        scene.desk.review(last.id, "reject", by="sam", digest=last.digest, reason="no")
        began: list[str] = []
        ended: dict[str, str] = {}
        while last.id not in ended:
            told = heard.next()
            began += told.get("began", [])
            ended |= told.get("ended", {})
    assert [id for id in began if id != last.id] == [made[name] for name in passes]


def test_another_desk_is_not_heard(scene: Scene) -> None:
    """M8: its id is answered like one that never moves, and nothing of it is in a queue."""
    ctx = scene.desk.ctx
    open_desk(ctx, "other", ctx.rulebook(scene.desk.id).policy, actor="operator")
    other = Desk(ctx, "other", on_close=lambda: None)
    other.person("olga", roles=("reviewer",))
    foreign = other.propose(
        other.task(ticket="T-101", agent="scout"), "reply.send", ticket="T-101", body="Hello"
    )
    own = scene.refund()
    nobody = "hr_" + "0" * 32
    with (
        listening(scene, "dana", f"&action={foreign.id}") as theirs,
        listening(scene, "dana", f"&action={nobody}") as none,
        listening(scene, "dana") as queue,
    ):
        assert theirs.status == none.status == 200
        other.review(foreign.id, "reject", by="olga", digest=foreign.digest, reason="no")
        scene.desk.review(own.id, "reject", by="sam", digest=own.digest, reason="no")
        assert set(queue.next()["ended"]) == {own.id}


@pytest.mark.parametrize(
    "query",
    [
        "",
        "since=",
        "since=-1",
        "since=1e9",
        "since=" + "9" * 40,
        "since=0&action=hr_1",
        "since=0&action=%00",
        "since=0&grade=9",
        "since=0&mine=maybe",
    ],
)
def test_what_is_no_address_of_a_stream(scene: Scene, query: str) -> None:
    """It is refused at once."""
    with scene.client("dana") as client:
        answer = client.get(f"/live?{query}")
    assert answer.status_code == 422
    assert "field_malformed" in answer.text


def test_it_ends_with_the_session(scene: Scene) -> None:
    """M4: a session that is ended hears nothing more, and its browser is not let in again."""
    with scene.client("dana") as client:
        with client.stream("GET", "/live?since=0", timeout=HANG_S) as answer:
            csrf = {"csrf": csrf_in(client.get("/").text)}
            held = client.cookies[SESSION_COOKIE]
            assert client.post("/logout", data=csrf).status_code == 303
            time.sleep(feed_module.CHECKED_S)
            scene.refund()
            assert Listener(answer).rest() == []
        client.cookies.set(SESSION_COOKIE, held)
        assert client.get("/live?since=0").status_code == 204


def test_it_ends_with_the_role(scene: Scene) -> None:
    """M6: who has no role any more hears nothing more."""
    with listening(scene, "dana") as heard:
        ctx, changes = scene.desk.ctx, Changes(roles=())
        ctx.store.write(
            change_principal_unit(ctx, scene.desk.id, "dana", changes, actor="operator")
        )
        time.sleep(feed_module.CHECKED_S)
        scene.refund()
        assert heard.rest() == []


def test_a_server_that_is_told_to_stop_stops(tmp_path: Path, browser: Browser) -> None:
    """Open streams come to their end; one that was cut off would raise here."""
    desk = handrail.open(tmp_path / "desk")
    desk.person("dana", roles=("reviewer",))
    set_password(desk.ctx, desk.id, "dana", WORDS.format(id="dana"))
    with httpx.Client(timeout=HANG_S) as client, ExitStack() as stack:
        with serving(desk, console=console_routes) as url:
            form = {"person": "dana", "password": WORDS.format(id="dana")}
            client.post(f"{url}/login", data=form)
            lines = stack.enter_context(client.stream("GET", f"{url}/live?since=0")).iter_lines()
            assert next(lines).startswith("retry: ")
        assert all(not line.startswith("data: ") for line in lines)
    desk.close()
