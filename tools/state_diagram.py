"""Draw the life of a proposal from `TRANSITIONS`: prints the diagram that docs/states.md holds."""

from __future__ import annotations

import sys

from handrail.core.lifecycle import FINAL, TRANSITIONS, State

__all__ = ["diagram"]


def diagram() -> str:
    """The states and every way between them, as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", f"    [*] --> {State.PROPOSED.value}"]
    for (before, event), after in TRANSITIONS.items():
        lines.append(f"    {before.value} --> {after.value}: {event.value}")
    ends = [state.value for state in State if state in FINAL]
    lines += [f"    {end} --> [*]" for end in ends]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(diagram())
