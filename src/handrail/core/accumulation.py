"""Accumulation: what a customer was given lately, over kinds and currencies, as one sum.

Amounts are brought to one currency at rates that the policy pins, with whole numbers only and
always rounded up: a conversion never makes a sum smaller.
"""

from __future__ import annotations

from typing import Final

import msgspec

from handrail.core.money import EXPONENTS, MINOR_MAX, Money

__all__ = ["FULL_WEIGHT", "RATE_DECIMALS", "Accumulation", "Sums"]

FULL_WEIGHT: Final = 100
"""The weight, in percent, of a kind whose amounts count as they are."""
RATE_DECIMALS: Final = 9
_RATE_ONE: Final = 10**RATE_DECIMALS


class Accumulation(msgspec.Struct, frozen=True, kw_only=True):
    """How values add up.

    `weights` is, per kind that counts, the percentage of its amounts. `rates` says how much of
    `currency` one whole unit of another currency is worth, in billionths; `margin` is a percentage
    on top of whatever is converted. `bunching` is the percentage of amounts that may lie in the
    fifth below a band's limit before people are told.
    """

    window_ms: int
    currency: str
    weights: dict[str, int]
    rates: dict[str, int] = {}
    margin: int = 0
    bunching: int | None = None

    def worth(self, kind: str, value: Money | None) -> int:
        """What an action adds to the sum: minor units of `currency`.

        `MINOR_MAX` when that cannot be said, for there is no rate or no amount: more than every
        limit, since unknown is never the same as little.
        """
        return MINOR_MAX if value is None else self.converted(value, self.weights[kind])

    def converted(self, value: Money, weight: int = FULL_WEIGHT) -> int:
        """Minor units of `currency` that an amount counts for, at `weight` percent of it."""
        if value.currency == self.currency:
            return min(MINOR_MAX, _up(value.minor * weight, FULL_WEIGHT))
        rate = self.rates.get(value.currency)
        if rate is None:
            return MINOR_MAX
        scaled = value.minor * weight * rate * (100 + self.margin) * 10 ** EXPONENTS[self.currency]
        return min(
            MINOR_MAX,
            _up(scaled, FULL_WEIGHT * _RATE_ONE * 100 * 10 ** EXPONENTS[value.currency]),
        )

    def is_plain(self, kind: str, currency: str) -> bool:
        """Whether amounts of a kind in a currency add up as they are: no rate, no weight."""
        return currency == self.currency and self.weights[kind] == FULL_WEIGHT

    def judged(self, kind: str, value: Money | None, earlier: int) -> Money | None:
        """What the bands look at beside the amount, after `earlier` minor units of `currency`.

        None when there is no amount, and when there was nothing before, so that looking at the
        amount is enough.
        """
        if value is None:
            return None
        if earlier or self.weights[kind] > FULL_WEIGHT or self.worth(kind, value) >= MINOR_MAX:
            return self.with_earlier(kind, value, earlier)
        return None

    def with_earlier(self, kind: str, value: Money, earlier: int) -> Money:
        """The sum that the bands look at: what was `earlier`, and this action, in its currency.

        `earlier` is in minor units of `currency`. The largest amount there is when the sum cannot
        be said.
        """
        rate = self._rate(value.currency)
        if rate is None or earlier >= MINOR_MAX:
            return Money(minor=MINOR_MAX, currency=value.currency)
        before = _up(
            earlier * _RATE_ONE * 10 ** EXPONENTS[value.currency],
            rate * 10 ** EXPONENTS[self.currency],
        )
        own = _up(value.minor * self.weights[kind], FULL_WEIGHT)
        return Money(minor=min(MINOR_MAX, before + own), currency=value.currency)

    def _rate(self, currency: str) -> int | None:
        return _RATE_ONE if currency == self.currency else self.rates.get(currency)


class Sums(msgspec.Struct, frozen=True, kw_only=True):
    """Where a customer stands: what was `earlier`, and what an action is `worth`, in minor units.

    Both are in the currency of the accumulation. `total` is what the bands look at, None when there
    was nothing before and they have looked at the amount already.
    """

    total: Money | None
    earlier: int
    worth: int


def _up(number: int, by: int) -> int:
    """`number` divided by `by`, rounded up."""
    return -(-number // by)
