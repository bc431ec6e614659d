"""The ticket's messages, read as a helpdesk keeps them: what was said, to whom, in which order.

A thread is a record like an order: the gateway reads it with its own credential, and the agent
cannot change what the customer wrote. Only plain words are looked for, and only words that the
desks' rules or the tools themselves use; a thread in which they are not found says "no", never
"perhaps". Nothing here was fitted to recorded conversations.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

__all__ = ["CUSTOMER", "DESK", "Thread"]

CUSTOMER: Final = "user"
DESK: Final = "assistant"

_YES: Final = re.compile(
    r"\b(yes|yep|yeah|yup|sure|ok|okay|agreed?|confirm(s|ed)?|proceed|go ahead|go for it|please do"
    r"|do (it|so|that)|let's do (it|that|this)|sounds good|looks good|works for me|that works"
    r"|that's (right|correct|fine)|correct|absolutely|definitely|of course"
    r"|please (go|book|cancel|change|downgrade|upgrade|update|modify|exchange|return|refund|add"
    r"|remove|process|submit|apply|make))\b"
)
_NOT_YET: Final = re.compile(
    r"^\s*(no|nope)\s*([,.!;]|$)|\b(not yet|wait|hold (on|off)|stop|never ?mind|instead|rather not"
    r"|changed my mind|before (you|we|i|proceeding|going)"
    r"|(do not|don't|won't|not) (want (you )?to|proceed|go|do|book|cancel|change|process|submit"
    r"|make|charge|agree|confirm))\b"
)
_SENTENCE: Final = re.compile(r"[^.!?;\n]+[.!?;\n]*")


class Thread:
    """What customer and desk wrote to each other so far, in order; tool calls are no messages."""

    def __init__(self, messages: Sequence[tuple[str, str]] = ()) -> None:
        spoken = [(role, _plain(text)) for role, text in messages if role in (CUSTOMER, DESK)]
        self._spoken: Final = [(role, text) for role, text in spoken if text.strip()]
        self._customer: Final = [text for role, text in self._spoken if role == CUSTOMER]
        self._both: Final = "\n".join(text for _, text in self._spoken)
        answered = self._spoken[: _last_of_customer(self._spoken)]
        laid_out = [text for role, text in answered if role == DESK][-1:]
        self._settled: Final = "\n".join(self._customer + laid_out)

    @property
    def agreed(self) -> bool:
        """Whether the last message is an explicit yes of the customer to what the desk wrote.

        A question is no yes, and a yes beside "wait", "instead" or "do not" is none either.
        """
        roles = [role for role, _ in self._spoken[-2:]]
        if roles != [DESK, CUSTOMER]:
            return False
        sentences = [one.strip() for one in _SENTENCE.findall(self._spoken[-1][1])]
        if any(_NOT_YET.search(one) for one in sentences):
            return False
        return any(_YES.search(one) and not one.endswith("?") for one in sentences)

    def names(self, *things: str) -> bool:
        """Whether every one of these stands in a message of either side, as a word of its own."""
        return all(_word(one).search(self._both) for one in things)

    def customer_names(self, *things: str) -> bool:
        """Whether every one of these stands in a message of the customer, as a word of its own."""
        said = "\n".join(self._customer)
        return all(_word(one).search(said) for one in things)

    def customer_says(self, words: re.Pattern[str], unless: re.Pattern[str] | None = None) -> bool:
        """Whether the customer used one of the words, and did not take it back the last time."""
        said = [text for text in self._customer if words.search(text)]
        return bool(said) and not (unless is not None and unless.search(said[-1]))

    def settles(self, *things: str) -> bool:
        """Whether every one of these was written by the customer, or in the last message of the
        desk that the customer could answer."""
        return all(_word(one).search(self._settled) for one in things)

    def settles_by(self, words: re.Pattern[str]) -> bool:
        """The same for any of these words."""
        return words.search(self._settled) is not None

    def says(self, words: re.Pattern[str]) -> bool:
        """Whether either side used one of the words."""
        return words.search(self._both) is not None

    def names_amount(self, cents: int) -> bool:
        """Whether either side named this amount in dollars, as `1,234.50`, `1234.5` or `1234`."""
        whole, part = divmod(abs(cents), 100)
        fraction = r"(\.00?)?" if part == 0 else rf"\.{part:02}"
        if part and part % 10 == 0:
            fraction = rf"\.{part // 10}0?"
        amount = rf"(?<![\d.,])({whole}|{whole:,}){fraction}(?![\d]|[.,]\d)"
        return re.search(amount, self._both) is not None


def _last_of_customer(spoken: Sequence[tuple[str, str]]) -> int:
    """Where the customer wrote last; 0 if never."""
    return max((place for place, (role, _) in enumerate(spoken) if role == CUSTOMER), default=0)


def _plain(text: str) -> str:
    """Small letters, one kind of apostrophe, space and dash."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return re.sub("[\u2010-\u2015]", "-", re.sub("[\u2018\u2019]", "'", folded))


def _word(thing: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(_plain(thing))}(?!\w)")
