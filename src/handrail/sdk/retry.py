"""Trying again: when, how often, and after how long.

A call is repeated because its key makes it idempotent; one that is not is repeated only when it
certainly did not arrive.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from handrail.sdk.errors import CallInvalid, ServerUnavailable
from handrail.sdk.steps import NoReply, Pause, Talk, WireCall, WireReply

__all__ = ["Retry", "asked"]

TRIES_MAX: Final = 20
_TURNED_AWAY: Final = frozenset((429, 503))
"""Statuses that say that the call was not taken."""
_REPEATED: Final = _TURNED_AWAY | {502}


@dataclass(frozen=True, kw_only=True, slots=True)
class Retry:
    """How persistent a client is: at most `tries` requests a call, 1 for no second try.

    Between them it pauses `first_s`, doubled each time up to `longest_s`; at least half of that,
    and the other half times `jitter()` (0 to 1), so that many clients do not come back at once.
    """

    tries: int = 4
    first_s: float = 0.2
    longest_s: float = 5.0
    jitter: Callable[[], float] = random.random

    def __post_init__(self) -> None:
        if not 1 <= self.tries <= TRIES_MAX:
            raise CallInvalid("setting_malformed", f"`tries` must be from 1 to {TRIES_MAX}")
        if not 0 <= self.first_s <= self.longest_s:
            raise CallInvalid("setting_malformed", "`first_s` must be from 0 to `longest_s`")

    def pause_s(self, tried: int, wanted_s: float | None = None) -> float:
        """How long to pause after `tried` requests; what the server wants counts, up to the top."""
        full = min(self.longest_s, self.first_s * 2.0 ** (tried - 1))
        pause = full * (0.5 + 0.5 * self.jitter())
        return pause if wanted_s is None else min(self.longest_s, max(pause, wanted_s))


def asked(call: WireCall, retry: Retry) -> Talk[tuple[WireReply, int]]:
    """Make a call until it is answered, and return the answer with the number of tries it took.

    Raises ServerUnavailable `server_unreachable` when no try got an answer.
    """
    tried = 0
    while True:
        said = yield call
        tried += 1
        if not isinstance(said, WireReply | NoReply):
            raise TypeError(f"a driver answered a call with {said!r}")
        again = tried < retry.tries and _may_repeat(call, said)
        if isinstance(said, WireReply):
            if not again:
                return said, tried
            yield Pause(seconds=retry.pause_s(tried, said.retry_after_s))
        elif again:
            yield Pause(seconds=retry.pause_s(tried))
        else:
            times = "once" if tried == 1 else f"{tried} times"
            raise ServerUnavailable(
                "server_unreachable", f"the handrail server did not answer ({said.why}), {times}"
            )


def _may_repeat(call: WireCall, said: WireReply | NoReply) -> bool:
    if isinstance(said, NoReply):
        return call.repeatable or not said.sent
    return said.status in (_REPEATED if call.repeatable else _TURNED_AWAY)
