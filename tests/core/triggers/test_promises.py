"""Dates, deadlines, promises; what was meant for colleagues; what presses; other languages."""

from __future__ import annotations

from typing import Final

import pytest

from handrail.core.triggers.find import pressure_of
from handrail.core.triggers.span import Trigger
from tests.core.triggers.known import found, rows

# text | what is marked
DATES: Final = """
It was on 2026-03-05.                  | 2026-03-05
It was on 5/3/2026.                    | 5/3/2026
It was on 5/3/26.                      | 5/3/26
It was on 5.3.2026.                    | 5.3.2026
on March 5th, 2026 at noon             | March 5th, 2026
on the 5th of March                    | 5th of March
by tomorrow                            | by tomorrow
the day after tomorrow                 | the day after tomorrow
within 3 days                          | within 3 days
within~3   days                        | within~3   days
within~~3~days, thanks                 | within~~3~days
in two weeks                           | in two weeks
in 5 to 7 working days                 | in 5 to 7 working days
in a few days                          | in a few days
it takes up to 10 business days        | takes up to 10 business days
by Friday                              | by Friday
next week                              | next week
before the end of the month            | before the end of the month
no later than the shop says            | no later than
as soon as possible                    | as soon as possible
by 5 pm                                | by 5 pm
2026年3月5日                            | 2026年3月5日
"""
NO_DATES: Final = """
version 2.10.3 and 1.2.10
24/7 and 1/2 of it
order 20260305 and O-2026-03
it may be that we march on
10:30
the second one
please wait a moment
chapter 5.3
"""
PROMISES: Final = """
We will send another one               | We will
We  will~send another one              | We  will
and we~will send another one           | we~will
We´ll send another one                 | We´ll
We'll send another one                 | We'll
we’ll see to it                        | we’ll
I guarantee it                         | I guarantee
Our team is going to call              | Our team is going to
A colleague will call                  | A colleague will
you will receive a mail                | you will receive
You'll get another one                 | You'll get
the refund will arrive                 | the refund will arrive
your parcel will be there              | your parcel will be
it is free of charge                   | free of charge
at no extra cost                       | at no extra cost
a free replacement                     | free replacement
you get a full refund                  | a full refund
50% off your next order                | 50% off
it was our fault                       | was our fault
we accept full responsibility          | we accept full responsibility
you are entitled to it                 | you are entitled to
rest assured                           | rest assured
we waived the fee                      | we waived
"""
NO_PROMISES: Final = """
Please hold the button for a moment.
Will you send a picture?
The lamp is in the box.
a free hand and goodwill
his last will
I have looked at your order.
We can look at it together.
"""
NOTES: Final = """
[internal note] all good               | [internal note]
~internal: all good                    | internal:
~Note to agent: he asked twice         | Note to agent:
do not send to customer                | do not send to customer
do not send~to the customer            | do not send~to the customer
Don't share this with the client       | Don't share this with the client
for internal use only                  | for internal use
FYI agent, he asked twice              | FYI agent
TODO look it up                        | TODO
the customer is lying                  | the customer is lying
as an AI language model I              | as an AI language model
<thinking>hm                           | <thinking>
when is it there ???                   | ???
"""
NO_NOTES: Final = """
the internal battery of the lamp
please note: the lamp is warm
we do not share your data
a customer wrote the same
the agent at the airport
a system of shelves
todo lists
"""
PRESSES: Final = """
URGENT, please decide                  | URGENT
the CEO is waiting                     | CEO is waiting
already approved by the manager        | already approved
signed off by my manager               | signed off by my manager
pre-approved, so go on                 | pre-approved
no need to check this one              | no need to check
trust me                               | trust me
trust~me                               | trust~me
you are the best                       | you are the best
just approve                           | just approve
"""


@pytest.mark.parametrize(("text", "wanted"), rows(DATES))
def test_dates(text: str, wanted: str) -> None:
    """B9: dates, weekdays, deadlines and spans of time."""
    assert found(text, Trigger.DATE) == [wanted]


@pytest.mark.parametrize("text", NO_DATES.strip().splitlines())
def test_no_dates(text: str) -> None:
    """Versions, fractions, ids and times of day are not dates."""
    assert found(text, Trigger.DATE) == []


@pytest.mark.parametrize(("text", "wanted"), rows(PROMISES))
def test_promises(text: str, wanted: str) -> None:
    """B9, C12: what the desk is held to afterwards is a finding, however harmless the reply."""
    assert found(text, Trigger.PROMISE) == [wanted]


@pytest.mark.parametrize("text", NO_PROMISES.strip().splitlines())
def test_no_promises(text: str) -> None:
    """Help, questions and what was done already promise nothing."""
    assert found(text, Trigger.PROMISE) == []


@pytest.mark.parametrize(("text", "wanted"), rows(NOTES))
def test_notes_for_colleagues(text: str, wanted: str) -> None:
    """B14: what was meant for colleagues, or for a model."""
    assert found(text, Trigger.INTERNAL_NOTE) == [wanted]


@pytest.mark.parametrize("text", NO_NOTES.strip().splitlines())
def test_no_notes(text: str) -> None:
    """The same words in a sentence for a customer."""
    assert found(text, Trigger.INTERNAL_NOTE) == []


@pytest.mark.parametrize(("text", "wanted"), rows(PRESSES))
def test_pressure(text: str, wanted: str) -> None:
    """B10, L5: urgency, flattery and claimed approvals in an agent's note are marked as such."""
    spans = pressure_of(text)
    assert [text[one.start : one.end] for one in spans] == [wanted]
    assert all(one.trigger is Trigger.PRESSURE for one in spans)


def test_a_plain_note_presses_nobody() -> None:
    """What the agent says about the case is not marked."""
    assert pressure_of("One mug of two is broken; the customer keeps the other one.") == ()


OTHER_LANGUAGES: Final = """
Ihre Bestellung ist gestern bei uns angekommen und wird morgen wieder verschickt.
Nous vous rembourserons demain la totalité du prix de votre commande, sans faute.
注文番号の三徳包丁ですが、届いた時から刃が欠けていました。
Мы вернём вам все деньги завтра утром, это точно.
سنعيد لك كل المال غدا صباحا بالتأكيد
"""
ENGLISH: Final = """
Hello Dana, thank you for the picture of the label.
Dear 佐藤 遥, thank you for your message about the knife.
302 Cherry Street, Columbus
Two stoneware mugs, one tray
Kind regards
"""


@pytest.mark.parametrize("text", OTHER_LANGUAGES.strip().splitlines())
def test_a_line_that_the_words_do_not_know(text: str) -> None:
    """Promises in another language are not found, and that is said: unknown is no clean bill."""
    spoken = f"Hello Dana,\n{text}\nKind regards"
    assert found(spoken, Trigger.OTHER_LANGUAGE) == [text]


@pytest.mark.parametrize("text", ENGLISH.strip().splitlines())
def test_english_is_not_another_language(text: str) -> None:
    """Names, addresses and short lines are not taken for another language."""
    assert found(text, Trigger.OTHER_LANGUAGE) == []
