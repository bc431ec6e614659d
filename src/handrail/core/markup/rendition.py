"""What a customer sees of HTML: its text, by place in the source, and its links.

Only elements are admitted that have no other look than that of text, in an order that no reader
mends: what is written first stands first. With none of them can anything be hidden, covered or
moved. What is not admitted is not guessed at: it is wrong, and then nobody can say what is seen.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from handrail.core.markup.tokens import BLANKS, Token, TokenKind, tokens_of
from handrail.core.text import Mark, hidden_marks
from handrail.core.triggers.span import phrase

__all__ = ["DEPTH_MAX", "ELEMENTS", "Anchor", "Rendition", "read_html"]

DEPTH_MAX: Final = 12
"""Elements inside one another: lists and quotations move their text aside with each."""
GAP_MAX: Final = 8
"""Empty lines in a row; what stands behind more of them is out of sight."""
WRONG_MAX: Final = 20
ADDRESS_CHARS_MAX: Final = 2000

_INLINE: Final = frozenset("a b em i span strong u".split())
_PHRASE: Final = _INLINE | {"br"}
_FLOW: Final = _PHRASE | frozenset("blockquote div h1 h2 h3 hr ol p table ul".split())
_HOLDS: Final = {
    **dict.fromkeys(("", "blockquote", "div", "li", "td", "th"), _FLOW),
    **dict.fromkeys(("h1", "h2", "h3", "p", *_INLINE), _PHRASE),
    **dict.fromkeys(("ol", "ul"), frozenset({"li"})),
    "table": frozenset({"thead", "tbody", "tr"}),
    **dict.fromkeys(("tbody", "thead"), frozenset({"tr"})),
    "tr": frozenset({"td", "th"}),
}
"""What may stand within each element; within "" is the message. Where there is no flow and no
phrase, there is no text either: readers move text out of a table's frame."""
_EMPTY: Final = ("br", "hr")
_PARTED: Final = ("blockquote", "h1", "h2", "h3", "hr", "ol", "p", "table", "ul")
ELEMENTS: Final = frozenset(_HOLDS) - {""} | frozenset(_EMPTY)
"""The elements that are admitted."""

_WEB: Final = re.compile(r"https?://[^\s/\\?#\x00-\x20\x7f][^\s\\\x00-\x20\x7f]*", re.IGNORECASE)
_MAIL: Final = re.compile(r"mailto:[^\s\\?&#/:@\x00-\x20\x7f]+@[^\s\\?&#/:@\x00-\x20\x7f]+", re.I)
_WIDE: Final = re.compile(r"[^\S\n\t]{20,}")
_WORD: Final = re.compile(rf"[^{BLANKS}]+")


class Anchor(msgspec.Struct, frozen=True, kw_only=True):
    """A link: characters `start` to `end` of the text shown, and where it leads.

    `opened` and `closed` are the places of the whole element in the source.
    """

    start: int
    end: int
    opened: int
    closed: int
    address: str


class Rendition(msgspec.Struct, frozen=True, kw_only=True):
    """What HTML shows. With anything in `wrong` (by place in the source) nobody can say that.

    Character n of `text` comes from `starts[n]` to `ends[n]` of the source. `markers` are the
    places in the text of what stands before the items of lists, which the source does not say.
    """

    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]
    markers: tuple[tuple[int, int], ...]
    links: tuple[Anchor, ...]
    wrong: tuple[Mark, ...]

    @property
    def unmarked(self) -> str:
        """The text without what stands before the items of lists."""
        rest, kept = 0, []
        for start, end in self.markers:
            kept.append(self.text[rest:start])
            rest = end
        return "".join((*kept, self.text[rest:]))


def read_html(source: str) -> Rendition:
    """What a customer sees of a source, or why that cannot be told. Never raises."""
    return _Writing(source).rendition()


class _Element:
    """An element that is open: where, at which character shown, and what it is about."""

    def __init__(self, name: str, piece: Token | None, at: int, seen: int) -> None:
        self.name, self.piece, self.at, self.seen = name, piece, at, seen
        self.children = 0


