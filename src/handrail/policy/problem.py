"""What is wrong with a policy, and on which line."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

import msgspec

__all__ = ["Path", "Problem", "Severity", "errors_in"]

Path = tuple[str | int, ...]
"""Where something stands in a policy: `("kinds", "refund.issue", "bands", "USD", 0, "up_to")`."""


class Severity(Enum):
    """An error keeps a policy from loading; a warning does not."""

    ERROR = "error"
    WARNING = "warning"


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One problem of a policy, as a sentence. `line` counts from 1; 0 when there is no file."""

    line: int
    text: str
    severity: Severity = Severity.ERROR


def errors_in(problems: Iterable[Problem]) -> list[Problem]:
    """The problems that keep a policy from loading, in the order given."""
    return [problem for problem in problems if problem.severity is Severity.ERROR]
