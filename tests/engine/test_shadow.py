"""A candidate decides beside the active policy: what differs is noted, nothing acts on it."""

from __future__ import annotations

import msgspec

from handrail.core.action import ActionKind
from handrail.core.contrast import Leaning
from handrail.core.entry import Tag
from handrail.core.lifecycle import State
from handrail.core.policy import Control, Guard, Policy
from handrail.engine.base.context import Rulebook
from handrail.engine.governing.candidates import follow_candidates, start_unit, stop_unit
from handrail.engine.proposing.shadow import Shadowed, shadowed_by
from handrail.policy.loader import digest_policy
from handrail.store.sqlite import SqliteStore
from tests.engine.connectors import Front, effects_in
from tests.engine.stories import LARGE, MIDDLE, SECOND, SMALL, Story, code_of, pack

ALONE = Guard(control=Control.RUN_AND_LOG)


def runs_everything(policy: Policy) -> Policy:
    """The policy with every guard as loose as there is, and no sums."""
    kinds = {
        name: msgspec.structs.replace(rule, guard=ALONE, bands={})
        for name, rule in policy.kinds.items()
    }
    loose = msgspec.structs.replace(policy, name="loose", kinds=kinds, accumulation=None)
    return msgspec.structs.replace(loose, digest=digest_policy(loose))


def start(story: Story, policy: Policy, by: str = "operator") -> None:
    """Let it decide beside the active policy."""
    story.desk.ctx.store.write(start_unit(story.desk.ctx, story.desk.id, policy, by=by))
    follow_candidates(story.desk.ctx)


def stop(story: Story) -> None:
    """End it."""
    story.desk.ctx.store.write(stop_unit(story.desk.id, by="operator"))
    follow_candidates(story.desk.ctx)


def report(story: Story) -> Shadowed:
    """What was found so far."""
    return story.desk.ctx.store.read(shadowed_by(story.desk.id))


def test_nothing_acts_on_a_candidate_that_would_run_everything(
    fronted: Story, front: Front
) -> None:
    """N2: everything still waits, and not one effect is at the connector."""
    start(fronted, runs_everything(pack()))
    effects = effects_in(front.desk)
    actions = [fronted.refund(MIDDLE), fronted.refund(LARGE)]
    for _ in range(3):
        fronted.desk.work()
    assert [fronted.state(one) for one in actions] == [State.PENDING] * 2
    assert (front.calls, effects_in(front.desk)) == ([], effects)
    found = report(fronted)
    assert (found.count(Leaning.LOOSER), found.count(Leaning.TIGHTER), found.same) == (2, 0, 0)
    assert {one.proposal for one in found.examples} == {one.id for one in actions}
    (one,) = (one for one in found.examples if one.proposal == actions[0].id)
    assert (one.live_control, one.live_checkers) == ("approve", 0)
    assert (one.control, one.checkers) == ("run_and_log", 0)
    assert (one.live_reasons, one.reasons) == ("value_band", "kind_default")


def test_a_stricter_candidate_stops_nothing(story: Story) -> None:
    """What runs alone runs; the candidate would have asked, by the sum as well."""
    start(story, pack(('up_to: "50.00"', 'up_to: "20.00"')))
    assert story.refund(SMALL).state is State.SUCCEEDED
    assert story.refund(SMALL).state is State.SUCCEEDED
    found = report(story)
    assert (found.same, found.count(Leaning.TIGHTER), found.sums_apart) == (1, 1, False)
    (group,) = found.differing
    assert (group.kind, group.live_control, group.control) == (
        "refund.issue",
        "run_and_notify",
        "approve",
    )
    assert found.examples[0].reasons.split(",")[0] == "accumulated"


def test_sums_that_differ_are_left_out_on_both_sides(story: Story) -> None:
    """A candidate that adds up otherwise is compared without sums, and that is said."""
    start(story, pack(("  window: 30d\n  currency: USD", "  window: 10d\n  currency: USD")))
    story.refund("40.00 USD")
    assert story.refund("40.00 USD").state is State.PENDING
    found = report(story)
    assert (found.same, found.differing, found.sums_apart) == (2, (), True)


