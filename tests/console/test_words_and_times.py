"""How the console says things: every closed set has words, times and amounts are exact."""

from __future__ import annotations

import re
from collections.abc import Container
from zoneinfo import ZoneInfo

import pytest
from babel import Locale
from babel.localedata import locale_identifiers
from hypothesis import given
from hypothesis import strategies as st

from handrail.core.decide import ReasonCode
from handrail.core.entry import Tag
from handrail.core.grade import Grade
from handrail.core.lifecycle import State
from handrail.core.money import EXPONENTS, Money
from handrail.core.policy import Control
from handrail.core.principal import Role
from handrail.core.retype import check_retyped, retype_of
from handrail.core.review import Verdict
from handrail.core.triggers.span import Span, Trigger
from handrail.surfaces.console.language.amounts import amount_text, plain_amount
from handrail.surfaces.console.language.catalogue import Catalogue
from handrail.surfaces.console.language.reader import Reader, reading
from handrail.surfaces.console.language.times import (
    clock_text,
    iso_text,
    moment_text,
    relative_text,
)
from handrail.surfaces.console.language.words import (
    CONTROL_WORDS,
    ENTRIES,
    GRADES,
    REASONS,
    ROLES,
    STATES,
    VERDICTS,
    control_text,
    name_text,
)
from handrail.surfaces.console.text.codes import value_markup
from handrail.surfaces.console.text.literal import (
    clipped,
    hidden_notes,
    json_text,
    literal,
    marked,
    money_markup,
    told,
)

NOON = 1_772_280_129_500  # 2026-02-28T12:02:09.5Z
SPOKEN = ("de", "fr", "es_MX", "ar", "en", "tr", "pt_PT")
S, MIN, H, DAY = 1_000, 60_000, 3_600_000, 86_400_000


def spans(*places: tuple[int, int, str]) -> list[Span]:
    """Spans of one trigger."""
    return [
        Span(start=start, end=end, trigger=Trigger.MONEY, what=what) for start, end, what in places
    ]


@pytest.mark.parametrize(
    ("text", "places", "wanted"),
    [
        ("a < b", [], "a &lt; b"),
        ("pay $50 now", [(4, 7, "x")], 'pay <mark class="found" title="x">$50</mark> now'),
        ("<$5>", [(0, 4, '"')], '<mark class="found" title="&#34;">&lt;$5&gt;</mark>'),
        (
            "abcdef",
            [(1, 4, "x"), (3, 5, "y")],
            'a<mark class="found" title="x; y">bcde</mark>f',
        ),
        (
            "a\u202eb",
            [(0, 2, "x")],
            '<mark class="found" title="x">a'
            '<mark class="odd" title="changes the direction of text">'
            '<span class="token">[U+202E]</span></mark></mark>b',
        ),
    ],
)
def test_finds_are_marked(text: str, places: list[tuple[int, int, str]], wanted: str) -> None:
    """Escaped, in their place, overlapping ones as one, and nothing that hides gets lost."""
    assert marked(text, spans(*places)) == wanted


@given(
    st.text("ab\u0430\u00e9 <&>\"'\n", max_size=60),
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=5),
)
def test_marking_changes_no_text(text: str, cuts: list[tuple[int, int]]) -> None:
    """Without its tags the marked text is the literal one."""
    places = [(a, min(b, len(text)), "x") for a, b in cuts if a < min(b, len(text))]
    tags = re.compile("<[^>]*>")
    assert tags.sub("", marked(text, spans(*places))) == tags.sub("", literal(text))


@pytest.mark.parametrize(
    ("members", "words"),
    [
        (list(State), STATES),
        (list(Grade), GRADES),
        (list(ReasonCode), REASONS),
        (list(Role), ROLES),
        (list(Verdict), VERDICTS),
        (list(Control), CONTROL_WORDS),
        ([tag.value for tag in Tag], ENTRIES),
    ],
)
def test_every_member_has_words(members: list[object], words: Container[object]) -> None:
    """Nothing new can reach a page without a word for it."""
    assert [member for member in members if member not in words] == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("wrong_item", '<span title="wrong_item">wrong item</span>'),
        ("delivered", "delivered"),
        ("Wrong_item", "Wrong_item"),
        ("snake_case <b>", "snake_case &lt;b&gt;"),
        ("jo.ha@shop.test", "jo<wbr>.ha<wbr>@shop<wbr>.test"),
        ("jo@p\u0430y.test", str(literal("jo@p\u0430y.test"))),
        (
            "<a.1@b.test>",
            '<span class="message-id">Message-ID <span class="id">'
            "&lt;a<wbr>.1<wbr>@b<wbr>.test&gt;</span></span>",
        ),
    ],
)
def test_values_as_people_read_them(text: str, shown: str) -> None:
    """A code has words and keeps itself as the title; what is anything else stays as it is."""
    assert value_markup(text) == shown


