"""What a person can see is what is sent: 528 curated strings, and a million from a seed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Final

import pytest

from handrail.core.direction import turned_parts
from handrail.core.text import hidden_marks
from handrail.surfaces.console.text.literal import literal
from tests.deception.sight import read_back, unseen
from tests.deception.strings import DECEPTIVE

FUZZED: Final = 1_000_000
PIECES: Final = (
    # what hides
    *"\u200b\u200c\u200d\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
    "\u00ad\u034f\u180e\u2060\u2063\ufeff\u115f\u1160"
    "\u3164\u2800\uffa0\ufe0e\ufe0f\ufe00\ufe01\u180b"
    "\U000e0061\U000e0067\U000e0062\U000e0065\U000e006e\U000e007f\U000e0001\U000e0100\U000e01ef"
    "\x00\x07\x08\x0b\x0c\x1b\x7f\x85\x9b\u2028\u2029"
    "\u1680\u2000\u200a\u205f\ufff9\ufffb\ufffc\ufffd"
    "\ue000\U000f0000\ufdd0\uffff\ud800\udc00\u2065\U00013430\U00013441\U0001d159\U0001d173",
    # what covers, and what stands on nothing
    *"\u0301\u0323\u0338\u0489\u20dd\u20e3\u0e47\u0670\u094d\u0ccd\u0f71\u1161\u11a8\u0300\u0300",
    # what is honest in its place
    *"abcPayл\u0430οאבםمخیهกកតက한田辻ᠠनर👩👨🙂❤🏴🏽🇫🇷♂⚕☎⇒→#*1209.,:/@-()<>&'\"",
    *" \u00a0\u202f\u3000\t",
    "\n",
    "\r\n",
    "\r",
    "pay",
    "10",
    "0.00",
    " USD",
    "https://",
    "👩\u200d👧",
    "❤\ufe0f",
    "1\ufe0f\u20e3",
    "\u0456\u0445",
    "𝟏",
    "৪",
    "٢",
    "．",
    "\u2024",
    "[U+202E]",
)
LENGTHS: Final = (1, 2, 3, 4, 5, 6, 8, 12)


@pytest.mark.parametrize("name", DECEPTIVE)
def test_a_deceptive_string_is_marked(name: str) -> None:
    """B1, B2, B3: each of the curated strings has a visible mark, and hides nothing besides it."""
    text = DECEPTIVE[name]
    assert hidden_marks(text) or turned_parts(text)
    markup = str(literal(text))
    assert 'class="odd"' in markup or 'class="turned"' in markup
    whole, residue = read_back(markup)
    assert whole == text
    assert unseen(residue) is None


def test_there_are_more_than_five_hundred() -> None:
    """They are different ones."""
    assert len(set(DECEPTIVE.values())) == len(DECEPTIVE) >= 500


def strings_of(seed: int, count: int) -> Iterator[str]:
    """So many strings of honest and dishonest pieces, the same for the same seed."""
    chance = random.Random(seed)
    lengths = chance.choices(LENGTHS, k=count)
    pieces = iter(chance.choices(PIECES, k=sum(lengths)))
    for length in lengths:
        yield "".join(next(pieces) for _ in range(length))


def faults_in(seed: int, count: int) -> list[str]:
    """Strings of a seed that are shown otherwise than they are, with what is wrong."""
    faults = []
    for text in strings_of(seed, count):
        whole, residue = read_back(str(literal(text)))
        what = "not what was sent" if whole != text else unseen(residue)
        if what is not None:
            faults.append(f"{text!a}: {what}")
    return faults


@pytest.mark.parametrize("seed", range(10))
def test_a_million_strings_are_shown_as_they_are(seed: int) -> None:
    """B1, B2, B10: every character is plain to see, or a token in its place names it."""
    assert faults_in(seed, FUZZED // 10) == []
