"""The demo as a newcomer meets it: an address, passwords, and a real Chromium."""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Response, expect, sync_playwright

from handrail.connectors.sandbox import Sandbox
from tests.cli.shell import serving
from tests.console.scene import FLAGS
from tests.patience import HANG_S
from tools.browser import find_browser

PATIENCE_MS = 60_000
QUEUE_S_MAX = 120
_PERSON = re.compile(rb"  (\w+) +([a-z]+-[a-z]+-[a-z]+)  ")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real Chromium."""
    path = find_browser()
    assert path is not None, "no Chromium: run `make browser`"
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(path), args=FLAGS)
        yield chromium
        chromium.close()


@dataclass(frozen=True, kw_only=True)
class Show:
    """A running demo and what it printed about itself."""

    process: subprocess.Popen[bytes]
    address: str
    passwords: dict[str, str]
    folder: Path
    browser: Browser

    def enter(self, person: str) -> Page:
        """Log in through the form, as the printed lines say."""
        page = self.browser.new_context(base_url=self.address).new_page()
        page.goto(self.address)
        page.get_by_label("Name").fill(person)
        page.get_by_label("Password").fill(self.passwords[person])
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("button", name="Log out")).to_be_visible()
        return page


@pytest.fixture
def show(tmp_path: Path, browser: Browser) -> Iterator[Show]:
    """The demo, with the agent just beginning."""
    folder = tmp_path / "desk"
    with serving("demo", "--port", "0", "--directory", folder) as (process, address):
        assert process.stdout is not None
        passwords: dict[str, str] = {}
        for line in process.stdout:
            if found := _PERSON.match(line):
                passwords[found.group(1).decode()] = found.group(2).decode()
            elif passwords:
                break
        yield Show(
            process=process, address=address, passwords=passwords, folder=folder, browser=browser
        )


def test_a_newcomers_first_minutes(show: Show) -> None:
    """Watch the queue fill, approve a refund, take one back, and meet the owner's closed door."""
    assert list(show.passwords) == ["dana", "chris", "sam", "lee", "pat", "ada"]
    dana, owner = show.enter("dana"), show.enter("lee")
    open_from_queue(dana, "Refund 120.00 USD")
    owner.goto(dana.url)
    expect(owner.get_by_text("You cannot approve this.")).to_be_visible()
    expect(owner.get_by_text("you made this action or answer for its agent")).to_be_visible()
    expect(owner.get_by_role("button", name="Approve")).to_have_count(0)
    expect(owner.get_by_text("Reject…")).to_have_count(1)
    with dana.expect_response(_is_page, timeout=PATIENCE_MS) as answered:
        dana.get_by_role("button", name="Approve: refund 120.00 USD").first.click()
    # It can be taken back for ten seconds; then it runs, and the page follows by itself.
    assert "Take it back" in answered.value.text()
    expect(dana.get_by_role("heading", name="Refund 120.00 USD")).to_be_visible()
    expect(dana.get_by_role("button", name="Approve")).to_have_count(0)
    expect(dana.locator("p.state")).to_contain_text("Done")

    dana.goto("/ran")
    small = dana.get_by_role("listitem").filter(has_text="Refund 18.50 USD")
    small.get_by_role("button", name="Undo").click()
    expect(dana.get_by_role("status")).to_contain_text("Undo: done.")
    expect(small.get_by_role("link", name="Undone already")).to_be_visible()

    show.process.send_signal(signal.SIGINT)
    assert show.process.wait(HANG_S) == 0
    with Sandbox.open(show.folder / "desk.db") as shop:
        # The agent may have come to its next small refund, of 32.00 USD.
        assert shop.money_moved("USD") in (120_00, 152_00)


def _is_page(answer: Response) -> bool:
    """Whether it is a page that the browser goes to, and not the redirect that leads there."""
    return answer.request.resource_type == "document" and answer.status == 200


def open_from_queue(page: Page, name: str) -> None:
    """Look at the queue again and again until the action is in it, and open it."""
    link = page.get_by_role("link", name=name)
    for _ in range(QUEUE_S_MAX):
        page.goto("/")
        if link.count():
            link.click()
            return
        page.wait_for_timeout(1_000)
    raise AssertionError(f"{name} did not come: {page.inner_text('main')}")
