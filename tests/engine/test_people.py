"""Changing people and agents: at once, logged, and never to reach a quorum."""

from __future__ import annotations

from typing import Any

import pytest

from handrail.core.entry import decode_entry
from handrail.core.escalation import Cause
from handrail.core.lifecycle import State
from handrail.core.principal import PrincipalKind, Role
from handrail.engine.access.people import Changes, add_principal_unit, change_principal_unit
from handrail.errors import HandrailError
from handrail.surfaces.embedded import Action
from tests.engine.stories import HOUR, HUGE, LARGE, MIDDLE, MINUTE, Story, code_of, pack


def change(story: Story, id: str, *, by: str = "operator", **changes: Any) -> None:
    """Change a person or an agent."""
    ctx = story.desk.ctx
    unit = change_principal_unit(ctx, story.desk.id, id, Changes(**changes), actor=by)
    ctx.store.write(unit)


def entries(story: Story, tag: str) -> list[dict[str, Any]]:
    """The data of every entry with a tag."""
    leaves = story.desk.ctx.store.read(lambda tx: [row[3] for row in tx.log.scan("main")])
    return [one.data for one in map(decode_entry, leaves) if one.tag == tag]


def approved_and_waiting(story: Story) -> Action:
    """A large refund that carl approved and that has not run: its cap is full for ten minutes."""
    story.reopen(pack(("money: 20000.00 USD, window: 24h", "money: 2450.00 USD, window: 10m")))
    story.approve(story.refund(MIDDLE))
    action = story.approve(story.refund(LARGE, "O-5005"), by="carl")
    assert action.state is State.READY
    return action


# what happens to carl, who had approved | whether it still runs once there is room
VOIDED: list[tuple[str, dict[str, Any], bool]] = [
    ("nothing", {}, True),
    ("another name", {"name": "Carl B"}, True),
    ("disabled", {"disabled": True}, False),
    ("no longer a checker", {"roles": (Role.REVIEWER,)}, False),
    ("a lower limit", {"limits": {"USD": 239_999}}, False),
    ("the same limit, said anew", {"limits": {"USD": 2_000_000}}, True),
    ("found to be the owner", {"identity": "boss"}, False),
    ("found to be the customer", {"customers": ("C-1004",)}, False),
]


@pytest.mark.parametrize(
    ("changes", "runs"), [row[1:] for row in VOIDED], ids=[r[0] for r in VOIDED]
)
def test_an_approval_is_void_when_its_person_could_not_give_it_any_more(
    story: Story, changes: dict[str, Any], runs: bool
) -> None:
    """F4, D7: roles, limits and independence are looked at again when it is about to run."""
    action = approved_and_waiting(story)
    customer = story.desk.show(action.id, by="ann").card.customer
    if "customers" in changes:
        changes = {"customers": (customer,)}
    change(story, "carl", **changes)
    before = story.refunded("O-5005")
    _room(story)
    assert story.state(action) is (State.SUCCEEDED if runs else State.PENDING)
    assert story.refunded("O-5005") == before + (240_000 if runs else 0)
    if not runs:
        shown = story.desk.show(action.id, by="ann")
        assert shown.entries[-1].entry.data["why"] == "approval_void"
        assert shown.reasons[0].text == "it was allowed by somebody who may no longer allow it"
        again = story.desk.get(action.id)
        assert story.refused(action, by="cora") == "stale_digest"
        assert story.approve(again, by="cora").state is State.SUCCEEDED


def _room(story: Story) -> None:
    """There is room under the cap again, and the time to run is not over."""
    story.later(11 * MINUTE)
    story.desk.work()


def test_a_role_taken_away_and_given_back_is_a_new_role(story: Story) -> None:
    """D7: changed back before anybody looks, it is still newer than the action."""
    action = approved_and_waiting(story)
    story.later(1)
    change(story, "carl", roles=(Role.REVIEWER,))
    change(story, "carl", roles=(Role.REVIEWER, Role.CHECKER))
    _room(story)
    assert story.state(action) is State.PENDING
    assert story.refused(story.desk.get(action.id), by="carl") == "not_seasoned"


def test_one_of_two_is_not_enough_any_more(story: Story) -> None:
    """D8: a quorum never degrades to those who are left."""
    action = story.refund(HUGE, "O-5005")
    story.approve(action, by="carl")
    change(story, "carl", disabled=True)
    assert story.approve(action, by="cora").state is State.PENDING
    again = story.desk.get(action.id)
    assert story.approve(again, by="cora").state is State.PENDING
    assert action.id in story.open_escalations()
    assert story.refunded("O-5005") == 0


