"""Finding waiting actions by what people type."""

from __future__ import annotations

from typing import Any

import pytest

from handrail.core.principal import Principal
from handrail.engine.showing import search as search_module
from handrail.engine.showing.search import Haul, Search, haul
from handrail.errors import InvalidInput
from handrail.surfaces.embedded import Action
from tests.engine.stories import HUGE, LARGE, MIDDLE, Story


def found(
    story: Story,
    *,
    by: str = "ann",
    after: tuple[int, str] | None = None,
    most: int = 50,
    **asked: Any,
) -> Haul:
    """What a search of somebody brings."""
    desk = story.desk

    def look(tx: Any) -> Haul:
        person = tx.people.get(desk.id, by)
        assert isinstance(person, Principal)
        return haul(desk.ctx, tx, person, Search(**asked), after=after, most=most)

    return desk.ctx.store.read(look)


def ids(result: Haul) -> set[str]:
    """The actions of a page."""
    return {one.id for one in result.proposals}


@pytest.fixture
def lot(story: Story) -> dict[str, Action]:
    """Refunds of three sizes, two customers, and a reply."""
    reply = {"ticket": "T-101", "body": "Hello"}
    return {
        "middle": story.refund(MIDDLE),
        "large": story.refund(LARGE, "O-5005"),
        "huge": story.refund(HUGE, "O-5005"),
        "reply": story.desk.propose(story.task("T-101"), "reply.send", reply),
    }


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ({}, "middle large huge reply"),
        ({"find": "T-101"}, "reply"),
        ({"find": "T-103"}, "middle"),
        ({"find": "C-1003"}, "middle"),
        ({"find": "C-100"}, ""),
        ({"find": "%"}, ""),
        ({"find": "priya.raman@example.com"}, ""),
        ({"kind": "reply.send"}, "reply"),
        ({"kind": "no.such"}, ""),
        ({"grade": "G3"}, "large huge"),
        ({"grade": "2"}, "middle reply"),
        ({"agent": "bot"}, "middle large huge reply"),
        ({"agent": "another"}, ""),
        ({"at_least": "2400.00 USD"}, "large huge"),
        ({"at_least": "2400.01", "currency": "USD"}, "huge"),
        ({"at_least": "1 EUR"}, ""),
        ({"currency": "USD"}, "middle large huge"),
        ({"find": "T-104", "at_least": "5000 USD"}, "huge"),
        ({"mine": True}, "middle reply"),
        ({"mine": True, "kind": "refund.issue"}, "middle"),
    ],
)
def test_what_is_found(
    story: Story, lot: dict[str, Action], asked: dict[str, Any], names: str
) -> None:
    """By the ids that people know; never by what lies sealed, an address for example."""
    assert ids(found(story, **asked)) == {lot[name].id for name in names.split()}


def test_an_action_is_found_by_a_part_of_its_id(story: Story, lot: dict[str, Action]) -> None:
    """With its prefix and without; four characters at least."""
    one = lot["huge"].id
    for text in (one, one.removeprefix("hr_"), one[-12:]):
        assert ids(found(story, find=text)) == {one}
    assert ids(found(story, find=one[-3:])) == set()


@pytest.mark.parametrize(
    "asked",
    [
        {"find": "x" * 201},
        {"find": "a\x00b"},
        {"agent": "\u202e"},
        {"kind": "\ud800"},
        {"grade": "4"},
        {"grade": "G22"},
        {"at_least": "120.00"},
        {"at_least": "a lot", "currency": "USD"},
        {"at_least": "-1", "currency": "USD"},
        {"at_least": "1.001", "currency": "USD"},
        {"at_least": "9" * 40, "currency": "USD"},
        {"at_least": "1 USD", "currency": "EUR"},
        {"at_least": "1 ZZZ"},
        {"currency": "dollars"},
    ],
)
def test_what_cannot_be_looked_for(story: Story, asked: dict[str, Any]) -> None:
    """It is refused in words, before anything is read."""
    with pytest.raises(InvalidInput):
        found(story, **asked)


def test_pages_of_one_s_own(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    """What one may not approve is passed over, a bounded number at a time; nothing is left out."""
    story.desk.person("vera", roles=("reviewer", "checker"), limits=("100.00 USD",))
    made = {story.refund("60.00 USD").id for _ in range(5)}
    for _ in range(3):
        story.refund(LARGE, "O-5005")
    monkeypatch.setattr(search_module, "LOOKED_AT_MAX", 2)
    seen: list[str] = []
    after, pages, through = None, 0, False
    while True:
        page = found(story, mine=True, after=after, most=2)
        seen += [one.id for one in page.proposals]
        through, pages = through or page.through, pages + 1
        if page.rest is None:
            break
        after = page.rest
    assert len(seen) == len(set(seen))
    assert set(seen) == made
    assert through
    assert pages >= 4


def test_one_who_has_spoken_has_nothing_to_say(story: Story) -> None:
    """D10: what waits for a second checker is the second one's, and not the first one's."""
    action = story.refund(HUGE, "O-5005")
    assert ids(found(story, by="carl", mine=True)) == {action.id}
    story.approve(action, by="carl")
    assert ids(found(story, by="carl", mine=True)) == set()
    assert ids(found(story, by="cora", mine=True)) == {action.id}