def test_every_control_has_a_sentence() -> None:
    """Controls differ in words, and two checkers from one."""
    said = {control_text(control, 1) for control in Control}
    said.add(control_text(Control.MAKER_CHECKER, 2))
    assert len(said) == len(Control) + 1


@pytest.mark.parametrize(
    ("away_ms", "said"),
    [
        (0, "just now"),
        (999, "just now"),
        (-12 * S, "12 s ago"),
        (59 * S, "in 59 s"),
        (MIN, "in 1 min"),
        (3 * H + 58 * MIN + 59 * S, "in 3 h 58 min"),
        (-4 * H, "4 h ago"),
        (DAY, "in 1 day"),
        (-(2 * DAY + 4 * H + MIN), "2 days 4 h ago"),
    ],
)
def test_relative_times(away_ms: int, said: str) -> None:
    """The two largest units, rounded down, and which way."""
    assert relative_text(NOON + away_ms, NOON) == said


def test_times_are_utc() -> None:
    """A moment has its second, a clock its minute, and the day when it is another one."""
    assert moment_text(NOON) == "28 Feb 2026, 12:02:09 UTC"
    assert iso_text(NOON) == "2026-02-28T12:02:09Z"
    assert clock_text(NOON, NOON) == "12:02 UTC"
    assert clock_text(NOON + DAY, NOON) == "1 Mar, 12:02 UTC"


# zone | at | moment | clock, seen from NOON
ZONES = """
Europe/Berlin      0      28 Feb 2026, 13:02:09 UTC+1      13:02 UTC+1
America/St_Johns   0      28 Feb 2026, 08:32:09 UTC-3:30   08:32 UTC-3:30
Asia/Kathmandu     0      28 Feb 2026, 17:47:09 UTC+5:45   17:47 UTC+5:45
Pacific/Auckland   0      1 Mar 2026, 01:02:09 UTC+13      01:02 UTC+13
Pacific/Auckland   -2     28 Feb 2026, 23:02:09 UTC+13     28 Feb, 23:02 UTC+13
Europe/Berlin      720    30 Mar 2026, 14:02:09 UTC+2      30 Mar, 14:02 UTC+2
"""


@pytest.mark.parametrize("row", ZONES.strip().splitlines())
def test_times_in_the_reader_s_zone(row: str) -> None:
    """With how far it is from UTC at that time of the year; the day is the zone's own."""
    name, hours, moment, clock = re.split(r"\s{2,}", row)
    with reading(Reader(zone=ZoneInfo(name))):
        assert moment_text(NOON + int(hours) * H) == moment
        assert clock_text(NOON + int(hours) * H, NOON) == clock
        assert iso_text(NOON) == "2026-02-28T12:02:09Z"
    assert clock_text(NOON, NOON) == "12:02 UTC"


@pytest.mark.parametrize(
    ("text", "markup"),
    [
        ("plain & <b>", "plain &amp; &lt;b&gt;"),
        ("a\u200bb", "a{invisible character|[U+200B]}b"),
        ("\u2060" * 3, "{invisible character|[U+2060][U+2060][U+2060]}"),
        ("\u2060" * 4, "{invisible character|[U+2060] 4 times }"),
        ("[U+202E] \u202e", "[U+202E] {changes the direction of text|[U+202E]}"),
        ("p\u0430y!", "{mixed scripts: cyrillic and latin|p\u0430y}!"),
        ("\u0645\u0631\u062d\u0628\u0627 \U0001f44d\u200d", None),
        ("naïve café – „ok“ 東京", "naïve café – „ok“ 東京"),
    ],
)
def test_literal_text(text: str, markup: str | None) -> None:
    """Nothing is lost: what hides becomes a token in its place, what misleads is marked."""
    found = str(literal(text))
    if markup is None:
        assert "[U+200D]" in found
        return
    plain = found.replace('<span class="token">', "").replace("</span>", "")
    plain = plain.replace('<mark class="odd" title="', "{").replace('">', "|")
    assert plain.replace("</mark>", "}") == markup


def test_token_of_an_overlapping_mark_is_shown() -> None:
    """Marks piled on a letter of an odd word are all shown, none twice."""
    text = "p\u0430" + "\u0301" * 7 + "ypal"
    found = str(literal(text))
    assert found.count("[U+0301]") == 3
    assert found.count("\u0301") == 4
    assert "ypal" in found.replace("</mark>", "").replace("</span>", "")


def test_notes_count_each_kind() -> None:
    """One phrase a kind, with how often."""
    assert hidden_notes("a\u200bb\u200bc\u202e") == [
        "invisible character (2 times)",
        "changes the direction of text",
    ]
    assert hidden_notes("nothing odd") == []


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("2400.00 USD", "2|400.00"),
        ("120.00 USD", "120.00"),
        ("1234567 JPY", "1|234|567"),
        ("0.500 KWD", "0.500"),
    ],
)
def test_money_is_grouped_by_style_alone(text: str, digits: str) -> None:
    """The characters of an amount stay what they are."""
    markup = money_markup(text)
    assert markup is not None
    assert markup.striptags() == text
    assert markup.replace('<span class="group">', "|").striptags().split()[0] == digits


