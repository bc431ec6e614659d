"""A served desk with people, agents and a second desk beside it, for the tests of the HTTP API."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, Final

import httpx

import handrail
from handrail.core.policy import Policy
from handrail.engine.access.people import issue_key_unit
from handrail.policy.loader import load_text
from handrail.policy.packs import pack_text
from handrail.surfaces.auth import set_password
from handrail.surfaces.embedded import Desk
from handrail.surfaces.provider import Door
from handrail.surfaces.server import serving
from tests.patience import HANG_S

__all__ = ["PASSWORD", "Person", "Stage", "agent_key", "in_agent_policy", "peopled", "staged"]

PASSWORD: Final = "correct horse battery"
PEOPLE: Final = {
    "maria": (("reviewer", "checker"), ("5000.00 USD",)),
    "vera": (("checker",), ("100000.00 USD",)),
    "otto": (("reviewer", "checker"), ("100000.00 USD",)),
    "audra": (("auditor",), ()),
}
AT_ONCE: Final = "attention: {dwell_percent: 0}\n"
"""What is shown can be approved at once: tests read fast."""
IN_AGENT_KINDS: Final = """
  tool.run:
    title: Run a tool beside the agent
    connector: agent
    axes: {reversibility: 0, blast_radius: 0, stakes: 1}
    params: {name: {type: id}}
    runs_in: agent
    control: run_and_log

  tool.ask:
    title: Run a risky tool beside the agent
    connector: agent
    axes: {reversibility: 1, blast_radius: 1, stakes: 2}
    params: {name: {type: id}}
    runs_in: agent
    control: approve
"""


class Person(httpx.Client):
    """A client with a person's session and CSRF token."""

    def __init__(self, url: str, name: str, *, desk: str | None = None) -> None:
        super().__init__(base_url=url, timeout=HANG_S)
        login = {"person": name, "password": PASSWORD, "desk": desk}
        answer = self.post("/v1/session", json=login)
        assert answer.status_code == 200, answer.text
        self.csrf: str = answer.json()["csrf"]
        self.headers["x-csrf-token"] = self.csrf


class Stage:
    """What a test holds of a running server."""

    def __init__(self, desk: Desk, url: str) -> None:
        self.desk = desk
        self.url = url
        self.key = agent_key(desk, "bot")
        self.http = httpx.Client(base_url=url, timeout=HANG_S)
        self._people: dict[str, Person] = {}
        self._numbers = count()

    def close(self) -> None:
        """Close every client."""
        for client in (self.http, *self._people.values()):
            client.close()

    def person(self, name: str) -> Person:
        """A logged-in person; one session each."""
        if name not in self._people:
            self._people[name] = Person(self.url, name)
        return self._people[name]

    def forget(self, name: str) -> None:
        """Somebody has a new password: the sessions that they had are over."""
        known = self._people.pop(name, None)
        if known is not None:
            known.close()

    def by_key(self, key: str | None = None) -> dict[str, str]:
        """The headers of an agent."""
        return {"authorization": f"Bearer {key or self.key}"}

    def task(self, ticket: str = "T-101", lane: str | None = None) -> dict[str, str]:
        """The headers of a fresh task."""
        return self.new_task(ticket, lane)[1]

    def new_task(
        self, ticket: str = "T-101", lane: str | None = None
    ) -> tuple[str, dict[str, str]]:
        """A fresh task: its id and its headers."""
        body = {"ticket": ticket, "lane": lane}
        answer = self.http.post("/v1/tasks", json=body, headers=self.by_key())
        assert answer.status_code == 201, answer.text
        return answer.json()["id"], {"authorization": f"Bearer {answer.json()['token']}"}

    def propose(
        self, headers: dict[str, str], kind: str, params: dict[str, Any], **rest: Any
    ) -> dict[str, Any]:
        """One accepted proposal."""
        body = {"kind": kind, "params": params, **rest}
        answer = self.http.post("/v1/proposals", json=body, headers=headers)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def held(self, headers: dict[str, str], text: str | None = None) -> dict[str, Any]:
        """A reply that waits for a person; unless told otherwise, no two are the same."""
        text = f"Hello {next(self._numbers)}" if text is None else text
        return self.propose(headers, "reply.send", {"ticket": "T-101", "body": text})

    def digest(self, id: str, person: str = "maria") -> str:
        """What a review of this action must quote."""
        answer = self.person(person).get(f"/v1/proposals/{id}/full")
        assert answer.status_code == 200, answer.text
        return str(answer.json()["digest"])


def in_agent_policy() -> Policy:
    """The default pack and two kinds that run in the agent's own process."""
    return load_text(AT_ONCE + pack_text("support-desk") + IN_AGENT_KINDS, source="test")


def agent_key(desk: Desk, agent: str) -> str:
    """A fresh API key for an agent."""
    return desk.ctx.store.write(issue_key_unit(desk.ctx, desk.id, agent, actor="operator"))


def peopled(desk: Desk) -> None:
    """Add the people with their password, and the agent `bot`, owned by otto."""
    for name, (roles, limits) in PEOPLE.items():
        desk.person(name, roles=roles, limits=limits)
        set_password(desk.ctx, desk.id, name, PASSWORD)
    desk.agent("bot", owner="otto")


@contextmanager
def staged(folder: Path, *, take_back_ms: int = 0, **options: Any) -> Iterator[Stage]:
    """A served desk `main`, with a desk `b` in the same store.

    Nothing has to be looked at long, and what is approved runs at once.
    """
    options.setdefault("policy", load_text(AT_ONCE + pack_text("support-desk"), source="test"))
    with handrail.open(folder, desk="b", **options) as other:
        peopled(other)
    with handrail.open(folder, **options) as desk:
        peopled(desk)
        with serving(desk, door=Door(take_back_ms=take_back_ms)) as url:
            stage = Stage(desk, url)
            try:
                yield stage
            finally:
                stage.close()