class _Writing:
    """The text as it comes to be, piece by piece."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._chars: list[str] = []
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._markers: list[tuple[int, int]] = []
        self._links: list[Anchor] = []
        self._wrong: list[Mark] = []
        self._open = [_Element("", None, 0, 0)]
        self._breaks = self._gap = self._seen = 0
        self._blank: int | None = None
        self._tab = self._at_item = False

    def rendition(self) -> Rendition:
        """Everything in it."""
        for piece in tokens_of(self._source):
            match piece.kind:
                case TokenKind.TEXT:
                    self._text(piece)
                case TokenKind.OPEN:
                    self._begin(piece)
                case TokenKind.CLOSE:
                    self._finish(piece)
                case TokenKind.WRONG:
                    self._say(piece, piece.value)
            if len(self._wrong) >= WRONG_MAX:
                break
        for element in self._open[1:]:
            if element.piece is not None:
                self._say(element.piece, f"the element `{element.name}` is never closed")
        text = "".join(self._chars)
        for found in _WIDE.finditer(text):
            start, end = self._starts[found.start()], self._ends[found.end() - 1]
            self._wrong.append(Mark(start=start, end=end, what="a gap in which nothing stands"))
        return Rendition(
            text=text,
            starts=tuple(self._starts),
            ends=tuple(self._ends),
            markers=tuple(self._markers),
            links=tuple(self._links),
            wrong=tuple(self._wrong[:WRONG_MAX]),
        )

    def _say(self, piece: Token, what: str) -> None:
        self._wrong.append(Mark(start=piece.start, end=piece.end, what=what))

    def _text(self, piece: Token) -> None:
        if not piece.value.strip(BLANKS):
            self._blank = piece.start if self._blank is None else self._blank
            return
        if not _HOLDS[self._open[-1].name] & _PHRASE:
            self._say(piece, f"a text within `{self._open[-1].name}`, where none can stand")
            return
        if piece.decoded:
            self._put(piece.value, [piece.start] * 2, [piece.end] * 2)
            return
        rest = 0
        for found in _WORD.finditer(piece.value):
            if found.start() > rest and self._blank is None:
                self._blank = piece.start + rest
            at = piece.start + found.start()
            places = range(at, at + len(found.group()) + 1)
            self._put(found.group(), places[:-1], places[1:])
            rest = found.end()
        if rest < len(piece.value):
            self._blank = piece.start + rest

    def _put(self, text: str, starts: range | list[int], ends: range | list[int]) -> None:
        """Add characters that are shown, behind the gap that is due."""
        gap, at = "", starts[0]
        if self._chars and not self._at_item:
            if self._breaks:
                gap = "\n" * min(self._breaks, 2)
            elif self._tab or self._blank is not None:
                gap = "\t" if self._tab else " "
                at = at if self._blank is None else self._blank
        self._chars.extend(gap + text)
        self._starts.extend([*[at] * len(gap), *starts[: len(text)]])
        self._ends.extend([*[starts[0]] * len(gap), *ends[: len(text)]])
        self._breaks, self._blank, self._tab, self._at_item = 0, None, False, False
        if not text.isspace():
            self._gap = 0
            self._seen += 1

    def _begin(self, piece: Token) -> None:
        name, around = piece.value, self._open[-1]
        refusal = self._refusal(piece, around)
        if refusal is not None:
            self._say(piece, refusal)
        if name not in ELEMENTS:
            return
        around.children += 1
        if name in _EMPTY:
            self._at_item = False
            self._break(self._breaks + 1 if name == "br" else 2)
            self._space(piece)
            return
        if name in ("td", "th"):
            self._tab, self._blank = around.children > 1, None
        elif name not in _INLINE:
            self._break(2 if name in _PARTED else 1)
        if name == "li":
            self._item(piece, around)
        self._open.append(_Element(name, piece, len(self._chars), self._seen))

    def _item(self, piece: Token, around: _Element) -> None:
        """What a reader puts before an item."""
        marker = f"{around.children}. " if around.name == "ol" else "- "
        self._put(marker, [piece.start] * len(marker), [piece.end] * len(marker))
        self._markers.append((len(self._chars) - len(marker), len(self._chars)))
        self._at_item = True

    def _finish(self, piece: Token) -> None:
        name, element = piece.value, self._open[-1]
        if name not in ELEMENTS and self._wrong:
            return
        if element.name != name or element.piece is None:
            self._say(piece, f"{phrase(name)} ends here, where it is not the last that began")
            names = [one.name for one in self._open]
            if name in names[1:]:
                del self._open[len(names) - 1 - names[::-1].index(name) :]
            return
        self._open.pop()
        if name == "a":
            self._link(element, element.piece, piece)
        elif name not in _INLINE and name not in ("td", "th"):
            self._at_item = False
            self._break(2 if name in _PARTED else 1)
            if self._seen == element.seen:
                self._space(piece)

    def _refusal(self, piece: Token, around: _Element) -> str | None:
        """Why an element cannot be told what is seen of it, or None."""
        name = piece.value
        if name not in ELEMENTS:
            return f"the element {phrase(name)} is none of those that are admitted"
        admitted = ("href",) if name == "a" else ()
        other = [one for one in piece.attributes if one not in admitted]
        if other:
            return f"the attribute {phrase(other[0])} of `{name}` is not admitted"
        if name not in _HOLDS[around.name]:
            where = f"within `{around.name}`" if around.name else "by itself"
            return f"`{name}` stands {where}, where readers mend it"
        if name == "thead" and around.children:
            return "`thead` is shown before what is written before it"
        if piece.slash and name not in _EMPTY:
            return f"`{name}` says that it is empty, which readers do not believe"
        if len(self._open) > DEPTH_MAX:
            return f"more than {DEPTH_MAX} elements are within one another"
        if name != "a":
            return None
        if any(one.name == "a" for one in self._open):
            return "a link within a link"
        return "it leads nowhere certain" if piece.twice or _is_odd(piece) else None

    def _link(self, element: _Element, opened: Token, piece: Token) -> None:
        text = "".join(self._chars[element.at :])
        start = element.at + len(text) - len(text.lstrip())
        if start == len(self._chars):
            self._say(opened, "a link without a text")
            return
        anchor = Anchor(
            start=start,
            end=len(self._chars),
            opened=opened.start,
            closed=piece.end,
            address=opened.attributes.get("href") or "",
        )
        self._links.append(anchor)

    def _break(self, lines: int) -> None:
        """What comes next begins a line; behind the marker of an item it is on one already."""
        if not self._at_item:
            self._breaks = max(self._breaks, lines)
            self._tab, self._blank = False, None

    def _space(self, piece: Token) -> None:
        """Count a line in which nothing is seen."""
        self._gap += 1
        if self._gap == GAP_MAX + 1:
            self._say(piece, "many empty lines: what stands behind them is out of sight")


def _is_odd(piece: Token) -> bool:
    """Whether a link's address is none of those that lead where they say."""
    address = piece.attributes.get("href")
    if address is None or len(address) > ADDRESS_CHARS_MAX or hidden_marks(address):
        return True
    return not (_WEB.fullmatch(address) or _MAIL.fullmatch(address))
