"""A served desk with people, an agent and a browser, for the console's tests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import msgspec
import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, Response

import handrail
from handrail.bootstrap import now_ms
from handrail.connectors.protocol import Connector
from handrail.connectors.sandbox import Sandbox
from handrail.core.lifecycle import UNDER_WAY, State
from handrail.core.policy import Attention, Limits, Policy
from handrail.policy.loader import digest_policy, load
from handrail.surfaces.auth import SESSION_COOKIE, set_password
from handrail.surfaces.console import console_routes
from handrail.surfaces.console.case import verdict
from handrail.surfaces.embedded import Action, Desk
from handrail.surfaces.provider import Door
from handrail.surfaces.server import serving
from tests.patience import HANG_S, wait_until

AGENT: Final = "scout"
FLAGS: Final = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync"
).split()
OUTCOME_WAIT_MS: Final = 15_000
"""How long a form waits for what it set off, so that no test depends on how fast that is."""
PEOPLE: Final[dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]]] = {
    "dana": ("Dana Reyes", ("reviewer",), ()),
    "chris": ("Chris Adeyemi", ("reviewer", "checker"), ("5000.00 USD",)),
    "sam": ("Sam Novak", ("reviewer", "checker"), ("20000.00 USD",)),
    "kim": ("Kim Osei", ("reviewer", "checker"), ("20000.00 USD",)),
    "lee": ("Lee Marsh", ("reviewer", "checker"), ("20000.00 USD",)),
    "ava": ("Ava Brandt", ("auditor",), ()),
    "pat": ("Pat Quist", ("policy_owner",), ()),
    "quin": ("Quin Abara", ("policy_owner",), ()),
}
"""Name, roles and limits by id. Lee owns the agent."""
WORDS: Final = "correct-horse-{id}"
NO_DWELL: Final = Attention(dwell_percent=0)
PHONE: Final = {"width": 390, "height": 844}
_VIOLATIONS: Final = """
  document.addEventListener('securitypolicyviolation', (event) =>
    console.error('CSP: ' + event.violatedDirective + ' ' + event.blockedURI));
