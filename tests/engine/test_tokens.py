"""Task tokens: remembered for a moment, and never beyond their end."""

from __future__ import annotations

import apsw
import pytest

from handrail.engine.access.tasks import IssuedTask, issue_unit, revoke_unit, task_of_token
from handrail.engine.proposing.prepare import Draft
from handrail.engine.proposing.propose import plan
from handrail.errors import NotAuthenticated
from tests.engine.stories import HOUR, SECOND, Story


@pytest.fixture
def issued(story: Story) -> IssuedTask:
    """A task on the desk's first ticket, whose token was shown once already."""
    ctx = story.desk.ctx
    story.desk.agent("agent")
    issued = ctx.store.write(issue_unit(ctx, "main", agent="agent", ticket="T-101"))
    assert task_of_token(ctx, issued.token) == issued.task
    return issued


def _refused(story: Story, token: str) -> str:
    with pytest.raises(NotAuthenticated) as refusal:
        task_of_token(story.desk.ctx, token)
    return refusal.value.code


def _elsewhere(story: Story, issued: IssuedTask, revoked_at: int | None) -> None:
    """What another process on the same database does."""
    connection = apsw.Connection(str(story.folder / "handrail.db"))
    connection.execute("UPDATE task SET revoked_at = ? WHERE id = ?", (revoked_at, issued.task.id))
    connection.close()


def test_a_token_ends_at_once(story: Story, issued: IssuedTask) -> None:
    """Revoked by this process, it does not count a moment longer."""
    story.desk.ctx.store.write(revoke_unit("main", issued.task.id, by="operator"))
    assert _refused(story, issued.token) == "task_expired"


def test_a_token_ends_by_its_clock(story: Story, issued: IssuedTask) -> None:
    """What is remembered of a task includes when it ends."""
    story.later(8 * HOUR)
    assert _refused(story, issued.token) == "task_expired"
    assert _refused(story, "hrt_nobody") == "credential_unknown"


def test_a_token_that_another_process_ended(story: Story, issued: IssuedTask) -> None:
    """It is let in for a second at most, and what it wants to do is refused even then."""
    ctx = story.desk.ctx
    _elsewhere(story, issued, 1)
    draft = Draft(maker="agent", kind="ticket.read", params={"ticket": "T-101"})
    with pytest.raises(NotAuthenticated):
        ctx.store.write(plan(ctx, task_of_token(ctx, issued.token), draft))
    story.later(SECOND)
    assert _refused(story, issued.token) == "task_expired"
    _elsewhere(story, issued, None)  # the log knows nothing of it, and would say so
