"""A reviewer's attention: what is shown is looked at, who is at it, how much one person decides."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import msgspec
import pytest

from handrail.core.attention import DAY_MS, PRESENT_MS, STREAK_MIN, TAKEN_MS, Load, Look
from handrail.core.lifecycle import State
from handrail.core.policy import Attention, Limits, Policy
from handrail.core.principal import Principal
from handrail.core.proposal import Proposal
from handrail.core.review import Verdict
from handrail.engine.deciding.attention import (
    EACH_MS,
    MEASURED_MIN,
    Reviewer,
    crew_of,
    load_for,
    outlook,
)
from handrail.engine.deciding.review import Manner, Opinion, review_unit
from handrail.engine.showing.looks import (
    Presence,
    leave_unit,
    presence_of,
    prune_looks,
    seen_unit,
    shown_unit,
    take_unit,
)
from handrail.engine.showing.show import show
from handrail.engine.telling.notify import KEPT_MS
from handrail.policy.loader import digest_policy
from handrail.surfaces.embedded import Action
from tests.engine.stories import HOUR, HUGE, LARGE, MINUTE, SECOND, Story, code_of, pack
from tests.store.databases import PostgresDatabase


def ruled(**attention: int) -> Policy:
    """The pack with what a person may be asked of, and no limit on what is open."""
    policy = msgspec.structs.replace(
        pack(), attention=Attention(**attention), limits=Limits(), accumulation=None
    )
    return msgspec.structs.replace(policy, digest=digest_policy(policy))


@pytest.fixture
def story(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Story]:
    """A desk on which one may decide three an hour, and looks as long as it takes."""
    store = PostgresDatabase(tmp_path).address if request.param == "postgres" else None
    with Story(tmp_path, policy=ruled(per_hour=3), store=store) as opened:
        opened.desk.person("lead", roles=("admin",))
        yield opened


def person(story: Story, name: str) -> Principal:
    """Somebody on the desk."""
    found = story.desk.ctx.store.read(lambda tx: tx.people.get("main", name))
    assert found is not None
    return found


def look_at(story: Story, action: Action, by: str) -> Look | None:
    """Somebody is shown an action where handrail shows it."""
    ctx, who = story.desk.ctx, person(story, by)
    shown = show(ctx, "main", action.id, viewer=who)
    return ctx.store.write(shown_unit(ctx, shown, who))


def say(
    story: Story, action: Action, by: str, verdict: Verdict = Verdict.APPROVE, reason: str = ""
) -> Proposal:
    """Somebody decides where handrail shows it."""
    opinion = Opinion(person=by, verdict=verdict, statement=action.digest, reason=reason)
    ctx = story.desk.ctx
    return ctx.store.write(review_unit(ctx, "main", action.id, opinion, Manner(watched=True)))


def decide(story: Story, action: Action, by: str, *, after: int = MINUTE) -> Proposal:
    """Somebody is shown an action, looks at it for a while, and approves it."""
    look_at(story, action, by)
    story.later(after)
    return say(story, action, by)


def load(story: Story, name: str) -> Load:
    """What somebody has decided."""
    who = person(story, name)
    return story.desk.ctx.store.read(lambda tx: load_for(tx, who))


def here(story: Story, action: Action, by: str) -> Presence:
    """Who else is at an action."""
    row = story.row(action)
    found = story.desk.ctx.store.read(lambda tx: presence_of(tx, [row], by))
    return found.get(action.id, Presence())


def test_an_approval_takes_its_time(story: Story) -> None:
    """L7: not before it was shown, nor before the seconds are over; any other verdict at once."""
    action = story.refund("120.00 USD")
    assert code_of(lambda: say(story, action, "ann")) == "too_soon"
    look = look_at(story, action, "ann")
    assert look is not None
    assert 2 * SECOND < look.dwell_ms < 15 * SECOND
    story.later(look.dwell_ms - 1)
    assert code_of(lambda: say(story, action, "ann")) == "too_soon"
    # Shown again: that starts nothing anew. What one person was shown counts for nobody else.
    assert look_at(story, action, "ann") == msgspec.structs.replace(look, seen_at=story.clock.now)
    story.later(1)
    assert code_of(lambda: say(story, action, "bea")) == "too_soon"
    assert say(story, action, "ann").state is State.READY
    for verdict in (Verdict.REJECT, Verdict.REQUEST_CHANGES, Verdict.ESCALATE):
        other = story.refund("130.00 USD")
        say(story, other, "ann", verdict, "not like this")


def test_what_is_graded_higher_takes_longer(story: Story) -> None:
    """By what the policy says of it; with nothing to wait for it need not have been shown."""
    looks = [look_at(story, story.refund(amount), "ann") for amount in ("120.00 USD", LARGE)]
    times = [look.dwell_ms for look in looks if look is not None]
    assert times == sorted(times)
    assert times[0] < times[1]
    story.reopen(ruled(dwell_percent=0))
    assert say(story, story.refund("125.00 USD"), "ann").state is State.READY


def test_another_version_is_looked_at_anew(story: Story) -> None:
    """A look is at one statement: what was put to people anew has to be shown anew."""
    action = story.refund("120.00 USD")
    look = look_at(story, action, "ann")
    assert look is not None
    store = story.desk.ctx.store

    assert store.read(lambda tx: tx.looks.get("main", action.id, action.digest, "ann")) == look
    assert store.read(lambda tx: tx.looks.get("main", action.id, "another", "ann")) is None


def test_who_embeds_handrail_is_not_slowed(story: Story) -> None:
    """The embedding program shows things itself, and nothing is counted as looked at."""
    action = story.refund("120.00 USD")
    assert story.approve(action, by="ann").state is State.SUCCEEDED
    assert load(story, "ann") == Load()


def test_who_is_looking(story: Story) -> None:
    """For half a minute after the last sign of it, and longer while the page says so."""
    action = story.refund("120.00 USD")
    look_at(story, action, "ann")
    assert here(story, action, "ann") == Presence()
    assert here(story, action, "bea").looking == ("ann",)
    story.later(PRESENT_MS - 1)
    seen = seen_unit("main", action.id, person="ann", statement=action.digest)
    assert story.desk.ctx.store.write(seen) == Presence()
    story.later(PRESENT_MS - 1)
    assert here(story, action, "bea").looking == ("ann",)
    story.later(1)
    assert here(story, action, "bea") == Presence()
    say(story, action, "ann")
    assert story.desk.ctx.store.write(seen) is None
    wrong = seen_unit("main", action.id, person="ann", statement="0" * 64)
    assert story.desk.ctx.store.write(wrong) is None


def test_taking_an_action(story: Story) -> None:
    """It is said to others for ten minutes, keeps nobody from deciding, and is free by itself."""
    action = story.refund("120.00 USD")
    store, ann, bea = story.desk.ctx.store, person(story, "ann"), person(story, "bea")
    take = take_unit("main", action.id, person=ann)
    assert code_of(lambda: store.write(take)) == "stale_digest"
    look_at(story, action, "ann")
    look_at(story, action, "bea")
    until = store.write(take).taken_until
    assert until == story.clock.now + TAKEN_MS
    assert here(story, action, "bea").taken == ("ann", until)
    assert here(story, action, "ann").mine == until
    take_too = take_unit("main", action.id, person=bea)
    assert code_of(lambda: store.write(take_too)) == "taken_already"
    store.write(leave_unit("main", action.id, person=ann))
    assert here(story, action, "ann").mine is None
    store.write(take_too)
    assert code_of(lambda: store.write(take)) == "taken_already"
    story.later(TAKEN_MS)
    store.write(take)
    lead = take_unit("main", action.id, person=person(story, "lead"))
    assert code_of(lambda: store.write(lead)) == "not_entitled"
    assert say(story, action, "bea").state is State.READY
    assert code_of(lambda: store.write(take)) == "not_pending"
    nothing = take_unit("main", "hr_0", person=ann)
    assert code_of(lambda: store.write(nothing)) == "proposal_not_found"


def test_presence_tells_no_verdict(story: Story) -> None:
    """D10: of what two check, nobody is told who looks, and nobody takes it."""
    action = story.refund(HUGE, "O-5005")
    store = story.desk.ctx.store
    for name in ("carl", "cora"):
        look_at(story, action, name)
        assert here(story, action, name) == Presence()
        take = take_unit("main", action.id, person=person(story, name))
        assert code_of(partial(store.write, take)) == "checked_blind"
    story.later(MINUTE)
    say(story, action, "carl")
    look_at(story, action, "carl")
    seen = seen_unit("main", action.id, person="cora", statement=action.digest)
    assert store.write(seen) == here(story, action, "cora") == Presence()
    # Nor does the load that a lead sees, who might check as well, before both have decided.
    story.desk.person("lead", roles=("admin", "checker"), limits=("20000.00 USD",))
    lead = person(story, "lead")

    def loads() -> dict[str, int]:
        crew = store.read(lambda tx: crew_of(tx, lead))
        return {one.person.id: one.load.day for one in crew}

    assert loads()["carl"] == 0
    assert load(story, "carl").day == 1
    say(story, action, "cora")
    assert (loads()["carl"], loads()["cora"]) == (1, 1)


def test_a_spent_budget_leaves_g3_to_others(story: Story) -> None:
    """L8: after three in an hour; G2 still goes, and no is always said; others are not touched."""
    for amount in ("110.00 USD", "120.00 USD", "130.00 USD"):
        decide(story, story.refund(amount), "carl")
    large = story.refund(LARGE, "O-5005")
    look_at(story, large, "carl")
    look_at(story, large, "cora")
    story.later(MINUTE)
    assert code_of(lambda: say(story, large, "carl")) == "budget_spent"
    assert decide(story, story.refund("140.00 USD"), "carl").state is State.READY
    assert say(story, large, "cora").state is State.READY
    other = story.refund("2500.00 USD", "O-5005")
    assert say(story, other, "carl", Verdict.REJECT, "no").state is State.REJECTED
    story.later(HOUR)
    again = story.refund("2600.00 USD", "O-5005")
    assert decide(story, again, "carl").state is State.READY


def test_nobody_left_means_it_expires(story: Story) -> None:
    """L8: with every budget spent it waits, and then its time is over. It never runs."""
    for name in ("carl", "cora"):
        for amount in ("110.00 USD", "120.00 USD", "130.00 USD"):
            decide(story, story.refund(amount), name)
    large = story.refund(LARGE, "O-5005")
    for name in ("carl", "cora"):
        look_at(story, large, name)
    story.later(MINUTE)
    for name in ("carl", "cora"):
        assert code_of(lambda: say(story, large, name)) == "budget_spent"  # noqa: B023
    story.later(4 * HOUR)
    story.desk.work()
    assert story.desk.show(large.id, by="ann").card.proposal.state is State.EXPIRED


def test_a_load_is_of_a_natural_person(story: Story) -> None:
    """L8: two accounts of one person have one budget, and a new day starts with none of it."""
    story.desk.person(
        "carla", roles=("reviewer", "checker"), limits=("20000.00 USD",), identity="carl"
    )
    for name in ("carl", "carla"):
        decide(story, story.refund("120.00 USD"), name)
    assert load(story, "carl").day == load(story, "carla").day == 2
    story.later(DAY_MS)
    assert load(story, "carl").day == 0


def test_a_streak_is_told(story: Story) -> None:
    """L7: so many approvals as soon as they could be given."""
    story.reopen(ruled(dwell_percent=0))
    for cents in range(STREAK_MIN):
        assert load(story, "ann").streak == 0
        decide(story, story.refund(f"120.{cents:02} USD"), "ann", after=SECOND)
    assert load(story, "ann") == Load(
        hour=STREAK_MIN,
        day=STREAK_MIN,
        approved=STREAK_MIN,
        median_ms=SECOND,
        streak=STREAK_MIN,
        streak_ms=SECOND,
    )


def test_only_a_lead_sees_the_crew(story: Story) -> None:
    """How others spend their time is theirs, and for who plans the work."""
    decide(story, story.refund("120.00 USD"), "ann")
    store = story.desk.ctx.store

    def seen_by(name: str) -> list[Reviewer]:
        who = person(story, name)
        return store.read(lambda tx: crew_of(tx, who))

    for name in ("ann", "carl", "boss"):
        assert code_of(partial(seen_by, name)) == "role_missing"
    crew = seen_by("lead")
    assert crew[0].person.id == "ann"
    assert crew[0].load.day == 1
    assert {one.person.id for one in crew} == {"ann", "bea", "boss", "otto", "carl", "cora"}


def test_what_overflows(story: Story) -> None:
    """L2: by who was at work within the hour, else by the roster; by the median if there is one."""
    store = story.desk.ctx.store
    waiting = [story.refund(f"1{n}0.00 USD") for n in range(1, 4)]
    found = store.read(lambda tx: outlook(tx, "main"))
    # boss, otto, carl, cora, ann and bea; a lead decides nothing.
    assert (found.people, found.present, found.measured) == (6, False, False)
    assert (found.looked, found.missed, found.each_ms) == (3, 0, EACH_MS)
    story.desk.person("anna", roles=("reviewer",), identity="ann")
    look_at(story, waiting[0], "ann")
    look_at(story, waiting[0], "anna")
    look_at(story, waiting[0], "lead")
    found = store.read(lambda tx: outlook(tx, "main"))
    assert (found.people, found.present) == (1, True)
    story.reopen(ruled())
    store = story.desk.ctx.store
    story.later(4 * HOUR - 2 * MINUTE)
    look_at(story, waiting[0], "bea")
    found = store.read(lambda tx: outlook(tx, "main"))
    assert (found.people, found.missed) == (1, 1)
    assert found.first_at is not None
    assert found.first_at > story.clock.now
    for n in range(MEASURED_MIN):
        decide(story, story.refund(f"2{n}0.00 USD"), "bea", after=20 * SECOND)
    found = store.read(lambda tx: outlook(tx, "main"))
    assert (found.measured, found.each_ms) == (True, 20 * SECOND)


def test_looks_are_forgotten_a_month_after_the_end(story: Story) -> None:
    """What is decided keeps them for thirty days; what still waits keeps them."""
    ended, open_ = story.refund("120.00 USD"), story.refund("130.00 USD")
    for action in (ended, open_):
        look_at(story, action, "ann")
    say(story, ended, "ann", Verdict.REJECT, "no")
    ctx = story.desk.ctx

    def kept(action: Action) -> int:
        return len(ctx.store.read(lambda tx: tx.looks.of_action("main", action.id)))

    story.later(KEPT_MS - MINUTE)
    assert (prune_looks(ctx, "main"), kept(ended), kept(open_)) == (0, 1, 1)
    story.later(2 * MINUTE)
    assert (prune_looks(ctx, "main"), kept(ended), kept(open_)) == (1, 0, 1)
    assert prune_looks(ctx, "main") == 0
