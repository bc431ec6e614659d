"""Break-glass: two people, loud, for an hour, and only the role."""

from __future__ import annotations

from typing import Any

import pytest

from handrail.core.breakglass import Grant
from handrail.core.escalation import Cause
from handrail.core.lifecycle import State
from handrail.engine.access.breakglass import ask_glass_unit, close_glass_unit, confirm_glass_unit
from tests.engine.stories import HOUR, HUGE, LARGE, MINUTE, Story, code_of
from tests.engine.test_people import change, entries


def ask(story: Story, person: str = "new", **more: Any) -> Grant:
    """Somebody asks to check for a while."""
    ctx = story.desk.ctx
    unit = ask_glass_unit(ctx, "main", person=person, reason="payday, all ill", **more)
    return ctx.store.write(unit)


def confirm(story: Story, grant: Grant, by: str = "adam") -> Grant:
    """An administrator confirms it."""
    return story.desk.ctx.store.write(confirm_glass_unit(story.desk.ctx, "main", grant.id, by=by))


def opened(story: Story) -> Grant:
    """A grant in force for `new`, who came after the action was proposed."""
    return confirm(story, ask(story))


@pytest.fixture(autouse=True)
def people(story: Story) -> None:
    """`adam` is an administrator, with a second account."""
    story.desk.person("adam", roles=("admin",))
    story.desk.person("adam-2", identity="adam", roles=("admin",))


def held(story: Story, amount: str = LARGE) -> Any:
    """A large refund, and after it somebody new who has a limit and no role."""
    action = story.refund(amount, "O-5005")
    story.later(1)
    story.desk.person("new", roles=(), limits=("9000.00 USD",))
    return action


def test_it_lets_somebody_check_for_an_hour(story: Story) -> None:
    """D12: role and seasoning are lifted; asking alone lifts nothing."""
    action = held(story)
    assert story.refused(action, by="new") == "not_entitled"
    grant = ask(story)
    assert story.refused(action, by="new") == "not_entitled"
    confirm(story, grant)
    assert story.approve(action, by="new").state is State.SUCCEEDED


def test_everybody_is_told(story: Story) -> None:
    """D12: an escalation with both names and the reason, and entries for asking and opening."""
    held(story)
    grant = opened(story)
    store = story.desk.ctx.store
    found = store.read(lambda tx: tx.escalations.open("main", most=9))
    assert [one.cause for one in found] == [Cause.BREAK_GLASS]
    concern = store.read(lambda tx: tx.vault.get("main", found[0].id, "concern"))
    assert concern is not None
    assert b"`new`" in concern
    assert b"`adam`" in concern
    assert b"payday, all ill" in concern
    assert entries(story, "breakglass.asked")[0]["grant"] == grant.id
    assert entries(story, "breakglass.opened")[0]["until"] == grant.expires_at


def test_it_ends_by_itself(story: Story) -> None:
    """D12: at the very minute, whether or not anybody sweeps; and the end is an entry."""
    story.refund(LARGE, "O-5005")
    action = held(story)
    confirm(story, ask(story, span_ms=10 * MINUTE))
    story.later(10 * MINUTE)
    assert story.refused(action, by="new") == "not_entitled"
    assert entries(story, "breakglass.closed") == []
    story.desk.work()
    assert len(entries(story, "breakglass.closed")) == 1


def test_it_is_ended_at_once_by_anybody(story: Story) -> None:
    """D12: and what was approved under it and has not run is not approved any more."""
    action = held(story, HUGE)
    grant = opened(story)
    story.approve(action, by="new")

    def close() -> Grant:
        return story.desk.ctx.store.write(close_glass_unit("main", grant.id, by="ann"))

    close()
    assert code_of(close) == "grant_not_open"
    assert story.approve(action, by="carl").state is State.PENDING
    assert story.tags(action)[-1] == "action.reopened"
    assert story.refunded("O-5005") == 0


def test_what_was_approved_in_time_stands_after_it(story: Story) -> None:
    """D12: the second checker may come after the hour."""
    action = held(story, HUGE)
    opened(story)
    story.approve(action, by="new")
    story.later(HOUR)
    story.desk.work()
    assert story.approve(action, by="carl").state is State.SUCCEEDED


def test_it_lifts_no_number_of_checkers(story: Story) -> None:
    """D12: two are two."""
    action = held(story, HUGE)
    opened(story)
    assert story.approve(action, by="new").state is State.PENDING


def test_it_makes_no_maker_independent(story: Story) -> None:
    """D12: neither the owner who asks, nor what the owner has confirmed."""
    action = held(story)
    change(story, "boss", roles=())
    confirm(story, ask(story, "boss"))
    assert story.refused(action, by="boss") == "maker_is_checker"
    story.desk.person("olga", identity="otto", roles=("admin",))
    confirm(story, ask(story), by="olga")
    assert story.refused(action, by="new") == "not_entitled"


def test_it_lifts_no_limit(story: Story) -> None:
    """D12: who may pass nothing may pass nothing."""
    action = held(story)
    change(story, "new", limits={"USD": 100})
    opened(story)
    assert story.refused(action, by="new") == "not_entitled"


# who confirms | the code
CONFIRMERS = [("new", "role_missing"), ("ann", "role_missing"), ("bot", "not_entitled")]


@pytest.mark.parametrize(("by", "code"), CONFIRMERS)
def test_another_administrator_confirms(story: Story, by: str, code: str) -> None:
    """D12: not just anybody."""
    held(story)
    grant = ask(story)
    assert code_of(lambda: confirm(story, grant, by=by)) == code


@pytest.mark.parametrize("by", ["adam", "adam-2"])
def test_nobody_confirms_their_own(story: Story, by: str) -> None:
    """D12: breakglass used by the requester, on whichever account."""
    grant = ask(story, "adam")
    assert code_of(lambda: confirm(story, grant, by=by)) == "own_authority"


def test_what_is_asked_is_bounded(story: Story) -> None:
    """D12: a reason, at most an hour, one at a time, and confirmed within the hour."""
    held(story)

    def reasonless() -> object:
        return ask_glass_unit(story.desk.ctx, "main", person="new", reason=" ")

    assert code_of(reasonless) == "reason_missing"
    for span in (HOUR + 1, 0, MINUTE - 1):
        assert code_of(lambda: ask(story, span_ms=span)) == "field_malformed"  # noqa: B023
    assert code_of(lambda: ask(story, "nobody")) == "not_entitled"
    assert code_of(lambda: ask(story, "bot")) == "not_entitled"
    grant = ask(story)
    assert code_of(lambda: ask(story)) == "grant_not_open"
    story.later(HOUR)
    assert code_of(lambda: confirm(story, grant)) == "grant_not_open"
    story.desk.work()
    confirm(story, ask(story))
    missing = "bg_" + "0" * 32
    assert (
        code_of(lambda: story.desk.ctx.store.write(close_glass_unit("main", missing, by="ann")))
        == "grant_not_found"
    )
