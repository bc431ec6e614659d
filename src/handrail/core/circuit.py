"""A circuit: whether a system that stopped answering is asked again, and how many retries it gets.

Pure: every function takes the circuit and the time and gives the next circuit. It opens after some
calls in a row without an answer; while it is open nothing is sent. When its pause is over, one call
at a time is let through: an answer closes it, none opens it for longer.
"""

from __future__ import annotations

from typing import Final

import msgspec

__all__ = [
    "FAILURES_MAX",
    "RETRIES_MAX",
    "Circuit",
    "after_answer",
    "after_silence",
    "take",
    "take_retry",
]

FAILURES_MAX: Final = 5
"""Calls in a row without an answer that open it."""
OPEN_MS: Final = 5_000
OPEN_MS_MAX: Final = 60_000
RETRIES_MAX: Final = 100
"""Retries that a rested circuit gives at once."""
RETRY_MS: Final = 20
"""One further retry is given per this many milliseconds."""


class Circuit(msgspec.Struct, frozen=True, kw_only=True):
    """How a system has been answering. `until` is the end of its pause; None: it is closed."""

    failures: int = 0
    opened: int = 0
    until: int | None = None
    retries: int = RETRIES_MAX
    counted_at: int = 0

    @property
    def closed(self) -> bool:
        """Whether calls go through."""
        return self.until is None


def take(circuit: Circuit, now: int) -> tuple[Circuit, bool]:
    """Whether a call may go out now."""
    if circuit.until is None:
        return circuit, True
    # A clock that was set back never keeps it open for longer than its longest pause.
    if now < circuit.until <= now + OPEN_MS_MAX:
        return circuit, False
    # One call tries it; until that has ended, the others go on waiting.
    return msgspec.structs.replace(circuit, until=now + _open_ms(circuit.opened)), True


def take_retry(circuit: Circuit, now: int) -> tuple[Circuit, bool]:
    """Whether one more retry is left in the budget, and the budget without it."""
    gained = max(0, now - circuit.counted_at) // RETRY_MS
    retries = min(RETRIES_MAX, circuit.retries + gained)
    full_or_set_back = retries == RETRIES_MAX or circuit.counted_at > now
    counted_at = now if full_or_set_back else circuit.counted_at + gained * RETRY_MS
    left = msgspec.structs.replace(circuit, retries=max(0, retries - 1), counted_at=counted_at)
    return left, retries > 0


def after_answer(circuit: Circuit) -> Circuit:
    """It answered, whatever it said: closed."""
    if circuit.failures == 0 and circuit.until is None:
        return circuit
    return msgspec.structs.replace(circuit, failures=0, opened=0, until=None)


def after_silence(circuit: Circuit, now: int) -> Circuit:
    """It did not answer: one more in a row."""
    failures = circuit.failures + 1
    if failures < FAILURES_MAX and circuit.until is None:
        return msgspec.structs.replace(circuit, failures=failures)
    opened = circuit.opened + 1
    return msgspec.structs.replace(
        circuit, failures=failures, opened=opened, until=now + _open_ms(opened)
    )


def _open_ms(opened: int) -> int:
    return int(min(OPEN_MS << min(max(0, opened - 1), 10), OPEN_MS_MAX))