def test_nobody_is_added_to_a_quorum_after_the_fact(story: Story) -> None:
    """D7: a checker who was made one after the action was proposed does not check it."""
    action = story.refund(LARGE, "O-5005")
    story.later(1)
    story.desk.person("late", roles=("checker",), limits=("9000.00 USD",))
    assert story.refused(action, by="late") == "not_seasoned"
    change(story, "ann", roles=(Role.REVIEWER, Role.CHECKER), limits={"USD": 900_000})
    assert story.refused(action, by="ann") == "not_seasoned"
    assert story.approve(story.refund(LARGE, "O-5005"), by="late").state is State.SUCCEEDED


def test_a_policy_can_ask_for_older_roles(story: Story) -> None:
    """D7: with a day of seasoning, yesterday's checker does not check yet."""
    story.reopen(pack(("  task: 8h", "  task: 8h\n  seasoning: 24h")))
    story.later(23 * HOUR)
    action = story.refund(LARGE, "O-5005")
    assert story.refused(action, by="carl") == "not_seasoned"
    story.later(HOUR)
    assert story.approve(story.refund(LARGE, "O-5005"), by="carl").state is State.SUCCEEDED


def test_an_owner_who_is_replaced_stays_the_maker_of_what_there_was(story: Story) -> None:
    """D1, D7: handing an agent over does not open its waiting actions to whoever had it."""
    story.desk.person("heir", roles=("checker",), limits=("9000.00 USD",))
    action = story.refund(LARGE, "O-5005")
    story.later(1)
    change(story, "bot", owner="heir")
    assert story.refused(action, by="boss") == "maker_is_checker"
    assert story.refused(action, by="heir") == "maker_is_checker"
    story.later(1)
    later = story.refund(LARGE, "O-5005")
    assert story.approve(later, by="boss").state is State.SUCCEEDED


def test_whom_an_agent_acts_for_answers_for_it(story: Story) -> None:
    """D4: along the whole chain of agents, to the people at its end."""
    story.desk.agent("inner", owner="cora", delegator="bot")
    task = story.desk.task(ticket="T-104", agent="inner")
    fields = {"order": "O-5005", "amount": LARGE, "reason": "damaged"}
    action = story.desk.propose(task, "refund.issue", fields)
    for name in ("boss", "otto", "cora"):
        assert story.refused(action, by=name) == "maker_is_checker"
    assert story.approve(action, by="carl").state is State.SUCCEEDED


def test_no_circle_of_agents_is_made(story: Story) -> None:
    """D4: A for B and B for A is refused, and leaves everything as it was."""
    story.desk.agent("a", delegator="bot")
    story.desk.agent("b", delegator="a")
    assert code_of(lambda: change(story, "bot", delegator="b")) == "delegation_cycle"
    assert code_of(lambda: change(story, "bot", delegator="bot")) == "delegation_cycle"
    assert code_of(lambda: story.desk.agent("c", delegator="c")) == "delegation_cycle"
    change(story, "bot", delegator="carl")
    assert story.refused(story.refund(LARGE, "O-5005"), by="carl") == "maker_is_checker"


def test_one_address_is_one_person(story: Story) -> None:
    """D2: a second account with the owner's address is the owner, however it is written."""
    change(story, "boss", mail="Boss@Example.com")
    for name, mail in (("b2", " boss@example.COM "), ("b3", "other@example.com")):
        story.desk.person(name, roles=("checker",), limits=("9000.00 USD",), mail=mail)
    action = story.refund(LARGE, "O-5005")
    assert story.refused(action, by="b2") == "maker_is_checker"
    assert story.approve(action, by="b3").state is State.SUCCEEDED


def test_nobody_decides_about_their_own_account(story: Story) -> None:
    """D5: by the account that they say is theirs, on any account of theirs, and by the address."""
    story.desk.person("nina", customers=("C-1003",))
    story.desk.person("nina-2", identity="nina")
    story.desk.person("priya", mail="priya.raman@example.com")
    action = story.refund(MIDDLE)
    assert story.refused(action, by="nina") == "beneficiary_conflict"
    assert story.refused(action, by="nina-2") == "beneficiary_conflict"
    shown = story.desk.show(action.id, by="nina")
    assert shown.why_not == "this action touches your own account; someone else decides"
    fields = {"ticket": "T-103", "body": "Hello"}
    reply = story.desk.propose(story.task("T-103"), "reply.send", fields)
    assert story.refused(reply, by="priya") == "beneficiary_conflict"
    change(story, "nina", customers=())
    assert story.refused(action, by="nina") == "beneficiary_conflict"
    no = story.desk.review(action.id, "reject", by="nina", digest=action.digest, reason="mine")
    assert no.state is State.REJECTED


