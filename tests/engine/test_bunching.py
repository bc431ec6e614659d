"""C8: amounts that keep just below a limit make people look, once a week."""

from __future__ import annotations

from typing import Final

from handrail.engine.proposing.bunch import WEEK_MS
from tests.engine.stories import MINUTE, Story, pack_of_caps

ORDERS: Final = ("O-5001", "O-5003", "O-5005", "O-5004")


def alarms(story: Story) -> int:
    """How often the log says that amounts bunch."""
    entries = story.desk.ctx.store.read(lambda tx: tx.log.latest("main", before=10_000, most=500))
    return sum(logged.entry.tag == "bunching.alarmed" for logged in entries)


def watched(story: Story) -> None:
    """The desk sums up amounts; its limits and bands are the pack's."""
    text = story.desk.ctx.rulebook("main").policy
    assert text.accumulation is not None
    assert text.accumulation.bunching == 40


def test_clustering_below_a_limit_is_told_once_a_week(story: Story) -> None:
    """C8: a dozen at $49.99 of $50; the alarm comes once, and not for another kind's amounts."""
    watched(story)
    for n in range(12):
        story.refund(f"49.{n + 10} USD", ORDERS[n % 4])
    for _ in range(3):
        story.desk.work()
        story.later(2 * MINUTE)
    assert alarms(story) == 1
    assert None in story.open_escalations()
    story.check()
    story.later(2 * WEEK_MS)
    story.desk.work()
    assert alarms(story) == 1


def test_amounts_of_every_size_are_no_alarm(story: Story) -> None:
    """C8: as many small ones as near ones are what a desk does all day."""
    for n in range(12):
        amount = f"49.{n + 10} USD" if n % 3 == 0 else f"{n + 2}.00 USD"
        story.refund(amount, ORDERS[n % 4])
    story.desk.work()
    assert alarms(story) == 0


def test_without_sums_nobody_looks(story: Story) -> None:
    """C8: a policy without the key is not watched."""
    story.reopen(pack_of_caps())
    for n in range(12):
        story.refund(f"49.{n + 10} USD", ORDERS[n % 4])
    story.desk.work()
    assert alarms(story) == 0
