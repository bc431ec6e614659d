"""What the server says to an agent: how an action stands, a task, a hand-off."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

__all__ = ["Handoff", "TaskAction", "TaskGrant"]

_RAN: Final = "SUCCEEDED"
_REFUSED: Final = frozenset(("REFUSED", "REJECTED"))
_WAITS: Final = frozenset(("PENDING", "HOLDING", "READY"))


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskAction:
    """An action as the agent that proposed it may see it.

    `says` is what the model should be told, `says_reviewer` what a person wrote to it. `final`:
    nothing more will happen. `result` is the answer of what ran. `permit` and `params` come with
    an action that the agent's own process runs: once, with exactly these parameters, amounts as
    text like `12.00 USD`. `undo_of` names the action that this one reverses.
    """

    id: str
    kind: str
    state: str
    """One of the lifecycle's states. A newer server may know more of them."""
    control: str
    says: str
    final: bool
    result: dict[str, object] | None = None
    permit: str | None = field(default=None, repr=False)
    params: dict[str, object] | None = None
    undo_of: str | None = None
    can_undo: bool = False
    says_reviewer: str | None = None

    @property
    def ran(self) -> bool:
        """Whether it was done, for certain."""
        return self.state == _RAN

    @property
    def waits(self) -> bool:
        """Whether it has not run yet and still may: a person, a delay or a cap is in between."""
        return self.state in _WAITS

    @property
    def refused(self) -> bool:
        """Whether a rule or a person said no. Running out of time is not a no."""
        return self.state in _REFUSED


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskGrant:
    """A task that the server issued. Whoever has `token` acts within it until `expires_at` (ms)."""

    id: str
    token: str = field(repr=False)
    lane: str | None = None
    ticket: str | None = None
    expires_at: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Handoff:
    """An escalation that was opened, due at `due_at` (ms), with the action that it is about."""

    id: str
    due_at: int | None = None
    action: TaskAction | None = None