def who_speaks(language: str) -> Reader:
    """A reader of this language, who lives by UTC."""
    return Reader(catalogue=Catalogue(language=language))


# language | as records have it | as the reader has it
LOCAL = """
de    | 1234.50 USD    | 1.234,50 USD
de    | 120.00 USD     | 120,00 USD
de    | 1234567.00 EUR | 1.234.567,00 EUR
fr    | 1234.50 USD    | 1234,50 USD
pt_PT | 1234.50 EUR    | 1234,50 EUR
de_CH | 1234.50 CHF    | 1234.50 CHF
ar    | 1234.50 USD    | 1234.50 USD
en    | 1234.50 USD    | 1234.50 USD
de    | 1234 JPY       | 1234 JPY
de    | 1.234 KWD      | 1.234 KWD
de    | 1234.5 USD     | 1234.5 USD
"""


@pytest.mark.parametrize("row", LOCAL.strip().splitlines())
def test_an_amount_in_the_readers_language(row: str) -> None:
    """B7: only where two decimals follow; the form of the records is never lost."""
    language, recorded, local = (part.strip() for part in row.split(" | "))
    with reading(who_speaks(language)):
        markup = money_markup(recorded)
        assert markup is not None
        assert markup.striptags() == amount_text(recorded) == local
        assert (f'title="{recorded}"' in markup) == (local != recorded)
        assert plain_amount(local) == recorded


@given(st.integers(0, 10**14), st.sampled_from(sorted(EXPONENTS)), st.sampled_from(SPOKEN))
def test_a_local_amount_has_one_reading(minor: int, currency: str, language: str) -> None:
    """B7: whoever types what the page shows has typed the amount, and no other can be meant."""
    money = Money(minor=minor, currency=currency)
    with reading(who_speaks(language)):
        local = amount_text(money.text())
        assert plain_amount(local) == money.text()
    if local != money.text():
        check_retyped(retype_of(money, None, "refund.issue"), local)


@pytest.mark.parametrize(
    "typed", ["1.234", "1,2", "1,234", "12.34,50", "1.2345,00", "1.234,50 KWD", "a", ""]
)
def test_what_is_no_local_amount_stays_as_it_was_typed(typed: str) -> None:
    """It is then refused as it would be in English, and never guessed at."""
    with reading(who_speaks("de")):
        assert plain_amount(typed) == typed


def test_the_signs_are_those_of_the_languages() -> None:
    """Those that CLDR has for each language and country, or else the form of the records."""
    wrong = []
    for name in locale_identifiers():
        locale = Locale.parse(name)
        if locale.script or locale.variant or re.fullmatch("[a-z]{2,3}(_[A-Z]{2})?", name) is None:
            continue
        with reading(who_speaks(name)):
            shown = amount_text("1234567.50 USD")
        if locale.default_numbering_system == "latn":
            signs = locale.number_symbols["latn"]
            group = signs["group"] if signs["group"] in ".," else ""
            there = f"1{group}234{group}567{signs['decimal']}50 USD"
        else:
            there = ""
        if shown not in ("1234567.50 USD", there):
            wrong.append((name, shown, there))
    assert wrong == []


@pytest.mark.parametrize("text", ["120.00", "USD 120.00", "-1 USD", "12,00 USD", "1 usd", "١ USD"])
def test_other_text_is_not_money(text: str) -> None:
    """Only what handrail writes itself is set as an amount."""
    assert money_markup(text) is None


def test_one_line_of_a_text() -> None:
    """Clipped text is one line, keeps hidden characters as tokens, and says that it was cut."""
    assert clipped("a\n b\u202e", 20) == "a b[U+202E]"
    assert clipped("x" * 30, 10) == "x" * 9 + "…"


def test_messages_become_sentences() -> None:
    """A capital first; what stood in backticks is set apart, and stays escaped."""
    assert told("no `<b>` here") == 'No <span class="id">&lt;b&gt;</span> here'
    assert told("`a` is not b") == '<span class="id">a</span> is not b'


def test_json_keeps_every_character() -> None:
    """The request as JSON is indented and not rewritten to ASCII."""
    assert json_text({"b": "é\n", "a": 1}) == '{\n  "b": "é\\n",\n  "a": 1\n}'


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("order_owner", "Order owner"),
        ("refunds_30d_sum", "Refunds sum (30 days)"),
        ("credits_30d", "Credits (30 days)"),
        ("Message-ID", "Message-ID"),
        ("a<b", "a<b"),
    ],
)
def test_names_as_words(name: str, words: str) -> None:
    """Identifiers become words; anything else is left alone."""
    assert name_text(name) == words
