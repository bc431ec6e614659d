"""A second opinion on what can be seen, written from Unicode's tables and not from our own rules.

It takes the markup that a page would hold, reads the tokens back, and says which characters stand
there untouched although nobody can see them.
"""

from __future__ import annotations

import html
import re
import sys
import unicodedata
from typing import Final

__all__ = ["read_back", "unseen"]

# Default_Ignorable_Code_Point (DerivedCoreProperties.txt), Bidi_Control (PropList.txt).
_IGNORABLE: Final = (
    "AD 34F 61C 115F-1160 17B4-17B5 180B-180F "
    "200B-200F 202A-202E 2060-206F 3164 FE00-FE0F FEFF FFA0"
    " FFF0-FFF8 1BCA0-1BCA3 1D173-1D17A E0000-E0FFF"
)
# Drawn as nothing although they are letters, symbols or marks; and what annotates or stands in.
_EMPTY: Final = "2800 1D159 13430-13446 16FE4 1107F FFF9-FFFD"
_SPACES_SEEN: Final = " \u00a0\u2002\u2003\u2007\u2009\u202f\u3000"
# Prepended_Concatenation_Mark (PropList.txt): of category Cf, and printed.
_PRINTED: Final = "600-605 6DD 890-891 8E2 110BD 110CD"


def _codes(spans: str) -> set[int]:
    codes: set[int] = set()
    for span in spans.split():
        first, _, last = span.partition("-")
        codes.update(range(int(first, 16), int(last or first, 16) + 1))
    return codes


def _suspects() -> str:
    """A character class of everything that is not plainly visible by itself."""
    found = _codes(_IGNORABLE) | _codes(_EMPTY)
    printed = _codes(_PRINTED)
    for code in range(sys.maxunicode + 1):
        char = chr(code)
        category = unicodedata.category(char)
        if category[0] == "C" and char not in "\n\t" and code not in printed:
            # Pictures of a newer Unicode than Python's are drawn, or shown as a box.
            if not (category == "Cn" and 0x1F000 <= code <= 0x1FAFF):
                found.add(code)
        elif category[0] == "Z" and char not in _SPACES_SEEN:
            found.add(code)
    return _class_of(found)


def _class_of(codes: set[int]) -> str:
    spans: list[list[int]] = []
    for code in sorted(codes):
        if spans and spans[-1][1] == code - 1:
            spans[-1][1] = code
        else:
            spans.append([code, code])
    return "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in spans)


def _marks(*, combining: bool) -> str:
    codes = {
        code
        for code in range(sys.maxunicode + 1)
        if unicodedata.category(chr(code)) in ("Mn", "Me")
        and (not combining or unicodedata.combining(chr(code)))
    }
    return _class_of(codes)


_TOKEN_AT: Final = "\x01"
_TOKEN: Final = re.compile(
    r'<span class="token">((?:\[U\+[0-9A-F]{4,6}\])+)(?: ([0-9]+) times )?</span>'
)
_NAME: Final = re.compile(r"\[U\+([0-9A-F]+)\]")
_TAG: Final = re.compile(r"<[^>]*>")
_SUSPECT: Final = re.compile(f"[{_suspects()}]")
_PICTURE: Final = "[\u00a9\u00ae\u203c-\u3299\U0001f000-\U0001faff]"
_DRAWN: Final = f"{_PICTURE}[\U0001f3fb-\U0001f3ff]?[\ufe0e\ufe0f]?"
_HONEST: Final = re.compile(
    "\U0001f3f4\U000e0067\U000e0062[\U000e0061-\U000e007a]{3}\U000e007f"
    f"|[0-9#*]\ufe0f\u20e3|{_DRAWN}(?:\u200d{_DRAWN})*"
    "|[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff][\ufe00-\ufe02\U000e0100-\U000e011f]"
    "|[\u1820-\u18aa][\u180b-\u180d\u180f]"
    # joiners: after a vowel killer or before one, between Arabic letters or at the end of them
    "|(?<=[\u0900-\u1cff\ua800-\uabff\U00010a00-\U00011fff])[\u200c\u200d]"
    "|(?<=[\u0600-\u08ff])[\u200c\u200d]"
    # word breaks of scripts without spaces
    "|(?<=[\u0e00-\u109f\u1780-\u17ff\uaa60-\uaa7f])"
    "\u200b(?=[\u0e00-\u109f\u1780-\u17ff\uaa60-\uaa7f])"
)
_HINT: Final = re.compile("(?<![\u061c\u200e\u200f])[\u061c\u200e\u200f]")
_RIGHT_TO_LEFT: Final = re.compile("[\u05d0-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U0001eeff]")
_STORM: Final = re.compile(f"[{_marks(combining=False)}]{{7}}|[{_marks(combining=True)}]{{5}}")
_BARE: Final = re.compile(f"(?:^|[\x01 \t\n])[{_marks(combining=False)}]")


def read_back(markup: str) -> tuple[str, str]:
    """The text that a piece of markup stands for, and the same with a sign for every token.

    A token names its character; a run of one and the same is one token with a number.
    """
    residue = html.unescape(_TAG.sub("", _TOKEN.sub(_TOKEN_AT, markup)))
    if _TOKEN_AT not in residue:
        return residue, residue
    parts = iter(residue.split(_TOKEN_AT))
    whole = [next(parts)]
    for found in _TOKEN.finditer(markup):
        names, times = found.groups()
        chars = "".join(chr(int(name, 16)) for name in _NAME.findall(names))
        whole += (chars * int(times or 1), next(parts))
    return "".join(whole), residue


def unseen(residue: str) -> str | None:
    """What stands in a text, tokens aside, that nobody can see or that covers what is around."""
    rest = residue.replace("\r\n", "\n").replace(_TOKEN_AT, "\x02")
    if _STORM.search(rest):
        return "a storm of marks"
    if _BARE.search(residue):
        return "a mark on nothing"
    if not _SUSPECT.search(rest.replace("\x02", "")):
        return None
    for line in _HONEST.sub("x", rest).split("\n"):
        line = _HINT.sub("", line) if _RIGHT_TO_LEFT.search(line) else line
        found = _SUSPECT.search(line.replace("\x02", ""))
        if found:
            return f"U+{ord(found.group()):04X}"
    return None
