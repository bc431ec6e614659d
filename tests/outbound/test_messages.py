"""What a message may look like, whatever the text in it: tables over hand-made messages."""

from __future__ import annotations

from typing import Any, Final

import msgspec
import pytest

from handrail.core.artifact import Line
from handrail.core.notice import Carries, Channel, ChannelKind, Letter, Topic
from handrail.engine.telling.channels import ChannelSecrets
from handrail.engine.telling.deliver import Item, Parcel
from handrail.surfaces.outbound import mail as mail_module
from handrail.surfaces.outbound import slack
from handrail.surfaces.outbound.words import CANNOT_BE_SHOWN

LITERAL: Final = [
    "Hello.",
    "a <b> & c",
    "Gr\u00fc\u00dfe\nin two lines",
    "<!channel> <@U1>",
    "*x*_y_",
]
NOT_LITERAL: Final = [
    "pay \u202e123\u202c now",
    "in\u200bvisible",
    "p\u0430ypal.example",
    "soft\u00adhyphen",
    "tag\U000e0041",
    "bell\x07",
]
LONG: Final = "word " * 20_000


def message(*texts: str, kind: ChannelKind = ChannelKind.SLACK, more: int = 0) -> Parcel:
    """A message about an action for each text."""
    channel = Channel(
        desk="main",
        id="ch_1",
        kind=kind,
        label="ours",
        host="hooks.example.com",
        port=443,
        console="https://desk.example.com",
        carries=Carries.TEXT,
        topics=("waiting",),
        pause_ms=60_000,
        made_at=0,
        made_by="root",
    )
    items = tuple(
        Item(topic=Topic.WAITING, path=f"/actions/hr_{n}", lines=(Line(label="Text", text=text),))
        for n, text in enumerate(texts)
    )
    letter = Letter(desk="main", id="nl_1", channel="ch_1", person="", made_at=0)
    secrets = ChannelSecrets(sender="desk@example.com")
    return Parcel(letter=letter, channel=channel, secrets=secrets, items=items, more=more)


def sections(found: dict[str, Any]) -> list[str]:
    """The texts of a Slack message, as Slack shows them."""
    shown = []
    for block in found["blocks"]:
        assert set(block) == {"type", "text"}
        assert block["text"]["type"] == "plain_text"
        assert block["text"]["emoji"] is False
        text = block["text"]["text"]
        for mark, char in (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
            text = text.replace(mark, char)
        shown.append(text)
    return shown


@pytest.mark.parametrize("text", LITERAL)
def test_slack_shows_what_can_be_shown(text: str) -> None:
    """E5: the exact text, in no markup."""
    _, shown = sections(slack.message_of(message(text)))
    assert shown == f"Text: {text}"


@pytest.mark.parametrize("text", [*NOT_LITERAL, LONG])
def test_slack_refuses_what_cannot(text: str) -> None:
    """B1, L5: what hides, misleads or does not fit is a link; no part of it leaves."""
    found = slack.message_of(message(text))
    first, refusal = sections(found)
    assert first.endswith("https://desk.example.com/actions/hr_0")
    assert refusal == CANNOT_BE_SHOWN
    assert text[:8] not in msgspec.json.encode(found).decode()


def test_slack_stays_within_its_bounds() -> None:
    """At most fifty blocks of at most 3,000 characters, and it says that there is more."""
    found = slack.message_of(message(*["&" * 500] * 40, more=9))
    blocks = found["blocks"]
    assert isinstance(blocks, list)
    assert len(blocks) <= 50
    assert max(len(block["text"]["text"]) for block in blocks) <= 3_000
    assert sections(found)[-1] == "There is more in the console."


@pytest.mark.parametrize("text", [*LITERAL, "\r\nBcc: x@example.com\r\n\r\nbody", "a: b\nc: d"])
def test_mail_shows_what_can_be_shown(text: str) -> None:
    """E5: plain text; nothing in it becomes a header or another part."""
    found = mail_module.message_of(message(text), "dana@example.com", 0)
    assert found.get_content_type() == "text/plain"
    assert found["Bcc"] is None
    assert found["To"] == "dana@example.com"
    shown = found.get_content()
    if "\r" not in text:
        assert f"Text: {text}" in shown
    else:
        assert CANNOT_BE_SHOWN in shown or "Bcc: x@example.com" in shown


@pytest.mark.parametrize("text", [*NOT_LITERAL, LONG])
def test_mail_refuses_what_cannot(text: str) -> None:
    """B1, L5: the same for mail."""
    shown = mail_module.message_of(message(text), "dana@example.com", 0).get_content()
    assert CANNOT_BE_SHOWN in shown
    assert text[:8] not in shown


def test_one_line_for_many() -> None:
    """The subject names the first, and how many more."""
    found = mail_module.message_of(message("a", "b", more=3), "dana@example.com", 0)
    assert found["Subject"] == "handrail (main): An action waits for a decision. And 4 more."
    assert "And 3 more in the console." in found.get_content()
