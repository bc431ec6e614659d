"""Cards, bank accounts, numbers, addresses; other customers' ids; a name that is not theirs."""

from __future__ import annotations

from typing import Final

import pytest

from handrail.core.triggers.personal import is_iban, is_luhn
from handrail.core.triggers.span import About, Trigger
from tests.core.triggers.known import NOBODY, found, rows, said

# trigger | text | what is marked
MARKED: Final = """
card  | your card 4242 4242 4242 4242 was used   | 4242 4242 4242 4242
card  | your card 4242424242424242 was used      | 4242424242424242
card  | your card 3782-822463-10005 was used     | 3782-822463-10005
card  | for 12 4242 4242 4242 4242               | 4242 4242 4242 4242
card  | 4 2 4 2 4 2 4 2 4 2 4 2 4 2 4 2           | 4 2 4 2 4 2 4 2 4 2 4 2 4 2 4 2
iban  | to DE89 3704 0044 0532 0130 00 today     | DE89 3704 0044 0532 0130 00
iban  | to GB82WEST12345698765432 today          | GB82WEST12345698765432
iban  | to de89370400440532013000                | de89370400440532013000
phone | on +44 20 7946 0958                      | +44 20 7946 0958
phone | on 0044 20 7946 0958                     | 0044 20 7946 0958
phone | on (555) 123-4567                        | (555) 123-4567
phone | on 555-123-4567                          | 555-123-4567
phone | call me at 030 1234567                   | 030 1234567
phone | Phone: 5550123456                        | 5550123456
email | to bob@evil.test                         | bob@evil.test
email | to Bob.X+a@mail.evil.test, please        | Bob.X+a@mail.evil.test
email | to bob (at) evil (dot) com               | bob (at) evil (dot) com
other_customer | your order O-5003                | O-5003
other_customer | your refund r-0a1b2c             | r-0a1b2c
other_customer | (O-5001, O-50010)                | O-50010
wrong_name | Dear Maria,                          | Maria
wrong_name | Hi Maria Whitfield,                  | Maria Whitfield
wrong_name | Hello Mr. Smith,                     | Smith
wrong_name | Hi there Maria,                      | there Maria
wrong_name | hello maria,                         | maria
wrong_name | Good morning Maria!                  | Maria
wrong_name | Hi Maria I have looked at the lamp and found that it is not on  | Maria
hidden | Dear Da\u200bna                          | \u200b
hidden | 12\u202e000                              | \u202e
hidden | a soft\u00adhyphen                       | \u00ad
hidden | a tag\U000e0041                          | \U000e0041
hidden | write to p\u0430ypal                     | p\u0430ypal
placeholder | Dear {{customer.name}},             | {{customer.name}}
placeholder | Dear [CUSTOMER NAME]                | [CUSTOMER NAME]
"""
PLAIN: Final = """
card  | order 4242 4242 4242 4241
card  | tracking 1234567890123456
card  | 9999999999999995
iban  | DE89 3704 0044 0532 0130 01
iban  | order DE12 of today
phone | order number 5550123456
phone | tracking 1Z999AA10123456784
phone | 2026-03-05 and 10:30
phone | 1,234,567 and 12.345.678
phone | your number +1 555 010 1234
phone | text 12
email | dana.whitfield@example.com
email | support@shop.example.com
email | @dana and a@b
email | we met (at) noon
other_customer | your order O-5001 and o-5001
other_customer | a T-shirt, an R-rated film and an O-ring
other_customer | the T-rex
wrong_name | Dear Dana,
wrong_name | Dear Dana Whitfield,
wrong_name | Dear Mrs. Whitfield,
wrong_name | Dear Ms Whitfield:
wrong_name | Hi D. Whitfield,
wrong_name | Dear customer,
wrong_name | Hello there,
wrong_name | Hi, Maria wrote to us
wrong_name | Hello and thanks for writing to us about the lamp of our shop
wrong_name | Dear Sir or Madam,
hidden | a family \U0001f468\u200d\U0001f469\u200d\U0001f467
placeholder | see [your order](https://shop.example.com/o)
"""


@pytest.mark.parametrize(("trigger", "text", "wanted"), rows(MARKED))
def test_what_is_marked(trigger: str, text: str, wanted: str) -> None:
    """B1, B2, B3, B13, B14, A4: each detector on what it is for."""
    assert found(text, Trigger(trigger)) == [wanted]


@pytest.mark.parametrize(("trigger", "text"), rows(PLAIN))
def test_what_is_not(trigger: str, text: str) -> None:
    """Numbers that check nothing, the recipient's own data, and words that only look alike."""
    assert found(text, Trigger(trigger)) == []


def test_nothing_known_is_nothing_right() -> None:
    """Without a name on record no salutation is right; without ids none can be told."""
    assert said("Dear Dana,", Trigger.WRONG_NAME, about=NOBODY) == [
        "the text greets `Dana`, and the recipient's name is not known"
    ]
    assert found("dana.whitfield@example.com", Trigger.EMAIL, about=NOBODY)
    assert found("O-5003", Trigger.OTHER_CUSTOMER, about=NOBODY) == []


def test_names_of_any_script() -> None:
    """Composed or not, in capitals or not, of several words."""
    about = About(names=("Zoë Müller", "佐藤 遥"))
    for name in ("Zoë", "Zoe\u0308", "ZOË MÜLLER", "佐藤 遥"):
        assert found(f"Dear {name},", Trigger.WRONG_NAME, about=about) == []
    assert found("Dear 鈴木,", Trigger.WRONG_NAME, about=about) == ["鈴木"]


def test_part_of_a_whole_is_one_finding() -> None:
    """Digits of an account are no telephone number, and what stands before an @ no address."""
    text = "to DE89 3704 0044 0532 0130 00 or http://shop.example.com@evil.test/"
    assert found(text, Trigger.PHONE, Trigger.EMAIL) == []


@pytest.mark.parametrize(
    ("digits", "good"), [("79927398713", True), ("79927398710", False), ("0", True)]
)
def test_luhn(digits: str, good: bool) -> None:
    """The example of the standard's annex."""
    assert is_luhn(digits) is good


@pytest.mark.parametrize(
    ("account", "good"),
    [
        ("GB82WEST12345698765432", True),
        ("FR1420041010050500013M02606", True),
        ("NO9386011117947", True),
        ("GB82WEST12345698765433", False),
        ("GB82WEST1234569876543", False),
        ("US00TEST00004410", False),
        ("", False),
        ("\u0661\u0662", False),
    ],
)
def test_iban(account: str, good: bool) -> None:
    """Examples of the IBAN registry."""
    assert is_iban(account) is good
