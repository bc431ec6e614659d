"""The words by which a draft guesses what an action does, and what each of them makes it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import msgspec

from handrail.core.grade import Axes
from handrail.policy.draft.offered import word_list

__all__ = ["Speaking", "heard", "reads", "spoken_against"]


class Speaking(msgspec.Struct, frozen=True, kw_only=True):
    """Words that say what an action does, and how bad that can be.

    `verbs` mean it wherever they stand. `nouns` are as often what is looked at: beside a reading
    verb they count only where they stand like a command. `named` count in a name alone.
    """

    what: str
    axes: Axes
    verbs: str = ""
    nouns: str = ""
    named: str = ""


def _axes(reversibility: int, blast_radius: int, stakes: int) -> Axes:
    return Axes(reversibility=reversibility, blast_radius=blast_radius, stakes=stakes)


SPEAKING: Final = (
    Speaking(
        what="money leaves for good",
        axes=_axes(3, 1, 3),
        verbs="withdraw disburse remit",
        nouns="transfer payout wire",
    ),
    Speaking(
        what="it moves money, and no band bounds the amount yet",
        axes=_axes(2, 1, 3),
        verbs="reimburse compensate chargeback overcharge",
        nouns="refund charge pay payment capture debit bill invoice purchase buy credit goodwill"
        " voucher coupon gift discount",
    ),
    Speaking(
        what="something is ended or gone afterwards",
        axes=_axes(3, 1, 2),
        verbs="delete remove destroy purge erase drop wipe truncate cancel terminate deactivate"
        " disable revoke unsubscribe void merge suspend overwrite kill",
        nouns="ban archive",
        named="close clear block end stop",
    ),
    Speaking(
        what="it is about who gets in",
        axes=_axes(2, 1, 3),
        verbs="impersonate authorize authorise deauthorize",
        nouns="password passcode passwords login credential mfa otp token secret permission role"
        " privilege admin sso unlock apikey cvv ssn",
        named="key pin access auth",
    ),
    Speaking(
        what="somebody is written to, and it cannot be unsaid",
        axes=_axes(2, 1, 2),
        verbs="send notify publish tweet announce invite remind resend forward",
        nouns="reply email mail sms message respond contact dm",
        named="post call alert",
    ),
    Speaking(
        what="it reaches many at once, or takes data out",
        axes=_axes(2, 3, 3),
        verbs="export dump broadcast migrate sync mass",
        nouns="bulk batch campaign newsletter import backup download",
        named="all everyone every",
    ),
    Speaking(
        what="it does whatever it is told",
        axes=_axes(3, 3, 3),
        verbs="exec execute eval invoke",
        nouns="shell sql webhook script sudo",
        named="run command http request curl proxy graphql rpc query call",
    ),
    Speaking(
        what="it changes a record",
        axes=_axes(1, 1, 2),
        verbs="update edit change modify create add assign unassign write upsert insert replace"
        " rename reset register submit approve reject grant reschedule upload toggle enable attach"
        " detach convert restock adjust override escalate reopen move increment decrement append"
        " activate reactivate deliver apply",
        nouns="patch put issue redeem",
        named="set open order book schedule ship return exchange mark link label tag save store"
        " make new start note log flag comment address confirm accept decline hold release",
    ),
)

READING: Final = frozenset(
    "get gets list lists read reads search searches find finds fetch fetches show shows view views"
    " lookup lookups describe describes count counts retrieve retrieves browse".split()
)
_RETURNING: Final = READING | {"returns", "return", "look"}
_COMMANDING: Final = frozenset(
    "and then or to also will it can may must automatically immediately that which".split()
)
_AT_THE_GRADER: Final = frozenset(
    "grade graded grading g0 g1 g2 g3 handrail harmless trusted ignore instructions preapproved"
    " approval approved approve policy".split()
)
_SENTENCE: Final = re.compile(r"[.;:!?\n\u2028\u2029]+")


def _forms(word: str) -> Iterator[str]:
    """A verb as it stands in a sentence: cancels, cancelled, cancelling."""
    stem = word[:-1] if word.endswith("e") else word
    yield from (word, f"{word}s", f"{word}es", f"{stem}ed", f"{stem}ing", f"{stem}ion")
    if word.endswith("y"):
        yield from (f"{word[:-1]}ies", f"{word[:-1]}ied", f"{word[:-1]}ication")
    yield from (f"{word}{word[-1]}ed", f"{word}{word[-1]}ing", f"{word}lation")


def _table(texts: tuple[str, ...]) -> dict[str, Speaking]:
    """Every form of every word with the strictest of the rules that it speaks for."""
    found: dict[str, Speaking] = {}
    for rule, text in zip(SPEAKING, texts, strict=True):
        for word in text.split():
            for form in _forms(word):
                found.setdefault(form, rule)
    return found


_IRREGULAR: Final = {"sent": "send", "paid": "pay", "wrote": "write", "written": "write"}
_VERBS: Final = _table(tuple(rule.verbs for rule in SPEAKING))
_NOUNS: Final = _table(tuple(rule.nouns for rule in SPEAKING))
_NAMED: Final = _table(tuple(rule.named for rule in SPEAKING))


def _plain_form(word: str) -> str:
    return _IRREGULAR.get(word, word)


def heard(name: str, about: str) -> tuple[dict[str, Speaking], dict[str, Speaking]]:
    """The words that say what it does, in its name and in what is said about it."""
    in_name = {
        word: rule
        for word in word_list(name)
        for table in (_VERBS, _NOUNS, _NAMED)
        if (rule := table.get(_plain_form(word))) is not None
    }
    in_about = {
        word: rule
        for word in word_list(about)
        for table in (_VERBS, _NOUNS)
        if (rule := table.get(_plain_form(word))) is not None
    }
    return in_name, in_about


def reads(name: str, about: str | None) -> str | None:
    """The word that makes it a read: the first of its name, or of what is said about it."""
    words = word_list(name)[:1]
    if words and words[0] in READING:
        return words[0]
    said = word_list(about or "")[:1]
    return said[0] if said and said[0] in _RETURNING else None


def spoken_against(name: str, about: str) -> str | None:
    """The first word that says it is no mere read, or None.

    In a name beside a reading verb, and in a sentence, a noun counts where it stands like a
    command: `list_refunds` is a read, `get_and_refund` is not.
    """
    words = word_list(name)
    for place, word in enumerate(words):
        commands = place == 0 or words[place - 1] in _COMMANDING
        if _means(word, commands) or (commands and _plain_form(word) in _NAMED):
            return word
        if _keys(word):
            return word
    for sentence in _SENTENCE.split(about):
        words = word_list(sentence)
        for place, word in enumerate(words):
            commands = place == 0 or words[place - 1] in _COMMANDING
            if _means(word, commands) or _keys(word) or word in _AT_THE_GRADER:
                return word
    return None


def _means(word: str, commands: bool) -> bool:
    word = _plain_form(word)
    return word in _VERBS or (commands and word in _NOUNS)


def _keys(word: str) -> bool:
    """What opens doors is not read without a person either."""
    return word in _SECRETS


_SECRETS: Final = frozenset(
    form
    for word in "password passcode credential otp mfa secret apikey cvv ssn token".split()
    for form in (word, f"{word}s")
)