# who | the change | the code, or none
WIDENING: list[tuple[str, str, dict[str, Any], str | None]] = [
    ("a limit of one's own", "adam", {"limits": {"USD": 1}}, "own_authority"),
    ("a role of one's own", "adam", {"roles": (Role.ADMIN, Role.CHECKER)}, "own_authority"),
    ("on a second account", "adam-2", {"roles": (Role.CHECKER,)}, "own_authority"),
    ("out of one's own agent", "adambot", {"owner": "carl"}, "own_authority"),
    ("an account becomes one's own", "ann", {"identity": "adam"}, "own_authority"),
    ("less of one's own", "adam", {"roles": ()}, None),
    ("somebody else's role", "ann", {"roles": (Role.CHECKER,)}, None),
    ("somebody else's agent", "bot", {"owner": "carl"}, None),
]


@pytest.mark.parametrize(
    ("who", "changes", "code"), [row[1:] for row in WIDENING], ids=[row[0] for row in WIDENING]
)
def test_nobody_widens_what_they_may_do_themselves(
    story: Story, who: str, changes: dict[str, Any], code: str | None
) -> None:
    """D7: not even an administrator, on whichever account; and it is all in the log."""
    story.desk.person("adam", roles=("admin",))
    story.desk.person("adam-2", identity="adam", roles=("reviewer",))
    story.desk.agent("adambot", owner="adam")
    if code is not None:
        assert code_of(lambda: change(story, who, by="adam", **changes)) == code
        assert entries(story, "principal.changed") == []
    else:
        change(story, who, by="adam", **changes)
        said = entries(story, "principal.changed")
        assert [one["principal"] for one in said] == [who]
    assert code_of(lambda: change(story, "bea", by="ann", name="B")) == "role_missing"
    assert code_of(lambda: change(story, "nobody", name="B")) == "principal_not_found"


def test_a_change_that_changes_nothing_is_no_entry(story: Story) -> None:
    """Said twice, it is logged once; and a disabled person is out at once."""
    change(story, "ann", name="Ann")
    change(story, "ann", name="Ann")
    assert len(entries(story, "principal.changed")) == 1
    change(story, "ann", disabled=True)
    assert story.refused(story.refund(MIDDLE), by="ann") == "not_entitled"


@pytest.mark.parametrize(
    "names", [{"id": "sub_1"}, {"id": "x", "identity": "mail:1"}, {"id": "x", "mail": "nobody"}]
)
def test_no_name_passes_for_something_else(story: Story, names: dict[str, Any]) -> None:
    """A name like a customer's reference or a hashed address would connect the wrong people."""
    unit = add_principal_unit("main", kind=PrincipalKind.PERSON, actor="operator", **names)
    assert code_of(lambda: story.desk.ctx.store.write(unit)) == "field_malformed"


def test_a_service_stops_and_never_passes(story: Story) -> None:
    """D13: a machine that reviews may say no; its yes is none."""
    unit = add_principal_unit(
        "main", "model", kind=PrincipalKind.SERVICE, actor="operator", roles=(Role.CHECKER,)
    )
    story.desk.ctx.store.write(unit)
    action = story.refund(MIDDLE)
    assert story.refused(action, by="model") == "not_entitled"
    no = story.desk.review(action.id, "reject", by="model", digest=action.digest, reason="odd")
    assert no.state is State.REJECTED


def test_an_approval_written_by_hand_runs_nothing(story: Story) -> None:
    """D11: a review put in by SQL, which the log does not know: nothing runs, people are told."""
    action = story.refund(MIDDLE)
    store = story.desk.ctx.store
    row = story.row(action)

    def forge(tx: Any) -> None:
        rows = tx.proposals._rows
        rows.change(
            "INSERT INTO review (desk, proposal, n, person, identity, verdict, statement, at)"
            " VALUES ('main', ?, 1, 'bea', 'bea', 'approve', ?, ?)",
            (action.id, row.statement, tx.now),
        )

    store.write(forge)
    with pytest.raises(HandrailError) as broken:
        story.approve(action, by="ann")
    assert broken.value.code == "tampered"
    assert story.refunded() == 0
    told = store.read(lambda tx: tx.escalations.open("main", most=9))
    assert [(one.cause, one.proposal) for one in told] == [(Cause.TAMPERED, action.id)]
    store.write(lambda tx: tx.proposals._rows.change("DROP TRIGGER review_stays"))
    store.write(lambda tx: tx.proposals._rows.change("DELETE FROM review"))
