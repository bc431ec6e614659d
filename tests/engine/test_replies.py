"""Replies: what is found in them, who is asked, what they are shown; and what goes out alone."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import apsw
import pytest

from handrail.core.decide import ReasonCode
from handrail.core.lifecycle import State
from handrail.core.policy import Control, Policy
from handrail.core.triggers.span import SPANS_MAX, Trigger
from handrail.engine.base.outgoing import Place
from handrail.surfaces.embedded import Action
from tests.engine.stories import MINUTE, Story, pack

PLAIN: Final = (
    "Dear Dana,\n\nplease send a picture of the mug and of its box.\n\nKind regards\nThe shop"
)
"""Nothing is found in it."""

# By trigger: a reply to Dana Whitfield (O-5001, 54.90 USD) in which it is found.
FINDS: Final[dict[Trigger, str]] = {
    Trigger.MONEY: "Dear Dana, the mug was 54.90 USD.",
    Trigger.CONTRADICTION: "Dear Dana, the mug was 18.00 USD.",
    Trigger.DATE: "Dear Dana, please write again by Friday.",
    Trigger.PROMISE: "Dear Dana, we will look at it.",
    Trigger.LINK: "Dear Dana, please look at https://carrier.test/track",
    Trigger.DISGUISED_LINK: "Dear Dana, see [shop.example.com](https://evil.test/).",
    Trigger.CARD: "Dear Dana, it went to 4242 4242 4242 4242.",
    Trigger.IBAN: "Dear Dana, it went to DE89 3704 0044 0532 0130 00.",
    Trigger.PHONE: "Dear Dana, please call +44 20 7946 0958.",
    Trigger.EMAIL: "Dear Dana, please write to bob@evil.test.",
    Trigger.OTHER_CUSTOMER: "Dear Dana, the order O-5003 is at the carrier.",
    Trigger.WRONG_NAME: "Dear Maria, please send a picture.",
    Trigger.INTERNAL_NOTE: "Dear Dana, thank you.\n[internal note] he asks often",
    Trigger.HIDDEN: "Dear Dana, please write to p\u0430ypal.",
    Trigger.PLACEHOLDER: "Dear Dana, your parcel is at {{carrier.name}}.",
    Trigger.OTHER_LANGUAGE: "Ihre Tasse ist gestern leider zerbrochen bei Ihnen angekommen, Dana.",
}


@pytest.fixture
def recall(tmp_path: Path) -> Iterator[Story]:
    """A desk under the pack that sends plain replies by itself, after a while."""
    with Story(tmp_path / "desk", policy="support-desk-recall") as told:
        yield told
        told.check()


def reply(story: Story, body: str, ticket: str = "T-101") -> Action:
    """The agent proposes a reply."""
    return story.desk.propose(story.task(ticket), "reply.send", {"ticket": ticket, "body": body})


def text_file(name: str, said: str) -> dict[str, str]:
    """An attachment of plain text."""
    content = base64.b64encode(said.encode()).decode()
    return {"name": name, "type": "text/plain", "content": content}


def places(story: Story, action: Action) -> tuple[Place, ...]:
    """What a reviewer sees marked."""
    return story.desk.show(action.id, by="ann").found


def test_a_plain_reply_goes_out_by_itself(recall: Story) -> None:
    """Nobody is asked; for two minutes it can be recalled, and then it is sent, once."""
    action = reply(recall, PLAIN)
    assert (action.state, action.control) == (State.HOLDING, Control.HOLD_AND_RECALL)
    assert recall.row(action).reasons.split(",")[0] == ReasonCode.CLEARED.value
    assert recall.desk.queue() == []
    assert places(recall, action) == ()
    recall.later(2 * MINUTE)
    recall.desk.work()
    assert recall.state(action) is State.SUCCEEDED
    assert [mail.body for mail in recall.world.mailbox()] == [PLAIN]


@pytest.mark.parametrize("trigger", FINDS, ids=lambda trigger: trigger.value)
def test_a_find_waits_for_a_person(recall: Story, trigger: Trigger) -> None:
    """B1, B2, B3, B5, B7, B8, B13, B14, A4, C12: each trigger asks a person, who sees the place."""
    body = FINDS[trigger]
    action = reply(recall, body)
    assert action.state is State.PENDING
    found = [one for one in places(recall, action) if one.trigger is trigger]
    assert found
    for one in found:
        assert one.param == "body"
        assert body[one.start : one.end] == one.text
        assert one.what
    recall.later(2 * MINUTE)
    recall.desk.work()
    assert recall.world.mailbox() == []


def test_what_a_text_file_says_counts_too(recall: Story) -> None:
    """B3: in a file too each trigger is found, with its place, and a person is asked."""
    for n, (trigger, said) in enumerate(FINDS.items()):
        params = {"ticket": "T-101", "body": PLAIN, "attachments": [text_file(f"{n}.txt", said)]}
        action = recall.desk.propose(recall.task("T-101"), "reply.send", params)
        assert action.state is State.PENDING, trigger
        found = [one for one in places(recall, action) if one.trigger is trigger]
        assert {one.param for one in found} == {"attachments[0]"}, trigger
        assert all(said[one.start : one.end] == one.text for one in found)


def test_files_keep_a_bounded_number_of_finds(recall: Story) -> None:
    """However many files say it, of each trigger as many places are kept as in one text."""
    said = "\n".join(f"write to a{n}@evil.test" for n in range(1, 151))
    files = [text_file("a.txt", said), text_file("b.txt", said.replace("evil", "bad"))]
    params = {"ticket": "T-101", "body": PLAIN, "attachments": files}
    action = recall.desk.propose(recall.task("T-101"), "reply.send", params)
    found = [one.param for one in places(recall, action) if one.trigger is Trigger.EMAIL]
    assert (found.count("attachments[0]"), found.count("attachments[1]")) == (150, SPANS_MAX - 150)


def test_every_trigger_has_a_story() -> None:
    """None is left out, but for the one that is about the agent's note."""
    assert set(FINDS) == set(Trigger) - {Trigger.PRESSURE}


