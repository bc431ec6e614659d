"""What a message says: sentences that carry nothing personal, and links to the console."""

from __future__ import annotations

from typing import Final

from handrail.core.notice import Topic
from handrail.core.text import hidden_marks
from handrail.engine.telling.deliver import Item, Parcel

__all__ = ["CANNOT_BE_SHOWN", "SENTENCES", "link_of", "shows_literally", "subject_of"]

SENTENCES: Final[dict[Topic, str]] = {
    Topic.HALTED: "Work was stopped.",
    Topic.BREAK_GLASS: "Break-glass was asked for, or is in force.",
    Topic.EXPIRING: "An action expires within half an hour; nothing runs if nobody decides.",
    Topic.TRIPPED: "A cap is full, or amounts bunch below a limit.",
    Topic.WAITING: "An action waits for a decision.",
    Topic.ESCALATED: "Something was handed to a person.",
    Topic.EXPIRED: "An action expired; nothing ran.",
    Topic.TEST: "This is a test. Notifications arrive here.",
}
CANNOT_BE_SHOWN: Final = "Its text cannot be shown exactly here; open the page to see it."


def subject_of(mail: Parcel) -> str:
    """One line for the whole message."""
    count = len(mail.items) + mail.more
    first = SENTENCES[mail.items[0].topic] if mail.items else ""
    rest = f" And {count - 1} more." if count > 1 else ""
    return f"handrail ({mail.channel.desk}): {first}{rest}"


def link_of(mail: Parcel, item: Item) -> str:
    """The page of the console that shows it. Opening it decides nothing."""
    return f"{mail.channel.console}{item.path}"


def shows_literally(item: Item) -> bool:
    """Whether plain text shows all of an item: no character in it hides or misleads."""
    return not any(hidden_marks(text) for line in item.lines for text in (line.label, line.text))
