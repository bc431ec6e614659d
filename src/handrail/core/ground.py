"""Grounds: the plain reasons among which a rejection names one. Codes in the log, words for people.

What the agent is told never says a limit, a rule, or a suspicion.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

__all__ = ["GROUNDS", "TOLD", "Ground"]


class Ground(Enum):
    """Why a person said no, as a code."""

    WRONG_AMOUNT = "wrong_amount"
    WRONG_TARGET = "wrong_target"
    NOT_OWED = "not_owed"
    FACTS = "facts"
    MESSAGE = "message"
    ALREADY_DONE = "already_done"
    SUSPICIOUS = "suspicious"
    OTHER = "other"


GROUNDS: Final[dict[Ground, str]] = {
    Ground.WRONG_AMOUNT: "Wrong amount",
    Ground.WRONG_TARGET: "Wrong customer or account",
    Ground.NOT_OWED: "The customer is not owed this",
    Ground.FACTS: "The facts do not support it",
    Ground.MESSAGE: "The message is wrong or unkind",
    Ground.ALREADY_DONE: "Already done, or not needed any more",
    Ground.SUSPICIOUS: "It looks like fraud",
    Ground.OTHER: "Something else",
}
"""Every ground as a person reads it, in the order in which they are offered."""

TOLD: Final[dict[Ground, str]] = {
    Ground.WRONG_AMOUNT: "The amount is wrong.",
    Ground.WRONG_TARGET: "It is about the wrong customer or account.",
    Ground.NOT_OWED: "The customer is not owed this.",
    Ground.FACTS: "The facts on record do not support it.",
    Ground.MESSAGE: "The message is not right.",
    Ground.ALREADY_DONE: "It is done already, or not needed any more.",
}
"""What the agent is told of a ground; of the others nothing beyond the no."""