class Broken(Rulebook):
    """Rules that cannot be evaluated."""

    def kind(self, name: str) -> ActionKind | None:
        """An error."""
        raise RuntimeError("it cannot be evaluated")


def test_a_candidate_that_fails_disturbs_nothing(story: Story) -> None:
    """An error in it is counted; the live decision and its effect stand."""
    start(story, pack(("version: 1", "version: 2")))
    shadows, desk = story.desk.ctx.shadows, story.desk.id
    shadows[desk] = shadows[desk]._replace(rules=Broken(pack()))
    assert story.refund(SMALL).state is State.SUCCEEDED
    assert story.refund(MIDDLE).state is State.PENDING
    found = report(story)
    assert (found.failed, found.same, found.differing) == (2, 0, ())


def test_other_parameters_and_kinds_are_compared_as_far_as_they_go(story: Story) -> None:
    """A kind that it lacks is held by it; parameters that are none by it cannot be compared."""
    policy = pack(
        ('      ticket: {type: id, required: "no"}\n    value: amount', "    value: amount")
    )
    kinds = {name: rule for name, rule in policy.kinds.items() if name != "reply.draft"}
    smaller = msgspec.structs.replace(policy, kinds=kinds)
    start(story, msgspec.structs.replace(smaller, digest=digest_policy(smaller)))
    task = story.task()
    story.desk.propose(task, "reply.draft", {"ticket": "T-103", "body": "Hi."})
    fields = {"order": "O-5003", "amount": SMALL, "reason": "late", "ticket": "T-103"}
    story.desk.propose(task, "refund.issue", fields)
    story.desk.propose(task, "no.such.kind", {})
    found = report(story)
    assert (found.failed, found.unread, found.count(Leaning.TIGHTER)) == (1, 1, 1)
    assert found.differing[0].kind == "reply.draft"


def test_it_lasts_over_a_restart_until_it_is_stopped(story: Story) -> None:
    """Started, replaced and stopped are entries; a replaced one decides nothing any more."""
    start(story, runs_everything(pack()))
    first = report(story).candidate
    story.reopen()
    story.refund(MIDDLE)
    assert report(story).count(Leaning.LOOSER) == 1
    story.later(SECOND)
    start(story, pack(("version: 1", "version: 2")))
    assert report(story).candidate.id != first.id
    story.refund(MIDDLE)
    assert report(story).same == 1
    story.later(SECOND)
    stop(story)
    assert story.desk.ctx.shadows == {}
    story.refund(SMALL, "O-5001")
    assert report(story).same == 1
    entries = story.desk.ctx.store.read(lambda tx: tx.log.latest(story.desk.id, before=99, most=99))
    tags = [one.entry.tag for one in entries if one.entry.tag.startswith("shadow.")]
    assert sorted(tags) == sorted([Tag.SHADOW_STARTED.value, Tag.SHADOW_STOPPED.value] * 2)
    assert code_of(lambda: stop(story)) == "shadow_not_found"


def test_only_who_owns_policies_starts_one(story: Story) -> None:
    """A reviewer does not; what cannot be written changes nothing in memory."""
    assert code_of(lambda: start(story, pack(), by="ann")) == "role_missing"
    assert code_of(lambda: start(story, pack(), by="bot")) == "role_missing"
    assert code_of(lambda: report(story)) == "shadow_not_found"
    story.desk.person("polly", roles=("policy_owner",))
    start(story, pack(), by="polly")
    assert report(story).candidate.started_by == "polly"


def test_without_a_candidate_no_statement_is_sent_for_it(story: Story) -> None:
    """On the way of an action nothing is read or written unless there is one."""
    store = story.desk.ctx.store
    assert isinstance(store, SqliteStore)
    sent: list[str] = []

    def trace(_: object, sql: str, __: object) -> bool:
        sent.append(sql)
        return True

    store.connection.exec_trace = trace
    story.refund(SMALL)
    store.connection.exec_trace = None
    assert sent
    assert not [sql for sql in sent if "candidate" in sql or "contrast" in sql]
