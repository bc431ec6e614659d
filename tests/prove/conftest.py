"""A desk with a rich history, made once and copied for every attack."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from handrail.connectors.sandbox import Fault
from handrail.core.lifecycle import State
from tests.engine.stories import HOUR, HUGE, LARGE, MIDDLE, MINUTE, SMALL, Story

READS = 200
"""So many that the log has a full tile and an unfinished one."""


def _history(story: Story) -> None:
    """A bit of everything that can happen on a desk."""
    desk = story.desk
    desk.undo(story.refund(SMALL).id)
    story.approve(story.refund(MIDDLE))
    story.approve(story.refund(LARGE, "O-5005"), by="carl")
    both = story.refund("5500.00 USD", "O-5005")
    assert both.state is State.PENDING
    story.approve(both, by="carl")
    no = story.refund(HUGE, "O-5005")
    desk.review(no.id, "reject", by="cora", digest=no.digest, reason="no")
    story.refund("60.00 USD")
    desk.escalate(story.task("T-101"), "please look")
    desk.halt("kind", "reply.send", by="ann")
    story.fail(Fault.AFTER_EFFECT)
    story.refund("3.00 USD", "O-5003")
    story.fail(None)
    story.later(MINUTE)
    desk.work()
    desk.erase("C-1001")
    desk.checkpoint()


@pytest.fixture(scope="session")
def rich(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a closed desk; nobody may change it."""
    folder = tmp_path_factory.mktemp("rich") / "desk"
    with Story(folder) as story:
        _history(story)
        task = story.task()
        for _ in range(READS):
            story.desk.propose(task, "ticket.read", ticket="T-103")
        story.refund("70.00 USD")
        story.later(5 * HOUR)
        story.desk.work()
        story.check()
    return folder


@pytest.fixture(scope="session")
def young(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with few entries: not one tile is full."""
    folder = tmp_path_factory.mktemp("young") / "desk"
    with Story(folder) as story:
        _history(story)
        story.check()
    return folder


@pytest.fixture
def folder(rich: Path, tmp_path: Path) -> Path:
    """A copy of the rich desk to be attacked."""
    return shutil.copytree(rich, tmp_path / "rich")


@pytest.fixture
def small(young: Path, tmp_path: Path) -> Path:
    """A copy of the young desk to be attacked."""
    return shutil.copytree(young, tmp_path / "young")
