"""Take the console's pictures for the README and the docs, from the sample desk's story.

`python -m tools.screenshots [FOLDER]` writes console-*.png, by default into docs/images. The desk
is made afresh, the reference agent's playbook is played on it over an hour of its own clock, and a
browser looks at the result; then two policy owners change the policy.
"""

from __future__ import annotations

import secrets
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from playwright.sync_api import Page, sync_playwright

import handrail
from handrail.agent.playbook import PLAYBOOK
from handrail.bootstrap import now_ms
from handrail.surfaces.auth import set_password
from handrail.surfaces.console import console_routes
from handrail.surfaces.demo.stage import AGENT, OWNER, PEOPLE
from handrail.surfaces.embedded import Desk
from handrail.surfaces.server import serving
from tools.browser import find_browser

__all__ = ["main", "take"]

FOLDER: Final = Path("docs") / "images"
WIDTH: Final = 1280
QUEUE_HEIGHT: Final = 830
ACTION_HEIGHT: Final = 960
VISIT_MS: Final = 9 * 60_000
FLAGS: Final = ("--no-sandbox", "--disable-gpu", "--hide-scrollbars")
VIEWER: Final = "dana"
OWNERS: Final = {"pat": "Pat Quist", "quin": "Quin Abara"}
POLICY_HEIGHT: Final = 900
EDITOR_HEIGHT: Final = 1260
EDITED: Final = (("up_to: 50.00", "up_to: 80.00"), ("open_per_agent: 200", "open_per_agent: 100"))
REASON: Final = "Refunds between 50 and 80 USD were approved every time last month."
SHOWN: Final = ("T-110", "refund.issue")
"""The action that is shown: a refund that the facts speak against."""


class StoryClock:
    """A clock that starts in the past and is put forward until it has caught up."""

    def __init__(self, behind_ms: int) -> None:
        self.behind_ms = behind_ms

    def __call__(self) -> int:
        return now_ms() - self.behind_ms


def take(folder: Path) -> list[Path]:
    """Take all pictures; where they are."""
    browser = find_browser()
    if browser is None:
        raise SystemExit("screenshots: no Chromium; run `make browser`")
    folder.mkdir(parents=True, exist_ok=True)
    clock = StoryClock(VISIT_MS * len(PLAYBOOK))
    password = secrets.token_urlsafe()
    with tempfile.TemporaryDirectory(prefix="handrail-pictures-") as place:
        desk = handrail.open(Path(place) / "desk", clock=clock)
        try:
            ids = _play(desk, clock, password)
            with serving(desk, console=console_routes) as url, sync_playwright() as playwright:
                chromium = playwright.chromium.launch(executable_path=str(browser), args=FLAGS)
                page = chromium.new_page(base_url=url, color_scheme="light")
                taken = _pictures(page, folder, ids, password)
                taken += _policy_pictures(page, folder, password)
                chromium.close()
                return taken
        finally:
            desk.close()


def _play(desk: Desk, clock: StoryClock, password: str) -> Mapping[tuple[str, str], str]:
    """The agent's day; ids by ticket and kind."""
    for person in PEOPLE:
        desk.person(person.id, name=person.name, roles=person.roles, limits=person.limits)
    # With two who may pass the highest amounts, the desk's people can keep the policy that it has.
    limits = ("20000.00 USD", "500000 JPY")
    desk.person("kim", name="Kim Osei", roles=("reviewer", "checker"), limits=limits)
    for id, name in OWNERS.items():
        desk.person(id, name=name, roles=("policy_owner",))
    for id in (VIEWER, *OWNERS):
        set_password(desk.ctx, desk.id, id, password)
    desk.agent(AGENT, owner=OWNER)
    ids = {}
    for visit in PLAYBOOK:
        task = desk.task(ticket=visit.ticket, agent=AGENT)
        for move in visit.moves:
            ids[visit.ticket, move.kind] = desk.propose(task, move.kind, move.params).id
        if visit.handover is not None:
            desk.escalate(task, visit.handover)
        clock.behind_ms -= VISIT_MS
    return ids


def _pictures(
    page: Page, folder: Path, ids: Mapping[tuple[str, str], str], password: str
) -> list[Path]:
    _enter(page, VIEWER, password)
    taken = []
    for name, path, height in (
        ("console-queue", "/", QUEUE_HEIGHT),
        ("console-action", f"/actions/{ids[SHOWN]}", ACTION_HEIGHT),
    ):
        page.set_viewport_size({"width": WIDTH, "height": height})
        page.goto(path)
        taken.append(folder / f"{name}.png")
        page.screenshot(path=str(taken[-1]))
    return taken


def _policy_pictures(page: Page, folder: Path, password: str) -> list[Path]:
    """One owner changes the policy in the editor, the other one looks at what is proposed."""
    first, second = OWNERS
    page.set_viewport_size({"width": WIDTH, "height": POLICY_HEIGHT})
    taken = [folder / f"console-{name}.png" for name in ("policy", "editor", "proposal")]
    _enter(page, first, password)
    page.goto("/policy")
    page.screenshot(path=str(taken[0]))
    page.goto("/policy/edit")
    field = page.get_by_label("The policy, as YAML")
    text = field.input_value()
    for old, new in EDITED:
        text = text.replace(old, new)
    field.fill(text)
    page.get_by_role("button", name="Check it").click()
    page.get_by_label("Why should the policy change?").fill(REASON)
    page.set_viewport_size({"width": WIDTH, "height": EDITOR_HEIGHT})
    page.evaluate("window.scrollTo(0, 0)")
    page.screenshot(path=str(taken[1]))
    page.get_by_role("button", name="Propose it").click()
    page.wait_for_url("**/policy/proposals/*")
    proposed = page.url
    _enter(page, second, password)
    page.set_viewport_size({"width": WIDTH, "height": POLICY_HEIGHT})
    page.goto(proposed)
    page.screenshot(path=str(taken[2]))
    return taken


def _enter(page: Page, person: str, password: str) -> None:
    page.context.clear_cookies()
    page.goto("/login")
    page.get_by_label("Name").fill(person)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("/")


def main() -> int:
    """Take the pictures and print where they are."""
    for picture in take(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER):
        print(f"{picture}: {picture.stat().st_size // 1024} KiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
