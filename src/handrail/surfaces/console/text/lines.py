"""The literal lines of an action: how each is set, and what they amount to in a phrase."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec
from markupsafe import Markup

from handrail.core.artifact import Line
from handrail.core.proposal import Proposal
from handrail.core.triggers.span import Span
from handrail.engine.base.outgoing import ATTACHMENTS, Place
from handrail.engine.base.record import content_of
from handrail.engine.showing.show import Card
from handrail.errors import Unavailable
from handrail.store.protocol import Tx
from handrail.surfaces.console.language.amounts import amount_text
from handrail.surfaces.console.text.codes import address_markup, code_markup
from handrail.surfaces.console.text.literal import anchor_of, clipped, hidden_notes, marked

__all__ = [
    "FILE",
    "FINDS_MAX",
    "ShownFind",
    "ShownLine",
    "consequence",
    "lines_of",
    "shown_finds",
    "shown_lines",
    "summary",
    "titled",
]

FILE: Final = "file"
"""How the id of a highlight in a file begins: `file-0` for the first file."""
FINDS_MAX: Final = 200
"""Finds that the list of a page has; what goes beyond is counted. All are marked in the texts."""
CONSEQUENCE_CHARS_MAX: Final = 140
TITLE_CHARS_MAX: Final = 120
_FILE_PLACE: Final = re.compile(rf"{ATTACHMENTS}\[([0-9]+)\]")
_PART_CHARS_MAX: Final = 80
_LETTER_CHARS_MIN: Final = 160
_BIG: Final = ("To", "Recipient")
_CODED: Final = ("Reason", "Change")
"""Lines that hold a code of the system of record. Any other is set letter by letter."""

_CONSEQUENCES: Final[dict[str, str]] = {
    "ticket.read": "read ticket {Ticket}",
    "kb.search": "search for {Search for}",
    "reply.draft": "keep a draft on ticket {Ticket}",
    "draft.discard": "discard a draft on ticket {Ticket}",
    "reply.send": "send this message to {Recipient}",
    "refund.issue": "refund {Refund} to {To}",
    "refund.reverse": "take back {Take back} from {From}",
    "credit.grant": "give {Store credit} store credit to {To}",
    "credit.revoke": "take back {Take back} from {From}",
    "account.update": "change the {Change} of {Account} to {To}",
    "account.cancel": "cancel account {Cancel account}",
    "payout.change": "pay {Account} out to {New payout account}",
    "login.change": "let {Account} log in as {New login address}",
}
_TARGETS: Final = ("To", "Recipient", "Account", "Customer")


class ShownLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the literal artifact. `look` is amount, target, letter or plain.

    `shown` is the text for the page, with what was found in it marked.
    """

    label: str
    text: str
    shown: Markup
    look: str
    hidden: tuple[str, ...]


class ShownFind(msgspec.Struct, frozen=True, kw_only=True):
    """One find: what stands there, what it is, and the id of its highlight, if it has one.

    `file` is the number of the attachment that it stands in, from 1; None for the message itself.
    """

    text: str
    what: str
    anchor: str | None
    file: int | None = None


def lines_of(tx: Tx, proposal: Proposal) -> tuple[Line, ...]:
    """The stored rendering of an action; nothing once its customer was erased."""
    try:
        return content_of(tx, proposal).lines
    except Unavailable:
        return ()


def shown_lines(
    proposal: Proposal, lines: tuple[Line, ...], finds: Mapping[str, tuple[Span, ...]]
) -> list[ShownLine]:
    """The literal lines with how each is set. Nothing is left out or put in another order.

    `finds` is what is marked, by the whole text that it is marked in.
    """
    value = None if proposal.value is None else proposal.value.text()
    found = []
    for n, line in enumerate(lines):
        if line.text == value:
            look = "amount"
        elif "\n" in line.text or len(line.text) >= _LETTER_CHARS_MIN:
            look = "letter"
        else:
            look = "target" if line.label in _BIG else "plain"
        hidden = tuple(hidden_notes(line.text))
        spans = finds.get(line.text, ())
        shown = None if spans else _in_words(line)
        shown = shown or marked(line.text, spans, f"line-{n}")
        found.append(
            ShownLine(label=line.label, text=line.text, shown=shown, look=look, hidden=hidden)
        )
    return found


def _in_words(line: Line) -> Markup | None:
    """A code as words, an address that may break; None for what is set as it is."""
    return address_markup(line.text) or (code_markup(line.text) if line.label in _CODED else None)


def shown_finds(
    lines: tuple[Line, ...],
    finds: Mapping[str, tuple[Span, ...]],
    places: Iterable[Place],
    texts: Mapping[str, str],
) -> list[ShownFind]:
    """What was found in the texts that leave the desk, each with where it stands on the page.

    `texts` is every text that was looked through, by the parameter or the file.
    """
    shown = []
    for one in places:
        at = _FILE_PLACE.fullmatch(one.param)
        if at is None:
            found = ShownFind(text=one.text, what=one.what, anchor=_anchor(lines, finds, one))
        else:
            spans = finds.get(texts.get(one.param, ""), ())
            anchor = anchor_of(spans, one.start, f"{FILE}-{at[1]}")
            found = ShownFind(text=one.text, what=one.what, anchor=anchor, file=int(at[1]) + 1)
        shown.append(found)
    return shown


def _anchor(
    lines: tuple[Line, ...], finds: Mapping[str, tuple[Span, ...]], place: Place
) -> str | None:
    """The highlight of a place, in the first line that has its text there."""
    for n, line in enumerate(lines):
        spans = finds.get(line.text, ())
        if spans and line.text[place.start : place.end] == place.text:
            return anchor_of(spans, place.start, f"line-{n}")
    return None


def consequence(proposal: Proposal, title: str, lines: tuple[Line, ...]) -> str:
    """What approving does, as the words on the button: `refund 120.00 USD to card ending 0005`.

    Every part is literal text of the rendering, on one line, hidden characters as tokens.
    """
    parts = _parts(lines)
    said = _from_form(_CONSEQUENCES.get(proposal.kind), parts)
    if said is None:
        value = "" if proposal.value is None else f" {amount_text(proposal.value.text())}"
        target = next((parts[label] for label in _TARGETS if label in parts), None)
        towards = "" if target is None else f" for {target}"
        said = f"{title[:1].lower()}{title[1:]}{value}{towards}"
    return clipped(said, CONSEQUENCE_CHARS_MAX)


def titled(card: Card) -> str:
    """An action in one line, for the title of a page: `Issue a refund: 120.00 USD`."""
    value = card.proposal.value
    return clipped(
        card.title if value is None else f"{card.title}: {amount_text(value.text())}",
        TITLE_CHARS_MAX,
    )


def summary(proposal: Proposal, title: str, lines: tuple[Line, ...]) -> str:
    """What a list says under the headline: where it goes, or what it does."""
    parts = _parts(lines)
    if "Recipient" in parts:
        return f"To {parts['Recipient']}"
    if proposal.value is not None and "To" in parts:
        return f"To {parts['To']}"
    said = consequence(proposal, title, lines)
    return said[:1].upper() + said[1:]


def _parts(lines: tuple[Line, ...]) -> dict[str, str]:
    """The lines by label, each on one line; of two with the same label, the first."""
    return {
        line.label: clipped(amount_text(line.text), _PART_CHARS_MAX) for line in reversed(lines)
    }


def _from_form(form: str | None, parts: Mapping[str, str]) -> str | None:
    if form is None:
        return None
    try:
        return form.format_map(parts)
    except KeyError:
        return None
