"""What a trial showed: a control holds only when both its sides were seen."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import Enum

import msgspec

from handrail.errors import HandrailError

__all__ = ["Proof", "Sides", "Trial", "attempt", "worst_of"]


class Proof(Enum):
    """What is known of a control afterwards. Only HOLDS is a pass."""

    HOLDS = "holds"
    BROKEN = "broken"
    NOT_SHOWN = "not shown"
    NOT_APPLICABLE = "not applicable"


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """One control, what was tried, what it let by, what it stopped, and what that proves."""

    control: str
    tried: str
    positive: str
    negative: str
    proof: Proof


class Sides:
    """One trial under way. Whatever was not seen as it should be makes it less than a pass."""

    def __init__(self, control: str, tried: str) -> None:
        self.control = control
        self.tried = tried
        self._lets: list[str] = []
        self._stops: list[str] = []
        self._wrong = False
        self._open = False

    def lets(self, seen: bool, said: str) -> bool:
        """What must go through: a failure is a control that stops too much, or does not work."""
        self._lets.append(said if seen else f"WRONG: not {said}")
        self._wrong |= not seen
        return seen

    def stops(self, seen: bool, said: str) -> bool:
        """What must not go through."""
        self._stops.append(said if seen else f"WRONG: not {said}")
        self._wrong |= not seen
        return seen

    def unshown(self, why: str) -> None:
        """Something could not be tried, or was decided by something else: that is no pass."""
        self._stops.append(f"not shown: {why}")
        self._open = True

    def ended(self) -> Trial:
        """What the trial showed. Nothing seen on one side is nothing shown."""
        proof = Proof.HOLDS
        if self._wrong:
            proof = Proof.BROKEN
        elif self._open or not self._lets or not self._stops:
            proof = Proof.NOT_SHOWN
        return Trial(
            control=self.control,
            tried=self.tried,
            positive="; ".join(self._lets) or "-",
            negative="; ".join(self._stops) or "-",
            proof=proof,
        )


def attempt(control: str, act: Callable[[], Trial]) -> Trial:
    """The trial, or that it could not be made: an error on the way shows nothing."""
    try:
        return act()
    except HandrailError as error:
        said = f"not shown: the trial ended with `{error.code}`"
        return Trial(control=control, tried="-", positive="-", negative=said, proof=Proof.NOT_SHOWN)


def worst_of(trials: Iterable[Trial]) -> Proof:
    """Broken before not shown before holds. What does not apply proves nothing, either way."""
    found = {trial.proof for trial in trials} - {Proof.NOT_APPLICABLE}
    if Proof.BROKEN in found:
        return Proof.BROKEN
    return Proof.HOLDS if found == {Proof.HOLDS} else Proof.NOT_SHOWN
