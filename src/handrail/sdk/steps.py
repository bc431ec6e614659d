"""What the core asks its driver to do, and what the driver says back.

The core is written as generators, without I/O: each step it yields is data, and the driver sends
the outcome in. A synchronous and an asynchronous driver therefore behave alike.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import TypeVar

__all__ = [
    "NoReply",
    "Pause",
    "Said",
    "Step",
    "Talk",
    "ToolFailed",
    "ToolReturned",
    "ToolRun",
    "WireCall",
    "WireReply",
]

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class WireCall:
    """One HTTP request to make. `read_s` bounds the wait for its answer.

    `repeatable` says that arriving twice does no harm.
    """

    method: str
    path: str
    token: str | None = field(repr=False)
    body: bytes | None = None
    read_s: float
    repeatable: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Pause:
    """Let time pass."""

    seconds: float


@dataclass(frozen=True, kw_only=True, slots=True)
class ToolRun:
    """Run the tool's own function, once; an asynchronous driver awaits what it returns."""

    call: Callable[[], object]


@dataclass(frozen=True, kw_only=True, slots=True)
class WireReply:
    """The answer to a `WireCall`. `retry_after_s` is what the server asked for, if it did."""

    status: int
    body: bytes
    retry_after_s: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class NoReply:
    """No answer came. `sent` is False when the request certainly did not leave."""

    why: str
    sent: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class ToolReturned:
    """The tool came back with a value."""

    value: object


@dataclass(frozen=True, kw_only=True, slots=True)
class ToolFailed:
    """The tool raised."""

    error: Exception


Step = WireCall | Pause | ToolRun
Said = WireReply | NoReply | ToolReturned | ToolFailed | None
Talk = Generator[Step, Said, T]
"""A conversation with the server that ends in a `T`. Begin it by sending None."""