def test_what_is_their_own_is_no_find(recall: Story) -> None:
    """Their order, their address, and the desk's own pages."""
    body = (
        "Dear Dana Whitfield,\n\nO-5001 is at the carrier. It is under"
        " https://shop.example.com/orders and was told to dana.whitfield@example.com."
    )
    assert reply(recall, body).state is State.HOLDING


def test_a_doubt_waits_for_a_person_as_ever(recall: Story) -> None:
    """B13: the same name, but an address that is not on file: said in red, and no clearance."""
    action = reply(recall, "Dear Layla,\n\nplease send a picture.", "T-112")
    assert action.state is State.PENDING
    codes = recall.row(action).reasons.split(",")
    assert ReasonCode.FACTS_CONTRADICT.value in codes
    shown = recall.desk.show(action.id, by="ann")
    assert any("layla@haddad.test" in (fact.against or "") for fact in shown.facts)
    assert any(line.text == "layla@haddad.test" for line in shown.lines)


def test_a_promise_behind_twenty_screens_is_lifted_out(recall: Story) -> None:
    """B9: the reviewer sees it with its place, however long the message is."""
    filler = "Please hold the button for a moment and look at the light.\n" * 400
    action = reply(recall, f"Dear Dana,\n{filler}P.S. we will refund 500.00 USD")
    shown = [(one.trigger, one.text) for one in places(recall, action)]
    assert shown == [
        (Trigger.PROMISE, "we will"),
        (Trigger.CONTRADICTION, "500.00 USD"),
        (Trigger.MONEY, "500.00 USD"),
    ]


def test_what_became_a_find_meanwhile_is_not_sent(recall: Story) -> None:
    """While it is held back the customer's order goes to somebody else: asked again, not sent."""
    action = reply(recall, "Dear Dana, please look at order O-5001.")
    assert action.state is State.HOLDING
    with apsw.Connection(str(recall.folder / "desk.db")) as db:
        db.execute("UPDATE orders SET customer = 'C-1002' WHERE id = 'O-5001'")
    recall.later(2 * MINUTE)
    recall.desk.work()
    assert recall.state(action) is State.PENDING
    assert recall.world.mailbox() == []


def test_a_thousand_harmless_replies_with_promises(recall: Story) -> None:
    """C12: each promise is counted in its own reply, and none goes out alone."""
    action = reply(recall, "Dear Dana, we will call, you will receive it, I guarantee it.")
    assert sum(one.trigger is Trigger.PROMISE for one in places(recall, action)) == 3


TOOL: Final = """
  invoice.send:
    title: Send an invoice
    connector: agent
    runs_in: agent
    axes: {reversibility: 2, blast_radius: 1, stakes: 2}
    catchable: "yes"
    params: {text: {type: text}, amount: {type: money}}
    value: amount
    checks:
      same_amount:
        require: found.contradiction == 0
        otherwise: refuse
        reviewer: The text says another amount than the action.
    control: approve
"""


def with_tool() -> Policy:
    """The pack with a kind that has a text and an amount."""
    return pack(("kinds:\n  # Reading", f"kinds:{TOOL}\n  # Reading"))


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("please pay $5,000.00", State.PENDING),
        ("please pay 5.000,00 USD", State.PENDING),
        ("please pay $50", State.REFUSED),
        ("please pay 50.00", State.REFUSED),
        ("please pay fifty dollars", State.REFUSED),
    ],
)
def test_the_text_says_another_amount(tmp_path: Path, text: str, state: State) -> None:
    """B7, B8: a figure in the text that is not the parameter's amount fails the policy's check."""
    with Story(tmp_path / "desk", policy=with_tool()) as story:
        fields = {"text": text, "amount": "5000.00 USD"}
        action = story.desk.propose(story.task(), "invoice.send", fields)
        assert action.state is state
        story.check()


def test_the_note_is_marked_too(story: Story) -> None:
    """B10, L5: what presses a reviewer in the agent's note is marked, and stays apart."""
    note = "URGENT: already approved by the manager, no need to check"
    params = {"ticket": "T-101", "body": PLAIN}
    action = story.desk.propose(story.task("T-101"), "reply.send", params, note=note)
    shown = story.desk.show(action.id, by="ann")
    assert [note[one.start : one.end] for one in shown.pressure] == [
        "URGENT",
        "already approved",
        "no need to check",
    ]
    assert shown.found == ()


def test_what_is_shown_is_what_is_signed(story: Story) -> None:
    """The marks are part of what a review binds, and the usual pack shows them as well."""
    action = reply(story, FINDS[Trigger.WRONG_NAME])
    assert action.state is State.PENDING
    assert [one.text for one in places(story, action)] == ["Maria"]
    assert story.approve(action).state is State.SUCCEEDED
