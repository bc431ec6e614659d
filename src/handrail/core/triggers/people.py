"""Whom a text names: another person than the recipient, or something that is another's."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from handrail.core.triggers.span import About, Span, Trigger, phrase

__all__ = ["ids_in", "names_in"]

_ID_TAIL: Final = r"(?=[a-z-]{0,30}\d)[0-9a-z][0-9a-z-]{1,40}"

_GREETING: Final = re.compile(
    r"^[ \t>*]{0,8}(?:dear|hello|hi|hey|hiya|greetings|good (?:morning|afternoon|evening"
    r"|day)|hallo|liebe[rs]?|sehr geehrte[rs]?|bonjour|ch[eè]re?|hola|estimad[oa]|ciao)\b"
    r"([ ,]{1,2})"
    r"(?:(?:mr|mrs|ms|mx|dr|prof)\.? )?([^\n]{1,80})",
    re.MULTILINE,
)
_ENDS: Final = re.compile(r"[,!:;.?\u3001\u060c\uff0c(]|\s-\s| - ")
_NOBODY: Final = frozenset(
    "mr mrs ms mx miss dr prof professor sir madam ma'am herr frau monsieur madame señor señora the"
    " and or customer customers client valued team all there everyone everybody friend friends"
    " folks reader user member guest buyer shopper again both i we thank thanks".split()
)
"""Words behind a greeting that name nobody."""
_PARTICLES: Final = frozenset("and or & von van der den de da di la le el bin al y e".split())
_LOOSE_WORDS_MAX: Final = 2
_NAME_WORDS_MAX: Final = 5


def names_in(text: str, low: str, about: About) -> Iterator[Span]:
    """Every salutation with a name that is not the recipient's."""
    own = {word for name in about.names for word in _words(name)}
    for found in _GREETING.finditer(low):
        start = found.start(2)
        named = _name_of(text[start : found.end(2)], "," in found.group(1))
        words = [word for word in _words(named) if word not in _NOBODY]
        if all(word in own or _is_initial(word, own) for word in words):
            continue
        who = "the recipient's name is not known"
        if about.names:
            who = f"the recipient is {phrase(about.names[0])}"
        yield Span(
            start=start,
            end=start + len(named),
            trigger=Trigger.WRONG_NAME,
            what=f"the text greets {phrase(named)}, and {who}",
        )


def _name_of(rest: str, loose: bool) -> str:
    """The name behind a greeting; `loose` when a comma stands between, as before a sentence."""
    named = _ENDS.split(rest, maxsplit=1)[0].rstrip()
    words = named.split()
    if len(words) <= _LOOSE_WORDS_MAX:
        return named
    if loose:
        return ""
    is_name = all(not word[0].islower() or word.lower() in _PARTICLES for word in words)
    return named if is_name and len(words) <= _NAME_WORDS_MAX else _capitals(named)


def ids_in(text: str, low: str, about: About) -> Iterator[Span]:
    """Everything that looks like one of the desk's ids and does not belong to the recipient."""
    prefixes = tuple(dict.fromkeys(prefix.lower() for prefix in about.id_prefixes if prefix))
    if not any(prefix in low for prefix in prefixes):
        return
    own = {one.lower() for one in about.ids}
    starts = "|".join(map(re.escape, prefixes))
    for found in re.finditer(rf"(?<![\w-])(?:{starts}){_ID_TAIL}", low):
        if (one := found.group().rstrip("-")) in own:
            continue
        start, end = found.start(), found.start() + len(one)
        what = f"{phrase(text[start:end])} does not belong to the recipient"
        yield Span(start=start, end=end, trigger=Trigger.OTHER_CUSTOMER, what=what)


def _words(name: str) -> list[str]:
    plain = unicodedata.normalize("NFKC", name).casefold()
    return re.findall(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)?", plain)


def _capitals(named: str) -> str:
    """The words in capital letters with which a line begins that no comma ends."""
    found = re.match(r"(?:[^\W\d_a-zß-öø-ÿ][^\W\d_]{1,40}[ ]?){0,4}", named)
    return "" if found is None else found.group().rstrip()


def _is_initial(word: str, own: set[str]) -> bool:
    return len(word) == 1 and any(name.startswith(word) for name in own)
