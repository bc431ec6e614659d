"""What the gateway did with a recorded call. Known without any label."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

__all__ = ["Fate", "Outcome"]


class Fate(Enum):
    """What the gateway did with a call."""

    RAN_ALONE = "ran_alone"
    HELD = "held"
    """It asked a person. The answer is out of scope here: a held call counts as approved, so it ran
    as recorded and the conversation goes on."""
    REFUSED = "refused"


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """The gateway's decision about one call."""

    fate: Fate
    red_flag: bool = False
    """Whether the lane or a check contradicted the call, as opposed to holding it for its kind or
    amount, or because something about it could not be told."""
    failed: tuple[str, ...] = ()
    """The checks that did not pass, those that could not be evaluated left out."""
