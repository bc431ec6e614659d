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

__all__ = ["STACKED_MARKS_MAX", "Mark", "hidden_marks", "visible"]

STACKED_MARKS_MAX: Final = 4
"""Accents on one letter that some language needs; more are there to cover the text around."""

_PLAIN: Final = re.compile(r"[\x20-\x7e\n\t\r]*\Z")
_SPECIAL: Final = re.compile(r"[^\x20-\x7e\n\t\r]")

_DIRECTION: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_DIRECTION_HINT: Final = frozenset("\u061c\u200e\u200f")
_BLANK: Final = frozenset("\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_SELECTOR: Final = re.compile(r"[\u180b-\u180d\u180f\ufe00-\ufe0f\U000e0000-\U000e01ef]")
# What typesetters and keyboards put in everyday text: no-break (French, AM and PM), figure, thin
# (numbers), en and em (word processors), ideographic (Japanese).
_USUAL_SPACES: Final = frozenset("\u00a0\u202f\u2002\u2003\u2007\u2009\u3000")
# Signs of category Cf that are printed: they enclose the number that follows.
_PRINTED: Final = re.compile(r"[\u0600-\u0605\u06dd\u0890\u0891\u08e2\U000110bd\U000110cd]")

_PICTURE: Final = (
    "[\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u23ff\u24c2\u25a0-\u27bf"
    "\u2900-\u297f\u2b00-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff]"
)
_ELEMENT: Final = f"{_PICTURE}[\U0001f3fb-\U0001f3ff]?[\ufe0e\ufe0f]?"
_PROPER: Final = re.compile(
    # England, Scotland and Wales: the only flags that are spelled out in tags
    "\U0001f3f4\U000e0067\U000e0062(?:\U000e0065\U000e006e\U000e0067"
    "|\U000e0073\U000e0063\U000e0074|\U000e0077\U000e006c\U000e0073)\U000e007f"
    "|[0-9#*]\ufe0f\u20e3"
    f"|{_ELEMENT}(?:\u200d{_ELEMENT})*"
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
_VIRAMA: Final = 9
_MARKS_BETWEEN_MAX: Final = 4

_LATIN_LETTERS: Final = "A-Za-zªºÀ-ÖØ-öø-\u02af\u1e00-\u1eff"
_SCRIPT_LETTERS: Final = {
    "armenian": "\u0531-\u0556\u0560-\u0588",
    "cherokee": "\u13a0-\u13fd\uab70-\uabbf",
    "cyrillic": "\u0400-\u0481\u048a-\u052f\u1c80-\u1c88\ua640-\ua66e\ua680-\ua69d",
    "greek": "\u0370-\u0373\u0376-\u037d\u037f\u0386\u0388-\u03ff\u1f00-\u1fff",
}
_LIKE_LATIN: Final = re.compile(
    "[АВЕКМНОРСТУХЅІЈҮԌԚԜӀасеорхуіјѕһԁԛԝӏѵү"  # Cyrillic
    "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧϹͿαινορυχϲϳ"  # Greek
    "ՕՏՍԼհյոսօցզ"  # Armenian
    "ᎠᎡᎢᎥᎩᎪᎫᎬᎳᎷᎻᎽᏀᏂᏃᏎᏏᏒᏔᏙᏚᏞᏟᏢᏦᏧᏮ]"  # Cherokee
)
# Letters that are another way to write one ASCII letter (wide, mathematical, Kelvin, Roman one),
# and two that are drawn like one. Not: superscripts (`Mᵐᵉ`, `Nº`), the litre sign.
_MATHEMATICAL_LETTERS: Final = "\U0001d400-\U0001d6a3"
_DISGUISED_LETTERS: Final = (
    "ſɑɡ\u2102\u210a-\u2112\u2115\u2119-\u211d\u2124\u2128\u212a\u212c\u212d\u212f-\u2134"
    "\u2145-\u2149\u2160\u2164\u2169\u216c-\u2170\u2174\u2179\u217c-\u217f"
    f"\uff21-\uff3a\uff41-\uff5a{_MATHEMATICAL_LETTERS}"
)
_LATIN: Final = re.compile(f"[{_LATIN_LETTERS}]")
_SCRIPTS: Final = {name: re.compile(f"[{span}]") for name, span in _SCRIPT_LETTERS.items()}
_ALL_LETTERS: Final = "".join((_LATIN_LETTERS, *_SCRIPT_LETTERS.values(), _DISGUISED_LETTERS))
_WORD: Final = re.compile(f"(?:[{_ALL_LETTERS}][\u0300-\u036f]*)+")
_IN_DISGUISE: Final = re.compile(
    f"[A-Za-z][{_DISGUISED_LETTERS}]|[{_DISGUISED_LETTERS}][A-Za-z]|[{_MATHEMATICAL_LETTERS}]{{2}}"
)
_ASCII_LETTER: Final = re.compile("[A-Za-z]")
_NUMBER: Final = re.compile(r"\d{2,}")
_GLUE: Final = re.compile(r"[.@:/_\d]")
_ADDRESS_CHARS_MAX: Final = 254
_WIDE_ZERO: Final = 0xFF10


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """Characters `start` to `end` (exclusive) of a text hide something; `what` says what."""

    start: int
    end: int
    what: str


def hidden_marks(text: str) -> tuple[Mark, ...]:
    """Every place where the text a person sees may differ from its characters, in order.

    Neighbouring characters that hide in the same way are one mark.
    """
    if _PLAIN.match(text):
        return ()
    marks: list[Mark] = []
    for place, what in _odd_characters(text):
        if marks and marks[-1].end == place and marks[-1].what == what:
            marks[-1] = Mark(start=marks[-1].start, end=place + 1, what=what)
        else:
            marks.append(Mark(start=place, end=place + 1, what=what))
    marks.extend(_odd_words(text))
    marks.extend(_odd_numbers(text))
    return tuple(sorted(marks, key=lambda mark: (mark.start, mark.end)))


def visible(text: str) -> str:
    """The text with every character that hides as a token like `[U+202E]`.

    Look-alike letters stay as they are: they can be seen, and `hidden_marks` points at them.
    """
    if _PLAIN.match(text):
        return text
    shown: list[str] = []
    rest = 0
    for place, _ in _odd_characters(text):
        shown += (text[rest:place], f"[U+{ord(text[place]):04X}]")
        rest = place + 1
    return "".join((*shown, text[rest:]))


def _odd_characters(text: str) -> Iterator[tuple[int, str]]:
    """Place and description of every character that hides, in order."""
    proper = {
        place for found in _PROPER.finditer(text) for place in range(found.start() + 1, found.end())
    }
    line_end = last_mark = -1
    stacked = 0
    right_to_left = False
    for found in _SPECIAL.finditer(text):
        place, char = found.start(), found.group()
        if place > line_end:
            line_start, line_end = _line_around(text, place)
            right_to_left = _RIGHT_TO_LEFT.search(text, line_start, line_end) is not None
        if unicodedata.combining(char):
            stacked = stacked + 1 if place == last_mark + 1 else 1
            last_mark = place
            if stacked > STACKED_MARKS_MAX:
                yield place, "one of many marks over one letter"
                continue
        if place in proper or (what := _what_of(char)) is None:
            continue
        if not (right_to_left and char in _DIRECTION_HINT) and not _joins(text, place):
            yield place, what


def _line_around(text: str, place: int) -> tuple[int, int]:
    end = text.find("\n", place)
    return text.rfind("\n", 0, place) + 1, len(text) if end < 0 else end


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
    if char == "\u200b":
        return bool(_UNSPACED.match(before) and _UNSPACED.match(after))
    if unicodedata.combining(before) == _VIRAMA:
        return True
    if char == "\u200d" and after and unicodedata.combining(after) == _VIRAMA:
        return before.isalpha()
    letter = place - 1
    while letter > 0 and place - letter <= _MARKS_BETWEEN_MAX and unicodedata.combining(before):
        letter -= 1
        before = text[letter]
    left, right = bool(_ARABIC.match(before)), bool(_ARABIC.match(after))
    # A non-joiner parts two letters; a joiner at the edge of a word keeps a letter's joined form.
    return (left and right) if char == "\u200c" else (left and not right)


def _odd_words(text: str) -> Iterator[Mark]:
    """Words of which some letters, or all of them, are taken for others."""
    disguised = _scripts_in_disguise(text)
    for found in _WORD.finditer(text):
        word = found.group()
        if word.isascii():
            continue
        what = _what_of_word(word)
        if what is None and len(word) > 1 and all(map(_LIKE_LATIN.match, word)):
            script = next(name for name, letters in _SCRIPTS.items() if letters.match(word))
            if script in disguised or _in_an_address(text, found.start(), found.end()):
                what = f"reads as latin but is {script}"
        if what is not None:
            yield Mark(start=found.start(), end=found.end(), what=what)


def _what_of_word(word: str) -> str | None:
    scripts = [name for name, letters in _SCRIPTS.items() if letters.search(word)]
    if scripts and _LATIN.search(word):
        scripts.append("latin")
    # WHY NOT: every mixture. Ohm and micro are Greek letters in `kΩ` and `μm`, and are seen.
    if len(scripts) > 1 and ("cyrillic" in scripts or _LIKE_LATIN.search(word)):
        return "mixed scripts: " + " and ".join(sorted(scripts))
    return "letters that look like others" if _IN_DISGUISE.search(word) else None


def _scripts_in_disguise(text: str) -> set[str]:
    """Scripts of which a text in Latin letters has nothing but look-alikes of Latin letters.

    A real word or two of Russian or Greek nearly always has a letter that Latin has not.
    """
    if not _ASCII_LETTER.search(text):
        return set()
    return {
        name
        for name, letters in _SCRIPTS.items()
        if all(_LIKE_LATIN.match(found.group()) for found in letters.finditer(text))
    }


def _in_an_address(text: str, start: int, end: int) -> bool:
    """Whether the word is joined, as in `host.com`, to something with Latin letters."""
    before = text[max(0, start - _ADDRESS_CHARS_MAX) : start]
    after = text[end : end + _ADDRESS_CHARS_MAX]
    if not (_GLUE.match(before[-1:]) or _GLUE.match(after)):
        return False
    joined = (before + "|").split()[-1] + ("|" + after).split()[0]
    return _LATIN.search(joined) is not None


def _odd_numbers(text: str) -> Iterator[Mark]:
    """Numbers whose digits come from two writing systems (wide ones are plain to see)."""
    for found in _NUMBER.finditer(text):
        zeros = {ord(digit) - unicodedata.decimal(digit) for digit in found.group()}
        if len(zeros - {_WIDE_ZERO}) > 1:
            yield Mark(start=found.start(), end=found.end(), what="digits of two writing systems")
