"""A task and its lane: outside of them nothing is graded, looked up or run."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

import handrail
from handrail.core.grade import Grade
from handrail.core.lifecycle import State
from handrail.core.policy import Control
from handrail.engine.access.tasks import issue_unit, revoke_unit
from tests.engine.stories import HOUR, MIDDLE, SMALL, Story, code_of, pack

FOREIGN: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "another's order": (
        "refund.issue",
        {"order": "O-5001", "amount": "5.00 USD", "reason": "late"},
    ),
    "another's ticket": ("ticket.read", {"ticket": "T-101"}),
    "another's mail": ("reply.send", {"ticket": "T-101", "body": "Dear Dana"}),
    "another's account": ("payout.change", {"customer": "C-1001", "account": "US00"}),
    "another's credit": (
        "credit.grant",
        {"customer": "C-1001", "amount": "5.00 USD", "reason": "late"},
    ),
}


@pytest.mark.parametrize("what", FOREIGN)
def test_another_customer_is_refused(story: Story, what: str) -> None:
    """The system of record says whose it is; the task says whose it may be."""
    kind, params = FOREIGN[what]
    action = story.desk.propose(story.task("T-103"), kind, params)
    assert (action.state, action.control) == (State.REFUSED, Control.REFUSE)
    assert story.row(action).reasons == "outside_lane"
    assert "outside this task" in action.says
    assert story.refunded("O-5001") == 0


def test_a_kind_outside_the_lane_is_refused_unseen(story: Story) -> None:
    """On triage nothing but reading and drafting; a wrong parameter is not even read."""
    task = story.task("T-103", lane="triage")
    for params in (
        {"order": "O-5003", "amount": SMALL, "reason": "late"},
        {"order": "no such order", "amount": 12},
    ):
        action = story.desk.propose(task, "refund.issue", params)
        assert (action.state, story.row(action).reasons) == (State.REFUSED, "outside_lane")
    assert story.desk.propose(task, "ticket.read", ticket="T-103").state is State.SUCCEEDED
    assert story.desk.propose(task, "database.drop", x="1").state is State.REFUSED


def test_what_is_refused_stays_refused(story: Story) -> None:
    """Nobody is asked, and nobody can approve it."""
    action = story.desk.propose(story.task("T-103"), "ticket.read", ticket="T-101")
    assert story.desk.queue() == []
    assert story.refused(action, by="carl") == "not_pending"


def test_a_task_ends_with_its_time(story: Story) -> None:
    """After eight hours its agent needs a new one; what it proposed before is decided still."""
    task = story.task("T-103")
    waiting = story.desk.propose(
        task, "refund.issue", {"order": "O-5003", "amount": MIDDLE, "reason": "late"}
    )
    story.later(8 * HOUR - 1)
    story.desk.propose(task, "ticket.read", ticket="T-103")
    story.later(1)
    assert code_of(lambda: story.desk.propose(task, "ticket.read", ticket="T-103")) == (
        "task_expired"
    )
    assert story.state(waiting) is State.PENDING


def test_a_revoked_task_ends_at_once(story: Story) -> None:
    """Also for a call that was let in before."""
    task = story.task("T-103")
    story.desk.ctx.store.write(revoke_unit("main", task.id, by="carl"))
    assert code_of(lambda: story.desk.propose(task, "ticket.read", ticket="T-103")) == (
        "task_expired"
    )


def test_a_task_that_was_never_issued_is_none(story: Story) -> None:
    """An agent cannot make up a task by itself."""
    real = story.task("T-103")
    for made_up in (
        msgspec.structs.replace(real, id="tk_made_up"),
        msgspec.structs.replace(real, id="tk_made_up", expires_at=real.expires_at * 2),
    ):
        code = code_of(
            lambda: story.desk.propose(made_up, "ticket.read", ticket="T-103")  # noqa: B023
        )
        assert code == "task_expired"


def test_a_lane_that_does_not_exist_issues_nothing(story: Story) -> None:
    """And neither does a ticket that does not exist, or a person instead of an agent."""
    assert code_of(lambda: story.task("T-103", lane="vip")) == "field_malformed"
    assert code_of(lambda: story.task("T-999")) == "subject_unknown"
    assert code_of(lambda: story.desk.task(ticket="T-103", agent="ann")) in (
        "principal_exists",
        "principal_not_found",
    )


HIDDEN: Final[dict[str, str]] = {
    "a right-to-left override": "Dear Dana, $12\u202e000,12$",
    "a zero-width space": "Dear\u200b Dana",
    "a tag character": "Dear Dana\U000e0041",
    "a soft hyphen": "Dear Da\u00adna",
}


@pytest.mark.parametrize("what", HIDDEN)
def test_hidden_characters_raise_the_grade(story: Story, what: str) -> None:
    """A reply that needs one person then needs a checker; a draft that ran alone waits."""
    send = story.desk.propose(
        story.task("T-101"), "reply.send", {"ticket": "T-101", "body": HIDDEN[what]}
    )
    assert (send.grade, send.control) == (Grade.G3, Control.MAKER_CHECKER)
    draft = story.desk.propose(
        story.task("T-101"), "reply.draft", {"ticket": "T-101", "body": HIDDEN[what]}
    )
    assert (draft.state, draft.grade) == (State.PENDING, Grade.G2)
    assert "hidden_content" in story.row(draft).reasons


# the agent's claim, the amount, and what becomes of it
CLAIMS: Final = [
    (None, SMALL, Grade.G2, Control.RUN_AND_NOTIFY),
    (Grade.G0, SMALL, Grade.G2, Control.RUN_AND_NOTIFY),
    (Grade.G2, SMALL, Grade.G2, Control.RUN_AND_NOTIFY),
    (Grade.G3, SMALL, Grade.G3, Control.MAKER_CHECKER),
    (Grade.G0, MIDDLE, Grade.G2, Control.APPROVE),
    (Grade.G1, MIDDLE, Grade.G2, Control.APPROVE),
    (Grade.G3, MIDDLE, Grade.G3, Control.MAKER_CHECKER),
]


@pytest.mark.parametrize(("claim", "amount", "grade", "control"), CLAIMS)
def test_a_claim_raises_and_never_lowers(
    story: Story, claim: Grade | None, amount: str, grade: Grade, control: Control
) -> None:
    """N4: the agent's own idea of the grade counts only upwards."""
    fields = {"order": "O-5003", "amount": amount, "reason": "late"}
    action = story.desk.propose(story.task(), "refund.issue", fields, claim=claim)
    assert (action.grade, action.control) == (grade, control)


