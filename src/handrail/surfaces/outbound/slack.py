"""A message to a Slack incoming webhook: the literal text as plain text, or a link.

Nothing is written in Slack's markup, so that no text of a customer or an agent becomes a link, a
mention or a format. A text that is too long, or that hides something, is not shown cut or changed.
"""

from __future__ import annotations

from typing import Final

from handrail.core.canonical import canonical
from handrail.engine.telling.deliver import Item, Parcel
from handrail.surfaces.outbound.egress import NotSent, post
from handrail.surfaces.outbound.words import (
    CANNOT_BE_SHOWN,
    SENTENCES,
    link_of,
    shows_literally,
    subject_of,
)

__all__ = ["message_of", "send_slack"]

SECTION_CHARS_MAX: Final = 2_900
"""A section of Slack's holds 3,000."""
BLOCKS_MAX: Final = 48
"""A message of Slack's holds 50 blocks."""


def send_slack(mail: Parcel, now: int) -> None:
    """Send it. Raises NotSent unless the answer is a success."""
    headers = {"content-type": "application/json"}
    status = post(
        mail.secrets.url, canonical(message_of(mail)), headers, inside=mail.channel.inside
    )
    if not 200 <= status < 300:
        raise NotSent(f"it answered {status}")


def message_of(mail: Parcel) -> dict[str, object]:
    """The message in Slack's Block Kit: what cannot be shown exactly is a link."""
    blocks: list[dict[str, object]] = []
    for item in mail.items:
        blocks += _blocks(mail, item)
    if mail.more or len(blocks) > BLOCKS_MAX:
        blocks = [*blocks[: BLOCKS_MAX - 1], _section("There is more in the console.")]
    return {"text": _escaped(subject_of(mail)), "blocks": blocks}


def _blocks(mail: Parcel, item: Item) -> list[dict[str, object]]:
    found = [_section(f"{SENTENCES[item.topic]} {link_of(mail, item)}")]
    if not item.lines:
        return found
    text = "\n".join(f"{line.label}: {line.text}" for line in item.lines)
    fits = len(_escaped(text)) <= SECTION_CHARS_MAX and shows_literally(item)
    return [*found, _section(text if fits else CANNOT_BE_SHOWN)]


def _section(text: str) -> dict[str, object]:
    plain = {"type": "plain_text", "text": _escaped(text), "emoji": False}
    return {"type": "section", "text": plain}


def _escaped(text: str) -> str:
    """Slack asks for these three everywhere, and shows them as they were."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
