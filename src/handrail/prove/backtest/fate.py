"""Fates: what becomes of an action when it is proposed."""

from __future__ import annotations

from typing import Final

from handrail.core.policy import Control

__all__ = ["FATES", "FATE_OF", "Fate"]


class Fate:
    """What became of an action when it was proposed. Plain texts: they are counted by the million.

    WAITS is for a full cap, STOPPED for a halt or flood control that the record tells of.
    """

    ALONE: Final = "alone"
    ASKED: Final = "asked"
    HELD: Final = "held_back"
    HANDED_ON: Final = "handed_on"
    REFUSED: Final = "refused"
    CAPPED: Final = "cap_refused"
    WAITS: Final = "cap_waits"
    STOPPED: Final = "stopped_then"


FATES: Final = (
    Fate.ALONE,
    Fate.ASKED,
    Fate.HELD,
    Fate.HANDED_ON,
    Fate.REFUSED,
    Fate.CAPPED,
    Fate.WAITS,
    Fate.STOPPED,
)
FATE_OF: Final = {
    Control.RUN_AND_LOG: Fate.ALONE,
    Control.RUN_AND_NOTIFY: Fate.ALONE,
    Control.HOLD_AND_RECALL: Fate.HELD,
    Control.APPROVE: Fate.ASKED,
    Control.MAKER_CHECKER: Fate.ASKED,
    Control.ESCALATE: Fate.HANDED_ON,
    Control.REFUSE: Fate.REFUSED,
}