BAD: Final[dict[str, tuple[dict[str, Any], str]]] = {
    "an unknown field": ({"order": "O-5003", "amount": SMALL, "reason": "late", "x": 1}, "field"),
    "a missing field": ({"order": "O-5003", "amount": SMALL}, "field_missing"),
    "a grade as a field": (
        {"order": "O-5003", "amount": SMALL, "reason": "late", "grade": "G0"},
        "field_unknown",
    ),
    "money as a number": ({"order": "O-5003", "amount": 18.5, "reason": "late"}, "money_is_float"),
    "no money": ({"order": "O-5003", "amount": "0.00 USD", "reason": "late"}, "money_zero"),
    "less than none": ({"order": "O-5003", "amount": "-5.00 USD", "reason": "late"}, "money_neg"),
    "an order that is not there": (
        {"order": "O-9999", "amount": SMALL, "reason": "late"},
        "subject_unknown",
    ),
    "a reason that is none": (
        {"order": "O-5003", "amount": SMALL, "reason": "because"},
        "field_malformed",
    ),
}


@pytest.mark.parametrize("what", BAD)
def test_what_cannot_be_read_is_not_written(story: Story, what: str) -> None:
    """A refusal by field; no action, no entry, nothing half done."""
    params, code = BAD[what]
    task = story.task()
    size = story.desk.verify().size
    assert code_of(lambda: story.desk.propose(task, "refund.issue", params)).startswith(code)
    assert story.desk.verify().size == size


LEFT_OPEN: Final = ("Dear {{customer.email}}", "Dear ${name}", "Dear %NAME%", "<<link>>", "[NAME]")