"""


class MovableClock:
    """The real clock, which a test can put forward."""

    def __init__(self) -> None:
        self.ahead_ms = 0

    def __call__(self) -> int:
        return now_ms() + self.ahead_ms


@dataclass(kw_only=True)
class Scene:
    """One desk on a loopback port. `complaints` collects what browsers found wrong."""

    desk: Desk
    url: str
    clock: MovableClock
    browser: Browser
    complaints: list[str] = field(default_factory=list)
    requested: set[str] = field(default_factory=set)
    contexts: list[BrowserContext] = field(default_factory=list)
    admitted: set[str] = field(default_factory=set)

    @property
    def shop(self) -> Sandbox:
        """The embedded desk behind it."""
        shop = self.desk.ctx.connector("desk")
        assert isinstance(shop, Sandbox)
        return shop

    def propose(
        self, ticket: str, kind: str, params: Mapping[str, object], note: str | None = None
    ) -> Action:
        """The agent proposes an action on a ticket."""
        task = self.desk.task(ticket=ticket, agent=AGENT)
        return self.desk.propose(task, kind, params, note=note)

    def small_refund(self) -> Action:
        """18.50 USD of O-5001: runs alone."""
        refund = {"order": "O-5001", "amount": "18.50 USD", "reason": "damaged"}
        return self.propose("T-101", "refund.issue", refund)

    def refund(self, amount: str = "120.00 USD", note: str | None = None) -> Action:
        """A refund of O-5003, which was 189.00 USD: waits for one approval."""
        refund = {"order": "O-5003", "amount": amount, "reason": "wrong_item", "ticket": "T-103"}
        return self.propose("T-103", "refund.issue", refund, note)

    def large_refund(self, amount: str) -> Action:
        """A refund of O-5005, which was 6800.00 USD: waits for one or two checkers."""
        refund = {"order": "O-5005", "amount": amount, "reason": "damaged", "ticket": "T-104"}
        return self.propose("T-104", "refund.issue", refund)

    def reply(self, body: str, ticket: str = "T-101", note: str | None = None) -> Action:
        """A reply to a ticket: waits for one approval."""
        return self.propose(ticket, "reply.send", {"ticket": ticket, "body": body}, note)

    def succeeded(self, action: Action) -> Action:
        """The action once it was carried out, be it by the server's own sweep."""
        wait_until(lambda: self.desk.get(action.id).state not in UNDER_WAY)
        done = self.desk.get(action.id)
        assert done.state is State.SUCCEEDED
        return done

    def approved(self, action: Action, *, by: str, reason: str = "") -> Action:
        """The action once this person approved it and it was carried out."""
        self.desk.review(action.id, "approve", by=by, digest=action.digest, reason=reason)
        return self.succeeded(action)

    def admit(self, person: str) -> str:
        """Give a person their password, unless they have it already."""
        password = WORDS.format(id=person)
        if person not in self.admitted:
            set_password(self.desk.ctx, self.desk.id, person, password)
            self.admitted.add(person)
        return password

    @contextmanager
    def client(self, person: str | None = None) -> Iterator[httpx.Client]:
        """A plain HTTP client, logged in through the form if a person is named."""
        with httpx.Client(base_url=self.url, timeout=HANG_S) as client:
            if person is not None:
                form = {"person": person, "password": self.admit(person)}
                answer = client.post("/login", data=form)
                assert answer.status_code == 303, answer.text
            yield client

    def page(self, **options: Any) -> Page:
        """A fresh browser page, nobody logged in, watched for complaints."""
        context = self.browser.new_context(base_url=self.url, **options)
        context.set_default_timeout(15_000)
        context.add_init_script(_VIOLATIONS)
        self.contexts.append(context)
        page = context.new_page()
        pages: set[str] = set()
        page.on("console", lambda message: self._heard(message, pages))
        page.on("pageerror", lambda error: self.complaints.append(f"{page.url}: {error}"))
        page.on("dialog", lambda dialog: self.complaints.append(f"dialog: {dialog.message}"))
        page.on("request", lambda request: self.requested.add(request.url))
        page.on("response", lambda response: _note_page(response, pages))
        return page

    def enter(self, person: str, path: str = "/", **options: Any) -> Page:
        """A browser page of a person who is logged in."""
        page = self.page(**options)
        with self.client(person) as client:
            token = client.cookies[SESSION_COOKIE]
        page.context.add_cookies([{"name": SESSION_COOKIE, "value": token, "url": self.url}])
        page.goto(path)
        return page

    def foreign_requests(self) -> list[str]:
        """What browsers asked of any other address."""
        host = urlsplit(self.url).netloc
        return sorted(url for url in self.requested if urlsplit(url).netloc != host)

    def _heard(self, message: ConsoleMessage, pages: set[str]) -> None:
        if message.type not in ("error", "warning"):
            return
        # A page that says no has a status of 4xx, which the browser's console mentions.
        if message.text.startswith("Failed to load") and message.location["url"] in pages:
            return
        self.complaints.append(f"{message.location['url']}: {message.text}")


def _note_page(response: Response, pages: set[str]) -> None:
    request: Request = response.request
    if request.is_navigation_request():
        pages.add(response.url)


@contextmanager
def scene_in(
    folder: Path,
    browser: Browser,
    connectors: dict[str, Connector] | None = None,
    policy: Policy | None = None,
    door: Door | None = None,
    translations: Path | None = None,
    attention: Attention = NO_DWELL,
) -> Iterator[Scene]:
    """A served desk; at the end nothing must have complained, or asked for another address.

    What is shown can be approved at once, unless `attention` says otherwise: tests read fast.
    """
    clock = MovableClock()
    # Many tests share a scene, and propose the same more than once.
    rules = policy or load("support-desk")
    rules = msgspec.structs.replace(rules, limits=Limits(), attention=attention)
    rules = msgspec.structs.replace(rules, digest=digest_policy(rules))
    desk = handrail.open(folder / "desk", policy=rules, clock=clock, connectors=connectors)
    try:
        for id, (name, roles, limits) in PEOPLE.items():
            desk.person(id, name=name, roles=roles, limits=limits)
        desk.agent(AGENT, owner="lee")
        spoken = partial(console_routes, translations=translations)
        door = door or Door(take_back_ms=0)
        with (
            pytest.MonkeyPatch.context() as patch,
            serving(desk, console=spoken, door=door) as url,
        ):
            patch.setattr(verdict, "OUTCOME_WAIT_MS", OUTCOME_WAIT_MS)
            scene = Scene(desk=desk, url=url, clock=clock, browser=browser)
            yield scene
            for context in scene.contexts:
                context.close()
            assert scene.complaints == []
            assert scene.foreign_requests() == []
    finally:
        desk.close()
