"""Likenesses: letters, digits and signs of one writing system that are taken for another's.

They can be seen, so they stay as they are and are pointed at. What counts is where they stand: a
Russian name in an English letter is honest, one Russian letter in an English word is not.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

__all__ = ["Likeness", "likenesses"]

Likeness = tuple[int, int, str]
"""From where to where (exclusive) something is taken for something else, and what it is."""

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
# those drawn like one, small capitals. Not: superscripts (`Mᵐᵉ`, `Nº`), the litre sign.
_MATHEMATICAL_LETTERS: Final = "\U0001d400-\U0001d6a3"
_DISGUISED_LETTERS: Final = (
    "ſɑɡɢɪɴʀʏʙʜʟ\u1d00-\u1d22\ua730\ua731\u212e\u2102\u210a-\u2112"
    "\u2115\u2119-\u211d\u2124\u2128\u212a\u212c\u212d\u212f-\u2134"
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
_UNMIXED: Final = frozenset(("armenian", "cherokee", "cyrillic"))
_ASCII_LETTER: Final = re.compile("[A-Za-z]")
# Writing systems with letters drawn like Latin ones, that nobody mixes into a Latin word: N'Ko,
# Georgian, Canadian syllables, Runes, Glagolitic, Coptic, Tifinagh, Lisu, Vai, ancient alphabets.
_KINDRED: Final = (
    "\u07c0-\u07ff\u10a0-\u10ff\u1400-\u167f\u16a0-\u16f8\u2c00-\u2c5f\u2c80-\u2cf3\u2d30-\u2d67"
    "\ua4d0-\ua4f7\ua500-\ua63f\U00010280-\U000102df\U00010300-\U0001031f\U00010330-\U0001034a"
    "\U00010400-\U000104ff\U000118a0-\U000118df"
)
# Any other letter or digit that is not Latin, Greek or Cyrillic; the East Asian scripts are written
# without spaces and stand between Latin letters in honest texts.
_FOREIGN: Final = (
    "\u0590-\u10ff\u1200-\u139f\u1400-\u1cff\u2c00-\u2dff\ua4d0-\ua6ff\ua800-\uab2f"
    "\U00010280-\U0001bfff"
)
_ODD_LETTERS: Final = re.compile(
    f"(?<=[A-Za-z])[{_KINDRED}]+|[{_KINDRED}]+(?=[A-Za-z])"
    f"|(?<=[A-Za-z])[{_FOREIGN}]{{1,3}}(?=[A-Za-z])"
)
_LISU: Final = re.compile("[\ua4d0-\ua4f7]{2,}")
_MONEY_LETTER: Final = re.compile(
    "[\u0404\u0454](?=[ \u00a0]?[0-9])|(?<=[0-9])[ \u00a0]?[\u0404\u0454](?!\\w)"
)
_MONEY_LETTERS: Final = re.compile("[\u0404\u0454]")
_EAST_ASIAN: Final = re.compile("[\u3041-\u30fa\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3]")
# Signs drawn like `.`, `/`, `:`, `@`, `,`, `!` or `;`, where one of those holds something together.
_SIGNS: Final = (
    "\u01c3\u02d0\u037e\u0589\u05c3\u066b\u066c\u06d4"
    "\u0701\u0702\u201a\u2024\u2027\u2215\u2236\u2571\u27cb"
    "\u29f8\ua4f8\ua4fa\ua78f\ua789"
)
_EAST_ASIAN_SIGNS: Final = (
    "\u3001\u3002\u30fb\ufe50\ufe52\ufe55\ufe6b\uff0c\uff0e\uff0f\uff1a\uff20\uff61"
)
_HELD: Final = "[A-Za-z0-9:/.@]"
_FRACTION: Final = "(?<=[A-Za-z:/.@])\u2044|\u2044(?=[A-Za-z])"
_SIGN: Final = re.compile(f"(?<={_HELD})[{_SIGNS}](?={_HELD})|{_FRACTION}")
_EAST_ASIAN_SIGN: Final = re.compile(f"(?<={_HELD})[{_EAST_ASIAN_SIGNS}](?={_HELD})")
_NUMBER: Final = re.compile(r"\d+")
# Digits that are the usual ones in another fashion: mathematical ones and those of old displays.
_MATHEMATICAL_ZEROS: Final = frozenset((*range(0x1D7CE, 0x1D800, 10), 0x1FBF0))
_GLUE: Final = re.compile(r"[.@:/_\d]")
_ADDRESS_CHARS_MAX: Final = 254
_WIDE_ZERO: Final = 0xFF10


def likenesses(text: str) -> Iterator[Likeness]:
    """Every place at which a person may read other characters than there are."""
    yield from _odd_words(text)
    yield from _odd_numbers(text)
    yield from _odd_letters(text)


def _odd_letters(text: str) -> Iterator[Likeness]:
    """Single letters and signs that do not belong where they stand."""
    for found in _ODD_LETTERS.finditer(text):
        if any(char.isalnum() for char in found.group()):
            yield found.start(), found.end(), "letters of another alphabet in a latin word"
    for found in _SIGN.finditer(text):
        yield found.start(), found.end(), "a sign that looks like another"
    if not _EAST_ASIAN.search(text):
        for found in _EAST_ASIAN_SIGN.finditer(text):
            yield found.start(), found.end(), "a sign that looks like another"
    if _ASCII_LETTER.search(text):
        for found in _LISU.finditer(text):
            yield found.start(), found.end(), "reads as latin but is lisu"
    # An honest text in Ukrainian has other letters of it too.
    if len(_MONEY_LETTERS.findall(text)) == len(_SCRIPTS["cyrillic"].findall(text)):
        for found in _MONEY_LETTER.finditer(text):
            yield found.start(), found.end(), "a letter that looks like a currency sign"


def _odd_words(text: str) -> Iterator[Likeness]:
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
            yield found.start(), found.end(), what


def _what_of_word(word: str) -> str | None:
    scripts = [name for name, letters in _SCRIPTS.items() if letters.search(word)]
    if scripts and _LATIN.search(word):
        scripts.append("latin")
    # WHY NOT: every mixture. Ohm and micro are Greek letters in `kΩ` and `μm`, and are seen.
    if len(scripts) > 1 and (not _UNMIXED.isdisjoint(scripts) or _LIKE_LATIN.search(word)):
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


def _odd_numbers(text: str) -> Iterator[Likeness]:
    """Numbers in digits that are read as others (wide ones are plain to see)."""
    known: dict[str, bool] = {}
    for found in _NUMBER.finditer(text):
        number = found.group()
        if number.isascii():
            continue
        zeros = {ord(digit) - unicodedata.decimal(digit) for digit in number} - {_WIDE_ZERO}
        if len(zeros) > 1:
            yield found.start(), found.end(), "digits of two writing systems"
        elif zeros and (len(number) > 1 or zeros.isdisjoint(_MATHEMATICAL_ZEROS)):
            zero = chr(zeros.pop())
            if zero not in known:
                known[zero] = _is_out_of_place(text, zero)
            if known[zero]:
                yield found.start(), found.end(), "digits of another writing system"


def _is_out_of_place(text: str, zero: str) -> bool:
    """Whether a text in Latin letters has digits of a writing system that it has no letter of."""
    if ord(zero) in _MATHEMATICAL_ZEROS:
        return True
    if zero == "0" or not _ASCII_LETTER.search(text):
        return False
    first = unicodedata.name(zero).removeprefix("EXTENDED ").split()[0].removesuffix("-INDIC")
    return not any(
        char.isalpha() and not char.isascii() and unicodedata.name(char, "").startswith(first)
        for char in text
    )