@pytest.mark.parametrize("body", LEFT_OPEN)
def test_a_placeholder_is_held_for_a_person(tmp_path: Path, body: str) -> None:
    """A4: what would be filled in after the approval is held, also where nobody is asked else."""
    held = (
        "needs: [requester, recipient_is_requester]\n    control: approve",
        "needs: [requester, recipient_is_requester]\n    control: hold_and_recall",
    )
    with Story(tmp_path / "desk", policy=pack(held)) as story:
        task = story.task("T-101")
        sent = story.desk.propose(task, "reply.send", {"ticket": "T-101", "body": body})
        assert (sent.state, sent.control) == (State.PENDING, Control.APPROVE)
        assert "unresolved_reference" in story.row(sent).reasons
        plain = story.desk.propose(task, "reply.send", {"ticket": "T-101", "body": "Dear Dana"})
        assert plain.state is State.HOLDING
        # A draft stays on the desk, and may well have gaps to fill in.
        draft = story.desk.propose(task, "reply.draft", {"ticket": "T-101", "body": body})
        assert draft.state is State.SUCCEEDED
        story.check()


def test_what_is_outside_the_lane_is_counted(story: Story) -> None:
    """Refused, logged, and counted by reason."""
    task = story.task("T-103", lane="triage")
    for n in range(3):
        story.desk.propose(task, "reply.send", {"ticket": "T-103", "body": f"Hello {n}"})
    assert story.counters()["refused:outside_lane"] == 3


def test_an_agent_does_not_widen_its_lane_by_asking(tmp_path: Path) -> None:
    """It gets the first lane and what is no wider; the embedding program may name any."""
    lanes = (
        '  support: {kinds: "*"}\n  triage: {kinds: [ticket.read, kb.search, reply.draft]}\n',
        '  triage: {kinds: [ticket.read, kb.search]}\n  support: {kinds: "*", agents: [paid]}\n',
    )
    with Story(tmp_path / "desk", policy=pack(lanes)) as story:
        story.desk.agent("paid")
        ctx = story.desk.ctx

        def asked(agent: str, lane: str | None) -> str:
            unit = issue_unit(ctx, "main", agent=agent, lane=lane, ticket="T-103", by_agent=True)
            return ctx.store.write(unit).task.lane

        assert asked("bot", None) == "triage"
        assert code_of(lambda: asked("bot", "support")) == "lane_not_allowed"
        assert asked("paid", "support") == "support"
        assert story.task("T-103", lane="support").lane == "support"
        story.check()


def test_a_second_task_of_a_ticket_reaches_no_further(story: Story) -> None:
    """The customers come from the ticket; a task more, or one for another ticket, adds none."""
    first, second = story.task("T-103"), story.task("T-103")
    story.task("T-101")
    assert first.customers == second.customers
    fields = {"order": "O-5001", "amount": SMALL, "reason": "damaged"}
    assert story.desk.propose(second, "refund.issue", fields).state is State.REFUSED


def test_tasks_are_not_issued_without_end(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    """L1: an agent that loops over tasks is told to end some; then it goes on."""
    monkeypatch.setattr("handrail.engine.access.tasks.OPEN_TASKS_MAX", 3)
    tasks = [story.task() for _ in range(3)]
    assert code_of(story.task) == "too_many_tasks"
    story.desk.ctx.store.write(revoke_unit("main", tasks[0].id, by="bot"))
    assert story.task().id


def test_the_order_of_lanes_outlives_a_restart(tmp_path: Path) -> None:
    """What an agent gets that asks for no lane is the same before and after, and in the digest."""
    lanes = '  support: {kinds: "*"}\n  triage: {kinds: [ticket.read, kb.search, reply.draft]}\n'
    swapped = '  zeta: {kinds: [ticket.read]}\n  support: {kinds: "*"}\n'
    other = '  support: {kinds: "*"}\n  zeta: {kinds: [ticket.read]}\n'
    first, second = pack((lanes, swapped)), pack((lanes, other))
    assert first.digest != second.digest
    with Story(tmp_path / "desk", policy=first) as story:
        assert story.task().lane == "zeta"
        story.close()
        story.desk = handrail.open(tmp_path / "desk", policy=None, clock=story.clock)
        assert list(story.desk.ctx.rulebook("main").policy.lanes) == ["zeta", "support"]
        assert story.task().lane == "zeta"
