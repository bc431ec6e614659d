"""What hides in a message: a table of what a desk receives, and rules for all of Unicode."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.core.text import STACKED_MARKS_MAX, Mark, hidden_marks, visible

# Everyday messages. Nothing in them is marked, and they are shown as they are.
HONEST = {
    "plain": "Dear Ann,\r\n\tyour refund of $120.00 is on its way (ref. #A-17_b).\n",
    "accents": "Señor Núñez, façade, Zoë, Łódź, naïve, Ångström, İstanbul, ılık, Đặng Thị Huệ",
    "accents as marks of their own": "Sen\u0303or Nu\u0301n\u0303ez, Da\u0323\u0302ng",
    "quotes and dashes": "“It’s here” – l’été… «oui» — 50 €, £5, ¥500, №5, 3½, x², H₂O, ±5 °C",
    "French no-break spaces": "C’est réglé\u00a0! 1\u202f234,56\u00a0€\u202f; merci\u202f:",
    "thin and figure spaces": "10\u2009kg, 1\u2007000",
    "time with a narrow space": "at 3:45\u202fPM",
    "pasted from a word processor": "Name:\u2003Ann\u2002Lee",
    "emoji": "Thanks 🙂👍🎉 ⭐⭐⭐⭐⭐ ✅ ♥",
    "emoji with a selector": "❤️ ☎️ ✔️ ⚠️ ©️ ™️ ☀︎ 🅰️ ↔️ ▶️ 〰️ ㊗️",
    "skin tones": "👍🏽 👩🏿‍🦱 ☝🏻 🤝🏼",
    "families and professions": "👨‍👩‍👧‍👦 👩‍⚕️ 🧑🏽‍💻 🏃🏾‍♀️ 🕵🏻‍♂️ ❤️‍🔥 👁️‍🗨️ 🙂‍↔️ 🐦‍🔥 🏳️‍⚧️",
    "flags": "🇫🇷🇯🇵 🏳️‍🌈 🏴‍☠️",
    "flags spelled in tags": (
        "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f and "
        "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f and "
        "\U0001f3f4\U000e0067\U000e0062\U000e0077\U000e006c\U000e0073\U000e007f"
    ),
    "keycaps": "press 1️⃣ or #️⃣ or *️⃣",
    "emoji newer than the tables": "🩷🩵🫨🫩\U0001fadf",
    "Arabic name": "Dear محمد عبد الله, hello",
    "Arabic with its marks": "السَّلامُ عَلَيْكُمْ، المبلغ ١٢٠٫٥٠ ؟",
    "Hebrew name": "Dear דוד בן־גוריון, hello",
    "Hebrew with points": "שָׁלוֹם",
    "direction mark in a Hebrew line": "הסכום הוא \u200e$120.00\u200e בלבד\u200f!",
    "direction marks in an Arabic line": "رقم الطلب \u200e#W-17\u200f و\u061c 5",
    "Persian non-joiner": "می\u200cخواهم کتاب\u200cها را پس بدهم",
    "Arabic joiner at the end of a word": "سال ۱۴۰۳ ه\u200d.ش",
    "Urdu": "آپ کا شکریہ، رقم واپس کر دی گئی ہے۔",
    "Sinhala joiner": "ශ්\u200dරී ලංකා",
    "Bengali joiner": "র\u200d্যাব",
    "Marathi joiner": "दर\u094d\u200dया, क\u094d\u200cष",
    "Malayalam": "അവന\u0d4d\u200d",
    "Hindi": "नमस्ते, आपका रिफंड ₹500",
    "Tamil and Thai": "நன்றி ขอบคุณครับ",
    "Khmer with break points": "សូម\u200bអរគុណ",
    "Tibetan": "བཀྲ་ཤིས་བདེ་ལེགས།",
    "Japanese": "田中様\u3000返金は１２０００円です。よろしくお願いします〜",
    "Japanese with Latin": "ＡＢＣとUSBケーブル、Tシャツ、iPhone用",
    "Japanese name with a variant": "辻\U000e0100さん、葛\U000e0101城",
    "Chinese": "您好，退款￥５００，订单号：A17",
    "Korean": "안녕하세요, 환불 500mℓ",
    "Korean in letters": "한글",
    "Mongolian": "\u1820\u180b\u1821",
    "Russian": "Здравствуйте, Сара! Возврат 120 ₽, оса и нос.",
    "Russian with Latin words": "IT-отдел, USB-кабель, iPhone'ом, e-mail для Wi-Fi, магазин.com",
    "Ukrainian and Serbian": "Дякую, їжак і Ґанок. Љубав и Њујорк, Јован",
    "Greek": "Καλημέρα, η επιστροφή των 120 € ολοκληρώθηκε",
    "Greek name in English": "Dear Γιώργος Παπαδόπουλος, hello",
    "Cyrillic name in English": "Dear Анна Петрова, hello",
    "Armenian and Georgian": "Շնորհակալություն გმადლობთ",
    "units": "10 kΩ, 47 μF, 3 µm, Δt, ΔT, 25 Å, α-lipoic, π",
    "ordinals": "Nº 5, 1ª planta, M\u1d50\u1d49, 2\u207f\u1d48",
    "ligature from a PDF": "o\ufb03ce, \ufb01nance",
    "Hausa and Ewe": "ɗan ƙasa, Eʋegbe ŋkɔ",
    "Hawaiian and Maori": "Hawaiʻi, whānau",
    "Roman numerals": "Louis Ⅳ, chapter Ⅱ",
}

# text | what is marked, as start-end and a part of what is said about it
DECEITFUL = {
    "override": ("pay \u202e001$\u202c", "4-5 direction, 9-10 direction"),
    "embedding": ("\u202aabc\u202c", "0-1 direction, 4-5 direction"),
    "isolate": ("x\u2066y\u2069", "1-2 direction, 3-4 direction"),
    "override in a Hebrew line": ("שלום \u202eabc", "5-6 direction"),
    "direction mark in a Latin line": ("refund\u200f 10-20", "6-7 direction"),
    "direction mark on the line below": ("שלום\nrefund\u200f", "11-12 direction"),
    "Arabic letter mark alone": ("a\u061cb", "1-2 direction"),
    "zero-width space": ("pay\u200bpal", "3-4 invisible"),
    "zero-width joiner": ("pay\u200dpal", "3-4 invisible"),
    "zero-width non-joiner": ("pay\u200cpal", "3-4 invisible"),
    "a run of them": ("a\u200b\u200b\u200bb", "1-4 invisible"),
    "word joiner and byte order mark": ("a\u2060b\ufeff", "1-2 invisible, 3-4 invisible"),
    "soft hyphen": ("re\u00adfund", "2-3 invisible"),
    "grapheme joiner": ("a\u034fb", "1-2 invisible"),
    "invisible times": ("2\u2062x", "1-2 invisible"),
    "annotation": ("a\ufff9b\ufffac\ufffb", "1-2 invisible, 3-4 invisible, 5-6 invisible"),
    "musical control": ("a\U0001d173b", "1-2 invisible"),
    "tags": ("hi\U000e0048\U000e0049", "2-4 tag or selector"),
    "tags after an emoji": ("🙂\U000e0048\U000e0049\U000e007f", "1-4 tag or selector"),
    "tags after a black flag": ("🏴\U000e0068\U000e0069\U000e007f", "1-4 tag or selector"),
    "selector after a letter": ("a\ufe0fb", "1-2 tag or selector"),
    "second selector after an emoji": ("🙂\ufe0f\ufe0e", "2-3 tag or selector"),
    "bytes as selectors after an emoji": (
        "🙂\U000e0100\U000e0122\ufe03",
        "1-4 tag or selector",
    ),
    "selector after a digit": ("1\ufe0f2", "1-2 tag or selector"),
    "second selector after an ideograph": ("辻\U000e0100\U000e0101", "2-3 tag or selector"),
    "selector of no known ideograph": ("辻\U000e01ef", "1-2 tag or selector"),
    "Mongolian selector after a letter": ("a\u180bb", "1-2 tag or selector"),
    "joiner after an emoji": ("👩\u200d!", "1-2 invisible"),
    "two joiners in an emoji": ("👩\u200d\u200d👧", "1-3 invisible"),
    "joiner before an emoji": ("a\u200d👧", "1-2 invisible"),
    "two non-joiners in Persian": ("می\u200c\u200cخواهم", "2-4 invisible"),
    "joiner within an Arabic word": ("مح\u200dمد", "2-3 invisible"),
    "break point in a Latin word after Khmer": ("សូម pay\u200bpal", "7-8 invisible"),
    "at the very start": ("\u200c", "0-1 invisible"),
    "Hangul filler": ("a\u3164b\u115f", "1-2 blank, 3-4 blank"),
    "Braille blank": ("a\u2800b", "1-2 blank"),
    "Khmer inherent vowels": ("\u17b4a\u17b5", "0-1 blank, 2-3 blank"),
    "null and escape": ("a\x00b\x1b[31m", "1-2 control, 3-4 control"),
    "form feed, delete, next line": (
        "a\x0cb\x7fc\x85",
        "1-2 control, 3-4 control, 5-6 control",
    ),
    "line and paragraph separators": ("a\u2028b\u2029", "1-2 unusual, 3-4 unusual"),
    "hair and quad spaces": ("a\u200ab\u2000c", "1-2 unusual, 3-4 unusual"),
    "Ogham space": ("a\u1680b", "1-2 unusual"),
    "private use": ("a\ue000\U000f0000", "1-3 without a meaning"),
    "noncharacter": ("a\ufffe\ufdd0", "1-3 without a meaning"),
    "half a surrogate pair": ("a\ud800", "1-2 without a meaning"),
    "not decoded": ("caf\ufffd", "3-4 decoded"),
    "object put there": ("see \ufffc", "4-5 not in the text"),
    "a tower of marks": (
        "z\u0338\u0321\u0322\u0327\u0328\u031b",
        "5-7 many marks",
    ),
    "Cyrillic a": ("p\u0430ypal", "0-6 cyrillic and latin"),
    "Cyrillic in a host": ("https://p\u0430ypal.com/x", "8-14 cyrillic and latin"),
    "Latin o in Russian": ("вoзврат", "0-7 cyrillic and latin"),
    "Greek o": ("micr\u03bfsoft", "0-9 greek and latin"),
    "Armenian o": ("g\u0585\u0585gle", "0-6 armenian and latin"),
    "Cherokee": ("\u13a0\u13a1L", "0-3 cherokee and latin"),
    "Cyrillic among Greek": ("κ\u0430λη", "0-4 cyrillic and greek"),
    "across an accent": ("pay\u0301\u0440al", "0-7 cyrillic and latin"),
    "a host in look-alikes": ("www.\u0430\u0440\u0440\u04cf\u0435.com", "4-9 reads as latin"),
    "the same in a Russian text": (
        "Зайдите на \u0430\u0440\u0440\u04cf\u0435.com",
        "11-16 reads as latin",
    ),
    "a mailbox in look-alikes": ("от \u0430\u0441\u0435@example.com", "3-6 reads as latin"),
    "a word in look-alikes": ("log in to \u0440\u0430\u0443 now", "10-13 reads as latin"),
    "parted by a digit": ("Итак: pay1\u0440\u0430", "10-12 reads as latin"),
    "in capitals": ("your \u0410\u0421\u0415 account", "5-8 reads as latin"),
    "Greek capitals": ("the \u0391\u03a4\u039c is broken", "4-7 reads as latin"),
    "wide among narrow": ("\uff50aypal", "0-6 look like others"),
    "script g and Latin alpha": ("\u0261oogle p\u0251ypal", "0-6 look like, 7-13 look like"),
    "Kelvin sign": ("\u212aelly", "0-5 look like others"),
    "Roman fifty": ("paypa\u217c", "0-6 look like others"),
    "mathematical letters": ("\U0001d5fd\U0001d5ee\U0001d606 here", "0-3 look like others"),
    "digits of two scripts": ("$1\u06620", "1-4 two writing systems"),
    "Bengali four that looks like eight": ("1\u09ea", "0-2 two writing systems"),
}

# Default_Ignorable_Code_Point of the Unicode Character Database, without unassigned ones.
IGNORABLE = (
    "00AD 034F 061C 115F-1160 17B4-17B5 180B-180F 200B-200F 202A-202E 2060-2064 2066-206F 3164"
    " FE00-FE0F FEFF FFA0 1BCA0-1BCA3 1D173-1D17A E0001 E0020-E007F E0100-E01EF"
)


@pytest.mark.parametrize("name", HONEST)
def test_an_honest_message_is_left_alone(name: str) -> None:
    """No mark, and shown character by character as it is."""
    assert hidden_marks(HONEST[name]) == ()
    assert visible(HONEST[name]) == HONEST[name]


@pytest.mark.parametrize("name", DECEITFUL)
def test_a_deceitful_message_is_marked_where_it_hides(name: str) -> None:
    """The places, and what a reviewer is told about each."""
    text, expected = DECEITFUL[name]
    marks = hidden_marks(text)
    assert [f"{mark.start}-{mark.end}" for mark in marks] == [
        item.split()[0] for item in expected.split(", ")
    ]
    for mark, item in zip(marks, expected.split(", "), strict=True):
        assert item.split(" ", 1)[1] in mark.what


@pytest.mark.parametrize("before", ["", "pay", "שלום ", "🙂", "辻", "می", "1", " "])
def test_nothing_invisible_passes_before_a_latin_letter(before: str) -> None:
    """What Unicode calls ignorable is marked, but where it says how to draw what it follows."""
    for code in _ignorable():
        char = chr(code)
        marks = hidden_marks(f"{before}{char}x")
        if not marks:
            assert (before.strip()[-1:], unicodedata.category(char)) in ALLOWED_BEFORE_X, hex(code)


# Last character before, category of the ignorable one: selectors draw an emoji or an ideograph,
# direction marks belong into a line with Hebrew or Arabic, a joiner ends an Arabic letter.
ALLOWED_BEFORE_X = {("🙂", "Mn"), ("辻", "Mn"), ("ם", "Cf"), ("ی", "Cf")}


def test_every_visible_character_alone_is_honest() -> None:
    """Letters, digits, marks, punctuation, symbols: all of Unicode, each on a line of its own.

    A mark stands on a circle, a part of a Korean syllable behind its first consonant.
    """
    blank = {0x2800, 0x1107F, 0x13441, 0x13442, 0x16FE4, 0x1D159}
    excepted = {0xFFFC, 0xFFFD, *blank, *_ignorable()}
    parts = {*range(0x1161, 0x1200), *range(0xD7B0, 0xD7FC)}
    seen = [
        ("\u25cc" if unicodedata.category(char) in ("Mn", "Me") else "")
        + ("\u1100" if code in parts else "")
        + char
        for code, char in _of_category("LMNPS")
        if code not in excepted
    ]
    assert len(seen) > 100_000
    assert hidden_marks("\n".join(seen)) == ()
    assert len(hidden_marks("\n".join(map(chr, blank)))) == len(blank)


def test_every_other_character_alone_is_marked_or_a_usual_space() -> None:
    """Controls, formats, private use and the unassigned: nothing of them stays unseen."""
    usual = set(map(ord, " \t\n\u00a0\u202f\u2002\u2003\u2007\u2009\u3000"))
    printed = {*range(0x600, 0x606), 0x6DD, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD}
    shown = usual | printed | set(range(0x1F000, 0x1FB00))
    unseen = [char for code, char in _of_category("CZ") if code not in shown | {13}]
    assert len(hidden_marks("a\rb\r\nc")) == 1
    marks = hidden_marks("\n".join(unseen))
    assert [(mark.start, mark.end) for mark in marks] == [
        (place, place + 1) for place in range(0, 2 * len(unseen), 2)
    ]


def _of_category(first_letters: str) -> list[tuple[int, str]]:
    return [
        (code, chr(code))
        for code in range(sys.maxunicode + 1)
        if unicodedata.category(chr(code))[0] in first_letters
    ]


def test_a_mark_says_where_and_what() -> None:
    """Neighbours that hide in the same way are one mark; different ones are two."""
    assert hidden_marks("ab\u200b\u200b\u202ec") == (
        Mark(start=2, end=4, what="invisible character"),
        Mark(start=4, end=5, what="changes the direction of text"),
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("pay \u202e001$\u202c", "pay [U+202E]001$[U+202C]"),
        ("a\u200b\u00adb", "a[U+200B][U+00AD]b"),
        ("hi\U000e0048", "hi[U+E0048]"),
        ("a\x00\x1b", "a[U+0000][U+001B]"),
        ("👩\u200d👧 a\u200d", "👩\u200d👧 a[U+200D]"),
        ("❤\ufe0f a\ufe0f", "❤\ufe0f a[U+FE0F]"),
        ("p\u0430ypal", "p\u0430ypal"),
        ("a\n\tb\u00a0c", "a\n\tb\u00a0c"),
        ("", ""),
    ],
)
def test_what_hides_is_shown_as_a_token(text: str, shown: str) -> None:
    """Look-alikes stay as they are: they can be seen, and carry a mark."""
    assert visible(text) == shown


tricky = st.text(
    st.sampled_from(
        "ab 1\n\u0430\u0440\u03bf🙂❤👩🏽🏴辻שم\u0301\u0338\u200b\u200c\u200d\u200e\u200f\u202e"
        "\u2066\ufe0f\ufe0e\u00ad\u2060\ufeff\u3164\u00a0\u202f\U000e0067\U000e007f\U000e0100"
        "\ufffd\x00\u0662\u094d\uff50"
    )
    | st.characters(),
    max_size=30,
)


@given(tricky)
def test_marks_lie_in_the_text_in_order_and_characters_are_marked_once(text: str) -> None:
    """Whatever comes in: places inside the text, sorted, none empty, none twice."""
    marks = hidden_marks(text)
    assert list(marks) == sorted(marks, key=lambda mark: (mark.start, mark.end))
    assert all(0 <= mark.start < mark.end <= len(text) for mark in marks)
    assert all(mark.what for mark in marks)
    assert len(set(marks)) == len(marks)


@given(tricky)
def test_what_is_shown_keeps_every_visible_character(text: str) -> None:
    """Tokens stand exactly where characters hide; taking them back gives the text."""
    shown = visible(text)
    assert _without_tokens(shown) == text
    if not hidden_marks(text):
        assert shown == text


@given(tricky)
def test_what_is_shown_hides_nothing_any_more(text: str) -> None:
    """Shown text has no character left that hides: showing it again changes nothing."""
    assert visible(visible(text)) == visible(text)


@given(st.text(st.characters(codec="ascii", exclude_categories=["Cc"])))
def test_plain_text_is_never_marked(text: str) -> None:
    """Printable ASCII hides nothing."""
    assert hidden_marks(text) == ()


@given(tricky, st.sampled_from("\u202e\u2066\u200b\u2060\u00ad\u3164\U000e0041"))
def test_hiding_something_in_a_latin_word_is_always_seen(around: str, hidden: str) -> None:
    """Whatever stands before: between two Latin letters none of these has a use."""
    text = f"{around} pay{hidden}pal"
    place = text.rindex(hidden)
    assert any(mark.start <= place < mark.end for mark in hidden_marks(text))
    assert f"pay[U+{ord(hidden):04X}]pal" in visible(text)


def test_more_marks_than_a_language_needs_are_marked() -> None:
    """Four on one letter pass, the fifth does not."""
    assert hidden_marks("a" + "\u0323" * STACKED_MARKS_MAX) == ()
    assert len(hidden_marks("a" + "\u0323" * (STACKED_MARKS_MAX + 1))) == 1


def _ignorable() -> list[int]:
    codes: list[int] = []
    for span in IGNORABLE.split():
        first, _, last = span.partition("-")
        codes += range(int(first, 16), int(last or first, 16) + 1)
    return codes


def _without_tokens(shown: str) -> str:
    parts = shown.split("[U+")
    return parts[0] + "".join(
        chr(int(part.partition("]")[0], 16)) + part.partition("]")[2] for part in parts[1:]
    )
