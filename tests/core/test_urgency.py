"""The order of the queue: slots of deadlines, and within a slot what is at stake."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.core.grade import Grade
from handrail.core.money import Money
from handrail.core.urgency import SLOT_MS, STAKE_MAX, due_rank, rank_of, stake_of
from handrail.policy.loader import load

PACK = load("support-desk")

# kind | value | grade | what is at stake
STAKES = """
refund.issue | 120.00 USD  | G2 | 12000
refund.issue | 20.00 USD   | G2 | 10000
refund.issue | 20.00 USD   | G3 | 500000
refund.issue | 9000.00 USD | G3 | 900000
refund.issue | 1000.00 EUR | G2 | 115500
refund.issue | 1 JPY       | G3 | 999999999999
refund.issue | -           | G3 | 999999999999
reply.send   | -           | G2 | 10000
ticket.read  | -           | G0 | 0
moon.buy     | -           | G3 | 500000
"""


@pytest.mark.parametrize("row", STAKES.strip().splitlines())
def test_what_is_at_stake(row: str) -> None:
    """Money in the currency of the sums; at least what the grade is taken for; unknown is most."""
    kind, value, grade, stake = (part.strip() for part in row.split("|"))
    money = None if value == "-" else Money.parse(value)
    assert stake_of(PACK, kind, money, Grade[grade]) == int(stake)


times = st.integers(1_600_000_000_000, 4_102_444_800_000)
stakes = st.integers(0, 2 * STAKE_MAX)


@given(times, stakes, times, stakes)
def test_the_deadline_comes_first_and_then_the_stake(
    one: int, less: int, other: int, more: int
) -> None:
    """L2: within one slot the larger stake; across slots the earlier deadline."""
    first, second = rank_of(one, less), rank_of(other, more)
    assert 0 < first < 2**63
    if one // SLOT_MS == other // SLOT_MS:
        assert (first < second) is (min(less, STAKE_MAX) > min(more, STAKE_MAX))
    else:
        assert (first < second) is (one // SLOT_MS < other // SLOT_MS)


@given(times, stakes, times)
def test_nothing_overdue_is_beyond_what_is_due(decide_by: int, stake: int, now: int) -> None:
    """What is past its deadline is found below `due_rank`, with at most a slot of others."""
    if decide_by <= now:
        assert rank_of(decide_by, stake) <= due_rank(now)
    if decide_by >= now + SLOT_MS:
        assert rank_of(decide_by, stake) > due_rank(now) - STAKE_MAX - 1
