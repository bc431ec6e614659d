"""One browser for all of the console's tests, and a fresh served desk for each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from handrail.surfaces.console.text import conversation
from tests.console.scene import FLAGS, Scene, scene_in
from tools.browser import find_browser

PATIENCE_MS = 15_000
"""How long a page may take on a busy machine; a quiet one never needs it."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real Chromium. Per module: while it lives, no event loop can run in this thread."""
    path = find_browser()
    assert path is not None, "no Chromium: run `make browser`"
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(path), args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages wait for the helpdesk as long as it takes."""
    monkeypatch.setattr(conversation, "WAIT_S", PATIENCE_MS / 1_000)


@pytest.fixture
def scene(tmp_path: Path, browser: Browser) -> Iterator[Scene]:
    """A served desk with its people and the agent, nothing proposed yet."""
    with scene_in(tmp_path, browser) as opened:
        yield opened
