"""Dates, deadlines and promises in a text: what a desk is held to afterwards. In English."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from handrail.core.triggers.span import Flat, Span, Trigger

__all__ = ["dates_in", "promises_in"]

_MONTH: Final = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sep(?:t(?:ember)?)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\b\.?"
)
_DAY: Final = r"(?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?"
_WEEKDAY: Final = r"(?:mon|tues|wednes|thurs|fri|satur|sun)day"
_COUNT: Final = (
    r"(?:\d{1,3}(?: ?(?:-|to|or|and) ?\d{1,3})?|an?|one|two|three|four|five|six|seven|eight|nine"
    r"|ten|twelve|fourteen|thirty|(?:a )?few|a couple of|several|the next(?: few| couple of)?)"
)
_SPAN: Final = (
    r"(?:second|minute|hour|day|week|month|year|(?:(?:working|business|calendar) )?days?|weekday)s?"
)
# Each begins with a digit, so that a text without digits costs nothing.
_IN_FIGURES: Final = re.compile(
    r"(?<![\w.,/-])(?:"
    r"(?:19|20)\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])"  # 2026-03-05
    r"|(?:19|20)\d\d/(?:0?[1-9]|1[0-2])/(?:0?[1-9]|[12]\d|3[01])"
    r"|(?:0?[1-9]|[12]\d|3[01])\.(?:0?[1-9]|1[0-2])\.(?:19|20)\d\d"  # 5.3.2026
    r"|(?:0?[1-9]|[12]\d|3[01])([/-])(?:0?[1-9]|[12]\d|3[01])\1(?:(?:19|20)\d\d|\d\d)"  # 5/3/26
    r")(?![\w/-]|[.,]\d)"
    rf"|(?<!\w){_DAY} (?:of )?{_MONTH}(?:,? (?:19|20)\d\d)?"  # 5th of March 2026
    r"|\d{1,4}年\d{1,2}月(?:\d{1,2}日)?|\d{1,2}月\d{1,2}日"
)
_MONTH_DAY: Final = re.compile(
    rf"\b{_MONTH} {_DAY}(?:,? (?:19|20)\d\d)?(?!\w|[.,]\d)"  # March 5th, 2026
)
_MONTHS: Final = tuple("jan feb mar apr may jun jul aug sep oct nov dec".split())
_DIGIT: Final = re.compile(r"\d")
_IN_WORDS: Final = re.compile(
    rf"\b(?:(?:(?:on|by|before|until|till|next|this|coming|from|since|latest) )?{_WEEKDAY}s?"
    r"|(?:(?:by|before|until|till) )?(?:the )?(?:day after )?(?:tomorrow|tonight)"
    r"|(?:by|before|until|till|later|sometime) today|by (?:noon|midnight|now|then)"
    rf"|(?:within|in|after|takes?|for) (?:less than |under |about |around |up to |at most "
    r"|the next )?"
    rf"{_COUNT} {_SPAN}"
    rf"|{_COUNT} {_SPAN} (?:from now|at (?:the )?latest|at most)"
    r"|(?:by|before|until|at|towards?) (?:the )?(?:end|start|beginning) of (?:the |this |next )?"
    r"(?:day|week|month|year|quarter)|(?:next|later this) (?:week|month|year|quarter)"
    r"|no later than|as soon as possible|straight away|right away|immediately|asap"
    r"|(?:by|before|until) \d{1,2}(?:[:.]\d\d)? ?(?:am|pm|o'clock)?(?![\w%]))"
)
# What each of `_IN_WORDS` holds: only around these is it looked for, which saves most of the time.
_NEAR: Final = re.compile(
    r"(?:day|week|hour|minute|second|month|year|quarter|tomorrow|tonight|no later|possible|away"
    r"|immediately|asap|noon|midnight|by now|by then|by \d|before \d|until \d)"
)
_BEFORE_CHARS: Final = 60
_BEHIND_CHARS: Final = 40

_WE: Final = (
    r"(?:we|i|our (?:team|colleagues?|manager|engineers?|warehouse|carrier)|(?:a|my) (?:colleague"
    r"|manager|specialist|supervisor)|the (?:team|shop|company|warehouse|manager))"
)
_IT: Final = (
    r"(?:it|they|this|that|(?:your|the|a|our) (?:new )?(?:refund|money|order|parcel|package|item"
    r"|replacement|credit|payment|amount|voucher|delivery|account|subscription|part)s?)"
)
_DONE_TO_YOU: Final = (
    r"(?:receive|get|have|hear|see|be (?:refunded|credited|paid|contacted|charged|reimbursed"
    r"|compensated|notified|informed|able)|not be|never)"
)
_SAYS: Final = re.compile(
    rf"\b(?:{_WE}(?:'ll| will| shall|(?:'re|'m| am| are| is) going to)\b"
    rf"|{_WE}(?: can| do| hereby| personally)? (?:guarantee|promise|assure|ensure|commit|pledge"
    r"|vow|swear|undertake|warrant|agree to|confirm that you)\b"
    rf"|you(?:'ll| will| shall|'re going to| are going to)(?: also| still| then)? {_DONE_TO_YOU}\b"
    rf"|{_IT}(?:'ll| will| shall| is going to)(?: also| then)? (?:be|arrive|come|ship|show|take"
    r"|reach|appear|leave|go|not|never|stay|remain)\b"
    r"|(?:is|are|it's|that's|be) (?:fully |absolutely |100% )?guaranteed|you have my word"
    r"|rest assured|without (?:any )?(?:fail|doubt)|our promise|money[ -]back"
    r"|(?:a )?(?:full|complete|partial) refund|free of charge|at no (?:extra |additional )?"
    r"(?:cost|charge)|free (?:replacement|shipping|delivery|upgrade|return|repair|month|year"
    r"|gift)s?"
    r"|for free|on the house|it's on us|(?:we|i)(?:'ve| have| can|'ll)? waived?\b"
    r"|(?:we|i) (?:accept|take|admit) (?:full |all |the )?(?:responsibility|liability|blame)"
    r"|(?:is|was) (?:entirely |completely )?our (?:fault|mistake)|(?:we are|we're) (?:liable"
    r"|responsible)|you(?:'re| are) (?:entitled to|eligible for|covered)|compensation|compensate"
    r"|reimburse(?:ment)?|(?:discount|voucher|coupon|promo) code|\d{1,3} ?(?:%|percent) (?:off"
    r"|discount|refund|back|cheaper|guarantee)|price match|goodwill (?:credit|gesture))"
)
_WORDS_OF_PROMISE: Final = (
    "will", "'ll", "shall", "going to", "guarant", "promis", "assur", "ensure", "commit", "pledge",
    "vow", "swear", "undertake", "warrant", "agree", "confirm that", "word", "without",
    "money back", "money-back", "refund", "free", "no cost", "no charge", "no extra",
    "no additional",
    "house",
    "on us", "waive", "accept", "take", "admit", "our fault", "our mistake", "liable", "responsib",
    "entitled", "eligible", "covered", "compensat", "reimburs", "code", "%", "percent", "match",
    "goodwill",
)  # fmt: skip


def dates_in(flat: Flat) -> Iterator[Span]:
    """Every date, weekday, deadline and span of time."""
    low = flat.text
    if _DIGIT.search(low):
        for found in _IN_FIGURES.finditer(low):
            yield flat.span(found, Trigger.DATE, "a date")
        if any(month in low for month in _MONTHS):
            for found in _MONTH_DAY.finditer(low):
                yield flat.span(found, Trigger.DATE, "a date")
    done = 0
    for near in _NEAR.finditer(low):
        if near.start() < done:
            continue
        first = max(done, near.start() - _BEFORE_CHARS)
        for found in _IN_WORDS.finditer(low, first, near.end() + _BEHIND_CHARS):
            yield flat.span(found, Trigger.DATE, "a date, or how long something takes")
            done = found.end()


def promises_in(flat: Flat) -> Iterator[Span]:
    """Every phrase that says what the desk or the customer's money will do, or what is offered."""
    if any(word in flat.text for word in _WORDS_OF_PROMISE):
        for found in _SAYS.finditer(flat.text):
            yield flat.span(found, Trigger.PROMISE, "a promise, an offer or an admission")
