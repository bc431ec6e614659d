"""What hides in a message: characters that a person cannot see, or takes for others.

Nothing is normalised or removed: the bytes stay what they are, and `visible` shows them.

The same character can be honest in one place and a trick in another: a zero-width joiner belongs
inside an emoji and in Sinhala, and has no business in `pay pal`. Invisible characters are therefore
marked unless they stand where the script or the emoji asks for them; the two lists of what that
means are Unicode TR51 (emoji sequences) and RFC 5892 appendix A (joiners). Overrides, embeddings
and isolates of direction are always marked (CVE-2021-42574).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

import msgspec

from handrail.core.direction import turned_parts
from handrail.core.likeness import likenesses

__all__ = ["STACKED_MARKS_MAX", "Mark", "hidden_marks", "hidden_places", "visible"]

STACKED_MARKS_MAX: Final = 4
"""Accents on one letter that some language needs; more are there to cover the text around."""

SAME_MARKS_MAX: Final = 2
MARKS_MAX: Final = 6
"""Marks in a row of any make: vowel signs and stacked letters of Asian scripts included."""

_PLAIN: Final = re.compile(r"[\x20-\x7e\n\t\r]*\Z")
_LONE_RETURN: Final = re.compile(r"\r(?!\n)")
_SPECIAL: Final = re.compile(r"[^\x20-\x7e\n\t\r]|\r(?!\n)")

_DIRECTION: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_DIRECTION_HINT: Final = frozenset("\u061c\u200e\u200f")
# Fillers, joiners and blanks that are letters, marks or symbols by their category.
_BLANK: Final = frozenset(
    "\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\U0001107f\U00013441\U00013442\U00016fe4\U0001d159"
)
# Parts of a Korean syllable that have no width of their own, and what has to stand before them.
_SYLLABLE_PART: Final = re.compile("[\u1161-\u11ff\ud7b0-\ud7fb]")
_SYLLABLE: Final = re.compile("[\u1100-\u11ff\ua960-\ua97c\uac00-\ud7fb]")
_SELECTOR: Final = re.compile(r"[\u180b-\u180d\u180f\ufe00-\ufe0f\U000e0000-\U000e01ef]")
# What typesetters and keyboards put in everyday text: no-break (French, AM and PM), figure, thin
# (numbers), en and em (word processors), ideographic (Japanese).
_USUAL_SPACES: Final = frozenset("\u00a0\u202f\u2002\u2003\u2007\u2009\u3000")
# Signs of category Cf that are printed: they enclose the number that follows.
_PRINTED: Final = re.compile(r"[\u0600-\u0605\u06dd\u0890\u0891\u08e2\U000110bd\U000110cd]")

# Pictures that have a form in colour and one in text (emoji-variation-sequences.txt of Unicode).
_PICTURE: Final = (
    "[\u00a9\u00ae\u203c\u2049\u2122\u2139\u2194-\u2199"
    "\u21a9\u21aa\u231a\u231b\u2328\u23cf\u23e9-\u23f3"
    "\u23f8-\u23fa\u24c2\u25aa\u25ab\u25b6"
    "\u25c0\u25fb-\u25fe\u2600-\u2604\u260e\u2611\u2614\u2615\u2618"
    "\u261d\u2620\u2622\u2623\u2626\u262a\u262e"
    "\u262f\u2638-\u263a\u2640\u2642\u2648-\u2653\u265f\u2660\u2663"
    "\u2665\u2666\u2668\u267b\u267e\u267f\u2692-\u2697"
    "\u2699\u269b\u269c\u26a0\u26a1\u26a7\u26aa\u26ab\u26b0"
    "\u26b1\u26bd\u26be\u26c4\u26c5\u26c8\u26ce\u26cf"
    "\u26d1\u26d3\u26d4\u26e9\u26ea\u26f0-\u26f5\u26f7-\u26fa"
    "\u26fd\u2702\u2705\u2708-\u270d\u270f\u2712\u2714"
    "\u2716\u271d\u2721\u2728\u2733\u2734\u2744\u2747\u274c"
    "\u274e\u2753-\u2755\u2757\u2763\u2764\u2795-\u2797"
    "\u27a1\u27b0\u27bf\u2934\u2935\u2b05-\u2b07\u2b1b\u2b1c"
    "\u2b50\u2b55\u3030\u303d\u3297\u3299\U0001f000-\U0001faff]"
)
_ELEMENT: Final = f"{_PICTURE}[\U0001f3fb-\U0001f3ff]?[\ufe0e\ufe0f]?"
# A chain of pictures begins with a person, an animal, a flag, a heart or the like.
_DRESS: Final = _ELEMENT.removeprefix(_PICTURE)
_HEAD: Final = f"(?![\U0001f1e6-\U0001f1ff])[\u26d3\u26f9\u2764\U0001f000-\U0001faff]{_DRESS}"
_PROPER: Final = re.compile(
    # England, Scotland and Wales: the only flags that are spelled out in tags
    "\U0001f3f4\U000e0067\U000e0062(?:\U000e0065\U000e006e\U000e0067"
    "|\U000e0073\U000e0063\U000e0074|\U000e0077\U000e006c\U000e0073)\U000e007f"
    "|[0-9#*]\ufe0f\u20e3"
    f"|{_HEAD}(?:\u200d(?![\U0001f1e6-\U0001f1ff]){_ELEMENT})*|{_ELEMENT}"
    # how a Chinese character or a Mongolian letter is to be drawn
    "|[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
    "[\ufe00-\ufe02\U000e0100-\U000e011f]"
    "|[\u1820-\u18aa][\u180b-\u180d\u180f]"
)
_ASSIGNED_LATER: Final = re.compile("[\U0001f000-\U0001faff]")  # pictures of a newer Unicode
_RIGHT_TO_LEFT: Final = re.compile(
    "[\u05d0-\u05f2\u0620-\u064a\u066e-\u06d3\u06fa-\u08c9\ufb1d-\ufdff\ufe70-\ufefc"
    "\U00010800-\U00010fff\U0001e800-\U0001eeff]"
)
_ARABIC: Final = re.compile("[\u0620-\u064a\u066e-\u06d3\u06fa-\u077f\u0860-\u08c9]")
_UNSPACED: Final = re.compile("[\u0e01-\u0eff\u1000-\u109f\u1780-\u17b3\u17b6-\u17ff\uaa60-\uaa7f]")
_WITH_VIRAMA: Final = re.compile(
    "[\u0900-\u0dff\u0f00-\u109f\u1700-\u1cff\ua800-\uabff\U00010a00-\U00011fff]"
)
_VIRAMA: Final = 9
_MARKS: Final = ("Mn", "Me")
_MARKS_BETWEEN_MAX: Final = 4


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """Characters `start` to `end` (exclusive) of a text hide something; `what` says what."""

    start: int
    end: int
    what: str


def hidden_marks(text: str) -> tuple[Mark, ...]:
    """Every place where the text a person sees may differ from its characters, in order.

    Neighbouring characters that hide in the same way are one mark.
    """
    if _is_plain(text):
        return ()
    marks: list[Mark] = []
    for place, what in _odd_characters(text):
        if marks and marks[-1].end == place and marks[-1].what == what:
            marks[-1] = Mark(start=marks[-1].start, end=place + 1, what=what)
        else:
            marks.append(Mark(start=place, end=place + 1, what=what))
    marks.extend(Mark(start=start, end=end, what=what) for start, end, what in likenesses(text))
    return tuple(sorted(marks, key=lambda mark: (mark.start, mark.end)))


def hidden_places(text: str) -> frozenset[int]:
    """The places of the characters that `visible` shows as tokens."""
    return frozenset() if _is_plain(text) else frozenset(at for at, _ in _odd_characters(text))


def visible(text: str) -> str:
    """The text with every character that hides as a token like `[U+202E]`.

    Look-alike letters stay as they are: they can be seen, and `hidden_marks` points at them.
    """
    if _is_plain(text):
        return text
    shown: list[str] = []
    rest = 0
    for place, _ in _odd_characters(text):
        shown += (text[rest:place], f"[U+{ord(text[place]):04X}]")
        rest = place + 1
    return "".join((*shown, text[rest:]))


def _is_plain(text: str) -> bool:
    return bool(_PLAIN.match(text)) and not ("\r" in text and _LONE_RETURN.search(text))


def _odd_characters(text: str) -> Iterator[tuple[int, str]]:
    """Place and description of every character that hides, in order."""
    proper = {
        place for found in _PROPER.finditer(text) for place in range(found.start() + 1, found.end())
    }
    odd = -1
    turned: frozenset[int] | None = None
    for found in _SPECIAL.finditer(text):
        place, char = found.start(), found.group()
        if place in proper:
            continue
        what = _what_of(char) or _what_of_place(text, place, char, bare=odd == place - 1)
        if what is None or _joins(text, place):
            continue
        if char in _DIRECTION_HINT:
            turned = _beside_letters(text) if turned is None else turned
            lone = place == 0 or odd == place - 1 or text[place - 1] not in _DIRECTION_HINT
            if lone and place in turned:
                continue
        odd = place
        yield place, what


def _what_of_place(text: str, place: int, char: str, *, bare: bool) -> str | None:
    """What a character hides that can be seen, by where it stands; `bare` when a token precedes."""
    if _SYLLABLE_PART.match(char):
        lone = bare or place == 0 or not _SYLLABLE.match(text[place - 1])
        return "part of a syllable that is not there" if lone else None
    if unicodedata.category(char) not in _MARKS:
        return None
    row = same = combining = 1
    while row < MARKS_MAX + 2 and place >= row:
        before = text[place - row]
        if unicodedata.category(before) not in _MARKS:
            break
        same += same == row and before == char
        combining += combining == row and bool(unicodedata.combining(before))
        row += 1
    if not unicodedata.combining(char):
        combining = 0
    if (
        row > MARKS_MAX
        or combining > STACKED_MARKS_MAX
        or (same > SAME_MARKS_MAX and not combining)
    ):
        return "one of many marks over one letter"
    if bare or (row == 1 and (place == 0 or text[place - 1] in " \t\n\r")):
        return "a mark without a letter to stand on"
    return None


def _beside_letters(text: str) -> frozenset[int]:
    """Where a hint at a direction does what it is for: among letters set from right to left."""
    return frozenset(
        place
        for start, end in turned_parts(text)
        if any(char.isalpha() for char in _RIGHT_TO_LEFT.findall(text, start, end))
        for place in range(start, end)
    )


def _what_of(char: str) -> str | None:
    """What `char` hides when it stands where nothing asks for it."""
    if char in _DIRECTION or char in _DIRECTION_HINT:
        return "changes the direction of text"
    if _SELECTOR.match(char):
        return "invisible tag or selector"
    if char in _BLANK:
        return "looks blank"
    if char == "\u034f":
        return "invisible character"
    if char == "\ufffc":
        return "stands for something that is not in the text"
    if char == "\ufffd":
        return "could not be decoded"
    match unicodedata.category(char):
        case "Cf":
            return None if _PRINTED.match(char) else "invisible character"
        case "Cc":
            return "control character"
        case "Co" | "Cs":
            return "character without a meaning"
        case "Cn":
            return None if _ASSIGNED_LATER.match(char) else "character without a meaning"
        case "Zs" | "Zl" | "Zp":
            return None if char in _USUAL_SPACES else "unusual space or line break"
        case _:
            return None


def _joins(text: str, place: int) -> bool:
    """Whether the zero-width character at `place` does what its script needs it for."""
    char = text[place]
    if char not in "\u200b\u200c\u200d" or place == 0:
        return False
    before, after = text[place - 1], text[place + 1 : place + 2]
    letter = place - 1
    while letter > 0 and place - letter <= _MARKS_BETWEEN_MAX and _is_mark(before):
        letter -= 1
        before = text[letter]
    if not before.isalpha():
        return False
    if char == "\u200b":
        return bool(_UNSPACED.match(before) and _UNSPACED.match(after) and after.isalpha())
    # A joiner beside a virama belongs to a script without capitals: Hindi, Sinhala, Bengali.
    if unicodedata.combining(text[place - 1]) == _VIRAMA or (
        char == "\u200d" and after and unicodedata.combining(after) == _VIRAMA
    ):
        return _WITH_VIRAMA.match(before) is not None
    left = bool(_ARABIC.match(before)) and "\u0600" <= text[place - 1] <= "\u08ff"
    right = bool(_ARABIC.match(after)) and after.isalpha()
    # A non-joiner parts two letters; a joiner at the edge of a word keeps a letter's joined form.
    return (left and right) if char == "\u200c" else (left and not right)


def _is_mark(char: str) -> bool:
    return unicodedata.category(char)[0] == "M" and char != "\u034f" and not _SELECTOR.match(char)
