"""What was meant for colleagues, what presses a reviewer, and what is not in English."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from handrail.core.triggers.span import SPANS_MAX, Flat, Span, Trigger, phrase

__all__ = ["internal_in", "other_language_in", "pressure_in"]

_NOTE: Final = re.compile(
    r"[\[(<{*#]{1,3} ?(?:internal|private|agent|staff|colleague|note to)\b[^\])>}\n]{0,60}"
    r"[\])>}*]"
    r"|^[ \t>*#-]{0,8}(?:internal(?: only| notes?| comments?| use)?|private (?:note|comment)"
    r"|(?:agent|staff|team|support|handover|escalation)[ -](?:notes?|comments?|only)"
    r"|notes? (?:to|for) (?:self|(?:the )?(?:agent|team|staff|colleague|reviewer|manager"
    r"|support)s?)"
    r"|system(?: prompt)?|assistant|thought|reasoning|chain of thought|tool(?: call)?"
    r"|fyi,? (?:agent|team|support|all|colleague)s?)\b ?[:\])-]",
    re.MULTILINE,
)
_ASIDE: Final = re.compile(
    r"\b(?:do not|don't|never|please don't) (?:send|share|forward|show|tell|mention"
    r"|disclose|reveal|pass)(?: (?:this|it|that|any of this))?"
    r"(?: on)? ?(?:to|with) (?:the |our )?(?:customer"
    r"|client|user|requester|buyer)s?"
    r"|\b(?:not for|keep from|hide from|hidden from) (?:the )?(?:customer|client)s?\b"
    r"|\b(?:for )?internal (?:use|eyes|notes?|comments?|only)\b|\bstrictly confidential\b"
    r"|\b(?:confidential|restricted):|\bfyi,? (?:agent|team|support)s?\b"
    r"|\b(?:the customer|this customer|he|she|they) (?:is|are|seems?) (?:lying|a liar|an idiot"
    r"|abusive|annoying|a pain|a scammer|a fraud(?:ster)?|clueless)\b"
    r"|\bas an ai(?: language)? (?:model|assistant)\b|</?(?:think|thinking|scratchpad|tool_call|"
    r"function|system|instructions?)>|\bmy (?:system prompt|instructions say)\b|```"
)
_UNFINISHED: Final = re.compile(r"\b(?:TODO|FIXME|TBD|TBC|XXX|WIP)\b|\?\?\?")
# Each of `_NOTE` holds one of these.
_WORDS_OF_NOTES: Final = (
    "internal", "private", "agent", "staff", "colleague", "note", " comment", "team only",
    "support only", "system:", "system prompt", "system>", "assistant", "thought", "reasoning",
    "chain of", "tool", "fyi", "confidential", "restricted", "customer", "client", " user",
    "requester", "buyer", " lying", "a liar", "an idiot", "abusive", "annoying", " a pain",
    "a scammer", "a fraud", "clueless", "as an ai", "think>", "thinking>", "scratchpad>",
    "function>", "instructions say", "instruction", "```",
)  # fmt: skip

_PRESSES: Final = re.compile(
    r"\b(?:urgent(?:ly)?|asap|emergency|hurry|immediately|right (?:now|away)|no time"
    r"|time[ -]critical|deadline|last chance|(?:ceo|boss|manager|director|vip|lawyer|press)"
    r"(?:'s| is| are)? (?:waiting|asking|watching|furious|angry|personally)"
    r"|(?:pre-?|already )(?:approved|authori[sz]ed|cleared|checked|verified|reviewed)"
    r"|(?:approved|authori[sz]ed|signed off|cleared) by (?:the |my |our |your )?\w+"
    r"|(?:no|without) (?:need|reason) to (?:check|read|review|verify|worry)"
    r"|(?:don't|do not|needn't) (?:check|read|review|worry|bother)"
    r"|just (?:approve|click|confirm|sign)"
    r"|(?:please|quickly|simply) approve|approve (?:this|it) (?:now|quickly|fast|please)"
    r"|trust me|routine|rubber[ -]?stamp"
    r"|as (?:always|usual)|you(?:'re| are) (?:the best|great|amazing|so |very |always )"
    r"|thanks? (?:so much )?for being|i (?:will|'ll|would|could) (?:be|get) (?:fired|shut down"
    r"|replaced|in trouble)|(?:as|do me) a (?:personal )?favou?r|everybody else|everyone else"
    r"|or (?:else|we lose))\b"
)

_COMMON: Final = frozenset(
    "a about after again all also am an and any are as at be because been but by can could day did"
    " do does for from get had has have hello here hi how i if in is it its just let like me more"
    " my no not now of on one or order our out please so some still than thank thanks that the"
    " their them then there these they this time to up us was we were what when which who why will"
    " with would you your".split()
)
_AROUND: Final = ".,;:!?()[]\"'*_-<>"
_FOREIGN: Final = re.compile(
    r"[\u0370-\u052f\u0590-\u08ff\u0900-\u0fff\u1000-\u109f\u10a0-\u10ff\u3040-\u30ff"
    r"\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af]"
)
_FOREIGN_MIN: Final = 8
"""Letters of another script in one line: fewer may be a name."""
_WORDS_MIN: Final = 8
_COMMON_SHARE: Final = 8
"""One word in so many is a common one in any English sentence (in most, one in three)."""


def internal_in(text: str, low: str, flat: Flat) -> Iterator[Span]:
    """Every mark of a text that was meant for colleagues, or for a model."""
    what = "reads like a note for colleagues and not for a customer"
    if any(word in flat.text for word in _WORDS_OF_NOTES):
        notes = [_span(found, what) for found in _NOTE.finditer(low)]
        yield from notes
        within = {place for one in notes for place in range(one.start, one.end)}
        for found in _ASIDE.finditer(flat.text):
            span = flat.span(found, Trigger.INTERNAL_NOTE, what)
            if span.start not in within:
                yield span
    for found in _UNFINISHED.finditer(text):
        yield _span(found, "says that the text is not finished")


def pressure_in(flat: Flat) -> Iterator[Span]:
    """Every phrase in an agent's note that urges, flatters or reassures the person who decides.

    It is marked, and says nothing about whether the action is right.
    """
    for count, found in enumerate(_PRESSES.finditer(flat.text)):
        if count >= SPANS_MAX:
            return
        what = f"{phrase(found.group())} presses whoever decides; it is no reason for anything"
        yield flat.span(found, Trigger.PRESSURE, what)


def other_language_in(low: str) -> Iterator[Span]:
    """Every line that is not in English: words of promise and time are not known in it."""
    start = 0
    for line in low.split("\n"):
        end = start + len(line)
        foreign = not line.isascii() and len(_FOREIGN.findall(line)) >= _FOREIGN_MIN
        if foreign or not _is_english(line):
            what = "not in English: promises and dates in words are not looked for here"
            yield Span(start=start, end=end, trigger=Trigger.OTHER_LANGUAGE, what=what)
        start = end + 1


def _is_english(line: str) -> bool:
    """Whether a line has its share of common English words, or is too short to tell."""
    parts = line.split()
    if sum(map(_COMMON.__contains__, parts)) * _COMMON_SHARE >= len(parts):
        return True
    words = [word for part in parts if (word := part.strip(_AROUND)).replace("'", "").isalpha()]
    if len(words) < _WORDS_MIN:
        return True
    return sum(map(_COMMON.__contains__, words)) * _COMMON_SHARE >= len(words)


def _span(found: re.Match[str], what: str) -> Span:
    return Span(start=found.start(), end=found.end(), trigger=Trigger.INTERNAL_NOTE, what=what)
